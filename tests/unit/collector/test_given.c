/* Fields set by name: which names there are, which values they take, what refuses the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "collector/given.h"

static struct arena arena;

static int
fresh(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

static enum err_code
set(struct given *g, const char *name, const char *value, struct err *err)
{
    return given_set(g, slice_from(name), slice_from(value), &arena, err);
}

static void
takes_every_attribute_by_its_name(void **state)
{
    size_t n;
    const struct attribute *table = attribute_table(&n);
    struct given g;
    struct err err;

    (void)state;
    given_init(&g, ORIGIN_IMPORT);
    for (size_t i = 0; i < n; i++) {
        bool is_text = table[i].source == SOURCE_TEXT;
        bool is_number = table[i].source == SOURCE_NUMBER;
        bool is_bot = slice_is(table[i].name, "bot");
        const char *value = is_number ? "5" : is_bot ? "true" : "USD";
        enum err_code rc = given_set(&g, table[i].name, slice_from(value), &arena, &err);

        assert_int_equal(rc, is_text || is_number || is_bot ? ERR_OK : ERR_INVALID);
        if (rc == ERR_OK && is_text) {
            assert_true(slice_is(g.event.text[table[i].code], "USD"));
            assert_true(given_has_text(&g, (enum event_text)table[i].code));
        }
    }
    assert_true(g.event.flags & EVENT_BOT);
    assert_int_equal(given_finish(&g, SLICE_EMPTY, &err), ERR_OK);
    assert_int_equal(g.event.number[NUMBER_VALUE], 500);
    assert_int_equal(g.event.number[NUMBER_QUANTITY], 5000);
    assert_int_equal(g.event.number[NUMBER_SCROLL_PCT], 5);
    assert_int_equal(set(&g, "visitor", "v", &err), ERR_OK);
    assert_int_equal(set(&g, "id", "i", &err), ERR_OK);
    assert_int_equal(set(&g, "known", "u1", &err), ERR_OK);
    assert_true(slice_is(g.event.text[TEXT_KNOWN], "u1"));
    assert_int_equal(set(&g, "cookieless", "true", &err), ERR_OK);
    assert_true(g.event.flags & EVENT_COOKIELESS);
    assert_int_equal(set(&g, "ip", "::1", &err), ERR_OK);
    assert_int_equal(set(&g, "user_agent", "u", &err), ERR_OK);
    assert_int_equal(set(&g, "time", " 2026-06-01T12:00:00.123Z ", &err), ERR_OK);
    assert_true(g.has_time);
    assert_int_equal(g.event.time_ms, 1780315200123);
    assert_int_equal(set(&g, "properties.size", "XL", &err), ERR_OK);
    assert_true(slice_is(g.event.properties[0].key, "size"));
}

static void
refuses_with_the_name_in_the_error(void **state)
{
    static const struct {
        const char *name;
        const char *value;
        const char *field;
    } rows[] = {
        {"colour", "red", "colour"},       {"", "x", ""},
        {"bot_reason", "x", "bot_reason"}, {"landing", "/", "landing"},
        {"entrance", "true", "entrance"},  {"page_group", "shop", "page_group"},
        {"time", "yesterday", "time"},     {"time", "-5", "time"},
        {"value", "12,50", "value"},       {"value", "$5", "value"},
        {"value", "NaN", "value"},         {"quantity", "0x10", "quantity"},
        {"bot", "maybe", "bot"},           {"properties.", "x", "properties"},
        {"cookieless", "1", "cookieless"},
    };
    struct given g;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = ERR_NONE;

        given_init(&g, ORIGIN_IMPORT);
        assert_int_equal(set(&g, rows[i].name, rows[i].value, &err), ERR_INVALID);
        assert_string_equal(err.field, rows[i].field);
        assert_int_not_equal(err.message[0], '\0');
    }
}

static void
a_name_comes_once(void **state)
{
    static const char *const names[] = {"visitor", "time", "value", "campaign", "properties.a"};
    struct given g;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        given_init(&g, ORIGIN_IMPORT);
        assert_int_equal(set(&g, names[i], "1", &err), ERR_OK);
        assert_int_equal(set(&g, names[i], "1", &err), ERR_INVALID);
        assert_string_equal(err.field, names[i]);
        given_init(&g, ORIGIN_IMPORT); /* also where the first was empty */
        assert_int_equal(set(&g, names[i], "", &err), ERR_OK);
        assert_int_equal(set(&g, names[i], "1", &err), ERR_INVALID);
    }
}

