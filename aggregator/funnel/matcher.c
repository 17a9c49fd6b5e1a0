/* The funnel's tests made unique, and its rules as programs over their bits.
 *
 * A program is postfix: a leaf pushes its bit, AND and OR join the two bits on top, NOT turns the
 * top one over. The stack is the bits of one word: rules nest at most RULE_DEPTH_MAX deep, and
 * canonical ones add at most one NOT to each level.
 */
#include "aggregator/funnel/matcher.h"

#include <assert.h>
#include <stdlib.h>

enum { STEP_AND = MATCHER_LEAVES_MAX, STEP_OR, STEP_NOT }; /* below: a leaf */

#define CONDITIONS_MAX (2 * REQUEST_FILTERS_MAX)
#define TARGETS_MAX    (FUNNEL_STAGES_MAX + FUNNEL_EXCLUSIONS_MAX + CONDITIONS_MAX)
#define NO_CONDITION   (-1)

static_assert(2 * RULE_DEPTH_MAX + 3 <= 64, "a rule's stack fits one word");
static_assert(CONDITIONS_MAX <= 32, "conditions are 32 bits");

struct matcher {
    const struct funnel *funnel; /* borrowed, as are the filters */
    const struct request_filter *filters;
    size_t n_filters;
    const struct page_groups *page_groups; /* borrowed; NULL: none */
    int n_conditions;
    int conditions[REQUEST_FILTERS_MAX]; /* per filter; NO_CONDITION: it narrows stages */
    int sets[REQUEST_FILTERS_MAX];       /* per filter at first or last */
    struct rule *condition_rules[CONDITIONS_MAX];
    struct arena arena; /* rules of our own */
    int n_leaves;
    bool is_direct;
    struct leaf *leaves[MATCHER_LEAVES_MAX];
    struct slice texts[MATCHER_LEAVES_MAX]; /* canonical, of the leaves; borrowed from the rules */
    struct leaf_bits parts[PART_COUNT];     /* the leaves of each */
    struct masks direct[MATCHER_LEAVES_MAX];
    uint32_t begins[TARGETS_MAX + 1]; /* target i's steps are steps[begins[i], begins[i+1]) */
    uint16_t *steps;
    uint32_t n_steps;
    uint32_t steps_max;
};

enum matcher_part
matcher_part_of(const struct attribute *a)
{
    if (a->source == SOURCE_DERIVED)
        return a->code == DERIVED_LANDING    ? PART_ORIGIN
               : a->code == DERIVED_ENTRANCE ? PART_ENTRANCE
                                             : PART_EVENT;
    if (a->source == SOURCE_TEXT && a->code == TEXT_REFERRER)
        return PART_ORIGIN;
    return a->class == CLASS_DRIVER ? PART_DRIVER : PART_EVENT;
}

/* ---- Making ---- */

static enum err_code
add_leaf(struct matcher *m, const struct rule *test, int *out, struct err *err)
{
    enum err_code rc;

    for (int i = 0; i < m->n_leaves; i++) {
        if (slice_equal(m->texts[i], test->canonical)) {
            *out = i;
            return ERR_OK;
        }
    }
    if (m->n_leaves == MATCHER_LEAVES_MAX)
        return err_set(err, ERR_LIMIT, "stages",
                       "have, with the filters, more than %d different tests together",
                       MATCHER_LEAVES_MAX);
    rc = leaf_create(&test->test, &m->leaves[m->n_leaves], err);
    if (rc != ERR_OK)
        return rc;
    m->texts[m->n_leaves] = test->canonical;
    leaf_bits_set(&m->parts[matcher_part_of(&test->test.attribute)], m->n_leaves);
    *out = m->n_leaves++;
    return ERR_OK;
}

static void
add_step(struct matcher *m, int step)
{
    if (m->n_steps == m->steps_max) {
        m->steps_max = m->steps_max ? 2 * m->steps_max : 64;
        m->steps = mem_realloc(m->steps, m->steps_max * sizeof *m->steps);
    }
    m->steps[m->n_steps++] = (uint16_t)step;
}

static enum err_code
add_rule(struct matcher *m, const struct rule *r, struct err *err)
{
    enum err_code rc = ERR_OK;
    int leaf = 0;

    if (r->kind == RULE_TEST) {
        rc = add_leaf(m, r, &leaf, err);
        if (rc == ERR_OK)
            add_step(m, leaf);
        return rc;
    }
    for (uint32_t i = 0; i < r->n_members && rc == ERR_OK; i++) {
        rc = add_rule(m, r->members[i], err);
        if (i > 0)
            add_step(m, r->kind == RULE_ALL ? STEP_AND : STEP_OR);
    }
    if (r->kind == RULE_NOT)
        add_step(m, STEP_NOT);
    return rc;
}

static int
n_targets(const struct matcher *m)
{
    return m->funnel->n_stages + m->funnel->n_exclusions + m->n_conditions;
}

