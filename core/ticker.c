#include "core/ticker.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/clock.h"

struct ticker {
    ticker_work work;
    void *context;
    int64_t wait_ms; /* the thread's */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards is_stopping; never held over the work */
    pthread_cond_t stop;
    bool is_stopping;
};

static bool
wait_or_stop(struct ticker *t)
{
    int64_t until_ms = clock_steady_ms() + t->wait_ms, left_ms;
    bool goes_on;

    pthread_mutex_lock(&t->mutex);
    while (!t->is_stopping && (left_ms = until_ms - clock_steady_ms()) > 0)
        clock_cond_wait(&t->stop, &t->mutex, left_ms);
    goes_on = !t->is_stopping;
    pthread_mutex_unlock(&t->mutex);
    return goes_on;
}

static void *
run(void *context)
{
    struct ticker *t = context;

    while (wait_or_stop(t))
        t->wait_ms = t->work(t->context);
    return NULL;
}

static void
destroy(struct ticker *t)
{
    pthread_cond_destroy(&t->stop);
    pthread_mutex_destroy(&t->mutex);
    free(t);
}

enum err_code
ticker_start(ticker_work work, void *context, int64_t first_ms, struct ticker **out,
             struct err *err)
{
    struct ticker *t = mem_zalloc(sizeof *t);

    t->work = work;
    t->context = context;
    t->wait_ms = first_ms;
    pthread_mutex_init(&t->mutex, NULL);
    clock_cond_init(&t->stop);
    if (pthread_create(&t->thread, NULL, run, t) != 0) {
        destroy(t);
        return err_set(err, ERR_IO, "", "the system has no thread left for us");
    }
    *out = t;
    return ERR_OK;
}

void
ticker_stop(struct ticker **t)
{
    if (!*t)
        return;
    pthread_mutex_lock(&(*t)->mutex);
    (*t)->is_stopping = true;
    pthread_cond_signal(&(*t)->stop);
    pthread_mutex_unlock(&(*t)->mutex);
    pthread_join((*t)->thread, NULL);
    destroy(*t);
    *t = NULL;
}
