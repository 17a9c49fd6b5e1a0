/* Columns that are read row by row. See segment.h. */
#include <assert.h>

#include "aggregator/segment/segment_int.h"

static_assert(SEGMENT_WINDOW_ROWS == FORMAT_RANK_ROWS, "a window is a frame of ranks");

/* Moves the window to where `row` is. False: it is not needed, any row is found at once. */
static bool
move(struct segment_window *w, uint32_t row)
{
    const struct segment_column *c = w->column;

    if (c->encoding == ENCODING_DENSE || c->n_set == 0)
        return false;
    w->begin = row / SEGMENT_WINDOW_ROWS * SEGMENT_WINDOW_ROWS;
    w->n = c->n_rows - w->begin < SEGMENT_WINDOW_ROWS ? c->n_rows - w->begin : SEGMENT_WINDOW_ROWS;
    return true;
}

uint32_t
segment_window_code(struct segment_window *w, uint32_t row)
{
    uint32_t code;

    if (row < w->begin || row - w->begin >= w->n) {
        if (!move(w, row)) {
            segment_codes(w->column, row, 1, &code);
            return code;
        }
        segment_codes(w->column, w->begin, w->n, w->codes);
    }
    return w->codes[row - w->begin];
}

int64_t
segment_window_value(struct segment_window *w, uint32_t row, bool *is_set)
{
    int64_t value;

    if (row < w->begin || row - w->begin >= w->n) {
        if (!move(w, row)) {
            segment_values(w->column, row, 1, &value, is_set);
            return value;
        }
        segment_values(w->column, w->begin, w->n, w->values, w->is_set);
    }
    *is_set = w->is_set[row - w->begin];
    return w->values[row - w->begin];
}
