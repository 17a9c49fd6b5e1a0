/* A scan from inside: scan.c opens it and gives rows, scan_packed.c gives rows of one word each. */
#ifndef AGGREGATOR_SCAN_INT_H
#define AGGREGATOR_SCAN_INT_H

#include <assert.h>
#include <stddef.h>

#include "aggregator/scan.h"

/* Every column with tests gives each row some words to OR: bits of leaves, or, where the scan is
 * direct, the masks themselves in one word: stages, conditions, exclusions from the lowest bit. */
#define DIRECT_CONDITIONS 16 /* bits before those of conditions, and room for so many */
#define DIRECT_EXCLUSIONS 32

static_assert(FUNNEL_STAGES_MAX <= DIRECT_CONDITIONS, "direct masks fit one word");

enum scan_column_kind { SCAN_TEXT, SCAN_NUMBER, SCAN_BOT };

struct scan_column {
    enum scan_column_kind kind;
    struct attribute attribute;
    struct segment_column column;
    const uint64_t *words; /* text: n_codes * width; bot: 2 * width (false, true) */
    bool is_idle;          /* no value passes any test: rows need not be looked at */
    int n_leaves;
    int leaves[MATCHER_LEAVES_MAX];
};

/* Drivers of rows by the codes of their texts, as met lately. */
#define DRIVERS_MET 4096 /* a power of two */

struct met {
    uint32_t codes[DRIVER_PARTS];
    uint32_t driver; /* its number; 0: nothing here */
};

struct own_drivers {
    struct segment_column columns[DRIVER_PARTS];
    uint32_t codes[DRIVER_PARTS][SCAN_CHUNK];
    struct met met[DRIVERS_MET];
};

struct scan {
    const struct matcher *matcher;
    struct scan_setup setup;
    struct arena arena;
    size_t width;
    bool is_direct;
    uint32_t end; /* of the site's rows */

    struct scan_column *columns;
    int n_columns;
    struct segment_column time;
    struct segment_column flags;
    struct segment_column value;
    struct segment_column currency;
    int32_t *currency_index; /* by code; -1: not asked for yet */
    int *currency_digits;
    const struct scan_column *only; /* where one column of a text is all that is asked */
    const struct scan_runs *runs;   /* NULL: nothing is known of them */

    uint32_t chunk_row; /* decoded rows are [chunk_row, chunk_row + n) */
    uint32_t n;
    uint64_t *words; /* SCAN_CHUNK * width */
    struct leaf_bits last_bits;
    struct masks last_masks;
    uint32_t last_leaves;
    struct own_drivers *own; /* of an unsettled scan */
    uint32_t codes[SCAN_CHUNK];
    uint32_t currency_codes[SCAN_CHUNK];
    int64_t numbers[SCAN_CHUNK];
    bool is_set[SCAN_CHUNK];
    struct scan_row rows[SCAN_CHUNK];
};

/* What the tests say of rows [row, row + n), n at most SCAN_CHUNK: s->words. Returns their flags,
 * until the next call; NULL where none is a bot's or without cookies. */
const int64_t *scan__test(struct scan *s, uint32_t row, uint32_t n);

const struct scan_column *scan__only_text(const struct scan *s);

/* The tally's number of a currency's code. */
int32_t scan__currency(struct scan *s, uint32_t code);

#endif
