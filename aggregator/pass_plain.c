/* Visitors that are counted where they lie: all they have done is one run of one segment, or runs
 * of several that follow one another and hold no event twice.
 *
 * Of most of them it is known without reading a row what they count for (pass_known.c): who matches
 * one stage or none and is over, as all his events lie in the range and nothing of his is open;
 * and, where nobody asks for times and values, who went through the stages in an order that shows.
 * Of the others the rows are read as words (scan_packed.c); where these match more stages, they
 * become the events of a unit, which is counted as any other. What hangs on drivers and bots goes
 * the general way (journey_give).
 *
 * What is not here: questions that need sessions, an order of events, lists or a trend.
 */
#include <stdlib.h>

#include "aggregator/pass_plain_int.h"

/* ---- For which questions ---- */

static bool
are_filters_simple(const struct chooser *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->filters[i].at != AT_ENTRY && c->filters[i].at != AT_ANY &&
            c->filters[i].at != AT_NONE)
            return false;
    return true;
}

static bool
is_breakdown_simple(const struct request *r)
{
    const struct request_breakdown *b = &r->breakdowns[0];

    if (r->n_breakdowns != 1)
        return r->n_breakdowns == 0;
    switch (matcher_part_of(&b->attribute)) {
    case PART_EVENT:
        return b->at == AT_ENTRY || b->at == AT_STAGE;
    case PART_DRIVER:
    case PART_ORIGIN:
        return b->at == AT_ENTRY;
    default:
        return false;
    }
}

static bool
is_simple(const struct pass *p)
{
    const struct query_funnel *q = p->setup.q;

    return !q->is_general && q->funnel->count != COUNT_SESSIONS && !q->want_paths && !q->figure &&
           p->setup.n_points == 0 && q->request->bots != BOTS_ONLY &&
           are_filters_simple(&p->chooser) && is_breakdown_simple(q->request);
}

static int64_t
end_of_inside(const struct pass *p)
{
    int64_t until_ms = path_time_add(p->setup.as_of_ms, -p->setup.q->funnel->window_ms);
    int64_t last_ms = path_time_add(p->setup.range.to_ms, -1);

    return last_ms < until_ms ? last_ms : until_ms; /* no path that ends so early is open */
}

void
pass__plain_init(struct pass *p)
{
    const struct request *r = p->setup.q->request;
    struct scan_packing packing;
    struct pass_plain *k;

    if (!is_simple(p) || !scan_packing_init(&packing, p->matcher, p->sets))
        return;
    k = mem_alloc(sizeof *k); /* its rows are not touched before they are filled */
    memset(k, 0, offsetof(struct pass_plain, words));
    k->packing = packing;
    k->give = PACKED_UNSETTLED | (r->bots == BOTS_EXCLUDE ? PACKED_BOT : 0);
    k->is_counts_only = r->is_counts_only;
    k->has_breakdown = r->n_breakdowns != 0;
    if (k->has_breakdown) {
        k->part = matcher_part_of(&r->breakdowns[0].attribute);
        k->broken_down = r->breakdowns[0].at == AT_ENTRY
                             ? PACKED_STAGES
                             : UINT64_C(1) << (r->breakdowns[0].stage - 1);
    }
    k->from_ms = p->setup.range.from_ms;
    k->until_ms = end_of_inside(p);
    p->plain = k;
}

void
pass__plain_fini(struct pass *p)
{
    struct pass_plain *k = p->plain;

    if (k == NULL)
        return;
    for (size_t i = 0; i < k->n_places; i++) {
        for (uint32_t outcome = 0; outcome < k->n_outcomes; outcome++)
            free(k->places[i].counts[outcome]);
        free(k->places[i].verdicts);
        free(k->places[i].known);
        free(k->places[i].own);
        free(k->places[i].codes);
        free(k->places[i].to_read);
    }
    free(k->places);
    scan_packing_fini(&k->packing);
    free(k);
    p->plain = NULL;
}

/* ---- Begin and end ---- */

enum err_code
pass__plain_open(struct pass *p, struct scan *scan, const struct segment *segment, struct err *err)
{
    return scan_open_runs(scan, segment, &p->plain->packing, err);
}

static void
open_place(const struct pass *p, size_t input, const struct journey_input *in)
{
    struct pass_plain *k = p->plain;
    struct plain_place *place = &k->places[input];

    *place = (struct plain_place){
        .site = in->site, .scan = in->scan, .rows = segment_run_rows(in->segment)};
    if (!in->scan)
        return;
    place->is_entered = in->site->time_max_ms >= p->setup.range.from_ms &&
                        in->site->time_min_ms < p->setup.range.to_ms;
    place->is_inside = in->site->time_min_ms >= k->from_ms && in->site->time_max_ms <= k->until_ms;
    if (k->has_breakdown)
        place->values = attribute_values_column(p->setup.values[0], input);
    if (!scan_knows_runs(in->scan))
        return;
    place->all_known = scan_all_known(in->scan);
    place->verdicts = mem_alloc(scan_n_known(in->scan));
    memset(place->verdicts, VERDICT_NOT_YET, scan_n_known(in->scan));
}

void
pass__plain_begin(struct pass *p, const struct journey_input *inputs, size_t n)
{
    p->plain->n_places = n;
    p->plain->places = mem_zalloc((n + 1) * sizeof *p->plain->places);
    for (size_t i = 0; i < n; i++)
        open_place(p, i, &inputs[i]);
}

