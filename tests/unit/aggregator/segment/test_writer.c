/* The builder's limits, what it leaves behind on errors, and how fast it is. */
#include <signal.h>
#include <sys/resource.h>

#include "core/clock.h"
#include "tests/unit/aggregator/segment/support.h"

static struct event
plain_event(void)
{
    struct event e = {.site = 1, .time_ms = JUNE_2026_MS, .visitor = SLICE("v"), .id = SLICE("i")};

    for (int i = 0; i < TEXT_COUNT; i++)
        e.text[i] = SLICE_EMPTY;
    e.text[TEXT_EVENT] = SLICE("pageview");
    return e;
}

static void
test_events_that_are_refused(void **state)
{
    struct segment_builder *b = segment_builder_create(&test_owner);
    struct event_property twice[2] = {{SLICE("a"), SLICE("1")}, {SLICE("a"), SLICE("2")}};
    struct event_property unnamed = {SLICE_EMPTY, SLICE("1")};
    char *large = mem_zalloc(70000);
    struct event bad[9];
    static const char *const fields[] = {"visitor", "id",         "event",      "time", "time",
                                         "title",   "properties", "properties", "id"};

    (void)state;
    for (size_t i = 0; i < 9; i++)
        bad[i] = plain_event();
    bad[0].visitor = SLICE_EMPTY;
    bad[1].id = SLICE_EMPTY;
    bad[2].text[TEXT_EVENT] = SLICE_EMPTY;
    bad[3].time_ms = -1;
    bad[4].time_ms = INT64_C(253402300800000);
    bad[5].text[TEXT_TITLE] = slice_of(large, 70000);
    bad[6].properties = twice;
    bad[6].n_properties = 2;
    bad[7].properties = &unnamed;
    bad[7].n_properties = 1;
    bad[8].id = slice_of(large, 70000);
    for (size_t i = 0; i < 9; i++) {
        struct err err = ERR_NONE;

        assert_int_equal(segment_builder_add(b, &bad[i], &err), ERR_INVALID);
        assert_string_equal(err.field, fields[i]);
    }
    assert_int_equal(segment_builder_rows(b), 0);
    free(large);
    segment_builder_destroy(&b);
}

static void
test_the_largest_event(void **state)
{
    struct event_property properties[EVENT_PROPERTIES_MAX];
    struct segment_file *files;
    char *dir = test_folder();
    char *large = mem_alloc(EVENT_ENCODED_MAX);
    struct segment *s;
    size_t n_files;
    struct event e = plain_event();
    struct arena a;

    (void)state;
    arena_init(&a, 1 << 16);
    memset(large, 'x', EVENT_ENCODED_MAX);
    e.visitor = slice_of(large, EVENT_VISITOR_MAX);
    e.id = slice_of(large, EVENT_ID_MAX);
    e.time_ms = INT64_C(253402300799999);
    e.site = UINT32_MAX;
    e.flags = UINT32_MAX;
    e.origin = UINT32_MAX;
    for (int i = 0; i < TEXT_COUNT; i++)
        e.text[i] = slice_of(large, i == TEXT_URL ? EVENT_ENCODED_MAX : 100);
    for (int i = 0; i < NUMBER_COUNT; i++)
        event_set_number(&e, (enum event_number)i, i % 2 ? INT64_MAX : INT64_MIN);
    for (uint32_t i = 0; i < EVENT_PROPERTIES_MAX; i++)
        properties[i] = (struct event_property){arena_printf(&a, "k%02u", i), slice_of(large, 500)};
    e.properties = properties;
    e.n_properties = EVENT_PROPERTIES_MAX;
    write_events(&e, 1, dir, &a, &files, &n_files);
    s = open_file(dir, files[0].name);
    assert_int_equal(files[0].info.month, 999912);
    assert_segment(s, &e, 1);
    segment_close(&s);
    free(large);
    arena_fini(&a);
    remove_folder(dir);
}

static void
test_empty_texts_are_not_set(void **state)
{
    struct event_property property = {SLICE("k"), SLICE_EMPTY};
    struct segment_file *files;
    char *dir = test_folder();
    struct event e = plain_event();
    struct segment *s;
    size_t n_files;
    struct arena a;

    (void)state;
    arena_init(&a, 1 << 16);
    e.properties = &property;
    e.n_properties = 1;
    write_events(&e, 1, dir, &a, &files, &n_files);
    s = open_file(dir, files[0].name);
    assert_int_equal(segment_property_count(s), 0);
    e.n_properties = 0;
    assert_segment(s, &e, 1);
    segment_close(&s);
    arena_fini(&a);
    remove_folder(dir);
}

