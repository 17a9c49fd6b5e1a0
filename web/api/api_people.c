/* People, invitations, keys and what was done: /api/v1/sites/{site}/people, .../invitations,
 * .../keys, .../audit, and /api/v1/invitation for whoever was invited. */
#include "web/api/audit.h"
#include "web/api/people.h"
#include "web/api/web_int.h"

#define AUDIT_LIMIT     100
#define AUDIT_LIMIT_MAX 1000

/* One of a list that was just added to, with what is shown this once. Takes list. */
static void
reply_created(struct call *c, json_t *list, json_t *shown_once)
{
    json_t *reply = json_incref(json_array_get(list, 0));

    json_object_update_new(reply, shown_once);
    json_decref(list);
    web__reply_json(c, 201, reply);
}

static enum err_code
read_role(const json_t *body, enum account_role *out, struct err *err)
{
    struct slice text;
    enum err_code rc = web__body_text(body, "role", true, &text, err);

    if (rc == ERR_OK && !account_role_parse(text, out))
        rc = err_set(err, ERR_INVALID, "role", "must be owner, editor or viewer");
    return rc;
}

/* ---- People ---- */

void
web__get_people(struct call *c)
{
    json_t *people, *invitations;
    struct err err = ERR_NONE;

    if (people_list(c->web->settings, c->site.id, &people, &invitations, &err) == ERR_OK)
        web__reply_json(c, 200,
                        json_pack("{s:o, s:o}", "people", people, "invitations", invitations));
    else
        web__reply_err(c, &err);
}

void
web__patch_person(struct call *c)
{
    static const char *const keys[] = {"role", NULL};
    enum account_role role = ROLE_VIEWER;
    struct err err = ERR_NONE;
    json_t *body = NULL;
    enum err_code rc = web__body_members(c, keys, &body, &err);

    if (rc == ERR_OK)
        rc = read_role(body, &role, &err);
    if (rc == ERR_OK)
        rc = people_set_role(c->web->settings, c->parameters[1], c->site.id, role, &err);
    json_decref(body);
    web__reply_done(c, rc, &err);
}

void
web__delete_person(struct call *c)
{
    struct err err = ERR_NONE;
    enum err_code rc = people_remove(c->web->settings, c->parameters[1], c->site.id, &err);

    web__reply_done(c, rc, &err);
}

/* ---- Invitations ---- */

static json_t *
find_created(json_t *list, int64_t id)
{
    json_t *found = json_array(), *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        if (json_integer_value(json_object_get(one, "id")) == id)
            json_array_append(found, one);
    }
    json_decref(list);
    return found;
}

static void
reply_invitation(struct call *c, int64_t id, const char *token)
{
    json_t *people, *invitations;
    struct err err = ERR_NONE;

    if (people_list(c->web->settings, c->site.id, &people, &invitations, &err) != ERR_OK) {
        web__reply_err(c, &err);
        return;
    }
    json_decref(people);
    reply_created(
        c, find_created(invitations, id),
        json_pack("{s:s, s:o}", "token", token, "path", json_sprintf("/invite#%s", token)));
}

void
web__post_invitations(struct call *c)
{
    static const char *const keys[] = {"email", "role", NULL};
    enum account_role role = ROLE_VIEWER;
    char token[ACCOUNT_TOKEN_MAX];
    struct err err = ERR_NONE;
    json_t *body = NULL;
    struct slice email;
    int64_t id = 0;
    enum err_code rc = web__body_members(c, keys, &body, &err);

    if (rc == ERR_OK)
        rc = web__body_text(body, "email", true, &email, &err);
    if (rc == ERR_OK)
        rc = read_role(body, &role, &err);
    if (rc == ERR_OK)
        rc = invitation_create(c->web->settings, c->site.id, email, role, web__who(c), token, &id,
                               &err);
    if (rc == ERR_OK)
        reply_invitation(c, id, token);
    else
        web__reply_err(c, &err);
    json_decref(body);
}

void
web__delete_invitation(struct call *c)
{
    web__delete_numbered(c, invitation_remove);
}

static enum err_code
site_name(struct call *c, uint32_t id, struct slice *out, struct err *err)
{
    struct site *sites;
    size_t n = 0;
    enum err_code rc = site_list(c->web->settings, c->request->arena, &sites, &n, err);

    for (size_t i = 0; rc == ERR_OK && i < n; i++)
        if (sites[i].id == id)
            *out = sites[i].name;
    return rc;
}

/* Whoever guesses tokens is told to wait, as with passwords. */
void
web__post_invitation(struct call *c)
{
    static const char *const keys[] = {"token", NULL};
    struct slice token, name = SLICE_EMPTY;
    struct err err = ERR_NONE;
    struct invitation i;
    json_t *body = NULL;
    enum err_code rc;

    if (!web__charge(c))
        return;
    rc = web__body_members(c, keys, &body, &err);
    if (rc == ERR_OK)
        rc = web__body_text(body, "token", true, &token, &err);
    if (rc == ERR_OK)
        rc = invitation_find(c->web->settings, token, &i, &err);
    if (rc == ERR_OK)
        rc = site_name(c, i.site, &name, &err);
    if (rc != ERR_DENIED)
        web__give_back(c);
    if (rc == ERR_OK)
        web__reply_json(c, 200,
                        json_pack("{s:s, s:s, s:o, s:b, s:o}", "email", i.email, "role",
                                  account_role_name(i.role), "site", web__json_text(name),
                                  "has_account", i.has_account, "expires",
                                  web__json_time(i.expires_ms)));
    else
        web__reply_err(c, &err);
    json_decref(body);
}

