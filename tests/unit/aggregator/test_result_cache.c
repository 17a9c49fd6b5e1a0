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

static void
test_found_by_the_whole_key(void **state)
{
    struct result_cache *c = result_cache_create(10, 1000);

    (void)state;
    expect(c, "a", NULL);
    put(c, "a", "1");
    put(c, "ab", "2");
    put(c, "", "");
    expect(c, "a", "1");
    expect(c, "ab", "2");
    expect(c, "", "");
    expect(c, "b", NULL);
    put(c, "a", "3");
    expect(c, "a", "3");
    result_cache_destroy(&c);
}

static void
test_the_least_used_makes_room(void **state)
{
    struct result_cache *c = result_cache_create(3, 1000);

    (void)state;
    put(c, "a", "1");
    put(c, "b", "2");
    put(c, "c", "3");
    expect(c, "a", "1");
    put(c, "d", "4");
    expect(c, "b", NULL);
    expect(c, "a", "1");
    expect(c, "c", "3");
    expect(c, "d", "4");
    result_cache_destroy(&c);
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
