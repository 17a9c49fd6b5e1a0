/* Open addressing; a table is at most half full. */
#include "aggregator/driver_table.h"

#include <stdlib.h>

#include "core/hash.h"

#define FIRST_ROOM 256 /* a power of two */

struct slot {
    uint64_t hash;
    const struct driver *driver; /* NULL: free */
};

struct driver_table {
    struct slot *slots;
    size_t n_slots;
    const struct driver **list; /* by number */
    uint32_t n;
    struct arena arena;
};

struct driver_table *
driver_table_create(void)
{
    struct driver_table *t = mem_zalloc(sizeof *t);

    t->n_slots = FIRST_ROOM;
    t->slots = mem_zalloc(t->n_slots * sizeof *t->slots);
    t->list = mem_alloc(t->n_slots * sizeof *t->list);
    arena_init(&t->arena, 16 << 10);
    return t;
}

void
driver_table_destroy(struct driver_table **t)
{
    if (*t == NULL)
        return;
    arena_fini(&(*t)->arena);
    free((*t)->slots);
    free((*t)->list);
    free(*t);
    *t = NULL;
}

int
driver_compare(const struct driver *a, const struct driver *b)
{
    int order = 0;

    for (int i = 0; i < DRIVER_PARTS && order == 0; i++)
        order = slice_compare(a->parts[i], b->parts[i]);
    return order;
}

static uint64_t
hash_of(const struct driver *d)
{
    uint64_t hash = 0;

    for (int i = 0; i < DRIVER_PARTS; i++)
        hash = hash64(d->parts[i], hash + 1);
    return hash;
}

static struct slot *
slot_of(const struct driver_table *t, uint64_t hash, const struct driver *d)
{
    size_t i = hash & (t->n_slots - 1);

    while (t->slots[i].driver != NULL &&
           (t->slots[i].hash != hash || driver_compare(t->slots[i].driver, d) != 0))
        i = (i + 1) & (t->n_slots - 1);
    return &t->slots[i];
}

static void
grow(struct driver_table *t)
{
    struct slot *old = t->slots;
    size_t n_old = t->n_slots;

    t->n_slots *= 2;
    t->slots = mem_zalloc(t->n_slots * sizeof *t->slots);
    t->list = mem_realloc(t->list, t->n_slots * sizeof *t->list);
    for (size_t i = 0; i < n_old; i++)
        if (old[i].driver != NULL)
            *slot_of(t, old[i].hash, old[i].driver) = old[i];
    free(old);
}

const struct driver *
driver_table_find(struct driver_table *t, const struct driver *texts)
{
    uint64_t hash = hash_of(texts);
    struct slot *slot = slot_of(t, hash, texts);
    struct driver *d;

    if (slot->driver != NULL)
        return slot->driver;
    if (2 * ((size_t)t->n + 1) > t->n_slots) {
        grow(t);
        slot = slot_of(t, hash, texts);
    }
    d = ARENA_NEW(&t->arena, struct driver);
    d->is_empty = true;
    for (int i = 0; i < DRIVER_PARTS; i++) {
        d->parts[i] = arena_copy(&t->arena, texts->parts[i]);
        d->is_empty = d->is_empty && texts->parts[i].n == 0;
    }
    d->number = ++t->n;
    t->list[d->number] = d;
    *slot = (struct slot){hash, d};
    return d;
}

const struct driver *
driver_table_at(const struct driver_table *t, uint32_t number)
{
    return number == 0 ? NULL : t->list[number];
}