void
web__post_invitation_accept(struct call *c)
{
    static const char *const keys[] = {"token", "password", NULL};
    struct slice token, password;
    struct err err = ERR_NONE;
    json_t *body = NULL;
    enum err_code rc;

    if (!web__charge(c))
        return;
    rc = web__body_members(c, keys, &body, &err);
    if (rc == ERR_OK)
        rc = web__body_text(body, "token", true, &token, &err);
    if (rc == ERR_OK)
        rc = web__body_text(body, "password", true, &password, &err);
    if (rc == ERR_OK)
        rc = invitation_accept(c->web->settings, token, password, &c->account, &err);
    if (rc != ERR_DENIED)
        web__give_back(c);
    if (rc == ERR_OK)
        web__sign_in(c, 200);
    else
        web__reply_err(c, &err);
    json_decref(body);
}

/* ---- Keys ---- */

void
web__get_keys(struct call *c)
{
    struct err err = ERR_NONE;
    json_t *list;

    if (api_key_list(c->web->settings, c->site.id, 0, &list, &err) == ERR_OK)
        web__reply_json(c, 200, json_pack("{s:o}", "keys", list));
    else
        web__reply_err(c, &err);
}

static enum err_code
read_scopes(const json_t *body, unsigned *out, struct err *err)
{
    const json_t *list = json_object_get(body, "scopes");

    if (!json_is_array(list))
        return err_set(err, ERR_INVALID, "scopes", "must be a list");
    *out = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *word = json_array_get(list, i);
        unsigned scope = 0;

        if (!json_is_string(word) ||
            !api_key_scope_parse(slice_from(json_string_value(word)), &scope))
            return err_set(err, ERR_INVALID, "scopes", "are read, write_events and manage");
        *out |= scope;
    }
    return ERR_OK;
}

void
web__post_key(struct call *c)
{
    static const char *const keys[] = {"name", "scopes", NULL};
    char key[API_KEY_TEXT_MAX];
    struct err err = ERR_NONE;
    json_t *body = NULL, *list = NULL;
    struct slice name;
    unsigned scopes = 0;
    int64_t id = 0;
    enum err_code rc = web__body_members(c, keys, &body, &err);

    if (rc == ERR_OK)
        rc = web__body_text(body, "name", true, &name, &err);
    if (rc == ERR_OK)
        rc = read_scopes(body, &scopes, &err);
    if (rc == ERR_OK)
        rc =
            api_key_create(c->web->settings, c->site.id, name, scopes, web__who(c), key, &id, &err);
    if (rc == ERR_OK)
        rc = api_key_list(c->web->settings, c->site.id, id, &list, &err);
    if (rc == ERR_OK)
        reply_created(c, list, json_pack("{s:s}", "key", key));
    else
        web__reply_err(c, &err);
    json_decref(body);
}

void
web__delete_key(struct call *c)
{
    web__delete_numbered(c, api_key_remove);
}

/* The site's own secret key, anew. */
void
web__post_secret(struct call *c)
{
    static const char *const keys[] = {NULL};
    char secret[SITE_KEY_MAX];
    struct err err = ERR_NONE;
    json_t *body = NULL;
    enum err_code rc = web__body_members(c, keys, &body, &err);

    if (rc == ERR_OK)
        rc = site_renew_secret(c->web->settings, c->site.id, secret, &err);
    if (rc == ERR_OK)
        web__reply_json(c, 201, json_pack("{s:s}", "secret_key", secret));
    else
        web__reply_err(c, &err);
    json_decref(body);
}

/* ---- What was done ---- */

static json_t *
cursor_of(const json_t *list, int64_t limit)
{
    const json_t *last = json_array_get(list, json_array_size(list) - 1);

    if ((int64_t)json_array_size(list) < limit)
        return json_null();
    return json_sprintf("%lld", (long long)json_integer_value(json_object_get(last, "id")));
}

void
web__get_audit(struct call *c)
{
    int64_t before = 0, limit = AUDIT_LIMIT;
    struct err err = ERR_NONE;
    enum err_code rc = ERR_OK;
    struct slice text;
    json_t *list = NULL;

    if (http_parameter(c->request, "before", &text) &&
        (!slice_to_int64(text, &before) || before < 1))
        rc = err_set(&err, ERR_INVALID, "before", "must be the cursor of an answer");
    if (http_parameter(c->request, "limit", &text) &&
        (!slice_to_int64(text, &limit) || limit < 1 || limit > AUDIT_LIMIT_MAX))
        rc = err_set(&err, ERR_INVALID, "limit", "is a whole number from 1 to %d", AUDIT_LIMIT_MAX);
    if (rc == ERR_OK)
        rc = audit_list(c->web->settings, c->site.id, before, limit, &list, &err);
    if (rc == ERR_OK)
        web__reply_json(c, 200,
                        json_pack("{s:o, s:o}", "cursor", cursor_of(list, limit), "entries", list));
    else
        web__reply_err(c, &err);
}
