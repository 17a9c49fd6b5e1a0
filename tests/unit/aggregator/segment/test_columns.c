/* Columns, dictionaries, runs and visitors as a query uses them, against the events themselves. */
#include <fcntl.h>
#include <pthread.h>

#include "core/bytes.h"
#include "tests/unit/aggregator/segment/format_repair.h"
#include "tests/unit/aggregator/segment/support.h"

struct fixture {
    char *dir;
    struct arena arena;
    struct event *events; /* settled */
    uint32_t n;
    struct segment *segment;
};

static void
fixture_init(struct fixture *f, uint64_t seed, const struct world *w, size_t n)
{
    struct random r = {seed};
    struct segment_file *files;
    size_t n_files;

    arena_init(&f->arena, 1 << 20);
    f->dir = test_folder();
    f->events = random_events(&r, w, n, &f->arena);
    write_events(f->events, n, f->dir, &f->arena, &files, &n_files);
    assert_int_equal(n_files, 1);
    f->n = (uint32_t)settle_events(f->events, n);
    f->segment = open_file(f->dir, files[0].name);
}

static void
fixture_fini(struct fixture *f)
{
    segment_close(&f->segment);
    arena_fini(&f->arena);
    remove_folder(f->dir);
}

static struct slice
property_of(const struct event *e, struct slice key)
{
    for (uint32_t i = 0; i < e->n_properties; i++)
        if (slice_equal(e->properties[i].key, key))
            return e->properties[i].value;
    return SLICE_EMPTY;
}

/* Any stretch of rows gives the events' texts; codes are in order of the texts. */
static void
assert_texts(struct random *r, const struct fixture *f, const struct segment_column *column,
             int text, struct slice key)
{
    uint32_t *codes = mem_alloc(f->n * sizeof *codes);

    assert_int_equal(column->n_rows, f->n);
    assert_int_equal(segment_text_value(column, 0).n, 0);
    for (uint32_t code = 1; code < column->n_codes; code++) {
        assert_int_equal(segment_text_find(column, segment_text_value(column, code)), code);
        if (code > 1)
            assert_true(slice_compare(segment_text_value(column, code - 1),
                                      segment_text_value(column, code)) < 0);
    }
    assert_int_equal(segment_text_find(column, SLICE("nobody has this")), 0);
    for (int i = 0; i < 20; i++) {
        uint32_t row = i == 0 ? 0 : random_below(r, f->n);
        uint32_t n = i == 0 ? f->n : random_below(r, f->n - row + 1);

        segment_codes(column, row, n, codes);
        for (uint32_t k = 0; k < n; k++) {
            const struct event *e = &f->events[row + k];

            assert_slices(segment_text_value(column, codes[k]),
                          text >= 0 ? e->text[text] : property_of(e, key));
        }
    }
    free(codes);
}

static void
assert_numbers(struct random *r, const struct fixture *f, enum event_number code)
{
    int64_t *values = mem_alloc(f->n * sizeof *values);
    bool *is_set = mem_alloc(f->n * sizeof *is_set);
    struct segment_column column;

    assert_int_equal(segment_number_open(f->segment, code, &column, NULL), ERR_OK);
    for (int i = 0; i < 20; i++) {
        uint32_t row = i == 0 ? 0 : random_below(r, f->n);
        uint32_t n = i == 0 ? f->n : random_below(r, f->n - row + 1);

        segment_values(&column, row, n, values, is_set);
        for (uint32_t k = 0; k < n; k++) {
            const struct event *e = &f->events[row + k];

            assert_int_equal(is_set[k], event_has_number(e, code));
            assert_int_equal(values[k], is_set[k] ? e->number[code] : 0);
        }
    }
    free(values);
    free(is_set);
}

