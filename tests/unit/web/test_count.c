/* Counts and an attribute's values, over real HTTP. */
#include "tests/unit/web/shop.h"

#define COUNT  "/api/v1/sites/shop/count"
#define VALUES "/api/v1/sites/shop/values"
#define EVERY_SALE                                                                                 \
    "\"filters\":[{\"rule\":{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"sale\"]},"        \
    "\"at\":\"every\"}]"

static void
test_totals(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json");
    json_t *count = post(f, COUNT, "{}");

    expect_schema(document, "Count", count);
    assert_int_equal(integer_at(count, "visitors"), 4);
    assert_int_equal(integer_at(count, "sessions"), 8); /* an hour between any two events */
    assert_int_equal(integer_at(count, "events"), 8);
    assert_int_equal(integer_at(count, "orders"), 0);
    expect_text(count, "value.USD", "22.45");
    assert_true(json_is_false(at(count, "snapshot_gone")));
    json_decref(count);
    count = post(f, COUNT, "{" EVERY_SALE ",\"value_of\":\"pageview\"}");
    assert_int_equal(integer_at(count, "visitors"), 2);
    assert_int_equal(integer_at(count, "events"), 2);
    assert_int_equal(json_object_size(at(count, "value")), 0);
    json_decref(count);
    json_decref(document);
}

static void
test_rows_and_points(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json");
    json_t *count = post(f, COUNT,
                         "{\"from\":\"2026-06-01\",\"to\":\"2026-06-04\",\"trend\":\"day\","
                         "\"compare\":\"previous\",\"limit\":2,"
                         "\"breakdown\":[{\"attribute\":\"event\"}]}");

    assert_int_equal(json_array_size(at(count, "breakdown")), 3);
    expect_text(count, "breakdown.0.values.0", "pageview");
    assert_int_equal(integer_at(count, "breakdown.0.visitors"), 4);
    expect_text(count, "breakdown.1.values.0", "add_to_cart");
    assert_int_equal(integer_at(count, "breakdown.1.visitors"), 2);
    assert_true(json_is_true(at(count, "breakdown.2.other")));
    assert_int_equal(integer_at(count, "breakdown.2.visitors"), 2);
    expect_text(count, "breakdown.2.value.USD", "22.45");
    expect_schema(document, "CountRow", at(count, "breakdown.0"));
    assert_int_equal(json_array_size(at(count, "trend")), 3);
    assert_int_equal(integer_at(count, "trend.0.visitors"), 4);
    assert_int_equal(integer_at(count, "trend.1.visitors"), 0);
    assert_int_equal(integer_at(count, "trend.2.visitors"), 1);
    expect_schema(document, "CountPoint", at(count, "trend.0"));
    assert_int_equal(integer_at(count, "compare.visitors"), 0);
    assert_int_equal(json_array_size(at(count, "compare.breakdown")), 2);
    json_decref(count);
    count = get(f, COUNT "?trend=hour&from=2026-06-01T00:00:00Z&to=2026-06-01T04:00:00Z"
                         "&breakdown=campaign@entry&count=sessions");
    assert_int_equal(json_array_size(at(count, "trend")), 4);
    assert_int_equal(integer_at(count, "trend.1.sessions"), 4);
    expect_text(count, "trend.1.start", "2026-06-01T08:00:00+07:00");
    expect_text(count, "breakdown.1.values.0", "spring");
    assert_int_equal(integer_at(count, "breakdown.1.sessions"), 3);
    json_decref(count);
    json_decref(document);
}

static void
test_values(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json");
    json_t *values = post(f, VALUES, "{\"attribute\":\"event\",\"limit\":1,\"prefix\":\"\"}");

    expect_schema(document, "CountValues", values);
    assert_int_equal(integer_at(values, "n"), 3);
    assert_int_equal(json_array_size(at(values, "values")), 1);
    expect_text(values, "values.0.value", "pageview");
    assert_int_equal(integer_at(values, "values.0.events"), 4);
    json_decref(values);
    values = post(f, VALUES, "{\"attribute\":\"event\",\"prefix\":\"s\"," EVERY_SALE "}");
    assert_int_equal(integer_at(values, "n"), 1);
    assert_int_equal(integer_at(values, "values.0.visitors"), 2);
    json_decref(values);
    json_decref(document);
}

static void
test_a_snapshot_that_has_gone(void **state)
{
    struct fixture *f = *state;
    json_t *count = post(f, COUNT, "{\"snapshot\":\"c1-00\",\"as_of\":\"2026-07-01T00:00:00Z\"}");

    assert_true(json_is_true(at(count, "snapshot_gone")));
    assert_int_equal(integer_at(count, "visitors"), 4);
    json_decref(count);
}

static void
test_questions_that_cannot_be(void **state)
{
    static const struct {
        const char *path;
        const char *body;
        const char *field;
    } cases[] = {
        {COUNT, "{\"count\":\"people\"}", "count"},
        {COUNT, "{\"window\":\"7\"}", "window"},
        {COUNT, "{\"window\":7}", "window"},
        {COUNT, "{\"value_of\":1}", "value_of"},
        {COUNT, "{\"trend\":\"year\"}", "trend"},
        {COUNT, "{\"breakdown\":[{\"attribute\":\"event\",\"at\":2}]}", "breakdown[0].at"},
        {COUNT, "{\"breakdown\":[{\"attribute\":\"event\",\"at\":\"any\"}]}", "breakdown[0].at"},
        {COUNT, "{\"filters\":[{\"rule\":" RULE("sale") ",\"at\":2}]}", "filters[0].at"},
        {COUNT, "{\"snapshot\":\"c1-00\"}", "as_of"},
        {COUNT, "{\"funnel\":\"Shop\"}", "funnel"},
        {VALUES, "{}", "attribute"},
        {VALUES, "{\"attribute\":\"nothing\"}", "attribute"},
        {VALUES, "{\"attribute\":\"event\",\"prefix\":1}", "prefix"},
        {VALUES, "{\"attribute\":\"event\",\"trend\":\"day\"}", "trend"},
        {REPORT, "{\"funnel\":{" STAGES "},\"value_of\":\"sale\"}", "value_of"},
        {REPORT, "{\"funnel\":{" STAGES "},\"trend\":\"hour\"}", "trend"},
        {REPORT,
         "{\"funnel\":{" STAGES "},\"breakdown\":[{\"attribute\":\"event\",\"at\":\"every\"}]}",
         "breakdown[0].at"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client_send(&f->client, "POST", cases[i].path, cases[i].body);
        fixture_expect_error(f, 400, "invalid", cases[i].field);
    }
    client_send(&f->client, "GET", COUNT "?trend=hour", NULL); /* 49 hours */
    assert_int_equal(f->client.status, 200);
    client_send(&f->client, "GET", COUNT "?trend=hour&from=2020-01-01&to=2021-01-01", NULL);
    fixture_expect_error(f, 422, "limit", "trend");
}

#define SHOP_TEST(name) cmocka_unit_test_setup_teardown(name, setup_shop, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_totals),
        SHOP_TEST(test_rows_and_points),
        SHOP_TEST(test_values),
        SHOP_TEST(test_a_snapshot_that_has_gone),
        SHOP_TEST(test_questions_that_cannot_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
