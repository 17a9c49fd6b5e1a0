/* HTTP: listen, routes, a capped body, a reply. Behind it, http_server.h alone includes civetweb.
 *
 * Requests come by one of two ways, for the same handlers: by civetweb (the dashboard), or by a
 * door of our own (http_door.c) for what is sent in numbers, each over a new connection: the
 * collector. Why two: docs/collector.md, Speed.
 *
 * What is refused before a handler runs (pitfalls of this very library): Transfer-Encoding, a
 * doubled or ill-formed Content-Length, a body over the route's cap, a body that takes longer than
 * the time allowed. No document root, no directory listing, no form parser, no CGI, no websockets.
 */
#ifndef CORE_HTTP_H
#define CORE_HTTP_H

#include "core/arena.h"
#include "core/buffer.h"
#include "core/err.h"
#include "core/slice.h"

enum http_method {
    HTTP_GET = 1,
    HTTP_POST = 2,
    HTTP_PUT = 4,
    HTTP_DELETE = 8,
    HTTP_OPTIONS = 16,
    HTTP_PATCH = 32
};

struct http_request {
    enum http_method method; /* HEAD arrives as HTTP_GET; the body is then left out */
    bool is_head;
    struct slice path;  /* decoded once, without query; no NUL, no ".." segment */
    struct slice query; /* still encoded */
    struct slice body;
    struct slice remote; /* the peer's address as text; from a trusted proxy: see http_listen */
    bool is_https;       /* X-Forwarded-Proto of a trusted proxy */
    struct arena *arena; /* of this request */
    const struct http_incoming *incoming; /* for http_header; NULL: has none */
    struct slice tail;                    /* what a route ending in "*" matched beyond its stem */
};

/* A body that is made while it is sent: as large as it may be, it is never whole in memory. give is
 * called once, with a sink that takes n_bytes in all; done always, also where nothing was sent. */
struct http_sink;
bool http_sink_write(struct http_sink *s, struct slice bytes); /* false: nobody reads any more */
struct http_stream {
    uint64_t n_bytes;
    void (*give)(struct http_sink *s, void *context); /* NULL: there is none */
    void (*done)(void *context);
    void *context;
};

struct http_reply {
    int status;
    const char *content_type;  /* NULL: no body */
    struct buffer body;        /* owned by the server, freed after sending */
    struct slice fixed;        /* used instead of body where it is not empty; static bytes */
    struct http_stream stream; /* used instead of both */
    struct buffer headers;     /* further "Name: value\r\n" lines: http_reply_header */
    const char *code;          /* of http_reply_error, for finish; NULL where there is none */
};

/* A handler fills *reply (status 200, empty) and returns. It runs on one of the server's threads.
 */
typedef void (*http_handler)(const struct http_request *request, struct http_reply *reply,
                             void *context);

struct http_route {
    unsigned methods; /* enum http_method, or-ed; others get 405 with Allow */
    const char *path; /* exact, or ending in "*" for everything below */
    size_t body_max;  /* bytes; larger: 413 */
    http_handler handler;
};

struct http_config {
    const char *address; /* IPv4: "127.0.0.1", "0.0.0.0" */
    int port;            /* 0: any free one */
    int n_threads;
    bool is_door;   /* by our own door, not civetweb */
    int queue;      /* connections that wait for a thread */
    int body_ms;    /* wall time for a whole body */
    int request_ms; /* wall time for the headers */
    bool keep_alive;
    int keep_alive_ms;
    const char *trusted_proxies; /* "127.0.0.1,10.0.0.0/8" or "": whose X-Forwarded-* is believed */
    const struct http_route *routes; /* ended by path == NULL; borrowed while listening */
    void *context;
    /* Called for every reply before it is sent (security headers, CORS); may be NULL. */
    http_handler finish;
};

struct http_server;
enum err_code http_start(const struct http_config *config, struct http_server **out,
                         struct err *err);
int http_port(const struct http_server *s);
void http_stop(struct http_server **s); /* answers what is in flight, then closes */

/* A request's header by name without case; "" where it is not there. */
struct slice http_header(const struct http_request *r, const char *name);
struct slice http_cookie(const struct http_request *r, const char *name);

/* A query parameter, decoded into the request's arena; false where it is not there. */
bool http_parameter(const struct http_request *r, const char *name, struct slice *out);

void http__reply_header(struct http_reply *reply, struct slice name, struct slice value);

static inline void /* so that the length of a literal is a constant */
http_reply_header(struct http_reply *reply, const char *name, struct slice value)
{
    http__reply_header(reply, slice_from(name), value);
}
void http_reply_json(struct http_reply *reply, int status); /* sets type; body is for the caller */

/* {"error":{"code":..,"message":..,"field":..}}; field is left out where it is "". */
void http_reply_error(struct http_reply *reply, int status, const char *code, const char *message,
                      const char *field);

/* As above from an error of ours, with its fitting status: ERR_INVALID 400, ERR_DENIED 403,
 * ERR_NOT_FOUND 404, ERR_EXISTS and ERR_CONFLICT 409, ERR_LIMIT 413, ERR_UNAVAILABLE and ERR_FULL
 * 503, ERR_TIMEOUT 504, else 500 (whose words are logged, not sent). */
void http_reply_err(struct http_reply *reply, const struct err *err);

#endif
