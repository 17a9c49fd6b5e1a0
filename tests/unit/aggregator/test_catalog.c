/* The catalog: all or nothing, whoever else commits; damage is seen. */
#include <sqlite3.h>

#include "core/clock.h"
#include "tests/unit/aggregator/fixture.h"

static struct catalog_segment
row_of(const char *name, uint32_t site)
{
    struct catalog_segment row = {
        .site = site,
        .month = 202606,
        .n_rows = 10,
        .min_time_ms = JUNE_2026_MS,
        .max_time_ms = JUNE_2026_MS + DAY_MS,
        .n_bytes = 4096,
        .created_ms = JUNE_2026_MS,
        .kind = CATALOG_FLUSH,
    };

    snprintf(row.name, sizeof row.name, "%s", name);
    return row;
}

static enum err_code
add_row(struct catalog *c, const char *name, struct err *err)
{
    struct catalog_segment row = row_of(name, 1);
    struct catalog_change change = {.add = &row, .n_add = 1};

    return catalog_commit(c, &change, err);
}

static void
test_adds_and_removes(void **state)
{
    struct fixture *f = *state;
    struct catalog_segment b = row_of("b.seg", 2);
    char gone[1][CATALOG_NAME_MAX] = {"a.seg"};
    struct catalog_change change = {
        .add = &b, .n_add = 1, .remove = (const char(*)[CATALOG_NAME_MAX])gone, .n_remove = 1};
    struct catalog_list list;
    struct err err = ERR_NONE;

    assert_ok(add_row(f->catalog, "a.seg", &err));
    list = fixture_list(f);
    assert_int_equal(list.n, 1);
    assert_int_equal(list.generation, 1);
    assert_ok(catalog_commit(f->catalog, &change, &err));
    list = fixture_list(f);
    assert_int_equal(list.n, 1);
    assert_true(list.is_whole);
    assert_string_equal(list.segments[0].name, "b.seg");
    assert_int_equal(list.segments[0].site, 2);
    assert_int_equal(list.segments[0].max_time_ms, JUNE_2026_MS + DAY_MS);
}

static void
test_a_merge_commits_only_while_every_input_lives(void **state)
{
    struct fixture *f = *state;
    struct catalog_segment merged = row_of("m.seg", 1);
    char gone[2][CATALOG_NAME_MAX] = {"a.seg", "taken-by-another.seg"};
    struct catalog_change change = {
        .add = &merged, .n_add = 1, .remove = (const char(*)[CATALOG_NAME_MAX])gone, .n_remove = 2};
    struct catalog_list list;
    struct err err = ERR_NONE;

    assert_ok(add_row(f->catalog, "a.seg", &err));
    assert_rc(catalog_commit(f->catalog, &change, &err), ERR_CONFLICT);
    list = fixture_list(f);
    assert_int_equal(list.n, 1);
    assert_string_equal(list.segments[0].name, "a.seg");
    assert_true(list.is_whole);
}

static void
test_of_two_who_read_one_stream_one_commits(void **state)
{
    struct fixture *f = *state;
    struct catalog_segment a = row_of("a.seg", 1), b = row_of("b.seg", 1);
    struct catalog_advance first = {STREAM_EVENTS, "e1", {0, 0}, {100, 1}, 3};
    struct catalog_advance second = {STREAM_EVENTS, "e1", {0, 0}, {100, 2}, 4};
    struct catalog_change change = {.add = &a, .n_add = 1, .advance = &first};
    struct catalog_position position;
    struct catalog *other = NULL;
    struct err err = ERR_NONE;

    assert_ok(catalog_open(&f->store, false, &other, &err));
    assert_rc(catalog_position_get(f->catalog, STREAM_EVENTS, &position, &err), ERR_NOT_FOUND);
    assert_rc(catalog_commit(f->catalog, &change, &err), ERR_CONFLICT); /* nobody has begun */
    assert_ok(catalog_position_reset(f->catalog, STREAM_EVENTS, NULL, "e1", &err));
    assert_rc(catalog_position_reset(other, STREAM_EVENTS, NULL, "e2", &err), ERR_CONFLICT);
    assert_ok(catalog_commit(f->catalog, &change, &err));
    change = (struct catalog_change){.add = &b, .n_add = 1, .advance = &second};
    assert_rc(catalog_commit(other, &change, &err), ERR_CONFLICT);
    second.epoch = "e2";
    second.from = first.to;
    assert_rc(catalog_commit(other, &change, &err), ERR_CONFLICT); /* another epoch */
    assert_int_equal(fixture_list(f).n, 1);
    assert_ok(catalog_position_get(other, STREAM_EVENTS, &position, &err));
    assert_int_equal(position.id.ms, 100);
    assert_int_equal(position.id.seq, 1);
    assert_int_equal(position.n_entries, 3);
    catalog_close(&other);
}

