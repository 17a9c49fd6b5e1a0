/* A merge is the union of its inputs without repeats, however the events were spread. */
#include "tests/unit/aggregator/segment/support.h"

/* The events of one site and month, out of settled ones. */
static size_t
select_events(const struct event *events, size_t n, uint32_t site, uint32_t month,
              struct event *out)
{
    size_t n_out = 0;

    for (size_t i = 0; i < n; i++)
        if (events[i].site == site && segment_month(events[i].time_ms) == month)
            out[n_out++] = events[i];
    return n_out;
}

/* The parts say these events, one part after the other, and their headers say so. */
static void
assert_parts(const char *dir, const struct segment_file *files, size_t n_files, uint32_t site,
             uint32_t month, const struct event *events, size_t n)
{
    size_t at = 0;

    for (size_t i = 0; i < n_files; i++) {
        struct segment *s = open_file(dir, files[i].name);
        const struct segment_info *info = segment_info(s);

        assert_memory_equal(info, &files[i].info, sizeof *info);
        assert_memory_equal(segment_sites(s), files[i].sites, sizeof *files[i].sites);
        assert_int_equal(info->kind, SEGMENT_MERGED);
        assert_int_equal(info->site, site);
        assert_int_equal(info->month, month);
        assert_true(at + info->n_rows <= n);
        if (i > 0)
            assert_true(files[i - 1].info.hash_max < info->hash_min);
        assert_segment(s, events + at, info->n_rows);
        at += info->n_rows;
        segment_close(&s);
    }
    assert_int_equal(at, n);
}

/* Merge what is of the month; the files are appended to those of the folder. */
static void
merge_month(struct segment **segments, size_t n, uint32_t site, uint32_t month, uint64_t part_bytes,
            const char *dir, struct arena *a, struct segment_file **files, size_t *n_files)
{
    const struct segment **inputs = ARENA_ARRAY(a, const struct segment *, n + 1);
    struct segment_merge merge = {inputs, 0, site, month, part_bytes, NULL, 0, 0};
    struct err err = ERR_NONE;

    for (size_t i = 0; i < n; i++)
        if (segment_info(segments[i])->month == month)
            inputs[merge.n_inputs++] = segments[i];
    *n_files = 0;
    if (merge.n_inputs > 0 && segment_merge(&merge, dir, a, files, n_files, &err) != ERR_OK)
        fail_msg("%s", err.message);
}

/* Repeats of one visitor in two months are two events until months are merged together: ids are
 * drawn anew for each month, so that the plain way agrees. */
static void
separate_months(struct event *events, size_t n, struct arena *a)
{
    for (size_t i = 0; i < n; i++)
        events[i].id =
            arena_printf(a, "%.*s-%u", SLICE_ARG(events[i].id), segment_month(events[i].time_ms));
}

static void
merge_world(uint64_t seed, const struct world *w, size_t n, uint32_t n_parts, uint64_t part_bytes)
{
    struct random r = {seed};
    char *dir = test_folder();
    struct segment **segments;
    size_t n_segments;
    struct event *events;
    struct event *some;
    struct arena a;

    arena_init(&a, 1 << 20);
    events = random_events(&r, w, n, &a);
    separate_months(events, n, &a);
    some = ARENA_ARRAY(&a, struct event, n);
    segments = write_flushes(&r, events, n, n_parts, dir, &a, &n_segments);
    n = settle_events(events, n);
    for (uint32_t month = 202605; month <= 202607; month++)
        for (uint32_t site = 1; site <= w->n_sites; site++) {
            size_t n_some = select_events(events, n, site, month, some);
            struct segment_file *files;
            size_t n_files;

            merge_month(segments, n_segments, site, month, part_bytes, dir, &a, &files, &n_files);
            assert_parts(dir, files, n_files, site, month, some, n_some);
        }
    for (size_t i = 0; i < n_segments; i++)
        segment_close(&segments[i]);
    arena_fini(&a);
    remove_folder(dir);
}

static void
test_union_without_repeats(void **state)
{
    struct random r = {7};

    (void)state;
    for (int i = 0; i < 40; i++) {
        struct world w = {
            .n_sites = 1 + random_below(&r, 3),
            .n_visitors = 1 + random_below(&r, 200),
            .n_ids = 1 + random_below(&r, 3000),
            .n_texts = 1 + random_below(&r, 400),
            .n_keys = random_below(&r, 10),
            .time_from_ms = JUNE_2026_MS - 2 * DAY_MS,
            .time_span_s = 1 + random_below(&r, 2000000),
            .sparse = random_below(&r, 30),
        };

        merge_world(random_next(&r), &w, 1 + random_below(&r, 1500), 1 + random_below(&r, 8),
                    i % 3 == 0 ? 1 + random_below(&r, 40000) : 0);
    }
}

