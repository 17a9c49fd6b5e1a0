/* What all rows of a run have in common. What most columns of a visitor are guessed from says it of
 * many runs at once: the country that a run has, the browser of a device, the campaign that rows
 * have until another comes. */
#include <assert.h>

#include "aggregator/segment/segment_int.h"

#define CHUNK  512
#define MAPPED 512 /* codes of a source whose bits have room on the stack */

/* ---- exceptions ---- */

/* A run with an exception has several codes, unless the exception is its only row or says what was
 * guessed. */
static void
add_exceptions(const struct segment_column *c, uint32_t run, uint32_t n, uint32_t *codes)
{
    const uint32_t *rows = c->run_rows + run;
    uint32_t at[CHUNK];
    uint32_t found[CHUNK];
    uint32_t i = 0;

    for (uint32_t row = rows[0], some; c->n_packed > 0 && row < rows[n]; row += some) {
        uint32_t n_found = segment__exceptions(c, row, rows[n] - row, &some, at, found);

        for (uint32_t k = 0; k < n_found; k++) {
            while (rows[i + 1] <= row + at[k])
                i++;
            if (codes[i] != found[k])
                codes[i] = rows[i + 1] - rows[i] == 1 ? found[k] : CODES_DIFFER;
        }
    }
}

/* ---- without a guess ---- */

static void
compare_rows(const struct segment_column *c, uint32_t run, uint32_t n, uint32_t *codes)
{
    const uint32_t *rows = c->run_rows + run;
    uint32_t of_rows[CHUNK];
    uint32_t i = 0;

    for (uint32_t row = rows[0], some; row < rows[n]; row += some) {
        some = rows[n] - row < CHUNK ? rows[n] - row : CHUNK;
        segment_codes(c, row, some, of_rows);
        for (uint32_t k = 0; k < some; k++) {
            while (rows[i + 1] <= row + k)
                i++;
            if (rows[i] == row + k)
                codes[i] = of_rows[k];
            else if (codes[i] != of_rows[k])
                codes[i] = CODES_DIFFER;
        }
    }
}

void
segment_run_codes(const struct segment_column *c, uint32_t run, uint32_t n, uint32_t *codes)
{
    const struct segment_guess *g = &c->guess;

    assert(c->n_codes > 0);
    if (n == 0)
        return;
    if (c->n_set == 0) {
        memset(codes, 0, n * sizeof *codes);
        return;
    }
    if (c->n_gate != 0 || (g->kind != GUESS_RUN && (g->kind != GUESS_MAP || g->is_previous))) {
        compare_rows(c, run, n, codes);
        return;
    }
    if (g->kind == GUESS_RUN) {
        segment__unpack32(g->packed, g->width, run, n, 0, codes);
    } else {
        segment_run_codes(g->column, run, n, codes);
        for (uint32_t i = 0; i < n; i++)
            if (codes[i] != CODES_DIFFER)
                codes[i] = (uint32_t)segment__packed_get(g->packed, g->width, codes[i]);
    }
    add_exceptions(c, run, n, codes);
}

/* ---- bits of codes ---- */

static void
add_bits(uint64_t bits, struct segment_run_bits *run)
{
    run->any |= bits;
    run->all &= bits;
}

/* Exceptions beside what was guessed of their runs. */
static void
add_bits_of_exceptions(const struct segment_column *c, const uint64_t *bits, uint32_t run,
                       uint32_t n, struct segment_run_bits *out)
{
    const uint32_t *rows = c->run_rows + run;
    uint32_t at[CHUNK];
    uint32_t found[CHUNK];
    uint32_t i = 0;

    for (uint32_t row = rows[0], some; c->n_packed > 0 && row < rows[n]; row += some) {
        uint32_t n_found = segment__exceptions(c, row, rows[n] - row, &some, at, found);

        for (uint32_t k = 0; k < n_found; k++) {
            while (rows[i + 1] <= row + at[k])
                i++;
            add_bits(bits[found[k]], &out[i]);
        }
    }
}

