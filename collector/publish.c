#include "collector/publish.h"

#include <assert.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/metrics.h"
#include "collector/publish_watch.h"
#include "core/buffer.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/codec.h"
#include "core/event.h"
#include "core/log.h"

/* One pipeline. A batch is closed when the next record does not fit, so all but the last hold at
 * least CODEC_BATCH_BYTES less the largest record: 15 of them more than PIPELINE_BYTES. */
#define BATCHES_MAX    16
#define PIPELINE_BYTES (2 * 1024 * 1024 + 512 * 1024)
#define BATCH_LEAST    (CODEC_BATCH_BYTES - EVENT_ENCODED_MAX - CODEC_RECORD_HEADER - 2)
_Static_assert((BATCHES_MAX - 1) * BATCH_LEAST >= PIPELINE_BYTES, "a pipeline fits its batches");
_Static_assert(PUBLISH_RECORDS_MAX <= PIPELINE_BYTES, "a call fits a pipeline");

#define CHECK_MS               1000
#define DRAIN_LOOK_MS          50   /* between looks at whether what is spooled can be sent */
#define ADOPT_MS               2000 /* between looks for what others have left in the spool */
#define DRAIN_BYTES_PER_SECOND (16 * 1024 * 1024)

/* A request that waits; it lives on its thread's stack until is_done. */
struct waiter {
    struct slice records;
    struct waiter *next;
    unsigned round;  /* in which it came */
    int first_batch; /* the batches its records are in */
    int last_batch;
    enum err_code rc; /* once it is_done */
    atomic_bool is_done;
};

struct publish {
    struct publish_config config;
    struct publish_watch *watch;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t work;
    /* Waiters of odd and of even rounds sleep on these: one system call wakes one round, and who is
     * woken takes no lock. (A condition would have them queue for its mutex once more.) */
    atomic_uint done[2];

    /* under the mutex */
    struct waiter *first;
    struct waiter **end;
    size_t queue_bytes;
    unsigned round; /* which waiters gather now */
    bool is_stopping;
    enum err_code last_rc; /* of the last round */
    struct err why_not;    /* of the last one in which something could not be kept */
    struct publish_figures figures;
    _Atomic uint64_t n_calls;
    _Atomic uint64_t wait_us;

    /* the publisher's own */
    struct stream *stream;
    struct spool *spool; /* NULL: none */
    bool is_refusing;    /* said once */
    struct buffer batches[BATCHES_MAX];
    int n_batches;
    bool acknowledged[BATCHES_MAX]; /* by Redis */
    bool spooled[BATCHES_MAX];
    int64_t drain_at_ms;
    int64_t adopt_at_ms;
};

/* ---- Sleeping and waking (futex(2)) ---- */

