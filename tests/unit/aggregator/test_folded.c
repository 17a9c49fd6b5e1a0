/* An attribute with too many values: merges keep the frequent ones, and reports say so. */
#include "aggregator/merge.h"
#include "tests/unit/aggregator/fixture.h"

#define KEPT  200000
#define N     (KEPT + 10)
#define BATCH 50000
#define FUNNEL                                                                                     \
    "{\"window\":\"30d\",\"stages\":["                                                             \
    "{\"name\":\"A\",\"rule\":{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"a\"]}},"        \
    "{\"name\":\"B\",\"rule\":{\"attribute\":\"%s\",\"op\":\"is\",\"values\":[\"%s\"]}}]}"

/* Event i has a property, a path and an order that no other has; the property is then "often". */
static void
add(struct fixture *f, size_t i, const char *value)
{
    char texts[4][32];
    struct event_property key = {SLICE("key"), slice_from(value)};
    struct event e;

    for (int k = 0; k < 4; k++)
        snprintf(texts[k], sizeof texts[k], "%c%06zu", "voip"[k], k == 0 ? i % 1000 : i);
    e = event_of(1, texts[0], texts[2], "a", JUNE_2026_MS + (int64_t)i);
    e.text[TEXT_ORDER] = slice_from(texts[1]);
    e.text[TEXT_PATH] = slice_from(texts[3]);
    e.properties = &key;
    e.n_properties = 1;
    fixture_add(f, &e);
}

static void
add_all(struct fixture *f)
{
    for (size_t i = 0; i < N + 10; i++) {
        char value[32];

        snprintf(value, sizeof value, "k%06zu", i);
        add(f, i, i < N ? value : "often");
        if (i % BATCH == BATCH - 1)
            fixture_commit(f);
    }
    fixture_commit(f);
}

static void
merge_all(struct fixture *f)
{
    struct merge_options options = {
        .store = &f->store, .settings = f->settings, .everything = true};
    struct err err = ERR_NONE;
    size_t n = 1;

    while (n > 0)
        assert_ok(merge_step(f->catalog, &options, &n, &err));
}

static void
expect_count(struct fixture *f, const char *attribute, const char *value, uint64_t n)
{
    struct query_value *values = NULL;
    struct err err = ERR_NONE;
    size_t n_values = 0;

    assert_ok(query_values(f->pool, 1, slice_from(attribute), slice_from(value), 10, &f->arena,
                           &values, &n_values, &err));
    assert_int_equal(n_values > 0 ? values[0].n_events : 0, n);
}

static struct slice
report(struct fixture *f, const char *attribute, const char *value)
{
    char definition[1000];

    snprintf(definition, sizeof definition, FUNNEL, attribute, value);
    return fixture_report(f, 1, definition, BOTS_EXCLUDE);
}

static void
test_rare_values_become_one(void **state)
{
    static const char warning[] = "properties.key has too many values in 2026-06";
    struct fixture *f = *state;

    add_all(f);
    expect_count(f, "properties.key", "k200009", 1); /* a flush keeps all */
    assert_false(slice_contains(report(f, "properties.key", "often"), SLICE("values_folded")));
    merge_all(f);
    expect_count(f, "properties.key", "often", 10);
    expect_count(f, "properties.key", "k000000", 1);
    expect_count(f, "properties.key", "k199998", 1);
    expect_count(f, "properties.key", "k199999", 0);
    expect_count(f, "properties.key", "(other)", 11);
    expect_count(f, "path", "p200009", 1);
    expect_count(f, "order", "o200009", 1);
    assert_contains(report(f, "properties.key", "often"), warning);
    assert_contains(report(f, "properties.key", "often"), "\"code\":\"values_folded\"");
    assert_false(slice_contains(report(f, "path", "p200009"), SLICE("values_folded")));
    assert_false(slice_contains(report(f, "properties.other", "x"), SLICE("values_folded")));

    /* once folded it stays so: further ones join */
    add(f, N + 20, "k199999");
    add(f, N + 21, "often");
    fixture_commit(f);
    merge_all(f);
    expect_count(f, "properties.key", "often", 11);
    expect_count(f, "properties.key", "(other)", 12);
    expect_count(f, "properties.key", "k199999", 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_rare_values_become_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
