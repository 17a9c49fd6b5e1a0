/* Durations of one kind at one stage, and their percentiles.
 *
 * Exact while there are at most TALLY_EXACT_MAX of them: each is kept, in TIME_BYTES bytes. Beyond
 * that only a histogram is: 128 buckets to each doubling, a value stood for by its bucket's middle,
 * so never off by more than 1/256 (0.4%). Which of the two answers depends on the number alone, not
 * on how the visitors were split over tallies.
 *
 * Shared inside this folder only.
 */
#ifndef AGGREGATOR_FUNNEL_TIMES_INT_H
#define AGGREGATOR_FUNNEL_TIMES_INT_H

#include "aggregator/funnel/tally.h"

struct times {
    uint8_t *packed; /* n values of TIME_BYTES, little-endian; NULL once there are buckets */
    int64_t *buckets;
    int64_t n;
    int64_t n_max; /* packed has room for so many */
    int64_t sum_ms;
    uint64_t bits; /* all values or-ed: how high their digits go */
};

void times__fini(struct times *t);
void times__add(struct times *t, int64_t ms); /* 0 <= ms <= FUNNEL_WINDOW_MAX_MS */
void times__merge(struct times *into, const struct times *from);
struct tally_times times__summary(const struct times *t);
size_t times__held_bytes(const struct times *t);

#endif
