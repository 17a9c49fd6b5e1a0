/* A leaf: one positive test of one attribute, ready to be run over a column's dictionary.
 *
 * A leaf never holds for an event that lacks the attribute ("" is not set), so a scan asks only
 * about values that are there: once per dictionary value, or once per number.
 *
 *     leaf_attribute(leaf)->type   ATTRIBUTE_TEXT    leaf_text() on every dictionary value; also
 * for number operators on properties.<key> ATTRIBUTE_NUMBER  leaf_number() on every number that is
 * set ATTRIBUTE_FLAG    leaf_text() on "true" and "false"
 *
 * A leaf is immutable and may be used by many threads; a scratch belongs to one.
 */
#ifndef AGGREGATOR_FUNNEL_LEAF_H
#define AGGREGATOR_FUNNEL_LEAF_H

#include "aggregator/funnel/rule.h"

#define LEAF_DIGITS_MAX 6 /* of leaf_number: no currency and no attribute has more */

struct leaf;
struct leaf_scratch;

/* test is positive and canonical; borrowed for the leaf's life. ERR_INVALID for a regular
 * expression that does not compile, has back-references, look-around or (*VERBS). */
enum err_code leaf_create(const struct rule_test *test, struct leaf **out, struct err *err);
void leaf_destroy(struct leaf **leaf);

const struct attribute *leaf_attribute(const struct leaf *leaf);

struct leaf_scratch *leaf_scratch_create(void);
void leaf_scratch_destroy(struct leaf_scratch **scratch);

/* Does it hold for this text? ERR_LIMIT where a regular expression ran into its match limit: the
 * query must fail with these words. */
enum err_code leaf_text(const struct leaf *leaf, struct leaf_scratch *scratch, struct slice value,
                        bool *out, struct err *err);

/* Does it hold for units * 10^-digits? Exact. digits: 0..LEAF_DIGITS_MAX, see event_number_digits
 * (for `value` they are those of the event's currency). */
bool leaf_number(const struct leaf *leaf, int64_t units, int digits);

#endif
