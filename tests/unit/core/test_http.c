/* The server over real sockets: routes, framing that must be refused, caps, clocks, proxies. All of
 * it by both ways that connections come: civetweb, and our own door. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>

#include "core/address.h"
#include "core/clock.h"
#include "core/http.h"
#include "tests/support/http_client.h"
#include "tests/support/patience.h"

#define BODY_MAX 100000

/* Says what it was asked. */
static void
echo(const struct http_request *r, struct http_reply *reply, void *context)
{
    struct slice q = SLICE("-");

    (void)context;
    http_parameter(r, "q", &q);
    reply->content_type = "text/plain";
    buffer_printf(&reply->body, "m=%d p=%.*s t=%.*s q=%.*s c=%.*s ip=%.*s s=%d b=%zu", r->method,
                  SLICE_ARG(r->path), SLICE_ARG(r->tail), SLICE_ARG(q),
                  SLICE_ARG(http_cookie(r, "sid")), SLICE_ARG(r->remote), r->is_https, r->body.n);
    if (r->body.n <= 20)
        buffer_printf(&reply->body, " %.*s", SLICE_ARG(r->body));
    http_reply_header(reply, "X-Odd", slice_of("a\r\nSet-Cookie: b", 16));
}

static void
empty(const struct http_request *r, struct http_reply *reply, void *context)
{
    (void)r;
    (void)context;
    reply->status = 204;
}

static void
always_fail(const struct http_request *r, struct http_reply *reply, void *context)
{
    struct err err;

    (void)context;
    err_set(&err, slice_is(r->tail, "io") ? ERR_IO : ERR_INVALID, "name", "no \"quotes\"");
    http_reply_err(reply, &err);
}

static char large[700000];

static void
big(const struct http_request *r, struct http_reply *reply, void *context)
{
    (void)r;
    (void)context;
    reply->content_type = "text/plain";
    reply->fixed = slice_of(large, sizeof large);
}

static atomic_int n_slow; /* that have begun */

static void
slow(const struct http_request *r, struct http_reply *reply, void *context)
{
    (void)r;
    (void)context;
    atomic_fetch_add(&n_slow, 1);
    clock_sleep_ms(300);
    reply->content_type = "text/plain";
    buffer_add_text(&reply->body, "done");
}

static void
finish(const struct http_request *r, struct http_reply *reply, void *context)
{
    (void)r;
    (void)context;
    http_reply_header(reply, "X-Reason", slice_from(reply->code));
}

static const struct http_route routes[] = {
    {HTTP_GET | HTTP_POST, "/echo", BODY_MAX, echo},
    {HTTP_GET, "/files/*", 0, echo},
    {HTTP_GET, "/files/exact", 0, empty},
    {HTTP_PUT, "/files/exact", 10, echo},
    {HTTP_GET, "/fail/*", 0, always_fail},
    {HTTP_GET, "/big", 0, big},
    {HTTP_GET, "/slow", 0, slow},
    {0, NULL, 0, NULL},
};

static bool by_door;

static struct http_config
config_of(void)
{
    return (struct http_config){
        .address = "127.0.0.1",
        .port = 0,
        .n_threads = 4,
        .is_door = by_door,
        .queue = 16,
        .body_ms =
            3000, /* some tests wait for these, to others a slow machine must not look slow */
        .request_ms = 3000,
        .keep_alive = true,
        .keep_alive_ms = 3000,
        .trusted_proxies = "127.0.0.1, 10.0.0.0/8",
        .routes = routes,
        .finish = finish};
}

static int
set_up(void **state)
{
    struct http_config config = config_of();
    struct http_server *server;
    struct err err;

    assert_int_equal(http_start(&config, &server, &err), ERR_OK);
    *state = server;
    return 0;
}

/* Whose head must come at once. */
static int
set_up_hasty(void **state)
{
    struct http_config config = config_of();
    struct http_server *server;
    struct err err;

    config.request_ms = 300;
    assert_int_equal(http_start(&config, &server, &err), ERR_OK);
    *state = server;
    return 0;
}

