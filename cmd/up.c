/* corong up: Redis, collector, aggregator and dashboard on one machine, supervised, one folder. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aggregator/repair.h"
#include "cmd/cmd.h"
#include "cmd/demo.h"
#include "cmd/state.h"
#include "cmd/supervise.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "web/api/account.h"

#define START_MS      60000 /* for Redis to read a large log, and for the rest to listen */
#define END_MS        10000
#define LOCK_MS       10000 /* for the processes of a run that was killed to end */
#define TICK_MS       100
#define REDIS_MB_MAX  256
#define WORDS_MAX     64
#define SOCKET_PATH_N 107 /* sun_path */

enum { REDIS, AGGREGATOR, COLLECTOR, WEB };

struct up {
    struct cmd *c;
    struct store store;
    struct settings_db *db;
    struct supervisor processes;
    int collector_port;
    int web_port;
    struct slice redis;                  /* "unix:/..." */
    struct slice demo_key;               /* "" without --demo */
    struct slice places;                 /* the database beside the program; "" without it */
    char setup_token[ACCOUNT_TOKEN_MAX]; /* "" where there is an account */
    const char *self;                    /* the path of this program */
};

/* ---- ports ---- */

/* Where a listener of ours is reached from here: any address is also the loopback's. */
static struct sockaddr_in
address_of(const char *listens_on, int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    if (inet_pton(AF_INET, listens_on, &a.sin_addr) != 1 || a.sin_addr.s_addr == INADDR_ANY)
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static bool
is_listening(const char *address, int port)
{
    struct sockaddr_in a = address_of(address, port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0;

    if (fd >= 0)
        close(fd);
    return is;
}

static enum err_code
find_free_port(const char *address, int *out, struct err *err)
{
    struct sockaddr_in a = address_of(address, 0);
    socklen_t n = sizeof a;
    enum err_code rc = ERR_OK;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        rc = err_errno(err, "no free port on %s", address);
    else
        *out = ntohs(a.sin_port);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* The setting, or any free port where it is 0. Another process could take it before ours does; its
 * start then fails and says so. */
static enum err_code
choose_port(const struct settings *s, const char *name, const char *address, int *out,
            struct err *err)
{
    *out = (int)settings_integer(s, name);
    if (*out == 0)
        return find_free_port(address, out, err);
    if (is_listening(address, *out))
        return err_set(err, ERR_EXISTS, NULL, "port %d is taken; give another with --%s", *out,
                       name);
    return ERR_OK;
}

/* ---- the children's command lines ---- */

struct words {
    char *v[WORDS_MAX];
    int n;
};

static char **
keep(struct up *u, const struct words *w)
{
    char **v = ARENA_ARRAY(&u->c->arena, char *, (size_t)w->n + 1);

    memcpy(v, w->v, sizeof *v * (size_t)w->n);
    return v;
}

static void
add_word(struct up *u, struct words *w, const char *text)
{
    if (w->n == WORDS_MAX)
        abort();
    w->v[w->n++] = arena_cstr(&u->c->arena, slice_from(text));
}

static void
add_pair(struct up *u, struct words *w, const char *name, const char *value)
{
    add_word(u, w, name);
    add_word(u, w, value);
}

/* MB of maxmemory: the setting, or a tenth of the machine's memory, at most 256. */
static int64_t
redis_megabytes(const struct settings *s)
{
    int64_t tenth = (int64_t)sysconf(_SC_PHYS_PAGES) / 10 * sysconf(_SC_PAGESIZE) >> 20;
    int64_t wish = settings_integer(s, "redis-memory");

    if (wish != 0)
        return wish;
    return tenth < 16 ? 16 : tenth < REDIS_MB_MAX ? tenth : REDIS_MB_MAX;
}

/* Every write is on disk before its answer; nothing is ever evicted; nobody reaches it but through
 * the socket in the data folder. */
static void
add_redis(struct up *u)
{
    struct arena *a = &u->c->arena;
    struct words w = {.n = 0};

    add_word(u, &w, "redis-server");
    add_pair(u, &w, "--port", "0");
    add_pair(u, &w, "--unixsocket", u->redis.p + strlen("unix:"));
    add_pair(u, &w, "--unixsocketperm", "700");
    add_pair(u, &w, "--dir", arena_printf(a, "%s/redis", u->store.dir).p);
    add_pair(u, &w, "--appendonly", "yes");
    add_pair(u, &w, "--appendfsync", "always");
    add_pair(u, &w, "--save", "");
    add_pair(u, &w, "--maxmemory",
             arena_printf(a, "%lldmb", (long long)redis_megabytes(u->c->settings)).p);
    add_pair(u, &w, "--maxmemory-policy", "noeviction");
    add_pair(u, &w, "--loglevel", "warning");
    add_pair(u, &w, "--logfile", arena_printf(a, "%s/redis/redis.log", u->store.dir).p);
    add_pair(u, &w, "--daemonize", "no");
    supervise_add(&u->processes, "redis-server", keep(u, &w));
}

/* Where browsers reach the collector: as the snippet says it. */
static struct slice
collector_url(struct up *u)
{
    struct slice url = slice_from(settings_text(u->c->settings, "collector-url"));

    return url.n != 0 ? url : arena_printf(&u->c->arena, "http://localhost:%d", u->collector_port);
}

/* The database of places that scripts/setup.sh leaves beside the program; "" where there is none,
 * or the operator named one, or said that none is wanted. */
static struct slice
find_places(struct up *u)
{
    struct slice self = slice_from(u->self), path;
    size_t n = self.n;

    if (settings_is_given(u->c->settings, "place-db"))
        return SLICE_EMPTY;
    while (n > 0 && self.p[n - 1] != '/')
        n--;
    path = arena_printf(&u->c->arena, "%.*splaces.mmdb", (int)n, self.p);
    return file_exists(path.p) ? path : SLICE_EMPTY;
}

/* Our own processes take every setting of `up` that was given and that they know, and what `up`
 * decided; its Redis has no password, whatever the environment says of another. */
static void
add_own(struct up *u, const char *name, unsigned user)
{
    struct arena *a = &u->c->arena;
    const struct settings *s = u->c->settings;
    struct words w = {.n = 0};
    size_t n;
    const struct setting *table = setting_table(&n);

    add_word(u, &w, u->self);
    add_word(u, &w, name);
    for (size_t i = 0; i < n; i++) {
        bool is_decided_here =
            strcmp(table[i].name, "data") == 0 || strcmp(table[i].name, "config") == 0 ||
            strcmp(table[i].name, "collector-port") == 0 ||
            strcmp(table[i].name, "web-port") == 0 || strcmp(table[i].name, "collector-url") == 0;

        if ((table[i].users & user) && (table[i].users & USER_UP) && !is_decided_here &&
            settings_is_given(s, table[i].name))
            add_word(u, &w,
                     arena_printf(a, "--%s=%s", table[i].name, settings_text(s, table[i].name)).p);
    }
    add_pair(u, &w, "--data", u->store.dir);
    add_pair(u, &w, "--redis", u->redis.p);
    add_pair(u, &w, "--redis-password", "");
    if (user == USER_COLLECTOR) {
        u->places = find_places(u);
        add_pair(u, &w, "--collector-port", arena_printf(a, "%d", u->collector_port).p);
        if (u->places.n > 0)
            add_pair(u, &w, "--place-db", u->places.p);
    }
    if (user == USER_WEB) {
        add_pair(u, &w, "--web-port", arena_printf(a, "%d", u->web_port).p);
        add_pair(u, &w, "--collector-url", collector_url(u).p);
    }
    supervise_add(&u->processes, name, keep(u, &w));
}

/* ---- the state file: see state.h ---- */

static void
write_state(struct up *u)
{
    char path[FILE_PATH_MAX];
    struct buffer b = BUFFER_EMPTY;
    struct err err = ERR_NONE;

    buffer_printf(&b, "{\"pid\":%d,\"collector_port\":%d,\"web_port\":%d,\"collector_url\":",
                  (int)getpid(), u->collector_port, u->web_port);
    buffer_add_json(&b, collector_url(u));
    buffer_add_text(&b, ",\"snippet_path\":");
    buffer_add_json(&b, slice_from(settings_text(u->c->settings, "snippet-path")));
    buffer_add_text(&b, ",\"beacon_path\":");
    buffer_add_json(&b, slice_from(settings_text(u->c->settings, "beacon-path")));
    buffer_add_text(&b, ",\"processes\":{");
    for (int i = 0; i < u->processes.n; i++)
        buffer_printf(&b, "%s\"%s\":%d", i > 0 ? "," : "", u->processes.children[i].name,
                      (int)u->processes.children[i].pid);
    buffer_add_text(&b, "}}\n");
    store_path(&u->store, STATE_FILE, path);
    if (file_replace(path, buffer_slice(&b), 0600, &err) != ERR_OK)
        log_warn("%s", err.message);
    buffer_fini(&b);
}

/* ---- start ---- */

static enum err_code
wait_for_redis(struct up *u, struct err *err)
{
    int64_t until = clock_steady_ms() + START_MS;
    struct stream_address address;
    struct stream *s;
    enum err_code rc = stream_address_parse(u->redis, &address, err);

    if (rc != ERR_OK)
        return rc;
    address.timeout_ms = 1000;
    s = stream_create(&address);
    do {
        supervise_tick(&u->processes);
        clock_sleep_ms(20);
        rc = stream_ping(s, err);
    } while (rc != ERR_OK && clock_steady_ms() < until && !atomic_load(&cmd_stop) &&
             u->processes.children[REDIS].n_restarts < 5);
    stream_destroy(&s);
    if (rc == ERR_OK || u->processes.children[REDIS].n_restarts == 0)
        return rc;
    return u->processes.children[REDIS].is_missing
               ? err_set(err, ERR_NOT_FOUND, NULL,
                         "redis-server is not installed (apt-get install redis-server)")
               : err_set(err, ERR_UNAVAILABLE, NULL,
                         "redis-server does not start; %s/redis/redis.log says why", u->store.dir);
}

static enum err_code
wait_for_ports(struct up *u, struct err *err)
{
    const struct settings *s = u->c->settings;
    int64_t until = clock_steady_ms() + START_MS;

    while (!atomic_load(&cmd_stop)) {
        if (is_listening(settings_text(s, "collector-address"), u->collector_port) &&
            is_listening(settings_text(s, "web-address"), u->web_port))
            return ERR_OK;
        for (int i = 0; i < u->processes.n; i++)
            if (u->processes.children[i].n_restarts >= 3)
                return err_set(err, ERR_UNAVAILABLE, NULL, "%s does not start; see its words above",
                               u->processes.children[i].name);
        if (clock_steady_ms() > until)
            return err_set(err, ERR_TIMEOUT, NULL, "collector and dashboard do not answer");
        supervise_tick(&u->processes);
        clock_sleep_ms(TICK_MS / 4);
    }
    return ERR_OK;
}

static enum err_code
prepare(struct up *u, struct err *err)
{
    const struct settings *s = u->c->settings;
    struct arena *a = &u->c->arena;
    char path[FILE_PATH_MAX];
    char *whole;
    bool fits;
    enum err_code rc;

    whole = realpath(u->store.dir, NULL);
    if (whole == NULL)
        return err_errno(err, "cannot use %s", u->store.dir);
    fits = slice_to_cstr(slice_from(whole), u->store.dir, sizeof u->store.dir);
    free(whole);
    u->redis = arena_printf(a, "unix:%s/redis.sock", u->store.dir);
    if (!fits || u->redis.n - strlen("unix:") > SOCKET_PATH_N)
        return err_set(err, ERR_USAGE, "data",
                       "--data: %s is too long a path for Redis's socket (at most %d characters)",
                       u->store.dir, SOCKET_PATH_N - (int)strlen("/redis.sock"));
    store_path(&u->store, "redis", path);
    rc = file_make_folder(path, 0700, err);
    if (rc == ERR_OK)
        rc = choose_port(s, "collector-port", settings_text(s, "collector-address"),
                         &u->collector_port, err);
    if (rc == ERR_OK)
        rc = choose_port(s, "web-port", settings_text(s, "web-address"), &u->web_port, err);
    return rc;
}

static enum err_code
prepare_people(struct up *u, struct err *err)
{
    struct site site;
    enum err_code rc = ERR_OK;

    if (settings_flag(u->c->settings, "demo")) {
        rc = demo_prepare(&u->store, u->db, &u->c->arena, &site, err);
        if (rc == ERR_OK)
            u->demo_key = site.public_key;
    }
    if (rc == ERR_OK) {
        rc = account_setup_token_create(u->db, u->setup_token, err);
        if (rc == ERR_EXISTS) { /* there is an account: nothing to set up */
            u->setup_token[0] = '\0';
            rc = ERR_OK;
        }
    }
    return rc;
}

static enum err_code
start_all(struct up *u, struct err *err)
{
    enum err_code rc;

    add_redis(u);
    rc = supervise_start(&u->processes, REDIS, err);
    if (rc == ERR_OK)
        rc = wait_for_redis(u, err);
    if (rc == ERR_OK)
        rc = prepare_people(u, err);
    if (rc != ERR_OK)
        return rc;
    add_own(u, "aggregator", USER_AGGREGATOR);
    add_own(u, "collector", USER_COLLECTOR);
    add_own(u, "web", USER_WEB);
    for (int i = AGGREGATOR; rc == ERR_OK && !atomic_load(&cmd_stop) && i <= WEB; i++)
        rc = supervise_start(&u->processes, i, err);
    if (rc == ERR_OK)
        rc = wait_for_ports(u, err);
    return rc;
}

static void
end_all(struct up *u)
{
    static const int order[] = {COLLECTOR, WEB, AGGREGATOR, REDIS};
    char path[FILE_PATH_MAX];

    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (order[i] < u->processes.n)
            supervise_end(&u->processes, order[i], END_MS);
    store_path(&u->store, STATE_FILE, path);
    file_remove(path, NULL);
}

static void
say_hello(const struct up *u)
{
    const char *public = settings_text(u->c->settings, "public-url");
    char local[64];

    snprintf(local, sizeof local, "http://localhost:%d", u->web_port);
    if (public[0] == '\0')
    public = local;
    printf("Corong %s is running; everything is kept in %s\n\n", CORONG_VERSION, u->store.dir);
    printf("  dashboard       %s/\n", public);
    printf("  collector       http://localhost:%d/\n", u->collector_port);
    if (u->demo_key.n != 0)
        printf("  demo shop       http://localhost:%d/shop/\n", u->collector_port);
    if (u->places.n != 0)
        printf("  places          IP Geolocation by DB-IP, https://db-ip.com (CC BY 4.0)\n");
    if (u->setup_token[0] != '\0')
        printf("\n  first account   %s/setup?token=%s\n"
               "                  (works once, within 7 days)\n",
               public, u->setup_token);
    printf("\nCtrl-C ends it; what was collected stays.\n");
    fflush(stdout);
}

static enum err_code
run(struct up *u, struct err *err)
{
    enum err_code rc = prepare(u, err);

    if (rc != ERR_OK)
        return rc;
    rc = start_all(u, err);
    if (rc == ERR_OK && !atomic_load(&cmd_stop)) {
        write_state(u);
        say_hello(u);
    }
    while (rc == ERR_OK && !atomic_load(&cmd_stop)) {
        clock_sleep_ms(TICK_MS);
        if (supervise_tick(&u->processes))
            write_state(u);
    }
    if (rc == ERR_OK)
        log_info("ending: answering what is in flight, writing what is buffered");
    end_all(u);
    return rc;
}

static const char *
own_path(struct arena *a)
{
    char path[FILE_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);

    return n > 0 ? arena_cstr(a, slice_of(path, (size_t)n)) : "/proc/self/exe";
}

/* One `up` a folder. Its children inherit the lock, so that it is free only when the last process
 * of a run that was killed has ended: two Redis on one log would destroy it. */
static enum err_code
lock_folder(const struct store *store, int *out_fd, struct err *err)
{
    int64_t until = clock_steady_ms() + LOCK_MS;
    char path[FILE_PATH_MAX];
    bool has_said = false;
    enum err_code rc;

    store_path(store, "up.lock", path);
    while ((rc = file_lock(path, true, false, out_fd, err)) == ERR_CONFLICT) {
        if (clock_steady_ms() > until || atomic_load(&cmd_stop))
            return err_set(err, rc, NULL, "`corong up` already runs on %s", store->dir);
        if (!has_said)
            log_info("waiting for another `corong up` on %s to end", store->dir);
        has_said = true;
        clock_sleep_ms(TICK_MS / 4);
    }
    if (rc == ERR_OK && fcntl(*out_fd, F_SETFD, 0) != 0)
        rc = err_errno(err, "cannot pass on the lock of %s", store->dir);
    return rc;
}

static void
on_finding(const struct check_finding *f, void *context)
{
    (void)context;
    log_warn("%.*s: %.*s", SLICE_ARG(f->where), SLICE_ARG(f->what));
}

int
cmd_up(struct cmd *c)
{
    struct up u = {.c = c, .self = own_path(&c->arena)};
    struct err err = ERR_NONE;
    int lock = -1;
    enum err_code rc;

    if (c->n_words != 0)
        return cmd_usage(c);
    log_set_part("up");
    cmd_catch_signals();
    rc = store_open(settings_text(c->settings, "data"), true, &u.store, &err);
    if (rc == ERR_OK)
        rc = lock_folder(&u.store, &lock, &err);
    if (rc == ERR_OK)
        rc = repair_at_start(&u.store, on_finding, NULL, &err);
    if (rc == ERR_OK)
        rc = settings_db_open(&u.store, &u.db, &err);
    if (rc == ERR_OK)
        rc = run(&u, &err);
    settings_db_close(&u.db);
    file_unlock(&lock);
    return rc == ERR_OK ? CMD_DONE : cmd_fail(&err);
}
