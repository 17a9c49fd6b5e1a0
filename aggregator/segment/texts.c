/* Interned texts: an open hash table over codes that are given in order of arrival. */
#include <stdlib.h>

#include "aggregator/segment/writer_int.h"
#include "core/hash.h"

void
segment__texts_fini(struct segment__texts *t)
{
    free(t->values);
    free(t->table);
    *t = (struct segment__texts){.n = 0};
}

/* Where the place of this hash is, or the first free one behind it. */
static void
put(struct segment__texts *t, struct segment__place place)
{
    uint32_t at = place.hash & (t->n_places - 1);

    while (t->table[at].next != 0)
        at = (at + 1) & (t->n_places - 1);
    t->table[at] = place;
}

static void
grow(struct segment__texts *t)
{
    struct segment__place *old = t->table;
    uint32_t n_old = t->n_places;

    t->n_max = t->n_max == 0 ? 8 : t->n_max * 2;
    t->values = mem_realloc(t->values, t->n_max * sizeof *t->values);
    t->n_places = t->n_max * 2;
    t->table = mem_zalloc(t->n_places * sizeof *t->table);
    for (uint32_t i = 0; i < n_old; i++)
        if (old[i].next != 0)
            put(t, old[i]);
    free(old);
}

static inline bool
is_last(const struct segment__texts *t, struct slice value)
{
    return t->n > 0 && slice_equal(t->last_value, value);
}

bool
segment__texts_seek_hashed(const struct segment__texts *t, struct slice value, uint32_t hash,
                           uint32_t *code)
{
    *code = hash;
    if (is_last(t, value)) {
        *code = t->last;
        return true;
    }
    if (t->n > 0)
        __builtin_prefetch(&t->table[hash & (t->n_places - 1)]);
    return false;
}

bool
segment__texts_seek(const struct segment__texts *t, struct slice value, uint32_t *code)
{
    if (is_last(t, value)) {
        *code = t->last;
        return true;
    }
    *code = (uint32_t)hash64(value, 0);
    if (t->n > 0)
        __builtin_prefetch(&t->table[*code & (t->n_places - 1)]);
    return false;
}

uint32_t
segment__texts_find(struct segment__texts *t, struct arena *a, struct slice value, uint32_t hash)
{
    if (t->n == t->n_max)
        grow(t);
    for (uint32_t at = hash & (t->n_places - 1); t->table[at].next != 0;
         at = (at + 1) & (t->n_places - 1)) {
        uint32_t code = t->table[at].next - 1;

        if (t->table[at].hash == hash && slice_equal(t->values[code], value)) {
            t->last_value = t->values[code];
            return t->last = code;
        }
    }
    put(t, (struct segment__place){hash, t->n + 1});
    t->last_value = t->values[t->n] = arena_copy(a, value);
    return t->last = t->n++;
}

uint32_t
segment__texts_code(struct segment__texts *t, struct arena *a, struct slice value)
{
    uint32_t code;

    return segment__texts_seek(t, value, &code) ? code : segment__texts_find(t, a, value, code);
}