static int
tear_down(void **state)
{
    struct http_server *server = *state;

    http_stop(&server);
    assert_null(server);
    return 0;
}

#define HOST "Host: a\r\n"

static void
test_requests(void **state)
{
    const struct {
        const char *request;
        int status;
        const char *body; /* must be in it */
    } rows[] = {
        {"GET /echo?a=1&q=x%20y+z HTTP/1.1\r\n" HOST "\r\n", 200, "m=1 p=/echo t= q=x y z c= "},
        {"GET /echo HTTP/1.1\r\n" HOST "Cookie: a=1; sid=abc; b=2\r\n\r\n", 200, "c=abc ip"},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 200, "b=3 abc"},
        {"POST /echo HTTP/1.1\r\n" HOST "\r\n", 200, "b=0"},
        {"GET /files/a/b.js HTTP/1.1\r\n" HOST "\r\n", 200, "t=a/b.js"},
        {"GET /files/ HTTP/1.1\r\n" HOST "\r\n", 200, "t= "},
        {"GET /files/exact HTTP/1.1\r\n" HOST "\r\n", 204, ""},
        {"PUT /files/exact HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", 200, "m=4"},
        {"GET /files HTTP/1.1\r\n" HOST "\r\n", 404, "not_found"},
        {"GET /fail/io HTTP/1.1\r\n" HOST "\r\n", 500, "\"internal\""},
        {"GET /fail/x HTTP/1.1\r\n" HOST "\r\n", 400,
         "{\"error\":{\"code\":\"invalid\",\"message\":\"no \\\"quotes\\\"\",\"field\":\"name\"}}"},
        /* paths that lie */
        {"GET /files/..%2f..%2fetc HTTP/1.1\r\n" HOST "\r\n", 400, "bad_path"},
        {"GET /files/../../echo HTTP/1.1\r\n" HOST "\r\n", 400, "bad_path"},
        {"GET /files/%00 HTTP/1.1\r\n" HOST "\r\n", 400, "bad_path"},
        {"GET /files/%zz HTTP/1.1\r\n" HOST "\r\n", 400, "bad_path"},
        {"GET /files/%2 HTTP/1.1\r\n" HOST "\r\n", 400, "bad_path"},
        {"GET /files/% HTTP/1.1\r\n" HOST "\r\n", 400, "bad_path"},
        {"GET /files/%252e%252e/x HTTP/1.1\r\n" HOST "\r\n", 200, "t=%2e%2e/x"}, /* once only */
        /* two views of one message */
        {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
         "bad_l"},
        {"POST /echo HTTP/1.1\r\n" HOST
         "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
         400, "bad_length"},
        {"POST /echo HTTP/1.1\r\n" HOST
         "Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc",
         400, "bad_length"},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400,
         "bad_length"},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\nabc", 400, "bad_length"},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3x\r\n\r\nabc", 400, "bad_length"},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", by_door ? 400 : 411, "bad_"},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 100001\r\n\r\n", 413, "too_large"},
        {"GET /files/x HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", 413, "too_large"},
        {"nonsense\r\n\r\n", 400, "bad_request"},
    };
    struct http_answer a;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        http_client_exchange(http_port(*state), rows[i].request, &a);
        if (a.status != rows[i].status || !slice_contains(a.body, slice_from(rows[i].body)))
            fail_msg("row %zu: %d %.*s", i, a.status, SLICE_ARG(a.body));
        http_answer_fini(&a);
    }
}

static void
test_methods_that_a_path_does_not_know(void **state)
{
    static const struct {
        const char *request;
        const char *allow;
    } rows[] = {
        {"POST /files/exact HTTP/1.1\r\n" HOST "\r\n", "GET, HEAD, PUT"},
        {"DELETE /echo HTTP/1.1\r\n" HOST "\r\n", "GET, HEAD, POST"},
        {"OPTIONS /echo HTTP/1.1\r\n" HOST "\r\n", "GET, HEAD, POST"},
        {"PATCH /echo HTTP/1.1\r\n" HOST "\r\n", "GET, HEAD, POST"},
    };
    struct http_answer a;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        http_client_exchange(http_port(*state), rows[i].request, &a);
        assert_int_equal(a.status, 405);
        assert_true(slice_is(http_answer_header(&a, "Allow"), rows[i].allow));
        assert_true(slice_is(http_answer_header(&a, "X-Reason"), "method_not_allowed"));
        http_answer_fini(&a);
    }
}

