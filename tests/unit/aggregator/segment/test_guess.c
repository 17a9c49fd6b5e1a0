/* What follows from something else in the file is not stored: it is said all the same. */
#include <fcntl.h>

#include "aggregator/segment/format.h"
#include "core/bytes.h"
#include "tests/unit/aggregator/segment/support.h"

/* How a text's codes are encoded in the file. */
static unsigned
encoding_of(const struct buffer *file, uint32_t type, uint32_t id)
{
    const char *entry = file->p + load_u64(file->p + HEADER_DIRECTORY);
    uint32_t n = load_u32(file->p + HEADER_ENTRIES);

    for (uint32_t i = 0; i < n; i++, entry += FORMAT_ENTRY)
        if (load_u16(entry + ENTRY_TYPE) == type && load_u32(entry + ENTRY_ID) == id)
            return (unsigned char)entry[ENTRY_ENCODING];
    return 0;
}

static uint32_t
count_of(const struct buffer *file, uint32_t type)
{
    const char *entry = file->p + load_u64(file->p + HEADER_DIRECTORY);
    uint32_t n = load_u32(file->p + HEADER_ENTRIES);

    for (uint32_t i = 0; i < n; i++, entry += FORMAT_ENTRY)
        if (load_u16(entry + ENTRY_TYPE) == type)
            return load_u32(entry + ENTRY_COUNT);
    return 0;
}

static uint32_t
count_given_ids(const struct event *events, size_t n)
{
    uint32_t n_given = 0;

    for (size_t i = 0; i < n; i++)
        n_given += event_id_is_given(events[i].id);
    return n_given;
}

static void
test_what_follows_is_guessed(void **state)
{
    static const enum event_text guessed[] = {TEXT_PATH,   TEXT_QUERY,   TEXT_TITLE, TEXT_CITY,
                                              TEXT_REGION, TEXT_COUNTRY, TEXT_DEVICE};
    struct random r = {21};
    char *dir = test_folder();
    struct segment_merge merge = {.site = 1, .month = 202606};
    struct buffer file = BUFFER_EMPTY;
    struct segment **flushes;
    struct segment *merged;
    struct segment_file *files;
    struct event *events;
    char path[FILE_PATH_MAX];
    size_t n = 5000;
    size_t n_files;
    struct arena a;

    (void)state;
    arena_init(&a, 1 << 20);
    events = likely_events(&r, n, &a);
    flushes = write_flushes(&r, events, n, 3, dir, &a, &merge.n_inputs);
    merge.inputs = (const struct segment *const *)flushes;
    n = settle_events(events, n);
    assert_int_equal(segment_merge(&merge, dir, &a, &files, &n_files, NULL), ERR_OK);
    assert_int_equal(n_files, 1);
    merged = open_file(dir, files[0].name);
    assert_segment(merged, events, n);
    file_path(path, dir, files[0].name);
    assert_int_equal(file_read(path, 1 << 24, &file, NULL), ERR_OK);
    for (size_t i = 0; i < sizeof guessed / sizeof *guessed; i++)
        assert_int_equal(encoding_of(&file, BLOCK_TEXT, guessed[i]), ENCODING_GUESSED);
    assert_int_equal(encoding_of(&file, BLOCK_TEXT, TEXT_EVENT), ENCODING_DENSE);
    assert_int_equal(encoding_of(&file, BLOCK_NUMBER, NUMBER_VALUE),
                     ENCODING_BITMAP); /* asked for in every walk */
    assert_int_not_equal(encoding_of(&file, BLOCK_TEXT, TEXT_CURRENCY), ENCODING_GUESSED);
    assert_int_equal(encoding_of(&file, BLOCK_NUMBER, NUMBER_LOAD_MS), ENCODING_GATED);
    assert_int_equal(count_of(&file, BLOCK_ID), count_given_ids(events, n));
    assert_int_equal(count_of(&file, BLOCK_ID_GIVEN), count_given_ids(events, n));
    buffer_fini(&file);
    segment_close(&merged);
    for (size_t i = 0; i < merge.n_inputs; i++)
        segment_close(&flushes[i]);
    arena_fini(&a);
    remove_folder(dir);
}

/* The blocks of a file: what two files of the same events have in common. */
static struct slice
blocks_of(const struct buffer *file)
{
    size_t end = load_u64(file->p + HEADER_DIRECTORY);

    return slice_of(file->p + FORMAT_HEADER, end - FORMAT_HEADER);
}

