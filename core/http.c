/* HTTP over civetweb 1.15: see http.h for what it promises.
 *
 * Every request comes in through the begin_request callback, so that none of civetweb's own
 * handling (files, CGI, PUT, form parser, CORS) is ever reached. One arena and two buffers belong
 * to each worker thread; a request in the steady state allocates nothing. A reply leaves in one
 * write: head and body in two would cost a segment, and a delayed acknowledgement on slow links. So
 * tcp_nodelay, a system call for each connection, has nothing to hurry.
 */
#include "core/http.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

#include "core/clock.h"
#include "core/http_server.h"
#include "core/url.h"

#define BUFFER_KEEP   (128 * 1024) /* a buffer that grew over it is given back */
#define ONE_WRITE_MAX (256 * 1024)
#define DRAIN_MAX     (1024 * 1024)

/* ---- Replies ---- */

struct http_sink {
    struct mg_connection *conn;
    uint64_t n_left;
    bool is_broken;
};

bool
http_sink_write(struct http_sink *s, struct slice bytes)
{
    if (s->is_broken || bytes.n == 0)
        return !s->is_broken;
    assert(bytes.n <= s->n_left);
    s->n_left -= bytes.n;
    s->is_broken = mg_write(s->conn, bytes.p, bytes.n) <= 0;
    return !s->is_broken;
}

static void
send_stream(struct mg_connection *conn, const struct buffer *head, struct http_stream *stream,
            bool is_head)
{
    struct http_sink sink = {.conn = conn, .n_left = stream->n_bytes};

    if (mg_write(conn, head->p, head->n) > 0 && !is_head)
        stream->give(&sink, stream->context);
    if (!is_head && sink.n_left != 0) /* less than was promised: what follows is no reply */
        mg_disable_keep_alive(conn);
}

static void
send_reply(struct mg_connection *conn, struct buffer *out, struct http_date *date,
           struct http_reply *reply, bool is_head, bool closes)
{
    struct slice body = http__add_head(out, date, reply, closes);

    if (reply->stream.give) {
        send_stream(conn, out, &reply->stream, is_head);
        return;
    }
    if (is_head)
        body = SLICE_EMPTY;
    if (body.n <= ONE_WRITE_MAX) {
        buffer_add_slice(out, body);
        body = SLICE_EMPTY;
    }
    if (mg_write(conn, out->p, out->n) > 0 && body.n != 0)
        mg_write(conn, body.p, body.n);
}

/* The right-most hop that is no proxy of ours, over all headers of that name. */
static struct slice
client_address(const struct http_server *s, const struct mg_request_info *info, struct slice peer)
{
    struct slice found = peer;

    for (int i = info->num_headers - 1; i >= 0; i--)
        if (strcasecmp(info->http_headers[i].name, "X-Forwarded-For") == 0 &&
            !address_follow(&s->trusted, slice_from(info->http_headers[i].value), &found))
            break;
    return found;
}

/* ---- Requests ---- */

struct slice
http_header(const struct http_request *r, const char *name)
{
    const struct mg_request_info *info = r->conn ? mg_get_request_info(r->conn) : NULL;

    /* many are asked for and most are not there: their first letters tell */
    for (int i = 0; info && i < info->num_headers; i++) {
        const char *other = info->http_headers[i].name;
        if ((other[0] | ' ') == (name[0] | ' ') && strcasecmp(other, name) == 0)
            return slice_from(info->http_headers[i].value);
    }
    return SLICE_EMPTY;
}

struct slice
http_cookie(const struct http_request *r, const char *name)
{
    struct slice rest = http_header(r, "Cookie");
    struct slice pair, key, value;
    bool more = rest.n != 0;

    while (more) {
        more = slice_cut(rest, ';', &pair, &rest);
        if (slice_cut(slice_trim(pair), '=', &key, &value) && slice_is(key, name))
            return value;
    }
    return SLICE_EMPTY;
}

bool
http_parameter(const struct http_request *r, const char *name, struct slice *out)
{
    struct slice rest = r->query, key, value;

    while (url_next_parameter(&rest, &key, &value)) {
        if (!slice_equal(url_decode(r->arena, key), slice_from(name)))
            continue;
        *out = url_decode(r->arena, value);
        return true;
    }
    return false;
}

