#include "collector/collect_int.h"

#include <stdio.h>
#include <stdlib.h>

#include "collector/agent.h"
#include "core/embed.h"
#include "core/file.h"
#include "core/hash.h"

#define QUEUE_BYTES     (16 * 1024 * 1024)
#define SERVER_BODY_MAX (1024 * 1024)
#define BODY_MS         10000
#define ADDRESS_SLOTS   65536 /* addresses whose rate is known at once: 1 MB */
#define SITE_SLOTS      4096
#define REQUEST_MS      4000
#define SITES_COPY      "sites" /* in the spool's folder */
#define SNIPPET_MAX_AGE "public, max-age=3600"

extern const struct embed_file snippet_files[];

/* ---- Answers about the process, and files ---- */

/* 503 only where an event would be refused: a balancer must not take away what the spool keeps. */
static void
health(const struct http_request *r, struct http_reply *reply, void *context)
{
    struct collect *c = context;
    const struct sites_table *table = sites_acquire(c->sites);
    enum reason why = REASON_COUNT;
    enum publish_state state;
    struct err err;

    (void)r;
    state = publish_state(c->publish, &err);
    if (state == PUBLISH_REFUSING)
        why = err.code == ERR_FULL ? REASON_SPOOL_FULL : REASON_UNAVAILABLE;
    if (publish_check_clock(c->publish, &err) != ERR_OK)
        why = REASON_CLOCK;
    if (!sites_are_known(table)) {
        why = REASON_UNAVAILABLE;
        err_set(&err, ERR_UNAVAILABLE, NULL, "the settings of the sites are not there yet");
    }
    sites_release(table);
    if (why != REASON_COUNT) {
        http_reply_error(reply, reason_status(why), reason_name(why), err.message, NULL);
        return;
    }
    http_reply_json(reply, 200);
    buffer_add_text(&reply->body, state == PUBLISH_READY ? "{\"status\":\"ok\"}\n"
                                                         : "{\"status\":\"spooling\"}\n");
}

static void
metrics(const struct http_request *r, struct http_reply *reply, void *context)
{
    struct collect *c = context;
    struct buffer *out = &reply->body;
    const struct sites_table *table = sites_acquire(c->sites);

    (void)r;
    reply->content_type = "text/plain; version=0.0.4";
    metrics_print(&c->metrics, out);
    publish_print(c->publish, out);
    metrics_print_one(out, "corong_agents_unknown_total", "counter",
                      "Events with (unknown) browser, system and device: too many new user agents.",
                      (double)enrich_n_unknown_agents(c->enrich));
    metrics_print_one(out, "corong_sites", "gauge", "Sites whose events are taken.",
                      sites_count(table));
    sites_release(table);
}

/* Is this the other name that an operator gave? */
static bool
is_named(struct slice path, const char *name)
{
    return name && name[0] != '\0' && slice_is(path, name);
}

/* "/corong.js", by whatever name, and the smaller and further files of js-snippet/. */
static bool
is_snippet_path(const struct collect *c, struct slice path)
{
    return (slice_starts_with(path, SLICE("/corong")) && slice_ends_with(path, SLICE(".js"))) ||
           is_named(path, c->config.snippet_path);
}

static bool
is_beacon_path(const struct collect *c, struct slice path)
{
    return slice_is(path, "/e") || is_named(path, c->config.beacon_path);
}

static void
snippet(const struct http_request *r, struct http_reply *reply, void *context)
{
    const struct collect *c = context;
    bool is_named_so = is_named(r->path, c->config.snippet_path);
    const struct embed_file *f = embed_find(
        snippet_files, is_named_so ? SLICE("corong.js") : slice_sub(r->path, 1, SIZE_MAX));
    struct slice etag, gzip;

    if (!f) {
        http_reply_error(reply, 404, "not_found", "this program was built without the snippet",
                         NULL);
        return;
    }
    gzip = slice_contains(http_header(r, "Accept-Encoding"), SLICE("gzip")) ? embed_gzip(f)
                                                                            : SLICE_EMPTY;
    etag = arena_printf(r->arena, "\"%016llx%s\"", (unsigned long long)hash64(embed_bytes(f), 0),
                        gzip.n ? "-gz" : "");
    http_reply_header(reply, "ETag", etag);
    http_reply_header(reply, "Cache-Control", SLICE(SNIPPET_MAX_AGE));
    http_reply_header(reply, "Vary", SLICE("Accept-Encoding"));
    if (slice_equal(http_header(r, "If-None-Match"), etag)) {
        reply->status = 304;
        return;
    }
    if (gzip.n)
        http_reply_header(reply, "Content-Encoding", SLICE("gzip"));
    reply->content_type = f->type;
    reply->fixed = gzip.n ? gzip : embed_bytes(f);
}

static void
preflight(const struct http_request *r, struct http_reply *reply, void *context)
{
    (void)r;
    (void)context;
    reply->status = 204;
    http_reply_header(reply, "Access-Control-Allow-Methods", SLICE("POST"));
    http_reply_header(reply, "Access-Control-Allow-Headers",
                      SLICE("Content-Type, " COLLECT_DEBUG_HEADER));
    http_reply_header(reply, "Access-Control-Max-Age", SLICE("86400"));
}

