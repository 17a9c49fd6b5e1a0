/* The builder's rows, shared by writer.c (in, sorting) and flush.c (out, one file).
 *
 * Texts are interned as they come, so an event takes about 200 bytes however long its texts are.
 * Every text attribute is a slot: the built-in ones by their code, then the properties by the
 * order in which their keys first came.
 */
#ifndef AGGREGATOR_SEGMENT_WRITER_INT_H
#define AGGREGATOR_SEGMENT_WRITER_INT_H

#include "aggregator/segment/segment_int.h"

/* ---- texts.c: interned texts, codes from 0 in order of arrival ---- */

struct segment__texts {
    struct slice *values; /* by code; in the arena */
    uint32_t *hashes;
    uint32_t n;
    uint32_t n_max;
    uint32_t last;     /* the code that was asked for last: visitors come in stretches */
    uint32_t *table;   /* code + 1; 0 = free; at most half full */
    uint32_t n_places; /* a power of two */
};

void segment__texts_fini(struct segment__texts *t);
uint32_t segment__texts_code(struct segment__texts *t, struct arena *a, struct slice value);

/* ---- writer.c ---- */

struct segment__cell {
    uint32_t slot;
    uint32_t code;
};

struct segment__row {
    uint64_t hash;
    int64_t time_ms;
    uint32_t site;
    uint32_t visitor; /* code of builder.visitors */
    uint32_t flags;
    uint32_t origin;
    uint32_t numbers_set;
    uint32_t n_cells;
    const struct segment__cell *cells;
    const int64_t *numbers; /* those that are set, in order of their codes */
    struct slice id;
};

struct segment_builder {
    struct segment_owner owner;
    struct arena arena;
    struct segment__row *rows;
    uint32_t n_rows;
    uint32_t n_rows_max;
    struct segment__texts visitors;
    struct segment__texts keys;   /* of properties */
    struct segment__texts *slots; /* TEXT_COUNT + keys.n are in use */
    uint32_t n_slots_max;
};

/* Visitors of two rows as bytes. */
int segment__row_compare_visitors(const struct segment_builder *b, const struct segment__row *x,
                                  const struct segment__row *y);

/* ---- flush.c ---- */

/* Write one file of the rows order[0..n): sorted, without repeats, all of one month. */
enum err_code segment__flush(struct segment_builder *b, const uint32_t *order, uint32_t n,
                             const char *dir, struct arena *a, struct segment_file *file,
                             struct err *err);

#endif
