/* `corong check --repair`: whatever happens to the catalog, the reports afterwards are those of
 * before. */
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "aggregator/merge.h"
#include "aggregator/repair.h"
#include "core/log.h"
#include "tests/unit/aggregator/fixture.h"

struct told {
    char text[8000];
};

static void
collect(const struct check_finding *f, void *context)
{
    struct told *all = context;
    size_t n = strlen(all->text);

    snprintf(all->text + n, sizeof all->text - n, "%s %.*s: %.*s\n",
             f->is_problem ? "problem" : "note", SLICE_ARG(f->where), SLICE_ARG(f->what));
}

/* Nothing may have it open. */
static void
close_all(struct fixture *f)
{
    snapshot_pool_close(&f->pool);
    catalog_close(&f->catalog);
}

static void
open_all(struct fixture *f)
{
    struct err err = ERR_NONE;

    assert_ok(catalog_open(&f->store, false, &f->catalog, &err));
    assert_ok(snapshot_pool_open(&f->store, &f->pool, &err));
}

static struct repair_result
repair(struct fixture *f, struct told *told)
{
    struct repair_result result = {0};
    struct err err = ERR_NONE;

    told->text[0] = '\0';
    assert_ok(repair_run(&f->store, collect, told, &result, &err));
    return result;
}

static struct check_result
check(struct fixture *f)
{
    struct check_result result = {0};
    struct told told = {""};
    struct err err = ERR_NONE;

    assert_ok(check_run(&f->store, collect, &told, &result, &err));
    return result;
}

static struct slice
report(struct fixture *f)
{
    return fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE);
}

/* Two devices of one person, several segments, a position. */
static void
fill(struct fixture *f)
{
    struct catalog_advance advance = {
        .stream = STREAM_EVENTS, .epoch = "e", .to = {7, 1}, .n_entries = 9};
    struct catalog_change change = {.advance = &advance};
    static const char *const rows[][2] = {
        {"F", "a"}, {"F", "identify"}, {"G", "identify"}, {"G", "b"}, {"x", "a"}};
    struct err err = ERR_NONE;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct event e =
            event_of(1, rows[i][0], rows[i][1], rows[i][1], JUNE_2026_MS + 1000 * (int64_t)i);

        if (strcmp(rows[i][1], "identify") == 0)
            e.text[TEXT_KNOWN] = SLICE("K");
        fixture_add(f, &e);
        fixture_commit(f);
    }
    assert_ok(catalog_position_reset(f->catalog, STREAM_EVENTS, NULL, "e", &err));
    assert_ok(catalog_commit(f->catalog, &change, &err));
    assert_int_equal(check(f).n_problems, 0);
}

static void
path_of(struct fixture *f, const char *name, char *path)
{
    store_path(&f->store, name, path);
}

static void
remove_file(struct fixture *f, const char *name)
{
    char path[FILE_PATH_MAX];
    struct err err = ERR_NONE;

    path_of(f, name, path);
    assert_ok(file_remove(path, &err));
}

/* The catalog as it is, closed for a moment so that all of it is in the one file. */
static void
copy_catalog(struct fixture *f, struct buffer *out)
{
    char path[FILE_PATH_MAX];
    struct err err = ERR_NONE;

    close_all(f);
    path_of(f, "catalog.db", path);
    assert_ok(file_read(path, 1 << 24, out, &err));
    open_all(f);
}

/* The catalog of then is back: what was committed since is lost, and reports say so. */
static void
lose_commits(struct fixture *f, struct buffer *then)
{
    char path[FILE_PATH_MAX];
    struct err err = ERR_NONE;

    close_all(f);
    path_of(f, "catalog.db", path);
    assert_ok(file_replace(path, buffer_slice(then), 0640, &err));
    buffer_fini(then);
    open_all(f);
    assert_contains(report(f), "\"" CATALOG_BEHIND "\"");
}

/* Open what was repaired: it reports as before. */
static void
expect_as_before(struct fixture *f, struct slice before)
{
    open_all(f);
    assert_true(slice_equal(report(f), before));
    assert_int_equal(check(f).n_problems, 0);
}