/* Copies of one id at one millisecond in several files: the one of the smaller bytes stays. */
static void
test_copies_of_one_millisecond(void **state)
{
    struct world w = {1, 5, 20, 5, 2, JUNE_2026_MS, 2, 1};

    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++)
        merge_world(seed, &w, 400, 4, 0);
}

static void
test_cut_by_hash_into_parts(void **state)
{
    struct world w = {1, 500, 100000000, 50, 3, JUNE_2026_MS, 1000000, 2};
    struct random r = {11};
    char *dir = test_folder();
    struct segment **segments;
    struct segment_file *files;
    struct event *events;
    size_t n_segments;
    size_t n_files;
    size_t n = 6000;
    struct arena a;

    (void)state;
    arena_init(&a, 1 << 20);
    events = random_events(&r, &w, n, &a);
    segments = write_flushes(&r, events, n, 3, dir, &a, &n_segments);
    n = settle_events(events, n);
    merge_month(segments, n_segments, 1, 202606, 50000, dir, &a, &files, &n_files);
    assert_true(n_files >= 4);
    assert_parts(dir, files, n_files, 1, 202606, events, n);
    for (size_t i = 0; i < n_segments; i++)
        segment_close(&segments[i]);
    arena_fini(&a);
    remove_folder(dir);
}

/* Merged files are inputs like any other: in two steps the same comes out as in one. */
static void
test_merge_of_merges(void **state)
{
    struct world w = {1, 80, 500, 40, 6, JUNE_2026_MS, 1000000, 4};
    struct random r = {13};
    char *dir = test_folder();
    struct segment **segments;
    struct segment *second[16];
    struct segment_file *files;
    struct event *events;
    size_t n_second = 0;
    size_t n_segments;
    size_t n_files;
    size_t n = 3000;
    struct arena a;

    (void)state;
    arena_init(&a, 1 << 20);
    events = random_events(&r, &w, n, &a);
    segments = write_flushes(&r, events, n, 6, dir, &a, &n_segments);
    assert_int_equal(n_segments, 6);
    n = settle_events(events, n);
    merge_month(segments, 3, 1, 202606, 30000, dir, &a, &files, &n_files);
    for (size_t i = 0; i < n_files && n_second < 12; i++)
        second[n_second++] = open_file(dir, files[i].name);
    for (size_t i = 3; i < n_segments; i++)
        second[n_second++] = segments[i];
    merge_month(second, n_second, 1, 202606, 0, dir, &a, &files, &n_files);
    assert_int_equal(n_files, 1);
    assert_parts(dir, files, n_files, 1, 202606, events, n);
    for (size_t i = 0; i + 3 < n_second; i++)
        segment_close(&second[i]);
    for (size_t i = 0; i < n_segments; i++)
        segment_close(&segments[i]);
    arena_fini(&a);
    remove_folder(dir);
}

static void
test_a_wrong_month_is_refused(void **state)
{
    struct world w = {1, 10, 100, 5, 1, JUNE_2026_MS, 1000, 2};
    struct random r = {17};
    char *dir = test_folder();
    struct segment **segments;
    struct segment_merge merge = {.n_inputs = 1, .site = 1, .month = 202607};
    struct segment_file *files;
    struct event *events;
    size_t n_segments;
    size_t n_files;
    struct arena a;

    (void)state;
    arena_init(&a, 1 << 20);
    events = random_events(&r, &w, 50, &a);
    segments = write_flushes(&r, events, 50, 1, dir, &a, &n_segments);
    merge.inputs = (const struct segment *const *)segments;
    assert_int_equal(segment_merge(&merge, dir, &a, &files, &n_files, NULL), ERR_INVALID);
    merge.month = 202606;
    merge.site = 99;
    assert_int_equal(segment_merge(&merge, dir, &a, &files, &n_files, NULL), ERR_OK);
    assert_int_equal(n_files, 0);
    merge.site = 1;
    assert_int_equal(segment_merge(&merge, "/nowhere", &a, &files, &n_files, NULL), ERR_IO);
    assert_int_equal(count_files(dir), 1);
    segment_close(&segments[0]);
    arena_fini(&a);
    remove_folder(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_union_without_repeats),
        cmocka_unit_test(test_copies_of_one_millisecond),
        cmocka_unit_test(test_cut_by_hash_into_parts),
        cmocka_unit_test(test_merge_of_merges),
        cmocka_unit_test(test_a_wrong_month_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
