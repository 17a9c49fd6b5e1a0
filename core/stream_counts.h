/* Counters in Redis that forget by themselves: hashes of numbers, one for each site and day, and
 * what collectors say of themselves. For what is good to see and no loss to lose. (Redis itself:
 * core/stream.h.) */
#ifndef CORE_STREAM_COUNTS_H
#define CORE_STREAM_COUNTS_H

#include "core/stream.h"
#include "core/timestamp.h"

/* What became of a site's events on one of its days; site 0: requests of no site that is known, and
 * what is counted for all of them, by days of UTC. Fields, by the collectors (collector/daily.h)
 * and, of site 0, by the aggregator: */
#define STREAM_DAY          "corong:{0}:day:" /* site's id, ':', "2026-06-01" */
#define STREAM_DAY_MAX      64
#define STREAM_DAY_LIFE     (35 * 86400) /* seconds from the last count on */
#define STREAM_DAY_ACCEPTED "accepted"
#define STREAM_DAY_LATE     "late" /* of the accepted: over STREAM_DAY_LATE_MS after they happened */
#define STREAM_DAY_BOTS     "bots"     /* of the accepted */
#define STREAM_DAY_REFUSED  "refused:" /* and the reason (collector/metrics.h) */
#define STREAM_DAY_REPEATS  "repeats"  /* of site 0: events that were dropped as told twice */
#define STREAM_DAY_LATE_MS  600000

/* hash: collector's name -> JSON of how it does (collector/daily.h) */
#define STREAM_COLLECTORS      "corong:{0}:collectors"
#define STREAM_COLLECTORS_LIFE 86400 /* seconds */

void stream_day_key(uint32_t site, struct date day, char out[STREAM_DAY_MAX]);

struct stream_count {
    struct slice field;
    uint64_t n;
};

/* Add to counters of a hash that is gone life_s seconds from now, if nobody adds to it. One
 * pipeline. After an error it is not known which were added. */
enum err_code stream_counts_add(struct stream *s, const char *key,
                                const struct stream_count *counts, int n, int64_t life_s,
                                struct err *err);

/* Set a field of a hash that is gone life_s seconds from now, if nobody sets one. */
enum err_code stream_counts_tell(struct stream *s, const char *key, struct slice field,
                                 struct slice value, int64_t life_s, struct err *err);

struct stream_hash {
    int n; /* 0: it is not there */
    struct stream_pair *pairs;
};

/* Whole hashes, at most STREAM_COUNTS_READ_MAX in one pipeline; in the arena. */
#define STREAM_COUNTS_READ_MAX 64
enum err_code stream_counts_read(struct stream *s, const char (*keys)[STREAM_DAY_MAX], int n,
                                 struct arena *a, struct stream_hash *out, struct err *err);

#endif
