/* The funnel query: snapshot -> passes -> reports. What is not here: how a pass counts. */
#include <stdlib.h>

#include "aggregator/pass.h"
#include "aggregator/query.h"
#include "aggregator/shortfall.h"
#include "core/clock.h"
#include "core/log.h"

#define SALT_LIFE_MS 86400000 /* of a cookieless visitor's id (docs/identity.md) */

/* One attempt: all segments but those that proved damaged. */
struct attempt {
    const struct query_funnel *q;
    const struct snapshot *snapshot;
    bool *is_left_out;
    size_t bad;
    size_t n_points;
    struct path_range *points;
};

/* ---- Passes ---- */

static enum err_code
run_pass(struct attempt *t, const struct pass_setup *setup, const struct persons *persons,
         struct pass **out, struct err *err)
{
    enum err_code rc = pass_create(setup, out, err);

    if (rc == ERR_OK)
        rc = pass_run(*out, t->snapshot, persons, t->is_left_out, &t->bad, err);
    return rc;
}

static bool
is_counted_only(const struct pass *p)
{
    bool is = false;

    for (int i = 0; i < PRESET_COUNT; i++)
        is = is || (p->breakdowns[i] && p->breakdowns[i]->is_counted_only);
    return is;
}

static void
finish_breakdowns(struct pass *p, const struct request *r)
{
    for (int i = 0; i < PRESET_COUNT; i++)
        if (p->breakdowns[i])
            breakdown_finish(p->breakdowns[i], (size_t)r->limit);
}

static enum err_code
run_main(struct attempt *t, struct query_answer *out, struct err *err)
{
    const struct request *r = t->q->request;
    struct pass_setup setup = {.q = t->q,
                               .range = r->range,
                               .as_of_ms = r->as_of_ms,
                               .n_points = t->n_points,
                               .points = t->points,
                               .values = out->values};
    struct pass *counted = NULL;
    enum err_code rc = run_pass(t, &setup, t->snapshot->persons, &out->main, err);

    if (rc != ERR_OK)
        return rc;
    finish_breakdowns(out->main, r);
    if (!is_counted_only(out->main))
        return ERR_OK;
    counted = out->main; /* too many values: once more, for the rows that are to be shown */
    out->main = NULL;
    setup.rows = counted->breakdowns;
    rc = run_pass(t, &setup, t->snapshot->persons, &out->main, err);
    pass_destroy(&counted);
    return rc;
}

static enum err_code
run_compare(struct attempt *t, struct query_answer *out, struct err *err)
{
    const struct request *r = t->q->request;
    struct query_funnel *q = ARENA_NEW(&out->arena, struct query_funnel);
    struct pass_setup setup = {.q = q,
                               .range = r->compare.range,
                               .as_of_ms = r->compare.as_of_ms,
                               .values = out->values,
                               .rows = out->main->breakdowns};

    if (!r->compare.is_given)
        return ERR_OK;
    *q = *t->q;
    q->want_paths = false;
    q->figure = NULL;
    return run_pass(t, &setup, t->snapshot->compare_persons, &out->compare, err);
}

static void
drop_results(struct query_answer *a)
{
    pass_destroy(&a->main);
    pass_destroy(&a->compare);
    for (int i = 0; i < REQUEST_BREAKDOWNS_MAX; i++)
        attribute_values_destroy(&a->values[i]);
}

/* ERR_CORRUPT: segment t->bad of the snapshot is damaged. */
static enum err_code
run_attempt(struct attempt *t, struct query_answer *out, struct err *err)
{
    const struct request *r = t->q->request;
    enum err_code rc;

    drop_results(out);
    for (size_t i = 0; i < r->n_breakdowns; i++)
        out->values[i] = attribute_values_create(&r->breakdowns[i], &t->snapshot->page_groups);
    rc = run_main(t, out, err);
    return rc == ERR_OK ? run_compare(t, out, err) : rc;
}

/* ---- The answer ---- */

/* A warning of this preset's own: how many have entered depends on it. */
static void
warn_of_salts(const struct query_funnel *q, const struct pass *p, int preset, struct arena *a,
              struct report_about *about)
{
    struct report_warning *list = ARENA_ARRAY(a, struct report_warning, about->n_warnings + 1);
    int64_t part = p->n_cookieless[preset];
    int64_t whole = tally_entered(p->tallies[preset]);

    if (part == 0 || q->funnel->window_ms <= SALT_LIFE_MS)
        return;
    if (about->n_warnings != 0)
        memcpy(list, about->warnings, about->n_warnings * sizeof *list);
    list[about->n_warnings++] = (struct report_warning){
        .code = SLICE("salt_shorter_than_window"),
        .message = arena_printf(
            a,
            "%lld of %lld visitors are cookieless: their ids last a day, so what they did on"
            " another day of the window of %.*s is not seen as theirs",
            (long long)part, (long long)whole, SLICE_ARG(q->funnel->window)),
        .part = part,
        .whole = whole};
    about->warnings = list;
}

