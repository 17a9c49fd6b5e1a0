/* People: which events are one, in which order, what drove them, where a session starts. */
#include <stdlib.h>

#include "aggregator/segment/segment.h"
#include "tests/property/reference.h"

#define GAP_MS       INT64_C(1800000)  /* "30 minutes" */
#define LOOK_BACK_MS INT64_C(86400000) /* "24 hours" */

/* ---- "Events of one visitor with the same id are one event" ---- */

static bool
is_repeat(const struct event *events, size_t n, size_t of)
{
    for (size_t i = 0; i < n; i++) {
        int order;

        if (i == of || events[i].site != events[of].site ||
            !slice_equal(events[i].visitor, events[of].visitor) ||
            !slice_equal(events[i].id, events[of].id))
            continue;
        order = segment_repeat_compare(&events[i], &events[of]);
        if (order < 0 || (order == 0 && i < of))
            return true;
    }
    return false;
}

static int
compare_links(const void *x, const void *y)
{
    return event_compare(*(const struct event *const *)x, *(const struct event *const *)y);
}

static struct reference_person *
id_of(struct reference_site *site, struct slice id, const struct event *events, size_t n_events,
      struct arena *a)
{
    struct reference_person *p;
    size_t n_of_id = 0;

    for (int i = 0; i < site->n_ids; i++)
        if (slice_equal(site->ids[i].visitor, id))
            return &site->ids[i];
    for (size_t i = 0; i < n_events; i++)
        n_of_id += slice_equal(events[i].visitor, id);
    p = &site->ids[site->n_ids++];
    p->visitor = id;
    p->events = ARENA_ARRAY(a, const struct event *, n_of_id);
    return p;
}

void
reference_site(const struct segment_owner *owner, const struct event *events, size_t n,
               struct arena *a, struct reference_site *out)
{
    *out = (struct reference_site){.owner = owner,
                                   .ids = ARENA_ARRAY(a, struct reference_person, 2 * n),
                                   .links = ARENA_ARRAY(a, const struct event *, n)};
    for (size_t i = 0; i < n; i++) {
        struct reference_person *p;

        if (is_repeat(events, n, i))
            continue;
        p = id_of(out, events[i].visitor, events, n, a);
        p->events[p->n++] = &events[i];
        if (events[i].text[TEXT_KNOWN].n > 0) {
            (void)id_of(out, events[i].text[TEXT_KNOWN], events, n, a);
            out->links[out->n_links++] = &events[i];
        }
    }
    qsort(out->links, (size_t)out->n_links, sizeof *out->links, compare_links);
}

/* ---- Links: docs/identity.md, "The rules" ---- */

#define IDS_OF_PERSON_MAX 50

struct joining {
    const struct reference_site *site;
    int *person; /* of each id: the same number for the same person */
    int *known;  /* of each id: the known id of its person, -1 */
};

static int
index_of(const struct reference_site *site, struct slice id)
{
    for (int i = 0; i < site->n_ids; i++)
        if (slice_equal(site->ids[i].visitor, id))
            return i;
    abort();
}

static int
count_ids(const struct joining *j, int person)
{
    int n = 0;

    for (int i = 0; i < j->site->n_ids; i++)
        n += j->person[i] == person;
    return n;
}

/* "A person has at most one known id"; "A person has at most 50 ids" */
static void
take_link(struct joining *j, const struct event *link)
{
    int a = index_of(j->site, link->visitor);
    int b = index_of(j->site, link->text[TEXT_KNOWN]);
    int gone = j->person[b];
    int known = j->known[a] >= 0 ? j->known[a] : j->known[b];

    if (slice_equal(link->text[TEXT_EVENT], EVENT_IDENTIFY)) {
        if (known >= 0 && known != b)
            return;
        known = b;
    }
    if ((j->known[a] >= 0 && j->known[a] != known) || (j->known[b] >= 0 && j->known[b] != known))
        return;
    if (j->person[a] != gone && count_ids(j, j->person[a]) + count_ids(j, gone) > IDS_OF_PERSON_MAX)
        return;
    for (int i = 0; i < j->site->n_ids; i++) {
        if (j->person[i] == gone)
            j->person[i] = j->person[a];
        if (j->person[i] == j->person[a])
            j->known[i] = known;
    }
}

/* "by the known id, and where there is none by the id with the smallest hash" */
static struct slice
name_of(const struct joining *j, int person)
{
    struct slice name = SLICE_EMPTY;

    for (int i = 0; i < j->site->n_ids; i++) {
        struct slice id = j->site->ids[i].visitor;

        if (j->person[i] != person)
            continue;
        if (j->known[i] >= 0)
            return j->site->ids[j->known[i]].visitor;
        if (name.n == 0 ||
            segment_visitor_hash(j->site->owner, id) < segment_visitor_hash(j->site->owner, name))
            name = id;
    }
    return name;
}

int
reference_people(const struct reference_site *site, int64_t as_of_ms, struct arena *a,
                 struct reference_person **out)
{
    struct joining j = {site, ARENA_ARRAY(a, int, (size_t)site->n_ids),
                        ARENA_ARRAY(a, int, (size_t)site->n_ids)};
    int n = 0;

