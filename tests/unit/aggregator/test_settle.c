/* Drivers, sessions and entrances of one person, case by case (funnel.md 4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "aggregator/settle.h"

#define EVENTS_MAX 8
#define MINUTE     INT64_C(60000)
#define HOUR       (60 * MINUTE)
#define GAP        SETTLE_GAP_MS
#define DAY        SETTLE_DRIVER_MS
#define NONE       (-1)

struct expected {
    int driver;
    uint32_t origin;
    uint32_t session;
    uint32_t rank;
};

/* Events in order of (time, id). own: NULL, or "source/medium/campaign/content/keyword". */
struct row {
    const char *name;
    uint32_t n;
    struct {
        int64_t time_ms;
        const char *own;
        struct expected expected;
    } events[EVENTS_MAX];
};

static const struct row rows[] = {
    {"one event, direct", 1, {{0, NULL, {NONE, 0, 0, 0}}}},
    {"a driver lasts over the session",
     3,
     {{0, "a", {0, 0, 0, 0}}, {1, NULL, {0, 0, 0, 1}}, {GAP, NULL, {0, 0, 0, 2}}}},
    {"a gap of 30 minutes is none, one of a ms more is",
     3,
     {{0, "a", {0, 0, 0, 0}}, {GAP, NULL, {0, 0, 0, 1}}, {2 * GAP + 1, NULL, {NONE, 2, 1, 2}}}},
    {"another driver starts a session",
     3,
     {{0, "a", {0, 0, 0, 0}}, {5, "b", {1, 1, 1, 1}}, {6, NULL, {1, 1, 1, 2}}}},
    {"the same driver again does not, but brings its own page",
     3,
     {{0, "a", {0, 0, 0, 0}}, {5, "a", {1, 1, 0, 1}}, {6, NULL, {1, 1, 0, 2}}}},
    {"a driver after direct events starts a session",
     3,
     {{0, NULL, {NONE, 0, 0, 0}}, {5, NULL, {NONE, 0, 0, 1}}, {6, "a", {2, 2, 1, 2}}}},
    {"a driver without texts is its event's, and no other session than none",
     3,
     {{0, NULL, {NONE, 0, 0, 0}}, {5, "", {1, 1, 0, 1}}, {6, NULL, {1, 1, 0, 2}}}},
    {"any of the five differs",
     3,
     {{0, "a////k", {0, 0, 0, 0}}, {1, "a////l", {1, 1, 1, 1}}, {2, "a/m///l", {2, 2, 2, 2}}}},
    {"in a millisecond those with a driver come first, by its texts, then by id",
     5,
     {{7, NULL, {4, 4, 2, 3}},
      {7, "b", {1, 1, 1, 1}},
      {7, NULL, {4, 4, 2, 4}},
      {7, "a", {3, 3, 0, 0}},
      {7, "b/x", {4, 4, 2, 2}}}},
    {"two of one driver in a millisecond go by id",
     3,
     {{7, "a", {0, 0, 0, 0}}, {7, "a", {1, 1, 0, 1}}, {7, NULL, {1, 1, 0, 2}}}},
};

static struct driver
driver_of(const char *text)
{
    struct driver d = {.number = 0};
    struct slice rest = slice_from(text);

    for (int i = 0; i < DRIVER_PARTS; i++)
        slice_cut(rest, '/', &d.parts[i], &rest);
    return d;
}

static void
check(const char *name, uint32_t i, const struct settled *s, const struct expected *e)
{
    int driver = s->driver == SETTLE_DIRECT ? NONE : (int)s->driver;

    if (driver != e->driver || s->origin != e->origin || s->session != e->session ||
        s->rank != e->rank)
        fail_msg("%s: event %u has driver %d, origin %u, session %u, rank %u", name, i, driver,
                 s->origin, s->session, s->rank);
}

