/* Visitors that are counted where they lie: all they have done is one run of one segment, or runs
 * of several that follow one another and hold no event twice.
 *
 * Their rows are decoded many runs at a time (count_span.h) and counted (count_person.c). Whoever
 * needs more goes the general way: bots among other events, what came after as_of.
 *
 * What is not here: questions with filters, of sessions, of bots only, of numbers, of the first or
 * last value. */
#include <stdlib.h>

#include "aggregator/count_lying_int.h"

/* ---- For which questions ---- */

static bool
is_breakdown_simple(const struct request_breakdown *b)
{
    const struct attribute *a = &b->attribute;
    bool is_text = a->source == SOURCE_TEXT || a->source == SOURCE_PROPERTY ||
                   (a->source == SOURCE_DERIVED &&
                    (a->code == DERIVED_LANDING || a->code == DERIVED_PAGE_GROUP));

    return is_text && b->n_bins == 0 && (b->at == AT_EVERY || b->at == AT_ENTRY);
}

bool
count_lying_fits(const struct counting *c)
{
    const struct request *r = c->request;
    bool fits = !c->is_general && r->count.unit == COUNT_VISITORS && r->n_filters == 0 &&
                r->bots != BOTS_ONLY;

    for (size_t b = 0; b < r->n_breakdowns; b++)
        fits = fits && is_breakdown_simple(&r->breakdowns[b]);
    return fits;
}

/* ---- Life ---- */

struct count_lying *
count_lying_create(void)
{
    return mem_zalloc(sizeof(struct count_lying));
}

static void
forget(struct count_lying *l)
{
    for (size_t i = 0; i < l->n; i++)
        count_span_fini(&l->spans[i]);
    count_span_fini(&l->single);
    count_span_fini(&l->joined);
    free(l->sources);
    free(l->spans);
    free(l->order);
    free(l->sessions);
    free(l->drivers);
    free(l->origins);
    *l = (struct count_lying){.n = 0};
}

void
count_lying_destroy(struct count_lying **l)
{
    if (*l == NULL)
        return;
    forget(*l);
    free(*l);
    *l = NULL;
}

static void
find_direct(struct counting *c)
{
    const struct request *r = c->request;
    struct count_lying *l = c->lying;

    for (size_t b = 0; b < r->n_breakdowns; b++) {
        l->asks_drivers =
            l->asks_drivers || matcher_part_of(&r->breakdowns[b].attribute) != PART_EVENT;
        l->direct[b] = r->breakdowns[b].attribute.source == SOURCE_TEXT &&
                               r->breakdowns[b].attribute.code == TEXT_CHANNEL
                           ? attribute_values_find(c->e->values[b], MATCHER_DIRECT)
                           : ATTRIBUTE_VALUE_NULL;
    }
}

enum err_code
count_lying_open(struct counting *c, struct err *err)
{
    struct count_lying *l = c->lying;
    enum err_code rc = ERR_OK;

    forget(l);
    find_direct(c);
    l->n = c->e->n_inputs;
    l->sources = mem_zalloc((l->n + 1) * sizeof *l->sources);
    l->spans = mem_zalloc((l->n + 1) * sizeof *l->spans);
    for (size_t i = 0; i < l->n && rc == ERR_OK; i++) {
        c->e->bad_input = i;
        if (c->e->inputs[i].scan)
            rc = count_source_open(&l->sources[i], c, i, err);
    }
    return rc;
}

size_t
count_lying_bytes(const struct count_lying *l)
{
    size_t bytes = count_span_bytes(&l->single) + count_span_bytes(&l->joined) +
                   l->room * 4 * sizeof *l->sessions;

    for (size_t i = 0; i < l->n; i++)
        bytes += count_span_bytes(&l->spans[i]) + sizeof *l->sources;
    return bytes;
}

/* ---- Visitors of one run ---- */

/* Runs i on, until `end`, of the given ones, whose rows are read together. */
static uint32_t
rows_together(const struct journey_plain_runs *runs, const uint32_t *rows, uint32_t i)
{
    uint32_t end = i + 1;

    while (end < runs->n && rows[runs->runs[end] + 1] - rows[runs->runs[i]] <= SPAN_ROWS_MAX)
        end++;
    return end;
}

static bool
is_alike(struct count_lying *l, const struct count_source *source, uint32_t run)
{
    if (run < l->alike_run || run - l->alike_run >= l->n_alike) {
        uint32_t n = source->n_runs - run;

        l->alike_run = run;
        l->n_alike = n < SPAN_RUNS ? n : SPAN_RUNS;
        count_source_alike(source, run, l->n_alike, l->are_alike);
    }
    return l->are_alike[run - l->alike_run];
}

