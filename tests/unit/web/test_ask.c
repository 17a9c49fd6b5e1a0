/* What followed, what sets people apart, finding people, a person's journey: over real HTTP. */
#include "tests/unit/web/shop.h"

#define NEXT      "/api/v1/sites/shop/next"
#define CONTRAST  "/api/v1/sites/shop/contrast"
#define SEARCH    "/api/v1/sites/shop/search"
#define JOURNEY   "/api/v1/sites/shop/journey"
#define FUNNEL_OF "\"funnel\":{" STAGES "}"
#define AS_OF     "\"as_of\":\"2026-07-01T00:00:00Z\""

static void
test_next(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json");
    json_t *next = post(f, NEXT, "{" FUNNEL_OF ",\"figure\":\"reached\",\"stage\":1,\"steps\":2}");

    expect_schema(document, "Next", next);
    assert_int_equal(integer_at(next, "n"), 4);
    assert_int_equal(json_array_size(at(next, "next")), 4);
    /* ties by text: a, c, b, d */
    expect_text(next, "next.0.values.0", "add_to_cart");
    expect_text(next, "next.0.values.1", "sale");
    assert_true(json_is_null(at(next, "next.1.values.1")));
    expect_text(next, "next.2.values.0", "sale");
    assert_true(json_is_null(at(next, "next.3.values.0")));
    expect_text(next, "last.0.values.0", "sale");
    assert_int_equal(integer_at(next, "last.0.n"), 2);
    expect_schema(document, "NextRow", at(next, "next.0"));
    json_decref(next);
    next = post(f, NEXT, "{" FUNNEL_OF ",\"figure\":\"dropoff\",\"stage\":2,\"limit\":1}");
    assert_int_equal(integer_at(next, "n"), 1);
    assert_true(json_is_null(at(next, "next.0.values.0")));
    json_decref(next);
    json_decref(document);
}

static void
test_contrast(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json");
    json_t *contrast =
        post(f, CONTRAST,
             "{" FUNNEL_OF ",\"a\":{\"figure\":\"converted\"},\"b\":{\"figure\":\"dropoff\","
             "\"stage\":1},\"attributes\":[{\"attribute\":\"campaign\"},"
             "{\"attribute\":\"event\"},{\"attribute\":\"event\",\"at\":\"last\"}]}");

    expect_schema(document, "Contrast", contrast);
    assert_int_equal(integer_at(contrast, "a.n"), 2);
    assert_int_equal(integer_at(contrast, "b.n"), 1);
    /* a sale: 2 of 2 against 0 of 1 is chi-squared 3, the same at `any` and at `last` */
    expect_text(contrast, "rows.0.attribute", "event");
    expect_text(contrast, "rows.0.at", "any");
    expect_text(contrast, "rows.0.value", "sale");
    assert_int_equal(integer_at(contrast, "rows.0.a"), 2);
    assert_int_equal(integer_at(contrast, "rows.0.b"), 0);
    assert_true(json_real_value(at(contrast, "rows.0.score")) == 3.0);
    expect_text(contrast, "rows.1.at", "last");
    assert_int_equal(integer_at(contrast, "n"), 4);
    expect_schema(document, "ContrastRow", at(contrast, "rows.0"));
    json_decref(contrast);
    json_decref(document);
}

static void
test_search(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json");
    json_t *found = post(f, SEARCH, "{" FUNNEL_OF ",\"limit\":2," AS_OF "}");
    char body[256];

    expect_schema(document, "Search", found);
    assert_int_equal(integer_at(found, "n"), 4);
    expect_text(found, "visitors.0.visitor", "c"); /* the latest */
    assert_int_equal(integer_at(found, "visitors.0.stage"), 2);
    expect_text(found, "visitors.1.visitor", "a");
    expect_text(found, "visitors.1.campaign", "spring");
    expect_text(found, "visitors.1.value.USD", "12.50");
    assert_int_equal(integer_at(found, "visitors.1.sessions"), 3);
    expect_schema(document, "FoundVisitor", at(found, "visitors.0"));
    expect_text(found, "cursor", "2");
    snprintf(body, sizeof body, "{\"limit\":2,\"cursor\":\"2\"," AS_OF ",\"snapshot\":\"%s\"}",
             json_string_value(at(found, "snapshot")));
    json_decref(found);
    found = post(f, SEARCH, body);
    expect_text(found, "visitors.0.visitor", "b");
    expect_text(found, "visitors.1.visitor", "d");
    assert_true(json_is_null(at(found, "cursor")));
    assert_null(json_object_get(at(found, "visitors.0"), "stage"));
    json_decref(found);
    found = post(f, SEARCH, "{" FUNNEL_OF ",\"stage\":1}");
    assert_int_equal(integer_at(found, "n"), 1);
    expect_text(found, "visitors.0.visitor", "d");
    json_decref(found);
    found = post(f, SEARCH, "{\"id\":\"b\"}");
    assert_int_equal(integer_at(found, "n"), 1);
    json_decref(found);
    found = post(f, SEARCH, "{\"order\":\"none\"}");
    assert_int_equal(integer_at(found, "n"), 0);
    json_decref(found);
    found = post(f, SEARCH, "{\"filters\":[{\"rule\":" RULE("add_to_cart") "}]}");
    assert_int_equal(integer_at(found, "n"), 2);
    json_decref(found);
    json_decref(document);
}

