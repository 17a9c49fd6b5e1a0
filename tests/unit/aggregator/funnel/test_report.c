/* Tallies, times, money, and the report's JSON to the letter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>

#include "aggregator/funnel/report.h"

#define RULE(name) "{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"" name "\"]}"

static const char two_stages[] =
    "{\"window\":\"30d\",\"stages\":[{\"name\":\"In \\\"1\\\"\",\"kind\":\"trace\",\"rule\":" RULE(
        "a") "},{\"name\":\"Out\",\"required\":true,\"rule\":" RULE("b") "}]}";

static struct funnel *
parsed(const char *text)
{
    struct funnel *f = NULL;

    assert_int_equal(funnel_parse(slice_from(text), &f, NULL), ERR_OK);
    return f;
}

static void
assert_text(struct buffer *b, const char *expected)
{
    buffer_add_char(b, '\0');
    assert_string_equal(b->p, expected);
    buffer_clear(b);
}

/* ---- Times ---- */

/* One path 1 -> 2 that takes so long. */
static void
add_duration(struct tally *t, int64_t ms)
{
    const struct path_event events[] = {{1000, 1, 0}, {1000 + ms, 2, 0}};
    const struct path path = {.stages = 3, .n = 2, .visits = {{0, 0}, {1, 1}}};
    const struct path_range range = PATH_RANGE_ALL;

    tally_add(t, &range, events, 2, NULL, &path);
}

static void
test_times(void **state)
{
    static const struct {
        int n;
        int64_t ms[8];
        int64_t p50;
        int64_t p90;
        int64_t mean;
    } rows[] = {
        {1, {7}, 7, 7, 7},
        {2, {1, 2}, 1, 2, 2}, /* 1.5 rounds up */
        {3, {0, 0, 1}, 0, 1, 0},
        {4, {10, 20, 30, 41}, 20, 41, 25}, /* 25.25 */
        {5, {5, 1, 4, 2, 3}, 3, 5, 3},
        {4, {0, 0, 0, 2}, 0, 2, 1}, /* 0.5 rounds up */
        {2, {FUNNEL_WINDOW_MAX_MS, 0}, 0, FUNNEL_WINDOW_MAX_MS, FUNNEL_WINDOW_MAX_MS / 2},
        {3, {2047, 2048, 4194304}, 2048, 4194304, 1399466},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tally *t = tally_create(2);
        struct tally_times times;

        for (int j = 0; j < rows[i].n; j++)
            add_duration(t, rows[i].ms[j]);
        times = tally_time_from_previous(t, 1);
        assert_int_equal(times.n, rows[i].n);
        assert_int_equal(times.p50_ms, rows[i].p50);
        assert_int_equal(times.p90_ms, rows[i].p90);
        assert_int_equal(times.mean_ms, rows[i].mean);
        assert_false(times.is_approximate);
        assert_int_equal(tally_time_from_start(t, 0).n, 0);
        tally_destroy(&t);
    }
}

static int
compare_ms(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void
assert_within(int64_t got, int64_t exact)
{
    int64_t off = got > exact ? got - exact : exact - got;

    if (off * 200 > exact)
        fail_msg("%lld is not within 0.5%% of %lld", (long long)got, (long long)exact);
}

/* n durations spread over seven orders of magnitude, dealt to several tallies and merged. */
static void
check_many(int n, bool is_approximate)
{
    struct tally *parts[3];
    int64_t *all = calloc((size_t)n, sizeof *all);
    uint64_t state = 42;
    struct tally_times times;

    for (int i = 0; i < 3; i++)
        parts[i] = tally_create(2);
    for (int i = 0; i < n; i++) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        all[i] = (int64_t)((state >> 32) * (state >> 32 & 255) >> (state >> 59));
        all[i] %= FUNNEL_WINDOW_MAX_MS;
        add_duration(parts[i % 3], all[i]);
    }
    tally_merge(parts[0], parts[1]);
    tally_merge(parts[2], parts[0]);
    qsort(all, (size_t)n, sizeof *all, compare_ms);
    times = tally_time_from_start(parts[2], 1);
    assert_int_equal(times.n, n);
    assert_int_equal(times.is_approximate, is_approximate);
    if (is_approximate) {
        assert_within(times.p50_ms, all[(n + 1) / 2 - 1]);
        assert_within(times.p90_ms, all[(n * 9LL + 9) / 10 - 1]);
    } else {
        assert_int_equal(times.p50_ms, all[(n + 1) / 2 - 1]);
        assert_int_equal(times.p90_ms, all[(n * 9LL + 9) / 10 - 1]);
    }
    for (int i = 0; i < 3; i++)
        tally_destroy(&parts[i]);
    free(all);
}

