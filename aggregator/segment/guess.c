/* Columns that follow from others: a path from the url, a country from the city, a device from the
 * visitor. What a column says is guessed, and only where the guess is wrong the file says so.
 *
 * A guess is learnt in one walk over the column (the value that most rows of a class have; the
 * class is the run, or the code of the other column), what it gets wrong is marked in a second.
 * Most candidates are given up within a few thousand rows.
 */
#include <stdlib.h>

#include "aggregator/segment/encode_int.h"

#define CHUNK     SEGMENT__CHUNK
#define TRIAL     16384 /* rows before a candidate is given up */
#define GOOD_PART 32    /* below this part of the plain column no other candidate is tried */

struct candidate {
    unsigned char of; /* enum event_text, or ANY */
    unsigned char kind;
    unsigned char flags;
    unsigned char source; /* enum event_text */
};
#define ANY 255

/* The first that fit best are taken, so the likely ones stand first. */
static const struct candidate candidates[] = {
    {TEXT_URL, GUESS_HOLD, 0, 0},
    {TEXT_PATH, GUESS_MAP, 0, TEXT_URL},
    {TEXT_PATH, GUESS_HOLD, 0, 0},
    {TEXT_TITLE, GUESS_MAP, GUESS_GATED, TEXT_PATH},
    {TEXT_REGION, GUESS_MAP, 0, TEXT_CITY},
    {TEXT_COUNTRY, GUESS_MAP, 0, TEXT_CITY},
    {TEXT_COUNTRY, GUESS_MAP, 0, TEXT_REGION},
    {TEXT_CONTINENT, GUESS_MAP, 0, TEXT_CITY},
    {TEXT_CONTINENT, GUESS_MAP, 0, TEXT_REGION},
    {TEXT_CONTINENT, GUESS_MAP, 0, TEXT_COUNTRY},
    {TEXT_OS, GUESS_MAP, 0, TEXT_BROWSER},
    {TEXT_DEVICE, GUESS_MAP, 0, TEXT_OS},
    {TEXT_DEVICE, GUESS_MAP, 0, TEXT_BROWSER},
    {TEXT_REFERRER, GUESS_MAP, GUESS_GATED | GUESS_PREVIOUS, TEXT_URL},
    {TEXT_REFERRER, GUESS_MAP, GUESS_GATED | GUESS_PREVIOUS, TEXT_PATH},
    {TEXT_SOURCE, GUESS_MAP, 0, TEXT_REFERRER},
    {TEXT_MEDIUM, GUESS_MAP, 0, TEXT_SOURCE},
    {TEXT_MEDIUM, GUESS_MAP, 0, TEXT_CAMPAIGN},
    {TEXT_CHANNEL, GUESS_MAP, 0, TEXT_MEDIUM},
    {TEXT_CHANNEL, GUESS_MAP, 0, TEXT_SOURCE},
    {TEXT_CATEGORY, GUESS_MAP, 0, TEXT_PRODUCT},
    {ANY, GUESS_RUN, 0, 0},
    {TEXT_SOURCE, GUESS_HOLD, 0, 0},
    {TEXT_MEDIUM, GUESS_HOLD, 0, 0},
    {TEXT_CAMPAIGN, GUESS_HOLD, 0, 0},
    {TEXT_KEYWORD, GUESS_HOLD, 0, 0},
    {TEXT_QUERY, GUESS_HOLD, 0, 0},
    {TEXT_CHANNEL, GUESS_HOLD, 0, 0},
    {TEXT_CONTENT, GUESS_HOLD, 0, 0},
    {ANY, GUESS_MAP, 0, TEXT_EVENT},
    {ANY, GUESS_MAP, GUESS_GATED, TEXT_URL},
    {ANY, GUESS_MAP, GUESS_GATED, TEXT_PATH},
    {ANY, GUESS_MAP, GUESS_GATED, TEXT_QUERY},
};

/* What the rows of a class have. */
struct tally {
    uint32_t value;
    uint32_t votes; /* for it, beyond those against it */
};

