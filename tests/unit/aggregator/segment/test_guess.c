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

/* Events, and one file that they were merged into. */
struct made {
    char *dir;
    struct arena a; /* of everything */
    struct event *events;
    size_t n;
    struct segment **flushes;
    size_t n_flushes;
    struct segment_file *files;
    struct segment *merged;
};

static void
made_init(struct made *m)
{
    *m = (struct made){.dir = test_folder()};
    arena_init(&m->a, 1 << 20);
}

/* Settle m->events and make the file; values_max: of a text, 0 without a limit. */
static void
make(struct made *m, struct random *r, uint32_t n_parts, uint32_t values_max)
{
    struct segment_merge merge = {.site = 1, .month = 202606, .values_max = values_max};
    size_t n_files;

    m->flushes = write_flushes(r, m->events, m->n, n_parts, m->dir, &m->a, &m->n_flushes);
    merge.inputs = (const struct segment *const *)m->flushes;
    merge.n_inputs = m->n_flushes;
    m->n = settle_events(m->events, m->n);
    assert_int_equal(segment_merge(&merge, m->dir, &m->a, &m->files, &n_files, NULL), ERR_OK);
    assert_int_equal(n_files, 1);
    m->merged = open_file(m->dir, m->files[0].name);
}

static void
made_fini(struct made *m)
{
    segment_close(&m->merged);
    for (size_t i = 0; i < m->n_flushes; i++)
        segment_close(&m->flushes[i]);
    arena_fini(&m->a);
    remove_folder(m->dir);
}

static void
test_what_follows_is_guessed(void **state)
{
    static const enum event_text guessed[] = {TEXT_PATH,   TEXT_QUERY,   TEXT_TITLE, TEXT_CITY,
                                              TEXT_REGION, TEXT_COUNTRY, TEXT_DEVICE};
    struct random r = {21};
    struct buffer file = BUFFER_EMPTY;
    char path[FILE_PATH_MAX];
    struct made m;

    (void)state;
    made_init(&m);
    m.n = 5000;
    m.events = likely_events(&r, m.n, &m.a);
    make(&m, &r, 3, 0);
    assert_segment(m.merged, m.events, m.n);
    file_path(path, m.dir, m.files[0].name);
    assert_int_equal(file_read(path, 1 << 24, &file, NULL), ERR_OK);
    for (size_t i = 0; i < sizeof guessed / sizeof *guessed; i++)
        assert_int_equal(encoding_of(&file, BLOCK_TEXT, guessed[i]), ENCODING_GUESSED);
    assert_int_equal(encoding_of(&file, BLOCK_TEXT, TEXT_EVENT), ENCODING_DENSE);
    assert_int_equal(encoding_of(&file, BLOCK_NUMBER, NUMBER_VALUE),
                     ENCODING_BITMAP); /* asked for in every walk */
    assert_int_not_equal(encoding_of(&file, BLOCK_TEXT, TEXT_CURRENCY), ENCODING_GUESSED);
    assert_int_equal(encoding_of(&file, BLOCK_NUMBER, NUMBER_LOAD_MS), ENCODING_GATED);
    assert_int_equal(count_of(&file, BLOCK_ID), count_given_ids(m.events, m.n));
    assert_int_equal(count_of(&file, BLOCK_ID_GIVEN), count_given_ids(m.events, m.n));
    buffer_fini(&file);
    made_fini(&m);
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
    struct segment_column column;
    int64_t times[1500];
    struct made m;

    (void)state;
    made_init(&m);
    m.n = 4000;
    m.events = random_events(&r, &w, m.n, &m.a);
    for (size_t i = 0; i < m.n; i++) { /* one visitor has most; times close to each other */
        if (i % 4 != 0)
            m.events[i].visitor = SLICE("v1");
        if (i % 8 != 0)
            m.events[i].time_ms = JUNE_2026_MS + (m.events[i].time_ms - JUNE_2026_MS) / 1000;
    }
    make(&m, &r, 2, 0);
    assert_segment(m.merged, m.events, m.n);
    assert_int_equal(segment_time_open(m.merged, &column, NULL), ERR_OK);
    assert_int_equal(column.encoding, ENCODING_STEPS);
    for (int i = 0; i < 300; i++) {
        uint32_t row = random_below(&r, (uint32_t)m.n);
        uint32_t some = random_below(&r, (uint32_t)m.n - row + 1) % 1500;

        segment_values(&column, row, some, times, NULL);
        for (uint32_t k = 0; k < some; k++)
            assert_int_equal(times[k], m.events[row + k].time_ms);
    }
    made_fini(&m);
}

/* An id that was made of a path stays what it is where the path becomes (other). */
static void
test_ids_outlive_folded_texts(void **state)
{
    struct random r = {22};
    struct segment_cursor *c;
    struct err err = ERR_NONE;
    struct slice id;
    struct made m;

    (void)state;
    made_init(&m);
    m.n = 1000;
    m.events = likely_events(&r, m.n, &m.a);
    make(&m, &r, 2, 5);
    c = segment_cursor_create(m.merged);
    for (uint32_t row = 0; row < m.n; row++) {
        assert_int_equal(segment_cursor_id(c, row, &id, NULL), ERR_OK);
        assert_slices(id, m.events[row].id);
    }
    if (segment_check(m.merged, &err) != ERR_OK)
        fail_msg("%s", err.message);
    segment_cursor_destroy(&c);
    made_fini(&m);
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
