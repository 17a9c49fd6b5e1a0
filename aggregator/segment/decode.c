/* Decoding columns that were opened: without checks, in chunks of rows. */
#include <assert.h>

#include "aggregator/segment/segment_int.h"
#include "core/bytes.h"

#define CHUNK 512 /* rows decoded at a time on the stack; a frame of ranks */

/* ---- which rows have a packed value ---- */

/* Of rows [row, row + n) in one frame of ranks, given the bits of the frame's rows up to row + n:
 * at[] (counted from row), their number, and the index of the first one's value. */
static uint32_t
rows_of_bits(const uint64_t *bits, uint32_t rank, uint32_t row, uint32_t n, uint32_t *at,
             uint32_t *out_first)
{
    uint32_t begin = row % FORMAT_RANK_ROWS;
    uint32_t end = begin + n;
    uint32_t n_set = 0;

    for (uint32_t word = 0; word < begin / 64; word++)
        rank += (uint32_t)__builtin_popcountll(bits[word]);
    rank += (uint32_t)__builtin_popcountll(bits[begin / 64] & ((UINT64_C(1) << begin % 64) - 1));
    for (uint32_t word = begin / 64; word <= (end - 1) / 64; word++) {
        uint64_t left = bits[word];

        if (word == begin / 64)
            left &= ~UINT64_C(0) << begin % 64;
        for (; left != 0; left &= left - 1) {
            uint32_t bit = word * 64 + (uint32_t)__builtin_ctzll(left);

            if (bit >= end)
                break;
            at[n_set++] = bit - begin;
        }
    }
    *out_first = rank;
    return n_set;
}