/* A guess in the making. */
struct guess {
    struct segment__out *out;
    const struct segment__codes *codes; /* what it is a guess of */
    struct segment__gate *gate;
    const struct segment__survey *survey; /* of these codes */
    struct candidate how;
    struct segment__known source;
    struct tally *tallies; /* one a class; owned */
    uint32_t n_values;
    uint64_t budget_bytes;
    struct segment__survey wrong; /* rows that it gets wrong, and their codes; owned */
    enum format_encoding wrong_rows;
    uint64_t bytes; /* that it takes */
};

/* A chunk of the column. */
struct chunk {
    uint32_t first;
    uint32_t n;
    uint32_t run; /* that the first row of the next chunk is in, or one before it */
    uint32_t actual[CHUNK];
    uint32_t class[CHUNK];
};

/* ---- reading ---- */

static void
read_runs(const struct guess *g, struct chunk *c)
{
    const uint32_t *run_rows = g->out->run_rows;
    uint32_t run = c->run;

    for (uint32_t i = 0; i < c->n; i++) {
        run += run_rows[run + 1] <= c->first + i; /* runs have a row at least */
        c->class[i] = run;
    }
    c->run = run;
}

/* The rows from row on; false behind the last. */
static bool
read_chunk(const struct guess *g, uint32_t row, struct chunk *c)
{
    uint32_t n_rows = g->codes->n_rows;

    if (row >= n_rows)
        return false;
    c->first = row;
    c->n = n_rows - row < CHUNK ? n_rows - row : CHUNK;
    segment__codes_read(g->codes, row, false, c->actual);
    if (g->how.kind == GUESS_HOLD)
        segment__codes_read(g->codes, row, true, c->class);
    else if (g->how.kind == GUESS_RUN)
        read_runs(g, c);
    else
        segment__known_read(&g->source, n_rows, row, (g->how.flags & GUESS_PREVIOUS) != 0,
                            c->class);
    return true;
}

static bool
is_gated(const struct guess *g)
{
    return (g->how.flags & GUESS_GATED) != 0;
}

/* The rows of a chunk where the gate is open: 64 of them from row i of it on. */
static uint64_t
open_rows(const struct guess *g, const struct chunk *c, uint32_t i)
{
    return is_gated(g) ? g->gate->rows[(c->first + i) / 64] : ~UINT64_C(0);
}

/* ---- learning ---- */

/* Is it clear by now that the guess will not be worth it? So many rows at least have another code
 * than their class's, whichever that will be; the codes of most of them take about as many bits as
 * any. */
static bool
is_hopeless(const struct guess *g, uint32_t n_read, uint64_t n_wrong)
{
    uint64_t bitmap = n_read / 8;
    uint64_t rows = 4 * n_wrong < bitmap ? 4 * n_wrong : bitmap;
    unsigned bits = segment__width(g->codes->n_codes) * 3 / 4;
    uint64_t codes = n_wrong * (bits > 4 ? bits : 4) / 8;

    return n_read >= TRIAL &&
           (double)(rows + codes) * g->codes->n_rows > (double)g->budget_bytes * n_read;
}

/* Take one row's code into account; returns whether it speaks against its class's value. */
static inline bool
vote(struct tally *t, uint32_t actual)
{
    if (t->value == actual || t->votes == 0) {
        t->value = actual;
        t->votes++;
        return false;
    }
    t->votes--;
    return true;
}

/* Returns how many rows spoke against. */
static uint32_t
learn_chunk(struct guess *g, const struct chunk *c)
{
    uint32_t n_wrong = 0;

    if (!is_gated(g)) {
        for (uint32_t i = 0; i < c->n; i++)
            n_wrong += vote(&g->tallies[c->class[i]], c->actual[i]);
        return n_wrong;
    }
    for (uint32_t i = 0; i < c->n; i++) {
        if (open_rows(g, c, i) >> i % 64 & 1)
            n_wrong += vote(&g->tallies[c->class[i]], c->actual[i]);
        else
            n_wrong += c->actual[i] != 0;
    }
    return n_wrong;
}

