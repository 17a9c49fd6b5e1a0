/* What the lists of query.h share: a site's rows in one segment, and what to do about damage. */
#ifndef AGGREGATOR_QUERY_INT_H
#define AGGREGATOR_QUERY_INT_H

#include "aggregator/query.h"

#define QUERY_CHUNK 1024 /* rows decoded at once */

/* One segment's rows of the site. */
struct query_part {
    const struct segment *segment;
    const struct segment_site *site;
    uint32_t begin;
    uint32_t end;
    /* rows before do not count (query__rows); INT64_MIN: all do */
    int64_t from_ms;
    struct segment_column time; /* where some do not */
};

/* False where segment i of the snapshot has nothing of the site. (Rows that are too old are in it
 * until query__pieces.) */
bool query__part(const struct snapshot *snapshot, size_t i, uint32_t site, struct query_part *out);

/* The stretches of the part that were not erased, in the arena; each is a part, and knows which of
 * its rows are too old. Usually one, the whole. ERR_CORRUPT. */
enum err_code query__pieces(const struct snapshot *snapshot, const struct query_part *part,
                            struct arena *a, struct query_part **out, size_t *out_n,
                            struct err *err);

/* Go on without a damaged segment, saying so in the log (lists guide people, they carry no figures
 * that must add up); anything else ends the query with why. */
enum err_code query__leave_out(enum err_code rc, const struct err *why, struct err *err);

/* The next rows of the part from `row` on: how many, and which of them count. */
uint32_t query__rows(const struct query_part *part, uint32_t row, bool counts[QUERY_CHUNK]);

/* Add to counts[code] the rows of the part with that code; with `flags`, of those that have a
 * driver of their own. */
void query__count_codes(const struct query_part *part, const struct segment_column *column,
                        const struct segment_column *flags, uint64_t *counts);

/* How many counts a file has: one for each of attribute_table, then one for each of its properties.
 */
size_t query__attribute_count(const struct segment *s);

/* Add to counts[query__attribute_count] how many events of the part have each. A key of a property
 * may be another site's. ERR_CORRUPT. */
enum err_code query__count_attributes(const struct query_part *part,
                                      const struct page_groups *groups, uint64_t *counts,
                                      struct err *err);

/* Of each visitor's events with one id the first by segment_repeat_compare stays; sorted by
 * (visitor, id). Returns how many. */
size_t query__drop_repeats(struct event *list, size_t n);

#endif
