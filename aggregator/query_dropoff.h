/* Why they left: what is more frequent among those who left a funnel at a stage for good than among
 * those who went on from there, or the reverse; only where chance is a bad explanation.
 *
 * Leavers are the figure `lost` of the stage, stayers its `onward`: both came through it. Compared
 * are the values of attributes of the counted path, and what happened in the session of their visit
 * of the stage: pages, events, page groups, signs of confusion; of those who went on only what was
 * before they did. Events that serve the stage, or a deeper one, are left out, and so are
 * attributes by which their rules are defined: they would say that who left has left.
 *
 * For each value that at least DROPOFF_MIN have: the logarithm of the odds ratio with 1/2 added to
 * each of its four numbers (Haldane 1940, Anscombe 1956), its standard error (Woolf 1955), the
 * two-sided p by the normal distribution, and over all that were tested the false discovery rate
 * (Benjamini and Hochberg 1995), of which rows have at most DROPOFF_RATE.
 */
#ifndef AGGREGATOR_QUERY_DROPOFF_H
#define AGGREGATOR_QUERY_DROPOFF_H

#include "aggregator/enquiry.h"

#define DROPOFF_MIN            30
#define DROPOFF_RATE           0.05
#define DROPOFF_ATTRIBUTES_MAX 16   /* the asker's */
#define DROPOFF_SLOW_MS        4000 /* a page that takes so long to load is slow */

struct query_dropoff {
    uint32_t site;
    const struct funnel *funnel;
    const struct request *request; /* finished; limit is that of the rows */
    int stage;                     /* from 1; not the last */
    size_t n_attributes;
    const struct request_breakdown *attributes; /* each at a place of the counted path */
    struct slice snapshot;
    struct query_guard *guard; /* NULL: no limits */
};

struct dropoff_row {
    struct slice attribute;             /* its name; "sign" of signs */
    const struct request_breakdown *at; /* NULL: of the session of the visit */
    struct slice value;
    int64_t n[2];    /* leavers, stayers that have it */
    double log_odds; /* above 0: more frequent among leavers */
    double p;
    double q; /* the least rate of false discoveries at which it is one */
};

struct dropoff_answer {
    int64_t n[2];    /* leavers, stayers */
    int64_t n_open;  /* who left, but are still under way: neither */
    size_t n_tested; /* values */
    size_t n_all;    /* of these, that chance explains badly */
    size_t n_rows;   /* the first of them */
    struct dropoff_row *rows;
    size_t n_left_out;
    struct slice *left_out; /* attributes that define the stage or a deeper one */
    struct report_about about;
};

/* Everything is in the arena. ERR_INVALID, field "stage"; else as enquiry_open and enquiry_walk. */
enum err_code query_dropoff(struct snapshot_pool *p, const struct query_dropoff *q, struct arena *a,
                            struct dropoff_answer *out, struct err *err);

/* The answer's members without braces. */
void dropoff_add_members(struct buffer *out, const struct dropoff_answer *answer,
                         const struct query_dropoff *q);

/* Log odds and p of a row; for tests. n: how many there are of both. */
void dropoff_judge(struct dropoff_row *row, const int64_t n[2]);

/* Fill q of n rows; sorted by p afterwards. */
void dropoff_correct(struct dropoff_row *rows, size_t n);

#endif
