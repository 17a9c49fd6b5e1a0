/* Bodies, lines and queries as events; which mistake costs an event and which the whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/beacon.h"
#include "core/buffer.h"
#include "tests/unit/guard.h"

static struct guard guard;
static struct arena arena;

static int
fresh(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

static void
reads_the_snippets_body(void **state)
{
    static const char body[] =
        "{\"site\":\"site_x\",\"events\":["
        "{\"event\":\"pageview\",\"id\":\"p1\",\"time\":1780315200123,"
        "\"url\":\"https://shop.example/?utm_source=n\",\"referrer\":\"\",\"title\":\"T\\u00e9\","
        "\"language\":null},"
        "{\"event\":\"sale\",\"order\":77,\"value\":12.50,\"currency\":\"USD\",\"quantity\":1,"
        "\"properties\":{\"size\":\"XL\",\"n\":1.0,\"gift\":true,\"none\":null}}],"
        "\"sent\":1780315201000,\"visitor\":\"v1\"}";
    struct beacon b;
    struct given *g;
    struct err err;

    (void)state;
    assert_int_equal(beacon_parse(guard_copy(&guard, slice_from(body)), &arena, &b, &err), ERR_OK);
    assert_int_equal(beacon_give_visitor(&b, b.visitor, &err), ERR_OK);
    assert_true(slice_is(b.site, "site_x"));
    assert_true(b.has_sent);
    assert_int_equal(b.sent_ms, 1780315201000);
    assert_int_equal(b.n_items, 2);
    g = &b.items[0]->given;
    assert_int_equal(b.items[0]->rc, ERR_OK);
    assert_int_equal(g->event.origin, ORIGIN_SNIPPET);
    assert_true(slice_is(g->event.visitor, "v1"));
    assert_true(slice_is(g->event.id, "p1"));
    assert_int_equal(g->event.time_ms, 1780315200123);
    assert_true(slice_is(g->event.text[TEXT_TITLE], "T\xC3\xA9"));
    assert_false(given_has_text(g, TEXT_REFERRER));
    g = &b.items[1]->given;
    assert_int_equal(b.items[1]->rc, ERR_OK);
    assert_false(g->has_time);
    assert_true(slice_is(g->event.visitor, "v1"));
    assert_true(slice_is(g->event.text[TEXT_ORDER], "77"));
    assert_true(slice_is(g->number_text[NUMBER_VALUE], "12.50"));
    assert_int_equal(g->event.n_properties, 4);
    assert_true(slice_is(g->event.properties[1].value, "1.0"));
    assert_true(slice_is(g->event.properties[2].value, "true"));
    assert_int_equal(g->event.properties[3].value.n, 0);
}

/* Bodies that are refused whole: the field named, and a part of the words. */
static void
refuses_worthless_bodies(void **state)
{
    static const struct {
        const char *body;
        enum err_code rc;
        const char *field;
        const char *words;
    } rows[] = {
        {"", ERR_INVALID, "", "no JSON at byte 0"},
        {"[]", ERR_INVALID, "", "object"},
        {"{\"site\":\"s\",\"visitor\":\"v\",\"events\":[]}", ERR_INVALID, "events", "no events"},
        {"{\"site\":\"s\",\"visitor\":\"v\"}", ERR_INVALID, "events", "no events"},
        {"{\"visitor\":\"v\",\"events\":[{}]}", ERR_INVALID, "site", "missing"},
        {"{\"site\":1,\"visitor\":\"v\",\"events\":[{}]}", ERR_INVALID, "site", "text"},
        {"{\"site\":\"s\",\"visitor\":\"v\",\"sent\":\"now\",\"events\":[{}]}", ERR_INVALID, "sent",
         "epoch"},
        {"{\"site\":\"s\",\"visitor\":\"v\",\"events\":{}}", ERR_INVALID, "events", "array"},
        {"{\"site\":\"s\",\"site\":\"t\"}", ERR_INVALID, "site", "twice"},
        {"{\"site\":\"s\",\"what\":1}", ERR_INVALID, "what", "unknown"},
        {"{\"site\":\"s\",\"visitor\":\"v\",\"events\":[{\"event\":}]}", ERR_INVALID, "",
         "a value was expected"},
        {"{\"site\":\"s\",\"visitor\":\"v\",\"events\":[{\"colour\":1,}]}", ERR_INVALID, "",
         "a key in quotes"},
        {"{\"site\":\"s\",\"visitor\":\"v\",\"events\":[{}]} x", ERR_INVALID, "", "follows"},
    };
    struct beacon b;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = ERR_NONE;
        enum err_code rc =
            beacon_parse(guard_copy(&guard, slice_from(rows[i].body)), &arena, &b, &err);

        if (rc != rows[i].rc || !slice_is(slice_from(rows[i].field), err.field) ||
            !slice_contains(slice_from(err.message), slice_from(rows[i].words)))
            fail_msg("%s: %d %s: %s", rows[i].body, (int)rc, err.field, err.message);
    }
}

