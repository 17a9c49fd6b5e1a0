/* bench-ingest: an open-loop client for beacons, one thread, epoll, HTTP/1.1 over IPv4.
 *
 *     bench-ingest PORT CONNECTIONS SECONDS RATE BATCH keep|new SITE-KEY [agents]
 *
 * RATE requests a second are due at fixed moments, whatever the answers do, and a latency is
 * counted from the moment a request was due: what waits because the server is slow is not left out
 * (coordinated omission). RATE 0: closed loop, each connection sends again once it is answered.
 * `new`: a connection for each request. `agents`: no two requests of one browser. Only 127.0.0.1,
 * so that nobody else is ever measured.
 *
 * Prints one JSON object: requests by answer, events acknowledged, answers a second, latencies in
 * ms.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/buffer.h"
#include "core/clock.h"

#define CONNECTIONS_MAX 4096
#define ANSWER_MAX      4096
#define LATENCIES_MAX   (16 * 1000 * 1000)
#define DRAIN_US        (10 * 1000000) /* answers that come later are lost */
#define PAUSE_US        1000           /* after a connection failed */

enum state { IDLE, CONNECTING, SENDING, ANSWERING };

struct connection {
    int fd; /* -1: none */
    enum state state;
    int64_t due_us;
    int64_t rest_until_us;
    struct buffer out;
    size_t sent;
    char in[ANSWER_MAX];
    size_t n_in;
};

struct run {
    struct sockaddr_in server;
    int n_connections, batch;
    int64_t seconds, rate;
    bool is_new;
    bool has_agents; /* each request names another browser */
    const char *site;
    int epoll;
    struct connection *connections;
    int *idle; /* a stack */
    int n_idle;
    char prefix[20]; /* of this run's ids */
    uint64_t n_begun, n_events;
    uint64_t n_ok, n_other, n_failed;
    uint32_t *latencies_us;
    size_t n_latencies;
    int64_t began_us, end_us, last_us;
};

static void
die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- One request ---- */

static void
write_request(struct run *r, struct connection *c)
{
    static struct buffer body;
    int64_t now_ms = clock_wall_ms();

    buffer_clear(&body);
    buffer_printf(&body, "{\"site\":\"%s\",\"visitor\":\"%s%llu\",\"sent\":%lld,\"events\":[",
                  r->site, r->prefix, (unsigned long long)(r->n_begun / 8), (long long)now_ms);
    for (int i = 0; i < r->batch; i++, r->n_events++)
        buffer_printf(&body,
                      "%s{\"event\":\"pageview\",\"id\":\"%s%llu\",\"time\":%lld,"
                      "\"url\":\"https://shop.example/p/%llu?utm_source=news&utm_campaign=c%llu\"}",
                      i ? "," : "", r->prefix, (unsigned long long)r->n_events, (long long)now_ms,
                      (unsigned long long)(r->n_events % 500),
                      (unsigned long long)(r->n_events % 7));
    buffer_add_text(&body, "]}");
    buffer_clear(&c->out);
    buffer_printf(&c->out,
                  "POST /e HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n"
                  "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 "
                  "Firefox/140.%llu\r\n%sContent-Length: %zu\r\n\r\n",
                  (unsigned long long)(r->has_agents ? r->n_begun : 0),
                  r->is_new ? "Connection: close\r\n" : "", body.n);
    buffer_add_slice(&c->out, buffer_slice(&body));
    c->sent = 0;
    c->n_in = 0;
}

/* ---- A connection ---- */

static void
watch(struct run *r, struct connection *c, uint32_t events, int how)
{
    struct epoll_event e = {.events = events, .data.ptr = c};

    if (epoll_ctl(r->epoll, how, c->fd, &e) != 0)
        die("epoll_ctl");
}

static void
become_idle(struct run *r, struct connection *c)
{
    c->state = IDLE;
    r->idle[r->n_idle++] = (int)(c - r->connections);
}

static void
hang_up(struct connection *c)
{
    struct linger at_once = {.l_onoff = 1}; /* no TIME_WAIT: ports would run out */

    if (c->fd < 0)
        return;
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(c->fd);
    c->fd = -1;
}

