/* Columns: verified whole at their first opening, decoded without checks ever after. */
#include <stdlib.h>
#include <zstd.h>

#include "aggregator/segment/segment_int.h"
#include "core/bytes.h"

#define CHUNK 512 /* rows decoded at a time on the stack */

bool
segment__is_verified(const struct segment *s, const struct segment__entry *e)
{
    return atomic_load_explicit(&s->states[e - s->entries].is_verified, memory_order_acquire) != 0;
}

void
segment__set_verified(const struct segment *s, const struct segment__entry *e)
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

    if (!segment__is_verified(s, e))
        rc = segment__checksum(s, e, err);
    if (rc == ERR_OK && e->encoding == ENCODING_ZSTD)
        rc = decompress(s, e, &values, err);
    if (rc != ERR_OK)
        return rc;
    if (!segment__is_verified(s, e)) {
        if (!is_dictionary(values, e->count, n_bytes))
            return segment__corrupt(s, e, err, "its texts are not in order");
        segment__set_verified(s, e);
    }
    *out = (struct segment__dictionary){.n = e->count, .values = values};
    return ERR_OK;
}

/* ---- verifying what a packed column says ---- */

/* Do the counts before each frame of rows fit the rows that have a value? */
static bool
are_ranks_right(const struct segment_column *c)
{
    uint32_t n_set = 0;

    for (uint32_t row = 0; row < c->n_rows; row += FORMAT_RANK_ROWS) {
        uint32_t n = c->n_rows - row < FORMAT_RANK_ROWS ? c->n_rows - row : FORMAT_RANK_ROWS;
        const uint64_t *bits = c->rows_by == ENCODING_BITMAP ? c->bitmap + row / 64 : NULL;
        uint64_t gate[FORMAT_RANK_ROWS / 64];

        if (c->ranks[row / FORMAT_RANK_ROWS] != n_set)
            return false;
        if (bits == NULL) {
            segment__gate_bits(c, row / FORMAT_RANK_ROWS, n, gate);
            bits = gate;
        }
        for (uint32_t i = 0; i < (n + 63) / 64; i++)
            n_set += (uint32_t)__builtin_popcountll(bits[i]);
        if (n % 64 != 0 && bits[n / 64] >> n % 64 != 0)
            return false;
    }
    return n_set == c->n_packed;
}

static bool
is_list_ascending(const struct segment_column *c)
{
    for (uint32_t i = 1; i < c->n_rows_listed; i++)
        if (c->rows[i] <= c->rows[i - 1])
            return false;
    return c->n_rows_listed == 0 || c->rows[c->n_rows_listed - 1] < c->n_rows;
}

/* Are the packed values in [smallest, n_codes)? */
bool
segment__are_in_range(const unsigned char *packed, unsigned width, uint32_t n, int64_t base,
                      int64_t smallest, uint32_t n_codes)
{
    uint32_t codes[CHUNK];
    bool is_known = true;

    if (width > 32 || base < 0 || base >= n_codes)
        return n == 0;
    if (base >= smallest && base + (INT64_C(1) << width) <= n_codes)
        return true; /* whatever they are */
    for (uint32_t at = 0; at < n && is_known; at += CHUNK) {
        uint32_t some = n - at < CHUNK ? n - at : CHUNK;

        segment__unpack32(packed, width, at, some, 0, codes);
        for (uint32_t i = 0; i < some; i++) {
            int64_t code = base + codes[i];

            is_known &= code >= smallest && code < n_codes;
        }
    }
    return is_known;
}

/* Is every code one of the dictionary's? Only a dense or guessed column may say "not set". */
static bool
are_codes_known(const struct segment_column *c)
{
    bool may_be_unset = c->encoding == ENCODING_DENSE || c->encoding == ENCODING_GUESSED;

    return segment__are_in_range(c->packed, c->width, c->n_packed, c->base, may_be_unset ? 0 : 1,
                                 c->n_codes) &&
           segment__are_in_range(c->guess.packed, c->guess.width, c->guess.n, 0, 0, c->n_codes);
}

/* ---- columns that others are guessed from ---- */

/* A source was written before what is guessed from it, and a gate is guessed from nothing: so
 * neither leads back to where one came from. */
static bool
is_source(const struct segment__entry *source, const struct segment__entry *e, bool is_gate)
{
    if (is_gate)
        return source->encoding != ENCODING_GUESSED && source->encoding != ENCODING_GATED;
    return source->length == 0 || source->offset < e->offset;
}

