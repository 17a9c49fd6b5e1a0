/* Rows as a count asks of them, decoded together: those of many runs of one segment, or those of
 * one visitor of several.
 *
 *     count_source_open(&source, c, input, &bad, err)     once for each segment of a walk
 *     count_span_read(&span, &source, row, n)             its rows [row, row + n)
 *     count_span_clear(&other); count_span_add(&other, &span, at, n) ...     put together
 *
 * For one thread. */
#ifndef AGGREGATOR_COUNT_SPAN_H
#define AGGREGATOR_COUNT_SPAN_H

#include "aggregator/query_count_int.h"

#define SPAN_ROWS_MAX 131072 /* rows that are decoded together */
#define SPAN_METS     1024   /* a power of two */

/* A row's own driver: its number in the driver table; 0: none. */
#define SPAN_EMPTY   0x80000000u /* none of its texts is set */
#define SPAN_UNKNOWN 0xffffffffu /* it has one that was not read */

/* Rows [at, ..) of a span are those of a segment from `row` on. */
struct count_piece {
    uint32_t at;
    uint32_t row;
    struct count_source *from;
};

struct count_span {
    uint32_t row; /* the first one */
    uint32_t n;
    uint32_t room;
    int64_t *times;
    uint32_t *drivers;
    bool *are_bots;
    int64_t *engaged_ms;                      /* of all rows before row i, n + 1 of them */
    uint32_t *n_sales;                        /* the same: how many of `sales` are theirs */
    uint32_t *values[REQUEST_BREAKDOWNS_MAX]; /* numbers, of the row's own columns */
    struct count_sale *sales;
    uint32_t sales_room;
    size_t n_pieces;
    struct count_piece pieces[JOURNEY_PIECES_MAX];
    bool has_bots;
    bool is_odd; /* some row has no name: not all are counted */
};

void count_span_fini(struct count_span *s);
size_t count_span_bytes(const struct count_span *s);

/* The columns of one segment. */
struct count_source {
    bool is_open;
    struct counting *counting;
    size_t input;
    const uint32_t *rows; /* of runs */
    uint32_t n_runs;
    struct segment_presence presence;
    struct segment_column time, flags, engaged, event, order, value, currency;
    struct segment_column driver[DRIVER_PARTS];
    uint32_t sale; /* codes of event; 0: no event of this segment has that name */
    uint32_t value_of;
    int32_t *currencies;                       /* numbers by code; -1: not asked for yet */
    uint32_t *numbers[REQUEST_BREAKDOWNS_MAX]; /* of values by code; UINT32_MAX: the same */
    struct span_met {
        uint32_t codes[DRIVER_PARTS];
        uint32_t driver;
    } met[SPAN_METS];
};

/* Small things are in c->arena. */
enum err_code count_source_open(struct count_source *s, struct counting *c, size_t input,
                                struct err *err);

/* n is at most SPAN_ROWS_MAX. */
void count_span_read(struct count_span *s, struct count_source *from, uint32_t row, uint32_t n);

/* Read the own drivers of rows [begin, end), where somebody asks for them: mostly nobody does. */
void count_span_read_drivers(struct count_span *s, uint32_t begin, uint32_t end);
int count_span_compare_drivers(const struct count_span *s, uint32_t i, uint32_t k);

/* Of runs [run, run + n), n at most SPAN_RUNS: which have one driver only, in all rows that have
 * one. False where finding out would take reading them. */
#define SPAN_RUNS 256
void count_source_alike(const struct count_source *s, uint32_t run, uint32_t n, bool *out);

/* At most JOURNEY_PIECES_MAX are put together, each of rows that were read at once. */
void count_span_clear(struct count_span *s);
void count_span_add(struct count_span *s, const struct count_span *from, uint32_t at, uint32_t n);

#endif
