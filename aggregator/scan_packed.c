/* Rows as one word each. See scan.h. */
#include <stdlib.h>

#include "aggregator/scan_int.h"

#define LEAVES_MAX 12 /* 2^n words */

static_assert(DIRECT_CONDITIONS == PACKED_CONDITIONS && DIRECT_EXCLUSIONS == PACKED_EXCLUSIONS,
              "direct words are packed ones");

/* ---- What leaves say together ---- */

static bool
fits(const struct masks *m)
{
    return m->stages <= PACKED_STAGES && m->conditions <= UINT16_MAX &&
           m->exclusions < UINT32_C(1) << 28;
}

static uint64_t
pack(const struct masks *m)
{
    return (uint64_t)m->stages | (uint64_t)m->conditions << PACKED_CONDITIONS |
           (uint64_t)m->exclusions << PACKED_EXCLUSIONS;
}

/* Leaves that are not asked of the event itself. */
static uint64_t
leaves_of_others(const struct matcher *m)
{
    return matcher_part_leaves(m, PART_DRIVER)->word[0] |
           matcher_part_leaves(m, PART_ORIGIN)->word[0];
}

static bool
fill_words(struct scan_packing *p, const struct matcher *m)
{
    uint64_t others = leaves_of_others(m);
    bool is_good = true;

    p->words = mem_alloc(sizeof *p->words << p->n_leaves);
    for (uint64_t i = 0; i < UINT64_C(1) << p->n_leaves && is_good; i++) {
        struct leaf_bits bits = {{i & ~others}};
        struct masks masks = matcher_masks(m, &bits);

        is_good = fits(&masks);
        p->words[i] = pack(&masks) | ((i & others) != 0 ? PACKED_UNSETTLED : 0);
    }
    return is_good;
}

static bool
direct_fits(const struct matcher *m)
{
    bool is_good = true;

    for (int i = 0; i < matcher_n_leaves(m) && is_good; i++) {
        struct masks masks = matcher_leaf_masks(m, i);

        is_good = fits(&masks);
    }
    return is_good;
}

bool
scan_packing_init(struct scan_packing *p, const struct matcher *m, const struct leaf_sets *sets)
{
    bool is_good;

    *p = (struct scan_packing){.is_direct = sets == NULL && matcher_is_direct(m),
                               .n_leaves = matcher_n_leaves(m)};
    if (p->is_direct)
        return direct_fits(m);
    if (p->n_leaves == 0 || p->n_leaves > LEAVES_MAX || (sets != NULL && !leaf_sets_are_own(sets)))
        return false;
    is_good = fill_words(p, m);
    if (!is_good)
        scan_packing_fini(p);
    return is_good;
}

void
scan_packing_fini(struct scan_packing *p)
{
    free(p->words);
    *p = (struct scan_packing){.words = NULL};
}

/* ---- Rows ---- */

static void
add_flags(const int64_t *flags, uint32_t n, uint64_t *out)
{
    for (uint32_t i = 0; i < n; i++)
        out[i] |= ((flags[i] & EVENT_BOT) != 0 ? PACKED_BOT : 0) |
                  ((flags[i] & EVENT_COOKIELESS) != 0 ? PACKED_COOKIELESS : 0);
}

static void
add_values(const struct scan *s, uint32_t row, uint32_t n, uint64_t *out)
{
    uint32_t at[SCAN_CHUNK];
    uint32_t n_set = segment_set_rows(&s->value, row, n, at);

    for (uint32_t i = 0; i < n_set; i++)
        if ((out[at[i]] & PACKED_STAGES) != 0)
            out[at[i]] |= PACKED_VALUE;
}

/* The only column that is asked, where it is a text; else NULL. */
const struct scan_column *
scan__only_text(const struct scan *s)
{
    const struct scan_column *only = NULL;

    for (int i = 0; i < s->n_columns; i++) {
        const struct scan_column *c = &s->columns[i];

        if (c->kind == SCAN_TEXT && c->is_idle)
            continue;
        if (c->kind != SCAN_TEXT || only != NULL)
            return NULL;
        only = c;
    }
    return only;
}

void
scan_packed(struct scan *s, const struct scan_packing *p, uint32_t row, uint32_t n, uint64_t *out)
{
    const struct scan_column *only = s->only;
    const int64_t *flags = NULL;

    if (only != NULL && !segment_may_have_bits(&s->flags, row, n, EVENT_BOT | EVENT_COOKIELESS)) {
        segment_codes(&only->column, row, n, s->codes);
        for (uint32_t i = 0; i < n; i++)
            out[i] = p->is_direct ? only->words[s->codes[i]] : p->words[only->words[s->codes[i]]];
    } else {
        flags = scan__test(s, row, n);
        for (uint32_t i = 0; i < n; i++)
            out[i] = p->is_direct ? s->words[i] : p->words[s->words[i]];
    }
    if (flags)
        add_flags(flags, n, out);
    add_values(s, row, n, out);
}

void
scan_run_times(const struct scan *s, uint32_t run, int64_t *out)
{
    segment_run_times(&s->time, run, out);
}

int64_t
scan_run_start(const struct scan *s, uint32_t run)
{
    return segment_run_start(&s->time, run);
}

bool
scan_has_driver(const struct scan *s, uint32_t row)
{
    int64_t flags;

    segment_values(&s->flags, row, 1, &flags, NULL);
    return (flags & EVENT_DRIVER) != 0;
}

struct tally_value
scan_value(struct scan *s, uint32_t row)
{
    uint32_t currency;

    segment_codes(&s->currency, row, 1, &currency);
    return (struct tally_value){segment_value_at(&s->value, row), scan__currency(s, currency)};
}
