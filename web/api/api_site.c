/* Sites, and what each of them really sent: /api/v1/sites, .../{site}, .../attributes, .../values,
 * and the lists that the form of a new site picks from. */
#include "aggregator/query.h"
#include "web/api/people.h"
#include "web/api/web_int.h"

#define VALUES_DEFAULT 50
#define VALUES_MAX     1000
#define PREFIX_MAX     500

/* ---- Sites ---- */

static json_t *
hosts_json(const struct slice *hosts, uint32_t n)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(list, web__json_text(hosts[i]));
    return list;
}

static json_t *
groups_json(const struct page_groups *groups)
{
    json_t *list = json_array();

    for (size_t i = 0; i < groups->n; i++)
        json_array_append_new(
            list, json_pack("{s:o, s:o}", "name", web__json_text(groups->list[i].name), "globs",
                            hosts_json(groups->list[i].globs, (uint32_t)groups->list[i].n_globs)));
    return list;
}

static void
add_settings(const struct site *s, json_t *site)
{
    for (int i = 0; i < PRIVACY_COUNT; i++)
        json_object_set_new(site, privacy_name((enum privacy_setting)i),
                            json_string(privacy_word(&s->privacy, (enum privacy_setting)i)));
    for (int i = 0; i < CHOICE_COUNT; i++)
        json_object_set_new(site, site_choice_name((enum site_choice)i),
                            json_string(site_choice_word((enum site_choice)i, s->choices[i])));
    json_object_set_new(site, "retention", web__json_text(s->retention));
    json_object_set_new(site, "hosts", hosts_json(s->hosts, s->n_hosts));
    json_object_set_new(site, "ignored_referrers",
                        hosts_json(s->ignored_referrers, s->n_ignored_referrers));
    json_object_set_new(site, "page_groups", groups_json(&s->page_groups));
    json_object_set_new(site, "funnel", web__json_text(s->funnel));
    json_object_set_new(site, "max_age_ms", json_integer(s->max_age_ms));
    json_object_set_new(site, "max_events_per_visitor_day",
                        json_integer(s->max_events_per_visitor_day));
}

static json_t *
site_json(const struct call *c, const struct site *s, const struct query_summary *sum)
{
    bool has_events = sum->n_events != 0;
    const struct site_tag tag = {slice_from(c->web->collector_url), c->web->snippet_path,
                                 c->web->beacon_path};
    struct slice snippet = site_snippet(s, &tag, c->request->arena);
    json_t *site;

    site = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:b}", "name",
                     web__json_text(s->name), "domain", web__json_text(s->domain), "timezone",
                     web__json_text(s->timezone), "currency", web__json_text(s->currency), "key",
                     web__json_text(s->public_key), "snippet", web__json_text(snippet), "events",
                     (json_int_t)sum->n_events, "first_event",
                     has_events ? web__json_time(sum->first_ms) : json_null(), "last_event",
                     has_events ? web__json_time(sum->last_ms) : json_null(), "demo", s->is_demo);
    add_settings(s, site);
    return site;
}

/* What whoever asks may do with it. */
static void
add_access(const struct access_who *who, const struct site *s, json_t *site)
{
    const char *role = who->is_key ? "key" : account_role_name(who->role);

    json_object_set_new(site, "role", json_string(role));
    json_object_set_new(site, "may_see_visitors",
                        json_boolean(access_may(who, s, ACCESS_VISITORS)));
}

void
web__get_sites(struct call *c)
{
    json_t *list = json_array();
    struct err err = ERR_NONE;
    struct site *sites;
    size_t n = 0;
    enum err_code rc;

    rc = site_list(c->web->settings, c->request->arena, &sites, &n, &err);
    for (size_t i = 0; rc == ERR_OK && i < n; i++) {
        struct access_who who = c->who;
        struct query_summary summary;

        if (!who.is_key)
            rc = people_role(c->web->settings, &c->account, sites[i].id, &who.has_role, &who.role,
                             &err);
        if (rc != ERR_OK || !access_may(&who, &sites[i], ACCESS_READ))
            continue;
        rc = query_site_summary(c->web->pool, sites[i].id, &summary, &err);
        if (rc == ERR_OK) {
            json_t *site = site_json(c, &sites[i], &summary);

            add_access(&who, &sites[i], site);
            json_array_append_new(list, site);
        }
    }
    if (rc == ERR_OK) {
        web__reply_json(c, 200, json_pack("{s:o}", "sites", list));
    } else {
        json_decref(list);
        web__reply_err(c, &err);
    }
}

