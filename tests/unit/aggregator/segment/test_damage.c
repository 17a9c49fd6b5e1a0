/* One flipped bit anywhere, or a file cut anywhere: named as corrupt, or harmless. Never a crash,
 * never other content. */
#include <fcntl.h>

#include "core/bytes.h"
#include "tests/unit/aggregator/segment/format_repair.h"
#include "tests/unit/aggregator/segment/support.h"

/* A small file that has all encodings, and what it says. */
struct sample {
    char *dir;
    char path[FILE_PATH_MAX];
    struct buffer bytes;
    struct event *events;
    size_t n;
    struct arena arena;
};

static void
sample_init(struct sample *s, uint64_t seed, const struct world *w, size_t n)
{
    struct random r = {seed};
    struct segment_file *files;
    size_t n_files;

    *s = (struct sample){.n = n};
    arena_init(&s->arena, 1 << 16);
    s->dir = test_folder();
    s->events = random_events(&r, w, n, &s->arena);
    write_events(s->events, n, s->dir, &s->arena, &files, &n_files);
    assert_int_equal(n_files, 1);
    s->n = settle_events(s->events, n);
    file_path(s->path, s->dir, files[0].name);
    assert_int_equal(file_read(s->path, 1 << 24, &s->bytes, NULL), ERR_OK);
}

/* The same of a merged file, whose columns are guessed from others. */
static void
sample_init_merged(struct sample *s, uint64_t seed, size_t n)
{
    struct random r = {seed};
    struct segment_file *files;
    struct segment *flush;
    size_t n_files;

    *s = (struct sample){.n = n};
    arena_init(&s->arena, 1 << 16);
    s->dir = test_folder();
    s->events = likely_events(&r, n, &s->arena);
    write_events(s->events, n, s->dir, &s->arena, &files, &n_files);
    assert_int_equal(n_files, 1);
    s->n = settle_events(s->events, n);
    flush = open_file(s->dir, files[0].name);
    assert_int_equal(
        segment_merge(&(struct segment_merge){.inputs = (const struct segment *const *)&flush,
                                              .n_inputs = 1,
                                              .site = 1,
                                              .month = 202606},
                      s->dir, &s->arena, &files, &n_files, NULL),
        ERR_OK);
    assert_int_equal(n_files, 1);
    segment_close(&flush);
    file_path(s->path, s->dir, files[0].name);
    assert_int_equal(file_read(s->path, 1 << 24, &s->bytes, NULL), ERR_OK);
}

static void
sample_fini(struct sample *s)
{
    buffer_fini(&s->bytes);
    arena_fini(&s->arena);
    remove_folder(s->dir);
}

/* Are these the events that the sample has? An error goes to *rc. */
static void
read_all(const struct segment *segment, const struct sample *s, enum err_code *rc, struct err *err)
{
    struct segment_cursor *c = segment_cursor_create(segment);
    struct arena a;
    struct event e;

    arena_init(&a, 4096);
    assert_int_equal(segment_info(segment)->n_rows, s->n);
    for (uint32_t row = 0; *rc == ERR_OK && row < s->n; row++) {
        *rc = segment_cursor_event(c, row, &a, &e, err);
        if (*rc == ERR_OK)
            assert_events(&e, &s->events[row]);
        arena_reset(&a);
    }
    arena_fini(&a);
    segment_cursor_destroy(&c);
}

/* Returns whether the damage was seen. */
static bool
is_seen(const struct sample *s)
{
    struct segment *segment = NULL;
    struct err err = ERR_NONE;
    enum err_code checked;
    enum err_code rc = segment_open(s->path, &test_owner, &segment, &err);

    if (rc == ERR_OK) {
        read_all(segment, s, &rc, &err);
        checked = segment_check(segment, NULL);
        if (rc != ERR_OK)
            assert_int_equal(checked, ERR_CORRUPT);
        segment_close(&segment);
    }
    if (rc != ERR_OK) {
        assert_int_equal(rc, ERR_CORRUPT);
        assert_non_null(strstr(err.message, strrchr(s->path, '/') + 1)); /* names the file */
    }
    return rc != ERR_OK;
}

