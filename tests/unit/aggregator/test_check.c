/* `corong check`: silent where all is well, names what is not. */
#include <fcntl.h>
#include <sqlite3.h>

#include "aggregator/check.h"
#include "tests/unit/aggregator/fixture.h"

struct findings {
    char text[4000];
};

static void
collect(const struct check_finding *finding, void *context)
{
    struct findings *all = context;
    size_t n = strlen(all->text);

    snprintf(all->text + n, sizeof all->text - n, "%s %.*s: %.*s\n",
             finding->is_problem ? "problem" : "note", SLICE_ARG(finding->where),
             SLICE_ARG(finding->what));
}

static struct check_result
run(struct fixture *f, struct findings *all)
{
    struct check_result result = {0};
    struct err err = ERR_NONE;

    all->text[0] = '\0';
    assert_ok(check_run(&f->store, collect, all, &result, &err));
    return result;
}

static void
add_files(struct fixture *f)
{
    for (int i = 0; i < 2; i++) {
        struct event e = event_of(1, "v", i ? "1" : "2", "a", JUNE_2026_MS);

        fixture_add(f, &e);
        fixture_commit(f);
    }
}

static void
test_all_is_well(void **state)
{
    struct fixture *f = *state;
    struct findings all;
    struct check_result result;

    add_files(f);
    result = run(f, &all);
    assert_string_equal(all.text, "");
    assert_int_equal(result.n_problems, 0);
    assert_int_equal(result.n_segments, 2);
    assert_int_equal(result.n_rows, 2);
}

static void
test_every_damaged_byte_is_found_or_harmless(void **state)
{
    struct fixture *f = *state;
    struct catalog_list list;
    struct findings all;
    char path[FILE_PATH_MAX];
    struct slice report;
    int n_found = 0;
    int fd;

    add_files(f);
    list = fixture_list(f);
    report = fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE);
    store_segment_path(&f->store, list.segments[0].name, path);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    for (off_t at = 0; at < (off_t)list.segments[0].n_bytes; at += 13) {
        char byte = 0;

        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 4;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        if (run(f, &all).n_problems != 0)
            n_found++;
        else /* between blocks: then it changes nothing */
            assert_true(slice_equal(fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE), report));
        byte ^= 4;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    close(fd);
    assert_true(n_found > 70);
    assert_int_equal(run(f, &all).n_problems, 0);
}

static void
test_missing_and_unlisted_files(void **state)
{
    struct fixture *f = *state;
    struct findings all;
    struct check_result result;
    char path[FILE_PATH_MAX];
    struct err err = ERR_NONE;

    add_files(f);
    store_segment_path(&f->store, fixture_list(f).segments[1].name, path);
    assert_int_equal(unlink(path), 0);
    store_segment_path(&f->store, "nobody-named-it.seg", path);
    assert_ok(file_replace(path, SLICE("x"), 0640, &err));
    result = run(f, &all);
    assert_int_equal(result.n_problems, 1);
    assert_non_null(strstr(all.text, fixture_list(f).segments[1].name));
    assert_non_null(strstr(all.text, "note segments/nobody-named-it.seg"));
}

static void
test_a_changed_link(void **state)
{
    struct fixture *f = *state;
    struct event e = event_of(1, "F", "1", "identify", JUNE_2026_MS);
    struct findings all;

    e.text[TEXT_KNOWN] = SLICE("K");
    fixture_add(f, &e);
    fixture_commit(f);
    assert_int_equal(run(f, &all).n_problems, 0);
    fixture_change_catalog(f, "UPDATE links SET known = 'L'");
    assert_int_equal(run(f, &all).n_problems, 1);
    assert_non_null(strstr(all.text, "site 1: its links of ids"));
    assert_contains(fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE), "\"links_damaged\"");
}

static void
test_a_changed_row_of_the_catalog(void **state)
{
    struct fixture *f = *state;
    struct findings all;

    add_files(f);
    fixture_change_catalog(f, "UPDATE segments SET max_time_ms = max_time_ms + 1");
    assert_true(run(f, &all).n_problems > 0);
    assert_non_null(strstr(all.text, "catalog.db: 2 rows of segments fail their check"));
}

static void
test_a_new_folder_has_nothing_wrong(void **state)
{
    struct fixture *f = *state;
    struct findings all;

    assert_int_equal(run(f, &all).n_problems, 0);
    assert_string_equal(all.text, "");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_all_is_well),
        CASE(test_every_damaged_byte_is_found_or_harmless),
        CASE(test_missing_and_unlisted_files),
        CASE(test_a_changed_link),
        CASE(test_a_changed_row_of_the_catalog),
        CASE(test_a_new_folder_has_nothing_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
