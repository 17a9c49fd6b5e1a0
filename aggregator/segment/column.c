/* Columns: verified whole at their first opening, decoded without checks ever after. */
#include <assert.h>
#include <stdlib.h>
#include <zstd.h>

#include "aggregator/segment/segment_int.h"
#include "core/bytes.h"

#define CHUNK 512 /* rows decoded at a time on the stack */

static uint64_t
align8(uint64_t n)
{
    return (n + 7) & ~UINT64_C(7);
}

static bool
is_verified(const struct segment *s, const struct segment__entry *e)
{
    return atomic_load_explicit(&s->states[e - s->entries].is_verified, memory_order_acquire) != 0;
}

static void
set_verified(const struct segment *s, const struct segment__entry *e)
{
    atomic_store_explicit(&s->states[e - s->entries].is_verified, 1, memory_order_release);
}

/* ---- dictionaries ---- */

struct slice
segment__dictionary_value(const unsigned char *values, uint32_t n, uint32_t i)
{
    uint32_t begin = i == 0 ? 0 : load_u32(values + (size_t)(i - 1) * 4);
    uint32_t end = load_u32(values + (size_t)i * 4);

    return slice_of((const char *)values + (size_t)n * 4 + begin, end - begin);
}

/* Strings of 1 byte or more, ascending, that end where the bytes end. */
static bool
is_dictionary(const unsigned char *values, uint32_t n, uint64_t n_bytes)
{
    uint64_t n_text = n_bytes - (uint64_t)n * 4;
    uint32_t last = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t end = load_u32(values + (size_t)i * 4);

        if (end <= last || end > n_text)
            return false;
        last = end;
    }
    if (last != n_text)
        return false;
    for (uint32_t i = 1; i < n; i++)
        if (slice_compare(segment__dictionary_value(values, n, i - 1),
                          segment__dictionary_value(values, n, i)) >= 0)
            return false;
    return true;
}

/* The dictionary's bytes before compression. Two threads may both do the work; the first one's is
 * kept. */
static enum err_code
decompress(const struct segment *s, const struct segment__entry *e, const unsigned char **out,
           struct err *err)
{
    _Atomic(unsigned char *) *place = &s->states[e - s->entries].unpressed;
    unsigned char *known = atomic_load_explicit(place, memory_order_acquire);
    unsigned char *fresh;
    size_t n;

    if (known == NULL) {
        fresh = mem_alloc((size_t)e->base);
        n = ZSTD_decompress(fresh, (size_t)e->base, s->map.p + e->offset, e->length);
        if (ZSTD_isError(n) || n != (size_t)e->base) {
            free(fresh);
            return segment__corrupt(s, e, err, "cannot be decompressed");
        }
        if (atomic_compare_exchange_strong(place, &known, fresh))
            known = fresh;
        else
            free(fresh);
    }
    *out = known;
    return ERR_OK;
}

enum err_code
segment__dictionary_open(const struct segment *s, const struct segment__entry *e,
                         struct segment__dictionary *out, struct err *err)
{
    const unsigned char *values = s->map.p + e->offset;
    uint64_t n_bytes = e->encoding == ENCODING_ZSTD ? (uint64_t)e->base : e->length;
    enum err_code rc = ERR_OK;

    if (!is_verified(s, e))
        rc = segment__checksum(s, e, err);
    if (rc == ERR_OK && e->encoding == ENCODING_ZSTD)
        rc = decompress(s, e, &values, err);
    if (rc != ERR_OK)
        return rc;
    if (!is_verified(s, e)) {
        if (!is_dictionary(values, e->count, n_bytes))
            return segment__corrupt(s, e, err, "its texts are not in order");
        set_verified(s, e);
    }
    *out = (struct segment__dictionary){.n = e->count, .values = values};
    return ERR_OK;
}

/* ---- verifying what a packed column says ---- */

static bool
are_ranks_right(const struct segment_column *c)
{
    uint32_t n_words = (c->n_rows + 63) / 64;
    uint32_t set = 0;

    for (uint32_t i = 0; i < n_words; i++) {
        if (i % (FORMAT_RANK_ROWS / 64) == 0 && c->ranks[i / (FORMAT_RANK_ROWS / 64)] != set)
            return false;
        set += (uint32_t)__builtin_popcountll(c->bitmap[i]);
    }
    if (c->n_rows % 64 != 0 && c->bitmap[n_words - 1] >> (c->n_rows % 64) != 0)
        return false;
    return set == c->n_set;
}

static bool
is_list_ascending(const struct segment_column *c)
{
    for (uint32_t i = 1; i < c->n_set; i++)
        if (c->rows[i] <= c->rows[i - 1])
            return false;
    return c->rows[c->n_set - 1] < c->n_rows;
}

