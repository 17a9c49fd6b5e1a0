/* Files of every released version stay here and stay readable: golden/v1-*.seg were written from
 * the events that the seeds below give. A new version adds its own; none is ever written again. */
#include "tests/unit/aggregator/segment/support.h"

static const struct golden {
    const char *name;
    uint64_t seed;
    struct world world;
    size_t n;
} goldens[] = {
    {"v1-flush.seg", 101, {2, 30, 400, 40, 6, JUNE_2026_MS, 500000, 9}, 150},
    {"v1-merged.seg", 102, {1, 40, 100000, 10, 2, JUNE_2026_MS, 500000, 3}, 100},
};

static void
test_goldens(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
        const struct golden *g = &goldens[i];
        struct random r = {g->seed};
        struct event *events;
        struct segment *s;
        struct arena a;
        size_t n;

        arena_init(&a, 1 << 16);
        events = random_events(&r, &g->world, g->n, &a);
        n = settle_events(events, g->n);
        s = open_file(CORONG_SOURCE_DIR "/tests/unit/aggregator/segment/golden", g->name);
        assert_int_equal(segment_info(s)->version, 1);
        assert_segment(s, events, n);
        segment_close(&s);
        arena_fini(&a);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goldens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
