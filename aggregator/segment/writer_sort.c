/* The builder's rows in the order of the files: sorted, freed of repeats and of who was erased, cut
 * by month. */
#include "aggregator/segment/writer.h"

#include <stdlib.h>

#include "aggregator/segment/writer_int.h"

#define DAY_MS INT64_C(86400000)

#define PAIRS_MAX       24 /* events of a visitor whose ids are compared each with each */
#define INSERT_MAX      48 /* keys that are sorted by insertion */
#define BUCKET_KEYS     8  /* about, in a bucket */
#define BUCKET_BITS_MAX 17

/* ---- sorting, dropping repeats ---- */

/* One sortable row: what decides nearly every comparison, beside each other. */
struct sort_key {
    uint64_t hash;
    int64_t time_ms;
    uint64_t id; /* its first bytes, in an order as theirs */
    uint32_t site;
    uint32_t row;
    uint32_t visitor;
};

static uint64_t
first_bytes(struct slice id)
{
    unsigned char p[8] = {0};
    uint64_t v = 0;

    memcpy(p, id.p, id.n < sizeof p ? id.n : sizeof p);
    for (size_t i = 0; i < sizeof p; i++)
        v = v << 8 | p[i];
    return v;
}

static int
compare_ids(const struct segment_builder *b, const struct sort_key *x, const struct sort_key *y)
{
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return slice_compare(segment__row_id(&b->rows[x->row]), segment__row_id(&b->rows[y->row]));
}

/* Of one site: by visitor, time, id. */
static int
compare_keys(const void *a, const void *b, void *context)
{
    const struct sort_key *x = a;
    const struct sort_key *y = b;
    const struct segment_builder *builder = context;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    if (x->visitor != y->visitor) /* two visitors of one hash */
        return slice_compare(builder->visitors.values[x->visitor],
                             builder->visitors.values[y->visitor]);
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return compare_ids(builder, x, y);
}

static int
compare_contents(const struct segment_builder *b, const struct segment__row *x,
                 const struct segment__row *y)
{
    struct event_property *properties =
        mem_alloc((x->n_properties + (size_t)y->n_properties + 1) * sizeof *properties);
    struct event event_x;
    struct event event_y;
    int order;

    segment__row_event(b, x, properties, &event_x);
    segment__row_event(b, y, properties + x->n_properties, &event_y);
    order = segment_repeat_compare(&event_x, &event_y);
    free(properties);
    return order;
}

/* Within one visitor: by id, and of one id the one that stays first. */
static int
compare_repeats(const void *a, const void *b, void *context)
{
    const struct segment_builder *builder = context;
    const struct sort_key *x = a;
    const struct sort_key *y = b;
    int order = compare_ids(builder, x, y);

    if (order != 0 || x->row == y->row)
        return order;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return compare_contents(builder, &builder->rows[x->row], &builder->rows[y->row]);
}

/* May two of a visitor's keys have the same id? Not where the first bytes of all differ. */
static bool
may_repeat(const struct sort_key *keys, uint32_t n)
{
    if (n > PAIRS_MAX)
        return true;
    for (uint32_t i = 1; i < n; i++)
        for (uint32_t k = 0; k < i; k++)
            if (keys[i].id == keys[k].id)
                return true;
    return false;
}

/* keys[0..n) of one visitor, in order, are freed of repeats; returns how many stay. */
static uint32_t
settle_visitor(struct segment_builder *b, struct sort_key *keys, uint32_t n)
{
    uint32_t n_kept = 1;

    if (!may_repeat(keys, n))
        return n;
    qsort_r(keys, n, sizeof *keys, compare_repeats, b);
    for (uint32_t i = 1; i < n; i++)
        if (compare_ids(b, &keys[n_kept - 1], &keys[i]) != 0)
            keys[n_kept++] = keys[i];
    qsort_r(keys, n_kept, sizeof *keys, compare_keys, b);
    return n_kept;
}

/* ---- sorting: a bucket for every few visitors, by the hash's high bits, then each bucket ---- */

