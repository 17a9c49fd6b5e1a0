/* XXH3 behind one name. Stable across versions: these values are on disk. */
#ifndef CORE_HASH_H
#define CORE_HASH_H

#include "core/slice.h"

struct hash128 {
    uint64_t low;
    uint64_t high;
};

uint64_t hash64(struct slice s, uint64_t seed); /* XXH3-64 with seed */
struct hash128 hash128(struct slice s);         /* XXH3-128 */
/* Rows of `row_bytes` that begin with a uint64_t hash, ascending: the first whose hash is at least
 * `hash`; n_rows where there is none. */
size_t hash_lower_bound(const void *rows, size_t n_rows, size_t row_bytes, uint64_t hash);

uint64_t checksum64(const void *p, size_t n); /* XXH3-64, seed 0: checksums of files and entries */

#endif
