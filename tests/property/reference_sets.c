#include "tests/property/reference_sets.h"

#include <jansson.h>
#include <stdlib.h>

static int64_t
plus(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static bool
units_of(const struct reference_site *site, const struct question *q, struct arena *a,
         struct reference_funnel *f, struct reference_units *units)
{
    struct reference_range range = reference_range(q);

    reference_units(site, q, PRESET_IS_OPEN, &range, a, f, units);
    return !units->is_too_much;
}

static void
count(json_t *rows, struct slice key)
{
    char text[400];

    slice_to_cstr(key, text, sizeof text);
    json_object_set_new(rows, text,
                        json_integer(json_integer_value(json_object_get(rows, text)) + 1));
}

/* ---- next ---- */

/* "after their visit of the stage (of a figure of the report: after the first, of converted after
 * the last)" */
static int
visit_of(const struct reference_unit *u, struct reference_set set)
{
    bool is_last = set.stage == 0 &&
                   (strcmp(set.figure, "converted") == 0 || strcmp(set.figure, "after_range") == 0);

    for (int v = 0; v < u->path.n; v++)
        if (u->path.stages[v] == set.stage)
            return u->path.events[v];
    return u->path.events[is_last ? u->path.n - 1 : 0];
}

static void
follow(const struct question *q, const struct reference_unit *u, int visit,
       const struct attribute *attribute, int steps, json_t *next, json_t *last, struct arena *a)
{
    int64_t begin_ms = u->by_id[visit]->event->time_ms;
    struct slice row = SLICE_EMPTY, latest = SLICE("-");
    int n = 0;

    for (int i = visit + 1; i < u->n; i++) {
        int64_t time_ms = u->by_id[i]->event->time_ms;
        struct slice value = reference_value(u->by_id[i], attribute, a);

        if (value.n == 0 || time_ms - begin_ms > q->window_ms ||
            (!q->of_sessions && time_ms >= plus(u->to_ms, q->window_ms)))
            continue;
        latest = value;
        if (n++ < steps)
            row = arena_printf(a, "%.*s %.*s", SLICE_ARG(row), SLICE_ARG(value));
    }
    for (; n < steps; n++)
        row = arena_printf(a, "%.*s -", SLICE_ARG(row));
    count(next, row);
    count(last, arena_printf(a, " %.*s", SLICE_ARG(latest)));
}

json_t *
reference_next(const struct reference_site *site, const struct question *q,
               struct reference_set set, const struct attribute *attribute, int steps,
               struct arena *a)
{
    json_t *next, *last;
    struct reference_funnel f;
    struct reference_units units;
    json_int_t n = 0;

    if (!units_of(site, q, a, &f, &units))
        return NULL;
    next = json_object();
    last = json_object();
    for (int i = 0; i < units.n; i++) {
        const struct reference_unit *u = &units.list[i];

        if (!reference_is_behind(&f, u, set.figure, set.stage))
            continue;
        n++;
        follow(q, u, visit_of(u, set), attribute, steps, next, last, a);
    }
    return json_pack("{s:I,s:o,s:o}", "n", n, "next", next, "last", last);
}

/* ---- contrast ---- */

static void
count_both(json_t *rows, struct slice key, const bool *is_in)
{
    char text[400];
    json_t *row;

    slice_to_cstr(key, text, sizeof text);
    if (json_object_get(rows, text) == NULL)
        json_object_set_new(rows, text, json_pack("[i,i]", 0, 0));
    row = json_object_get(rows, text);
    for (int i = 0; i < 2; i++)
        json_array_set_new(
            row, (size_t)i,
            json_integer(json_integer_value(json_array_get(row, (size_t)i)) + is_in[i]));
}

/* Each value once. */
static void
count_any(const struct reference_unit *u, int place, const struct attribute *attribute,
          json_t *rows, const bool *is_in, struct arena *a)
{
    int64_t end_ms = u->matched[u->path.events[u->path.n - 1]].time_ms;
    struct slice *met = ARENA_ARRAY(a, struct slice, (size_t)u->n + 1);
    int n = 0;

    for (int i = 0; i < u->n; i++) {
        int64_t time_ms = u->events[i].event->time_ms;
        struct slice value = reference_value(&u->events[i], attribute, a);
        bool is_new = value.n > 0 && time_ms >= u->from_ms && time_ms <= end_ms;

        for (int k = 0; k < n && is_new; k++)
            is_new = !slice_equal(met[k], value);
        if (is_new)
            met[n++] = value;
    }
    if (n == 0)
        met[n++] = SLICE("-");
    for (int k = 0; k < n; k++)
        count_both(rows, arena_printf(a, "%d %.*s", place, SLICE_ARG(met[k])), is_in);
}

json_t *
reference_contrast(const struct reference_site *site, const struct question *q,
                   const struct reference_set *sets, const struct question_breakdown *places,
                   int n_places, struct arena *a)
{
    json_t *rows;
    struct reference_funnel f;
    struct reference_units units;
    json_int_t n[2] = {0, 0};

    if (!units_of(site, q, a, &f, &units))
        return NULL;
    rows = json_object();
    for (int i = 0; i < units.n; i++) {
        const struct reference_unit *u = &units.list[i];
        bool is_in[2];

        for (int k = 0; k < 2; k++) {
            is_in[k] = reference_is_behind(&f, u, sets[k].figure, sets[k].stage);
            n[k] += is_in[k];
        }
        for (int p = 0; p < n_places && (is_in[0] || is_in[1]); p++) {
            struct slice value;

            if (places[p].at == ANY) {
                count_any(u, p, &places[p].attribute, rows, is_in, a);
                continue;
            }
            value = reference_value_for(u, &places[p], a);
            count_both(rows,
                       arena_printf(a, "%d %.*s", p, SLICE_ARG(value.n > 0 ? value : SLICE("-"))),
                       is_in);
        }
    }
    return json_pack("{s:I,s:I,s:o}", "a", n[0], "b", n[1], "rows", rows);
}

/* ---- search ---- */

/* What the person did in the range, or null. */
static json_t *
told_of(const struct reference_site *site, const struct question *q,
        const struct reference_person *person, int stage, struct arena *a)
{
    struct reference_range range = reference_range(q);
    struct reference_event *events;
    const struct event **left_out;
    int n_left_out, session = -1;
    int n =
        reference_settle(site, person, range.as_of_ms, q->bots, a, &events, &left_out, &n_left_out);
    json_int_t first = 0, last = 0, n_sessions = 0, n_events = 0;

    for (int i = 0; i < n; i++) {
        int64_t time_ms = events[i].event->time_ms;

        if (time_ms < range.from_ms || time_ms >= range.to_ms)
            continue;
        first = n_events == 0 ? time_ms : first;
        last = time_ms;
        n_events++;
        n_sessions += events[i].session != session;
        session = events[i].session;
    }
    return n_events == 0 ? json_null()
                         : json_pack("[i,I,I,I,I]", stage, first, last, n_sessions, n_events);
}

json_t *
reference_search(const struct reference_site *site, const struct question *q,
                 const struct reference_set *set, struct arena *a)
{
    struct reference_funnel f;
    struct reference_units units;
    json_t *out;

    if (!units_of(site, q, a, &f, &units))
        return NULL;
    out = json_object();
    for (int i = 0; i < units.n; i++) {
        const struct reference_unit *u = &units.list[i];
        bool is_found = set ? reference_is_behind(&f, u, set->figure, set->stage) : u->is_chosen;
        int stage = u->has_path && u->is_chosen ? u->path.stages[u->path.n - 1] : 0;
        char visitor[EVENT_VISITOR_MAX + 1];
        json_t *before, *told;

        slice_to_cstr(u->person->visitor, visitor, sizeof visitor);
        before = json_object_get(out, visitor);
        if (!is_found)
            continue;
        if (stage == 0 && before != NULL) /* of an earlier session */
            stage = (int)json_integer_value(json_array_get(before, 0));
        told = told_of(site, q, u->person, stage, a);
        if (!json_is_null(told))
            json_object_set(out, visitor, told);
        json_decref(told);
    }
    return out;
}