static void
test_head_has_the_length_and_no_body(void **state)
{
    int fd = http_client_connect(http_port(*state));
    char text[2000];
    ssize_t n;

    http_client_send(fd, SLICE("HEAD /echo HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"));
    n = read(fd, text, sizeof text - 1);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(text, "Content-Length: "));
    assert_null(strstr(text, "Content-Length: 0\r\n"));
    assert_string_equal(text + n - 4, "\r\n\r\n");
    assert_int_equal(read(fd, text, sizeof text), 0);
    close(fd);
}

static void
test_no_header_value_makes_another_header(void **state)
{
    struct http_answer a;

    http_client_exchange(http_port(*state), "GET /echo HTTP/1.1\r\n" HOST "\r\n", &a);
    assert_true(slice_is(http_answer_header(&a, "X-Odd"), "aSet-Cookie: b"));
    assert_int_equal(http_answer_header(&a, "Set-Cookie").n, 0);
    assert_true(slice_is(http_answer_header(&a, "X-Content-Type-Options"), "nosniff"));
    http_answer_fini(&a);
}

static void
test_one_connection_takes_many_requests(void **state)
{
    int fd = http_client_connect(http_port(*state));
    struct http_answer a;

    for (int i = 0; i < 20; i++) {
        http_client_send(fd, SLICE("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"));
        http_client_read(fd, &a);
        assert_int_equal(a.status, 200);
        assert_true(slice_is(http_answer_header(&a, "Connection"), "keep-alive"));
        http_answer_fini(&a);
    }
    /* a refusal with an unread body ends the connection */
    http_client_send(fd, SLICE("GET /none HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab"));
    http_client_read(fd, &a);
    assert_int_equal(a.status, 404);
    assert_true(slice_is(http_answer_header(&a, "Connection"), "close"));
    http_answer_fini(&a);
    http_client_read(fd, &a);
    assert_int_equal(a.status, 0);
    http_answer_fini(&a);
    close(fd);
}

static void
test_a_body_without_a_length_is_no_request(void **state)
{
    static const char smuggled[] = "POST /echo HTTP/1.1\r\n" HOST "X: a\r\n folded\r\n"
                                   "Content-Length: 34\r\n\r\n"
                                   "GET /files/x HTTP/1.1\r\n" HOST "\r\n";
    int fd = http_client_connect(http_port(*state));
    struct http_answer a;

    http_client_send(fd, slice_from(smuggled));
    http_client_read(fd, &a);
    assert_true(slice_is(http_answer_header(&a, "Connection"), "close"));
    http_answer_fini(&a);
    http_client_read(fd, &a);
    assert_int_equal(a.status, 0);
    http_answer_fini(&a);
    close(fd);
}

/* The library forgets headers behind the 64th: the length of a body, or whose request it is. */
static void
test_more_headers_than_are_read_is_refused(void **state)
{
    static const struct {
        int n; /* with those of http_client */
        int status;
    } rows[] = {{63, 200}, {64, 431}, {65, 431}, {200, 431}};
    struct buffer headers = BUFFER_EMPTY;
    struct http_answer a;
    int fd;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buffer_clear(&headers);
        buffer_add_text(&headers, "GET /echo HTTP/1.1\r\n" HOST);
        for (int k = 2; k < rows[i].n; k++)
            buffer_printf(&headers, "X-%d: y\r\n", k);
        buffer_add_text(&headers, "Content-Length: 34\r\n\r\n"
                                  "GET /files/x HTTP/1.1\r\n" HOST "\r\n");
        fd = http_client_connect(http_port(*state));
        http_client_send(fd, buffer_slice(&headers));
        http_client_read(fd, &a);
        assert_int_equal(a.status, rows[i].status);
        if (a.status == 431)
            assert_true(slice_is(http_answer_header(&a, "X-Reason"), "too_many_headers"));
        http_answer_fini(&a);
        http_client_read(fd, &a); /* the body is never the next request */
        assert_int_equal(a.status, 0);
        http_answer_fini(&a);
        close(fd);
    }
    buffer_fini(&headers);
}

