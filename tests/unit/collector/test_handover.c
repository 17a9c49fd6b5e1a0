/* A ticket brings one visitor, for as long as it lives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "collector/handover.h"
#include "core/ticket.h"

#define NOW INT64_C(1780315200000)

static void
brings_one_visitor(void **state)
{
    struct handovers *h = handovers_create();

    (void)state;
    assert_true(handovers_take(h, SLICE("t1"), SLICE("a"), NOW));
    assert_true(handovers_take(h, SLICE("t1"), SLICE("a"), NOW + 1000));
    assert_false(handovers_take(h, SLICE("t1"), SLICE("b"), NOW + 2000));
    assert_true(handovers_take(h, SLICE("t1"), SLICE("a"), NOW + TICKET_VISITOR_MS));
    assert_true(handovers_take(h, SLICE("t2"), SLICE("b"), NOW));
    handovers_destroy(&h);
    assert_null(h);
    handovers_destroy(&h);
}

/* What is over needs no place: those who come later have theirs. */
static void
a_flood_is_taken(void **state)
{
    struct handovers *h = handovers_create();
    char ticket[20];

    (void)state;
    for (int i = 0; i < 20000; i++) {
        snprintf(ticket, sizeof ticket, "t%d", i);
        assert_true(handovers_take(h, slice_from(ticket), SLICE("a"), NOW));
        assert_false(handovers_take(h, slice_from(ticket), SLICE("b"), NOW));
    }
    handovers_destroy(&h);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brings_one_visitor),
        cmocka_unit_test(a_flood_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
