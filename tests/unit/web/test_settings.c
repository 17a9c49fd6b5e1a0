/* A site's settings over HTTP: all of them there and back, refusals by field; page groups as an
 * attribute, also of what was there before they were named. */
#include "tests/unit/web/shop.h"

#define SITE  "/api/v1/sites/shop"
#define NAMED "{\"page_groups\":[{\"name\":\"Products\",\"globs\":[\"/p/**\"]}]}"

static json_t *
patch(struct fixture *f, const char *body)
{
    if (client_send(&f->client, "PATCH", SITE, body) != 200)
        fail_msg("%d %s", f->client.status, f->client.body);
    return fixture_json(f);
}

static void
test_all_settings_there_and_back(void **state)
{
    static const char all[] =
        "{\"hosts\":[\"www.shop.example\",\"shop.test\"],\"ignored_referrers\":[\"pay.example\"],"
        "\"first_day_of_week\":\"sunday\",\"bots\":\"include\",\"viewer_journeys\":\"yes\","
        "\"funnel\":\"Shop\",\"max_age_ms\":3600000,\"max_events_per_visitor_day\":100,"
        "\"page_groups\":[{\"name\":\"Products\",\"globs\":[\"/p/**\",\"/q\"]}],"
        "\"retention\":\"13mo\",\"identity\":\"cookieless\",\"consent\":\"required\","
        "\"gpc\":\"ignore\",\"dnt\":\"respect\",\"timezone\":\"UTC\",\"currency\":\"EUR\","
        "\"domain\":\"new.example\"}";
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json");
    json_t *wanted = json_loads(all, 0, NULL);
    json_t *first = get(f, SITE);
    json_t *site, *value;
    const char *key;

    expect_text(first, "first_day_of_week", "monday");
    expect_text(first, "bots", "exclude");
    expect_text(first, "viewer_journeys", "no");
    expect_text(first, "funnel", "");
    assert_int_equal(json_array_size(at(first, "page_groups")), 0);
    json_decref(patch(f, all));
    site = patch(f, "{}");
    expect_schema(document, "Site", site);
    json_object_foreach(wanted, key, value)
    {
        if (!json_equal(value, at(site, key)))
            fail_msg("%s", key);
    }
    json_decref(patch(f, "{\"hosts\":[],\"ignored_referrers\":[],\"page_groups\":[]}"));
    value = get(f, SITE);
    assert_int_equal(json_array_size(at(value, "hosts")), 0);
    assert_int_equal(json_array_size(at(value, "page_groups")), 0);
    assert_int_equal(json_array_size(at(value, "ignored_referrers")), 0);
    expect_text(value, "first_day_of_week", "sunday");
    json_decref(value);
    json_decref(site);
    json_decref(first);
    json_decref(wanted);
    json_decref(document);
}

