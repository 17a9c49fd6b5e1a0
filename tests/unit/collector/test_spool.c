/* The spool's files: what was appended comes back once, over restarts, at its limits, and after
 * every kind of damage that a file can take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/spool.h"
#include "collector/spool_file.h"
#include "core/bytes.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/log.h"

#define MB          (1024 * 1024)
#define NUMBERS_MAX 4096

/* ---- A disk that fails, in place of the C library's ---- */

static int fdatasync_fails_every; /* 0: never */
static int n_fdatasync;
static char last_synced[FILE_PATH_MAX];

int
fdatasync(int fd)
{
    if (fdatasync_fails_every != 0 && ++n_fdatasync % fdatasync_fails_every == 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
    char link[64];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, last_synced, sizeof last_synced - 1);
    last_synced[n > 0 ? n : 0] = '\0';
    return (int)syscall(SYS_fsync, fd);
}

struct fixture {
    char dir[64];
    struct spool_config config;
    struct spool *spool;
};

static void
open_spool(struct fixture *f)
{
    struct err err;

    assert_int_equal(spool_open(&f->config, &f->spool, &err), ERR_OK);
}

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    snprintf(f->dir, sizeof f->dir, "/tmp/corong-spool-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->config = (struct spool_config){.dir = f->dir, .bytes_max = 64 * MB, .free_bytes_min = 1};
    open_spool(f);
    *state = f;
    return 0;
}

/* Names of the folder's files, sorted; returns how many. */
static int
list(const struct fixture *f, char names[][256], int max)
{
    struct dirent **entries;
    int n = scandir(f->dir, &entries, NULL, alphasort), n_kept = 0;

    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.' && n_kept < max)
            snprintf(names[n_kept++], 256, "%s", entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return n_kept;
}

static void
remove_files(const struct fixture *f)
{
    char names[200][256], path[FILE_PATH_MAX];

    for (int n = list(f, names, 200); n > 0; n--) {
        file_path(path, f->dir, names[n - 1]);
        unlink(path);
    }
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    spool_close(&f->spool);
    remove_files(f);
    rmdir(f->dir);
    free(f);
    return 0;
}

/* ---- Batches whose events are numbers ---- */

static void
add_event(struct buffer *b, uint32_t number, size_t filling)
{
    size_t at = b->n;

    buffer_add_u32(b, (uint32_t)(4 + filling));
    buffer_add_u64(b, 0);
    buffer_add_u32(b, number);
    for (size_t i = 0; i < filling; i++)
        buffer_add_char(b, (char)(number + i));
    store_u64(b->p + at + 4, checksum64(b->p + at + CODEC_RECORD_HEADER, 4 + filling));
}

/* Batch of `n` events: first, first + 1, .. */
static void
make_batch(struct buffer *b, uint32_t first, uint32_t n, size_t filling)
{
    codec_batch_begin(b);
    for (uint32_t i = 0; i < n; i++)
        add_event(b, first + i, filling);
}

static enum err_code
append(struct fixture *f, uint32_t first, uint32_t n, size_t filling, struct err *err)
{
    struct buffer b = BUFFER_EMPTY;
    struct slice batch;
    enum err_code rc;

    make_batch(&b, first, n, filling);
    batch = buffer_slice(&b);
    rc = spool_append(f->spool, &batch, 1, err);
    buffer_fini(&b);
    return rc;
}

/* Count the events of what the spool gives, dropping `step` batches at a time. */
static int
drain(struct spool *spool, unsigned char *counts, int step)
{
    struct slice batches[SPOOL_PEEK_MAX];
    struct codec_reader reader;
    struct slice payload;
    int n_batches = 0, n;

    memset(counts, 0, NUMBERS_MAX);
    while ((n = spool_peek(spool, batches, step)) > 0) {
        for (int i = 0; i < n; i++) {
            assert_int_equal(codec_reader_init(&reader, batches[i], NULL), ERR_OK);
            while (codec_reader_next(&reader, &payload)) {
                assert_true(load_u32(payload.p) < NUMBERS_MAX);
                counts[load_u32(payload.p)]++;
            }
            assert_int_equal(reader.n_bad, 0);
        }
        spool_drop(spool, n);
        n_batches += n;
    }
    return n_batches;
}

static void
expect_once(const unsigned char *counts, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (counts[i] != 1)
            fail_msg("event %u is there %d times", i, counts[i]);
}

static void
put_file(const char *path, const char *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(file_write(fd, bytes, n, NULL), ERR_OK);
    close(fd);
}

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

/* ---- A disk of 4 MB, in a mount namespace of its own ---- */

/* As assert_true, in a child that must not go on with the other tests. */
static void
must(bool is_true, int line)
{
    if (is_true)
        return;
    fprintf(stderr, "in the child: line %d\n", line);
    _exit(1);
}
#define MUST(x) must((x), __LINE__)

static bool
write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    bool is_written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    close(fd);
    return is_written;
}

