/* The limits of one query, without a query. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aggregator/query_guard.h"

static void
test_looks_are_seldom(void **state)
{
    struct query_guard g;
    struct query_share s = {.guard = &g};
    struct query_share free_one = {.guard = NULL};

    (void)state;
    query_guard_init(&g, NULL);
    assert_false(query_share_is_due(&s, QUERY_LOOK_ROWS - 1));
    assert_true(query_share_is_due(&s, 1));
    assert_int_equal(query_share_look(&s, 0, NULL), ERR_OK);
    assert_false(query_share_is_due(&s, 1));
    assert_true(query_share_is_due(&s, UINT32_MAX)); /* a very long run does not wrap round */
    assert_false(query_share_is_due(&free_one, UINT32_MAX));
    assert_int_equal(query_share_look(&free_one, SIZE_MAX, NULL), ERR_OK);
    query_share_end(&free_one);
}

static void
test_time(void **state)
{
    struct query_limits limits = {.time_ms = 10000};
    struct query_guard g;
    struct query_share a = {.guard = &g}, b = {.guard = &g};
    struct err err = ERR_NONE;

    (void)state;
    query_guard_init(&g, &limits);
    assert_int_equal(query_share_look(&a, 0, &err), ERR_OK);
    g.deadline_us = 0; /* long ago */
    assert_false(query_guard_is_stopped(&g));
    assert_int_equal(query_share_look(&a, 0, &err), ERR_LIMIT);
    assert_non_null(strstr(err.message, "10 s"));
    assert_non_null(strstr(err.message, "query-time"));
    assert_true(query_guard_is_stopped(&g));
    g.deadline_us = INT64_MAX; /* and it stays so, for the other threads too */
    assert_int_equal(query_share_look(&b, 0, NULL), ERR_LIMIT);
}

static void
test_memory_of_all_threads(void **state)
{
    struct query_limits limits = {.bytes = 3 << 20};
    struct query_guard g;
    struct query_share a = {.guard = &g}, b = {.guard = &g};
    struct err err = ERR_NONE;

    (void)state;
    query_guard_init(&g, &limits);
    assert_int_equal(query_share_look(&a, 2 << 20, &err), ERR_OK);
    assert_int_equal(query_share_look(&b, 1 << 20, &err), ERR_OK); /* as much as it may */
    assert_int_equal(query_share_look(&a, 1 << 20, &err), ERR_OK); /* it gave some back */
    query_share_end(&a);
    assert_int_equal(atomic_load(&g.held_bytes), 1 << 20);
    assert_int_equal(atomic_load(&g.peak_bytes), 3 << 20);
    assert_int_equal(query_share_look(&b, (3 << 20) + 1, &err), ERR_LIMIT);
    assert_non_null(strstr(err.message, "3 MB"));
    assert_non_null(strstr(err.message, "query-memory"));
    query_share_end(&b);
    assert_int_equal(atomic_load(&g.held_bytes), 0);
    assert_int_equal(query_guard_status(&g, NULL), ERR_LIMIT);
}

static void
test_stopped_by_somebody(void **state)
{
    struct query_guard g;
    struct query_share s = {.guard = &g};
    struct err err = ERR_NONE;

    (void)state;
    query_guard_init(&g, NULL);
    query_guard_stop(&g, QUERY_STOP_NEWER);
    query_guard_stop(&g, QUERY_STOP_ASKED); /* the first reason stays */
    assert_int_equal(query_share_look(&s, 0, &err), ERR_CONFLICT);
    assert_string_equal(err.field, "query_id");
    assert_non_null(strstr(err.message, "newer"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_looks_are_seldom),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_memory_of_all_threads),
        cmocka_unit_test(test_stopped_by_somebody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
