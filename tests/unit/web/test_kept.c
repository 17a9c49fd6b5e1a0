/* Reports that are answered again without a look at the events, and when they must not be. */
#include "core/clock.h"
#include "tests/unit/web/shop.h"

#define FUNNEL_OF "\"funnel\":{" STAGES "}"
#define JUNE      "\"from\":\"2026-06-01\",\"to\":\"2026-06-05\""
#define SEPTEMBER INT64_C(1790000000000)
#define AS_OF     ",\"as_of\":\"2026-07-01T00:00:00Z\""

static json_t *
ask(struct fixture *f, const char *members)
{
    char body[2048];

    snprintf(body, sizeof body, "{" FUNNEL_OF ",%s}", members);
    return post(f, REPORT, body);
}

static void
expect_kept(struct fixture *f, int n)
{
    char line[80];

    snprintf(line, sizeof line, "\ncorong_web_reports_kept_total %d\n", n);
    client_send(&f->client, "GET", "/metrics", NULL);
    if (strstr(f->client.body, line) == NULL)
        fail_msg("not %d kept: %s", n, strstr(f->client.body, "corong_web_reports_kept"));
}

static void
test_the_same_question_is_answered_once(void **state)
{
    struct fixture *f = *state;
    json_t *first = ask(f, JUNE AS_OF);
    json_t *again = ask(f, &AS_OF[1]);

    json_decref(again);
    expect_kept(f, 0); /* another range */
    again = ask(f, "\"query_id\":\"x\"" AS_OF "," JUNE);
    expect_kept(f, 1);
    assert_true(json_equal(first, again)); /* how long it took is said of the first */
    json_decref(again);
    json_decref(ask(f, JUNE AS_OF ",\"bots\":\"include\""));
    json_decref(ask(f, JUNE ",\"as_of\":\"2026-07-01T00:00:01Z\""));
    expect_kept(f, 1);
    json_decref(first);
}

/* Without as_of: now. The range ended long ago, so nobody is under way. */
static void
test_now_is_any_moment_when_nothing_can_go_on(void **state)
{
    struct fixture *f = *state;
    json_t *first, *again;

    first = ask(f, JUNE);
    clock_set_wall_ms(SEPTEMBER + 5000);
    again = ask(f, JUNE);
    expect_kept(f, 1);
    assert_true(json_equal(first, again)); /* as_of too */
    json_decref(first);
    json_decref(again);
}

static void
test_what_may_go_on_is_looked_at_again(void **state)
{
    struct fixture *f = *state;

    clock_set_wall_ms(INT64_C(1780660800000)); /* 5 June: the window has not ended */
    for (int i = 0; i < 2; i++)
        json_decref(ask(f, JUNE));
    clock_set_wall_ms(SEPTEMBER);
    for (int i = 0; i < 2; i++)
        json_decref(ask(f, "\"from\":\"2026-06-01\"")); /* and this range never ends */
    expect_kept(f, 0);
}

static void
test_sessions_may_go_on_after_their_range(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 2; i++)
        json_decref(post(f, REPORT, "{\"funnel\":{\"count\":\"sessions\"," STAGES "}," JUNE "}"));
    expect_kept(f, 0);
}

static void
test_an_event_that_comes_late_counts(void **state)
{
    struct shop_row row = shop_rows[0];
    struct fixture *f = *state;
    json_t *report = ask(f, JUNE AS_OF);
    json_int_t n = integer_at(report, "entered");

    json_decref(report);
    row.visitor = "late";
    write_rows(f, 1, &row, 1);
    report = ask(f, JUNE AS_OF);
    assert_int_equal(integer_at(report, "entered"), n + 1);
    json_decref(report);
    expect_kept(f, 0);
}

static void
test_an_event_of_another_month_changes_only_what_is_said_of_the_site(void **state)
{
    struct shop_row row = shop_rows[0];
    struct fixture *f = *state;
    json_t *first = ask(f, JUNE AS_OF), *again;

    row.time_ms += INT64_C(120) * 86400000;
    write_rows(f, 1, &row, 1);
    again = ask(f, JUNE AS_OF);
    expect_kept(f, 1);
    assert_string_not_equal(json_string_value(at(first, "range.last")),
                            json_string_value(at(again, "range.last")));
    assert_string_not_equal(json_string_value(at(first, "snapshot")),
                            json_string_value(at(again, "snapshot")));
    assert_true(json_equal(at(first, "stages"), at(again, "stages")));
    json_decref(first);
    json_decref(again);
}

static void
test_retention_counts_at_once(void **state)
{
    struct fixture *f = *state;
    json_t *report = ask(f, JUNE AS_OF);

    assert_true(integer_at(report, "entered") > 0);
    json_decref(report);
    assert_int_equal(
        client_send(&f->client, "PATCH", "/api/v1/sites/shop", "{\"retention\":\"1d\"}"), 200);
    report = ask(f, JUNE AS_OF);
    assert_int_equal(integer_at(report, "entered"), 0);
    expect_text(report, "warnings.0.code", "retention");
    json_decref(report);
    expect_kept(f, 0);
}

/* The list behind a kept report's figure is answered from the same files. */
static void
test_lists_of_a_kept_report(void **state)
{
    struct fixture *f = *state;
    json_t *report, *list;
    char members[300], body[2048];

    json_decref(ask(f, JUNE));
    clock_set_wall_ms(SEPTEMBER + 5000);
    report = ask(f, JUNE);
    expect_kept(f, 1);
    snprintf(members, sizeof members,
             JUNE ",\"figure\":\"entered\",\"snapshot\":\"%s\",\"as_of\":\"%s\"",
             json_string_value(at(report, "snapshot")), json_string_value(at(report, "as_of")));
    snprintf(body, sizeof body, "{" FUNNEL_OF ",%s}", members);
    list = post(f, LIST, body);
    assert_true(json_is_false(at(list, "snapshot_gone")));
    assert_int_equal(json_array_size(at(list, "visitors")), integer_at(report, "entered"));
    json_decref(report);
    json_decref(list);
}

static void
test_nothing_is_kept_from_one_role_for_another(void **state)
{
    struct fixture *f = *state;

    json_decref(ask(f, JUNE AS_OF));
    fixture_add_account(f, "viewer@shop.example", ROLE_VIEWER);
    assert_int_equal(fixture_sign_in(f, "viewer@shop.example", FIXTURE_PASSWORD), 200);
    json_decref(ask(f, JUNE AS_OF));
    expect_kept(f, 0);
    json_decref(ask(f, JUNE AS_OF));
    expect_kept(f, 1);
}

/* All of it in September, as a sign-in holds for a month. */
static int
setup(void **state)
{
    clock_set_wall_ms(SEPTEMBER);
    return setup_shop(state);
}

static int
teardown(void **state)
{
    clock_set_wall_ms(-1);
    return fixture_teardown(state);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_the_same_question_is_answered_once),
        CASE(test_now_is_any_moment_when_nothing_can_go_on),
        CASE(test_what_may_go_on_is_looked_at_again),
        CASE(test_sessions_may_go_on_after_their_range),
        CASE(test_an_event_that_comes_late_counts),
        CASE(test_an_event_of_another_month_changes_only_what_is_said_of_the_site),
        CASE(test_retention_counts_at_once),
        CASE(test_lists_of_a_kept_report),
        CASE(test_nothing_is_kept_from_one_role_for_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