/* The length to expect from the headers, judged more strictly than civetweb does: both headers, or
 * two lengths, or "+10", are how requests are smuggled past a proxy. -1: refuse. */
static int64_t
body_length(const struct mg_request_info *info)
{
    int64_t length = 0;
    int n_lengths = 0;
    struct slice value;

    for (int i = 0; i < info->num_headers; i++) {
        const char *name = info->http_headers[i].name;
        if ((name[0] | ' ') == 't' && strcasecmp(name, "Transfer-Encoding") == 0)
            return -1;
        if ((name[0] | ' ') != 'c' || strcasecmp(name, "Content-Length") != 0)
            continue;
        value = slice_from(info->http_headers[i].value);
        if (++n_lengths > 1 || value.n == 0 || value.n > 12)
            return -1;
        for (size_t k = 0; k < value.n; k++)
            if (value.p[k] < '0' || value.p[k] > '9')
                return -1;
        slice_to_int64(value, &length);
    }
    return length;
}

/* Read `length` bytes (out may be NULL: read and forget) within the time allowed: mg_read waits for
 * all it is asked for, and watch_bodies cuts it short. */
static bool
read_body(const struct http_server *s, struct mg_connection *conn, int64_t length,
          struct buffer *out)
{
    struct worker *w = mg_get_thread_pointer(conn);
    int64_t deadline = clock_steady_ms() + s->config.body_ms;
    char forgotten[1024];
    int n = 1;

    if (out) {
        buffer_clear(out);
        buffer_reserve(out, (size_t)length);
    }
    atomic_store(&w->body_until_ms, deadline);
    while (length > 0 && n > 0) {
        size_t most = out ? (size_t)length : sizeof forgotten;
        n = mg_read(conn, out ? out->p + out->n : forgotten,
                    (uint64_t)length < most ? (size_t)length : most);
        if (n > 0 && out)
            out->n += (size_t)n;
        length -= n > 0 ? n : 0;
        if (length > 0 && clock_steady_ms() > deadline)
            break;
    }
    atomic_store(&w->body_until_ms, 0);
    return length == 0;
}

struct exchange {
    struct http_server *server;
    struct mg_connection *conn;
    const struct mg_request_info *info;
    struct worker *worker;
    struct http_request request;
    struct http_reply reply;
    bool closes;
};

/* A refusal before the body was read: what is left unread would be taken for the next request, so
 * the connection ends. A moderate rest is read first, as closing over unread bytes resets the
 * connection and the answer with it. */
static void
refuse(struct exchange *x, int status, const char *code, const char *message, int64_t unread)
{
    http_reply_error(&x->reply, status, code, message, NULL);
    x->closes = true;
    if (unread > 0 && unread <= DRAIN_MAX)
        read_body(x->server, x->conn, unread, NULL);
}

static void
handle(struct exchange *x)
{
    static const struct slice go_on = SLICE("HTTP/1.1 100 Continue\r\n\r\n");
    const struct http_server *s = x->server;
    const struct http_route *route;
    struct http_request *r = &x->request;
    int64_t length = body_length(x->info);
    unsigned allowed;

    if (x->info->num_headers >= MG_MAX_HEADERS) { /* those behind are forgotten */
        refuse(x, 431, "too_many_headers", "fewer headers, please", 0);
        return;
    }
    if (length < 0) {
        refuse(x, 400, "bad_length", "one plain Content-Length, and no Transfer-Encoding, please",
               0);
        return;
    }
    if (!x->info->local_uri_raw || !http__decode_path(r->arena, x->info->local_uri_raw, &r->path)) {
        refuse(x, 400, "bad_path", "the address is ill-formed", length);
        return;
    }
    route = http__find_route(s->config.routes, r, &allowed);
    if (!route) {
        refuse(x, 404, "not_found", "", length);
        http__reply_no_route(&x->reply, allowed);
        return;
    }
    if ((uint64_t)length > route->body_max) {
        refuse(x, 413, "too_large", "the body is larger than this address takes", length);
        return;
    }
    if (length > 0 && slice_equal_nocase(http_header(r, "Expect"), SLICE("100-continue")))
        mg_write(x->conn, go_on.p, go_on.n); /* else such senders wait a second before they go on */
    if (!read_body(s, x->conn, length, &x->worker->in)) {
        refuse(x, 408, "too_slow", "the body did not come in time", 0);
        return;
    }
    r->body = buffer_slice(&x->worker->in);
    route->handler(r, &x->reply, s->config.context);
}