static void
every_event_is_the_visitors(void **state)
{
    static const char body[] = "{\"site\":\"s\",\"events\":[{\"event\":\"a\"},{\"event\":\"b\"}]}";
    struct err err = ERR_NONE;
    struct beacon b;

    (void)state;
    assert_int_equal(beacon_parse(guard_copy(&guard, slice_from(body)), &arena, &b, &err), ERR_OK);
    assert_int_equal(beacon_give_visitor(&b, b.visitor, &err), ERR_INVALID); /* there is none */
    assert_string_equal(err.field, "visitor");
    assert_int_equal(beacon_give_visitor(&b, SLICE("a\0b"), &err), ERR_INVALID);
    assert_int_equal(beacon_give_visitor(&b, SLICE("other"), &err), ERR_OK);
    assert_true(slice_is(b.items[0]->given.event.visitor, "other"));
    assert_true(slice_is(b.items[1]->given.event.visitor, "other"));
}

/* Events that are refused alone: between two good ones. */
static void
a_bad_event_spoils_no_other(void **state)
{
    static const struct {
        const char *event;
        const char *field;
    } rows[] = {
        {"7", ""},
        {"[{\"event\":\"x\"}]", ""},
        {"null", ""},
        {"{\"colour\":\"red\",\"properties\":{\"a\":[1]}}", "colour"},
        {"{\"event\":\"x\",\"event\":\"y\"}", "event"},
        {"{\"event\":true}", "event"},
        {"{\"event\":{\"a\":[1,2]}}", "event"},
        {"{\"value\":\"a lot\",\"title\":\"t\"}", "value"},
        {"{\"value\":false}", "value"},
        {"{\"time\":\"soon\"}", "time"},
        {"{\"time\":1.5}", "time"},
        {"{\"properties\":[1]}", "properties"},
        {"{\"properties\":{\"a\":1},\"properties\":{}}", "properties"},
        {"{\"properties\":{\"size\":{\"deep\":[1,{}]},\"b\":1},\"title\":\"t\"}",
         "properties.size"},
        {"{\"properties\":{\"size\":[]}}", "properties.size"},
        {"{\"properties\":{\"size\":1,\"size\":null}}", "properties.size"},
        {"{\"properties\":{\"\":1}}", "properties"},
        {"{\"visitor\":\"other\"}", "visitor"},
        {"{\"ip\":\"1.2.3.4\"}", "ip"},
        {"{\"user_agent\":\"x\"}", "user_agent"},
    };
    struct buffer body = BUFFER_EMPTY;
    struct beacon b;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = ERR_NONE;

        buffer_clear(&body);
        buffer_printf(&body,
                      "{\"site\":\"s\",\"visitor\":\"v\",\"events\":[{\"event\":\"a\"},%s,"
                      "{\"event\":\"b\"}]}",
                      rows[i].event);
        assert_int_equal(beacon_parse(guard_copy(&guard, buffer_slice(&body)), &arena, &b, &err),
                         ERR_OK);
        assert_int_equal(b.n_items, 3);
        assert_int_equal(b.items[0]->rc, ERR_OK);
        assert_int_equal(b.items[2]->rc, ERR_OK);
        assert_true(slice_is(b.items[2]->given.event.text[TEXT_EVENT], "b"));
        if (b.items[1]->rc != ERR_INVALID ||
            !slice_is(slice_from(rows[i].field), b.items[1]->err.field))
            fail_msg("%s: %s: %s", rows[i].event, b.items[1]->err.field, b.items[1]->err.message);
        for (int k = 0; k < TEXT_COUNT; k++) /* a slice is never without bytes to point at */
            assert_non_null(b.items[1]->given.event.text[k].p);
    }
    buffer_fini(&body);
}

