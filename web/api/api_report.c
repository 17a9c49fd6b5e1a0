/* The funnel report: GET (of a saved funnel) and POST (of a draft, or of a saved one by name)
 * /api/v1/sites/{site}/report. One scan gives the figures under all three presets. And the lists
 * behind its figures: POST /api/v1/sites/{site}/visitors, with the report's own body. */
#include "aggregator/query.h"
#include "core/clock.h"
#include "core/timestamp.h"
#include "core/url.h"
#include "web/api/kept.h"
#include "web/api/web_int.h"

#define LIST_PAGE 500 /* units */

/* ---- Reading the question ---- */

struct question {
    struct request request;
    struct funnel *funnel;
    bool is_list;
    struct figure_place figure;
    size_t skip; /* of the list: where its page begins */
    char snapshot[SNAPSHOT_NAME_MAX];
    struct slice asked; /* of a report: its parameters, for kept.h */
};

static enum err_code
finish_question(struct call *c, struct question *q, struct err *err)
{
    return request_finish(&q->request, c->site.timezone, clock_wall_ms(), err);
}

static enum err_code
read_parameters(struct call *c, struct question *q, struct err *err)
{
    struct slice rest = c->request->query, key, value;
    struct buffer asked = BUFFER_EMPTY;
    enum err_code rc = ERR_OK;
    bool has_funnel = false;

    while (rc == ERR_OK && url_next_parameter(&rest, &key, &value)) {
        struct slice name = url_decode(c->request->arena, key);

        value = url_decode(c->request->arena, value);
        if (slice_is(name, "query_id")) {
            rc = web__read_query_id(c, NULL, err);
            continue;
        }
        buffer_printf(&asked, "%zu:%zu:%.*s%.*s", name.n, value.n, SLICE_ARG(name),
                      SLICE_ARG(value));
        if (!slice_is(name, "funnel")) {
            rc = request_set(&q->request, arena_cstr(c->request->arena, name), value, err);
        } else if (has_funnel) {
            rc = err_set(err, ERR_INVALID, "funnel", "is given twice");
        } else {
            has_funnel = true;
            rc = web__load_funnel(c, value, &q->funnel, err);
        }
    }
    if (rc == ERR_OK && !has_funnel)
        rc = err_set(err, ERR_INVALID, "funnel", "is missing");
    q->asked = arena_copy(c->request->arena, buffer_slice(&asked));
    buffer_fini(&asked);
    return rc == ERR_OK ? finish_question(c, q, err) : rc;
}

/* Which files, and from which row on. The cursor is that row's number. */
static enum err_code
read_place(const json_t *body, struct question *q, struct err *err)
{
    struct slice cursor;
    int64_t row = 0;
    enum err_code rc = web__read_snapshot(body, &q->request, q->snapshot, err);

    if (rc == ERR_OK)
        rc = web__body_text(body, "cursor", false, &cursor, err);
    if (rc != ERR_OK)
        return rc;
    if (cursor.n == 0)
        return ERR_OK;
    if (q->snapshot[0] == '\0')
        return err_set(err, ERR_INVALID, "snapshot", "must be given with a cursor");
    if (!slice_to_int64(cursor, &row) || row < 0)
        return err_set(err, ERR_INVALID, "cursor", "is none");
    q->skip = (size_t)row;
    return ERR_OK;
}

/* Whatever order its members came in, and without what says nothing of the answer. */
static struct slice
asked_of(json_t *body, struct arena *a)
{
    struct slice asked = SLICE_EMPTY;
    char *text;

    json_object_del(body, "query_id");
    text = json_dumps(body, JSON_SORT_KEYS | JSON_COMPACT);
    if (text != NULL)
        asked = arena_copy(a, slice_from(text));
    free(text);
    return asked;
}

static enum err_code
read_body(struct call *c, struct question *q, struct err *err)
{
    static const char *const own[] = {"funnel", "query_id", NULL};
    static const char *const own_of_list[] = {"funnel",   "query_id", "figure", "stage",
                                              "snapshot", "cursor",   NULL};
    json_t *body = NULL;
    enum err_code rc;

    rc = web__body_object(c, &body, err);
    if (rc == ERR_OK)
        rc = request_read_json(&q->request, body, q->is_list ? own_of_list : own, err);
    if (rc == ERR_OK)
        rc = web__read_query_id(c, body, err);
    if (rc == ERR_OK)
        rc = web__read_funnel(c, json_object_get(body, "funnel"), &q->funnel, err);
    if (rc == ERR_OK)
        rc = finish_question(c, q, err);
    if (rc == ERR_OK && q->is_list)
        rc = web__read_figure(body, q->funnel, &q->figure, err);
    if (rc == ERR_OK && q->is_list)
        rc = read_place(body, q, err);
    if (rc == ERR_OK && !q->is_list)
        q->asked = asked_of(body, c->request->arena);
    json_decref(body);
    return rc;
}

