#include "collector/limit_rate.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "core/address.h"
#include "core/arena.h"
#include "core/hash.h"

#define WAYS      4
#define LOCKS     64
#define SECOND_US INT64_C(1000000)

struct slot {
    uint64_t sender; /* its hash */
    int64_t full_us; /* when its bucket is full; in the past: it is */
};

struct limit_rate {
    uint64_t key;
    uint32_t n_sets;
    pthread_mutex_t locks[LOCKS]; /* of the sets with this number modulo LOCKS; none is nested */
    struct slot slots[];
};

struct limit_rate *
limit_rate_create(uint32_t n_slots)
{
    struct limit_rate *l = mem_zalloc(sizeof *l + n_slots * sizeof(struct slot));

    assert(n_slots >= 64 && (n_slots & (n_slots - 1)) == 0);
    l->n_sets = n_slots / WAYS;
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&l->locks[i], NULL);
    if (getrandom(&l->key, sizeof l->key, 0) != (ssize_t)sizeof l->key)
        abort(); /* 8 bytes never come short once the system is up */
    return l;
}

void
limit_rate_destroy(struct limit_rate **l)
{
    if (!*l)
        return;
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&(*l)->locks[i]);
    free(*l);
    *l = NULL;
}

/* The sender's slot, or the one to take over: of the bucket that is full the longest. */
static struct slot *
find_slot(struct slot set[WAYS], uint64_t sender)
{
    struct slot *fullest = &set[0];

    for (int i = 0; i < WAYS; i++) {
        if (set[i].sender == sender)
            return &set[i];
        if (set[i].full_us < fullest->full_us)
            fullest = &set[i];
    }
    *fullest = (struct slot){.sender = sender};
    return fullest;
}

bool
limit_rate_take(struct limit_rate *l, struct slice sender, struct limit_speed speed, int64_t n,
                int64_t now_us, int64_t *wait_s)
{
    uint64_t hash = hash64(sender, l->key);
    uint32_t set = (uint32_t)(hash >> 32) & (l->n_sets - 1);
    pthread_mutex_t *lock = &l->locks[set % LOCKS];
    int64_t burst, depth_us, full_us;
    struct slot *slot;

    if (speed.per_s <= 0)
        return true;
    burst = speed.burst < speed.per_s ? speed.per_s : speed.burst;
    depth_us = burst * SECOND_US / speed.per_s;
    pthread_mutex_lock(lock);
    slot = find_slot(&l->slots[(size_t)set * WAYS], hash);
    full_us = slot->full_us > now_us ? slot->full_us : now_us;
    full_us += (n < burst ? n : burst) * SECOND_US / speed.per_s;
    if (full_us - now_us <= depth_us)
        slot->full_us = full_us;
    pthread_mutex_unlock(lock);
    if (full_us - now_us <= depth_us)
        return true;
    *wait_s = (full_us - now_us - depth_us + SECOND_US - 1) / SECOND_US;
    return false;
}

struct slice
limit_rate_sender(struct slice address, unsigned char out[16])
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const unsigned char loopback[16] = {[15] = 1};

    if (!address_parse(address, out) || memcmp(out, loopback, sizeof loopback) == 0)
        return SLICE_EMPTY;
    if (memcmp(out, mapped, sizeof mapped) != 0)
        return slice_of((const char *)out, 8);
    return out[12] == 127 ? SLICE_EMPTY : slice_of((const char *)out, 16);
}