/* The first of the listed rows that is at least row. */
static uint32_t
seek_listed(const struct segment_column *c, uint32_t row)
{
    uint32_t low = 0;
    uint32_t high = c->n_rows_listed;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (c->rows[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint32_t
rows_of_list(const struct segment_column *c, uint32_t row, uint32_t n, uint32_t *at,
             uint32_t *out_first)
{
    uint32_t next = seek_listed(c, row);
    uint32_t n_set = 0;

    *out_first = next;
    for (; next < c->n_rows_listed && c->rows[next] < row + n; next++)
        at[n_set++] = c->rows[next] - row;
    return n_set;
}

static inline bool
is_gate_open(const struct segment_column *c, uint32_t event)
{
    return (c->gate[event / 64] >> event % 64 & 1) != 0;
}

void
segment__gate_bits(const struct segment_column *c, uint32_t frame, uint32_t n, uint64_t *bits)
{
    uint32_t row = frame * FORMAT_RANK_ROWS;
    uint32_t events[CHUNK];

    segment_codes(c->event, row, n, events);
    for (uint32_t i = 0; i < n; i += 64) {
        uint64_t word = 0;

        for (uint32_t k = 0; k < 64 && i + k < n; k++)
            word |= (uint64_t)is_gate_open(c, events[i + k]) << k;
        bits[i / 64] = word;
    }
    for (uint32_t i = seek_listed(c, row); i < c->n_rows_listed && c->rows[i] < row + n; i++)
        bits[(c->rows[i] - row) / 64] ^= UINT64_C(1) << (c->rows[i] - row) % 64;
}

/* n is at most CHUNK, and the rows are in one frame of ranks. */
static uint32_t
rows_with_value(const struct segment_column *c, uint32_t row, uint32_t n, uint32_t *at,
                uint32_t *out_first)
{
    uint32_t frame = row / FORMAT_RANK_ROWS;
    uint64_t bits[FORMAT_RANK_ROWS / 64];

    if (c->rows_by == ENCODING_LIST)
        return rows_of_list(c, row, n, at, out_first);
    if (c->rows_by == ENCODING_BITMAP)
        return rows_of_bits(c->bitmap + (uint64_t)frame * (FORMAT_RANK_ROWS / 64), c->ranks[frame],
                            row, n, at, out_first);
    segment__gate_bits(c, frame, row % FORMAT_RANK_ROWS + n, bits);
    return rows_of_bits(bits, c->ranks[frame], row, n, at, out_first);
}

/* Rows from row on, at most n, that are in one frame of ranks. */
static uint32_t
rows_of_frame(uint32_t row, uint32_t n)
{
    uint32_t left = FORMAT_RANK_ROWS - row % FORMAT_RANK_ROWS;

    return n < left ? n : left;
}

uint32_t
segment__exceptions(const struct segment_column *c, uint32_t row, uint32_t n, uint32_t *out_n,
                    uint32_t *at, uint32_t *values)
{
    uint32_t some = rows_of_frame(row, n);
    uint32_t first = 0;
    uint32_t n_found = c->n_packed == 0 ? 0 : rows_with_value(c, row, some, at, &first);

    segment__unpack32(c->packed, c->width, first, n_found, (uint32_t)c->base, values);
    *out_n = some;
    return n_found;
}

/* ---- guesses ---- */

static void
guess_by_run(const struct segment_column *c, uint32_t row, uint32_t n, uint32_t *codes)
{
    uint32_t run = segment__seek_row(c->run_rows, c->n_runs, row);
    uint32_t values[CHUNK];
    uint32_t end = row + n;
    uint32_t n_runs = 1;

    while (n_runs < n && run + n_runs < c->n_runs && c->run_rows[run + n_runs] < end)
        n_runs++;
    segment__unpack32(c->guess.packed, c->guess.width, run, n_runs, 0, values);
    for (uint32_t i = 0; i < n_runs; i++) {
        uint32_t run_end = c->run_rows[run + i + 1] < end ? c->run_rows[run + i + 1] : end;

        for (; row < run_end; row++)
            *codes++ = values[i];
    }
}

static void
guess_by_map(const struct segment_column *c, uint32_t row, uint32_t n, uint32_t *codes)
{
    const struct segment_guess *g = &c->guess;
    uint32_t shift = g->is_previous ? 1 : 0;

    if (shift == 1 && row == 0) {
        codes[0] = 0;
        segment_codes(g->column, 0, n - 1, codes + 1);
    } else {
        segment_codes(g->column, row - shift, n, codes);
    }
    for (uint32_t i = 0; i < n; i++)
        codes[i] = (uint32_t)segment__packed_get(g->packed, g->width, codes[i]);
}

/* Without the exceptions; n is at most CHUNK. */
static void
guess_codes(const struct segment_column *c, uint32_t row, uint32_t n, uint32_t *codes)
{
    uint32_t events[CHUNK];

    if (c->guess.kind == GUESS_RUN)
        guess_by_run(c, row, n, codes);
    else
        guess_by_map(c, row, n, codes);
    if (c->n_gate == 0)
        return;
    segment_codes(c->event, row, n, events);
    for (uint32_t i = 0; i < n; i++)
        codes[i] = is_gate_open(c, events[i]) ? codes[i] : 0;
}

/* Each row has the value of the last packed one at or before it. */
static void
hold_codes(const struct segment_column *c, uint32_t n, const uint32_t *at, uint32_t n_found,
           uint32_t first, const uint32_t *found, uint32_t *codes)
{
    uint32_t row = 0;
    uint32_t code = 0;

    if (first > 0)
        segment__unpack32(c->packed, c->width, first - 1, 1, (uint32_t)c->base, &code);
    for (uint32_t i = 0; i < n_found; i++) {
        for (; row < at[i]; row++)
            codes[row] = code;
        code = found[i];
    }
    for (; row < n; row++)
        codes[row] = code;
}

/* Codes of rows of one frame of ranks. */
static void
frame_codes(const struct segment_column *c, uint32_t row, uint32_t n, uint32_t *codes)
{
    uint32_t at[CHUNK];
    uint32_t found[CHUNK];
    uint32_t first = 0;
    uint32_t n_found = c->n_packed == 0 ? 0 : rows_with_value(c, row, n, at, &first);

    segment__unpack32(c->packed, c->width, first, n_found, (uint32_t)c->base, found);
    if (c->guess.kind == GUESS_HOLD) {
        hold_codes(c, n, at, n_found, first, found, codes);
        return;
    }
    if (c->guess.kind == 0)
        memset(codes, 0, n * sizeof *codes);
    else
        guess_codes(c, row, n, codes);
    for (uint32_t i = 0; i < n_found; i++)
        codes[at[i]] = found[i];
}

/* ---- public ---- */

void
segment_codes(const struct segment_column *c, uint32_t row, uint32_t n, uint32_t *codes)
{
    assert(c->n_codes > 0 && row <= c->n_rows && n <= c->n_rows - row);
    if (c->encoding == ENCODING_DENSE) {
        segment__unpack32(c->packed, c->width, row, n, (uint32_t)c->base, codes);
        return;
    }
    if (c->n_set == 0) {
        if (n > 0)
            memset(codes, 0, n * sizeof *codes);
        return;
    }
    while (n > 0) {
        uint32_t some = rows_of_frame(row, n);

        frame_codes(c, row, some, codes);
        row += some;
        codes += some;
        n -= some;
    }
}

void
segment_values(const struct segment_column *c, uint32_t row, uint32_t n, int64_t *values,
               bool *is_set)
{
    uint32_t at[CHUNK];
    int64_t found[CHUNK];

    assert(c->n_codes == 0 && row <= c->n_rows && n <= c->n_rows - row);
    if (is_set != NULL && n > 0)
        memset(is_set, c->encoding == ENCODING_DENSE || c->encoding == ENCODING_STEPS, n);
    if (c->encoding == ENCODING_STEPS) {
        segment__read_steps(c, row, n, values);
        return;
    }
    if (c->encoding == ENCODING_DENSE) {
        segment__unpack64(c->packed, c->width, row, n, c->base, values);
        return;
    }
    if (n > 0)
        memset(values, 0, n * sizeof *values);
    while (n > 0 && c->n_packed > 0) {
        uint32_t some = rows_of_frame(row, n);
        uint32_t first;
        uint32_t n_found = rows_with_value(c, row, some, at, &first);

        segment__unpack64(c->packed, c->width, first, n_found, c->base, found);
        for (uint32_t i = 0; i < n_found; i++) {
            values[at[i]] = found[i];
            if (is_set != NULL)
                is_set[at[i]] = true;
        }
        row += some;
        values += some;
        is_set = is_set == NULL ? NULL : is_set + some;
        n -= some;
    }
}

bool
segment__value_index(const struct segment_column *c, uint32_t row, uint32_t *out)
{
    uint32_t at;

    *out = row;
    if (c->encoding == ENCODING_DENSE)
        return true;
    return c->n_packed > 0 && rows_with_value(c, row, 1, &at, out) == 1;
}

/* Set rows of the frame before `row`. ThreadSanitizer is not ready yet when a program chooses among
 * clones. */
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__SANITIZE_THREAD__)
__attribute__((target_clones("popcnt", "default")))
#endif
static uint32_t
count_before(const uint64_t *frame, uint32_t row)
{
    uint32_t n = 0;

    for (uint32_t word = 0; word < row / 64; word++)
        n += (uint32_t)__builtin_popcountll(frame[word]);
    return n + (uint32_t)__builtin_popcountll(frame[row / 64] & ((UINT64_C(1) << row % 64) - 1));
}

int64_t
segment_value_at(const struct segment_column *c, uint32_t row)
{
    uint32_t i;

    if (c->rows_by == ENCODING_BITMAP) {
        uint32_t frame = row / FORMAT_RANK_ROWS;

        i = c->ranks[frame] + count_before(c->bitmap + (size_t)frame * (FORMAT_RANK_ROWS / 64),
                                           row % FORMAT_RANK_ROWS);
    } else {
        bool is_set = segment__value_index(c, row, &i);

        assert(is_set);
        (void)is_set;
    }
    return (int64_t)((uint64_t)c->base + segment__packed_get(c->packed, c->width, i));
}

struct slice
segment_text_value(const struct segment_column *c, uint32_t code)
{
    assert(code < c->n_codes);
    return code == 0 ? SLICE_EMPTY : segment__dictionary_value(c->values, c->n_codes - 1, code - 1);
}

uint32_t
segment_text_find(const struct segment_column *c, struct slice value)
{
    uint32_t low = 1;
    uint32_t high = c->n_codes;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = slice_compare(segment_text_value(c, middle), value);

        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}
