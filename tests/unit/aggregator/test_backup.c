/* Backup and restore: what was acknowledged before is there after, the former backup outlives every
 * failure, and nothing damaged is restored. */
#include <sys/stat.h>

#include "aggregator/backup.h"
#include "aggregator/backup_manifest.h"
#include "core/codec.h"
#include "tests/unit/aggregator/redis_side.h"

struct world {
    struct fixture *f;
    struct redis_fixture redis;
    struct stream_address address;
    struct stream *stream;
    char top[64]; /* of what follows */
    char backup[80];
    char restored[80];
    char spool[96];
    const char *erased; /* a file of tombstones given to restore */
    char problems[4000];
};

static int
setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    w->f = redis_side_open(&w->redis, &w->address, &w->stream);
    snprintf(w->top, sizeof w->top, "/tmp/corong-test-XXXXXX");
    assert_non_null(mkdtemp(w->top));
    snprintf(w->backup, sizeof w->backup, "%s/backup", w->top);
    snprintf(w->restored, sizeof w->restored, "%s/restored", w->top);
    snprintf(w->spool, sizeof w->spool, "%s/spool", w->f->dir);
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;

    redis_side_close(w->f, &w->redis, &w->stream);
    folder_remove(w->top);
    free(w);
    return 0;
}

/* ---- Events ---- */

static void
commit_event(struct world *w, const char *visitor, const char *name)
{
    struct event e = event_of(1, visitor, name, name, JUNE_2026_MS + name[0]);

    fixture_add(w->f, &e);
    fixture_commit(w->f);
}

static void
send_event(struct world *w, const char *visitor, const char *name)
{
    struct event e = event_of(1, visitor, name, name, JUNE_2026_MS + name[0]);
    struct buffer batch = BUFFER_EMPTY;
    struct err err = ERR_NONE;

    codec_batch_begin(&batch);
    assert_ok(codec_batch_add(&batch, &e, &err));
    assert_ok(stream_add(w->stream, buffer_slice(&batch), &err));
    buffer_fini(&batch);
}

static struct slice
report(struct world *w)
{
    return fixture_report(w->f, 1, FUNNEL_OF_3, BOTS_EXCLUDE);
}

static struct slice
report_of_restored(struct world *w)
{
    struct fixture restored = *w->f;
    struct err err = ERR_NONE;
    struct slice out;

    assert_ok(store_open(w->restored, false, &restored.store, &err));
    assert_ok(snapshot_pool_open(&restored.store, &restored.pool, &err));
    out = fixture_report(&restored, 1, FUNNEL_OF_3, BOTS_EXCLUDE);
    w->f->arena = restored.arena;
    snapshot_pool_close(&restored.pool);
    return out;
}

/* ---- The two calls ---- */

static enum err_code
try_backup(struct world *w, struct backup_result *out, struct err *err)
{
    struct backup_source source = {&w->f->store, &w->address, w->spool};

    return backup_run(&source, w->backup, out, err);
}

static struct backup_result
backup(struct world *w)
{
    struct backup_result result;
    struct err err = ERR_NONE;

    assert_ok(try_backup(w, &result, &err));
    return result;
}

static void
on_problem(const char *problem, void *context)
{
    struct world *w = context;
    size_t n = strlen(w->problems);

    snprintf(w->problems + n, sizeof w->problems - n, "%s\n", problem);
}

static enum err_code
try_restore(struct world *w, struct restore_result *out, struct err *err)
{
    w->problems[0] = '\0';
    return restore_run(&(struct restore_from){w->backup, w->erased}, w->restored, on_problem, w,
                       out, err);
}

static struct restore_result
restore(struct world *w)
{
    struct restore_result result;
    struct err err = ERR_NONE;

    assert_ok(try_restore(w, &result, &err));
    return result;
}

/* ---- Cases ---- */

