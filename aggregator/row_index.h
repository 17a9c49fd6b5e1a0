/* Where the row of a key is, in an array of rows that grows: open addressing, at most half full.
 * Rows begin with their key, without padding in it. Inline, so that lengths and the hash are the
 * caller's constants:
 *
 *     static const struct row_kind kind = {sizeof(struct row), sizeof(struct key), hash_key};
 *
 *     row_index_init(&x)
 *     uint32_t *slot = row_index_find(&x, &kind, rows, &key);   *slot - 1 is the row's place
 *     if (*slot == 0)
 *         rows[n] = the new row, at the end
 *         row_index_add(&x, &kind, rows, slot, n)
 *     row_index_fini(&x)
 */
#ifndef AGGREGATOR_ROW_INDEX_H
#define AGGREGATOR_ROW_INDEX_H

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

#define ROW_INDEX_FIRST 256 /* slots; a power of two */

struct row_kind {
    size_t row_bytes;
    size_t key_bytes;
    uint32_t (*hash)(const void *key);
};

struct row_index {
    uint32_t *slots; /* place of a row + 1; 0: free */
    uint32_t n_slots;
};

static inline void
row_index_init(struct row_index *x)
{
    x->n_slots = ROW_INDEX_FIRST;
    x->slots = mem_zalloc(x->n_slots * sizeof *x->slots);
}

static inline void
row_index_fini(struct row_index *x)
{
    free(x->slots);
    *x = (struct row_index){NULL, 0};
}

static inline size_t
row_index_bytes(const struct row_index *x)
{
    return x->n_slots * sizeof *x->slots;
}

/* The key's slot, borrowed until a row is added; where it is 0 there is no such row. */
static inline uint32_t *
row_index_find(const struct row_index *x, const struct row_kind *kind, const void *rows,
               const void *key)
{
    uint32_t i = kind->hash(key) & (x->n_slots - 1);

    while (x->slots[i] != 0 && memcmp((const char *)rows + (x->slots[i] - 1) * kind->row_bytes, key,
                                      kind->key_bytes) != 0)
        i = (i + 1) & (x->n_slots - 1);
    return &x->slots[i];
}

/* The row at `place` is new and the last one; its key was not found at `slot`. */
static inline void
row_index_add(struct row_index *x, const struct row_kind *kind, const void *rows, uint32_t *slot,
              uint32_t place)
{
    *slot = place + 1;
    if (2 * (place + 1) <= x->n_slots)
        return;
    free(x->slots);
    x->n_slots *= 2;
    x->slots = mem_zalloc(x->n_slots * sizeof *x->slots);
    for (uint32_t i = 0; i <= place; i++)
        *row_index_find(x, kind, rows, (const char *)rows + i * kind->row_bytes) = i + 1;
}

#endif
