/* The funnel query: snapshot -> scans -> journeys -> paths -> tallies -> reports. */
#include <stdlib.h>

#include "aggregator/journey.h"
#include "aggregator/query_int.h"
#include "core/clock.h"
#include "core/log.h"

#define SALT_LIFE_MS 86400000 /* of a cookieless visitor's id (docs/identity.md) */

struct paths {
    struct report_path *list;
    size_t n;
    size_t max;
};

/* One attempt: all segments but those that proved damaged. */
struct attempt {
    const struct query_funnel *q;
    struct matcher *matcher;
    struct plan plans[PRESET_COUNT];
    struct tally *tallies[PRESET_COUNT];
    struct paths paths[PRESET_COUNT];
    struct arena arena; /* visitors of paths */
    struct leaf_scratch *scratch;
    int64_t bots_end_ms; /* events removed before this are counted */
    int64_t n_bots;
    int64_t n_read;
    bool outlives_salts;                /* a window longer than a cookieless id lasts */
    int64_t n_cookieless[PRESET_COUNT]; /* visitors that entered; where a window does */
    struct path_event *events;          /* of one visitor: those that match anything */
    struct tally_value *values;
    size_t events_max;
};

static int64_t
add_clamped(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

/* ---- One visitor ---- */

static void
reserve_events(struct attempt *t, size_t n)
{
    if (n <= t->events_max)
        return;
    t->events_max = 2 * n;
    t->events = mem_realloc(t->events, t->events_max * sizeof *t->events);
    t->values = mem_realloc(t->values, t->events_max * sizeof *t->values);
}

/* Bots and what is after as_of go first; what matches nothing changes nothing. */
static uint32_t
choose_events(struct attempt *t, const struct journey *j)
{
    const struct request *r = t->q->request;
    uint32_t n = 0;

    reserve_events(t, j->n);
    for (uint32_t i = 0; i < j->n; i++) {
        const struct scan_row *row = &j->rows[i];
        bool is_bot = (row->flags & EVENT_BOT) != 0;

        if (row->time_ms > r->as_of_ms)
            continue;
        if (is_bot && r->bots == BOTS_EXCLUDE) {
            t->n_bots += row->time_ms >= r->range.from_ms && row->time_ms < t->bots_end_ms;
            continue;
        }
        if (!is_bot && r->bots == BOTS_ONLY)
            continue;
        if ((row->masks.stages | row->masks.exclusions) == 0)
            continue;
        t->events[n] = (struct path_event){row->time_ms, row->masks.stages, row->masks.exclusions};
        t->values[n++] = row->value;
    }
    return n;
}

static enum err_code
keep_path(struct attempt *t, struct paths *paths, const struct journey *j, const struct path *path,
          struct err *err)
{
    struct report_path *kept;
    struct slice visitor;
    enum err_code rc = journey_visitor(j, &visitor, err);

    if (rc != ERR_OK)
        return rc;
    if (paths->n == paths->max) {
        paths->max = 2 * paths->max + 64;
        paths->list = mem_realloc(paths->list, paths->max * sizeof *paths->list);
    }
    kept = &paths->list[paths->n++];
    *kept = (struct report_path){.visitor = arena_copy(&t->arena, visitor), .n = path->n};
    for (uint32_t i = 0; i < path->n; i++) {
        kept->visits[i].stage = path->visits[i].stage;
        kept->visits[i].time_ms = t->events[path->visits[i].event].time_ms;
    }
    return ERR_OK;
}

static bool
is_cookieless(const struct journey *j)
{
    for (uint32_t i = 0; i < j->n; i++)
        if (j->rows[i].flags & EVENT_COOKIELESS)
            return true;
    return false;
}

static enum err_code
take_visitor(const struct journey *j, void *context, struct err *err)
{
    struct attempt *t = context;
    const struct path_range *range = &t->q->request->range;
    uint32_t n = choose_events(t, j);
    enum err_code rc = ERR_OK;

    for (int i = 0; rc == ERR_OK && n > 0 && i < t->q->n_presets; i++) {
        struct path path;
        bool is_in = path_count(&t->plans[i], range, t->events, n, &path);

        tally_add(t->tallies[i], range, t->events, n, t->values, is_in ? &path : NULL);
        t->n_cookieless[i] += is_in && t->outlives_salts && is_cookieless(j);
        if (is_in && t->q->want_paths)
            rc = keep_path(t, &t->paths[i], j, &path, err);
    }
    return rc;
}

/* ---- One attempt over the segments ---- */

static enum err_code
attempt_init(struct attempt *t, const struct query_funnel *q, struct err *err)
{
    *t = (struct attempt){.q = q, .outlives_salts = q->funnel->window_ms > SALT_LIFE_MS};
    t->bots_end_ms = add_clamped(q->request->range.to_ms, q->funnel->window_ms);
    arena_init(&t->arena, 16 << 10);
    t->scratch = leaf_scratch_create();
    for (int i = 0; i < q->n_presets; i++) {
        plan_init(&t->plans[i], q->funnel, q->presets[i]);
        t->tallies[i] = tally_create(q->funnel->n_stages);
    }
    return matcher_create(q->funnel, &t->matcher, err);
}

static void
attempt_fini(struct attempt *t)
{
    for (int i = 0; i < PRESET_COUNT; i++) {
        tally_destroy(&t->tallies[i]);
        free(t->paths[i].list);
    }
    matcher_destroy(&t->matcher);
    leaf_scratch_destroy(&t->scratch);
    free(t->events);
    free(t->values);
    arena_fini(&t->arena);
}

/* The segments of a query, and why some are left out. */
struct inputs {
    size_t n;
    struct journey_input *list;
    size_t *of; /* index in the snapshot */
};

static enum err_code
open_inputs(struct attempt *t, const struct snapshot *snapshot, const bool *is_left_out,
            struct inputs *in, size_t *bad, struct err *err)
{
    struct scan_setup setup = {t->matcher, t->scratch, t->tallies, t->q->n_presets};

    in->n = 0;
    for (size_t i = 0; i < snapshot->n; i++) {
        const struct segment *segment = snapshot->segments[i].segment;
        const struct segment_site *site = segment_find_site(segment, t->q->site);
        struct scan *scan = NULL; /* stays so where all is before the range */
        enum err_code rc;

        if (!site || is_left_out[i])
            continue;
        if (site->time_max_ms >= t->q->request->range.from_ms) {
            rc = scan_open(segment, site, &setup, &scan, err);
            if (rc != ERR_OK) {
                *bad = i;
                return rc;
            }
            t->n_read += site->n_rows;
        }
        in->of[in->n] = i;
        in->list[in->n++] = (struct journey_input){segment, site, scan};
    }
    return ERR_OK;
}

/* ERR_CORRUPT: segment *bad of the snapshot is damaged. */
static enum err_code
run_attempt(struct attempt *t, const struct snapshot *snapshot, const bool *is_left_out,
            size_t *bad, struct err *err)
{
    struct inputs in = {.n = 0};
    size_t bad_input = 0;
    enum err_code rc;

    in.list = mem_zalloc((snapshot->n + 1) * sizeof *in.list);
    in.of = mem_zalloc((snapshot->n + 1) * sizeof *in.of);
    rc = open_inputs(t, snapshot, is_left_out, &in, bad, err);
    if (rc == ERR_OK) {
        rc = journey_each(in.list, in.n, snapshot->persons, take_visitor, t, &bad_input, err);
        if (rc == ERR_CORRUPT)
            *bad = in.of[bad_input];
    }
    for (size_t i = 0; i < in.n; i++)
        scan_close(&in.list[i].scan);
    free(in.list);
    free(in.of);
    return rc;
}

/* ---- The answer ---- */

/* A warning of this preset's own: how many have entered depends on it. */
static void
warn_of_salts(const struct attempt *t, int preset, struct arena *a, struct report_about *about)
{
    struct report_warning *list = ARENA_ARRAY(a, struct report_warning, about->n_warnings + 1);
    int64_t part = t->n_cookieless[preset];

    if (part == 0)
        return;
    if (about->n_warnings != 0)
        memcpy(list, about->warnings, about->n_warnings * sizeof *list);
    list[about->n_warnings++] = (struct report_warning){
        .code = SLICE("salt_shorter_than_window"),
        .message = arena_printf(
            a,
            "%lld of %lld visitors are cookieless: their ids last a day, so what they did on"
            " another day of the window of %.*s is not seen as theirs",
            (long long)part, (long long)tally_entered(t->tallies[preset]),
            SLICE_ARG(t->q->funnel->window)),
        .part = part,
        .whole = tally_entered(t->tallies[preset])};
    about->warnings = list;
}

static void
fill_answer(struct attempt *t, const struct snapshot *snapshot, struct query_answer *out,
            const struct report_about *about)
{
    memcpy(out->snapshot, snapshot->name, sizeof out->snapshot);
    out->n_reports = t->q->n_presets;
    for (int i = 0; i < t->q->n_presets; i++) {
        struct report_about own = *about;
        size_t n = t->paths[i].n;
        struct report_path *list = arena_alloc(&out->arena, n * sizeof *list);

        if (n != 0)
            memcpy(list, t->paths[i].list, n * sizeof *list);
        warn_of_salts(t, i, &out->arena, &own);
        own.snapshot = arena_copy(&out->arena, slice_from(snapshot->name));
        own.has_paths = t->q->want_paths;
        own.n_paths = n;
        own.paths = list;
        for (size_t k = 0; k < n; k++)
            list[k].visitor = arena_copy(&out->arena, list[k].visitor);
        out->tallies[i] = t->tallies[i];
        t->tallies[i] = NULL;
        report_fill(&out->reports[i], t->q->funnel, t->q->presets[i], out->tallies[i], &own);
    }
}

struct warnings {
    struct report_warning *list; /* in the answer's arena */
    size_t n;
};

static void
copy_warnings(const struct snapshot *snapshot, struct arena *a, struct warnings *w)
{
    /* room for those of the snapshot and one for each of its segments */
    w->list = ARENA_ARRAY(a, struct report_warning, snapshot->n_warnings + snapshot->n + 1);
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
answer_from(const struct snapshot *snapshot, const struct query_funnel *q, struct query_answer *out,
            struct err *err)
{
    bool *is_left_out = ARENA_ARRAY(&out->arena, bool, snapshot->n + 1);
    int64_t start_us = clock_steady_us();
    struct warnings warnings = {NULL, 0};
    struct report_about about = {.as_of_ms = q->request->as_of_ms};
    struct err why = ERR_NONE;
    enum err_code rc;

    copy_warnings(snapshot, &out->arena, &warnings);
    for (;;) {
        struct attempt t;
        size_t bad = 0;

        rc = attempt_init(&t, q, &why);
        if (rc == ERR_OK)
            rc = run_attempt(&t, snapshot, is_left_out, &bad, &why);
        if (rc == ERR_OK) {
            about.left_out_bots = t.n_bots;
            about.events_read = t.n_read;
            about.elapsed_us = clock_steady_us() - start_us;
            about.warnings = warnings.list;
            about.n_warnings = warnings.n;
            fill_answer(&t, snapshot, out, &about);
        }
        attempt_fini(&t);
        if (rc != ERR_CORRUPT || is_left_out[bad])
            break;
        is_left_out[bad] = true; /* it has given rows already: once more without it */
        leave_out(snapshot, bad, &why, &out->arena, &warnings);
    }
    if (rc != ERR_OK && err)
        *err = why;
    return rc;
}

/* Nothing at or after this moment can matter. What is before the range can: the earlier one of two
 * copies counts (an order that was sent again, a file imported with other times), however far apart
 * they are. */
static struct snapshot_scope
scope_of(const struct query_funnel *q)
{
    const struct request *r = q->request;
    int64_t to = add_clamped(r->range.to_ms, q->funnel->window_ms);
    int64_t end = to > r->as_of_ms ? add_clamped(r->as_of_ms, 1) : to;

    return (struct snapshot_scope){q->site, INT64_MIN, end, r->as_of_ms};
}

enum err_code
query_funnel(struct snapshot_pool *p, const struct query_funnel *q, struct query_answer *out,
             struct err *err)
{
    const struct snapshot *snapshot = NULL;
    struct query_answer answer = {.n_reports = 0};
    enum err_code rc;

    rc = query__check(q, err);
    if (rc == ERR_OK)
        rc = snapshot_take(p, scope_of(q), &snapshot, err);
    if (rc != ERR_OK)
        return rc;
    arena_init(&answer.arena, 16 << 10);
    rc = answer_from(snapshot, q, &answer, err);
    snapshot_release(p, &snapshot);
    if (rc == ERR_OK)
        *out = answer;
    else
        query_answer_fini(&answer);
    return rc;
}

void
query_answer_fini(struct query_answer *a)
{
    for (int i = 0; i < PRESET_COUNT; i++)
        tally_destroy(&a->tallies[i]);
    arena_fini(&a->arena);
}
