/* Drivers and sessions of one person (funnel.md 4): which event brought the driver that an event
 * has, which one gives its referrer and landing, and where sessions begin. Pure.
 *
 *     struct settle s = SETTLE_EMPTY;
 *     for each person
 *         settle_person(&s, events, n)       s.events[i] belongs to events[i]
 *     settle_fini(&s);
 *
 * Bots and what is after as_of are left out by the caller (what comes later decides nothing about
 * what was before). Given events may begin anywhere: what is right for all of them from the first
 * one on is right, SETTLE_LOOK_BACK_MS after it, for whatever was before it.
 */
#ifndef AGGREGATOR_SETTLE_H
#define AGGREGATOR_SETTLE_H

#include "aggregator/driver_table.h"

#define SETTLE_GAP_MS       INT64_C(1800000)  /* a gap longer than this ends a session */
#define SETTLE_DRIVER_MS    INT64_C(86400000) /* a driver is good for so long, inclusive */
#define SETTLE_LOOK_BACK_MS (SETTLE_DRIVER_MS + SETTLE_GAP_MS)
#define SETTLE_DIRECT       UINT32_MAX

struct settle_event {
    int64_t time_ms;
    const struct driver *driver; /* its own, of one driver_table; NULL: none */
};

struct settled {
    uint32_t driver;  /* index of the event that brought its driver; SETTLE_DIRECT: none did */
    uint32_t origin;  /* index of the event that gives referrer and landing */
    uint32_t session; /* 0 .. n_sessions - 1 */
    uint32_t rank;    /* its place in the order of drivers, 0 .. n - 1 */
    bool is_entrance; /* starts its session */
};

/* Its events are order[begin .. end). */
struct settle_session {
    uint32_t begin;
    uint32_t end;
};

/* Results live here until the next person. */
struct settle {
    struct settled *events;
    uint32_t *order; /* indices in the order of drivers: rank's inverse */
    struct settle_session *sessions;
    uint32_t n_sessions;
    size_t room;
    struct settle_tie *ties;
};
#define SETTLE_EMPTY ((struct settle){.room = 0})

/* events in order of (time, id), n below UINT32_MAX. */
void settle_person(struct settle *s, const struct settle_event *events, uint32_t n);

/* The same of a first event that no other shares its moment with, alone: what brought it is itself
 * or nothing. */
void settle_first(struct settle *s, bool has_driver);
void settle_fini(struct settle *s);

#endif
