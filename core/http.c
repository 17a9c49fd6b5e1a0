/* A request and its reply, whichever way the connection comes: see http.h for what it promises.
 *
 * One arena and two buffers belong to each worker thread; a request in the steady state allocates
 * nothing. A reply leaves in one write: head and body in two would cost a segment, and a delayed
 * acknowledgement on slow links. So TCP_NODELAY, a system call for each connection, has nothing to
 * hurry.
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
    struct http_peer *peer;
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
    s->is_broken = !s->peer->write(s->peer, bytes.p, bytes.n);
    return !s->is_broken;
}

static void
send_stream(struct http_peer *peer, const struct buffer *head, struct http_stream *stream,
            bool is_head)
{
    struct http_sink sink = {.peer = peer, .n_left = stream->n_bytes};

    if (peer->write(peer, head->p, head->n) && !is_head)
        stream->give(&sink, stream->context);
    if (!is_head && sink.n_left != 0) /* less than was promised: what follows is no reply */
        peer->end(peer, false);
}

static void
send_reply(struct http_peer *peer, struct buffer *out, struct http_date *date,
           struct http_reply *reply, bool is_head, bool closes)
{
    struct slice body = http__add_head(out, date, reply, closes);

    if (reply->stream.give) {
        send_stream(peer, out, &reply->stream, is_head);
        return;
    }
    if (is_head)
        body = SLICE_EMPTY;
    if (body.n <= ONE_WRITE_MAX) {
        buffer_add_slice(out, body);
        body = SLICE_EMPTY;
    }
    if (peer->write(peer, out->p, out->n) && body.n != 0)
        peer->write(peer, body.p, body.n);
}

/* The right-most hop that is no proxy of ours, over all headers of that name. */
static struct slice
client_address(const struct http_server *s, const struct http_incoming *in, struct slice peer)
{
    struct slice found = peer;

    for (int i = in->n_fields - 1; i >= 0; i--)
        if (strcasecmp(in->fields[i].name, "X-Forwarded-For") == 0 &&
            !address_follow(&s->trusted, slice_from(in->fields[i].value), &found))
            break;
    return found;
}

/* ---- Requests ---- */