static void
test_journey(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json");
    json_t *journey = post(f, JOURNEY, "{\"visitor\":\"a\"," FUNNEL_OF "}");

    expect_schema(document, "Journey", journey);
    assert_int_equal(integer_at(journey, "n"), 3);
    assert_int_equal(json_array_size(at(journey, "sessions")), 3);
    expect_schema(document, "JourneySession", at(journey, "sessions.0"));
    expect_text(journey, "sessions.0.campaign", "spring");
    expect_text(journey, "sessions.2.events.0.event.event", "sale");
    assert_int_equal(integer_at(journey, "sessions.2.events.0.stages.0"), 3);
    assert_int_equal(json_array_size(at(journey, "paths.0.path")), 3);
    expect_text(journey, "sessions.2.events.0.why.0.reason", "counted");
    expect_schema(document, "Why", at(journey, "sessions.2.events.0.why.0"));
    assert_int_equal(json_array_size(at(journey, "left_out_events")), 0);
    json_decref(journey);
    journey =
        post(f, JOURNEY, "{\"visitor\":\"a\"," FUNNEL_OF ",\"as_of\":\"2026-06-01T02:30:00Z\"}");
    expect_text(journey, "left_out_events.0.event.event", "sale");
    expect_text(journey, "left_out_events.0.reason", "after_as_of");
    json_decref(journey);
    journey = post(f, JOURNEY, "{\"visitor\":\"a\",\"limit\":1}");
    assert_int_equal(integer_at(journey, "n"), 3);
    assert_int_equal(json_array_size(at(journey, "sessions")), 1);
    assert_null(json_object_get(journey, "paths"));
    json_decref(journey);
    client_send(&f->client, "POST", JOURNEY, "{\"visitor\":\"nobody\"}");
    fixture_expect_error(f, 404, "not_found", "visitor");
    json_decref(document);
}

static void
test_questions_that_cannot_be(void **state)
{
    static const struct {
        const char *path;
        const char *members;
        const char *field;
    } cases[] = {
        {NEXT, "\"figure\":\"skipped\",\"stage\":2", "figure"},
        {NEXT, "\"figure\":\"reached\"", "stage"},
        {NEXT, "\"figure\":\"entered\",\"steps\":4", "steps"},
        {NEXT, "\"figure\":\"entered\",\"attribute\":\"nothing\"", "attribute"},
        {NEXT, "\"figure\":\"entered\",\"trend\":\"day\"", "trend"},
        {NEXT, "\"figure\":\"entered\",\"value_of\":\"sale\"", "value_of"},
        {CONTRAST, "\"a\":{\"figure\":\"entered\"}", "b"},
        {CONTRAST, "\"a\":{\"figure\":\"seen\",\"stage\":1},\"b\":{\"figure\":\"entered\"}", "a"},
        {CONTRAST, "\"a\":{\"figure\":\"reached\"},\"b\":{\"figure\":\"entered\"}", "a.stage"},
        {CONTRAST,
         "\"a\":{\"figure\":\"entered\"},\"b\":{\"figure\":\"entered\"},\"attributes\":[]",
         "attributes"},
        {CONTRAST,
         "\"a\":{\"figure\":\"entered\"},\"b\":{\"figure\":\"entered\"},"
         "\"attributes\":[{\"attribute\":\"path\"},{\"attribute\":\"path\",\"at\":\"every\"}]",
         "attributes[1].at"},
        {SEARCH, "\"figure\":\"seen\",\"stage\":1", "figure"},
        {SEARCH, "\"stage\":9", "stage"},
        {SEARCH, "\"cursor\":\"1\"", "snapshot"},
        {SEARCH, "\"id\":1", "id"},
        {JOURNEY, "\"limit\":1", "visitor"},
        {JOURNEY, "\"visitor\":\"a\",\"limit\":0", "limit"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char body[2048];

        snprintf(body, sizeof body, "{" FUNNEL_OF ",%s}", cases[i].members);
        client_send(&f->client, "POST", cases[i].path, body);
        fixture_expect_error(f, 400, "invalid", cases[i].field);
    }
    client_send(&f->client, "POST", SEARCH, "{\"stage\":1}");
    fixture_expect_error(f, 400, "invalid", "funnel");
}

#define SHOP_TEST(name) cmocka_unit_test_setup_teardown(name, setup_shop, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_next),
        SHOP_TEST(test_contrast),
        SHOP_TEST(test_search),
        SHOP_TEST(test_journey),
        SHOP_TEST(test_questions_that_cannot_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
