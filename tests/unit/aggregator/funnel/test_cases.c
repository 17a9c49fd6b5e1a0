/* The 408 worked cases of funnel.md and ClickHouse's published windowFunnel results, each through
 * the whole engine: definition, matcher, path, tally, report. Every figure and every path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "aggregator/funnel/matcher.h"
#include "aggregator/funnel/report.h"

#define EVENTS_MAX 200

struct run {
    struct funnel *funnel;
    struct matcher *matcher;
    struct leaf_scratch *scratch;
    struct plan plan;
    struct tally *tally;
    struct path_range range;
    json_t *paths; /* {visitor: [[stage, second]..]} */
};

static json_t *
load(const char *name)
{
    char path[4096];
    json_error_t error;
    json_t *json;

    snprintf(path, sizeof path, "%s/tests/funnel/%s", CORONG_SOURCE_DIR, name);
    json = json_load_file(path, 0, &error);
    if (json == NULL)
        fail_msg("%s: %s", path, error.text);
    return json;
}

/* ---- A definition from a case ---- */

static json_t *
rule_of(const json_t *names)
{
    return json_pack("{s:s, s:s, s:O}", "attribute", "event", "op", "is", "values", names);
}

static json_t *
definition_of(const json_t *c)
{
    json_t *stages = json_array();
    json_t *exclusions = json_array();
    json_t *each;
    size_t i;

    json_array_foreach(json_object_get(c, "stages"), i, each)
    {
        json_array_append_new(stages,
                              json_pack("{s:O, s:O, s:o}", "name", json_object_get(each, "name"),
                                        "required", json_object_get(each, "required"), "rule",
                                        rule_of(json_object_get(each, "events"))));
    }
    json_array_foreach(json_object_get(c, "exclusions"), i, each)
    {
        json_array_append_new(exclusions, json_pack("{s:o, s:O, s:O}", "rule",
                                                    rule_of(json_object_get(each, "events")),
                                                    "from", json_object_get(each, "from"), "to",
                                                    json_object_get(each, "to")));
    }
    return json_pack("{s:o, s:o}", "stages", stages, "exclusions", exclusions);
}

static int64_t
seconds(const json_t *c, const char *key, int64_t otherwise_ms)
{
    const json_t *value = json_object_get(c, key);

    return value != NULL ? json_integer_value(value) * 1000 : otherwise_ms;
}

static void
start(struct run *r, json_t *definition, int64_t window_s)
{
    struct err err = ERR_NONE;
    char window[32];

    snprintf(window, sizeof window, "%llds", (long long)window_s);
    json_object_set_new(definition, "window", json_string(window));
    *r = (struct run){.range = PATH_RANGE_ALL, .paths = json_object()};
    if (funnel_parse_json(definition, &r->funnel, &err) != ERR_OK)
        fail_msg("%s: %s", err.field, err.message);
    assert_int_equal(matcher_create(r->funnel, NULL, 0, &r->matcher, &err), ERR_OK);
    r->scratch = leaf_scratch_create();
    r->tally = tally_create(r->funnel->n_stages);
    plan_init(&r->plan, r->funnel, r->funnel->preset);
    json_decref(definition);
}

static void
finish(struct run *r)
{
    json_decref(r->paths);
    tally_destroy(&r->tally);
    leaf_scratch_destroy(&r->scratch);
    matcher_destroy(&r->matcher);
    funnel_destroy(&r->funnel);
}

/* ---- A visitor ---- */

static int
compare_events(const void *a, const void *b)
{
    return event_compare(a, b);
}

/* rows: [[name, second]..]; by_arrival: ids follow the rows, else run against them. */
static uint32_t
read_visitor(struct run *r, const json_t *rows, bool by_arrival, struct path_event *out)
{
    static char ids[EVENTS_MAX][8];
    static struct event events[EVENTS_MAX];
    size_t n = json_array_size(rows);

    assert_true(n <= EVENTS_MAX);
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(rows, i);

        snprintf(ids[i], sizeof ids[i], "%04zu", by_arrival ? i : n - i);
        events[i] = (struct event){.id = slice_from(ids[i]),
                                   .time_ms = json_integer_value(json_array_get(row, 1)) * 1000};
        events[i].text[TEXT_EVENT] = slice_from(json_string_value(json_array_get(row, 0)));
    }
    qsort(events, n, sizeof *events, compare_events);
    for (size_t i = 0; i < n; i++) {
        struct masks masks;

        assert_int_equal(matcher_event(r->matcher, r->scratch, &events[i], &masks, NULL), ERR_OK);
        out[i] = (struct path_event){events[i].time_ms, masks.stages, masks.exclusions};
    }
    return (uint32_t)n;
}

static void
run_visitor(struct run *r, const char *visitor, const json_t *rows, bool by_arrival)
{
    struct path_event events[EVENTS_MAX];
    uint32_t n = read_visitor(r, rows, by_arrival, events);
    struct path path;
    bool has_path = path_count(&r->plan, &r->range, events, n, &path);

    tally_add(r->tally, &r->range, events, n, NULL, has_path ? &path : NULL);
    if (!has_path)
        return;
    json_object_set_new(r->paths, visitor, json_array());
    for (uint32_t i = 0; i < path.n; i++)
        json_array_append_new(json_object_get(r->paths, visitor),
                              json_pack("[i, I]", (int)path.visits[i].stage + 1,
                                        (json_int_t)events[path.visits[i].event].time_ms / 1000));
}

/* ---- What a case expects ---- */

