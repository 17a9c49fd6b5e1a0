/* What the questions besides funnels share: which files answer, limits, and the reply. */
#include "aggregator/saved_funnel.h"
#include "core/clock.h"
#include "web/api/web_int.h"

#define UNPROCESSABLE 422
#define BUSY_S        "2"

enum err_code
web__load_funnel(struct call *c, struct slice name, struct funnel **out, struct err *err)
{
    struct saved_funnel saved;
    enum err_code rc;

    rc = saved_funnel_get(c->web->settings, c->site.id, name, c->request->arena, &saved, err);
    return rc == ERR_OK ? funnel_parse(saved.definition, out, err) : rc;
}

enum err_code
web__read_funnel(struct call *c, json_t *funnel, struct funnel **out, struct err *err)
{
    enum err_code rc;

    if (funnel == NULL)
        return err_set(err, ERR_INVALID, "funnel", "is missing");
    if (json_is_string(funnel))
        return web__load_funnel(c, slice_of(json_string_value(funnel), json_string_length(funnel)),
                                out, err);
    rc = funnel_parse_json(funnel, out, err);
    if (rc != ERR_OK)
        err_prefix(err, "funnel");
    return rc;
}

enum err_code
web__read_figure(const json_t *object, const struct funnel *f, struct figure_place *out,
                 struct err *err)
{
    const json_t *stage = json_object_get(object, "stage");
    struct slice name;
    enum err_code rc = web__body_text(object, "figure", true, &name, err);

    if (rc != ERR_OK)
        return rc;
    if (stage == NULL || json_is_null(stage))
        return figure_find(name, 0, f->n_stages, out, err);
    if (!json_is_integer(stage) || json_integer_value(stage) < 1 ||
        json_integer_value(stage) > FUNNEL_STAGES_MAX)
        return err_set(err, ERR_INVALID, "stage", "must be the number of a stage, 1 to %d",
                       f->n_stages);
    return figure_find(name, (int)json_integer_value(stage), f->n_stages, out, err);
}

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

enum err_code
web__read_query_id(struct call *c, const json_t *body, struct err *err)
{
    struct slice id = SLICE_EMPTY;
    enum err_code rc = ERR_OK;

    if (body != NULL)
        rc = web__body_text(body, "query_id", false, &id, err);
    else
        http_parameter(c->request, "query_id", &id);
    if (rc == ERR_OK && id.n > TURN_ID_MAX)
        rc = err_set(err, ERR_INVALID, "query_id", "is longer than %d bytes", TURN_ID_MAX);
    if (rc == ERR_OK)
        c->query_id = arena_copy(c->request->arena, id); /* the body goes before the query ends */
    return rc;
}

enum err_code
web__read_question(struct call *c, json_t *body, const char *const *own, struct request *r,
                   char snapshot[SNAPSHOT_NAME_MAX], struct err *err)
{
    static const char *const not_here[] = {"breakdown", "trend", "compare", NULL};
    enum err_code rc = ERR_OK;

    for (int i = 0; rc == ERR_OK && not_here[i] != NULL; i++)
        if (json_object_get(body, not_here[i]) != NULL)
            rc = err_set(err, ERR_INVALID, not_here[i], "is not for this question");
    if (rc == ERR_OK)
        rc = request_read_json(r, body, own, err);
    if (rc == ERR_OK)
        rc = request_finish(r, c->site.timezone, clock_wall_ms(), err);
    if (rc == ERR_OK)
        rc = web__read_snapshot(body, r, snapshot, err);
    return rc == ERR_OK ? web__read_query_id(c, body, err) : rc;
}

struct turn_asker
web__asker(const struct call *c)
{
    return (struct turn_asker){web__who(c), c->query_id};
}

void
web__reply_costly(struct call *c, const struct err *err)
{
    if (err->code == ERR_LIMIT) { /* the question is well-formed, but not to be answered */
        http_reply_error(c->reply, UNPROCESSABLE, "limit", err->message, err->field);
    } else if (err->code == ERR_CONFLICT) {
        http_reply_error(c->reply, 409, "stopped", err->message, err->field);
    } else if (err->code == ERR_UNAVAILABLE) {
        http_reply_error(c->reply, 503, "busy", err->message, err->field);
        http_reply_header(c->reply, "Retry-After", SLICE(BUSY_S));
    } else {
        web__reply_err(c, err);
    }
}

void
web__answer(struct call *c, web__question question, const void *what, struct slice snapshot)
{
    struct buffer out = BUFFER_EMPTY;
    struct err err = ERR_NONE;
    bool is_gone = false;
    struct turn turn;
    enum err_code rc = turn_take(c->web->turns, web__asker(c), &turn, &err);

    if (rc != ERR_OK) {
        web__reply_costly(c, &err);
        return;
    }
    rc = question(c, what, (struct web__from){snapshot, &turn.guard, false}, &out, &err);
    is_gone = rc == ERR_NOT_FOUND && strcmp(err.field, "snapshot") == 0;
    if (is_gone) {
        buffer_clear(&out);
        rc = question(c, what, (struct web__from){SLICE_EMPTY, &turn.guard, true}, &out, &err);
    }
    turn_give(c->web->turns, &turn);
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

/* Nobody waits for it any more. That it has ended meanwhile is no error to whoever wants that. */
void
web__delete_query(struct call *c)
{
    struct turn_asker asker = {web__who(c), c->parameters[0]};

    turns_stop(c->web->turns, asker);
    c->reply->status = 204;
}
