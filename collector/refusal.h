/* What was refused of late, for whoever looks for an event that does not come: a capped list per
 * site in Redis (STREAM_REFUSED), forgotten an hour after the last.
 *
 *     {"time":1780315200000,"reason":"too_old","field":"time","message":"..","event":"pageview"}
 *
 * No address, no visitor, no value is in it; what was refused is named, not kept. Requests note it
 * in a ring of fixed size and go on; a thread writes it once a second. While the ring is full, or
 * Redis is away, refusals are not listed: the counters in /metrics have them all.
 */
#ifndef COLLECTOR_REFUSAL_H
#define COLLECTOR_REFUSAL_H

#include "collector/metrics.h"
#include "core/err.h"
#include "core/stream.h"

#define REFUSAL_WRITE_MS 1000

struct refusals;

struct refusal {
    uint32_t site;
    int64_t time_ms;
    enum reason why;
    const char *message;
    const char *field;  /* "" or NULL: none */
    struct slice event; /* its name, "" where it is not known */
};

/* write_ms: how often the thread writes. */
enum err_code refusals_start(const struct stream_address *redis, int64_t write_ms,
                             struct refusals **out, struct err *err);
void refusals_stop(struct refusals **r); /* writes what is noted; takes NULL */

/* All is copied, what is long is cut. Thread-safe, and waits for nobody. */
void refusals_note(struct refusals *r, const struct refusal *refusal);

#endif
