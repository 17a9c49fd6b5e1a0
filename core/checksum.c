/* What is long is hashed by the library's own code, which takes what the processor has. */
#include <xxhash.h>

#include "core/hash.h"

uint64_t
checksum64(const void *p, size_t n)
{
    return XXH3_64bits(p, n);
}
