/* What the questions besides funnels share: which files answer, limits, and the reply. */
#include "web/api/web_int.h"

#define UNPROCESSABLE 422

enum err_code
web__read_snapshot(const json_t *body, const struct request *r, char out[SNAPSHOT_NAME_MAX],
                   struct err *err)
{
    struct slice snapshot;
    enum err_code rc = web__body_text(body, "snapshot", false, &snapshot, err);

    if (rc != ERR_OK)
        return rc;
    if (!slice_to_cstr(snapshot, out, SNAPSHOT_NAME_MAX))
        return err_set(err, ERR_INVALID, "snapshot", "is none");
    if (snapshot.n != 0 && !r->as_of.is_given)
        return err_set(err, ERR_INVALID, "as_of", "must be given with a snapshot: the report's");
    return ERR_OK;
}

void
web__reply_costly(struct call *c, const struct err *err)
{
    if (err->code == ERR_LIMIT) /* the question is well-formed, but not to be answered */
        http_reply_error(c->reply, UNPROCESSABLE, "limit", err->message, err->field);
    else
        web__reply_err(c, err);
}

void
web__answer(struct call *c, web__question question, const void *what, struct slice snapshot)
{
    static const struct query_limits limits = {QUERY_TIME_MS, QUERY_BYTES};
    struct buffer out = BUFFER_EMPTY;
    struct query_guard guard;
    struct err err = ERR_NONE;
    enum err_code rc;
    bool is_gone;

    query_guard_init(&guard, &limits);
    rc = question(c, what, (struct web__from){snapshot, &guard}, &out, &err);
    is_gone = rc == ERR_NOT_FOUND && snapshot.n != 0;
    if (is_gone) {
        buffer_clear(&out);
        rc = question(c, what, (struct web__from){SLICE_EMPTY, &guard}, &out, &err);
    }
    if (rc == ERR_OK) {
        http_reply_json(c->reply, 200);
        buffer_add_char(&c->reply->body, '{');
        buffer_add_slice(&c->reply->body, buffer_slice(&out));
        buffer_printf(&c->reply->body, ",\"snapshot_gone\":%s}", is_gone ? "true" : "false");
    } else {
        web__reply_costly(c, &err);
    }
    buffer_fini(&out);
}
