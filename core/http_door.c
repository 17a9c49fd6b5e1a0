/* A door of our own: every thread takes connections from the system's queue itself, reads a
 * request, answers it, and goes on. A new connection costs accept4, recv, send and close; handing
 * it from a thread that accepts to one that works, as civetweb does, costs a wake-up and ten calls
 * more.
 *
 * The system tells of a connection once it has sent something (TCP_DEFER_ACCEPT), so that who only
 * connects holds no thread for the first second. After that, and wherever bytes are waited for,
 * there is a deadline by the wall: the head has request_ms, the body body_ms, in whatever drops
 * they come; between two requests of one connection keep_alive_ms may pass.
 */
#include "core/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"

#define HEAD_MAX    (16 * 1024)
#define EMPTY_MAX   8 /* lines before a head: who sends nothing else holds no thread */
#define DEFER_S     1
#define LINGER_MS   1000
#define LINGER_MAX  (1024 * 1024)
#define NO_FILES_MS 50 /* between two tries to accept where descriptors are short */

struct door_thread {
    struct http_server *server;
    pthread_t thread;
    bool is_started;
};

struct http_door {
    int listener;
    atomic_bool is_closing;
    struct door_thread threads[]; /* config.n_threads */
};

/* One connection. Bytes from start to end came and are not used yet. */
struct door_peer {
    struct http_peer peer;
    struct http_server *server;
    int fd;
    bool is_ended;  /* no further request */
    bool has_rest;  /* bytes may come that nobody reads */
    bool is_paced;  /* SO_RCVTIMEO is set */
    bool is_beyond; /* a body came after its head: what came behind that has not been seen */
    size_t start, end;
    char remote[INET_ADDRSTRLEN];
    char bytes[HEAD_MAX];
};

static bool
is_closing(const struct door_peer *p)
{
    return atomic_load_explicit(&p->server->door->is_closing, memory_order_relaxed);
}

/* ---- Bytes ---- */

/* What is there, or comes before until_ms. 0: the end; -1: broken, too late, or we are closing. */
static ssize_t
receive(struct door_peer *p, void *to, size_t n, int64_t until_ms)
{
    struct pollfd wait = {.fd = p->fd, .events = POLLIN};

    for (;;) {
        ssize_t got = recv(p->fd, to, n, MSG_DONTWAIT);
        int64_t left;
        if (got >= 0)
            return got;
        left = until_ms - clock_steady_ms();
        if ((errno != EAGAIN && errno != EINTR) || left <= 0 || is_closing(p))
            return -1;
        poll(&wait, 1, left > INT32_MAX ? INT32_MAX : (int)left);
    }
}

/* The first bytes of a further request on this connection: it is not there yet, mostly, so the call
 * waits, instead of one that finds nothing and one that waits. */
static ssize_t
receive_next(struct door_peer *p, void *to, size_t n)
{
    int ms = p->server->config.keep_alive_ms;
    struct timeval idle = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    if (!p->is_paced)
        setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof idle);
    p->is_paced = true;
    return is_closing(p) ? -1 : recv(p->fd, to, n, 0); /* a signal ends it, too */
}

static int64_t
door_read(struct http_peer *peer, void *to, size_t n, int64_t until_ms)
{
    struct door_peer *p = (struct door_peer *)peer;
    size_t have = p->end - p->start;

    if (have == 0) {
        p->is_beyond = true;
        return receive(p, to, n, until_ms);
    }
    if (n > have)
        n = have;
    memcpy(to, p->bytes + p->start, n);
    p->start += n;
    return (int64_t)n;
}

