/* What runs match, without reading their rows. See scan.h.
 *
 * A file of merged events says of each run which names its events have (segment_presence). There
 * are few different such words, and what a run of each matches is found out once: all of it, where
 * rules ask for the event's name alone, or, of a run whose rows have the same value in each other
 * column that is asked, by these values' bits. */
#include "aggregator/scan_int.h"

#define RUNS                256 /* looked at together */
#define PRESENT_EVENTS      ((UINT64_C(1) << PRESENCE_EVENTS) - 1)
#define PRESENT_UNKNOWN     (PRESENCE_ANY_EVENT | PRESENCE_BOT) /* such runs are read */
#define UNSETTLED_OR_STAGES (PACKED_STAGES | PACKED_UNSETTLED)

/* What is to be known of the runs of one presence word. */
struct run_class {
    struct scan_known known; /* where it does not depend on other columns */
    bool depends;
    struct scan_known with[2]; /* where these have but one bit: without it, with it */
};

struct scan_runs {
    struct segment_presence presence;
    struct run_class *classes;        /* of each word */
    uint64_t events[PRESENCE_EVENTS]; /* by code of `event`: what `words` of columns say together */
    bool has_numbers;                 /* some test asks a number that rows have */
    bool has_one_bit;                 /* other columns say one thing or nothing */
    int n_others;
    const struct scan_column *others[MATCHER_LEAVES_MAX]; /* texts that tests ask, beside `event` */
};

/* ---- Opening ---- */

static bool
is_event(const struct scan_column *c)
{
    return c->attribute.source == SOURCE_TEXT && c->attribute.code == TEXT_EVENT;
}

/* Bits that are the same in all rows that are no bot's, and those of the event's name. */
static void
add_known_column(struct scan_runs *r, const struct scan_column *c)
{
    for (uint32_t code = 0; code < PRESENCE_EVENTS; code++) {
        if (c->kind == SCAN_BOT)
            r->events[code] |= c->words[0];
        else if (code < c->column.n_codes)
            r->events[code] |= c->words[code];
    }
}

/* What a row may match that has all of `bits`, and any of `unknown`. */
static uint64_t
may_match(const struct scan_packing *p, uint64_t bits, uint64_t unknown)
{
    uint64_t may = 0;

    if (p->is_direct)
        return bits | unknown;
    for (uint64_t some = unknown;; some = (some - 1) & unknown) {
        may |= p->words[bits | some];
        if (some == 0)
            return may;
    }
}

/* The bits that other columns may have. */
static uint64_t
unknown_bits(const struct scan_runs *r)
{
    uint64_t unknown = 0;

    for (int i = 0; i < r->n_others; i++)
        for (uint32_t code = 0; code < r->others[i]->column.n_codes; code++)
            unknown |= r->others[i]->words[code];
    return unknown;
}

static inline uint64_t
word_of(const struct scan_packing *p, uint64_t bits)
{
    return p->is_direct ? bits : p->words[bits];
}

static inline uint64_t
flags_of(uint64_t presence)
{
    return ((presence & PRESENCE_COOKIELESS) != 0 ? PACKED_COOKIELESS : 0) |
           ((presence & PRESENCE_VALUE) != 0 ? PACKED_VALUE : 0);
}

/* bits: what the other columns' values say. */
static struct scan_known
judge(const struct scan_runs *r, const struct scan_packing *p, uint64_t presence, uint64_t bits)
{
    struct scan_known k = {
        .kind = SCAN_TO_READ, .is_exact = true, .has_given_ids = (presence & PRESENCE_GIVEN) != 0};
    uint64_t first = 0;
    uint64_t differs = 0;

    for (uint64_t left = presence & PRESENT_EVENTS; left != 0; left &= left - 1) {
        uint64_t word = word_of(p, r->events[__builtin_ctzll(left)] | bits);

        k.all |= word;
        if ((word & PACKED_STAGES) == 0)
            continue;
        first = first == 0 ? word : first;
        differs |= first ^ word;
    }
    k.all |= flags_of(presence);
    k.entry = first;
    if ((k.all & UNSETTLED_OR_STAGES) == 0)
        k.kind = SCAN_NOTHING;
    else if ((k.all & (PACKED_UNSETTLED | PACKED_VALUE)) == 0 && differs == 0 &&
             (first & (first - 1) & PACKED_STAGES) == 0)
        k.kind = SCAN_SINGLE;
    return k;
}

