/* Counts: GET and POST /api/v1/sites/{site}/count, and an attribute's values among the same events:
 * POST /api/v1/sites/{site}/values. */
#include "aggregator/query_count.h"
#include "core/clock.h"
#include "core/url.h"
#include "web/api/web_int.h"

#define PREFIX_MAX 500

struct question {
    struct request request;
    struct slice prefix; /* of values; in the request's arena */
    char snapshot[SNAPSHOT_NAME_MAX];
};

static enum err_code
finish(struct call *c, struct question *q, struct err *err)
{
    return request_finish(&q->request, c->site.timezone, clock_wall_ms(), err);
}

static enum err_code
read_parameters(struct call *c, struct question *q, struct err *err)
{
    struct slice rest = c->request->query, key, value;
    enum err_code rc = ERR_OK;

    while (rc == ERR_OK && url_next_parameter(&rest, &key, &value)) {
        struct slice name = url_decode(c->request->arena, key);

        if (!slice_is(name, "query_id"))
            rc = request_set(&q->request, arena_cstr(c->request->arena, name),
                             url_decode(c->request->arena, value), err);
    }
    if (rc == ERR_OK)
        rc = web__read_query_id(c, NULL, err);
    return rc == ERR_OK ? finish(c, q, err) : rc;
}

static enum err_code
read_body(struct call *c, struct question *q, struct err *err)
{
    static const char *const own[] = {"snapshot", "query_id", NULL};
    json_t *body = NULL;
    enum err_code rc = web__body_object(c, &body, err);

    if (rc == ERR_OK)
        rc = request_read_json(&q->request, body, own, err);
    if (rc == ERR_OK)
        rc = finish(c, q, err);
    if (rc == ERR_OK)
        rc = web__read_snapshot(body, &q->request, q->snapshot, err);
    if (rc == ERR_OK)
        rc = web__read_query_id(c, body, err);
    json_decref(body);
    return rc;
}

/* "attribute" stands for a breakdown of it. */
static enum err_code
read_attribute(const json_t *body, struct request *r, struct err *err)
{
    struct slice name;
    json_t *breakdown;
    enum err_code rc = web__body_text(body, "attribute", true, &name, err);

    if (rc != ERR_OK)
        return rc;
    breakdown = json_pack("{s:[{s:o}]}", "breakdown", "attribute", web__json_text(name));
    rc = request_read_json(r, breakdown, NULL, err);
    json_decref(breakdown);
    if (rc != ERR_OK)
        err_set(err, rc, "attribute", "is none that a site can have");
    return rc;
}

static enum err_code
read_values(struct call *c, struct question *q, struct err *err)
{
    static const char *const own[] = {"attribute", "prefix", "snapshot", "query_id", NULL};
    static const char *const not_here[] = {"breakdown", "trend", "compare", "value_of", NULL};
    struct slice prefix = SLICE_EMPTY;
    json_t *body = NULL;
    enum err_code rc = web__body_object(c, &body, err);

    for (int i = 0; rc == ERR_OK && not_here[i] != NULL; i++)
        if (json_object_get(body, not_here[i]) != NULL)
            rc = err_set(err, ERR_INVALID, not_here[i], "is not for values");
    if (rc == ERR_OK)
        rc = request_read_json(&q->request, body, own, err);
    if (rc == ERR_OK)
        rc = read_attribute(body, &q->request, err);
    if (rc == ERR_OK)
        rc = web__body_text(body, "prefix", false, &prefix, err);
    if (rc == ERR_OK && prefix.n > PREFIX_MAX)
        rc = err_set(err, ERR_INVALID, "prefix", "is longer than %d bytes", PREFIX_MAX);
    if (rc == ERR_OK)
        rc = finish(c, q, err);
    if (rc == ERR_OK)
        rc = web__read_snapshot(body, &q->request, q->snapshot, err);
    if (rc == ERR_OK)
        rc = web__read_query_id(c, body, err);
    q->prefix = arena_copy(c->request->arena, prefix);
    json_decref(body);
    return rc;
}

/* ---- Answers ---- */

static enum err_code
answer_count(struct call *c, const void *what, struct web__from from, struct buffer *out,
             struct err *err)
{
    const struct question *q = what;
    struct query_count count = {
        .site = c->site.id, .request = &q->request, .snapshot = from.snapshot, .guard = from.guard};
    struct count_answer found;
    enum err_code rc = query_count(c->web->pool, &count, &found, err);

    if (rc != ERR_OK)
        return rc;
    count_add_members(out, &found, &q->request);
    count_answer_fini(&found);
    return ERR_OK;
}

static enum err_code
answer_values(struct call *c, const void *what, struct web__from from, struct buffer *out,
              struct err *err)
{
    const struct question *q = what;
    struct query_count count = {
        .site = c->site.id, .request = &q->request, .snapshot = from.snapshot, .guard = from.guard};
    struct count_value *values = NULL;
    struct report_about about;
    size_t n = 0, n_all = 0;
    enum err_code rc = query_count_values(c->web->pool, &count, q->prefix, c->request->arena,
                                          &values, &n, &n_all, &about, err);

    if (rc != ERR_OK)
        return rc;
    buffer_add_text(out, "\"attribute\":");
    buffer_add_json(out, q->request.breakdowns[0].attribute.name);
    buffer_printf(out, ",\"n\":%zu,\"values\":[", n_all);
    for (size_t i = 0; i < n; i++) {
        buffer_add_text(out, i > 0 ? ",{\"value\":" : "{\"value\":");
        buffer_add_json(out, values[i].value);
        buffer_printf(out, ",\"events\":%lld,\"visitors\":%lld}", (long long)values[i].events,
                      (long long)values[i].visitors);
    }
    buffer_add_char(out, ']');
    request_add_range(out, &q->request, &q->request.range);
    report_add_about(out, &about);
    return ERR_OK;
}

static void
ask(struct call *c, enum err_code (*read)(struct call *, struct question *, struct err *),
    web__question answer)
{
    struct question q = {.prefix = SLICE_EMPTY};
    struct err err = ERR_NONE;

    request_init(&q.request);
    q.request.is_count = true;
    if (read(c, &q, &err) == ERR_OK)
        web__answer(c, answer, &q, slice_from(q.snapshot));
    else
        web__reply_err(c, &err);
    request_fini(&q.request);
}

void
web__get_count(struct call *c)
{
    ask(c, read_parameters, answer_count);
}

void
web__post_count(struct call *c)
{
    ask(c, read_body, answer_count);
}

void
web__post_values(struct call *c)
{
    ask(c, read_values, answer_values);
}
