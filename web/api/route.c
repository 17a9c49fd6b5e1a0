#include "web/api/route.h"

#include "core/log.h"
#include "web/api/access.h"
#include "web/api/audit.h"
#include "web/api/guard.h"
#include "web/api/people.h"
#include "web/api/stack.h"
#include "web/api/web_int.h"

struct route {
    enum http_method method;
    const char *path;
    enum access_right right;
    bool is_plain; /* answered over an insecure wire too */
    web__handler handler;
};

static const struct route routes[] = {
    {HTTP_GET, "/api/v1/openapi.json", ACCESS_PUBLIC, true, web__get_openapi},
    {HTTP_GET, "/api/v1/session", ACCESS_PUBLIC, true, web__get_session},
    {HTTP_POST, "/api/v1/session", ACCESS_PUBLIC, false, web__post_session},
    {HTTP_DELETE, "/api/v1/session", ACCESS_SELF, false, web__delete_session},
    {HTTP_GET, "/api/v1/sessions", ACCESS_SELF, false, web__get_sessions},
    {HTTP_DELETE, "/api/v1/sessions/{id}", ACCESS_SELF, false, web__delete_one_session},
    {HTTP_POST, "/api/v1/invitation", ACCESS_PUBLIC, false, web__post_invitation},
    {HTTP_POST, "/api/v1/invitation/accept", ACCESS_PUBLIC, false, web__post_invitation_accept},
    {HTTP_GET, "/api/v1/share/{token}", ACCESS_PUBLIC, false, web__get_share},
    {HTTP_POST, "/api/v1/setup", ACCESS_PUBLIC, false, web__post_setup},
    {HTTP_DELETE, "/api/v1/queries/{query_id}", ACCESS_READ, false, web__delete_query},
    {HTTP_GET, "/api/v1/timezones", ACCESS_READ, false, web__get_timezones},
    {HTTP_GET, "/api/v1/currencies", ACCESS_READ, false, web__get_currencies},
    {HTTP_GET, "/api/v1/sites", ACCESS_READ, false, web__get_sites},
    {HTTP_POST, "/api/v1/sites", ACCESS_WRITE, false, web__post_site},
    {HTTP_GET, "/api/v1/sites/{site}", ACCESS_READ, false, web__get_site},
    {HTTP_PATCH, "/api/v1/sites/{site}", ACCESS_WRITE, false, web__patch_site},
    {HTTP_GET, "/api/v1/sites/{site}/attributes", ACCESS_READ, false, web__get_attributes},
    {HTTP_GET, "/api/v1/sites/{site}/values", ACCESS_READ, false, web__get_values},
    {HTTP_POST, "/api/v1/sites/{site}/values", ACCESS_READ, false, web__post_values},
    {HTTP_GET, "/api/v1/sites/{site}/count", ACCESS_READ, false, web__get_count},
    {HTTP_POST, "/api/v1/sites/{site}/count", ACCESS_READ, false, web__post_count},
    {HTTP_GET, "/api/v1/sites/{site}/live", ACCESS_READ, false, web__get_live},
    {HTTP_GET, "/api/v1/sites/{site}/health", ACCESS_READ, false, web__get_health},
    {HTTP_GET, "/api/v1/sites/{site}/funnels", ACCESS_READ, false, web__get_funnels},
    {HTTP_GET, "/api/v1/sites/{site}/funnels/{name}/versions", ACCESS_READ, false,
     web__get_funnel_versions},
    {HTTP_GET, "/api/v1/sites/{site}/funnels/{name}", ACCESS_READ, false, web__get_funnel},
    {HTTP_PUT, "/api/v1/sites/{site}/funnels/{name}", ACCESS_WRITE, false, web__put_funnel},
    {HTTP_DELETE, "/api/v1/sites/{site}/funnels/{name}", ACCESS_WRITE, false, web__delete_funnel},
    {HTTP_GET, "/api/v1/sites/{site}/filters", ACCESS_READ, false, web__get_filters},
    {HTTP_PUT, "/api/v1/sites/{site}/filters/{name}", ACCESS_WRITE, false, web__put_filter},
    {HTTP_DELETE, "/api/v1/sites/{site}/filters/{name}", ACCESS_WRITE, false, web__delete_filter},
    {HTTP_GET, "/api/v1/sites/{site}/report", ACCESS_READ, false, web__get_report},
    {HTTP_POST, "/api/v1/sites/{site}/report", ACCESS_READ, false, web__post_report},
    {HTTP_POST, "/api/v1/sites/{site}/visitors", ACCESS_VISITORS, false, web__post_visitors},
    {HTTP_POST, "/api/v1/sites/{site}/export", ACCESS_READ, false, web__post_export},
    {HTTP_POST, "/api/v1/sites/{site}/next", ACCESS_READ, false, web__post_next},
    {HTTP_POST, "/api/v1/sites/{site}/contrast", ACCESS_READ, false, web__post_contrast},
    {HTTP_POST, "/api/v1/sites/{site}/dropoff", ACCESS_READ, false, web__post_dropoff},
    {HTTP_POST, "/api/v1/sites/{site}/reconcile", ACCESS_READ, false, web__post_reconcile},
    {HTTP_POST, "/api/v1/sites/{site}/catalogue", ACCESS_READ, false, web__post_catalogue},
    {HTTP_POST, "/api/v1/sites/{site}/search", ACCESS_VISITORS, false, web__post_search},
    {HTTP_POST, "/api/v1/sites/{site}/journey", ACCESS_VISITORS, false, web__post_journey},
    {HTTP_GET, "/api/v1/sites/{site}/people", ACCESS_MANAGE, false, web__get_people},
    {HTTP_PATCH, "/api/v1/sites/{site}/people/{email}", ACCESS_MANAGE, false, web__patch_person},
    {HTTP_DELETE, "/api/v1/sites/{site}/people/{email}", ACCESS_MANAGE, false, web__delete_person},
    {HTTP_POST, "/api/v1/sites/{site}/invitations", ACCESS_MANAGE, false, web__post_invitations},
    {HTTP_DELETE, "/api/v1/sites/{site}/invitations/{id}", ACCESS_MANAGE, false,
     web__delete_invitation},
    {HTTP_GET, "/api/v1/sites/{site}/keys", ACCESS_MANAGE, false, web__get_keys},
    {HTTP_POST, "/api/v1/sites/{site}/keys", ACCESS_MANAGE, false, web__post_key},
    {HTTP_DELETE, "/api/v1/sites/{site}/keys/{id}", ACCESS_MANAGE, false, web__delete_key},
    {HTTP_GET, "/api/v1/sites/{site}/shares", ACCESS_WRITE, false, web__get_shares},
    {HTTP_POST, "/api/v1/sites/{site}/shares", ACCESS_WRITE, false, web__post_share},
    {HTTP_DELETE, "/api/v1/sites/{site}/shares/{id}", ACCESS_WRITE, false, web__delete_share},
    {HTTP_GET, "/api/v1/sites/{site}/links", ACCESS_READ, false, web__get_links},
    {HTTP_POST, "/api/v1/sites/{site}/links", ACCESS_WRITE, false, web__post_link},
    {HTTP_DELETE, "/api/v1/sites/{site}/links/{slug}", ACCESS_WRITE, false, web__delete_link},
    {HTTP_POST, "/api/v1/sites/{site}/secret", ACCESS_MANAGE, false, web__post_secret},
    {HTTP_POST, "/api/v1/sites/{site}/erase", ACCESS_MANAGE, false, web__post_erase},
    {HTTP_GET, "/api/v1/sites/{site}/audit", ACCESS_MANAGE, false, web__get_audit},
};
#define N_ROUTES (sizeof routes / sizeof *routes)

