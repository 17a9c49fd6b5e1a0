/* Tables as files: POST /api/v1/sites/{site}/export, the report's own body with what is wanted of
 * it.
 *
 * Stages, rows, trend and moves are the report's JSON as lines. The list of visitors behind a
 * figure is whole: it is counted once, held under the limits of a query (422 beyond them, never
 * less than all), and written out while it is sent.
 */
#include "aggregator/query.h"
#include "core/clock.h"
#include "core/timestamp.h"
#include "web/api/csv.h"
#include "web/api/web_int.h"

#define LINES_BYTES (64 * 1024) /* that are sent at once */

static const char *const whats[] = {"stages", "breakdown", "trend", "moves", "visitors", NULL};

/* ---- Tables of a report ---- */

static void
cell(struct csv *csv, const json_t *value)
{
    if (json_is_integer(value))
        csv_integer(csv, json_integer_value(value));
    else if (json_is_real(value))
        csv_number(csv, json_real_value(value));
    else if (json_is_string(value))
        csv_text(csv, slice_of(json_string_value(value), json_string_length(value)));
    else if (json_is_boolean(value))
        csv_text(csv, json_is_true(value) ? SLICE("true") : SLICE("false"));
    else
        csv_nothing(csv);
}

static void
text(struct csv *csv, const char *words)
{
    csv_text(csv, slice_from(words));
}

static const char *const counts[] = {"reached", "skipped", "throughput", "entries",  "exits",
                                     "dropoff", "open",    "onward",     "converted"};
#define N_COUNTS (sizeof counts / sizeof *counts)

static const char *const rates[] = {"rate_onward", "rate_converted", "rate_from_first",
                                    "rate_from_previous"};
#define N_RATES (sizeof rates / sizeof *rates)

/* The stage's number, name, counts and, where they are given, rates. */
static void
stage_cells(struct csv *csv, const json_t *stage, const json_t *named, size_t number,
            bool has_rates)
{
    csv_integer(csv, (int64_t)number + 1);
    cell(csv, json_object_get(named, "name"));
    for (size_t i = 0; i < N_COUNTS; i++)
        cell(csv, json_object_get(stage, counts[i]));
    for (size_t i = 0; i < N_RATES && has_rates; i++)
        cell(csv, json_object_get(stage, rates[i]));
}

static void
stage_headings(struct csv *csv, bool has_rates)
{
    text(csv, "stage");
    text(csv, "name");
    for (size_t i = 0; i < N_COUNTS; i++)
        text(csv, counts[i]);
    for (size_t i = 0; i < N_RATES && has_rates; i++)
        text(csv, rates[i]);
}

/* Currencies that any stage has a value in, in one order. */
static json_t *
currencies_of(const json_t *stages)
{
    json_t *all = json_object(), *stage, *amount;
    const char *currency;
    size_t i;

    json_array_foreach(stages, i, stage)
    {
        json_t *value = json_object_get(stage, "value");

        json_object_foreach(value, currency, amount)
            json_object_set_new(all, currency, json_true());
    }
    return all;
}

/* Money is a decimal text in JSON; here it is a number, as it stands. */
static void
money_cell(struct csv *csv, const json_t *amount)
{
    if (json_is_string(amount))
        csv_decimal(csv, slice_from(json_string_value(amount)));
    else
        csv_nothing(csv);
}

static void
stages_table(struct csv *csv, const json_t *report)
{
    const json_t *stages = json_object_get(report, "stages"), *stage;
    json_t *currencies = currencies_of(stages), *ignored;
    const char *currency;
    size_t i;

    stage_headings(csv, true);
    json_object_foreach(currencies, currency, ignored)
    {
        char heading[32];

        snprintf(heading, sizeof heading, "value%s%s", currency[0] ? "_" : "", currency);
        text(csv, heading);
    }
    csv_end_line(csv);
    json_array_foreach(stages, i, stage)
    {
        stage_cells(csv, stage, stage, i, true);
        json_object_foreach(currencies, currency, ignored)
            money_cell(csv, json_object_get(json_object_get(stage, "value"), currency));
        csv_end_line(csv);
    }
    json_decref(currencies);
}

/* A line for each row and stage; a row of others says so. */
static void
breakdown_table(struct csv *csv, const json_t *report, const struct request *r)
{
    const json_t *names = json_object_get(report, "stages"), *row, *stage, *value;
    size_t i, k, v;

    for (size_t b = 0; b < r->n_breakdowns; b++)
        csv_text(csv, r->breakdowns[b].attribute.name);
    text(csv, "is_other");
    stage_headings(csv, false);
    csv_end_line(csv);
    json_array_foreach(json_object_get(report, "breakdown"), i, row)
    {
        bool is_other = json_is_true(json_object_get(row, "other"));

        json_array_foreach(json_object_get(row, "stages"), k, stage)
        {
            json_array_foreach(json_object_get(row, "values"), v, value) cell(csv, value);
            for (size_t b = 0; b < r->n_breakdowns && is_other; b++)
                csv_nothing(csv);
            text(csv, is_other ? "true" : "false");
            stage_cells(csv, stage, json_array_get(names, k), k, false);
            csv_end_line(csv);
        }
    }
}

