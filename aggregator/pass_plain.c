/* Visitors that are counted where they lie: all they have done is one run of one segment, or runs
 * of several that follow one another and hold no event twice.
 *
 * Most of them match one stage or none, and are over: all their events lie in the range, and
 * nothing of theirs is open. What their runs match is mostly known without reading a row
 * (scan_runs.c), and how many there were of each stage is added to the tallies at the end, by value
 * of the breakdown's attribute where there is one. Of the others the rows are read as words
 * (scan_packed.c); where these match more stages, they become the events of a unit, which is
 * counted as any other. What hangs on drivers and bots goes the general way (journey_give).
 *
 * What is not here: questions that need sessions, an order of events, lists or a trend.
 */
#include <stdlib.h>

#include "aggregator/pass_plain_int.h"

#define COUNTS_MAX ((size_t)1 << 18) /* of all places together, 4 bytes each */
#define KNOWN_MORE 64                /* runs that are looked at beside one that is asked for */

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

/* The stages above which none is required. */
static uint32_t
stages_alone(const struct plan *plan)
{
    uint32_t first = plan->required & (~plan->required + 1);

    return plan->stages & (first | (first - 1)); /* without one: all */
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
    k->n_stages = p->setup.q->funnel->n_stages;
    k->has_breakdown = r->n_breakdowns != 0;
    if (k->has_breakdown) {
        k->part = matcher_part_of(&r->breakdowns[0].attribute);
        k->broken_down = r->breakdowns[0].at == AT_ENTRY
                             ? PACKED_STAGES
                             : UINT64_C(1) << (r->breakdowns[0].stage - 1);
    }
    k->from_ms = p->setup.range.from_ms;
    k->until_ms = end_of_inside(p);
    for (int i = 0; i < p->setup.q->n_presets; i++)
        k->alone[i] = stages_alone(&p->plans[i]);
    p->plain = k;
}