static void
sort_bucket(struct segment_builder *b, struct sort_key *keys, uint32_t n)
{
    if (n > INSERT_MAX) {
        qsort_r(keys, n, sizeof *keys, compare_keys, b);
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        struct sort_key key = keys[i];
        uint32_t at = i;

        for (; at > 0 && compare_keys(&keys[at - 1], &key, b) > 0; at--)
            keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

/* keys[0..n) of one site; room is as large. */
static void
sort_site(struct segment_builder *b, struct sort_key *keys, struct sort_key *room, uint32_t n)
{
    unsigned bits = 1;
    uint32_t *begin;

    while (bits < BUCKET_BITS_MAX && (n >> bits) > BUCKET_KEYS)
        bits++;
    begin = mem_zalloc(((1u << bits) + (size_t)1) * sizeof *begin);
    for (uint32_t i = 0; i < n; i++)
        begin[(keys[i].hash >> (64 - bits)) + 1]++;
    for (uint32_t i = 0; i < 1u << bits; i++)
        begin[i + 1] += begin[i];
    for (uint32_t i = 0; i < n; i++)
        room[begin[keys[i].hash >> (64 - bits)]++] = keys[i];
    memcpy(keys, room, n * sizeof *keys);
    for (uint32_t i = 0, from = 0; i < 1u << bits; from = begin[i++]) /* begin[i] is now its end */
        sort_bucket(b, keys + from, begin[i] - from);
    free(begin);
}

static int
compare_sites(const void *a, const void *b)
{
    const struct sort_key *x = a;
    const struct sort_key *y = b;

    if (x->site != y->site)
        return x->site < y->site ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static void
sort_keys(struct segment_builder *b, struct sort_key *keys, uint32_t n)
{
    struct sort_key *room = mem_alloc(n * sizeof *room);
    bool is_of_one = true;
    uint32_t end;

    for (uint32_t i = 1; i < n; i++)
        is_of_one &= keys[i].site == keys[0].site;
    if (!is_of_one)
        qsort(keys, n, sizeof *keys, compare_sites);
    for (uint32_t begin = 0; begin < n; begin = end) {
        for (end = begin + 1; end < n && keys[end].site == keys[begin].site;)
            end++;
        sort_site(b, keys + begin, room, end - begin);
    }
    free(room);
}

/* How many of a visitor's rows, the earliest of which is the first, were erased. */
static uint32_t
count_erased(const struct segment_builder *b, const struct sort_key *keys, uint32_t n)
{
    const struct sort_key *first = &keys[0];
    const struct segment_erased_list *l = NULL;
    uint32_t n_erased = 0;
    int64_t from_ms;

    for (size_t i = 0; i < b->n_erased && l == NULL; i++)
        if (b->erased[i].site == first->site)
            l = &b->erased[i].list;
    if (l == NULL || !segment_erased_may_have(l, first->hash))
        return 0;
    from_ms = segment_erased_from(l, first->hash, b->visitors.values[first->visitor]);
    while (n_erased < n && keys[n_erased].time_ms < from_ms)
        n_erased++;
    return n_erased;
}

/* The rows of the file, in order: an array of *out_n that the caller frees. */
static struct sort_key *
sorted_rows(struct segment_builder *b, uint32_t *out_n)
{
    struct sort_key *keys = mem_alloc(b->n_rows * sizeof *keys);
    uint32_t n = 0;
    uint32_t end;

    for (uint32_t i = 0; i < b->n_rows; i++) {
        const struct segment__row *row = &b->rows[i];

        keys[i] = (struct sort_key){.hash = row->hash,
                                    .time_ms = row->time_ms,
                                    .id = first_bytes(segment__row_id(row)),
                                    .site = row->site,
                                    .row = i,
                                    .visitor = row->visitor};
    }
    sort_keys(b, keys, b->n_rows);
    b->n_left_out = 0;
    for (uint32_t begin = 0; begin < b->n_rows; begin = end) {
        uint32_t n_kept, n_erased = 0;

        for (end = begin + 1; end < b->n_rows && keys[end].visitor == keys[begin].visitor &&
                              keys[end].site == keys[begin].site;)
            end++;
        n_kept = settle_visitor(b, keys + begin, end - begin);
        if (b->n_erased != 0)
            n_erased = count_erased(b, keys + begin, n_kept);
        b->n_left_out += n_erased;
        memmove(keys + n, keys + begin + n_erased, (n_kept - n_erased) * sizeof *keys);
        n += n_kept - n_erased;
    }
    *out_n = n;
    return keys;
}

/* ---- all files ---- */

/* The rows of one month, in order, within the array of all. */
struct month {
    uint32_t month;
    uint32_t begin;
    uint32_t end;
};

struct months {
    struct month *list; /* ascending */
    uint32_t n;
    uint32_t n_max;
};

static int
compare_months(const void *a, const void *b)
{
    uint32_t x = ((const struct month *)a)->month;
    uint32_t y = ((const struct month *)b)->month;

    return (x > y) - (x < y);
}

/* The month's place in the list, made where there is none. Nearly always the one before. */
static uint32_t
find_month(struct months *m, uint32_t month, uint32_t before)
{
    if (before < m->n && m->list[before].month == month)
        return before;
    for (uint32_t i = 0; i < m->n; i++)
        if (m->list[i].month == month)
            return i;
    if (m->n == m->n_max) {
        m->n_max = m->n_max == 0 ? 16 : 2 * m->n_max;
        m->list = mem_realloc(m->list, m->n_max * sizeof *m->list);
    }
    m->list[m->n] = (struct month){.month = month};
    return m->n++;
}

/* Month by month, each month's rows still sorted: an array of n that the caller frees, as the list
 * of months. */
static uint32_t *
order_by_month(const struct sort_key *keys, uint32_t n, struct months *m)
{
    uint32_t *order = mem_alloc(n * sizeof *order);
    uint32_t month = 0;
    uint32_t at = 0;
    int64_t day = -1;

    *m = (struct months){.n = 0};
    for (uint32_t i = 0; i < n; i++) {
        if (keys[i].time_ms / DAY_MS != day) { /* most are near the one before */
            day = keys[i].time_ms / DAY_MS;
            month = segment_month(keys[i].time_ms);
        }
        at = find_month(m, month, at);
        m->list[at].end++; /* their number so far */
    }
    qsort(m->list, m->n, sizeof *m->list, compare_months);
    for (uint32_t i = 0, begin = 0; i < m->n; i++) {
        m->list[i].begin = begin;
        begin += m->list[i].end;
        m->list[i].end = m->list[i].begin;
    }
    day = -1;
    for (uint32_t i = 0; i < n; i++) {
        if (keys[i].time_ms / DAY_MS != day) {
            day = keys[i].time_ms / DAY_MS;
            at = find_month(m, segment_month(keys[i].time_ms), at);
        }
        order[m->list[at].end++] = keys[i].row;
    }
    return order;
}

enum err_code
segment_builder_write(struct segment_builder *b, const char *dir, struct arena *a,
                      struct segment_file **out, size_t *out_n, struct err *err)
{
    struct segment_file *files;
    struct months months;
    struct sort_key *keys;
    enum err_code rc = ERR_OK;
    size_t n_files = 0;
    uint32_t *order;
    uint32_t n;

    if (b->n_rows == 0) {
        *out = NULL;
        *out_n = 0;
        return ERR_OK;
    }
    keys = sorted_rows(b, &n);
    if (n == 0) { /* all of them were erased */
        free(keys);
        *out = NULL;
        *out_n = 0;
        return ERR_OK;
    }
    order = order_by_month(keys, n, &months);
    free(keys);
    files = ARENA_ARRAY(a, struct segment_file, months.n);
    for (uint32_t i = 0; rc == ERR_OK && i < months.n; i++) {
        const struct month *m = &months.list[i];

        rc = segment__flush(b, order + m->begin, m->end - m->begin, dir, a, &files[n_files], err);
        n_files += rc == ERR_OK;
    }
    free(months.list);
    free(order);
    if (rc != ERR_OK) {
        segment__unlink(dir, files, n_files);
        return rc;
    }
    *out = files;
    *out_n = n_files;
    return ERR_OK;
}