/* What the library refuses by itself goes through `finish` like any other answer. */
static void
test_every_refusal_has_its_reason(void **state)
{
    static const struct {
        const char *request;
        int status;
        const char *reason;
    } rows[] = {
        {"nonsense\r\n\r\n", 400, "bad_request"},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3x\r\n\r\nabc", 400, "bad_length"},
        {"GET /files/%00 HTTP/1.1\r\n" HOST "\r\n", 400, "bad_path"},
        {"GET /none HTTP/1.1\r\n" HOST "\r\n", 404, "not_found"},
        {"GET /fail/io HTTP/1.1\r\n" HOST "\r\n", 500, "internal"},
    };
    struct http_answer a;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        http_client_exchange(http_port(*state), rows[i].request, &a);
        if (a.status != rows[i].status ||
            !slice_is(http_answer_header(&a, "X-Reason"), rows[i].reason))
            fail_msg("row %zu: %d %.*s", i, a.status,
                     SLICE_ARG(http_answer_header(&a, "X-Reason")));
        http_answer_fini(&a);
    }
}

static void
test_who_asks_before_sending_is_told_to_go_on(void **state)
{
    int fd = http_client_connect(http_port(*state));
    char text[64] = "";
    struct http_answer a;

    http_client_send(fd, SLICE("POST /echo HTTP/1.1\r\n" HOST
                               "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"));
    assert_true(read(fd, text, sizeof text - 1) > 0);
    assert_string_equal(text, "HTTP/1.1 100 Continue\r\n\r\n");
    http_client_send(fd, SLICE("abc"));
    http_client_read(fd, &a);
    assert_int_equal(a.status, 200);
    assert_true(slice_contains(a.body, SLICE("b=3 abc")));
    http_answer_fini(&a);
    close(fd);
}

static void
test_bodies_at_the_cap_and_over_it(void **state)
{
    char *text = calloc(1, BODY_MAX + 1);
    struct http_answer a;

    memset(text, 'x', BODY_MAX + 1);
    http_client_request(http_port(*state), "POST", "/echo", "", slice_of(text, BODY_MAX), &a);
    assert_int_equal(a.status, 200);
    assert_true(slice_contains(a.body, SLICE("b=100000")));
    http_answer_fini(&a);
    http_client_request(http_port(*state), "POST", "/echo", "", slice_of(text, BODY_MAX + 1), &a);
    assert_int_equal(a.status, 413);
    http_answer_fini(&a);
    free(text);
}

static void
test_a_large_reply_comes_whole(void **state)
{
    struct http_answer a;

    memset(large, 'y', sizeof large);
    http_client_exchange(http_port(*state), "GET /big HTTP/1.1\r\n" HOST "\r\n", &a);
    assert_int_equal(a.body.n, sizeof large);
    assert_memory_equal(a.body.p, large, sizeof large);
    http_answer_fini(&a);
}

/* A byte every 100 ms keeps every poll happy; the wall clock must end it. */
static void
test_a_body_in_drops_is_cut_off(void **state)
{
    struct http_config config = config_of();
    struct pollfd answer = {.events = POLLIN};
    struct http_server *server;
    struct http_answer a;
    int n_drops = 0, fd;
    struct err err;
    int64_t began;

    (void)state;
    config.body_ms = 400;
    assert_int_equal(http_start(&config, &server, &err), ERR_OK);
    began = clock_steady_ms();
    fd = answer.fd = http_client_connect(http_port(server));
    http_client_send(fd, SLICE("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5000\r\n\r\n"));
    while (n_drops < 600 && poll(&answer, 1, 100) == 0) {
        http_client_send(fd, SLICE("x"));
        n_drops++;
    }
    assert_in_range(n_drops, 1, 599); /* the reading itself was ended */
    http_client_read(fd, &a);
    assert_int_equal(a.status, 408);
    assert_true(slice_is(http_answer_header(&a, "X-Reason"), "too_slow"));
    assert_true(clock_steady_ms() - began >= 400);
    http_answer_fini(&a);
    close(fd);
    http_stop(&server);
}

