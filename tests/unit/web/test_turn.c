/* Turns: one query at a time, in order; a newer one of an id stops the older. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "core/clock.h"
#include "web/api/turn.h"

#define ANN  SLICE("ann")
#define BOB  SLICE("bob")
#define NONE SLICE_EMPTY

#define ASKER(owner, id) ((struct turn_asker){owner, id})

/* A thread that takes a turn, notes its place, and gives it back. */
struct waiter {
    struct turns *turns;
    struct turn_asker asker;
    atomic_int *n_done;
    int place; /* from 1 */
    enum err_code rc;
    struct err err;
    pthread_t thread;
};

static void *
wait_for_it(void *context)
{
    struct waiter *w = context;
    struct turn turn;

    w->rc = turn_take(w->turns, w->asker, &turn, &w->err);
    if (w->rc == ERR_OK) {
        w->place = atomic_fetch_add(w->n_done, 1) + 1;
        turn_give(w->turns, &turn);
    }
    return NULL;
}

static void
expect_waiting(struct turns *t, uint64_t n)
{
    struct turns_counts counts;

    for (turns_count(t, &counts); counts.n_waiting != n; turns_count(t, &counts))
        clock_sleep_ms(1);
}

static void
start(struct waiter *w)
{
    struct turns_counts counts;

    turns_count(w->turns, &counts);
    assert_int_equal(pthread_create(&w->thread, NULL, wait_for_it, w), 0);
}

static void
test_in_the_order_in_which_they_came(void **state)
{
    struct turns *t = turns_create(&(struct turns_config){.waiting_max = 3});
    struct waiter waiters[3];
    atomic_int n_done = 0;
    struct turn first;

    (void)state;
    assert_int_equal(turn_take(t, ASKER(ANN, NONE), &first, NULL), ERR_OK);
    for (size_t i = 0; i < 3; i++) {
        waiters[i] = (struct waiter){t, ASKER(ANN, NONE), &n_done, 0, ERR_OK, ERR_NONE, 0};
        start(&waiters[i]);
        expect_waiting(t, i + 1);
    }
    assert_int_equal(atomic_load(&n_done), 0);
    turn_give(t, &first);
    for (int i = 0; i < 3; i++) {
        pthread_join(waiters[i].thread, NULL);
        assert_int_equal(waiters[i].place, i + 1);
    }
    turns_destroy(&t);
}

static void
test_too_many_are_told_to_come_back(void **state)
{
    struct turns *t = turns_create(&(struct turns_config){.waiting_max = 1});
    atomic_int n_done = 0;
    struct waiter w = {t, ASKER(ANN, NONE), &n_done, 0, ERR_OK, ERR_NONE, 0};
    struct turns_counts counts;
    struct turn first, third;

    (void)state;
    assert_int_equal(turn_take(t, ASKER(ANN, NONE), &first, NULL), ERR_OK);
    start(&w);
    expect_waiting(t, 1);
    assert_int_equal(turn_take(t, ASKER(BOB, NONE), &third, NULL), ERR_UNAVAILABLE);
    turns_count(t, &counts);
    assert_int_equal(counts.n_busy, 1);
    turn_give(t, &first);
    pthread_join(w.thread, NULL);
    assert_int_equal(w.rc, ERR_OK);
    assert_int_equal(turn_take(t, ASKER(BOB, NONE), &third, NULL), ERR_OK);
    turn_give(t, &third);
    turns_destroy(&t);
}

static void
test_a_wait_ends(void **state)
{
    struct turns *t = turns_create(&(struct turns_config){.waiting_max = 1, .wait_ms = 1});
    struct turn first, second;

    (void)state;
    assert_int_equal(turn_take(t, ASKER(ANN, NONE), &first, NULL), ERR_OK);
    assert_int_equal(turn_take(t, ASKER(ANN, NONE), &second, NULL), ERR_UNAVAILABLE);
    turn_give(t, &first);
    turns_destroy(&t);
}

static void
test_a_newer_one_stops_who_runs(void **state)
{
    struct turns *t = turns_create(&(struct turns_config){.waiting_max = 2});
    atomic_int n_done = 0;
    struct waiter w = {t, ASKER(ANN, SLICE("tab 1")), &n_done, 0, ERR_OK, ERR_NONE, 0};
    struct turns_counts counts;
    struct turn first;

    (void)state;
    assert_int_equal(turn_take(t, ASKER(ANN, SLICE("tab 1")), &first, NULL), ERR_OK);
    start(&w);
    expect_waiting(t, 1);
    assert_int_equal(query_guard_status(&first.guard, NULL), ERR_CONFLICT);
    turn_give(t, &first);
    pthread_join(w.thread, NULL);
    assert_int_equal(w.rc, ERR_OK);
    turns_count(t, &counts);
    assert_int_equal(counts.n_stopped, 1);
    turns_destroy(&t);
}