static void
test_many_times(void **state)
{
    (void)state;
    check_many(100003, false);
    check_many(TALLY_EXACT_MAX, false);
    check_many(TALLY_EXACT_MAX + 1, true);
    check_many(3 * TALLY_EXACT_MAX + 500000, true); /* each part is beyond it by itself */
}

/* ---- Money ---- */

static void
test_values(void **state)
{
    struct tally *t = tally_create(2);
    struct tally *other = tally_create(2);
    struct buffer b = BUFFER_EMPTY;
    const struct path_event events[] = {{0, 1, 0}, {5, 3, 0}, {9, 2, 0}, {20, 2, 0}};
    const struct path path = {.stages = 3, .n = 2, .visits = {{0, 0}, {1, 1}}};
    const struct path_range range = {0, 20};
    struct tally_value values[4] = {{0, -1}, {1999, 0}, {-50, 0}, {77, 0}};

    (void)state;
    assert_int_equal(tally_currency(t, SLICE("USD")), 0);
    tally_add_value_json(t, 0, &b);
    assert_text(&b, "{}");
    tally_add(t, &range, events, 4, values, &path);
    tally_add_value_json(t, 0, &b);
    assert_text(&b, "{}");
    tally_add_value_json(t, 1, &b);
    assert_text(&b, "{\"USD\":\"19.99\"}");
    tally_add_seen_value_json(t, 0, &b);
    assert_text(&b, "{\"USD\":\"19.99\"}");
    tally_add_seen_value_json(t, 1, &b);
    assert_text(&b, "{\"USD\":\"19.49\"}"); /* the event at 20 is out of the range */

    /* other numbers for the same currencies, and sums beyond 64 bits */
    values[1].currency = tally_currency(other, SLICE("JPY"));
    values[2].currency = tally_currency(other, SLICE(""));
    values[2].units = 5;
    for (int i = 0; i < 3000; i++) {
        values[1].units = 9000000000000000;
        tally_add(other, &range, events, 4, values, &path);
    }
    assert_int_equal(tally_currency(other, SLICE("USD")), 2);
    tally_merge(t, other);
    tally_add_value_json(t, 1, &b);
    assert_text(&b, "{\"JPY\":\"27000000000000000000\",\"USD\":\"19.99\"}");
    tally_add_seen_value_json(t, 1, &b);
    assert_text(&b, "{\"\":\"150.00\",\"JPY\":\"27000000000000000000\",\"USD\":\"19.49\"}");

    tally_destroy(&t);
    t = tally_create(2);
    values[1] = (struct tally_value){-5, tally_currency(t, SLICE("KWD"))};
    tally_add(t, &range, events, 2, values, &path);
    tally_add_value_json(t, 1, &b);
    assert_text(&b, "{\"KWD\":\"-0.005\"}");
    buffer_fini(&b);
    tally_destroy(&t);
    tally_destroy(&other);
}

/* ---- The report ---- */