static void
fail(struct run *r, struct connection *c)
{
    r->n_failed++;
    hang_up(c);
    c->rest_until_us = clock_steady_us() + PAUSE_US;
    become_idle(r, c);
}

static void
answered(struct run *r, struct connection *c, int status, bool closes)
{
    int64_t now = clock_steady_us();

    r->last_us = now;
    if (status >= 200 && status < 300)
        r->n_ok++;
    else
        r->n_other++;
    if (r->n_latencies < LATENCIES_MAX)
        r->latencies_us[r->n_latencies++] = (uint32_t)(now - c->due_us);
    if (closes || r->is_new)
        hang_up(c);
    become_idle(r, c);
}

/* A whole answer? Its head, and as many bytes behind it as it announces. */
static bool
take_answer(struct connection *c, int *status, bool *closes)
{
    const char *end, *length;
    size_t head, body = 0;

    c->in[c->n_in] = '\0';
    end = strstr(c->in, "\r\n\r\n");
    if (!end || strncmp(c->in, "HTTP/1.", 7) != 0)
        return false;
    head = (size_t)(end - c->in) + 4;
    length = strcasestr(c->in, "\r\ncontent-length:");
    if (length && length < end)
        body = (size_t)strtoul(length + 17, NULL, 10);
    *status = (int)strtol(c->in + 9, NULL, 10);
    *closes = strcasestr(c->in, "\r\nconnection: close") != NULL;
    return c->n_in >= head + body;
}

static void
read_answer(struct run *r, struct connection *c)
{
    ssize_t got = recv(c->fd, c->in + c->n_in, sizeof c->in - 1 - c->n_in, 0);
    bool closes;
    int status;

    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        fail(r, c);
        return;
    }
    c->n_in += (size_t)got;
    if (take_answer(c, &status, &closes))
        answered(r, c, status, closes);
    else if (c->n_in == sizeof c->in - 1)
        fail(r, c);
}

