/* The counted path by trying every path there is: slow, and written from funnel.md section 2 alone,
 * sentence by sentence. It shares no code with aggregator/funnel, not even the reading of presets.
 */
#ifndef TESTS_PROPERTY_BRUTE_H
#define TESTS_PROPERTY_BRUTE_H

#include <stdbool.h>
#include <stdint.h>

#define BRUTE_STAGES_MAX     8
#define BRUTE_EXCLUSIONS_MAX 3

enum brute_preset { BRUTE_OPEN, BRUTE_CLOSED, BRUTE_SEQUENTIAL };

struct brute_stage {
    int rule;     /* stages with the same number have the same rule */
    int required; /* as the stage says it: 0, 1, or -1 where it does not */
};

struct brute_exclusion {
    int rule;
    int from; /* stages from 1 */
    int to;
};

struct brute_funnel {
    enum brute_preset preset;
    int n_stages;
    struct brute_stage stages[BRUTE_STAGES_MAX];
    int n_exclusions;
    struct brute_exclusion exclusions[BRUTE_EXCLUSIONS_MAX];
    int64_t window_ms;
    int64_t from_ms;
    int64_t to_ms;
};

struct brute_event { /* sorted by (time, id) */
    int64_t time_ms;
    uint32_t rules; /* bit r: rule r matches */
};

struct brute_path {
    int n;
    int stages[BRUTE_STAGES_MAX]; /* from 1 */
    int events[BRUTE_STAGES_MAX];
};

/* Is stage `stage` (from 1) required under the preset? */
bool brute_is_required(const struct brute_funnel *f, int stage);

/* Every path there is, in no particular order; false where that took more than max_steps. */
typedef void (*brute_take)(void *context, const struct brute_path *p);
bool brute_each(const struct brute_funnel *f, const struct brute_event *events, int n,
                long max_steps, brute_take take, void *context);

/* "Of all paths a unit has, one is counted": is it rather a than b? */
bool brute_counts_before(const struct brute_event *events, const struct brute_path *a,
                         const struct brute_path *b);

/* Does an excluded event end the path where it stands now? (rule 6) */
bool brute_is_ended(const struct brute_funnel *f, const struct brute_event *events, int n,
                    const struct brute_path *p);

/* The counted path; false where the visitor has none. */
bool brute_count(const struct brute_funnel *f, const struct brute_event *events, int n,
                 struct brute_path *out);

#endif
