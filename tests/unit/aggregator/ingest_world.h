/* A data folder, a Redis, and an aggregator that is a process of its own, so that it can be killed.
 */
#ifndef TESTS_UNIT_AGGREGATOR_INGEST_WORLD_H
#define TESTS_UNIT_AGGREGATOR_INGEST_WORLD_H

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "aggregator/aggregator.h"
#include "core/clock.h"
#include "core/codec.h"
#include "core/log.h"
#include "tests/unit/aggregator/redis_side.h"

struct world {
    struct fixture *f;
    struct redis_fixture redis;
    struct stream_address address;
    struct stream *stream;
    pid_t aggregator;
    uint64_t n_sent;
};

/* ---- The process ---- */

static atomic_bool child_stop;

static inline void
on_term(int signal_number)
{
    (void)signal_number;
    atomic_store(&child_stop, true);
}

static inline pid_t
start_aggregator(struct world *w, const char *dir)
{
    struct aggregator_config config = {
        .data_dir = dir, .redis = w->address, .flush_ms = 50, .flush_rows = 400};
    struct err err = ERR_NONE;
    enum err_code rc;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that aborts leaves nothing running */
    signal(SIGTERM, on_term);
    log_set_level(LOG_ERROR);
    log_set_part("aggregator");
    rc = aggregator_run(&config, &child_stop, &err);
    if (rc != ERR_OK)
        log_line(LOG_ERROR, "ends: %s", err.message);
    _exit((int)rc);
}

/* The error code it ended with; -1 where a signal ended it. */
static inline int
wait_end(pid_t pid)
{
    int status = 0;

    for (int64_t until = clock_steady_ms() + PATIENCE_MS; clock_steady_ms() < until;) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        clock_sleep_ms(10);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    fail_msg("the aggregator does not end");
    return -1;
}

static inline int
end(pid_t pid, int signal_number)
{
    assert_int_equal(kill(pid, signal_number), 0);
    return wait_end(pid);
}

/* ---- Events in, figures out ---- */

static inline int
world_setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    w->f = redis_side_open(&w->redis, &w->address, &w->stream);
    *state = w;
    return 0;
}

static inline int
world_teardown(void **state)
{
    struct world *w = *state;

    if (w->aggregator > 0 && waitpid(w->aggregator, NULL, WNOHANG) == 0) {
        kill(w->aggregator, SIGKILL);
        waitpid(w->aggregator, NULL, 0);
    }
    redis_side_close(w->f, &w->redis, &w->stream);
    free(w);
    return 0;
}

static inline struct event
numbered_event(struct arena *a, uint64_t number)
{
    struct event e = event_of(1, "", "", "a", JUNE_2026_MS + (int64_t)number);

    e.visitor = arena_printf(a, "v%llu", (unsigned long long)number % 50);
    e.id = arena_printf(a, "%llu", (unsigned long long)number);
    return e;
}

static inline void
batch_of(struct world *w, struct buffer *batch, int n)
{
    struct err err = ERR_NONE;

    codec_batch_begin(batch);
    for (int i = 0; i < n; i++) {
        struct event e = numbered_event(&w->f->arena, w->n_sent++);

        assert_ok(codec_batch_add(batch, &e, &err));
    }
}

static inline void
add_entry(struct world *w, struct slice batch)
{
    struct err err = ERR_NONE;

    for (int i = 0; i < 100; i++) {
        if (stream_add(w->stream, batch, &err) == ERR_OK)
            return;
        clock_sleep_ms(50); /* not acknowledged: sent again, as a collector does */
    }
    fail_msg("%s", err.message);
}

static inline void
send_events(struct world *w, int n)
{
    struct buffer batch = BUFFER_EMPTY;

    batch_of(w, &batch, n);
    add_entry(w, buffer_slice(&batch));
    buffer_fini(&batch);
}

/* Events of site 1 by their ids: repeats in several segments are one. */
static inline uint64_t
count_stored(struct world *w)
{
    uint64_t total = 0;

    arena_reset(&w->f->arena);
    for (int i = 0; i < 50; i++) {
        struct query_person person;
        struct err err = ERR_NONE;
        char visitor[16];

        snprintf(visitor, sizeof visitor, "v%d", i);
        assert_ok(query_person(w->f->pool, 1, slice_from(visitor), SIZE_MAX, &w->f->arena, &person,
                               &err));
        total += person.n_events;
    }
    return total;
}

static inline void
wait_stored(struct world *w, uint64_t n)
{
    uint64_t got = 0;

    for (int64_t until = clock_steady_ms() + PATIENCE_MS; clock_steady_ms() < until;) {
        got = count_stored(w);
        if (got == n)
            return;
        clock_sleep_ms(20);
    }
    fail_msg("%llu events are stored instead of %llu", (unsigned long long)got,
             (unsigned long long)n);
}

static inline uint64_t
alarm_count(struct world *w, const char *code)
{
    struct catalog_alarm *alarms = NULL;
    struct err err = ERR_NONE;
    size_t n = 0;

    assert_ok(catalog_alarms(w->f->catalog, &w->f->arena, &alarms, &n, &err));
    for (size_t i = 0; i < n; i++)
        if (slice_is(alarms[i].code, code))
            return alarms[i].n;
    return 0;
}

static inline void
wait_alarm(struct world *w, const char *code)
{
    for (int64_t until = clock_steady_ms() + PATIENCE_MS; clock_steady_ms() < until;) {
        if (alarm_count(w, code) != 0)
            return;
        clock_sleep_ms(20);
    }
    fail_msg("no alarm %s", code);
}

static inline void
redis_cli(struct world *w, const char *command, const char *input)
{
    char line[FILE_PATH_MAX + 500];

    snprintf(line, sizeof line, "redis-cli -s %s %s %s %s >/dev/null", w->redis.socket,
             input ? "-x" : "", command, input ? input : "");
    assert_int_equal(system(line), 0);
}

/* n events as an entry of this id: what a Redis with another clock would have given. */
static inline void
add_entry_at(struct world *w, const char *id, int n)
{
    struct buffer batch = BUFFER_EMPTY;
    char path[FILE_PATH_MAX], input[FILE_PATH_MAX], command[100];
    struct err err = ERR_NONE;

    batch_of(w, &batch, n);
    store_path(&w->f->store, "input", path);
    assert_ok(file_replace(path, buffer_slice(&batch), 0600, &err));
    buffer_fini(&batch);
    snprintf(input, sizeof input, "< %.200s", path);
    snprintf(command, sizeof command, "XADD '" STREAM_EVENTS "' %s b", id);
    redis_cli(w, command, input); /* -x ends its argument as it came, so the batch is whole */
}

static inline struct catalog_position
position_of(struct world *w)
{
    struct catalog_position position = {.epoch = ""};
    struct err err = ERR_NONE;

    assert_ok(catalog_position_get(w->f->catalog, STREAM_EVENTS, &position, &err));
    return position;
}

#endif