static void
judge_class(const struct scan *s, const struct scan_packing *p, const uint64_t *may,
            uint64_t unknown, uint64_t presence, struct run_class *out)
{
    const struct scan_runs *r = s->runs;
    uint64_t all = 0;

    *out = (struct run_class){.known = {.all = UINT64_MAX,
                                        .kind = SCAN_TO_READ,
                                        .has_given_ids = (presence & PRESENCE_GIVEN) != 0,
                                        .has_bots = (presence & PRESENCE_BOT) != 0}};
    if ((presence & PRESENT_UNKNOWN) != 0)
        return;
    if (r->has_numbers)
        return;
    for (uint64_t left = presence & PRESENT_EVENTS; left != 0; left &= left - 1)
        all |= may[__builtin_ctzll(left)];
    out->known.all = all | flags_of(presence);
    if (r->n_others == 0)
        out->known = judge(r, p, presence, 0);
    else if ((all & UNSETTLED_OR_STAGES) == 0)
        out->known.kind = SCAN_NOTHING;
    else
        out->depends = true;
    if (out->depends && r->has_one_bit) {
        out->with[0] = judge(r, p, presence, 0);
        out->with[1] = judge(r, p, presence, unknown);
    }
}

enum err_code
scan_open_runs(struct scan *s, const struct segment *segment, const struct scan_packing *p,
               struct err *err)
{
    struct scan_runs *r = ARENA_NEW(&s->arena, struct scan_runs);
    enum err_code rc = segment_presence_open(segment, &r->presence, err);
    uint64_t may[PRESENCE_EVENTS];
    uint64_t unknown;

    if (rc != ERR_OK || r->presence.n_words == 0)
        return rc;
    s->runs = r;
    for (int i = 0; i < s->n_columns; i++) {
        const struct scan_column *c = &s->columns[i];

        if (c->kind == SCAN_BOT || (c->kind == SCAN_TEXT && is_event(c)))
            add_known_column(r, c);
        else if (c->kind == SCAN_NUMBER)
            r->has_numbers = r->has_numbers || c->column.n_set > 0;
        else if (!c->is_idle)
            r->others[r->n_others++] = c;
    }
    unknown = unknown_bits(r);
    r->has_one_bit = (unknown & (unknown - 1)) == 0;
    for (uint32_t code = 0; code < PRESENCE_EVENTS; code++)
        may[code] = may_match(p, r->events[code], unknown);
    r->classes = ARENA_ARRAY(&s->arena, struct run_class, r->presence.n_words);
    for (uint32_t i = 0; i < r->presence.n_words; i++)
        judge_class(s, p, may, unknown, r->presence.words[i], &r->classes[i]);
    return ERR_OK;
}

bool
scan_knows_runs(const struct scan *s)
{
    return s->runs != NULL;
}

/* ---- Asking ---- */

/* What the other columns say of each run's rows. */
static void
read_others(const struct scan_runs *r, uint32_t run, uint32_t n, struct segment_run_bits *bits)
{
    struct segment_run_bits some[RUNS];

    for (uint32_t k = 0; k < n; k++)
        bits[k] = (struct segment_run_bits){0, 0};
    for (int i = 0; i < r->n_others; i++) {
        const struct scan_column *c = r->others[i];

        for (uint32_t k = 0; k < n; k++)
            some[k] = (struct segment_run_bits){0, UINT64_MAX};
        segment_run_bits(&c->column, c->words, run, n, some);
        for (uint32_t k = 0; k < n; k++) {
            bits[k].any |= some[k].any;
            bits[k].all |= some[k].all;
        }
    }
}

/* Of a run whose rows differ: what they may match together. */
static uint64_t
may_match_together(const struct scan_runs *r, const struct scan_packing *p, uint64_t presence,
                   const struct segment_run_bits *bits)
{
    uint64_t may = 0;

    for (uint64_t left = presence & PRESENT_EVENTS; left != 0; left &= left - 1)
        may |= may_match(p, r->events[__builtin_ctzll(left)] | bits->all, bits->any & ~bits->all);
    return may;
}

static void
know_some(const struct scan *s, const struct scan_packing *p, uint32_t run, uint32_t n,
          struct scan_known *out)
{
    const struct scan_runs *r = s->runs;
    uint32_t which[RUNS];
    struct segment_run_bits bits[RUNS];
    bool has_read = false;

    segment_presence_read(&r->presence, run, n, which);
    for (uint32_t i = 0; i < n; i++) {
        const struct run_class *c = &r->classes[which[i]];
        uint64_t presence = r->presence.words[which[i]];

        out[i] = c->known;
        if (!c->depends)
            continue;
        if (!has_read)
            read_others(r, run, n, bits);
        has_read = true;
        if (bits[i].any == bits[i].all) {
            out[i] =
                r->has_one_bit ? c->with[bits[i].any != 0] : judge(r, p, presence, bits[i].any);
            continue;
        }
        out[i].all = may_match_together(r, p, presence, &bits[i]) | flags_of(presence);
        if ((out[i].all & UNSETTLED_OR_STAGES) == 0)
            out[i].kind = SCAN_NOTHING;
    }
}

void
scan_known(const struct scan *s, const struct scan_packing *p, uint32_t run, uint32_t n,
           struct scan_known *out)
{
    for (uint32_t i = 0, some; i < n; i += some) {
        some = n - i < RUNS ? n - i : RUNS;
        know_some(s, p, run + i, some, out + i);
    }
}