static enum err_code
take_plain(struct journey_walk *w, const struct journey_plain_runs *runs, void *context,
           struct err *err)
{
    struct counting *c = context;
    struct count_source *source = &c->lying->sources[runs->input];
    struct count_span *span = &c->lying->spans[runs->input];
    const uint32_t *rows = source->rows;
    enum err_code rc = ERR_OK;

    c->lying->n_alike = 0;
    for (uint32_t i = 0, end; rc == ERR_OK && i < runs->n; i = end) {
        uint32_t first = rows[runs->runs[i]];
        uint32_t n;

        end = rows_together(runs, rows, i);
        n = rows[runs->runs[end - 1] + 1] - first;
        if (n <= SPAN_ROWS_MAX)
            count_span_read(span, source, first, n);
        for (uint32_t k = i; rc == ERR_OK && k < end; k++) {
            uint32_t run = runs->runs[k];
            struct rows person = {span, rows[run] - first, rows[run + 1] - first,
                                  is_alike(c->lying, source, run)};

            if (n > SPAN_ROWS_MAX || !count__person(c, &person))
                rc = journey_give(w, runs->input, run, err);
        }
    }
    return rc;
}

/* ---- Visitors of several ---- */

/* Sorts the runs by time, without those whose rows are too old to matter. *out_given: how many have
 * rows of ids that they were given. False where they do not follow one another. */
static bool
follow_one_another(const struct counting *c, const struct journey_piece *given, size_t n,
                   struct journey_piece *out, size_t *out_n, size_t *out_given)
{
    const struct journey_input *inputs = c->e->inputs;
    size_t n_out = 0;

    *out_given = 0;
    for (size_t i = 0; i < n; i++) {
        const struct count_source *source = &c->lying->sources[given[i].input];
        size_t at = n_out;
        uint32_t word;

        if (!source->is_open)
            continue;
        if (source->presence.n_words == 0)
            return false;
        segment_presence_read(&source->presence, given[i].run, 1, &word);
        *out_given += (source->presence.words[word] & PRESENCE_GIVEN) != 0;
        for (; at > 0 && inputs[out[at - 1].input].site->time_min_ms >
                             inputs[given[i].input].site->time_min_ms;
             at--)
            out[at] = out[at - 1];
        out[at] = given[i];
        n_out++;
    }
    for (size_t i = 1; i < n_out; i++)
        if (inputs[out[i - 1].input].site->time_max_ms >= inputs[out[i].input].site->time_min_ms)
            return false;
    *out_n = n_out;
    return n_out > 0;
}

/* Are they one visitor's, and no event twice among them? */
static enum err_code
are_one(struct journey_walk *w, const struct journey_piece *pieces, size_t n, size_t n_with_ids,
        bool *out, struct err *err)
{
    bool may_repeat = false;
    enum err_code rc = ERR_OK;

    *out = false;
    if (n_with_ids > 1)
        rc = journey_may_repeat(w, pieces, n, &may_repeat, err);
    if (rc == ERR_OK && !may_repeat)
        rc = journey_is_one(w, pieces, n, out, err);
    return rc;
}

/* The run's rows, behind those that are joined already. False where there are too many. */
static bool
join_piece(struct count_lying *l, const struct journey_piece *piece)
{
    struct count_source *source = &l->sources[piece->input];
    const struct count_span *span = &l->spans[piece->input];
    uint32_t row = source->rows[piece->run];
    uint32_t n = source->rows[piece->run + 1] - row;

    if (n > SPAN_ROWS_MAX - l->joined.n)
        return false;
    if (row < span->row || row - span->row > span->n || n > span->n - (row - span->row)) {
        count_span_read(&l->single, source, row, n);
        span = &l->single;
    }
    count_span_add(&l->joined, span, row - span->row, n);
    return true;
}

static enum err_code
take_several(struct journey_walk *w, const struct journey_piece *given, size_t n_given,
             bool *out_taken, void *context, struct err *err)
{
    struct journey_piece pieces[JOURNEY_PIECES_MAX];
    struct counting *c = context;
    struct count_lying *l = c->lying;
    size_t n_with_ids;
    enum err_code rc;
    bool is_one;
    size_t n;

    *out_taken = false;
    if (!follow_one_another(c, given, n_given, pieces, &n, &n_with_ids) ||
        (n < n_given && n_with_ids > 0))
        return ERR_OK;
    rc = are_one(w, pieces, n, n_with_ids, &is_one, err);
    if (rc != ERR_OK || !is_one)
        return rc;
    count_span_clear(&l->joined);
    for (size_t i = 0; i < n; i++)
        if (!join_piece(l, &pieces[i]))
            return ERR_OK;
    *out_taken = count__person(c, &(struct rows){&l->joined, 0, l->joined.n, false});
    return ERR_OK;
}

const struct journey_lying count_lying = {.plain = take_plain, .several = take_several};