/* Every step-th byte of the sample, one bit of it. */
static void
flip_bits(struct sample *s, size_t step)
{
    size_t n_seen = 0;
    int fd = open(s->path, O_WRONLY);

    assert_true(fd >= 0);
    assert_false(is_seen(s));
    for (size_t at = 0; at < s->bytes.n; at += step) {
        char flipped = (char)(s->bytes.p[at] ^ 1 << at * 5 % 8);

        assert_int_equal(pwrite(fd, &flipped, 1, (off_t)at), 1);
        n_seen += is_seen(s);
        assert_int_equal(pwrite(fd, s->bytes.p + at, 1, (off_t)at), 1);
    }
    close(fd);
    assert_false(is_seen(s));
    printf("  %zu bytes, %zu flips seen, the rest lay between blocks\n", s->bytes.n, n_seen);
    assert_true(n_seen > s->bytes.n / step / 2);
}

static void
test_every_flipped_bit(void **state)
{
    struct world w = {2, 12, 1000, 4, 3, JUNE_2026_MS, 5000, 2};
    struct sample s;

    (void)state;
    sample_init(&s, 3, &w, 40);
    flip_bits(&s, 1);
    sample_fini(&s);
}

static void
test_flipped_bits_of_a_merged_file(void **state)
{
    struct sample s;

    (void)state;
    sample_init_merged(&s, 4, 400);
    flip_bits(&s, 3);
    sample_fini(&s);
}

static void
test_every_cut(void **state)
{
    struct world w = {1, 8, 1000, 4, 2, JUNE_2026_MS, 5000, 2};
    struct sample s;

    (void)state;
    sample_init(&s, 4, &w, 30);
    for (size_t n = s.bytes.n; n-- > 0;) {
        assert_int_equal(truncate(s.path, (off_t)n), 0);
        assert_true(is_seen(&s));
    }
    sample_fini(&s);
}

/* More bytes than there should be are no less wrong. */
static void
test_appended_bytes(void **state)
{
    struct world w = {1, 8, 1000, 4, 2, JUNE_2026_MS, 5000, 2};
    struct sample s;
    int fd;

    (void)state;
    sample_init(&s, 5, &w, 30);
    fd = open(s.path, O_WRONLY | O_APPEND);
    assert_int_equal(
        write(fd, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 64), 64);
    assert_true(is_seen(&s));
    close(fd);
    sample_fini(&s);
}

/* Blocks of several pages: a flip in any page is seen. */
static void
test_flips_in_a_large_file(void **state)
{
    struct world w = {1, 3000, 100000000, 3000, 5, JUNE_2026_MS, 2000000, 2};
    struct random r = {6};
    struct sample s;
    size_t n_seen = 0;
    int fd;

    (void)state;
    sample_init(&s, 6, &w, 30000);
    fd = open(s.path, O_WRONLY);
    for (int i = 0; i < 60; i++) {
        size_t at = random_below(&r, (uint32_t)s.bytes.n);
        char flipped = (char)(s.bytes.p[at] ^ 1);
        struct segment *segment = NULL;
        enum err_code rc;

        assert_int_equal(pwrite(fd, &flipped, 1, (off_t)at), 1);
        rc = segment_open(s.path, &test_owner, &segment, NULL);
        if (rc == ERR_OK)
            rc = segment_check(segment, NULL);
        assert_true(rc == ERR_OK || rc == ERR_CORRUPT);
        n_seen += rc == ERR_CORRUPT;
        segment_close(&segment);
        assert_int_equal(pwrite(fd, s.bytes.p + at, 1, (off_t)at), 1);
    }
    close(fd);
    assert_true(n_seen >= 55); /* few bytes lie between blocks */
    sample_fini(&s);
}

static enum err_code
open_changed(const struct sample *s, const struct buffer *bytes, const struct segment_owner *owner,
             struct err *err)
{
    struct segment *segment = NULL;
    enum err_code rc;
    int fd = open(s->path, O_WRONLY);

    assert_int_equal(file_write(fd, bytes->p, bytes->n, NULL), ERR_OK);
    close(fd);
    rc = segment_open(s->path, owner, &segment, err);
    if (rc == ERR_OK)
        rc = segment_check(segment, err);
    segment_close(&segment);
    return rc;
}

