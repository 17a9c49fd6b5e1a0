/* The canonical form of rules (funnel.md 1): two rules are the same where its texts are equal.
 *
 *   a test      defaults written out; values folded under ignore_case, sorted, without doubles
 *               (`between` keeps its order); a negated operator is `not` of its positive
 *   all, any    members canonical, those of the same kind flattened into it, sorted by their texts,
 *               without doubles; of one member, that member
 *   not         of a `not`: what that is about
 *
 * Regular expressions are not folded: that would turn \D into \d.
 */
#include "aggregator/funnel/rule.h"

#include <stdlib.h>

#include "aggregator/funnel/fold.h"

/* ---- Texts ---- */

static void
add_test_text(struct buffer *b, const struct rule_test *t)
{
    buffer_add_text(b, "{\"attribute\":");
    buffer_add_json(b, t->attribute.name);
    buffer_printf(b, ",\"op\":\"%s\",\"values\":[", rule_op_name(t->op, false));
    for (uint32_t i = 0; i < t->n_values; i++) {
        if (i > 0)
            buffer_add_char(b, ',');
        buffer_add_json(b, t->values[i]);
    }
    buffer_printf(b, "],\"ignore_case\":%s}", t->ignore_case ? "true" : "false");
}

static void
add_members_text(struct buffer *b, const struct rule *r)
{
    buffer_add_text(b, r->kind == RULE_ALL ? "{\"all\":[" : "{\"any\":[");
    for (uint32_t i = 0; i < r->n_members; i++) {
        if (i > 0)
            buffer_add_char(b, ',');
        buffer_add_slice(b, r->members[i]->canonical);
    }
    buffer_add_text(b, "]}");
}

static struct rule *
with_text(struct rule *r, struct arena *a)
{
    struct buffer b = BUFFER_EMPTY;

    if (r->kind == RULE_TEST) {
        add_test_text(&b, &r->test);
    } else if (r->kind == RULE_NOT) {
        buffer_add_text(&b, "{\"not\":");
        buffer_add_slice(&b, r->members[0]->canonical);
        buffer_add_char(&b, '}');
    } else {
        add_members_text(&b, r);
    }
    r->canonical = arena_copy(a, buffer_slice(&b));
    buffer_fini(&b);
    return r;
}

/* ---- Trees ---- */

static struct rule *
negated(struct rule *canonical, struct arena *a)
{
    struct rule *r;

    if (canonical->kind == RULE_NOT)
        return canonical->members[0];
    r = ARENA_NEW(a, struct rule);
    r->kind = RULE_NOT;
    r->n_members = 1;
    r->members = ARENA_ARRAY(a, struct rule *, 1);
    r->members[0] = canonical;
    return with_text(r, a);
}

static int
compare_values(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

static struct slice
folded_copy(struct slice text, struct arena *a)
{
    struct buffer b = BUFFER_EMPTY;
    struct slice copy;

    fold_add(&b, text);
    copy = arena_copy(a, buffer_slice(&b));
    buffer_fini(&b);
    return copy;
}

static struct rule *
canonical_test(const struct rule_test *t, struct arena *a)
{
    struct rule *r = ARENA_NEW(a, struct rule);
    struct rule_test *c = &r->test;

    r->kind = RULE_TEST;
    *c = *t;
    c->negated = false;
    if (c->op == OP_SET)
        c->ignore_case = false;
    c->values = ARENA_ARRAY(a, struct slice, t->n_values + 1);
    for (uint32_t i = 0; i < t->n_values; i++)
        c->values[i] =
            c->ignore_case && c->op != OP_REGEX ? folded_copy(t->values[i], a) : t->values[i];
    if (c->op != OP_BETWEEN && c->n_values > 1) {
        uint32_t n = 1;

        qsort(c->values, c->n_values, sizeof *c->values, compare_values);
        for (uint32_t i = 1; i < c->n_values; i++)
            if (!slice_equal(c->values[i], c->values[n - 1]))
                c->values[n++] = c->values[i];
        c->n_values = n;
    }
    with_text(r, a);
    return t->negated ? negated(r, a) : r;
}

static int
compare_rules(const void *a, const void *b)
{
    const struct rule *const *x = a;
    const struct rule *const *y = b;

    return slice_compare((*x)->canonical, (*y)->canonical);
}

static struct rule *
canonical_members(const struct rule *rule, struct arena *a)
{
    struct rule *r = ARENA_NEW(a, struct rule);
    struct rule **members = ARENA_ARRAY(a, struct rule *, rule->n_members);
    uint32_t n = 0;

    r->kind = rule->kind;
    for (uint32_t i = 0; i < rule->n_members; i++) {
        members[i] = rule_canonical(rule->members[i], a);
        n += members[i]->kind == r->kind ? members[i]->n_members : 1;
    }
    r->members = ARENA_ARRAY(a, struct rule *, n);
    for (uint32_t i = 0; i < rule->n_members; i++) {
        bool is_flattened = members[i]->kind == r->kind;

        for (uint32_t j = 0; j < (is_flattened ? members[i]->n_members : 1); j++)
            r->members[r->n_members++] = is_flattened ? members[i]->members[j] : members[i];
    }
    qsort(r->members, r->n_members, sizeof(struct rule *), compare_rules);
    n = 1;
    for (uint32_t i = 1; i < r->n_members; i++)
        if (!slice_equal(r->members[i]->canonical, r->members[n - 1]->canonical))
            r->members[n++] = r->members[i];
    r->n_members = n;
    return n == 1 ? r->members[0] : with_text(r, a);
}

struct rule *
rule_canonical(const struct rule *rule, struct arena *a)
{
    switch (rule->kind) {
    case RULE_TEST:
        return canonical_test(&rule->test, a);
    case RULE_NOT:
        return negated(rule_canonical(rule->members[0], a), a);
    case RULE_ALL:
    case RULE_ANY:
        break;
    }
    return canonical_members(rule, a);
}
