/* One person's events, by session, each with what it is to a funnel: for looking at somebody. What
 * is only stored of him, whatever a report would say, is query_person's (query.h). */
#ifndef AGGREGATOR_QUERY_JOURNEY_H
#define AGGREGATOR_QUERY_JOURNEY_H

#include "aggregator/enquiry.h"
#include "aggregator/funnel/why.h"

struct query_journey {
    uint32_t site;
    const struct request *request; /* is_count, finished: its range is that of the events given */
    const struct funnel *funnel;   /* NULL: none */
    struct slice visitor;          /* any of his ids */
    size_t limit;                  /* the latest events */
    struct slice snapshot;
    struct query_guard *guard; /* NULL: no limits */
};

struct journey_event {
    struct event event;
    const struct event *driver; /* that brought it; NULL: none did */
    const struct event *origin; /* that gives referrer and landing */
    uint32_t session;           /* of the person, from 0 */
    bool is_entrance;
    uint32_t stages; /* of the funnel: bit k-1, stage k's rule matches */
    uint32_t n_whys; /* one for each of these stages; 0: no unit of the range has the event */
    struct why *whys;
};

/* An event that the funnel never sees. */
struct journey_left_out {
    struct event event;
    const char *reason; /* "bot", "not_bot" (only bots are counted), "after_as_of" */
};

struct journey_path {
    int64_t session_ms; /* of a funnel of sessions: when it began */
    uint32_t n;
    const struct report_visit *visits;
};

struct journey_answer {
    size_t n_ids;
    struct slice *ids; /* the name that reports give first */
    size_t n_all;      /* events in the range */
    size_t n;
    const struct journey_event *events; /* in the order of drivers: sessions stand together */
    size_t n_left_out;                  /* with a funnel: the latest that it never sees */
    const struct journey_left_out *left_out;
    size_t n_paths; /* that the funnel counts: the visitor's, or one of each session */
    const struct journey_path *paths;
    struct report_about about;
};

/* Everything is in the arena. ERR_NOT_FOUND, field "visitor": nobody has the id, or nothing of his
 * is in the range. */
enum err_code query_journey(struct snapshot_pool *p, const struct query_journey *q, struct arena *a,
                            struct journey_answer *out, struct err *err);

/* The answer's members without braces. */
void journey_add_members(struct buffer *out, const struct journey_answer *answer,
                         const struct query_journey *q);

#endif