void
pass__plain_fini(struct pass *p)
{
    struct pass_plain *k = p->plain;

    if (k == NULL)
        return;
    for (size_t i = 0; i < k->n_places; i++) {
        free(k->places[i].counts);
        free(k->places[i].known);
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
    size_t n;

    *place = (struct plain_place){
        .site = in->site, .scan = in->scan, .rows = segment_run_rows(in->segment)};
    if (!in->scan)
        return;
    place->is_entered = in->site->time_max_ms >= p->setup.range.from_ms &&
                        in->site->time_min_ms < p->setup.range.to_ms;
    place->is_inside = in->site->time_min_ms >= k->from_ms && in->site->time_max_ms <= k->until_ms;
    if (!k->has_breakdown)
        return;
    place->values = attribute_values_column(p->setup.values[0], input);
    n = place->values ? ((size_t)place->values->n_codes + 1) * (size_t)k->n_stages : 0;
    if (n == 0 || n > COUNTS_MAX - k->n_counts)
        return;
    place->counts = mem_zalloc(n * sizeof *place->counts);
    k->n_counts += n;
}

void
pass__plain_begin(struct pass *p, const struct journey_input *inputs, size_t n)
{
    p->plain->n_places = n;
    p->plain->places = mem_zalloc((n + 1) * sizeof *p->plain->places);
    for (size_t i = 0; i < n; i++)
        open_place(p, i, &inputs[i]);
}

static uint32_t
value_of_code(struct pass *p, size_t input, uint32_t code)
{
    struct attribute_values *values = p->setup.values[0];

    return code == p->plain->places[input].values->n_codes
               ? pass__value_without_driver(p, 0)
               : attribute_values_of_code(values, input, code);
}

/* n visitors in the rows of the breakdown. */
static void
add_to_rows(struct pass *p, size_t input, uint32_t code, uint32_t stage, int64_t n)
{
    struct breakdown_key key = {{value_of_code(p, input, code)}};

    for (int i = 0; i < p->setup.q->n_presets; i++) {
        struct tally *tally;

        if ((p->plain->alone[i] >> stage & 1) == 0)
            continue;
        tally = breakdown_add_many(p->breakdowns[i], &key, n);
        if (tally)
            tally_add_single(tally, stage, n);
    }
}

static void
add_counts(struct pass *p, size_t input)
{
    const struct plain_place *place = &p->plain->places[input];
    uint32_t n_stages = (uint32_t)p->plain->n_stages;

    if (!place->counts)
        return;
    for (uint32_t code = 0; code <= place->values->n_codes; code++)
        for (uint32_t k = 0; k < n_stages; k++)
            if (place->counts[code * n_stages + k] != 0)
                add_to_rows(p, input, code, k, place->counts[code * n_stages + k]);
}

void
pass__plain_end(struct pass *p)
{
    const struct pass_plain *k = p->plain;

    for (int i = 0; i < p->setup.q->n_presets; i++)
        for (uint32_t stage = 0; stage < (uint32_t)k->n_stages; stage++) {
            if ((k->alone[i] >> stage & 1) != 0) {
                tally_add_single(p->tallies[i], stage, k->n[stage]);
                p->n_cookieless[i] += k->n_cookieless[stage];
            } else if (!p->chooser.needs_path) {
                tally_add_seen(p->tallies[i], stage, k->n[stage]);
            }
        }
    for (size_t i = 0; i < k->n_places; i++)
        add_counts(p, i);
}

/* ---- What is known of runs ---- */

static void
know(struct pass_plain *k, struct plain_place *place, uint32_t begin, uint32_t end)
{
    uint32_t n = end - begin;

    if (n > place->room) {
        place->room = n;
        place->known = mem_realloc(place->known, n * sizeof *place->known);
        place->codes = mem_realloc(place->codes, n * sizeof *place->codes);
        place->to_read = mem_realloc(place->to_read, n * sizeof *place->to_read);
    }
    place->begin = begin;
    place->n = n;
    scan_known(place->scan, &k->packing, begin, n, place->known);
    if (place->values && k->part == PART_EVENT)
        segment_run_codes(place->values, begin, n, place->codes);
}

static const struct scan_known *
known_of(struct pass_plain *k, const struct journey_piece *piece)
{
    struct plain_place *place = &k->places[piece->input];
    uint32_t left = place->site->run_end - piece->run;

    if (piece->run < place->begin || piece->run - place->begin >= place->n)
        know(k, place, piece->run, piece->run + (left < KNOWN_MORE ? left : KNOWN_MORE));
    return &place->known[piece->run - place->begin];
}

/* ---- Visitors of one stage ---- */

bool
pass__is_chosen(const struct chooser *c, uint64_t all, uint64_t entry)
{
    bool holds = true;

    for (size_t i = 0; i < c->n && holds; i++) {
        uint64_t word = c->filters[i].at == AT_ENTRY ? entry : all;
        uint64_t condition = (uint64_t)c->filters[i].condition << PACKED_CONDITIONS;

        holds = ((word & condition) != 0) == (c->filters[i].at != AT_NONE);
    }
    return holds;
}

void
pass__count_single(struct pass *p, size_t input, uint64_t all, uint32_t code)
{
    struct pass_plain *k = p->plain;
    const struct plain_place *place = &k->places[input];
    uint32_t stage = (uint32_t)__builtin_ctzll(all & PACKED_STAGES);

    k->n[stage]++;
    k->n_cookieless[stage] += (all & PACKED_COOKIELESS) != 0;
    if (place->counts)
        place->counts[code * (uint32_t)k->n_stages + stage]++;
    else if (k->has_breakdown)
        add_to_rows(p, input, code, stage, 1);
}

/* Of visitors whose rows may have these words: is none in any figure, for want of what a filter
 * asks?
 */
static bool
are_left_out(const struct pass *p, uint64_t all)
{
    const struct chooser *c = &p->chooser;

    for (size_t i = 0; i < c->n && (all & p->plain->give) == 0; i++)
        if (c->filters[i].at != AT_NONE &&
            (all >> PACKED_CONDITIONS & c->filters[i].condition) == 0)
            return true;
    return false;
}

/* The words of a visitor's rows, who is inside: is he known by them, as he has no path, whatever
 * their order? Then he is counted. */
static bool
count_pathless(struct pass *p, uint64_t all)
{
    uint32_t stages = (uint32_t)(all & PACKED_STAGES);

    if ((all & (p->plain->give | PACKED_VALUE)) != 0)
        return false;
    for (int i = 0; i < p->setup.q->n_presets; i++)
        if (plan_possible(&p->plans[i], stages) != 0)
            return false;
    if (p->chooser.needs_path || !pass__is_chosen(&p->chooser, all, 0))
        return true;
    for (uint32_t left = stages; left != 0; left &= left - 1)
        for (int i = 0; i < p->setup.q->n_presets; i++)
            tally_add_seen(p->tallies[i], (uint32_t)__builtin_ctz(left), 1);
    return true;
}

/* Visitors whose runs are known to match one stage, without reading a row. False: they must be
 * read. */
static bool
count_known(struct pass *p, const struct journey_piece *piece, const struct scan_known *known,
            uint64_t all)
{
    struct pass_plain *k = p->plain;
    const struct plain_place *place = &k->places[piece->input];
    uint32_t code = 0;

    if (!k->has_breakdown && p->chooser.n == 0) { /* most questions */
        uint32_t stage = (uint32_t)__builtin_ctzll(known->entry & PACKED_STAGES);

        k->n[stage]++;
        k->n_cookieless[stage] += (all & PACKED_COOKIELESS) != 0;
        return true;
    }
    if (k->has_breakdown && (!place->values || k->part != PART_EVENT))
        return false;
    if (p->chooser.n != 0 && !pass__is_chosen(&p->chooser, all, known->entry))
        return true;
    if ((k->broken_down & known->entry & PACKED_STAGES) != 0)
        code = place->codes[piece->run - place->begin];
    if (code == CODES_DIFFER)
        return false;
    pass__count_single(p, piece->input, all, code);
    return true;
}

/* ---- Visitors of one run ---- */

/* Without reading a row. */
static bool
is_counted(struct pass *p, const struct journey_piece *piece)
{
    const struct plain_place *place = &p->plain->places[piece->input];
    const struct scan_known *known = &place->known[piece->run - place->begin];

    if (known->kind == SCAN_NOTHING || (!place->is_entered && !known->has_bots) ||
        are_left_out(p, known->all))
        return true;
    if (!place->is_inside)
        return false;
    return known->kind == SCAN_SINGLE ? count_known(p, piece, known, known->all)
                                      : known->is_exact && count_pathless(p, known->all);
}

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
    uint32_t n = 0;

    if (!scan_knows_runs(place->scan))
        return read_runs(p, w, runs->input, runs->runs, runs->n, err);
    know(p->plain, place, runs->begin, runs->end);
    for (uint32_t i = 0; i < runs->n; i++) {
        struct journey_piece piece = {runs->input, runs->runs[i]};

        place->to_read[n] = piece.run;
        n += !is_counted(p, &piece);
    }
    p->n_plain += runs->n - n;
    return read_runs(p, w, runs->input, place->to_read, n, err);
}

