/* What can be said of rows without decoding their values. */
#include <assert.h>

#include "aggregator/segment/segment_int.h"
#include "core/bytes.h"

#define CHUNK 512

/* The same bits in each of eight values of so many bits. */
static uint64_t
in_each(uint64_t bits, unsigned width)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < 8; i++)
        all |= bits << i * width;
    return all;
}

bool
segment_may_have_bits(const struct segment_column *c, uint32_t row, uint32_t n, uint64_t bits)
{
    uint64_t mask;
    uint64_t found = 0;

    if (c->encoding != ENCODING_DENSE || c->width > 8)
        return true;
    if (c->width == 0)
        return ((uint64_t)c->base & bits) != 0;
    if (c->base != 0)
        return true;
    mask = in_each(bits & ((UINT64_C(1) << c->width) - 1), c->width);
    for (uint32_t group = row / 8; group <= (row + n - 1) / 8; group++) /* `width` whole bytes */
        found |= load_u64(c->packed + (size_t)group * c->width) & mask;
    return found != 0;
}

static uint32_t
rows_of_bitmap(const struct segment_column *c, uint32_t row, uint32_t n, uint32_t *at)
{
    uint32_t n_set = 0;

    for (uint32_t word = row / 64; n > 0 && word <= (row + n - 1) / 64; word++) {
        uint64_t bits = c->bitmap[word];

        if (word == row / 64)
            bits &= ~UINT64_C(0) << row % 64;
        if (word == (row + n - 1) / 64)
            bits &= ~UINT64_C(0) >> (63 - (row + n - 1) % 64);
        for (; bits != 0; bits &= bits - 1)
            at[n_set++] = word * 64 + (uint32_t)__builtin_ctzll(bits) - row;
    }
    return n_set;
}

static uint32_t
rows_of_any(const struct segment_column *c, uint32_t row, uint32_t n, uint32_t *at)
{
    int64_t values[CHUNK];
    bool is_set[CHUNK];
    uint32_t n_set = 0;

    for (uint32_t begin = 0, some; begin < n; begin += some) {
        some = n - begin < CHUNK ? n - begin : CHUNK;
        segment_values(c, row + begin, some, values, is_set);
        for (uint32_t i = 0; i < some; i++)
            if (is_set[i])
                at[n_set++] = begin + i;
    }
    return n_set;
}

uint32_t
segment_set_rows(const struct segment_column *c, uint32_t row, uint32_t n, uint32_t *at)
{
    assert(c->n_codes == 0 && row <= c->n_rows && n <= c->n_rows - row);
    if (c->n_set == 0)
        return 0;
    if (c->encoding == ENCODING_BITMAP)
        return rows_of_bitmap(c, row, n, at);
    return rows_of_any(c, row, n, at);
}