/* A namespace in which this user may mount. */
static bool
mount_small_disk(const char *dir)
{
    char users[64], groups[64];

    snprintf(users, sizeof users, "0 %u 1", (unsigned)geteuid());
    snprintf(groups, sizeof groups, "0 %u 1", (unsigned)getegid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_text("/proc/self/uid_map", users) &&
           write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/gid_map", groups) &&
           mount("none", dir, "tmpfs", 0, "size=4m") == 0;
}

static void
fill_a_disk(const char *dir)
{
    struct spool_config config = {.dir = dir, .bytes_max = 64 * MB, .free_bytes_min = 1};
    struct fixture f = {.config = config};
    unsigned char counts[NUMBERS_MAX];
    char filler[FILE_PATH_MAX];
    struct err err = ERR_NONE;
    uint32_t n = 0;
    int fd;

    MUST(spool_open(&f.config, &f.spool, &err) == ERR_OK);
    MUST(append(&f, n++, 1, 1000, &err) == ERR_OK);
    file_path(filler, dir, "filler");
    fd = open(filler, O_WRONLY | O_CREAT, 0600);
    MUST(posix_fallocate(fd, 0, 4 * MB - 128 * 1024) == 0);
    close(fd);
    while (append(&f, n, 1, 30000, &err) == ERR_OK)
        n++;
    MUST(err.code == ERR_FULL);
    MUST(append(&f, n, 1, 30000, &err) == ERR_FULL);
    MUST(unlink(filler) == 0);
    MUST(append(&f, n++, 1, 30000, &err) == ERR_OK); /* at once */
    spool_close(&f.spool);
    MUST(spool_open(&f.config, &f.spool, &err) == ERR_OK);
    drain(f.spool, counts, SPOOL_PEEK_MAX);
    for (uint32_t i = 0; i < NUMBERS_MAX; i++)
        MUST(counts[i] == (i < n));
    spool_close(&f.spool);
}

/* The disk is asked before a write, but may be filled by others in between. */
static void
test_a_write_that_fails_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    struct rlimit was, small;
    unsigned char counts[NUMBERS_MAX];
    struct err err = ERR_NONE;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);

    assert_int_equal(append(f, 0, 1, 1000, &err), ERR_OK);
    getrlimit(RLIMIT_FSIZE, &was);
    small = was;
    small.rlim_cur = 20000;
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(append(f, 1, 1, 30000, &err), ERR_IO); /* written in part */
    setrlimit(RLIMIT_FSIZE, &was);
    signal(SIGXFSZ, handler);
    assert_int_equal(append(f, 1, 1, 30000, &err), ERR_OK); /* into another file */
    spool_close(&f->spool);
    open_spool(f);
    assert_int_equal(drain(f->spool, counts, 1), 2);
    expect_once(counts, 2);
}

static int
count_descriptors(void)
{
    struct dirent **entries;
    int n = scandir("/proc/self/fd", &entries, NULL, NULL);

    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    return n;
}

/* What a failed fdatasync would have written is never promised, nor is the file written again. */
static void
test_a_failed_sync_promises_nothing(void **state)
{
    struct fixture *f = *state;
    unsigned char counts[NUMBERS_MAX];
    char names[4][256];
    struct err err;

    assert_int_equal(append(f, 0, 1, 100, &err), ERR_OK);
    fdatasync_fails_every = 1;
    assert_int_equal(append(f, 1, 1, 100, &err), ERR_IO);
    assert_int_equal(append(f, 2, 1, 100, &err), ERR_IO);
    fdatasync_fails_every = 0;
    assert_int_equal(append(f, 3, 1, 100, &err), ERR_OK);
    assert_int_equal(list(f, names, 4), 2);
    spool_close(&f->spool);
    open_spool(f);
    assert_int_equal(drain(f->spool, counts, 1), 2);
    assert_int_equal(counts[0], 1);
    assert_int_equal(counts[3], 1);
}

