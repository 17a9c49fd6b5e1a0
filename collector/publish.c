#include "collector/publish.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

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

#define RETRY_MS 10   /* between tries; the stream's own back-off says no at once */
#define PROBE_MS 200  /* between looks for a Redis that is away */
#define CHECK_MS 5000 /* between looks at the settings of one that is there */

/* A request that waits; it lives on its thread's stack until is_done. */
struct waiter {
    struct slice records;
    struct waiter *next;
    unsigned round;  /* in which it came */
    int first_batch; /* the batches its records are in */
    int last_batch;
    bool is_done;
    enum err_code rc;
};

struct publish {
    struct publish_config config;
    struct stream *stream; /* of the publisher's thread */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t work;
    pthread_cond_t done[2]; /* waiters of odd and of even rounds: one broadcast wakes one round */

    /* under the mutex */
    struct waiter *first;
    struct waiter **end;
    size_t queue_bytes;
    unsigned round; /* which waiters gather now */
    bool is_stopping;
    bool is_ready;
    struct err why_not; /* while not ready; of the last failed round */
    struct publish_figures figures;

    /* the publisher's own */
    struct buffer batches[BATCHES_MAX];
    int n_batches;
    bool acknowledged[BATCHES_MAX];
    int64_t checked_ms; /* when Redis was last known to keep what it acknowledges */
};

/* ---- The publisher's thread ---- */

static void
set_ready(struct publish *p, bool is_ready, const struct err *why_not)
{
    bool was_ready;

    pthread_mutex_lock(&p->mutex);
    was_ready = p->is_ready;
    p->is_ready = is_ready;
    if (!is_ready)
        p->why_not = *why_not;
    pthread_mutex_unlock(&p->mutex);
    if (was_ready && !is_ready)
        log_error("events are not taken: %s", why_not->message);
    else if (!was_ready && is_ready)
        log_info("Redis is there: events are taken");
}

/* Does Redis keep what it acknowledges? ERR_INVALID, ERR_DENIED: no, or nobody can tell. */
static enum err_code
check(struct publish *p, struct err *err)
{
    enum err_code rc = stream_check_durable(p->stream, err);

    if (rc == ERR_OK)
        p->checked_ms = clock_steady_ms();
    return rc;
}

static bool
is_check_due(const struct publish *p)
{
    return clock_steady_ms() - p->checked_ms >= p->config.check_ms;
}

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

/* Send the batches that are not acknowledged yet. */
static enum err_code
send_rest(struct publish *p, struct err *err)
{
    struct slice batches[BATCHES_MAX] = {{NULL, 0}};
    int index[BATCHES_MAX];
    bool ok[BATCHES_MAX];
    enum err_code rc;
    int n = 0;

    for (int i = 0; i < p->n_batches; i++) {
        if (p->acknowledged[i])
            continue;
        index[n] = i;
        batches[n++] = buffer_slice(&p->batches[i]);
    }
    rc = stream_add_many(p->stream, batches, n, ok, err);
    for (int i = 0; i < n; i++)
        p->acknowledged[index[i]] = ok[i];
    return rc;
}

static enum err_code
send_all(struct publish *p, bool was_ready, struct err *err)
{
    int64_t deadline = clock_steady_ms() + p->config.wait_ms;
    uint64_t n_retries = 0;
    enum err_code rc = is_check_due(p) ? check(p, err) : ERR_OK;

    if (rc == ERR_INVALID || rc == ERR_DENIED)
        return rc; /* one that is away, though, may come back in time */
    rc = send_rest(p, err);
    while (rc == ERR_UNAVAILABLE && was_ready && clock_steady_ms() < deadline) {
        n_retries++;
        clock_sleep_ms(RETRY_MS);
        rc = send_rest(p, err);
    }
    pthread_mutex_lock(&p->mutex);
    p->figures.n_retries += n_retries;
    pthread_mutex_unlock(&p->mutex);
    return rc;
}

/* Give every waiter its result and wake them. Under the mutex: once a waiter is done its stack may
 * go, so its next is read before. */
static void
finish(struct publish *p, struct waiter *w, enum err_code rc)
{
    bool wakes[2] = {false, false}; /* both, where an earlier round left some behind */

    while (w) {
        struct waiter *next = w->next;
        enum err_code own = ERR_OK;
        for (int i = w->first_batch; i <= w->last_batch; i++)
            if (!p->acknowledged[i])
                own = rc;
        wakes[w->round & 1] = true;
        w->rc = own;
        w->is_done = true;
        w = next;
    }
    for (int i = 0; i < 2; i++)
        if (wakes[i])
            pthread_cond_broadcast(&p->done[i]);
    for (int i = 0; i < p->n_batches; i++) {
        p->figures.n_entries += p->acknowledged[i];
        p->figures.entry_bytes += p->acknowledged[i] ? p->batches[i].n : 0;
    }
}