static void
assert_same(const char *name, const char *what, const json_t *got, const json_t *expected)
{
    char *a;
    char *b;

    if (json_equal(got, expected))
        return;
    a = json_dumps(got, JSON_COMPACT | JSON_ENCODE_ANY);
    b = json_dumps(expected, JSON_COMPACT | JSON_ENCODE_ANY);
    fail_msg("%s: %s is %s, not %s", name, what, a, b);
}

/* The report's JSON, its stages' figures turned into lists as cases.json has them. */
static void
assert_report(const char *name, const struct run *r, json_t *expect)
{
    struct report report;
    struct report_about about = {.as_of_ms = 0};
    struct buffer text = BUFFER_EMPTY;
    json_t *json;
    json_t *expected;
    const char *key;

    report_fill(&report, r->funnel, r->funnel->preset, r->tally, &about);
    report_add_json(&text, &report);
    json = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    json_object_foreach(expect, key, expected)
    {
        json_t *list;
        json_t *stage;
        size_t i;

        if (strcmp(key, "paths") == 0) {
            assert_same(name, key, r->paths, expected);
        } else if (strcmp(key, "entered") == 0 || strcmp(key, "moves") == 0) {
            assert_same(name, key, json_object_get(json, key), expected);
        } else {
            list = json_array();
            json_array_foreach(json_object_get(json, "stages"), i, stage)
            {
                assert_non_null(json_object_get(stage, key));
                json_array_append(list, json_object_get(stage, key));
            }
            assert_same(name, key, list, expected);
            json_decref(list);
        }
    }
    json_decref(json);
    buffer_fini(&text);
}

static void
run_case(const json_t *c, bool by_arrival)
{
    struct run r;
    const char *visitor;
    json_t *rows;

    start(&r, definition_of(c), json_integer_value(json_object_get(c, "window_s")));
    r.range.from_ms = seconds(c, "from_s", INT64_MIN);
    r.range.to_ms = seconds(c, "to_s", INT64_MAX);
    json_object_foreach(json_object_get(c, "visitors"), visitor, rows)
    {
        run_visitor(&r, visitor, rows, by_arrival);
    }
    assert_report(json_string_value(json_object_get(c, "name")), &r, json_object_get(c, "expect"));
    finish(&r);
}

static void
run_all_cases(bool by_arrival)
{
    json_t *cases = load("cases.json");
    json_t *c;
    size_t i;

    assert_int_equal(json_array_size(cases), 408);
    json_array_foreach(cases, i, c)
    {
        run_case(c, by_arrival);
    }
    json_decref(cases);
}

static void
test_every_figure_and_path(void **state)
{
    (void)state;
    run_all_cases(true);
}

static void
test_other_ids_change_nothing(void **state)
{
    (void)state;
    run_all_cases(false);
}

/* ---- ClickHouse ---- */

/* "b" or 1003 as the name of an event. */
static json_t *
name_of(const json_t *step)
{
    return json_is_string(step) ? json_deep_copy(step)
                                : json_sprintf("%lld", (long long)json_integer_value(step));
}

static bool
has_repeats(const json_t *steps)
{
    for (size_t i = 0; i < json_array_size(steps); i++)
        for (size_t j = 0; j < i; j++)
            if (json_equal(json_array_get(steps, i), json_array_get(steps, j)))
                return true;
    return false;
}

/* `sequential` is windowFunnel's default where the steps are distinct, strict_once where they are
 * not; a funnel has at least two stages. The other modes ask for something else. */
static bool
coincides(const json_t *check)
{
    const json_t *steps = json_object_get(check, "steps");
    const char *mode = json_string_value(json_object_get(check, "mode"));

    if (json_array_size(steps) < FUNNEL_STAGES_MIN)
        return false;
    return has_repeats(steps) ? mode != NULL && strcmp(mode, "strict_once") == 0 : mode == NULL;
}

static void
run_check(const json_t *rows, const json_t *check, const char *name)
{
    json_t *stages = json_array();
    json_t *named = json_array();
    json_t *each;
    struct run r;
    int64_t level;
    size_t i;

    json_array_foreach(json_object_get(check, "steps"), i, each)
    {
        json_t *names = json_pack("[o]", name_of(each));

        json_array_append_new(stages,
                              json_pack("{s:s, s:o}", "name", "step", "rule", rule_of(names)));
        json_decref(names);
    }
    json_array_foreach(rows, i, each)
    {
        json_array_append_new(
            named, json_pack("[o, O]", name_of(json_array_get(each, 1)), json_array_get(each, 0)));
    }
    start(&r, json_pack("{s:s, s:o}", "preset", "sequential", "stages", stages),
          json_integer_value(json_object_get(check, "W")));
    run_visitor(&r, "v", named, true);
    level = (int64_t)json_array_size(json_object_get(r.paths, "v"));
    if (level != json_integer_value(json_object_get(check, "level")))
        fail_msg("%s: level %lld", name, (long long)level);
    json_decref(named);
    finish(&r);
}

static void
test_clickhouse(void **state)
{
    json_t *file = load("clickhouse_windowfunnel_cases.json");
    json_t *c;
    json_t *check;
    size_t i;
    size_t j;
    int n_run = 0;

    (void)state;
    json_array_foreach(json_object_get(file, "cases"), i, c)
    {
        json_array_foreach(json_object_get(c, "checks"), j, check)
        {
            char name[64];

            if (!coincides(check))
                continue;
            snprintf(name, sizeof name, "case %zu check %zu", i, j);
            run_check(json_object_get(c, "events"), check, name);
            n_run++;
        }
    }
    assert_int_equal(n_run, 15);
    json_decref(file);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_figure_and_path),
        cmocka_unit_test(test_other_ids_change_nothing),
        cmocka_unit_test(test_clickhouse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
