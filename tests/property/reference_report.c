/* The figures of funnel.md section 3, each counted by its own sentence, as the JSON of section 5.
 */
#include <jansson.h>
#include <stdlib.h>

#include "core/decimal.h"
#include "tests/property/reference.h"

#define POINTS_MAX 400

/* ---- Which units are counted ---- */

/* The counted paths of a report, or of one row of its breakdown. */
struct counted {
    const struct reference_funnel *f;
    int n;
    const struct reference_unit **list;
    struct arena *a;
};

static bool
visits(const struct reference_unit *u, int stage)
{
    for (int i = 0; i < u->path.n; i++)
        if (u->path.stages[i] == stage)
            return true;
    return false;
}

static int
last_stage(const struct reference_unit *u)
{
    return u->path.stages[u->path.n - 1];
}

static const struct event *
visit_event(const struct reference_unit *u, int visit)
{
    return u->by_id[u->path.events[visit]]->event;
}

/* ---- Values and times ---- */

struct sums {
    int n;
    struct slice currencies[16];
    int64_t units[16];
};

static void
add_value(struct sums *s, const struct event *e)
{
    int i = 0;

    if (!event_has_number(e, NUMBER_VALUE))
        return;
    while (i < s->n && !slice_equal(s->currencies[i], e->text[TEXT_CURRENCY]))
        i++;
    if (i == s->n)
        s->currencies[s->n++] = e->text[TEXT_CURRENCY];
    s->units[i] += e->number[NUMBER_VALUE];
}

static json_t *
sums_json(const struct sums *s)
{
    json_t *out = json_object();

    for (int i = 0; i < s->n; i++) {
        struct buffer text = BUFFER_EMPTY;
        char key[8];

        slice_to_cstr(s->currencies[i], key, sizeof key);
        decimal_add(&text, s->units[i], currency_digits(s->currencies[i]));
        json_object_set_new(out, key, json_stringn(text.p, text.n));
        buffer_fini(&text);
    }
    return out;
}

static int
compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* "nearest rank (the ceil(p*n/100)-th smallest); means round half up" */
static json_t *
times_json(int64_t *times, int64_t n)
{
    int64_t sum = 0;

    if (n == 0)
        return json_null();
    qsort(times, (size_t)n, sizeof *times, compare_times);
    for (int64_t i = 0; i < n; i++)
        sum += times[i];
    return json_pack("{s:I,s:I,s:I}", "p50", (json_int_t)times[(50 * n + 99) / 100 - 1], "p90",
                     (json_int_t)times[(90 * n + 99) / 100 - 1], "mean",
                     (json_int_t)((2 * sum + n) / (2 * n)));
}

/* "over paths that visit k and did not start there" */
static json_t *
stage_times(const struct counted *c, int stage, bool since_first)
{
    int64_t *times = ARENA_ARRAY(c->a, int64_t, (size_t)c->n + 1);
    int n = 0;

    for (int i = 0; i < c->n; i++)
        for (int v = 1; v < c->list[i]->path.n; v++)
            if (c->list[i]->path.stages[v] == stage)
                times[n++] = visit_event(c->list[i], v)->time_ms -
                             visit_event(c->list[i], since_first ? 0 : v - 1)->time_ms;
    return times_json(times, n);
}

static json_t *
stage_value(const struct counted *c, int stage)
{
    struct sums sums = {0};

    for (int i = 0; i < c->n; i++)
        for (int v = 0; v < c->list[i]->path.n; v++)
            if (c->list[i]->path.stages[v] == stage)
                add_value(&sums, visit_event(c->list[i], v));
    return sums_json(&sums);
}

static json_t *
rate(int64_t a, int64_t b)
{
    return b == 0 ? json_null() : json_real((double)a / (double)b);
}

/* ---- One stage ---- */

struct stage_counts {
    int reached;
    int skipped;
    int entries;
    int exits;
    int open;
    int converted;
};

static struct stage_counts
count_stage(const struct counted *c, int stage)
{
    struct stage_counts s = {0};

    for (int i = 0; i < c->n; i++) {
        const struct reference_unit *u = c->list[i];
        bool is_exit = last_stage(u) == stage;

        s.reached += visits(u, stage);
        s.skipped += last_stage(u) > stage && !visits(u, stage);
        s.entries += u->path.stages[0] == stage;
        s.exits += is_exit;
        s.open += is_exit && u->is_open;
        s.converted += visits(u, stage) && last_stage(u) == c->f->q->n_stages;
    }
    return s;
}