static void
test_rows(void **state)
{
    struct driver_table *table = driver_table_create();
    struct settle s = SETTLE_EMPTY;

    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct settle_event events[EVENTS_MAX];

        for (uint32_t i = 0; i < rows[r].n; i++) {
            struct driver own = driver_of(rows[r].events[i].own ? rows[r].events[i].own : "");

            events[i].time_ms = rows[r].events[i].time_ms;
            events[i].driver = rows[r].events[i].own ? driver_table_find(table, &own) : NULL;
        }
        settle_person(&s, events, rows[r].n);
        for (uint32_t i = 0; i < rows[r].n; i++) {
            const struct settled *e = &s.events[i];

            check(rows[r].name, i, e, &rows[r].events[i].expected);
            assert_int_equal(s.order[e->rank], i);
            assert_int_equal(e->is_entrance, s.sessions[e->session].begin == e->rank);
            assert_true(e->rank < s.sessions[e->session].end);
        }
    }
    settle_fini(&s);
    driver_table_destroy(&table);
}

/* An event every 20 minutes, a driver at the first only: good for 24 hours inclusive, then the
 * session is a direct one; its pages come from at most 24 hours back. */
static void
test_run_of_two_days(void **state)
{
    enum { N = 2 * 24 * 3 + 1 };
    struct driver_table *table = driver_table_create();
    struct driver own = driver_of("a");
    struct settle_event events[N];
    struct settle s = SETTLE_EMPTY;

    (void)state;
    for (uint32_t i = 0; i < N; i++)
        events[i] = (struct settle_event){i * 20 * MINUTE, NULL};
    events[0].driver = driver_table_find(table, &own);
    settle_person(&s, events, N);
    for (uint32_t i = 0; i < N; i++) {
        bool is_driven = i <= 72;

        assert_int_equal(s.events[i].driver, is_driven ? 0 : SETTLE_DIRECT);
        assert_int_equal(s.events[i].origin, is_driven ? 0 : i - 72);
        assert_int_equal(s.events[i].session, is_driven ? 0 : 1);
        assert_int_equal(s.events[i].is_entrance, i == 0 || i == 73);
    }
    assert_int_equal(s.n_sessions, 2);
    settle_fini(&s);
    driver_table_destroy(&table);
}

/* What is before the look back changes nothing from there on. */
static void
test_look_back(void **state)
{
    enum { N = 400 };
    struct driver_table *table = driver_table_create();
    struct driver own[3] = {driver_of("a"), driver_of("b"), driver_of("")};
    struct settle_event events[N];
    struct settle whole = SETTLE_EMPTY;
    struct settle part = SETTLE_EMPTY;
    uint64_t random = 1;

    (void)state;
    for (uint32_t i = 0; i < N; i++) {
        random = random * UINT64_C(6364136223846793005) + 1;
        events[i].time_ms =
            (i ? events[i - 1].time_ms : 0) + (int64_t)(random >> 44) % (31 * MINUTE);
        events[i].driver =
            (random >> 33) % 40 < 3 ? driver_table_find(table, &own[(random >> 33) % 40]) : NULL;
    }
    settle_person(&whole, events, N);
    for (uint32_t begin = 0; begin < N; begin += 7) {
        settle_person(&part, events + begin, N - begin);
        for (uint32_t i = begin + 1; i < N; i++) {
            const struct settled *a = &whole.events[i];
            const struct settled *b = &part.events[i - begin];

            if (events[i].time_ms - events[begin].time_ms < SETTLE_LOOK_BACK_MS)
                continue;
            assert_int_equal(a->driver == SETTLE_DIRECT, b->driver == SETTLE_DIRECT);
            if (a->driver != SETTLE_DIRECT)
                assert_int_equal(a->driver, b->driver + begin);
            assert_int_equal(a->origin, b->origin + begin);
            assert_int_equal(a->is_entrance, b->is_entrance);
        }
    }
    settle_fini(&whole);
    settle_fini(&part);
    driver_table_destroy(&table);
}

static void
test_table_keeps_each_once(void **state)
{
    struct driver_table *table = driver_table_create();
    const struct driver *first[1000];
    char text[32];

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 1000; i++) {
            struct driver d;

            snprintf(text, sizeof text, "s%d/%d", i / 10, i % 10);
            d = driver_of(text);
            if (round == 0)
                first[i] = driver_table_find(table, &d);
            else
                assert_ptr_equal(first[i], driver_table_find(table, &d));
            assert_int_equal(driver_compare(first[i], &d), 0);
        }
    }
    driver_table_destroy(&table);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_run_of_two_days),
        cmocka_unit_test(test_look_back),
        cmocka_unit_test(test_table_keeps_each_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
