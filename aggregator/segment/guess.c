/* Columns that follow from others: a path from the url, a country from the city, a device from the
 * visitor. What a column says is guessed, and only where the guess is wrong the file says so.
 *
 * A guess is learnt in one reading of the column (the value that most rows of a class have; the
 * class is the run, or the code of the other column), what it gets wrong is counted in a second and
 * written in a third. Most candidates are given up within a few thousand rows.
 */
#include <assert.h>
#include <stdlib.h>

#include "aggregator/segment/encode_int.h"

#define CHUNK     FORMAT_RANK_ROWS
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

/* A guess in the making; as a source it gives the rows that it gets wrong. */
struct guess {
    struct segment__out *out;
    uint32_t n_rows;
    struct candidate how;
    bool only_set; /* what is guessed is whether a row is set, by the gate alone */
    uint32_t *values;
    uint32_t n_values;
    const struct segment_column *column; /* of the source */
    uint64_t *gate;
    uint32_t n_gate;
    const struct segment_column *event;
    uint64_t budget_bytes;
    /* reading the column, a chunk at a time */
    const struct segment__source *inner;
    struct segment__batch in;
    uint32_t in_at;
    bool is_in_ended;
    uint32_t row;
    uint32_t run;  /* that the next row is in */
    uint32_t held; /* code of the row before */
    struct chunk {
        uint32_t n;
        uint32_t at; /* of those that were given */
        uint32_t first;
        int64_t actual[CHUNK];
        bool is_set[CHUNK];
        uint32_t class[CHUNK];
        bool is_open[CHUNK]; /* the gate */
    } chunk;
};

/* ---- reading ---- */

static void
rewind_rows(struct guess *g)
{
    if (!g->is_in_ended) { /* so that it starts anew */
        do {
            g->inner->next(g->inner->context, &g->in);
        } while (g->in.n > 0);
    }
    g->in.n = 0;
    g->in_at = 0;
    g->is_in_ended = false;
    g->row = 0;
    g->run = 0;
    g->held = 0;
    g->chunk.n = 0;
    g->chunk.at = 0;
}

static void
read_actual(struct guess *g, struct chunk *c)
{
    memset(c->actual, 0, sizeof c->actual);
    memset(c->is_set, 0, sizeof c->is_set);
    for (;;) {
        uint32_t at;

        if (g->in_at == g->in.n) {
            if (g->is_in_ended)
                return;
            g->inner->next(g->inner->context, &g->in);
            g->in_at = 0;
            g->is_in_ended = g->in.n == 0;
            continue;
        }
        at = g->in.row[g->in_at] - c->first;
        if (at >= c->n)
            return;
        c->actual[at] = g->in.value[g->in_at++];
        c->is_set[at] = true;
    }
}

static void
read_runs(struct guess *g, struct chunk *c)
{
    for (uint32_t i = 0; i < c->n; i++) {
        while (g->out->run_rows[g->run + 1] <= c->first + i)
            g->run++;
        c->class[i] = g->run;
    }
}

static void
read_source(const struct guess *g, struct chunk *c)
{
    if ((g->how.flags & GUESS_PREVIOUS) == 0) {
        segment_codes(g->column, c->first, c->n, c->class);
    } else if (c->first == 0) {
        c->class[0] = 0;
        segment_codes(g->column, 0, c->n - 1, c->class + 1);
    } else {
        segment_codes(g->column, c->first - 1, c->n, c->class);
    }
}

static void
read_gate(const struct guess *g, struct chunk *c)
{
    uint32_t events[CHUNK];

    memset(c->is_open, true, sizeof c->is_open);
    if (g->n_gate == 0)
        return;
    segment_codes(g->event, c->first, c->n, events);
    for (uint32_t i = 0; i < c->n; i++)
        c->is_open[i] = (g->gate[events[i] / 64] >> events[i] % 64 & 1) != 0;
}

/* The next rows; false at the end, which also starts anew. */
static bool
next_chunk(struct guess *g)
{
    struct chunk *c = &g->chunk;

    c->first = g->row;
    c->n = g->n_rows - g->row < CHUNK ? g->n_rows - g->row : CHUNK;
    c->at = 0;
    if (c->n == 0) {
        rewind_rows(g);
        return false;
    }
    read_actual(g, c);
    if (g->how.kind == GUESS_RUN)
        read_runs(g, c);
    else if (g->how.kind == GUESS_MAP)
        read_source(g, c);
    read_gate(g, c);
    g->row += c->n;
    return true;
}

/* ---- what it gets wrong ---- */

static bool
is_right(struct guess *g, const struct chunk *c, uint32_t i)
{
    uint32_t actual = (uint32_t)c->actual[i];
    uint32_t held = g->held;

    if (g->only_set)
        return c->is_set[i] == c->is_open[i];
    g->held = actual;
    if (g->how.kind == GUESS_HOLD)
        return actual == held;
    return actual == (c->is_open[i] ? g->values[c->class[i]] : 0);
}

