/* Lists of what there is: values, attributes, one visitor's events, a site in short. */
#include "tests/unit/aggregator/fixture.h"

static void
add_shop(struct fixture *f)
{
    for (int i = 0; i < 6; i++) {
        struct event e = event_of(1, i < 4 ? "ann" : "bob", "", i % 3 ? "pageview" : "sale",
                                  JUNE_2026_MS + i * 1000);
        struct event_property color = {SLICE("color"), SLICE("red")};

        e.id = arena_printf(&f->arena, "%d", i);
        e.text[TEXT_PATH] = arena_printf(&f->arena, "/p/%d", i % 2);
        if (i == 0) {
            e.properties = &color;
            e.n_properties = 1;
            e.flags = EVENT_DRIVER;
        }
        if (i % 3 == 0) {
            event_set_number(&e, NUMBER_VALUE, 1250);
            e.text[TEXT_CURRENCY] = SLICE("EUR");
        }
        fixture_add(f, &e);
        e = event_of(2, "other", "x", "secret", JUNE_2026_MS);
        if (i == 3) {
            fixture_add(f, &e);
            fixture_commit(f);
        }
    }
    fixture_commit(f);
}

static void
test_values_by_frequency(void **state)
{
    static const struct {
        const char *attribute, *prefix, *expected;
    } rows[] = {
        {"event", "", "pageview:4 sale:2 "}, {"event", "s", "sale:2 "},
        {"path", "", "/p/0:3 /p/1:3 "},      {"properties.color", "", "red:1 "},
        {"value", "", "12.50:2 "},           {"bot", "", "false:6 "},
        {"landing", "", "/p/0:1 "},          {"entrance", "", "false:0 true:0 "},
        {"entrance", "t", "true:0 "},        {"campaign", "", ""},
    };
    struct fixture *f = *state;
    struct err err = ERR_NONE;
    struct query_value *values;
    size_t n = 0;

    add_shop(f);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char got[200] = "";

        assert_ok(query_values(f->pool, 1, slice_from(rows[i].attribute),
                               slice_from(rows[i].prefix), 10, &f->arena, &values, &n, &err));
        for (size_t k = 0; k < n; k++)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%.*s:%d ",
                     SLICE_ARG(values[k].value), (int)values[k].n_events);
        assert_string_equal(got, rows[i].expected);
    }
    assert_rc(
        query_values(f->pool, 1, SLICE("nonsense"), SLICE_EMPTY, 10, &f->arena, &values, &n, &err),
        ERR_INVALID);
}

static uint64_t
count_of(const struct query_attribute *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (slice_is(list[i].attribute.name, name))
            return list[i].n_events;
    return UINT64_MAX;
}

static void
test_attributes_with_counts(void **state)
{
    struct fixture *f = *state;
    struct query_attribute *list = NULL;
    struct err err = ERR_NONE;
    size_t n = 0;

    add_shop(f);
    assert_ok(query_attributes(f->pool, 1, NULL, &f->arena, &list, &n, &err));
    assert_int_equal(count_of(list, n, "event"), 6);
    assert_int_equal(count_of(list, n, "value"), 2);
    assert_int_equal(count_of(list, n, "campaign"), 0);
    assert_int_equal(count_of(list, n, "landing"), 1);
    assert_int_equal(count_of(list, n, "properties.color"), 1);
    assert_int_equal(count_of(list, n, "entrance"), 6);
    assert_int_equal(count_of(list, n, "page_group"), 0); /* the site names none */
    assert_ok(query_attributes(f->pool, 2, NULL, &f->arena, &list, &n, &err));
    assert_int_equal(count_of(list, n, "event"), 1);
    assert_true(count_of(list, n, "properties.color") == UINT64_MAX);
}

/* 40 events in three colours; `lacks` says of which there is none. */
static void
add_colored(struct fixture *f, const char *visitor, bool (*lacks)(size_t event))
{
    static const char *const colors[] = {"red", "green", "blue"};

    for (size_t i = 0; i < 40; i++) {
        struct event_property color = {SLICE("color"), slice_from(colors[i % 3])};
        struct event e = event_of(
            1, visitor, arena_cstr(&f->arena, arena_printf(&f->arena, "%s%zu", visitor, i)), "a",
            JUNE_2026_MS);

        e.properties = &color;
        e.n_properties = !lacks(i);
        fixture_add(f, &e);
    }
}

