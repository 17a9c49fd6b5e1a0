/* 2,048 sets of 8 agents, found by the hash's low bits. Sets share 64 locks, each held for the time
 * of comparing eight hashes and copying a hundred bytes; no other lock is taken under one. Within a
 * set the order of use is a count of the set's own. */
#include "collector/agent_cache.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/arena.h"

#define WAYS  8
#define SETS  (AGENT_CACHE_AGENTS / WAYS)
#define LOCKS 64

struct set {
    struct hash128 agent[WAYS];
    uint32_t used[WAYS]; /* 0: free */
    uint32_t n_uses;
    struct agent_answer answer[WAYS];
};

struct agent_cache {
    pthread_mutex_t lock[LOCKS];
    struct set set[SETS];
};

struct agent_cache *
agent_cache_create(void)
{
    struct agent_cache *c = mem_zalloc(sizeof *c);

    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&c->lock[i], NULL);
    return c;
}

void
agent_cache_destroy(struct agent_cache **cache)
{
    if (!*cache)
        return;
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&(*cache)->lock[i]);
    free(*cache);
    *cache = NULL;
}

static struct set *
lock_set(struct agent_cache *c, struct hash128 agent)
{
    pthread_mutex_lock(&c->lock[agent.low % LOCKS]);
    return &c->set[agent.low % SETS];
}

static void
unlock_set(struct agent_cache *c, struct hash128 agent)
{
    pthread_mutex_unlock(&c->lock[agent.low % LOCKS]);
}

/* Where the agent is, -1 where it is not. */
static int
find_way(const struct set *set, struct hash128 agent)
{
    for (int i = 0; i < WAYS; i++)
        if (set->agent[i].low == agent.low && set->agent[i].high == agent.high && set->used[i])
            return i;
    return -1;
}

static void
note_use(struct set *set, int way)
{
    if (++set->n_uses == 0) { /* after four thousand million: begin anew */
        memset(set->used, 0, sizeof set->used);
        set->n_uses = 1;
    }
    set->used[way] = set->n_uses;
}

bool
agent_cache_find(struct agent_cache *cache, struct hash128 agent, struct agent_answer *out)
{
    struct set *set = lock_set(cache, agent);
    int way = find_way(set, agent);

    if (way >= 0) {
        *out = set->answer[way];
        note_use(set, way);
    }
    unlock_set(cache, agent);
    return way >= 0;
}

void
agent_cache_add(struct agent_cache *cache, struct hash128 agent, const struct agent_answer *answer)
{
    struct set *set = lock_set(cache, agent);
    int way = find_way(set, agent); /* another thread may have been first */

    if (way < 0) {
        way = 0;
        for (int i = 1; i < WAYS; i++)
            if (set->used[i] < set->used[way])
                way = i;
    }
    set->agent[way] = agent;
    set->answer[way] = *answer;
    note_use(set, way);
    unlock_set(cache, agent);
}