/* Rows have the code of the last exception at or before them. */
static void
bits_of_held(const struct segment_column *c, const uint64_t *bits, uint32_t run, uint32_t n,
             struct segment_run_bits *out)
{
    const uint32_t *rows = c->run_rows + run;
    uint32_t at[CHUNK];
    uint32_t found[CHUNK];
    uint32_t code;
    uint32_t i = 0; /* runs before have begun */

    segment_codes(c, rows[0], 1, &code);
    for (uint32_t row = rows[0], some; row < rows[n]; row += some) {
        uint32_t n_found = segment__exceptions(c, row, rows[n] - row, &some, at, found);

        for (uint32_t k = 0; k < n_found; k++) {
            for (; i < n && rows[i] < row + at[k]; i++)
                add_bits(bits[code], &out[i]);
            code = found[k];
            if (i < n && rows[i] == row + at[k])
                i++;
            add_bits(bits[code], &out[i - 1]);
        }
    }
    for (; i < n; i++)
        add_bits(bits[code], &out[i]);
}

static void
bits_of_rows(const struct segment_column *c, const uint64_t *bits, uint32_t run, uint32_t n,
             struct segment_run_bits *out)
{
    const uint32_t *rows = c->run_rows + run;
    uint32_t codes[CHUNK];
    uint32_t i = 0;

    for (uint32_t row = rows[0], some; row < rows[n]; row += some) {
        some = rows[n] - row < CHUNK ? rows[n] - row : CHUNK;
        segment_codes(c, row, some, codes);
        for (uint32_t k = 0; k < some; k++) {
            while (rows[i + 1] <= row + k)
                i++;
            add_bits(bits[codes[k]], &out[i]);
        }
    }
}

static void
bits_of_runs(const struct segment_column *c, const uint64_t *bits, uint32_t run, uint32_t n,
             struct segment_run_bits *out)
{
    uint32_t codes[CHUNK];

    for (uint32_t i = 0, some; i < n; i += some) {
        some = n - i < CHUNK ? n - i : CHUNK;
        segment__unpack32(c->guess.packed, c->guess.width, run + i, some, 0, codes);
        for (uint32_t k = 0; k < some; k++)
            add_bits(bits[codes[k]], &out[i + k]);
    }
    add_bits_of_exceptions(c, bits, run, n, out);
}

/* The bits of what is guessed from a code of the source. */
static void
bits_of_mapped(const struct segment_column *c, const uint64_t *bits, uint32_t run, uint32_t n,
               struct segment_run_bits *out)
{
    uint64_t mapped[MAPPED];

    for (uint32_t code = 0; code < c->guess.n; code++)
        mapped[code] = bits[segment__packed_get(c->guess.packed, c->guess.width, code)];
    segment_run_bits(c->guess.column, mapped, run, n, out);
    add_bits_of_exceptions(c, bits, run, n, out);
}

void
segment_run_bits(const struct segment_column *c, const uint64_t *bits, uint32_t run, uint32_t n,
                 struct segment_run_bits *out)
{
    bool is_gated = c->n_gate != 0 || c->guess.is_previous;

    assert(c->n_codes > 0);
    if (n == 0)
        return;
    if (c->n_set == 0)
        for (uint32_t i = 0; i < n; i++)
            add_bits(bits[0], &out[i]);
    else if (c->guess.kind == GUESS_RUN && !is_gated)
        bits_of_runs(c, bits, run, n, out);
    else if (c->guess.kind == GUESS_HOLD)
        bits_of_held(c, bits, run, n, out);
    else if (c->guess.kind == GUESS_MAP && !is_gated && c->guess.n <= MAPPED)
        bits_of_mapped(c, bits, run, n, out);
    else
        bits_of_rows(c, bits, run, n, out);
}
