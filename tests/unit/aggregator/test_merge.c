/* Which segments are joined, and what a merge leaves alone. (That a merge changes no report is in
 * test_query.c.) */
#include <fcntl.h>
#include <pthread.h>

#include "aggregator/merge.h"
#include "aggregator/site.h"
#include "core/clock.h"
#include "tests/support/patience.h"
#include "tests/unit/aggregator/fixture.h"

static uint64_t n_made;

static void
add_file(struct fixture *f, uint32_t site, int n_events, int64_t time_ms)
{
    for (int i = 0; i < n_events; i++) {
        struct event e = event_of(site, "", "", "a", time_ms);

        e.visitor = arena_printf(&f->arena, "v%d", i % 10);
        e.id = arena_printf(&f->arena, "%llu", (unsigned long long)n_made++);
        fixture_add(f, &e);
    }
    fixture_commit(f);
}

/* Two sites in one file. */
static void
add_mixed(struct fixture *f, int64_t time_ms)
{
    struct event e = event_of(7, "x", "", "b", time_ms);

    e.id = arena_printf(&f->arena, "%llu", (unsigned long long)n_made++);
    fixture_add(f, &e);
    add_file(f, 1, 1, time_ms);
}

static struct catalog_list
list_of(struct fixture *f)
{
    struct catalog_list list;
    struct err err = ERR_NONE;

    assert_ok(catalog_read(f->catalog, &f->arena, &list, &err));
    assert_true(list.is_whole);
    return list;
}

static size_t
step(struct fixture *f, bool everything)
{
    struct merge_options options = {
        .store = &f->store, .settings = f->settings, .everything = everything};
    struct err err = ERR_NONE;
    size_t n = 99;

    assert_ok(merge_step(f->catalog, &options, &n, &err));
    return n;
}

static size_t
run_all(struct fixture *f, bool everything)
{
    size_t total = 0;

    for (size_t n = 1; n != 0; total += n)
        n = step(f, everything);
    return total;
}

static uint64_t
rows_of(struct fixture *f)
{
    struct catalog_list list = list_of(f);
    uint64_t n = 0;

    for (size_t i = 0; i < list.n; i++)
        n += list.segments[i].n_rows;
    return n;
}

static void
test_nothing_is_due_before_there_are_enough(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < MERGE_FAN_IN - 1; i++)
        add_file(f, 1, 10, JUNE_2026_MS);
    assert_int_equal(step(f, false), 0);
    add_file(f, 1, 10, JUNE_2026_MS);
    assert_int_equal(step(f, false), MERGE_FAN_IN);
    assert_int_equal(list_of(f).n, 1);
    assert_int_equal(rows_of(f), 10 * MERGE_FAN_IN);
    assert_int_equal(step(f, false), 0);
}

static void
test_months_and_sites_are_never_joined(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < MERGE_FAN_IN - 1; i++) {
        add_file(f, 1, 10, JUNE_2026_MS);
        add_file(f, 2, 10, JUNE_2026_MS);
        add_file(f, 1, 10, JUNE_2026_MS + 40 * DAY_MS);
    }
    assert_int_equal(run_all(f, false), 0);
    assert_int_equal(run_all(f, true), 3 * (MERGE_FAN_IN - 1));
    assert_int_equal(list_of(f).n, 3);
}

static void
test_files_of_several_sites_are_split(void **state)
{
    struct fixture *f = *state;
    struct catalog_list list;

    for (int i = 0; i < MERGE_FAN_IN; i++)
        add_mixed(f, JUNE_2026_MS + i);
    assert_int_equal(list_of(f).segments[0].site, 0);
    assert_int_equal(step(f, false), MERGE_FAN_IN);
    list = list_of(f);
    assert_int_equal(list.n, 2);
    assert_int_equal(list.segments[0].site + list.segments[1].site, 8);
    assert_int_equal(rows_of(f), 2 * MERGE_FAN_IN);
}

static void
test_after_a_quiet_a_few_are_joined_too(void **state)
{
    struct fixture *f = *state;

    add_mixed(f, JUNE_2026_MS);
    add_file(f, 3, 1, JUNE_2026_MS);
    add_file(f, 3, 1, JUNE_2026_MS);
    assert_int_equal(run_all(f, false), 0);
    clock_set_wall_ms(clock_wall_ms() + MERGE_QUIET_MS);
    assert_int_equal(run_all(f, false), 3);
    clock_set_wall_ms(-1);
    assert_int_equal(list_of(f).n, 3); /* sites 1, 7 and 3 */
}

