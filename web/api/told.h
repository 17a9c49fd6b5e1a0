/* What others leave in Redis for who looks after them: how collectors do, what waits for the
 * aggregator, what became of each site's events (core/stream_counts.h).
 *
 * One connection behind one lock. Redis is only looked at, and waited for TOLD_WAIT_MS at most;
 * while it is away nobody waits for it again before the connection's back-off is over.
 */
#ifndef WEB_API_TOLD_H
#define WEB_API_TOLD_H

#include <jansson.h>

#include "core/stream_counts.h"

#define TOLD_WAIT_MS   500
#define TOLD_PLACES_MS 30000 /* how long it is believed whose places they are */

struct told;

struct told *told_create(const struct stream_address *redis); /* copied; NULL: there is none */
void told_destroy(struct told **t);                           /* takes NULL */

/* All thread-safe. */

struct told_now {
    bool is_there; /* Redis; else why says what is wrong */
    struct err why;
    int64_t n_waiting; /* entries of the stream that the aggregator has not committed */
    int64_t oldest_ms; /* when the first of them came; 0: none waits */
    int64_t memory_bytes;
    int64_t memory_max_bytes; /* 0: no limit */
    json_t *collectors; /* array of what they say (collector/daily.h), with their "name"; owned */
};
void told_read(struct told *t, struct arena *a, struct told_now *out);

/* What became of events, by keys of stream_day_key. */
enum err_code told_days(struct told *t, const char (*keys)[STREAM_DAY_MAX], int n, struct arena *a,
                        struct stream_hash *out, struct err *err);

/* Whom the place database asks to be named, of some collector; NULL: nobody. Static. */
struct told_places {
    const char *name;
    const char *url;
};
const struct told_places *told_places(struct told *t);

#endif
