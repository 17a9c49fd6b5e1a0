/* The builder: events in as rows of codes; sorting them, dropping repeats, cutting them by month.
 */
#include "aggregator/segment/writer.h"

#include <stdlib.h>

#include "aggregator/segment/writer_int.h"

#define TIME_MAX_MS   INT64_C(253402300800000) /* the year 10000 */
#define ARENA_BYTES   (256 * 1024)
#define NUMBERS_KNOWN ((1u << NUMBER_COUNT) - 1)

struct segment_builder *
segment_builder_create(const struct segment_owner *owner)
{
    struct segment_builder *b = mem_zalloc(sizeof *b);

    b->owner = *owner;
    b->n_slots_max = TEXT_COUNT;
    b->slots = mem_zalloc(b->n_slots_max * sizeof *b->slots);
    arena_init(&b->arena, ARENA_BYTES);
    return b;
}

void
segment_builder_reset(struct segment_builder *b)
{
    for (uint32_t i = 0; i < TEXT_COUNT + b->keys.n; i++)
        segment__texts_fini(&b->slots[i]);
    segment__texts_fini(&b->visitors);
    segment__texts_fini(&b->keys);
    free(b->rows);
    b->rows = NULL;
    b->n_rows = 0;
    b->n_rows_max = 0;
    arena_reset(&b->arena);
}

void
segment_builder_destroy(struct segment_builder **builder)
{
    struct segment_builder *b = *builder;

    if (b == NULL)
        return;
    segment_builder_reset(b);
    arena_fini(&b->arena);
    free(b->slots);
    free(b);
    *builder = NULL;
}

uint32_t
segment_builder_rows(const struct segment_builder *b)
{
    return b->n_rows;
}

size_t
segment_builder_bytes(const struct segment_builder *b)
{
    return b->arena.used_bytes + b->n_rows_max * sizeof *b->rows;
}

/* ---- adding ---- */

static enum err_code
check_event(const struct segment_builder *b, const struct event *e, struct err *err)
{
    if (e->visitor.n == 0 || e->visitor.n > FORMAT_COLD_STRING_MAX)
        return err_set(err, ERR_INVALID, "visitor", "a visitor has 1 to 65535 bytes");
    if (e->id.n == 0 || e->id.n > FORMAT_COLD_STRING_MAX)
        return err_set(err, ERR_INVALID, "id", "an id has 1 to 65535 bytes");
    if (e->text[TEXT_EVENT].n == 0)
        return err_set(err, ERR_INVALID, "event", "an event has a name");
    if (e->time_ms < 0 || e->time_ms >= TIME_MAX_MS)
        return err_set(err, ERR_INVALID, "time", "a time is in 1970..9999");
    if ((e->numbers_set & ~NUMBERS_KNOWN) != 0)
        return err_set(err, ERR_INVALID, NULL, "a number that nobody knows");
    for (int i = 0; i < TEXT_COUNT; i++)
        if (e->text[i].n > EVENT_ENCODED_MAX)
            return err_set(err, ERR_INVALID, event_text_name((enum event_text)i),
                           "a text has at most %d bytes", EVENT_ENCODED_MAX);
    for (uint32_t i = 0; i < e->n_properties; i++) {
        const struct event_property *p = &e->properties[i];

        if (p->key.n == 0 || p->key.n > EVENT_ENCODED_MAX || p->value.n > EVENT_ENCODED_MAX ||
            (i > 0 && slice_compare(p[-1].key, p->key) >= 0))
            return err_set(err, ERR_INVALID, "properties", "keys ascend and are never empty");
    }
    if (b->n_rows == SEGMENT_ROWS_MAX)
        return err_set(err, ERR_LIMIT, NULL, "a segment has at most %u events", SEGMENT_ROWS_MAX);
    return ERR_OK;
}

static uint32_t
property_slot(struct segment_builder *b, struct slice key)
{
    uint32_t slot = TEXT_COUNT + segment__texts_code(&b->keys, &b->arena, key);

    if (slot >= b->n_slots_max) {
        uint32_t n_max = b->n_slots_max * 2;

        b->slots = mem_realloc(b->slots, n_max * sizeof *b->slots);
        memset(b->slots + b->n_slots_max, 0, (n_max - b->n_slots_max) * sizeof *b->slots);
        b->n_slots_max = n_max;
    }
    return slot;
}

static void
add_cells(struct segment_builder *b, const struct event *e, struct segment__row *row)
{
    uint32_t n = 0;
    struct segment__cell *cells;

    for (int i = 0; i < TEXT_COUNT; i++)
        n += e->text[i].n > 0;
    for (uint32_t i = 0; i < e->n_properties; i++)
        n += e->properties[i].value.n > 0;
    cells = arena_alloc(&b->arena, n * sizeof *cells);
    row->cells = cells;
    row->n_cells = n;
    for (uint32_t i = 0; i < TEXT_COUNT; i++)
        if (e->text[i].n > 0)
            *cells++ =
                (struct segment__cell){i, segment__texts_code(&b->slots[i], &b->arena, e->text[i])};
    for (uint32_t i = 0; i < e->n_properties; i++)
        if (e->properties[i].value.n > 0) {
            uint32_t slot = property_slot(b, e->properties[i].key);

            *cells++ = (struct segment__cell){
                slot, segment__texts_code(&b->slots[slot], &b->arena, e->properties[i].value)};
        }
}

