/* Visitors that are counted where they lie: all they have done is one run of one segment.
 *
 * Most of them match one stage or none, and are over: all their events lie in the range, and
 * nothing of theirs is open. They are not even made into events: their rows are words
 * (scan_packed.c), and how many there were of each stage is added to the tallies at the end, by
 * value of the breakdown's attribute where there is one. Of the others the words become the events
 * of a unit, which is counted as any other. What hangs on drivers and bots goes the general way
 * (journey_give).
 *
 * What is not here: questions that need sessions, an order of events, lists or a trend.
 */
#include <stdlib.h>

#include "aggregator/pass_int.h"

#define COUNTS_MAX ((size_t)1 << 18) /* of all places together, 4 bytes each */

/* One segment. */
struct plain_place {
    struct scan *scan;
    const uint32_t *rows;
    bool is_inside;                      /* all its visitors are: their times do not matter */
    const struct segment_column *values; /* of the breakdown; NULL where they are no texts */
    uint32_t *counts;                    /* owned; [code * n_stages + stage]; NULL: too many */
};

struct pass_plain {
    struct scan_packing packing;
    uint64_t give;                /* a row with one of these bits goes the general way */
    uint32_t alone[PRESET_COUNT]; /* stages that make a path on their own */
    int n_stages;
    bool has_breakdown;
    uint64_t broken_down; /* stages where a path of one visit has a value in the breakdown */
    int64_t from_ms;      /* visitors whose events lie in [from, until] are inside */
    int64_t until_ms;
    int64_t n[FUNNEL_STAGES_MAX]; /* visitors that match this stage only */
    int64_t n_cookieless[FUNNEL_STAGES_MAX];
    size_t n_places;
    struct plain_place *places;
    size_t n_counts; /* of all places */

    struct plain_place *place; /* at hand, and its rows [row, row + n_rows) */
    uint32_t row;
    uint32_t n_rows;
    bool has_times;
    bool has_codes;
    uint64_t words[SCAN_CHUNK];
    int64_t times[SCAN_CHUNK];
    uint32_t codes[SCAN_CHUNK];
};

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

    return r->n_breakdowns == 0 ||
           (r->n_breakdowns == 1 && (b->at == AT_ENTRY || b->at == AT_STAGE) &&
            matcher_part_of(&b->attribute) == PART_EVENT);
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
    if (k->has_breakdown)
        k->broken_down = r->breakdowns[0].at == AT_ENTRY
                             ? PACKED_STAGES
                             : UINT64_C(1) << (r->breakdowns[0].stage - 1);
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
    for (size_t i = 0; i < k->n_places; i++)
        free(k->places[i].counts);
    free(k->places);
    scan_packing_fini(&k->packing);
    free(k);
    p->plain = NULL;
}

/* ---- Begin and end ---- */

