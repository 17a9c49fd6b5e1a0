/* Visitors that are counted where they lie: what pass_plain.c (which questions, which visitors),
 * pass_known.c (what is known of runs) and pass_pieces.c (rows that are read) share. */
#ifndef AGGREGATOR_PASS_PLAIN_INT_H
#define AGGREGATOR_PASS_PLAIN_INT_H

#include "aggregator/pass_int.h"

/* What visitors count for, of whom that is known without reading a row: the same for many. */
struct outcome_known {
    uint32_t seen;                /* stages */
    uint32_t paths[PRESET_COUNT]; /* stages visited; 0: none */
    bool is_chosen[PRESET_COUNT];
    bool is_cookieless;
};

#define OUTCOMES_MAX 192

/* What is known of visitors, in a byte: one of these, or the number of an outcome. */
enum { VERDICT_NOT_YET = OUTCOMES_MAX, VERDICT_READ, VERDICT_NOTHING };

/* One segment. */
struct plain_place {
    const struct segment_site *site;
    struct scan *scan; /* NULL: its rows are too old to matter */
    const uint32_t *rows;
    bool is_inside;                      /* all its visitors are: their times do not matter */
    bool is_entered;                     /* it has events in the range */
    const struct segment_column *values; /* of the breakdown; NULL where they are no texts */
    uint32_t *counts[OUTCOMES_MAX];      /* owned; by code, behind all codes those whom no driver
                                            brought;      NULL: none yet */
    uint8_t *verdicts;                   /* owned; of runs by the id of what is known of them */
    /* what is known of runs [begin, begin + n); owned */
    uint32_t begin;
    uint32_t n;
    uint32_t room;
    const struct scan_known *all_known; /* of the scan; by */
    uint32_t *known;                    /* or SCAN_ALONE: in */
    struct scan_known *own;
    uint32_t *codes;   /* of the breakdown; CODES_DIFFER */
    uint32_t *to_read; /* runs */
};

struct pass_plain {
    struct scan_packing packing;
    uint64_t give; /* a row with one of these bits goes the general way */
    bool is_counts_only;
    bool has_breakdown;
    uint64_t broken_down;   /* stages whose visit has the value of the breakdown; all: the entry */
    enum matcher_part part; /* the breakdown's; of a driver or an origin it is known only of who
                               enters by his first event */
    int64_t from_ms;        /* visitors whose events lie in [from, until] are inside */
    int64_t until_ms;
    uint32_t n_outcomes;
    struct outcome_known outcomes[OUTCOMES_MAX];
    int64_t n[OUTCOMES_MAX]; /* visitors */
    size_t n_places;
    struct plain_place *places;
    size_t n_counts; /* that all places have room for */

    uint64_t words[SCAN_CHUNK]; /* of the visitor at hand */
    int64_t times[SCAN_CHUNK];
};

/* ---- pass_known.c ---- */

/* Before runs [begin, end) of a place are asked for. */
void pass__know(struct pass_plain *k, struct plain_place *place, uint32_t begin, uint32_t end);

const struct scan_known *pass__known_of(struct pass_plain *k, const struct journey_piece *piece);

/* Do the filters choose a visitor? all: the words of his rows; entry: that of the row which the
 * path enters at. */
bool pass__is_chosen(const struct chooser *c, uint64_t all, uint64_t entry);

/* Visitors of one run each. Where there are several, they are among those asked for. Those that
 * must be read stand in place->to_read then, as many as is returned. */
uint32_t pass__count_known(struct pass *p, size_t input, const uint32_t *runs, uint32_t n);

/* Runs of several files, in order of time. */
struct known_pieces {
    size_t n;
    struct journey_piece pieces[JOURNEY_PIECES_MAX];
    const struct scan_known *known[JOURNEY_PIECES_MAX];
};

/* What is known of their visitor, if it is one: a verdict. *out_piece: the one that has the value
 * of the breakdown. */
uint32_t pass__judge_several(struct pass *p, const struct known_pieces *pieces,
                             const struct journey_piece **out_piece);

/* A visitor of that outcome. False: the breakdown needs more than runs say, and nothing was
 * counted. */
bool pass__count_outcome(struct pass *p, uint32_t outcome, const struct journey_piece *piece);

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
