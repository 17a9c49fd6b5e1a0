/* A ring of blocks under one lock: given by the caller, taken and done by the workers, collected by
 * the caller, each in the order of the file. No other lock is taken under it. */
#include "cmd/import_work.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define ROW_ARENA   (64 * 1024)
#define ROWS_MAX    2000000
#define BYTES_MAX   (192u << 20) /* of the events of all workers before they are written */
#define THREADS_MAX 16

struct worker {
    struct import_work *work;
    pthread_t thread;
    bool is_running;
    struct segment_builder *builder;
    struct arena row; /* of one row */
    enum err_code rc; /* of the last write */
    struct err err;
    struct slice fields[SOURCE_FIELDS_MAX];
};

struct import_work {
    struct import_work_config config;
    pthread_mutex_t lock;
    pthread_cond_t given_or_ending;
    pthread_cond_t done;
    struct import_block *ring;
    uint64_t ring_size;
    uint64_t n_given; /* each of these three never overtakes the one before */
    uint64_t n_taken;
    uint64_t n_collected;
    bool is_ending;         /* no more blocks will be given */
    atomic_bool is_stopped; /* what is left is not wanted */
    int n_workers;
    struct worker *workers;
};

/* ---- a worker ---- */

static enum err_code
flush(struct worker *k, struct err *err)
{
    if (segment_builder_rows(k->builder) == 0)
        return ERR_OK;
    return writer_add(k->work->config.writer, k->builder, err);
}

static void
refuse(struct import_block *b, int64_t line, const char *field, const char *why)
{
    b->n_rejected++;
    buffer_printf(&b->refusals, "line %lld: %s%s%s\n", (long long)line, field, field[0] ? ": " : "",
                  why);
}

static void
read_row(struct worker *k, struct import_block *b, const struct source_record *record)
{
    struct err why = ERR_NONE;
    struct given g;
    enum err_code rc;

    if (record->why != NULL) {
        refuse(b, record->line, "", record->why);
        return;
    }
    arena_reset(&k->row);
    rc = import_row_read(k->work->config.shape, source_text(&b->text, record), k->fields, &k->row,
                         &g, &why);
    if (rc == ERR_OK)
        rc = segment_builder_add(k->builder, &g.event, &why);
    if (rc == ERR_OK)
        b->n_stored++;
    else
        refuse(b, record->line, why.field, why.message);
}

static void
read_block(struct worker *k, struct import_block *b)
{
    size_t bytes_max = BYTES_MAX / (size_t)k->work->n_workers;

    for (size_t i = 0; b->rc == ERR_OK && i < b->text.n_records; i++) {
        read_row(k, b, &b->text.records[i]);
        if (segment_builder_rows(k->builder) >= ROWS_MAX ||
            segment_builder_bytes(k->builder) >= bytes_max)
            b->rc = flush(k, &b->err);
    }
}

/* The next block; NULL where there will be none. */
static struct import_block *
take_block(struct import_work *w)
{
    struct import_block *b = NULL;

    pthread_mutex_lock(&w->lock);
    while (w->n_taken == w->n_given && !w->is_ending)
        pthread_cond_wait(&w->given_or_ending, &w->lock);
    if (w->n_taken < w->n_given && !atomic_load(&w->is_stopped))
        b = &w->ring[w->n_taken++ % w->ring_size];
    pthread_mutex_unlock(&w->lock);
    return b;
}

static void *
run_worker(void *context)
{
    struct worker *k = context;
    struct import_work *w = k->work;
    struct import_block *b;

    while ((b = take_block(w)) != NULL) {
        read_block(k, b);
        pthread_mutex_lock(&w->lock);
        b->is_done = true;
        pthread_cond_signal(&w->done);
        pthread_mutex_unlock(&w->lock);
    }
    if (!atomic_load(&w->is_stopped))
        k->rc = flush(k, &k->err);
    return NULL;
}

