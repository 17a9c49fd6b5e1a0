/* A thread that works now and then: again and again, by the wait that the work says, and never once
 * it is stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "core/clock.h"
#include "core/ticker.h"
#include "tests/support/patience.h"

struct work {
    atomic_int n_begun;
    atomic_int n;
    _Atomic int64_t wait_ms;
    _Atomic int64_t takes_ms;
};

static int64_t
count(void *context)
{
    struct work *w = context;

    atomic_fetch_add(&w->n_begun, 1);
    clock_sleep_ms(atomic_load(&w->takes_ms));
    atomic_fetch_add(&w->n, 1);
    return atomic_load(&w->wait_ms);
}

static void
await_count(struct work *w, int n)
{
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;

    while (atomic_load(&w->n) < n && clock_steady_ms() < deadline)
        clock_sleep_ms(1);
    assert_true(atomic_load(&w->n) >= n);
}

static void
test_it_works_again_and_again(void **state)
{
    struct work w = {.wait_ms = 1};
    struct ticker *t;
    struct err err;
    int n;

    (void)state;
    assert_int_equal(ticker_start(count, &w, 0, &t, &err), ERR_OK);
    await_count(&w, 20);
    ticker_stop(&t);
    assert_null(t);
    n = atomic_load(&w.n);
    clock_sleep_ms(20);
    assert_int_equal(atomic_load(&w.n), n);
    ticker_stop(&t);
}

static void
test_it_waits_as_long_as_it_is_told(void **state)
{
    struct work w = {.wait_ms = 3600 * 1000};
    struct ticker *t;
    struct err err;

    (void)state;
    assert_int_equal(ticker_start(count, &w, 0, &t, &err), ERR_OK);
    await_count(&w, 1);
    clock_sleep_ms(30);
    assert_int_equal(atomic_load(&w.n), 1);
    ticker_stop(&t); /* at once: an hour would end this test */
    assert_int_equal(ticker_start(count, &w, 3600 * 1000, &t, &err), ERR_OK);
    ticker_stop(&t);
    assert_int_equal(atomic_load(&w.n), 1);
}

static void
test_stopping_waits_for_the_work_in_hand(void **state)
{
    struct work w = {.wait_ms = 0, .takes_ms = 50};
    struct ticker *t;
    struct err err;

    (void)state;
    assert_int_equal(ticker_start(count, &w, 0, &t, &err), ERR_OK);
    while (atomic_load(&w.n_begun) < 2)
        clock_sleep_ms(1);
    ticker_stop(&t);
    assert_int_equal(atomic_load(&w.n), atomic_load(&w.n_begun));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_works_again_and_again),
        cmocka_unit_test(test_it_waits_as_long_as_it_is_told),
        cmocka_unit_test(test_stopping_waits_for_the_work_in_hand),
    };

    return cmocka_run_group_tests_name("ticker", tests, NULL, NULL);
}
