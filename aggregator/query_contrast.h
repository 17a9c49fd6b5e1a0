/* What sets people apart: the values of attributes that are more frequent in one set of a funnel's
 * units than in another, with how many of each have them. Both sets are those behind figures of one
 * report, so that each can be opened as a list. */
#ifndef AGGREGATOR_QUERY_CONTRAST_H
#define AGGREGATOR_QUERY_CONTRAST_H

#include "aggregator/enquiry.h"

struct query_contrast {
    uint32_t site;
    const struct funnel *funnel;
    const struct request *request; /* finished; limit is that of the rows */
    struct figure_place a;
    struct figure_place b;
    size_t n_attributes; /* 1..ENQUIRY_ATTRIBUTES_MAX */
    /* Each at a place: at AT_ANY a unit has all values of its events on the way. */
    const struct request_breakdown *attributes;
    struct slice snapshot;
    struct query_guard *guard; /* NULL: no limits */
};

struct contrast_row {
    size_t attribute;   /* which one */
    struct slice value; /* "" = null */
    int64_t n[2];       /* units of a, and of b, that have it */
    double score; /* chi-squared, of one degree of freedom: over 3.84 chance makes it in 1 of 20 */
};

struct contrast_answer {
    int64_t n[2];  /* units of a, of b */
    size_t n_all;  /* values that are more frequent in a than in b */
    size_t n_rows; /* the first of these, by score */
    struct contrast_row *rows;
    struct report_about about;
};

/* Everything is in the arena. ERR_INVALID, field "a" or "b": a figure of units without a path; else
 * as enquiry_open and enquiry_walk. */
enum err_code query_contrast(struct snapshot_pool *p, const struct query_contrast *q,
                             struct arena *a, struct contrast_answer *out, struct err *err);

/* The answer's members without braces. */
void contrast_add_members(struct buffer *out, const struct contrast_answer *answer,
                          const struct query_contrast *q);

#endif
