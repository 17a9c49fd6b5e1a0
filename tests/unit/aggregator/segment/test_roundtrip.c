/* Events in, segments out, events back: nothing is lost, everything is in order. */
#include "tests/unit/aggregator/segment/support.h"

/* The settled events of one month, in order. */
static size_t
events_of_month(const struct event *events, size_t n, uint32_t month, struct event *out)
{
    size_t n_out = 0;

    for (size_t i = 0; i < n; i++)
        if (segment_month(events[i].time_ms) == month)
            out[n_out++] = events[i];
    return n_out;
}

static void
round_trip(uint64_t seed, const struct world *w, size_t n, size_t n_files_expected)
{
    struct random r = {seed};
    char *dir = test_folder();
    struct segment_file *files;
    size_t n_files;
    size_t n_rows = 0;
    struct event *events;
    struct event *month;
    struct arena a;

    arena_init(&a, 1 << 20);
    events = random_events(&r, w, n, &a);
    month = ARENA_ARRAY(&a, struct event, n);
    write_events(events, n, dir, &a, &files, &n_files);
    n = settle_events(events, n);
    if (n_files_expected > 0)
        assert_int_equal(n_files, n_files_expected);
    assert_int_equal(count_files(dir), n_files);
    for (size_t i = 0; i < n_files; i++) {
        struct segment *s = open_file(dir, files[i].name);
        size_t n_month = events_of_month(events, n, files[i].info.month, month);

        assert_memory_equal(segment_info(s), &files[i].info, sizeof files[i].info);
        assert_memory_equal(segment_sites(s), files[i].sites,
                            files[i].info.n_sites * sizeof *files[i].sites);
        assert_segment(s, month, n_month);
        n_rows += n_month;
        segment_close(&s);
    }
    assert_int_equal(n_rows, n);
    arena_fini(&a);
    remove_folder(dir);
}

static void
test_many_shapes(void **state)
{
    static const struct {
        struct world world;
        size_t n;
        size_t n_files;
    } shapes[] = {
        {{1, 1, 1000000, 1, 0, JUNE_2026_MS, 1000, 0}, 1, 1},
        {{1, 1, 5, 2, 2, JUNE_2026_MS, 10, 1}, 200, 1},          /* nearly all are repeats */
        {{3, 40, 50, 20, 10, JUNE_2026_MS, 100000, 1}, 3000, 1}, /* several sites, many repeats */
        {{1, 5000, 100000000, 3000, 3, JUNE_2026_MS, 2000000, 3}, 5000, 1},
        {{2, 100, 100000000, 50, 40, JUNE_2026_MS - 2 * DAY_MS, 400000, 30}, 4000, 2},
        {{1, 20, 50, 50, 1, JUNE_2026_MS - 40 * DAY_MS, 80 * 86400, 8}, 2000, 4},
        {{1, 3, 100000000, 100, 0, 0, 60, 2000}, 3000, 1}, /* 1970; nearly nothing is set */
    };

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        round_trip(i, &shapes[i].world, shapes[i].n, shapes[i].n_files);
}

static void
test_random_worlds(void **state)
{
    struct random r = {42};

    (void)state;
    for (int i = 0; i < 60; i++) {
        struct world w = {
            .n_sites = 1 + random_below(&r, 4),
            .n_visitors = 1 + random_below(&r, 300),
            .n_ids = 1 + random_below(&r, 2000),
            .n_texts = 1 + random_below(&r, 600),
            .n_keys = random_below(&r, 20),
            .time_from_ms = JUNE_2026_MS - (int64_t)random_below(&r, 60) * DAY_MS,
            .time_span_s = 1 + random_below(&r, 4000000),
            .sparse = random_below(&r, 40),
        };

        round_trip(random_next(&r), &w, 1 + random_below(&r, 1500), 0);
    }
}

static void
test_nothing_writes_nothing(void **state)
{
    struct segment_builder *b = segment_builder_create(&test_owner);
    char *dir = test_folder();
    struct segment_file *files;
    size_t n_files = 7;
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    assert_int_equal(segment_builder_write(b, dir, &a, &files, &n_files, NULL), ERR_OK);
    assert_int_equal(n_files, 0);
    segment_builder_destroy(&b);
    arena_fini(&a);
    remove_folder(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_shapes),
        cmocka_unit_test(test_random_worlds),
        cmocka_unit_test(test_nothing_writes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
