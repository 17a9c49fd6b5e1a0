/* Campaign redirects: /api/v1/sites/{site}/links. What a click on one does is the collector's. */
#include "aggregator/link_target.h"
#include "core/clock.h"
#include "web/api/web_int.h"

static json_t *
link_json(const struct call *c, const struct link_target *link)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "slug", web__json_text(link->slug), "target",
                     web__json_text(link->target), "address",
                     json_sprintf("%s/r/%.*s", c->web->collector_url, SLICE_ARG(link->slug)),
                     "created", web__json_time(link->created_ms));
}

void
web__get_links(struct call *c)
{
    struct err err = ERR_NONE;
    struct link_target *links;
    json_t *list;
    size_t n = 0;

    if (link_target_list(c->web->settings, c->site.id, c->request->arena, &links, &n, &err) !=
        ERR_OK) {
        web__reply_err(c, &err);
        return;
    }
    list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, link_json(c, &links[i]));
    web__reply_json(c, 200, json_pack("{s:o}", "links", list));
}

void
web__post_link(struct call *c)
{
    static const char *const keys[] = {"slug", "target", NULL};
    struct link_target link = {.created_ms = clock_wall_ms()};
    struct err err = ERR_NONE;
    json_t *body = NULL;
    enum err_code rc = web__body_members(c, keys, &body, &err);

    if (rc == ERR_OK)
        rc = web__body_text(body, "slug", true, &link.slug, &err);
    if (rc == ERR_OK)
        rc = web__body_text(body, "target", true, &link.target, &err);
    if (rc == ERR_OK)
        rc = link_target_add(c->web->settings, c->site.id, link.slug, link.target, &err);
    if (rc == ERR_OK)
        web__reply_json(c, 201, link_json(c, &link));
    else
        web__reply_err(c, &err);
    json_decref(body);
}

void
web__delete_link(struct call *c)
{
    struct err err = ERR_NONE;
    enum err_code rc = link_target_remove(c->web->settings, c->site.id, c->parameters[1], &err);

    web__reply_done(c, rc, &err);
}
