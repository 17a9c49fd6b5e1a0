/* One site's rows of one segment as what a funnel asks of them: when, what matches, which value,
 * which flags.
 *
 * When a scan is opened, each test of the funnel is run once per value of the dictionaries; per row
 * only look-ups remain. Rows are decoded in chunks, in ascending order, over the ends of runs.
 * Where rules ask an event's driver or session, a row alone cannot say what it matches: such a scan
 * is unsettled, and its rows have what settling needs (aggregator/settle.h, leaf_sets.h).
 * A scan is for one thread; what it is set up with and the segment outlive it.
 */
#ifndef AGGREGATOR_SCAN_H
#define AGGREGATOR_SCAN_H

#include "aggregator/driver_table.h"
#include "aggregator/funnel/tally.h"
#include "aggregator/leaf_sets.h"
#include "aggregator/segment/segment.h"

struct scan_row {
    int64_t time_ms;
    union {
        struct masks masks; /* settled */
        struct {
            uint32_t leaves; /* of its own columns: number of leaf_sets */
            uint32_t driver; /* its own: number of driver_table; 0: none */
        } unsettled;
    };
    uint8_t flags;            /* enum event_flag */
    struct tally_value value; /* settled: filled where a stage matches */
};

struct scan_setup {
    const struct matcher *matcher;
    struct leaf_scratch *scratch;
    struct tally *tally;          /* values have its numbers of currencies */
    struct leaf_sets *sets;       /* of an unsettled scan, else NULL */
    struct driver_table *drivers; /* of an unsettled scan */
    bool is_sparse;               /* few runs will be asked for: only their rows are decoded */
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
