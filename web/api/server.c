#include "web/api/server.h"

#include <sodium.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/url.h"
#include "web/api/guard.h"
#include "web/api/kept.h"
#include "web/api/lists.h"
#include "web/api/route.h"
#include "web/api/web_int.h"

/* Failed sign-ins in 15 minutes. From one network 5, whatever the account. For one account from all
 * networks together 50: few enough to guess nothing, too many for somebody elsewhere to lock its
 * owner out with. */
#define SIGN_IN_TRIES_NETWORK 5
#define SIGN_IN_TRIES_ACCOUNT 50
#define SIGN_IN_PERIOD_MS     (INT64_C(15) * 60 * 1000)

/* Of each file the newest rows, and who was here: 16 bytes each. */
#define LIVE_FILES_MAX 256
#define LIVE_BYTES_MAX ((size_t)16 << 20)

/* Of each file a number for each attribute. */
#define ATTRIBUTES_FILES_MAX 4096
#define ATTRIBUTES_BYTES_MAX ((size_t)4 << 20)

#define QUEUE      1024
#define BODY_MS    10000
#define REQUEST_MS 5000

#define CONTENT_SECURITY_POLICY                                                                    \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "              \
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "            \
    "object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

/* On every reply, also on those that core/http.h makes itself. X-Content-Type-Options comes from
 * there. */
static const char security_headers[] = "Content-Security-Policy: " CONTENT_SECURITY_POLICY "\r\n"
                                       "Referrer-Policy: same-origin\r\n"
                                       "X-Frame-Options: DENY\r\n"
                                       "Cross-Origin-Opener-Policy: same-origin\r\n"
                                       "Cross-Origin-Resource-Policy: same-origin\r\n"
                                       "Permissions-Policy: camera=(), geolocation=(), "
                                       "microphone=()\r\n";

static void
finish(const struct http_request *request, struct http_reply *reply, void *context)
{
    struct web *w = context;
    int class = reply->status / 100;

    buffer_add_text(&reply->headers, security_headers);
    /* what the built interface allows to be kept, its handler says; nothing else may be */
    if (!slice_contains(buffer_slice(&reply->headers), SLICE("Cache-Control:")))
        http_reply_header(reply, "Cache-Control", SLICE("no-store"));
    atomic_fetch_add(&w->metrics.replies[class >= 1 && class <= 5 ? class : 0], 1);
    (void)request;
}

/* ---- Host: the guard that stands before every route but those of monitoring, which says nothing
 * that a page of another site could use, and which is asked under many names. ---- */

static bool
check_host(const struct http_request *request, struct http_reply *reply, const struct web *w)
{
    if (guard_host_is_ours(http_header(request, "Host"), slice_from(w->public_host)))
        return true;
    http_reply_error(reply, 403, "host",
                     "this name is not known to be ours; name it with --public-url", "");
    return false;
}

static void
serve_api(const struct http_request *request, struct http_reply *reply, void *context)
{
    if (check_host(request, reply, context))
        route_api(request, reply, context);
}

static void
serve_interface(const struct http_request *request, struct http_reply *reply, void *context)
{
    if (check_host(request, reply, context))
        web__asset(request, reply, context);
}

static const struct http_route http_routes[] = {
    {HTTP_GET | HTTP_POST | HTTP_PUT | HTTP_PATCH | HTTP_DELETE, "/api/*", WEB__BODY_MAX,
     serve_api},
    {HTTP_GET, "/healthz", 0, web__healthz},
    {HTTP_GET, "/metrics", 0, web__metrics},
    {HTTP_GET, "/*", 0, serve_interface},
    {.path = NULL}};

/* ---- Start and stop ---- */

/* An http(s) address that can stand in an HTML attribute as it is, without a slash at its end. */
static enum err_code
copy_url(const char *name, const char *value, char out[WEB__URL_MAX], struct url *url,
         struct err *err)
{
    struct slice text = slice_from(value);

    while (text.n != 0 && text.p[text.n - 1] == '/')
        text.n--;
    if (strpbrk(value, "\"'<>& \t\r\n") != NULL || !slice_to_cstr(text, out, WEB__URL_MAX) ||
        !url_split(slice_from(out), url) || url->host.n == 0 || url->query.n != 0 ||
        (!slice_is(url->scheme, "http") && !slice_is(url->scheme, "https")))
        return err_set(err, ERR_INVALID, name, "%s is not like https://shop.example", value);
    return ERR_OK;
}

