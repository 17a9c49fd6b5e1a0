/* Columns, dictionaries and cold strings as blocks of a file that is being written. */
#include <assert.h>
#include <stdlib.h>
#include <zstd.h>

#include "aggregator/segment/encode_int.h"
#include "core/bytes.h"
#include "core/hash.h"

#define PRESS_MIN 256   /* bytes of a dictionary that are worth compressing */
#define PART_RAW  32768 /* a part of cold strings is closed at this size */

/* ---- packing ---- */

struct packer {
    struct segment__out *out;
    unsigned width;
    unsigned n_bits; /* of the last byte, below 8 */
    uint64_t bits;
    size_t n;
    unsigned char bytes[4096 + 8];
};

static void
packer_flush(struct packer *p)
{
    segment__out_add(p->out, p->bytes, p->n);
    p->n = 0;
}

static void
packer_add(struct packer *p, uint64_t value)
{
    unsigned n_bits = p->n_bits + p->width;

    if (p->width == 64) {
        store_u64(p->bytes + p->n, value);
        p->n += 8;
    } else { /* at most 7 + 56 bits */
        p->bits |= value << p->n_bits;
        store_u64(p->bytes + p->n, p->bits);
        p->n += n_bits / 8;
        p->bits >>= n_bits / 8 * 8;
        p->n_bits = n_bits % 8;
    }
    if (p->n >= sizeof p->bytes - 16)
        packer_flush(p);
}

static void
packer_end(struct packer *p)
{
    unsigned char tail[1 + FORMAT_PACKED_SLACK] = {(unsigned char)p->bits};

    packer_flush(p);
    if (p->width != 0 && p->n_bits > 0)
        segment__out_add(p->out, tail, 1);
    if (p->width != 0)
        segment__out_add(p->out, tail + 1, FORMAT_PACKED_SLACK);
}

/* ---- columns ---- */

void
segment__take_survey(const struct segment__source *source, uint32_t n_rows,
                     struct segment__survey *v)
{
    struct segment__batch *batch = mem_alloc(sizeof *batch);

    *v = (struct segment__survey){.n_rows = n_rows, .min = INT64_MAX, .max = INT64_MIN};
    v->bitmap = mem_zalloc(((size_t)n_rows + 63) / 64 * 8);
    for (source->next(source->context, batch); batch->n > 0; source->next(source->context, batch)) {
        for (uint32_t i = 0; i < batch->n; i++) {
            int64_t value = batch->value[i];

            assert(batch->row[i] < n_rows);
            v->bitmap[batch->row[i] / 64] |= UINT64_C(1) << batch->row[i] % 64;
            v->min = value < v->min ? value : v->min;
            v->max = value > v->max ? value : v->max;
        }
        v->n_set += batch->n;
    }
    free(batch);
}

enum format_encoding
segment__choose_rows(const struct segment__survey *v, uint64_t *out_bytes)
{
    unsigned width = v->n_set == 0 ? 0 : segment__width((uint64_t)v->max - (uint64_t)v->min);
    uint64_t bitmap = segment__rows_bytes(ENCODING_BITMAP, v->n_rows, v->n_set, width);
    uint64_t list = segment__rows_bytes(ENCODING_LIST, v->n_rows, v->n_set, width);

    *out_bytes = bitmap <= list ? bitmap : list;
    return bitmap <= list ? ENCODING_BITMAP : ENCODING_LIST;
}

/* The encoding of fewest bytes; a dense one, which is read fastest, where it is nearly so. Returns
 * what it takes. */
static uint64_t
choose(const struct segment__survey *v, enum segment__column_kind kind, struct segment__entry *e)
{
    bool is_full = v->n_set == v->n_rows;
    unsigned width = segment__width((uint64_t)v->max - (uint64_t)v->min);
    unsigned dense_width = is_full ? width : segment__width((uint64_t)v->max);
    uint64_t dense = segment__packed_bytes(v->n_rows, dense_width);
    uint64_t least;

    e->encoding = (unsigned char)segment__choose_rows(v, &least);
    e->count = v->n_set;
    e->base = v->min;
    e->width = (unsigned char)width;
    if (!is_full && (kind != COLUMN_TEXT || dense > least + least / 4))
        return least;
    e->encoding = ENCODING_DENSE;
    e->count = v->n_rows;
    e->base = is_full ? v->min : 0;
    e->width = (unsigned char)dense_width;
    return dense;
}