    *out = ARENA_ARRAY(a, struct reference_person, (size_t)site->n_ids);
    for (int i = 0; i < site->n_ids; i++) {
        j.person[i] = i;
        j.known[i] = -1;
    }
    for (int i = 0; i < site->n_links && site->links[i]->time_ms <= as_of_ms; i++)
        take_link(&j, site->links[i]);
    for (int person = 0; person < site->n_ids; person++) {
        struct reference_person *p = &(*out)[n];
        int n_events = 0;

        if (count_ids(&j, person) == 0)
            continue;
        *p = (struct reference_person){.visitor = name_of(&j, person)};
        for (int i = 0; i < site->n_ids; i++)
            n_events += j.person[i] == person ? site->ids[i].n : 0;
        p->events = ARENA_ARRAY(a, const struct event *, (size_t)n_events);
        for (int i = 0; i < site->n_ids; i++)
            for (int k = 0; j.person[i] == person && k < site->ids[i].n; k++)
                p->events[p->n++] = site->ids[i].events[k];
        n++;
    }
    return n;
}

/* ---- Order ---- */

static const enum event_text driver_texts[] = {TEXT_SOURCE, TEXT_MEDIUM, TEXT_CAMPAIGN,
                                               TEXT_CONTENT, TEXT_KEYWORD};
#define N_DRIVER_TEXTS (sizeof driver_texts / sizeof *driver_texts)

static bool
has_driver(const struct event *e)
{
    return (e->flags & EVENT_DRIVER) != 0;
}

/* "compared by those five"; NULL is direct, which has none of them */
static int
compare_drivers(const struct event *a, const struct event *b)
{
    for (size_t i = 0; i < N_DRIVER_TEXTS; i++) {
        int order = slice_compare(a != NULL ? a->text[driver_texts[i]] : SLICE_EMPTY,
                                  b != NULL ? b->text[driver_texts[i]] : SLICE_EMPTY);

        if (order != 0)
            return order;
    }
    return 0;
}

/* "by time; within a millisecond those with a driver of their own first, then by the driver's text,
 * then by id" */
static int
compare_events(const void *x, const void *y)
{
    const struct reference_event *of_a = x;
    const struct reference_event *of_b = y;
    const struct event *a = of_a->event;
    const struct event *b = of_b->event;
    int order = 0;

    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    if (has_driver(a) != has_driver(b))
        return has_driver(a) ? -1 : 1;
    if (has_driver(a))
        order = compare_drivers(a, b);
    if (order == 0)
        order = slice_compare(a->id, b->id);
    return order != 0 ? order : (of_a->hash > of_b->hash) - (of_a->hash < of_b->hash);
}

/* ---- Drivers and sessions ---- */

static bool
is_gap(const struct reference_event *before, const struct reference_event *after)
{
    return after->event->time_ms - before->event->time_ms > GAP_MS;
}

/* "the latest own driver among the visitor's events of the 24 hours up to it (inclusive) without a
 * gap over 30 minutes in between"; `referrer` and `landing` of "the event that brought the driver,
 * else of the first event of the gapless run, at most 24 h back" */
static void
find_driver(struct reference_event *events, int i)
{
    int64_t since_ms = events[i].event->time_ms - LOOK_BACK_MS;

    for (int j = i; j >= 0 && events[j].event->time_ms >= since_ms; j--) {
        if (j < i && is_gap(&events[j], &events[j + 1]))
            break;
        events[i].origin = events[j].event;
        if (has_driver(events[j].event)) {
            events[i].driver = events[j].event;
            break;
        }
    }
}

/* "A session starts at a visitor's first event, after a gap over 30 minutes, and where the driver
 * differs from that of the event before" */
static bool
is_start(const struct reference_event *events, int i)
{
    return i == 0 || is_gap(&events[i - 1], &events[i]) ||
           compare_drivers(events[i - 1].driver, events[i].driver) != 0;
}

int
reference_settle(const struct reference_site *site, const struct reference_person *person,
                 int64_t as_of_ms, enum question_bots bots, struct arena *a,
                 struct reference_event **out, const struct event ***left_out, int *n_left_out)
{
    struct reference_event *events = ARENA_ARRAY(a, struct reference_event, (size_t)person->n + 1);
    int n = 0;

    *left_out = ARENA_ARRAY(a, const struct event *, (size_t)person->n + 1);
    *n_left_out = 0;
    for (int i = 0; i < person->n; i++) {
        const struct event *e = person->events[i];
        bool is_bot = (e->flags & EVENT_BOT) != 0;

        if (e->time_ms > as_of_ms) /* "events after it are ignored" */
            continue;
        if (is_bot && bots == WITHOUT_BOTS)
            (*left_out)[(*n_left_out)++] = e;
        else if (is_bot || bots != ONLY_BOTS)
            events[n++] = (struct reference_event){
                .event = e, .hash = segment_visitor_hash(site->owner, e->visitor)};
    }
    qsort(events, (size_t)n, sizeof *events, compare_events);
    for (int i = 0; i < n; i++) {
        find_driver(events, i);
        events[i].is_entrance = is_start(events, i);
        events[i].session = i == 0 ? 0 : events[i - 1].session + events[i].is_entrance;
    }
    *out = events;
    return n;
}
