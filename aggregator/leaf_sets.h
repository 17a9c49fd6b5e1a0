/* Sets of leaves, each kept once and known by a number, and the masks of events whose leaves come
 * from several events (aggregator/settle.h).
 *
 * There are few different sets among a site's events, and few ways in which they meet: masks are
 * worked out once for each and remembered. For one thread.
 */
#ifndef AGGREGATOR_LEAF_SETS_H
#define AGGREGATOR_LEAF_SETS_H

#include "aggregator/funnel/matcher.h"

#define LEAF_SETS_EMPTY  0          /* the number of the set without leaves */
#define LEAF_SETS_DIRECT UINT32_MAX /* in place of a driver's event */

struct leaf_sets;

/* ERR_LIMIT: a regular expression ran into its limit. The matcher is borrowed. */
enum err_code leaf_sets_create(const struct matcher *m, struct leaf_scratch *scratch,
                               struct leaf_sets **out, struct err *err);
void leaf_sets_destroy(struct leaf_sets **s);

uint32_t leaf_sets_find(struct leaf_sets *s, const struct leaf_bits *bits);

/* Where an event's leaves come from: numbers of sets. */
struct leaf_sources {
    uint32_t own;
    uint32_t driver; /* of the event that brought its driver; LEAF_SETS_DIRECT: none did */
    uint32_t origin;
    bool is_entrance;
};
struct masks leaf_sets_masks(struct leaf_sets *s, struct leaf_sources from);

/* Does what an event matches hang on nothing but leaves of its person's events? Not where a rule
 * asks for entrances, or for the channel of those that nothing brought. */
bool leaf_sets_are_own(const struct leaf_sets *s);

/* Can events match a stage although none of the person's events has a leaf? */
bool leaf_sets_empty_matches(struct leaf_sets *s);

#endif
