/* Saved filters: /api/v1/sites/{site}/filters and .../filters/{name}.
 *
 * Kept as they were sent, so that no number in them changes by a trip through a double.
 */
#include "aggregator/funnel/request.h"
#include "aggregator/saved_filter.h"
#include "core/clock.h"
#include "core/timestamp.h"
#include "web/api/web_int.h"

static void
add_saved(struct buffer *out, const struct saved_filter *f)
{
    char updated[TIMESTAMP_TEXT_MAX];

    buffer_add_text(out, "{\"name\":");
    buffer_add_json(out, f->name);
    buffer_printf(
        out, ",\"updated\":\"%s\",\"author\":", timestamp_format(f->updated_ms, true, updated));
    buffer_add_json(out, f->author);
    buffer_add_char(out, ',');
    buffer_add_slice(out, slice_sub(f->filters, 1, f->filters.n)); /* "filters":[..]} */
}

void
web__get_filters(struct call *c)
{
    struct buffer *out = &c->reply->body;
    struct saved_filter *list;
    struct err err = ERR_NONE;
    size_t n = 0;

    if (saved_filter_list(c->web->settings, c->site.id, c->request->arena, &list, &n, &err) !=
        ERR_OK) {
        web__reply_err(c, &err);
        return;
    }
    http_reply_json(c->reply, 200);
    buffer_add_text(out, "{\"filters\":[");
    for (size_t i = 0; i < n; i++) {
        if (i != 0)
            buffer_add_char(out, ',');
        add_saved(out, &list[i]);
    }
    buffer_add_text(out, "]}");
}

/* A filter at a stage's number is one of a certain funnel; these are of the site. */
static enum err_code
check_places(const struct request *r, struct err *err)
{
    char field[48];

    if (r->n_filters == 0)
        return err_set(err, ERR_INVALID, "filters", "is empty");
    for (size_t i = 0; i < r->n_filters; i++) {
        snprintf(field, sizeof field, "filters[%zu].at", i);
        if (r->filters[i].at == AT_STAGE || r->filters[i].at == AT_VISIT)
            return err_set(err, ERR_INVALID, field,
                           "is a stage's number: saved filters are for every funnel");
    }
    return ERR_OK;
}

static enum err_code
check_filters(struct call *c, struct err *err)
{
    static const char *const keys[] = {"filters", NULL};
    struct request r;
    json_t *body = NULL;
    enum err_code rc;

    request_init(&r);
    rc = web__body_object(c, &body, err);
    if (rc == ERR_OK)
        rc = web__body_check_keys(body, keys, err);
    if (rc == ERR_OK && !json_is_array(json_object_get(body, "filters")))
        rc = err_set(err, ERR_INVALID, "filters", "must be a list of filters");
    if (rc == ERR_OK)
        rc = request_read_json(&r, body, NULL, err);
    if (rc == ERR_OK)
        rc = request_finish(&r, c->site.timezone, clock_wall_ms(), err);
    if (rc == ERR_OK)
        rc = check_places(&r, err);
    request_fini(&r);
    json_decref(body);
    return rc;
}

void
web__put_filter(struct call *c)
{
    struct saved_filter f = {.name = c->parameters[1],
                             .updated_ms = clock_wall_ms(),
                             .author = web__who(c),
                             .filters = slice_trim(c->request->body)};
    struct err err = ERR_NONE;
    enum err_code rc = check_filters(c, &err);

    if (rc == ERR_OK)
        rc = saved_filter_put(c->web->settings, c->site.id, &f, &err);
    if (rc != ERR_OK) {
        web__reply_err(c, &err);
        return;
    }
    http_reply_json(c->reply, 200);
    add_saved(&c->reply->body, &f);
}

void
web__delete_filter(struct call *c)
{
    struct err err = ERR_NONE;

    if (saved_filter_remove(c->web->settings, c->site.id, c->parameters[1], &err) == ERR_OK)
        c->reply->status = 204;
    else
        web__reply_err(c, &err);
}
