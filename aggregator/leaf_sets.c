/* Sets by what they hold; a direct-mapped memory of masks. */
#include "aggregator/leaf_sets.h"

#include <stdlib.h>

#include "aggregator/row_index.h"
#include "core/hash.h"

#define MEMORY 4096 /* a power of two */

struct remembered {
    struct leaf_sources from;
    bool is_there;
    struct masks masks;
};

struct leaf_sets {
    const struct matcher *matcher;
    struct leaf_bits direct;      /* what "direct" as channel holds */
    struct leaf_bits entrance[2]; /* what "false" and "true" hold */
    struct leaf_bits *sets;
    uint32_t n;
    uint32_t max;
    struct row_index index;
    struct remembered memory[MEMORY];
};

/* ---- Making ---- */

/* The leaves of attributes of that code in a part which hold for a text. */
static enum err_code
test_leaves(const struct leaf_sets *s, enum matcher_part part, int code,
            struct leaf_scratch *scratch, struct slice text, struct leaf_bits *out, struct err *err)
{
    const struct leaf_bits *leaves = matcher_part_leaves(s->matcher, part);

    for (int i = 0; i < matcher_n_leaves(s->matcher); i++) {
        const struct leaf *leaf = matcher_leaf(s->matcher, i);
        bool holds = false;
        enum err_code rc;

        if ((leaves->word[i / 64] >> (i % 64) & 1) == 0 || leaf_attribute(leaf)->code != code)
            continue;
        rc = leaf_text(leaf, scratch, text, &holds, err);
        if (rc != ERR_OK)
            return rc;
        if (holds)
            leaf_bits_set(out, i);
    }
    return ERR_OK;
}

enum err_code
leaf_sets_create(const struct matcher *m, struct leaf_scratch *scratch, struct leaf_sets **out,
                 struct err *err)
{
    struct leaf_sets *s = mem_zalloc(sizeof *s);
    struct leaf_bits empty = {{0}};
    enum err_code rc;

    s->matcher = m;
    row_index_init(&s->index);
    (void)leaf_sets_find(s, &empty); /* number 0 */
    rc = test_leaves(s, PART_DRIVER, TEXT_CHANNEL, scratch, MATCHER_DIRECT, &s->direct, err);
    for (int i = 0; i < 2 && rc == ERR_OK; i++)
        rc = test_leaves(s, PART_ENTRANCE, DERIVED_ENTRANCE, scratch,
                         i == 0 ? SLICE("false") : SLICE("true"), &s->entrance[i], err);
    if (rc == ERR_OK)
        *out = s;
    else
        leaf_sets_destroy(&s);
    return rc;
}

void
leaf_sets_destroy(struct leaf_sets **s)
{
    if (*s == NULL)
        return;
    free((*s)->sets);
    row_index_fini(&(*s)->index);
    free(*s);
    *s = NULL;
}

/* ---- Sets ---- */

static uint32_t
hash_set(const void *bits)
{
    return (uint32_t)checksum64(bits, sizeof(struct leaf_bits));
}

static const struct row_kind kind = {sizeof(struct leaf_bits), sizeof(struct leaf_bits), hash_set};

uint32_t
leaf_sets_find(struct leaf_sets *s, const struct leaf_bits *bits)
{
    uint32_t *slot = row_index_find(&s->index, &kind, s->sets, bits);

    if (*slot != 0)
        return *slot - 1;
    if (s->n == s->max) {
        s->max = 2 * s->max + 64;
        s->sets = mem_realloc(s->sets, s->max * sizeof *s->sets);
    }
    s->sets[s->n] = *bits;
    row_index_add(&s->index, &kind, s->sets, slot, s->n);
    return s->n++;
}

/* ---- Masks ---- */

static void
add_part(const struct leaf_sets *s, enum matcher_part part, const struct leaf_bits *from,
         struct leaf_bits *into)
{
    const struct leaf_bits *leaves = matcher_part_leaves(s->matcher, part);

    for (int w = 0; w < MATCHER_WORDS; w++)
        into->word[w] |= from->word[w] & leaves->word[w];
}

static struct masks
work_out(const struct leaf_sets *s, struct leaf_sources from)
{
    struct leaf_bits bits = s->entrance[from.is_entrance];

    add_part(s, PART_EVENT, &s->sets[from.own], &bits);
    add_part(s, PART_DRIVER, from.driver == LEAF_SETS_DIRECT ? &s->direct : &s->sets[from.driver],
             &bits);
    add_part(s, PART_ORIGIN, &s->sets[from.origin], &bits);
    return matcher_masks(s->matcher, &bits);
}

static bool
is_same(const struct leaf_sources *a, const struct leaf_sources *b)
{
    return a->own == b->own && a->driver == b->driver && a->origin == b->origin &&
           a->is_entrance == b->is_entrance;
}

struct masks
leaf_sets_masks(struct leaf_sets *s, struct leaf_sources from)
{
    uint64_t mixed = ((uint64_t)from.own << 32 | from.driver) * UINT64_C(0x9e3779b97f4a7c15) ^
                     ((uint64_t)from.origin << 1 | from.is_entrance) * UINT64_C(0xc2b2ae3d27d4eb4f);
    struct remembered *r = &s->memory[(mixed >> 40) & (MEMORY - 1)];

    if (!r->is_there || !is_same(&r->from, &from))
        *r = (struct remembered){from, true, work_out(s, from)};
    return r->masks;
}

bool
leaf_sets_are_own(const struct leaf_sets *s)
{
    uint64_t any = 0;

    for (int w = 0; w < MATCHER_WORDS; w++)
        any |= s->direct.word[w] | s->entrance[0].word[w] | s->entrance[1].word[w];
    return any == 0;
}

bool
leaf_sets_empty_matches(struct leaf_sets *s)
{
    bool matches = false;

    for (int i = 0; i < 4; i++) {
        struct leaf_sources from = {LEAF_SETS_EMPTY, i / 2 ? LEAF_SETS_DIRECT : LEAF_SETS_EMPTY,
                                    LEAF_SETS_EMPTY, i % 2};

        matches = matches || leaf_sets_masks(s, from).stages != 0;
    }
    return matches;
}
