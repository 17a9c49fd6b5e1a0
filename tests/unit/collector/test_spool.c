/* The spool's files: what was appended comes back once, over restarts, at its limits, and after
 * every kind of damage that a file can take. What is not here: a disk that fails
 * (test_spool_disk.c). */
#include <sys/stat.h>
#include <sys/wait.h>

#include "collector/spool_file.h"
#include "tests/unit/collector/spool_world.h"

/* ---- Ordinary days ---- */

static void
test_what_is_appended_comes_back_once_and_its_file_goes(void **state)
{
    struct fixture *f = *state;
    unsigned char counts[NUMBERS_MAX];
    struct spool_figures figures;
    char names[8][256];

    assert_true(spool_is_empty(f->spool));
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(append(f, i * 3, 3, i, NULL), ERR_OK);
    assert_false(spool_is_empty(f->spool));
    assert_int_equal(drain(f->spool, counts, 7), 100);
    expect_once(counts, 300);
    assert_true(spool_is_empty(f->spool));
    assert_int_equal(list(f, names, 8), 0);
    spool_figures(f->spool, &figures);
    assert_int_equal(figures.n_spooled, 100);
    assert_int_equal(figures.n_drained, 100);
    assert_int_equal(figures.bytes, 0);
    assert_int_equal(append(f, 5, 1, 0, NULL), ERR_OK); /* and it goes on */
    assert_int_equal(drain(f->spool, counts, 7), 1);
}

static void
test_what_is_not_dropped_comes_again(void **state)
{
    struct fixture *f = *state;
    struct slice batches[SPOOL_PEEK_MAX];
    unsigned char counts[NUMBERS_MAX];

    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(append(f, i, 1, 0, NULL), ERR_OK);
    assert_int_equal(spool_peek(f->spool, batches, 4), 4);
    spool_drop(f->spool, 0);
    assert_int_equal(spool_peek(f->spool, batches, 4), 4);
    assert_int_equal(load_u32(batches[0].p + 2 + CODEC_RECORD_HEADER), 0);
    spool_drop(f->spool, 3);
    assert_int_equal(append(f, 10, 1, 0, NULL), ERR_OK); /* beside the reading */
    assert_int_equal(spool_peek(f->spool, batches, 4), 4);
    assert_int_equal(load_u32(batches[0].p + 2 + CODEC_RECORD_HEADER), 3);
    assert_int_equal(drain(f->spool, counts, 2), 8);
    assert_int_equal(counts[2], 0);
    expect_once(counts + 3, 8);
}

static void
test_a_restart_goes_on_behind_the_mark(void **state)
{
    struct fixture *f = *state;
    struct slice batches[SPOOL_PEEK_MAX];
    unsigned char counts[NUMBERS_MAX];
    struct spool_figures figures;

    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(append(f, i, 1, 100, NULL), ERR_OK);
    assert_int_equal(spool_peek(f->spool, batches, 5), 5);
    spool_drop(f->spool, 5);
    spool_close(&f->spool);
    open_spool(f);
    assert_false(spool_is_empty(f->spool));
    spool_figures(f->spool, &figures);
    assert_true(figures.bytes > 20 * 100);
    assert_int_equal(append(f, 20, 1, 100, NULL), ERR_OK); /* in a file of its own */
    assert_int_equal(drain(f->spool, counts, SPOOL_PEEK_MAX), 16);
    assert_int_equal(counts[4], 0);
    expect_once(counts + 5, 16);
}

/* Two collectors on one folder, as while one takes over from the other. */
static void
test_a_file_has_one_owner(void **state)
{
    struct fixture *f = *state;
    unsigned char counts[NUMBERS_MAX];
    struct spool *other;

    assert_int_equal(append(f, 0, 1, 0, NULL), ERR_OK);
    assert_int_equal(spool_open(&f->config, &other, NULL), ERR_OK);
    assert_true(spool_is_empty(other));
    assert_int_equal(drain(f->spool, counts, 1), 1);
    assert_int_equal(append(f, 1, 1, 0, NULL), ERR_OK);
    spool_close(&other);
    spool_close(&f->spool);
    assert_int_equal(spool_open(&f->config, &f->spool, NULL), ERR_OK);
    assert_int_equal(drain(f->spool, counts, 1), 1);
    assert_int_equal(counts[1], 1);
}