/* Whoever is stopped while he waits goes at once, and is not among those who wait. */
static void
test_a_newer_one_stops_who_waits(void **state)
{
    struct turns *t = turns_create(&(struct turns_config){.waiting_max = 1});
    atomic_int n_done = 0;
    struct waiter older = {t, ASKER(ANN, SLICE("tab 1")), &n_done, 0, ERR_OK, ERR_NONE, 0};
    struct waiter newer = older;
    struct turn first;

    (void)state;
    assert_int_equal(turn_take(t, ASKER(BOB, SLICE("tab 1")), &first, NULL), ERR_OK);
    start(&older);
    expect_waiting(t, 1);
    start(&newer);
    pthread_join(older.thread, NULL);
    assert_int_equal(older.rc, ERR_CONFLICT);
    assert_string_equal(older.err.field, "query_id");
    expect_waiting(t, 1);
    assert_false(query_guard_is_stopped(&first.guard)); /* the same id, but somebody else's */
    turn_give(t, &first);
    pthread_join(newer.thread, NULL);
    assert_int_equal(newer.rc, ERR_OK);
    turns_destroy(&t);
}

static void
test_stopping_by_id(void **state)
{
    struct turns *t = turns_create(&(struct turns_config){.waiting_max = 1});
    struct turn turn;

    (void)state;
    assert_false(turns_stop(t, ASKER(ANN, SLICE("1"))));
    assert_int_equal(turn_take(t, ASKER(ANN, SLICE("1")), &turn, NULL), ERR_OK);
    assert_false(turns_stop(t, ASKER(BOB, SLICE("1"))));
    assert_false(turns_stop(t, ASKER(ANN, SLICE("2"))));
    assert_true(turns_stop(t, ASKER(ANN, SLICE("1"))));
    assert_int_equal(query_guard_status(&turn.guard, NULL), ERR_CONFLICT);
    turn_give(t, &turn);
    assert_int_equal(turn_take(t, ASKER(ANN, NONE), &turn, NULL), ERR_OK);
    assert_false(turns_stop(t, ASKER(ANN, NONE))); /* who has no id cannot be meant */
    turn_give(t, &turn);
    turns_destroy(&t);
}

static void
test_what_was_asked_beside_is_stopped_too(void **state)
{
    struct turns *t = turns_create(&(struct turns_config){.waiting_max = 1});
    struct turn turn;

    (void)state;
    assert_int_equal(turn_take(t, ASKER(ANN, SLICE("ab.list.1")), &turn, NULL), ERR_OK);
    assert_false(turns_stop(t, ASKER(ANN, SLICE("a"))));
    assert_false(turns_stop(t, ASKER(ANN, SLICE("ab.list.1.more"))));
    assert_false(turns_stop(t, ASKER(ANN, SLICE("ab.lis"))));
    assert_false(turns_stop(t, ASKER(BOB, SLICE("ab"))));
    assert_true(turns_stop(t, ASKER(ANN, SLICE("ab"))));
    assert_int_equal(query_guard_status(&turn.guard, NULL), ERR_CONFLICT);
    turn_give(t, &turn);
    turns_destroy(&t);
}

static void
test_limits_count_from_the_turn(void **state)
{
    struct turns *t = turns_create(
        &(struct turns_config){.limits = {.time_ms = 3600000, .bytes = 1000}, .waiting_max = 1});
    struct query_share share = {.guard = NULL};
    struct turns_counts counts;
    struct turn turn;

    (void)state;
    assert_int_equal(turn_take(t, ASKER(ANN, NONE), &turn, NULL), ERR_OK);
    assert_true(turn.guard.deadline_us > clock_steady_us());
    share.guard = &turn.guard;
    assert_int_equal(query_share_look(&share, 1001, NULL), ERR_LIMIT);
    turn_give(t, &turn);
    turns_count(t, &counts);
    assert_int_equal(counts.n_limited, 1);
    turns_destroy(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_the_order_in_which_they_came),
        cmocka_unit_test(test_too_many_are_told_to_come_back),
        cmocka_unit_test(test_a_wait_ends),
        cmocka_unit_test(test_a_newer_one_stops_who_runs),
        cmocka_unit_test(test_a_newer_one_stops_who_waits),
        cmocka_unit_test(test_stopping_by_id),
        cmocka_unit_test(test_what_was_asked_beside_is_stopped_too),
        cmocka_unit_test(test_limits_count_from_the_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
