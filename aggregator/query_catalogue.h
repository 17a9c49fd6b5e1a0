/* What a site sends: its events' names, their properties and why events are taken for bots', each
 * with how many there were and when the last of them was. Of events in a range, bots' included; the
 * same event in two segments counts twice until their merge. */
#ifndef AGGREGATOR_QUERY_CATALOGUE_H
#define AGGREGATOR_QUERY_CATALOGUE_H

#include "aggregator/query.h"

struct query_catalogue {
    uint32_t site;
    struct path_range range;
    size_t limit;              /* rows of each list */
    struct query_guard *guard; /* NULL: no limits */
};

struct catalogue_row {
    struct slice name;
    uint64_t n_events;
    int64_t last_ms;
};

/* By events descending, then by bytes. */
struct catalogue_list {
    size_t n_all; /* rows that there are, these are the first of them */
    size_t n;
    struct catalogue_row *rows;
};

struct catalogue_answer {
    struct catalogue_list events;
    struct catalogue_list properties;
    struct catalogue_list bots; /* by reason; "": the event was sent as a bot's */
    size_t n_left_out;          /* segments that are damaged */
};

/* Everything is in the arena. ERR_LIMIT, ERR_CONFLICT: the guard's; and what snapshot_take returns.
 */
enum err_code query_catalogue(struct snapshot_pool *p, const struct query_catalogue *q,
                              struct arena *a, struct catalogue_answer *out, struct err *err);

/* The answer's members without braces. */
void catalogue_add_members(struct buffer *out, const struct catalogue_answer *answer);

#endif
