/* Tables as files: POST /api/v1/sites/{site}/export, the body of a report, a count or a catalogue
 * with what is wanted of it.
 *
 * Stages, rows, trend and moves are the report's JSON as lines, so are a count and a catalogue. The
 * list of visitors behind a figure is whole: it is counted once, held under the limits of a query
 * (422 beyond them, never less than all), and as CSV written out while it is sent. An Excel file is
 * made whole first, in a nameless file on the disk, and sent from there.
 */
#include <stdlib.h>
#include <unistd.h>

#include "aggregator/query.h"
#include "core/clock.h"
#include "core/timestamp.h"
#include "web/api/report_table.h"
#include "web/api/web_int.h"

#define LINES_BYTES (64 * 1024) /* that are sent at once */

struct kind {
    const char *what;
    void (*answer)(struct call *c); /* that is asked for its JSON; NULL: the list has its own way */
};

static const struct kind kinds[] = {{"stages", web__post_report},
                                    {"breakdown", web__post_report},
                                    {"trend", web__post_report},
                                    {"moves", web__post_report},
                                    {"count", web__post_count},
                                    {"catalogue", web__post_catalogue},
                                    {"reconcile", web__post_reconcile},
                                    {"shared_orders", web__post_reconcile},
                                    {"visitors", NULL}};

struct wanted {
    struct kind kind;
    enum table_format format;
};

static bool
is_of(const struct wanted *w, const char *what)
{
    return w->kind.what && strcmp(w->kind.what, what) == 0;
}

/* Of rows that are all there are, not the first of them and a rest. */
static bool
is_list(const struct wanted *w)
{
    return is_of(w, "catalogue") || is_of(w, "shared_orders");
}

static void
begin_file(struct call *c, const char *what, enum table_format format)
{
    c->reply->status = 200;
    c->reply->content_type = table_format_type(format);
    http_reply_header(c->reply, "Content-Disposition",
                      arena_printf(c->request->arena, "attachment; filename=\"%.*s-%s.%s\"",
                                   SLICE_ARG(c->site.name), what, table_format_ending(format)));
}

/* ---- An Excel file: it is there whole when it is sent ---- */

struct sheet_file {
    int fd;
    uint64_t n_bytes;
};

static void
sheet_give(struct http_sink *sink, void *context)
{
    struct sheet_file *file = context;
    char *room = mem_alloc(LINES_BYTES);
    ssize_t n;

    while ((n = read(file->fd, room, LINES_BYTES)) > 0)
        if (!http_sink_write(sink, slice_of(room, (size_t)n)))
            break;
    free(room);
}

static void
sheet_done(void *context)
{
    struct sheet_file *file = context;

    close(file->fd);
    free(file);
}

/* Takes *x. */
static enum err_code
reply_sheet(struct call *c, const char *what, struct xlsx **x, struct err *err)
{
    struct sheet_file *file = mem_zalloc(sizeof *file);
    enum err_code rc = xlsx_finish(x, &file->fd, &file->n_bytes, err);

    if (rc != ERR_OK) {
        free(file);
        return rc;
    }
    begin_file(c, what, TABLE_XLSX);
    c->reply->stream = (struct http_stream){
        .n_bytes = file->n_bytes, .give = sheet_give, .done = sheet_done, .context = file};
    return ERR_OK;
}

/* ---- A table of an answer ---- */

static enum err_code
reply_table(struct call *c, const struct wanted *w, const json_t *answer, const struct request *r,
            struct err *err)
{
    struct table t = {.csv = {.out = &c->reply->body}, .zone = r->zone};
    enum err_code rc;

    if (w->format == TABLE_CSV) {
        begin_file(c, w->kind.what, TABLE_CSV);
        report_table_add(&t, w->kind.what, answer, r);
        return ERR_OK;
    }
    rc = xlsx_open(&(struct xlsx_config){.name = w->kind.what}, &t.xlsx, err);
    if (rc != ERR_OK)
        return rc;
    report_table_add(&t, w->kind.what, answer, r);
    return reply_sheet(c, w->kind.what, &t.xlsx, err);
}