/* From columns where every row is set to such where one in 500 is: all encodings. */
static void
test_columns_against_events(void **state)
{
    static const uint32_t sparse[] = {0, 1, 7, 100};
    struct random r = {1};

    (void)state;
    for (size_t i = 0; i < sizeof sparse / sizeof *sparse; i++) {
        struct world w = {2, 100, 100000000, 700, 12, JUNE_2026_MS, 2000000, sparse[i]};
        struct segment_column column;
        struct fixture f;

        fixture_init(&f, i, &w, 3000);
        for (int code = 0; code < TEXT_COUNT; code++) {
            assert_int_equal(segment_text_open(f.segment, (enum event_text)code, &column, NULL),
                             ERR_OK);
            assert_texts(&r, &f, &column, code, SLICE_EMPTY);
        }
        assert_int_equal(segment_property_count(f.segment), 12);
        for (uint32_t k = 0; k < segment_property_count(f.segment); k++) {
            struct slice key = segment_property_key(f.segment, k);

            assert_int_equal(segment_property_open(f.segment, key, &column, NULL), ERR_OK);
            assert_texts(&r, &f, &column, -1, key);
        }
        for (int code = 0; code < NUMBER_COUNT; code++)
            assert_numbers(&r, &f, (enum event_number)code);
        fixture_fini(&f);
    }
}

static void
test_absent_columns_open_as_not_set(void **state)
{
    struct world w = {1, 5, 1000, 3, 0, JUNE_2026_MS, 1000, 1000000};
    struct segment_column column;
    uint32_t codes[100] = {7};
    int64_t values[100] = {7};
    bool is_set[100] = {true};
    struct fixture f;

    (void)state;
    fixture_init(&f, 2, &w, 20);
    assert_int_equal(segment_property_count(f.segment), 0);
    assert_int_equal(segment_property_open(f.segment, SLICE("size"), &column, NULL), ERR_OK);
    assert_int_equal(column.n_codes, 1);
    segment_codes(&column, 0, f.n, codes);
    assert_int_equal(codes[0], 0);
    assert_int_equal(segment_text_open(f.segment, TEXT_KEYWORD, &column, NULL), ERR_OK);
    assert_int_equal(column.n_codes, 1);
    assert_int_equal(segment_text_find(&column, SLICE("x")), 0);
    assert_int_equal(segment_number_open(f.segment, NUMBER_LOAD_MS, &column, NULL), ERR_OK);
    segment_values(&column, 0, f.n, values, is_set);
    assert_int_equal(values[0], 0);
    assert_false(is_set[0]);
    fixture_fini(&f);
}

static void
test_runs_and_visitors(void **state)
{
    struct world w = {3, 400, 100000000, 3, 0, JUNE_2026_MS, 1000, 1000};
    struct segment_cursor *c;
    struct fixture f;

    (void)state;
    fixture_init(&f, 3, &w, 2000);
    c = segment_cursor_create(f.segment);
    for (uint32_t row = 0; row < f.n; row += 7) {
        const struct event *e = &f.events[row];
        const struct segment_site *site = segment_find_site(f.segment, e->site);
        uint64_t hash = segment_visitor_hash(&test_owner, e->visitor);
        uint32_t run = segment_run_of_row(f.segment, row);
        struct slice visitor;
        uint32_t found;

        assert_true(run >= site->run_begin && run < site->run_end);
        assert_true(segment_run_hashes(f.segment)[run] == hash);
        assert_int_equal(segment_seek_run(f.segment, site, hash), run);
        assert_int_equal(segment_cursor_visitor(c, run, &visitor, NULL), ERR_OK);
        assert_slices(visitor, e->visitor);
        assert_int_equal(segment_find_visitor(c, e->site, e->visitor, &found, NULL), ERR_OK);
        assert_int_equal(found, run);
    }
    assert_null(segment_find_site(f.segment, 4));
    assert_int_equal(segment_find_visitor(c, 1, SLICE("nobody"), &(uint32_t){0}, NULL),
                     ERR_NOT_FOUND);
    assert_int_equal(segment_find_visitor(c, 9, SLICE("v1"), &(uint32_t){0}, NULL), ERR_NOT_FOUND);
    segment_cursor_destroy(&c);
    fixture_fini(&f);
}

/* ---- threads ---- */

/* Opens every column and reads every event: returns NULL where all is well. */
static void *
read_everything(void *context)
{
    const struct fixture *f = context;
    struct segment_cursor *c = segment_cursor_create(f->segment);
    enum err_code rc = ERR_OK;
    bool is_same = true;
    struct arena a;
    struct event e;

    arena_init(&a, 65536);
    for (uint32_t row = 0; rc == ERR_OK && row < f->n; row++) {
        rc = segment_cursor_event(c, row, &a, &e, NULL);
        is_same &= rc == ERR_OK && slice_equal(e.id, f->events[row].id) &&
                   slice_equal(e.text[TEXT_URL], f->events[row].text[TEXT_URL]);
        arena_reset(&a);
    }
    is_same &= segment_check(f->segment, NULL) == ERR_OK;
    arena_fini(&a);
    segment_cursor_destroy(&c);
    return is_same ? NULL : context;
}

