/* One file of a builder's rows: runs and sites, then column after column. */
#include <stdlib.h>

#include "aggregator/segment/writer_int.h"

#define LEVEL 1 /* of zstd: a flush is merged soon */
#define AHEAD 8 /* rows */

/* ---- runs and sites ---- */

/* A file in the making: its rows in order, and its runs. */
struct flush {
    struct segment_builder *builder;
    struct segment__out out;
    struct segment__row *rows; /* the builder's, in the order of the file */
    uint32_t n;
    uint64_t *run_hashes;
    uint32_t *run_rows;
    uint32_t n_runs;
    struct segment_site *sites;
    uint32_t n_sites;
};

static const struct segment__row *
flush_row(const struct flush *f, uint32_t i)
{
    return &f->rows[i];
}

static int64_t
smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t
larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void
find_runs(struct flush *f)
{
    const struct segment__row *last = NULL;

    f->run_hashes = mem_alloc(f->n * sizeof *f->run_hashes);
    f->run_rows = mem_alloc((f->n + (size_t)1) * sizeof *f->run_rows);
    for (uint32_t i = 0; i < f->n; i++) {
        const struct segment__row *row = flush_row(f, i);

        if (last == NULL || row->site != last->site || row->hash != last->hash ||
            segment__row_compare_visitors(f->builder, row, last) != 0) {
            f->run_hashes[f->n_runs] = row->hash;
            f->run_rows[f->n_runs++] = i;
        }
        last = row;
    }
    f->run_rows[f->n_runs] = f->n;
}

static uint32_t
site_of_run(const struct flush *f, uint32_t run)
{
    return flush_row(f, f->run_rows[run])->site;
}

/* The site whose first run is `run`. */
static struct segment_site
find_site(const struct flush *f, uint32_t run)
{
    struct segment_site site = {
        .site = site_of_run(f, run),
        .run_begin = run,
        .time_min_ms = INT64_MAX,
        .time_max_ms = INT64_MIN,
    };

    while (run < f->n_runs && site_of_run(f, run) == site.site)
        run++;
    site.run_end = run;
    site.n_rows = f->run_rows[run] - f->run_rows[site.run_begin];
    for (uint32_t i = f->run_rows[site.run_begin]; i < f->run_rows[run]; i++) {
        site.time_min_ms = smaller(site.time_min_ms, flush_row(f, i)->time_ms);
        site.time_max_ms = larger(site.time_max_ms, flush_row(f, i)->time_ms);
    }
    return site;
}

static void
find_sites(struct flush *f, struct arena *a)
{
    uint32_t n = 1;

    for (uint32_t run = 1; run < f->n_runs; run++)
        n += site_of_run(f, run) != site_of_run(f, run - 1);
    f->sites = ARENA_ARRAY(a, struct segment_site, n);
    f->n_sites = n;
    for (uint32_t i = 0, run = 0; i < n; run = f->sites[i++].run_end)
        f->sites[i] = find_site(f, run);
}

static struct segment_info
describe(const struct flush *f)
{
    struct segment_info info = {
        .kind = SEGMENT_FLUSH,
        .month = segment_month(flush_row(f, 0)->time_ms),
        .n_rows = f->n,
        .n_runs = f->n_runs,
        .n_sites = f->n_sites,
        .time_min_ms = INT64_MAX,
        .time_max_ms = INT64_MIN,
        .hash_min = UINT64_MAX,
    };

    for (uint32_t i = 0; i < f->n_sites; i++) {
        info.time_min_ms = smaller(info.time_min_ms, f->sites[i].time_min_ms);
        info.time_max_ms = larger(info.time_max_ms, f->sites[i].time_max_ms);
    }
    for (uint32_t i = 0; i < f->n_runs; i++) {
        info.hash_min = f->run_hashes[i] < info.hash_min ? f->run_hashes[i] : info.hash_min;
        info.hash_max = f->run_hashes[i] > info.hash_max ? f->run_hashes[i] : info.hash_max;
    }
    return info;
}

