/* Bodies and replies in JSON, for all handlers of the API. */
#include "core/hash.h"
#include "core/timestamp.h"
#include "web/api/web_int.h"

enum err_code
web__body_object(const struct call *c, json_t **out, struct err *err)
{
    json_error_t where;
    json_t *value;

    value = json_loadb(c->request->body.p, c->request->body.n, JSON_REJECT_DUPLICATES, &where);
    if (value == NULL) {
        text_make_printable(where.text); /* it quotes the body, which may be anything */
        return err_set(err, ERR_INVALID, NULL, "the body is not JSON: %s (line %d, column %d)",
                       where.text, where.line, where.column);
    }
    if (!json_is_object(value)) {
        json_decref(value);
        return err_set(err, ERR_INVALID, NULL, "the body is not a JSON object");
    }
    *out = value;
    return ERR_OK;
}

static bool
is_among(const char *name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strcmp(name, *names) == 0)
            return true;
    }
    return false;
}

enum err_code
web__body_check_keys(const json_t *object, const char *const *names, struct err *err)
{
    void *at;

    /* jansson's iteration wants a pointer to non-const, though it changes nothing */
    union {
        const json_t *in;
        json_t *out;
    } cast = {object};

    for (at = json_object_iter(cast.out); at != NULL; at = json_object_iter_next(cast.out, at)) {
        const char *key = json_object_iter_key(at);

        if (!is_among(key, names))
            return err_set(err, ERR_INVALID, key, "unknown key");
    }
    return ERR_OK;
}

enum err_code
web__body_members(const struct call *c, const char *const *names, json_t **out, struct err *err)
{
    enum err_code rc = web__body_object(c, out, err);

    return rc == ERR_OK ? web__body_check_keys(*out, names, err) : rc;
}

enum err_code
web__body_text(const json_t *object, const char *name, bool is_required, struct slice *out,
               struct err *err)
{
    const json_t *value = json_object_get(object, name);

    if (value == NULL || json_is_null(value)) {
        if (is_required)
            return err_set(err, ERR_INVALID, name, "is missing");
        *out = SLICE_EMPTY;
        return ERR_OK;
    }
    if (!json_is_string(value))
        return err_set(err, ERR_INVALID, name, "is not a text");
    *out = slice_of(json_string_value(value), json_string_length(value));
    return ERR_OK;
}

static int
add_bytes(const char *bytes, size_t n, void *buffer)
{
    buffer_add(buffer, bytes, n);
    return 0;
}

void
web__reply_json(struct call *c, int status, json_t *value)
{
    http_reply_json(c->reply, status);
    json_dump_callback(value, add_bytes, &c->reply->body, JSON_COMPACT);
    json_decref(value);
}

void
web__reply_err(struct call *c, const struct err *err)
{
    http_reply_err(c->reply, err);
}

void
web__reply_done(struct call *c, enum err_code rc, const struct err *err)
{
    if (rc == ERR_OK)
        c->reply->status = 204;
    else
        web__reply_err(c, err);
}

void
web__delete_numbered(struct call *c, web__remove remove)
{
    struct err err = ERR_NONE;
    enum err_code rc;
    int64_t id = 0;

    if (slice_to_int64(c->parameters[1], &id) && id >= 1)
        rc = remove(c->web->settings, c->site.id, id, &err);
    else
        rc = err_set(&err, ERR_NOT_FOUND, "id", "there is none of that number");
    web__reply_done(c, rc, &err);
}

bool
web__is_known(struct call *c, struct slice members)
{
    struct slice tag =
        arena_printf(c->request->arena, "\"%016llx\"", (unsigned long long)hash64(members, 0));

    http_reply_header(c->reply, "ETag", tag);
    if (!slice_equal(http_header(c->request, "If-None-Match"), tag))
        return false;
    c->reply->status = 304;
    return true;
}

json_t *
web__json_text(struct slice s)
{
    return json_stringn(s.p, s.n);
}

json_t *
web__json_time(int64_t ms)
{
    char text[TIMESTAMP_TEXT_MAX];

    return json_string(timestamp_format(ms, true, text));
}
