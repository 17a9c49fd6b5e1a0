/* What happens now, over HTTP: the newest first, who is here, what they became; 304. */
#include "tests/unit/web/shop.h"

#include "core/clock.h"

#define LIVE "/api/v1/sites/shop/live"

static json_int_t
n_events(json_t *reply)
{
    return (json_int_t)json_array_size(at(reply, "events"));
}

/* Two people now, one an hour ago, and a bot. */
static void
write_now(struct fixture *f)
{
    int64_t now = clock_wall_ms();
    const struct shop_row rows[] = {
        {"x", now - 30000, "pageview", 0},   {"x", now - 20000, "add_to_cart", 0},
        {"y", now - 25000, "pageview", 0},   {"z", now - HOUR, "pageview", 0},
        {"x", now - 10 * HOUR, "sale", 500},
    };

    write_rows(f, 1, rows, sizeof rows / sizeof *rows);
}

static void
write_bot(struct fixture *f)
{
    struct segment_builder *b = begin_builder(f);
    struct event e = {.site = 1, .time_ms = clock_wall_ms() - 15000, .origin = ORIGIN_SNIPPET};

    e.visitor = SLICE("crawler");
    e.text[TEXT_EVENT] = SLICE("pageview");
    e.flags = EVENT_BOT;
    add_event(b, &e);
    commit_builder(f, b);
}

static void
test_nothing_yet(void **state)
{
    struct fixture *f = *state;
    json_t *reply;

    assert_int_equal(client_send(&f->client, "POST", "/api/v1/sites",
                                 "{\"name\":\"empty\",\"domain\":\"e.example\"}"),
                     201);
    reply = get(f, "/api/v1/sites/empty/live");
    assert_int_equal(n_events(reply), 0);
    assert_true(json_is_null(at(reply, "newest")));
    assert_true(json_is_null(at(reply, "cursor")));
    assert_int_equal(integer_at(reply, "visitors"), 0);
    json_decref(reply);
}

static void
test_the_newest_first_and_who_is_here(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json");
    json_t *reply;

    write_now(f);
    write_bot(f);
    reply = get(f, LIVE);
    expect_schema(document, "Live", reply);
    expect_schema(document, "LiveEvent", at(reply, "events.0"));
    assert_int_equal(n_events(reply), 6 + 8); /* with those of June */
    assert_int_equal(integer_at(reply, "visitors"), 2);
    assert_true(json_real_value(at(reply, "events_per_minute")) > 0.59);
    assert_true(json_real_value(at(reply, "events_per_minute")) < 0.61);
    expect_text(reply, "events.0.visitor", "crawler");
    assert_true(json_is_true(at(reply, "events.0.bot")));
    expect_text(reply, "events.1.event.event", "add_to_cart");
    assert_true(json_is_false(at(reply, "events.1.is_entrance")));
    expect_text(reply, "events.1.channel", "direct");
    expect_text(reply, "events.2.visitor", "y");
    assert_true(json_is_true(at(reply, "events.2.is_entrance")));
    expect_text(reply, "events.13.event.event", "pageview");
    json_decref(reply);
    reply = get(f, LIVE "?limit=2");
    assert_int_equal(n_events(reply), 2);
    json_decref(reply);
    json_decref(document);
}

static void
test_what_they_became(void **state)
{
    struct fixture *f = *state;
    json_t *reply;

    assert_int_equal(client_send(&f->client, "PUT", FUNNELS "/Shop", FUNNEL), 200);
    write_now(f);
    reply = get(f, LIVE "?funnel=Shop&limit=4");
    assert_int_equal(integer_at(reply, "events.0.stages.0"), 2);
    assert_int_equal(integer_at(reply, "events.0.reached"), 3); /* by the sale before */
    assert_int_equal(integer_at(reply, "events.1.stages.0"), 1);
    assert_int_equal(integer_at(reply, "events.1.reached"), 1);
    json_decref(reply);
    client_send(&f->client, "GET", LIVE "?funnel=None", NULL);
    fixture_expect_error(f, 404, "not_found", "funnel");
}

static void
test_unchanged_is_304(void **state)
{
    struct fixture *f = *state;
    char tag[64], again[64];

    write_now(f);
    json_decref(get(f, LIVE));
    assert_true(client_header(&f->client, "ETag", tag, sizeof tag));
    assert_int_equal(client_again(&f->client, LIVE), 304);
    assert_int_equal(f->client.body_bytes, 0);
    write_bot(f);
    assert_int_equal(client_again(&f->client, LIVE), 200);
    assert_true(client_header(&f->client, "ETag", again, sizeof again));
    assert_string_not_equal(tag, again);
}

static void
test_after_a_cursor(void **state)
{
    struct fixture *f = *state;
    json_t *first, *reply;
    char path[128];

    write_now(f);
    first = get(f, LIVE);
    snprintf(path, sizeof path, LIVE "?after=%s", json_string_value(at(first, "cursor")));
    write_bot(f);
    reply = get(f, path); /* the minute before, too: doubles are told by their keys */
    assert_int_equal(n_events(reply), 4);
    expect_text(reply, "events.0.visitor", "crawler");
    assert_string_equal(json_string_value(at(first, "events.0.key")),
                        json_string_value(at(reply, "events.1.key")));
    json_decref(first);
    json_decref(reply);
}

static void
test_the_same_event_in_two_files_is_one(void **state)
{
    struct fixture *f = *state;
    int64_t now = clock_wall_ms();
    const struct shop_row row = {"x", now - 30000, "pageview", 0};
    json_t *reply;

    write_rows(f, 1, &row, 1);
    write_rows(f, 1, &row, 1);
    reply = get(f, LIVE);
    assert_int_equal(n_events(reply), 1 + 8);
    assert_int_equal(integer_at(reply, "visitors"), 1);
    json_decref(reply);
}

static void
test_refused(void **state)
{
    static const struct {
        const char *path, *field;
    } rows[] = {
        {LIVE "?after=x", "after"},
        {LIVE "?limit=0", "limit"},
        {LIVE "?limit=201", "limit"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        client_send(&f->client, "GET", rows[i].path, NULL);
        fixture_expect_error(f, 400, "invalid", rows[i].field);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup_shop, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_nothing_yet),      CASE(test_the_newest_first_and_who_is_here),
        CASE(test_what_they_became), CASE(test_unchanged_is_304),
        CASE(test_after_a_cursor),   CASE(test_the_same_event_in_two_files_is_one),
        CASE(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