/* ---- its columns ---- */

/* A source over values that lie in memory; rows NULL: one a row. */
struct array {
    uint32_t n;
    uint32_t at;
    const uint32_t *rows;
    const uint32_t *codes; /* into map, or NULL: values */
    const uint32_t *map;
    const int64_t *values;
};

static void
array_next(void *context, struct segment__batch *batch)
{
    struct array *array = context;
    uint32_t i = 0;

    for (; i < SEGMENT__BATCH && array->at < array->n; i++, array->at++) {
        uint32_t at = array->at;

        batch->row[i] = array->rows == NULL ? at : array->rows[at];
        batch->value[i] =
            array->codes == NULL ? array->values[at] : (int64_t)array->map[array->codes[at]];
    }
    if (i == 0)
        array->at = 0;
    batch->n = i;
}

static void
encode_array(struct flush *f, uint32_t type, uint32_t id, enum segment__column_kind kind,
             struct array *array)
{
    struct segment__source source = {array_next, array};

    segment__encode_column(&f->out, type, id, kind, f->n, &source);
}

static void
write_fixed(struct flush *f)
{
    int64_t *values = mem_alloc(f->n * sizeof *values);
    struct array array = {.n = f->n, .values = values};

    for (uint32_t i = 0; i < f->n; i++)
        values[i] = flush_row(f, i)->time_ms;
    encode_array(f, BLOCK_TIME, 0, COLUMN_NUMBER, &array);
    for (uint32_t i = 0; i < f->n; i++)
        values[i] = flush_row(f, i)->flags;
    encode_array(f, BLOCK_FLAGS, 0, COLUMN_NUMBER, &array);
    for (uint32_t i = 0; i < f->n; i++)
        values[i] = flush_row(f, i)->origin;
    encode_array(f, BLOCK_ORIGIN, 0, COLUMN_NUMBER, &array);
    free(values);
}

static void
write_numbers(struct flush *f)
{
    int64_t *values = mem_alloc(f->n * sizeof *values);
    uint32_t *rows = mem_alloc(f->n * sizeof *rows);

    for (unsigned code = 0; code < NUMBER_COUNT; code++) {
        struct array array = {.rows = rows, .values = values};

        for (uint32_t i = 0; i < f->n; i++) {
            const struct segment__row *row = flush_row(f, i);
            uint32_t below = row->numbers_set & ((1u << code) - 1);

            if (f->n - i > AHEAD && (row[AHEAD].numbers_set >> code & 1) != 0)
                __builtin_prefetch(row[AHEAD].numbers);
            if ((row->numbers_set >> code & 1) == 0)
                continue;
            rows[array.n] = i;
            values[array.n++] = row->numbers[__builtin_popcount(below)];
        }
        if (array.n > 0)
            encode_array(f, BLOCK_NUMBER, code, COLUMN_NUMBER, &array);
    }
    free(values);
    free(rows);
}

static void
write_visitors(struct flush *f)
{
    struct segment__cold_writer w;

    segment__cold_begin(&w, &f->out, BLOCK_RUN_VISITOR);
    for (uint32_t i = 0; i < f->n_runs; i++)
        segment__cold_add(&w, f->builder->visitors.values[flush_row(f, f->run_rows[i])->visitor]);
    segment__cold_end(&w);
}

/* The ids that cannot be made anew, and whose they are. */
static void
write_ids(struct flush *f)
{
    struct segment__cold_writer w;
    int64_t *ones = mem_alloc(f->n * sizeof *ones);
    uint32_t *rows = mem_alloc(f->n * sizeof *rows);
    struct array array = {.rows = rows, .values = ones};

    for (uint32_t i = 0; i < f->n; i++)
        if (!flush_row(f, i)->is_content_id) {
            rows[array.n] = i;
            ones[array.n++] = 1;
        }
    if (array.n > 0) {
        encode_array(f, BLOCK_ID_GIVEN, 0, COLUMN_NUMBER, &array);
        segment__cold_begin(&w, &f->out, BLOCK_ID);
        for (uint32_t i = 0; i < array.n; i++) {
            if (array.n - i > AHEAD)
                __builtin_prefetch(f->rows[rows[i + AHEAD]].numbers);
            segment__cold_add(&w, segment__row_id(flush_row(f, rows[i])));
        }
        segment__cold_end(&w);
    }
    free(ones);
    free(rows);
}

