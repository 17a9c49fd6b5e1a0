/* The spool on a disk that is small, full or fails, and with few descriptors: nothing that was
 * acknowledged is lost, nothing is promised that is not on disk. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "collector/spool_file.h"
#include "tests/unit/collector/spool_world.h"

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_a_write_that_fails_leaves_nothing_behind),
        WITH_FOLDER(test_a_failed_sync_promises_nothing),
        WITH_FOLDER(test_a_disk_that_fails_for_long_uses_up_nothing),
        WITH_FOLDER(test_more_files_than_descriptors_are_taken_in_turns),
        WITH_FOLDER(test_files_of_one_that_ended_are_adopted),
        WITH_FOLDER(test_a_new_folder_outlives_a_power_cut),
        WITH_FOLDER(test_a_full_disk_is_said_and_survived),
    };

    log_set_level(LOG_ERROR + 1); /* damage is the point */
    return cmocka_run_group_tests_name("spool_disk", tests, NULL, NULL);
}