/* Of two copies the one of the smaller time stays; at the same time, of the smaller bytes. */
static void
test_which_repeat_stays(void **state)
{
    struct event e[3] = {plain_event(), plain_event(), plain_event()};
    struct segment_file *files;
    char *dir = test_folder();
    struct segment *s;
    size_t n_files;
    struct arena a;

    (void)state;
    arena_init(&a, 1 << 16);
    e[0].time_ms++;
    e[1].text[TEXT_TITLE] = SLICE("b");
    e[2].text[TEXT_TITLE] = SLICE("a");
    write_events(e, 3, dir, &a, &files, &n_files);
    s = open_file(dir, files[0].name);
    assert_segment(s, &e[2], 1);
    segment_close(&s);
    arena_fini(&a);
    remove_folder(dir);
}

static void
test_a_failed_write_leaves_nothing(void **state)
{
    struct world w = {1, 300, 100000000, 500, 3, JUNE_2026_MS - DAY_MS, 2 * 86400, 1};
    struct rlimit unlimited;
    struct rlimit small;
    struct random r = {1};
    struct segment_builder *b = segment_builder_create(&test_owner);
    char *dir = test_folder();
    struct segment_file *files;
    size_t n_files = 99;
    struct event e;
    struct arena a;
    enum err_code rc;

    (void)state;
    arena_init(&a, 1 << 16);
    for (int i = 0; i < 5000; i++) {
        random_event(&r, &w, &a, &e);
        assert_int_equal(segment_builder_add(b, &e, NULL), ERR_OK);
    }
    e = plain_event(); /* a first month that is small enough to be written whole */
    e.time_ms = JUNE_2026_MS - 40 * DAY_MS;
    assert_int_equal(segment_builder_add(b, &e, NULL), ERR_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
    small = (struct rlimit){65536, unlimited.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    rc = segment_builder_write(b, dir, &a, &files, &n_files, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    assert_int_equal(rc, ERR_IO);
    assert_int_equal(n_files, 99);
    assert_int_equal(count_files(dir), 0);
    assert_int_equal(segment_builder_write(b, "/nowhere", &a, &files, &n_files, NULL), ERR_IO);
    assert_int_equal(segment_builder_write(b, dir, &a, &files, &n_files, NULL), ERR_OK);
    assert_int_equal(n_files, 3); /* the same events, tried again */
    segment_builder_destroy(&b);
    arena_fini(&a);
    remove_folder(dir);
}

static void
test_reset_starts_anew(void **state)
{
    struct segment_builder *b = segment_builder_create(&test_owner);
    struct segment_file *files;
    char *dir = test_folder();
    struct event e = plain_event();
    struct segment *s;
    size_t n_files;
    struct arena a;

    (void)state;
    arena_init(&a, 1 << 16);
    for (int i = 0; i < 1000; i++) {
        e.id = arena_printf(&a, "%d", i);
        assert_int_equal(segment_builder_add(b, &e, NULL), ERR_OK);
    }
    assert_true(segment_builder_bytes(b) > 1000 * 32);
    segment_builder_reset(b);
    assert_int_equal(segment_builder_rows(b), 0);
    assert_int_equal(segment_builder_bytes(b), 0);
    assert_int_equal(segment_builder_add(b, &e, NULL), ERR_OK);
    assert_int_equal(segment_builder_write(b, dir, &a, &files, &n_files, NULL), ERR_OK);
    s = open_file(dir, files[0].name);
    assert_segment(s, &e, 1);
    segment_close(&s);
    segment_builder_destroy(&b);
    arena_fini(&a);
    remove_folder(dir);
}

/* Printed, not asserted: a sanitizer or a busy machine makes any bound a lie. */
static void
test_speed(void **state)
{
    struct world w = {1, 10000, 100000000, 300, 5, JUNE_2026_MS, 2000000, 1};
    struct random r = {1};
    struct segment_builder *b = segment_builder_create(&test_owner);
    char *dir = test_folder();
    struct segment_file *files;
    struct event *events;
    size_t n_files;
    struct arena a;
    int64_t began;
    int64_t added;
    int64_t wrote;

    (void)state;
    arena_init(&a, 1 << 20);
    events = random_events(&r, &w, 50000, &a);
    began = clock_steady_us();
    for (int i = 0; i < 50000; i++)
        assert_int_equal(segment_builder_add(b, &events[i], NULL), ERR_OK);
    added = clock_steady_us();
    assert_int_equal(segment_builder_write(b, dir, &a, &files, &n_files, NULL), ERR_OK);
    wrote = clock_steady_us();
    printf("  50,000 events: added in %.1f ms, written in %.1f ms, %.1f bytes each\n",
           (double)(added - began) / 1e3, (double)(wrote - added) / 1e3,
           (double)files[0].info.n_bytes / 50000);
    segment_builder_destroy(&b);
    arena_fini(&a);
    remove_folder(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_that_are_refused),
        cmocka_unit_test(test_the_largest_event),
        cmocka_unit_test(test_empty_texts_are_not_set),
        cmocka_unit_test(test_which_repeat_stays),
        cmocka_unit_test(test_a_failed_write_leaves_nothing),
        cmocka_unit_test(test_reset_starts_anew),
        cmocka_unit_test(test_speed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