static bool
wants_close(const struct exchange *x)
{
    struct slice connection = http_header(&x->request, "Connection");

    /* Without a length a body may follow all the same: civetweb drops all headers behind an
     * ill-formed one. It must not be taken for the next request. */
    if ((x->request.method & (HTTP_POST | HTTP_PUT | HTTP_PATCH)) &&
        http_header(&x->request, "Content-Length").n == 0)
        return true;
    return !x->server->config.keep_alive || strcmp(x->info->http_version, "1.1") != 0 ||
           slice_equal_nocase(slice_trim(connection), SLICE("close"));
}

static void
fill_request(struct exchange *x)
{
    struct http_request *r = &x->request;
    struct slice peer = slice_from(x->info->remote_addr);

    r->conn = x->conn;
    r->arena = &x->worker->arena;
    r->method = http__method(x->info->request_method, &r->is_head);
    r->query = slice_from(x->info->query_string);
    r->path = r->tail = r->body = SLICE_EMPTY;
    r->remote = peer;
    if (address_list_has(&x->server->trusted, peer)) {
        r->remote = client_address(x->server, x->info, peer);
        r->is_https =
            slice_equal_nocase(slice_trim(http_header(r, "X-Forwarded-Proto")), SLICE("https"));
    }
}

int
http__on_request(struct mg_connection *conn)
{
    struct exchange x = {.server = mg_get_user_data(mg_get_context(conn)),
                         .conn = conn,
                         .info = mg_get_request_info(conn),
                         .worker = mg_get_thread_pointer(conn),
                         .reply = {.status = 200}};

    x.reply.headers = x.worker->headers;
    atomic_fetch_add(&x.server->in_flight, 1);
    arena_reset(&x.worker->arena);
    fill_request(&x);
    x.closes = wants_close(&x);
    if (atomic_load(&x.server->is_stopping)) {
        refuse(&x, 503, "stopping", "the server is stopping; try again", 0);
        http_reply_header(&x.reply, "Retry-After", SLICE("1"));
    } else {
        handle(&x);
    }
    if (x.server->config.finish)
        x.server->config.finish(&x.request, &x.reply, x.server->config.context);
    x.closes = x.closes || atomic_load(&x.server->is_stopping);
    if (x.closes)
        mg_disable_keep_alive(conn);
    send_reply(conn, &x.worker->out, &x.worker->date, &x.reply, x.request.is_head, x.closes);
    if (x.reply.stream.done)
        x.reply.stream.done(x.reply.stream.context);
    buffer_fini(&x.reply.body);
    x.worker->headers = x.reply.headers;
    buffer_clear(&x.worker->headers);
    if (x.worker->in.capacity > BUFFER_KEEP)
        buffer_fini(&x.worker->in);
    if (x.worker->out.capacity > BUFFER_KEEP)
        buffer_fini(&x.worker->out);
    atomic_fetch_sub(&x.server->in_flight, 1);
    return x.reply.status;
}

int
http__on_error(struct mg_connection *conn, int status, const char *words)
{
    const struct http_server *s = mg_get_user_data(mg_get_context(conn));
    const struct http_request unknown = {.path = SLICE_EMPTY};
    struct http_reply reply = {.status = 200};
    struct buffer out = BUFFER_EMPTY;
    struct http_date date = {0};

    (void)words;
    http_reply_error(&reply, status, "bad_request", http__status_words(status), NULL);
    if (s->config.finish)
        s->config.finish(&unknown, &reply, s->config.context);
    mg_disable_keep_alive(conn);
    send_reply(conn, &out, &date, &reply, false, true);
    buffer_fini(&out);
    buffer_fini(&reply.body);
    buffer_fini(&reply.headers);
    return 0;
}
