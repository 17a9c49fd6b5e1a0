/* All of funnel.md once more, from its text alone: slow, and meant to be obviously right. It shares
 * no code with the engine's evaluation; what both use is the event, the segment's word on which of
 * two repeats stays, time zones and decimals.
 *
 *     reference_site(owner, events, n, arena, &site)           once
 *     reference_report(&site, &question, preset, arena)        as often as one likes
 *
 * Everything lives in the arenas given.
 */
#ifndef TESTS_PROPERTY_REFERENCE_H
#define TESTS_PROPERTY_REFERENCE_H

#include "tests/property/brute.h"
#include "tests/property/question.h"

struct json_t;
struct segment_owner;

#define REFERENCE_NOW_MS INT64_C(4102444800000) /* as_of where none is given */

/* ---- People: links (docs/identity.md), repeats, order, drivers, sessions (section 4) ---- */

struct reference_person {
    struct slice visitor; /* by which name: the known id, else the id with the smallest hash */
    int n;
    const struct event **events; /* without repeats, in no order */
};

struct reference_site {
    const struct segment_owner *owner; /* its hash decides about names */
    int n_ids;
    struct reference_person *ids; /* every id as if it were a person */
    int n_links;
    const struct event **links; /* in the order of (time, id) */
};

void reference_site(const struct segment_owner *owner, const struct event *events, size_t n,
                    struct arena *a, struct reference_site *out);

/* Who is one person by the links up to as_of; returns how many there are. */
int reference_people(const struct reference_site *site, int64_t as_of_ms, struct arena *a,
                     struct reference_person **out);

struct reference_event {
    const struct event *event;
    uint64_t hash; /* of the id that sent it: the order of events with the same time and id, which
                      two ids of one person may have, is left open by the law */
    const struct event *driver; /* that brought its driver; NULL: direct */
    const struct event *origin; /* that gives referrer and landing */
    bool is_entrance;
    int session; /* of the person, from 0 */
};

/* A person's events up to as_of, with bots as asked, in the order of section 4; returns how many.
 * *left_out are the bots removed. */
int reference_settle(const struct reference_site *site, const struct reference_person *person,
                     int64_t as_of_ms, enum question_bots bots, struct arena *a,
                     struct reference_event **out, const struct event ***left_out, int *n_left_out);

/* ---- Attributes and rules (section 4) ---- */

/* An attribute's value as text, numbers as canonical decimals; "" = not set. */
struct slice reference_value(const struct reference_event *e, const struct attribute *attribute,
                             struct arena *a);

bool reference_holds(const struct question_rule *rule, const struct reference_event *e,
                     struct arena *a);

/* The rule of one attribute on a value alone ("" = not set). */
bool reference_holds_for(const struct question_rule *rule, struct slice value, struct arena *a);

/* ---- Ranges (section 5) ---- */

struct reference_range {
    int64_t from_ms;
    int64_t to_ms;
    int64_t as_of_ms;
};

struct reference_range reference_range(const struct question *q);
struct reference_range reference_compared(const struct question *q);

/* The points of the trend, at most max; returns how many there are. */
int reference_points(const struct question *q, struct reference_range *out, int max);

/* When a point starts, as the report says it; out has TIMESTAMP_TEXT_MAX bytes. */
const char *reference_start(const struct question *q, const struct reference_range *point,
                            char *out);

/* ---- Units (sections 2 and 4) ---- */

/* A visitor, or one session, under a funnel. */
struct reference_unit {
    const struct reference_person *person;
    int64_t from_ms; /* the bounds by `from` and `to`; for sessions there are none */
    int64_t to_ms;
    int n;
    const struct reference_event *events; /* in the order of section 4 */
    const struct reference_event **by_id; /* the same by (time, id), as brute's */
    struct brute_event *matched;
    bool has_path;
    struct brute_path path;
    bool is_chosen; /* by the filters */
    bool is_open;
    bool began_before;
    struct slice keys[QUESTION_BREAKDOWNS_MAX]; /* of a breakdown; "" = null */
};

struct reference_units {
    int n;
    struct reference_unit *list;
    int64_t n_left_out;
    bool is_too_much; /* more paths than one would try */
};

/* Stage k's bit in matched[].rules is rule_of[k-1]. */
struct reference_funnel {
    const struct question *q;
    struct brute_funnel brute;
    struct reference_range range;
};

void reference_units(const struct reference_site *site, const struct question *q,
                     enum question_preset preset, const struct reference_range *range,
                     struct arena *a, struct reference_funnel *funnel, struct reference_units *out);

/* "an event in `[from, to)` that the stage's (narrowed) rule matches": is it by_id[event]? */
bool reference_sees(const struct reference_funnel *f, const struct reference_unit *u, int event,
                    int stage);

/* "units that the filters choose, with" such an event, "path or not" */
bool reference_is_seen(const struct reference_funnel *f, const struct reference_unit *u, int stage);

/* The value of an attribute at a place of the counted path; "" = null. */
struct slice reference_value_for(const struct reference_unit *u, const struct question_breakdown *b,
                                 struct arena *a);

/* Is the unit behind the figure ("reached"; stage from 1, 0: the report's own)? */
bool reference_is_behind(const struct reference_funnel *f, const struct reference_unit *u,
                         const char *figure, int stage);

/* ---- The report ---- */

/* [[stage, epoch ms]..] of the counted path. */
struct json_t *reference_path(const struct reference_unit *u);

/* A new object with every figure; NULL where it would take too long. */
struct json_t *reference_report(const struct reference_site *site, const struct question *q,
                                enum question_preset preset, struct arena *a);

/* The units behind a figure ("reached"; stage from 1, 0: the report's own): a list of {"visitor",
 * "session" where these are counted, "path"}, in no order. NULL where it would take too long. */
struct json_t *reference_list(const struct reference_site *site, const struct question *q,
                              enum question_preset preset, const char *figure, int stage,
                              struct arena *a);

#endif
