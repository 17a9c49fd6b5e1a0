/* A text's codes of all rows, in memory, in one, two or four bytes each: what a merge writes is
 * read several times, and so is what other columns are guessed from. */
#include <assert.h>
#include <stdlib.h>

#include "aggregator/segment/segment_int.h"
#include "core/arena.h"

#define CHUNK SEGMENT__CHUNK

void
segment__codes_init(struct segment__codes *c, uint32_t n_rows, uint32_t n_codes)
{
    *c = (struct segment__codes){.n_rows = n_rows, .n_codes = n_codes};
    c->bytes = n_codes <= 1u << 8 ? 1 : n_codes <= 1u << 16 ? 2 : 4;
    c->p = mem_alloc(segment__codes_size(c));
    memset(c->p, 0, c->bytes); /* before the first row, and behind the last */
    memset(c->p + (n_rows + (size_t)1) * c->bytes, 0, (size_t)CHUNK * c->bytes);
}

void
segment__codes_fini(struct segment__codes *c)
{
    free(c->p);
    *c = (struct segment__codes){.p = NULL};
}

size_t
segment__codes_size(const struct segment__codes *c)
{
    return (c->n_rows + (size_t)1 + CHUNK) * c->bytes;
}

void
segment__codes_put(struct segment__codes *c, uint32_t row, uint32_t n, const uint32_t *codes,
                   const uint32_t *map)
{
    unsigned char *p = c->p + (row + (size_t)1) * c->bytes;

    assert(row <= c->n_rows && n <= c->n_rows - row);
    if (c->bytes == 1) {
        for (uint32_t i = 0; i < n; i++)
            p[i] = (unsigned char)map[codes[i]];
    } else if (c->bytes == 2) {
        for (uint32_t i = 0; i < n; i++)
            store_u16(p + (size_t)i * 2, (uint16_t)map[codes[i]]);
    } else {
        for (uint32_t i = 0; i < n; i++)
            store_u32(p + (size_t)i * 4, map[codes[i]]);
    }
}

void
segment__codes_clear(struct segment__codes *c, uint32_t row, uint32_t n)
{
    memset(c->p + (row + (size_t)1) * c->bytes, 0, (size_t)n * c->bytes);
}

uint32_t
segment__codes_get(const struct segment__codes *c, uint32_t row)
{
    const unsigned char *p = c->p + (row + (size_t)1) * c->bytes;

    return c->bytes == 1 ? *p : c->bytes == 2 ? load_u16(p) : load_u32(p);
}

void
segment__codes_read(const struct segment__codes *c, uint32_t row, bool of_rows_before,
                    uint32_t *restrict codes)
{
    const unsigned char *p = c->p + (row + (size_t)(of_rows_before ? 0 : 1)) * c->bytes;

    assert(row < c->n_rows);
    if (c->bytes == 1) {
        for (uint32_t i = 0; i < CHUNK; i++)
            codes[i] = p[i];
    } else if (c->bytes == 2) {
        for (uint32_t i = 0; i < CHUNK; i++)
            codes[i] = load_u16(p + (size_t)i * 2);
    } else {
        memcpy(codes, p, CHUNK * sizeof *codes);
    }
}

uint32_t
segment__codes_mark(const struct segment__codes *c, uint64_t *bitmap)
{
    uint32_t codes[CHUNK];
    uint32_t n_set = 0;

    for (uint32_t row = 0; row < c->n_rows; row += CHUNK) {
        segment__codes_read(c, row, false, codes);
        for (uint32_t i = 0; i < CHUNK && row + i < c->n_rows; i += 64) {
            uint64_t word = 0;

            for (uint32_t k = 0; k < 64; k++) /* behind the last row all are 0 */
                word |= (uint64_t)(codes[i + k] != 0) << k;
            bitmap[(row + i) / 64] = word;
            n_set += (uint32_t)__builtin_popcountll(word);
        }
    }
    return n_set;
}

void
segment__codes_next(void *context, struct segment__batch *batch)
{
    struct segment__codes_walk *w = context;
    uint32_t n = 0;

    for (; n < SEGMENT__BATCH && w->row < w->codes->n_rows; w->row++) {
        uint32_t code;

        if (w->row % CHUNK == 0)
            segment__codes_read(w->codes, w->row, false, w->chunk);
        code = w->chunk[w->row % CHUNK];
        batch->row[n] = w->row;
        batch->value[n] = code;
        n += code != 0;
    }
    if (n == 0)
        w->row = 0;
    batch->n = n;
}