static void
test_damage_is_seen(void **state)
{
    struct fixture *f = *state;
    struct catalog_list list;
    struct catalog_position position;
    struct err err = ERR_NONE;
    int n = 0;

    assert_ok(add_row(f->catalog, "a.seg", &err));
    assert_ok(add_row(f->catalog, "b.seg", &err));
    fixture_change_catalog(f, "UPDATE segments SET n_rows = 11 WHERE name = 'a.seg'");
    list = fixture_list(f);
    assert_int_equal(list.n, 1);
    assert_int_equal(list.n_bad, 1);
    assert_false(list.is_whole);
    assert_rc(catalog_clean(f->catalog, &f->store, &n, &err), ERR_CORRUPT);
    fixture_change_catalog(f, "DELETE FROM segments WHERE name = 'a.seg'");
    list = fixture_list(f);
    assert_int_equal(list.n_bad, 0);
    assert_false(list.is_whole); /* count and sum say that a row is missing */
    assert_ok(catalog_position_reset(f->catalog, STREAM_EVENTS, NULL, "e1", &err));
    fixture_change_catalog(f, "UPDATE positions SET ms = 5");
    assert_rc(catalog_position_get(f->catalog, STREAM_EVENTS, &position, &err), ERR_CORRUPT);
}

/* ---- Links ---- */

static struct catalog_link
link_of(const char *visitor, const char *known, int64_t time_ms, const char *id)
{
    return (struct catalog_link){1,       false,         slice_from(visitor), slice_from(known),
                                 time_ms, slice_from(id)};
}

static enum err_code
commit_link(struct fixture *f, const char *segment, const struct catalog_link *link,
            const struct catalog_advance *advance, struct err *err)
{
    struct catalog_segment row = row_of(segment, 1);
    struct catalog_change change = {
        .add = &row, .n_add = 1, .advance = advance, .links = link, .n_links = 1};

    return catalog_commit(f->catalog, &change, err);
}

static void
collect_link(const struct catalog_link *link, void *context)
{
    struct buffer *text = context;

    buffer_printf(text, "%.*s>%.*s@%lld ", SLICE_ARG(link->visitor), SLICE_ARG(link->known),
                  (long long)link->time_ms);
}

/* Reads on from *at; "visitor>known@time .." of what came. */
static void
assert_links(struct fixture *f, struct catalog_links *at, const char *expected)
{
    struct buffer text = BUFFER_EMPTY;
    struct err err = ERR_NONE;

    assert_ok(catalog_links_read(f->catalog, 1, at, collect_link, &text, &err));
    if (!slice_is(buffer_slice(&text), expected))
        fail_msg("\"%.*s\" instead of \"%s\"", (int)text.n, text.p, expected);
    buffer_fini(&text);
}

static void
test_a_link_is_kept_once_with_its_earliest_event(void **state)
{
    struct fixture *f = *state;
    struct catalog_links at = {0}, all = {0};
    struct catalog_link links[] = {
        link_of("F", "K", 20, "b"), link_of("F", "K", 30, "a"), link_of("F", "L", 5, "c"),
        link_of("F", "K", 20, "c"), link_of("F", "K", 20, "a"), link_of("F", "K", 10, "z"),
    };
    struct err err = ERR_NONE;

    assert_ok(commit_link(f, "1.seg", &links[0], NULL, &err));
    assert_links(f, &at, "F>K@20 ");
    assert_true(at.is_whole);
    assert_ok(commit_link(f, "2.seg", &links[1], NULL, &err));
    assert_ok(commit_link(f, "3.seg", &links[2], NULL, &err));
    assert_ok(commit_link(f, "4.seg", &links[3], NULL, &err));
    assert_links(f, &at, "F>L@5 ");
    assert_true(at.is_whole);
    assert_ok(commit_link(f, "5.seg", &links[4], NULL, &err));
    assert_ok(commit_link(f, "6.seg", &links[5], NULL, &err));
    assert_links(f, &at, "F>K@10 ");
    assert_false(at.is_whole); /* one was replaced: all of them are read again */
    assert_links(f, &all, "F>L@5 F>K@10 ");
    assert_true(all.is_whole);
    assert_ok(catalog_links_remove(f->catalog, 1, &err));
    assert_links(f, &all, "");
    assert_false(all.is_whole);
}

