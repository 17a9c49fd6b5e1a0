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

/* What is to be known of the runs of one presence word and order stands at one place where it does
 * not depend on other columns; and, where these have few bits, behind it with any of them. */
#define BITS_FEW     2    /* of other columns */
#define WORDS_FEW    4096 /* with more there is no room for all that other columns may say */
#define KNOWN_OF_FEW (1 + (1 << BITS_FEW))

struct scan_runs {
    struct segment_presence presence;
    uint32_t n_of_word;               /* places that each word has: 1 or KNOWN_OF_FEW */
    struct scan_known *known;         /* of all words */
    bool *depends;                    /* of each word: on other columns */
    uint64_t events[PRESENCE_EVENTS]; /* by code of `event`: what `words` of columns say together */
    bool has_numbers;                 /* some test asks a number that rows have */
    uint64_t few[BITS_FEW];           /* the bits of other columns, where there are not more */
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

static void
add_order(const struct scan_runs *r, const struct scan_packing *p, uint64_t order, uint64_t bits,
          struct scan_known *k)
{
    bool is_tied = false;

    k->has_order = order != 0;
    k->span_ms = order != 0 ? segment_order_span_ms(order) : INT64_MAX;
    for (int i = 0; segment_order_event(order, i) != 0; i++) {
        uint64_t word = word_of(p, r->events[segment_order_event(order, i)] | bits);

        is_tied = is_tied && segment_order_is_tied(order, i);
        if ((word & PACKED_STAGES) == 0)
            continue;
        k->tied |= (uint8_t)((unsigned)is_tied << k->n_steps);
        k->steps[k->n_steps++] = word;
        is_tied = true; /* to those that follow, until one is not to the one before it */
    }
}

/* bits: what the other columns' values say. */
static struct scan_known
judge(const struct scan_runs *r, const struct scan_packing *p, uint32_t which, uint64_t bits)
{
    uint64_t presence = r->presence.words[which];
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
    add_order(r, p, r->presence.orders[which], bits, &k);
    if ((k.all & UNSETTLED_OR_STAGES) == 0)
        k.kind = SCAN_NOTHING;
    else if ((k.all & PACKED_UNSETTLED) == 0 && differs == 0 &&
             (first & (first - 1) & PACKED_STAGES) == 0)
        k.kind = SCAN_SINGLE;
    if (k.kind != SCAN_TO_READ && !k.has_order) { /* in whatever order */
        k.has_order = true;
        k.n_steps = k.kind == SCAN_SINGLE;
        k.steps[0] = first;
    }
    return k;
}

/* The bits of other columns that number i stands for, and back. */
static uint64_t
bits_of_number(const struct scan_runs *r, uint32_t i)
{
    return ((i & 1) != 0 ? r->few[0] : 0) | ((i & 2) != 0 ? r->few[1] : 0);
}

static uint32_t
number_of_bits(const struct scan_runs *r, uint64_t bits)
{
    return (uint32_t)((bits & r->few[0]) != 0) | (uint32_t)((bits & r->few[1]) != 0) << 1;
}

/* Says whether it depends on other columns. */
static bool
judge_word(const struct scan_runs *r, const struct scan_packing *p, const uint64_t *may,
           uint32_t which, struct scan_known *out)
{
    uint64_t presence = r->presence.words[which];
    uint64_t all = 0;

    *out = (struct scan_known){.all = UINT64_MAX,
                               .kind = SCAN_TO_READ,
                               .has_given_ids = (presence & PRESENCE_GIVEN) != 0,
                               .has_bots = (presence & PRESENCE_BOT) != 0};
    if ((presence & PRESENT_UNKNOWN) != 0 || r->has_numbers)
        return false;
    for (uint64_t left = presence & PRESENT_EVENTS; left != 0; left &= left - 1)
        all |= may[__builtin_ctzll(left)];
    out->all = all | flags_of(presence);
    if (r->n_others == 0) {
        *out = judge(r, p, which, 0);
        return false;
    }
    if ((all & UNSETTLED_OR_STAGES) == 0)
        out->kind = SCAN_NOTHING;
    return out->kind != SCAN_NOTHING;
}

static void
judge_words(struct scan *s, struct scan_runs *r, const struct scan_packing *p, const uint64_t *may)
{
    uint32_t n = r->presence.n_words;

    r->known = ARENA_ARRAY(&s->arena, struct scan_known, (size_t)n * r->n_of_word);
    r->depends = ARENA_ARRAY(&s->arena, bool, n);
    for (uint32_t which = 0; which < n; which++) {
        struct scan_known *known = &r->known[which * r->n_of_word];

        r->depends[which] = judge_word(r, p, may, which, known);
        for (uint32_t i = 1; i < r->n_of_word; i++)
            known[i] = judge(r, p, which, bits_of_number(r, i - 1));
    }
}

/* False where there are more. */
static bool
take_few(uint64_t unknown, uint64_t *few)
{
    for (int i = 0; i < BITS_FEW; i++, unknown &= unknown - 1)
        few[i] = unknown & (~unknown + 1);
    return unknown == 0;
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
    r->n_of_word = r->n_others > 0 && take_few(unknown, r->few) && r->presence.n_words <= WORDS_FEW
                       ? KNOWN_OF_FEW
                       : 1;
    for (uint32_t code = 0; code < PRESENCE_EVENTS; code++)
        may[code] = may_match(p, r->events[code], unknown);
    judge_words(s, r, p, may);
    return ERR_OK;
}

bool
scan_knows_runs(const struct scan *s)
{
    return s->runs != NULL;
}

/* ---- Asking ---- */

static void
read_column(const struct scan_column *c, uint32_t run, uint32_t n, struct segment_run_bits *bits)
{
    for (uint32_t k = 0; k < n; k++)
        bits[k] = (struct segment_run_bits){0, UINT64_MAX};
    segment_run_bits(&c->column, c->words, run, n, bits);
}

/* What the other columns say of each run's rows. */
static void
read_others(const struct scan_runs *r, uint32_t run, uint32_t n, struct segment_run_bits *bits)
{
    struct segment_run_bits some[RUNS];

    read_column(r->others[0], run, n, bits);
    for (int i = 1; i < r->n_others; i++) {
        read_column(r->others[i], run, n, some);
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

/* Of a run that is not known by its word and the few bits that other columns say of all its rows.
 */
static void
know_alone(const struct scan_runs *r, const struct scan_packing *p, uint32_t which,
           const struct segment_run_bits *bits, struct scan_known *own)
{
    uint64_t presence = r->presence.words[which];

    if (bits->any == bits->all) {
        *own = judge(r, p, which, bits->any);
        return;
    }
    *own = r->known[which * r->n_of_word];
    own->all = may_match_together(r, p, presence, bits) | flags_of(presence);
    if ((own->all & UNSETTLED_OR_STAGES) == 0)
        own->kind = SCAN_NOTHING;
}

/* Where something depends on other columns. */
static void
know_some(const struct scan_runs *r, const struct scan_packing *p, uint32_t run, uint32_t n,
          struct scan_known *own, uint32_t *out)
{
    struct segment_run_bits bits[RUNS];
    uint32_t n_of_word = r->n_of_word;

    read_others(r, run, n, bits);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t which = out[i];

        out[i] = which * n_of_word;
        if (!r->depends[which])
            continue;
        if (n_of_word > 1 && bits[i].any == bits[i].all) {
            out[i] += 1 + number_of_bits(r, bits[i].any);
            continue;
        }
        know_alone(r, p, which, &bits[i], &own[i]);
        out[i] = SCAN_ALONE;
    }
}

uint32_t
scan_n_known(const struct scan *s)
{
    return s->runs->presence.n_words * s->runs->n_of_word;
}

const struct scan_known *
scan_all_known(const struct scan *s)
{
    return s->runs->known;
}

void
scan_known(const struct scan *s, const struct scan_packing *p, uint32_t run, uint32_t n,
           struct scan_known *own, uint32_t *out)
{
    segment_presence_read(&s->runs->presence, run, n, out);
    for (uint32_t i = 0, some; s->runs->n_others > 0 && i < n; i += some) {
        some = n - i < RUNS ? n - i : RUNS;
        know_some(s->runs, p, run + i, some, own + i, out + i);
    }
}
