/* The server: where it listens, how it stops, civetweb 1.15's threads and callbacks. What becomes
 * of a request is http.c's.
 *
 * Every request of civetweb's comes in through the begin_request callback, so that none of its own
 * handling (files, CGI, PUT, form parser, CORS) is ever reached.
 */
#include "core/http_server.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"

#define ARENA_BYTES      (16 * 1024)
#define LATE_LOOK_MS     250
#define STOP_WAIT_MS     10000
#define WAKE_MS          10
#define SPARE_FILES      256
#define MAX_HEADER_BYTES "16384"

/* ---- Threads ---- */

static int
on_log(const struct mg_connection *conn, const char *message)
{
    (void)conn;
    log_debug("http: %s", message);
    return 1;
}

/* civetweb starts its clock anew with every byte of a body that comes, so a sender of one byte in a
 * while could hold a worker for as long as it likes, and its connections cannot be closed from
 * outside. But a poll that a signal interrupts is an error to it, and ends the reading: so whoever
 * is late is woken, again and again until it has noticed. */
static int64_t
watch_bodies(void *context)
{
    struct http_server *s = context;
    int64_t now = clock_steady_ms();

    pthread_mutex_lock(&s->mutex);
    for (struct worker *w = s->workers; w; w = w->next) {
        int64_t until = atomic_load(&w->body_until_ms);
        if (until != 0 && now > until)
            pthread_kill(w->thread, HTTP_LATE_SIGNAL);
    }
    pthread_mutex_unlock(&s->mutex);
    return LATE_LOOK_MS;
}

static void
on_late(int number)
{
    (void)number; /* to interrupt is all it is for */
}

void
http__worker_init(struct worker *w)
{
    static const struct sched_param none;
    sigset_t late;

    /* Those who waited for one write of the disk wake together, and connections come in bursts:
     * each thread may run on, instead of being pre-empted by the next. */
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
    sigemptyset(&late);
    sigaddset(&late, HTTP_LATE_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &late, NULL);
    w->thread = pthread_self();
    arena_init(&w->arena, ARENA_BYTES);
}

void
http__worker_fini(struct worker *w)
{
    arena_fini(&w->arena);
    buffer_fini(&w->in);
    buffer_fini(&w->out);
    buffer_fini(&w->headers);
}

static void *
on_thread(const struct mg_context *mg, int type)
{
    struct http_server *s = mg_get_user_data(mg);
    struct worker *w;

    if (type != 1)
        return NULL;
    w = mem_zalloc(sizeof *w);
    http__worker_init(w);
    pthread_mutex_lock(&s->mutex);
    w->next = s->workers;
    s->workers = w;
    pthread_mutex_unlock(&s->mutex);
    return w;
}

static void
on_thread_end(const struct mg_context *mg, int type, void *pointer)
{
    struct http_server *s = mg_get_user_data(mg);
    struct worker *w = pointer, **link = &s->workers;

    (void)type;
    if (!w)
        return;
    pthread_mutex_lock(&s->mutex);
    while (*link != w)
        link = &(*link)->next;
    *link = w->next;
    pthread_mutex_unlock(&s->mutex);
    http__worker_fini(w);
    free(w);
}

/* ---- A connection of civetweb's ---- */

struct mg_peer {
    struct http_peer peer;
    struct mg_connection *conn;
};

static int64_t
mg_peer_read(struct http_peer *p, void *to, size_t n, int64_t until_ms)
{
    struct mg_connection *conn = ((struct mg_peer *)p)->conn;
    struct worker *w = mg_get_thread_pointer(conn);
    int64_t got;

    atomic_store(&w->body_until_ms, until_ms); /* mg_read waits for all n: see watch_bodies */
    got = mg_read(conn, to, n);
    atomic_store(&w->body_until_ms, 0);
    return got;
}

static bool
mg_peer_write(struct http_peer *p, const void *from, size_t n)
{
    return mg_write(((struct mg_peer *)p)->conn, from, n) > 0;
}

static void
mg_peer_end(struct http_peer *p, bool has_rest)
{
    (void)has_rest; /* it drains a little before it closes */
    mg_disable_keep_alive(((struct mg_peer *)p)->conn);
}

static struct mg_peer
mg_peer_of(struct mg_connection *conn)
{
    return (struct mg_peer){{mg_peer_read, mg_peer_write, mg_peer_end}, conn};
}

_Static_assert(HTTP_FIELDS_MAX == MG_MAX_HEADERS, "all that civetweb reads");

static int
on_request(struct mg_connection *conn)
{
    const struct mg_request_info *info = mg_get_request_info(conn);
    struct mg_peer peer = mg_peer_of(conn);
    struct http_incoming in;

    in.method = info->request_method;
    in.target = info->local_uri_raw;
    in.query = info->query_string;
    in.version = info->http_version;
    in.n_fields = info->num_headers;
    for (int i = 0; i < info->num_headers; i++)
        in.fields[i] = (struct http_field){info->http_headers[i].name, info->http_headers[i].value};
    http__exchange(mg_get_user_data(mg_get_context(conn)), mg_get_thread_pointer(conn), &in,
                   slice_from(info->remote_addr), &peer.peer);
    return 1; /* it is answered */
}

/* What civetweb refuses itself. */
static int
on_error(struct mg_connection *conn, int status, const char *words)
{
    struct mg_peer peer = mg_peer_of(conn);

    (void)words;
    http__refuse_unread(mg_get_user_data(mg_get_context(conn)), status, &peer.peer);
    return 0;
}

/* ---- The server ---- */

/* civetweb spins when accept() runs out of descriptors, so every connection that may be there at
 * once must have one, before the first comes. (What waits at a door has none yet.) */
