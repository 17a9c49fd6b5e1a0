/* What an attribute is and when a rule holds (funnel.md section 4). */
#include "core/decimal.h"
#include "tests/property/reference.h"

/* ---- Attributes ---- */

static struct slice
number_text(const struct event *e, enum event_number number, struct arena *a)
{
    struct buffer decimal = BUFFER_EMPTY;
    struct buffer canonical = BUFFER_EMPTY;
    struct slice out;

    if (!event_has_number(e, number))
        return SLICE_EMPTY;
    decimal_add(&decimal, e->number[number], event_number_digits(number, e->text[TEXT_CURRENCY]));
    decimal_canonical(buffer_slice(&decimal), &canonical);
    out = arena_copy(a, buffer_slice(&canonical));
    buffer_fini(&decimal);
    buffer_fini(&canonical);
    return out;
}

static struct slice
property_text(const struct event *e, struct slice key)
{
    for (uint32_t i = 0; i < e->n_properties; i++)
        if (slice_equal(e->properties[i].key, key))
            return e->properties[i].value;
    return SLICE_EMPTY;
}

static struct slice
driver_text(const struct reference_event *e, enum event_text text)
{
    if (text == TEXT_REFERRER)
        return e->origin->text[TEXT_REFERRER];
    if (e->driver != NULL)
        return e->driver->text[text];
    return text == TEXT_CHANNEL ? SLICE("direct") : SLICE_EMPTY;
}

struct slice
reference_value(const struct reference_event *e, const struct attribute *attribute, struct arena *a)
{
    switch (attribute->source) {
    case SOURCE_TEXT:
        return attribute->class == CLASS_DRIVER ? driver_text(e, attribute->code)
                                                : e->event->text[attribute->code];
    case SOURCE_NUMBER:
        return number_text(e->event, attribute->code, a);
    case SOURCE_PROPERTY:
        return property_text(e->event, attribute->key);
    default:
        if (attribute->code == DERIVED_LANDING)
            return e->origin->text[TEXT_PATH];
        if (attribute->code == DERIVED_ENTRANCE)
            return e->is_entrance ? SLICE("true") : SLICE("false");
        return (e->event->flags & EVENT_BOT) != 0 ? SLICE("true") : SLICE("false");
    }
}

/* ---- Tests ---- */

/* "`*` is any run without `/`, `**` any run" */
static bool
is_glob(struct slice pattern, struct slice text)
{
    bool is_any;

    if (pattern.n == 0)
        return text.n == 0;
    if (pattern.p[0] != '*')
        return text.n > 0 && text.p[0] == pattern.p[0] &&
               is_glob(slice_sub(pattern, 1, pattern.n), slice_sub(text, 1, text.n));
    is_any = slice_starts_with(pattern, SLICE("**"));
    for (size_t run = 0; run <= text.n; run++) {
        if (!is_any && run > 0 && text.p[run - 1] == '/')
            break;
        if (is_glob(slice_sub(pattern, is_any ? 2 : 1, pattern.n), slice_sub(text, run, text.n)))
            return true;
    }
    return false;
}

static struct slice
lower(struct slice s, struct arena *a) /* the tests' texts are ASCII */
{
    char *out = arena_alloc(a, s.n + 1);

    for (size_t i = 0; i < s.n; i++)
        out[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + 32 : s.p[i]);
    return slice_of(out, s.n);
}

static bool
text_holds(const char *op, struct slice text, struct slice value)
{
    if (strcmp(op, "is") == 0)
        return slice_equal(text, value);
    if (strcmp(op, "contains") == 0)
        return slice_contains(text, value);
    if (strcmp(op, "starts_with") == 0)
        return slice_starts_with(text, value);
    if (strcmp(op, "ends_with") == 0)
        return slice_ends_with(text, value);
    return is_glob(value, text); /* op is glob: the only other one that tests use */
}

static bool
number_holds(const struct question_rule *rule, const char *op, struct slice number)
{
    int first;

    if (!decimal_is_number(number))
        return false;
    first = decimal_compare(number, slice_from(rule->values[0]));
    if (strcmp(op, "eq") == 0)
        return first == 0;
    if (strcmp(op, "lt") == 0)
        return first < 0;
    if (strcmp(op, "le") == 0)
        return first <= 0;
    if (strcmp(op, "gt") == 0)
        return first > 0;
    if (strcmp(op, "ge") == 0)
        return first >= 0;
    return first >= 0 && decimal_compare(number, slice_from(rule->values[1])) <= 0;
}

static bool
is_number_op(const char *op)
{
    return strcmp(op, "eq") == 0 || strcmp(op, "lt") == 0 || strcmp(op, "le") == 0 ||
           strcmp(op, "gt") == 0 || strcmp(op, "ge") == 0 || strcmp(op, "between") == 0;
}

/* A positive operator. "Empty text is not set", and then none holds. */
static bool
positive_holds(const struct question_rule *rule, const char *op, struct slice value,
               struct arena *a)
{
    if (value.n == 0)
        return false;
    if (strcmp(op, "set") == 0)
        return true;
    if (is_number_op(op))
        return number_holds(rule, op, value);
    for (int i = 0; i < rule->n_values; i++) { /* "holds for any of its values" */
        struct slice wanted = slice_from(rule->values[i]);

        if (rule->ignore_case ? text_holds(op, lower(value, a), lower(wanted, a))
                              : text_holds(op, value, wanted))
            return true;
    }
    return false;
}

static bool
test_holds(const struct question_rule *rule, struct slice value, struct arena *a)
{
    if (strcmp(rule->op, "is_not") == 0)
        return !positive_holds(rule, "is", value, a);
    if (strcmp(rule->op, "not_contains") == 0)
        return !positive_holds(rule, "contains", value, a);
    if (strcmp(rule->op, "not_set") == 0)
        return !positive_holds(rule, "set", value, a);
    if (strcmp(rule->op, "ne") == 0)
        return !positive_holds(rule, "eq", value, a);
    return positive_holds(rule, rule->op, value, a);
}

/* ---- Rules ---- */

/* e NULL: every attribute has `value`. */
static bool
holds(const struct question_rule *rule, const struct reference_event *e, struct slice value,
      struct arena *a)
{
    switch (rule->kind) {
    case QUESTION_TEST:
        return test_holds(rule, e != NULL ? reference_value(e, &rule->attribute, a) : value, a);
    case QUESTION_NOT:
        return !holds(rule->members[0], e, value, a);
    default:
        for (int i = 0; i < rule->n_members; i++)
            if (holds(rule->members[i], e, value, a) != (rule->kind == QUESTION_ALL))
                return rule->kind == QUESTION_ANY;
        return rule->kind == QUESTION_ALL;
    }
}

bool
reference_holds(const struct question_rule *rule, const struct reference_event *e, struct arena *a)
{
    return holds(rule, e, SLICE_EMPTY, a);
}

bool
reference_holds_for(const struct question_rule *rule, struct slice value, struct arena *a)
{
    return holds(rule, NULL, value, a);
}