/* ---- all of them ---- */

/* Signals are the caller's: one that interrupts his reading must not be lost to a worker. */
static void
start_threads(struct import_work *w)
{
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int i = 0; i < w->n_workers; i++) {
        struct worker *k = &w->workers[i];

        k->work = w;
        k->builder = segment_builder_create(&w->config.owner);
        arena_init(&k->row, ROW_ARENA);
        k->is_running = pthread_create(&k->thread, NULL, run_worker, k) == 0;
        assert(i > 0 || k->is_running); /* one is enough */
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct import_work *
import_work_start(const struct import_work_config *config)
{
    struct import_work *w = mem_zalloc(sizeof *w);

    w->config = *config;
    w->n_workers = config->n_threads < THREADS_MAX ? config->n_threads : THREADS_MAX;
    w->ring_size = 2 * (uint64_t)w->n_workers + 2;
    w->ring = mem_zalloc(w->ring_size * sizeof *w->ring);
    w->workers = mem_zalloc((size_t)w->n_workers * sizeof *w->workers);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->given_or_ending, NULL);
    pthread_cond_init(&w->done, NULL);
    start_threads(w);
    return w;
}

bool
import_work_has_room(const struct import_work *w)
{
    return w->n_given - w->n_collected < w->ring_size; /* the caller's own two counts */
}

struct import_block *
import_work_room(struct import_work *w)
{
    struct import_block *b = &w->ring[w->n_given % w->ring_size];

    b->n_stored = 0;
    b->n_rejected = 0;
    b->rc = ERR_OK;
    b->is_done = false;
    buffer_clear(&b->refusals);
    return b;
}

void
import_work_give(struct import_work *w)
{
    pthread_mutex_lock(&w->lock);
    w->n_given++;
    pthread_cond_signal(&w->given_or_ending);
    pthread_mutex_unlock(&w->lock);
}

struct import_block *
import_work_collect(struct import_work *w)
{
    struct import_block *b = &w->ring[w->n_collected % w->ring_size];

    if (w->n_collected == w->n_given)
        return NULL;
    pthread_mutex_lock(&w->lock);
    while (!b->is_done)
        pthread_cond_wait(&w->done, &w->lock);
    pthread_mutex_unlock(&w->lock);
    w->n_collected++;
    return b;
}

static void
end_workers(struct import_work *w)
{
    pthread_mutex_lock(&w->lock);
    w->is_ending = true;
    pthread_cond_broadcast(&w->given_or_ending);
    pthread_mutex_unlock(&w->lock);
    for (int i = 0; i < w->n_workers; i++)
        if (w->workers[i].is_running)
            pthread_join(w->workers[i].thread, NULL);
    for (int i = 0; i < w->n_workers; i++)
        w->workers[i].is_running = false;
}

enum err_code
import_work_finish(struct import_work *w, struct err *err)
{
    enum err_code rc = ERR_OK;

    end_workers(w);
    for (int i = 0; rc == ERR_OK && i < w->n_workers; i++) {
        rc = w->workers[i].rc;
        if (rc != ERR_OK)
            *err = w->workers[i].err;
    }
    return rc;
}

void
import_work_stop(struct import_work **work)
{
    struct import_work *w = *work;

    if (w == NULL)
        return;
    atomic_store(&w->is_stopped, true);
    end_workers(w);
    for (int i = 0; i < w->n_workers; i++) {
        segment_builder_destroy(&w->workers[i].builder);
        arena_fini(&w->workers[i].row);
    }
    for (uint64_t i = 0; i < w->ring_size; i++) {
        source_block_fini(&w->ring[i].text);
        buffer_fini(&w->ring[i].refusals);
    }
    pthread_cond_destroy(&w->done);
    pthread_cond_destroy(&w->given_or_ending);
    pthread_mutex_destroy(&w->lock);
    free(w->workers);
    free(w->ring);
    free(w);
    *work = NULL;
}
