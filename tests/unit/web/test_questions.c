/* What a report may be asked for besides, and the lists behind its figures, over real HTTP. */
#include "tests/unit/web/shop.h"

#define FUNNEL_OF "\"funnel\":{" STAGES "}"
#define JUNE      "\"from\":\"2026-06-01\",\"to\":\"2026-06-05\",\"as_of\":\"2026-07-01T00:00:00Z\""

static json_t *
ask(struct fixture *f, const char *members)
{
    char body[2048];

    snprintf(body, sizeof body, "{" FUNNEL_OF ",%s}", members);
    return post(f, REPORT, body);
}

static json_t *
list(struct fixture *f, const char *members)
{
    char body[2048];

    snprintf(body, sizeof body, "{" FUNNEL_OF ",%s}", members);
    return post(f, LIST, body);
}

/* ---- Reports ---- */

static void
test_filters(void **state)
{
    struct fixture *f = *state;
    json_t *report = ask(f, "\"filters\":[{\"rule\":{\"attribute\":\"campaign\",\"op\":\"is\","
                            "\"values\":[\"spring\"]}}]");

    assert_int_equal(integer_at(report, "entered"), 1);
    assert_int_equal(integer_at(report, "converted"), 1);
    json_decref(report);
    report = ask(f, "\"filters\":[{\"rule\":" RULE("add_to_cart") ",\"at\":\"none\"}]");
    assert_int_equal(integer_at(report, "entered"), 2);
    assert_int_equal(integer_at(report, "converted"), 1);
    json_decref(report);
}

static void
test_breakdown(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json");
    json_t *report = ask(f, "\"breakdown\":[{\"attribute\":\"campaign\"}],\"limit\":1");

    assert_int_equal(json_array_size(at(report, "breakdown")), 2);
    assert_true(json_is_null(at(report, "breakdown.0.values.0")));
    assert_int_equal(integer_at(report, "breakdown.0.entered"), 3);
    assert_int_equal(integer_at(report, "breakdown.0.converted"), 1);
    assert_true(json_is_true(at(report, "breakdown.1.other")));
    assert_int_equal(integer_at(report, "breakdown.1.entered"), 1);
    expect_text(report, "breakdown.1.stages.2.value.USD", "12.50");
    expect_schema(document, "BreakdownRow", at(report, "breakdown.0"));
    json_decref(report);

    report = ask(f, "\"breakdown\":[{\"attribute\":\"value\",\"at\":3,\"bins\":[10,\"20\"]},"
                    "{\"attribute\":\"properties.size\",\"at\":\"last\"}]");
    assert_int_equal(json_array_size(at(report, "breakdown")), 3);
    assert_int_equal(integer_at(report, "breakdown.0.entered"), 2);
    assert_true(json_is_null(at(report, "breakdown.0.values.0")));
    expect_text(report, "breakdown.1.values.0", "10..20");
    expect_text(report, "breakdown.2.values.0", "<10");
    expect_text(report, "breakdown.2.values.1", "XL");
    json_decref(report);
    json_decref(document);
}

static void
test_trend(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json");
    json_t *report = ask(f, JUNE ",\"trend\":\"day\"");

    assert_int_equal(json_array_size(at(report, "trend")), 4);
    expect_text(report, "trend.0.start", "2026-06-01T00:00:00+07:00");
    assert_int_equal(integer_at(report, "trend.0.entered"), 4);
    assert_int_equal(integer_at(report, "trend.1.entered"), 0);
    assert_int_equal(integer_at(report, "trend.2.entered"), 1); /* the cart of a later day */
    assert_int_equal(integer_at(report, "trend.2.stages.1.entries"), 1);
    expect_schema(document, "TrendPoint", at(report, "trend.0"));
    json_decref(report);
    json_decref(document);
}

static void
test_compare(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json");
    json_t *report =
        ask(f, "\"from\":\"2026-06-03\",\"to\":\"2026-06-05\",\"compare\":\"previous\","
               "\"breakdown\":[{\"attribute\":\"campaign\"}],"
               "\"as_of\":\"2026-06-05T00:00:00Z\"");

    assert_int_equal(integer_at(report, "entered"), 1);
    assert_int_equal(integer_at(report, "compare.entered"), 4);
    expect_text(report, "compare.from", "2026-06-01T00:00:00+07:00");
    expect_text(report, "compare.to", "2026-06-03T00:00:00+07:00");
    expect_text(report, "compare.as_of", "2026-06-03T00:00:00Z");
    /* at that age the cart of the third day was not known */
    assert_int_equal(integer_at(report, "compare.stages.1.reached"), 1);
    assert_int_equal(json_array_size(at(report, "compare.breakdown")), 2);
    assert_true(json_is_true(at(report, "compare.breakdown.1.other")));
    expect_schema(document, "Compared", at(report, "compare"));
    json_decref(report);
    json_decref(document);
}