/* ---- Visitors of several ---- */

/* Sorts the runs by time, without those whose rows are too old to matter. *out_given: how many have
 * rows of ids that they were given. False where they do not follow one another. */
static bool
put_in_order(struct pass_plain *k, const struct journey_piece *given, size_t n,
             struct journey_piece *out, size_t *out_n, size_t *out_given)
{
    size_t n_out = 0;

    *out_given = 0;
    for (size_t i = 0; i < n; i++) {
        const struct plain_place *place = &k->places[given[i].input];
        size_t at = n_out;

        if (!place->scan)
            continue;
        if (!scan_knows_runs(place->scan))
            return false;
        *out_given += known_of(k, &given[i])->has_given_ids;
        for (; at > 0 && k->places[out[at - 1].input].site->time_min_ms > place->site->time_min_ms;
             at--)
            out[at] = out[at - 1];
        out[at] = given[i];
        n_out++;
    }
    for (size_t i = 1; i < n_out; i++)
        if (k->places[out[i - 1].input].site->time_max_ms >=
            k->places[out[i].input].site->time_min_ms)
            return false;
    *out_n = n_out;
    return true;
}

/* What is known of several runs together. */
struct together {
    uint64_t all; /* as of scan_known */
    bool is_exact;
    bool are_inside;
    bool match_nothing;
    bool enter_nowhere;                   /* nor are they bots' */
    const struct scan_known *single;      /* where all that match match this one stage; else NULL */
    const struct journey_piece *entry_by; /* the first of these */
};