/* ---- The answer ---- */

static void
add_range(struct buffer *out, const struct query_summary *s)
{
    char first[TIMESTAMP_TEXT_MAX], last[TIMESTAMP_TEXT_MAX];

    if (s->n_events == 0)
        buffer_add_text(out, ",\"range\":{\"first\":null,\"last\":null}");
    else
        buffer_printf(out, ",\"range\":{\"first\":\"%s\",\"last\":\"%s\"}",
                      timestamp_format(s->first_ms, true, first),
                      timestamp_format(s->last_ms, true, last));
}

/* The funnel's own preset comes first in a query. */
static const struct report *
report_of(const struct query_answer *answer, int preset)
{
    int i = 0;

    while ((int)answer->reports[i].preset != preset)
        i++;
    return &answer->reports[i];
}

static void
add_presets(struct buffer *out, const struct query_answer *answer)
{
    buffer_add_text(out, ",\"presets\":{");
    for (int i = 0; i < PRESET_COUNT; i++) {
        const struct report_figures *total = &report_of(answer, i)->total;

        buffer_printf(out, "%s\"%s\":{\"entered\":%lld,\"converted\":%lld,\"conversion_rate\":",
                      i ? "," : "", funnel_preset_name((enum funnel_preset)i),
                      (long long)total->entered, (long long)total->converted);
        report_add_rate(out, total->converted, total->entered);
        buffer_add_char(out, '}');
    }
    buffer_add_char(out, '}');
}

/* All but what the site says of itself. */
static void
begin_report(struct buffer *out, const struct question *q, const struct query_answer *answer)
{
    const struct request *r = &q->request;

    buffer_add_char(out, '{');
    report_add_members(out, &answer->reports[0]);
    buffer_add_text(out, ",\"funnel\":");
    funnel_add_json(out, q->funnel);
    request_add_range(out, r, &r->range);
    add_presets(out, answer);
}

static void
end_report(struct buffer *out, const struct query_summary *summary)
{
    add_range(out, summary);
    buffer_add_char(out, '}');
}

static void
add_report(struct buffer *out, const struct question *q, const struct query_answer *answer,
           const struct query_summary *summary)
{
    begin_report(out, q, answer);
    end_report(out, summary);
}

/* is_gone: other files than those asked for, and therefore with their report. */
static void
add_list(struct buffer *out, const struct question *q, const struct query_answer *answer,
         const struct query_summary *summary, bool is_gone)
{
    const struct report_list *list = &answer->list;
    int64_t next = list->n_skipped + (int64_t)list->n;
    char as_of[TIMESTAMP_TEXT_MAX];

    buffer_add_char(out, '{');
    report_add_list(out, list, q->funnel);
    if (next < list->n_all)
        buffer_printf(out, ",\"cursor\":\"%lld\"", (long long)next);
    else
        buffer_add_text(out, ",\"cursor\":null");
    buffer_printf(out, ",\"snapshot\":\"%s\",\"as_of\":\"%s\",\"snapshot_gone\":%s",
                  answer->snapshot, timestamp_format(q->request.as_of_ms, true, as_of),
                  is_gone ? "true" : "false");
    if (is_gone) {
        buffer_add_text(out, ",\"report\":");
        add_report(out, q, answer, summary);
    }
    buffer_add_char(out, '}');
}

/* The funnel's own preset first, then the others. */
static void
set_presets(struct query_funnel *query, enum funnel_preset own)
{
    query->presets[query->n_presets++] = own;
    for (int i = 0; i < PRESET_COUNT; i++)
        if (i != (int)own)
            query->presets[query->n_presets++] = (enum funnel_preset)i;
}

static struct query_funnel
query_of(const struct call *c, const struct question *q)
{
    struct query_funnel query = {.site = c->site.id,
                                 .funnel = q->funnel,
                                 .request = &q->request,
                                 .figure = q->is_list ? &q->figure : NULL,
                                 .list_skip = q->skip,
                                 .list_max = LIST_PAGE,
                                 .snapshot = slice_from(q->snapshot)};

    set_presets(&query, q->funnel->preset);
    query.keeps_snapshot = query.snapshot.n == 0;
    return query;
}

/* ---- Lists ---- */

/* From the snapshot asked for; where that has gone, from the latest, from the list's begin. */
static enum err_code
run_list(struct call *c, struct query_funnel *query, struct query_answer *out, bool *is_gone,
         struct err *err)
{
    enum err_code rc = query_funnel(c->web->pool, query, out, err);

