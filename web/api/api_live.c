/* What happens now: GET /api/v1/sites/{site}/live. Asked every few seconds, so it waits for no turn
 * and is told by an ETag that nothing has changed. */
#include "aggregator/query_live.h"
#include "core/clock.h"
#include "core/timestamp.h"
#include "web/api/web_int.h"

#define LIMIT_DEFAULT 50
#define TIME_MS       3000
#define MEMORY_BYTES  ((size_t)64 << 20)

static enum err_code
read_live(struct call *c, struct query_live *q, struct funnel **funnel, struct err *err)
{
    const struct http_request *r = c->request;
    int64_t limit = LIMIT_DEFAULT;
    struct slice text;

    q->after_ms = INT64_MIN;
    if (http_parameter(r, "after", &text) && text.n != 0 &&
        (!slice_to_int64(text, &q->after_ms) || q->after_ms < 0))
        return err_set(err, ERR_INVALID, "after", "must be the cursor of an answer");
    if (http_parameter(r, "limit", &text) &&
        (!slice_to_int64(text, &limit) || limit < 1 || limit > LIVE_LIMIT_MAX))
        return err_set(err, ERR_INVALID, "limit", "is a whole number from 1 to %d", LIVE_LIMIT_MAX);
    q->limit = (size_t)limit;
    if (http_parameter(r, "funnel", &text) && text.n != 0)
        return web__load_funnel(c, text, funnel, err);
    return ERR_OK;
}

static void
reply_live(struct call *c, const struct live_answer *answer, bool has_funnel, int64_t now_ms)
{
    struct live_form form = {has_funnel, !access_may(&c->who, &c->site, ACCESS_VISITORS)};
    struct buffer members = BUFFER_EMPTY;
    char now[TIMESTAMP_TEXT_MAX];

    live_add_members(&members, answer, &form);
    if (!web__is_known(c, buffer_slice(&members))) {
        http_reply_json(c->reply, 200);
        buffer_printf(&c->reply->body, "{\"as_of\":\"%s\",", timestamp_format(now_ms, true, now));
        buffer_add_slice(&c->reply->body, buffer_slice(&members));
        buffer_add_char(&c->reply->body, '}');
    }
    buffer_fini(&members);
}

void
web__get_live(struct call *c)
{
    static const struct query_limits limits = {TIME_MS, MEMORY_BYTES};
    struct query_guard guard;
    struct query_live q = {.site = c->site.id,
                           .timezone = c->site.timezone,
                           .now_ms = clock_wall_ms(),
                           .cache = c->web->live,
                           .guard = &guard};
    struct funnel *funnel = NULL;
    struct live_answer answer;
    struct err err = ERR_NONE;
    enum err_code rc = read_live(c, &q, &funnel, &err);

    query_guard_init(&guard, &limits);
    q.funnel = funnel;
    if (rc == ERR_OK)
        rc = query_live(c->web->pool, &q, c->request->arena, &answer, &err);
    if (rc == ERR_OK)
        reply_live(c, &answer, funnel != NULL, q.now_ms);
    else
        web__reply_costly(c, &err);
    funnel_destroy(&funnel);
}
