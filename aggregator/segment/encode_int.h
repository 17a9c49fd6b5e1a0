/* What encode.c, steps.c, gate.c and guess.c share. */
#ifndef AGGREGATOR_SEGMENT_ENCODE_INT_H
#define AGGREGATOR_SEGMENT_ENCODE_INT_H

#include "aggregator/segment/segment_int.h"

/* What a first reading of a source says. */
struct segment__survey {
    uint32_t n_rows;
    uint32_t n_set;
    int64_t min; /* of the values, where n_set > 0 */
    int64_t max;
    uint64_t *bitmap; /* owned: free */
};

void segment__take_survey(const struct segment__source *source, uint32_t n_rows,
                          struct segment__survey *out);

/* The cheaper way to say which rows are set, and what it and their values take. */
enum format_encoding segment__choose_rows(const struct segment__survey *v, uint64_t *out_bytes);

/* Parts of the open block. */
void segment__add_rows(struct segment__out *o, enum format_encoding encoding,
                       const struct segment__survey *v);
void segment__add_ranks(struct segment__out *o, const struct segment__survey *v);
/* Packed with the entry's width and base; where gap_rows > 0, rows of these that the source leaves
 * out are 0. */
void segment__add_values(struct segment__out *o, const struct segment__source *source,
                         const struct segment__entry *e, uint32_t gap_rows);
void segment__add_packed(struct segment__out *o, const uint32_t *values, uint32_t n,
                         unsigned width);

/* ---- steps.c ---- */

/* Write times as steps where that takes less than `bytes`. */
bool segment__encode_steps(struct segment__out *o, struct segment__entry *e,
                           const struct segment__source *source, const struct segment__survey *v,
                           uint64_t bytes);

/* ---- presence.c ---- */

/* What the rows of each run hold, and in which order, collected column by column. */
struct segment__presence {
    uint64_t *words;  /* owned; one a run */
    uint64_t *orders; /* owned; one a run */
    uint64_t *ties;   /* owned; bitmap of the rows that have the moment of the row before */
    uint32_t named;   /* the row where a name last came up first */
    const uint32_t *run_rows;
    uint32_t n_runs;
};

void segment__presence_init(struct segment__presence *p, const uint32_t *run_rows, uint32_t n_runs);
void segment__presence_fini(struct segment__presence *p);

/* Times of all rows; before the events. */
void segment__presence_add_times(struct segment__presence *p, const struct segment__source *source);

/* Codes of `event`. */
void segment__presence_add_events(struct segment__presence *p,
                                  const struct segment__source *source);

/* The bits that a value of another column gives its run. */
typedef uint64_t (*segment__presence_bits)(int64_t value);
uint64_t segment__presence_of_flags(int64_t flags);
uint64_t segment__presence_of_value(int64_t value);
uint64_t segment__presence_of_given(int64_t value);
void segment__presence_add(struct segment__presence *p, const struct segment__source *source,
                           segment__presence_bits bits_of);

/* Where there are too many different words, no order is written; where there are still too many,
 * nothing is. */
void segment__encode_presence(struct segment__out *o, const struct segment__presence *p);

/* ---- gate.c ---- */

/* The codes of a text that was written before. */
struct segment__known {
    const struct segment__codes *codes;  /* kept in memory, or */
    const struct segment_column *column; /* in the file, or NULL: there is none */
    uint32_t n_codes;
};
bool segment__known_open(struct segment__out *o, uint32_t text, struct segment__known *out);
/* A chunk of them from row on, or those of the row before each. */
void segment__known_read(const struct segment__known *k, uint32_t n_rows, uint32_t row,
                         bool of_rows_before, uint32_t *codes);

/* The events most of whose rows have a value, and the rows of these. */
struct segment__gate {
    bool is_learnt;
    uint32_t n;      /* bits of events; 0: not known, or it would always be open, or never */
    uint64_t *words; /* owned */
    uint64_t *rows;  /* a bitmap; owned */
};
/* Once: whether there is one. */
bool segment__gate_learn(struct segment__gate *g, struct segment__out *o,
                         const struct segment__survey *v);
void segment__gate_fini(struct segment__gate *g);

/* Write the column gated where that takes far less than `bytes`. */
bool segment__encode_gated(struct segment__out *o, struct segment__entry *e,
                           const struct segment__source *source, const struct segment__survey *v,
                           struct segment__gate *gate, uint64_t bytes);

/* ---- guess.c ---- */

/* Write the column guessed where that takes far less than `bytes`. */
bool segment__encode_guessed(struct segment__out *o, struct segment__entry *e,
                             const struct segment__codes *codes, struct segment__gate *gate,
                             const struct segment__survey *v, uint64_t bytes);

#endif
