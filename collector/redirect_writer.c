#include "collector/redirect_writer.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/buffer.h"
#include "core/clock.h"

/* One event; the request that waits and the queue hold it, and whoever is the last frees it. */
struct job {
    struct buffer records;
    struct job *next;
    bool is_done;
    bool is_kept;
    bool is_awaited;
};

struct redirect_writer {
    struct publish *publish;
    struct metrics *metrics;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards all below; none is taken under it */
    pthread_cond_t work;
    pthread_cond_t done;
    struct job *first;
    struct job **end;
    size_t queue_bytes;
    bool is_stopping;
};

static void
job_free(struct job *j)
{
    buffer_fini(&j->records);
    free(j);
}

/* Called and left with the mutex held: all that waits as one call. */
static void
write_round(struct redirect_writer *w)
{
    struct job *jobs = w->first;
    struct buffer all = BUFFER_EMPTY;
    uint64_t n = 0;
    bool is_kept;

    w->first = NULL;
    w->end = &w->first;
    w->queue_bytes = 0;
    pthread_mutex_unlock(&w->mutex);
    for (struct job *j = jobs; j; j = j->next) {
        buffer_add_slice(&all, buffer_slice(&j->records));
        n++;
    }
    is_kept = publish_records(w->publish, buffer_slice(&all), NULL) == ERR_OK;
    metrics_add(is_kept ? &w->metrics->accepted : &w->metrics->failed, n);
    buffer_fini(&all);
    pthread_mutex_lock(&w->mutex);
    while (jobs) {
        struct job *next = jobs->next;
        jobs->is_done = true;
        jobs->is_kept = is_kept;
        if (!jobs->is_awaited)
            job_free(jobs);
        jobs = next;
    }
    pthread_cond_broadcast(&w->done);
}

static void *
writer(void *context)
{
    struct redirect_writer *w = context;

    pthread_mutex_lock(&w->mutex);
    for (;;) {
        while (!w->first && !w->is_stopping)
            pthread_cond_wait(&w->work, &w->mutex);
        if (!w->first)
            break;
        write_round(w);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

static void
destroy(struct redirect_writer *w)
{
    pthread_cond_destroy(&w->done);
    pthread_cond_destroy(&w->work);
    pthread_mutex_destroy(&w->mutex);
    free(w);
}

enum err_code
redirect_writer_start(struct publish *publish, struct metrics *metrics,
                      struct redirect_writer **out, struct err *err)
{
    struct redirect_writer *w = mem_zalloc(sizeof *w);

    w->publish = publish;
    w->metrics = metrics;
    w->end = &w->first;
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->work, NULL);
    clock_cond_init(&w->done);
    if (pthread_create(&w->thread, NULL, writer, w) != 0) {
        destroy(w);
        return err_set(err, ERR_IO, "", "cannot start the thread that writes redirects");
    }
    *out = w;
    return ERR_OK;
}

void
redirect_writer_stop(struct redirect_writer **w)
{
    if (!*w)
        return;
    pthread_mutex_lock(&(*w)->mutex);
    (*w)->is_stopping = true;
    pthread_cond_signal(&(*w)->work);
    pthread_mutex_unlock(&(*w)->mutex);
    pthread_join((*w)->thread, NULL);
    destroy(*w);
    *w = NULL;
}

static void
await(struct redirect_writer *w, struct job *j, int64_t wait_ms)
{
    int64_t until_ms = clock_steady_ms() + wait_ms, left_ms;

    while (!j->is_done && (left_ms = until_ms - clock_steady_ms()) > 0)
        clock_cond_wait(&w->done, &w->mutex, left_ms);
}

bool
redirect_writer_put(struct redirect_writer *w, struct slice records, int64_t wait_ms)
{
    struct job *j;
    bool is_kept, is_done;

    pthread_mutex_lock(&w->mutex);
    if (w->queue_bytes + records.n > REDIRECT_QUEUE_BYTES) {
        pthread_mutex_unlock(&w->mutex);
        metrics_add(&w->metrics->failed, 1);
        return false;
    }
    j = mem_zalloc(sizeof *j);
    buffer_add_slice(&j->records, records);
    j->is_awaited = true;
    *w->end = j;
    w->end = &j->next;
    w->queue_bytes += records.n;
    pthread_cond_signal(&w->work);
    await(w, j, wait_ms);
    is_done = j->is_done;
    is_kept = j->is_kept;
    j->is_awaited = false; /* from here on the writer's, if it is not done */
    if (is_done)
        job_free(j);
    pthread_mutex_unlock(&w->mutex);
    return is_kept;
}