static void
test_many_files_are_kept_within_the_limit(void **state)
{
    struct fixture *f = *state;
    unsigned char counts[NUMBERS_MAX];
    struct spool_figures figures;
    struct err err = ERR_NONE;
    uint32_t n = 0, more;
    char names[200][256];

    spool_close(&f->spool);
    f->config.bytes_max = 8 * MB;
    open_spool(f);
    while (append(f, n, 1, 50000, &err) == ERR_OK)
        n++;
    assert_int_equal(err.code, ERR_FULL);
    assert_in_range(n, 8 * MB / 50100 - 1, 8 * MB / 50000);
    assert_in_range(list(f, names, 200), 7, 9);
    spool_figures(f->spool, &figures);
    assert_true(figures.bytes <= 8 * MB);

    /* room comes back a file at a time */
    for (more = 0; more < 25; more++) {
        struct slice batch;
        assert_int_equal(spool_peek(f->spool, &batch, 1), 1);
        spool_drop(f->spool, 1);
    }
    assert_int_equal(append(f, n, 1, 50000, &err), ERR_OK);
    drain(f->spool, counts, SPOOL_PEEK_MAX);
    expect_once(counts + 25, n + 1 - 25);
    assert_int_equal(list(f, names, 200), 0);
}

static void
test_the_disk_keeps_some_room(void **state)
{
    struct fixture *f = *state;
    struct err err;

    spool_close(&f->spool);
    f->config.free_bytes_min = UINT64_MAX / 2;
    open_spool(f);
    assert_int_equal(append(f, 0, 1, 0, &err), ERR_FULL);
    assert_non_null(strstr(err.message, "disk"));
    assert_true(spool_is_empty(f->spool));
}

/* ---- Damage ---- */

/* A spool file of 3 batches of 2 events as bytes; where its records begin goes to ends. */
static struct buffer
make_file(struct fixture *f, char *path, uint64_t ends[4])
{
    struct buffer bytes = BUFFER_EMPTY;
    char names[2][256];

    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(append(f, i * 2, 2, 10 + i, NULL), ERR_OK);
    spool_close(&f->spool);
    assert_int_equal(list(f, names, 2), 1);
    file_path(path, f->dir, names[0]);
    assert_int_equal(file_read(path, MB, &bytes, NULL), ERR_OK);
    ends[0] = SPOOL_FILE_HEAD;
    for (int i = 0; i < 3; i++)
        ends[i + 1] = ends[i] + SPOOL_RECORD_HEADER + load_u32(bytes.p + ends[i]);
    assert_int_equal(ends[3], bytes.n);
    return bytes;
}

static void
test_a_tail_torn_at_every_byte_costs_only_what_was_never_answered(void **state)
{
    struct fixture *f = *state;
    unsigned char counts[NUMBERS_MAX];
    struct spool_figures figures;
    char path[FILE_PATH_MAX], names[2][256];
    uint64_t ends[4];
    struct buffer bytes = make_file(f, path, ends);

    for (size_t n = 0; n <= bytes.n; n++) {
        uint32_t n_whole = n >= ends[3] ? 3 : n >= ends[2] ? 2 : n >= ends[1] ? 1 : 0;
        put_file(path, bytes.p, n);
        open_spool(f);
        assert_int_equal(drain(f->spool, counts, 2), n_whole);
        expect_once(counts, n_whole * 2);
        assert_int_equal(counts[n_whole * 2], 0);
        spool_figures(f->spool, &figures);
        assert_int_equal(figures.n_damaged, 0);
        assert_int_equal(list(f, names, 2), 0); /* a torn tail is not kept */
        assert_int_equal(append(f, 9, 1, 0, NULL), ERR_OK);
        assert_int_equal(drain(f->spool, counts, 2), 1);
        spool_close(&f->spool);
    }
    /* a file made longer before its bytes came, as after a power cut */
    for (size_t i = 0; i < 300; i++)
        buffer_add_char(&bytes, '\0');
    put_file(path, bytes.p, bytes.n);
    open_spool(f);
    assert_int_equal(drain(f->spool, counts, 2), 3);
    expect_once(counts, 6);
    buffer_fini(&bytes);
}

/* What one flipped bit may cost: in the head nothing, in a record's header the record, in its body
 * one event, or all behind a length that is no more. */
static void
expect_flipped(const unsigned char *counts, const uint64_t ends[4], size_t at)
{
    uint32_t hit = 3; /* none */

    for (uint32_t i = 0; i < 3; i++)
        if (at >= ends[i] && at < ends[i + 1])
            hit = i;
    for (uint32_t i = 0; i < 3; i++) {
        int n = counts[i * 2] + counts[i * 2 + 1];
        if (counts[i * 2] > 1 || counts[i * 2 + 1] > 1 || (i != hit && n != 2) ||
            (i == hit && n == 2 && at >= ends[i] + SPOOL_RECORD_HEADER))
            fail_msg("bit flipped at %zu: batch %u has %d events", at, i, n);
    }
}

