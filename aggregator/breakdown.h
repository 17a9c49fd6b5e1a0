/* The rows of a report by the values of one or two attributes.
 *
 *     struct breakdown *b = breakdown_create(main_tally, values, n_values);
 *     for each counted path
 *         breakdown_add(b, &key) -> where it is summed up
 *     breakdown_finish(b, limit)
 *     b->n_rows, b->rows, b->other
 *
 * Every value has a row with a tally of its own as long as there are few. Beyond that paths are
 * only counted (is_counted_only): what breakdown_finish has chosen is tallied by a second walk,
 * with breakdown_create_like, which also gives the rows of another range.
 */
#ifndef AGGREGATOR_BREAKDOWN_H
#define AGGREGATOR_BREAKDOWN_H

#include "aggregator/attribute_values.h"
#include "aggregator/funnel/tally.h"
#include "aggregator/row_index.h"

struct breakdown_key {
    uint32_t values[REQUEST_BREAKDOWNS_MAX]; /* of attribute_values; 0 where there is no second */
};

struct breakdown_row {
    struct breakdown_key key;
    int64_t entered;
    struct tally *tally; /* owned; NULL where paths are only counted */
};

struct breakdown {
    size_t n_rows;
    struct breakdown_row *rows; /* once finished: the chosen ones, in their order */
    struct tally *other;        /* NULL: no path is in none of the rows */
    bool is_counted_only;
    /* for breakdown.c */
    bool is_fixed; /* rows are given: what is in none of them is `other` */
    struct tally *like;
    struct attribute_values *const *values;
    size_t rows_max;
    struct row_index index;
};

/* like (currencies) and values (of each attribute) are borrowed. */
struct breakdown *breakdown_create(struct tally *like, struct attribute_values *const *values);

/* The rows of a finished breakdown, empty. */
struct breakdown *breakdown_create_like(const struct breakdown *b, struct tally *like);
void breakdown_destroy(struct breakdown **b);

/* Count a path: the tally that it is added to, NULL where it is only counted. Borrowed until the
 * next call. */
struct tally *breakdown_add(struct breakdown *b, const struct breakdown_key *key);

/* Count n paths of one key. As above. */
struct tally *breakdown_add_many(struct breakdown *b, const struct breakdown_key *key, int64_t n);

/* Add `from`, of other visitors, made alike and not finished. */
void breakdown_merge(struct breakdown *b, const struct breakdown *from);

/* Of memory: grows with the rows. */
size_t breakdown_held_bytes(const struct breakdown *b);

/* Choose `limit` rows, the largest first; sum up the others. */
void breakdown_finish(struct breakdown *b, size_t limit);

#endif