static void
test_segments_and_what_waits_in_the_stream(void **state)
{
    struct world *w = *state;
    struct restore_result result;
    struct slice expected;

    commit_event(w, "v", "a");
    commit_event(w, "u", "a");
    send_event(w, "v", "b");
    send_event(w, "v", "b"); /* sent again by a sender who was not sure */
    assert_int_equal(backup(w).n_entries, 2);
    result = restore(w);
    assert_int_equal(result.n_segments, 2);
    assert_int_equal(result.n_events, 2);
    commit_event(w, "v", "b"); /* what the aggregator would have made of it */
    expected = report(w);
    assert_contains(expected, "\"converted\":0");
    assert_true(slice_equal(report_of_restored(w), expected));
}

static void
test_entries_that_are_committed_are_not_replayed(void **state)
{
    struct world *w = *state;
    struct catalog_advance advance = {.stream = STREAM_EVENTS, .epoch = "e", .n_entries = 1};
    struct catalog_change change = {.advance = &advance};
    struct stream_info info;
    struct slice epoch;
    struct err err = ERR_NONE;

    commit_event(w, "v", "a");
    send_event(w, "v", "a");
    assert_ok(stream_info(w->stream, &info, &err));
    assert_ok(stream_get_or_set(w->stream, STREAM_EPOCH, SLICE("e"), &w->f->arena, &epoch, &err));
    assert_ok(catalog_position_reset(w->f->catalog, STREAM_EVENTS, NULL, "e", &err));
    advance.to = info.last_generated;
    assert_ok(catalog_commit(w->f->catalog, &change, &err));
    send_event(w, "v", "b");
    backup(w);
    assert_int_equal(restore(w).n_events, 1);
}

static void
test_the_restored_folder_reads_its_own_redis_from_the_start(void **state)
{
    struct world *w = *state;
    struct catalog_position position;
    struct catalog *c = NULL;
    struct store store;
    struct err err = ERR_NONE;

    commit_event(w, "v", "a");
    assert_ok(catalog_position_reset(w->f->catalog, STREAM_EVENTS, NULL, "other", &err));
    backup(w);
    restore(w);
    assert_ok(store_open(w->restored, false, &store, &err));
    assert_string_equal(store.install_id, w->f->store.install_id);
    assert_ok(catalog_open(&store, false, &c, &err));
    assert_rc(catalog_position_get(c, STREAM_EVENTS, &position, &err), ERR_NOT_FOUND);
    catalog_close(&c);
}

static void
test_the_second_backup_copies_what_is_new(void **state)
{
    struct world *w = *state;
    struct backup_result result;

    commit_event(w, "v", "a");
    assert_int_equal(backup(w).n_new, 1);
    commit_event(w, "v", "b");
    result = backup(w);
    assert_int_equal(result.n_segments, 2);
    assert_int_equal(result.n_new, 1);
    assert_int_equal(folder_count(w->backup), 4); /* lock, manifest, segments, one state */
    restore(w);
    assert_true(slice_equal(report_of_restored(w), report(w)));
}

static void
test_a_backup_that_fails_leaves_the_former_one(void **state)
{
    struct world *w = *state;
    struct backup_result result;
    struct slice expected;
    struct err err = ERR_NONE;

    commit_event(w, "v", "a");
    backup(w);
    expected = report(w);
    commit_event(w, "v", "b");
    redis_fixture_kill(&w->redis);
    assert_rc(try_backup(w, &result, &err), ERR_UNAVAILABLE);
    restore(w);
    assert_true(slice_equal(report_of_restored(w), expected));
}

/* Flip a bit in the file, cut it, take it away: each is found by name, and nothing is restored. */
static void
damage_and_restore(struct world *w, const char *path)
{
    struct restore_result result;
    struct buffer bytes = BUFFER_EMPTY;
    char full[FILE_PATH_MAX];
    struct err err = ERR_NONE;

    file_path(full, w->backup, path);
    assert_ok(file_read(full, 1 << 24, &bytes, &err));
    for (int kind = 0; kind < 3; kind++) {
        size_t n = kind == 1 ? bytes.n - 1 : bytes.n;

        bytes.p[bytes.n / 2] ^= kind == 0 ? 4 : 0;
        if (kind == 2)
            assert_ok(file_remove(full, &err));
        else
            assert_ok(file_replace(full, slice_of(bytes.p, n), 0600, &err));
        bytes.p[bytes.n / 2] ^= kind == 0 ? 4 : 0;
        assert_rc(try_restore(w, &result, &err), ERR_CORRUPT);
        assert_int_equal(result.n_problems, 1);
        assert_contains(slice_from(w->problems), path);
        assert_false(file_exists(w->restored));
    }
    assert_ok(file_replace(full, buffer_slice(&bytes), 0600, &err));
    buffer_fini(&bytes);
}