static void
write_some(struct run *r, struct connection *c)
{
    ssize_t put = send(c->fd, c->out.p + c->sent, c->out.n - c->sent, MSG_NOSIGNAL);

    if (put < 0 && errno == EAGAIN) {
        watch(r, c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
        return;
    }
    if (put < 0) {
        fail(r, c);
        return;
    }
    c->sent += (size_t)put;
    if (c->sent < c->out.n)
        return;
    if (c->state == CONNECTING)
        watch(r, c, EPOLLIN, EPOLL_CTL_MOD);
    c->state = ANSWERING;
}

static void
begin(struct run *r, struct connection *c, int64_t due_us)
{
    int one = 1;

    r->n_begun++;
    c->due_us = due_us;
    write_request(r, c);
    if (c->fd >= 0) {
        c->state = SENDING;
        write_some(r, c);
        return;
    }
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->state = CONNECTING;
    if (connect(c->fd, (struct sockaddr *)&r->server, sizeof r->server) != 0 &&
        errno != EINPROGRESS) {
        fail(r, c);
        return;
    }
    watch(r, c, EPOLLIN | EPOLLOUT, EPOLL_CTL_ADD);
}

static void
happen(struct run *r, struct connection *c, uint32_t events)
{
    if (c->fd < 0)
        return;
    if (c->state == IDLE) { /* the server closes what was kept */
        hang_up(c);
        return;
    }
    if (events & EPOLLOUT && (c->state == CONNECTING || c->state == SENDING))
        write_some(r, c);
    if (c->fd >= 0 && c->state == ANSWERING && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        read_answer(r, c);
    else if (c->fd >= 0 && c->state != IDLE && events & (EPOLLHUP | EPOLLERR))
        fail(r, c);
}

/* ---- The run ---- */

/* Begin what is due. Returns how long to wait for the next, in ms. */
static int
begin_due(struct run *r, int64_t now)
{
    while (r->n_idle > 0 && now < r->end_us) {
        struct connection *c = &r->connections[r->idle[r->n_idle - 1]];
        int64_t due = r->rate ? r->began_us + (int64_t)r->n_begun * 1000000 / r->rate : now;

        if (due > now)
            return due - now > 2000 ? (int)((due - now) / 1000) : 0;
        if (c->rest_until_us > now)
            return 1;
        r->n_idle--;
        begin(r, c, due);
    }
    return 5;
}

static void
run(struct run *r)
{
    struct epoll_event events[512];
    int wait_ms = 0, n;
    int64_t now;

    r->began_us = clock_steady_us();
    r->end_us = r->began_us + r->seconds * 1000000;
    for (;;) {
        now = clock_steady_us();
        wait_ms = begin_due(r, now);
        if (now >= r->end_us && (r->n_idle == r->n_connections || now >= r->end_us + DRAIN_US))
            break;
        n = epoll_wait(r->epoll, events, 512, wait_ms);
        for (int i = 0; i < n; i++)
            happen(r, events[i].data.ptr, events[i].events);
    }
}

static int
compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static double
percentile_ms(const struct run *r, double share)
{
    size_t i = (size_t)(share * (double)r->n_latencies);

    if (r->n_latencies == 0)
        return -1;
    return r->latencies_us[i < r->n_latencies ? i : r->n_latencies - 1] / 1000.0;
}

static void
print(struct run *r)
{
    double seconds = (double)((r->last_us ? r->last_us : r->end_us) - r->began_us) / 1e6;

    qsort(r->latencies_us, r->n_latencies, sizeof *r->latencies_us, compare);
    printf("{\"due\":%llu,\"begun\":%llu,\"acknowledged\":%llu,\"refused\":%llu,\"failed\":%llu,"
           "\"unanswered\":%d,\"events\":%llu,\"seconds\":%.3f,\"per_second\":%.0f,\"p50_ms\":%.2f,"
           "\"p90_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f}\n",
           (unsigned long long)(r->rate ? (uint64_t)(r->rate * r->seconds) : r->n_begun),
           (unsigned long long)r->n_begun, (unsigned long long)r->n_ok,
           (unsigned long long)r->n_other, (unsigned long long)r->n_failed,
           r->n_connections - r->n_idle, (unsigned long long)r->n_ok * (unsigned)r->batch, seconds,
           (double)r->n_ok / seconds, percentile_ms(r, 0.5), percentile_ms(r, 0.9),
           percentile_ms(r, 0.99), percentile_ms(r, 1));
}

static int64_t
number(const char *text, int64_t least, int64_t most)
{
    int64_t n;

    if (!slice_to_int64(slice_from(text), &n) || n < least || n > most) {
        fprintf(stderr, "bench-ingest: %s is not between %lld and %lld\n", text, (long long)least,
                (long long)most);
        exit(2);
    }
    return n;
}

int
main(int argc, char **argv)
{
    struct rlimit files = {CONNECTIONS_MAX + 64, CONNECTIONS_MAX + 64};
    struct run r = {0};
    uint32_t dice;

    if (argc != 8 && !(argc == 9 && strcmp(argv[8], "agents") == 0)) {
        fprintf(stderr, "usage: bench-ingest PORT CONNECTIONS SECONDS RATE BATCH keep|new KEY "
                        "[agents]\n");
        return 2;
    }
    r.server.sin_family = AF_INET;
    r.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    r.server.sin_port = htons((uint16_t)number(argv[1], 1, 65535));
    r.n_connections = (int)number(argv[2], 1, CONNECTIONS_MAX);
    r.seconds = number(argv[3], 1, 3600);
    r.rate = number(argv[4], 0, 1000000);
    r.batch = (int)number(argv[5], 1, 100);
    r.is_new = strcmp(argv[6], "new") == 0;
    r.site = argv[7];
    r.has_agents = argc == 9;
    if (getrandom(&dice, sizeof dice, 0) != (ssize_t)sizeof dice)
        die("getrandom");
    snprintf(r.prefix, sizeof r.prefix, "%08x-", dice);
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    r.epoll = epoll_create1(EPOLL_CLOEXEC);
    r.connections = mem_zalloc((size_t)r.n_connections * sizeof *r.connections);
    r.idle = mem_zalloc((size_t)r.n_connections * sizeof *r.idle);
    r.latencies_us = mem_alloc(LATENCIES_MAX * sizeof *r.latencies_us);
    for (int i = 0; i < r.n_connections; i++) {
        r.connections[i].fd = -1;
        r.idle[r.n_idle++] = i;
    }
    run(&r);
    print(&r);
    return r.n_ok > 0 ? 0 : 1;
}
