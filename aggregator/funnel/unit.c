/* From a unit's events to what it counts for. What is not here: how events got their masks. */
#include "aggregator/funnel/unit.h"

#include <assert.h>

/* ---- Filters ---- */

void
chooser_init(struct chooser *c, const struct request *r, const struct matcher *m)
{
    struct leaf_bits none = {{0}};

    *c = (struct chooser){.unset = matcher_masks(m, &none).conditions};
    for (size_t i = 0; i < r->n_filters; i++) {
        enum request_at at = r->filters[i].at;
        bool is_ordered = at == AT_FIRST || at == AT_LAST;

        if (at == AT_EVERY || at == AT_STAGE)
            continue;
        c->filters[c->n++] =
            (struct chosen_by){.at = at,
                               .stage = r->filters[i].stage - 1,
                               .condition = matcher_condition(m, i),
                               .set = is_ordered ? matcher_condition_set(m, i) : 0};
        c->needs_path = c->needs_path || is_ordered || at == AT_ENTRY || at == AT_VISIT;
        c->needs_order = c->needs_order || is_ordered;
    }
}

bool
unit_is_on_the_way(const struct unit *u, const struct path *path, uint32_t i)
{
    return u->events[i].time_ms >= u->range.from_ms &&
           u->events[i].time_ms <= u->events[path->visits[path->n - 1].event].time_ms;
}

/* The conditions of the first or last event on the way that has the filter's attribute. */
static uint32_t
ordered_conditions(const struct unit *u, const struct path *path, const struct chosen_by *f,
                   uint32_t unset)
{
    uint32_t best = UINT32_MAX;

    for (uint32_t i = 0; i < u->n; i++) {
        if ((u->conditions[i] & f->set) == 0 || !unit_is_on_the_way(u, path, i))
            continue;
        if (best == UINT32_MAX || (u->ranks[i] < u->ranks[best]) == (f->at == AT_FIRST))
            best = i;
    }
    return best == UINT32_MAX ? unset : u->conditions[best];
}

/* Those of the path's visit of a stage; one that it does not visit has no attribute. */
static uint32_t
visit_conditions(const struct unit *u, const struct path *path, int stage, uint32_t unset)
{
    for (uint32_t v = 0; v < path->n; v++)
        if ((int)path->visits[v].stage == stage)
            return u->conditions[path->visits[v].event];
    return unset;
}

/* Conditions that hold for some event from the range's begin to a window after its end. */
static uint32_t
met_conditions(const struct unit *u)
{
    uint32_t met = 0;

    for (uint32_t i = 0; i < u->n; i++)
        if (u->events[i].time_ms >= u->range.from_ms && u->events[i].time_ms < u->end_ms)
            met |= u->conditions[i];
    return met;
}

bool
unit_is_chosen(const struct unit *u, const struct chooser *c, const struct path *path)
{
    uint32_t met = met_conditions(u);
    bool holds = path != NULL || !c->needs_path;

    for (size_t i = 0; i < c->n && holds; i++) {
        const struct chosen_by *f = &c->filters[i];
        uint32_t conditions = met;

        if (f->at == AT_ENTRY)
            conditions = u->conditions[path->visits[0].event];
        else if (f->at == AT_FIRST || f->at == AT_LAST)
            conditions = ordered_conditions(u, path, f, c->unset);
        else if (f->at == AT_VISIT)
            conditions = visit_conditions(u, path, f->stage, c->unset);
        holds = ((conditions & f->condition) != 0) == (f->at != AT_NONE);
    }
    return holds;
}

/* ---- Counting ---- */

/* The stage of the path's last visit, from 0. */
static int
end_of(const struct path *path)
{
    return (int)path->visits[path->n - 1].stage;
}

/* Only a path that began less than a window before as_of is open: most are long over. */
static bool
is_open(const struct unit *u, const struct plan *plan, const struct path *path)
{
    int64_t before_ms = path_time_add(u->as_of_ms, -plan->window_ms);

    if (end_of(path) == plan->n_stages - 1 || u->events[u->n - 1].time_ms <= before_ms)
        return false;
    return (!u->is_session || u->may_go_on) &&
           path_is_open(plan, &u->range, u->events, u->n, u->as_of_ms);
}

static bool
began_before(const struct unit *u, const struct plan *plan, const struct path *path)
{
    if (path->visits[0].stage == 0 || u->events[0].time_ms >= u->range.from_ms)
        return false;
    return path_began_before(plan, &u->range, u->events, u->n, path);
}

void
unit_count(const struct unit *u, const struct plan *plan, const struct chooser *c,
           struct outcome *out)
{
    out->has_path = path_count(plan, &u->range, u->events, u->n, &out->path);
    out->is_chosen = c->n == 0 || unit_is_chosen(u, c, out->has_path ? &out->path : NULL);
    out->has_path = out->has_path && out->is_chosen;
    out->is_open = out->has_path && is_open(u, plan, &out->path);
    out->began_before = out->has_path && began_before(u, plan, &out->path);
}

void
tally_unit(struct tally *t, const struct unit *u, const struct outcome *o)
{
    if (!o->is_chosen)
        return;
    tally_add(t, &u->range, u->events, u->n, u->values, o->has_path ? &o->path : NULL);
    if (o->is_open)
        tally_add_open(t, (uint32_t)end_of(&o->path));
    if (o->began_before)
        tally_add_began_before(t);
}

/* ---- Lists ---- */

static bool
is_seen(const struct unit *u, int stage)
{
    for (uint32_t i = 0; i < u->n; i++)
        if ((u->events[i].stages >> stage & 1) != 0 && u->events[i].time_ms >= u->range.from_ms &&
            u->events[i].time_ms < u->range.to_ms)
            return true;
    return false;
}

static bool
is_after_range(const struct unit *u, const struct path *path)
{
    return u->events[path->visits[path->n - 1].event].time_ms >= u->range.to_ms;
}

bool
unit_is_in_figure(const struct unit *u, int n_stages, const struct outcome *o,
                  const struct figure_place *place)
{
    int stage = place->stage - 1; /* -1: the report's own */
    bool visits = o->has_path && stage >= 0 && (o->path.stages >> stage & 1) != 0;
    int end = o->has_path ? end_of(&o->path) : -1;

    if (place->figure == FIGURE_SEEN)
        return o->is_chosen && is_seen(u, stage);
    if (!o->has_path)
        return false;
    switch (place->figure) {
    case FIGURE_ENTERED:
        return true;
    case FIGURE_BEGAN_BEFORE:
        return o->began_before;
    case FIGURE_AFTER_RANGE:
        return end == n_stages - 1 && is_after_range(u, &o->path);
    case FIGURE_CONVERTED:
        return end == n_stages - 1 && (visits || stage < 0);
    case FIGURE_REACHED:
        return visits;
    case FIGURE_SKIPPED:
        return end > stage && !visits;
    case FIGURE_THROUGHPUT:
        return end >= stage;
    case FIGURE_ENTRIES:
        return (int)o->path.visits[0].stage == stage;
    case FIGURE_EXITS:
    case FIGURE_DROPOFF:
        return end == stage;
    case FIGURE_OPEN:
        return end == stage && o->is_open;
    case FIGURE_LOST:
        return end == stage && !o->is_open;
    case FIGURE_ONWARD:
        return visits && end > stage;
    default:
        assert(false && "a figure without a list");
        return false;
    }
}
