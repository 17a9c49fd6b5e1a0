/* The inputs' columns in the order of a part. */
#include <stdlib.h>

#include "aggregator/segment/merge_part.h"

void
segment__feed_fill(struct segment__feed *f, uint32_t row)
{
    uint32_t n = f->row_end - row < SEGMENT__WINDOW ? f->row_end - row : SEGMENT__WINDOW;

    f->begin = row;
    f->n = n;
    if (f->column.n_codes > 0)
        segment_codes(&f->column, row, n, f->codes);
    else
        segment_values(&f->column, row, n, f->values, f->is_set);
}

/* Rows [at, at + n) of the window that are set, as rows of the part from part_row on. */
static inline void
feed_codes(struct segment__feed *f, uint32_t at, uint32_t n, uint32_t part_row,
           struct segment__batch *batch)
{
    uint32_t to = batch->n;

    for (uint32_t i = 0; i < n; i++) { /* written in any case, counted where set: no branch */
        uint32_t code = f->codes[at + i];

        batch->row[to] = part_row + i;
        batch->value[to] = f->map[code];
        to += code != 0;
    }
    batch->n = to;
}

static inline void
feed_values(const struct segment__feed *f, uint32_t at, uint32_t n, uint32_t part_row,
            struct segment__batch *batch)
{
    uint32_t to = batch->n;

    for (uint32_t i = 0; i < n; i++) {
        batch->row[to] = part_row + i;
        batch->value[to] = f->values[at + i];
        to += f->is_set[at + i];
    }
    batch->n = to;
}

void
segment__part_next(void *context, struct segment__batch *batch)
{
    struct segment__part *p = context;

    batch->n = 0;
    while (batch->n < SEGMENT__BATCH && p->extent < p->plan->n_extents) {
        const struct segment__extent *e = &p->plan->extents[p->extent];
        struct segment__feed *f = &p->feeds[e->input];
        uint32_t n = e->n - p->at;

        if (f->column.n_set > 0) {
            uint32_t at;

            n = n < SEGMENT__BATCH - batch->n ? n : SEGMENT__BATCH - batch->n;
            at = segment__feed_find(f, e->row + p->at, n, &n);
            if (p->is_marking)
                for (uint32_t i = 0; i < n; i++)
                    f->map[f->codes[at + i]] = 1;
            if (f->column.n_codes > 0)
                feed_codes(f, at, n, p->row, batch);
            else
                feed_values(f, at, n, p->row, batch);
        }
        p->at += n;
        p->row += n;
        if (p->at == e->n) {
            p->extent++;
            p->at = 0;
        }
    }
    if (batch->n == 0) {
        p->extent = 0;
        p->at = 0;
        p->row = 0;
    }
}

void
segment__feeds_clear(struct segment__part *p)
{
    for (uint32_t i = 0; i < p->plan->n_inputs; i++) {
        free(p->feeds[i].map);
        p->feeds[i].map = NULL;
        p->feeds[i].n = 0;
        p->feeds[i].row_end = p->plan->inputs[i].row_end;
    }
}