static void
a_body_has_a_most_of_events(void **state)
{
    struct buffer body = BUFFER_EMPTY;
    struct beacon b;
    struct err err;

    (void)state;
    for (int n = BEACON_EVENTS_MAX; n <= BEACON_EVENTS_MAX + 1; n++) {
        buffer_clear(&body);
        buffer_add_text(&body, "{\"site\":\"s\",\"visitor\":\"v\",\"events\":[{}");
        for (int i = 1; i < n; i++)
            buffer_add_text(&body, ",{}");
        buffer_add_text(&body, "]}");
        assert_int_equal(beacon_parse(buffer_slice(&body), &arena, &b, &err),
                         n == BEACON_EVENTS_MAX ? ERR_OK : ERR_LIMIT);
    }
    assert_string_equal(err.field, "events");
    buffer_fini(&body);
}

static void
reads_a_servers_body(void **state)
{
    struct beacon b;
    struct err err;

    (void)state;
    assert_int_equal(beacon_parse_server(SLICE("{\"visitor\":\"u\",\"time\":5,\"event\":\"e\","
                                               "\"ip\":\"1.2.3.4\",\"user_agent\":\"x\"}"),
                                         &arena, &b, &err),
                     ERR_OK);
    assert_int_equal(b.n_items, 1);
    assert_int_equal(b.items[0]->rc, ERR_OK);
    assert_int_equal(b.items[0]->given.event.origin, ORIGIN_SERVER);
    assert_true(slice_is(b.items[0]->given.ip, "1.2.3.4"));

    assert_int_equal(beacon_parse_server(SLICE("[{\"visitor\":\"u\",\"time\":5,\"event\":\"e\"},"
                                               "{\"visitor\":\"u\",\"event\":\"e\"},{\"time\":5}]"),
                                         &arena, &b, &err),
                     ERR_OK);
    assert_int_equal(b.n_items, 3);
    assert_int_equal(b.items[0]->rc, ERR_OK);
    assert_string_equal(b.items[1]->err.field, "time");
    assert_string_equal(b.items[2]->err.field, "visitor");

    assert_int_equal(beacon_parse_server(SLICE("[]"), &arena, &b, &err), ERR_INVALID);
    assert_int_equal(beacon_parse_server(SLICE("7"), &arena, &b, &err), ERR_INVALID);
    assert_int_equal(beacon_parse_server(SLICE("{} {}"), &arena, &b, &err), ERR_INVALID);
    assert_int_equal(beacon_parse_server(SLICE("[{}"), &arena, &b, &err), ERR_INVALID);
}

static void
reads_a_line(void **state)
{
    static const struct {
        const char *line;
        const char *field; /* NULL: good */
    } rows[] = {
        {"{\"visitor\":\"u123\",\"time\":\"2026-06-01T12:00:00.123Z\",\"event\":\"sale\","
         "\"bot\":true,\"country\":\"ID\",\"region\":\"ID-JK\",\"campaign\":\"c\"}\r",
         NULL},
        {"{\"visitor\":17,\"time\":1780315200123,\"event\":\"x\"}", NULL},
        {"{\"time\":1,\"event\":\"x\"}", "visitor"},
        {"{\"visitor\":\"u\",\"event\":\"x\"}", "time"},
        {"{\"visitor\":\"u\",\"time\":1}", "event"},
        {"{\"visitor\":\"u\",\"time\":1,\"event\":\"x\",\"extra\":1}", "extra"},
        {"{\"visitor\":\"u\",\"time\":1,\"event\":\"x\"}{", ""},
        {"", ""},
        {"visitor,time,event", ""},
        {"[]", ""},
    };
    struct given g;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = ERR_NONE;
        enum err_code rc =
            beacon_parse_line(guard_copy(&guard, slice_from(rows[i].line)), &arena, &g, &err);

        if ((rc == ERR_OK) != (rows[i].field == NULL) ||
            (rows[i].field && !slice_is(slice_from(rows[i].field), err.field)))
            fail_msg("%s: %d %s: %s", rows[i].line, (int)rc, err.field, err.message);
    }
}