/* Who commits the position commits the segments and the links, or none of them. */
static void
test_links_stand_and_fall_with_their_commit(void **state)
{
    struct fixture *f = *state;
    struct catalog_advance advance = {STREAM_EVENTS, "e1", {0, 0}, {100, 1}, 3};
    struct catalog_link link = link_of("F", "K", 20, "b");
    struct catalog_links at = {0};
    struct err err = ERR_NONE;

    assert_rc(commit_link(f, "a.seg", &link, &advance, &err), ERR_CONFLICT);
    assert_links(f, &at, "");
    assert_int_equal(fixture_list(f).n, 0);
    assert_ok(catalog_position_reset(f->catalog, STREAM_EVENTS, NULL, "e1", &err));
    assert_ok(commit_link(f, "a.seg", &link, &advance, &err));
    assert_rc(commit_link(f, "b.seg", &(struct catalog_link){0}, &advance, &err), ERR_CONFLICT);
    assert_links(f, &at, "F>K@20 ");
    assert_true(at.is_whole);
    assert_int_equal(fixture_list(f).n, 1);
}

static void
test_damaged_links_are_seen(void **state)
{
    struct fixture *f = *state;
    struct catalog_link links[] = {link_of("F", "K", 20, "b"), link_of("G", "K", 30, "c")};
    struct catalog_links at = {0}, again = {0};
    struct err err = ERR_NONE;

    assert_ok(commit_link(f, "1.seg", &links[0], NULL, &err));
    assert_ok(commit_link(f, "2.seg", &links[1], NULL, &err));
    fixture_change_catalog(f, "UPDATE links SET known = 'L' WHERE visitor = 'F'");
    assert_links(f, &at, "G>K@30 ");
    assert_int_equal(at.n_bad, 1);
    assert_false(at.is_whole);
    fixture_change_catalog(f, "DELETE FROM links WHERE visitor = 'F'");
    assert_links(f, &again, "G>K@30 ");
    assert_int_equal(again.n_bad, 0);
    assert_false(again.is_whole); /* count and sum say that a row is missing */
}

/* A catalog of before there were links. */
static void
test_schema_1_is_taken_on(void **state)
{
    struct fixture *f = *state;
    struct catalog_link link = link_of("F", "K", 20, "b");
    struct catalog_links at = {0};
    struct err err = ERR_NONE;

    assert_ok(add_row(f->catalog, "a.seg", &err));
    catalog_close(&f->catalog);
    fixture_change_catalog(
        f, "DROP TABLE links; DROP TABLE link_sums; "
           "DROP TABLE tombstones; DROP TABLE tombstone_sum; PRAGMA user_version = 1");
    assert_ok(catalog_open(&f->store, false, &f->catalog, &err));
    assert_int_equal(fixture_list(f).n, 1);
    assert_true(fixture_list(f).is_whole);
    assert_ok(commit_link(f, "b.seg", &link, NULL, &err));
    assert_links(f, &at, "F>K@20 ");
}

/* The next clean-up would have unlinked every segment. */
static void
test_a_lost_catalog_is_not_made_anew_beside_segments(void **state)
{
    static const char *const files[] = {"catalog.db", "catalog.db-wal", "catalog.db-shm"};
    struct fixture *f = *state;
    struct event e = event_of(1, "v", "1", "a", JUNE_2026_MS);
    struct catalog *c = NULL;
    struct err err = ERR_NONE;
    char path[FILE_PATH_MAX];

    fixture_add(f, &e);
    fixture_commit(f);
    catalog_close(&f->catalog);
    snapshot_pool_close(&f->pool);
    for (size_t i = 0; i < 3; i++) {
        store_path(&f->store, files[i], path);
        assert_ok(file_remove(path, &err));
    }
    store_path(&f->store, "catalog.db", path);
    assert_rc(catalog_open(&f->store, true, &c, &err), ERR_CORRUPT);
    assert_rc(catalog_open(&f->store, false, &c, &err), ERR_CORRUPT);
    assert_false(file_exists(path));
    assert_ok(file_replace(path, SLICE_EMPTY, 0640, &err));
    assert_rc(catalog_open(&f->store, true, &c, &err), ERR_CORRUPT);
    assert_int_equal(folder_count(f->store.segments), 1);
}

static void
test_newer_schema_is_refused(void **state)
{
    struct fixture *f = *state;
    struct catalog *c = NULL;
    struct err err = ERR_NONE;

    fixture_change_catalog(f, "PRAGMA user_version = 99");
    assert_rc(catalog_open(&f->store, true, &c, &err), ERR_VERSION);
    fixture_change_catalog(f, "PRAGMA user_version = 1; PRAGMA application_id = 7");
    assert_rc(catalog_open(&f->store, true, &c, &err), ERR_CORRUPT);
}

static void
touch(struct fixture *f, const char *name)
{
    char path[FILE_PATH_MAX];
    struct err err = ERR_NONE;

    store_segment_path(&f->store, name, path);
    assert_ok(file_replace(path, SLICE("x"), 0640, &err));
}

static bool
is_there(struct fixture *f, const char *name)
{
    char path[FILE_PATH_MAX];

    store_segment_path(&f->store, name, path);
    return file_exists(path);
}

