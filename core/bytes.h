/* Fixed-width little-endian integers at any alignment: what files and wires hold. */
#ifndef CORE_BYTES_H
#define CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "add byte swaps to core/bytes.h for this machine"
#endif

static inline uint16_t
load_u16(const void *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t
load_u32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t
load_u64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline int64_t
load_i64(const void *p)
{
    return (int64_t)load_u64(p);
}

static inline void
store_u16(void *p, uint16_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline void
store_u32(void *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline void
store_u64(void *p, uint64_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline bool
bytes_equal(const char *a, const char *b, size_t n)
{
    if (n > 16)
        return memcmp(a, b, n) == 0;
    if (n >= 8)
        return ((load_u64(a) ^ load_u64(b)) | (load_u64(a + n - 8) ^ load_u64(b + n - 8))) == 0;
    if (n >= 4)
        return ((load_u32(a) ^ load_u32(b)) | (load_u32(a + n - 4) ^ load_u32(b + n - 4))) == 0;
    if (n >= 2)
        return ((load_u16(a) ^ load_u16(b)) | (load_u16(a + n - 2) ^ load_u16(b + n - 2))) == 0;
    return n == 0 || a[0] == b[0];
}

/* Eight bytes looked at together (Bit Twiddling Hacks, "Determine if a word has a byte less than
 * n", by S. E. Anderson): exact about whether there is one, not about where. */
#define BYTES_EACH(c) (UINT64_C(0x0101010101010101) * (uint64_t)(c))
#define BYTES_HIGH    BYTES_EACH(0x80)

/* Marks of the bytes below a limit (at most 128): the lowest of them is right. */
static inline uint64_t
bytes_mark_below(uint64_t eight, unsigned char limit)
{
    return (eight - BYTES_EACH(limit)) & ~eight & BYTES_HIGH;
}

static inline uint64_t
bytes_mark_equal(uint64_t eight, unsigned char c)
{
    return bytes_mark_below(eight ^ BYTES_EACH(c), 1);
}

/* Marks of the bytes that are c: all of them are right. */
static inline uint64_t
bytes_each_equal(uint64_t eight, unsigned char c)
{
    uint64_t x = eight ^ BYTES_EACH(c);

    return ~(((x & ~BYTES_HIGH) + ~BYTES_HIGH) | x | ~BYTES_HIGH);
}

/* The index of the byte that the lowest mark is in. marks is not 0. */
static inline unsigned
bytes_first(uint64_t marks)
{
    return (unsigned)__builtin_ctzll(marks) / 8;
}

static inline bool
bytes_any_below(uint64_t eight, unsigned char limit) /* limit at most 128 */
{
    return bytes_mark_below(eight, limit) != 0;
}

static inline bool
bytes_any_equal(uint64_t eight, unsigned char c)
{
    return bytes_any_below(eight ^ BYTES_EACH(c), 1);
}

static inline bool
bytes_any_upper(uint64_t eight) /* A to Z */
{
    uint64_t low = eight & ~BYTES_HIGH;

    return ((low + BYTES_EACH(0x80 - 'A')) & ~(low + BYTES_EACH(0x80 - 'Z' - 1)) & ~eight &
            BYTES_HIGH) != 0;
}

static inline bool
bytes_any_high(uint64_t eight) /* 0x80 and above: no ASCII */
{
    return (eight & BYTES_HIGH) != 0;
}

#endif
