/* Can Redis be given events now? A thread of its own asks, over a connection of its own, so that
 * nobody who has events to send ever waits for a Redis that does not answer.
 *
 * Every 200 ms: is it there, does it take writes, has it memory left? Every check_ms: does it still
 * keep what it acknowledges (AOF, appendfsync always, noeviction), and does its clock agree with
 * ours? Ready ends at 70% of maxmemory, begins below 60%; what the spool holds is sent below 50%.
 *
 * The sender sees first when Redis goes: it says so (publish_watch_failed), and from then on Redis
 * is away until the thread has found it well again.
 */
#ifndef COLLECTOR_PUBLISH_WATCH_H
#define COLLECTOR_PUBLISH_WATCH_H

#include "core/err.h"
#include "core/stream.h"

#define PUBLISH_CLOCK_OFF_MS (10 * 60 * 1000)

struct publish_watch_config {
    struct stream_address redis;
    int64_t check_ms;
    int64_t (*wall_ms)(void); /* NULL: the system's clock */
};

struct publish_watch;

/* ERR_INVALID, ERR_DENIED: Redis is there and does not keep what it acknowledges. One that is away
 * is no error. */
enum err_code publish_watch_start(const struct publish_watch_config *config,
                                  struct publish_watch **out, struct err *err);
void publish_watch_stop(struct publish_watch **w); /* takes NULL */

/* All thread-safe, and none waits for Redis. */
bool publish_watch_is_ready(struct publish_watch *w, struct err *why_not);
bool publish_watch_has_much_room(struct publish_watch *w); /* ready, and below 50% of its memory */
void publish_watch_failed(struct publish_watch *w, const struct err *why);

/* Can our own clock be right? ERR_CONFLICT: it stands before the day of the build, or was 10
 * minutes or more off Redis's when last asked. */
enum err_code publish_watch_check_clock(struct publish_watch *w, struct err *err);

#endif