/* The value of each class: the one of a majority, if there is one (Boyer and Moore). */
static bool
learn_values(struct guess *g)
{
    struct chunk c = {.run = 0};
    uint64_t n_wrong = 0;

    g->tallies = mem_zalloc(g->n_values * sizeof *g->tallies);
    for (uint32_t row = 0; read_chunk(g, row, &c); row += c.n) {
        n_wrong += learn_chunk(g, &c);
        if (is_hopeless(g, row + c.n, n_wrong))
            return false;
    }
    return true;
}

static bool
learn(struct guess *g)
{
    if (g->how.kind == GUESS_HOLD)
        return true;
    if (g->how.kind == GUESS_RUN) {
        g->n_values = g->out->n_runs;
        return learn_values(g);
    }
    if (!segment__known_open(g->out, g->how.source, &g->source))
        return false;
    g->n_values = g->source.n_codes;
    if (is_gated(g) && !segment__gate_learn(g->gate, g->out, g->survey))
        g->how.flags &= ~GUESS_GATED & 0xff;
    return learn_values(g);
}

/* ---- what it gets wrong ---- */

/* A bit for each of at most 64 rows of the chunk from row i of it on. They come in at the top, as a
 * shift by one is cheaper than one by as many as a register says. */
static uint64_t
wrong_rows(const struct guess *g, const struct chunk *c, uint32_t i)
{
    uint32_t n = c->n - i < 64 ? c->n - i : 64;
    uint64_t open = open_rows(g, c, i);
    const uint32_t *actual = c->actual + i;
    const uint32_t *class = c->class + i;
    uint64_t wrong = 0;

    for (uint32_t k = 0; k < n && g->how.kind == GUESS_HOLD; k++)
        wrong = wrong >> 1 | (uint64_t)(actual[k] != class[k]) << 63;
    for (uint32_t k = 0; k < n && g->how.kind != GUESS_HOLD; k++, open >>= 1) {
        uint32_t value = g->tallies[class[k]].value & -(uint32_t)(open & 1);

        wrong = wrong >> 1 | (uint64_t)(actual[k] != value) << 63;
    }
    return wrong >> (64 - n);
}

static void
find_wrong(struct guess *g)
{
    struct segment__survey *v = &g->wrong;
    struct chunk c = {.run = 0};

    *v = (struct segment__survey){.n_rows = g->codes->n_rows, .min = INT64_MAX, .max = INT64_MIN};
    v->bitmap = mem_alloc(((size_t)v->n_rows + 63) / 64 * 8);
    for (uint32_t row = 0; read_chunk(g, row, &c); row += c.n)
        for (uint32_t i = 0; i < c.n; i += 64) {
            uint64_t wrong = wrong_rows(g, &c, i);

            v->bitmap[(row + i) / 64] = wrong;
            v->n_set += (uint32_t)__builtin_popcountll(wrong);
            for (; wrong != 0; wrong &= wrong - 1) {
                int64_t code = c.actual[i + (uint32_t)__builtin_ctzll(wrong)];

                v->min = code < v->min ? code : v->min;
                v->max = code > v->max ? code : v->max;
            }
        }
}

static unsigned
width_of_values(const struct guess *g)
{
    uint32_t all = 0;

    for (uint32_t i = 0; i < g->n_values; i++)
        all |= g->tallies[i].value;
    return segment__width(all);
}

/* Learn it, and what it takes; false where it is not worth it. */
static bool
try_guess(struct guess *g)
{
    if (!learn(g))
        return false;
    find_wrong(g);
    g->wrong_rows = segment__choose_rows(&g->wrong, &g->bytes);
    g->bytes += FORMAT_GUESS + (is_gated(g) ? g->gate->n / 8 : 0) +
                segment__packed_bytes(g->n_values, width_of_values(g));
    return g->bytes < g->budget_bytes;
}

static void
guess_fini(struct guess *g)
{
    free(g->tallies);
    free(g->wrong.bitmap);
    *g = (struct guess){.out = NULL};
}

/* ---- writing ---- */