static void
test_as_an_address(void **state)
{
    struct fixture *f = *state;
    json_t *report;

    assert_int_equal(client_send(&f->client, "PUT", FUNNELS "/Shop", "{" STAGES "}"), 200);
    report = get(f, REPORT "?funnel=Shop&breakdown=campaign%40first&breakdown=properties.size%403"
                           "&limit=2&trend=month&from=2026-06-01&to=2026-06-05"
                           "&compare=2026-05-01..2026-06-01&filters=%7B%22rule%22%3A%7B%22"
                           "attribute%22%3A%22event%22%2C%22op%22%3A%22is%22%2C%22values%22%3A"
                           "%5B%22sale%22%5D%7D%7D");
    assert_int_equal(integer_at(report, "entered"), 2);
    assert_int_equal(json_array_size(at(report, "breakdown")), 2);
    assert_int_equal(json_array_size(at(report, "trend")), 1);
    assert_int_equal(integer_at(report, "compare.entered"), 0);
    json_decref(report);
    client_send(&f->client, "GET", REPORT "?funnel=Shop&filters=%7B%22rule%22", NULL);
    fixture_expect_error(f, 400, "invalid", "filters");
}

/* ---- Lists ---- */

static void
expect_list(struct fixture *f, json_t *report, const char *figure, int stage, const char *path)
{
    char members[256];
    json_t *reply;
    json_int_t n = integer_at(report, path);

    if (stage > 0)
        snprintf(members, sizeof members, "\"figure\":\"%s\",\"stage\":%d", figure, stage);
    else
        snprintf(members, sizeof members, "\"figure\":\"%s\",\"stage\":null", figure);
    reply = list(f, members);
    expect_text(reply, "figure", figure);
    assert_int_equal(integer_at(reply, "n"), n);
    assert_int_equal(json_array_size(at(reply, "visitors")), n);
    assert_true(json_is_null(at(reply, "cursor")));
    assert_true(json_is_false(at(reply, "snapshot_gone")));
    json_decref(reply);
}

static void
test_every_figure_has_its_list(void **state)
{
    static const char *const of_report[] = {"entered", "converted", "began_before", "after_range"};
    static const char *const of_stage[] = {"reached", "skipped",   "throughput", "entries", "exits",
                                           "onward",  "converted", "seen",       "dropoff", "open"};
    struct fixture *f = *state;
    json_t *report = ask(f, "\"bots\":\"exclude\"");

    for (size_t i = 0; i < sizeof of_report / sizeof *of_report; i++)
        expect_list(f, report, of_report[i], 0, of_report[i]);
    for (int stage = 1; stage <= 3; stage++) {
        for (size_t i = 0; i < sizeof of_stage / sizeof *of_stage - (stage == 3 ? 2 : 0); i++) {
            char path[64];

            snprintf(path, sizeof path, "stages.%d.%s", stage - 1, of_stage[i]);
            expect_list(f, report, of_stage[i], stage, path);
        }
    }
    json_decref(report);
}

static void
test_rows_of_a_list(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json");
    json_t *reply = list(f, "\"figure\":\"skipped\",\"stage\":2");
    json_t *path = json_pack("[[i,I],[i,I]]", 1, (json_int_t)(JUNE_1 + 1 * HOUR), 3,
                             (json_int_t)(JUNE_1 + 2 * HOUR));

    expect_schema(document, "VisitorList", reply);
    expect_text(reply, "visitors.0.visitor", "b");
    assert_true(json_equal(at(reply, "visitors.0.path"), path));
    assert_int_equal(integer_at(reply, "stage"), 2);
    json_decref(path);
    json_decref(reply);
    reply =
        post(f, LIST, "{\"funnel\":{\"count\":\"sessions\"," STAGES "},\"figure\":\"entered\"}");
    assert_int_equal(integer_at(reply, "n"), 8); /* an hour and more between any two events */
    assert_true(json_is_string(at(reply, "visitors.7.session")));
    json_decref(reply);
    json_decref(document);
}

/* One more visitor comes. */
static void
add_visitor(struct fixture *f, const char *visitor)
{
    const struct shop_row row = {visitor, JUNE_1 + 5 * HOUR, "pageview", 0};

    write_rows(f, 1, &row, 1);
}

