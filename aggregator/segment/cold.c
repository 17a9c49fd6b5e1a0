/* Cold strings: ids and visitors, in zstd parts with a checksum each. Reading. */
#include <assert.h>
#include <stdlib.h>
#include <zstd.h>

#include "aggregator/segment/segment_int.h"
#include "core/bytes.h"
#include "core/hash.h"

/* ---- the list of parts ---- */

struct part {
    uint32_t first;
    uint32_t n;
    uint64_t offset; /* in the block */
    uint32_t length;
    uint32_t raw;
    uint32_t width; /* of numbers; 0: a zstd frame */
    uint64_t sum;
};

static const unsigned char *
part_list(const struct segment *s, const struct segment__entry *e)
{
    return s->map.p + e->offset + e->length - (uint64_t)e->base * FORMAT_PART;
}

static struct part
part_at(const unsigned char *list, uint64_t i)
{
    const unsigned char *p = list + i * FORMAT_PART;
    uint32_t raw = load_u32(p + PART_RAW);
    bool are_numbers = (raw & FORMAT_PART_NUMBERS) != 0;

    return (struct part){
        .first = load_u32(p + PART_FIRST),
        .n = load_u32(p + PART_COUNT),
        .offset = load_u64(p + PART_OFFSET),
        .length = load_u32(p + PART_LENGTH),
        .raw = are_numbers ? 0 : raw,
        .width = are_numbers ? raw & ~FORMAT_PART_NUMBERS : 0,
        .sum = load_u64(p + PART_SUM),
    };
}

static bool
is_length_right(const struct part *part)
{
    if (part->width == 0)
        return part->raw <= FORMAT_PART_MAX && part->raw >= (uint64_t)part->n * 3;
    return part->width <= FORMAT_NUMBER_MAX && part->length == (uint64_t)part->n * part->width;
}

/* Which parts were verified is kept for all who read them. */
static void
make_room(_Atomic(atomic_uchar *) *place, uint64_t n_parts)
{
    atomic_uchar *none = NULL;
    atomic_uchar *parts = mem_zalloc(n_parts * sizeof *parts);

    if (!atomic_compare_exchange_strong(place, &none, parts))
        free((void *)(uintptr_t)parts);
}

enum err_code
segment__cold_verify(const struct segment *s, const struct segment__entry *e, struct err *err)
{
    struct segment__state *state = &s->states[e - s->entries];
    const unsigned char *list = part_list(s, e);
    uint64_t n_parts = (uint64_t)e->base;
    uint64_t end = e->length - n_parts * FORMAT_PART;
    uint64_t next = 0;

    if (atomic_load_explicit(&state->is_verified, memory_order_acquire))
        return ERR_OK;
    if (checksum64(list, n_parts * FORMAT_PART) != e->sum)
        return segment__corrupt(s, e, err, "the checksum of its list differs");
    for (uint64_t i = 0; i < n_parts; i++) {
        struct part part = part_at(list, i);

        if (part.first != next || part.n == 0 || !is_length_right(&part) || part.offset > end ||
            part.length > end - part.offset)
            return segment__corrupt(s, e, err, "its list of parts does not fit");
        next += part.n;
    }
    if (next != e->count)
        return segment__corrupt(s, e, err, "its parts are not all values");
    make_room(&state->parts, n_parts);
    atomic_store_explicit(&state->is_verified, 1, memory_order_release);
    return ERR_OK;
}

/* ---- reading ---- */

void
segment__cold_init(struct segment__cold *c, const struct segment *s, uint32_t type)
{
    *c = (struct segment__cold){.segment = s, .entry = segment__find(s, type, 0)};
    assert(c->entry != NULL);
}

void
segment__cold_fini(struct segment__cold *c)
{
    buffer_fini(&c->raw);
    free(c->ends);
    *c = (struct segment__cold){.segment = NULL};
}

/* From lengths to ends; false where they do not fit the bytes. */
static bool
read_lengths(struct segment__cold *c, const struct part *part)
{
    uint32_t end = part->n * 2;

    if (c->ends_max < part->n) {
        c->ends_max = part->n;
        c->ends = mem_realloc(c->ends, c->ends_max * sizeof *c->ends);
    }
    for (uint32_t i = 0; i < part->n; i++) {
        uint32_t length = load_u16(c->raw.p + (size_t)i * 2);

        if (length == 0 || length > part->raw - end)
            return false;
        end += length;
        c->ends[i] = end;
    }
    return end == part->raw;
}

static enum err_code
verify_part(const struct segment__cold *c, uint64_t number, const struct part *part,
            struct err *err)
{
    const struct segment__entry *e = c->entry;
    const struct segment *s = c->segment;
    atomic_uchar *is_verified = s->states[e - s->entries].parts + number;