static void
test_newer_and_foreign_files(void **state)
{
    struct world w = {1, 8, 1000, 4, 2, JUNE_2026_MS, 5000, 2};
    struct segment_owner other = test_owner;
    struct err err = ERR_NONE;
    struct sample s;

    (void)state;
    sample_init(&s, 8, &w, 30);
    other.install_id[3] ^= 1;
    assert_int_equal(open_changed(&s, &s.bytes, &other, &err), ERR_CONFLICT);
    other = test_owner;
    other.hash_seed++;
    assert_int_equal(open_changed(&s, &s.bytes, &other, &err), ERR_CONFLICT);
    store_u32(s.bytes.p + HEADER_VERSION, FORMAT_VERSION + 1);
    format_repair((unsigned char *)s.bytes.p, s.bytes.n);
    assert_int_equal(open_changed(&s, &s.bytes, &test_owner, &err), ERR_VERSION);
    assert_non_null(strstr(err.message, "newer"));
    sample_fini(&s);
}

/* A newer writer may add blocks: an optional one is skipped, any other one refuses the file. */
static void
test_unknown_blocks(void **state)
{
    struct world w = {1, 8, 1000, 4, 0, JUNE_2026_MS, 5000, 0};
    struct err err = ERR_NONE;
    unsigned char given[FORMAT_ENTRY];
    struct sample s;
    unsigned char *last;

    (void)state;
    sample_init(&s, 9, &w,
                30); /* its last blocks are load_ms and the given ids: they change places */
    last = (unsigned char *)s.bytes.p + s.bytes.n - FORMAT_FOOTER - FORMAT_ENTRY;
    memcpy(given, last, FORMAT_ENTRY);
    memcpy(last, last - FORMAT_ENTRY, FORMAT_ENTRY);
    memcpy(last - FORMAT_ENTRY, given, FORMAT_ENTRY);
    assert_int_equal(load_u16(last + ENTRY_TYPE), BLOCK_NUMBER);
    store_u16(last + ENTRY_TYPE, 900);
    format_repair((unsigned char *)s.bytes.p, s.bytes.n);
    assert_int_equal(open_changed(&s, &s.bytes, &test_owner, &err), ERR_VERSION);
    store_u32(last + ENTRY_FLAGS, ENTRY_OPTIONAL);
    format_repair((unsigned char *)s.bytes.p, s.bytes.n);
    assert_int_equal(open_changed(&s, &s.bytes, &test_owner, &err), ERR_OK);
    sample_fini(&s);
}

/* Wrong bytes behind right checksums: whoever wrote them, nothing may be read out of bounds. */
static void
test_lies_with_right_checksums(void **state)
{
    struct world w = {2, 12, 1000, 4, 3, JUNE_2026_MS, 5000, 2};
    struct buffer bytes = BUFFER_EMPTY;
    struct random r = {10};
    size_t n_ok = 0;
    struct sample s;

    (void)state;
    sample_init(&s, 10, &w, 40);
    for (int i = 0; i < 4000; i++) {
        enum err_code rc;

        buffer_clear(&bytes);
        buffer_add_slice(&bytes, buffer_slice(&s.bytes));
        for (uint32_t k = 1 + random_below(&r, 3); k > 0; k--)
            bytes.p[random_below(&r, (uint32_t)bytes.n)] = (char)random_next(&r);
        format_repair((unsigned char *)bytes.p, bytes.n);
        rc = open_changed(&s, &bytes, &test_owner, NULL);
        assert_true(rc == ERR_OK || rc == ERR_CORRUPT || rc == ERR_VERSION || rc == ERR_CONFLICT);
        n_ok += rc == ERR_OK;
    }
    printf("  %zu of 4000 lies could not be told from data\n", n_ok);
    buffer_fini(&bytes);
    sample_fini(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_flipped_bit),
        cmocka_unit_test(test_flipped_bits_of_a_merged_file),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_appended_bytes),
        cmocka_unit_test(test_flips_in_a_large_file),
        cmocka_unit_test(test_newer_and_foreign_files),
        cmocka_unit_test(test_unknown_blocks),
        cmocka_unit_test(test_lies_with_right_checksums),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