static void
exceptions_next(void *context, struct segment__batch *batch)
{
    struct guess *g = context;
    struct chunk *c = &g->chunk;

    batch->n = 0;
    while (batch->n == 0 && (c->at < c->n || next_chunk(g)))
        for (; c->at < c->n; c->at++)
            if (!is_right(g, c, c->at)) {
                batch->row[batch->n] = c->first + c->at;
                batch->value[batch->n++] = g->only_set ? 0 : c->actual[c->at];
            }
}

/* ---- learning ---- */

/* Open the gate for the events most of whose rows are set. False where it would always be open, or
 * never. */
static bool
learn_gate(struct guess *g)
{
    uint32_t n = g->event->n_codes;
    int64_t *votes = mem_zalloc(n * sizeof *votes);
    uint32_t events[CHUNK];
    uint32_t n_open = 0;

    while (next_chunk(g)) {
        segment_codes(g->event, g->chunk.first, g->chunk.n, events);
        for (uint32_t i = 0; i < g->chunk.n; i++)
            votes[events[i]] += g->chunk.is_set[i] ? 1 : -1;
    }
    g->gate = mem_zalloc((n + 63) / 64 * sizeof *g->gate);
    for (uint32_t code = 0; code < n; code++)
        if (votes[code] > 0) {
            g->gate[code / 64] |= UINT64_C(1) << code % 64;
            n_open++;
        }
    free(votes);
    g->n_gate = n;
    return n_open > 0 && n_open < n;
}

/* Is it clear by now that the guess will not be worth it? */
static bool
is_hopeless(const struct guess *g, uint64_t n_wrong)
{
    uint64_t bitmap = g->row / 8;
    uint64_t bytes = (4 * n_wrong < bitmap ? 4 * n_wrong : bitmap) + n_wrong / 2;

    return g->row >= TRIAL && (double)bytes * g->n_rows > (double)g->budget_bytes * g->row;
}

/* The value of each class: the one of a majority, if there is one (Boyer and Moore). */
static bool
learn_values(struct guess *g)
{
    uint32_t *votes = mem_zalloc(g->n_values * sizeof *votes);
    uint64_t n_wrong = 0;
    bool is_good = true;

    g->values = mem_zalloc(g->n_values * sizeof *g->values);
    while (is_good && next_chunk(g)) {
        for (uint32_t i = 0; i < g->chunk.n; i++) {
            uint32_t class = g->chunk.class[i];
            uint32_t actual = (uint32_t)g->chunk.actual[i];

            if (!g->chunk.is_open[i]) {
                n_wrong += actual != 0;
            } else if (votes[class] == 0) {
                g->values[class] = actual;
                votes[class] = 1;
            } else if (g->values[class] == actual) {
                votes[class]++;
            } else {
                votes[class]--;
                n_wrong++;
            }
        }
        is_good = !is_hopeless(g, n_wrong);
    }
    if (!is_good)
        rewind_rows(g);
    free(votes);
    return is_good;
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
    g->column = segment__out_column(g->out, g->how.source);
    if (g->column == NULL)
        return false;
    g->n_values = g->column->n_codes;
    if ((g->how.flags & GUESS_GATED) != 0) {
        g->event = segment__out_column(g->out, TEXT_EVENT);
        if (g->event == NULL)
            return false;
        if (!learn_gate(g)) {
            g->n_gate = 0;
            g->how.flags &= ~GUESS_GATED & 0xff;
        }
    }
    return learn_values(g);
}

/* ---- writing ---- */

static unsigned
width_of(const uint32_t *values, uint32_t n)
{
    uint32_t all = 0;

    for (uint32_t i = 0; i < n; i++)
        all |= values[i];
    return segment__width(all);
}

static void
write_guessed(struct guess *g, struct segment__entry *e, const struct segment__survey *v,
              enum format_encoding rows)
{
    struct segment__out *o = g->out;
    struct segment__source exceptions = {exceptions_next, g};
    unsigned char header[FORMAT_GUESS] = {0};
    unsigned width = width_of(g->values, g->n_values);

    header[GUESS_KIND] = g->how.kind;
    header[GUESS_FLAGS] = g->how.flags;
    header[GUESS_WIDTH] = (unsigned char)width;
    header[GUESS_ROWS] = (unsigned char)rows;
    store_u32(header + GUESS_SOURCE, g->how.source);
    store_u32(header + GUESS_VALUES, g->n_values);
    store_u32(header + GUESS_GATE, g->n_gate);
    e->encoding = ENCODING_GUESSED;
    e->count = v->n_set;
    e->base = v->n_set == 0 ? 0 : v->min;
    e->width = v->n_set == 0 ? 0 : (unsigned char)segment__width((uint64_t)(v->max - v->min));
    segment__out_begin(o);
    segment__out_add(o, header, sizeof header);
    segment__out_add(o, g->gate, (g->n_gate + 63) / 64 * sizeof *g->gate);
    segment__add_packed(o, g->values, g->n_values, width);
    segment__out_pad(o, 8);
    segment__add_rows(o, rows, v);
    segment__add_values(o, &exceptions, e, 0);
    segment__out_end(o, e);
}

