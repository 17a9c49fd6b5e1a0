/* Sums by number, and rows by value. See query_count_int.h. */
#include "aggregator/query_count_int.h"

#include <stdlib.h>

#define ROW_OF_FIRST 1024 /* numbers of values */

/* ---- Cells ---- */

static void
add_cells(struct counting *c, size_t n)
{
    if (c->n_cells + n > c->cells_max) {
        c->cells_max = 2 * c->cells_max + n;
        c->cells = mem_realloc(c->cells, c->cells_max * sizeof *c->cells);
    }
    memset(c->cells + c->n_cells, 0, n * sizeof *c->cells);
    c->n_cells += n;
}

static void
add_sale(struct counting *c, size_t cell, const struct count_sale *sale)
{
    struct count_sums *s = &c->cells[cell];

    s->orders += sale->order != 0 && pair_set_add(&c->met, (uint32_t)cell, sale->order);
    count_sums_add_value(s, &sale->value, &c->arena);
}

void
count_add_to_cell(struct counting *c, size_t cell, const struct counted *e)
{
    struct count_sums *s = &c->cells[cell];

    s->visitors += s->person != c->person;
    s->sessions += (s->session != e->first_session) + (e->last_session - e->first_session);
    s->person = c->person;
    s->session = e->last_session;
    s->events += e->n;
    s->engaged_ms += e->engaged_ms;
    for (uint32_t i = 0; i < e->n_sales; i++)
        add_sale(c, cell, &e->sales[i]);
}