/* Rows of files that were not there before. */
static uint64_t
count_new_rows(const struct catalog_list *before, const struct catalog_list *after)
{
    uint64_t n = 0;

    for (size_t i = 0; i < after->n; i++) {
        bool is_new = true;

        for (size_t k = 0; k < before->n && is_new; k++)
            is_new = strcmp(before->segments[k].name, after->segments[i].name) != 0;
        n += is_new ? after->segments[i].n_rows : 0;
    }
    return n;
}

static void
test_a_row_is_rewritten_a_few_times_only(void **state)
{
    enum { FILES = 128, ROWS = 40 };
    struct fixture *f = *state;
    uint64_t n_rewritten = 0;
    size_t n_most = 0;

    for (int i = 0; i < FILES; i++) {
        struct catalog_list before, after;
        size_t n;

        add_file(f, 1, ROWS, JUNE_2026_MS + i);
        do {
            before = list_of(f);
            n = step(f, false);
            after = list_of(f);
            n_rewritten += count_new_rows(&before, &after);
        } while (n != 0);
        if (after.n > n_most)
            n_most = after.n;
        arena_reset(&f->arena);
    }
    assert_true(n_most <= MERGE_FAN_IN + 7); /* 2^7 = FILES */
    assert_true(n_rewritten <= 7 * FILES * ROWS);
    assert_int_equal(rows_of(f), FILES * ROWS);
}

static void
ignore_link(const struct catalog_link *link, void *context)
{
    (void)link;
    (void)context;
}

static uint64_t
n_links_of(struct fixture *f, uint32_t site)
{
    struct catalog_links links = {0};
    struct err err = ERR_NONE;

    assert_ok(catalog_links_read(f->catalog, site, &links, ignore_link, NULL, &err));
    assert_true(links.is_whole);
    return links.n;
}

static void
test_removed_sites_go(void **state)
{
    struct fixture *f = *state;
    struct event identify = event_of(1, "F", "1", "identify", JUNE_2026_MS);
    struct site_wish wish = {.name = SLICE("a"), .domain = SLICE("a.example")};
    char secret[SITE_KEY_MAX];
    struct site site;
    struct err err = ERR_NONE;

    assert_ok(site_add(f->settings, &wish, &f->arena, &site, secret, &err));
    assert_int_equal(site.id, 1);
    add_file(f, 1, 5, JUNE_2026_MS);
    add_file(f, 2, 5, JUNE_2026_MS);
    for (int i = 0; i < MERGE_FAN_IN; i++)
        add_mixed(f, JUNE_2026_MS);
    identify.text[TEXT_KNOWN] = SLICE("K");
    for (identify.site = 1; identify.site <= 2; identify.site++)
        fixture_add(f, &identify);
    fixture_commit(f);
    assert_int_equal(n_links_of(f, 1), 1);
    assert_ok(site_remove(f->settings, SLICE("a"), &err));
    assert_true(run_all(f, true) > 0);
    for (size_t i = 0; i < list_of(f).n; i++)
        assert_int_not_equal(list_of(f).segments[i].site, 1);
    assert_int_equal(rows_of(f), 5 + 1 + MERGE_FAN_IN); /* sites 2 and 7 */
    assert_int_equal(n_links_of(f, 1), 0);
    assert_int_equal(n_links_of(f, 2), 1);
}

static void
test_a_damaged_input_keeps_no_other_from_merging(void **state)
{
    struct fixture *f = *state;
    struct merge_memory memory = {.n_bad = 0};
    struct merge_options options = {
        .store = &f->store, .settings = f->settings, .everything = true, .memory = &memory};
    struct catalog_list list;
    char path[FILE_PATH_MAX];
    struct err err = ERR_NONE;
    size_t n = 0;
    int fd;

    for (int i = 0; i < 4; i++)
        add_file(f, 1, 30, JUNE_2026_MS);
    list = list_of(f);
    store_segment_path(&f->store, list.segments[2].name, path);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "damage", 6, 700), 6);
    close(fd);
    assert_rc(merge_step(f->catalog, &options, &n, &err), ERR_CORRUPT);
    assert_int_equal(memory.n_bad, 1);
    assert_string_equal(memory.bad[0], list.segments[2].name);
    assert_ok(merge_step(f->catalog, &options, &n, &err));
    assert_int_equal(n, 3);
    assert_int_equal(list_of(f).n, 2);
    assert_int_equal(folder_count(f->store.segments), 5); /* 4 inputs wait for a minute, 1 output */
}

