/* One walk over a site's journeys for one range: persons -> units -> tallies.
 *
 *     pass_create(&setup, &pass, err)
 *     pass_run(pass, snapshot, persons, is_left_out, &bad, err)
 *     pass->tallies, pass->points, pass->breakdowns, pass->lists ...
 *     pass_destroy(&pass)
 *
 * The walk is split over threads by the visitors' hashes; each has a pass of its own, and what they
 * have summed up is added to the one that was asked for.
 *
 * A report is one pass for its range and its trend, one for the range that it is compared with,
 * and, where a breakdown has very many values, one more for the rows that were chosen.
 */
#ifndef AGGREGATOR_PASS_H
#define AGGREGATOR_PASS_H

#include "aggregator/breakdown.h"
#include "aggregator/person_events.h"
#include "aggregator/query.h"

struct pass_setup {
    const struct query_funnel *q;
    struct path_range range;
    int64_t as_of_ms;
    size_t n_points; /* of the trend: ranges in order, without gaps, inside the range */
    const struct path_range *points;
    struct attribute_values *const *values; /* of each breakdown */
    struct breakdown *const *rows;          /* per preset: rows to fill; NULL: choose them */
};

struct pass_list {
    struct report_path *units;
    size_t n;
    size_t max;
};

/* Results are taken over by setting them to NULL here. */
struct pass {
    struct pass_setup setup;
    struct tally *tallies[PRESET_COUNT];
    struct tally **points[PRESET_COUNT]; /* n_points each */
    struct breakdown *breakdowns[PRESET_COUNT];
    struct pass_list paths[PRESET_COUNT]; /* q->want_paths */
    size_t n_in_figure;                   /* q->figure, of the first preset */
    struct pass_list list;                /* those of them that were asked for */
    struct arena arena;                   /* of the lists */
    int64_t n_bots;
    int64_t n_read;
    int64_t n_cookieless[PRESET_COUNT]; /* units that entered */
    int64_t n_plain;                    /* visitors counted where they lie (pass_plain.c) */
    int64_t n_several;                  /* of them, those of several runs */
    bool is_member; /* one of several for one walk: the first counts what all of them share */
    /* for pass.c */
    struct matcher *matcher;
    struct chooser chooser;
    struct plan plans[PRESET_COUNT];
    struct leaf_scratch *scratch;
    struct leaf_sets *sets;
    struct driver_table *drivers;
    struct person_events person;
    struct outcome outcomes[PRESET_COUNT]; /* of the unit at hand */
    int64_t begin_ms;                      /* nothing before it matters, but for repeats */
    int64_t end_ms;                        /* nor what is here or later */
    struct pass_plain *plain;              /* NULL: no visitor is counted where he lies */
};

/* What is set up is borrowed. ERR_LIMIT: too many tests, or a regular expression's limit. */
enum err_code pass_create(const struct pass_setup *setup, struct pass **out, struct err *err);
void pass_destroy(struct pass **p);

/* Walk once. ERR_CORRUPT: segment *bad of the snapshot is damaged. */
enum err_code pass_run(struct pass *p, const struct snapshot *snapshot,
                       const struct persons *persons, const bool *is_left_out, size_t *bad,
                       struct err *err);

/* Up to when events of a range matter. */
int64_t pass_end_ms(const struct funnel *f, const struct path_range *range, int64_t as_of_ms);

/* What is before the range can matter: the earlier one of two copies counts (an order that was sent
 * again, a file imported with other times), however far apart they are. */
struct snapshot_scope pass_scope(uint32_t site, const struct funnel *f, const struct request *r);

#endif
