/* Merging in two steps: plan.c decides which rows of which input make a part, in order; merge.c
 * writes the part column by column along that plan. */
#ifndef AGGREGATOR_SEGMENT_MERGE_INT_H
#define AGGREGATOR_SEGMENT_MERGE_INT_H

#include "aggregator/segment/merge.h"
#include "aggregator/segment/segment_int.h"

/* ---- heap.c: the smallest of a few, again and again ---- */

struct segment__heap {
    uint32_t *items;
    uint32_t n;
    bool (*is_less)(const void *context, uint32_t a, uint32_t b);
    const void *context;
};

void segment__heap_init(struct segment__heap *h, uint32_t n_max,
                        bool (*is_less)(const void *context, uint32_t a, uint32_t b),
                        const void *context);
void segment__heap_fini(struct segment__heap *h);
void segment__heap_add(struct segment__heap *h, uint32_t item);
void segment__heap_sink(struct segment__heap *h); /* the first item has grown */
void segment__heap_drop(struct segment__heap *h); /* the first item is done */

/* ---- plan.c ---- */

struct segment__input {
    const struct segment *segment;
    struct segment_cursor *cursor;
    struct segment_column time;
    uint32_t run; /* the next one */
    uint32_t run_end;
    uint32_t row_end;
    bool is_cut; /* some of its rows are too old to count */
};

/* Rows [row, row + n) of an input, next in the part. */
struct segment__extent {
    uint32_t input;
    uint32_t row;
    uint32_t n;
};

/* A run of the part; the visitor is that of a run of an input. */
struct segment__planned_run {
    uint32_t input;
    uint32_t run;
    uint32_t n_rows;
};

struct segment__plan {
    struct segment__input *inputs; /* owned; those that have the site */
    uint32_t n_inputs;
    const struct segment_erased_list *erased; /* NULL: nobody */
    struct segment__heap heap;
    struct arena arena; /* of one join */
    enum err_code rc;   /* of comparing contents inside a sort */
    struct err err;

    /* the part */
    struct segment__extent *extents;
    size_t n_extents;
    size_t extents_max;
    struct segment__planned_run *runs;
    size_t runs_max;
    uint32_t n_runs;
    uint32_t n_rows;
};

enum err_code segment__plan_init(struct segment__plan *p, const struct segment_merge *m,
                                 struct err *err);
void segment__plan_fini(struct segment__plan *p);

/* Plan the next part: whole visitors, until it has at least `rows`. p->n_rows is 0 at the end. */
enum err_code segment__plan_part(struct segment__plan *p, uint32_t rows, struct err *err);

/* ---- fold.c ---- */

/* How many distinct values of a text a file keeps. */
uint32_t segment__values_max(uint32_t type, uint32_t id);

/* Of n values in order (owned; replaced), code i + 1 used by counts[i + 1] rows, the max most
 * frequent ones stay, and "(other)". renumber[code], n + 1 of them, is the new code; returns how
 * many values there are now. */
uint32_t segment__fold(struct slice **values, uint32_t n, const uint32_t *counts, uint32_t max,
                       uint32_t *renumber);

#endif