static void
test_a_file_of_another_folder_keeps_no_other_from_merging(void **state)
{
    struct fixture *f = *state;
    struct merge_memory memory = {.n_bad = 0};
    struct merge_options options = {
        .store = &f->store, .settings = f->settings, .everything = true, .memory = &memory};
    struct segment_owner other = {.hash_seed = f->store.hash_seed};
    struct segment_builder *ours = f->builder;
    struct err err = ERR_NONE;
    size_t n = 0;

    add_file(f, 1, 30, JUNE_2026_MS);
    add_file(f, 1, 30, JUNE_2026_MS);
    f->builder = segment_builder_create(&other);
    add_file(f, 1, 30, JUNE_2026_MS);
    segment_builder_destroy(&f->builder);
    f->builder = ours;
    assert_rc(merge_step(f->catalog, &options, &n, &err), ERR_CORRUPT);
    assert_int_equal(memory.n_bad, 1);
    assert_ok(merge_step(f->catalog, &options, &n, &err));
    assert_int_equal(n, 2);
}

static void
test_one_merger_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct merge_options options = {.store = &f->store, .settings = f->settings};
    struct err err = ERR_NONE;
    size_t n = 0;
    int lock = -1;

    assert_ok(store_lock_merging(&f->store, false, &lock, &err));
    assert_rc(merge_step(f->catalog, &options, &n, &err), ERR_CONFLICT);
    file_unlock(&lock);
    assert_ok(merge_step(f->catalog, &options, &n, &err));
}

/* ---- Readers and a writer meanwhile ---- */

struct merger {
    struct merge_options options;
    atomic_bool stop;
};

static void *
merge_until_stopped(void *context)
{
    struct merger *m = context;
    struct catalog *c = NULL;

    if (catalog_open(m->options.store, false, &c, NULL) != ERR_OK)
        return NULL;
    while (!atomic_load(&m->stop)) {
        size_t n = 0;

        merge_step(c, &m->options, &n, NULL);
    }
    catalog_close(&c);
    return NULL;
}

struct reader {
    struct fixture *f;
    atomic_bool *stop;
    uint64_t n_queries;
    uint64_t n_wrong;
};

/* What was stored stays stored: a reader never sees fewer events than before. */
static void *
read_until_stopped(void *context)
{
    struct reader *r = context;
    uint64_t n_before = 0;

    while (!atomic_load(r->stop)) {
        struct query_value *values = NULL;
        struct arena a;
        size_t n = 0;

        arena_init(&a, 4096);
        r->n_queries++;
        if (query_values(r->f->pool, 1, SLICE("event"), SLICE_EMPTY, 10, &a, &values, &n, NULL) !=
                ERR_OK ||
            (n != 0 && values[0].n_events < n_before))
            r->n_wrong++;
        n_before = n != 0 ? values[0].n_events : 0;
        arena_fini(&a);
    }
    return NULL;
}

static void
test_readers_and_a_writer_are_not_disturbed(void **state)
{
    struct reader readers[3];
    pthread_t reader_threads[3];
    struct fixture *f = *state;
    struct merger m = {.options = {.store = &f->store, .settings = f->settings, .everything = true},
                       .stop = false};
    struct query_summary summary;
    struct err err = ERR_NONE;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, merge_until_stopped, &m), 0);
    for (int i = 0; i < 3; i++) {
        readers[i] = (struct reader){f, &m.stop, 0, 0};
        assert_int_equal(pthread_create(&reader_threads[i], NULL, read_until_stopped, &readers[i]),
                         0);
    }
    for (int i = 0; i < 60; i++) {
        add_file(f, 1, 10, JUNE_2026_MS + i);
        assert_ok(query_site_summary(f->pool, 1, &summary, &err));
        assert_int_equal(summary.n_events, 10 * (i + 1));
        assert_contains(fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE), "\"entered\":10,");
        arena_reset(&f->arena);
    }
    atomic_store(&m.stop, true);
    pthread_join(thread, NULL);
    for (int i = 0; i < 3; i++) {
        pthread_join(reader_threads[i], NULL);
        assert_true(readers[i].n_queries > 10);
        assert_int_equal(readers[i].n_wrong, 0);
    }
    assert_int_equal(rows_of(f), 600);
}

