/* Queries: a file that is damaged or gone is left out and named; a snapshot outlives its files. */
#include <fcntl.h>
#include <sys/resource.h>

#include "tests/unit/aggregator/fixture.h"

/* ---- Splitting, merging, repeating ---- */
/* One visitor a file, in the order of their names. */
static struct catalog_list
add_three_files(struct fixture *f)
{
    static const char *const visitors[] = {"x", "y", "z"};
    struct catalog_list list;
    struct err err = ERR_NONE;

    for (int i = 0; i < 3; i++) {
        struct event e = event_of(1, visitors[i], "1", "a", JUNE_2026_MS);

        fixture_add(f, &e);
        fixture_commit(f);
    }
    assert_ok(catalog_read(f->catalog, &f->arena, &list, &err));
    return list;
}

static void
damage(struct fixture *f, const char *name, off_t at)
{
    char path[FILE_PATH_MAX];
    char byte = 0;
    int fd;

    store_segment_path(&f->store, name, path);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void
test_a_damaged_file_is_named_and_left_out(void **state)
{
    struct fixture *f = *state;
    struct catalog_list list = add_three_files(f);
    struct slice report;

    damage(f, list.segments[1].name, 100);
    report = fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE);
    assert_contains(report, "\"entered\":2,");
    assert_contains(report, "segment_left_out");
    assert_contains(report, list.segments[1].name);
}

static void
test_damage_anywhere_is_never_a_wrong_count_without_a_warning(void **state)
{
    struct fixture *f = *state;
    struct catalog_list list = add_three_files(f);
    int n_warned = 0;

    for (off_t at = 0; at < (off_t)list.segments[1].n_bytes; at += 7) {
        struct slice report;
        struct err err = ERR_NONE;

        damage(f, list.segments[1].name, at);
        report = fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE);
        if (slice_contains(report, SLICE("segment_left_out"))) {
            assert_contains(report, "\"entered\":2,");
            n_warned++;
        } else {
            assert_contains(report, "\"entered\":3,");
        }
        damage(f, list.segments[1].name, at); /* mended again */
        snapshot_pool_close(&f->pool);
        assert_ok(snapshot_pool_open(&f->store, &f->pool, &err));
    }
    assert_true(n_warned > 50);
    assert_contains(fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE), "\"entered\":3,");
}

static void
test_a_file_that_went_is_named(void **state)
{
    struct fixture *f = *state;
    struct catalog_list list = add_three_files(f);
    char path[FILE_PATH_MAX];
    struct slice report;

    store_segment_path(&f->store, list.segments[2].name, path);
    assert_int_equal(unlink(path), 0);
    report = fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE);
    assert_contains(report, "\"entered\":2,");
    assert_contains(report, "segment_left_out");
}

static void
test_a_file_that_could_not_be_opened_for_a_moment_is_tried_again(void **state)
{
    struct fixture *f = *state;
    struct rlimit limit, none;
    struct slice report;

    fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE); /* the catalog is open now */
    add_three_files(f);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){0, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    report = fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_contains(report, "{\"entered\":0,");
    assert_contains(report, "segment_left_out");
    report = fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE);
    assert_contains(report, "{\"entered\":3,");
    assert_contains(report, "\"warnings\":[]");
}

static void
test_a_snapshot_outlives_its_files(void **state)
{
    struct fixture *f = *state;
    const struct snapshot *snapshot = NULL;
    uint64_t before = 0, after = 0;
    struct err err = ERR_NONE;

    add_three_files(f);
    assert_ok(snapshot_take(f->pool, SNAPSHOT_WHOLE(1), &snapshot, &err));
    assert_ok(snapshot_version(f->pool, &before, &err));
    assert_int_equal(snapshot->n, 3);
    fixture_remove_everything(f);
    assert_ok(snapshot_version(f->pool, &after, &err));
    assert_true(after > before);
    assert_int_equal(segment_info(snapshot->segments[0].segment)->n_rows, 1);
    snapshot_release(f->pool, &snapshot);
    assert_contains(fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE), "\"entered\":0,");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_damaged_file_is_named_and_left_out),
        CASE(test_damage_anywhere_is_never_a_wrong_count_without_a_warning),
        CASE(test_a_file_that_went_is_named),
        CASE(test_a_file_that_could_not_be_opened_for_a_moment_is_tried_again),
        CASE(test_a_snapshot_outlives_its_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