static void
test_empty_report(void **state)
{
    struct funnel *f = parsed(two_stages);
    struct tally *t = tally_create(2);
    struct report r;
    struct report_about about = {.as_of_ms = 1782982800000,
                                 .snapshot = SLICE("c41-9f"),
                                 .elapsed_us = 3449,
                                 .events_read = 12};
    struct buffer b = BUFFER_EMPTY;

    (void)state;
    report_fill(&r, f, PRESET_CLOSED, t, &about);
    report_add_json(&b, &r);
    assert_text(
        &b,
        "{\"entered\":0,\"converted\":0,\"conversion_rate\":null,\"began_before\":0,"
        "\"after_range\":0,\"stages\":["
        "{\"name\":\"In \\\"1\\\"\",\"kind\":\"trace\",\"required\":true,\"reached\":0,"
        "\"skipped\":0,\"throughput\":0,\"entries\":0,\"exits\":0,\"dropoff\":0,\"open\":0,"
        "\"onward\":0,"
        "\"rate_onward\":null,\"converted\":0,\"rate_converted\":null,\"rate_from_first\":null,"
        "\"rate_from_previous\":null,\"seen\":0,\"seen_value\":{},\"value\":{},"
        "\"time_from_previous_ms\":null,\"time_from_start_ms\":null},"
        "{\"name\":\"Out\",\"kind\":\"custom\",\"required\":true,\"reached\":0,"
        "\"skipped\":0,\"throughput\":0,\"entries\":0,\"exits\":0,\"dropoff\":null,\"open\":null,"
        "\"onward\":0,"
        "\"rate_onward\":null,\"converted\":0,\"rate_converted\":null,\"rate_from_first\":null,"
        "\"rate_from_previous\":null,\"seen\":0,\"seen_value\":{},\"value\":{},"
        "\"time_from_previous_ms\":null,\"time_from_start_ms\":null}],"
        "\"moves\":[],\"left_out\":{\"bots\":0},\"warnings\":[],"
        "\"as_of\":\"2026-07-02T09:00:00Z\",\"snapshot\":\"c41-9f\",\"events_read\":12,\"elapsed_"
        "ms\":3.4}");
    buffer_fini(&b);
    tally_destroy(&t);
    funnel_destroy(&f);
}

static void
test_report_with_all(void **state)
{
    struct funnel *f = parsed(two_stages);
    struct tally *t = tally_create(2);
    struct report r;
    const struct report_warning warning = {
        .code = SLICE("segment_left_out"), .message = SLICE("one \"file\""), .part = 1, .whole = 4};
    const struct report_visit visits[] = {{0, 1000}, {1, 2000}};
    const struct report_path path = {SLICE("v\"1"), 0, 2, visits};
    struct report_about about = {.left_out_bots = 4,
                                 .n_warnings = 1,
                                 .warnings = &warning,
                                 .has_paths = true,
                                 .n_paths = 1,
                                 .paths = &path};
    const struct path_event events[] = {{1000, 1, 0}};
    const struct path first_only = {.stages = 1, .n = 1, .visits = {{0, 0}}};
    const struct path_range range = PATH_RANGE_ALL;
    struct buffer b = BUFFER_EMPTY;

    (void)state;
    add_duration(t, 1000);
    add_duration(t, 2001);
    tally_add(t, &range, events, 1, NULL, &first_only);
    tally_add(t, &range, events, 1, NULL, NULL); /* seen, but without a path */
    report_fill(&r, f, PRESET_OPEN, t, &about);
    report_add_members(&b, &r);
    assert_text(
        &b,
        "\"entered\":3,\"converted\":2,\"conversion_rate\":0.6666666666666666,\"began_before\":0,"
        "\"after_range\":0,\"stages\":["
        "{\"name\":\"In \\\"1\\\"\",\"kind\":\"trace\",\"required\":false,\"reached\":3,"
        "\"skipped\":0,\"throughput\":3,\"entries\":3,\"exits\":1,\"dropoff\":1,\"open\":0,"
        "\"onward\":2,"
        "\"rate_onward\":0.6666666666666666,\"converted\":2,"
        "\"rate_converted\":0.6666666666666666,\"rate_from_first\":1.0,"
        "\"rate_from_previous\":null,\"seen\":4,\"seen_value\":{},\"value\":{},"
        "\"time_from_previous_ms\":null,\"time_from_start_ms\":null},"
        "{\"name\":\"Out\",\"kind\":\"custom\",\"required\":true,\"reached\":2,"
        "\"skipped\":0,\"throughput\":2,\"entries\":0,\"exits\":2,\"dropoff\":null,\"open\":null,"
        "\"onward\":0,"
        "\"rate_onward\":0.0,\"converted\":2,\"rate_converted\":1.0,"
        "\"rate_from_first\":0.6666666666666666,\"rate_from_previous\":0.6666666666666666,"
        "\"seen\":2,\"seen_value\":{},\"value\":{},"
        "\"time_from_previous_ms\":{\"p50\":1000,\"p90\":2001,\"mean\":1501},"
        "\"time_from_start_ms\":{\"p50\":1000,\"p90\":2001,\"mean\":1501}}],"
        "\"moves\":[[0,1,3],[1,2,2]],\"left_out\":{\"bots\":4},"
        "\"warnings\":[{\"code\":\"segment_left_out\",\"message\":\"one \\\"file\\\"\","
        "\"share\":0.25}],"
        "\"as_of\":\"1970-01-01T00:00:00Z\",\"snapshot\":\"\",\"events_read\":0,\"elapsed_ms\":0.0,"
        "\"paths\":{\"v\\\"1\":[[1,1000],[2,2000]]}");
    buffer_fini(&b);
    tally_destroy(&t);
    funnel_destroy(&f);
}