/* Files of two sites whose rows say that they are larger than any disk. */
static void
add_huge(struct fixture *f)
{
    struct segment_file *files = NULL;
    struct catalog_segment row;
    struct catalog_change change = {.add = &row, .n_add = 1};
    struct err err = ERR_NONE;
    size_t n = 0;

    for (uint32_t site = 1; site <= 2; site++) {
        struct event e = event_of(site, "x", "", "b", JUNE_2026_MS);

        e.id = arena_printf(&f->arena, "%llu", (unsigned long long)n_made++);
        fixture_add(f, &e);
    }
    assert_ok(segment_builder_write(f->builder, f->store.segments, &f->arena, &files, &n, &err));
    segment_builder_reset(f->builder);
    row = catalog_segment_of(&files[0], CATALOG_FLUSH);
    row.n_bytes = UINT64_C(1) << 50;
    assert_ok(catalog_commit(f->catalog, &change, &err));
}

static void *
run_merger(void *options)
{
    merge_run(options);
    return NULL;
}

static void
test_without_twice_the_space_it_is_postponed_with_an_alarm(void **state)
{
    struct fixture *f = *state;
    atomic_bool stop = false;
    struct merge_options options = {.store = &f->store, .settings = f->settings, .stop = &stop};
    struct catalog_alarm *alarms = NULL;
    struct err err = ERR_NONE;
    pthread_t thread;
    size_t n = 0;

    for (int i = 0; i < MERGE_FAN_IN; i++)
        add_huge(f);
    assert_rc(merge_step(f->catalog, &options, &n, &err), ERR_FULL);
    assert_int_equal(list_of(f).n, MERGE_FAN_IN); /* all as it was */
    assert_int_equal(pthread_create(&thread, NULL, run_merger, &options), 0);
    for (int64_t until = clock_steady_ms() + PATIENCE_MS; n == 0 && clock_steady_ms() < until;) {
        clock_sleep_ms(10);
        assert_ok(catalog_alarms(f->catalog, &f->arena, &alarms, &n, &err));
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(n, 1);
    assert_true(slice_is(alarms[0].code, "merge_postponed"));
}

static void
test_how_often_a_byte_is_written(void **state)
{
    struct fixture *f = *state;
    uint64_t n_new = 0;

    assert_int_equal(catalog_written(f->catalog).n_new_bytes, 0);
    for (int i = 0; i < MERGE_FAN_IN; i++)
        add_file(f, 1, 10, JUNE_2026_MS);
    for (size_t i = 0; i < MERGE_FAN_IN; i++)
        n_new += list_of(f).segments[i].n_bytes;
    assert_int_equal(catalog_written(f->catalog).n_new_bytes, n_new);
    assert_int_equal(catalog_written(f->catalog).n_merged_bytes, 0);
    assert_int_equal(run_all(f, false), MERGE_FAN_IN);
    assert_int_equal(catalog_written(f->catalog).n_new_bytes, n_new);
    assert_int_equal(catalog_written(f->catalog).n_merged_bytes, list_of(f).segments[0].n_bytes);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_nothing_is_due_before_there_are_enough),
        CASE(test_months_and_sites_are_never_joined),
        CASE(test_files_of_several_sites_are_split),
        CASE(test_after_a_quiet_a_few_are_joined_too),
        CASE(test_a_row_is_rewritten_a_few_times_only),
        CASE(test_removed_sites_go),
        CASE(test_a_damaged_input_keeps_no_other_from_merging),
        CASE(test_a_file_of_another_folder_keeps_no_other_from_merging),
        CASE(test_one_merger_at_a_time),
        CASE(test_without_twice_the_space_it_is_postponed_with_an_alarm),
        CASE(test_how_often_a_byte_is_written),
        CASE(test_readers_and_a_writer_are_not_disturbed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