static void
test_clean_takes_what_nobody_names(void **state)
{
    struct fixture *f = *state;
    struct err err = ERR_NONE;
    int lock = -1;
    int n = -1;

    assert_ok(add_row(f->catalog, "live.seg", &err));
    touch(f, "live.seg");
    touch(f, "orphan.seg");
    touch(f, ".new-abcdef");
    assert_ok(store_lock_writing(&f->store, false, true, &lock, &err));
    assert_ok(catalog_clean(f->catalog, &f->store, &n, &err));
    assert_int_equal(n, 0); /* somebody may be between the file and its commit */
    file_unlock(&lock);
    assert_ok(catalog_clean(f->catalog, &f->store, &n, &err));
    assert_int_equal(n, 2);
    assert_true(is_there(f, "live.seg"));
    assert_false(is_there(f, "orphan.seg"));
}

static void
test_replaced_files_stay_for_a_minute(void **state)
{
    struct fixture *f = *state;
    char gone[1][CATALOG_NAME_MAX] = {"a.seg"};
    struct catalog_change change = {.remove = (const char(*)[CATALOG_NAME_MAX])gone, .n_remove = 1};
    struct err err = ERR_NONE;
    int n = -1;

    clock_set_wall_ms(JUNE_2026_MS);
    assert_ok(add_row(f->catalog, "a.seg", &err));
    touch(f, "a.seg");
    assert_ok(catalog_commit(f->catalog, &change, &err));
    clock_set_wall_ms(JUNE_2026_MS + CATALOG_REPLACED_MS - 1);
    assert_ok(catalog_clean(f->catalog, &f->store, &n, &err));
    assert_int_equal(n, 0);
    assert_true(is_there(f, "a.seg"));
    clock_set_wall_ms(JUNE_2026_MS + CATALOG_REPLACED_MS);
    assert_ok(catalog_clean(f->catalog, &f->store, &n, &err));
    clock_set_wall_ms(-1);
    assert_int_equal(n, 1);
    assert_false(is_there(f, "a.seg"));
}

static void
test_a_file_that_no_commit_names_is_put_aside_for_a_week(void **state)
{
    struct fixture *f = *state;
    struct err err = ERR_NONE;
    int n = -1;

    touch(f, "lost.seg");
    touch(f, ".new-abc");
    assert_ok(catalog_clean(f->catalog, &f->store, &n, &err));
    assert_int_equal(n, 2);
    assert_false(is_there(f, "lost.seg") || is_there(f, ".new-abc"));
    assert_true(is_there(f, "../unlisted/lost.seg"));
    assert_false(is_there(f, "../unlisted/.new-abc"));
    clock_set_wall_ms(clock_wall_ms() + (CATALOG_ASIDE_S + 10) * INT64_C(1000));
    assert_ok(catalog_clean(f->catalog, &f->store, &n, &err));
    clock_set_wall_ms(-1);
    assert_false(is_there(f, "../unlisted/lost.seg"));
}

static void
test_alarms_are_kept_and_counted(void **state)
{
    struct fixture *f = *state;
    struct catalog_alarm *alarms = NULL;
    struct err err = ERR_NONE;
    size_t n = 0;

    assert_ok(catalog_alarm_raise(f->catalog, "stream_lost", 3, "three", &err));
    assert_ok(catalog_alarm_raise(f->catalog, "stream_lost", 4, "four more", &err));
    assert_ok(catalog_alarm_raise(f->catalog, "bad_records", 1, "one", &err));
    assert_ok(catalog_alarms(f->catalog, &f->arena, &alarms, &n, &err));
    assert_int_equal(n, 2);
    assert_int_equal(alarms[1].n, 7);
    assert_true(slice_is(alarms[1].message, "four more"));
    assert_ok(catalog_alarm_clear(f->catalog, "stream_lost", &err));
    assert_ok(catalog_alarms(f->catalog, &f->arena, &alarms, &n, &err));
    assert_int_equal(n, 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_adds_and_removes),
        CASE(test_a_merge_commits_only_while_every_input_lives),
        CASE(test_of_two_who_read_one_stream_one_commits),
        CASE(test_damage_is_seen),
        CASE(test_a_link_is_kept_once_with_its_earliest_event),
        CASE(test_links_stand_and_fall_with_their_commit),
        CASE(test_damaged_links_are_seen),
        CASE(test_schema_1_is_taken_on),
        CASE(test_a_lost_catalog_is_not_made_anew_beside_segments),
        CASE(test_newer_schema_is_refused),
        CASE(test_clean_takes_what_nobody_names),
        CASE(test_replaced_files_stay_for_a_minute),
        CASE(test_a_file_that_no_commit_names_is_put_aside_for_a_week),
        CASE(test_alarms_are_kept_and_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
