/* Browser, operating system and kind of device of a user agent, and whether it is a program that
 * nobody sits in front of. Families only, no versions; the words of browsers and systems are
 * uap-core's ("Mobile Safari", "Mac OS X"). */
#ifndef COLLECTOR_AGENT_H
#define COLLECTOR_AGENT_H

#include "core/arena.h"

/* For a collector: 0.3% of a core with agents as they are, 8% with the worst that was ever made. */
#define AGENT_MISSES_A_SECOND 200

/* Each "" where the agent does not say. */
struct agent {
    struct slice browser;    /* "Chrome Mobile" */
    struct slice os;         /* "Android" */
    struct slice device;     /* "desktop mobile tablet tv console wearable bot" */
    struct slice bot_reason; /* "crawler Googlebot/" (collector/bot.h); "" for a person's */
};

struct agent_reader; /* the rules, and a cache of 16k agents: 6 MB, for all threads */

/* Owned by the caller. Reads as many agents as come, which is right for imports; the rules are made
 * when the first one comes. */
struct agent_reader *agent_reader_create(void);
void agent_reader_destroy(struct agent_reader **reader);

/* Of agents that are not in the cache read only so many in any second; the others are "(unknown)",
 * though still judged bot or not. 0: all. To be said before other threads read. */
void agent_reader_limit(struct agent_reader *reader, uint32_t misses_a_second);

/* Texts are static or in the arena. Of an agent over 512 bytes only those are read. */
struct agent agent_read(struct agent_reader *reader, struct slice user_agent, struct arena *a);

/* How many events were left "(unknown)". */
uint64_t agent_n_unknown(const struct agent_reader *reader);

#endif
