/* Which ids are somebody's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/visitor.h"
#include "core/event.h"

static char longest[EVENT_VISITOR_MAX + 1];

static void
checks_ids(void **state)
{
    const struct {
        struct slice id;
        bool is_id;
        bool is_known;
    } rows[] = {
        {SLICE("u123"), true, true},
        {SLICE("caf\xC3\xA9 1"), true, true},
        {SLICE("guest-17"), true, true},
        {SLICE("00"), true, true},
        {SLICE(""), false, false},
        {SLICE("a\nb"), false, false},
        {SLICE("a\0b"), false, false},
        {SLICE("a\x7F"), false, false},
        {SLICE("a\xC2\x85"), false, false},
        {SLICE("\xFF"), false, false},
        {SLICE("null"), true, false},
        {SLICE("NULL"), true, false},
        {SLICE("undefined"), true, false},
        {SLICE("Anonymous"), true, false},
        {SLICE(" guest "), true, false},
        {SLICE("0"), true, false},
        {SLICE("  "), true, false},
        {slice_of(longest, EVENT_VISITOR_MAX), true, true},
        {slice_of(longest, EVENT_VISITOR_MAX + 1), false, false},
    };

    (void)state;
    memset(longest, 'x', sizeof longest);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = ERR_NONE;

        if ((visitor_check(rows[i].id, &err) == ERR_OK) != rows[i].is_id ||
            (visitor_check_known(rows[i].id, &err) == ERR_OK) != rows[i].is_known)
            fail_msg("%.*s", SLICE_ARG(rows[i].id));
        if (!rows[i].is_known)
            assert_string_equal(err.field, "known");
    }
}

static void
a_day_s_id_is_of_salt_site_address_and_agent(void **state)
{
    static const unsigned char salt[VISITOR_SALT_BYTES] = {1}, other[VISITOR_SALT_BYTES] = {2};
    struct slice address = SLICE("81.2.69.142"), agent = SLICE("Firefox"), id;
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    id = visitor_of_day(salt, 7, address, agent, &a);
    /* BLAKE2b-128 with the salt as key of 07000000, ::ffff:81.2.69.142, "Firefox": as Python's
     * hashlib.blake2b(.., digest_size=16, key=..) has it */
    assert_true(slice_is(id, "8f7e4af6d9d1096fa4273522dc3a1a41"));
    assert_true(slice_equal(id, visitor_of_day(salt, 7, SLICE("::ffff:81.2.69.142"), agent, &a)));
    assert_false(slice_equal(id, visitor_of_day(other, 7, address, agent, &a)));
    assert_false(slice_equal(id, visitor_of_day(salt, 8, address, agent, &a)));
    assert_false(slice_equal(id, visitor_of_day(salt, 7, SLICE("81.2.69.143"), agent, &a)));
    assert_false(slice_equal(id, visitor_of_day(salt, 7, address, SLICE("firefox"), &a)));
    arena_fini(&a);
}

static void
a_new_id_begins_with_its_time(void **state)
{
    struct slice one, two;
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    one = visitor_make(1780315200000, &a);
    two = visitor_make(1780315200000, &a);
    assert_true(slice_starts_with(one, SLICE("1780315200000")));
    assert_in_range(one.n, 15, 33);
    assert_false(slice_equal(one, two));
    assert_true(visitor_life_left(one, 1780315200000) == VISITOR_LIFE_MS);
    arena_fini(&a);
}

static void
an_id_lives_13_months(void **state)
{
    static const struct {
        const char *id;
        int64_t age_ms;
        int64_t left_ms;
    } rows[] = {
        {"17803152000001", 0, VISITOR_LIFE_MS},
        {"178031520000012345678901234567890", 1000, VISITOR_LIFE_MS - 1000},
        {"17803152000001", VISITOR_LIFE_MS - 1, 1},
        {"17803152000001", VISITOR_LIFE_MS, 0},
        {"17803152000001", -5000, VISITOR_LIFE_MS},
        {"1780315200000", 0, 0},                      /* a time and nothing else */
        {"1780315200000123456789012345678901", 0, 0}, /* too long */
        {"1780315200000a", 0, 0},
        {"u1", 0, 0},
        {"", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(visitor_life_left(slice_from(rows[i].id), 1780315200000 + rows[i].age_ms),
                         rows[i].left_ms);
}

static void
only_the_events_that_join_ids_have_a_second_one(void **state)
{
    static const struct {
        enum event_origin origin;
        const char *event;
        const char *known;
        const char *field; /* NULL: fine */
    } rows[] = {
        {ORIGIN_SNIPPET, "identify", "u1", NULL},   {ORIGIN_SERVER, "identify", "u1", NULL},
        {ORIGIN_IMPORT, "identify", "u1", NULL},    {ORIGIN_SNIPPET, "identify", "", "known"},
        {ORIGIN_SERVER, "identify", "0", "known"},  {ORIGIN_SNIPPET, "pageview", "u1", "known"},
        {ORIGIN_IMPORT, "pageview", "", NULL},      {ORIGIN_REDIRECT, "handover", "f1", NULL},
        {ORIGIN_SERVER, "handover", "f1", NULL},    {ORIGIN_IMPORT, "handover", "f1", NULL},
        {ORIGIN_REDIRECT, "handover", "", "known"}, {ORIGIN_SNIPPET, "handover", "f1", "event"},
        {ORIGIN_PIXEL, "handover", "f1", "event"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct event e = {.origin = rows[i].origin, .visitor = SLICE("v")};
        struct err err = ERR_NONE;
        enum err_code rc;

        e.text[TEXT_EVENT] = slice_from(rows[i].event);
        e.text[TEXT_KNOWN] = slice_from(rows[i].known);
        rc = visitor_check_event(&e, &err);
        assert_int_equal(rc, rows[i].field ? ERR_INVALID : ERR_OK);
        if (rows[i].field)
            assert_string_equal(err.field, rows[i].field);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_ids),
        cmocka_unit_test(a_day_s_id_is_of_salt_site_address_and_agent),
        cmocka_unit_test(a_new_id_begins_with_its_time),
        cmocka_unit_test(an_id_lives_13_months),
        cmocka_unit_test(only_the_events_that_join_ids_have_a_second_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
