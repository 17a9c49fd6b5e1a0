#include "core/hash.h"

#include <xxhash.h>

uint64_t
hash64(struct slice s, uint64_t seed)
{
    return XXH3_64bits_withSeed(s.p, s.n, seed);
}

struct hash128
hash128(struct slice s)
{
    XXH128_hash_t h = XXH3_128bits(s.p, s.n);

    return (struct hash128){.low = h.low64, .high = h.high64};
}

uint64_t
checksum64(const void *p, size_t n)
{
    return XXH3_64bits(p, n);
}