static void
test_a_whole_folder_is_left_as_it_is(void **state)
{
    struct fixture *f = *state;
    struct repair_result result;
    struct told told;

    fill(f);
    close_all(f);
    result = repair(f, &told);
    assert_string_equal(told.text, "");
    assert_false(result.is_new);
    assert_int_equal(result.n_segments, 0);
    open_all(f);
}

static void
test_a_catalog_that_is_gone(void **state)
{
    struct fixture *f = *state;
    struct slice before;
    struct told told;
    struct err err = ERR_NONE;

    fill(f);
    before = report(f);
    close_all(f);
    remove_file(f, "catalog.db");
    assert_rc(catalog_open(&f->store, true, &f->catalog, &err), ERR_CORRUPT);
    assert_int_equal(check(f).n_problems, 1);
    assert_int_equal(repair(f, &told).n_segments, 5);
    expect_as_before(f, before);
}

/* A bit flipped at places of the whole file, and the file cut there. */
static void
test_a_catalog_that_is_damaged(void **state)
{
    struct fixture *f = *state;
    struct catalog_position position;
    struct buffer bytes = BUFFER_EMPTY;
    char path[FILE_PATH_MAX];
    struct slice before;
    struct told told;
    struct err err = ERR_NONE;
    int n_new = 0;

    fill(f);
    before = report(f);
    close_all(f);
    path_of(f, "catalog.db", path);
    assert_ok(file_read(path, 1 << 24, &bytes, &err));
    for (size_t at = 5; at < bytes.n; at += 1531) {
        for (int is_cut = 0; is_cut < 2; is_cut++) {
            bytes.p[at] ^= 16;
            assert_ok(file_replace(path, slice_of(bytes.p, is_cut ? at : bytes.n), 0640, &err));
            bytes.p[at] ^= 16;
            n_new += repair(f, &told).is_new;
            open_all(f);
            if (!slice_equal(report(f), before))
                fail_msg("at %zu, cut %d: %s", at, is_cut, told.text);
            assert_int_equal(check(f).n_problems, 0);
            close_all(f);
        }
    }
    assert_true(n_new > 10);
    bytes.p[0] = 'X'; /* nothing of it can be read */
    assert_ok(file_replace(path, buffer_slice(&bytes), 0640, &err));
    repair(f, &told);
    assert_non_null(strstr(told.text, "read from its start"));
    open_all(f);
    assert_rc(catalog_position_get(f->catalog, STREAM_EVENTS, &position, &err), ERR_NOT_FOUND);
    assert_true(slice_equal(report(f), before));
    buffer_fini(&bytes);
}

static void
test_a_damaged_row_costs_no_position(void **state)
{
    struct fixture *f = *state;
    struct catalog_position position;
    char path[FILE_PATH_MAX];
    struct slice before;
    struct told told;
    struct err err = ERR_NONE;

    fill(f);
    before = report(f);
    close_all(f);
    fixture_change_catalog(f, "UPDATE links SET known = 'L'");
    assert_true(repair(f, &told).is_new);
    open_all(f);
    assert_true(slice_equal(report(f), before));
    assert_ok(catalog_position_get(f->catalog, STREAM_EVENTS, &position, &err));
    assert_int_equal(position.id.ms, 7);
    assert_int_equal(position.n_entries, 9);
    path_of(f, "damaged", path);
    assert_true(folder_count(path) >= 1); /* the former one */
}

/* The log of SQLite is gone, and with it the last commits, without a word. */
static void
test_commits_that_were_lost_come_back(void **state)
{
    struct fixture *f = *state;
    struct buffer then = BUFFER_EMPTY;
    struct event e = event_of(1, "y", "a", "a", JUNE_2026_MS);
    struct slice before;
    struct told told;
    struct err err = ERR_NONE;
    int n = 0;

    fill(f);
    copy_catalog(f, &then);
    fixture_add(f, &e);
    fixture_commit(f);
    before = report(f);
    lose_commits(f, &then);
    assert_int_equal(check(f).n_problems, 1);
    assert_ok(catalog_clean(f->catalog, &f->store, &n, &err));
    assert_int_equal(n, 0); /* it stays where it is */
    close_all(f);
    assert_int_equal(repair(f, &told).n_segments, 1);
    assert_non_null(strstr(told.text, "it is back"));
    expect_as_before(f, before);
}