static void
set(json_t *object, const char *key, int value)
{
    json_object_set_new(object, key, json_integer(value));
}

static json_t *
stage_json(const struct counted *c, int stage)
{
    struct stage_counts s = count_stage(c, stage);
    struct stage_counts first = count_stage(c, 1);
    struct stage_counts before = stage > 1 ? count_stage(c, stage - 1) : first;
    bool is_last = stage == c->f->q->n_stages;
    json_t *out = json_object();
    int throughput = s.reached + s.skipped;

    set(out, "reached", s.reached);
    set(out, "skipped", s.skipped);
    set(out, "throughput", throughput);
    set(out, "entries", s.entries);
    set(out, "exits", s.exits);
    json_object_set_new(out, "dropoff", is_last ? json_null() : json_integer(s.exits));
    json_object_set_new(out, "open", is_last ? json_null() : json_integer(s.open));
    set(out, "onward", s.reached - s.exits);
    set(out, "converted", s.converted);
    json_object_set_new(out, "rate_onward", rate(s.reached - s.exits, s.reached));
    json_object_set_new(out, "rate_converted", rate(s.converted, s.reached));
    json_object_set_new(out, "rate_from_first", rate(throughput, first.reached + first.skipped));
    json_object_set_new(out, "rate_from_previous",
                        stage == 1 ? json_null()
                                   : rate(throughput, before.reached + before.skipped));
    json_object_set_new(out, "value", stage_value(c, stage));
    json_object_set_new(out, "time_from_previous_ms", stage_times(c, stage, false));
    json_object_set_new(out, "time_from_start_ms", stage_times(c, stage, true));
    return out;
}

static void
set_seen(json_t *out, const struct reference_funnel *f, const struct reference_units *units,
         int stage)
{
    struct sums sums = {0};
    int seen = 0;

    for (int i = 0; i < units->n; i++) {
        const struct reference_unit *u = &units->list[i];

        seen += reference_is_seen(f, u, stage);
        for (int e = 0; e < u->n; e++)
            if (u->is_chosen && reference_sees(f, u, e, stage))
                add_value(&sums, u->by_id[e]->event);
    }
    set(out, "seen", seen);
    json_object_set_new(out, "seen_value", sums_json(&sums));
}

/* ---- All counts of some counted paths ---- */

static void
set_counts(json_t *out, const struct counted *c)
{
    json_t *stages = json_array();
    int converted = 0;

    for (int stage = 1; stage <= c->f->q->n_stages; stage++)
        json_array_append_new(stages, stage_json(c, stage));
    for (int i = 0; i < c->n; i++)
        converted += last_stage(c->list[i]) == c->f->q->n_stages;
    set(out, "entered", c->n);
    set(out, "converted", converted);
    json_object_set_new(out, "stages", stages);
}

static json_t *
moves_json(const struct counted *c)
{
    json_t *out = json_array();

    for (int from = 0; from <= c->f->q->n_stages; from++) {
        for (int to = from + 1; to <= c->f->q->n_stages; to++) {
            int n = 0;

            for (int i = 0; i < c->n; i++) {
                const struct brute_path *p = &c->list[i]->path;

                n += from == 0 && p->stages[0] == to;
                for (int v = 1; v < p->n; v++)
                    n += p->stages[v - 1] == from && p->stages[v] == to;
            }
            if (n > 0)
                json_array_append_new(out, json_pack("[i,i,i]", from, to, n));
        }
    }
    return out;
}

/* "conversions whose last visit is at or after `to`"; a session has no `to` */
static int
count_after_range(const struct counted *c)
{
    int n = 0;

    for (int i = 0; i < c->n; i++) {
        const struct reference_unit *u = c->list[i];

        n += last_stage(u) == c->f->q->n_stages &&
             visit_event(u, u->path.n - 1)->time_ms >= u->to_ms;
    }
    return n;
}

static int
count_began_before(const struct counted *c)
{
    int n = 0;

    for (int i = 0; i < c->n; i++)
        n += c->list[i]->began_before;
    return n;
}