struct slice
http_header(const struct http_request *r, const char *name)
{
    const struct http_incoming *in = r->incoming;

    /* many are asked for and most are not there: their first letters tell */
    for (int i = 0; in && i < in->n_fields; i++) {
        const char *other = in->fields[i].name;
        if ((other[0] | ' ') == (name[0] | ' ') && strcasecmp(other, name) == 0)
            return slice_from(in->fields[i].value);
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
body_length(const struct http_incoming *in)
{
    int64_t length = 0;
    int n_lengths = 0;
    struct slice value;

    for (int i = 0; i < in->n_fields; i++) {
        const char *name = in->fields[i].name;
        if ((name[0] | ' ') == 't' && strcasecmp(name, "Transfer-Encoding") == 0)
            return -1;
        if ((name[0] | ' ') != 'c' || strcasecmp(name, "Content-Length") != 0)
            continue;
        value = slice_from(in->fields[i].value);
        if (++n_lengths > 1 || value.n == 0 || value.n > 12)
            return -1;
        for (size_t k = 0; k < value.n; k++)
            if (value.p[k] < '0' || value.p[k] > '9')
                return -1;
        slice_to_int64(value, &length);
    }
    return length;
}

/* Read `length` bytes (out may be NULL: read and forget) within the time allowed. */
static bool
read_body(const struct http_server *s, struct http_peer *peer, int64_t length, struct buffer *out)
{
    int64_t deadline = length > 0 ? clock_steady_ms() + s->config.body_ms : 0;
    char forgotten[1024];
    int64_t n = 1;

    if (out) {
        buffer_clear(out);
        buffer_reserve(out, (size_t)length);
    }
    while (length > 0 && n > 0) {
        size_t most = out ? (size_t)length : sizeof forgotten;
        n = peer->read(peer, out ? out->p + out->n : forgotten,
                       (uint64_t)length < most ? (size_t)length : most, deadline);
        if (n > 0 && out)
            out->n += (size_t)n;
        length -= n > 0 ? n : 0;
        if (length > 0 && clock_steady_ms() > deadline)
            break;
    }
    return length == 0;
}

struct exchange {
    struct http_server *server;
    struct http_peer *peer;
    const struct http_incoming *in;
    struct worker *worker;
    struct http_request request;
    struct http_reply reply;
    bool closes;
    bool has_rest; /* bytes may come that nobody reads */
};

/* A refusal before the body was read: what is left unread would be taken for the next request, so
 * the connection ends. A moderate rest is read first, as closing over unread bytes resets the
 * connection and the answer with it. */
static void
refuse(struct exchange *x, int status, const char *code, const char *message, int64_t unread)
{
    http_reply_error(&x->reply, status, code, message, NULL);
    x->closes = x->has_rest = true;
    if (unread > 0 && unread <= DRAIN_MAX)
        x->has_rest = !read_body(x->server, x->peer, unread, NULL);
}

static void
handle(struct exchange *x)
{
    static const struct slice go_on = SLICE("HTTP/1.1 100 Continue\r\n\r\n");
    const struct http_server *s = x->server;
    const struct http_route *route;
    struct http_request *r = &x->request;
    int64_t length = body_length(x->in);
    unsigned allowed;

    if (x->in->n_fields >= HTTP_FIELDS_MAX) { /* those behind are forgotten */
        refuse(x, 431, "too_many_headers", "fewer headers, please", 0);
        return;
    }
    if (length < 0) {
        refuse(x, 400, "bad_length", "one plain Content-Length, and no Transfer-Encoding, please",
               0);
        return;
    }
    if (!x->in->target || !http__decode_path(r->arena, x->in->target, &r->path)) {
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
        x->peer->write(x->peer, go_on.p, go_on.n); /* such senders wait a second otherwise */
    if (!read_body(s, x->peer, length, &x->worker->in)) {
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
    return !x->server->config.keep_alive || strcmp(x->in->version, "1.1") != 0 ||
           slice_equal_nocase(slice_trim(connection), SLICE("close"));
}

static void
fill_request(struct exchange *x, struct slice peer)
{
    struct http_request *r = &x->request;

    r->incoming = x->in;
    r->arena = &x->worker->arena;
    r->method = http__method(x->in->method, &r->is_head);
    r->query = slice_from(x->in->query);
    r->path = r->tail = r->body = SLICE_EMPTY;
    r->remote = peer;
    if (address_list_has(&x->server->trusted, peer)) {
        r->remote = client_address(x->server, x->in, peer);
        r->is_https =
            slice_equal_nocase(slice_trim(http_header(r, "X-Forwarded-Proto")), SLICE("https"));
    }
}

void
http__exchange(struct http_server *s, struct worker *w, const struct http_incoming *in,
               struct slice remote, struct http_peer *peer)
{
    struct exchange x = {
        .server = s, .peer = peer, .in = in, .worker = w, .reply = {.status = 200}};

    x.reply.headers = w->headers;
    atomic_fetch_add(&s->in_flight, 1);
    arena_reset(&w->arena);
    fill_request(&x, remote);
    x.closes = wants_close(&x);
    if (atomic_load(&s->is_stopping)) {
        refuse(&x, 503, "stopping", "the server is stopping; try again", 0);
        http_reply_header(&x.reply, "Retry-After", SLICE("1"));
    } else {
        handle(&x);
    }
    if (s->config.finish)
        s->config.finish(&x.request, &x.reply, s->config.context);
    x.closes = x.closes || atomic_load(&s->is_stopping);
    if (x.closes)
        peer->end(peer, x.has_rest);
    send_reply(peer, &w->out, &w->date, &x.reply, x.request.is_head, x.closes);
    if (x.reply.stream.done)
        x.reply.stream.done(x.reply.stream.context);
    buffer_fini(&x.reply.body);
    w->headers = x.reply.headers;
    buffer_clear(&w->headers);
    if (w->in.capacity > BUFFER_KEEP)
        buffer_fini(&w->in);
    if (w->out.capacity > BUFFER_KEEP)
        buffer_fini(&w->out);
    atomic_fetch_sub(&s->in_flight, 1);
}

void
http__refuse_unread(struct http_server *s, int status, struct http_peer *peer)
{
    const struct http_request unknown = {.path = SLICE_EMPTY};
    struct http_reply reply = {.status = 200};
    struct buffer out = BUFFER_EMPTY;
    struct http_date date = {0};

    http_reply_error(&reply, status, "bad_request", http__status_words(status), NULL);
    if (s->config.finish)
        s->config.finish(&unknown, &reply, s->config.context);
    peer->end(peer, true);
    send_reply(peer, &out, &date, &reply, false, true);
    buffer_fini(&out);
    buffer_fini(&reply.body);
    buffer_fini(&reply.headers);
}