static void
test_threads_share_a_segment(void **state)
{
    struct world w = {1, 100, 100000000, 500, 3, JUNE_2026_MS, 1000, 1};
    pthread_t threads[4];
    struct fixture f;

    (void)state;
    fixture_init(&f, 5, &w, 1000);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_everything, &f), 0);
    for (int i = 0; i < 4; i++) {
        void *wrong = &f;

        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    fixture_fini(&f);
}

/* ---- two visitors with one hash ----
 *
 * Nobody can find such a pair, so the files are changed: every run gets the same hash. Visitors
 * are then told apart by their ids alone. */

static void
give_all_one_hash(const struct fixture *f)
{
    char path[FILE_PATH_MAX];
    struct buffer bytes;
    unsigned char *p;
    uint64_t at;
    int fd;

    file_path(path, f->dir, segment_name(f->segment));
    assert_int_equal(file_read(path, 1 << 24, &bytes, NULL), ERR_OK);
    p = (unsigned char *)bytes.p;
    at = load_u64(p + HEADER_DIRECTORY) + FORMAT_ENTRY; /* the second entry: hashes */
    assert_int_equal(load_u16(p + at + ENTRY_TYPE), BLOCK_RUN_HASH);
    for (uint32_t i = 0; i < load_u32(p + at + ENTRY_COUNT); i++)
        store_u64(p + load_u64(p + at + ENTRY_OFFSET) + (uint64_t)i * 8, 42);
    format_repair(p, bytes.n);
    fd = open(path, O_WRONLY);
    assert_int_equal(file_write(fd, bytes.p, bytes.n, NULL), ERR_OK);
    close(fd);
    buffer_fini(&bytes);
}

static void
test_visitors_of_one_hash_stay_apart(void **state)
{
    struct world w = {1, 9, 40, 3, 1, JUNE_2026_MS, 1000, 10};
    struct fixture f[2];
    const struct segment *inputs[2];
    struct segment_merge merge = {inputs, 2, 1, 202606, 0, NULL, 0, 0};
    struct segment_file *files;
    struct segment *merged;
    struct segment_cursor *c;
    struct event *all;
    size_t n_files;
    size_t n;

    (void)state;
    for (int i = 0; i < 2; i++) {
        fixture_init(&f[i], 20 + (uint64_t)i, &w, 60);
        give_all_one_hash(&f[i]);
        inputs[i] = f[i].segment;
    }
    n = f[0].n + f[1].n;
    all = ARENA_ARRAY(&f[0].arena, struct event, n);
    memcpy(all, f[0].events, f[0].n * sizeof *all);
    memcpy(all + f[0].n, f[1].events, f[1].n * sizeof *all);
    n = settle_events(all, n);
    assert_int_equal(segment_merge(&merge, f[0].dir, &f[0].arena, &files, &n_files, NULL), ERR_OK);
    assert_int_equal(n_files, 1);
    assert_int_equal(files[0].info.n_rows, n);
    assert_int_equal(files[0].info.n_runs, 9);
    merged = open_file(f[0].dir, files[0].name);
    c = segment_cursor_create(merged);
    for (uint32_t run = 0, row = 0; run < 9; run++) { /* runs in order of the ids */
        struct slice visitor;

        assert_int_equal(segment_cursor_visitor(c, run, &visitor, NULL), ERR_OK);
        assert_int_equal(visitor.p[1], '0' + (char)run);
        for (size_t i = 0; i < n; i++) {
            struct event e;

            if (!slice_equal(all[i].visitor, visitor))
                continue;
            assert_int_equal(segment_cursor_event(c, row++, &f[0].arena, &e, NULL), ERR_OK);
            assert_events(&e, &all[i]);
        }
        assert_int_equal(segment_run_rows(merged)[run + 1], row);
    }
    segment_cursor_destroy(&c);
    segment_close(&merged);
    fixture_fini(&f[1]);
    fixture_fini(&f[0]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_against_events),
        cmocka_unit_test(test_absent_columns_open_as_not_set),
        cmocka_unit_test(test_runs_and_visitors),
        cmocka_unit_test(test_threads_share_a_segment),
        cmocka_unit_test(test_visitors_of_one_hash_stay_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