/* A line's members are expected in the order of the lines before it: they need not be. */
static void
members_come_in_any_order(void **state)
{
    static const char *const lines[] = {
        "{\"visitor\":\"u\",\"time\":7,\"event\":\"x\",\"path\":\"/"
        "p\",\"title\":\"T\",\"value\":3}",
        "{\"event\":\"x\",\"value\":3,\"title\":\"T\",\"time\":7,\"visitor\":\"u\",\"path\":\"/"
        "p\"}",
        "{ \"visitor\":\"u\", \"time\":7, "
        "\"event\":\"\\u0078\",\"path\":\"/p\",\"value\":3,\"title\":\"T\"}",
        "{\"visitor\":\"u\",\"time\":7,\"event\":\"x\",\"properties\":{\"path\":\"/"
        "q\"},\"path\":\"/p\","
        "\"title\":\"T\",\"value\":3}",
    };
    static const char twice[] = "{\"visitor\":\"u\",\"time\":7,\"event\":\"x\",\"event\":\"x\"}";
    struct err err = ERR_NONE;
    struct given g;

    (void)state;
    for (size_t i = 0; i < 4 * sizeof lines / sizeof *lines; i++) {
        struct slice line = slice_from(lines[i * 7 % (sizeof lines / sizeof *lines)]);

        assert_int_equal(beacon_parse_line(guard_copy(&guard, line), &arena, &g, &err), ERR_OK);
        assert_true(slice_is(g.event.visitor, "u") && g.event.time_ms == 7);
        assert_true(slice_is(g.event.text[TEXT_EVENT], "x"));
        assert_true(slice_is(g.event.text[TEXT_PATH], "/p"));
        assert_true(slice_is(g.event.text[TEXT_TITLE], "T"));
        assert_true(slice_is(g.number_text[NUMBER_VALUE], "3"));
        assert_int_equal(beacon_parse_line(SLICE(twice), &arena, &g, &err), ERR_INVALID);
        assert_string_equal(err.field, "event");
    }
}

static void
reads_the_pixels_query(void **state)
{
    struct beacon b;
    struct err err;

    (void)state;
    assert_int_equal(beacon_parse_pixel(SLICE("_=1&site=site_x&event=page+view&url=https%3A%2F%2Fa."
                                              "example%2F%3Fq%3D1&properties.k=v&value=1.5&_=2"),
                                        &arena, &b, &err),
                     ERR_OK);
    assert_true(slice_is(b.site, "site_x"));
    assert_int_equal(b.n_items, 1);
    assert_int_equal(b.items[0]->rc, ERR_OK);
    assert_int_equal(b.items[0]->given.event.origin, ORIGIN_PIXEL);
    assert_true(slice_is(b.items[0]->given.event.text[TEXT_EVENT], "page view"));
    assert_true(slice_is(b.items[0]->given.event.text[TEXT_URL], "https://a.example/?q=1"));
    assert_true(slice_is(b.items[0]->given.event.properties[0].value, "v"));

    assert_int_equal(beacon_parse_pixel(SLICE("event=x"), &arena, &b, &err), ERR_INVALID);
    assert_string_equal(err.field, "site");
    assert_int_equal(beacon_parse_pixel(SLICE("site=a&site=b"), &arena, &b, &err), ERR_INVALID);
    assert_int_equal(beacon_parse_pixel(SLICE("foo=1&site=a&event=x"), &arena, &b, &err), ERR_OK);
    assert_int_equal(b.items[0]->rc, ERR_INVALID);
    assert_string_equal(b.items[0]->err.field, "foo");
    assert_int_equal(beacon_parse_pixel(SLICE("site=a&ip=1.2.3.4"), &arena, &b, &err), ERR_OK);
    assert_string_equal(b.items[0]->err.field, "ip");
}

