/* One positive test, prepared: values folded and sorted (they come so from the canonical rule),
 * expressions compiled, numbers as integer bounds for every number of digits.
 *
 * A number n of a rule against units * 10^-d of an event is compared exactly: with floor(n * 10^d)
 * and whether that is n * 10^d itself, every comparison is one of integers.
 */
#include "aggregator/funnel/leaf.h"

#include <assert.h>
#include <stdlib.h>

#include "aggregator/funnel/fold.h"
#include "aggregator/funnel/glob.h"
#include "aggregator/funnel/regex.h"
#include "core/decimal.h"

struct bound {
    int64_t floor; /* kept within int64: beyond it lies no event's number */
    bool is_exact;
};

struct leaf {
    const struct rule_test *test; /* borrowed */
    struct regex **regexes;       /* owned, n_values of them; NULL for other operators */
    struct bound bounds[2][LEAF_DIGITS_MAX + 1];
};

struct leaf_scratch {
    struct buffer folded;
    struct regex_scratch *regex;
};

/* ---- Numbers ---- */

static bool
shift_in(int64_t *value, int digit)
{
    return !__builtin_mul_overflow(*value, 10, value) &&
           !__builtin_add_overflow(*value, digit, value);
}

/* floor(number * 10^digits) of a canonical number ("-12.5": no exponent). */
static struct bound
bound_of(struct slice number, int digits)
{
    bool is_negative = slice_starts_with(number, SLICE("-"));
    struct slice whole;
    struct slice fraction;
    struct bound b = {0, true};
    bool fits = true;

    slice_cut(slice_sub(number, is_negative, number.n), '.', &whole, &fraction);
    for (size_t i = 0; i < whole.n && fits; i++)
        fits = shift_in(&b.floor, whole.p[i] - '0');
    for (size_t i = 0; i < (size_t)digits && fits; i++)
        fits = shift_in(&b.floor, i < fraction.n ? fraction.p[i] - '0' : 0);
    if (!fits)
        return (struct bound){is_negative ? INT64_MIN : INT64_MAX, false};
    b.is_exact = fraction.n <= (size_t)digits; /* canonical: no zeros at the end */
    if (is_negative)
        b.floor = b.is_exact ? -b.floor : -b.floor - 1;
    return b;
}

static bool
is_at_most(int64_t units, const struct bound *b)
{
    return units <= b->floor;
}

static bool
is_less(int64_t units, const struct bound *b)
{
    return b->is_exact ? units < b->floor : units <= b->floor;
}

bool
leaf_number(const struct leaf *leaf, int64_t units, int digits)
{
    const struct bound *a = &leaf->bounds[0][digits];
    const struct bound *b = &leaf->bounds[1][digits];

    assert(digits >= 0 && digits <= LEAF_DIGITS_MAX);
    switch (leaf->test->op) {
    case OP_SET:
        return true;
    case OP_EQ:
        return a->is_exact && units == a->floor;
    case OP_LT:
        return is_less(units, a);
    case OP_LE:
        return is_at_most(units, a);
    case OP_GT:
        return !is_at_most(units, a);
    case OP_GE:
        return !is_less(units, a);
    case OP_BETWEEN:
        return !is_less(units, a) && is_at_most(units, b);
    default:
        assert(false && "a text operator on a number");
        return false;
    }
}

/* A property's text against the rule's numbers. */
static bool
number_text_holds(const struct rule_test *t, struct slice value)
{
    int order;

    if (!decimal_is_number(value))
        return false;
    order = decimal_compare(value, t->values[0]);
    switch (t->op) {
    case OP_EQ:
        return order == 0;
    case OP_LT:
        return order < 0;
    case OP_LE:
        return order <= 0;
    case OP_GT:
        return order > 0;
    case OP_GE:
        return order >= 0;
    case OP_BETWEEN:
        return order >= 0 && decimal_compare(value, t->values[1]) <= 0;
    default:
        return false;
    }
}

/* ---- Texts ---- */