static void
sleep_while(atomic_uint *word, unsigned value)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void
wake_all(atomic_uint *word)
{
    atomic_fetch_add(word, 1);
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* ---- The publisher's thread ---- */

static void
pack(struct publish *p, struct waiter *w)
{
    struct slice rest = w->records;
    struct buffer *b = &p->batches[p->n_batches - 1];

    w->first_batch = p->n_batches - 1;
    while (rest.n != 0) {
        size_t n = load_u32(rest.p) + (size_t)CODEC_RECORD_HEADER;
        assert(n <= rest.n);
        if (b->n + n > CODEC_BATCH_BYTES) {
            assert(p->n_batches < BATCHES_MAX);
            b = &p->batches[p->n_batches++];
            codec_batch_begin(b);
        }
        buffer_add(b, rest.p, n);
        rest = slice_sub(rest, n, rest.n);
    }
    w->last_batch = p->n_batches - 1;
}

/* Take what waits, as much as fits one pipeline. Under the mutex. */
static struct waiter *
take(struct publish *p)
{
    struct waiter *taken = p->first, **link = &p->first;
    size_t bytes = 0;

    while (*link && bytes + (*link)->records.n <= PIPELINE_BYTES) {
        bytes += (*link)->records.n;
        link = &(*link)->next;
    }
    p->first = *link;
    if (!p->first)
        p->end = &p->first;
    *link = NULL;
    p->queue_bytes -= bytes;
    return taken;
}

/* A connection for another try, without a back-off of its own: the watch says when to try. */
static void
connect_anew(struct publish *p)
{
    stream_destroy(&p->stream);
    p->stream = stream_create(&p->config.redis);
    stream_require_durable(p->stream);
}

/* Redis did not take everything, or took too long over it. */
static void
note_failure(struct publish *p, const struct err *why)
{
    publish_watch_failed(p->watch, why);
    connect_anew(p);
    pthread_mutex_lock(&p->mutex);
    p->figures.n_failures++;
    pthread_mutex_unlock(&p->mutex);
}

/* One pipeline, if Redis is believed to be well. A broken connection ends it before wait_ms, since
 * the stream's time-out is no longer; a Redis that only crawls is found out afterwards. */
static enum err_code
send(struct publish *p, const struct slice *batches, int n, bool *ok, struct err *err)
{
    int64_t began = clock_steady_ms();
    enum err_code rc;
    struct err slow;

    memset(ok, 0, (size_t)n * sizeof *ok);
    if (!publish_watch_is_ready(p->watch, err))
        return ERR_UNAVAILABLE;
    rc = stream_add_many(p->stream, batches, n, ok, err);
    if (rc != ERR_OK) {
        note_failure(p, err);
    } else if (clock_steady_ms() - began > p->config.wait_ms) {
        err_set(&slow, ERR_UNAVAILABLE, "redis", "Redis takes longer than %lld ms",
                (long long)p->config.wait_ms);
        note_failure(p, &slow);
    }
    return rc;
}

static void
say_refusing(struct publish *p, bool is_refusing, const struct err *why)
{
    if (is_refusing && !p->is_refusing)
        log_error("events are refused: %s", why->message);
    else if (!is_refusing && p->is_refusing)
        log_info("events are taken again");
    p->is_refusing = is_refusing;
}

/* What Redis did not take. */
static enum err_code
spool_rest(struct publish *p, const struct slice *batches, struct err *err)
{
    struct slice rest[BATCHES_MAX] = {{NULL, 0}};
    enum err_code rc;
    int n = 0;

    for (int i = 0; i < p->n_batches; i++)
        if (!p->acknowledged[i])
            rest[n++] = batches[i];
    rc = spool_append(p->spool, rest, n, err);
    for (int i = 0; i < p->n_batches; i++)
        p->spooled[i] = rc == ERR_OK && !p->acknowledged[i];
    return rc;
}

static enum err_code
keep_all(struct publish *p, struct err *err)
{
    struct slice batches[BATCHES_MAX] = {{NULL, 0}};
    enum err_code rc;

    for (int i = 0; i < p->n_batches; i++)
        batches[i] = buffer_slice(&p->batches[i]);
    memset(p->spooled, 0, sizeof p->spooled);
    rc = send(p, batches, p->n_batches, p->acknowledged, err);
    if (rc != ERR_OK && p->spool)
        rc = spool_rest(p, batches, err);
    else if (rc != ERR_OK)
        rc = ERR_UNAVAILABLE;
    if (rc != ERR_OK && rc != ERR_FULL)
        rc = ERR_UNAVAILABLE; /* a disk's own trouble is ours to see, not the sender's */
    say_refusing(p, rc != ERR_OK, err);
    return rc;
}

/* Give every waiter its result and wake them. Once a waiter is done its stack may go, so its next
 * is read before. */
static void
finish(struct publish *p, struct waiter *w, enum err_code rc)
{
    bool wakes[2] = {false, false}; /* both, where an earlier round left some behind */

    while (w) {
        struct waiter *next = w->next;
        enum err_code own = ERR_OK;
        for (int i = w->first_batch; i <= w->last_batch; i++)
            if (!p->acknowledged[i] && !p->spooled[i])
                own = rc;
        wakes[w->round & 1] = true;
        w->rc = own;
        atomic_store_explicit(&w->is_done, true, memory_order_release);
        w = next;
    }
    for (int i = 0; i < 2; i++)
        if (wakes[i])
            wake_all(&p->done[i]);
}

/* Wait until the publisher has finished w. */
static void
wait_until_done(struct publish *p, struct waiter *w)
{
    atomic_uint *word = &p->done[w->round & 1];

    for (;;) {
        unsigned seen = atomic_load(word);
        if (atomic_load_explicit(&w->is_done, memory_order_acquire))
            return;
        sleep_while(word, seen);
    }
}

static void
note_spool(struct publish *p)
{
    if (p->spool)
        spool_figures(p->spool, &p->figures.spool);
}

/* Under the mutex. */
static void
note_round(struct publish *p)
{
    for (int i = 0; i < p->n_batches; i++) {
        p->figures.n_entries += p->acknowledged[i];
        p->figures.entry_bytes += p->acknowledged[i] ? p->batches[i].n : 0;
    }
    note_spool(p);
}

/* One round. Called and left with the mutex held. */
static void
publish_round(struct publish *p)
{
    struct waiter *waiters = take(p);
    struct err err = ERR_NONE;
    enum err_code rc;

    p->round++;
    pthread_mutex_unlock(&p->mutex);
    p->n_batches = 1;
    codec_batch_begin(&p->batches[0]);
    for (struct waiter *w = waiters; w; w = w->next)
        pack(p, w);
    rc = keep_all(p, &err);
    pthread_mutex_lock(&p->mutex);
    p->last_rc = rc;
    if (rc != ERR_OK)
        p->why_not = err;
    note_round(p);
    pthread_mutex_unlock(&p->mutex);
    finish(p, waiters, rc);
    pthread_mutex_lock(&p->mutex);
}

/* ---- Draining ---- */

static bool
is_drain_due(const struct publish *p)
{
    return p->spool && clock_steady_ms() >= p->drain_at_ms && !spool_is_empty(p->spool) &&
           publish_watch_has_much_room(p->watch);
}

/* Send a step of what is spooled; the next is due once its share of the rate has passed. Called and
 * left with the mutex held. */
static void
drain_step(struct publish *p)
{
    struct slice batches[SPOOL_PEEK_MAX];
    bool ok[SPOOL_PEEK_MAX];
    int64_t began = clock_steady_ms();
    struct err err;
    size_t bytes = 0;
    int n, k = 0;

    pthread_mutex_unlock(&p->mutex);
    n = spool_peek(p->spool, batches, SPOOL_PEEK_MAX);
    if (n > 0)
        send(p, batches, n, ok, &err);
    while (k < n && ok[k])
        bytes += batches[k++].n;
    spool_drop(p->spool, k);
    p->drain_at_ms = began + (int64_t)(bytes * 1000 / p->config.drain_bytes_per_second);
    if (n > 0 && spool_is_empty(p->spool))
        log_info("the spool is drained");
    pthread_mutex_lock(&p->mutex);
    note_spool(p);
}

/* A collector on the same spool may have ended since the last look. */
static bool
is_adoption_due(const struct publish *p)
{
    return p->spool && clock_steady_ms() >= p->adopt_at_ms && spool_is_empty(p->spool);
}

/* Called and left with the mutex held. */
static void
adopt(struct publish *p)
{
    pthread_mutex_unlock(&p->mutex);
    spool_adopt(p->spool);
    p->adopt_at_ms = clock_steady_ms() + ADOPT_MS;
    pthread_mutex_lock(&p->mutex);
    note_spool(p);
}

static void
wait_for_work(struct publish *p)
{
    if (p->spool)
        clock_cond_wait(&p->work, &p->mutex, spool_is_empty(p->spool) ? ADOPT_MS : DRAIN_LOOK_MS);
    else
        pthread_cond_wait(&p->work, &p->mutex);
}

static void *
publisher(void *context)
{
    struct publish *p = context;

    pthread_mutex_lock(&p->mutex);
    for (;;) {
        while (!p->first && !p->is_stopping && !is_drain_due(p) && !is_adoption_due(p))
            wait_for_work(p);
        if (p->first)
            publish_round(p);
        else if (p->is_stopping)
            break;
        if (is_drain_due(p))
            drain_step(p);
        else if (is_adoption_due(p))
            adopt(p);
    }
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

/* ---- Starting and stopping ---- */

static void
destroy(struct publish *p)
{
    publish_watch_stop(&p->watch);
    spool_close(&p->spool);
    stream_destroy(&p->stream);
    for (int i = 0; i < BATCHES_MAX; i++)
        buffer_fini(&p->batches[i]);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}

static struct publish *
create(const struct publish_config *config)
{
    struct publish *p = mem_zalloc(sizeof *p);

    p->config = *config;
    if (p->config.check_ms == 0)
        p->config.check_ms = CHECK_MS;
    if (p->config.drain_bytes_per_second == 0)
        p->config.drain_bytes_per_second = DRAIN_BYTES_PER_SECOND;
    if (p->config.redis.timeout_ms <= 0 || p->config.redis.timeout_ms > p->config.wait_ms)
        p->config.redis.timeout_ms = (int)p->config.wait_ms;
    p->end = &p->first;
    pthread_mutex_init(&p->mutex, NULL);
    clock_cond_init(&p->work);
    connect_anew(p);
    return p;
}

enum err_code
publish_start(const struct publish_config *config, struct publish **out, struct err *err)
{
    struct publish *p = create(config);
    struct publish_watch_config watch = {
        .redis = p->config.redis, .check_ms = p->config.check_ms, .wall_ms = p->config.wall_ms};
    enum err_code rc = publish_watch_start(&watch, &p->watch, err);

    if (rc == ERR_OK && config->spool.dir && config->spool.dir[0])
        rc = spool_open(&config->spool, &p->spool, err);
    if (rc == ERR_OK) {
        note_spool(p);
        if (pthread_create(&p->thread, NULL, publisher, p) != 0)
            rc = err_set(err, ERR_IO, "", "cannot start the publisher's thread");
    }
    if (rc != ERR_OK)
        destroy(p);
    else
        *out = p;
    return rc;
}

void
publish_stop(struct publish **p)
{
    if (!*p)
        return;
    pthread_mutex_lock(&(*p)->mutex);
    (*p)->is_stopping = true;
    pthread_cond_signal(&(*p)->work);
    pthread_mutex_unlock(&(*p)->mutex);
    pthread_join((*p)->thread, NULL);
    destroy(*p);
    *p = NULL;
}

/* ---- Requests ---- */

static void
tell_why(struct publish *p, enum err_code rc, struct err *err)
{
    if (!err)
        return;
    pthread_mutex_lock(&p->mutex);
    *err = p->why_not;
    pthread_mutex_unlock(&p->mutex);
    err->code = rc;
}

enum err_code
publish_records(struct publish *p, struct slice records, struct err *err)
{
    struct waiter w = {.records = records};
    int64_t began = clock_steady_us();

    if (records.n == 0)
        return ERR_OK;
    if (records.n > PUBLISH_RECORDS_MAX)
        return err_set(err, ERR_LIMIT, "", "the events of one request take more than %d bytes",
                       PUBLISH_RECORDS_MAX);
    pthread_mutex_lock(&p->mutex);
    if (p->queue_bytes + records.n > p->config.queue_bytes) {
        pthread_mutex_unlock(&p->mutex);
        return err_set(err, ERR_UNAVAILABLE, "", "too much is waiting already; try again");
    }
    *p->end = &w;
    p->end = &w.next;
    p->queue_bytes += records.n;
    if (p->first == &w)
        pthread_cond_signal(&p->work);
    w.round = p->round;
    pthread_mutex_unlock(&p->mutex);
    wait_until_done(p, &w);
    if (w.rc == ERR_OK) {
        atomic_fetch_add(&p->n_calls, 1);
        atomic_fetch_add(&p->wait_us, (uint64_t)(clock_steady_us() - began));
    } else {
        tell_why(p, w.rc, err);
    }
    return w.rc;
}

bool
publish_is_ready(struct publish *p, struct err *err)
{
    return publish_watch_is_ready(p->watch, err);
}

enum publish_state
publish_state(struct publish *p, struct err *err)
{
    bool is_broken;
    uint64_t held;

    if (publish_watch_is_ready(p->watch, err))
        return PUBLISH_READY;
    if (!p->spool)
        return PUBLISH_REFUSING;
    pthread_mutex_lock(&p->mutex);
    held = p->figures.spool.bytes;
    is_broken = p->last_rc == ERR_UNAVAILABLE; /* the spool's disk failed, when last tried */
    if (is_broken)
        *err = p->why_not;
    pthread_mutex_unlock(&p->mutex);
    return !is_broken && spool_check_room(p->spool, held, SPOOL_ROOM_MIN, err) == ERR_OK
               ? PUBLISH_SPOOLING
               : PUBLISH_REFUSING;
}

enum err_code
publish_check_clock(struct publish *p, struct err *err)
{
    return publish_watch_check_clock(p->watch, err);
}

void
publish_figures(struct publish *p, struct publish_figures *out)
{
    pthread_mutex_lock(&p->mutex);
    *out = p->figures;
    out->queue_bytes = p->queue_bytes;
    pthread_mutex_unlock(&p->mutex);
    out->n_calls = atomic_load(&p->n_calls);
    out->wait_us = atomic_load(&p->wait_us);
}

void
publish_print(struct publish *p, struct buffer *out)
{
    struct publish_figures f;
    int is_ready = publish_is_ready(p, NULL);

    publish_figures(p, &f);
    buffer_printf(out,
                  "# HELP corong_publish_seconds Time from an event's encoding to the disk.\n"
                  "# TYPE corong_publish_seconds summary\ncorong_publish_seconds_sum %.6f\n"
                  "corong_publish_seconds_count %llu\n",
                  (double)f.wait_us / 1e6, (unsigned long long)f.n_calls);
    metrics_print_one(out, "corong_publish_entries_total", "counter", "Stream entries written.",
                      (double)f.n_entries);
    metrics_print_one(out, "corong_publish_bytes_total", "counter", "Their bytes.",
                      (double)f.entry_bytes);
    metrics_print_one(out, "corong_publish_failures_total", "counter",
                      "Pipelines that Redis did not take, or not in time.", (double)f.n_failures);
    metrics_print_one(out, "corong_publish_queue_bytes", "gauge", "Events that wait for a disk.",
                      (double)f.queue_bytes);
    metrics_print_one(out, "corong_redis_up", "gauge",
                      "1: Redis is there, has room, and keeps what it takes.", is_ready);
    metrics_print_one(out, "corong_spool_entries_total", "counter",
                      "Batches that went to the spool, as Redis did not take them.",
                      (double)f.spool.n_spooled);
    metrics_print_one(out, "corong_spool_drained_total", "counter",
                      "Batches that came from the spool into Redis.", (double)f.spool.n_drained);
    metrics_print_one(out, "corong_spool_damaged_total", "counter",
                      "Places in the spool that failed their checksum.", (double)f.spool.n_damaged);
    metrics_print_one(out, "corong_spool_bytes", "gauge", "What the spool holds on disk.",
                      (double)f.spool.bytes);
}
