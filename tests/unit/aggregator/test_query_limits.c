/* Queries that are not let finish: too long, too large, no longer wanted. */
#include "tests/unit/aggregator/fixture.h"

static void
add_visitors(struct fixture *f)
{
    for (size_t i = 0; i < 300; i++) {
        char *visitor = arena_cstr(&f->arena, arena_printf(&f->arena, "v%zu", i));
        struct event e = event_of(1, visitor, "1", "a", JUNE_2026_MS);

        fixture_add(f, &e);
    }
    fixture_commit(f);
}

static enum err_code
ask(struct fixture *f, struct query_guard *guard, struct err *out)
{
    struct query_funnel q = {.site = 1, .n_presets = 1, .want_paths = true, .guard = guard};
    struct funnel *funnel = NULL;
    struct query_answer answer;
    struct request request;
    struct err err = ERR_NONE;
    enum err_code rc;

    assert_ok(funnel_parse(SLICE(FUNNEL_OF_3), &funnel, &err));
    request_init(&request);
    assert_ok(request_finish(&request, SLICE("UTC"), INT64_C(4102444800000), &err));
    q.funnel = funnel;
    q.request = &request;
    q.presets[0] = funnel->preset;
    rc = query_funnel(f->pool, &q, &answer, out);
    if (rc == ERR_OK) {
        assert_int_equal(answer.reports[0].total.entered, 300);
        query_answer_fini(&answer);
    }
    request_fini(&request);
    funnel_destroy(&funnel);
    return rc;
}

static void
test_within_its_limits_a_query_gives_back_what_it_held(void **state)
{
    struct query_limits limits = {QUERY_TIME_MS * 60, QUERY_BYTES};
    struct fixture *f = *state;
    struct err err = ERR_NONE;
    struct query_guard guard;

    add_visitors(f);
    query_guard_init(&guard, &limits);
    assert_ok(ask(f, &guard, &err));
    assert_true(atomic_load(&guard.peak_bytes) >= 300 * sizeof(struct report_path));
    assert_int_equal(atomic_load(&guard.held_bytes), 0);
}

static void
test_a_query_ends_at_its_limits(void **state)
{
    struct query_limits limits = {.bytes = 300 * sizeof(struct report_path)};
    struct fixture *f = *state;
    struct err err = ERR_NONE;
    struct query_guard guard;

    add_visitors(f);
    query_guard_init(&guard, &limits);
    assert_rc(ask(f, &guard, &err), ERR_LIMIT);
    assert_non_null(strstr(err.message, "query-memory"));
    query_guard_init(&guard, NULL);
    guard.deadline_us = 0; /* long ago */
    assert_rc(ask(f, &guard, &err), ERR_LIMIT);
    assert_non_null(strstr(err.message, "query-time"));
    query_guard_init(&guard, NULL);
    query_guard_stop(&guard, QUERY_STOP_NEWER);
    assert_rc(ask(f, &guard, &err), ERR_CONFLICT);
    assert_int_equal(atomic_load(&guard.held_bytes), 0);
    assert_ok(ask(f, NULL, &err));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_within_its_limits_a_query_gives_back_what_it_held),
        CASE(test_a_query_ends_at_its_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