/* Members that are no texts. Lists go to the arena. */
static enum err_code
read_hosts(struct call *c, const json_t *body, const char *name, const struct slice **out,
           uint32_t *out_n, struct err *err)
{
    const json_t *list = json_object_get(body, name);
    size_t n = json_array_size(list);
    struct slice *hosts;

    if (list == NULL)
        return ERR_OK;
    if (!json_is_array(list) || n > SITE_REFERRERS_MAX)
        return err_set(err, ERR_INVALID, name, "must be a list of at most %d host names",
                       SITE_REFERRERS_MAX);
    hosts = ARENA_ARRAY(c->request->arena, struct slice, n + 1);
    for (size_t i = 0; i < n; i++) {
        const json_t *host = json_array_get(list, i);

        if (!json_is_string(host))
            return err_set(err, ERR_INVALID, name, "must be a list of host names");
        hosts[i] = slice_of(json_string_value(host), json_string_length(host));
    }
    *out = hosts;
    *out_n = (uint32_t)n;
    return ERR_OK;
}

static enum err_code
read_number(const json_t *body, const char *name, int64_t *out, struct err *err)
{
    const json_t *value = json_object_get(body, name);

    if (value == NULL)
        return ERR_OK;
    if (!json_is_integer(value) || json_integer_value(value) < 1)
        return err_set(err, ERR_INVALID, name, "must be a whole number above 0");
    *out = json_integer_value(value);
    return ERR_OK;
}

static enum err_code
read_more(struct call *c, const json_t *body, struct site_wish *wish, struct err *err)
{
    const json_t *groups = json_object_get(body, "page_groups");
    enum err_code rc;

    rc = read_hosts(c, body, "hosts", &wish->hosts, &wish->n_hosts, err);
    if (rc == ERR_OK)
        rc = read_hosts(c, body, "ignored_referrers", &wish->ignored_referrers,
                        &wish->n_ignored_referrers, err);
    if (rc == ERR_OK)
        rc = read_number(body, "max_age_ms", &wish->max_age_ms, err);
    if (rc == ERR_OK)
        rc =
            read_number(body, "max_events_per_visitor_day", &wish->max_events_per_visitor_day, err);
    if (rc == ERR_OK && groups != NULL) {
        rc = page_groups_read(groups, c->request->arena, &wish->page_groups, err);
        if (rc != ERR_OK)
            err_prefix(err, "page_groups");
    }
    return rc;
}

#define MORE "hosts", "ignored_referrers", "max_age_ms", "max_events_per_visitor_day", "page_groups"

/* What the body leaves out stays as the wish has it. */
static enum err_code
read_wish(struct call *c, const json_t *body, bool is_new, struct site_wish *wish, struct err *err)
{
    static const char *const more[] = {MORE};
    struct {
        const char *name;
        struct slice *value;
    } members[] = {
        {"name", &wish->name},
        {"domain", &wish->domain},
        {"timezone", &wish->timezone},
        {"currency", &wish->currency},
        {privacy_name(PRIVACY_COOKIELESS), &wish->privacy[PRIVACY_COOKIELESS]},
        {privacy_name(PRIVACY_CONSENT), &wish->privacy[PRIVACY_CONSENT]},
        {privacy_name(PRIVACY_GPC), &wish->privacy[PRIVACY_GPC]},
        {privacy_name(PRIVACY_DNT), &wish->privacy[PRIVACY_DNT]},
        {site_choice_name(CHOICE_FIRST_DAY), &wish->choices[CHOICE_FIRST_DAY]},
        {site_choice_name(CHOICE_BOTS), &wish->choices[CHOICE_BOTS]},
        {site_choice_name(CHOICE_VIEWER_JOURNEYS), &wish->choices[CHOICE_VIEWER_JOURNEYS]},
        {"funnel", &wish->funnel},
        {"retention", &wish->retention},
    };
    const char *keys[sizeof members / sizeof *members + sizeof more / sizeof *more + 1] = {NULL};
    size_t first = is_new ? 0 : 1; /* a site keeps its name */
    size_t n = sizeof members / sizeof *members;
    enum err_code rc;

    for (size_t i = first; i < n; i++)
        keys[i - first] = members[i].name;
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        keys[n - first + i] = more[i];
    rc = web__body_check_keys(body, keys, err);
    for (size_t i = first; rc == ERR_OK && i < n; i++) {
        bool is_required = is_new && i < 2;

        if (is_required || json_object_get(body, members[i].name) != NULL)
            rc = web__body_text(body, members[i].name, is_required || !is_new, members[i].value,
                                err);
    }
    return rc == ERR_OK ? read_more(c, body, wish, err) : rc;
}

void
web__post_site(struct call *c)
{
    static const struct query_summary nothing;
    struct site_wish wish = {.name = SLICE_EMPTY};
    char secret[SITE_KEY_MAX];
    struct err err = ERR_NONE;
    json_t *body = NULL, *reply;
    struct site site;
    enum err_code rc;

    rc = web__body_object(c, &body, &err);
    if (rc == ERR_OK)
        rc = read_wish(c, body, true, &wish, &err);
    if (rc == ERR_OK)
        rc = site_add(c->web->settings, &wish, c->request->arena, &site, secret, &err);
    if (rc == ERR_OK) {
        reply = site_json(c, &site, &nothing);
        add_access(&c->who, &site, reply);
        json_object_set_new(reply, "secret_key", json_string(secret));
        web__reply_json(c, 201, reply);
    } else {
        web__reply_err(c, &err);
    }
    json_decref(body);
}