static void
test_whose_address_is_believed(void **state)
{
    static const struct {
        const char *forwarded;
        const char *ip;
    } rows[] = {
        {"81.2.69.142", "81.2.69.142"},
        {"6.6.6.6, 81.2.69.142", "81.2.69.142"}, /* what the client claims stands further left */
        {"81.2.69.142, 10.1.2.3, 127.0.0.1", "81.2.69.142"},
        {"81.2.69.142:4711", "81.2.69.142"},
        {"2001:db8::1", "2001:db8::1"},
        {"[2001:db8::1]:4711, 10.0.0.1", "2001:db8::1"},
        {"<script>, 10.0.0.1", "10.0.0.1"}, /* anything odd ends the walk */
        {"81.2.69.142, unknown", "127.0.0.1"},
        {"", "127.0.0.1"},
    };
    struct http_answer a;
    char headers[200], wanted[80];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(headers, sizeof headers, "X-Forwarded-For: %s\r\nX-Forwarded-Proto: https\r\n",
                 rows[i].forwarded);
        snprintf(wanted, sizeof wanted, "ip=%s s=1", rows[i].ip);
        http_client_request(http_port(*state), "GET", "/echo", headers, SLICE_EMPTY, &a);
        if (!slice_contains(a.body, slice_from(wanted)))
            fail_msg("row %zu: %.*s", i, SLICE_ARG(a.body));
        http_answer_fini(&a);
    }
}

static void
test_a_stranger_is_not_believed(void **state)
{
    struct http_config config = config_of();
    struct http_server *server;
    struct http_answer a;
    struct err err;

    (void)state;
    config.trusted_proxies = "10.0.0.0/8";
    assert_int_equal(http_start(&config, &server, &err), ERR_OK);
    http_client_request(http_port(server), "GET", "/echo",
                        "X-Forwarded-For: 81.2.69.142\r\nX-Forwarded-Proto: https\r\n", SLICE_EMPTY,
                        &a);
    assert_true(slice_contains(a.body, SLICE("ip=127.0.0.1 s=0")));
    http_answer_fini(&a);
    http_stop(&server);

    config.trusted_proxies = "10.0.0.0/33";
    assert_int_equal(http_start(&config, &server, &err), ERR_INVALID);
    assert_string_equal(err.field, "trusted-proxies");
}

static void
test_networks(void **state)
{
    static const struct {
        const char *list;
        const char *address;
        bool is_in;
    } rows[] = {
        {"10.0.0.0/8", "10.255.0.1", true},  {"10.0.0.0/8", "11.0.0.1", false},
        {"10.0.0.0/9", "10.128.0.1", false}, {"1.2.3.4", "1.2.3.4", true},
        {"1.2.3.4", "1.2.3.5", false},       {"0.0.0.0/0", "8.8.8.8", true},
        {"0.0.0.0/0", "2001:db8::1", false}, {"fd00::/8", "fdff::1", true},
        {"fd00::/8", "fe00::1", false},      {"1.2.3.4", "::ffff:1.2.3.4", true},
        {"10.0.0.0/8,::1", "::1", true},     {"", "1.2.3.4", false},
        {"10.0.0.0/8", "10.0.0.1 ", false},
    };
    struct address_list list;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(address_list_parse(slice_from(rows[i].list), &list, &err), ERR_OK);
        if (address_list_has(&list, slice_from(rows[i].address)) != rows[i].is_in)
            fail_msg("row %zu", i);
    }
    assert_int_equal(address_list_parse(SLICE("10.0.0.0/8,"), &list, &err), ERR_INVALID);
    assert_int_equal(address_list_parse(SLICE("host"), &list, &err), ERR_INVALID);
}