/* Is every stored code one of the dictionary's? Only a dense column may store "not set". */
static bool
are_codes_known(const struct segment_column *c)
{
    uint32_t codes[CHUNK];
    uint32_t smallest = c->encoding == ENCODING_DENSE ? 0 : 1;
    bool is_known = true;

    if (c->width > 32 || c->base < 0 || c->base >= c->n_codes)
        return false;
    for (uint32_t at = 0; at < c->n_set && is_known; at += CHUNK) {
        uint32_t n = c->n_set - at < CHUNK ? c->n_set - at : CHUNK;

        segment__unpack32(c->packed, c->width, at, n, 0, codes);
        for (uint32_t i = 0; i < n; i++) {
            uint64_t code = (uint64_t)c->base + codes[i];

            is_known &= code >= smallest && code < c->n_codes;
        }
    }
    return is_known;
}

/* ---- opening ---- */

static void
unset_column(const struct segment *s, bool is_text, struct segment_column *out)
{
    *out = (struct segment_column){
        .n_rows = s->info.n_rows,
        .n_codes = is_text ? 1 : 0,
        .encoding = ENCODING_LIST,
    };
}

static void
lay_out(const struct segment *s, const struct segment__entry *e, struct segment_column *c)
{
    const unsigned char *p = s->map.p + e->offset;
    uint64_t n_rows = s->info.n_rows;

    *c = (struct segment_column){
        .n_rows = s->info.n_rows,
        .encoding = e->encoding,
        .width = e->width,
        .base = e->base,
        .n_set = e->count,
    };
    if (e->encoding == ENCODING_BITMAP) {
        c->ranks = (const uint32_t *)(const void *)p;
        p += align8((n_rows + FORMAT_RANK_ROWS - 1) / FORMAT_RANK_ROWS * 4);
        c->bitmap = (const uint64_t *)(const void *)p;
        p += (n_rows + 63) / 64 * 8;
    } else if (e->encoding == ENCODING_LIST) {
        c->rows = (const uint32_t *)(const void *)p;
        p += align8((uint64_t)e->count * 4);
    }
    c->packed = p;
}

/* texts: NULL for numbers. */
static enum err_code
open_packed(const struct segment *s, const struct segment__entry *e,
            const struct segment__dictionary *texts, struct segment_column *out, struct err *err)
{
    struct segment_column c;
    enum err_code rc;

    lay_out(s, e, &c);
    c.n_codes = texts == NULL ? 0 : texts->n + 1;
    c.values = texts == NULL ? NULL : texts->values;
    if (!is_verified(s, e)) {
        rc = segment__checksum(s, e, err);
        if (rc != ERR_OK)
            return rc;
        if (e->encoding == ENCODING_BITMAP && !are_ranks_right(&c))
            return segment__corrupt(s, e, err, "its bitmap does not fit its counts");
        if (e->encoding == ENCODING_LIST && !is_list_ascending(&c))
            return segment__corrupt(s, e, err, "its rows do not ascend");
        if (texts != NULL && !are_codes_known(&c))
            return segment__corrupt(s, e, err, "has codes without a text");
        set_verified(s, e);
    }
    *out = c;
    return ERR_OK;
}

enum err_code
segment__text_open(const struct segment *s, uint32_t type, uint32_t id, struct segment_column *out,
                   struct err *err)
{
    const struct segment__entry *codes = segment__find(s, type, id);
    struct segment__dictionary texts;
    enum err_code rc;

    if (codes == NULL) {
        unset_column(s, true, out);
        return ERR_OK;
    }
    rc = segment__dictionary_open(s, segment__find(s, type + 1, id), &texts, err);
    if (rc != ERR_OK)
        return rc;
    return open_packed(s, codes, &texts, out, err);
}

enum err_code
segment_text_open(const struct segment *s, enum event_text code, struct segment_column *out,
                  struct err *err)
{
    return segment__text_open(s, BLOCK_TEXT, code, out, err);
}

enum err_code
segment_property_open(const struct segment *s, struct slice key, struct segment_column *out,
                      struct err *err)
{
    uint32_t low = 0;
    uint32_t high = s->keys.n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int c = slice_compare(segment_property_key(s, middle), key);

        if (c == 0)
            return segment__text_open(s, BLOCK_PROPERTY, middle, out, err);
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    unset_column(s, true, out);
    return ERR_OK;
}

static enum err_code
open_number(const struct segment *s, uint32_t type, uint32_t id, struct segment_column *out,
            struct err *err)
{
    const struct segment__entry *e = segment__find(s, type, id);

    if (e != NULL)
        return open_packed(s, e, NULL, out, err);
    unset_column(s, false, out);
    return ERR_OK;
}

enum err_code
segment_number_open(const struct segment *s, enum event_number code, struct segment_column *out,
                    struct err *err)
{
    return open_number(s, BLOCK_NUMBER, code, out, err);
}

enum err_code
segment_time_open(const struct segment *s, struct segment_column *out, struct err *err)
{
    return open_number(s, BLOCK_TIME, 0, out, err);
}

enum err_code
segment_flags_open(const struct segment *s, struct segment_column *out, struct err *err)
{
    return open_number(s, BLOCK_FLAGS, 0, out, err);
}

