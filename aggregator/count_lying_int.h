/* Visitors where they lie, from inside: count_lying.c takes them, count_person.c counts one. */
#ifndef AGGREGATOR_COUNT_LYING_INT_H
#define AGGREGATOR_COUNT_LYING_INT_H

#include "aggregator/count_span.h"

struct count_lying {
    size_t n;
    struct count_source *sources; /* of each input */
    struct count_span *spans;     /* what was read of each last */
    struct count_span single;     /* a run that is in none of these */
    struct count_span joined;     /* a visitor of several runs */
    /* of the visitor at hand, in the order of drivers: */
    uint32_t *order;    /* rows, where is_reordered; else they are as they lie */
    uint32_t *sessions; /* from 0 */
    uint32_t *drivers;  /* the row that brought its driver; SETTLE_DIRECT */
    uint32_t *origins;
    uint32_t room;
    bool is_reordered;
    bool are_alike[SPAN_RUNS]; /* of runs [alike_run, alike_run + n_alike) of the input at hand */
    uint32_t alike_run;
    uint32_t n_alike;
    bool asks_drivers;                       /* the latter two are asked for */
    uint32_t direct[REQUEST_BREAKDOWNS_MAX]; /* the value of who has no driver */
};

/* One visitor: rows [begin, end) of a span. */
struct rows {
    struct count_span *span;
    uint32_t begin;
    uint32_t end;
    bool are_alike; /* all that have a driver of their own have the same */
};

/* False: nothing was counted, the visitor needs more. */
bool count__person(struct counting *c, const struct rows *person);

#endif