static bool
is_among(const struct rule_test *t, struct slice value)
{
    uint32_t low = 0;
    uint32_t high = t->n_values;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = slice_compare(t->values[middle], value);

        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static bool
text_holds(enum rule_op op, struct slice text, struct slice value)
{
    switch (op) {
    case OP_CONTAINS:
        return slice_contains(text, value);
    case OP_STARTS_WITH:
        return slice_starts_with(text, value);
    case OP_ENDS_WITH:
        return slice_ends_with(text, value);
    case OP_GLOB:
        return glob_match(value, text);
    default:
        return false;
    }
}

static enum err_code
regex_holds(const struct leaf *leaf, struct leaf_scratch *scratch, struct slice text, bool *out,
            struct err *err)
{
    enum err_code rc = ERR_OK;

    *out = false;
    for (uint32_t i = 0; i < leaf->test->n_values && rc == ERR_OK && !*out; i++)
        rc = regex_match(leaf->regexes[i], scratch->regex, text, out, err);
    return rc;
}

static struct slice
folded(struct leaf_scratch *scratch, struct slice text)
{
    buffer_clear(&scratch->folded);
    fold_add(&scratch->folded, text);
    return buffer_slice(&scratch->folded);
}

enum err_code
leaf_text(const struct leaf *leaf, struct leaf_scratch *scratch, struct slice value, bool *out,
          struct err *err)
{
    const struct rule_test *t = leaf->test;
    bool holds = false;

    if (value.n == 0) {
        *out = false;
        return ERR_OK;
    }
    if (t->op == OP_REGEX)
        return regex_holds(leaf, scratch, value, out, err);
    if (t->ignore_case)
        value = folded(scratch, value);
    if (t->op == OP_SET)
        holds = true;
    else if (t->op == OP_IS)
        holds = is_among(t, value);
    else if (rule_op_is_number(t->op))
        holds = number_text_holds(t, value);
    else
        for (uint32_t i = 0; i < t->n_values && !holds; i++)
            holds = text_holds(t->op, value, t->values[i]);
    *out = holds;
    return ERR_OK;
}

/* ---- Life ---- */

static enum err_code
compile_regexes(struct leaf *leaf, struct err *err)
{
    const struct rule_test *t = leaf->test;
    enum err_code rc = ERR_OK;

    leaf->regexes = mem_zalloc(t->n_values * sizeof *leaf->regexes);
    for (uint32_t i = 0; i < t->n_values && rc == ERR_OK; i++)
        rc = regex_create(t->values[i], t->ignore_case, &leaf->regexes[i], err);
    return rc;
}

enum err_code
leaf_create(const struct rule_test *test, struct leaf **out, struct err *err)
{
    struct leaf *leaf = mem_zalloc(sizeof *leaf);
    enum err_code rc = ERR_OK;

    assert(!test->negated);
    leaf->test = test;
    if (rule_op_is_number(test->op))
        for (int digits = 0; digits <= LEAF_DIGITS_MAX; digits++)
            for (uint32_t i = 0; i < test->n_values; i++)
                leaf->bounds[i][digits] = bound_of(test->values[i], digits);
    if (test->op == OP_REGEX)
        rc = compile_regexes(leaf, err);
    if (rc == ERR_OK)
        *out = leaf;
    else
        leaf_destroy(&leaf);
    return rc;
}

void
leaf_destroy(struct leaf **leaf)
{
    if (*leaf == NULL)
        return;
    for (uint32_t i = 0; (*leaf)->regexes != NULL && i < (*leaf)->test->n_values; i++)
        regex_destroy(&(*leaf)->regexes[i]);
    free((*leaf)->regexes);
    free(*leaf);
    *leaf = NULL;
}

const struct attribute *
leaf_attribute(const struct leaf *leaf)
{
    return &leaf->test->attribute;
}

struct leaf_scratch *
leaf_scratch_create(void)
{
    struct leaf_scratch *s = mem_zalloc(sizeof *s);

    s->regex = regex_scratch_create();
    return s;
}

void
leaf_scratch_destroy(struct leaf_scratch **scratch)
{
    if (*scratch == NULL)
        return;
    buffer_fini(&(*scratch)->folded);
    regex_scratch_destroy(&(*scratch)->regex);
    free(*scratch);
    *scratch = NULL;
}
