/* Sales received against sales counted, and what a site sends, over HTTP: one of each cause. */
#include "tests/unit/web/shop.h"

#define RECONCILE "/api/v1/sites/shop/reconcile"
#define EXPORT    "/api/v1/sites/shop/export"
#define CATALOGUE "/api/v1/sites/shop/catalogue"
#define JUNE      "\"from\":\"2026-06-01\",\"to\":\"2026-07-01\""

/* What add_row cannot say. */
struct told {
    const char *visitor;
    int64_t time_ms;
    const char *event;
    const char *order;
    int64_t cents;
    bool is_bot;
};

static void
write_told(struct fixture *f, const struct told *rows, size_t n)
{
    struct segment_builder *b = begin_builder(f);

    for (size_t i = 0; i < n; i++) {
        struct event e = {.site = 1, .time_ms = rows[i].time_ms, .origin = ORIGIN_IMPORT};

        e.visitor = slice_from(rows[i].visitor);
        e.text[TEXT_EVENT] = slice_from(rows[i].event);
        e.text[TEXT_ORDER] = slice_from(rows[i].order);
        e.text[TEXT_CURRENCY] = SLICE("USD");
        event_set_number(&e, NUMBER_VALUE, rows[i].cents);
        if (rows[i].is_bot) {
            e.flags = EVENT_BOT;
            e.text[TEXT_BOT_REASON] = SLICE("agent says headless");
        }
        add_event(b, &e);
    }
    commit_builder(f, b);
}

/* Beside those of the shop: a and b buy, at 12.50 and 9.95. */
static const struct told told_rows[] = {
    {"robot", JUNE_1 + 5 * HOUR, "sale", "r1", 100, true},
    {"a", JUNE_1 + 30 * HOUR, "sale", "a2", 300, false},      /* a second one */
    {"c", JUNE_1 + 50 * HOUR, "sale", "c1", 400, false},      /* counted, and told of */
    {"d", JUNE_1 + 51 * HOUR, "sale", "c1", 400, false},      /* by another one, too */
    {"d", JUNE_1 + 15 * 24 * HOUR, "sale", "d1", 700, false}, /* after the window of `closed` */
    {"a", JUNE_1 + 60 * HOUR, "refund", "", 250, false},
};

static int
set_up(void **state)
{
    setup_shop(state);
    write_told(*state, told_rows, sizeof told_rows / sizeof *told_rows);
    return 0;
}

/* A part's orders, and its value in USD as text. */
static json_t *
part(json_t *reply, const char *name)
{
    json_t *one;
    size_t i;

    json_array_foreach(at(reply, "parts"), i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "part")), name) == 0)
            return one;
    }
    fail_msg("no part %s", name);
    return NULL;
}

static void
test_each_cause_is_a_part(void **state)
{
    static const struct {
        const char *name;
        json_int_t orders;
        const char *usd;
    } rows[] = {{"bots", 1, "1.00"},   {"second", 2, "10.00"},  {"refunds", 0, "-2.50"},
                {"window", 0, NULL},   {"repeats", 0, NULL},    {"other_path", 0, NULL},
                {"no_stage", 0, NULL}, {"after_range", 0, NULL}};
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json");
    json_t *reply = post(f, RECONCILE, "{\"funnel\":" FUNNEL "," JUNE "}");
    json_t *report = post(f, REPORT, "{\"funnel\":" FUNNEL "," JUNE "}");

    expect_schema(document, "Reconciliation", reply);
    expect_schema(document, "SharedOrder", at(reply, "shared_orders.orders.0"));
    assert_int_equal(integer_at(reply, "received.orders"), 7);
    expect_text(reply, "received.value.USD", "38.95"); /* 41.45 less 2.50 */
    assert_int_equal(integer_at(reply, "counted.orders"), integer_at(report, "converted"));
    expect_text(reply, "counted.value.USD", json_string_value(at(report, "stages.2.value.USD")));
    assert_int_equal(integer_at(reply, "difference.orders"), 3);
    expect_text(reply, "difference.value.USD", "8.50");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(integer_at(part(reply, rows[i].name), "orders"), rows[i].orders);
        if (rows[i].usd)
            expect_text(part(reply, rows[i].name), "value.USD", rows[i].usd);
    }
    /* c and d both came and bought: the order is in the figures twice, and that is said */
    assert_int_equal(integer_at(reply, "shared_orders.n"), 1);
    assert_int_equal(integer_at(reply, "shared_orders.counted_twice"), 1);
    expect_text(reply, "shared_orders.orders.0.order", "c1");
    expect_text(reply, "shared_orders.orders.0.visitors.1", "d");
    json_decref(reply);
    json_decref(report);
    json_decref(document);
}

