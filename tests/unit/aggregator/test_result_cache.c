/* Kept results: found by their whole key, bounded, the least used go first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aggregator/result_cache.h"

static void
expect(struct result_cache *c, const char *key, const char *value)
{
    struct buffer got = BUFFER_EMPTY;

    assert_true(result_cache_get(c, slice_from(key), &got) == (value != NULL));
    if (value)
        assert_true(slice_is(buffer_slice(&got), value));
    buffer_fini(&got);
}

static void
put(struct result_cache *c, const char *key, const char *value)
{
    result_cache_put(c, slice_from(key), slice_from(value));
}

/* A key that is put with a value, or that is asked for and gives it (NULL: is not there). */
struct step {
    enum { PUT, GET } what;
    const char *key;
    const char *value;
};

static void
take_steps(size_t n_max, const struct step *steps, size_t n)
{
    struct result_cache *c = result_cache_create(n_max, 1000);

    for (size_t i = 0; i < n; i++)
        (steps[i].what == PUT ? put : expect)(c, steps[i].key, steps[i].value);
    result_cache_destroy(&c);
}

static void
test_found_by_the_whole_key(void **state)
{
    static const struct step steps[] = {
        {GET, "a", NULL}, {PUT, "a", "1"}, {PUT, "ab", "2"}, {PUT, "", ""},   {GET, "a", "1"},
        {GET, "ab", "2"}, {GET, "", ""},   {GET, "b", NULL}, {PUT, "a", "3"}, {GET, "a", "3"},
    };

    (void)state;
    take_steps(10, steps, sizeof steps / sizeof *steps);
}

static void
test_the_least_used_makes_room(void **state)
{
    static const struct step steps[] = {
        {PUT, "a", "1"},  {PUT, "b", "2"}, {PUT, "c", "3"}, {GET, "a", "1"}, {PUT, "d", "4"},
        {GET, "b", NULL}, {GET, "a", "1"}, {GET, "c", "3"}, {GET, "d", "4"},
    };

    (void)state;
    take_steps(3, steps, sizeof steps / sizeof *steps);
}

static void
test_bytes_are_bounded(void **state)
{
    struct result_cache *c = result_cache_create(100, 80);

    (void)state;
    for (int i = 0; i < 8; i++)
        put(c, (const char[]){(char)('a' + i), 0}, "0123456789");
    expect(c, "a", "0123456789");
    put(c, "i", "0123456789");
    expect(c, "a", "0123456789");
    expect(c, "b", NULL); /* for i */
    put(c, "too long", "0123456789x");
    expect(c, "too long", NULL);
    expect(c, "c", "0123456789");
    result_cache_destroy(&c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_by_the_whole_key),
        cmocka_unit_test(test_the_least_used_makes_room),
        cmocka_unit_test(test_bytes_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
