/* Visitors of whom files say enough without a row being read: which events their runs hold, in
 * which order they first come up (scan_runs.c). See pass_plain.c.
 *
 * What such a visitor counts for is an outcome; there are few different ones. How many visitors
 * there were of each is added to the tallies at the end, by value of the breakdown's attribute
 * where there is one. The same is known of many runs, so that it is found out once (verdicts). */
#include <stdlib.h>

#include "aggregator/pass_plain_int.h"

#define KNOWN_MORE  64                /* runs that are looked at beside one that is asked for */
#define COUNTS_MAX  ((size_t)1 << 20) /* of all places together, 4 bytes each */
#define SINGLES_MAX (2 * FUNNEL_STAGES_MAX) /* outcomes that there must always be room for */

/* ---- Outcomes ---- */

static bool
is_same_outcome(const struct outcome_known *a, const struct outcome_known *b)
{
    bool is_same = a->seen == b->seen && a->is_cookieless == b->is_cookieless;

    for (int i = 0; i < PRESET_COUNT && is_same; i++)
        is_same = a->paths[i] == b->paths[i] && a->is_chosen[i] == b->is_chosen[i];
    return is_same;
}

/* Its number; VERDICT_READ where there is no room. */
static uint32_t
number_of(struct pass_plain *k, const struct outcome_known *o, uint32_t max)
{
    for (uint32_t i = 0; i < k->n_outcomes; i++)
        if (is_same_outcome(&k->outcomes[i], o))
            return i;
    if (k->n_outcomes >= max)
        return VERDICT_READ;
    k->outcomes[k->n_outcomes] = *o;
    return k->n_outcomes++;
}

/* Has some path of the outcome a value in the breakdown? */
static bool
is_broken_down(const struct pass_plain *k, const struct outcome_known *o)
{
    for (int i = 0; i < PRESET_COUNT; i++)
        if ((o->paths[i] & k->broken_down) != 0)
            return true;
    return false;
}

