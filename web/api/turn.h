/* Turns: one query at a time has all cores, the others wait in the order in which they came.
 *
 * A query may carry an id of its asker's. A newer one of the same asker and id stops the older,
 * whether that waits or runs: whoever moves a slider is shown the last position, not all of them.
 * With it go those whose ids begin with its id and a point: what a page asks beside its main
 * question is stopped when that is asked anew.
 *
 *     rc = turn_take(turns, asker, &turn, err);      waits
 *     if (rc == ERR_OK) {
 *         ... query with &turn.guard ...
 *         turn_give(turns, &turn);
 *     }
 *
 * Thread-safe; the lock is a leaf.
 */
#ifndef WEB_API_TURN_H
#define WEB_API_TURN_H

#include "aggregator/query_guard.h"
#include "core/slice.h"

#define TURN_ID_MAX  64 /* bytes of an id */
#define TURN_BESIDE  '.'
#define TURN_WAIT_MS 30000 /* then "busy" too */

struct turns;

struct turn_asker {
    struct slice owner; /* whoever else gives the same id means another query */
    struct slice id;    /* "": none */
};

struct turn {
    struct query_guard guard; /* its time counts from when the turn has come */
    struct turn_asker asker;  /* borrowed until the turn is given back */
    struct turn *next;        /* who comes after */
};

struct turns_config {
    int waiting_max;
    int wait_ms; /* 0: TURN_WAIT_MS */
    struct query_limits limits;
};

struct turns *turns_create(const struct turns_config *config);
void turns_destroy(struct turns **t); /* nobody has a turn or waits */

/* Stop the waiting and running queries of that owner and id, and those beside it; false where there
 * are none. */
bool turns_stop(struct turns *t, struct turn_asker asker);

/* ERR_UNAVAILABLE: too many wait, or it took too long; ERR_CONFLICT: stopped while it waited. */
enum err_code turn_take(struct turns *t, struct turn_asker asker, struct turn *out,
                        struct err *err);
void turn_give(struct turns *t, struct turn *turn);

/* For the metrics. */
struct turns_counts {
    uint64_t n_waiting; /* now */
    uint64_t n_busy;    /* told to come back */
    uint64_t n_stopped; /* by a newer query, or asked for */
    uint64_t n_limited; /* too long, or too large */
};
void turns_count(struct turns *t, struct turns_counts *out);

#endif