struct named {
    struct slice value;
    uint32_t code;
};

static int
compare_named(const void *a, const void *b)
{
    return slice_compare(((const struct named *)a)->value, ((const struct named *)b)->value);
}

/* The values of a slot that the cells use, in order, as new codes from 1: map[old] = new. Returns
 * their number; sorted has them (both have room for all the slot's values). */
static uint32_t
order_values(const struct segment__texts *texts, const uint32_t *codes, uint32_t n, uint32_t *map,
             struct slice *sorted)
{
    struct named *used = mem_alloc(texts->n * sizeof *used);
    uint32_t n_used = 0;

    memset(map, 0, texts->n * sizeof *map);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t code = codes[i];

        if (map[code] == 0) {
            map[code] = 1;
            used[n_used++] = (struct named){texts->values[code], code};
        }
    }
    qsort(used, n_used, sizeof *used, compare_named);
    for (uint32_t i = 0; i < n_used; i++) {
        map[used[i].code] = i + 1;
        sorted[i] = used[i].value;
    }
    free(used);
    return n_used;
}

static void
write_slot(struct flush *f, uint32_t type, uint32_t id, const struct segment__texts *texts,
           struct array *array)
{
    uint32_t *map = mem_alloc(texts->n * sizeof *map);
    struct slice *sorted = mem_alloc(texts->n * sizeof *sorted);
    uint32_t n = order_values(texts, array->codes, array->n, map, sorted);

    array->map = map;
    encode_array(f, type, id, COLUMN_TEXT, array);
    segment__encode_dictionary(&f->out, type + 1, id, sorted, n);
    free(map);
    free(sorted);
}

/* The cells of all rows, slot by slot: slot i has [begin[i], begin[i + 1]) of rows and codes. */
struct cells {
    uint32_t n_slots;
    size_t *begin;
    uint32_t *rows;
    uint32_t *codes;
};

/* at: where the next of each slot goes. */
static void
add_cells(struct cells *c, const struct flush *f, uint32_t i, size_t *at)
{
    const struct segment__row *row = flush_row(f, i);
    const uint32_t *code = segment__row_codes(row);

    if (f->n - i > AHEAD) /* the rows are in order, what they point at is not */
        __builtin_prefetch(f->rows[i + AHEAD].numbers);
    for (uint32_t bits = row->texts_set; bits != 0; bits &= bits - 1) {
        size_t to = at[__builtin_ctz(bits)]++;

        c->rows[to] = i;
        c->codes[to] = *code++;
    }
    for (uint32_t k = 0; k < row->n_properties; k++, code += 2) {
        size_t to = at[code[0]]++;

        c->rows[to] = i;
        c->codes[to] = code[1];
    }
}

static void
cells_init(struct cells *c, const struct flush *f)
{
    size_t *at;

    c->n_slots = TEXT_COUNT + f->builder->keys.n;
    c->begin = mem_zalloc((c->n_slots + (size_t)1) * sizeof *c->begin);
    for (uint32_t i = 0; i < f->n; i++) {
        const struct segment__row *row = flush_row(f, i);
        const uint32_t *property = segment__row_properties(row);

        for (uint32_t bits = row->texts_set; bits != 0; bits &= bits - 1)
            c->begin[__builtin_ctz(bits) + 1]++;
        for (uint32_t k = 0; k < row->n_properties; k++)
            c->begin[property[2 * k] + 1]++;
    }
    for (uint32_t slot = 0; slot < c->n_slots; slot++)
        c->begin[slot + 1] += c->begin[slot];
    at = mem_alloc((c->n_slots + (size_t)1) * sizeof *at);
    memcpy(at, c->begin, (c->n_slots + (size_t)1) * sizeof *at);
    c->rows = mem_alloc((c->begin[c->n_slots] + 1) * sizeof *c->rows);
    c->codes = mem_alloc((c->begin[c->n_slots] + 1) * sizeof *c->codes);
    for (uint32_t i = 0; i < f->n; i++)
        add_cells(c, f, i, at);
    free(at);
}