static void
test_a_flipped_bit_costs_what_it_hit(void **state)
{
    struct fixture *f = *state;
    unsigned char counts[NUMBERS_MAX];
    struct spool_figures figures;
    char path[FILE_PATH_MAX], names[4][256];
    uint64_t ends[4];
    struct buffer bytes = make_file(f, path, ends);

    for (size_t at = 0; at < bytes.n; at++) {
        for (int bit = 0; bit < 8; bit += 3) {
            bytes.p[at] = (char)(bytes.p[at] ^ 1 << bit);
            put_file(path, bytes.p, bytes.n);
            bytes.p[at] = (char)(bytes.p[at] ^ 1 << bit);
            open_spool(f);
            drain(f->spool, counts, 2);
            expect_flipped(counts, ends, at);
            spool_figures(f->spool, &figures);
            /* found and named, but where it cannot be told from a torn tail */
            assert_int_equal(figures.n_damaged,
                             at >= ends[0] && !(at >= ends[2] && at < ends[2] + 8));
            assert_int_equal(list(f, names, 4), figures.n_damaged);
            if (figures.n_damaged)
                assert_true(slice_ends_with(slice_from(names[0]), SLICE(".bad")));
            spool_close(&f->spool);
            remove_files(f);
        }
    }
    buffer_fini(&bytes);
}

static void
test_an_event_that_looks_like_a_record_is_none(void **state)
{
    struct fixture *f = *state;
    unsigned char counts[NUMBERS_MAX];
    struct buffer bytes, forged = BUFFER_EMPTY, batch = BUFFER_EMPTY, inner = BUFFER_EMPTY;
    char path[FILE_PATH_MAX], names[2][256];
    struct slice all;

    make_batch(&inner, 77, 1, 0); /* whoever wrote it guessed the offset, but not the salt */
    spool_file_add(&forged, 12345, SPOOL_FILE_HEAD + SPOOL_RECORD_HEADER + 2 + CODEC_RECORD_HEADER,
                   buffer_slice(&inner));
    codec_batch_begin(&batch);
    buffer_add_u32(&batch, (uint32_t)forged.n);
    buffer_add_u64(&batch, checksum64(forged.p, forged.n));
    buffer_add(&batch, forged.p, forged.n);
    all = buffer_slice(&batch);
    assert_int_equal(spool_append(f->spool, &all, 1, NULL), ERR_OK);
    assert_int_equal(append(f, 1, 1, 0, NULL), ERR_OK);
    spool_close(&f->spool);
    assert_int_equal(list(f, names, 2), 1);
    file_path(path, f->dir, names[0]);
    assert_int_equal(file_read(path, MB, &bytes, NULL), ERR_OK);
    bytes.p[SPOOL_FILE_HEAD] ^= 1; /* now the reader looks for the next record */
    put_file(path, bytes.p, bytes.n);
    open_spool(f);
    assert_int_equal(drain(f->spool, counts, 2), 1);
    assert_int_equal(counts[77], 0);
    assert_int_equal(counts[1], 1);
    buffer_fini(&bytes);
    buffer_fini(&forged);
    buffer_fini(&batch);
    buffer_fini(&inner);
}

static void
test_what_is_not_ours_is_left_as_it_is(void **state)
{
    struct fixture *f = *state;
    unsigned char counts[NUMBERS_MAX];
    char path[FILE_PATH_MAX], strange[FILE_PATH_MAX], names[4][256];
    uint64_t ends[4];
    struct buffer bytes = make_file(f, path, ends);

    for (int copy = 0; copy < 2; copy++) { /* of a newer Corong */
        char *head = bytes.p + (size_t)copy * 32;
        store_u32(head + 8, SPOOL_FILE_VERSION + 1);
        store_u64(head + 24, checksum64(head, 24));
    }
    put_file(path, bytes.p, bytes.n);
    memset(bytes.p, 'x', bytes.n);
    file_path(strange, f->dir, "strange.spool");
    put_file(strange, bytes.p, bytes.n);
    open_spool(f);
    assert_int_equal(drain(f->spool, counts, 2), 0);
    assert_int_equal(list(f, names, 4), 2);
    buffer_fini(&bytes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_what_is_appended_comes_back_once_and_its_file_goes),
        WITH_FOLDER(test_what_is_not_dropped_comes_again),
        WITH_FOLDER(test_a_restart_goes_on_behind_the_mark),
        WITH_FOLDER(test_a_file_has_one_owner),
        WITH_FOLDER(test_many_files_are_kept_within_the_limit),
        WITH_FOLDER(test_the_disk_keeps_some_room),
        WITH_FOLDER(test_a_tail_torn_at_every_byte_costs_only_what_was_never_answered),
        WITH_FOLDER(test_a_flipped_bit_costs_what_it_hit),
        WITH_FOLDER(test_an_event_that_looks_like_a_record_is_none),
        WITH_FOLDER(test_what_is_not_ours_is_left_as_it_is),
    };

    log_set_level(LOG_ERROR + 1); /* damage is the point */
    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
