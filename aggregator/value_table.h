/* Rows by the values of up to three attributes, with two counts each.
 *
 *     value_table_init(&t)
 *     struct value_row *row = value_table_row(&t, &key);    t.rows[i] stays row i as rows are added
 *     value_table_sort(&t, &order)
 *     value_table_fini(&t)
 *
 * Keys are numbers of attribute_values; their texts decide the order of rows with equal counts.
 */
#ifndef AGGREGATOR_VALUE_TABLE_H
#define AGGREGATOR_VALUE_TABLE_H

#include "aggregator/attribute_values.h"
#include "aggregator/row_index.h"

#define VALUE_KEYS_MAX 3

struct value_key {
    uint32_t values[VALUE_KEYS_MAX]; /* 0 where there are fewer */
};

struct value_row {
    struct value_key key;
    int64_t n[2];
    double score; /* the caller's, as is stamp */
    uint32_t stamp;
    uint32_t number; /* its place before rows were sorted */
};

struct value_table {
    size_t n;
    struct value_row *rows;
    /* for value_table.c */
    size_t max;
    struct row_index index;
};

void value_table_init(struct value_table *t);
void value_table_fini(struct value_table *t);

size_t value_table_bytes(const struct value_table *t); /* that it holds */

/* The key's row, added where there is none. Borrowed until the next call. */
struct value_row *value_table_row(struct value_table *t, const struct value_key *key);

/* Counts and scores of another table's rows to those of the same keys. */
void value_table_add(struct value_table *t, const struct value_table *from);

/* Its number; t->n where there is none. */
size_t value_table_find(const struct value_table *t, const struct value_key *key);

/* Largest first: by n[by] (of by < 0: by score, then by n[0]), then by text, value by value, null
 * last. Afterwards rows are found no more. */
struct value_order {
    int by;
    const struct attribute_values *values[VALUE_KEYS_MAX]; /* of each value of a key */
};
void value_table_sort(struct value_table *t, const struct value_order *order);

#endif