static void
shop(const struct http_request *r, struct http_reply *reply, void *context)
{
    struct collect *c = context;

    shop_reply(c->shop, r->tail, reply);
}

static void
shop_door(const struct http_request *r, struct http_reply *reply, void *context)
{
    (void)r;
    (void)context;
    reply->status = 302;
    http_reply_header(reply, "Location", SLICE("/shop/"));
}

/* Any page may send events and read what became of them: no answer says anything of who asks. A
 * page's beacons come with credentials (the cookie), and browsers then want its name, not `*`. */
static void
allow_origin(const struct http_request *r, struct http_reply *reply)
{
    struct slice origin = http_header(r, "Origin");

    http_reply_header(reply, "Access-Control-Allow-Origin", origin.n != 0 ? origin : SLICE("*"));
    http_reply_header(reply, "Vary", SLICE("Origin"));
    if (origin.n != 0)
        http_reply_header(reply, "Access-Control-Allow-Credentials", SLICE("true"));
}

/* Every answer's last headers. */
static void
finish(const struct http_request *r, struct http_reply *reply, void *context)
{
    bool is_snippet = is_snippet_path(context, r->path);
    bool is_pixel = slice_is(r->path, "/e.gif");

    if (is_snippet || is_pixel)
        http_reply_header(reply, "Access-Control-Allow-Origin", SLICE("*"));
    else if (is_beacon_path(context, r->path))
        allow_origin(r, reply);
    if (is_snippet || is_pixel)
        http_reply_header(reply, "Cross-Origin-Resource-Policy", SLICE("cross-origin"));
    if (!is_snippet || reply->code)
        http_reply_header(reply, "Cache-Control", SLICE("no-store"));
    if (reply->code) {
        http_reply_header(reply, "X-Corong-Reason", slice_from(reply->code));
        http_reply_header(reply, "Access-Control-Expose-Headers",
                          SLICE("X-Corong-Reason, Retry-After"));
    }
}

/* ---- Starting and stopping ---- */

