/* A part of a merge in the making: shared by merge.c (the part), merge_feed.c (what the inputs give
 * it) and merge_text.c (its texts). */
#ifndef AGGREGATOR_SEGMENT_MERGE_PART_H
#define AGGREGATOR_SEGMENT_MERGE_PART_H

#include "aggregator/segment/encode_int.h"
#include "aggregator/segment/merge_int.h"

#define SEGMENT__WINDOW 256

/* One input's column, decoded a window at a time: rows of an input are read in ascending order. */
struct segment__feed {
    struct segment_column column;
    uint32_t row_end;
    uint32_t begin; /* of the window */
    uint32_t n;
    uint32_t *map; /* text: code of the input -> code of the part */
    uint32_t walk; /* text: the next code while dictionaries are joined */
    uint32_t codes[SEGMENT__WINDOW];
    int64_t values[SEGMENT__WINDOW];
    bool is_set[SEGMENT__WINDOW];
};

/* A part in the making. */
struct segment__part {
    const struct segment_merge *merge;
    const struct segment__plan *plan;
    struct segment__out out;
    struct segment__feed *feeds; /* one an input */
    uint32_t *run_rows;          /* of the part */
    struct segment__presence presence;
    /* where the walk along the plan stands */
    bool is_marking; /* marking which codes are used, in map */
    bool takes_all;  /* rows of the inputs */
    bool is_folded;  /* some text was: ids of content cannot be made of what the part says */
    size_t extent;
    uint32_t at; /* rows of the extent that were read */
    uint32_t row;
};

/* ---- merge_feed.c ---- */

/* Decode the window from `row` of the input on. */
void segment__feed_fill(struct segment__feed *f, uint32_t row);

/* Rows [row, row + n) of the input, of which the window holds *out_n at once, at least one. */
static inline uint32_t
segment__feed_find(struct segment__feed *f, uint32_t row, uint32_t n, uint32_t *out_n)
{
    uint32_t at = row - f->begin;

    if (at >= f->n) {
        segment__feed_fill(f, row);
        at = 0;
    }
    *out_n = n < f->n - at ? n : f->n - at;
    return at;
}

/* A segment__source: the feeds' open columns along the plan; context is the part. */
void segment__part_next(void *context, struct segment__batch *batch);

/* Forget the last column. */
void segment__feeds_clear(struct segment__part *p);

/* ---- merge_text.c ---- */

enum err_code segment__merge_texts(struct segment__part *p, struct err *err);
enum err_code segment__merge_properties(struct segment__part *p, struct err *err);

#endif