/* ---- Breakdown ---- */

struct row {
    struct slice keys[QUESTION_BREAKDOWNS_MAX];
    int entered;
};

struct rows {
    int n_breakdowns;
    int n;
    struct row *list; /* in the arena */
};

static bool
is_in_row(const struct reference_unit *u, const struct row *row)
{
    return slice_equal(u->keys[0], row->keys[0]) && slice_equal(u->keys[1], row->keys[1]);
}

/* "by `entered` descending, then by text, attribute by attribute, null last" */
static int
compare_rows(const void *x, const void *y)
{
    const struct row *a = x;
    const struct row *b = y;

    if (a->entered != b->entered)
        return a->entered > b->entered ? -1 : 1;
    for (int i = 0; i < QUESTION_BREAKDOWNS_MAX; i++) {
        if ((a->keys[i].n == 0) != (b->keys[i].n == 0))
            return a->keys[i].n == 0 ? 1 : -1;
        if (!slice_equal(a->keys[i], b->keys[i]))
            return slice_compare(a->keys[i], b->keys[i]);
    }
    return 0;
}

static struct rows
find_rows(const struct counted *c)
{
    struct rows rows = {.n_breakdowns = c->f->q->n_breakdowns,
                        .list = ARENA_ARRAY(c->a, struct row, (size_t)c->n + 1)};
    int limit = c->f->q->limit != 0 ? c->f->q->limit : 20;

    for (int i = 0; i < c->n; i++) {
        int at = 0;

        while (at < rows.n && !is_in_row(c->list[i], &rows.list[at]))
            at++;
        if (at == rows.n)
            memcpy(rows.list[rows.n++].keys, c->list[i]->keys, sizeof rows.list[at].keys);
        rows.list[at].entered++;
    }
    qsort(rows.list, (size_t)rows.n, sizeof *rows.list, compare_rows);
    if (rows.n > limit)
        rows.n = limit;
    return rows;
}

/* The counted paths of row `at`; those of no row where it is rows->n. */
static struct counted
counted_of_row(const struct counted *c, const struct rows *rows, int at)
{
    struct counted out = {.f = c->f, .a = c->a};

    out.list = ARENA_ARRAY(c->a, const struct reference_unit *, (size_t)c->n + 1);
    for (int i = 0; i < c->n; i++) {
        int row = 0;

        while (row < rows->n && !is_in_row(c->list[i], &rows->list[row]))
            row++;
        if (row == at)
            out.list[out.n++] = c->list[i];
    }
    return out;
}

static json_t *
breakdown_json(const struct counted *c, const struct rows *rows)
{
    json_t *out = json_array();

    for (int at = 0; at <= rows->n; at++) {
        struct counted of_row = counted_of_row(c, rows, at);
        json_t *row = json_object();
        json_t *values = json_array();

        for (int i = 0; at < rows->n && i < rows->n_breakdowns; i++) {
            struct slice key = rows->list[at].keys[i];

            json_array_append_new(values, key.n == 0 ? json_null() : json_stringn(key.p, key.n));
        }
        if (at < rows->n)
            json_object_set(row, "values", values);
        else
            json_object_set_new(row, "other", json_true());
        json_decref(values);
        set_counts(row, &of_row);
        if (at < rows->n || of_row.n > 0)
            json_array_append(out, row);
        json_decref(row);
    }
    return out;
}

/* ---- Reports ---- */

struct asked {
    const struct reference_site *site;
    const struct question *q;
    enum question_preset preset;
    struct arena *a;
};

/* By visitor: the path, or where sessions are counted the list of paths. */
static json_t *
paths_json(const struct counted *c)
{
    json_t *out = json_object();

    for (int i = 0; i < c->n; i++) {
        json_t *path = reference_path(c->list[i]);
        char visitor[EVENT_VISITOR_MAX + 1];

        slice_to_cstr(c->list[i]->person->visitor, visitor, sizeof visitor);
        if (c->f->q->of_sessions && json_object_get(out, visitor) == NULL)
            json_object_set_new(out, visitor, json_array());
        if (c->f->q->of_sessions)
            json_array_append_new(json_object_get(out, visitor), path);
        else
            json_object_set_new(out, visitor, path);
    }
    return out;
}