/* ---- Visitors of one run ---- */

static enum err_code
read_run(struct pass *p, struct journey_walk *w, const struct journey_piece *piece, struct err *err)
{
    bool is_taken = false;
    enum err_code rc = pass__count_pieces(p, w, piece, 1, &is_taken, err);

    return rc == ERR_OK && !is_taken ? journey_give(w, piece->input, piece->run, err) : rc;
}

static enum err_code
read_runs(struct pass *p, struct journey_walk *w, size_t input, const uint32_t *runs, uint32_t n,
          struct err *err)
{
    enum err_code rc = ERR_OK;

    for (uint32_t i = 0; rc == ERR_OK && i < n; i++)
        rc = read_run(p, w, &(struct journey_piece){input, runs[i]}, err);
    return rc;
}

static enum err_code
take_plain(struct journey_walk *w, const struct journey_plain_runs *runs, void *context,
           struct err *err)
{
    struct pass *p = context;
    struct plain_place *place = &p->plain->places[runs->input];
    uint32_t n;

    if (!scan_knows_runs(place->scan))
        return read_runs(p, w, runs->input, runs->runs, runs->n, err);
    pass__know(p->plain, place, runs->begin, runs->end);
    n = pass__count_known(p, runs->input, runs->runs, runs->n);
    p->n_plain += runs->n - n;
    return read_runs(p, w, runs->input, place->to_read, n, err);
}

/* ---- Visitors of several ---- */

/* Sorts the runs by time, without those whose rows are too old to matter. False where they do not
 * follow one another, or files do not say enough. */
static bool
put_in_order(struct pass_plain *k, const struct journey_piece *given, size_t n,
             struct known_pieces *out)
{
    const struct segment_site *last = NULL;

    out->n = 0;
    for (size_t i = 0; i < n; i++) {
        const struct plain_place *place = &k->places[given[i].input];
        size_t at = out->n;

        if (!place->scan)
            continue;
        if (!scan_knows_runs(place->scan))
            return false;
        for (; at > 0 &&
               k->places[out->pieces[at - 1].input].site->time_min_ms > place->site->time_min_ms;
             at--)
            out->pieces[at] = out->pieces[at - 1];
        out->pieces[at] = given[i];
        out->n++;
    }
    for (size_t i = 0; i < out->n; i++) {
        const struct segment_site *site = k->places[out->pieces[i].input].site;

        if (last && last->time_max_ms >= site->time_min_ms)
            return false;
        last = site;
        out->known[i] = pass__known_of(k, &out->pieces[i]);
    }
    return true;
}

/* How many have rows of ids that they were given. */
static size_t
count_given(const struct known_pieces *pieces)
{
    size_t n = 0;

    for (size_t i = 0; i < pieces->n; i++)
        n += pieces->known[i]->has_given_ids;
    return n;
}

static enum err_code
count_several(struct pass *p, struct journey_walk *w, const struct known_pieces *k, bool *out_taken,
              struct err *err)
{
    const struct journey_piece *piece;
    uint32_t verdict = pass__judge_several(p, k, &piece);
    bool may_repeat = false;
    enum err_code rc = ERR_OK;

    *out_taken = verdict == VERDICT_NOTHING; /* whoever they are */
    if (*out_taken)
        return ERR_OK;
    if (count_given(k) > 1)
        rc = journey_may_repeat(w, k->pieces, k->n, &may_repeat, err);
    if (rc != ERR_OK || may_repeat)
        return rc;
    if (verdict == VERDICT_READ)
        return pass__count_pieces(p, w, k->pieces, k->n, out_taken, err);
    rc = journey_is_one(w, k->pieces, k->n, out_taken, err);
    if (rc != ERR_OK || !*out_taken)
        return rc;
    if (!pass__count_outcome(p, verdict, piece))
        return pass__count_pieces(p, w, k->pieces, k->n, out_taken, err);
    p->n_plain++;
    p->n_several += k->n > 1;
    return ERR_OK;
}

/* A run whose hash was taken for one that is met twice. */
static enum err_code
count_alone(struct pass *p, struct journey_walk *w, const struct journey_piece *piece,
            bool *out_taken, struct err *err)
{
    const struct plain_place *place = &p->plain->places[piece->input];

    if (!place->scan || !scan_knows_runs(place->scan))
        return ERR_OK;
    (void)pass__known_of(p->plain, piece);
    *out_taken = pass__count_known(p, piece->input, &piece->run, 1) == 0;
    p->n_plain += *out_taken;
    return *out_taken ? ERR_OK : pass__count_pieces(p, w, piece, 1, out_taken, err);
}

static enum err_code
take_several(struct journey_walk *w, const struct journey_piece *given, size_t n_given,
             bool *out_taken, void *context, struct err *err)
{
    struct known_pieces pieces;
    struct pass *p = context;

    *out_taken = false;
    if (n_given == 1)
        return count_alone(p, w, given, out_taken, err);
    if (!put_in_order(p->plain, given, n_given, &pieces) ||
        (pieces.n < n_given && count_given(&pieces) > 0))
        return ERR_OK;
    return count_several(p, w, &pieces, out_taken, err);
}

const struct journey_lying pass__lying = {.plain = take_plain, .several = take_several};