static void
an_empty_value_is_not_given(void **state)
{
    struct given g;

    (void)state;
    given_init(&g, ORIGIN_IMPORT);
    assert_int_equal(set(&g, "campaign", "", NULL), ERR_OK);
    assert_int_equal(set(&g, "value", "", NULL), ERR_OK);
    assert_int_equal(set(&g, "time", "", NULL), ERR_OK);
    assert_int_equal(g.texts_given, 0);
    assert_false(g.has_time);
    assert_int_equal(given_finish(&g, SLICE("USD"), NULL), ERR_OK);
    assert_int_equal(g.event.numbers_set, 0);
    assert_int_equal(g.event.text[TEXT_CURRENCY].n, 0);
}

static void
properties_have_a_most(void **state)
{
    struct given g;
    struct err err;
    char name[32];

    (void)state;
    given_init(&g, ORIGIN_IMPORT);
    for (int i = 0; i < EVENT_PROPERTIES_MAX; i++) {
        snprintf(name, sizeof name, "properties.p%d", i);
        assert_int_equal(
            given_set(&g, arena_copy(&arena, slice_from(name)), SLICE("x"), &arena, &err), ERR_OK);
    }
    assert_int_equal(set(&g, "properties.one_more", "x", &err), ERR_INVALID);
    assert_string_equal(err.field, "properties");
}

static void
values_are_exact_in_their_currency(void **state)
{
    static const struct {
        const char *value;
        const char *currency;
        const char *site;
        const char *refused; /* the field that is named, NULL: taken */
        int64_t units;
        const char *in;
    } rows[] = {
        {"12.50", "USD", "", NULL, 1250, "USD"}, {"12.5", "", "", NULL, 1250, ""},
        {"12.5", "", "EUR", NULL, 1250, "EUR"},  {"1250", "JPY", "EUR", NULL, 1250, "JPY"},
        {"1250", "", "JPY", NULL, 1250, "JPY"},  {"1.5", "kwd", "", NULL, 1500, "kwd"},
        {"-3", "USD", "", NULL, -300, "USD"},    {"1e3", "USD", "", NULL, 100000, "USD"},
        {"0.1", "JPY", "", "value", 0, ""},      {"12.505", "USD", "", "value", 0, ""},
        {"1e18", "USD", "", "value", 0, ""},     {"1", "DOLLAR", "", "currency", 0, ""},
    };
    struct given g;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum err_code rc;

        given_init(&g, ORIGIN_IMPORT);
        assert_int_equal(set(&g, "value", rows[i].value, &err), ERR_OK);
        assert_int_equal(set(&g, "currency", rows[i].currency, &err), ERR_OK);
        rc = given_finish(&g, slice_from(rows[i].site), &err);
        if ((rc != ERR_OK) != (rows[i].refused != NULL))
            fail_msg("%s %s gave %d", rows[i].value, rows[i].currency, (int)rc);
        if (rc != ERR_OK) {
            assert_string_equal(err.field, rows[i].refused);
            continue;
        }
        assert_int_equal(g.event.number[NUMBER_VALUE], rows[i].units);
        assert_true(slice_is(g.event.text[TEXT_CURRENCY], rows[i].in));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(takes_every_attribute_by_its_name, fresh),
        cmocka_unit_test_setup(refuses_with_the_name_in_the_error, fresh),
        cmocka_unit_test_setup(a_name_comes_once, fresh),
        cmocka_unit_test_setup(an_empty_value_is_not_given, fresh),
        cmocka_unit_test_setup(properties_have_a_most, fresh),
        cmocka_unit_test_setup(values_are_exact_in_their_currency, fresh),
    };
    int rc;

    arena_init(&arena, 64 * 1024);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    arena_fini(&arena);
    return rc;
}