static bool
has_path(const struct outcome_known *o)
{
    return (o->paths[0] | o->paths[1] | o->paths[2]) != 0;
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
add_to_rows(struct pass *p, size_t input, const struct outcome_known *o, uint32_t code, int64_t n)
{
    for (int i = 0; i < p->setup.q->n_presets; i++) {
        uint32_t of_path = (o->paths[i] & p->plain->broken_down) != 0 ? code : 0;
        struct breakdown_key key = {{ATTRIBUTE_VALUE_NULL}};
        struct tally *tally;

        if (o->paths[i] == 0)
            continue;
        key.values[0] = value_of_code(p, input, of_path);
        tally = breakdown_add_many(p->breakdowns[i], &key, n);
        if (tally)
            tally_add_known(tally, o->seen, o->paths[i], n);
    }
}

/* Where counts of an outcome are kept until the end. False: there are too many values for that. */
static bool
has_counts(struct pass_plain *k, struct plain_place *place, uint32_t outcome)
{
    size_t n = (size_t)place->values->n_codes + 1;

    if (place->counts[outcome])
        return true;
    if (n > COUNTS_MAX - k->n_counts)
        return false;
    place->counts[outcome] = mem_zalloc(n * sizeof *place->counts[outcome]);
    k->n_counts += n;
    return true;
}

static void
count_in_place(struct pass *p, size_t input, uint32_t outcome, uint32_t code)
{
    struct pass_plain *k = p->plain;
    struct plain_place *place = &k->places[input];

    k->n[outcome]++;
    if (has_counts(k, place, outcome))
        place->counts[outcome][code]++;
    else
        add_to_rows(p, input, &k->outcomes[outcome], code, 1);
}

bool
pass__count_outcome(struct pass *p, uint32_t outcome, const struct journey_piece *piece)
{
    struct pass_plain *k = p->plain;
    struct plain_place *place;
    uint32_t code = 0;

    if (!k->has_breakdown || !has_path(&k->outcomes[outcome])) {
        k->n[outcome]++;
        return true;
    }
    place = &k->places[piece->input];
    if (!place->values)
        return false;
    if (is_broken_down(k, &k->outcomes[outcome]))
        code = place->codes[piece->run - place->begin];
    if (code == CODES_DIFFER)
        return false;
    count_in_place(p, piece->input, outcome, code);
    return true;
}

void
pass__count_single(struct pass *p, size_t input, uint64_t all, uint32_t code)
{
    struct pass_plain *k = p->plain;
    struct outcome_known o = {.seen = (uint32_t)(all & PACKED_STAGES),
                              .is_cookieless = (all & PACKED_COOKIELESS) != 0};
    uint32_t number;

    for (int i = 0; i < p->setup.q->n_presets; i++) {
        o.paths[i] = plan_possible(&p->plans[i], o.seen);
        o.is_chosen[i] = o.paths[i] != 0 || !p->chooser.needs_path;
    }
    number = number_of(k, &o, OUTCOMES_MAX);
    if (k->has_breakdown && has_path(&o))
        count_in_place(p, input, number, code);
    else
        k->n[number]++;
}

static void
add_places(struct pass *p, uint32_t outcome)
{
    for (size_t input = 0; input < p->plain->n_places; input++) {
        const struct plain_place *place = &p->plain->places[input];

        if (!place->counts[outcome])
            continue;
        for (uint32_t code = 0; code <= place->values->n_codes; code++)
            if (place->counts[outcome][code] != 0)
                add_to_rows(p, input, &p->plain->outcomes[outcome], code,
                            place->counts[outcome][code]);
    }
}

void
pass__add_outcomes(struct pass *p)
{
    const struct pass_plain *k = p->plain;

    for (uint32_t outcome = 0; outcome < k->n_outcomes; outcome++) {
        const struct outcome_known *o = &k->outcomes[outcome];

        for (int i = 0; i < p->setup.q->n_presets; i++) {
            if (!o->is_chosen[i])
                continue;
            tally_add_known(p->tallies[i], o->seen, o->paths[i], k->n[outcome]);
            if (o->is_cookieless && o->paths[i] != 0)
                p->n_cookieless[i] += k->n[outcome];
        }
        add_places(p, outcome);
    }
}

/* ---- What is known of runs ---- */

void
pass__know(struct pass_plain *k, struct plain_place *place, uint32_t begin, uint32_t end)
{
    uint32_t n = end - begin;

    if (n > place->room) {
        place->room = n;
        place->known = mem_realloc(place->known, n * sizeof *place->known);
        place->own = mem_realloc(place->own, n * sizeof *place->own);
        place->codes = mem_realloc(place->codes, n * sizeof *place->codes);
        place->to_read = mem_realloc(place->to_read, n * sizeof *place->to_read);
    }
    place->begin = begin;
    place->n = n;
    scan_known(place->scan, &k->packing, begin, n, place->own, place->known);
    if (place->values && k->part == PART_EVENT)
        segment_run_codes(place->values, begin, n, place->codes);
}

static const struct scan_known *
known_at(const struct plain_place *place, uint32_t i)
{
    return place->known[i] == SCAN_ALONE ? &place->own[i] : &place->all_known[place->known[i]];
}

const struct scan_known *
pass__known_of(struct pass_plain *k, const struct journey_piece *piece)
{
    struct plain_place *place = &k->places[piece->input];
    uint32_t left = place->site->run_end - piece->run;

    if (piece->run < place->begin || piece->run - place->begin >= place->n)
        pass__know(k, place, piece->run, piece->run + (left < KNOWN_MORE ? left : KNOWN_MORE));
    return known_at(place, piece->run - place->begin);
}

/* ---- Filters ---- */

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

/* ---- Judging ---- */

/* The runs of one visitor. */
struct judged {
    struct pass *p;
    size_t n;
    const struct journey_piece *pieces;
    const struct scan_known *const *known;
    uint64_t all; /* as of scan_known, of all together */
    bool is_exact;
    bool are_inside;
    bool match_nothing;
    bool enter_nowhere; /* nor are they bots' */
    /* of those that match anything: */
    bool are_read; /* only rows say what */
    bool has_order;
    uint64_t matching; /* their words */
};

static void
add_run(struct judged *j, const struct plain_place *place, const struct scan_known *known)
{
    j->all |= known->all;
    j->is_exact = j->is_exact && known->is_exact;
    j->are_inside = j->are_inside && place->is_inside;
    j->enter_nowhere = j->enter_nowhere && !place->is_entered && !known->has_bots;
    if (known->kind == SCAN_NOTHING)
        return;
    j->match_nothing = false;
    j->are_read = j->are_read || !known->is_exact;
    j->has_order = j->has_order && known->has_order;
    j->matching |= known->all;
}

/* A path's way through the runs. */
struct way {
    uint64_t entry; /* the word of the first visit */
    size_t first;   /* runs of the first visit and the last, */
    size_t last;
    size_t broken_down; /* and of the one that has the breakdown's value; SIZE_MAX: none has */
    bool may_be_sooner; /* one of the visits between */
};

/* Some time between the first visit and the last, but not more: is that within the window? */
static bool
is_within(const struct judged *j, const struct way *way, int64_t window_ms)
{
    const struct pass_plain *k = j->p->plain;
    const struct journey_piece *first = &j->pieces[way->first];
    const struct journey_piece *last = &j->pieces[way->last];
    int64_t span_ms = j->known[way->last]->span_ms;
    int64_t begin_ms;
    int64_t end_ms;

    if (way->first == way->last || span_ms > window_ms)
        return span_ms <= window_ms;
    begin_ms = scan_run_start(k->places[first->input].scan, first->run);
    end_ms = path_time_add(scan_run_start(k->places[last->input].scan, last->run), span_ms);
    return end_ms - begin_ms <= window_ms;
}

/* The step of a run, from the moment of `step` on, that has the stage; n_steps where there is none.
 */
static uint32_t
find_step(const struct scan_known *known, uint32_t step, uint64_t stage)
{
    while (step > 0 && (known->tied >> step & 1) != 0)
        step--; /* what is of one moment has no order */
    while (step < known->n_steps && (known->steps[step] & stage) == 0)
        step++;
    return step;
}

/* Does a path visit all of these stages, from run `from` on? Each at the first row of its name in a
 * run; where it takes others, false. */
static bool
find_way(const struct judged *j, size_t from, uint32_t stages, struct way *out)
{
    const struct pass_plain *k = j->p->plain;
    uint32_t step = 0;

    *out = (struct way){.first = SIZE_MAX, .last = from, .broken_down = SIZE_MAX};
    for (uint32_t left = stages; left != 0; left &= left - 1) {
        uint32_t stage = left & (~left + 1);

        step = find_step(j->known[out->last], step, stage);
        while (step == j->known[out->last]->n_steps) {
            out->may_be_sooner |= (j->known[out->last]->all & stage) != 0;
            if (++out->last == j->n)
                return false;
            step = find_step(j->known[out->last], 0, stage);
        }
        if (out->first == SIZE_MAX) {
            out->first = out->last;
            out->entry = j->known[out->last]->steps[step];
        }
        if ((k->broken_down & stage) != 0 && out->broken_down == SIZE_MAX)
            out->broken_down = out->last;
    }
    return true;
}

/* As path_count finds most: each possible stage at the first row that may serve it after the one
 * before. */
static bool
find_path(const struct judged *j, const struct plan *plan, uint32_t possible, struct way *out)
{
    const struct pass_plain *k = j->p->plain;
    bool is_one_visit = (possible & (possible - 1)) == 0;
    bool asks_place = k->has_breakdown || j->p->chooser.n != 0; /* of the visits */

    *out = (struct way){.broken_down = SIZE_MAX};
    if (is_one_visit && !asks_place)
        return true;
    if (!j->has_order)
        return false;
    if (is_one_visit)
        return find_way(j, 0, possible, out);
    if (!k->is_counts_only || plan->n_groups != 0 ||
        (j->matching & PACKED_MATCHES) >> PACKED_EXCLUSIONS != 0)
        return false;
    for (size_t from = 0; from < j->n; from++) {
        if (!find_way(j, from, possible, out))
            return false;
        if (is_within(j, out, plan->window_ms))
            return !out->may_be_sooner || !k->has_breakdown || k->broken_down == PACKED_STAGES;
        if (asks_place) /* a later first visit may be within the same run */
            return false;
        from = out->first;
    }
    return false;
}

static uint32_t
judge(const struct judged *j, size_t *out_broken_down)
{
    const struct pass *p = j->p;
    const struct pass_plain *k = p->plain;
    struct outcome_known o = {.seen = (uint32_t)(j->matching & PACKED_STAGES),
                              .is_cookieless = (j->all & PACKED_COOKIELESS) != 0};
    bool is_first = true;

    *out_broken_down = SIZE_MAX;
    if (j->match_nothing || j->enter_nowhere || are_left_out(p, j->all))
        return VERDICT_NOTHING;
    if (j->are_read || !j->are_inside || (j->matching & k->give) != 0 ||
        (p->chooser.n != 0 && !j->is_exact) ||
        (!k->is_counts_only && (j->matching & PACKED_VALUE) != 0))
        return VERDICT_READ;
    for (int i = 0; i < p->setup.q->n_presets; i++) {
        uint32_t possible = plan_possible(&p->plans[i], o.seen);
        struct way way = {.broken_down = SIZE_MAX};

        if (possible != 0 && !find_path(j, &p->plans[i], possible, &way))
            return VERDICT_READ;
        o.is_chosen[i] = (possible != 0 || !p->chooser.needs_path) &&
                         (p->chooser.n == 0 || pass__is_chosen(&p->chooser, j->all, way.entry));
        o.paths[i] = o.is_chosen[i] ? possible : 0;
        if (o.paths[i] == 0 || !k->has_breakdown)
            continue;
        if (k->part != PART_EVENT || (!is_first && *out_broken_down != way.broken_down))
            return VERDICT_READ;
        *out_broken_down = way.broken_down;
        is_first = false;
    }
    return number_of(p->plain, &o, OUTCOMES_MAX - SINGLES_MAX);
}

static uint32_t
judge_runs(struct pass *p, const struct journey_piece *pieces,
           const struct scan_known *const *known, size_t n, size_t *out_broken_down)
{
    struct judged j = {.p = p,
                       .n = n,
                       .pieces = pieces,
                       .known = known,
                       .is_exact = true,
                       .are_inside = true,
                       .match_nothing = true,
                       .enter_nowhere = true,
                       .has_order = true};

    for (size_t i = 0; i < n; i++)
        add_run(&j, &p->plain->places[pieces[i].input], known[i]);
    return judge(&j, out_broken_down);
}

static uint32_t
judge_run(struct pass *p, const struct journey_piece *piece, const struct scan_known *known)
{
    size_t ignored;

    return judge_runs(p, piece, &known, 1, &ignored);
}

/* A visitor of one run, of whom it is not known yet what he counts for, or more than that is asked.
 * False: it must be read. */
static bool
count_one(struct pass *p, const struct journey_piece *piece)
{
    struct plain_place *place = &p->plain->places[piece->input];
    uint32_t i = piece->run - place->begin;
    uint32_t id = place->known[i];
    uint32_t verdict = id == SCAN_ALONE ? VERDICT_NOT_YET : place->verdicts[id];

    if (verdict == VERDICT_NOT_YET)
        verdict = judge_run(p, piece, known_at(place, i));
    if (id != SCAN_ALONE)
        place->verdicts[id] = (uint8_t)verdict;
    return verdict == VERDICT_NOTHING ||
           (verdict < OUTCOMES_MAX && pass__count_outcome(p, verdict, piece));
}

uint32_t
pass__count_known(struct pass *p, size_t input, const uint32_t *runs, uint32_t n)
{
    struct pass_plain *k = p->plain;
    const struct plain_place *place = &k->places[input];
    const uint32_t *known = place->known;
    const uint8_t *verdicts = place->verdicts;
    uint32_t n_counted = k->has_breakdown ? 0 : OUTCOMES_MAX; /* outcomes that need no more */
    uint32_t begin = place->begin;
    uint32_t n_read = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t id = known[runs[i] - begin];
        uint32_t verdict = id == SCAN_ALONE ? VERDICT_NOT_YET : verdicts[id];

        if (verdict < n_counted)
            k->n[verdict]++;
        else if (verdict != VERDICT_NOTHING &&
                 (verdict == VERDICT_READ ||
                  !count_one(p, &(struct journey_piece){input, runs[i]})))
            place->to_read[n_read++] = runs[i];
    }
    return n_read;
}

uint32_t
pass__judge_several(struct pass *p, const struct known_pieces *k,
                    const struct journey_piece **out_piece)
{
    size_t broken_down;
    uint32_t verdict = judge_runs(p, k->pieces, k->known, k->n, &broken_down);

    *out_piece = &k->pieces[broken_down == SIZE_MAX ? 0 : broken_down];
    return verdict;
}
