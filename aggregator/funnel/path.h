/* The counted path of one visitor (funnel.md 2 and 7). Pure and allocation-free.
 *
 *     struct plan plan;
 *     plan_init(&plan, funnel, funnel->preset);
 *     for each visitor: events sorted by (time, id), each with its masks
 *         if (path_count(&plan, &range, events, n, &path))
 *             path.visits[0 .. path.n)
 *
 * Events that match no stage and no exclusion may be given or left out: it changes nothing but the
 * indices. The same plan may be used by many threads.
 */
#ifndef AGGREGATOR_FUNNEL_PATH_H
#define AGGREGATOR_FUNNEL_PATH_H

#include "aggregator/funnel/definition.h"

struct plan {
    int n_stages;
    int n_exclusions;
    int n_groups;
    int64_t window_ms;
    uint32_t stages;                        /* bits 0..n_stages-1 */
    uint32_t required;                      /* see funnel_required_stages */
    uint32_t ends[FUNNEL_EXCLUSIONS_MAX];   /* per exclusion: the stages where it ends a path */
    uint32_t groups[FUNNEL_STAGES_MAX / 2]; /* per rule used more than once: its stages */
};

/* A funnel under a preset, ready to run. */
void plan_init(struct plan *plan, const struct funnel *f, enum funnel_preset preset);

/* The stages that any path can visit at all where these are matched: up to the first required one
 * that is not. */
uint32_t plan_possible(const struct plan *plan, uint32_t matched);

struct path_event {
    int64_t time_ms;
    uint32_t stages; /* struct masks */
    uint32_t exclusions;
};

/* The first event at or after a moment; n where there is none. */
uint32_t path_first_from(const struct path_event *events, uint32_t n, int64_t ms);

/* First visits lie in [from_ms, to_ms). */
struct path_range {
    int64_t from_ms;
    int64_t to_ms;
};
#define PATH_RANGE_ALL ((struct path_range){INT64_MIN, INT64_MAX})

/* A moment moved by ms; open ends stay open. */
static inline int64_t
path_time_add(int64_t time_ms, int64_t ms)
{
    int64_t sum;

    if (__builtin_add_overflow(time_ms, ms, &sum))
        return ms > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

struct path_visit {
    uint32_t stage; /* from 0 */
    uint32_t event; /* index into the events given */
};

struct path {
    uint32_t stages;                             /* bit k-1: visits stage k */
    uint32_t n;                                  /* visits, 1..n_stages */
    struct path_visit visits[FUNNEL_STAGES_MAX]; /* stages ascending */
};

/* The counted path; false where there is none. events: sorted by (time, id), borrowed, n below
 * UINT32_MAX. Time: O(n) for nearly all, O(n log n) at worst, times stages squared. */
bool path_count(const struct plan *plan, const struct path_range *range,
                const struct path_event *events, uint32_t n, struct path *out);

/* Is there a path, not ended by an exclusion, that began less than a window before as_of? events:
 * as above, none after as_of. */
bool path_is_open(const struct plan *plan, const struct path_range *range,
                  const struct path_event *events, uint32_t n, int64_t as_of_ms);

/* Would there be a path with the same last visit as the counted one but more stages, if first
 * visits from a window before the range on counted? Only for one that does not start at stage 1;
 * events: as above, from a window before the range on. */
bool path_began_before(const struct plan *plan, const struct path_range *range,
                       const struct path_event *events, uint32_t n, const struct path *counted);

#endif