static bool
door_write(struct http_peer *peer, const void *from, size_t n)
{
    struct door_peer *p = (struct door_peer *)peer;
    const char *bytes = from;
    int flags = MSG_NOSIGNAL | (p->is_ended ? MSG_MORE : 0); /* the last leaves with the end */

    while (n > 0) {
        ssize_t sent = send(p->fd, bytes, n, flags);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0) { /* gone, or too slow */
            p->is_ended = true;
            return false;
        }
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

static void
door_end(struct http_peer *peer, bool has_rest)
{
    struct door_peer *p = (struct door_peer *)peer;

    p->is_ended = true;
    p->has_rest = p->has_rest || has_rest;
}

/* ---- A connection ---- */

/* A request's first bytes, or more of it. */
static ssize_t
receive_head(struct door_peer *p, bool is_first, int64_t *until_ms)
{
    char *to = p->bytes + p->end;
    size_t room = HEAD_MAX - p->end;
    ssize_t n;

    if (p->end == 0 && !is_first)
        return receive_next(p, to, room);
    n = recv(p->fd, to, room, MSG_DONTWAIT); /* it is there, mostly */
    if (n >= 0)
        return n;
    if (*until_ms == 0)
        *until_ms = clock_steady_ms() + p->server->config.request_ms;
    return receive(p, to, room, *until_ms);
}

/* The length of the next request's head, which is then at the start of the bytes; 0: there is none.
 * *status: it is to be refused so. */
static size_t
await_head(struct door_peer *p, bool is_first, int *status)
{
    int64_t until_ms = 0;
    size_t seen = 0, n = 0, n_empty = 0;

    *status = 0;
    memmove(p->bytes, p->bytes + p->start, p->end - p->start);
    p->end -= p->start;
    p->start = 0;
    for (;;) {
        ssize_t got;
        while (p->end >= 2 && memcmp(p->bytes, "\r\n", 2) == 0) { /* empty lines before it */
            memmove(p->bytes, p->bytes + 2, p->end -= 2);
            seen = 0;
            n_empty++;
        }
        n = http__head_length(p->bytes, p->end, seen);
        if (n != 0 && n_empty <= EMPTY_MAX)
            return n;
        seen = p->end;
        if (p->end == HEAD_MAX || n_empty > EMPTY_MAX) {
            *status = n_empty > EMPTY_MAX ? 400 : 431;
            return 0;
        }
        got = receive_head(p, is_first || seen != 0, &until_ms);
        if (got <= 0) {
            *status = got < 0 && seen != 0 ? 408 : 0;
            return 0;
        }
        p->end += (size_t)got;
    }
}

/* Closing over bytes that nobody read would reset the connection, and the answer with it: so say
 * that we are done, and wait a little for the other side to be. */
static void
linger(struct door_peer *p)
{
    int64_t until_ms = clock_steady_ms() + LINGER_MS;
    size_t n = 0;
    ssize_t got;

    if (shutdown(p->fd, SHUT_WR) != 0)
        return;
    while (n < LINGER_MAX && (got = receive(p, p->bytes, HEAD_MAX, until_ms)) > 0)
        n += (size_t)got;
}

static void
serve(struct door_peer *p, struct worker *w)
{
    struct http_server *s = p->server;
    struct http_incoming in;
    bool is_first = true;
    int status;

    do {
        size_t n = await_head(p, is_first, &status);
        if (n == 0 && status == 0)
            break;
        p->start = n;
        if (n != 0)
            status = http__parse_head(p->bytes, n, &in);
        if (status != 0)
            http__refuse_unread(s, status, &p->peer);
        else
            http__exchange(s, w, &in, slice_from(p->remote), &p->peer);
        is_first = false;
    } while (!p->is_ended && !is_closing(p));
    if (p->has_rest || p->end > p->start)
        linger(p);
    else if (p->is_beyond)
        shutdown(p->fd, SHUT_WR); /* as close discards the answer where something was not read */
    close(p->fd);
}

/* ---- The door ---- */

static int
take_connection(struct http_door *door, struct sockaddr_in *from)
{
    static atomic_bool was_short;
    socklen_t n = sizeof *from;
    int fd = accept4(door->listener, (struct sockaddr *)from, &n, SOCK_CLOEXEC);

    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
        if (!atomic_exchange(&was_short, true))
            log_error("connections wait: no more files or memory for them");
        clock_sleep_ms(NO_FILES_MS);
    } else if (fd >= 0 && atomic_load_explicit(&was_short, memory_order_relaxed)) {
        atomic_store(&was_short, false);
    }
    return fd;
}

static void *
run(void *context)
{
    struct http_server *s = ((struct door_thread *)context)->server;
    struct worker *w = mem_zalloc(sizeof *w);
    struct door_peer *p = mem_zalloc(sizeof *p);
    struct sockaddr_in from;

    http__worker_init(w);
    p->peer = (struct http_peer){door_read, door_write, door_end};
    p->server = s;
    while (!is_closing(p)) {
        p->fd = take_connection(s->door, &from);
        if (p->fd < 0)
            continue;
        inet_ntop(AF_INET, &from.sin_addr, p->remote, sizeof p->remote);
        p->is_ended = p->has_rest = p->is_paced = p->is_beyond = false;
        p->start = p->end = 0;
        serve(p, w);
    }
    free(p);
    http__worker_fini(w);
    free(w);
    return NULL;
}

static int
listen_at(const struct http_server *s)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)s->config.port), .sin_addr = s->address};
    struct timeval send_wait = {.tv_sec = s->config.body_ms / 1000,
                                .tv_usec = s->config.body_ms % 1000 * 1000};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1, no = 0, defer = DEFER_S;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer, sizeof defer);
    /* its connections have it from here: nobody who does not read holds a thread */
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &send_wait, sizeof send_wait);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, s->config.queue) == 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &no, sizeof no);
        return fd;
    }
    close(fd);
    return -1;
}

enum err_code
http__door_open(struct http_server *s, struct err *err)
{
    size_t n_threads = (size_t)s->config.n_threads;
    struct sockaddr_in at = {0};
    socklen_t n = sizeof at;
    int fd = listen_at(s);

    if (fd < 0 || getsockname(fd, (struct sockaddr *)&at, &n) != 0) {
        if (fd >= 0)
            close(fd);
        return err_set(err, ERR_IO, "port", "cannot listen on %s port %d; is it in use?",
                       s->config.address, s->config.port);
    }
    s->port = ntohs(at.sin_port);
    s->door = mem_zalloc(sizeof *s->door + n_threads * sizeof s->door->threads[0]);
    s->door->listener = fd;
    for (size_t i = 0; i < n_threads; i++) {
        struct door_thread *t = &s->door->threads[i];
        t->server = s;
        t->is_started = pthread_create(&t->thread, NULL, run, t) == 0;
        if (!t->is_started)
            return err_set(err, ERR_IO, "threads", "cannot start %zu threads", n_threads);
    }
    return ERR_OK;
}

void
http__door_close(struct http_server *s)
{
    struct http_door *door = s->door;

    if (!door)
        return;
    atomic_store(&door->is_closing, true);
    for (int round = 0; round < 2; round++) /* most have ended when the first is waited for */
        for (int i = 0; i < s->config.n_threads; i++) {
            struct door_thread *t = &door->threads[i];
            if (!t->is_started)
                continue;
            pthread_kill(t->thread, HTTP_LATE_SIGNAL);
            /* it may have looked just before: so again and again */
            while (round == 1 && pthread_tryjoin_np(t->thread, NULL) != 0) {
                clock_sleep_ms(1);
                pthread_kill(t->thread, HTTP_LATE_SIGNAL);
            }
        }
    close(door->listener);
    free(door);
    s->door = NULL;
}