/* One range's report. rows: those of the main report; those found are written where rows->n is -1.
 */
static json_t *
report_of(const struct asked *asked, const struct reference_range *range, struct rows *rows)
{
    struct reference_funnel f;
    struct reference_units units;
    struct counted c = {.f = &f, .a = asked->a};
    json_t *out;

    reference_units(asked->site, asked->q, asked->preset, range, asked->a, &f, &units);
    if (units.is_too_much)
        return NULL;
    c.list = ARENA_ARRAY(asked->a, const struct reference_unit *, (size_t)units.n + 1);
    for (int i = 0; i < units.n; i++)
        if (units.list[i].has_path && units.list[i].is_chosen)
            c.list[c.n++] = &units.list[i];
    out = json_object();
    set_counts(out, &c);
    for (int stage = 1; stage <= asked->q->n_stages; stage++) {
        json_t *of_stage = json_array_get(json_object_get(out, "stages"), (size_t)stage - 1);

        set_seen(of_stage, &f, &units, stage);
        json_object_set_new(of_stage, "required", json_boolean(brute_is_required(&f.brute, stage)));
    }
    json_object_set_new(out, "conversion_rate",
                        rate(json_integer_value(json_object_get(out, "converted")), c.n));
    set(out, "began_before", count_began_before(&c));
    set(out, "after_range", count_after_range(&c));
    json_object_set_new(out, "moves", moves_json(&c));
    json_object_set_new(out, "left_out", json_pack("{s:I}", "bots", (json_int_t)units.n_left_out));
    json_object_set_new(out, "paths", paths_json(&c));
    if (rows->n < 0)
        *rows = find_rows(&c);
    if (rows->n_breakdowns > 0)
        json_object_set_new(out, "breakdown", breakdown_json(&c, rows));
    return out;
}

/* Only what a point of a trend has. */
static json_t *
point_json(json_t *report, const char *start)
{
    static const char *const not_counts[] = {
        "value",       "seen_value",     "time_from_previous_ms", "time_from_start_ms",
        "rate_onward", "rate_converted", "rate_from_first",       "rate_from_previous",
        "required"};
    json_t *out = json_object();
    json_t *stages = json_object_get(report, "stages");

    json_object_set_new(out, "start", json_string(start));
    for (size_t i = 0; i < json_array_size(stages); i++)
        for (size_t k = 0; k < sizeof not_counts / sizeof *not_counts; k++)
            json_object_del(json_array_get(stages, i), not_counts[k]);
    json_object_set(out, "entered", json_object_get(report, "entered"));
    json_object_set(out, "converted", json_object_get(report, "converted"));
    json_object_set(out, "stages", stages);
    json_decref(report);
    return out;
}

static json_t *
trend_json(const struct asked *asked)
{
    struct reference_range points[POINTS_MAX];
    int n = reference_points(asked->q, points, POINTS_MAX);
    json_t *out = json_array();

    for (int i = 0; i < n; i++) {
        struct rows none = {.n = 0};
        char start[TIMESTAMP_TEXT_MAX];
        json_t *report = report_of(asked, &points[i], &none);

        if (report == NULL) {
            json_decref(out);
            return NULL;
        }
        json_array_append_new(out,
                              point_json(report, reference_start(asked->q, &points[i], start)));
    }
    return out;
}

json_t *
reference_report(const struct reference_site *site, const struct question *q,
                 enum question_preset preset, struct arena *a)
{
    struct asked asked = {site, q, preset, a};
    struct reference_range range = reference_range(q);
    struct rows rows = {.n = -1};
    json_t *out = report_of(&asked, &range, &rows);

    if (out != NULL && q->trend != NO_TREND &&
        json_object_set_new(out, "trend", trend_json(&asked)))
        goto too_much;
    if (out != NULL && q->compare != NO_COMPARE) {
        struct reference_range other = reference_compared(q);
        json_t *compared = report_of(&asked, &other, &rows);

        if (json_object_set_new(out, "compare", compared))
            goto too_much;
        json_object_del(compared, "paths");
        json_object_del(compared, "left_out");
    }
    return out;
too_much:
    json_decref(out);
    return NULL;
}
