/* All rules of a funnel at once: which stages does an event match, which exclusions?
 *
 * Every different test in the funnel is one leaf. A scan evaluates each leaf once per dictionary
 * value of the column that it reads, so that per event only look-ups remain:
 *
 *     column's code -> struct leaf_bits        OR over the columns that have leaves
 *     matcher_masks(m, &bits) -> stages, exclusions
 *
 * Where every rule is a leaf or an `any` of leaves (matcher_is_direct), the masks themselves may be
 * tabled per code and OR-ed, without the second step:
 *
 *     column's code -> struct masks            OR over the columns; done
 *
 * Masks do not depend on preset or window: one matcher serves all plans of a funnel.
 */
#ifndef AGGREGATOR_FUNNEL_MATCHER_H
#define AGGREGATOR_FUNNEL_MATCHER_H

#include "aggregator/funnel/definition.h"
#include "aggregator/funnel/leaf.h"

#define MATCHER_LEAVES_MAX 256
#define MATCHER_WORDS      (MATCHER_LEAVES_MAX / 64)

struct leaf_bits {
    uint64_t word[MATCHER_WORDS];
};

static inline void
leaf_bits_set(struct leaf_bits *b, int leaf)
{
    b->word[leaf / 64] |= 1ULL << (leaf % 64);
}

static inline void
leaf_bits_or(struct leaf_bits *into, const struct leaf_bits *b)
{
    for (int i = 0; i < MATCHER_WORDS; i++)
        into->word[i] |= b->word[i];
}

struct masks {
    uint32_t stages;     /* bit k-1: stage k's rule matches */
    uint32_t exclusions; /* bit i: exclusions[i]'s rule matches */
};

struct matcher;

/* Borrows f until matcher_destroy. ERR_LIMIT beyond MATCHER_LEAVES_MAX different tests. */
enum err_code matcher_create(const struct funnel *f, struct matcher **out, struct err *err);
void matcher_destroy(struct matcher **m);

int matcher_n_leaves(const struct matcher *m);
const struct leaf *matcher_leaf(const struct matcher *m, int i); /* 0 <= i < n; lives as m */

/* The masks of an event for which exactly the leaves in bits hold. */
struct masks matcher_masks(const struct matcher *m, const struct leaf_bits *bits);

bool matcher_is_direct(const struct matcher *m);
struct masks matcher_leaf_masks(const struct matcher *m, int leaf); /* only if direct */

/* The masks of one event as core/event.h has it: for callers without columns (lists, tests). Slow.
 * ERR_LIMIT as leaf_text. */
enum err_code matcher_event(const struct matcher *m, struct leaf_scratch *scratch,
                            const struct event *e, struct masks *out, struct err *err);

#endif