/* Where the mark is lost as well, a clean-up puts the file aside, and it comes back too. */
static void
test_a_file_that_was_put_aside_comes_back(void **state)
{
    struct fixture *f = *state;
    struct event e = event_of(1, "y", "a", "a", JUNE_2026_MS);
    struct slice before;
    struct told told;
    struct err err = ERR_NONE;
    int n = 0;

    fill(f);
    fixture_add(f, &e);
    fixture_commit(f);
    before = report(f);
    close_all(f);
    remove_file(f, "catalog.mark");
    fixture_change_catalog(f, "DELETE FROM segments; UPDATE summary SET n = 0, check64 = 0,"
                              " generation = 1");
    open_all(f);
    assert_ok(catalog_clean(f->catalog, &f->store, &n, &err));
    assert_int_equal(n, 6);
    close_all(f);
    assert_int_equal(repair(f, &told).n_segments, 6);
    expect_as_before(f, before);
}

static void
merge_and_unlink(struct fixture *f)
{
    struct merge_options options = {
        .store = &f->store, .settings = f->settings, .everything = true};
    struct err err = ERR_NONE;
    size_t n = 0;

    do
        assert_ok(merge_step(f->catalog, &options, &n, &err));
    while (n != 0);
    assert_false(catalog_has_copy(f->catalog)); /* nothing was taken away so far */
    assert_ok(catalog_unlink_replaced(f->catalog, &f->store, &err));
    assert_true(catalog_has_copy(f->catalog));
}

/* A merge that the catalog has forgotten: its inputs are gone, its output is not named. */
static void
test_a_merge_that_was_lost(void **state)
{
    struct fixture *f = *state;
    struct buffer then = BUFFER_EMPTY;
    struct slice before;
    struct told told;

    fill(f);
    before = report(f);
    copy_catalog(f, &then);
    merge_and_unlink(f);
    lose_commits(f, &then);
    close_all(f);
    assert_int_equal(repair(f, &told).n_segments, 1);
    assert_non_null(strstr(told.text, "its file is gone"));
    expect_as_before(f, before);
}

/* Neither the position, which no segment has, nor a file that is gone is forgotten with the
 * catalog. What came after the copy is not lost by it. */
static void
test_what_only_the_copy_knows(void **state)
{
    struct fixture *f = *state;
    struct event e = event_of(1, "y", "a", "a", JUNE_2026_MS);
    struct catalog_position position;
    struct catalog_list list;
    char path[FILE_PATH_MAX];
    struct slice before;
    struct told told;
    struct err err = ERR_NONE;

    fill(f);
    merge_and_unlink(f);
    fixture_add(f, &e);
    fixture_commit(f);
    before = report(f);
    close_all(f);
    remove_file(f, "catalog.db");
    assert_int_equal(repair(f, &told).n_segments, 2);
    assert_null(strstr(told.text, "problem"));
    expect_as_before(f, before);
    assert_ok(catalog_position_get(f->catalog, STREAM_EVENTS, &position, &err));
    assert_int_equal(position.id.ms, 7);
    assert_int_equal(position.n_entries, 9);
    assert_ok(catalog_read(f->catalog, &f->arena, &list, &err));
    for (size_t i = 0; i < list.n; i++)
        if (list.segments[i].kind == CATALOG_MERGE)
            store_segment_path(&f->store, list.segments[i].name, path);
    close_all(f);
    assert_ok(file_remove(path, &err));
    remove_file(f, "catalog.db");
    assert_int_equal(repair(f, &told).n_segments, 1);
    assert_non_null(strstr(told.text, "is gone, and its 5 events with it"));
    open_all(f);
}