void
segment__add_ranks(struct segment__out *o, const struct segment__survey *v)
{
    uint32_t n_words = (v->n_rows + 63) / 64;
    uint32_t set = 0;
    unsigned char rank[4];

    for (uint32_t i = 0; i < n_words; i++) {
        if (i % (FORMAT_RANK_ROWS / 64) == 0) {
            store_u32(rank, set);
            segment__out_add(o, rank, sizeof rank);
        }
        set += (uint32_t)__builtin_popcountll(v->bitmap[i]);
    }
    segment__out_pad(o, 8);
}

static void
add_list(struct segment__out *o, const struct segment__survey *v)
{
    unsigned char row[4];

    for (uint32_t i = 0; i < (v->n_rows + 63) / 64; i++)
        for (uint64_t bits = v->bitmap[i]; bits != 0; bits &= bits - 1) {
            store_u32(row, i * 64 + (uint32_t)__builtin_ctzll(bits));
            segment__out_add(o, row, sizeof row);
        }
    segment__out_pad(o, 8);
}

void
segment__add_rows(struct segment__out *o, enum format_encoding encoding,
                  const struct segment__survey *v)
{
    if (encoding == ENCODING_LIST) {
        add_list(o, v);
    } else if (encoding == ENCODING_BITMAP) {
        segment__add_ranks(o, v);
        segment__out_add(o, v->bitmap, ((size_t)v->n_rows + 63) / 64 * 8);
    }
}

static void
packer_init(struct packer *p, struct segment__out *o, unsigned width)
{
    p->out = o;
    p->width = width;
    p->n_bits = 0;
    p->bits = 0;
    p->n = 0;
}

void
segment__add_packed(struct segment__out *o, const uint32_t *values, uint32_t n, unsigned width)
{
    struct packer packer;

    if (n == 0)
        return;
    packer_init(&packer, o, width);
    for (uint32_t i = 0; i < n; i++)
        packer_add(&packer, values[i]);
    packer_end(&packer);
}

void
segment__add_values(struct segment__out *o, const struct segment__source *source,
                    const struct segment__entry *e, uint32_t gap_rows)
{
    struct segment__batch *batch = mem_alloc(sizeof *batch);
    struct packer packer;
    uint32_t next = 0;

    packer_init(&packer, o, e->width);
    for (source->next(source->context, batch); batch->n > 0; source->next(source->context, batch))
        for (uint32_t i = 0; i < batch->n; i++) {
            for (; gap_rows > 0 && next < batch->row[i]; next++)
                packer_add(&packer, 0);
            packer_add(&packer, (uint64_t)batch->value[i] - (uint64_t)e->base);
            next++;
        }
    for (; next < gap_rows; next++)
        packer_add(&packer, 0);
    packer_end(&packer);
    free(batch);
}

/* Which rows have these is asked in every walk, often of a few rows at a time: a gate would have to
 * decode the event names of a whole frame for each. */
static bool
is_asked_often(const struct segment__entry *e)
{
    return e->type == BLOCK_ID_GIVEN || (e->type == BLOCK_NUMBER && e->id == NUMBER_VALUE) ||
           (e->type == BLOCK_TEXT && e->id == TEXT_CURRENCY);
}

/* In fewer bytes than the simple encodings take, if that can be. codes: NULL for numbers. */
static bool
encode_thoroughly(struct segment__out *o, struct segment__entry *e,
                  const struct segment__source *source, const struct segment__codes *codes,
                  const struct segment__survey *v, uint64_t bytes)
{
    struct segment__gate gate = {.is_learnt = false};
    bool is_done = false;

    if (e->type == BLOCK_TIME)
        return segment__encode_steps(o, e, source, v, bytes);
    if (is_asked_often(e))
        return false;
    if (codes != NULL)
        is_done = segment__encode_guessed(o, e, codes, &gate, v, bytes);
    if (!is_done && e->encoding != ENCODING_DENSE)
        is_done = segment__encode_gated(o, e, source, v, &gate,
                                        segment__rows_bytes(e->encoding, v->n_rows, e->count, 0));
    segment__gate_fini(&gate);
    return is_done;
}

/* codes: NULL where there is only the source. */
static void
encode(struct segment__out *o, struct segment__entry *e, enum segment__column_kind kind,
       const struct segment__source *source, const struct segment__codes *codes,
       const struct segment__survey *v)
{
    bool is_event = e->type == BLOCK_TEXT && e->id == TEXT_EVENT;
    uint64_t bytes = choose(v, kind, e);

    if (o->run_rows != NULL && !is_event && encode_thoroughly(o, e, source, codes, v, bytes))
        return;
    segment__out_begin(o);
    segment__add_rows(o, (enum format_encoding)e->encoding, v);
    segment__add_values(o, source, e, e->encoding == ENCODING_DENSE ? v->n_rows : 0);
    segment__out_end(o, e);
}

