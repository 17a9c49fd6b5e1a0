/* Open addressing, at most half full. */
#include "aggregator/pair_set.h"

#include <assert.h>
#include <stdlib.h>

#include "core/arena.h"

#define FIRST_ROOM 1024 /* a power of two */

static uint64_t *
slot_of(const struct pair_set *s, uint64_t pair)
{
    size_t i = (size_t)(pair * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (s->n_slots - 1);

    while (s->slots[i] != 0 && s->slots[i] != pair)
        i = (i + 1) & (s->n_slots - 1);
    return &s->slots[i];
}

static void
grow(struct pair_set *s)
{
    struct pair_set more = {.n = s->n, .n_slots = s->n_slots == 0 ? FIRST_ROOM : 2 * s->n_slots};

    more.slots = mem_zalloc(more.n_slots * sizeof *more.slots);
    for (size_t i = 0; i < s->n_slots; i++)
        if (s->slots[i] != 0)
            *slot_of(&more, s->slots[i]) = s->slots[i];
    free(s->slots);
    *s = more;
}

bool
pair_set_add(struct pair_set *s, uint32_t a, uint32_t b)
{
    uint64_t pair = (uint64_t)a << 32 | b;
    uint64_t *slot;

    assert(b != 0);
    if (2 * s->n >= s->n_slots)
        grow(s);
    slot = slot_of(s, pair);
    if (*slot != 0)
        return false;
    *slot = pair;
    s->n++;
    return true;
}

void
pair_set_fini(struct pair_set *s)
{
    free(s->slots);
    *s = (struct pair_set){NULL, 0, 0};
}

size_t
pair_set_bytes(const struct pair_set *s)
{
    return s->n_slots * sizeof *s->slots;
}