static void
add_numbers(struct segment_builder *b, const struct event *e, struct segment__row *row)
{
    int64_t *numbers;

    row->numbers_set = e->numbers_set;
    if (row->numbers_set == 0)
        return;
    numbers = arena_alloc(&b->arena, sizeof *numbers * (size_t)__builtin_popcount(e->numbers_set));
    row->numbers = numbers;
    for (int i = 0; i < NUMBER_COUNT; i++)
        if (event_has_number(e, (enum event_number)i))
            *numbers++ = e->number[i];
}

enum err_code
segment_builder_add(struct segment_builder *b, const struct event *e, struct err *err)
{
    enum err_code rc = check_event(b, e, err);
    struct segment__row *row;

    if (rc != ERR_OK)
        return rc;
    if (b->n_rows == b->n_rows_max) {
        b->n_rows_max = b->n_rows_max == 0 ? 256 : b->n_rows_max * 2;
        b->rows = mem_realloc(b->rows, b->n_rows_max * sizeof *b->rows);
    }
    row = &b->rows[b->n_rows];
    *row = (struct segment__row){
        .hash = segment_visitor_hash(&b->owner, e->visitor),
        .time_ms = e->time_ms,
        .site = e->site,
        .visitor = segment__texts_code(&b->visitors, &b->arena, e->visitor),
        .flags = e->flags,
        .origin = e->origin,
        .id = arena_copy(&b->arena, e->id),
    };
    add_cells(b, e, row);
    add_numbers(b, e, row);
    b->n_rows++;
    return ERR_OK;
}

/* ---- sorting, dropping repeats ---- */

/* One sortable row: what decides nearly every comparison, beside each other. */
struct sort_key {
    uint64_t hash;
    uint32_t site;
    uint32_t row;
};

int
segment__row_compare_visitors(const struct segment_builder *b, const struct segment__row *x,
                              const struct segment__row *y)
{
    if (x->visitor == y->visitor)
        return 0;
    return slice_compare(b->visitors.values[x->visitor], b->visitors.values[y->visitor]);
}

static int
compare_keys(const void *a, const void *b, void *context)
{
    const struct sort_key *x = a;
    const struct sort_key *y = b;
    const struct segment_builder *builder = context;

    if (x->site != y->site)
        return x->site < y->site ? -1 : 1;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return segment__row_compare_visitors(builder, &builder->rows[x->row], &builder->rows[y->row]);
}

/* The row as the event it was, arrays in storage of the caller. */
static void
row_event(const struct segment_builder *b, const struct segment__row *row,
          struct event_property *properties, struct event *out)
{
    const int64_t *number = row->numbers;

    *out = (struct event){
        .site = row->site,
        .flags = row->flags,
        .origin = row->origin,
        .time_ms = row->time_ms,
        .visitor = b->visitors.values[row->visitor],
        .id = row->id,
        .properties = properties,
    };
    for (int i = 0; i < NUMBER_COUNT; i++)
        if (row->numbers_set >> i & 1)
            event_set_number(out, (enum event_number)i, *number++);
    for (uint32_t i = 0; i < row->n_cells; i++) {
        const struct segment__cell *cell = &row->cells[i];
        struct slice text = b->slots[cell->slot].values[cell->code];

        if (cell->slot < TEXT_COUNT)
            out->text[cell->slot] = text;
        else
            properties[out->n_properties++] = (struct event_property){
                b->keys.values[cell->slot - TEXT_COUNT],
                text,
            };
    }
}

bool
segment_builder_next_with(const struct segment_builder *b, enum event_text text, uint32_t *at,
                          struct arena *a, struct event *out)
{
    if (b->slots[text].n == 0) /* nearly always */
        *at = b->n_rows;
    for (; *at < b->n_rows; ++*at) {
        const struct segment__row *row = &b->rows[*at];

        for (uint32_t i = 0; i < row->n_cells; i++) {
            if (row->cells[i].slot != (uint32_t)text)
                continue;
            row_event(b, row, ARENA_ARRAY(a, struct event_property, row->n_cells), out);
            ++*at;
            return true;
        }
    }
    return false;
}

static int
compare_contents(const struct segment_builder *b, const struct segment__row *x,
                 const struct segment__row *y)
{
    struct event_property *properties =
        mem_alloc((x->n_cells + (size_t)y->n_cells + 1) * sizeof *properties);
    struct event event_x;
    struct event event_y;
    int order;

    row_event(b, x, properties, &event_x);
    row_event(b, y, properties + x->n_cells, &event_y);
    order = segment_repeat_compare(&event_x, &event_y);
    free(properties);
    return order;
}