static void
test_lists_of_a_snapshot(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json");
    json_t *report = ask(f, JUNE);
    json_t *reply;
    char members[512];

    add_visitor(f, "late");
    snprintf(
        members, sizeof members,
        "\"from\":\"2026-06-01\",\"to\":\"2026-06-05\",\"figure\":\"entered\",\"as_of\":\"%s\","
        "\"snapshot\":\"%s\"",
        json_string_value(at(report, "as_of")), json_string_value(at(report, "snapshot")));
    for (int i = 0; i < 2; i++) {
        reply = list(f, members);
        assert_int_equal(integer_at(reply, "n"), 4);
        assert_true(json_is_false(at(reply, "snapshot_gone")));
        expect_text(reply, "snapshot", json_string_value(at(report, "snapshot")));
        json_decref(reply);
    }
    /* a snapshot that nobody has (any more): report and list of the latest */
    reply = list(f, JUNE ",\"figure\":\"entered\",\"snapshot\":\"c0-00\",\"cursor\":\"3\"");
    assert_true(json_is_true(at(reply, "snapshot_gone")));
    assert_int_equal(integer_at(reply, "n"), 5);
    assert_int_equal(json_array_size(at(reply, "visitors")), 5);
    assert_int_equal(integer_at(reply, "report.entered"), 5);
    expect_text(reply, "report.snapshot", json_string_value(at(reply, "snapshot")));
    expect_schema(document, "VisitorList", reply);
    expect_schema(document, "Report", at(reply, "report"));
    json_decref(reply);
    json_decref(report);
    json_decref(document);
}

static void
test_pages(void **state)
{
    enum { N = 1203 };
    static char names[N][16];
    static struct shop_row rows[N];
    struct fixture *f = *state;
    json_t *reply, *seen = json_object();
    char members[512];
    int n_pages = 1;

    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "v%d", i);
        rows[i] = (struct shop_row){names[i], JUNE_1 + i, "add_to_cart", 0};
    }
    write_rows(f, 1, rows, N);
    reply = list(f, JUNE ",\"figure\":\"entries\",\"stage\":2");
    for (;; n_pages++) {
        json_t *visitor;
        size_t i;

        assert_int_equal(integer_at(reply, "n"), N);
        json_array_foreach(at(reply, "visitors"), i, visitor)
            json_object_set_new(seen, json_string_value(at(visitor, "visitor")), json_true());
        if (json_is_null(at(reply, "cursor")))
            break;
        snprintf(members, sizeof members,
                 JUNE ",\"figure\":\"entries\",\"stage\":2,\"snapshot\":\"%s\",\"cursor\":\"%s\"",
                 json_string_value(at(reply, "snapshot")), json_string_value(at(reply, "cursor")));
        json_decref(reply);
        reply = list(f, members);
        assert_true(json_is_false(at(reply, "snapshot_gone")));
    }
    assert_int_equal(n_pages, 3);
    assert_int_equal(json_object_size(seen), N);
    json_decref(seen);
    json_decref(reply);
}

static void
test_lists_that_cannot_be(void **state)
{
    static const struct {
        const char *members;
        const char *field;
    } cases[] = {
        {"\"bots\":\"exclude\"", "figure"},
        {"\"figure\":\"sold\"", "figure"},
        {"\"figure\":7", "figure"},
        {"\"figure\":\"reached\"", "stage"},
        {"\"figure\":\"reached\",\"stage\":4", "stage"},
        {"\"figure\":\"reached\",\"stage\":\"1\"", "stage"},
        {"\"figure\":\"open\",\"stage\":3", "stage"},
        {"\"figure\":\"entered\",\"stage\":1", "stage"},
        {"\"figure\":\"entered\",\"snapshot\":\"c1-00\"", "as_of"},
        {"\"figure\":\"entered\",\"cursor\":\"1\"", "snapshot"},
        {JUNE ",\"figure\":\"entered\",\"snapshot\":\"c1-00\",\"cursor\":\"-1\"", "cursor"},
        {JUNE ",\"figure\":\"entered\",\"snapshot\":\"c1-00\",\"cursor\":\"x\"", "cursor"},
        {"\"figure\":\"entered\",\"page\":2", "page"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char body[2048];

        snprintf(body, sizeof body, "{" FUNNEL_OF ",%s}", cases[i].members);
        client_send(&f->client, "POST", LIST, body);
        fixture_expect_error(f, 400, "invalid", cases[i].field);
    }
    client_send(&f->client, "POST", REPORT, "{" FUNNEL_OF ",\"figure\":\"entered\"}");
    fixture_expect_error(f, 400, "invalid", "figure");
}

#define SHOP_TEST(name) cmocka_unit_test_setup_teardown(name, setup_shop, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_filters),        SHOP_TEST(test_breakdown),
        SHOP_TEST(test_trend),          SHOP_TEST(test_compare),
        SHOP_TEST(test_as_an_address),  SHOP_TEST(test_every_figure_has_its_list),
        SHOP_TEST(test_rows_of_a_list), SHOP_TEST(test_lists_of_a_snapshot),
        SHOP_TEST(test_pages),          SHOP_TEST(test_lists_that_cannot_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
