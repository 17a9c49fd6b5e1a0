#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/event.h"

static struct arena arena;

static int
setup(void **state)
{
    (void)state;
    arena_init(&arena, 4096);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct event
plain(const char *name)
{
    struct event e = {.site = 1, .time_ms = 1000, .visitor = SLICE("v1")};

    e.text[TEXT_EVENT] = slice_from(name);
    return e;
}

static void
refused(struct event e, const char *field)
{
    struct err err = ERR_NONE;

    assert_int_equal(event_prepare(&e, &arena, &err), ERR_INVALID);
    assert_string_equal(err.field, field);
}

static void
what_must_be_there(void **state)
{
    struct event e = plain("pageview");
    char longer[EVENT_VISITOR_MAX + 2];

    (void)state;
    assert_int_equal(event_prepare(&e, &arena, NULL), ERR_OK);
    e.visitor = SLICE_EMPTY;
    refused(e, "visitor");
    refused(plain(""), "event");
    memset(longer, 'x', sizeof longer);
    e = plain("a");
    e.visitor = slice_of(longer, EVENT_VISITOR_MAX + 1);
    refused(e, "visitor");
    e = plain("a");
    e.id = SLICE("a\nb");
    refused(e, "id");
    e = plain("a");
    e.text[TEXT_CURRENCY] = SLICE("US");
    refused(e, "currency");
    e = plain("a");
    event_set_number(&e, NUMBER_SCROLL_PCT, 101);
    refused(e, "scroll_pct");
    e = plain("a");
    event_set_number(&e, NUMBER_ENGAGED_MS, -1);
    refused(e, "engaged_ms");
}

static void
texts_are_mended(void **state)
{
    static const char *const rows[][2] = {
        {"caf\xC3\xA9", "caf\xC3\xA9"}, {"a\tb\x7F", "ab"},
        {"x\xFFy", "x\xEF\xBF\xBDy"},   {"left\xE2\x80\xAEright", "leftright"}, /* U+202E */
        {"c1\xC2\x85 ", "c1 "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct event e = plain("a");

        e.text[TEXT_TITLE] = slice_from(rows[i][0]);
        assert_int_equal(event_prepare(&e, &arena, NULL), ERR_OK);
        assert_true(slice_is(e.text[TEXT_TITLE], rows[i][1]));
    }
}

static void
a_sale_is_known_by_its_order(void **state)
{
    struct event e = plain("sale");

    (void)state;
    e.id = SLICE("x1");
    e.text[TEXT_ORDER] = SLICE("77");
    e.text[TEXT_CURRENCY] = SLICE("usd");
    assert_int_equal(event_prepare(&e, &arena, NULL), ERR_OK);
    assert_true(slice_is(e.id, "77"));
    assert_true(slice_is(e.text[TEXT_CURRENCY], "USD"));
    e = plain("refund");
    e.id = SLICE("x1");
    e.text[TEXT_ORDER] = SLICE("77");
    assert_int_equal(event_prepare(&e, &arena, NULL), ERR_OK);
    assert_true(slice_is(e.id, "x1"));
}

static void
without_an_id_it_is_known_by_what_was_given(void **state)
{
    struct event_property p[2] = {{SLICE("b"), SLICE("2")}, {SLICE("a"), SLICE("1")}};
    struct event_property q[2] = {{SLICE("a"), SLICE("1")}, {SLICE("b"), SLICE("2")}};
    struct event x = plain("view");
    struct event y = plain("view");

    (void)state;
    x.properties = p;
    y.properties = q;
    x.n_properties = y.n_properties = 2;
    y.text[TEXT_COUNTRY] = SLICE("ID"); /* derived: makes no other event of it */
    assert_int_equal(event_prepare(&x, &arena, NULL), ERR_OK);
    assert_int_equal(event_prepare(&y, &arena, NULL), ERR_OK);
    assert_int_equal(x.id.n, EVENT_CONTENT_ID_BYTES);
    assert_false(event_id_is_given(x.id));
    assert_true(slice_equal(x.id, y.id));
    y = plain("view");
    assert_int_equal(event_prepare(&y, &arena, NULL), ERR_OK);
    assert_false(slice_equal(x.id, y.id));
    x = y;
    x.id = SLICE_EMPTY;
    x.text[TEXT_KNOWN] = SLICE("u1");
    assert_int_equal(event_prepare(&x, &arena, NULL), ERR_OK);
    assert_false(slice_equal(x.id, y.id));
}

static void
the_currency_of_the_site_makes_no_other_event(void **state)
{
    struct event given[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        given[i] = plain("refund");
        event_set_number(&given[i], NUMBER_VALUE, i == 1 ? 12 : 1200);
        given[i].text[TEXT_CURRENCY] = i == 1 ? SLICE("JPY") : SLICE("USD");
        given[i].flags = i < 2 ? EVENT_SITE_CURRENCY : 0;
        assert_int_equal(event_prepare(&given[i], &arena, NULL), ERR_OK);
    }
    assert_true(slice_equal(given[0].id, given[1].id));
    assert_false(slice_equal(given[0].id, given[2].id));
}

static void
properties_are_sorted_and_single(void **state)
{
    struct event_property p[3] = {
        {SLICE("b"), SLICE("2")}, {SLICE("a"), SLICE("1")}, {SLICE("c"), SLICE("")}};
    struct event e = plain("a");

    (void)state;
    e.properties = p;
    e.n_properties = 3;
    assert_int_equal(event_prepare(&e, &arena, NULL), ERR_OK);
    assert_int_equal(e.n_properties, 2);
    assert_true(slice_is(p[0].key, "a") && slice_is(p[1].key, "b"));
    p[1] = p[0];
    e.id = SLICE_EMPTY;
    refused(e, "properties.a");
}

static void
attributes_by_name(void **state)
{
    struct attribute a;

    (void)state;
    assert_true(attribute_find(SLICE("campaign"), &a));
    assert_int_equal(a.class, CLASS_DRIVER);
    assert_int_equal(a.code, TEXT_CAMPAIGN);
    assert_true(attribute_find(SLICE("value"), &a));
    assert_int_equal(a.type, ATTRIBUTE_NUMBER);
    assert_true(attribute_find(SLICE("properties.size"), &a));
    assert_true(slice_is(a.key, "size"));
    assert_false(attribute_find(SLICE("properties."), &a));
    assert_false(attribute_find(SLICE("bot_reason"), &a));
    assert_false(attribute_find(SLICE("known"), &a));
    assert_false(attribute_find(SLICE("colour"), &a));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_must_be_there),
        cmocka_unit_test(texts_are_mended),
        cmocka_unit_test(a_sale_is_known_by_its_order),
        cmocka_unit_test(without_an_id_it_is_known_by_what_was_given),
        cmocka_unit_test(the_currency_of_the_site_makes_no_other_event),
        cmocka_unit_test(properties_are_sorted_and_single),
        cmocka_unit_test(attributes_by_name),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