/* Within one visitor: by id, and of one id the one that stays first. */
static int
compare_repeats(const void *a, const void *b, void *context)
{
    const struct segment_builder *builder = context;
    const struct segment__row *x = &builder->rows[((const struct sort_key *)a)->row];
    const struct segment__row *y = &builder->rows[((const struct sort_key *)b)->row];
    int order = slice_compare(x->id, y->id);

    if (order != 0 || x == y)
        return order;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return compare_contents(builder, x, y);
}

/* Within one visitor, without repeats: by time, then id. */
static int
compare_order(const void *a, const void *b, void *context)
{
    const struct segment_builder *builder = context;
    const struct segment__row *x = &builder->rows[((const struct sort_key *)a)->row];
    const struct segment__row *y = &builder->rows[((const struct sort_key *)b)->row];

    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return slice_compare(x->id, y->id);
}

/* keys[0..n) of one visitor, sorted and freed of repeats; returns how many stay. */
static uint32_t
settle_visitor(struct segment_builder *b, struct sort_key *keys, uint32_t n)
{
    uint32_t n_kept = 1;

    if (n == 1)
        return 1;
    qsort_r(keys, n, sizeof *keys, compare_repeats, b);
    for (uint32_t i = 1; i < n; i++)
        if (!slice_equal(b->rows[keys[n_kept - 1].row].id, b->rows[keys[i].row].id))
            keys[n_kept++] = keys[i];
    qsort_r(keys, n_kept, sizeof *keys, compare_order, b);
    return n_kept;
}

/* The rows of the file, in order: an array of *out_n that the caller frees. */
static uint32_t *
sorted_rows(struct segment_builder *b, uint32_t *out_n)
{
    struct sort_key *keys = mem_alloc(b->n_rows * sizeof *keys);
    uint32_t *order = mem_alloc(b->n_rows * sizeof *order);
    uint32_t n = 0;
    uint32_t end;

    for (uint32_t i = 0; i < b->n_rows; i++)
        keys[i] = (struct sort_key){b->rows[i].hash, b->rows[i].site, i};
    qsort_r(keys, b->n_rows, sizeof *keys, compare_keys, b);
    for (uint32_t begin = 0; begin < b->n_rows; begin = end) {
        uint32_t n_kept;

        for (end = begin + 1; end < b->n_rows && compare_keys(&keys[begin], &keys[end], b) == 0;)
            end++;
        n_kept = settle_visitor(b, keys + begin, end - begin);
        for (uint32_t i = 0; i < n_kept; i++)
            order[n++] = keys[begin + i].row;
    }
    free(keys);
    *out_n = n;
    return order;
}

/* ---- all files ---- */

struct month_row {
    uint32_t month;
    uint32_t at; /* in the sorted order */
    uint32_t row;
};

static int
compare_months(const void *a, const void *b)
{
    const struct month_row *x = a;
    const struct month_row *y = b;

    if (x->month != y->month)
        return x->month < y->month ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* Cut the sorted rows by month, each month's rows still sorted; returns the number of months. */
static size_t
sort_by_month(const struct segment_builder *b, uint32_t *order, uint32_t n, struct month_row **out)
{
    struct month_row *rows = mem_alloc(n * sizeof *rows);
    bool is_sorted = true;
    size_t n_months = 1;

    for (uint32_t i = 0; i < n; i++) {
        rows[i] = (struct month_row){segment_month(b->rows[order[i]].time_ms), i, order[i]};
        is_sorted &= rows[i].month == rows[0].month;
    }
    if (!is_sorted)
        qsort(rows, n, sizeof *rows, compare_months);
    for (uint32_t i = 0; i < n; i++) {
        order[i] = rows[i].row;
        n_months += i > 0 && rows[i].month != rows[i - 1].month;
    }
    *out = rows;
    return n_months;
}

enum err_code
segment_builder_write(struct segment_builder *b, const char *dir, struct arena *a,
                      struct segment_file **out, size_t *out_n, struct err *err)
{
    struct segment_file *files;
    struct month_row *months;
    enum err_code rc = ERR_OK;
    size_t n_files = 0;
    size_t n_months;
    uint32_t *order;
    uint32_t end;
    uint32_t n;

    if (b->n_rows == 0) {
        *out = NULL;
        *out_n = 0;
        return ERR_OK;
    }
    order = sorted_rows(b, &n);
    n_months = sort_by_month(b, order, n, &months);
    files = ARENA_ARRAY(a, struct segment_file, n_months);
    for (uint32_t begin = 0; rc == ERR_OK && begin < n; begin = end) {
        for (end = begin + 1; end < n && months[end].month == months[begin].month;)
            end++;
        rc = segment__flush(b, order + begin, end - begin, dir, a, &files[n_files], err);
        n_files += rc == ERR_OK;
    }
    free(months);
    free(order);
    if (rc != ERR_OK) {
        segment__unlink(dir, files, n_files);
        return rc;
    }
    *out = files;
    *out_n = n_files;
    return ERR_OK;
}
