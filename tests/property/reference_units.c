/* Units, their counted paths, what filters choose and in which row of a breakdown they fall. */
#include <stdlib.h>

#include "core/decimal.h"
#include "tests/property/reference.h"

#define SESSION_GAP_MS INT64_C(1800000)
#define STEPS_MAX      20000 /* of trying paths of one unit */

#define EXCLUSION_BIT QUESTION_STAGES_MAX /* brute's rule number of exclusion 0 */

static int64_t
add_clamped(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

/* ---- The funnel ---- */

/* "whether rules are the same is judged before that" narrowing */
static void
make_funnel(const struct question *q, enum question_preset preset,
            const struct reference_range *range, struct arena *a, struct reference_funnel *out)
{
    struct slice canonical[QUESTION_STAGES_MAX];
    struct brute_funnel *brute = &out->brute;

    *out = (struct reference_funnel){.q = q, .range = *range};
    *brute = (struct brute_funnel){.preset = (enum brute_preset)preset,
                                   .n_stages = q->n_stages,
                                   .n_exclusions = q->n_exclusions,
                                   .window_ms = q->window_ms};
    for (int i = 0; i < q->n_stages; i++) {
        canonical[i] = question_canonical(q->stages[i].rule, a);
        brute->stages[i] = (struct brute_stage){i, q->stages[i].required};
        for (int k = 0; k < i; k++)
            if (slice_equal(canonical[k], canonical[i]))
                brute->stages[i].rule = brute->stages[k].rule;
    }
    for (int i = 0; i < q->n_exclusions; i++)
        brute->exclusions[i] =
            (struct brute_exclusion){EXCLUSION_BIT + i, q->exclusions[i].from, q->exclusions[i].to};
}

/* A stage's rule with what the filters at `every` and at the stage add to it. */
static bool
stage_holds(const struct question *q, int stage, const struct reference_event *e, struct arena *a)
{
    if (!reference_holds(q->stages[stage - 1].rule, e, a))
        return false;
    for (int i = 0; i < q->n_filters; i++) {
        const struct question_filter *f = &q->filters[i];

        if ((f->at == EVERY || (f->at == OF_STAGE && f->stage == stage)) &&
            !reference_holds(f->rule, e, a))
            return false;
    }
    return true;
}

static uint32_t
match(const struct reference_funnel *f, const struct reference_event *e, struct arena *a)
{
    uint32_t rules = 0;

    for (int i = 0; i < f->q->n_stages; i++)
        if (f->brute.stages[i].rule == i && stage_holds(f->q, i + 1, e, a))
            rules |= 1u << i;
    for (int i = 0; i < f->q->n_exclusions; i++)
        if (reference_holds(f->q->exclusions[i].rule, e, a))
            rules |= 1u << (EXCLUSION_BIT + i);
    return rules;
}

/* ---- Paths ---- */

struct found {
    const struct reference_funnel *f;
    struct reference_unit *u;
};

static int64_t
visit_ms(const struct reference_unit *u, const struct brute_path *p, int visit)
{
    return u->matched[p->events[visit]].time_ms;
}

/* "some path, not ended by an exclusion, that began less than a window before `as_of`" */
static bool
is_under_way(const struct reference_funnel *f, const struct reference_unit *u,
             const struct brute_path *p)
{
    return f->range.as_of_ms - visit_ms(u, p, 0) < f->q->window_ms &&
           !brute_is_ended(&f->brute, u->matched, u->n, p);
}

static void
take_path(void *context, const struct brute_path *p)
{
    struct found *found = context;
    struct reference_unit *u = found->u;

    if (!u->has_path || brute_counts_before(u->matched, p, &u->path))
        u->path = *p;
    u->has_path = true;
    u->is_open = u->is_open || is_under_way(found->f, u, p);
}

/* "a path with more stages and the same last visit" */
static void
take_fuller(void *context, const struct brute_path *p)
{
    struct reference_unit *u = context;

    if (p->n > u->path.n && p->stages[p->n - 1] == u->path.stages[u->path.n - 1] &&
        visit_ms(u, p, p->n - 1) == visit_ms(u, &u->path, u->path.n - 1))
        u->began_before = true;
}

/* "a session also had an event in the last 30 minutes and no later session of the visitor has
 * begun" */
static bool
is_session_under_way(const struct reference_funnel *f, const struct reference_unit *u,
                     bool is_latest)
{
    return is_latest && f->range.as_of_ms - u->events[u->n - 1].event->time_ms <= SESSION_GAP_MS;
}

/* False where there are too many paths to try. */
static bool
find_paths(struct reference_funnel *f, struct reference_unit *u, bool is_latest)
{
    struct found found = {f, u};

    f->brute.from_ms = u->from_ms;
    f->brute.to_ms = u->to_ms;
    if (!brute_each(&f->brute, u->matched, u->n, STEPS_MAX, take_path, &found))
        return false;
    if (f->q->of_sessions && u->is_open)
        u->is_open = is_session_under_way(f, u, is_latest);
    if (!u->has_path || u->path.stages[0] == 1)
        return true;
    f->brute.from_ms = add_clamped(u->from_ms, -f->q->window_ms);
    return brute_each(&f->brute, u->matched, u->n, STEPS_MAX, take_fuller, u);
}

/* ---- What filters and breakdowns look at ---- */

static const struct reference_event *
entry_of(const struct reference_unit *u)
{
    return u->by_id[u->path.events[0]];
}

/* The first or last event, "from `from` to the counted path's last visit", that has the attribute;
 * its value, "" without one. */
static struct slice
first_or_last(const struct reference_unit *u, const struct attribute *attribute,
              enum question_at at, struct arena *a)
{
    int64_t end_ms = visit_ms(u, &u->path, u->path.n - 1);
    struct slice out = SLICE_EMPTY;

    for (int i = 0; i < u->n; i++) {
        int64_t time_ms = u->events[i].event->time_ms;
        struct slice value;

        if (time_ms < u->from_ms || time_ms > end_ms)
            continue;
        value = reference_value(&u->events[i], attribute, a);
        if (value.n > 0 && (at == LAST || out.n == 0))
            out = value;
    }
    return out;
}

/* "for some event of the unit in `[from, to + window)`" */
static bool
holds_for_any(const struct reference_unit *u, const struct question_rule *rule, int64_t window_ms,
              struct arena *a)
{
    int64_t end_ms = add_clamped(u->to_ms, window_ms);

    for (int i = 0; i < u->n; i++)
        if (u->events[i].event->time_ms >= u->from_ms && u->events[i].event->time_ms < end_ms &&
            reference_holds(rule, &u->events[i], a))
            return true;
    return false;
}

/* The path's visit of a stage; NULL where it has none. */
static const struct reference_event *
visit_of(const struct reference_unit *u, int stage)
{
    for (int i = 0; i < u->path.n; i++)
        if (u->path.stages[i] == stage)
            return u->by_id[u->path.events[i]];
    return NULL;
}

static bool
holds_at_visit(const struct reference_unit *u, const struct question_filter *f, struct arena *a)
{
    const struct reference_event *visit = visit_of(u, f->stage);

    return visit != NULL ? reference_holds(f->rule, visit, a)
                         : reference_holds_for(f->rule, SLICE_EMPTY, a);
}

static bool
passes(const struct reference_unit *u, const struct question *q,
       const struct question_filter *filter, struct arena *a)
{
    enum question_at at = question_filter_at(filter, a);

    switch (at) {
    case ENTRY:
        return u->has_path && reference_holds(filter->rule, entry_of(u), a);
    case OF_VISIT:
        return u->has_path && holds_at_visit(u, filter, a);
    case FIRST:
    case LAST:
        return u->has_path &&
               reference_holds_for(filter->rule,
                                   first_or_last(u, question_attribute(filter->rule), at, a), a);
    case ANY:
    case NONE:
        return holds_for_any(u, filter->rule, q->window_ms, a) == (at == ANY);
    default:
        return true; /* EVERY, OF_STAGE: see stage_holds */
    }
}

static bool
is_chosen(const struct reference_unit *u, const struct question *q, struct arena *a)
{
    for (int i = 0; i < q->n_filters; i++)
        if (!passes(u, q, &q->filters[i], a))
            return false;
    return true;
}

/* The value that decides about the row; "" = null. */
struct slice
reference_value_for(const struct reference_unit *u, const struct question_breakdown *b,
                    struct arena *a)
{
    const struct reference_event *visit;

    if (b->at == ENTRY)
        return reference_value(entry_of(u), &b->attribute, a);
    if (b->at != OF_STAGE)
        return first_or_last(u, &b->attribute, b->at, a);
    visit = visit_of(u, b->stage);
    return visit != NULL ? reference_value(visit, &b->attribute, a) : SLICE_EMPTY;
}

/* "A number attribute takes `bins`": each from its number on, below the next */
static struct slice
key_of(const struct reference_unit *u, const struct question_breakdown *b, struct arena *a)
{
    struct slice value = reference_value_for(u, b, a);
    int above = 0;

    if (value.n == 0 || b->n_bins == 0)
        return value;
    while (above < b->n_bins && decimal_compare(value, arena_printf(a, "%d", b->bins[above])) >= 0)
        above++;
    if (above == 0)
        return arena_printf(a, "<%d", b->bins[0]);
    if (above == b->n_bins)
        return arena_printf(a, ">=%d", b->bins[above - 1]);
    return arena_printf(a, "%d..%d", b->bins[above - 1], b->bins[above]);
}

/* ---- Units ---- */

static int
compare_by_id(const void *x, const void *y)
{
    const struct reference_event *a = *(const struct reference_event *const *)x;
    const struct reference_event *b = *(const struct reference_event *const *)y;
    int order = event_compare(a->event, b->event);

    return order != 0 ? order : (a->hash > b->hash) - (a->hash < b->hash);
}

static void
match_unit(const struct reference_funnel *f, struct reference_unit *u, struct arena *a)
{
    u->by_id = ARENA_ARRAY(a, const struct reference_event *, (size_t)u->n);
    u->matched = ARENA_ARRAY(a, struct brute_event, (size_t)u->n);
    for (int i = 0; i < u->n; i++)
        u->by_id[i] = &u->events[i];
    qsort(u->by_id, (size_t)u->n, sizeof *u->by_id, compare_by_id);
    for (int i = 0; i < u->n; i++)
        u->matched[i] = (struct brute_event){u->by_id[i]->event->time_ms, match(f, u->by_id[i], a)};
}

static void
add_unit(struct reference_funnel *f, struct reference_unit u, bool is_latest, struct arena *a,
         struct reference_units *out)
{
    match_unit(f, &u, a);
    if (!find_paths(f, &u, is_latest))
        out->is_too_much = true;
    u.is_chosen = is_chosen(&u, f->q, a);
    for (int i = 0; u.has_path && i < f->q->n_breakdowns; i++)
        u.keys[i] = key_of(&u, &f->q->breakdowns[i], a);
    out->list[out->n++] = u;
}

/* "A session belongs to the report whose range holds its first event, and is then taken whole" */
static void
add_sessions(struct reference_funnel *f, const struct reference_person *person,
             const struct reference_event *events, int n, struct arena *a,
             struct reference_units *out)
{
    for (int begin = 0, end; begin < n; begin = end) {
        struct reference_unit u = {
            .person = person, .from_ms = INT64_MIN, .to_ms = INT64_MAX, .events = events + begin};

        for (end = begin + 1; end < n && events[end].session == events[begin].session;)
            end++;
        u.n = end - begin;
        if (events[begin].event->time_ms >= f->range.from_ms &&
            events[begin].event->time_ms < f->range.to_ms)
            add_unit(f, u, end == n, a, out);
    }
}

void
reference_units(const struct reference_site *site, const struct question *q,
                enum question_preset preset, const struct reference_range *range, struct arena *a,
                struct reference_funnel *funnel, struct reference_units *out)
{
    int64_t end_ms = add_clamped(range->to_ms, q->window_ms);
    struct reference_person *people;
    int n_people = reference_people(site, range->as_of_ms, a, &people);
    int n_max = 0;

    make_funnel(q, preset, range, a, funnel);
    for (int i = 0; i < n_people; i++)
        n_max += people[i].n;
    *out =
        (struct reference_units){.list = ARENA_ARRAY(a, struct reference_unit, (size_t)n_max + 1)};
    for (int i = 0; i < n_people && !out->is_too_much; i++) {
        struct reference_event *events;
        const struct event **left_out;
        int n_left_out;
        int n = reference_settle(site, &people[i], range->as_of_ms, q->bots, a, &events, &left_out,
                                 &n_left_out);
        struct reference_unit whole = {.person = &people[i],
                                       .from_ms = range->from_ms,
                                       .to_ms = range->to_ms,
                                       .events = events,
                                       .n = n};

        for (int k = 0; k < n_left_out; k++)
            out->n_left_out +=
                left_out[k]->time_ms >= range->from_ms && left_out[k]->time_ms < end_ms;
        if (q->of_sessions)
            add_sessions(funnel, &people[i], events, n, a, out);
        else if (n > 0)
            add_unit(funnel, whole, true, a, out);
    }
}

/* ---- What figures ask of a unit ---- */

bool
reference_sees(const struct reference_funnel *f, const struct reference_unit *u, int event,
               int stage)
{
    return (u->matched[event].rules >> f->brute.stages[stage - 1].rule & 1) != 0 &&
           u->matched[event].time_ms >= u->from_ms && u->matched[event].time_ms < u->to_ms;
}

bool
reference_is_seen(const struct reference_funnel *f, const struct reference_unit *u, int stage)
{
    for (int e = 0; e < u->n; e++)
        if (reference_sees(f, u, e, stage))
            return u->is_chosen;
    return false;
}