static void
cells_fini(struct cells *c)
{
    free(c->begin);
    free(c->rows);
    free(c->codes);
}

static struct array
cells_of_slot(const struct cells *c, uint32_t slot)
{
    return (struct array){
        .n = (uint32_t)(c->begin[slot + 1] - c->begin[slot]),
        .rows = c->rows + c->begin[slot],
        .codes = c->codes + c->begin[slot],
    };
}

static void
write_texts(struct flush *f)
{
    struct segment_builder *b = f->builder;
    struct named *keys = mem_alloc((b->keys.n + (size_t)1) * sizeof *keys);
    struct slice *names = mem_alloc((b->keys.n + (size_t)1) * sizeof *names);
    uint32_t n_keys = 0;
    struct cells cells;

    cells_init(&cells, f);
    for (uint32_t slot = 0; slot < cells.n_slots; slot++) {
        struct array array = cells_of_slot(&cells, slot);

        if (array.n > 0 && slot < TEXT_COUNT)
            write_slot(f, BLOCK_TEXT, slot, &b->slots[slot], &array);
        else if (array.n > 0)
            keys[n_keys++] = (struct named){b->keys.values[slot - TEXT_COUNT], slot};
    }
    qsort(keys, n_keys, sizeof *keys, compare_named);
    for (uint32_t i = 0; i < n_keys; i++) {
        struct array array = cells_of_slot(&cells, keys[i].code);

        names[i] = keys[i].value;
        write_slot(f, BLOCK_PROPERTY, i, &b->slots[keys[i].code], &array);
    }
    if (n_keys > 0)
        segment__encode_dictionary(&f->out, BLOCK_KEYS, 0, names, n_keys);
    cells_fini(&cells);
    free(names);
    free(keys);
}

enum err_code
segment__flush(struct segment_builder *b, const uint32_t *order, uint32_t n, const char *dir,
               struct arena *a, struct segment_file *file, struct err *err)
{
    struct flush f = {.builder = b, .n = n};
    enum err_code rc = segment__out_open(&f.out, dir, LEVEL, err);

    if (rc != ERR_OK)
        return rc;
    f.rows = mem_alloc(n * sizeof *f.rows);
    for (uint32_t i = 0; i < n; i++) {
        if (n - i > AHEAD)
            __builtin_prefetch(&b->rows[order[i + AHEAD]]);
        f.rows[i] = b->rows[order[i]];
    }
    find_runs(&f);
    find_sites(&f, a);
    *file = (struct segment_file){.info = describe(&f), .sites = f.sites};
    segment__encode_sites(&f.out, f.sites, f.n_sites);
    segment__encode_plain(&f.out, BLOCK_RUN_HASH, f.run_hashes, f.n_runs * sizeof *f.run_hashes,
                          f.n_runs);
    segment__encode_plain(&f.out, BLOCK_RUN_ROW, f.run_rows,
                          (f.n_runs + (size_t)1) * sizeof *f.run_rows, f.n_runs + 1);
    write_fixed(&f);
    write_texts(&f);
    write_numbers(&f);
    write_visitors(&f);
    write_ids(&f);
    free(f.rows);
    free(f.run_hashes);
    free(f.run_rows);
    return segment__out_finish(&f.out, dir, &b->owner, file, err);
}