/* Everything of one report but its total lives in the arena. */
struct filling {
    const struct query_funnel *q;
    int preset;
    struct attribute_values *const *values;
    struct arena *arena;
};

static struct report_rows
rows_of(const struct filling *f, const struct pass *p)
{
    const struct breakdown *b = p->breakdowns[f->preset];
    int n_values = (int)f->q->request->n_breakdowns;
    struct report_rows rows = {.n_values = n_values};
    struct report_row *list;

    if (!b)
        return rows;
    list = ARENA_ARRAY(f->arena, struct report_row, b->n_rows + 1);
    for (size_t i = 0; i < b->n_rows; i++) {
        list[i].tally = b->rows[i].tally;
        for (int k = 0; k < n_values; k++)
            list[i].values[k] = attribute_values_text(f->values[k], b->rows[i].key.values[k]);
    }
    rows.n = b->n_rows;
    rows.list = list;
    if (b->other)
        list[rows.n++] = (struct report_row){.is_other = true, .tally = b->other};
    return rows;
}

static void
fill_points(const struct filling *f, const struct pass *p, struct report_parts *out)
{
    size_t n = p->setup.n_points;
    struct report_point *points = ARENA_ARRAY(f->arena, struct report_point, n + 1);

    for (size_t i = 0; i < n; i++)
        points[i] = (struct report_point){p->setup.points[i].from_ms, p->points[f->preset][i]};
    out->has_trend = f->q->request->trend != TREND_NONE;
    out->n_points = n;
    out->points = points;
}

static struct report_compare *
compare_of(const struct filling *f, const struct pass *p)
{
    struct report_compare *c;

    if (!p)
        return NULL;
    c = ARENA_NEW(f->arena, struct report_compare);
    *c = (struct report_compare){.range = p->setup.range,
                                 .as_of_ms = p->setup.as_of_ms,
                                 .tally = p->tallies[f->preset],
                                 .breakdown = rows_of(f, p)};
    return c;
}

static void
fill_report(const struct filling *f, const struct query_answer *a, const struct report_about *about,
            struct report *out)
{
    struct report_about own = *about;

    warn_of_salts(f->q, a->main, f->preset, f->arena, &own);
    own.has_paths = f->q->want_paths;
    own.n_paths = a->main->paths[f->preset].n;
    own.paths = a->main->paths[f->preset].units;
    report_fill(out, f->q->funnel, f->q->presets[f->preset], a->main->tallies[f->preset], &own);
    out->parts.zone = f->q->request->zone;
    out->parts.is_counts_only = f->q->request->is_counts_only;
    out->parts.breakdown = rows_of(f, a->main);
    fill_points(f, a->main, &out->parts);
    out->parts.compare = compare_of(f, a->compare);
}

static void
fill_answer(const struct query_funnel *q, struct query_answer *out,
            const struct report_about *about)
{
    out->n_reports = q->n_presets;
    if (q->figure)
        out->list = (struct report_list){.place = *q->figure,
                                         .n_all = (int64_t)out->main->n_in_figure,
                                         .n_skipped = (int64_t)q->list_skip,
                                         .n = out->main->list.n,
                                         .units = out->main->list.units};
    for (int i = 0; i < q->n_presets; i++)
        fill_report(&(struct filling){q, i, out->values, &out->arena}, out, about,
                    &out->reports[i]);
}

struct warnings {
    struct report_warning *list; /* in the answer's arena */
    size_t n;
};

static void
copy_warnings(const struct snapshot *snapshot, struct arena *a, struct warnings *w)
{
    /* room for those of the snapshot, one for each of its segments, one of retention, and of values
     */
    w->list = ARENA_ARRAY(a, struct report_warning,
                          snapshot->n_warnings + snapshot->n + 1 + SHORTFALL_WARNINGS_MAX);
    for (size_t i = 0; i < snapshot->n_warnings; i++)
        w->list[w->n++] =
            (struct report_warning){.code = arena_copy(a, snapshot->warnings[i].code),
                                    .message = arena_copy(a, snapshot->warnings[i].message)};
}

static void
leave_out(const struct snapshot *snapshot, size_t bad, const struct err *why, struct arena *a,
          struct warnings *w)
{
    const struct catalog_segment *row = snapshot->segments[bad].row;

    log_error("segment left out: %s", why->message);
    w->list[w->n++] = (struct report_warning){
        .code = SLICE("segment_left_out"),
        .message = arena_printf(a, "%llu events of %s are not counted: %s",
                                (unsigned long long)row->n_rows, row->name, why->message)};
}