static void
reply_site(struct call *c, const struct site *site)
{
    struct query_summary summary;
    struct err err = ERR_NONE;

    json_t *reply;

    if (query_site_summary(c->web->pool, site->id, &summary, &err) != ERR_OK) {
        web__reply_err(c, &err);
        return;
    }
    reply = site_json(c, site, &summary);
    add_access(&c->who, site, reply);
    web__reply_json(c, 200, reply);
}

void
web__get_site(struct call *c)
{
    reply_site(c, &c->site);
}

void
web__patch_site(struct call *c)
{
    struct site_wish wish = site_wish_of(&c->site);
    struct err err = ERR_NONE;
    json_t *body = NULL;
    struct site site;
    enum err_code rc;

    rc = web__body_object(c, &body, &err);
    if (rc == ERR_OK)
        rc = read_wish(c, body, false, &wish, &err);
    if (rc == ERR_OK)
        rc = site_update(c->web->settings, c->site.name, &wish, &err);
    if (rc == ERR_OK)
        rc = site_find(c->web->settings, c->site.name, c->request->arena, &site, &err);
    if (rc == ERR_OK)
        reply_site(c, &site);
    else
        web__reply_err(c, &err);
    json_decref(body);
}

static void
reply_prepared(struct call *c, const struct buffer *body)
{
    http_reply_json(c->reply, 200);
    c->reply->fixed = buffer_slice(body);
}

void
web__get_timezones(struct call *c)
{
    reply_prepared(c, &c->web->timezones);
}

void
web__get_currencies(struct call *c)
{
    reply_prepared(c, &c->web->currencies);
}

/* ---- What a site sent ---- */

static const char *class_name(enum attribute_class class)
{
    switch (class) {
    case CLASS_EVENT:
        return "event";
    case CLASS_SURROUNDINGS:
        return "surroundings";
    case CLASS_DRIVER:
        break;
    }
    return "driver";
}

static const char *
type_name(enum attribute_type type)
{
    switch (type) {
    case ATTRIBUTE_TEXT:
        return "text";
    case ATTRIBUTE_NUMBER:
        return "number";
    case ATTRIBUTE_FLAG:
        break;
    }
    return "flag";
}

void
web__get_attributes(struct call *c)
{
    struct query_attribute *attributes;
    struct err err = ERR_NONE;
    json_t *list;
    size_t n;

    if (query_attributes(c->web->pool, c->site.id, c->web->attributes, c->request->arena,
                         &attributes, &n, &err) != ERR_OK) {
        web__reply_err(c, &err);
        return;
    }
    list = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct attribute *a = &attributes[i].attribute;

        json_array_append_new(list,
                              json_pack("{s:o, s:s, s:s, s:I}", "name", web__json_text(a->name),
                                        "class", class_name(a->class), "type", type_name(a->type),
                                        "seen", (json_int_t)attributes[i].n_events));
    }
    web__reply_json(c, 200, json_pack("{s:o}", "attributes", list));
}

static enum err_code
read_limit(const struct http_request *r, size_t *out, struct err *err)
{
    struct slice text;
    int64_t limit = VALUES_DEFAULT;

    if (http_parameter(r, "limit", &text) &&
        (!slice_to_int64(text, &limit) || limit < 1 || limit > VALUES_MAX))
        return err_set(err, ERR_INVALID, "limit", "is a whole number from 1 to %d", VALUES_MAX);
    *out = (size_t)limit;
    return ERR_OK;
}

void
web__get_values(struct call *c)
{
    const struct http_request *r = c->request;
    struct slice attribute, prefix = SLICE_EMPTY;
    struct query_value *values = NULL;
    struct err err = ERR_NONE;
    size_t limit = 0, n = 0;
    enum err_code rc = ERR_OK;
    json_t *list;

    if (!http_parameter(r, "attribute", &attribute))
        rc = err_set(&err, ERR_INVALID, "attribute", "is missing");
    else if (http_parameter(r, "prefix", &prefix) && prefix.n > PREFIX_MAX)
        rc = err_set(&err, ERR_INVALID, "prefix", "is longer than %d bytes", PREFIX_MAX);
    if (rc == ERR_OK)
        rc = read_limit(r, &limit, &err);
    if (rc == ERR_OK)
        rc = query_values(c->web->pool, c->site.id, attribute, prefix, limit, r->arena, &values, &n,
                          &err);
    if (rc != ERR_OK) {
        web__reply_err(c, &err);
        return;
    }
    list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list,
                              json_pack("{s:o, s:I}", "value", web__json_text(values[i].value),
                                        "events", (json_int_t)values[i].n_events));
    web__reply_json(
        c, 200, json_pack("{s:o, s:o}", "attribute", web__json_text(attribute), "values", list));
}