size_t
route_count(void)
{
    return N_ROUTES;
}

struct route_entry
route_at(size_t i)
{
    return (struct route_entry){routes[i].method, routes[i].path, routes[i].right == ACCESS_PUBLIC,
                                routes[i].right};
}

bool
route_match(const char *pattern, struct slice path, struct slice out[2])
{
    size_t at = 0;
    int n = 0;

    while (*pattern != '\0') {
        bool is_site = strncmp(pattern, "{site}", 6) == 0; /* whose name has no slash */
        size_t end;

        if (*pattern != '{') {
            if (at == path.n || path.p[at] != *pattern)
                return false;
            pattern++;
            at++;
            continue;
        }
        pattern = strchr(pattern, '}') + 1;
        end = slice_find(path, is_site ? '/' : *pattern, at); /* no path has a NUL: the rest */
        if (end == at)
            return false;
        out[n++] = slice_of(path.p + at, end - at);
        at = end;
    }
    return at == path.n;
}

static const char *
method_name(enum http_method method)
{
    switch (method) {
    case HTTP_GET:
        return "GET";
    case HTTP_POST:
        return "POST";
    case HTTP_PUT:
        return "PUT";
    case HTTP_PATCH:
        return "PATCH";
    case HTTP_DELETE:
        return "DELETE";
    case HTTP_OPTIONS:
        break;
    }
    return "OPTIONS";
}

