#include "collector/handover.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/hash.h"
#include "core/ticket.h"

#define SLOTS 4096 /* with one ticket each: 96 KB */

struct slot {
    uint64_t ticket;
    uint64_t visitor;
    int64_t used_ms; /* 0: never */
};

struct handovers {
    pthread_mutex_t lock;
    struct slot slots[SLOTS];
};

struct handovers *
handovers_create(void)
{
    struct handovers *h = mem_zalloc(sizeof *h);

    pthread_mutex_init(&h->lock, NULL);
    return h;
}

void
handovers_destroy(struct handovers **h)
{
    if (!*h)
        return;
    pthread_mutex_destroy(&(*h)->lock);
    free(*h);
    *h = NULL;
}

bool
handovers_take(struct handovers *h, struct slice ticket, struct slice visitor, int64_t now_ms)
{
    uint64_t hash = hash64(ticket, 0), who = hash64(visitor, 0);
    struct slot *slot = &h->slots[hash % SLOTS];
    bool is_used;

    pthread_mutex_lock(&h->lock);
    is_used =
        slot->used_ms != 0 && slot->ticket == hash && now_ms - slot->used_ms <= TICKET_VISITOR_MS;
    if (!is_used)
        *slot = (struct slot){hash, who, now_ms};
    is_used = slot->visitor != who;
    pthread_mutex_unlock(&h->lock);
    return !is_used;
}
