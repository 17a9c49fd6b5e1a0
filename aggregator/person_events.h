/* A person's events as units are made of them: bots and what is after as_of removed, each with its
 * masks; where the question needs it, with its driver and session (settle.h).
 *
 *     person_events_read(p, &journey)
 *     person_events_visitor(p, range, window_ms, &unit)
 *     for (uint32_t s = 0; s < p->settle.n_sessions; s++)
 *         person_events_session(p, s, &unit)
 */
#ifndef AGGREGATOR_PERSON_EVENTS_H
#define AGGREGATOR_PERSON_EVENTS_H

#include "aggregator/funnel/unit.h"
#include "aggregator/journey.h"
#include "aggregator/settle.h"

/* Parallel, by (time, id). */
struct event_list {
    uint32_t n;
    struct path_event *events;
    uint32_t *conditions;
    uint32_t *ranks;
    struct tally_value *values;
    uint32_t *from; /* the journey's row; of a session the person's event */
    size_t room;
};

struct person_setup {
    enum request_bots bots;
    int64_t as_of_ms;
    struct path_range bots_range; /* removed ones in it are counted */
    struct leaf_sets *sets;       /* NULL: rows are settled as they are */
    const struct driver_table *drivers;
};

struct person_events {
    struct person_setup setup;
    int64_t n_bots;
    uint8_t flags;         /* of all the journey's rows */
    struct event_list all; /* settled: only events with masks; else all that were not removed */
    /* only where there are sets */
    struct settle settle; /* of `all` */
    struct settle_event *settle_events;
    struct event_list session; /* of one session */
};

void person_events_init(struct person_events *p, const struct person_setup *setup);
void person_events_fini(struct person_events *p);

/* Room for n events in `all`, which somebody else fills. */
void person_events_reserve(struct person_events *p, size_t n);

void person_events_read(struct person_events *p, const struct journey *j);

/* The visitor, for first visits in the range. Event i of the unit is event *out_first + i of `all`.
 * False where it has nothing to do with that range. */
bool person_events_visitor(const struct person_events *p, const struct path_range *range,
                           int64_t window_ms, struct unit *out, uint32_t *out_first);

/* A session; event i of the unit is event p->session.from[i] of `all`. */
void person_events_session(struct person_events *p, uint32_t session, struct unit *out);
int64_t person_events_session_start(const struct person_events *p, uint32_t session);

#endif