/* As a source it gives the rows that it gets wrong. */
struct exceptions {
    const struct guess *guess;
    uint32_t row;
};

static void
exceptions_next(void *context, struct segment__batch *batch)
{
    struct exceptions *x = context;
    const struct segment__survey *v = &x->guess->wrong;

    batch->n = 0;
    for (; x->row < v->n_rows && batch->n + 64 <= SEGMENT__BATCH; x->row += 64)
        for (uint64_t bits = v->bitmap[x->row / 64]; bits != 0; bits &= bits - 1) {
            uint32_t row = x->row + (uint32_t)__builtin_ctzll(bits);

            batch->row[batch->n] = row;
            batch->value[batch->n++] = segment__codes_get(x->guess->codes, row);
        }
    if (batch->n == 0)
        x->row = 0;
}

static void
add_guess(const struct guess *g, unsigned width)
{
    uint32_t *values = mem_alloc((g->n_values + (size_t)1) * sizeof *values);

    for (uint32_t i = 0; i < g->n_values; i++)
        values[i] = g->tallies[i].value;
    segment__add_packed(g->out, values, g->n_values, width);
    segment__out_pad(g->out, 8);
    free(values);
}

static void
write_guessed(const struct guess *g, struct segment__entry *e)
{
    struct segment__out *o = g->out;
    struct exceptions walk = {g, 0};
    struct segment__source exceptions = {exceptions_next, &walk};
    const struct segment__survey *v = &g->wrong;
    unsigned char header[FORMAT_GUESS] = {0};
    unsigned width = width_of_values(g);
    uint32_t n_gate = is_gated(g) ? g->gate->n : 0;

    header[GUESS_KIND] = g->how.kind;
    header[GUESS_FLAGS] = g->how.flags;
    header[GUESS_WIDTH] = (unsigned char)width;
    header[GUESS_ROWS] = (unsigned char)g->wrong_rows;
    store_u32(header + GUESS_SOURCE, g->how.source);
    store_u32(header + GUESS_VALUES, g->n_values);
    store_u32(header + GUESS_GATE, n_gate);
    e->encoding = ENCODING_GUESSED;
    e->count = v->n_set;
    e->base = v->n_set == 0 ? 0 : v->min;
    e->width = v->n_set == 0 ? 0 : (unsigned char)segment__width((uint64_t)(v->max - v->min));
    segment__out_begin(o);
    segment__out_add(o, header, sizeof header);
    segment__out_add(o, g->gate->words, (n_gate + (size_t)63) / 64 * sizeof *g->gate->words);
    add_guess(g, width);
    segment__add_rows(o, g->wrong_rows, v);
    segment__add_values(o, &exceptions, e, 0);
    segment__out_end(o, e);
}

static bool
is_candidate(const struct candidate *c, const struct segment__entry *e)
{
    uint32_t text = e->type == BLOCK_TEXT ? e->id : ANY;

    return (c->of == ANY || c->of == text) && (c->kind != GUESS_MAP || c->source != text);
}

bool
segment__is_guessed_from(uint32_t text)
{
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++)
        if (candidates[i].kind == GUESS_MAP && candidates[i].source == text)
            return true;
    return false;
}

bool
segment__encode_guessed(struct segment__out *o, struct segment__entry *e,
                        const struct segment__codes *codes, struct segment__gate *gate,
                        const struct segment__survey *v, uint64_t bytes)
{
    struct guess best = {.bytes = bytes - bytes / 4}; /* a plain column is read faster */
    bool is_found = false;

    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        struct guess g = {.out = o,
                          .codes = codes,
                          .gate = gate,
                          .survey = v,
                          .how = candidates[i],
                          .budget_bytes = best.bytes};

        if (!is_candidate(&candidates[i], e) || (is_found && best.bytes < bytes / GOOD_PART))
            continue;
        if (try_guess(&g)) {
            guess_fini(&best);
            best = g;
            is_found = true;
        } else {
            guess_fini(&g);
        }
    }
    if (is_found)
        write_guessed(&best, e);
    guess_fini(&best);
    return is_found;
}
