/* Visitors that are counted where they lie: what pass_plain.c (which questions, what is known of
 * runs) and pass_pieces.c (rows that are read) share. */
#ifndef AGGREGATOR_PASS_PLAIN_INT_H
#define AGGREGATOR_PASS_PLAIN_INT_H

#include "aggregator/pass_int.h"

/* One segment. */
struct plain_place {
    const struct segment_site *site;
    struct scan *scan; /* NULL: its rows are too old to matter */
    const uint32_t *rows;
    bool is_inside;                      /* all its visitors are: their times do not matter */
    bool is_entered;                     /* it has events in the range */
    const struct segment_column *values; /* of the breakdown; NULL where they are no texts */
    uint32_t *counts;                    /* owned; [code * n_stages + stage], behind all codes
                                            those whom no driver brought; NULL: too many */
    /* what is known of runs [begin, begin + n); owned */
    uint32_t begin;
    uint32_t n;
    uint32_t room;
    struct scan_known *known;
    uint32_t *codes;   /* of the breakdown; CODES_DIFFER */
    uint32_t *to_read; /* runs */
};

struct pass_plain {
    struct scan_packing packing;
    uint64_t give;                /* a row with one of these bits goes the general way */
    uint32_t alone[PRESET_COUNT]; /* stages that make a path on their own */
    int n_stages;
    bool has_breakdown;
    uint64_t broken_down;   /* stages where a path of one visit has a value in the breakdown */
    enum matcher_part part; /* the breakdown's; of a driver or an origin it is known only of who
                               enters by his first event */
    int64_t from_ms;        /* visitors whose events lie in [from, until] are inside */
    int64_t until_ms;
    int64_t n[FUNNEL_STAGES_MAX]; /* visitors that match this stage only */
    int64_t n_cookieless[FUNNEL_STAGES_MAX];
    size_t n_places;
    struct plain_place *places;
    size_t n_counts; /* of all places */

    uint64_t words[SCAN_CHUNK]; /* of the visitor at hand */
    int64_t times[SCAN_CHUNK];
};

/* ---- pass_plain.c ---- */

/* Do the filters choose a visitor? all: the words of his rows; entry: that of the row which the
 * path enters at. */
bool pass__is_chosen(const struct chooser *c, uint64_t all, uint64_t entry);

/* A visitor who matches one stage. code: of the breakdown, where the path of this one visit has
 * one; n_codes: no driver brought him. */
void pass__count_single(struct pass *p, size_t input, uint64_t all, uint32_t code);

/* ---- pass_pieces.c ---- */

/* A visitor by the rows of his runs, which are in the order of time and hold no event twice.
 * *out_taken false: nothing was counted. */
enum err_code pass__count_pieces(struct pass *p, struct journey_walk *w,
                                 const struct journey_piece *pieces, size_t n, bool *out_taken,
                                 struct err *err);

/* The breakdown's code of row i of pieces, where all rows of its run have the same, and it was
 * read. */
bool pass__code_of_run(const struct pass_plain *k, const struct journey *j, uint32_t i,
                       size_t *out_input, uint32_t *out_code);

#endif
