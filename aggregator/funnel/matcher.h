/* All rules of a question at once: which stages does an event match, which exclusions, and which of
 * the filters that choose units?
 *
 * Every different test is one leaf. A scan evaluates each leaf once per dictionary
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
 * Leaves come in parts by the event that they ask: its own, the one that brought its driver, the
 * one that gives its referrer and landing, or whether it is an entrance (aggregator/settle.h).
 * Where all ask the event itself, columns are enough.
 *
 * Filters at `every` and at a stage narrow the stages' rules; each of the others is a condition on
 * events. Masks do not depend on preset or window: one matcher serves all plans of a funnel.
 */
#ifndef AGGREGATOR_FUNNEL_MATCHER_H
#define AGGREGATOR_FUNNEL_MATCHER_H

#include "aggregator/funnel/definition.h"
#include "aggregator/funnel/leaf.h"
#include "aggregator/funnel/page_groups.h"
#include "aggregator/funnel/request.h"

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
    uint32_t stages;     /* bit k-1: stage k's rule, narrowed, matches */
    uint32_t exclusions; /* bit i: exclusions[i]'s rule matches */
    uint32_t conditions; /* see matcher_condition */
};

/* Whom a leaf asks. */
enum matcher_part {
    PART_EVENT,    /* the event itself */
    PART_DRIVER,   /* the event that brought its driver */
    PART_ORIGIN,   /* the event that gives its referrer and landing */
    PART_ENTRANCE, /* nobody: whether the event starts a session */
    PART_COUNT
};
enum matcher_part matcher_part_of(const struct attribute *a);

#define MATCHER_DIRECT SLICE("direct") /* the channel of events that nothing brought */

struct matcher;

/* Borrows f and the filters (n of them, checked by request_check_funnel; NULL: none) until
 * matcher_destroy. ERR_LIMIT beyond MATCHER_LEAVES_MAX different tests. */
enum err_code matcher_create(const struct funnel *f, const struct request_filter *filters, size_t n,
                             struct matcher **out, struct err *err);
void matcher_destroy(struct matcher **m);

/* What names paths have (borrowed as the funnel is); without them no page_group is set. */
void matcher_set_page_groups(struct matcher *m, const struct page_groups *groups);

/* The text that leaves of an attribute get of what its column holds: of page_group the name of the
 * path's group, else that itself. "" is not set: no leaf holds. */
struct slice matcher_text(const struct matcher *m, const struct attribute *a, struct slice stored);

/* The bit in masks.conditions of filter i, of one that chooses units. */
uint32_t matcher_condition(const struct matcher *m, size_t i);

/* Of one at first or last: the bit of events that have its attribute. */
uint32_t matcher_condition_set(const struct matcher *m, size_t i);

int matcher_n_leaves(const struct matcher *m);
const struct leaf *matcher_leaf(const struct matcher *m, int i); /* 0 <= i < n; lives as m */
const struct leaf_bits *matcher_part_leaves(const struct matcher *m, enum matcher_part part);
bool matcher_asks_event_only(const struct matcher *m);

/* The masks of an event for which exactly the leaves in bits hold. */
struct masks matcher_masks(const struct matcher *m, const struct leaf_bits *bits);

bool matcher_is_direct(const struct matcher *m);
struct masks matcher_leaf_masks(const struct matcher *m, int leaf); /* only if direct */

/* The masks of an event that is its visitor's only one: for callers without columns or visitors.
 * Slow. ERR_LIMIT as leaf_text. */
enum err_code matcher_event(const struct matcher *m, struct leaf_scratch *scratch,
                            const struct event *e, struct masks *out, struct err *err);

#endif
