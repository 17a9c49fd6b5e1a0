/* A set of pairs of small numbers: who has been met where. */
#ifndef AGGREGATOR_PAIR_SET_H
#define AGGREGATOR_PAIR_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Empty is all zeros. */
struct pair_set {
    uint64_t *slots; /* a << 32 | b; 0: free */
    size_t n;
    size_t n_slots;
};

void pair_set_fini(struct pair_set *s); /* empty again */

/* Was it not there before? b is not 0. */
bool pair_set_add(struct pair_set *s, uint32_t a, uint32_t b);

size_t pair_set_bytes(const struct pair_set *s); /* that it holds */

#endif
