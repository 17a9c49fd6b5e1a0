/* The dashboard's server: HTTP API, accounts, and the built user interface.
 *
 * It never writes events and opens no path that a user gave. What it reads of a site's events it
 * gets from aggregator/query.h.
 *
 * Threads: the n_threads handler threads of core/http.h; each runs a request of the API on a
 * second, roomier thread (stack.h) and waits for it, so at most n_threads requests are at work.
 * They share
 *   - settings.db behind settings_db's own lock (a leaf),
 *   - the pool of segments (snapshot.h, safe from several threads; a request holds at most one
 *     snapshot and no lock while it scans),
 *   - the limiters, each behind its own lock (leaves),
 *   - the gate of password.h (entered without any lock held),
 *   - the turns of queries (turn.h; the same) and the kept results, each behind its own lock
 *     (leaves),
 *   - the connection to Redis (told.h), behind its own lock (a leaf),
 *   - everything else read-only after the start.
 * No code holds two of these locks at once.
 */
#ifndef WEB_API_SERVER_H
#define WEB_API_SERVER_H

#include "core/err.h"
#include "core/slice.h"
#include "core/stream.h"

struct web_config {
    const char *data_dir;        /* made where it is missing */
    const char *address;         /* "127.0.0.1" */
    int port;                    /* 0: any free one */
    int n_threads;               /* at once answered requests, 2..256 */
    const char *snippet_path;    /* of that tag: "/corong.js" */
    const char *beacon_path;     /* and "/e" */
    const char *collector_url;   /* of the snippet that sites paste: "http://localhost:8001" */
    const char *public_url;      /* under which people reach the dashboard; "" = none */
    const char *trusted_proxies; /* see struct http_config */
    int64_t query_time_ms;       /* of one query; 0: any */
    size_t query_bytes;          /* held by one query; 0: any */
    bool insecure_http;          /* sign-in over plain http also away from this machine */
    const struct stream_address *redis; /* where the page Data health asks; NULL: nowhere */
    bool demo;                          /* the collector serves the demonstration shop at /shop/ */
};

struct web;

/* Start to answer; the strings of config are copied. ERR_INVALID (field: the setting), ERR_IO (the
 * port is taken, ...), and the errors of store_open and settings_db_open. */
enum err_code web_start(const struct web_config *config, struct web **out, struct err *err);
int web_port(const struct web *w);
void web_stop(struct web **w);

#endif
