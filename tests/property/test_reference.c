/* The reference itself on the 408 worked cases of funnel.md, so that it is no mere echo of the
 * engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>

#include "aggregator/segment/segment.h"
#include "tests/property/reference.h"

#define BEGIN_MS INT64_C(1000000000000) /* second 0 of a case */

/* ---- A case as a question ---- */

static const struct question_rule *
rule_of(const json_t *names, struct arena *a)
{
    struct question_rule *rule = ARENA_NEW(a, struct question_rule);

    rule->kind = QUESTION_TEST;
    rule->op = "is";
    assert_true(attribute_find(SLICE("event"), &rule->attribute));
    assert_true(json_array_size(names) <= QUESTION_VALUES_MAX);
    for (size_t i = 0; i < json_array_size(names); i++)
        rule->values[rule->n_values++] = json_string_value(json_array_get(names, i));
    return rule;
}

static struct question_moment
moment_of(const json_t *second)
{
    return (struct question_moment){.is_given = second != NULL,
                                    .ms = BEGIN_MS + json_integer_value(second) * 1000};
}

static void
read_question(const json_t *c, struct arena *a, struct question *q)
{
    json_t *each;
    size_t i;

    *q = (struct question){.timezone = "UTC",
                           .window_ms = json_integer_value(json_object_get(c, "window_s")) * 1000,
                           .from = moment_of(json_object_get(c, "from_s")),
                           .to = moment_of(json_object_get(c, "to_s"))};
    json_array_foreach(json_object_get(c, "stages"), i, each) q->stages[q->n_stages++] =
        (struct question_stage){rule_of(json_object_get(each, "events"), a),
                                json_is_true(json_object_get(each, "required"))};
    json_array_foreach(json_object_get(c, "exclusions"), i, each) q->exclusions[q->n_exclusions++] =
        (struct question_exclusion){rule_of(json_object_get(each, "events"), a),
                                    (int)json_integer_value(json_object_get(each, "from")),
                                    (int)json_integer_value(json_object_get(each, "to"))};
}

static size_t
read_events(const json_t *c, struct arena *a, struct event *out)
{
    const char *visitor;
    json_t *rows;
    json_t *row;
    size_t n = 0;
    size_t i;

    json_object_foreach(json_object_get(c, "visitors"), visitor, rows)
    {
        json_array_foreach(rows, i, row)
        {
            out[n] = (struct event){.visitor = slice_from(visitor),
                                    .id = arena_printf(a, "%04zu", i),
                                    .time_ms = BEGIN_MS +
                                               json_integer_value(json_array_get(row, 1)) * 1000};
            for (int text = 0; text < TEXT_COUNT; text++)
                out[n].text[text] = SLICE_EMPTY;
            out[n++].text[TEXT_EVENT] = slice_from(json_string_value(json_array_get(row, 0)));
        }
    }
    return n;
}

/* ---- What it expects ---- */

/* A figure of the report as cases.json has it: of stages as a list, paths in seconds. */
static json_t *
figure_of(const json_t *report, const char *key)
{
    json_t *figure = json_object_get(report, key);
    const char *visitor;
    json_t *path;
    json_t *each;
    size_t i;

    if (strcmp(key, "paths") == 0)
        json_object_foreach(figure, visitor, path) json_array_foreach(path, i, each)
            json_array_set_new(
                each, 1,
                json_integer((json_integer_value(json_array_get(each, 1)) - BEGIN_MS) / 1000));
    if (figure != NULL && strcmp(key, "converted") != 0) /* that is of the stages, too */
        return json_incref(figure);
    figure = json_array();
    json_array_foreach(json_object_get(report, "stages"), i, each)
        json_array_append(figure, json_object_get(each, key));
    return figure;
}

static void
assert_case(const json_t *c)
{
    static const struct segment_owner owner;
    static struct event events[1000];
    struct reference_site site;
    struct question q;
    struct arena a;
    json_t *report;
    const char *key;
    json_t *expected;

    arena_init(&a, 1 << 20);
    read_question(c, &a, &q);
    reference_site(&owner, events, read_events(c, &a, events), &a, &site);
    report = reference_report(&site, &q, PRESET_IS_OPEN, &a);
    assert_non_null(report);
    json_object_foreach(json_object_get(c, "expect"), key, expected)
    {
        json_t *figure = figure_of(report, key);

        if (!json_equal(figure, expected))
            fail_msg("%s: %s is %s, not %s", json_string_value(json_object_get(c, "name")), key,
                     json_dumps(figure, JSON_ENCODE_ANY), json_dumps(expected, JSON_ENCODE_ANY));
        json_decref(figure);
    }
    json_decref(report);
    arena_fini(&a);
}

static void
test_worked_cases(void **state)
{
    json_t *cases = json_load_file(CORONG_SOURCE_DIR "/tests/funnel/cases.json", 0, NULL);
    json_t *c;
    size_t i;

    (void)state;
    assert_int_equal(json_array_size(cases), 408);
    json_array_foreach(cases, i, c) assert_case(c);
    json_decref(cases);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worked_cases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