struct segment__summary
segment__encode_column(struct segment__out *o, uint32_t type, uint32_t id,
                       enum segment__column_kind kind, uint32_t n_rows,
                       const struct segment__source *source)
{
    struct segment__entry e = {.type = type, .id = id};
    struct segment__survey survey;

    segment__take_survey(source, n_rows, &survey);
    if (survey.n_set > 0)
        encode(o, &e, kind, source, NULL, &survey);
    free(survey.bitmap);
    return (struct segment__summary){survey.n_set, survey.min, survey.max};
}

void
segment__encode_codes(struct segment__out *o, uint32_t type, uint32_t id,
                      const struct segment__codes *codes)
{
    struct segment__entry e = {.type = type, .id = id};
    struct segment__codes_walk walk = {.codes = codes};
    struct segment__source source = {segment__codes_next, &walk};
    struct segment__survey survey = {.n_rows = codes->n_rows, .min = 1};

    survey.bitmap = mem_alloc(((size_t)codes->n_rows + 63) / 64 * 8);
    survey.n_set = segment__codes_mark(codes, survey.bitmap);
    survey.max = codes->n_codes - 1; /* every text is some row's */
    encode(o, &e, COLUMN_TEXT, &source, codes, &survey);
    free(survey.bitmap);
}

/* ---- dictionaries ---- */

/* Returns whether it was worth it. */
static bool
press(const struct buffer *plain, int level, struct buffer *pressed)
{
    size_t n;

    if (plain->n < PRESS_MIN)
        return false;
    buffer_reserve(pressed, ZSTD_compressBound(plain->n));
    n = ZSTD_compress(pressed->p, pressed->capacity, plain->p, plain->n, level);
    if (ZSTD_isError(n))
        return false;
    pressed->n = n;
    return n < plain->n - plain->n / 8 && plain->n / FORMAT_DICTIONARY_RATIO < n;
}

void
segment__encode_dictionary(struct segment__out *o, uint32_t type, uint32_t id,
                           const struct slice *values, uint32_t n)
{
    struct segment__entry e = {.type = type, .id = id, .count = n, .encoding = ENCODING_PLAIN};
    struct buffer plain = BUFFER_EMPTY;
    struct buffer pressed = BUFFER_EMPTY;
    uint64_t end = 0;

    for (uint32_t i = 0; i < n; i++) {
        end += values[i].n;
        buffer_add_u32(&plain, (uint32_t)end);
    }
    if (o->rc == ERR_OK && end + plain.n > FORMAT_DICTIONARY_MAX)
        o->rc =
            err_set(&o->err, ERR_LIMIT, NULL, "the distinct texts of an attribute are too many");
    for (uint32_t i = 0; o->rc == ERR_OK && i < n; i++)
        buffer_add_slice(&plain, values[i]);
    segment__out_begin(o);
    if (o->rc == ERR_OK && press(&plain, o->level, &pressed)) {
        e.encoding = ENCODING_ZSTD;
        e.base = (int64_t)plain.n;
        segment__out_add(o, pressed.p, pressed.n);
    } else {
        segment__out_add(o, plain.p, plain.n);
    }
    segment__out_end(o, &e);
    buffer_fini(&pressed);
    buffer_fini(&plain);
}

/* ---- plain blocks ---- */

void
segment__encode_plain(struct segment__out *o, uint32_t type, const void *bytes, size_t n_bytes,
                      uint32_t count)
{
    struct segment__entry e = {.type = type, .encoding = ENCODING_PLAIN, .count = count};

    segment__out_begin(o);
    segment__out_add(o, bytes, n_bytes);
    segment__out_end(o, &e);
}

void
segment__encode_sites(struct segment__out *o, const struct segment_site *sites, uint32_t n)
{
    struct segment__entry e = {.type = BLOCK_SITES, .encoding = ENCODING_PLAIN, .count = n};

    segment__out_begin(o);
    for (uint32_t i = 0; i < n; i++) {
        unsigned char p[FORMAT_SITE] = {0};

        store_u32(p + SITE_ID, sites[i].site);
        store_u32(p + SITE_RUN, sites[i].run_begin);
        store_u32(p + SITE_RUNS, sites[i].run_end - sites[i].run_begin);
        store_u64(p + SITE_TIME_MIN, (uint64_t)sites[i].time_min_ms);
        store_u64(p + SITE_TIME_MAX, (uint64_t)sites[i].time_max_ms);
        segment__out_add(o, p, sizeof p);
    }
    segment__out_end(o, &e);
}

