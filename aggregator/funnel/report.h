/* A report: the figures as people and machines read them (funnel.md 3 and 5).
 *
 * Tallies go in, and for what was asked besides (breakdown, trend, compare) more tallies; figures
 * are worked out from a tally where they are shown: report_figures.
 */
#ifndef AGGREGATOR_FUNNEL_REPORT_H
#define AGGREGATOR_FUNNEL_REPORT_H

#include "aggregator/funnel/figure.h"
#include "aggregator/funnel/tally.h"
#include "core/zone.h"

struct report_warning {
    struct slice code;    /* "segment_left_out" */
    struct slice message; /* for people */
    int64_t part;         /* of `whole` counted units; whole 0: it is not about units */
    int64_t whole;
};

struct report_visit {
    uint32_t stage; /* from 0 */
    int64_t time_ms;
};

/* A unit and its counted path. */
struct report_path {
    struct slice visitor;
    int64_t session_ms; /* where the unit is a session: its first event's time */
    uint32_t n;         /* 0: no path (a unit of `seen`) */
    const struct report_visit *visits;
};

/* Everything but the figures themselves, filled by the query; slices and lists are borrowed. */
struct report_about {
    int64_t as_of_ms;
    int64_t left_out_bots;
    int64_t events_read;
    int64_t elapsed_us;
    size_t n_warnings;
    const struct report_warning *warnings;
    struct slice snapshot; /* "c41-9f" */
    bool has_paths;        /* --paths */
    size_t n_paths;
    const struct report_path *paths; /* a visitor's sessions stand together */
};

struct report_stage {
    int64_t reached;
    int64_t skipped;
    int64_t throughput;
    int64_t entries;
    int64_t exits; /* dropoff, but at the last stage */
    int64_t open;  /* of dropoff; 0 at the last stage, where there is none */
    int64_t onward;
    int64_t converted;
    int64_t seen;
};

/* The figures of one tally. */
struct report_figures {
    const struct tally *tally; /* borrowed */
    int64_t entered;
    int64_t converted;
    int64_t began_before;
    int64_t after_range;
    struct report_stage stages[FUNNEL_STAGES_MAX];
};

struct report_row {
    bool is_other;
    struct slice values[2]; /* "" = null */
    const struct tally *tally;
};

struct report_rows { /* in the order to be shown; `other` last, where there is one */
    int n_values;    /* 1 or 2 a row; 0: no breakdown was asked for */
    size_t n;
    const struct report_row *list;
};

struct report_point {
    int64_t start_ms;
    const struct tally *tally;
};

struct report_compare {
    struct path_range range;
    int64_t as_of_ms;
    const struct tally *tally;
    struct report_rows breakdown; /* the rows of the main report */
};

/* What was asked for besides the total; all borrowed. */
struct report_parts {
    const struct zone *zone; /* of the moments below */
    struct report_rows breakdown;
    bool has_trend;
    size_t n_points;
    const struct report_point *points;
    const struct report_compare *compare; /* NULL: none */
    bool is_counts_only;                  /* times and values are left out */
};

/* The units behind one figure, by the same code: as many as the figure says. */
struct report_list {
    struct figure_place place;
    int64_t n_all;     /* the figure */
    int64_t n_skipped; /* before the first of these */
    size_t n;
    const struct report_path *units;
};

struct report {
    const struct funnel *funnel; /* borrowed */
    enum funnel_preset preset;
    uint32_t required;
    struct report_figures total;
    struct report_parts parts; /* the caller's to fill; empty after report_fill */
    struct report_about about;
};

/* Work out the figures. f and t are borrowed for the report's life. */
void report_fill(struct report *r, const struct funnel *f, enum funnel_preset preset,
                 const struct tally *t, const struct report_about *about);

/* Those of one tally of the same funnel. */
void report_figures(struct report_figures *out, const struct tally *t);

/* The JSON object of funnel.md section 5, appended. */
void report_add_json(struct buffer *out, const struct report *r);

/* Only its members, without the braces, so that a caller may add some of its own. */
void report_add_members(struct buffer *out, const struct report *r);

/* From a comma on: left_out, warnings, as_of, snapshot, events_read, elapsed_ms. */
void report_add_about(struct buffer *out, const struct report_about *about);

/* The list's members without braces: figure, stage, n, visitors. */
void report_add_list(struct buffer *out, const struct report_list *list, const struct funnel *f);

/* a/b, unrounded, as a JSON number that reads back as the same double ("0.6", "1.0"); "null" where
 * b is 0. */
void report_add_rate(struct buffer *out, int64_t a, int64_t b);

#endif