static void
open_place(const struct pass *p, size_t input, const struct journey_input *in)
{
    struct pass_plain *k = p->plain;
    struct plain_place *place = &k->places[input];
    size_t n;

    *place = (struct plain_place){.scan = in->scan, .rows = segment_run_rows(in->segment)};
    if (!in->scan)
        return;
    place->is_inside = in->site->time_min_ms >= k->from_ms && in->site->time_max_ms <= k->until_ms;
    if (!k->has_breakdown)
        return;
    place->values = attribute_values_column(p->setup.values[0], input);
    n = place->values ? (size_t)place->values->n_codes * (size_t)k->n_stages : 0;
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

/* n visitors in the rows of the breakdown. */
static void
add_to_rows(struct pass *p, size_t input, uint32_t code, uint32_t stage, int64_t n)
{
    struct breakdown_key key = {{attribute_values_of_code(p->setup.values[0], input, code)}};

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
    for (uint32_t code = 0; code < place->values->n_codes; code++)
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

/* ---- Visitors of one stage ---- */

/* A visitor's rows, among those at hand. */
struct plain_run {
    size_t input;
    uint32_t run;
    uint32_t at;
    uint32_t n;
    uint64_t all; /* the words of all rows */
};

/* Where all ask for them those of the chunk are decoded at once, else the visitor's. */
static const int64_t *
times_of(struct pass_plain *k, const struct plain_run *v)
{
    if (k->place->is_inside) {
        scan_times(k->place->scan, k->row + v->at, v->n, k->times + v->at);
    } else if (!k->has_times) {
        scan_times(k->place->scan, k->row, k->n_rows, k->times);
        k->has_times = true;
    }
    return k->times;
}

static uint32_t
code_of(struct pass_plain *k, uint32_t at)
{
    if (!k->has_codes)
        segment_codes(k->place->values, k->row, k->n_rows, k->codes);
    k->has_codes = true;
    return k->codes[at];
}

static bool
is_inside(struct pass_plain *k, const struct plain_run *v)
{
    const int64_t *times;

    if (k->place->is_inside)
        return true;
    times = times_of(k, v);
    return times[v->at] >= k->from_ms && times[v->at + v->n - 1] <= k->until_ms;
}

/* entry: the word of the row that the path enters at. */
static bool
is_chosen(const struct chooser *c, uint64_t all, uint64_t entry)
{
    bool holds = true;

    for (size_t i = 0; i < c->n && holds; i++) {
        uint64_t word = c->filters[i].at == AT_ENTRY ? entry : all;
        uint64_t condition = (uint64_t)c->filters[i].condition << PACKED_CONDITIONS;

        holds = ((word & condition) != 0) == (c->filters[i].at != AT_NONE);
    }
    return holds;
}

static uint32_t
first_row(const struct pass_plain *k, const struct plain_run *v)
{
    uint32_t at = v->at;

    while ((k->words[at] & PACKED_STAGES) == 0)
        at++;
    return at;
}

static void
count_single(struct pass *p, const struct plain_run *v)
{
    struct pass_plain *k = p->plain;
    uint64_t stages = v->all & PACKED_STAGES;
    uint32_t stage = (uint32_t)__builtin_ctzll(stages);
    uint32_t code = 0;

    if (k->has_breakdown || p->chooser.n != 0) {
        uint32_t at = first_row(k, v);

        if (!is_chosen(&p->chooser, v->all, k->words[at]))
            return;
        if ((k->broken_down & stages) != 0)
            code = code_of(k, at);
    }
    k->n[stage]++;
    k->n_cookieless[stage] += (v->all & PACKED_COOKIELESS) != 0;
    if (k->place->counts)
        k->place->counts[code * (uint32_t)k->n_stages + stage]++;
    else if (k->has_breakdown)
        add_to_rows(p, v->input, code, stage, 1);
}

/* ---- The others ---- */

static void
put_event(struct pass *p, const struct plain_run *v, uint32_t i)
{
    struct event_list *l = &p->person.all;
    struct pass_plain *k = p->plain;
    uint64_t word = k->words[v->at + i];
    struct tally_value none = {0, -1};

    l->events[l->n] = (struct path_event){k->times[v->at + i], (uint32_t)(word & PACKED_STAGES),
                                          (uint32_t)((word & PACKED_MATCHES) >> PACKED_EXCLUSIONS)};
    l->conditions[l->n] = (uint32_t)(word >> PACKED_CONDITIONS & UINT16_MAX);
    l->values[l->n] =
        (word & PACKED_VALUE) != 0 ? scan_value(k->place->scan, k->row + v->at + i) : none;
    l->from[l->n++] = i;
}

static enum err_code
count_events(struct pass *p, struct journey_walk *w, const struct plain_run *v, struct err *err)
{
    struct journey j = {
        .n = v->n, .walk = w, .kind = JOURNEY_RUN, .input = v->input, .run = v->run};
    struct pass_plain *k = p->plain;
    const int64_t *times = times_of(k, v);

    person_events_reserve(&p->person, v->n);
    p->person.all.n = 0;
    p->person.flags = (v->all & PACKED_COOKIELESS) != 0 ? EVENT_COOKIELESS : 0;
    for (uint32_t i = 0; i < v->n && times[v->at + i] <= p->setup.as_of_ms; i++)
        if ((k->words[v->at + i] & PACKED_MATCHES) != 0)
            put_event(p, v, i);
    return p->person.all.n != 0 ? pass__count_visitor(p, &j, err) : ERR_OK;
}

/* ---- Runs ---- */

static enum err_code
count_run(struct pass *p, struct journey_walk *w, struct plain_run *v, struct err *err)
{
    struct pass_plain *k = p->plain;
    uint64_t stages;

    v->all = 0;
    for (uint32_t i = 0; i < v->n; i++)
        v->all |= k->words[v->at + i];
    if ((v->all & k->give) != 0)
        return journey_give(w, v->input, v->run, err);
    p->n_plain++;
    stages = v->all & PACKED_STAGES;
    if (stages == 0)
        return ERR_OK;
    if ((stages & (stages - 1)) != 0 || (v->all & PACKED_VALUE) != 0 ||
        (k->has_breakdown && !k->place->values) || !is_inside(k, v))
        return count_events(p, w, v, err);
    count_single(p, v);
    return ERR_OK;
}

/* Of runs[0..n) those whose rows fit into one chunk; 0: not even the first one's. */
static uint32_t
read_chunk(struct pass_plain *k, const uint32_t *runs, uint32_t n)
{
    const uint32_t *rows = k->place->rows;
    uint32_t n_runs = 0;

    k->row = rows[runs[0]];
    while (n_runs < n && rows[runs[n_runs] + 1] - k->row <= SCAN_CHUNK)
        n_runs++;
    if (n_runs == 0)
        return 0;
    k->n_rows = rows[runs[n_runs - 1] + 1] - k->row;
    k->has_times = false;
    k->has_codes = false;
    scan_packed(k->place->scan, &k->packing, k->row, k->n_rows, k->words);
    return n_runs;
}

enum err_code
pass__plain(struct journey_walk *w, size_t input, const uint32_t *runs, uint32_t n, void *context,
            struct err *err)
{
    struct pass *p = context;
    struct pass_plain *k = p->plain;
    enum err_code rc = ERR_OK;

    k->place = &k->places[input];
    for (uint32_t i = 0, end; rc == ERR_OK && i < n; i = end) {
        end = i + read_chunk(k, runs + i, n - i);
        if (end == i)
            rc = journey_give(w, input, runs[end++], err);
        else
            for (uint32_t at = i; rc == ERR_OK && at < end; at++) {
                uint32_t row = k->place->rows[runs[at]];
                struct plain_run v = {.input = input,
                                      .run = runs[at],
                                      .at = row - k->row,
                                      .n = k->place->rows[runs[at] + 1] - row};

                rc = count_run(p, w, &v, err);
            }
    }
    return rc;
}
