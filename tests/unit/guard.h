/* Input that ends at a guard page: a parser that reads one byte too far dies on the spot. */
#ifndef TESTS_UNIT_GUARD_H
#define TESTS_UNIT_GUARD_H

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/slice.h"

struct guard {
    char *map;
    size_t bytes; /* readable */
};

/* Room for inputs of up to max bytes. */
static inline struct guard
guard_create(size_t max)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct guard g = {NULL, (max + page - 1) / page * page};

    g.map = mmap(NULL, g.bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert(g.map != MAP_FAILED);
    assert(mprotect(g.map + g.bytes, page, PROT_NONE) == 0);
    return g;
}

/* A copy of s whose last byte is the last readable one; gone with the next call. */
static inline struct slice
guard_copy(const struct guard *g, struct slice s)
{
    char *p = g->map + g->bytes - s.n;

    assert(s.n <= g->bytes);
    memcpy(p, s.p, s.n);
    return slice_of(p, s.n);
}

static inline void
guard_destroy(struct guard *g)
{
    munmap(g->map, g->bytes + (size_t)sysconf(_SC_PAGESIZE));
}

#endif
