/* Saved funnels: /api/v1/sites/{site}/funnels, .../funnels/{name} and .../funnels/{name}/versions.
 *
 * A definition is kept as it was sent, so that no number in it changes by a trip through a double;
 * its "name" is always the name it is kept under.
 */
#include "aggregator/funnel/definition.h"
#include "aggregator/saved_funnel.h"
#include "core/timestamp.h"
#include "web/api/web_int.h"

/* `name` and `updated` are called otherwise in a list of versions. */
static void
add_about(struct buffer *out, const struct saved_funnel *f, const char *updated_name)
{
    char updated[TIMESTAMP_TEXT_MAX];

    buffer_printf(out, "\"version\":%lld,\"%s\":\"%s\",\"author\":", (long long)f->version,
                  updated_name, timestamp_format(f->updated_ms, true, updated));
    buffer_add_json(out, f->author);
    buffer_add_text(out, ",\"note\":");
    buffer_add_json(out, f->note);
}

static void
add_saved(struct buffer *out, const struct saved_funnel *f)
{
    buffer_add_text(out, "{\"name\":");
    buffer_add_json(out, f->name);
    buffer_add_char(out, ',');
    add_about(out, f, "updated");
    buffer_add_text(out, ",\"definition\":");
    buffer_add_slice(out, f->definition);
    buffer_add_char(out, '}');
}

void
web__get_funnels(struct call *c)
{
    struct buffer *out = &c->reply->body;
    struct saved_funnel *funnels;
    struct err err = ERR_NONE;
    size_t n;

    if (saved_funnel_list(c->web->settings, c->site.id, c->request->arena, &funnels, &n, &err) !=
        ERR_OK) {
        web__reply_err(c, &err);
        return;
    }
    http_reply_json(c->reply, 200);
    buffer_add_text(out, "{\"funnels\":[");
    for (size_t i = 0; i < n; i++) {
        if (i != 0)
            buffer_add_char(out, ',');
        add_saved(out, &funnels[i]);
    }
    buffer_add_text(out, "]}");
}

/* The version that an address names: 0, the newest, where it names none. */
static enum err_code
read_version(const struct call *c, int64_t *out, struct err *err)
{
    struct slice text = SLICE_EMPTY;
    uint64_t number = 0;

    if (http_parameter(c->request, "version", &text) &&
        (!slice_to_uint64(text, &number) || number == 0 || number > INT32_MAX))
        return err_set(err, ERR_INVALID, "version", "must be the number of a version");
    *out = (int64_t)number;
    return ERR_OK;
}

static void
reply_funnel(struct call *c, struct slice name, int64_t version)
{
    struct settings_db *db = c->web->settings;
    struct arena *a = c->request->arena;
    struct saved_funnel funnel;
    struct err err = ERR_NONE;
    enum err_code rc = version == 0
                           ? saved_funnel_get(db, c->site.id, name, a, &funnel, &err)
                           : saved_funnel_version(db, c->site.id, name, version, a, &funnel, &err);

    if (rc != ERR_OK) {
        web__reply_err(c, &err);
        return;
    }
    http_reply_json(c->reply, 200);
    add_saved(&c->reply->body, &funnel);
}

void
web__get_funnel(struct call *c)
{
    struct err err = ERR_NONE;
    int64_t version = 0;

    if (read_version(c, &version, &err) == ERR_OK)
        reply_funnel(c, c->parameters[1], version);
    else
        web__reply_err(c, &err);
}

void
web__get_funnel_versions(struct call *c)
{
    struct buffer *out = &c->reply->body;
    struct saved_funnel *versions;
    struct err err = ERR_NONE;
    size_t n = 0;

    if (saved_funnel_versions(c->web->settings, c->site.id, c->parameters[1], c->request->arena,
                              &versions, &n, &err) != ERR_OK) {
        web__reply_err(c, &err);
        return;
    }
    http_reply_json(c->reply, 200);
    buffer_add_text(out, "{\"versions\":[");
    for (size_t i = 0; i < n; i++) {
        buffer_add_text(out, i != 0 ? ",{" : "{");
        add_about(out, &versions[i], "saved");
        buffer_add_char(out, '}');
    }
    buffer_add_text(out, "]}");
}

void
web__delete_funnel(struct call *c)
{
    struct err err = ERR_NONE;

    if (saved_funnel_remove(c->web->settings, c->site.id, c->parameters[1], &err) == ERR_OK)
        c->reply->status = 204;
    else
        web__reply_err(c, &err);
}

/* Check the whole definition, and that it is called `name`; *out is it as text, with its name added
 * where it has none (borrowed from the request). */
static enum err_code
read_definition(struct call *c, struct slice name, struct slice *out, struct err *err)
{
    struct slice text = slice_trim(c->request->body), own_name;
    struct buffer named = BUFFER_EMPTY;
    struct funnel *funnel = NULL;
    json_t *body = NULL;
    enum err_code rc;

    rc = web__body_object(c, &body, err);
    if (rc == ERR_OK)
        rc = funnel_parse_json(body, &funnel, err);
    if (rc == ERR_OK)
        rc = web__body_text(body, "name", false, &own_name, err);
    if (rc != ERR_OK)
        goto done;
    *out = text;
    if (json_object_get(body, "name") == NULL) {
        buffer_add_text(&named, "{\"name\":");
        buffer_add_json(&named, name);
        buffer_add_char(&named, ',');
        buffer_add_slice(&named, slice_sub(text, 1, text.n)); /* it has stages: not just "{}" */
        *out = arena_copy(c->request->arena, buffer_slice(&named));
    } else if (!slice_equal(own_name, name)) {
        rc = err_set(err, ERR_INVALID, "name", "is another than that of the address");
    }
done:
    buffer_fini(&named);
    funnel_destroy(&funnel);
    json_decref(body);
    return rc;
}

/* The version that was changed: that of If-Match, as `"3"` or 3; none yet with If-None-Match: *. */
static enum err_code
read_base(const struct call *c, int64_t *out, struct err *err)
{
    struct slice match = slice_trim(http_header(c->request, "If-Match"));
    uint64_t number;

    *out = SAVED_FUNNEL_ANY;
    if (slice_is(slice_trim(http_header(c->request, "If-None-Match")), "*"))
        *out = SAVED_FUNNEL_NONE;
    if (match.n == 0 || slice_is(match, "*"))
        return ERR_OK;
    if (match.n > 2 && match.p[0] == '"' && match.p[match.n - 1] == '"')
        match = slice_sub(match, 1, match.n - 2);
    if (!slice_to_uint64(match, &number) || number == 0 || number > INT32_MAX)
        return err_set(err, ERR_INVALID, "If-Match", "must be the number of a version");
    *out = (int64_t)number;
    return ERR_OK;
}

/* All that can be wrong with the definition is found before the rename, so that a refused request
 * changes nothing. */
void
web__put_funnel(struct call *c)
{
    struct saved_funnel_wish w = {
        .site = c->site.id, .name = c->parameters[1], .author = web__who(c)};
    struct err err = ERR_NONE;
    enum err_code rc;

    w.new_name = w.name;
    http_parameter(c->request, "rename_to", &w.new_name);
    http_parameter(c->request, "note", &w.note);
    rc = read_definition(c, w.new_name, &w.definition, &err);
    if (rc == ERR_OK)
        rc = read_base(c, &w.based_on, &err);
    if (rc == ERR_OK)
        rc = saved_funnel_save(c->web->settings, &w, &err);
    if (rc == ERR_OK)
        reply_funnel(c, w.new_name, 0);
    else
        web__reply_err(c, &err);
}