/* A path that stands in URLs as it is, for one file or address. */
static bool
is_plain_path(struct slice path)
{
    for (size_t i = 0; i < path.n; i++) {
        char ch = path.p[i];
        if (!((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
              ch == '-' || ch == '_' || ch == '~' || ch == '.' || ch == '/'))
            return false;
    }
    return path.n > 1 && path.p[0] == '/' && path.p[path.n - 1] != '/' &&
           !slice_contains(path, SLICE("//")) && !slice_contains(path, SLICE(".."));
}

static bool
is_taken(const struct http_route *routes, struct slice path)
{
    for (; routes->path; routes++) {
        struct slice taken = slice_from(routes->path);
        bool is_stem = slice_ends_with(taken, SLICE("*"));

        if (is_stem ? slice_starts_with(path, slice_sub(taken, 0, taken.n - 1))
                    : slice_equal(path, taken))
            return true;
    }
    return false;
}

/* Serve what is at `standard` by the name that an operator gave, too. */
static enum err_code
add_name(struct collect *c, const char *setting, const char *name, const char *standard,
         struct err *err)
{
    struct http_route *all = c->routes, *end = all;

    if (!name || name[0] == '\0' || strcmp(name, standard) == 0)
        return ERR_OK;
    if (!is_plain_path(slice_from(name)))
        return err_set(err, ERR_INVALID, setting, "%s: %s is not like /a/name", setting, name);
    if (is_taken(all, slice_from(name)))
        return err_set(err, ERR_INVALID, setting, "%s: %s is taken", setting, name);
    while (end->path)
        end++;
    for (const struct http_route *r = all, *old_end = end; r < old_end; r++) {
        if (strcmp(r->path, standard) != 0)
            continue;
        *end = *r;
        end++->path = name;
    }
    return ERR_OK;
}

static enum err_code
make_routes(struct collect *c, struct err *err)
{
    const struct http_route routes[] = {
        {HTTP_POST, "/e", c->config.beacon_bytes_max, collect__beacon},
        {HTTP_OPTIONS, "/e", 0, preflight},
        {HTTP_GET, "/e.gif", 0, collect__pixel},
        {HTTP_GET, "/corong.js", 0, snippet},
        {HTTP_GET, "/corong-core.js", 0, snippet},
        {HTTP_GET, "/corong-datalayer.js", 0, snippet},
        {HTTP_GET, "/r/*", 0, collect__redirect},
        {HTTP_POST, "/api/v1/events", SERVER_BODY_MAX, collect__server},
        {HTTP_GET, "/healthz", 0, health},
        {HTTP_GET, "/metrics", 0, metrics},
        {HTTP_GET, "/shop/*", 0, shop},
        {HTTP_GET, "/shop", 0, shop_door},
    };
    size_t n = sizeof routes / sizeof routes[0] - (c->shop ? 0 : 2);

    enum err_code rc;

    /* three by their other names, and the last one is empty */
    _Static_assert(sizeof routes / sizeof routes[0] + 3 < COLLECT_ROUTES_MAX, "too many");
    memcpy(c->routes, routes, n * sizeof routes[0]);
    rc = add_name(c, "snippet-path", c->config.snippet_path, "/corong.js", err);
    if (rc == ERR_OK)
        rc = add_name(c, "beacon-path", c->config.beacon_path, "/e", err);
    return rc;
}

static enum err_code
start_http(struct collect *c, struct err *err)
{
    const struct collect_config *config = &c->config;
    struct http_config http = {.address = config->address,
                               .port = config->port,
                               .n_threads = config->n_threads,
                               .is_door = true,
                               .queue = config->queue,
                               .body_ms = BODY_MS,
                               .request_ms = REQUEST_MS,
                               .keep_alive = config->keep_alive_ms > 0,
                               .keep_alive_ms = config->keep_alive_ms,
                               .trusted_proxies = config->trusted_proxies,
                               .routes = c->routes,
                               .context = c,
                               .finish = finish};

    return http_start(&http, &c->http, err);
}

static enum err_code
start_daily(struct collect *c, struct err *err)
{
    struct daily_config config = {
        .redis = c->config.redis,
        .write_ms = c->config.daily_write_ms > 0 ? c->config.daily_write_ms : DAILY_WRITE_MS,
        .port = c->config.port,
        .sites = c->sites,
        .publish = c->publish,
        .places = enrich_places(c->enrich)};

    return daily_start(&config, &c->daily, err);
}

/* In the order that makes the next thing possible: what a request needs is there before the door
 * opens. */
static enum err_code
start_parts(struct collect *c, struct err *err)
{
    const struct collect_config *config = &c->config;
    struct publish_config publish = {
        .redis = config->redis,
        .wait_ms = config->publish_wait_ms,
        .queue_bytes = config->publish_queue_bytes ? config->publish_queue_bytes : QUEUE_BYTES,
        .spool = {.dir = config->spool_dir, .bytes_max = config->spool_bytes_max},
        .wall_ms = config->wall_ms};
    char copy[FILE_PATH_MAX] = "";
    enum err_code rc;

    c->limit = limit_create();
    c->handovers = handovers_create();
    c->address_rate = limit_rate_create(ADDRESS_SLOTS);
    c->site_rate = limit_rate_create(SITE_SLOTS);
    if (config->demo_site_key && config->demo_site_key[0])
        c->shop = shop_create(slice_from(config->demo_site_key));
    if (config->spool_dir && config->spool_dir[0])
        file_path(copy, config->spool_dir, SITES_COPY);
    rc = make_routes(c, err);
    if (rc == ERR_OK)
        rc = enrich_serve(config->place_db, &c->enrich, err);
    if (rc == ERR_OK)
        enrich_limit_agents(c->enrich, AGENT_MISSES_A_SECOND);
    if (rc == ERR_OK)
        rc = publish_start(&publish, &c->publish, err);
    if (rc == ERR_OK)
        rc = redirect_writer_start(c->publish, &c->metrics, &c->redirects, err);
    if (rc == ERR_OK)
        rc = refusals_start(&config->redis, REFUSAL_WRITE_MS, &c->refusals, err);
    if (rc == ERR_OK)
        rc = sites_start(&config->redis, SITES_REFRESH_MS, copy, &c->sites, err);
    if (rc == ERR_OK)
        rc = salts_start(&config->redis, c->sites, c->publish, SALT_ROUND_MS, &c->salts, err);
    if (rc == ERR_OK)
        rc = start_daily(c, err);
    if (rc == ERR_OK)
        rc = start_http(c, err);
    return rc;
}

enum err_code
collect_start(const struct collect_config *config, struct collect **out, struct err *err)
{
    struct collect *c = mem_zalloc(sizeof *c);
    enum err_code rc;

    c->config = *config;
    rc = start_parts(c, err);
    if (rc != ERR_OK) {
        collect_stop(&c);
        return rc;
    }
    *out = c;
    return ERR_OK;
}

int
collect_port(const struct collect *c)
{
    return http_port(c->http);
}

void
collect_stop(struct collect **c)
{
    if (!*c)
        return;
    http_stop(&(*c)->http); /* first the door: what is inside is answered */
    redirect_writer_stop(&(*c)->redirects);
    daily_stop(&(*c)->daily);
    salts_stop(&(*c)->salts);
    sites_stop(&(*c)->sites);
    refusals_stop(&(*c)->refusals);
    publish_stop(&(*c)->publish);
    enrich_close(&(*c)->enrich);
    shop_destroy(&(*c)->shop);
    limit_destroy(&(*c)->limit);
    handovers_destroy(&(*c)->handovers);
    limit_rate_destroy(&(*c)->address_rate);
    limit_rate_destroy(&(*c)->site_rate);
    free(*c);
    *c = NULL;
}