static void
add_known(struct together *t, const struct plain_place *place, const struct journey_piece *piece,
          const struct scan_known *known)
{
    t->all |= known->all;
    t->is_exact = t->is_exact && known->is_exact;
    t->are_inside = t->are_inside && place->is_inside;
    t->enter_nowhere = t->enter_nowhere && !place->is_entered && !known->has_bots;
    if (known->kind == SCAN_NOTHING)
        return;
    if (t->match_nothing) {
        t->single = known->kind == SCAN_SINGLE ? known : NULL;
        t->entry_by = piece;
    } else if (known->kind != SCAN_SINGLE ||
               (t->single && ((t->single->entry ^ known->entry) & PACKED_STAGES) != 0)) {
        t->single = NULL;
    }
    t->match_nothing = false;
}

static struct together
know_several(struct pass_plain *k, const struct journey_piece *pieces, size_t n)
{
    struct together t = {
        .is_exact = true, .are_inside = true, .match_nothing = true, .enter_nowhere = true};

    for (size_t i = 0; i < n; i++)
        add_known(&t, &k->places[pieces[i].input], &pieces[i], known_of(k, &pieces[i]));
    return t;
}

/* Visitors of whom enough is known, but whether they are one. */
static enum err_code
count_several(struct pass *p, struct journey_walk *w, const struct journey_piece *pieces, size_t n,
              const struct together *t, bool *out_taken, struct err *err)
{
    bool is_single = t->single && (t->is_exact || p->chooser.n == 0);
    enum err_code rc = ERR_OK;

    if (t->are_inside && (is_single || t->is_exact)) {
        rc = journey_is_one(w, pieces, n, out_taken, err);
        if (rc != ERR_OK || !*out_taken)
            return rc;
        if (is_single ? count_known(p, t->entry_by, t->single, t->all)
                      : count_pathless(p, t->all)) {
            p->n_plain++;
            p->n_several += n > 1;
            return ERR_OK;
        }
    }
    return pass__count_pieces(p, w, pieces, n, out_taken, err);
}

static enum err_code
take_several(struct journey_walk *w, const struct journey_piece *given, size_t n_given,
             bool *out_taken, void *context, struct err *err)
{
    struct journey_piece pieces[JOURNEY_PIECES_MAX];
    struct pass *p = context;
    struct together together;
    enum err_code rc = ERR_OK;
    bool may_repeat = false;
    size_t n_with_ids;
    size_t n;

    *out_taken = false;
    if (!put_in_order(p->plain, given, n_given, pieces, &n, &n_with_ids) ||
        (n < n_given && n_with_ids > 0))
        return ERR_OK;
    together = know_several(p->plain, pieces, n);
    /* they do not count, whoever they are */
    if (together.match_nothing || together.enter_nowhere || are_left_out(p, together.all)) {
        *out_taken = true;
        return ERR_OK;
    }
    if (n_with_ids > 1)
        rc = journey_may_repeat(w, pieces, n, &may_repeat, err);
    if (rc != ERR_OK || may_repeat)
        return rc;
    return count_several(p, w, pieces, n, &together, out_taken, err);
}

const struct journey_lying pass__lying = {.plain = take_plain, .several = take_several};