static void *
ask_slow(void *port)
{
    struct http_answer a;
    int status;

    http_client_exchange(*(int *)port, "GET /slow HTTP/1.1\r\n" HOST "\r\n", &a);
    status = slice_is(a.body, "done") ? a.status : -a.status;
    http_answer_fini(&a);
    return (void *)(intptr_t)status;
}

static void
test_stopping_answers_what_is_in_flight(void **state)
{
    struct http_config config = config_of();
    struct http_server *server;
    pthread_t threads[3];
    struct err err;
    void *status;
    int port;

    (void)state;
    assert_int_equal(http_start(&config, &server, &err), ERR_OK);
    port = http_port(server);
    atomic_store(&n_slow, 0);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, ask_slow, &port);
    for (int i = 0; i < 10000 && atomic_load(&n_slow) < 3; i++)
        clock_sleep_ms(1);
    http_stop(&server);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], &status);
        assert_int_equal((int)(intptr_t)status, 200);
    }
}

static void
test_a_port_in_use_is_an_error(void **state)
{
    struct http_config config = config_of();
    struct http_server *server;
    struct err err;

    config.port = http_port(*state);
    assert_int_equal(http_start(&config, &server, &err), ERR_IO);
}

static void
test_more_connections_than_files_is_an_error(void **state)
{
    struct http_config config = config_of();
    struct http_server *server;
    struct rlimit old, low;
    struct err err;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = (struct rlimit){.rlim_cur = 300, .rlim_max = old.rlim_max};
    config.queue = 100;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    assert_int_equal(http_start(&config, &server, &err), ERR_OK); /* raised */
    http_stop(&server);
    config.queue = 1 << 30;
    assert_int_equal(http_start(&config, &server, &err), ERR_INVALID);
    assert_non_null(strstr(err.message, "LimitNOFILE"));
    setrlimit(RLIMIT_NOFILE, &old);
}

/* ---- How the bytes come ---- */

static void
test_a_head_in_two_parts(void **state)
{
    static const char request[] = "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc";
    struct http_answer a;

    for (size_t cut = 1; cut < sizeof request - 1; cut += 3) {
        int fd = http_client_connect(http_port(*state));
        http_client_send(fd, slice_of(request, cut));
        clock_sleep_ms(3);
        http_client_send(fd, slice_from(request + cut));
        http_client_read(fd, &a);
        assert_int_equal(a.status, 200);
        assert_true(slice_contains(a.body, SLICE("b=3 abc")));
        http_answer_fini(&a);
        close(fd);
    }
}

static void
test_requests_that_come_together(void **state)
{
    static const char one[] = "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc";
    struct buffer all = BUFFER_EMPTY;
    struct buffer got = BUFFER_EMPTY;
    char text[4096];
    ssize_t n;
    int fd = http_client_connect(http_port(*state)), n_answers = 0;

    for (int i = 0; i < 5; i++)
        buffer_add_text(&all, one);
    buffer_add_text(&all, "GET /files/last HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    http_client_send(fd, buffer_slice(&all));
    while ((n = read(fd, text, sizeof text)) > 0)
        buffer_add(&got, text, (size_t)n);
    assert_int_equal(n, 0);
    for (size_t i = 0; i < got.n; i++)
        n_answers +=
            slice_starts_with(slice_sub(buffer_slice(&got), i, SIZE_MAX), SLICE("HTTP/1.1 200"));
    assert_int_equal(n_answers, 6);
    assert_true(slice_contains(buffer_slice(&got), SLICE("t=last")));
    close(fd);
    buffer_fini(&all);
    buffer_fini(&got);
}

/* Bytes that nobody asked for, behind a request that ends its connection, cost nobody the answer.
 */
static void
test_bytes_behind_the_last_request(void **state)
{
    static const char *const parts[][2] = {
        {"POST /echo HTTP/1.1\r\n" HOST "Connection: close\r\nContent-Length: 3\r\n\r\nabc\r\n",
         ""},
        {"POST /echo HTTP/1.1\r\n" HOST "Connection: close\r\nContent-Length: 3\r\n\r\n",
         "abc\r\n"},
    };
    struct http_answer a;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        int fd = http_client_connect(http_port(*state));
        http_client_send(fd, slice_from(parts[i][0]));
        clock_sleep_ms(5);
        http_client_send(fd, slice_from(parts[i][1]));
        http_client_read(fd, &a);
        assert_int_equal(a.status, 200);
        assert_true(slice_contains(a.body, SLICE("b=3 abc")));
        http_answer_fini(&a);
        close(fd);
    }
}

