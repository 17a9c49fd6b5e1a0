/* Finding visitors: by id, by what filters ask for, by where a funnel has them; each with what he
 * did in the range. The latest first. */
#ifndef AGGREGATOR_QUERY_SEARCH_H
#define AGGREGATOR_QUERY_SEARCH_H

#include "aggregator/query_count.h"

#define SEARCH_PLACES_MAX 10000 /* of all that are found, how many may be looked at */

struct query_search {
    uint32_t site;
    const struct request *request;     /* is_count, finished */
    const struct funnel *funnel;       /* NULL: that of a count */
    const struct figure_place *figure; /* only those behind it; NULL: all that filters choose */
    struct slice id;                   /* only those of whom an id starts so */
    size_t skip; /* so many of the first; skip + limit at most SEARCH_PLACES_MAX */
    size_t limit;
    struct slice snapshot;
    struct query_guard *guard; /* NULL: no limits */
};

/* What is told of each, in this order. */
enum search_text {
    SEARCH_CHANNEL, /* of his first event */
    SEARCH_SOURCE,
    SEARCH_MEDIUM,
    SEARCH_CAMPAIGN,
    SEARCH_KEYWORD,
    SEARCH_COUNTRY, /* of his last event */
    SEARCH_REGION,
    SEARCH_CITY,
    SEARCH_DEVICE,
    SEARCH_TEXTS
};

struct search_visitor {
    struct slice visitor; /* as reports name him */
    int64_t first_ms;     /* of his events in the range */
    int64_t last_ms;
    int stage; /* that his (of sessions: his latest counted) path ends at, from 1; 0: none */
    struct slice texts[SEARCH_TEXTS]; /* "" = null */
    struct count_sums sums;           /* visitors is 1 */
};

struct search_answer {
    int64_t n_all; /* that were found */
    size_t n;      /* of which these are given */
    const struct search_visitor *list;
    struct enquiry *enquiry; /* gives money; owned */
    struct arena found;      /* what the list is in */
    struct arena arena;
};

/* *out is filled only on ERR_OK and is then the caller's (search_answer_fini). ERR_INVALID, field
 * "figure": `seen`, of people without a path. */
enum err_code query_search(struct snapshot_pool *p, const struct query_search *q,
                           struct search_answer *out, struct err *err);
void search_answer_fini(struct search_answer *a);

/* The answer's members without braces. */
void search_add_members(struct buffer *out, const struct search_answer *answer,
                        const struct query_search *q);

#endif