/* The last line is the sum of those above. */
static void
test_as_files(void **state)
{
    static const char *const lines[] = {
        "\"part\",\"orders\",\"value_USD\"\r\n\"counted\",4,30.45\r\n", "\r\n\"bots\",1,1.00\r\n",
        "\r\n\"second\",2,10.00\r\n", "\r\n\"refunds\",0,-2.50\r\n",
        "\r\n\"received\",7,38.95\r\n"};
    struct fixture *f = *state;

    assert_int_equal(client_send(&f->client, "POST", EXPORT,
                                 "{\"what\":\"reconcile\",\"funnel\":" FUNNEL "," JUNE "}"),
                     200);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (strstr(f->client.body, lines[i]) == NULL)
            fail_msg("no %s in %s", lines[i], f->client.body);
    assert_int_equal(client_send(&f->client, "POST", EXPORT,
                                 "{\"what\":\"shared_orders\",\"funnel\":" FUNNEL "," JUNE "}"),
                     200);
    assert_string_equal(f->client.body,
                        "\"order\",\"visitors\",\"events\",\"counted\"\r\n\"c1\",2,2,2\r\n");
}

#define SEQUENTIAL "{\"name\":\"Shop\",\"preset\":\"sequential\"," STAGES "}"

static void
test_what_a_stricter_funnel_leaves_out(void **state)
{
    struct fixture *f = *state;
    json_t *reply = post(f, RECONCILE, "{\"funnel\":" SEQUENTIAL "," JUNE "}");

    /* a and c went through all stages; b and d never had a cart; d's first repeats c's order */
    assert_int_equal(integer_at(reply, "counted.orders"), 2);
    assert_int_equal(integer_at(part(reply, "no_stage"), "orders") +
                         integer_at(part(reply, "window"), "orders"),
                     2);
    assert_int_equal(integer_at(part(reply, "repeats"), "orders"), 1);
    assert_int_equal(integer_at(part(reply, "second"), "orders"), 1);
    assert_int_equal(integer_at(part(reply, "bots"), "orders"), 1);
    assert_int_equal(integer_at(reply, "difference.orders"), 5);
    json_decref(reply);
}

static void
test_whose_orders_is_for_who_may_see_visitors(void **state)
{
    struct fixture *f = *state;
    json_t *reply;

    fixture_add_account(f, "viewer@shop.example", ROLE_VIEWER);
    assert_int_equal(fixture_sign_in(f, "viewer@shop.example", FIXTURE_PASSWORD), 200);
    reply = post(f, RECONCILE, "{\"funnel\":" FUNNEL "," JUNE "}");
    assert_int_equal(integer_at(reply, "shared_orders.orders.0.n_visitors"), 2);
    assert_true(json_is_null(at(reply, "shared_orders.orders.0.visitors")));
    assert_true(json_is_null(at(reply, "shared_orders.orders.0.order")));
    json_decref(reply);
}

static void
test_what_the_site_sends(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json");
    json_t *reply = post(f, CATALOGUE, "{}");

    expect_schema(document, "Catalogue", reply);
    expect_text(reply, "events.rows.0.name", "sale");
    assert_int_equal(integer_at(reply, "events.rows.0.events"), 7);
    expect_text(reply, "events.rows.0.last", "2026-06-16T00:00:00Z");
    assert_int_equal(integer_at(reply, "events.n"), 4);
    expect_text(reply, "properties.rows.0.name", "size");
    assert_int_equal(integer_at(reply, "properties.rows.0.events"), 2);
    expect_text(reply, "bots.rows.0.name", "agent says headless");
    assert_int_equal(integer_at(reply, "bots.rows.0.events"), 1);
    json_decref(reply);

    reply = post(f, CATALOGUE, "{\"from\":\"2026-06-04\",\"limit\":1}");
    assert_int_equal(integer_at(reply, "events.n"), 1); /* a sale of the 16th */
    assert_int_equal(integer_at(reply, "properties.n"), 0);
    assert_int_equal(integer_at(reply, "bots.n"), 0);
    json_decref(reply);
    json_decref(document);
}

static void
test_refused(void **state)
{
    static const struct {
        const char *path, *body, *field;
        int status;
        const char *code;
    } rows[] = {
        {RECONCILE, "{}", "funnel", 400, "invalid"},
        {RECONCILE, "{\"funnel\":\"None\"}", "funnel", 404, "not_found"},
        {RECONCILE, "{\"funnel\":" FUNNEL ",\"breakdown\":[]}", "breakdown", 400, "invalid"},
        {RECONCILE, "{\"funnel\":" FUNNEL ",\"stage\":1}", "stage", 400, "invalid"},
        {CATALOGUE, "{\"filters\":[]}", "filters", 400, "invalid"},
        {CATALOGUE, "{\"snapshot\":\"x\"}", "snapshot", 400, "invalid"},
        {CATALOGUE, "{\"limit\":0}", "limit", 400, "invalid"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        client_send(&f->client, "POST", rows[i].path, rows[i].body);
        fixture_expect_error(f, rows[i].status, rows[i].code, rows[i].field);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_each_cause_is_a_part),
        CASE(test_as_files),
        CASE(test_what_a_stricter_funnel_leaves_out),
        CASE(test_whose_orders_is_for_who_may_see_visitors),
        CASE(test_what_the_site_sends),
        CASE(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
