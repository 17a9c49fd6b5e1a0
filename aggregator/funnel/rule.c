/* Rules from JSON and back. The canonical form has a file of its own, rule_canonical.c. */
#include "aggregator/funnel/rule.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "aggregator/funnel/json_int.h"
#include "aggregator/funnel/regex.h"
#include "core/decimal.h"

struct op_row {
    const char *name;
    enum rule_op op;
    bool is_negated;
};

static const struct op_row op_rows[] = {
    {"is", OP_IS, false},
    {"is_not", OP_IS, true},
    {"contains", OP_CONTAINS, false},
    {"not_contains", OP_CONTAINS, true},
    {"starts_with", OP_STARTS_WITH, false},
    {"ends_with", OP_ENDS_WITH, false},
    {"glob", OP_GLOB, false},
    {"regex", OP_REGEX, false},
    {"set", OP_SET, false},
    {"not_set", OP_SET, true},
    {"eq", OP_EQ, false},
    {"ne", OP_EQ, true},
    {"lt", OP_LT, false},
    {"le", OP_LE, false},
    {"gt", OP_GT, false},
    {"ge", OP_GE, false},
    {"between", OP_BETWEEN, false},
};

bool
rule_op_is_number(enum rule_op op)
{
    return op >= OP_EQ && op <= OP_BETWEEN;
}

const char *
rule_op_name(enum rule_op op, bool negated)
{
    for (size_t i = 0; i < sizeof op_rows / sizeof *op_rows; i++)
        if (op_rows[i].op == op && op_rows[i].is_negated == negated)
            return op_rows[i].name;
    assert(false && "every operator has a name");
    return "";
}

/* ---- The values ---- */

static enum err_code
parse_text(const json_t *value, const struct rule_test *t, struct arena *a, struct slice *out,
           struct err *err)
{
    struct slice text;

    if (!json_is_string(value))
        return err_set(err, ERR_INVALID, NULL, "must be text");
    text = json__text(value);
    if (text.n > RULE_VALUE_BYTES_MAX)
        return err_set(err, ERR_LIMIT, NULL, "is longer than %d bytes", RULE_VALUE_BYTES_MAX);
    *out = arena_copy(a, text);
    return t->op == OP_REGEX ? regex_check(*out, t->ignore_case, err) : ERR_OK;
}

static enum err_code
check_n_values(const struct rule_test *t, size_t n, struct err *err)
{
    if (n == 0)
        return err_set(err, ERR_INVALID, "values", "must not be empty");
    if (n > RULE_VALUES_MAX)
        return err_set(err, ERR_LIMIT, "values", "has more than %d values", RULE_VALUES_MAX);
    if (t->op == OP_BETWEEN && n != 2)
        return err_set(err, ERR_INVALID, "values", "must be two numbers for \"between\"");
    if (rule_op_is_number(t->op) && t->op != OP_BETWEEN && n != 1)
        return err_set(err, ERR_INVALID, "values", "must be one number for \"%s\"",
                       rule_op_name(t->op, t->negated));
    return ERR_OK;
}

static enum err_code
parse_values(const json_t *json, struct rule_test *t, struct arena *a, struct err *err)
{
    const json_t *values = json_object_get(json, "values");
    enum err_code rc;

    if (t->op == OP_SET) {
        if (values != NULL)
            return err_set(err, ERR_INVALID, "values", "must not be given for \"%s\"",
                           rule_op_name(t->op, t->negated));
        return ERR_OK;
    }
    if (values == NULL)
        return err_set(err, ERR_INVALID, "values", "is missing");
    if (!json_is_array(values))
        return err_set(err, ERR_INVALID, "values", "must be a list");
    rc = check_n_values(t, json_array_size(values), err);
    if (rc != ERR_OK)
        return rc;
    t->n_values = (uint32_t)json_array_size(values);
    t->values = ARENA_ARRAY(a, struct slice, t->n_values);
    for (uint32_t i = 0; i < t->n_values && rc == ERR_OK; i++) {
        const json_t *value = json_array_get(values, i);

        rc = rule_op_is_number(t->op) ? json__number(value, a, &t->values[i], err)
                                      : parse_text(value, t, a, &t->values[i], err);
        rc = json__at(rc, err, "values", i);
    }
    return rc;
}

