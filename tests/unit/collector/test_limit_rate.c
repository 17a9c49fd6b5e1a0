/* Token buckets: exact for one sender, independent among many, fair to newcomers, bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "collector/limit_rate.h"

#define SECOND_US INT64_C(1000000)

static int
take_many(struct limit_rate *l, const char *sender, struct limit_speed speed, int n, int64_t now_us)
{
    int64_t wait_s = 0;
    int taken = 0;

    for (int i = 0; i < n; i++)
        taken += limit_rate_take(l, slice_from(sender), speed, 1, now_us, &wait_s);
    return taken;
}

static void
test_a_burst_then_the_rate(void **state)
{
    struct limit_rate *l = limit_rate_create(64);
    struct limit_speed speed = {10, 30};
    int64_t now = 1000 * SECOND_US, wait_s = 0;

    (void)state;
    assert_int_equal(take_many(l, "a", speed, 50, now), 30);
    assert_int_equal(take_many(l, "b", speed, 50, now), 30);
    assert_int_equal(take_many(l, "a", speed, 50, now + SECOND_US), 10);
    assert_int_equal(take_many(l, "a", speed, 50, now + SECOND_US + SECOND_US / 10), 1);
    assert_int_equal(take_many(l, "a", speed, 50, now + 100 * SECOND_US), 30);
    assert_int_equal(take_many(l, "c", (struct limit_speed){0, 0}, 1000, now), 1000);
    assert_int_equal(take_many(l, "d", (struct limit_speed){10, 1}, 50, now), 10);

    now += 200 * SECOND_US;
    assert_true(limit_rate_take(l, SLICE("a"), speed, 25, now, &wait_s));
    assert_false(limit_rate_take(l, SLICE("a"), speed, 25, now, &wait_s)); /* nothing is taken */
    assert_int_equal(wait_s, 2);
    assert_true(limit_rate_take(l, SLICE("a"), speed, 25, now + 2 * SECOND_US, &wait_s));
    assert_true(limit_rate_take(l, SLICE("e"), speed, 1000, now, &wait_s)); /* as the burst */
    assert_false(limit_rate_take(l, SLICE("e"), speed, 1, now, &wait_s));
    assert_int_equal(wait_s, 1);
    limit_rate_destroy(&l);
    assert_null(l);
}

/* 64 slots, a thousand senders: none is refused what is its own. */
static void
test_a_crowd_larger_than_the_table_is_not_refused(void **state)
{
    struct limit_rate *l = limit_rate_create(64);
    char sender[32];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(sender, sizeof sender, "sender %d", i);
        assert_int_equal(take_many(l, sender, (struct limit_speed){5, 5}, 5, SECOND_US), 5);
    }
    limit_rate_destroy(&l);
}

static void
test_whose_bucket_it_is(void **state)
{
    static const struct {
        const char *a, *b;
        bool is_same;
    } rows[] = {
        {"81.2.69.142", "81.2.69.142", true},
        {"81.2.69.142", "81.2.69.143", false},
        {"81.2.69.142", "::ffff:81.2.69.142", true},
        {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
        {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
        {"0:0:0:0:1::1", "0:0:0:0:2::1", true},
    };
    static const char *const nobody[] = {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1",
                                         "",          "unknown",   "1.2", "81.2.69.142:80"};
    unsigned char a[16], b[16];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice one = limit_rate_sender(slice_from(rows[i].a), a);
        struct slice two = limit_rate_sender(slice_from(rows[i].b), b);
        if (one.n == 0 || slice_equal(one, two) != rows[i].is_same)
            fail_msg("%s, %s", rows[i].a, rows[i].b);
    }
    for (size_t i = 0; i < sizeof nobody / sizeof nobody[0]; i++)
        assert_int_equal(limit_rate_sender(slice_from(nobody[i]), a).n, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_then_the_rate),
        cmocka_unit_test(test_a_crowd_larger_than_the_table_is_not_refused),
        cmocka_unit_test(test_whose_bucket_it_is),
    };

    return cmocka_run_group_tests_name("limit_rate", tests, NULL, NULL);
}