    *is_gone = rc == ERR_NOT_FOUND;
    if (!*is_gone)
        return rc;
    query->snapshot = SLICE_EMPTY;
    query->keeps_snapshot = true;
    query->list_skip = 0;
    return query_funnel(c->web->pool, query, out, err);
}

static enum err_code
answer_list(struct call *c, const struct question *q, const struct query_summary *summary,
            struct err *err)
{
    struct query_funnel query = query_of(c, q);
    struct query_answer found;
    bool is_gone = false;
    struct turn turn;
    enum err_code rc = turn_take(c->web->turns, web__asker(c), &turn, err);

    if (rc != ERR_OK)
        return rc;
    query.guard = &turn.guard;
    rc = run_list(c, &query, &found, &is_gone, err);
    turn_give(c->web->turns, &turn);
    if (rc != ERR_OK)
        return rc;
    add_list(&c->reply->body, q, &found, summary, is_gone);
    query_answer_fini(&found);
    return ERR_OK;
}

/* ---- Reports ---- */

static bool
is_whole(const struct report *r)
{
    for (size_t i = 0; i < r->about.n_warnings; i++)
        if (slice_is(r->about.warnings[i].code, "segment_left_out"))
            return false;
    return true;
}

/* When its turn has come; key "": not to be kept. */
static enum err_code
work_out(struct call *c, const struct question *q, const struct kept_question *kept,
         struct slice key, struct err *err)
{
    struct query_funnel query = *kept->query;
    struct buffer *out = &c->reply->body;
    struct query_answer found;
    struct turn turn;
    enum err_code rc = turn_take(c->web->turns, web__asker(c), &turn, err);

    if (rc != ERR_OK)
        return rc;
    query.guard = &turn.guard;
    rc = query_funnel_from(kept->snapshot, &query, &found, err);
    turn_give(c->web->turns, &turn);
    if (rc != ERR_OK)
        return rc;
    begin_report(out, q, &found);
    if (key.n != 0 && is_whole(&found.reports[0])) {
        struct kept_report report = {q->request.as_of_ms, buffer_slice(out)};

        kept_put(c->web->kept, key, &report, kept->snapshot->name);
    }
    query_answer_fini(&found);
    return ERR_OK;
}

static enum err_code
answer_report(struct call *c, const struct question *q, const struct query_summary *summary,
              struct err *err)
{
    struct query_funnel query = query_of(c, q);
    struct kept_question kept = {
        .query = &query, .asked = q->asked, .role = account_role_name(c->who.role)};
    struct buffer key = BUFFER_EMPTY;
    int64_t as_of_ms;
    enum err_code rc = query_funnel_take(c->web->pool, &query, &kept.snapshot, err);

    if (rc != ERR_OK)
        return rc;
    if (kept_key(&kept, &key) && kept_get(c->web->kept, buffer_slice(&key), kept.snapshot->name,
                                          &c->reply->body, &as_of_ms)) {
        /* its lists are asked for with its as_of */
        snapshot_keep_as_of(c->web->pool, kept.snapshot, as_of_ms);
        atomic_fetch_add(&c->web->metrics.reports_kept, 1);
    } else {
        rc = work_out(c, q, &kept, buffer_slice(&key), err);
    }
    if (rc == ERR_OK)
        end_report(&c->reply->body, summary);
    snapshot_release(c->web->pool, &kept.snapshot);
    buffer_fini(&key);
    return rc;
}

static void
answer(struct call *c, const struct question *q)
{
    int64_t started_us = clock_steady_us();
    struct query_summary summary;
    struct err err = ERR_NONE;
    enum err_code rc;

    http_reply_json(c->reply, 200);
    rc = query_site_summary(c->web->pool, c->site.id, &summary, &err);
    if (rc == ERR_OK)
        rc = q->is_list ? answer_list(c, q, &summary, &err) : answer_report(c, q, &summary, &err);
    if (rc != ERR_OK)
        web__reply_costly(c, &err);
    atomic_fetch_add(&c->web->metrics.reports, 1);
    atomic_fetch_add(&c->web->metrics.report_us, (uint64_t)(clock_steady_us() - started_us));
}

static void
report(struct call *c, bool is_list,
       enum err_code (*read)(struct call *, struct question *, struct err *))
{
    struct question q = {.is_list = is_list};
    struct err err = ERR_NONE;

    request_init(&q.request);
    q.request.is_report = true;
    if (read(c, &q, &err) == ERR_OK)
        answer(c, &q);
    else
        web__reply_err(c, &err);
    funnel_destroy(&q.funnel);
    request_fini(&q.request);
}

void
web__get_report(struct call *c)
{
    report(c, false, read_parameters);
}

void
web__post_report(struct call *c)
{
    report(c, false, read_body);
}

void
web__post_visitors(struct call *c)
{
    report(c, true, read_body);
}
