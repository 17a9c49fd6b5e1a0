/* Packed integers: value i is `width` bits at bit i*width, lowest bits first. One unaligned load
 * of 8 bytes holds any value of up to 56 bits; 8 zeros behind the last make that safe. */
#include "core/bytes.h"

#include "aggregator/segment/segment_int.h"

#define WIDTH_LOAD 56 /* the widest that one load holds at any bit offset */

unsigned
segment__width(uint64_t largest)
{
    unsigned width = 0;

    while (width < 64 && largest >> width != 0)
        width++;
    return width > WIDTH_LOAD ? 64 : width;
}

uint64_t
segment__packed_bytes(uint64_t n, unsigned width)
{
    return width == 0 ? 0 : (n * width + 7) / 8 + FORMAT_PACKED_SLACK;
}

/* Eight values are `width` whole bytes. With a constant width the compiler turns this into eight
 * loads, shifts and masks with constants. */
static inline __attribute__((always_inline)) void
unpack_groups(const unsigned char *p, unsigned width, uint32_t n_groups, uint32_t base,
              uint32_t *out)
{
    uint32_t mask = (uint32_t)((UINT64_C(1) << width) - 1);

    for (uint32_t group = 0; width <= 8 && group < n_groups; group++, p += width, out += 8) {
        uint64_t eight = load_u64(p);

        for (unsigned j = 0; j < 8; j++)
            out[j] = ((uint32_t)(eight >> j * width) & mask) + base;
    }
    for (uint32_t group = 0; width > 8 && group < n_groups; group++, p += width, out += 8)
        for (unsigned j = 0; j < 8; j++)
            out[j] = ((uint32_t)(load_u64(p + (j * width >> 3)) >> (j * width & 7)) & mask) + base;
}

#define WIDTH_CASE(w)                                                                              \
    case w:                                                                                        \
        unpack_groups(p, w, n_groups, base, out);                                                  \
        break;

static void
unpack_width(const unsigned char *p, unsigned width, uint32_t n_groups, uint32_t base,
             uint32_t *out)
{
    switch (width) {
        WIDTH_CASE(1)
        WIDTH_CASE(2)
        WIDTH_CASE(3)
        WIDTH_CASE(4)
        WIDTH_CASE(5)
        WIDTH_CASE(6)
        WIDTH_CASE(7)
        WIDTH_CASE(8)
        WIDTH_CASE(9)
        WIDTH_CASE(10)
        WIDTH_CASE(11)
        WIDTH_CASE(12)
        WIDTH_CASE(13)
        WIDTH_CASE(14)
        WIDTH_CASE(15)
        WIDTH_CASE(16)
        WIDTH_CASE(32)
    default:
        unpack_groups(p, width, n_groups, base, out);
    }
}

#define FEW 32 /* values that are sooner unpacked one by one */

static void
unpack_few(const unsigned char *p, unsigned width, uint32_t first, uint32_t n, uint32_t base,
           uint32_t *out)
{
    uint32_t mask = (uint32_t)((UINT64_C(1) << width) - 1);
    uint64_t bit = (uint64_t)first * width;

    for (uint32_t i = 0; i < n; i++, bit += width)
        out[i] = ((uint32_t)(load_u64(p + (bit >> 3)) >> (bit & 7)) & mask) + base;
}

void
segment__unpack32(const unsigned char *p, unsigned width, uint32_t first, uint32_t n, uint32_t base,
                  uint32_t *out)
{
    uint64_t i = first;
    uint64_t end = (uint64_t)first + n;

    if (width != 0 && n < FEW) {
        unpack_few(p, width, first, n, base, out);
        return;
    }
    if (width == 0) {
        for (; i < end; i++)
            *out++ = base;
        return;
    }
    for (; i < end && i % 8 != 0; i++)
        *out++ = (uint32_t)segment__packed_get(p, width, i) + base;
    unpack_width(p + i / 8 * width, width, (uint32_t)((end - i) / 8), base, out);
    out += (end - i) / 8 * 8;
    i += (end - i) / 8 * 8;
    for (; i < end; i++)
        *out++ = (uint32_t)segment__packed_get(p, width, i) + base;
}

void
segment__unpack64(const unsigned char *p, unsigned width, uint32_t first, uint32_t n, int64_t base,
                  int64_t *out)
{
    uint32_t narrow[256];

    if (width > 32) {
        for (uint32_t i = 0; i < n; i++)
            out[i] = (int64_t)((uint64_t)base + segment__packed_get(p, width, (uint64_t)first + i));
        return;
    }
    while (n > 0) {
        uint32_t some = n < 256 ? n : 256;

        segment__unpack32(p, width, first, some, 0, narrow);
        for (uint32_t i = 0; i < some; i++)
            out[i] = (int64_t)((uint64_t)base + narrow[i]);
        first += some;
        out += some;
        n -= some;
    }
}
