/* A count from inside: query_count.c walks, count_cells.c adds up, count_lying.c counts visitors
 * where they lie. */
#ifndef AGGREGATOR_QUERY_COUNT_INT_H
#define AGGREGATOR_QUERY_COUNT_INT_H

#include "aggregator/pair_set.h"
#include "aggregator/query_count.h"
#include "aggregator/value_table.h"

/* Sums by number: */
enum { COUNT_TOTAL, COUNT_OTHER, COUNT_POINTS }; /* the points, then rows */

/* Of one thread. */
struct counting {
    const struct request *request;
    struct enquiry *e;
    struct count_columns columns;
    struct arena arena; /* of one walk */
    bool is_listing;    /* rows are only counted: the values of an attribute */
    bool is_fixed;      /* rows are given: what is in none of them is `other` */
    bool is_general;    /* no visitor is counted where he lies */
    bool is_member;
    size_t n_fixed;
    struct count_row *fixed;
    size_t n_points;
    struct path_range *points;
    struct attribute_values *orders; /* of all threads */
    struct count_lying *lying;       /* NULL: the question needs more */
    int64_t n_lying;
    /* of a walk */
    struct value_table table;
    uint32_t *row_of; /* by number of the value, of one attribute: row + 1; 0: look for it */
    uint32_t row_of_max;
    bool is_counted_only; /* more values than rows */
    struct count_sums *cells;
    size_t n_cells;
    size_t cells_max;
    uint32_t person;        /* number of the one at hand, from 1 */
    uint32_t first_session; /* number of its first session, from 1 */
    struct pair_set met;    /* orders by cell: each counts once in each */
};

/* ---- count_cells.c ---- */

/* Events of one person that are in the same cells, one after the other in the order of sessions. */
struct counted {
    uint32_t n;
    int64_t engaged_ms;
    uint32_t first_session;
    uint32_t last_session;
    uint32_t n_sales;
    const struct count_sale {
        uint32_t order; /* its number; 0: none */
        struct tally_value value;
    } * sales; /* what some of them have */
};

void count_cells_init(struct counting *c); /* nothing is counted; rows that are given are there */
void count_cells_fini(struct counting *c);
size_t count_held_bytes(void *counting);

void count_add_to_cell(struct counting *c, size_t cell, const struct counted *e);
void count_add_to_row(struct counting *c, const struct value_key *key, const struct counted *e);

/* The point that a moment is in; c->n_points where it is in none. */
size_t count_point_of(const struct counting *c, int64_t time_ms);

/* What another thread has counted (enquiry_walk.join). */
void count_join(void *counting, const struct enquiry *member, void *of_member);

static inline size_t
count_row_cell(const struct counting *c, size_t row)
{
    return COUNT_POINTS + c->n_points + row;
}

/* ---- count_lying.c ---- */

struct count_lying;

/* Is the question one of which visitors can be counted where they lie? */
bool count_lying_fits(const struct counting *c);

struct count_lying *count_lying_create(void);
void count_lying_destroy(struct count_lying **l);
size_t count_lying_bytes(const struct count_lying *l); /* that it holds */

/* A walk begins. ERR_CORRUPT: c->e->bad_input is damaged. */
enum err_code count_lying_open(struct counting *c, struct err *err);

extern const struct journey_lying count_lying;

#endif