/* Who says nothing, or half of it, is closed by the wall clock, and holds no thread for longer. */
static void
test_silence_ends(void **state)
{
    static const char *const beginnings[] = {"", "G", "GET /echo HTTP/1.1\r\nHo",
                                             "POST /echo HTTP/1.1\r\n" HOST};
    struct http_answer a;
    int fds[4];

    for (int i = 0; i < 4; i++) { /* as many as there are threads */
        fds[i] = http_client_connect(http_port(*state));
        http_client_send(fds[i], slice_from(beginnings[i]));
    }
    if (by_door) { /* civetweb's clock runs while a connection waits for a thread */
        http_client_exchange(http_port(*state), "GET /echo HTTP/1.1\r\n" HOST "\r\n", &a);
        assert_int_equal(a.status, 200);
        http_answer_fini(&a);
    }
    for (int i = 0; i < 4; i++) {
        http_client_read(fds[i], &a);
        assert_true(a.status == 0 || a.status == 408 || (!by_door && a.status == 400));
        http_answer_fini(&a);
        close(fds[i]);
    }
}

/* A byte in a while is no sign of life where a whole head is due. */
static void
test_a_head_in_drops_is_cut_off(void **state)
{
    int fd = http_client_connect(http_port(*state));
    struct pollfd answer = {.fd = fd, .events = POLLIN};
    int n_drops = 0;

    http_client_send(fd, SLICE("GET /echo HTTP/1.1\r\nX: "));
    while (n_drops < 600 && poll(&answer, 1, 50) == 0) {
        http_client_send(fd, SLICE("x"));
        n_drops++;
    }
    assert_in_range(n_drops, 1, 599);
    close(fd);
}

static void
test_who_goes_away_disturbs_nobody(void **state)
{
    struct http_answer a;

    for (int i = 0; i < 8; i++) { /* more than there are threads */
        int fd = http_client_connect(http_port(*state));
        http_client_send(fd, SLICE("GET /slow HTTP/1.1\r\n" HOST "\r\n"));
        close(fd);
    }
    if (by_door) { /* civetweb's clock runs while a connection waits for a thread */
        http_client_exchange(http_port(*state), "GET /echo HTTP/1.1\r\n" HOST "\r\n", &a);
        assert_int_equal(a.status, 200);
        http_answer_fini(&a);
    }
}

static void
test_a_head_without_end_is_refused(void **state)
{
    struct buffer head = BUFFER_EMPTY;
    struct http_answer a;
    int fd = http_client_connect(http_port(*state));

    buffer_add_text(&head, "GET /echo HTTP/1.1\r\n" HOST "X: ");
    for (int i = 0; i < 20000; i++)
        buffer_add_char(&head, 'x');
    http_client_send(fd, buffer_slice(&head));
    http_client_read(fd, &a);
    assert_true(by_door ? a.status == 431 : a.status == 0 || a.status >= 400);
    http_answer_fini(&a);
    close(fd);
    buffer_fini(&head);
}

/* Of an idle connection, stopping does not wait for the end. */
static void
test_stopping_ends_idle_connections(void **state)
{
    struct http_config config = config_of();
    struct http_server *server;
    struct http_answer a;
    struct err err;
    int64_t began;
    int fd;

    (void)state;
    config.keep_alive_ms = 60000;
    assert_int_equal(http_start(&config, &server, &err), ERR_OK);
    fd = http_client_connect(http_port(server));
    http_client_send(fd, SLICE("GET /echo HTTP/1.1\r\n" HOST "\r\n"));
    http_client_read(fd, &a);
    assert_int_equal(a.status, 200);
    http_answer_fini(&a);
    began = clock_steady_ms();
    http_stop(&server);
    assert_in_range(clock_steady_ms() - began, 0, 30000);
    http_client_read(fd, &a);
    assert_int_equal(a.status, 0);
    http_answer_fini(&a);
    close(fd);
}

