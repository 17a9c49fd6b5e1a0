/* Fixed-width little-endian integers at any alignment: what files and wires hold. */
#ifndef CORE_BYTES_H
#define CORE_BYTES_H

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

#endif