/* The column of a text, opened once for all that need it; it lives as long as the segment. */
static enum err_code
open_source(const struct segment *s, const struct segment__entry *e, uint32_t text,
            const struct segment_column **out, struct err *err)
{
    const struct segment__entry *source = segment__find(s, BLOCK_TEXT, text);
    _Atomic(struct segment_column *) *place;
    struct segment_column *known;
    struct segment_column *fresh;
    enum err_code rc;

    if (source == NULL || !is_source(source, e, text == TEXT_EVENT))
        return segment__corrupt(s, e, err, "cannot be what another column is guessed from");
    place = &s->states[source - s->entries].column;
    known = atomic_load_explicit(place, memory_order_acquire);
    if (known == NULL) {
        fresh = mem_zalloc(sizeof *fresh);
        rc = segment__text_open(s, BLOCK_TEXT, text, fresh, err);
        if (rc != ERR_OK) {
            free(fresh);
            return rc;
        }
        if (atomic_compare_exchange_strong(place, &known, fresh))
            known = fresh;
        else
            free(fresh);
    }
    *out = known;
    return ERR_OK;
}

static enum err_code
open_sources(const struct segment *s, const struct segment__entry *e, struct segment_column *c,
             struct err *err)
{
    enum err_code rc = ERR_OK;

    if (c->n_gate != 0)
        rc = open_source(s, e, TEXT_EVENT, &c->event, err);
    if (rc == ERR_OK && c->guess.kind == GUESS_MAP)
        rc = open_source(s, e, c->guess.source, &c->guess.column, err);
    if (rc != ERR_OK)
        return rc;
    if ((c->event != NULL && c->event->n_codes != c->n_gate) ||
        (c->guess.column != NULL && c->guess.column->n_codes != c->guess.n))
        return segment__corrupt(s, e, err, "does not fit what it is guessed from");
    return ERR_OK;
}

/* ---- opening ---- */

static void
unset_column(const struct segment *s, bool is_text, struct segment_column *out)
{
    *out = (struct segment_column){
        .n_rows = s->info.n_rows,
        .n_codes = is_text ? 1 : 0,
        .encoding = ENCODING_LIST,
        .rows_by = ENCODING_LIST,
    };
}

/* texts: NULL for numbers. */
static enum err_code
open_packed(const struct segment *s, const struct segment__entry *e,
            const struct segment__dictionary *texts, struct segment_column *out, struct err *err)
{
    struct segment__block block = {s->map.p + e->offset, e, s->info.n_rows, s->info.n_runs,
                                   s->run_rows};
    bool is_new = !segment__is_verified(s, e);
    enum err_code rc = is_new ? segment__checksum(s, e, err) : ERR_OK;
    struct segment_column c;

    if (rc == ERR_OK && !segment__lay_out(&block, &c))
        rc = segment__corrupt(s, e, err, "its length does not fit what it says");
    if (rc == ERR_OK)
        rc = open_sources(s, e, &c, err);
    if (rc != ERR_OK)
        return rc;
    c.n_codes = texts == NULL ? 0 : texts->n + 1;
    c.values = texts == NULL ? NULL : texts->values;
    if (is_new) {
        if (!is_list_ascending(&c))
            return segment__corrupt(s, e, err, "its rows do not ascend");
        if (c.encoding == ENCODING_STEPS && !segment__are_steps_right(&c))
            return segment__corrupt(s, e, err, "its exceptions are outside of their frames");
        if (c.ranks != NULL && !are_ranks_right(&c))
            return segment__corrupt(s, e, err, "its rows do not fit its counts");
        if (texts != NULL && !are_codes_known(&c))
            return segment__corrupt(s, e, err, "has codes without a text");
        segment__set_verified(s, e);
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

void
segment__all_given(const struct segment *s, struct segment_column *out)
{
    *out = (struct segment_column){.n_rows = s->info.n_rows,
                                   .encoding = ENCODING_DENSE,
                                   .base = 1,
                                   .n_set = s->info.n_rows,
                                   .n_packed = s->info.n_rows};
}

enum err_code
segment__given_open(const struct segment *s, struct segment_column *out, struct err *err)
{
    if (s->info.version > 1)
        return open_number(s, BLOCK_ID_GIVEN, 0, out, err);
    segment__all_given(s, out);
    return ERR_OK;
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