enum err_code
segment_origin_open(const struct segment *s, struct segment_column *out, struct err *err)
{
    return open_number(s, BLOCK_ORIGIN, 0, out, err);
}

/* ---- decoding ---- */

/* Which of the rows [row, row + n), n at most CHUNK, are set: at[] (counted from row), their
 * number, and the index of the first one's value. */
static uint32_t
set_rows_of_bitmap(const struct segment_column *c, uint32_t row, uint32_t n, uint32_t *at,
                   uint32_t *out_first)
{
    uint32_t word = row / FORMAT_RANK_ROWS * (FORMAT_RANK_ROWS / 64);
    uint32_t first = c->ranks[row / FORMAT_RANK_ROWS];
    uint32_t n_set = 0;

    for (; word < row / 64; word++)
        first += (uint32_t)__builtin_popcountll(c->bitmap[word]);
    first += (uint32_t)__builtin_popcountll(c->bitmap[word] & ((UINT64_C(1) << row % 64) - 1));
    for (; word <= (row + n - 1) / 64; word++) {
        uint64_t bits = c->bitmap[word];

        if (word == row / 64)
            bits &= ~UINT64_C(0) << row % 64;
        for (; bits != 0; bits &= bits - 1) {
            uint32_t bit = word * 64 + (uint32_t)__builtin_ctzll(bits);

            if (bit >= row + n)
                break;
            at[n_set++] = bit - row;
        }
    }
    *out_first = first;
    return n_set;
}

static uint32_t
set_rows_of_list(const struct segment_column *c, uint32_t row, uint32_t n, uint32_t *at,
                 uint32_t *out_first)
{
    uint32_t low = 0;
    uint32_t high = c->n_set;
    uint32_t n_set = 0;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (c->rows[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    *out_first = low;
    for (; low < c->n_set && c->rows[low] < row + n; low++)
        at[n_set++] = c->rows[low] - row;
    return n_set;
}

static uint32_t
set_rows(const struct segment_column *c, uint32_t row, uint32_t n, uint32_t *at,
         uint32_t *out_first)
{
    return c->encoding == ENCODING_BITMAP ? set_rows_of_bitmap(c, row, n, at, out_first)
                                          : set_rows_of_list(c, row, n, at, out_first);
}

void
segment_codes(const struct segment_column *c, uint32_t row, uint32_t n, uint32_t *codes)
{
    uint32_t at[CHUNK];
    uint32_t found[CHUNK];

    assert(c->n_codes > 0 && row <= c->n_rows && n <= c->n_rows - row);
    if (c->encoding == ENCODING_DENSE) {
        segment__unpack32(c->packed, c->width, row, n, (uint32_t)c->base, codes);
        return;
    }
    if (n > 0)
        memset(codes, 0, n * sizeof *codes);
    while (n > 0 && c->n_set > 0) {
        uint32_t some = n < CHUNK ? n : CHUNK;
        uint32_t first;
        uint32_t n_set = set_rows(c, row, some, at, &first);

        segment__unpack32(c->packed, c->width, first, n_set, (uint32_t)c->base, found);
        for (uint32_t i = 0; i < n_set; i++)
            codes[at[i]] = found[i];
        row += some;
        codes += some;
        n -= some;
    }
}

void
segment_values(const struct segment_column *c, uint32_t row, uint32_t n, int64_t *values,
               bool *is_set)
{
    uint32_t at[CHUNK];
    int64_t found[CHUNK];

    assert(c->n_codes == 0 && row <= c->n_rows && n <= c->n_rows - row);
    if (is_set != NULL && n > 0)
        memset(is_set, c->encoding == ENCODING_DENSE, n);
    if (c->encoding == ENCODING_DENSE) {
        segment__unpack64(c->packed, c->width, row, n, c->base, values);
        return;
    }
    if (n > 0)
        memset(values, 0, n * sizeof *values);
    while (n > 0 && c->n_set > 0) {
        uint32_t some = n < CHUNK ? n : CHUNK;
        uint32_t first;
        uint32_t n_set = set_rows(c, row, some, at, &first);

        segment__unpack64(c->packed, c->width, first, n_set, c->base, found);
        for (uint32_t i = 0; i < n_set; i++) {
            values[at[i]] = found[i];
            if (is_set != NULL)
                is_set[at[i]] = true;
        }
        row += some;
        values += some;
        is_set = is_set == NULL ? NULL : is_set + some;
        n -= some;
    }
}

struct slice
segment_text_value(const struct segment_column *c, uint32_t code)
{
    assert(code < c->n_codes);
    return code == 0 ? SLICE_EMPTY : segment__dictionary_value(c->values, c->n_codes - 1, code - 1);
}

uint32_t
segment_text_find(const struct segment_column *c, struct slice value)
{
    uint32_t low = 1;
    uint32_t high = c->n_codes;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = slice_compare(segment_text_value(c, middle), value);

        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}