static void
set_target(const struct matcher *m, struct masks *masks, int target)
{
    int n_stages = m->funnel->n_stages;
    int n_exclusions = m->funnel->n_exclusions;

    if (target < n_stages)
        masks->stages |= 1u << target;
    else if (target < n_stages + n_exclusions)
        masks->exclusions |= 1u << (target - n_stages);
    else
        masks->conditions |= 1u << (target - n_stages - n_exclusions);
}

static bool
narrows(const struct request_filter *filter, int stage)
{
    return filter->at == AT_EVERY || (filter->at == AT_STAGE && filter->stage == stage + 1);
}

static enum err_code
add_stage(struct matcher *m, int stage, struct err *err)
{
    enum err_code rc = add_rule(m, m->funnel->stages[stage].canonical, err);

    for (size_t i = 0; i < m->n_filters && rc == ERR_OK; i++) {
        if (!narrows(&m->filters[i], stage))
            continue;
        rc = add_rule(m, m->filters[i].canonical, err);
        add_step(m, STEP_AND);
    }
    return rc;
}

static enum err_code
add_target(struct matcher *m, int target, struct err *err)
{
    int n_stages = m->funnel->n_stages;
    int n_exclusions = m->funnel->n_exclusions;

    if (target < n_stages)
        return add_stage(m, target, err);
    if (target < n_stages + n_exclusions)
        return add_rule(m, m->funnel->exclusions[target - n_stages].canonical, err);
    return add_rule(m, m->condition_rules[target - n_stages - n_exclusions], err);
}

static int
add_condition(struct matcher *m, struct rule *canonical)
{
    m->condition_rules[m->n_conditions] = canonical;
    return m->n_conditions++;
}

static struct rule *
rule_set(struct matcher *m, const struct attribute *attribute)
{
    struct rule *r = ARENA_NEW(&m->arena, struct rule);

    r->kind = RULE_TEST;
    r->test = (struct rule_test){.attribute = *attribute, .op = OP_SET};
    return rule_canonical(r, &m->arena);
}

static void
make_conditions(struct matcher *m)
{
    for (size_t i = 0; i < m->n_filters; i++) {
        const struct request_filter *f = &m->filters[i];

        m->conditions[i] = m->sets[i] = NO_CONDITION;
        if (f->at == AT_EVERY || f->at == AT_STAGE)
            continue;
        m->conditions[i] = add_condition(m, f->canonical);
        if (f->at == AT_FIRST || f->at == AT_LAST)
            m->sets[i] = add_condition(m, rule_set(m, &f->attribute));
    }
}

/* Where all programs consist of leaves and OR, each leaf has masks of its own. */
static void
make_direct(struct matcher *m)
{
    m->is_direct = true;
    for (int t = 0; t < n_targets(m); t++) {
        for (uint32_t i = m->begins[t]; i < m->begins[t + 1]; i++) {
            if (m->steps[i] < MATCHER_LEAVES_MAX)
                set_target(m, &m->direct[m->steps[i]], t);
            else if (m->steps[i] != STEP_OR)
                m->is_direct = false;
        }
    }
}

enum err_code
matcher_create(const struct funnel *f, const struct request_filter *filters, size_t n,
               struct matcher **out, struct err *err)
{
    struct matcher *m = mem_zalloc(sizeof *m);
    enum err_code rc = ERR_OK;

    m->funnel = f;
    m->filters = filters;
    m->n_filters = n;
    arena_init(&m->arena, 4 << 10);
    make_conditions(m);
    for (int t = 0; t < n_targets(m) && rc == ERR_OK; t++) {
        rc = add_target(m, t, err);
        m->begins[t + 1] = m->n_steps;
    }
    if (rc != ERR_OK) {
        matcher_destroy(&m);
        return rc;
    }
    make_direct(m);
    *out = m;
    return ERR_OK;
}

void
matcher_destroy(struct matcher **m)
{
    if (*m == NULL)
        return;
    for (int i = 0; i < (*m)->n_leaves; i++)
        leaf_destroy(&(*m)->leaves[i]);
    arena_fini(&(*m)->arena);
    free((*m)->steps);
    free(*m);
    *m = NULL;
}

void
matcher_set_page_groups(struct matcher *m, const struct page_groups *groups)
{
    m->page_groups = groups;
}

struct slice
matcher_text(const struct matcher *m, const struct attribute *a, struct slice stored)
{
    return attribute_is_page_group(a) ? page_groups_of(m->page_groups, stored) : stored;
}

uint32_t
matcher_condition(const struct matcher *m, size_t i)
{
    assert(i < m->n_filters && m->conditions[i] != NO_CONDITION);
    return 1u << m->conditions[i];
}

uint32_t
matcher_condition_set(const struct matcher *m, size_t i)
{
    assert(i < m->n_filters && m->sets[i] != NO_CONDITION);
    return 1u << m->sets[i];
}

int
matcher_n_leaves(const struct matcher *m)
{
    return m->n_leaves;
}

