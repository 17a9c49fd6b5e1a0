#include "web/api/limiter.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/hash.h"

#define N_SETS 1024
#define N_WAYS 4

struct slot {
    uint64_t key; /* its hash; a slot whose time is over is free */
    int64_t ends_ms;
    int n_tries;
};

struct limiter {
    int max;
    int64_t period_ms;
    uint64_t seed;
    pthread_mutex_t lock;
    struct slot slots[N_SETS][N_WAYS];
};

struct limiter *
limiter_create(int max, int64_t period_ms)
{
    struct limiter *l = mem_zalloc(sizeof *l);

    l->max = max;
    l->period_ms = period_ms;
    randombytes_buf(&l->seed, sizeof l->seed);
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

void
limiter_destroy(struct limiter **l)
{
    if (*l == NULL)
        return;
    pthread_mutex_destroy(&(*l)->lock);
    free(*l);
    *l = NULL;
}

/* The key's live slot; without one NULL, and *vacant is the slot that makes room. */
static struct slot *
find_slot(struct limiter *l, uint64_t hash, int64_t now_ms, struct slot **vacant)
{
    struct slot *set = l->slots[hash % N_SETS];

    *vacant = &set[0];
    for (int i = 0; i < N_WAYS; i++) {
        if (set[i].key == hash && set[i].ends_ms > now_ms)
            return &set[i];
        if (set[i].ends_ms < (*vacant)->ends_ms)
            *vacant = &set[i];
    }
    return NULL;
}

int64_t
limiter_take(struct limiter *l, struct slice key, int64_t now_ms)
{
    uint64_t hash = hash64(key, l->seed);
    int64_t wait_ms = 0;
    struct slot *slot, *vacant;

    pthread_mutex_lock(&l->lock);
    slot = find_slot(l, hash, now_ms, &vacant);
    if (slot == NULL) {
        *vacant = (struct slot){.key = hash, .ends_ms = now_ms + l->period_ms, .n_tries = 1};
    } else if (slot->n_tries < l->max) {
        slot->n_tries++;
    } else {
        wait_ms = slot->ends_ms - now_ms;
    }
    pthread_mutex_unlock(&l->lock);
    return wait_ms;
}

void
limiter_refund(struct limiter *l, struct slice key, int64_t now_ms)
{
    struct slot *slot, *vacant;

    pthread_mutex_lock(&l->lock);
    slot = find_slot(l, hash64(key, l->seed), now_ms, &vacant);
    if (slot != NULL && slot->n_tries > 0)
        slot->n_tries--;
    pthread_mutex_unlock(&l->lock);
}
