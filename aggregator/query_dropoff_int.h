/* Shared by the files of query_dropoff. */
#ifndef AGGREGATOR_QUERY_DROPOFF_INT_H
#define AGGREGATOR_QUERY_DROPOFF_INT_H

#include "aggregator/query_dropoff.h"
#include "aggregator/value_table.h"

enum { LEAVERS, STAYERS };

/* Of the session of the visit; read in this order behind the asker's attributes. */
enum dropoff_session {
    SESSION_EVENT,
    SESSION_PATH,
    SESSION_GROUP,
    SESSION_TOLD, /* properties.sign of a `confused` event */
    SESSION_LOAD, /* slow or not */
    SESSION_ATTRIBUTES
};
#define SESSION_ROWS 3 /* the first of them are rows of their own, the others make signs */

enum dropoff_sign {
    SIGN_WENT_BACK,  /* to a page that another page came after */
    SIGN_SAME_PAGE,  /* three times */
    SIGN_RAGE_CLICK, /* the snippet told */
    SIGN_ERROR,      /* an `error` event */
    SIGN_SLOW_LOAD,  /* a page took DROPOFF_SLOW_MS or more */
    SIGN_COUNT
};

/* The texts that signs are made of, as numbers of the walk's values. */
struct dropoff_words {
    uint32_t pageview;
    uint32_t engage;
    uint32_t error;
    uint32_t rage_click;
    uint32_t same_page;
    uint32_t slow;
};

struct dropoff {
    const struct query_dropoff *q;
    size_t n_asked; /* attributes that are not left out */
    struct request_breakdown attributes[DROPOFF_ATTRIBUTES_MAX + SESSION_ATTRIBUTES];
    struct dropoff_words words;
    int64_t n[2];
    int64_t n_open;
    uint32_t unit; /* number of the one at hand, from 1 */
    struct value_table tables[DROPOFF_ATTRIBUTES_MAX + SESSION_ROWS]; /* score: of how many the
                                                                         step onward has it */
    int64_t signs[SIGN_COUNT][2];
};

/* Count what the session of the visit has, of a unit that is `who`. */
void dropoff__session(struct dropoff *d, struct enquiry *e, const struct journey *j,
                      const struct enquiry_unit *u, const struct path *path, int who);

/* Add 1 for this unit, once. */
void dropoff__add(struct dropoff *d, size_t table, uint32_t value, int who);

const char *dropoff__sign_name(enum dropoff_sign sign);

#endif