static struct json_t *
loaded(struct buffer *b)
{
    struct json_t *json;

    buffer_add_char(b, '\0');
    json = json_loads(b->p, JSON_REJECT_DUPLICATES, NULL);
    if (json == NULL)
        fail_msg("no JSON: %s", b->p);
    buffer_clear(b);
    return json;
}

static int64_t
integer_in(const json_t *json, const char *key)
{
    return json_integer_value(json_object_get(json, key));
}

static void
test_breakdown_trend_and_compare(void **state)
{
    static const char *const absent_in_points[] = {"name", "value", "rate_onward", "seen_value",
                                                   "time_from_start_ms"};
    struct funnel *f = parsed(two_stages);
    struct tally *all = tally_create(2), *one = tally_create(2), *none = tally_create(2);
    struct report_about about = {.as_of_ms = 0};
    const struct report_row rows[] = {{false, {SLICE("ID-\"JK\""), SLICE_EMPTY}, one},
                                      {true, {SLICE_EMPTY, SLICE_EMPTY}, none}};
    const struct report_point points[] = {{1780246800000, none}, {1780333200000, one}};
    const struct report_compare compare = {
        .range = {0, 86400000}, .as_of_ms = 90000000, .tally = none, .breakdown = {2, 2, rows}};
    struct buffer b = BUFFER_EMPTY;
    struct zone *zone = NULL;
    struct report r;
    json_t *json, *row, *stage;

    (void)state;
    assert_int_equal(zone_open(SLICE("Asia/Jakarta"), &zone, NULL), ERR_OK);
    add_duration(all, 5);
    add_duration(all, 7);
    add_duration(one, 5);
    report_fill(&r, f, PRESET_OPEN, all, &about);
    r.parts = (struct report_parts){zone, {2, 2, rows}, true, 2, points, &compare, false};
    report_add_json(&b, &r);
    json = loaded(&b);
    assert_int_equal(integer_in(json, "entered"), 2);

    row = json_array_get(json_object_get(json, "breakdown"), 0);
    assert_string_equal(json_string_value(json_array_get(json_object_get(row, "values"), 0)),
                        "ID-\"JK\"");
    assert_true(json_is_null(json_array_get(json_object_get(row, "values"), 1)));
    assert_int_equal(integer_in(row, "entered"), 1);
    assert_int_equal(integer_in(row, "converted"), 1);
    stage = json_array_get(json_object_get(row, "stages"), 1);
    assert_string_equal(json_string_value(json_object_get(stage, "name")), "Out");
    assert_int_equal(integer_in(json_object_get(stage, "time_from_start_ms"), "p50"), 5);
    assert_null(json_object_get(stage, "seen")); /* of no row: a unit without a path has none */
    assert_null(json_object_get(stage, "seen_value"));
    row = json_array_get(json_object_get(json, "breakdown"), 1);
    assert_true(json_is_true(json_object_get(row, "other")));
    assert_null(json_object_get(row, "values"));

    row = json_array_get(json_object_get(json, "trend"), 1);
    assert_string_equal(json_string_value(json_object_get(row, "start")),
                        "2026-06-02T00:00:00+07:00");
    assert_int_equal(integer_in(row, "entered"), 1);
    stage = json_array_get(json_object_get(row, "stages"), 0);
    assert_int_equal(integer_in(stage, "reached"), 1);
    assert_int_equal(integer_in(stage, "seen"), 1);
    for (size_t i = 0; i < sizeof absent_in_points / sizeof *absent_in_points; i++)
        assert_null(json_object_get(stage, absent_in_points[i]));

    row = json_object_get(json, "compare");
    assert_int_equal(integer_in(row, "entered"), 0);
    assert_string_equal(json_string_value(json_object_get(row, "from")),
                        "1970-01-01T07:00:00+07:00");
    assert_string_equal(json_string_value(json_object_get(row, "as_of")), "1970-01-02T01:00:00Z");
    assert_int_equal(json_array_size(json_object_get(row, "breakdown")), 2);
    json_decref(json);
    zone_close(&zone);
    buffer_fini(&b);
    tally_destroy(&all);
    tally_destroy(&one);
    tally_destroy(&none);
    funnel_destroy(&f);
}