/* ---- cold strings ---- */

void
segment__cold_begin(struct segment__cold_writer *w, struct segment__out *o, uint32_t type)
{
    *w = (struct segment__cold_writer){.out = o, .type = type, .zstd = ZSTD_createCCtx()};
    assert(w->zstd != NULL);
    segment__out_begin(o);
    o->is_cold = true;
}

/* Is it what a number is written as, and not more than one? */
static bool
is_number(struct slice string)
{
    if (string.n > FORMAT_NUMBER_DIGITS || string.p[0] == '0')
        return false;
    for (size_t i = 0; i < string.n; i++)
        if (string.p[i] < '0' || string.p[i] > '9')
            return false;
    return true;
}

static unsigned __int128
number_of(const char *p, size_t n)
{
    unsigned __int128 number = 0;

    for (size_t i = 0; i < n; i++)
        number = number * 10 + (unsigned)(p[i] - '0');
    return number;
}

/* Numbers in as many bytes as the largest takes: no frame would be shorter. Returns how many. */
static uint32_t
pack_numbers(struct segment__cold_writer *w)
{
    unsigned __int128 any = 0;
    uint32_t width = 1;

    for (int pack = 0; pack < 2; pack++) {
        const char *p = w->bytes.p;

        for (size_t i = 0; i < w->lengths.n; i += 2) {
            size_t n = load_u16(w->lengths.p + i);
            unsigned __int128 number = number_of(p, n);

            any |= number;
            if (pack == 1)
                buffer_add(&w->pressed, &number, width);
            p += n;
        }
        while (width < FORMAT_NUMBER_MAX && any >> 8 * width != 0)
            width++;
    }
    return width;
}

static uint32_t
press_part(struct segment__cold_writer *w)
{
    size_t n;

    buffer_add(&w->lengths, w->bytes.p, w->bytes.n);
    buffer_reserve(&w->pressed, ZSTD_compressBound(w->lengths.n));
    n = ZSTD_compressCCtx(w->zstd, w->pressed.p, w->pressed.capacity, w->lengths.p, w->lengths.n,
                          w->out->level);
    assert(!ZSTD_isError(n));
    w->pressed.n = n;
    return (uint32_t)w->lengths.n;
}

static void
end_part(struct segment__cold_writer *w)
{
    uint32_t raw;

    buffer_clear(&w->pressed);
    raw = w->are_numbers ? FORMAT_PART_NUMBERS | pack_numbers(w) : press_part(w);
    buffer_add_u32(&w->parts, w->part_first); /* as PART_... says */
    buffer_add_u32(&w->parts, w->count - w->part_first);
    buffer_add_u64(&w->parts, segment__out_length(w->out));
    buffer_add_u32(&w->parts, (uint32_t)w->pressed.n);
    buffer_add_u32(&w->parts, raw);
    buffer_add_u64(&w->parts, checksum64(w->pressed.p, w->pressed.n));
    segment__out_add(w->out, w->pressed.p, w->pressed.n);
    buffer_clear(&w->lengths);
    buffer_clear(&w->bytes);
    w->part_first = w->count;
}

void
segment__cold_add(struct segment__cold_writer *w, struct slice string)
{
    unsigned char length[2];

    assert(string.n >= 1 && string.n <= FORMAT_COLD_STRING_MAX);
    w->are_numbers = (w->count == w->part_first || w->are_numbers) && is_number(string);
    store_u16(length, (uint16_t)string.n);
    buffer_add(&w->lengths, length, sizeof length);
    buffer_add_slice(&w->bytes, string);
    w->count++;
    if (w->lengths.n + w->bytes.n >= PART_RAW)
        end_part(w);
}

void
segment__cold_end(struct segment__cold_writer *w)
{
    struct segment__entry e = {.type = w->type, .encoding = ENCODING_COLD, .count = w->count};

    if (w->part_first < w->count)
        end_part(w);
    e.base = (int64_t)(w->parts.n / FORMAT_PART);
    e.sum = checksum64(w->parts.p, w->parts.n);
    segment__out_pad(w->out, 8);
    segment__out_add(w->out, w->parts.p, w->parts.n);
    segment__out_end(w->out, &e);
    ZSTD_freeCCtx(w->zstd);
    buffer_fini(&w->lengths);
    buffer_fini(&w->bytes);
    buffer_fini(&w->pressed);
    buffer_fini(&w->parts);
}