static bool
lacks_some(size_t event)
{
    return event % 20 == 0;
}

static bool
lacks_none(size_t event)
{
    (void)event;
    return false;
}

static bool
lacks_all(size_t event)
{
    (void)event;
    return true;
}

/* All of a visitor's, some, or none. */
static void
test_an_attribute_of_nearly_all_events_is_not_counted_for_the_rest(void **state)
{
    struct fixture *f = *state;
    struct query_attribute *list = NULL;
    struct err err = ERR_NONE;
    size_t n = 0;

    add_colored(f, "some", lacks_some);
    fixture_commit(f);
    assert_ok(query_attributes(f->pool, 1, NULL, &f->arena, &list, &n, &err));
    assert_int_equal(count_of(list, n, "properties.color"), 38);
    for (int i = 0; i < 30; i++)
        add_colored(f, arena_cstr(&f->arena, arena_printf(&f->arena, "all%d", i)), lacks_none);
    add_colored(f, "none", lacks_all);
    add_colored(f, "some too", lacks_some);
    fixture_commit(f);
    assert_ok(query_attributes(f->pool, 1, NULL, &f->arena, &list, &n, &err));
    assert_int_equal(count_of(list, n, "properties.color"), 38 + 30 * 40 + 38);
}

/* What is kept of a file answers until another comes, and beside it. */
static void
test_attributes_counted_once_a_file(void **state)
{
    struct fixture *f = *state;
    struct result_cache *kept = result_cache_create(16, 1 << 16);
    struct query_attribute *first = NULL, *again = NULL;
    struct err err = ERR_NONE;
    size_t n = 0, n_again = 0;

    for (int round = 1; round <= 2; round++) {
        add_colored(f, round == 1 ? "ann" : "bob", lacks_some);
        fixture_commit(f);
        assert_ok(query_attributes(f->pool, 1, kept, &f->arena, &first, &n, &err));
        assert_int_equal(count_of(first, n, "properties.color"), 38 * round);
        assert_ok(query_attributes(f->pool, 1, kept, &f->arena, &again, &n_again, &err));
        assert_int_equal(n_again, n);
        for (size_t i = 0; i < n; i++) {
            assert_true(slice_equal(again[i].attribute.name, first[i].attribute.name));
            assert_int_equal(again[i].n_events, first[i].n_events);
        }
    }
    result_cache_destroy(&kept);
}

static void
test_a_visitors_events_in_order(void **state)
{
    struct fixture *f = *state;
    struct query_summary summary;
    struct query_person ann;
    struct err err = ERR_NONE;

    add_shop(f);
    add_shop(f); /* again: repeats */
    assert_ok(query_person(f->pool, 1, SLICE("ann"), 100, &f->arena, &ann, &err));
    assert_int_equal(ann.n_ids, 1);
    assert_int_equal(ann.n_events, 4);
    for (size_t i = 0; i < ann.n_events; i++)
        assert_int_equal(ann.events[i].time_ms, JUNE_2026_MS + (int64_t)i * 1000);
    assert_true(slice_is(ann.events[0].text[TEXT_EVENT], "sale"));
    assert_true(slice_is(ann.events[0].properties[0].value, "red"));
    assert_ok(query_person(f->pool, 1, SLICE("ann"), 1, &f->arena, &ann, &err));
    assert_int_equal(ann.n_events, 1);
    assert_int_equal(ann.events[0].time_ms, JUNE_2026_MS + 3000);
    assert_ok(query_person(f->pool, 1, SLICE("other"), 100, &f->arena, &ann, &err));
    assert_int_equal(ann.n_events, 0);
    assert_ok(query_site_summary(f->pool, 2, &summary, &err));
    assert_int_equal(summary.n_events, 2);
    assert_int_equal(summary.first_ms, JUNE_2026_MS);
    assert_ok(query_site_summary(f->pool, 3, &summary, &err));
    assert_int_equal(summary.n_events, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_values_by_frequency),
        CASE(test_attributes_with_counts),
        CASE(test_an_attribute_of_nearly_all_events_is_not_counted_for_the_rest),
        CASE(test_attributes_counted_once_a_file),
        CASE(test_a_visitors_events_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
