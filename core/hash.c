#include "core/hash.h"

#define XXH_INLINE_ALL /* most of what is hashed is short: a call would take as long */
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

size_t
hash_lower_bound(const void *rows, size_t n_rows, size_t row_bytes, uint64_t hash)
{
    size_t low = 0;

    while (n_rows > 0) {
        size_t half = n_rows / 2;
        uint64_t middle;

        memcpy(&middle, (const char *)rows + (low + half) * row_bytes, sizeof middle);
        if (middle < hash) {
            low += half + 1;
            n_rows -= half + 1;
        } else {
            n_rows = half;
        }
    }
    return low;
}
