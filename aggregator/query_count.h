/* Counts: how many visitors, sessions, events and orders, which value, how long engaged; by up to
 * two attributes, over time, and beside another range.
 *
 * What is counted are events: of the visitors (or sessions) that the filters choose, those in the
 * range (of a session: all of it) that filters at `every` let through. Visitors are the people who
 * did them, sessions those in which they were done. A count is that of an open funnel of one stage
 * that any event matches: entry is the first counted event, and first and last look from the
 * range's begin to the last counted event. docs/questions.md says it for users.
 */
#ifndef AGGREGATOR_QUERY_COUNT_H
#define AGGREGATOR_QUERY_COUNT_H

#include "aggregator/enquiry.h"

struct query_count {
    uint32_t site;
    const struct request *request; /* is_count, finished */
    struct slice snapshot;         /* answer from this kept one; "": the latest */
    struct query_guard *guard;     /* NULL: no limits */
    int n_threads;                 /* 0: as many as are of use */
    bool is_general;               /* no visitor is counted where he lies: for tests */
};

struct count_sums {
    int64_t visitors;
    int64_t sessions;
    int64_t events;
    int64_t orders; /* different ones, of sales */
    int64_t engaged_ms;
    int n_values;
    struct tally_sum *values; /* by currency, of the events that request->count.value_of names */
    /* for count_cells.c: whom it met last */
    uint32_t person;
    uint32_t session;
};

struct count_row {
    bool is_other;
    struct slice values[REQUEST_BREAKDOWNS_MAX]; /* "" = null */
    struct count_sums sums;
};

struct count_point {
    int64_t start_ms;
    struct count_sums sums;
};

/* Of one range. */
struct count_result {
    struct path_range range;
    struct count_sums total;
    size_t n_rows; /* `other` last, where there is one */
    struct count_row *rows;
    size_t n_points;
    struct count_point *points;
    struct enquiry *enquiry; /* whose currencies those of the sums are */
    int64_t n_lying;         /* visitors that were counted where they lie (count_lying.c) */
};

struct count_answer {
    struct count_result main;
    struct count_result compare; /* without enquiry: none was asked for */
    struct arena arena;
};

/* *out is filled only on ERR_OK and is then the caller's (count_answer_fini); the request must
 * outlive it. Errors are those of enquiry_open and enquiry_walk. */
enum err_code query_count(struct snapshot_pool *p, const struct query_count *q,
                          struct count_answer *out, struct err *err);
void count_answer_fini(struct count_answer *a);

/* The answer's members without braces. */
void count_add_members(struct buffer *out, const struct count_answer *a, const struct request *r);

/* Its members, from a comma on: visitors, sessions, events, orders, value, engaged_ms. */
void count_add_sums(struct buffer *out, const struct count_sums *s, const struct tally *currencies);

/* ---- An attribute's values ---- */

struct count_value {
    struct slice value;
    int64_t visitors;
    int64_t events;
};

/* The values of one attribute (of the request's first breakdown) among the counted events, those
 * that start with prefix, by events descending, then by bytes; at most request->limit of *out_all.
 * In the arena. */
enum err_code query_count_values(struct snapshot_pool *p, const struct query_count *q,
                                 struct slice prefix, struct arena *a, struct count_value **out,
                                 size_t *out_n, size_t *out_all, struct report_about *about,
                                 struct err *err);

/* ---- For other questions of the same kind ---- */

/* The funnel of a count: one stage that any event matches. In the arena. */
struct funnel *count_funnel(const struct request_count *c, struct arena *a);

/* From the first of the unit's counted events to the last, as a path of that funnel; false where
 * none counts. */
bool count_path(const struct unit *u, struct path *out);

/* Columns that sums are made of, beside those of every walk; opened when a walk starts. */
struct count_columns {
    struct count_reader *readers;
    size_t n;
    const struct enquiry *enquiry;
};
enum err_code count_columns_open(struct count_columns *c, struct enquiry *e, struct arena *a,
                                 struct err *err);

/* What one event of the person at hand adds. */
struct count_event {
    int64_t engaged_ms;
    struct slice order; /* of a sale; "" */
    struct tally_value value;
};
void count_columns_read(const struct count_columns *c, const struct journey *j, uint32_t event,
                        struct count_event *out);

void count_sums_add_value(struct count_sums *s, const struct tally_value *value, struct arena *a);

#endif
