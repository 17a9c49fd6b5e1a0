/* Saved funnels: /api/v1/sites/{site}/funnels and .../funnels/{name}.
 *
 * A definition is kept as it was sent, so that no number in it changes by a trip through a double;
 * its "name" is always the name it is kept under.
 */
#include "aggregator/funnel/definition.h"
#include "aggregator/saved_funnel.h"
#include "core/timestamp.h"
#include "web/api/web_int.h"

static void
add_saved(struct buffer *out, const struct saved_funnel *f)
{
    char updated[TIMESTAMP_TEXT_MAX];

    buffer_add_text(out, "{\"name\":");
    buffer_add_json(out, f->name);
    buffer_printf(
        out, ",\"updated\":\"%s\",\"definition\":", timestamp_format(f->updated_ms, true, updated));
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

static void
reply_funnel(struct call *c, struct slice name)
{
    struct saved_funnel funnel;
    struct err err = ERR_NONE;

    if (saved_funnel_get(c->web->settings, c->site.id, name, c->request->arena, &funnel, &err) !=
        ERR_OK) {
        web__reply_err(c, &err);
        return;
    }
    http_reply_json(c->reply, 200);
    add_saved(&c->reply->body, &funnel);
}

void
web__get_funnel(struct call *c)
{
    reply_funnel(c, c->parameters[1]);
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

/* All that can be wrong with the definition is found before the rename, so that a refused request
 * changes nothing. */
void
web__put_funnel(struct call *c)
{
    struct settings_db *db = c->web->settings;
    struct slice name = c->parameters[1], new_name = name, definition;
    struct err err = ERR_NONE;
    enum err_code rc;

    http_parameter(c->request, "rename_to", &new_name);
    rc = read_definition(c, new_name, &definition, &err);
    if (rc == ERR_OK && !slice_equal(name, new_name))
        rc = saved_funnel_rename(db, c->site.id, name, new_name, &err);
    if (rc == ERR_OK)
        rc = saved_funnel_put(db, c->site.id, new_name, definition, &err);
    if (rc == ERR_OK)
        reply_funnel(c, new_name);
    else
        web__reply_err(c, &err);
}
