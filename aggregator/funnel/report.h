/* A report: the figures as people and machines read them (funnel.md 3 and 5).
 *
 * Left out until they are computed, never given as a wrong 0: `open`, `began_before`,
 * `after_range`, `snapshot`.
 */
#ifndef AGGREGATOR_FUNNEL_REPORT_H
#define AGGREGATOR_FUNNEL_REPORT_H

#include "aggregator/funnel/tally.h"

struct report_warning {
    struct slice code;    /* "segment_left_out" */
    struct slice message; /* for people */
    int64_t part;         /* of `whole` counted units; whole 0: it is not about units */
    int64_t whole;
};

struct report_path {
    struct slice visitor;
    uint32_t n;
    struct {
        uint32_t stage; /* from 0 */
        int64_t time_ms;
    } visits[FUNNEL_STAGES_MAX];
};

/* Everything but the figures themselves, filled by the query; slices and lists are borrowed. */
struct report_about {
    int64_t as_of_ms;
    int64_t left_out_bots;
    int64_t events_read;
    int64_t elapsed_us;
    size_t n_warnings;
    const struct report_warning *warnings;
    bool has_paths; /* --paths */
    size_t n_paths;
    const struct report_path *paths;
};

struct report_stage {
    int64_t reached;
    int64_t skipped;
    int64_t throughput;
    int64_t entries;
    int64_t exits; /* dropoff, but at the last stage */
    int64_t onward;
    int64_t converted;
    int64_t seen;
};

struct report {
    const struct funnel *funnel; /* borrowed, as is tally */
    const struct tally *tally;
    enum funnel_preset preset;
    uint32_t required;
    int64_t entered;
    int64_t converted;
    struct report_stage stages[FUNNEL_STAGES_MAX];
    struct report_about about;
};

/* Work out the figures. f and t are borrowed for the report's life. */
void report_fill(struct report *r, const struct funnel *f, enum funnel_preset preset,
                 const struct tally *t, const struct report_about *about);

/* The JSON object of funnel.md section 5, appended. */
void report_add_json(struct buffer *out, const struct report *r);

/* Only its members, without the braces, so that a caller may add some of its own. */
void report_add_members(struct buffer *out, const struct report *r);

/* a/b, unrounded, as a JSON number that reads back as the same double ("0.6", "1.0"); "null" where
 * b is 0. */
void report_add_rate(struct buffer *out, int64_t a, int64_t b);

#endif