/* Names of a catalogue and orders of several visitors come by the thousand at most: a file of fewer
 * than there are is none. */
static enum err_code
check_whole(json_t *answer, struct err *err)
{
    const char *name;
    json_t *list;

    json_object_foreach(answer, name, list)
    {
        const json_t *rows = json_object_get(list, "rows");
        size_t n = json_array_size(rows ? rows : json_object_get(list, "orders"));

        if ((size_t)json_integer_value(json_object_get(list, "n")) > n)
            return err_set(err, ERR_LIMIT, name, "has more than %zu rows: choose fewer days", n);
    }
    return ERR_OK;
}

/* Asked by its own way, so that figures are the same: its body is ours without our members. */
static enum err_code
export_table(struct call *c, json_t *body, const struct wanted *w, const struct request *r,
             struct err *err)
{
    const struct http_request *outer = c->request;
    struct http_request inner = *outer;
    enum err_code rc;
    json_t *answer;
    char *asked;

    json_object_del(body, "what");
    json_object_del(body, "format");
    if (is_list(w))
        json_object_set_new(body, "limit", json_integer(REQUEST_LIMIT_MAX));
    asked = json_dumps(body, JSON_COMPACT);
    inner.body = slice_from(asked);
    c->request = &inner;
    w->kind.answer(c);
    c->request = outer;
    free(asked);
    if (c->reply->status != 200)
        return ERR_OK; /* it has said so */
    answer = json_loadb(buffer_slice(&c->reply->body).p, buffer_slice(&c->reply->body).n, 0, NULL);
    buffer_clear(&c->reply->body);
    rc = is_list(w) ? check_whole(answer, err) : ERR_OK;
    if (rc == ERR_OK)
        rc = reply_table(c, w, answer, r, err);
    json_decref(answer);
    return rc;
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
add_unit(const struct listing *l, struct table *t, const struct report_path *unit)
{
    uint32_t v = 0;

    table_text(t, unit->visitor);
    if (l->funnel->count == COUNT_SESSIONS)
        table_moment(t, unit->session_ms);
    if (unit->n > 0)
        table_integer(t, (int64_t)unit->visits[unit->n - 1].stage + 1);
    else
        table_nothing(t);
    for (int k = 0; k < l->funnel->n_stages; k++) {
        if (v < unit->n && (int)unit->visits[v].stage == k)
            table_moment(t, unit->visits[v++].time_ms);
        else
            table_nothing(t);
    }
    table_end_line(t);
}

static void
add_list_headings(const struct listing *l, struct table *t)
{
    table_text(t, SLICE("visitor"));
    if (l->funnel->count == COUNT_SESSIONS)
        table_text(t, SLICE("session"));
    table_text(t, SLICE("last_stage"));
    for (int k = 0; k < l->funnel->n_stages; k++)
        table_text(t, l->funnel->stages[k].name);
    table_end_line(t);
}

/* All lines, piece by piece; sink NULL: they are only counted. */
static uint64_t
give_lines(struct listing *l, struct http_sink *sink)
{
    struct table t = {.csv = {.out = &l->lines}, .zone = l->zone};
    uint64_t n_bytes = 0;
    bool goes_on = true;

    buffer_clear(&l->lines);
    add_list_headings(l, &t);
    for (size_t i = 0; goes_on && i <= l->answer.list.n; i++) {
        bool is_end = i == l->answer.list.n;

        if (!is_end)
            add_unit(l, &t, &l->answer.list.units[i]);
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

/* All lines into an Excel file. */
static enum err_code
reply_list_sheet(struct call *c, const struct listing *l, struct err *err)
{
    struct table t = {.zone = l->zone};
    enum err_code rc = xlsx_open(&(struct xlsx_config){.name = "visitors"}, &t.xlsx, err);

    if (rc != ERR_OK)
        return rc;
    add_list_headings(l, &t);
    for (size_t i = 0; i < l->answer.list.n; i++)
        add_unit(l, &t, &l->answer.list.units[i]);
    return reply_sheet(c, "visitors", &t.xlsx, err);
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

/* Takes *request once there is an answer, which borrows from it; NULL then. */
static enum err_code
export_list(struct call *c, json_t *body, const struct wanted *w, struct request **request,
            struct err *err)
{
    struct request *r = *request;
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
    *request = NULL;
    if (w->format == TABLE_XLSX) {
        rc = reply_list_sheet(c, l, err);
        listing_done(l);
        return rc;
    }
    begin_file(c, "visitors", TABLE_CSV);
    c->reply->stream = (struct http_stream){
        .n_bytes = give_lines(l, NULL), .give = listing_give, .done = listing_done, .context = l};
    return ERR_OK;
}

/* ---- The question ---- */

static enum err_code
read_wanted(const json_t *body, struct wanted *out, struct err *err)
{
    struct slice what, format;
    enum err_code rc = web__body_text(body, "what", true, &what, err);

    if (rc == ERR_OK)
        rc = web__body_text(body, "format", false, &format, err);
    if (rc != ERR_OK)
        return rc;
    if (!table_format_find(format, &out->format))
        return err_set(err, ERR_INVALID, "format", "must be csv or xlsx");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (slice_is(what, kinds[i].what)) {
            out->kind = kinds[i];
            return ERR_OK;
        }
    }
    return err_set(err, ERR_INVALID, "what",
                   "must be stages, breakdown, trend, moves, visitors, count, catalogue,"
                   " reconcile or shared_orders");
}

static enum err_code
check_parts(const struct wanted *w, const struct request *r, struct err *err)
{
    if (is_of(w, "breakdown") && r->n_breakdowns == 0)
        return err_set(err, ERR_INVALID, "breakdown", "is missing");
    if (is_of(w, "trend") && r->trend == TREND_NONE)
        return err_set(err, ERR_INVALID, "trend", "is missing");
    if (is_of(w, "count") && r->trend != TREND_NONE)
        return err_set(err, ERR_INVALID, "trend", "is not for a table of a count");
    return ERR_OK;
}

void
web__post_export(struct call *c)
{
    static const char *const own[] = {"funnel", "query_id", "what",     "format",
                                      "figure", "stage",    "snapshot", NULL};
    struct wanted w = {.format = TABLE_CSV};
    struct err err = ERR_NONE;
    json_t *body = NULL;
    struct request *r = mem_zalloc(sizeof *r);
    enum err_code rc = web__body_object(c, &body, &err);

    request_init(r);
    if (rc == ERR_OK)
        rc = read_wanted(body, &w, &err);
    r->is_count = is_of(&w, "count");
    if (rc == ERR_OK)
        rc = request_read_json(r, body, own, &err);
    if (rc == ERR_OK)
        rc = request_finish(r, c->site.timezone, clock_wall_ms(), &err);
    if (rc == ERR_OK)
        rc = check_parts(&w, r, &err);
    if (rc == ERR_OK)
        rc = web__read_query_id(c, body, &err);
    if (rc == ERR_OK && w.kind.answer)
        rc = export_table(c, body, &w, r, &err);
    else if (rc == ERR_OK && !access_may(&c->who, &c->site, ACCESS_VISITORS))
        http_reply_error(c->reply, 403, "role", "your role does not allow that", "");
    else if (rc == ERR_OK)
        rc = export_list(c, body, &w, &r, &err);
    if (rc != ERR_OK)
        web__reply_costly(c, &err);
    if (r) { /* else the list has it */
        request_fini(r);
        free(r);
    }
    json_decref(body);
}