static enum err_code
reserve_files(const struct http_config *c, struct err *err)
{
    rlim_t wanted = (rlim_t)c->n_threads + (rlim_t)c->queue + SPARE_FILES;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return ERR_OK;
    if (limit.rlim_cur < wanted && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= wanted)
        return ERR_OK;
    return err_set(err, ERR_INVALID, "threads",
                   "%d threads and a queue of %d need %llu open files, and the system allows this "
                   "process %llu; allow more (ulimit -n, LimitNOFILE), or lower threads or queue",
                   c->n_threads, c->queue, (unsigned long long)wanted,
                   (unsigned long long)limit.rlim_cur);
}

static void
init_library(void)
{
    struct sigaction late = {.sa_handler = on_late}; /* no SA_RESTART: to interrupt */

    mg_init_library(MG_FEATURES_DEFAULT);
    sigemptyset(&late.sa_mask);
    sigaction(HTTP_LATE_SIGNAL, &late, NULL);
}

static struct mg_context *
start_civetweb(struct http_server *s)
{
    const struct http_config *c = &s->config;
    char port[80], threads[16], queue[16], request_ms[16], keep_alive_ms[16];
    struct mg_callbacks callbacks = {.begin_request = on_request,
                                     .http_error = on_error,
                                     .log_message = on_log,
                                     .init_thread = on_thread,
                                     .exit_thread = on_thread_end};
    const char *options[] = {"listening_ports",
                             port,
                             "num_threads",
                             threads,
                             "connection_queue",
                             queue,
                             "listen_backlog",
                             "1024",
                             "request_timeout_ms",
                             request_ms,
                             "enable_keep_alive",
                             c->keep_alive ? "yes" : "no",
                             "keep_alive_timeout_ms",
                             keep_alive_ms,
                             "max_request_size",
                             MAX_HEADER_BYTES,
                             "decode_url",
                             "no",
                             "decode_query_string",
                             "no",
                             "enable_directory_listing",
                             "no",
                             "allow_sendfile_call",
                             "no",
                             "access_control_allow_origin",
                             "",
                             NULL};

    snprintf(port, sizeof port, "%s:%d", c->address, c->port);
    snprintf(threads, sizeof threads, "%d", c->n_threads);
    snprintf(queue, sizeof queue, "%d", c->queue);
    snprintf(request_ms, sizeof request_ms, "%d", c->request_ms);
    snprintf(keep_alive_ms, sizeof keep_alive_ms, "%d", c->keep_alive_ms);
    return mg_start(&callbacks, s, options);
}

static void
destroy(struct http_server *s)
{
    ticker_stop(&s->watch);
    http__door_close(s);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

static enum err_code
listen_by_civetweb(struct http_server *s, struct err *err)
{
    struct mg_server_port port;
    enum err_code rc;

    rc = ticker_start(watch_bodies, s, LATE_LOOK_MS, &s->watch, err);
    if (rc != ERR_OK)
        return rc;
    s->mg = start_civetweb(s);
    if (!s->mg || mg_get_server_ports(s->mg, 1, &port) != 1)
        return err_set(err, ERR_IO, "port", "cannot listen on %s port %d; is it in use?",
                       s->config.address, s->config.port);
    s->port = port.port;
    return ERR_OK;
}

enum err_code
http_start(const struct http_config *config, struct http_server **out, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct http_server *s = mem_zalloc(sizeof *s);
    enum err_code rc;

    pthread_once(&once, init_library);
    s->config = *config;
    pthread_mutex_init(&s->mutex, NULL);
    rc = address_list_parse(slice_from(config->trusted_proxies), &s->trusted, err);
    if (rc != ERR_OK) {
        err_prefix(err, "trusted-proxies");
        goto done;
    }
    if (inet_pton(AF_INET, config->address, &s->address) != 1) {
        rc = err_set(err, ERR_INVALID, "address", "\"%s\" is no IPv4 address", config->address);
        goto done;
    }
    rc = reserve_files(config, err);
    if (rc != ERR_OK)
        goto done;
    rc = config->is_door ? http__door_open(s, err) : listen_by_civetweb(s, err);
    if (rc != ERR_OK)
        goto done;
    *out = s;
    return ERR_OK;
done:
    if (s->mg)
        mg_stop(s->mg);
    destroy(s);
    return rc;
}

int
http_port(const struct http_server *s)
{
    return s->port;
}

static void *
run_mg_stop(void *mg)
{
    mg_stop(mg);
    return NULL;
}

/* civetweb looks at its stop flag only between polls of 2 s: a connection wakes it. */
static void
stop_listening(struct http_server *s)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)s->port), .sin_addr = s->address};
    pthread_t stopper;

    if (pthread_create(&stopper, NULL, run_mg_stop, s->mg) != 0) {
        mg_stop(s->mg);
        return;
    }
    while (pthread_tryjoin_np(stopper, NULL) != 0) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd >= 0)
            connect(fd, (struct sockaddr *)&to, sizeof to);
        clock_sleep_ms(WAKE_MS);
        if (fd >= 0)
            close(fd);
    }
}

void
http_stop(struct http_server **s)
{
    int64_t deadline = clock_steady_ms() + STOP_WAIT_MS;

    if (!*s)
        return;
    /* mg_stop cuts off replies: let what is in a handler finish first, and refuse what comes */
    atomic_store(&(*s)->is_stopping, true);
    while (atomic_load(&(*s)->in_flight) > 0 && clock_steady_ms() < deadline)
        clock_sleep_ms(2);
    if ((*s)->mg)
        stop_listening(*s);
    destroy(*s);
    *s = NULL;
}