static void
test_a_copy_that_is_torn_is_none(void **state)
{
    struct fixture *f = *state;
    char path[FILE_PATH_MAX];
    struct slice before;
    struct told told;
    struct err err = ERR_NONE;

    fill(f);
    merge_and_unlink(f);
    before = report(f);
    close_all(f);
    path_of(f, CATALOG_COPY, path);
    assert_ok(file_replace(path, SLICE("torn"), 0600, &err));
    remove_file(f, "catalog.db");
    assert_int_equal(repair(f, &told).n_segments, 1);
    expect_as_before(f, before);
}

/* Whoever was erased stays away, though the file still holds him and the catalog is a new one. */
static void
test_the_erased_stay_erased(void **state)
{
    struct fixture *f = *state;
    struct slice id = SLICE("x");
    struct slice full, before;
    struct told told;
    struct err err = ERR_NONE;

    fill(f);
    full = report(f);
    assert_ok(catalog_erase(f->catalog, 1, &id, 1, JUNE_2026_MS + DAY_MS, &err));
    before = report(f);
    assert_false(slice_equal(before, full));
    for (int i = 0; i < 3; i++) {
        close_all(f);
        remove_file(f, i == 2 ? "erased" : "catalog.db");
        if (i == 2) { /* the catalog still knows */
            open_all(f);
            assert_ok(catalog_erased_keep(f->catalog, &err));
            close_all(f);
            remove_file(f, "catalog.db");
        }
        assert_true(repair(f, &told).is_new);
        expect_as_before(f, before);
    }
}

static void
test_a_newer_catalog_is_left_alone(void **state)
{
    struct fixture *f = *state;
    struct repair_result result;
    struct told told = {""};
    struct err err = ERR_NONE;

    fill(f);
    close_all(f);
    fixture_change_catalog(f, "PRAGMA user_version=99");
    assert_rc(repair_run(&f->store, collect, &told, &result, &err), ERR_VERSION);
    assert_rc(repair_at_start(&f->store, collect, &told, &err), ERR_VERSION);
    fixture_change_catalog(f, "PRAGMA user_version=3");
    open_all(f);
    assert_int_equal(check(f).n_problems, 0);
}

static void
test_a_file_that_cannot_be_opened_is_kept_and_named(void **state)
{
    struct fixture *f = *state;
    char path[FILE_PATH_MAX];
    struct told told;
    struct err err = ERR_NONE;

    fill(f);
    close_all(f);
    store_segment_path(&f->store, "202606-flush-0.seg", path);
    assert_ok(file_replace(path, SLICE("torn"), 0640, &err));
    assert_int_equal(repair(f, &told).n_lost, 1);
    assert_non_null(strstr(told.text, "problem 202606-flush-0.seg: cannot be read"));
    path_of(f, "damaged/202606-flush-0.seg", path);
    assert_true(file_exists(path));
    open_all(f);
}

static void
test_not_while_it_is_open(void **state)
{
    struct fixture *f = *state;
    struct repair_result result;
    struct told told = {""};
    struct err err = ERR_NONE;
    int status = 0;
    pid_t pid;

    fill(f);
    report(f);
    pid = fork(); /* another process: one's own locks are not in one's way */
    if (pid == 0)
        _exit((int)repair_run(&f->store, collect, &told, &result, &err));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), ERR_CONFLICT);
    assert_int_equal(check(f).n_problems, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

static int
group_setup(void **state)
{
    (void)state;
    log_set_level((enum log_level)(LOG_ERROR + 1)); /* a line about every loss that is meant */
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_whole_folder_is_left_as_it_is),
        CASE(test_a_catalog_that_is_gone),
        CASE(test_a_catalog_that_is_damaged),
        CASE(test_a_damaged_row_costs_no_position),
        CASE(test_commits_that_were_lost_come_back),
        CASE(test_a_file_that_was_put_aside_comes_back),
        CASE(test_a_merge_that_was_lost),
        CASE(test_what_only_the_copy_knows),
        CASE(test_a_copy_that_is_torn_is_none),
        CASE(test_the_erased_stay_erased),
        CASE(test_a_newer_catalog_is_left_alone),
        CASE(test_a_file_that_cannot_be_opened_is_kept_and_named),
        CASE(test_not_while_it_is_open),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
