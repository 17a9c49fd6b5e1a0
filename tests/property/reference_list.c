/* The units behind a figure: "the list of units behind a figure has exactly that many rows". */
#include <jansson.h>
#include <stdlib.h>

#include "tests/property/reference.h"

json_t *
reference_path(const struct reference_unit *u)
{
    json_t *path = json_array();

    for (int v = 0; u->has_path && v < u->path.n; v++)
        json_array_append_new(path, json_pack("[i,I]", u->path.stages[v],
                                              (json_int_t)u->matched[u->path.events[v]].time_ms));
    return path;
}

static bool
visits(const struct reference_unit *u, int stage)
{
    for (int i = 0; i < u->path.n; i++)
        if (u->path.stages[i] == stage)
            return true;
    return false;
}

bool
reference_is_behind(const struct reference_funnel *f, const struct reference_unit *u,
                    const char *figure, int stage)
{
    bool is_counted = u->has_path && u->is_chosen;
    int last = u->has_path ? u->path.stages[u->path.n - 1] : 0;
    bool is_converted = last == f->q->n_stages;

    if (strcmp(figure, "seen") == 0)
        return reference_is_seen(f, u, stage);
    if (!is_counted)
        return false;
    if (strcmp(figure, "entered") == 0)
        return true;
    if (strcmp(figure, "began_before") == 0)
        return u->began_before;
    if (strcmp(figure, "after_range") == 0)
        return is_converted && u->matched[u->path.events[u->path.n - 1]].time_ms >= u->to_ms;
    if (strcmp(figure, "converted") == 0)
        return is_converted && (stage == 0 || visits(u, stage));
    if (strcmp(figure, "reached") == 0)
        return visits(u, stage);
    if (strcmp(figure, "skipped") == 0)
        return last > stage && !visits(u, stage);
    if (strcmp(figure, "throughput") == 0)
        return last >= stage;
    if (strcmp(figure, "entries") == 0)
        return u->path.stages[0] == stage;
    if (strcmp(figure, "exits") == 0 || strcmp(figure, "dropoff") == 0)
        return last == stage;
    if (strcmp(figure, "open") == 0)
        return last == stage && u->is_open;
    if (strcmp(figure, "onward") == 0)
        return visits(u, stage) && last > stage;
    abort();
}

json_t *
reference_list(const struct reference_site *site, const struct question *q,
               enum question_preset preset, const char *figure, int stage, struct arena *a)
{
    struct reference_range range = reference_range(q);
    struct reference_funnel f;
    struct reference_units units;
    json_t *out;

    reference_units(site, q, preset, &range, a, &f, &units);
    if (units.is_too_much)
        return NULL;
    out = json_array();
    for (int i = 0; i < units.n; i++) {
        const struct reference_unit *u = &units.list[i];
        char start[TIMESTAMP_TEXT_MAX];
        json_t *unit;

        if (!reference_is_behind(&f, u, figure, stage))
            continue;
        unit = json_pack("{s:s%,s:o}", "visitor", u->person->visitor.p, u->person->visitor.n,
                         "path", reference_path(u));
        if (q->of_sessions)
            json_object_set_new(
                unit, "session",
                json_string(timestamp_format(u->events[0].event->time_ms, true, start)));
        json_array_append_new(out, unit);
    }
    return out;
}