static void
test_nothing_damaged_is_restored(void **state)
{
    struct world *w = *state;
    struct backup_manifest m;
    struct err err = ERR_NONE;

    commit_event(w, "v", "a");
    send_event(w, "v", "b");
    backup(w);
    assert_ok(backup_manifest_read(w->backup, &w->f->arena, &m, &err));
    assert_int_equal(m.n, 5); /* segment, catalog, settings, stream, FORMAT */
    for (size_t i = 0; i < m.n; i++)
        damage_and_restore(w, m.files[i].path.p);
    restore(w);
}

static void
test_a_damaged_manifest(void **state)
{
    struct world *w = *state;
    struct buffer bytes = BUFFER_EMPTY;
    struct restore_result result;
    char full[FILE_PATH_MAX];
    struct err err = ERR_NONE;

    commit_event(w, "v", "a");
    backup(w);
    file_path(full, w->backup, "manifest");
    assert_ok(file_read(full, 1 << 20, &bytes, &err));
    for (size_t i = 0; i < bytes.n; i++) {
        bytes.p[i] ^= 1;
        assert_ok(file_replace(full, buffer_slice(&bytes), 0600, &err));
        bytes.p[i] ^= 1;
        assert_int_not_equal(try_restore(w, &result, &err), ERR_OK);
        assert_ok(file_replace(full, slice_of(bytes.p, i), 0600, &err));
        assert_int_not_equal(try_restore(w, &result, &err), ERR_OK);
    }
    buffer_fini(&bytes);
}

static void
test_where_it_may_not_go(void **state)
{
    struct world *w = *state;
    struct restore_result restored;
    struct backup_result result;
    char path[FILE_PATH_MAX];
    struct err err = ERR_NONE;

    commit_event(w, "v", "a");
    backup(w);
    assert_ok(file_make_folder(w->restored, 0700, &err));
    file_path(path, w->restored, "mine");
    assert_ok(file_replace(path, SLICE("x"), 0600, &err));
    assert_rc(try_restore(w, &restored, &err), ERR_EXISTS);
    file_path(path, w->backup, "mine");
    assert_ok(file_replace(path, SLICE("x"), 0600, &err));
    assert_rc(try_backup(w, &result, &err), ERR_CONFLICT);
    assert_ok(file_remove(path, &err));
    w->f->store.install_id[0] ^= 1;
    assert_rc(try_backup(w, &result, &err), ERR_CONFLICT);
    w->f->store.install_id[0] ^= 1;
    backup(w);
}

static void
test_a_redis_of_another_folder_is_refused(void **state)
{
    struct world *w = *state;
    struct backup_result result;
    struct slice owner;
    struct err err = ERR_NONE;

    assert_ok(
        stream_get_or_set(w->stream, STREAM_OWNER, SLICE("other"), &w->f->arena, &owner, &err));
    assert_rc(try_backup(w, &result, &err), ERR_CONFLICT);
}