static enum err_code
find_points(struct attempt *t, struct arena *a, struct err *err)
{
    const struct snapshot *snapshot = t->snapshot;
    int64_t first_ms = INT64_MAX;
    int64_t last_ms = INT64_MIN;

    for (size_t i = 0; i < snapshot->n; i++) {
        const struct segment_site *site =
            segment_find_site(snapshot->segments[i].segment, t->q->site);

        if (site && site->time_min_ms < first_ms)
            first_ms = site->time_min_ms;
        if (site && site->time_max_ms > last_ms)
            last_ms = site->time_max_ms;
    }
    if (first_ms <= last_ms && segment_erased_cuts(&snapshot->erased, first_ms))
        first_ms = snapshot->erased.kept_from_ms;
    return request_points(t->q->request, first_ms, last_ms, a, &t->points, &t->n_points, err);
}

static enum err_code
answer_from(const struct snapshot *snapshot, const struct query_funnel *q, struct query_answer *out,
            struct err *err)
{
    struct attempt t = {.q = q, .snapshot = snapshot};
    int64_t start_us = clock_steady_us();
    struct warnings warnings = {NULL, 0};
    struct report_about about = {.as_of_ms = q->request->as_of_ms};
    struct err why = ERR_NONE;
    enum err_code rc;

    memcpy(out->snapshot, snapshot->name, sizeof out->snapshot);
    about.snapshot = arena_copy(&out->arena, slice_from(snapshot->name));
    t.is_left_out = ARENA_ARRAY(&out->arena, bool, snapshot->n + 1);
    copy_warnings(snapshot, &out->arena, &warnings);
    shortfall_warn(
        snapshot,
        &(struct shortfall_question){.site = q->site, .funnel = q->funnel, .request = q->request},
        &out->arena, warnings.list, &warnings.n);
    rc = find_points(&t, &out->arena, err);
    if (rc != ERR_OK)
        return rc;
    for (;;) {
        rc = run_attempt(&t, out, &why);
        if (rc != ERR_CORRUPT || t.is_left_out[t.bad])
            break;
        t.is_left_out[t.bad] = true; /* it has given rows already: once more without it */
        leave_out(snapshot, t.bad, &why, &out->arena, &warnings);
    }
    if (rc != ERR_OK) {
        if (err)
            *err = why;
        return rc;
    }
    about.left_out_bots = out->main->n_bots;
    about.events_read = out->main->n_read + (out->compare ? out->compare->n_read : 0);
    about.elapsed_us = clock_steady_us() - start_us;
    about.warnings = warnings.list;
    about.n_warnings = warnings.n;
    fill_answer(q, out, &about);
    return ERR_OK;
}

enum err_code
query_funnel_take(struct snapshot_pool *p, const struct query_funnel *q,
                  const struct snapshot **out, struct err *err)
{
    enum err_code rc = request_check_funnel(q->request, q->funnel, err);

    if (rc == ERR_OK && q->snapshot.n != 0)
        rc = snapshot_take_kept(p, q->snapshot, pass_scope(q->site, q->funnel, q->request), out,
                                err);
    else if (rc == ERR_OK)
        rc = snapshot_take(p, pass_scope(q->site, q->funnel, q->request), out, err);
    if (rc == ERR_OK && q->keeps_snapshot)
        snapshot_keep(p, *out);
    return rc;
}

enum err_code
query_funnel_from(const struct snapshot *snapshot, const struct query_funnel *q,
                  struct query_answer *out, struct err *err)
{
    struct query_answer answer = {.n_reports = 0};
    enum err_code rc;

    arena_init(&answer.arena, 16 << 10);
    rc = answer_from(snapshot, q, &answer, err);
    if (rc == ERR_OK)
        *out = answer;
    else
        query_answer_fini(&answer);
    return rc;
}

enum err_code
query_funnel(struct snapshot_pool *p, const struct query_funnel *q, struct query_answer *out,
             struct err *err)
{
    const struct snapshot *snapshot = NULL;
    enum err_code rc = query_funnel_take(p, q, &snapshot, err);

    if (rc == ERR_OK)
        rc = query_funnel_from(snapshot, q, out, err);
    snapshot_release(p, &snapshot);
    return rc;
}

static bool
has_ended(const struct path_range *range, int64_t window_ms, int64_t as_of_ms)
{
    return range->to_ms != INT64_MAX && path_time_add(range->to_ms, window_ms) <= as_of_ms;
}

bool
query_funnel_is_settled(const struct query_funnel *q, const struct snapshot *snapshot)
{
    const struct request *r = q->request;
    int64_t window_ms = q->funnel->window_ms;

    return q->funnel->count == COUNT_VISITORS && snapshot->has_all_links &&
           has_ended(&r->range, window_ms, r->as_of_ms) &&
           (!r->compare.is_given || has_ended(&r->compare.range, window_ms, r->compare.as_of_ms));
}

void
query_answer_fini(struct query_answer *a)
{
    drop_results(a);
    arena_fini(&a->arena);
}