size_t
count_point_of(const struct counting *c, int64_t time_ms)
{
    size_t low = 0;
    size_t high = c->n_points;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (c->points[middle].to_ms <= time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->n_points && c->points[low].from_ms <= time_ms ? low : c->n_points;
}

/* ---- Rows ---- */

/* The place where the row of one attribute's value is remembered. */
static uint32_t *
remembered(struct counting *c, uint32_t value)
{
    if (value >= c->row_of_max) {
        uint32_t max = c->row_of_max == 0 ? ROW_OF_FIRST : c->row_of_max;

        while (max <= value)
            max *= 2;
        c->row_of = mem_realloc(c->row_of, max * sizeof *c->row_of);
        memset(c->row_of + c->row_of_max, 0, (max - c->row_of_max) * sizeof *c->row_of);
        c->row_of_max = max;
    }
    return &c->row_of[value];
}

/* Its number; c->table.n where rows are given and it is none of them. */
static size_t
find_row(struct counting *c, const struct value_key *key)
{
    uint32_t *row = NULL;
    size_t at;

    if (c->request->n_breakdowns == 1) {
        row = remembered(c, key->values[0]);
        if (*row != 0)
            return *row - 1;
    }
    at = c->is_fixed ? value_table_find(&c->table, key)
                     : (size_t)(value_table_row(&c->table, key) - c->table.rows);
    if (row)
        *row = (uint32_t)at + 1;
    return at;
}

/* A row that has no cell yet is the last one. */
static void
add_to_row_cell(struct counting *c, size_t row, const struct counted *e)
{
    if (count_row_cell(c, row) == c->n_cells)
        add_cells(c, 1);
    count_add_to_cell(c, count_row_cell(c, row), e);
}

void
count_add_to_row(struct counting *c, const struct value_key *key, const struct counted *e)
{
    size_t at = find_row(c, key);
    struct value_row *row;

    if (c->is_fixed) {
        count_add_to_cell(c, at == c->table.n ? COUNT_OTHER : count_row_cell(c, at), e);
        return;
    }
    row = &c->table.rows[at];
    row->n[0] += row->stamp != c->person;
    row->n[1] += e->n;
    row->stamp = c->person;
    if (c->table.n > (size_t)c->request->limit)
        c->is_counted_only = true;
    if (!c->is_counted_only && !c->is_listing)
        add_to_row_cell(c, at, e);
}

/* ---- Life ---- */

void
count_cells_fini(struct counting *c)
{
    value_table_fini(&c->table);
    free(c->cells);
    free(c->row_of);
    pair_set_fini(&c->met);
    c->cells = NULL;
    c->row_of = NULL;
    c->n_cells = c->cells_max = 0;
    c->row_of_max = 0;
}

void
count_cells_init(struct counting *c)
{
    count_cells_fini(c);
    arena_reset(&c->arena);
    value_table_init(&c->table);
    c->is_counted_only = false;
    c->person = 0;
    c->first_session = 1;
    c->n_lying = 0;
    add_cells(c, count_row_cell(c, c->n_fixed));
    for (size_t i = 0; i < c->n_fixed; i++) {
        struct value_key key = {{0}};

        for (size_t b = 0; b < c->request->n_breakdowns; b++)
            key.values[b] = attribute_values_find(c->e->values[b], c->fixed[i].values[b]);
        value_table_row(&c->table, &key);
    }
}

/* What grows with the values and the orders. */
size_t
count_held_bytes(void *counting)
{
    const struct counting *c = counting;

    return c->arena.used_bytes + c->cells_max * sizeof *c->cells + pair_set_bytes(&c->met) +
           value_table_bytes(&c->table) + c->row_of_max * sizeof *c->row_of +
           (c->lying ? count_lying_bytes(c->lying) : 0) +
           (c->is_member ? 0 : attribute_values_held_bytes(c->orders));
}

/* ---- Adding up ---- */

/* Where the other thread's cell goes. Rows are there already. */
static size_t
cell_of(const struct counting *c, const struct counting *from, size_t cell)
{
    size_t row;

    if (cell < count_row_cell(c, 0))
        return cell;
    row = cell - count_row_cell(c, 0);
    return count_row_cell(c, value_table_find(&c->table, &from->table.rows[row].key));
}

static void
join_cell(struct counting *c, size_t cell, const struct count_sums *from,
          const struct enquiry *member)
{
    struct count_sums *s = &c->cells[cell];

    s->visitors += from->visitors;
    s->sessions += from->sessions;
    s->events += from->events;
    s->engaged_ms += from->engaged_ms;
    for (int i = 0; i < from->n_values; i++) {
        struct slice code = tally_currency_code(member->currencies, i);
        struct tally_value none = {0, tally_currency(c->e->currencies, code)};
        struct tally_sum *sum;

        if (from->values[i].n == 0)
            continue;
        count_sums_add_value(s, &none, &c->arena); /* makes room, and counts one */
        sum = &s->values[none.currency];
        sum->units += from->values[i].units;
        sum->n += from->values[i].n - 1;
    }
}

/* Rows of both, and how many are in each. */
static void
join_rows(struct counting *c, const struct counting *from)
{
    if (!c->is_fixed)
        value_table_add(&c->table, &from->table);
    c->is_counted_only = c->is_counted_only || from->is_counted_only ||
                         (!c->is_fixed && c->table.n > (size_t)c->request->limit);
}

void
count_join(void *counting, const struct enquiry *member, void *of_member)
{
    struct counting *c = counting;
    const struct counting *from = of_member;
    bool has_row_cells;
    size_t n;

    join_rows(c, from);
    has_row_cells = !c->is_listing && !c->is_counted_only;
    n = has_row_cells ? from->n_cells : count_row_cell(c, 0);
    if (has_row_cells && c->n_cells < count_row_cell(c, c->table.n))
        add_cells(c, count_row_cell(c, c->table.n) - c->n_cells);
    for (size_t i = 0; i < n; i++)
        join_cell(c, cell_of(c, from, i), &from->cells[i], member);
    for (size_t i = 0; i < from->met.n_slots; i++) {
        uint64_t pair = from->met.slots[i];
        size_t cell = (size_t)(pair >> 32);

        if (pair == 0 || cell >= n)
            continue;
        cell = cell_of(c, from, cell);
        c->cells[cell].orders += pair_set_add(&c->met, (uint32_t)cell, (uint32_t)pair);
    }
    c->n_lying += from->n_lying;
}