static void
trend_table(struct csv *csv, const json_t *report)
{
    const json_t *names = json_object_get(report, "stages"), *point, *stage;
    size_t i, k;

    text(csv, "start");
    stage_headings(csv, false);
    csv_end_line(csv);
    json_array_foreach(json_object_get(report, "trend"), i, point)
    {
        json_array_foreach(json_object_get(point, "stages"), k, stage)
        {
            cell(csv, json_object_get(point, "start"));
            stage_cells(csv, stage, json_array_get(names, k), k, false);
            csv_end_line(csv);
        }
    }
}

/* From 0: those who came in there. */
static void
moves_table(struct csv *csv, const json_t *report)
{
    const json_t *move;
    size_t i;

    text(csv, "from_stage");
    text(csv, "to_stage");
    text(csv, "paths");
    csv_end_line(csv);
    json_array_foreach(json_object_get(report, "moves"), i, move)
    {
        for (size_t k = 0; k < 3; k++)
            cell(csv, json_array_get(move, k));
        csv_end_line(csv);
    }
}

static void
begin_file(struct call *c, const char *what)
{
    c->reply->status = 200;
    c->reply->content_type = "text/csv; charset=utf-8";
    http_reply_header(c->reply, "Content-Disposition",
                      arena_printf(c->request->arena, "attachment; filename=\"%.*s-%s.csv\"",
                                   SLICE_ARG(c->site.name), what));
}

static void
reply_table(struct call *c, const char *what, const json_t *report, const struct request *r)
{
    struct csv csv = {.out = &c->reply->body};

    begin_file(c, what);
    if (strcmp(what, "stages") == 0)
        stages_table(&csv, report);
    else if (strcmp(what, "breakdown") == 0)
        breakdown_table(&csv, report, r);
    else if (strcmp(what, "trend") == 0)
        trend_table(&csv, report);
    else
        moves_table(&csv, report);
}

/* The report by its own way, so that figures are the same: its body is ours without our members. */
static void
export_table(struct call *c, json_t *body, const char *what, const struct request *r)
{
    const struct http_request *outer = c->request;
    struct http_request inner = *outer;
    json_t *report;
    char *asked;

    json_object_del(body, "what");
    json_object_del(body, "format");
    asked = json_dumps(body, JSON_COMPACT);
    inner.body = slice_from(asked);
    c->request = &inner;
    web__post_report(c);
    c->request = outer;
    free(asked);
    if (c->reply->status != 200)
        return;
    report = json_loadb(buffer_slice(&c->reply->body).p, buffer_slice(&c->reply->body).n, 0, NULL);
    buffer_clear(&c->reply->body);
    reply_table(c, what, report, r);
    json_decref(report);
}

/* ---- The list of visitors ---- */

struct listing {
    struct request *request; /* owned, as is all of it: the answer borrows from it */
    struct funnel *funnel;
    struct query_answer answer;
    struct zone *zone;
    struct buffer lines;
};

static void
listing_done(void *context)
{
    struct listing *l = context;

    query_answer_fini(&l->answer);
    funnel_destroy(&l->funnel);
    zone_close(&l->zone);
    buffer_fini(&l->lines);
    request_fini(l->request);
    free(l->request);
    free(l);
}

static void
add_unit(struct listing *l, const struct report_path *unit)
{
    struct csv csv = {.out = &l->lines};
    char when[TIMESTAMP_TEXT_MAX];
    uint32_t v = 0;

    csv_text(&csv, unit->visitor);
    if (l->funnel->count == COUNT_SESSIONS)
        text(&csv, zone_format(l->zone, unit->session_ms, when));
    if (unit->n > 0)
        csv_integer(&csv, (int64_t)unit->visits[unit->n - 1].stage + 1);
    else
        csv_nothing(&csv);
    for (int k = 0; k < l->funnel->n_stages; k++) {
        if (v < unit->n && (int)unit->visits[v].stage == k)
            text(&csv, zone_format(l->zone, unit->visits[v++].time_ms, when));
        else
            csv_nothing(&csv);
    }
    csv_end_line(&csv);
}

static void
add_list_headings(struct listing *l)
{
    struct csv csv = {.out = &l->lines};

    text(&csv, "visitor");
    if (l->funnel->count == COUNT_SESSIONS)
        text(&csv, "session");
    text(&csv, "last_stage");
    for (int k = 0; k < l->funnel->n_stages; k++)
        csv_text(&csv, l->funnel->stages[k].name);
    csv_end_line(&csv);
}

/* All lines, piece by piece; sink NULL: they are only counted. */
static uint64_t
give_lines(struct listing *l, struct http_sink *sink)
{
    uint64_t n_bytes = 0;
    bool goes_on = true;

    buffer_clear(&l->lines);
    add_list_headings(l);
    for (size_t i = 0; goes_on && i <= l->answer.list.n; i++) {
        bool is_end = i == l->answer.list.n;

        if (!is_end)
            add_unit(l, &l->answer.list.units[i]);
        if (!is_end && l->lines.n < LINES_BYTES)
            continue;
        n_bytes += l->lines.n;
        goes_on = !sink || http_sink_write(sink, buffer_slice(&l->lines));
        buffer_clear(&l->lines);
    }
    return n_bytes;
}

