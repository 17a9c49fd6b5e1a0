/* What agents turned out to be: a table of fixed size, by the hash of the agent. The least recently
 * asked of a set gives way. No agent's text is kept. Safe for all threads. */
#ifndef COLLECTOR_AGENT_CACHE_H
#define COLLECTOR_AGENT_CACHE_H

#include "collector/agent_device.h"
#include "collector/agent_rules.h"
#include "core/hash.h"

#define AGENT_CACHE_AGENTS 16384

/* NUL-ended names; bot is a rule's number + 1, 0 for none. */
struct agent_answer {
    char browser[AGENT_NAME_BYTES];
    char os[AGENT_NAME_BYTES / 2];
    uint16_t bot;
    uint8_t device; /* enum agent_device */
};

struct agent_cache; /* 2 MB */

struct agent_cache *agent_cache_create(void); /* owned by the caller */
void agent_cache_destroy(struct agent_cache **cache);

bool agent_cache_find(struct agent_cache *cache, struct hash128 agent, struct agent_answer *out);
void agent_cache_add(struct agent_cache *cache, struct hash128 agent,
                     const struct agent_answer *answer);

#endif