static enum err_code
copy_config(struct web *w, const struct web_config *config, struct err *err)
{
    char text[WEB__URL_MAX];
    struct slice host;
    struct url url;
    enum err_code rc;

    w->insecure_http = config->insecure_http;
    w->demo = config->demo;
    w->snippet_path = slice_from(config->snippet_path);
    w->beacon_path = slice_from(config->beacon_path);
    rc = copy_url("collector-url", config->collector_url, w->collector_url, &url, err);
    if (rc != ERR_OK || config->public_url == NULL || config->public_url[0] == '\0')
        return rc;
    rc = copy_url("public-url", config->public_url, text, &url, err);
    if (rc != ERR_OK)
        return rc;
    if (!guard_host_split(url.host, &host) ||
        !slice_to_cstr(host, w->public_host, sizeof w->public_host))
        return err_set(err, ERR_INVALID, "public-url", "%s has no host", config->public_url);
    return ERR_OK;
}

static enum err_code
listen_http(struct web *w, const struct web_config *config, struct err *err)
{
    struct http_config http = {
        .address = config->address,
        .port = config->port,
        .n_threads = config->n_threads,
        .queue = QUEUE,
        .body_ms = BODY_MS,
        .request_ms = REQUEST_MS,
        .keep_alive = false, /* an idle connection would hold a thread */
        .trusted_proxies = config->trusted_proxies,
        .routes = http_routes,
        .context = w,
        .finish = finish,
    };

    return http_start(&http, &w->http, err);
}

enum err_code
web_start(const struct web_config *config, struct web **out, struct err *err)
{
    struct web *w = mem_zalloc(sizeof *w);
    enum err_code rc;

    if (sodium_init() < 0) {
        rc = err_set(err, ERR_IO, NULL, "the system gives no random bytes");
        goto done;
    }
    w->tries_by_account = limiter_create(SIGN_IN_TRIES_ACCOUNT, SIGN_IN_PERIOD_MS);
    w->tries_by_network = limiter_create(SIGN_IN_TRIES_NETWORK, SIGN_IN_PERIOD_MS);
    w->kept = result_cache_create(KEPT_REPORTS_MAX, KEPT_BYTES_MAX);
    w->told = told_create(config->redis);
    w->live = result_cache_create(LIVE_FILES_MAX, LIVE_BYTES_MAX);
    w->attributes = result_cache_create(ATTRIBUTES_FILES_MAX, ATTRIBUTES_BYTES_MAX);
    /* half of the threads, so that the others answer what needs no turn */
    w->turns = turns_create(&(struct turns_config){
        .waiting_max = config->n_threads / 2,
        .limits = {.time_ms = config->query_time_ms, .bytes = config->query_bytes}});
    lists_add_timezones(&w->timezones);
    lists_add_currencies(&w->currencies);
    rc = copy_config(w, config, err);
    if (rc == ERR_OK)
        rc = store_open(config->data_dir, true, &w->store, err);
    if (rc == ERR_OK)
        rc = settings_db_open(&w->store, &w->settings, err);
    if (rc == ERR_OK)
        rc = snapshot_pool_open(&w->store, &w->pool, err);
    if (rc == ERR_OK)
        rc = listen_http(w, config, err);
done:
    if (rc == ERR_OK)
        *out = w;
    else
        web_stop(&w);
    return rc;
}

int
web_port(const struct web *w)
{
    return http_port(w->http);
}

void
web_stop(struct web **w)
{
    if (*w == NULL)
        return;
    http_stop(&(*w)->http); /* first: no handler runs after it */
    snapshot_pool_close(&(*w)->pool);
    settings_db_close(&(*w)->settings);
    limiter_destroy(&(*w)->tries_by_account);
    limiter_destroy(&(*w)->tries_by_network);
    turns_destroy(&(*w)->turns);
    told_destroy(&(*w)->told);
    result_cache_destroy(&(*w)->kept);
    result_cache_destroy(&(*w)->live);
    result_cache_destroy(&(*w)->attributes);
    buffer_fini(&(*w)->timezones);
    buffer_fini(&(*w)->currencies);
    free(*w);
    *w = NULL;
}
