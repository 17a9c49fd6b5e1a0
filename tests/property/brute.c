/* Every path is grown visit by visit, and each one that section 2 allows is taken. Nothing is
 * clever here, and nothing should be. */
#include "tests/property/brute.h"

#include <limits.h>

struct search {
    const struct brute_funnel *f;
    const struct brute_event *events;
    int n;
    long steps_left;
    brute_take take;
    void *context;
};

/* "Three presets set `required` where a stage does not say it itself"; "Stages with the same rule
 * ...; a stage whose rule is used again further down counts as required"; exclusions: "Stage a
 * counts as required". */
bool
brute_is_required(const struct brute_funnel *f, int stage)
{
    const struct brute_stage *s = &f->stages[stage - 1];

    for (int i = 0; i < f->n_exclusions; i++)
        if (f->exclusions[i].from == stage)
            return true;
    for (int later = stage + 1; later <= f->n_stages; later++)
        if (f->stages[later - 1].rule == s->rule)
            return true;
    if (s->required >= 0)
        return s->required == 1;
    return f->preset == BRUTE_SEQUENTIAL || (f->preset == BRUTE_CLOSED && stage == 1);
}

static bool
visits(const struct brute_path *p, int stage)
{
    for (int i = 0; i < p->n; i++)
        if (p->stages[i] == stage)
            return true;
    return false;
}

static int64_t
time_of(const struct search *s, const struct brute_path *p, int visit)
{
    return s->events[p->events[visit]].time_ms;
}

/* Rule 6: consecutive visits at stage i in a..b-1 at t and at j at u; an excluded event in (t, u].
 */
static bool
is_excluded(const struct search *s, const struct brute_path *p, int visit)
{
    int i = p->stages[visit - 1];

    for (int x = 0; x < s->f->n_exclusions; x++) {
        const struct brute_exclusion *exclusion = &s->f->exclusions[x];

        if (i < exclusion->from || i > exclusion->to - 1)
            continue;
        for (int e = 0; e < s->n; e++)
            if ((s->events[e].rules >> exclusion->rule & 1) != 0 &&
                s->events[e].time_ms > time_of(s, p, visit - 1) &&
                s->events[e].time_ms <= time_of(s, p, visit))
                return true;
    }
    return false;
}

/* Is p a path, given that it was one without its last visit (but for rule 3, which looks at where
 * a path ends)? */
static bool
may_go_on(const struct search *s, const struct brute_path *p)
{
    int last = p->n - 1;
    int64_t first_ms = time_of(s, p, 0);

    if (first_ms < s->f->from_ms || first_ms >= s->f->to_ms)
        return false;
    if (last == 0)
        return true;
    if (time_of(s, p, last) < time_of(s, p, last - 1))
        return false;
    if (time_of(s, p, last) - first_ms > s->f->window_ms)
        return false;
    for (int i = 0; i < last; i++)
        if (p->events[i] == p->events[last] &&
            s->f->stages[p->stages[i] - 1].rule == s->f->stages[p->stages[last] - 1].rule)
            return false;
    return !is_excluded(s, p, last);
}

static bool
has_required(const struct search *s, const struct brute_path *p)
{
    for (int stage = 1; stage < p->stages[p->n - 1]; stage++)
        if (brute_is_required(s->f, stage) && !visits(p, stage))
            return false;
    return true;
}

static void
grow(struct search *s, const struct brute_path *p)
{
    int next = p->n == 0 ? 1 : p->stages[p->n - 1] + 1;

    for (int stage = next; stage <= s->f->n_stages; stage++) {
        for (int e = 0; e < s->n && s->steps_left > 0; e++) {
            struct brute_path longer = *p;

            if ((s->events[e].rules >> s->f->stages[stage - 1].rule & 1) == 0)
                continue;
            longer.stages[longer.n] = stage;
            longer.events[longer.n] = e;
            longer.n++;
            s->steps_left--;
            if (!may_go_on(s, &longer))
                continue;
            if (has_required(s, &longer))
                s->take(s->context, &longer);
            grow(s, &longer);
        }
    }
}

bool
brute_each(const struct brute_funnel *f, const struct brute_event *events, int n, long max_steps,
           brute_take take, void *context)
{
    struct search s = {f, events, n, max_steps, take, context};
    struct brute_path empty = {.n = 0};

    grow(&s, &empty);
    return s.steps_left > 0;
}

/* ---- The counted path ---- */

static int64_t
visit_ms(const struct brute_event *events, const struct brute_path *p, int visit)
{
    return events[p->events[visit]].time_ms;
}

bool
brute_counts_before(const struct brute_event *events, const struct brute_path *a,
                    const struct brute_path *b)
{
    if (a->stages[a->n - 1] != b->stages[b->n - 1])
        return a->stages[a->n - 1] > b->stages[b->n - 1];
    if (a->n != b->n)
        return a->n > b->n;
    if (visit_ms(events, a, 0) != visit_ms(events, b, 0))
        return visit_ms(events, a, 0) < visit_ms(events, b, 0);
    if (visit_ms(events, a, a->n - 1) != visit_ms(events, b, b->n - 1))
        return visit_ms(events, a, a->n - 1) < visit_ms(events, b, b->n - 1);
    for (int stage = 1; stage <= BRUTE_STAGES_MAX; stage++)
        if (visits(a, stage) != visits(b, stage))
            return visits(a, stage);
    for (int i = 1; i < a->n; i++)
        if (visit_ms(events, a, i) != visit_ms(events, b, i))
            return visit_ms(events, a, i) < visit_ms(events, b, i);
    for (int i = 0; i < a->n; i++) /* the smallest id serves */
        if (a->events[i] != b->events[i])
            return a->events[i] < b->events[i];
    return false;
}

struct best {
    const struct brute_event *events;
    struct brute_path *path; /* n = 0: none yet */
};

static void
keep_best(void *context, const struct brute_path *p)
{
    struct best *best = context;

    if (best->path->n == 0 || brute_counts_before(best->events, p, best->path))
        *best->path = *p;
}

bool
brute_count(const struct brute_funnel *f, const struct brute_event *events, int n,
            struct brute_path *out)
{
    struct best best = {events, out};

    out->n = 0;
    (void)brute_each(f, events, n, LONG_MAX, keep_best, &best);
    return out->n > 0;
}

bool
brute_is_ended(const struct brute_funnel *f, const struct brute_event *events, int n,
               const struct brute_path *p)
{
    int i = p->stages[p->n - 1];

    for (int x = 0; x < f->n_exclusions; x++)
        for (int e = 0; e < n; e++)
            if (i >= f->exclusions[x].from && i <= f->exclusions[x].to - 1 &&
                (events[e].rules >> f->exclusions[x].rule & 1) != 0 &&
                events[e].time_ms > visit_ms(events, p, p->n - 1))
                return true;
    return false;
}