/* Two sessions of one visitor, one of another. */
static void
test_paths_and_lists_of_sessions(void **state)
{
    const struct report_visit visits[] = {{0, 1000}, {0, 4000}, {1, 4500}};
    const struct report_path paths[] = {{SLICE("ann"), 500, 1, visits},
                                        {SLICE("ann"), 4000, 2, visits + 1},
                                        {SLICE("bob"), 9000, 0, NULL}};
    struct report_list list = {
        .place = {FIGURE_SEEN, 2}, .n_all = 30, .n_skipped = 10, .n = 2, .units = paths + 1};
    struct funnel *f = parsed(two_stages);
    struct tally *t = tally_create(2);
    struct report_about about = {.has_paths = true, .n_paths = 3, .paths = paths};
    struct buffer b = BUFFER_EMPTY;
    struct report r;
    json_t *json, *expected;

    (void)state;
    f->count = COUNT_SESSIONS;
    report_fill(&r, f, PRESET_OPEN, t, &about);
    report_add_json(&b, &r);
    json = loaded(&b);
    expected = json_loads("{\"ann\":[[[1,1000]],[[1,4000],[2,4500]]],\"bob\":[[]]}", 0, NULL);
    assert_true(json_equal(json_object_get(json, "paths"), expected));
    json_decref(expected);
    json_decref(json);
    report_add_list(&b, &list, f);
    assert_text(&b, "\"figure\":\"seen\",\"stage\":2,\"n\":30,\"visitors\":["
                    "{\"visitor\":\"ann\",\"session\":\"1970-01-01T00:00:04Z\","
                    "\"path\":[[1,4000],[2,4500]]},"
                    "{\"visitor\":\"bob\",\"session\":\"1970-01-01T00:00:09Z\",\"path\":[]}]");
    f->count = COUNT_VISITORS;
    list = (struct report_list){.place = {FIGURE_ENTERED, 0}, .n_all = 1, .n = 1, .units = paths};
    report_add_list(&b, &list, f);
    assert_text(&b, "\"figure\":\"entered\",\"stage\":null,\"n\":1,\"visitors\":["
                    "{\"visitor\":\"ann\",\"path\":[[1,1000]]}]");
    buffer_fini(&b);
    tally_destroy(&t);
    funnel_destroy(&f);
}

static void
test_rates(void **state)
{
    static const struct {
        int64_t a;
        int64_t b;
        const char *text;
    } rows[] = {
        {0, 0, "null"},
        {0, 5, "0.0"},
        {5, 5, "1.0"},
        {6, 10, "0.6"},
        {1, 3, "0.3333333333333333"},
        {5, 6, "0.8333333333333334"},
        {1, 10, "0.1"},
        {1, 1000000, "1e-06"},
        {2, 7, "0.2857142857142857"},
    };
    struct buffer b = BUFFER_EMPTY;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        report_add_rate(&b, rows[i].a, rows[i].b);
        assert_text(&b, rows[i].text);
    }
    buffer_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_many_times),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_empty_report),
        cmocka_unit_test(test_report_with_all),
        cmocka_unit_test(test_breakdown_trend_and_compare),
        cmocka_unit_test(test_paths_and_lists_of_sessions),
        cmocka_unit_test(test_rates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
