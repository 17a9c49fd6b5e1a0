/* Tickets: taken by their own use, key and time, and by no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/ticket.h"

#define NOW INT64_C(1780315200000)

static const unsigned char key[TICKET_KEY_BYTES] = {1, 2, 3}, other[TICKET_KEY_BYTES] = {1, 2, 4};

static void
test_a_ticket_is_good_for_its_life(void **state)
{
    struct arena a;
    struct slice t, word = SLICE_EMPTY;

    (void)state;
    arena_init(&a, 1024);
    t = ticket_make(&a, TICKET_VISITOR, key, SLICE("k3-b_9"), NOW);
    assert_true(slice_starts_with(t, SLICE("k3-b_9.1780315200000.")));
    assert_int_equal(t.n, 6 + 1 + 13 + 1 + 22);
    assert_true(ticket_check(TICKET_VISITOR, key, t, NOW, &word));
    assert_true(slice_is(word, "k3-b_9"));
    assert_true(ticket_check(TICKET_VISITOR, key, t, NOW + TICKET_VISITOR_MS, &word));
    assert_false(ticket_check(TICKET_VISITOR, key, t, NOW + TICKET_VISITOR_MS + 1, &word));
    assert_false(ticket_check(TICKET_VISITOR, key, t, NOW - 60001, &word));
    assert_false(ticket_check(TICKET_DEBUG, key, t, NOW, &word));
    assert_false(ticket_check(TICKET_VISITOR, other, t, NOW, &word));
    arena_fini(&a);
}

static void
test_a_ticket_with_one_byte_changed_is_none(void **state)
{
    struct slice t, word;
    struct arena a;
    char copy[100];

    (void)state;
    arena_init(&a, 1024);
    t = ticket_make(&a, TICKET_DEBUG, key, SLICE("debug"), NOW);
    for (size_t i = 0; i < t.n; i++) {
        memcpy(copy, t.p, t.n);
        copy[i] ^= 1;
        assert_false(ticket_check(TICKET_DEBUG, key, slice_of(copy, t.n), NOW, &word));
        assert_false(ticket_check(TICKET_DEBUG, key, slice_of(t.p, i), NOW, &word));
    }
    assert_false(ticket_check(TICKET_DEBUG, key, SLICE("a..b"), NOW, &word));
    arena_fini(&a);
}

static void
test_words(void **state)
{
    static const char *const bad[] = {"", "a.b", "a b", "a/b", "\xc3\xa4", "a;"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(ticket_is_word(slice_from(bad[i])));
    assert_true(ticket_is_word(SLICE("aZ09-_")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_ticket_is_good_for_its_life),
        cmocka_unit_test(test_a_ticket_with_one_byte_changed_is_none),
        cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests_name("ticket", tests, NULL, NULL);
}
