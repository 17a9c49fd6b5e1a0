/* What happens now: the newest events with what they became, who is here, how much there is of it.
 *
 * For a page that asks every two seconds: no walk over all people. Only files are read that can
 * hold something new, of these the times alone, once for each file (files never change; what was
 * found is remembered); then the people whose events are shown are read for drivers and stages.
 *
 * Numbers are of what is stored at this moment: browsers, not yet people, and repeats that lie in
 * two files count twice until these are merged.
 */
#ifndef AGGREGATOR_QUERY_LIVE_H
#define AGGREGATOR_QUERY_LIVE_H

#include "aggregator/enquiry.h"
#include "aggregator/result_cache.h"

#define LIVE_LIMIT_MAX  200
#define LIVE_HERE_MS    INT64_C(300000) /* who did something in the last 5 minutes is here */
#define LIVE_OVERLAP_MS INT64_C(60000)  /* of answers: what arrived later than younger events */

struct query_live {
    uint32_t site;
    struct slice timezone;       /* of the site */
    const struct funnel *funnel; /* NULL: none; else events are told its stages */
    size_t limit;                /* events, at most LIVE_LIMIT_MAX */
    int64_t now_ms;
    int64_t after_ms;           /* only events later than LIVE_OVERLAP_MS before; INT64_MIN: all */
    struct result_cache *cache; /* of this question alone */
    struct query_guard *guard;  /* NULL: no limits */
};

struct live_event {
    struct event event;
    uint64_t key;               /* of the visitor and the event's id */
    bool is_known;              /* the following was found: */
    const struct event *driver; /* that brought it; NULL: none did */
    bool is_entrance;
    uint32_t stages; /* of the funnel: bit k-1, stage k's rule matches */
    int reached;     /* the last stage of his counted path, from 1; 0: he has none */
};

struct live_answer {
    bool has_events;
    int64_t newest_ms; /* the newest event's time, */
    int64_t stored_ms; /* and when the newest of what was collected was stored */
    int64_t visitors;  /* here now, bots left out */
    int64_t events;    /* of LIVE_HERE_MS, bots left out */
    size_t n;          /* newest first */
    struct live_event *list;
};

/* Everything is in the arena. */
enum err_code query_live(struct snapshot_pool *p, const struct query_live *q, struct arena *a,
                         struct live_answer *out, struct err *err);

/* The answer's members without braces; without the moment at which it was asked. */
struct live_form {
    bool has_funnel;
    bool is_anonymous; /* without what tells who somebody is: visitor, known id, the event's id */
};
void live_add_members(struct buffer *out, const struct live_answer *answer,
                      const struct live_form *form);

#endif
