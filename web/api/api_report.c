/* The funnel report: GET (of a saved funnel) and POST (of a draft, or of a saved one by name)
 * /api/v1/sites/{site}/report. One scan gives the figures under all three presets. */
#include "aggregator/query.h"
#include "aggregator/saved_funnel.h"
#include "core/clock.h"
#include "core/timestamp.h"
#include "core/url.h"
#include "web/api/web_int.h"

#define UNPROCESSABLE 422

/* ---- Reading the question ---- */

struct question {
    struct request request;
    struct funnel *funnel;
};

static enum err_code
load_saved(struct call *c, struct slice name, struct question *q, struct err *err)
{
    struct saved_funnel saved;
    enum err_code rc;

    rc = saved_funnel_get(c->web->settings, c->site.id, name, c->request->arena, &saved, err);
    return rc == ERR_OK ? funnel_parse(saved.definition, &q->funnel, err) : rc;
}

static enum err_code
finish_question(struct call *c, struct question *q, struct err *err)
{
    return request_finish(&q->request, c->site.timezone, clock_wall_ms(), err);
}

static enum err_code
read_parameters(struct call *c, struct question *q, struct err *err)
{
    struct slice rest = c->request->query, key, value;
    enum err_code rc = ERR_OK;
    bool has_funnel = false;

    while (rc == ERR_OK && url_next_parameter(&rest, &key, &value)) {
        struct slice name = url_decode(c->request->arena, key);

        value = url_decode(c->request->arena, value);
        if (!slice_is(name, "funnel")) {
            rc = request_set(&q->request, arena_cstr(c->request->arena, name), value, err);
        } else if (has_funnel) {
            rc = err_set(err, ERR_INVALID, "funnel", "is given twice");
        } else {
            has_funnel = true;
            rc = load_saved(c, value, q, err);
        }
    }
    if (rc == ERR_OK && !has_funnel)
        rc = err_set(err, ERR_INVALID, "funnel", "is missing");
    return rc == ERR_OK ? finish_question(c, q, err) : rc;
}

static enum err_code
read_funnel(struct call *c, json_t *funnel, struct question *q, struct err *err)
{
    enum err_code rc;

    if (funnel == NULL)
        return err_set(err, ERR_INVALID, "funnel", "is missing");
    if (json_is_string(funnel))
        return load_saved(c, slice_of(json_string_value(funnel), json_string_length(funnel)), q,
                          err);
    rc = funnel_parse_json(funnel, &q->funnel, err);
    if (rc != ERR_OK)
        err_prefix(err, "funnel");
    return rc;
}

static enum err_code
read_body(struct call *c, struct question *q, struct err *err)
{
    static const char *const own[] = {"funnel", NULL};
    json_t *body = NULL;
    enum err_code rc;

    rc = web__body_object(c, &body, err);
    if (rc == ERR_OK)
        rc = request_read_json(&q->request, body, own, err);
    if (rc == ERR_OK)
        rc = read_funnel(c, json_object_get(body, "funnel"), q, err);
    if (rc == ERR_OK)
        rc = finish_question(c, q, err);
    json_decref(body);
    return rc;
}

/* ---- The answer ---- */

static void
add_bound(struct buffer *out, const char *name, const struct request *r, int64_t ms)
{
    char text[TIMESTAMP_TEXT_MAX];

    if (ms == INT64_MIN || ms == INT64_MAX)
        buffer_printf(out, ",\"%s\":null", name);
    else
        buffer_printf(out, ",\"%s\":\"%s\"", name, zone_format(r->zone, ms, text));
}

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

static void
add_presets(struct buffer *out, const struct report reports[PRESET_COUNT])
{
    buffer_add_text(out, ",\"presets\":{");
    for (int i = 0; i < PRESET_COUNT; i++) {
        buffer_printf(out, "%s\"%s\":{\"entered\":%lld,\"converted\":%lld,\"conversion_rate\":",
                      i ? "," : "", funnel_preset_name((enum funnel_preset)i),
                      (long long)reports[i].total.entered, (long long)reports[i].total.converted);
        report_add_rate(out, reports[i].total.converted, reports[i].total.entered);
        buffer_add_char(out, '}');
    }
    buffer_add_char(out, '}');
}

static void
reply_report(struct call *c, const struct question *q, const struct query_answer *answer,
             const struct query_summary *summary)
{
    const struct request *r = &q->request;
    struct buffer *out = &c->reply->body;

    http_reply_json(c->reply, 200);
    buffer_add_char(out, '{');
    report_add_members(out, &answer->reports[q->funnel->preset]);
    buffer_add_text(out, ",\"funnel\":");
    funnel_add_json(out, q->funnel);
    add_bound(out, "from", r, r->range.from_ms);
    add_bound(out, "to", r, r->range.to_ms);
    buffer_add_text(out, ",\"timezone\":");
    buffer_add_json(out, slice_from(zone_name(r->zone)));
    add_range(out, summary);
    add_presets(out, answer->reports);
    buffer_add_char(out, '}');
}

static void
answer(struct call *c, const struct question *q)
{
    struct query_funnel query = {.site = c->site.id,
                                 .funnel = q->funnel,
                                 .request = &q->request,
                                 .presets = {PRESET_OPEN, PRESET_CLOSED, PRESET_SEQUENTIAL},
                                 .n_presets = PRESET_COUNT};
    int64_t started_us = clock_steady_us();
    struct query_summary summary;
    struct query_answer found;
    struct err err = ERR_NONE;
    enum err_code rc;

    rc = query_site_summary(c->web->pool, c->site.id, &summary, &err);
    if (rc == ERR_OK)
        rc = query_funnel(c->web->pool, &query, &found, &err);
    if (rc == ERR_OK) {
        reply_report(c, q, &found, &summary);
        query_answer_fini(&found);
    } else if (rc == ERR_LIMIT) { /* the question is well-formed, but not to be answered */
        http_reply_error(c->reply, UNPROCESSABLE, "limit", err.message, err.field);
    } else {
        web__reply_err(c, &err);
    }
    atomic_fetch_add(&c->web->metrics.reports, 1);
    atomic_fetch_add(&c->web->metrics.report_us, (uint64_t)(clock_steady_us() - started_us));
}

static void
report(struct call *c, enum err_code (*read)(struct call *, struct question *, struct err *))
{
    struct question q = {.funnel = NULL};
    struct err err = ERR_NONE;

    request_init(&q.request);
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
    report(c, read_parameters);
}

void
web__post_report(struct call *c)
{
    report(c, read_body);
}