static void
time_is_our_clocks(void **state)
{
    static const struct {
        int64_t happened, sent, received, time;
    } rows[] = {
        {1000000, 1001000, 1001000, 1000000},   /* the same clock */
        {1000000, 1001000, 1015999, 1000000},   /* latency is no skew */
        {1000000, 1001000, 1016000, 1030000},   /* half a step rounds up */
        {1000000, 1001000, 986000, 1000000},    /* ahead by half a step */
        {1000000, 1001000, 985999, 970000},     /* and by more */
        {1000000, 1001000, 4601500, 4600000},   /* an hour behind */
        {5000000, 5001000, 1401000, 1400000},   /* an hour ahead */
        {1000000, 87401000, 87401000, 1000000}, /* kept for a day, then sent */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(beacon_time(rows[i].happened, rows[i].sent, rows[i].received),
                         rows[i].time);
}

/* The rule's purpose: a retry, whose sent is later by as much as its receipt, has the same time. */
static void
a_retry_has_the_same_time(void **state)
{
    (void)state;
    for (int64_t skew = -600000; skew <= 600000; skew += 7919)
        for (int64_t wait = 1; wait < 86400000; wait = wait * 3 + 1)
            assert_int_equal(beacon_time(2000000, 2000500, 2000700 + skew),
                             beacon_time(2000000, 2000500 + wait, 2000700 + wait + skew));
}

static void
time_is_judged_not_clamped(void **state)
{
    static const int64_t now = 1780315200000, day = 86400000;
    struct beacon b = {.has_sent = true, .sent_ms = now - 200};
    struct given g;

    (void)state;
    assert_int_equal(beacon_judge_time(now - day, now, day), BEACON_IN_TIME);
    assert_int_equal(beacon_judge_time(now - day - 1, now, day), BEACON_TOO_OLD);
    assert_int_equal(beacon_judge_time(now + 300000, now, day), BEACON_IN_TIME);
    assert_int_equal(beacon_judge_time(now + 300001, now, day), BEACON_IN_FUTURE);
    assert_string_equal(beacon_timing_name(BEACON_TOO_OLD), "too_old");
    assert_string_equal(beacon_timing_name(BEACON_IN_FUTURE), "in_future");

    given_init(&g, ORIGIN_SNIPPET); /* no time: it happened when it was sent */
    assert_int_equal(beacon_settle_time(&g, &b, now, day), BEACON_IN_TIME);
    assert_int_equal(g.event.time_ms, now - 200);
    given_init(&g, ORIGIN_PIXEL); /* nor sent: now */
    b.has_sent = false;
    assert_int_equal(beacon_settle_time(&g, &b, now, day), BEACON_IN_TIME);
    assert_int_equal(g.event.time_ms, now);
    given_init(&g, ORIGIN_SNIPPET);
    g.has_time = true;
    g.event.time_ms = now - 2 * day;
    assert_int_equal(beacon_settle_time(&g, &b, now, day), BEACON_TOO_OLD);
    assert_int_equal(g.event.time_ms, now - 2 * day);
}

static void
every_prefix_of_a_body_fails(void **state)
{
    static const char body[] =
        "{\"site\":\"s\",\"visitor\":\"v\",\"sent\":1,\"events\":[{\"event\":"
        "\"e\",\"properties\":{\"k\":[1]}},{\"url\":\"\\u0041\"}]}";
    struct beacon b;

    (void)state;
    for (size_t n = 0; n < sizeof body - 1; n++)
        assert_int_equal(beacon_parse(guard_copy(&guard, slice_of(body, n)), &arena, &b, NULL),
                         ERR_INVALID);
    assert_int_equal(beacon_parse(slice_of(body, sizeof body - 1), &arena, &b, NULL), ERR_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reads_the_snippets_body, fresh),
        cmocka_unit_test_setup(refuses_worthless_bodies, fresh),
        cmocka_unit_test_setup(every_event_is_the_visitors, fresh),
        cmocka_unit_test_setup(a_bad_event_spoils_no_other, fresh),
        cmocka_unit_test_setup(a_body_has_a_most_of_events, fresh),
        cmocka_unit_test_setup(reads_a_servers_body, fresh),
        cmocka_unit_test_setup(reads_a_line, fresh),
        cmocka_unit_test_setup(members_come_in_any_order, fresh),
        cmocka_unit_test_setup(reads_the_pixels_query, fresh),
        cmocka_unit_test(time_is_our_clocks),
        cmocka_unit_test(a_retry_has_the_same_time),
        cmocka_unit_test(time_is_judged_not_clamped),
        cmocka_unit_test_setup(every_prefix_of_a_body_fails, fresh),
    };
    int rc;

    guard = guard_create(64 * 1024);
    arena_init(&arena, 64 * 1024);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    arena_fini(&arena);
    guard_destroy(&guard);
    return rc;
}
