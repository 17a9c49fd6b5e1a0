/* So many tries in so long, in fixed memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "web/api/limiter.h"

#define PERIOD_MS 900000

static void
test_sixth_try_waits_for_the_first_to_be_over(void **state)
{
    struct limiter *l = limiter_create(5, PERIOD_MS);

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(limiter_take(l, SLICE("a"), 1000 + i), 0);
    assert_int_equal(limiter_take(l, SLICE("a"), 1010), 1000 + PERIOD_MS - 1010);
    assert_int_equal(limiter_take(l, SLICE("b"), 1010), 0); /* another key is not touched */
    assert_int_equal(limiter_take(l, SLICE("a"), 1000 + PERIOD_MS), 0);
    limiter_destroy(&l);
    assert_null(l);
}

static void
test_refund_gives_a_try_back(void **state)
{
    struct limiter *l = limiter_create(1, PERIOD_MS);

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(limiter_take(l, SLICE("a"), 1000), 0);
        limiter_refund(l, SLICE("a"), 1000);
    }
    assert_int_equal(limiter_take(l, SLICE("a"), 1000), 0);
    assert_true(limiter_take(l, SLICE("a"), 1000) > 0);
    limiter_refund(l, SLICE("nobody"), 1000);
    limiter_destroy(&l);
}

/* Many more keys than slots: nobody may be told to wait for tries that others made. */
static void
test_flood_of_keys_locks_nobody_out(void **state)
{
    struct limiter *l = limiter_create(5, PERIOD_MS);
    char key[16];

    (void)state;
    for (int i = 0; i < 100000; i++) {
        int n = snprintf(key, sizeof key, "key %d", i);

        assert_int_equal(limiter_take(l, slice_of(key, (size_t)n), 1000 + i), 0);
    }
    limiter_destroy(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sixth_try_waits_for_the_first_to_be_over),
        cmocka_unit_test(test_refund_gives_a_try_back),
        cmocka_unit_test(test_flood_of_keys_locks_nobody_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
