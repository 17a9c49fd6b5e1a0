#include "aggregator/funnel/why.h"

static const char *const names[WHY_COUNT] = {
    [WHY_COUNTED] = "counted",
    [WHY_BEFORE_RANGE] = "before_range",
    [WHY_AFTER_RANGE] = "after_range",
    [WHY_AFTER_WINDOW] = "after_window",
    [WHY_BEFORE_WINDOW] = "before_window",
    [WHY_OUT_OF_ORDER] = "out_of_order",
    [WHY_ALREADY_USED] = "already_used",
    [WHY_STAGE_SERVED] = "stage_served",
    [WHY_STAGE_MISSING] = "stage_missing",
    [WHY_EXCLUDED] = "excluded",
    [WHY_OTHER_PATH] = "other_path",
    [WHY_NO_PATH] = "no_path",
};

const char *
why_name(enum why_reason r)
{
    return names[r];
}

/* What is asked. */
struct asked {
    const struct unit *u;
    const struct plan *plan;
    const struct path *path;
    uint32_t event;
    int64_t time_ms;
    int stage;
};

static int64_t
visit_ms(const struct asked *a, uint32_t visit)
{
    return a->u->events[a->path->visits[visit].event].time_ms;
}

/* The visit of a stage; path->n where there is none. */
static uint32_t
find_visit(const struct path *path, int stage)
{
    uint32_t v = 0;

    while (v < path->n && (int)path->visits[v].stage != stage)
        v++;
    return v;
}

/* The first required stage before `stage` and from `begin` on that the path does not visit. */
static int
missing_stage(const struct asked *a, int begin)
{
    for (int s = begin; s < a->stage; s++)
        if ((a->plan->required >> s & 1) != 0 && (!a->path || (a->path->stages >> s & 1) == 0))
            return s + 1;
    return 0;
}

/* An excluded event in (after_ms, until_ms] that ends paths which stand at `stage`: its index, or
 * n. */
static uint32_t
find_exclusion(const struct asked *a, int stage, int64_t after_ms, int64_t until_ms)
{
    for (uint32_t i = 0; i < a->u->n; i++) {
        const struct path_event *e = &a->u->events[i];

        if (e->time_ms <= after_ms || e->time_ms > until_ms)
            continue;
        for (int x = 0; x < a->plan->n_exclusions; x++)
            if ((e->exclusions >> x & 1) != 0 && (a->plan->ends[x] >> stage & 1) != 0)
                return i;
    }
    return a->u->n;
}

/* Does the event serve another stage with the same rule? */
static int
used_by(const struct asked *a)
{
    for (int g = 0; g < a->plan->n_groups; g++) {
        if ((a->plan->groups[g] >> a->stage & 1) == 0)
            continue;
        for (uint32_t v = 0; v < a->path->n; v++)
            if (a->path->visits[v].event == a->event &&
                (a->plan->groups[g] >> a->path->visits[v].stage & 1) != 0)
                return (int)a->path->visits[v].stage + 1;
    }
    return 0;
}

/* Where there is no path: one would have to begin at a stage that may be its first. */
static struct why
without_path(const struct asked *a)
{
    struct why w = {.stage = a->stage + 1, .reason = WHY_NO_PATH};
    int missing = missing_stage(a, 0);

    if (missing != 0)
        w = (struct why){w.stage, WHY_STAGE_MISSING, 0, 0, missing};
    else if (a->time_ms < a->u->range.from_ms)
        w = (struct why){w.stage, WHY_BEFORE_RANGE, a->u->range.from_ms - a->time_ms, 0, 0};
    else if (a->time_ms >= a->u->range.to_ms)
        w = (struct why){w.stage, WHY_AFTER_RANGE, a->time_ms - a->u->range.to_ms, 0, 0};
    return w;
}

/* Of a stage before the path's first. */
static struct why
before_path(const struct asked *a)
{
    struct why w = {.stage = a->stage + 1, .reason = WHY_OTHER_PATH};
    int64_t span_ms = visit_ms(a, a->path->n - 1) - a->time_ms;

    if (a->time_ms < a->u->range.from_ms)
        w = (struct why){w.stage, WHY_BEFORE_RANGE, a->u->range.from_ms - a->time_ms, 0, 0};
    else if (a->time_ms > visit_ms(a, 0))
        w = (struct why){w.stage, WHY_OUT_OF_ORDER, 0, 0, (int)a->path->visits[0].stage + 1};
    else if (span_ms > a->plan->window_ms)
        w = (struct why){w.stage, WHY_BEFORE_WINDOW, span_ms - a->plan->window_ms, 0, 0};
    return w;
}

/* Of a stage behind visit v, which is that of the greatest stage before it. */
static struct why
behind_visit(const struct asked *a, uint32_t v)
{
    struct why w = {.stage = a->stage + 1, .reason = WHY_OTHER_PATH};
    int stage = (int)a->path->visits[v].stage;
    int64_t late_ms = a->time_ms - visit_ms(a, 0) - a->plan->window_ms;
    int missing = missing_stage(a, stage + 1);
    uint32_t excluded;

    if (a->time_ms < visit_ms(a, v))
        return (struct why){w.stage, WHY_OUT_OF_ORDER, 0, 0, stage + 1};
    if (v + 1 < a->path->n && a->time_ms > visit_ms(a, v + 1))
        return (struct why){w.stage, WHY_OUT_OF_ORDER, 0, 0, (int)a->path->visits[v + 1].stage + 1};
    if (late_ms > 0)
        return (struct why){w.stage, WHY_AFTER_WINDOW, late_ms, 0, 0};
    if (missing != 0)
        return (struct why){w.stage, WHY_STAGE_MISSING, 0, 0, missing};
    excluded = find_exclusion(a, stage, visit_ms(a, v), a->time_ms);
    if (excluded < a->u->n)
        return (struct why){w.stage, WHY_EXCLUDED, 0, a->u->events[excluded].time_ms, 0};
    return w;
}

static struct why
with_path(const struct asked *a)
{
    uint32_t own = find_visit(a->path, a->stage), v = 0;
    int used;

    if (own < a->path->n && a->path->visits[own].event == a->event)
        return (struct why){.stage = a->stage + 1, .reason = WHY_COUNTED};
    used = used_by(a);
    if (used != 0)
        return (struct why){a->stage + 1, WHY_ALREADY_USED, 0, 0, used};
    if (own < a->path->n)
        return (struct why){a->stage + 1, WHY_STAGE_SERVED, 0, visit_ms(a, own), 0};
    if (a->stage < (int)a->path->visits[0].stage)
        return before_path(a);
    while (v + 1 < a->path->n && (int)a->path->visits[v + 1].stage < a->stage)
        v++;
    return behind_visit(a, v);
}

struct why
why_of(const struct unit *u, const struct plan *plan, const struct outcome *o, uint32_t i,
       int stage)
{
    struct asked a = {.u = u,
                      .plan = plan,
                      .path = o->has_path ? &o->path : NULL,
                      .event = i,
                      .time_ms = u->events[i].time_ms,
                      .stage = stage};

    if (!o->is_chosen)
        return (struct why){.stage = stage + 1, .reason = WHY_NO_PATH};
    return a.path ? with_path(&a) : without_path(&a);
}
