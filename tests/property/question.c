#include "tests/property/question.h"

#include <assert.h>
#include <stdlib.h>

#include "core/decimal.h"

/* ---- Canonical forms: "Two rules are the same when ..." ---- */

static bool
is_number_op(struct slice op)
{
    static const char *const ops[] = {"eq", "ne", "lt", "le", "gt", "ge", "between"};

    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (slice_is(op, ops[i]))
            return true;
    return false;
}

/* "negated operators written as `not` of the positive" */
static const char *
positive_of(const char *op, bool *is_negated)
{
    static const char *const pairs[][2] = {
        {"is_not", "is"}, {"not_contains", "contains"}, {"not_set", "set"}, {"ne", "eq"}};

    *is_negated = false;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (strcmp(op, pairs[i][0]) == 0) {
            *is_negated = true;
            return pairs[i][1];
        }
    }
    return op;
}

static int
compare_slices(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* "numbers by value; folded under `ignore_case`" (the tests' texts are ASCII) */
static struct slice
canonical_value(const struct question_rule *rule, const char *value, struct arena *a)
{
    struct slice out = arena_copy(a, slice_from(value));

    if (is_number_op(slice_from(rule->op))) {
        struct buffer number = BUFFER_EMPTY;

        decimal_canonical(out, &number);
        out = arena_copy(a, buffer_slice(&number));
        buffer_fini(&number);
    } else if (rule->ignore_case) {
        char *folded = arena_alloc(a, out.n);

        for (size_t i = 0; i < out.n; i++)
            folded[i] = (char)(out.p[i] >= 'A' && out.p[i] <= 'Z' ? out.p[i] + 32 : out.p[i]);
        out = slice_of(folded, out.n);
    }
    return out;
}

#define MEMBERS_MAX 32

/* A rule in canonical form: a test 't', or '!', '&', '|' over members. */
struct form {
    char kind;
    struct slice text;
    size_t n;
    const struct form *members[MEMBERS_MAX];
};

static struct form *
form_not(const struct form *positive, struct arena *a)
{
    struct form *f = ARENA_NEW(a, struct form);

    f->kind = '!';
    f->text = arena_printf(a, "!%.*s", SLICE_ARG(positive->text));
    f->members[f->n++] = positive;
    return f;
}

static const struct form *
form_test(const struct question_rule *rule, struct arena *a)
{
    struct form *f = ARENA_NEW(a, struct form);
    struct slice values[QUESTION_VALUES_MAX];
    bool is_negated;
    const char *op = positive_of(rule->op, &is_negated);
    size_t n = (size_t)rule->n_values;

    for (size_t i = 0; i < n; i++)
        values[i] = canonical_value(rule, rule->values[i], a);
    if (strcmp(op, "between") != 0) /* "`between` keeps its order" */
        qsort(values, n, sizeof *values, compare_slices);
    f->kind = 't';
    f->text = arena_printf(a, "%.*s %s%s", SLICE_ARG(rule->attribute.name), op,
                           rule->ignore_case ? "/i" : "");
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(op, "between") == 0 || !slice_equal(values[i - 1], values[i]))
            f->text = arena_printf(a, "%.*s '%.*s'", SLICE_ARG(f->text), SLICE_ARG(values[i]));
    return is_negated ? form_not(f, a) : f;
}

static const struct form *form_of(const struct question_rule *rule, struct arena *a);

static int
compare_forms(const void *a, const void *b)
{
    return slice_compare((*(const struct form *const *)a)->text,
                         (*(const struct form *const *)b)->text);
}

static void
form_add(struct form *f, const struct form *member)
{
    assert(f->n < MEMBERS_MAX);
    f->members[f->n++] = member;
}

/* "`all`/`any` flattened, sorted, without doubles, those of one member replaced by it" */
static const struct form *
form_list(const struct question_rule *rule, struct arena *a)
{
    struct form *f = ARENA_NEW(a, struct form);
    size_t kept = 0;

    f->kind = rule->kind == QUESTION_ALL ? '&' : '|';
    for (int i = 0; i < rule->n_members; i++) {
        const struct form *member = form_of(rule->members[i], a);

        for (size_t k = 0; member->kind == f->kind && k < member->n; k++)
            form_add(f, member->members[k]);
        if (member->kind != f->kind)
            form_add(f, member);
    }
    qsort(f->members, f->n, sizeof *f->members, compare_forms);
    for (size_t i = 0; i < f->n; i++)
        if (kept == 0 || !slice_equal(f->members[kept - 1]->text, f->members[i]->text))
            f->members[kept++] = f->members[i];
    f->n = kept;
    if (f->n == 1)
        return f->members[0];
    f->text = arena_printf(a, "%c(", f->kind);
    for (size_t i = 0; i < f->n; i++)
        f->text = arena_printf(a, "%.*s%.*s;", SLICE_ARG(f->text), SLICE_ARG(f->members[i]->text));
    f->text = arena_printf(a, "%.*s)", SLICE_ARG(f->text));
    return f;
}

static const struct form *
form_of(const struct question_rule *rule, struct arena *a)
{
    const struct form *inner;

    if (rule->kind == QUESTION_TEST)
        return form_test(rule, a);
    if (rule->kind != QUESTION_NOT)
        return form_list(rule, a);
    inner = form_of(rule->members[0], a);
    return inner->kind == '!' ? inner->members[0] : form_not(inner, a); /* "double `not` removed" */
}

struct slice
question_canonical(const struct question_rule *rule, struct arena *a)
{
    return form_of(rule, a)->text;
}

/* ---- Filters ---- */

struct classes {
    bool has_event; /* of the event itself */
    bool has_other; /* of its surroundings or its driver */
};

static void
find_classes(const struct question_rule *rule, struct classes *out)
{
    if (rule->kind == QUESTION_TEST && rule->attribute.class == CLASS_EVENT)
        out->has_event = true;
    else if (rule->kind == QUESTION_TEST)
        out->has_other = true;
    for (int i = 0; i < rule->n_members; i++)
        find_classes(rule->members[i], out);
}

enum question_at
question_filter_at(const struct question_filter *filter, struct arena *a)
{
    struct classes classes = {false, false};

    if (filter->at != BY_DEFAULT)
        return filter->at;
    find_classes(filter->rule, &classes);
    if (!classes.has_event)
        return ENTRY;
    if (classes.has_other || slice_contains(question_canonical(filter->rule, a), SLICE("!")))
        return BY_DEFAULT;
    return ANY;
}

const struct attribute *
question_attribute(const struct question_rule *rule)
{
    const struct attribute *one = NULL;

    if (rule->kind == QUESTION_TEST)
        return &rule->attribute;
    for (int i = 0; i < rule->n_members; i++) {
        const struct attribute *of_member = question_attribute(rule->members[i]);

        if (of_member == NULL || (one != NULL && !slice_equal(one->name, of_member->name)))
            return NULL;
        one = of_member;
    }
    return one;
}
