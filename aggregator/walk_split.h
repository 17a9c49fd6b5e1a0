/* How a walk over a site's journeys is split over threads: into jobs, each a share of the linked
 * persons or a range of hashes with all visitors in it, which threads take one after the other.
 *
 *     walk_split_init(&split, &asked)                    once
 *     while (walk_split_next(&split, &job))              in each thread, with a walk of its own
 *         rc = walk_split_job(&split, job, walk, &bad, err)
 */
#ifndef AGGREGATOR_WALK_SPLIT_H
#define AGGREGATOR_WALK_SPLIT_H

#include <stdatomic.h>

#include "aggregator/journey.h"

struct walk_split {
    size_t n_workers;
    size_t n_linked; /* jobs that are shares of the linked persons */
    int range_bits;
    const struct persons *persons;
    atomic_size_t next;
};

struct walk_split_asked {
    const struct journey_input *inputs;
    size_t n_inputs;
    const struct persons *persons;
    int n_threads;    /* 0: one for each processor, where there is enough to do */
    bool is_in_order; /* one thread, hash after hash, then the linked persons */
};
void walk_split_init(struct walk_split *s, const struct walk_split_asked *asked);

/* False: there are no more. */
bool walk_split_next(struct walk_split *s, size_t *out);

/* As journey_range and journey_linked. */
enum err_code walk_split_job(const struct walk_split *s, size_t job, struct journey_walk *w,
                             size_t *bad, struct err *err);

#endif
