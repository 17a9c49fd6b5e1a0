/* What followed a visit: the values of an attribute of the next events, up to three, after the
 * visits behind a figure of a funnel; and of the last event there was. */
#ifndef AGGREGATOR_QUERY_NEXT_H
#define AGGREGATOR_QUERY_NEXT_H

#include "aggregator/enquiry.h"
#include "aggregator/value_table.h"

#define NEXT_STEPS_MAX VALUE_KEYS_MAX

struct query_next {
    uint32_t site;
    const struct funnel *funnel;
    const struct request *request; /* finished; limit is that of both lists */
    struct figure_place figure;    /* whose units, and after which of their visits */
    struct attribute attribute;    /* events without it are passed over */
    int steps;                     /* 1..NEXT_STEPS_MAX */
    struct slice snapshot;
    struct query_guard *guard; /* NULL: no limits */
};

struct next_row {
    bool is_other;
    struct slice values[NEXT_STEPS_MAX]; /* "" = null: nothing followed any more */
    int64_t n;                           /* units */
};

struct next_rows {
    size_t n;
    struct next_row *list; /* `other` last, where there is one: their sum is the figure */
};

struct next_answer {
    int64_t n; /* units: the figure */
    struct next_rows next;
    struct next_rows last; /* one value a row */
    struct report_about about;
};

/* Looked at is what a unit did after the visit, within a window of it and before the range's end
 * plus a window. Everything is in the arena. ERR_INVALID, field "figure": one of units that need
 * not visit the stage; else as enquiry_open and enquiry_walk. */
enum err_code query_next(struct snapshot_pool *p, const struct query_next *q, struct arena *a,
                         struct next_answer *out, struct err *err);

/* The answer's members without braces. */
void next_add_members(struct buffer *out, const struct next_answer *answer,
                      const struct query_next *q);

#endif