/* ---- One test ---- */

static enum err_code
check_op_fits(const struct rule_test *t, struct err *err)
{
    const char *name = rule_op_name(t->op, t->negated);

    if (t->op == OP_SET || t->attribute.source == SOURCE_PROPERTY)
        return ERR_OK;
    if (t->attribute.type == ATTRIBUTE_NUMBER && !rule_op_is_number(t->op))
        return err_set(err, ERR_INVALID, "op", "\"%s\" is for texts and \"%.*s\" is a number", name,
                       SLICE_ARG(t->attribute.name));
    if (t->attribute.type != ATTRIBUTE_NUMBER && rule_op_is_number(t->op))
        return err_set(err, ERR_INVALID, "op", "\"%s\" is for numbers and \"%.*s\" is a text", name,
                       SLICE_ARG(t->attribute.name));
    return ERR_OK;
}

static enum err_code
parse_op(const json_t *json, struct rule_test *t, struct err *err)
{
    const json_t *value = json_object_get(json, "op");

    if (value == NULL)
        return err_set(err, ERR_INVALID, "op", "is missing");
    for (size_t i = 0; json_is_string(value) && i < sizeof op_rows / sizeof *op_rows; i++) {
        if (!slice_is(json__text(value), op_rows[i].name))
            continue;
        t->op = op_rows[i].op;
        t->negated = op_rows[i].is_negated;
        return check_op_fits(t, err);
    }
    return err_set(err, ERR_INVALID, "op", "is no operator");
}

static enum err_code
parse_ignore_case(const json_t *json, struct rule_test *t, struct err *err)
{
    const json_t *value = json_object_get(json, "ignore_case");

    if (value == NULL)
        return ERR_OK;
    if (!json_is_boolean(value))
        return err_set(err, ERR_INVALID, "ignore_case", "must be true or false");
    t->ignore_case = json_is_true(value);
    if (t->ignore_case && rule_op_is_number(t->op))
        return err_set(err, ERR_INVALID, "ignore_case", "must not be given for \"%s\"",
                       rule_op_name(t->op, t->negated));
    return ERR_OK;
}

static enum err_code
parse_test(json_t *json, struct arena *a, struct rule *out, struct err *err)
{
    static const char *const known[] = {"attribute", "op", "values", "ignore_case", NULL};
    enum err_code rc;

    out->kind = RULE_TEST;
    rc = json__check_keys(json, known, err);
    if (rc == ERR_OK)
        rc = json__attribute(json, "attribute", a, &out->test.attribute, err);
    if (rc == ERR_OK)
        rc = parse_op(json, &out->test, err);
    if (rc == ERR_OK)
        rc = parse_ignore_case(json, &out->test, err);
    if (rc == ERR_OK)
        rc = parse_values(json, &out->test, a, err);
    return rc;
}

/* ---- The tree ---- */

static enum err_code parse(json_t *json, int depth, struct arena *a, struct rule **out,
                           struct err *err);

static enum err_code
parse_members(json_t *json, const char *key, int depth, struct arena *a, struct rule *out,
              struct err *err)
{
    json_t *members = json_object_get(json, key);
    enum err_code rc = ERR_OK;
    size_t n = json_array_size(members);

    if (!json_is_array(members))
        return err_set(err, ERR_INVALID, key, "must be a list of rules");
    if (n == 0)
        return err_set(err, ERR_INVALID, key, "must not be empty");
    if (n > RULE_MEMBERS_MAX)
        return err_set(err, ERR_LIMIT, key, "has more than %d rules", RULE_MEMBERS_MAX);
    out->n_members = (uint32_t)n;
    out->members = ARENA_ARRAY(a, struct rule *, n);
    for (size_t i = 0; i < n && rc == ERR_OK; i++) {
        rc = parse(json_array_get(members, i), depth + 1, a, &out->members[i], err);
        rc = json__at(rc, err, key, i);
    }
    return rc;
}

static enum err_code
parse_not(json_t *json, int depth, struct arena *a, struct rule *out, struct err *err)
{
    out->kind = RULE_NOT;
    out->n_members = 1;
    out->members = ARENA_ARRAY(a, struct rule *, 1);
    return json__in(parse(json_object_get(json, "not"), depth + 1, a, &out->members[0], err), err,
                    "not");
}

