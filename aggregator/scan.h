/* One site's rows of one segment as what a funnel asks of them: when, which stages and exclusions
 * match, which value, which flags.
 *
 * When a scan is opened, each test of the funnel is run once per value of the dictionaries; per row
 * only look-ups remain. Rows are decoded in chunks, in ascending order, over the ends of runs.
 * A scan is for one thread; segment, matcher and tallies outlive it.
 */
#ifndef AGGREGATOR_SCAN_H
#define AGGREGATOR_SCAN_H

#include "aggregator/funnel/matcher.h"
#include "aggregator/funnel/tally.h"
#include "aggregator/segment/segment.h"

struct scan_row {
    int64_t time_ms;
    struct masks masks;
    struct tally_value value; /* filled where a stage matches; its currency is the tallies' */
    uint8_t flags;            /* enum event_flag */
};

struct scan_setup {
    const struct matcher *matcher;
    struct leaf_scratch *scratch;
    struct tally *const *tallies; /* their currencies get the same numbers */
    int n_tallies;
};

struct scan;

/* ERR_CORRUPT: a column fails its checksum; ERR_LIMIT: a regular expression ran into its limit. */
enum err_code scan_open(const struct segment *s, const struct segment_site *site,
                        const struct scan_setup *setup, struct scan **out, struct err *err);
void scan_close(struct scan **s);

/* Rows from `row` on, *out_n of them: at least 1, at most to `end`. Rows are asked for in ascending
 * order. Borrowed until the next call. */
const struct scan_row *scan_rows(struct scan *s, uint32_t row, uint32_t end, uint32_t *out_n);

#endif