static void
test_a_damaged_catalog_is_not_backed_up(void **state)
{
    struct world *w = *state;
    struct backup_result result;
    char path[FILE_PATH_MAX];
    struct slice expected;
    sqlite3 *db = NULL;
    struct err err = ERR_NONE;

    commit_event(w, "v", "a");
    backup(w);
    expected = report(w);
    store_path(&w->f->store, "catalog.db", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "UPDATE segments SET n_rows = n_rows + 1", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    assert_rc(try_backup(w, &result, &err), ERR_CORRUPT);
    restore(w);
    assert_true(slice_equal(report_of_restored(w), expected));
}

static void
test_the_spool_and_bad_entries_come_along(void **state)
{
    struct world *w = *state;
    char path[FILE_PATH_MAX], bad[FILE_PATH_MAX];
    struct err err = ERR_NONE;

    assert_ok(file_make_folder(w->spool, 0700, &err));
    file_path(path, w->spool, "1.spool");
    assert_ok(file_replace(path, SLICE("acknowledged"), 0600, &err));
    assert_ok(stream_add(w->stream, SLICE("no batch"), &err));
    backup(w);
    assert_int_equal(restore(w).n_bad, 1);
    snprintf(path, sizeof path, "%s/spool/1.spool", w->restored);
    assert_true(file_exists(path));
    snprintf(bad, sizeof bad, "%s/bad", w->restored);
    assert_int_equal(folder_count(bad), 1);
}

static void
test_nobody_else_may_read_it(void **state)
{
    struct world *w = *state;
    struct backup_manifest m;
    char path[FILE_PATH_MAX];
    struct err err = ERR_NONE;
    struct stat st;

    backup(w);
    restore(w);
    assert_ok(backup_manifest_read(w->backup, &w->f->arena, &m, &err));
    assert_int_equal(stat(w->backup, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    for (size_t i = 0; i < m.n; i++) {
        file_path(path, w->backup, m.files[i].path.p);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    snprintf(path, sizeof path, "%s/settings.db", w->restored);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

/* A backup that is older than an erase: by its folder, which the erase reaches, or by the file. */
static void
test_the_erased_stay_away(void **state)
{
    struct world *w = *state;
    struct slice gone[2] = {SLICE("x"), SLICE("y")};
    char path[FILE_PATH_MAX], former[FILE_PATH_MAX];
    struct restore_result result;
    struct slice before, dir;
    struct err err = ERR_NONE;

    commit_event(w, "x", "a");
    commit_event(w, "stays", "a");
    send_event(w, "y", "a"); /* waits in the stream */
    backup(w);
    assert_ok(catalog_erase(w->f->catalog, 1, gone, 2, JUNE_2026_MS + DAY_MS, &err));
    assert_ok(backup_add_erased(&w->f->store, w->f->settings, &w->f->arena, &dir, &err));
    assert_true(slice_ends_with(dir, SLICE("/backup")));
    before = report(w);
    restore(w);
    assert_true(slice_equal(report_of_restored(w), before));
    folder_remove(w->restored);

    file_path(former, w->backup, "erased");
    store_path(&w->f->store, "erased", path);
    assert_ok(file_remove(former, &err)); /* the erase did not reach it */
    restore(w);
    assert_false(slice_equal(report_of_restored(w), before));
    folder_remove(w->restored);
    w->erased = path;
    restore(w);
    assert_true(slice_equal(report_of_restored(w), before));
    folder_remove(w->restored);
    w->erased = "/nowhere/erased";
    assert_rc(try_restore(w, &result, &err), ERR_NOT_FOUND);
    folder_remove(w->backup);
    assert_rc(backup_add_erased(&w->f->store, w->f->settings, &w->f->arena, &dir, &err),
              ERR_NOT_FOUND);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_the_erased_stay_away),
        CASE(test_segments_and_what_waits_in_the_stream),
        CASE(test_entries_that_are_committed_are_not_replayed),
        CASE(test_the_restored_folder_reads_its_own_redis_from_the_start),
        CASE(test_the_second_backup_copies_what_is_new),
        CASE(test_a_backup_that_fails_leaves_the_former_one),
        CASE(test_nothing_damaged_is_restored),
        CASE(test_a_damaged_manifest),
        CASE(test_where_it_may_not_go),
        CASE(test_a_redis_of_another_folder_is_refused),
        CASE(test_a_damaged_catalog_is_not_backed_up),
        CASE(test_the_spool_and_bad_entries_come_along),
        CASE(test_nobody_else_may_read_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