/* What two readers might see differently is no request at the door. */
static void
test_the_door_reads_strictly(void **state)
{
    static const struct {
        const char *request;
        int status;
    } rows[] = {
        {"GET /echo HTTP/1.1\r\n" HOST "X: a\r\n folded\r\n\r\n", 400},
        {"GET /echo HTTP/1.1\r\n" HOST "X : a\r\n\r\n", 400},
        {"GET /echo HTTP/1.1\r\n" HOST ": a\r\n\r\n", 400},
        {"GET /echo HTTP/1.1\r\n" HOST "X\r\n\r\n", 400},
        {"GET /echo HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n", 400},
        {"GET /echo HTTP/1.1\r\n" HOST "X: a\nY: b\r\n\r\n", 400},
        {"GET /echo HTTP/1.1\r\n" HOST "X: a\x01\r\n\r\n", 400},
        {"GET  /echo HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /echo x HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /echo HTTP/1.1 \r\n" HOST "\r\n", 400},
        {"GET /echo\r\n" HOST "\r\n", 400},
        {" GET /echo HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /echo HTTP/2.0\r\n" HOST "\r\n", 505},
        {"GET echo HTTP/1.1\r\n" HOST "\r\n", 400},
        {"BREW /echo HTTP/1.1\r\n" HOST "\r\n", 405},
        {"GET /echo HTTP/1.0\r\n" HOST "\r\n", 200},
        {"\r\n\r\nGET /echo HTTP/1.1\r\n" HOST "\r\n", 200},
        {"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n", 400}, /* and perhaps for ever so on */
        {"GET http://a.example/echo?q=1 HTTP/1.1\r\n" HOST "\r\n", 200},
        {"GET /echo HTTP/1.1\r\n" HOST "X: \t a\t \r\nY:\r\n\r\n", 200},
    };
    struct http_answer a;

    if (!by_door)
        return;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        http_client_exchange(http_port(*state), rows[i].request, &a);
        if (a.status != rows[i].status)
            fail_msg("row %zu: %d %.*s", i, a.status, SLICE_ARG(a.body));
        http_answer_fini(&a);
    }
}

#define SERVED(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(test_requests),
        SERVED(test_methods_that_a_path_does_not_know),
        SERVED(test_head_has_the_length_and_no_body),
        SERVED(test_no_header_value_makes_another_header),
        SERVED(test_one_connection_takes_many_requests),
        SERVED(test_a_body_without_a_length_is_no_request),
        SERVED(test_more_headers_than_are_read_is_refused),
        SERVED(test_every_refusal_has_its_reason),
        SERVED(test_who_asks_before_sending_is_told_to_go_on),
        SERVED(test_bodies_at_the_cap_and_over_it),
        SERVED(test_a_large_reply_comes_whole),
        cmocka_unit_test(test_a_body_in_drops_is_cut_off),
        SERVED(test_whose_address_is_believed),
        SERVED(test_a_head_in_two_parts),
        SERVED(test_requests_that_come_together),
        SERVED(test_bytes_behind_the_last_request),
        cmocka_unit_test_setup_teardown(test_silence_ends, set_up_hasty, tear_down),
        cmocka_unit_test_setup_teardown(test_a_head_in_drops_is_cut_off, set_up_hasty, tear_down),
        SERVED(test_who_goes_away_disturbs_nobody),
        SERVED(test_a_head_without_end_is_refused),
        SERVED(test_the_door_reads_strictly),
        cmocka_unit_test(test_stopping_ends_idle_connections),
        cmocka_unit_test(test_a_stranger_is_not_believed),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_stopping_answers_what_is_in_flight),
        SERVED(test_a_port_in_use_is_an_error),
        cmocka_unit_test(test_more_connections_than_files_is_an_error),
    };

    int n_failed = cmocka_run_group_tests_name("http by civetweb", tests, NULL, NULL);

    by_door = true;
    return n_failed + cmocka_run_group_tests_name("http by a door", tests, NULL, NULL);
}