    if (atomic_load_explicit(is_verified, memory_order_relaxed))
        return ERR_OK;
    if (checksum64(s->map.p + e->offset + part->offset, part->length) != part->sum)
        return segment__corrupt(s, e, err, "the checksum of a part differs");
    atomic_store_explicit(is_verified, 1, memory_order_relaxed);
    return ERR_OK;
}

static enum err_code
read_part(struct segment__cold *c, const struct part *part, struct err *err)
{
    const struct segment__entry *e = c->entry;
    const unsigned char *p = c->segment->map.p + e->offset + part->offset;
    size_t n;

    c->first = part->first;
    c->width = part->width;
    c->numbers = p;
    if (part->width != 0) {
        c->n = part->n;
        return ERR_OK;
    }
    buffer_clear(&c->raw);
    buffer_reserve(&c->raw, part->raw);
    n = ZSTD_decompress(c->raw.p, part->raw, p, part->length);
    if (ZSTD_isError(n) || n != part->raw)
        return segment__corrupt(c->segment, e, err, "a part cannot be decompressed");
    if (!read_lengths(c, part))
        return segment__corrupt(c->segment, e, err, "the lengths of a part do not fit");
    c->n = part->n;
    return ERR_OK;
}

static enum err_code
seek_part(struct segment__cold *c, uint32_t i, struct err *err)
{
    enum err_code rc = segment__cold_verify(c->segment, c->entry, err);
    const unsigned char *list = part_list(c->segment, c->entry);
    uint64_t low = 0;
    uint64_t high = (uint64_t)c->entry->base;
    struct part part;

    c->n = 0;
    if (rc != ERR_OK)
        return rc;
    while (high - low > 1) { /* the first value of part low is at most i */
        uint64_t middle = low + (high - low) / 2;

        if (load_u32(list + middle * FORMAT_PART + PART_FIRST) <= i)
            low = middle;
        else
            high = middle;
    }
    part = part_at(list, low);
    rc = verify_part(c, low, &part, err);
    return rc == ERR_OK ? read_part(c, &part, err) : rc;
}

static enum err_code
stand_at(struct segment__cold *c, uint32_t i, struct err *err)
{
    assert(i < c->entry->count);
    return c->n == 0 || i < c->first || i - c->first >= c->n ? seek_part(c, i, err) : ERR_OK;
}

/* Sixteen bytes are always there: the list of parts stands behind the last part. */
static unsigned __int128
number_at(const struct segment__cold *c, uint32_t i)
{
    const unsigned char *p = c->numbers + (size_t)(i - c->first) * c->width;
    unsigned __int128 number = (unsigned __int128)load_u64(p + 8) << 64 | load_u64(p);

    return number & (~(unsigned __int128)0 >> (128 - 8 * c->width));
}

/* As it was given. */
static struct slice
number_text(struct segment__cold *c, unsigned __int128 number)
{
    size_t at = sizeof c->digits;

    for (uint64_t low; number >> 64 != 0; number /= 10) {
        low = (uint64_t)(number % 10);
        c->digits[--at] = (char)('0' + low);
    }
    for (uint64_t left = (uint64_t)number; left != 0; left /= 10)
        c->digits[--at] = (char)('0' + left % 10);
    return slice_of(c->digits + at, sizeof c->digits - at);
}

enum err_code
segment__cold_read(struct segment__cold *c, uint32_t i, struct slice *out, struct err *err)
{
    enum err_code rc = stand_at(c, i, err);
    uint32_t begin;

    if (rc != ERR_OK)
        return rc;
    if (c->width != 0) {
        *out = number_text(c, number_at(c, i));
        return out->n > 0 ? ERR_OK
                          : segment__corrupt(c->segment, c->entry, err, "has the number 0");
    }
    i -= c->first;
    begin = i == 0 ? c->n * 2 : c->ends[i - 1];
    *out = slice_of(c->raw.p + begin, c->ends[i] - begin);
    return ERR_OK;
}

enum err_code
segment__cold_compare(struct segment__cold *a, uint32_t i, struct segment__cold *b, uint32_t k,
                      bool *out_equal, struct err *err)
{
    struct slice x, y;
    enum err_code rc = stand_at(a, i, err);

    if (rc == ERR_OK)
        rc = stand_at(b, k, err);
    if (rc != ERR_OK)
        return rc;
    if (a->width != 0 && b->width != 0) {
        *out_equal = number_at(a, i) == number_at(b, k);
        return ERR_OK;
    }
    rc = segment__cold_read(a, i, &x, err);
    if (rc == ERR_OK)
        rc = segment__cold_read(b, k, &y, err);
    if (rc == ERR_OK)
        *out_equal = slice_equal(x, y);
    return rc;
}
