/* See person_events.h. */
#include "aggregator/person_events.h"

#include <stdlib.h>

void
person_events_init(struct person_events *p, const struct person_setup *setup)
{
    *p = (struct person_events){.setup = *setup};
}

static void
list_fini(struct event_list *l)
{
    free(l->events);
    free(l->conditions);
    free(l->ranks);
    free(l->values);
    free(l->from);
}

void
person_events_fini(struct person_events *p)
{
    list_fini(&p->all);
    list_fini(&p->session);
    settle_fini(&p->settle);
    free(p->settle_events);
    *p = (struct person_events){.n_bots = 0};
}

static void
reserve(struct person_events *p, struct event_list *l, size_t n)
{
    if (n <= l->room)
        return;
    l->room = 2 * n;
    l->events = mem_realloc(l->events, l->room * sizeof *l->events);
    l->conditions = mem_realloc(l->conditions, l->room * sizeof *l->conditions);
    l->ranks = mem_realloc(l->ranks, l->room * sizeof *l->ranks);
    l->values = mem_realloc(l->values, l->room * sizeof *l->values);
    l->from = mem_realloc(l->from, l->room * sizeof *l->from);
    if (l == &p->all && p->setup.sets)
        p->settle_events = mem_realloc(p->settle_events, l->room * sizeof *p->settle_events);
}

void
person_events_reserve(struct person_events *p, size_t n)
{
    reserve(p, &p->all, n);
}

/* ---- Reading a journey ---- */

/* Bots and what is after as_of go before anything else. */
static bool
is_removed(const struct person_setup *s, const struct scan_row *row, int64_t *n_bots)
{
    bool is_bot = (row->flags & EVENT_BOT) != 0;

    if (row->time_ms > s->as_of_ms)
        return true;
    if (is_bot && s->bots == BOTS_EXCLUDE) {
        *n_bots += row->time_ms >= s->bots_range.from_ms && row->time_ms < s->bots_range.to_ms;
        return true;
    }
    return !is_bot && s->bots == BOTS_ONLY;
}

static void
put_event(struct event_list *l, uint32_t at, const struct scan_row *row, uint32_t from)
{
    l->events[at] = (struct path_event){row->time_ms, row->masks.stages, row->masks.exclusions};
    l->conditions[at] = row->masks.conditions;
    l->values[at] = row->value;
    l->from[at] = from;
}

/* What matches nothing changes nothing. (Copies, so that the loop reads its setup once.) */
static void
read_settled(struct person_events *p, const struct journey *j)
{
    const struct person_setup setup = p->setup;
    struct event_list l = p->all;
    int64_t n_bots = 0;
    uint8_t flags = 0;

    l.n = 0;
    for (uint32_t i = 0; i < j->n; i++) {
        const struct scan_row *row = &j->rows[i];
        const struct masks *m = &row->masks;

        flags |= row->flags;
        if (!is_removed(&setup, row, &n_bots) && (m->stages | m->exclusions | m->conditions) != 0)
            put_event(&l, l.n++, row, i);
    }
    p->all.n = l.n;
    p->n_bots += n_bots;
    p->flags = flags;
}

static uint32_t
leaves_at(const struct person_events *p, const struct journey *j, uint32_t event)
{
    return j->rows[p->all.from[event]].unsettled.leaves;
}

static void
settle_all(struct person_events *p, const struct journey *j)
{
    struct event_list *l = &p->all;

    settle_person(&p->settle, p->settle_events, l->n);
    for (uint32_t i = 0; i < l->n; i++) {
        const struct settled *s = &p->settle.events[i];
        struct leaf_sources from = {
            .own = leaves_at(p, j, i),
            .driver = s->driver == SETTLE_DIRECT ? LEAF_SETS_DIRECT : leaves_at(p, j, s->driver),
            .origin = leaves_at(p, j, s->origin),
            .is_entrance = s->is_entrance,
        };
        struct masks masks = leaf_sets_masks(p->setup.sets, from);

        l->events[i].stages = masks.stages;
        l->events[i].exclusions = masks.exclusions;
        l->conditions[i] = masks.conditions;
        l->ranks[i] = s->rank;
    }
}

static void
read_unsettled(struct person_events *p, const struct journey *j)
{
    for (uint32_t i = 0; i < j->n; i++) {
        const struct scan_row *row = &j->rows[i];

        p->flags |= row->flags;
        if (is_removed(&p->setup, row, &p->n_bots))
            continue;
        p->settle_events[p->all.n] = (struct settle_event){
            row->time_ms, driver_table_at(p->setup.drivers, row->unsettled.driver)};
        put_event(&p->all, p->all.n++, row, i); /* its masks follow */
    }
    settle_all(p, j);
}

void
person_events_read(struct person_events *p, const struct journey *j)
{
    reserve(p, &p->all, j->n);
    p->all.n = 0;
    p->flags = 0;
    if (p->setup.sets)
        read_unsettled(p, j);
    else
        read_settled(p, j);
}

/* ---- Units ---- */

bool
person_events_visitor(const struct person_events *p, const struct path_range *range,
                      int64_t window_ms, struct unit *out, uint32_t *out_first)
{
    const struct event_list *l = &p->all;
    uint32_t first;

    if (l->n == 0 || l->events[l->n - 1].time_ms < range->from_ms ||
        l->events[0].time_ms >= range->to_ms)
        return false;
    first = path_first_from(l->events, l->n, path_time_add(range->from_ms, -window_ms));
    *out_first = first;
    *out = (struct unit){.n = l->n - first,
                         .events = l->events + first,
                         .conditions = l->conditions + first,
                         .ranks = l->ranks + first,
                         .values = l->values + first,
                         .range = *range,
                         .end_ms = path_time_add(range->to_ms, window_ms),
                         .as_of_ms = p->setup.as_of_ms};
    return true;
}

int64_t
person_events_session_start(const struct person_events *p, uint32_t session)
{
    return p->all.events[p->settle.order[p->settle.sessions[session].begin]].time_ms;
}

/* Does nothing that is known end the person's last session? */
static bool
may_go_on(const struct person_events *p, uint32_t session)
{
    int64_t last_ms = p->all.events[p->all.n - 1].time_ms;

    return session + 1 == p->settle.n_sessions &&
           path_time_add(last_ms, SETTLE_GAP_MS) >= p->setup.as_of_ms;
}

void
person_events_session(struct person_events *p, uint32_t session, struct unit *out)
{
    const struct settle_session *s = &p->settle.sessions[session];
    const struct event_list *all = &p->all;
    struct event_list *l = &p->session;
    int64_t end_ms = all->events[p->settle.order[s->end - 1]].time_ms;
    uint32_t i = path_first_from(all->events, all->n, person_events_session_start(p, session));

    l->n = 0;
    reserve(p, l, s->end - s->begin);
    /* only within a millisecond may other sessions' events lie between */
    for (; i < all->n && all->events[i].time_ms <= end_ms; i++) {
        if (p->settle.events[i].session != session)
            continue;
        l->events[l->n] = all->events[i];
        l->conditions[l->n] = all->conditions[i];
        l->ranks[l->n] = all->ranks[i];
        l->values[l->n] = all->values[i];
        l->from[l->n++] = i;
    }
    *out = (struct unit){.n = l->n,
                         .events = l->events,
                         .conditions = l->conditions,
                         .ranks = l->ranks,
                         .values = l->values,
                         .is_session = true,
                         .range = PATH_RANGE_ALL,
                         .end_ms = INT64_MAX,
                         .as_of_ms = p->setup.as_of_ms,
                         .may_go_on = may_go_on(p, session)};
}
