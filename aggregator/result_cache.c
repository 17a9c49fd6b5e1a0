/* See result_cache.h. Keys are known by 128 bits of hash; a few hundred entries are looked through.
 */
#include "aggregator/result_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/hash.h"

#define SHARE 8 /* of all room that one value may take */

struct entry {
    struct hash128 key;
    uint64_t used; /* when, by the count of uses */
    size_t n_bytes;
    char *value; /* owned */
};

struct result_cache {
    pthread_mutex_t lock;
    struct entry *entries;
    size_t n;
    size_t entries_max;
    size_t n_bytes;
    size_t bytes_max;
    uint64_t n_uses;
};

struct result_cache *
result_cache_create(size_t entries_max, size_t bytes_max)
{
    struct result_cache *c = mem_zalloc(sizeof *c);

    c->entries = mem_zalloc((entries_max + 1) * sizeof *c->entries);
    c->entries_max = entries_max;
    c->bytes_max = bytes_max;
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void
result_cache_destroy(struct result_cache **c)
{
    if (*c == NULL)
        return;
    for (size_t i = 0; i < (*c)->n; i++)
        free((*c)->entries[i].value);
    free((*c)->entries);
    pthread_mutex_destroy(&(*c)->lock);
    free(*c);
    *c = NULL;
}

static struct entry *
find(struct result_cache *c, struct hash128 key)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->entries[i].key.low == key.low && c->entries[i].key.high == key.high)
            return &c->entries[i];
    return NULL;
}

static void
drop(struct result_cache *c, struct entry *e)
{
    c->n_bytes -= e->n_bytes;
    free(e->value);
    *e = c->entries[--c->n];
}

static struct entry *
least_used(struct result_cache *c)
{
    struct entry *least = c->entries;

    for (size_t i = 1; i < c->n; i++)
        if (c->entries[i].used < least->used)
            least = &c->entries[i];
    return least;
}

bool
result_cache_get(struct result_cache *c, struct slice key, struct buffer *out)
{
    struct hash128 hash = hash128(key);
    struct entry *e;
    bool is_found;

    pthread_mutex_lock(&c->lock);
    e = find(c, hash);
    is_found = e != NULL;
    if (is_found) {
        e->used = ++c->n_uses;
        buffer_add(out, e->value, e->n_bytes);
    }
    pthread_mutex_unlock(&c->lock);
    return is_found;
}

void
result_cache_put(struct result_cache *c, struct slice key, struct slice value)
{
    struct entry new = {.key = hash128(key), .n_bytes = value.n};
    struct entry *old;

    if (value.n > c->bytes_max / SHARE || c->entries_max == 0)
        return;
    new.value = mem_alloc(value.n);
    if (value.n > 0)
        memcpy(new.value, value.p, value.n);
    pthread_mutex_lock(&c->lock);
    old = find(c, new.key);
    if (old != NULL)
        drop(c, old);
    while (c->n > 0 && (c->n == c->entries_max || c->n_bytes + value.n > c->bytes_max))
        drop(c, least_used(c));
    new.used = ++c->n_uses;
    c->n_bytes += value.n;
    c->entries[c->n++] = new;
    pthread_mutex_unlock(&c->lock);
}