static void
guess_fini(struct guess *g)
{
    free(g->values);
    free(g->gate);
}

/* Learn it, and what it takes; false where it is not worth it. */
static bool
try_guess(struct guess *g, struct segment__survey *v, enum format_encoding *rows, uint64_t *bytes)
{
    struct segment__source exceptions = {exceptions_next, g};

    rewind_rows(g);
    if (!learn(g))
        return false;
    segment__take_survey(&exceptions, g->n_rows, v);
    *rows = segment__choose_rows(v, bytes);
    *bytes += FORMAT_GUESS + g->n_gate / 8 +
              segment__packed_bytes(g->n_values, width_of(g->values, g->n_values));
    if (*bytes < g->budget_bytes)
        return true;
    free(v->bitmap);
    return false;
}

static bool
is_candidate(const struct candidate *c, const struct segment__entry *e)
{
    uint32_t text = e->type == BLOCK_TEXT ? e->id : ANY;

    return (c->of == ANY || c->of == text) && (c->kind != GUESS_MAP || c->source != text);
}

bool
segment__encode_guessed(struct segment__out *o, struct segment__entry *e, uint32_t n_rows,
                        const struct segment__source *source, uint64_t bytes)
{
    struct guess *g = mem_zalloc(sizeof *g);
    struct guess *best = mem_zalloc(sizeof *best);
    struct segment__survey best_survey = {.bitmap = NULL};
    enum format_encoding best_rows = ENCODING_LIST;
    uint64_t best_bytes = bytes - bytes / 4; /* a plain column is read faster */
    bool is_found = false;

    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        struct segment__survey survey;
        enum format_encoding rows;
        uint64_t some;

        if (!is_candidate(&candidates[i], e) || (is_found && best_bytes < bytes / GOOD_PART))
            continue;
        *g = (struct guess){.out = o,
                            .n_rows = n_rows,
                            .how = candidates[i],
                            .inner = source,
                            .is_in_ended = true,
                            .budget_bytes = best_bytes};
        if (try_guess(g, &survey, &rows, &some)) {
            struct guess *other = best;

            best = g;
            g = other;
            free(best_survey.bitmap);
            best_survey = survey;
            best_rows = rows;
            best_bytes = some;
            is_found = true;
        }
        guess_fini(g);
        memset(g, 0, sizeof *g);
    }
    if (is_found)
        write_guessed(best, e, &best_survey, best_rows);
    free(best_survey.bitmap);
    guess_fini(best);
    free(best);
    free(g);
    return is_found;
}

/* ---- a gate instead of a bitmap ---- */

static void
write_gated(struct guess *g, struct segment__entry *e, const struct segment__survey *wrong,
            const struct segment__survey *v)
{
    struct segment__out *o = g->out;
    unsigned char header[FORMAT_GATE] = {0};

    store_u32(header + GATE_CODES, g->n_gate);
    store_u32(header + GATE_ROWS, wrong->n_set);
    e->encoding = ENCODING_GATED;
    segment__out_begin(o);
    segment__out_add(o, header, sizeof header);
    segment__out_add(o, g->gate, (g->n_gate + 63) / 64 * sizeof *g->gate);
    segment__add_ranks(o, v);
    segment__add_rows(o, ENCODING_LIST, wrong);
    segment__add_values(o, g->inner, e, 0);
    segment__out_end(o, e);
}

bool
segment__encode_gated(struct segment__out *o, struct segment__entry *e,
                      const struct segment__source *source, const struct segment__survey *v,
                      uint64_t bytes)
{
    struct guess *g = mem_zalloc(sizeof *g);
    struct segment__source exceptions = {exceptions_next, g};
    struct segment__survey wrong = {.bitmap = NULL};
    bool is_worth_it = false;

    *g = (struct guess){
        .out = o, .n_rows = v->n_rows, .only_set = true, .inner = source, .is_in_ended = true};
    rewind_rows(g);
    g->event = segment__out_column(o, TEXT_EVENT);
    if (g->event != NULL && learn_gate(g)) {
        segment__take_survey(&exceptions, g->n_rows, &wrong);
        is_worth_it = FORMAT_GATE + g->n_gate / 8 + v->n_rows / FORMAT_RANK_ROWS * 4 +
                          (uint64_t)wrong.n_set * 4 <
                      bytes - bytes / 4;
        if (is_worth_it)
            write_gated(g, e, &wrong, v);
    }
    free(wrong.bitmap);
    guess_fini(g);
    free(g);
    return is_worth_it;
}