const struct leaf *
matcher_leaf(const struct matcher *m, int i)
{
    assert(i >= 0 && i < m->n_leaves);
    return m->leaves[i];
}

const struct leaf_bits *
matcher_part_leaves(const struct matcher *m, enum matcher_part part)
{
    return &m->parts[part];
}

bool
matcher_asks_event_only(const struct matcher *m)
{
    for (int part = PART_EVENT + 1; part < PART_COUNT; part++)
        for (int w = 0; w < MATCHER_WORDS; w++)
            if (m->parts[part].word[w] != 0)
                return false;
    return true;
}

/* ---- Using ---- */

static bool
run(const struct matcher *m, int target, const struct leaf_bits *bits)
{
    uint64_t stack = 0;

    for (uint32_t i = m->begins[target]; i < m->begins[target + 1]; i++) {
        int step = m->steps[i];

        if (step < MATCHER_LEAVES_MAX)
            stack = stack << 1 | (bits->word[step / 64] >> (step % 64) & 1);
        else if (step == STEP_AND)
            stack = stack >> 1 & (stack | ~1ULL);
        else if (step == STEP_OR)
            stack = stack >> 1 | (stack & 1);
        else
            stack ^= 1;
    }
    return (stack & 1) != 0;
}

static struct masks
direct_masks(const struct matcher *m, const struct leaf_bits *bits)
{
    struct masks masks = {0, 0, 0};

    for (int w = 0; w < MATCHER_WORDS; w++) {
        for (uint64_t left = bits->word[w]; left != 0; left &= left - 1) {
            const struct masks *leaf = &m->direct[w * 64 + __builtin_ctzll(left)];

            masks.stages |= leaf->stages;
            masks.exclusions |= leaf->exclusions;
            masks.conditions |= leaf->conditions;
        }
    }
    return masks;
}

struct masks
matcher_masks(const struct matcher *m, const struct leaf_bits *bits)
{
    struct masks masks = {0, 0, 0};

    if (m->is_direct)
        return direct_masks(m, bits);
    for (int t = 0; t < n_targets(m); t++)
        if (run(m, t, bits))
            set_target(m, &masks, t);
    return masks;
}

bool
matcher_is_direct(const struct matcher *m)
{
    return m->is_direct;
}

struct masks
matcher_leaf_masks(const struct matcher *m, int leaf)
{
    assert(m->is_direct && leaf >= 0 && leaf < m->n_leaves);
    return m->direct[leaf];
}

/* ---- One event ---- */

static struct slice
property_of(const struct event *e, struct slice key)
{
    for (uint32_t i = 0; i < e->n_properties; i++)
        if (slice_equal(e->properties[i].key, key))
            return e->properties[i].value;
    return SLICE_EMPTY;
}

/* A text attribute's value; "" where it is not set. */
static struct slice
text_of(const struct matcher *m, const struct event *e, const struct attribute *a)
{
    bool has_driver = (e->flags & EVENT_DRIVER) != 0;

    if (a->source == SOURCE_PROPERTY)
        return property_of(e, a->key);
    if (a->source == SOURCE_TEXT && matcher_part_of(a) == PART_DRIVER && !has_driver)
        return a->code == TEXT_CHANNEL ? MATCHER_DIRECT : SLICE_EMPTY;
    if (a->source == SOURCE_TEXT)
        return e->text[a->code];
    if (a->code == DERIVED_BOT)
        return (e->flags & EVENT_BOT) != 0 ? SLICE("true") : SLICE("false");
    if (a->code == DERIVED_ENTRANCE)
        return SLICE("true");
    assert(a->code == DERIVED_LANDING || a->code == DERIVED_PAGE_GROUP);
    return matcher_text(m, a, e->text[TEXT_PATH]);
}

static enum err_code
leaf_event(const struct matcher *m, const struct leaf *leaf, struct leaf_scratch *scratch,
           const struct event *e, bool *out, struct err *err)
{
    const struct attribute *a = leaf_attribute(leaf);

    if (a->source != SOURCE_NUMBER)
        return leaf_text(leaf, scratch, text_of(m, e, a), out, err);
    *out = event_has_number(e, (enum event_number)a->code) &&
           leaf_number(leaf, e->number[a->code],
                       event_number_digits((enum event_number)a->code, e->text[TEXT_CURRENCY]));
    return ERR_OK;
}

enum err_code
matcher_event(const struct matcher *m, struct leaf_scratch *scratch, const struct event *e,
              struct masks *out, struct err *err)
{
    struct leaf_bits bits = {{0}};

    for (int i = 0; i < m->n_leaves; i++) {
        bool holds;
        enum err_code rc = leaf_event(m, m->leaves[i], scratch, e, &holds, err);

        if (rc != ERR_OK)
            return rc;
        if (holds)
            leaf_bits_set(&bits, i);
    }
    *out = matcher_masks(m, &bits);
    return ERR_OK;
}
