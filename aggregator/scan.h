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

#define SCAN_CHUNK 1024 /* rows that are decoded at once */

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

/* The same rows for another thread: what the tests said of dictionaries is borrowed from `like`. */
struct scan *scan_open_like(const struct scan *like, const struct scan_setup *setup);

/* Rows from `row` on, *out_n of them: at least 1, at most to `end`. Cheapest in ascending
 * order. Borrowed until the next call. */
const struct scan_row *scan_rows(struct scan *s, uint32_t row, uint32_t end, uint32_t *out_n);

/* ---- One word a row (scan_packed.c) ----
 *
 * For walks that look at each row once: what it matches in the lowest bits, and what else there is
 * to know of it.
 */
#define PACKED_STAGES     UINT64_C(0xffff)
#define PACKED_CONDITIONS 16 /* 16 bits from here on */
#define PACKED_EXCLUSIONS 32 /* 28 */
#define PACKED_MATCHES    ((UINT64_C(1) << 60) - 1)
#define PACKED_COOKIELESS (UINT64_C(1) << 60)
#define PACKED_UNSETTLED  (UINT64_C(1) << 61) /* its driver, or what it brings, decides more */
#define PACKED_VALUE      (UINT64_C(1) << 62) /* matches a stage, and has a value */
#define PACKED_BOT        (UINT64_C(1) << 63)

/* How leaves become such words: by all their combinations, of at most 4096. */
struct scan_packing {
    bool is_direct;
    int n_leaves;
    uint64_t *words; /* owned; NULL where scans are direct */
};

/* False where rows do not fit into words: too many tests, or conditions, or exclusions; or what
 * they match depends on the sessions of their visitor. sets: of unsettled scans, else NULL. */
bool scan_packing_init(struct scan_packing *p, const struct matcher *m,
                       const struct leaf_sets *sets);
void scan_packing_fini(struct scan_packing *p);

/* Words of the rows [row, row + n), n at most SCAN_CHUNK. */
void scan_packed(struct scan *s, const struct scan_packing *p, uint32_t row, uint32_t n,
                 uint64_t *out);

/* When all rows of a run were, or the first; and of one, which has PACKED_VALUE, how much. */
void scan_run_times(const struct scan *s, uint32_t run, int64_t *out);
int64_t scan_run_start(const struct scan *s, uint32_t run);
struct tally_value scan_value(struct scan *s, uint32_t row);

/* Has the row a driver of its own? */
bool scan_has_driver(const struct scan *s, uint32_t row);

/* ---- Runs without their rows (scan_runs.c) ---- */

enum scan_known_kind {
    SCAN_TO_READ, /* only its rows say */
    SCAN_NOTHING, /* no row matches a stage */
    SCAN_SINGLE   /* some match one stage, all the same and with the same conditions; no row matches
                     another one */
};

struct scan_known {
    uint64_t all; /* the words of all rows together; or, where not is_exact, what these may be,
                     and more */
    uint8_t kind;
    bool is_exact;
    bool has_given_ids; /* some row may be another file's, too */
    bool has_bots;      /* some row is a bot's, or may be */
    bool has_order;     /* what follows is known: */
    uint8_t n_steps;    /* of the first row of each name that matches a stage, the word, in order */
    uint8_t tied;       /* bit i: step i is of the moment of the one before */
    uint64_t steps[ORDER_EVENTS_MAX];
    int64_t span_ms; /* the last row is at most so much later than the first */
};

/* Before any run is asked for, and before scan_open_like. ERR_CORRUPT. */
enum err_code scan_open_runs(struct scan *s, const struct segment *segment,
                             const struct scan_packing *p, struct err *err);

/* Does the file say anything of its runs? */
bool scan_knows_runs(const struct scan *s);

/* What is known of many runs alike, scan_n_known of them. */
uint32_t scan_n_known(const struct scan *s);
const struct scan_known *scan_all_known(const struct scan *s);

/* Of runs [run, run + n): which of scan_all_known; or, where it is of this run only, SCAN_ALONE,
 * and what is known is in own[], which has room for n. */
#define SCAN_ALONE UINT32_MAX
void scan_known(const struct scan *s, const struct scan_packing *p, uint32_t run, uint32_t n,
                struct scan_known *own, uint32_t *out);

#endif