/* Where too many codes would have to be kept, they are read from the file: the same is guessed. */
static void
test_sources_are_kept_or_read_again(void **state)
{
    struct random r = {22};
    char *dir = test_folder();
    struct segment_merge merge = {.site = 1, .month = 202606};
    struct buffer files[2] = {BUFFER_EMPTY, BUFFER_EMPTY};
    struct segment **flushes;
    struct event *events;
    struct arena a;

    (void)state;
    arena_init(&a, 1 << 20);
    events = likely_events(&r, 3000, &a);
    flushes = write_flushes(&r, events, 3000, 3, dir, &a, &merge.n_inputs);
    merge.inputs = (const struct segment *const *)flushes;
    for (size_t i = 0; i < 2; i++) {
        struct segment_file *merged;
        char path[FILE_PATH_MAX];
        size_t n_files;

        merge.kept_max = i; /* bytes: none */
        assert_int_equal(segment_merge(&merge, dir, &a, &merged, &n_files, NULL), ERR_OK);
        assert_int_equal(n_files, 1);
        file_path(path, dir, merged[0].name);
        assert_int_equal(file_read(path, 1 << 24, &files[i], NULL), ERR_OK);
    }
    assert_true(slice_equal(blocks_of(&files[0]), blocks_of(&files[1])));
    for (size_t i = 0; i < 2; i++)
        buffer_fini(&files[i]);
    for (size_t i = 0; i < merge.n_inputs; i++)
        segment_close(&flushes[i]);
    arena_fini(&a);
    remove_folder(dir);
}

/* Times as steps, of runs of one row and of thousands, read in any stretch. */
static void
test_times_in_any_stretch(void **state)
{
    struct world w = {1, 40, 100000000, 3, 0, JUNE_2026_MS, 2000000, 1000};
    struct random r = {23};
    char *dir = test_folder();
    struct segment_merge merge = {.site = 1, .month = 202606};
    struct segment_column column;
    struct segment **flushes;
    struct segment *merged;
    struct segment_file *files;
    struct event *events;
    int64_t times[1500];
    size_t n = 4000;
    size_t n_files;
    struct arena a;

    (void)state;
    arena_init(&a, 1 << 20);
    events = random_events(&r, &w, n, &a);
    for (size_t i = 0; i < n; i++) { /* one visitor has most; times close to each other */
        if (i % 4 != 0)
            events[i].visitor = SLICE("v1");
        if (i % 8 != 0)
            events[i].time_ms = JUNE_2026_MS + (events[i].time_ms - JUNE_2026_MS) / 1000;
    }
    flushes = write_flushes(&r, events, n, 2, dir, &a, &merge.n_inputs);
    merge.inputs = (const struct segment *const *)flushes;
    n = settle_events(events, n);
    assert_int_equal(segment_merge(&merge, dir, &a, &files, &n_files, NULL), ERR_OK);
    merged = open_file(dir, files[0].name);
    assert_segment(merged, events, n);
    assert_int_equal(segment_time_open(merged, &column, NULL), ERR_OK);
    assert_int_equal(column.encoding, ENCODING_STEPS);
    for (int i = 0; i < 300; i++) {
        uint32_t row = random_below(&r, (uint32_t)n);
        uint32_t some = random_below(&r, (uint32_t)n - row + 1) % 1500;

        segment_values(&column, row, some, times, NULL);
        for (uint32_t k = 0; k < some; k++)
            assert_int_equal(times[k], events[row + k].time_ms);
    }
    segment_close(&merged);
    for (size_t i = 0; i < merge.n_inputs; i++)
        segment_close(&flushes[i]);
    arena_fini(&a);
    remove_folder(dir);
}

/* An id that was made of a path stays what it is where the path becomes (other). */
static void
test_ids_outlive_folded_texts(void **state)
{
    struct random r = {22};
    char *dir = test_folder();
    struct segment_merge merge = {.site = 1, .month = 202606, .values_max = 5};
    struct segment **flushes;
    struct segment *merged;
    struct segment_cursor *c;
    struct segment_file *files;
    struct event *events;
    struct err err = ERR_NONE;
    struct slice id;
    size_t n = 1000;
    size_t n_files;
    struct arena a;

    (void)state;
    arena_init(&a, 1 << 20);
    events = likely_events(&r, n, &a);
    flushes = write_flushes(&r, events, n, 2, dir, &a, &merge.n_inputs);
    merge.inputs = (const struct segment *const *)flushes;
    n = settle_events(events, n);
    assert_int_equal(segment_merge(&merge, dir, &a, &files, &n_files, NULL), ERR_OK);
    merged = open_file(dir, files[0].name);
    c = segment_cursor_create(merged);
    for (uint32_t row = 0; row < n; row++) {
        assert_int_equal(segment_cursor_id(c, row, &id, NULL), ERR_OK);
        assert_slices(id, events[row].id);
    }
    if (segment_check(merged, &err) != ERR_OK)
        fail_msg("%s", err.message);
    segment_cursor_destroy(&c);
    segment_close(&merged);
    for (size_t i = 0; i < merge.n_inputs; i++)
        segment_close(&flushes[i]);
    arena_fini(&a);
    remove_folder(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_follows_is_guessed),
        cmocka_unit_test(test_sources_are_kept_or_read_again),
        cmocka_unit_test(test_times_in_any_stretch),
        cmocka_unit_test(test_ids_outlive_folded_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
