#include "aggregator/value_table.h"

#include <stdlib.h>

#include "core/hash.h"

static uint32_t
hash_key(const void *key)
{
    return (uint32_t)(hash64(slice_of(key, sizeof(struct value_key)), 0) >> 32);
}

static const struct row_kind kind = {sizeof(struct value_row), sizeof(struct value_key), hash_key};

void
value_table_init(struct value_table *t)
{
    *t = (struct value_table){.n = 0};
    row_index_init(&t->index);
}

void
value_table_fini(struct value_table *t)
{
    free(t->rows);
    row_index_fini(&t->index);
    *t = (struct value_table){.n = 0};
}

size_t
value_table_bytes(const struct value_table *t)
{
    return t->max * sizeof *t->rows + row_index_bytes(&t->index);
}

struct value_row *
value_table_row(struct value_table *t, const struct value_key *key)
{
    uint32_t *slot = row_index_find(&t->index, &kind, t->rows, key);

    if (*slot != 0)
        return &t->rows[*slot - 1];
    if (t->n == t->max) {
        t->max = 2 * t->max + 16;
        t->rows = mem_realloc(t->rows, t->max * sizeof *t->rows);
    }
    t->rows[t->n] = (struct value_row){.key = *key, .number = (uint32_t)t->n};
    row_index_add(&t->index, &kind, t->rows, slot, (uint32_t)t->n);
    return &t->rows[t->n++];
}

void
value_table_add(struct value_table *t, const struct value_table *from)
{
    for (size_t i = 0; i < from->n; i++) {
        struct value_row *row = value_table_row(t, &from->rows[i].key);

        row->n[0] += from->rows[i].n[0];
        row->n[1] += from->rows[i].n[1];
        row->score += from->rows[i].score;
    }
}

size_t
value_table_find(const struct value_table *t, const struct value_key *key)
{
    uint32_t slot = *row_index_find(&t->index, &kind, t->rows, key);

    return slot == 0 ? t->n : slot - 1;
}

/* ---- Order ---- */

static int
compare_counts(const struct value_row *a, const struct value_row *b, int by)
{
    int at = by < 0 ? 0 : by;

    if (by < 0 && a->score != b->score)
        return a->score > b->score ? -1 : 1;
    if (a->n[at] != b->n[at])
        return a->n[at] > b->n[at] ? -1 : 1;
    return 0;
}

static int
compare_rows(const void *x, const void *y, void *context)
{
    const struct value_row *a = x;
    const struct value_row *b = y;
    const struct value_order *order = context;
    int sign = compare_counts(a, b, order->by);

    for (int i = 0; i < VALUE_KEYS_MAX && sign == 0; i++)
        if (a->key.values[i] != b->key.values[i])
            sign = attribute_values_compare(order->values[i], a->key.values[i], b->key.values[i]);
    return sign;
}

void
value_table_sort(struct value_table *t, const struct value_order *order)
{
    struct value_order copy = *order;

    if (t->n > 1)
        qsort_r(t->rows, t->n, sizeof *t->rows, compare_rows, &copy);
}