static enum err_code
parse(json_t *json, int depth, struct arena *a, struct rule **out, struct err *err)
{
    static const char *const keys[] = {"all", "any", "not"}; /* as enum rule_kind */
    struct rule *rule = ARENA_NEW(a, struct rule);
    enum err_code rc;

    if (!json_is_object(json))
        return err_set(err, ERR_INVALID, NULL, "must be an object, a rule");
    if (depth > RULE_DEPTH_MAX)
        return err_set(err, ERR_LIMIT, NULL, "is nested deeper than %d rules", RULE_DEPTH_MAX);
    *out = rule;
    if (json_object_get(json, "attribute") != NULL)
        return parse_test(json, a, rule, err);
    for (int kind = RULE_ALL; kind <= RULE_NOT; kind++) {
        const char *const known[] = {keys[kind], NULL};

        if (json_object_get(json, keys[kind]) == NULL)
            continue;
        rule->kind = (enum rule_kind)kind;
        rc = json__check_keys(json, known, err);
        if (rc != ERR_OK)
            return rc;
        return kind == RULE_NOT ? parse_not(json, depth, a, rule, err)
                                : parse_members(json, keys[kind], depth, a, rule, err);
    }
    return err_set(err, ERR_INVALID, NULL, "must have \"all\", \"any\", \"not\" or \"attribute\"");
}

enum err_code
rule_parse(struct json_t *json, struct arena *a, struct rule **out, struct err *err)
{
    struct rule *rule = NULL;
    enum err_code rc = parse(json, 1, a, &rule, err);

    if (rc == ERR_OK)
        *out = rule;
    return rc;
}

bool
rule_each_test(const struct rule *rule, bool (*visit)(const struct rule_test *t, void *context),
               void *context)
{
    if (rule->kind == RULE_TEST)
        return visit(&rule->test, context);
    for (uint32_t i = 0; i < rule->n_members; i++)
        if (!rule_each_test(rule->members[i], visit, context))
            return false;
    return true;
}

/* ---- And back ---- */

/* A canonical number as a JSON number where it survives one, else as text. */
static json_t *
number_to_json(struct slice text)
{
    char digits[64];
    char again[64];
    int64_t whole;
    double real;

    if (slice_to_int64(text, &whole))
        return json_integer(whole);
    if (slice_to_cstr(text, digits, sizeof digits)) {
        real = strtod(digits, NULL);
        snprintf(again, sizeof again, "%.*g", JSON__REAL_DIGITS, real);
        if (isfinite(real) && decimal_compare(slice_from(again), text) == 0)
            return json_real(real);
    }
    return json_stringn(text.p, text.n);
}

static json_t *
test_to_json(const struct rule_test *t)
{
    json_t *json = json_object();
    bool is_number = rule_op_is_number(t->op);

    json_object_set_new(json, "attribute", json_stringn(t->attribute.name.p, t->attribute.name.n));
    json_object_set_new(json, "op", json_string(rule_op_name(t->op, t->negated)));
    if (t->op != OP_SET) {
        json_t *values = json_array();

        for (uint32_t i = 0; i < t->n_values; i++)
            json_array_append_new(values, is_number ? number_to_json(t->values[i])
                                                    : json_stringn(t->values[i].p, t->values[i].n));
        json_object_set_new(json, "values", values);
    }
    if (!is_number && t->op != OP_SET)
        json_object_set_new(json, "ignore_case", json_boolean(t->ignore_case));
    return json;
}

struct json_t *
rule_to_json(const struct rule *rule)
{
    json_t *json;
    json_t *members;

    if (rule->kind == RULE_TEST)
        return test_to_json(&rule->test);
    json = json_object();
    if (rule->kind == RULE_NOT) {
        json_object_set_new(json, "not", rule_to_json(rule->members[0]));
        return json;
    }
    members = json_array();
    for (uint32_t i = 0; i < rule->n_members; i++)
        json_array_append_new(members, rule_to_json(rule->members[i]));
    json_object_set_new(json, rule->kind == RULE_ALL ? "all" : "any", members);
    return json;
}
