/* Turns: a list, whose first has the turn. */
#include "web/api/turn.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/clock.h"

struct turns {
    struct turns_config config;
    pthread_mutex_t lock;
    pthread_cond_t moved; /* the list has changed, or somebody in it was stopped */
    struct turn *first;   /* has the turn */
    int n;                /* in the list */
    struct turns_counts counts;
};

struct turns *
turns_create(const struct turns_config *config)
{
    struct turns *t = mem_zalloc(sizeof *t);

    t->config = *config;
    if (t->config.wait_ms == 0)
        t->config.wait_ms = TURN_WAIT_MS;
    pthread_mutex_init(&t->lock, NULL);
    clock_cond_init(&t->moved);
    return t;
}

void
turns_destroy(struct turns **t)
{
    if (*t == NULL)
        return;
    pthread_cond_destroy(&(*t)->moved);
    pthread_mutex_destroy(&(*t)->lock);
    free(*t);
    *t = NULL;
}

/* ---- With the lock held ---- */

/* Is it that, or one that was asked beside it? */
static bool
is_meant(struct slice id, struct slice of)
{
    return id.n >= of.n && memcmp(id.p, of.p, of.n) == 0 &&
           (id.n == of.n || id.p[of.n] == TURN_BESIDE);
}

static bool
stop_older(struct turns *t, struct turn_asker asker, enum query_stop why)
{
    bool is_found = false;

    for (struct turn *other = t->first; other != NULL && asker.id.n != 0; other = other->next) {
        if (!slice_equal(other->asker.owner, asker.owner) || !is_meant(other->asker.id, asker.id))
            continue;
        query_guard_stop(&other->guard, why);
        is_found = true;
    }
    if (is_found)
        pthread_cond_broadcast(&t->moved);
    return is_found;
}

static void
append(struct turns *t, struct turn *turn)
{
    struct turn **end = &t->first;

    while (*end != NULL)
        end = &(*end)->next;
    *end = turn;
    t->n++;
}

static void
remove_turn(struct turns *t, struct turn *turn)
{
    struct turn **at = &t->first;

    while (*at != turn)
        at = &(*at)->next;
    *at = turn->next;
    t->n--;
    switch ((enum query_stop)atomic_load(&turn->guard.stop)) {
    case QUERY_GOES_ON:
        break;
    case QUERY_STOP_TIME:
    case QUERY_STOP_MEMORY:
        t->counts.n_limited++;
        break;
    case QUERY_STOP_NEWER:
    case QUERY_STOP_ASKED:
        t->counts.n_stopped++;
        break;
    }
    pthread_cond_broadcast(&t->moved);
}

/* How many wait and were not stopped: those are about to go. */
static int
count_waiting(const struct turns *t)
{
    int n = 0;

    for (const struct turn *turn = t->first ? t->first->next : NULL; turn; turn = turn->next)
        n += !query_guard_is_stopped(&turn->guard);
    return n;
}

/* Until it is the first, is stopped, or has waited too long. */
static enum err_code
wait_for_turn(struct turns *t, const struct turn *turn, struct err *err)
{
    int64_t until_ms = clock_steady_ms() + t->config.wait_ms;

    while (t->first != turn && !query_guard_is_stopped(&turn->guard)) {
        int64_t left_ms = until_ms - clock_steady_ms();

        if (left_ms <= 0)
            return err_set(err, ERR_UNAVAILABLE, NULL,
                           "other queries have not ended for %d s: try again",
                           t->config.wait_ms / 1000);
        clock_cond_wait(&t->moved, &t->lock, left_ms);
    }
    return query_guard_status(&turn->guard, err);
}

/* ---- The public face ---- */

bool
turns_stop(struct turns *t, struct turn_asker asker)
{
    bool is_found;

    pthread_mutex_lock(&t->lock);
    is_found = stop_older(t, asker, QUERY_STOP_ASKED);
    pthread_mutex_unlock(&t->lock);
    return is_found;
}

enum err_code
turn_take(struct turns *t, struct turn_asker asker, struct turn *out, struct err *err)
{
    enum err_code rc = ERR_OK;

    out->asker = asker;
    out->next = NULL;
    query_guard_init(&out->guard, &t->config.limits);
    pthread_mutex_lock(&t->lock);
    stop_older(t, asker, QUERY_STOP_NEWER);
    if (t->first != NULL && count_waiting(t) >= t->config.waiting_max)
        rc = err_set(err, ERR_UNAVAILABLE, NULL, "%d queries wait already: try again",
                     t->config.waiting_max);
    if (rc == ERR_OK) {
        append(t, out);
        rc = wait_for_turn(t, out, err);
        if (rc != ERR_OK)
            remove_turn(t, out);
    }
    t->counts.n_busy += rc == ERR_UNAVAILABLE;
    pthread_mutex_unlock(&t->lock);
    if (rc == ERR_OK)
        query_guard_begin(&out->guard);
    return rc;
}

void
turn_give(struct turns *t, struct turn *turn)
{
    pthread_mutex_lock(&t->lock);
    remove_turn(t, turn);
    pthread_mutex_unlock(&t->lock);
}

void
turns_count(struct turns *t, struct turns_counts *out)
{
    pthread_mutex_lock(&t->lock);
    *out = t->counts;
    out->n_waiting = (uint64_t)count_waiting(t);
    pthread_mutex_unlock(&t->lock);
}