/* The route of a request, or NULL and the reply made: 404, or 405 with the methods there are. */
static const struct route *
find_route(struct call *c)
{
    struct buffer allow = BUFFER_EMPTY;
    const struct route *found = NULL;

    for (size_t i = 0; i < N_ROUTES && found == NULL; i++) {
        if (!route_match(routes[i].path, c->request->path, c->parameters))
            continue;
        if (routes[i].method == c->request->method)
            found = &routes[i];
        else
            buffer_printf(&allow, "%s%s", allow.n ? ", " : "", method_name(routes[i].method));
    }
    if (found == NULL && allow.n != 0) {
        http_reply_error(c->reply, 405, "method", "this address does not take that method", "");
        http_reply_header(c->reply, "Allow", buffer_slice(&allow));
    } else if (found == NULL) {
        http_reply_error(c->reply, 404, "not_found", "the API has no such address", "");
    }
    buffer_fini(&allow);
    return found;
}

/* False, and the reply made, where the request may not be what our own page sent. */
static bool
check_source(struct call *c)
{
    struct guard_source source = {
        .host = http_header(c->request, "Host"),
        .origin = http_header(c->request, "Origin"),
        .fetch_site = http_header(c->request, "Sec-Fetch-Site"),
        .corong = http_header(c->request, "X-Corong"),
    };
    const char *wrong;

    if (c->request->method == HTTP_GET || c->who.is_key) /* no browser sends a key by itself */
        return true;
    wrong = guard_check_source(&source);
    if (wrong != NULL)
        http_reply_error(c->reply, 403, "cross_site", wrong, "");
    return wrong == NULL;
}

static bool
check_signed_in(struct call *c, enum access_right right)
{
    if (right == ACCESS_PUBLIC)
        return true;
    if (!c->is_signed_in) {
        http_reply_error(c->reply, 401, "sign_in", "sign in first", "");
        return false;
    }
    return true;
}

/* Where the route is of no site. */
static bool
check_right(struct call *c, enum access_right right)
{
    if (access_may(&c->who, NULL, right))
        return true;
    http_reply_error(c->reply, 403, "role", "your role does not allow that", "");
    return false;
}

static enum err_code
read_role(struct call *c, struct err *err)
{
    if (c->who.is_key)
        return ERR_OK;
    return people_role(c->web->settings, &c->account, c->site.id, &c->who.has_role, &c->who.role,
                       err);
}

/* Where the route names a site: find it, and see whether this account may do that with it. One that
 * it has no role for is none: nobody learns which names there are. */
static bool
check_site(struct call *c, const struct route *route)
{
    struct err err = ERR_NONE;

    if (strstr(route->path, "{site}") == NULL)
        return check_right(c, route->right);
    if (site_find(c->web->settings, c->parameters[0], c->request->arena, &c->site, &err) !=
        ERR_OK) {
        web__reply_err(c, &err);
        return false;
    }
    if (read_role(c, &err) != ERR_OK) {
        web__reply_err(c, &err);
        return false;
    }
    if (access_may(&c->who, &c->site, route->right))
        return true;
    if (c->who.has_role || (c->who.is_key && c->who.key_site == c->site.id))
        http_reply_error(c->reply, 403, "role", "your role does not allow that", "");
    else
        http_reply_error(c->reply, 404, "not_found", "there is no such site", "site");
    return false;
}

/* What was done to a site is kept, with who did it; questions by POST change nothing. */
static void
note(struct call *c, const struct route *route)
{
    struct arena *a = c->request->arena;
    struct err err = ERR_NONE;
    bool is_done = c->reply->status >= 200 && c->reply->status < 300;

    if (!is_done || c->request->method == HTTP_GET || route->right < ACCESS_WRITE)
        return;
    if (audit_add(c->web->settings, c->site.id, web__who(c),
                  arena_printf(a, "%s %s", method_name(route->method), route->path),
                  slice_sub(c->request->path, 0, 500), &err) != ERR_OK)
        log_error("what was done is not noted: %s", err.message);
}

static void
handle(void *context)
{
    struct call *c = context;
    const struct route *route = find_route(c);
    struct err err = ERR_NONE;

    if (route == NULL)
        return;
    if (web__session_read(c, &err) != ERR_OK) {
        web__reply_err(c, &err);
        return;
    }
    if (!c->is_secure && !route->is_plain) {
        http_reply_error(c->reply, 403, "insecure",
                         "over plain http the dashboard answers on its own machine only: a password"
                         " could be read on the way",
                         "");
        return;
    }
    if (check_source(c) && check_signed_in(c, route->right) && check_site(c, route)) {
        route->handler(c);
        note(c, route);
    }
}

void
route_api(const struct http_request *request, struct http_reply *reply, void *context)
{
    struct call c = {.web = context, .request = request, .reply = reply};

    if (!stack_run(handle, &c)) {
        http_reply_error(reply, 503, "unavailable", "the system has no thread to spare", "");
        http_reply_header(reply, "Retry-After", SLICE("1"));
    }
}