static void
listing_give(struct http_sink *sink, void *context)
{
    give_lines(context, sink);
}

static enum err_code
run_list(struct call *c, struct listing *l, const struct request *r,
         const struct figure_place *figure, struct slice snapshot, struct err *err)
{
    struct query_funnel query = {.site = c->site.id,
                                 .funnel = l->funnel,
                                 .request = r,
                                 .presets = {l->funnel->preset},
                                 .n_presets = 1,
                                 .figure = figure,
                                 .snapshot = snapshot};
    struct turn turn;
    enum err_code rc = turn_take(c->web->turns, web__asker(c), &turn, err);

    if (rc != ERR_OK)
        return rc;
    query.guard = &turn.guard;
    rc = query_funnel(c->web->pool, &query, &l->answer, err);
    turn_give(c->web->turns, &turn);
    return rc;
}

/* Takes r where it succeeds. */
static enum err_code
export_list(struct call *c, json_t *body, struct request *r, struct err *err)
{
    struct listing *l = mem_zalloc(sizeof *l);
    char snapshot[SNAPSHOT_NAME_MAX];
    struct figure_place figure;
    enum err_code rc = web__read_funnel(c, json_object_get(body, "funnel"), &l->funnel, err);

    if (rc == ERR_OK)
        rc = web__read_figure(body, l->funnel, &figure, err);
    if (rc == ERR_OK)
        rc = web__read_snapshot(body, r, snapshot, err);
    if (rc == ERR_OK)
        rc = zone_open(slice_from(r->timezone), &l->zone, err);
    if (rc == ERR_OK)
        rc = run_list(c, l, r, &figure, slice_from(snapshot), err);
    if (rc != ERR_OK) { /* there is no answer to be freed */
        funnel_destroy(&l->funnel);
        zone_close(&l->zone);
        free(l);
        return rc;
    }
    l->request = r;
    begin_file(c, "visitors");
    c->reply->stream = (struct http_stream){
        .n_bytes = give_lines(l, NULL), .give = listing_give, .done = listing_done, .context = l};
    return ERR_OK;
}

/* ---- The question ---- */

/* What, as one of whats. */
static enum err_code
read_what(const json_t *body, const char **out, struct err *err)
{
    struct slice what, format;
    enum err_code rc = web__body_text(body, "what", true, &what, err);

    if (rc == ERR_OK)
        rc = web__body_text(body, "format", false, &format, err);
    if (rc != ERR_OK)
        return rc;
    if (format.n != 0 && !slice_is(format, "csv"))
        return err_set(err, ERR_INVALID, "format", "must be csv");
    for (int i = 0; whats[i] != NULL; i++) {
        if (slice_is(what, whats[i])) {
            *out = whats[i];
            return ERR_OK;
        }
    }
    return err_set(err, ERR_INVALID, "what", "must be stages, breakdown, trend, moves or visitors");
}

static enum err_code
check_parts(const char *what, const struct request *r, struct err *err)
{
    if (strcmp(what, "breakdown") == 0 && r->n_breakdowns == 0)
        return err_set(err, ERR_INVALID, "breakdown", "is missing");
    if (strcmp(what, "trend") == 0 && r->trend == TREND_NONE)
        return err_set(err, ERR_INVALID, "trend", "is missing");
    return ERR_OK;
}

void
web__post_export(struct call *c)
{
    static const char *const own[] = {"funnel", "query_id", "what",     "format",
                                      "figure", "stage",    "snapshot", NULL};
    const char *what = NULL;
    struct err err = ERR_NONE;
    json_t *body = NULL;
    struct request *r = mem_zalloc(sizeof *r);
    enum err_code rc = web__body_object(c, &body, &err);

    request_init(r);
    if (rc == ERR_OK)
        rc = read_what(body, &what, &err);
    if (rc == ERR_OK)
        rc = request_read_json(r, body, own, &err);
    if (rc == ERR_OK)
        rc = request_finish(r, c->site.timezone, clock_wall_ms(), &err);
    if (rc == ERR_OK)
        rc = check_parts(what, r, &err);
    if (rc == ERR_OK)
        rc = web__read_query_id(c, body, &err);
    if (rc == ERR_OK && strcmp(what, "visitors") != 0)
        export_table(c, body, what, r);
    else if (rc == ERR_OK && !access_may(&c->who, &c->site, ACCESS_VISITORS))
        http_reply_error(c->reply, 403, "role", "your role does not allow that", "");
    else if (rc == ERR_OK)
        rc = export_list(c, body, r, &err);
    if (rc != ERR_OK)
        web__reply_costly(c, &err);
    if (c->reply->stream.give == NULL) { /* else the list has it */
        request_fini(r);
        free(r);
    }
    json_decref(body);
}