/* What a failure means to senders: a full Redis may have room later, all else is our own to see. */
static enum err_code
told(enum err_code rc)
{
    return rc == ERR_OK || rc == ERR_FULL ? rc : ERR_UNAVAILABLE;
}

/* One round. Called and left with the mutex held. */
static void
publish_round(struct publish *p)
{
    struct waiter *waiters = take(p);
    bool was_ready = p->is_ready;
    struct err err = ERR_NONE;
    enum err_code rc;

    p->round++;
    pthread_mutex_unlock(&p->mutex);
    p->n_batches = 1;
    codec_batch_begin(&p->batches[0]);
    for (struct waiter *w = waiters; w; w = w->next)
        pack(p, w);
    memset(p->acknowledged, 0, sizeof p->acknowledged);
    rc = send_all(p, was_ready, &err);
    set_ready(p, rc == ERR_OK, &err);
    pthread_mutex_lock(&p->mutex);
    finish(p, waiters, told(rc));
}

/* Is it still fit, or fit again? A full Redis answers all the time: it is when there is room. */
static void
probe(struct publish *p)
{
    bool was_full = p->why_not.code == ERR_FULL;
    struct err err;
    enum err_code rc;
    int64_t used, max;

    pthread_mutex_unlock(&p->mutex);
    rc = check(p, &err);
    if (rc == ERR_OK && was_full) {
        rc = stream_memory(p->stream, &used, &max, &err);
        if (rc == ERR_OK && max > 0 && used >= max)
            rc = err_set(&err, ERR_FULL, "redis", "Redis has no memory left");
    }
    set_ready(p, rc == ERR_OK, &err);
    pthread_mutex_lock(&p->mutex);
}

static void
wait_for_work(struct publish *p)
{
    int64_t wait_ms = p->is_ready ? p->config.check_ms : PROBE_MS;
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(wait_ms / 1000);
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    if (pthread_cond_timedwait(&p->work, &p->mutex, &until) != 0 && !p->first && !p->is_stopping)
        probe(p);
}

static void *
publisher(void *context)
{
    struct publish *p = context;

    pthread_mutex_lock(&p->mutex);
    for (;;) {
        while (!p->first && !p->is_stopping)
            wait_for_work(p);
        if (!p->first)
            break;
        publish_round(p);
    }
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

/* ---- Starting and stopping ---- */

static void
destroy(struct publish *p)
{
    stream_destroy(&p->stream);
    for (int i = 0; i < BATCHES_MAX; i++)
        buffer_fini(&p->batches[i]);
    pthread_cond_destroy(&p->done[0]);
    pthread_cond_destroy(&p->done[1]);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}

enum err_code
publish_start(const struct publish_config *config, struct publish **out, struct err *err)
{
    struct publish *p = mem_zalloc(sizeof *p);
    pthread_condattr_t steady;
    enum err_code rc;

    p->config = *config;
    if (p->config.check_ms == 0)
        p->config.check_ms = CHECK_MS;
    p->end = &p->first;
    p->stream = stream_create(&config->redis);
    stream_require_durable(p->stream);
    pthread_mutex_init(&p->mutex, NULL);
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&p->work, &steady);
    pthread_condattr_destroy(&steady);
    pthread_cond_init(&p->done[0], NULL);
    pthread_cond_init(&p->done[1], NULL);

    rc = check(p, err);
    if (rc == ERR_INVALID || rc == ERR_DENIED) {
        destroy(p);
        return rc;
    }
    p->is_ready = rc == ERR_OK;
    if (rc != ERR_OK) {
        err_set(&p->why_not, ERR_UNAVAILABLE, "redis", "Redis is away");
        log_warn("Redis is away; events are refused until it comes");
    }
    if (pthread_create(&p->thread, NULL, publisher, p) != 0) {
        destroy(p);
        return err_set(err, ERR_IO, "", "cannot start the publisher's thread");
    }
    *out = p;
    return ERR_OK;
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
    while (!w.is_done)
        pthread_cond_wait(&p->done[w.round & 1], &p->mutex);
    if (w.rc == ERR_OK) {
        p->figures.n_calls++;
        p->figures.wait_us += (uint64_t)(clock_steady_us() - began);
    } else if (err) {
        *err = p->why_not;
        err->code = w.rc;
    }
    pthread_mutex_unlock(&p->mutex);
    return w.rc;
}

bool
publish_is_ready(struct publish *p, struct err *err)
{
    bool is_ready;

    pthread_mutex_lock(&p->mutex);
    is_ready = p->is_ready;
    if (!is_ready && err)
        *err = p->why_not;
    pthread_mutex_unlock(&p->mutex);
    return is_ready;
}

void
publish_figures(struct publish *p, struct publish_figures *out)
{
    pthread_mutex_lock(&p->mutex);
    *out = p->figures;
    out->queue_bytes = p->queue_bytes;
    pthread_mutex_unlock(&p->mutex);
}