/* Every new file's head is synced, and its first record is not: nothing may pile up. */
static void
test_a_disk_that_fails_for_long_uses_up_nothing(void **state)
{
    struct fixture *f = *state;
    unsigned char counts[NUMBERS_MAX];
    struct spool_figures figures;
    char names[4][256];
    int n_descriptors = count_descriptors();
    struct err err;

    fdatasync_fails_every = 2;
    n_fdatasync = 0;
    for (int i = 0; i < 300; i++)
        assert_int_equal(append(f, 1, 1, 100, &err), ERR_IO);
    fdatasync_fails_every = 0;
    assert_int_equal(count_descriptors(), n_descriptors);
    assert_int_equal(list(f, names, 4), 0);
    spool_figures(f->spool, &figures);
    assert_int_equal(figures.bytes, 0);
    assert_int_equal(append(f, 2, 1, 100, &err), ERR_OK);
    assert_int_equal(drain(f->spool, counts, 1), 1);
    assert_int_equal(counts[2], 1);
}

/* A file of one event, as a killed collector leaves it. */
static void
leave_file(const struct fixture *f, uint32_t number)
{
    struct buffer batch = BUFFER_EMPTY, bytes = BUFFER_EMPTY;
    char name[32], path[FILE_PATH_MAX];

    make_batch(&batch, number, 1, 10);
    spool_file_begin(&bytes, number);
    spool_file_add(&bytes, number, bytes.n, buffer_slice(&batch));
    snprintf(name, sizeof name, "%08u.spool", number);
    file_path(path, f->dir, name);
    put_file(path, bytes.p, bytes.n);
    buffer_fini(&batch);
    buffer_fini(&bytes);
}

/* A collector that was started and killed all night: as many files, and no more descriptors than
 * the collector has to spare. */
static void
test_more_files_than_descriptors_are_taken_in_turns(void **state)
{
    struct fixture *f = *state;
    unsigned char counts[NUMBERS_MAX], all[NUMBERS_MAX] = {0};
    int n_descriptors = count_descriptors();
    char names[4][256];

    for (uint32_t i = 0; i < 300; i++)
        leave_file(f, i);
    spool_adopt(f->spool);
    assert_in_range(count_descriptors() - n_descriptors, 1, 150);
    for (int turn = 0; turn < 10; turn++) {
        drain(f->spool, counts, SPOOL_PEEK_MAX);
        for (int i = 0; i < 300; i++)
            all[i] = (unsigned char)(all[i] + counts[i]);
        spool_adopt(f->spool);
    }
    expect_once(all, 300);
    assert_int_equal(list(f, names, 4), 0);
}

/* The collector beside this one has ended: what it left is ours without a restart. */
static void
test_files_of_one_that_ended_are_adopted(void **state)
{
    struct fixture *f = *state;
    unsigned char counts[NUMBERS_MAX];
    struct spool *mine = f->spool, *other;

    assert_int_equal(spool_open(&f->config, &other, NULL), ERR_OK);
    f->spool = other;
    assert_int_equal(append(f, 1, 1, 10, NULL), ERR_OK);
    f->spool = mine;
    spool_adopt(f->spool);
    assert_true(spool_is_empty(f->spool)); /* it is there still */
    spool_close(&other);
    spool_adopt(f->spool);
    spool_adopt(f->spool); /* once */
    assert_int_equal(drain(f->spool, counts, 1), 1);
    assert_int_equal(counts[1], 1);
}

static void
test_a_new_folder_outlives_a_power_cut(void **state)
{
    struct fixture *f = *state;
    char dir[FILE_PATH_MAX];
    struct spool_config config = f->config;
    struct spool *s;

    file_path(dir, f->dir, "new");
    config.dir = dir;
    last_synced[0] = '\0';
    assert_int_equal(spool_open(&config, &s, NULL), ERR_OK);
    assert_string_equal(last_synced, f->dir); /* its name, in the folder above */
    spool_close(&s);
    rmdir(dir);
}

static void
test_a_full_disk_is_said_and_survived(void **state)
{
    struct fixture *f = *state;
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        if (!mount_small_disk(f->dir))
            _exit(77);
        fill_a_disk(f->dir);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        fprintf(stderr, "skipped: no mount namespace is to be had here\n");
        skip();
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#define WITH_FOLDER(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

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
        WITH_FOLDER(test_a_write_that_fails_leaves_nothing_behind),
        WITH_FOLDER(test_a_failed_sync_promises_nothing),
        WITH_FOLDER(test_a_disk_that_fails_for_long_uses_up_nothing),
        WITH_FOLDER(test_more_files_than_descriptors_are_taken_in_turns),
        WITH_FOLDER(test_files_of_one_that_ended_are_adopted),
        WITH_FOLDER(test_a_new_folder_outlives_a_power_cut),
        WITH_FOLDER(test_a_full_disk_is_said_and_survived),
    };

    log_set_level(LOG_ERROR + 1); /* damage is the point */
    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
