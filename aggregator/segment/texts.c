/* Interned texts: an open hash table over codes that are given in order of arrival. */
#include <stdlib.h>

#include "aggregator/segment/writer_int.h"
#include "core/hash.h"

void
segment__texts_fini(struct segment__texts *t)
{
    free(t->values);
    free(t->hashes);
    free(t->table);
    *t = (struct segment__texts){.n = 0};
}

static void
grow(struct segment__texts *t)
{
    t->n_max = t->n_max == 0 ? 8 : t->n_max * 2;
    t->values = mem_realloc(t->values, t->n_max * sizeof *t->values);
    t->hashes = mem_realloc(t->hashes, t->n_max * sizeof *t->hashes);
    free(t->table);
    t->n_places = t->n_max * 2;
    t->table = mem_zalloc(t->n_places * sizeof *t->table);
    for (uint32_t code = 0; code < t->n; code++) {
        uint32_t place = t->hashes[code] & (t->n_places - 1);

        while (t->table[place] != 0)
            place = (place + 1) & (t->n_places - 1);
        t->table[place] = code + 1;
    }
}

uint32_t
segment__texts_code(struct segment__texts *t, struct arena *a, struct slice value)
{
    uint32_t hash;
    uint32_t place;

    if (t->n > 0 && slice_equal(t->values[t->last], value))
        return t->last;
    hash = (uint32_t)hash64(value, 0);
    if (t->n == t->n_max)
        grow(t);
    place = hash & (t->n_places - 1);
    for (; t->table[place] != 0; place = (place + 1) & (t->n_places - 1)) {
        uint32_t code = t->table[place] - 1;

        if (t->hashes[code] == hash && slice_equal(t->values[code], value))
            return t->last = code;
    }
    t->values[t->n] = arena_copy(a, value);
    t->hashes[t->n] = hash;
    t->table[place] = t->n + 1;
    return t->last = t->n++;
}
