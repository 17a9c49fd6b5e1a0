/* The day's limit of a visitor: exact for one, no worse than its word for a crowd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "collector/limit.h"

#define DAY INT64_C(86400000)

static int
take_many(struct limit *l, uint32_t site, const char *visitor, int64_t now, int64_t max, int n)
{
    int taken = 0;

    for (int i = 0; i < n; i++)
        taken += limit_take(l, site, slice_from(visitor), now, max);
    return taken;
}

static void
test_one_visitor_has_exactly_max(void **state)
{
    struct limit *l = limit_create();

    (void)state;
    assert_int_equal(take_many(l, 1, "a", 5 * DAY, 7, 20), 7);
    assert_int_equal(take_many(l, 1, "b", 5 * DAY, 7, 20), 7);
    assert_int_equal(take_many(l, 2, "a", 5 * DAY, 7, 20), 7);
    assert_int_equal(take_many(l, 1, "a", 6 * DAY - 1, 7, 20), 0);
    assert_int_equal(take_many(l, 1, "a", 6 * DAY, 7, 20), 7);
    assert_int_equal(take_many(l, 3, "a", 6 * DAY, LIMIT_MAX, 70000), LIMIT_MAX);
    assert_int_equal(take_many(l, 4, "a", 6 * DAY, LIMIT_MAX + 1, 70000), 70000);
    limit_destroy(&l);
    assert_null(l);
}

static void
test_a_crowd_takes_nothing_from_anybody(void **state)
{
    struct limit *l = limit_create();
    char visitor[32];
    int refused = 0;

    (void)state;
    for (int i = 0; i < 500000; i++) {
        snprintf(visitor, sizeof visitor, "visitor %d", i);
        refused += 4 - take_many(l, 1, visitor, DAY, 200, 4);
    }
    assert_int_equal(refused, 0);
    limit_destroy(&l);
}

static void
test_what_is_given_back_can_be_taken_again(void **state)
{
    struct limit *l = limit_create();

    (void)state;
    assert_int_equal(take_many(l, 1, "a", DAY, 7, 7), 7);
    for (int i = 0; i < 3; i++)
        limit_give_back(l, 1, SLICE("a"), DAY, 7);
    limit_give_back(l, 1, SLICE("b"), DAY, 7); /* below nothing there is nothing */
    limit_give_back(l, 1, SLICE("a"), 2 * DAY, 7);
    assert_int_equal(take_many(l, 1, "a", DAY, 7, 7), 3);
    assert_int_equal(take_many(l, 1, "b", DAY, 7, 9), 7);
    limit_destroy(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_visitor_has_exactly_max),
        cmocka_unit_test(test_a_crowd_takes_nothing_from_anybody),
        cmocka_unit_test(test_what_is_given_back_can_be_taken_again),
    };

    return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