static void
test_refusals_name_the_member(void **state)
{
    static const struct {
        const char *body, *field;
    } rows[] = {
        {"{\"hosts\":\"a.example\"}", "hosts"},
        {"{\"hosts\":[1]}", "hosts"},
        {"{\"hosts\":[\"https://a.example\"]}", "hosts"},
        {"{\"ignored_referrers\":[\"a b\"]}", "ignored_referrers"},
        {"{\"first_day_of_week\":\"friday\"}", "first_day_of_week"},
        {"{\"bots\":\"all\"}", "bots"},
        {"{\"viewer_journeys\":true}", "viewer_journeys"},
        {"{\"max_age_ms\":1}", "max_age"},
        {"{\"max_age_ms\":\"1d\"}", "max_age_ms"},
        {"{\"max_events_per_visitor_day\":0}", "max_events_per_visitor_day"},
        {"{\"page_groups\":{}}", "page_groups"},
        {"{\"page_groups\":[{\"name\":\"A\",\"globs\":[\"x\"]}]}", "page_groups[0].globs[0]"},
        {"{\"name\":\"other\"}", "name"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        client_send(&f->client, "PATCH", SITE, rows[i].body);
        fixture_expect_error(f, 400, "invalid", rows[i].field);
    }
}

/* ---- page_group ---- */

/* One event of its own visitor, a minute after JUNE_1. */
static void
add_page(struct segment_builder *b, const char *visitor, const char *path)
{
    struct event e = {.site = 1, .time_ms = JUNE_1 + 60000, .origin = ORIGIN_IMPORT};

    e.visitor = slice_from(visitor);
    e.text[TEXT_EVENT] = SLICE("view");
    e.text[TEXT_PATH] = slice_from(path);
    add_event(b, &e);
}

static void
write_pages(struct fixture *f)
{
    struct segment_builder *b = begin_builder(f);

    add_page(b, "v", "/p/1");
    add_page(b, "w", "/p/2");
    add_page(b, "x", "/about");
    commit_builder(f, b);
}

#define GROUP(op) "{\"attribute\":\"page_group\"," op "}"
#define IS        GROUP("\"op\":\"is\",\"values\":[\"Products\"]")

/* A funnel whose second stage is page_group, with a breakdown by it, at a fixed as_of: an answer
 * that the server keeps. */
static json_t *
ask_report(struct fixture *f)
{
    return post(f, REPORT,
                "{\"funnel\":{\"window\":\"1d\",\"stages\":[{\"name\":\"Saw\",\"rule\":" RULE(
                    "view") "},{\"name\":\"Product\",\"rule\":" IS "}]},\"from\":\"2026-06-01\","
                            "\"to\":\"2026-06-03\",\"as_of\":\"2026-07-01T00:00:00Z\","
                            "\"breakdown\":[{\"attribute\":\"page_group\"}]}");
}

static void
test_page_group_is_an_attribute(void **state)
{
    struct fixture *f = *state;
    json_t *reply;

    write_pages(f);
    reply = ask_report(f);
    assert_int_equal(integer_at(reply, "entered"), 3);
    assert_int_equal(integer_at(reply, "converted"), 0);
    json_decref(reply);

    json_decref(patch(f, NAMED)); /* what was there before has groups, too */
    reply = ask_report(f);
    assert_int_equal(integer_at(reply, "converted"), 2);
    expect_text(reply, "breakdown.0.values.0", "Products");
    assert_int_equal(integer_at(reply, "breakdown.0.entered"), 2);
    assert_true(json_is_null(at(reply, "breakdown.1.values.0")));
    json_decref(reply);

    reply = post(f, SITE "/count",
                 "{\"filters\":[{\"rule\":" IS ",\"at\":\"every\"}],"
                 "\"breakdown\":[{\"attribute\":\"page_group\"}]}");
    assert_int_equal(integer_at(reply, "visitors"), 2);
    expect_text(reply, "breakdown.0.values.0", "Products");
    json_decref(reply);
    reply = post(f, SITE "/count",
                 "{\"filters\":[{\"rule\":" GROUP("\"op\":\"set\"") ",\"at\":\"none\"}]}");
    assert_int_equal(integer_at(reply, "visitors"), 5); /* the shop's four, and /about */
    json_decref(reply);
    reply = post(f, SITE "/values", "{\"attribute\":\"page_group\"}");
    assert_int_equal(integer_at(reply, "n"), 1);
    assert_int_equal(integer_at(reply, "values.0.visitors"), 2);
    json_decref(reply);
    reply = get(f, SITE "/values?attribute=page_group");
    expect_text(reply, "values.0.value", "Products");
    assert_int_equal(integer_at(reply, "values.0.events"), 2);
    assert_int_equal(json_array_size(at(reply, "values")), 1);
    json_decref(reply);

    json_decref(patch(f, "{\"page_groups\":[{\"name\":\"Us\",\"globs\":[\"/about\"]}]}"));
    reply = ask_report(f);
    assert_int_equal(integer_at(reply, "converted"), 0);
    json_decref(reply);
}

static void
test_what_attributes_count(void **state)
{
    struct fixture *f = *state;
    json_t *reply, *a;
    bool is_found = false;
    size_t i;

    write_pages(f);
    json_decref(patch(f, NAMED));
    reply = get(f, SITE "/attributes");
    json_array_foreach(at(reply, "attributes"), i, a)
    {
        if (strcmp(json_string_value(json_object_get(a, "name")), "page_group") != 0)
            continue;
        is_found = true;
        assert_int_equal(integer_at(a, "seen"), 2);
    }
    assert_true(is_found);
    json_decref(reply);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_settings_there_and_back, setup_shop,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_refusals_name_the_member, setup_shop,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_page_group_is_an_attribute, setup_shop,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_attributes_count, setup_shop, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
