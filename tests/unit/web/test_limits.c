/* What a query of the dashboard may take, and its id, over real HTTP. */
#include "tests/unit/web/shop.h"

#define FUNNEL_OF "\"funnel\":{" STAGES "}"
#define JUNE      "\"from\":\"2026-06-01\",\"to\":\"2026-06-05\",\"as_of\":\"2026-07-01T00:00:00Z\""

static void
ask(struct fixture *f, const char *path, const char *members)
{
    char body[2048];

    snprintf(body, sizeof body, "{" FUNNEL_OF "," JUNE "%s}", members);
    client_send(&f->client, "POST", path, body);
}

static void
test_a_query_has_an_id(void **state)
{
    struct fixture *f = *state;
    char members[200];

    ask(f, REPORT, ",\"query_id\":\"tab 1\"");
    assert_int_equal(f->client.status, 200);
    ask(f, REPORT, ",\"query_id\":\"tab 1\""); /* the older one has ended: nothing to stop */
    assert_int_equal(f->client.status, 200);
    ask(f, LIST, ",\"figure\":\"entered\",\"query_id\":\"tab 1\"");
    assert_int_equal(f->client.status, 200);
    snprintf(members, sizeof members, ",\"query_id\":\"%065d\"", 1);
    ask(f, REPORT, members);
    fixture_expect_error(f, 400, "invalid", "query_id");
    ask(f, REPORT, ",\"query_id\":7");
    fixture_expect_error(f, 400, "invalid", "query_id");
    client_send(&f->client, "GET", REPORT "?query_id=tab&funnel=none", NULL);
    fixture_expect_error(f, 404, "not_found", "funnel");
}

static void
test_stopping_what_has_ended_is_no_error(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(client_send(&f->client, "DELETE", "/api/v1/queries/tab%201", NULL), 204);
    client_send(&f->client, "GET", "/api/v1/queries/tab", NULL);
    fixture_expect_error(f, 405, "method", "");
    client_send(&f->client, "DELETE", "/api/v1/queries/", NULL);
    fixture_expect_error(f, 404, "not_found", "");
}

static void
test_a_query_that_needs_too_much_is_an_error(void **state)
{
    struct fixture *f = *state;
    web_stop(&f->web);
    fixture_start_web(f, &(struct web_config){.query_bytes = 1});
    ask(f, REPORT, "");
    fixture_expect_error(f, 422, "limit", "");
    assert_non_null(strstr(f->client.body, "query-memory"));
    ask(f, LIST, ",\"figure\":\"entered\"");
    fixture_expect_error(f, 422, "limit", "");
    client_send(&f->client, "GET", "/metrics", NULL);
    assert_int_equal(f->client.status, 200);
    assert_non_null(strstr(f->client.body, "corong_web_queries_limited_total 2\n"));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup_shop, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_query_has_an_id),
        CASE(test_stopping_what_has_ended_is_no_error),
        CASE(test_a_query_that_needs_too_much_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
