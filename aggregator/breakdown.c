#include "aggregator/breakdown.h"

#include <assert.h>
#include <stdlib.h>

#define TALLIED_MAX 2048 /* rows with a tally: more than any limit, and 20 MB at most */

static_assert(TALLIED_MAX > REQUEST_LIMIT_MAX, "chosen rows have tallies");

struct breakdown *
breakdown_create(struct tally *like, struct attribute_values *const *values)
{
    struct breakdown *b = mem_zalloc(sizeof *b);

    b->like = like;
    b->values = values;
    row_index_init(&b->index);
    return b;
}

static void
drop_tallies(struct breakdown *b)
{
    for (size_t i = 0; i < b->n_rows; i++)
        tally_destroy(&b->rows[i].tally);
}

void
breakdown_destroy(struct breakdown **b)
{
    if (*b == NULL)
        return;
    drop_tallies(*b);
    tally_destroy(&(*b)->other);
    free((*b)->rows);
    row_index_fini(&(*b)->index);
    free(*b);
    *b = NULL;
}

/* ---- Rows by key ---- */

static uint32_t
hash_key(const void *p)
{
    const struct breakdown_key *key = p;

    return (uint32_t)((((uint64_t)key->values[0] << 32 | key->values[1]) *
                       UINT64_C(0x9e3779b97f4a7c15)) >>
                      32);
}

static const struct row_kind kind = {sizeof(struct breakdown_row), sizeof(struct breakdown_key),
                                     hash_key};

static uint32_t *
slot_of(const struct breakdown *b, const struct breakdown_key *key)
{
    return row_index_find(&b->index, &kind, b->rows, key);
}

static struct breakdown_row *
add_row(struct breakdown *b, uint32_t *slot, const struct breakdown_key *key)
{
    if (b->n_rows == b->rows_max) {
        b->rows_max = 2 * b->rows_max + 16;
        b->rows = mem_realloc(b->rows, b->rows_max * sizeof *b->rows);
    }
    b->rows[b->n_rows] = (struct breakdown_row){.key = *key};
    row_index_add(&b->index, &kind, b->rows, slot, (uint32_t)b->n_rows);
    return &b->rows[b->n_rows++];
}

struct breakdown *
breakdown_create_like(const struct breakdown *b, struct tally *like)
{
    struct breakdown *copy = breakdown_create(like, b->values);

    for (size_t i = 0; i < b->n_rows; i++)
        add_row(copy, slot_of(copy, &b->rows[i].key), &b->rows[i].key)->tally =
            tally_create_like(like);
    copy->is_fixed = true;
    return copy;
}

static struct tally *
other_of(struct breakdown *b)
{
    if (b->other == NULL)
        b->other = tally_create_like(b->like);
    return b->other;
}

/* Too many rows: paths are only counted from here on. */
static void
count_only(struct breakdown *b)
{
    b->is_counted_only = true;
    drop_tallies(b);
}

/* NULL: of those that are given, none is it. */
static struct breakdown_row *
row_of(struct breakdown *b, const struct breakdown_key *key)
{
    uint32_t *slot = slot_of(b, key);
    struct breakdown_row *row;

    if (*slot != 0)
        return &b->rows[*slot - 1];
    if (b->is_fixed)
        return NULL;
    row = add_row(b, slot, key);
    if (b->n_rows > TALLIED_MAX && !b->is_counted_only)
        count_only(b);
    return row;
}

struct tally *
breakdown_add_many(struct breakdown *b, const struct breakdown_key *key, int64_t n)
{
    struct breakdown_row *row = row_of(b, key);

    if (row == NULL)
        return other_of(b);
    row->entered += n;
    if (row->tally == NULL && !b->is_counted_only)
        row->tally = tally_create_like(b->like);
    return row->tally;
}

struct tally *
breakdown_add(struct breakdown *b, const struct breakdown_key *key)
{
    return breakdown_add_many(b, key, 1);
}

void
breakdown_merge(struct breakdown *b, const struct breakdown *from)
{
    if (from->is_counted_only && !b->is_counted_only)
        count_only(b);
    for (size_t i = 0; i < from->n_rows; i++) {
        const struct breakdown_row *row = &from->rows[i];
        struct tally *into = breakdown_add_many(b, &row->key, row->entered);

        if (into != NULL && row->tally != NULL)
            tally_merge(into, row->tally);
    }
    if (from->other != NULL)
        tally_merge(other_of(b), from->other);
}

/* ---- Choosing ---- */

/* By entered descending, then by text, null last. */
static int
compare_rows(const void *x, const void *y, void *context)
{
    const struct breakdown_row *a = x;
    const struct breakdown_row *b = y;
    const struct breakdown *of = context;
    int order = 0;

    if (a->entered != b->entered)
        return a->entered > b->entered ? -1 : 1;
    for (int i = 0; i < REQUEST_BREAKDOWNS_MAX && order == 0; i++)
        if (a->key.values[i] != b->key.values[i])
            order = attribute_values_compare(of->values[i], a->key.values[i], b->key.values[i]);
    return order;
}

void
breakdown_finish(struct breakdown *b, size_t limit)
{
    size_t n_chosen = b->n_rows < limit ? b->n_rows : limit;

    if (b->is_fixed)
        return;
    if (b->n_rows > 1)
        qsort_r(b->rows, b->n_rows, sizeof *b->rows, compare_rows, b);
    for (size_t i = n_chosen; i < b->n_rows && !b->is_counted_only; i++) {
        tally_merge(other_of(b), b->rows[i].tally);
        tally_destroy(&b->rows[i].tally);
    }
    b->n_rows = n_chosen;
}

size_t
breakdown_held_bytes(const struct breakdown *b)
{
    size_t bytes = b->rows_max * sizeof *b->rows + row_index_bytes(&b->index);

    /* where there are many, no row has one */
    for (size_t i = 0; !b->is_counted_only && i < b->n_rows; i++)
        bytes += b->rows[i].tally ? tally_held_bytes(b->rows[i].tally) : 0;
    return bytes + (b->other ? tally_held_bytes(b->other) : 0);
}
