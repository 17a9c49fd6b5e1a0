/* Two where there may be one, a process killed between two steps, readers while files go, and
 * events of the erased that come late: nothing lost, nothing twice, each with its alarm. */
#include <pthread.h>

#include "aggregator/merge.h"
#include "tests/unit/aggregator/ingest_world.h"

/* ---- Two aggregators ---- */

static void
test_two_on_one_folder(void **state)
{
    struct world *w = *state;
    pid_t both[2];

    w->aggregator = both[0] = start_aggregator(w, w->f->dir);
    both[1] = start_aggregator(w, w->f->dir);
    for (int i = 0; i < 20; i++) {
        send_events(w, 50);
        clock_sleep_ms(20);
    }
    wait_alarm(w, "two_aggregators");
    wait_stored(w, w->n_sent);
    w->aggregator = 0;
    for (int i = 0; i < 2; i++)
        if (waitpid(both[i], NULL, WNOHANG) == 0)
            assert_int_equal(end(both[i], SIGTERM), ERR_OK);
    assert_int_equal(count_stored(w), w->n_sent);
    assert_int_equal(alarm_count(w, "two_aggregators"), 1);
    assert_int_equal(alarm_count(w, "stream_lost"), 0);
}

static void
test_one_redis_of_two_folders(void **state)
{
    struct world *w = *state;
    struct catalog_alarm *alarms = NULL;
    struct catalog *other = NULL;
    struct fixture *second = NULL;
    struct err err = ERR_NONE;
    size_t n = 0;

    fixture_setup((void **)&second);
    w->aggregator = start_aggregator(w, w->f->dir);
    send_events(w, 5);
    wait_stored(w, 5);
    assert_int_equal(wait_end(start_aggregator(w, second->dir)), ERR_CONFLICT);
    assert_ok(catalog_open(&second->store, false, &other, &err));
    assert_ok(catalog_alarms(other, &w->f->arena, &alarms, &n, &err));
    assert_int_equal(n, 1);
    assert_true(slice_is(alarms[0].code, "redis_shared"));
    catalog_close(&other);
    send_events(w, 5); /* the first goes on */
    wait_stored(w, 10);
    fixture_teardown((void **)&second);
}

/* ---- A clock that is behind ---- */

/* A Redis that was emptied and whose clock is an hour behind gives smaller ids than those that were
 * committed: a new epoch, so all of it is read. */
static void
test_flushall_with_a_clock_that_is_behind(void **state)
{
    struct world *w = *state;

    w->aggregator = start_aggregator(w, w->f->dir);
    send_events(w, 5);
    wait_stored(w, 5);
    redis_cli(w, "FLUSHALL", NULL);
    add_entry_at(w, "1000-1", 7);
    wait_alarm(w, "stream_replaced");
    wait_stored(w, 12);
    assert_int_equal(position_of(w).id.ms, 1000);
    assert_int_equal(end(w->aggregator, SIGTERM), ERR_OK);
    add_entry_at(w, "1001-1", 3);
    w->aggregator = start_aggregator(w, w->f->dir);
    wait_stored(w, 15);
    assert_int_equal(alarm_count(w, "stream_replaced"), 1);
    assert_int_equal(alarm_count(w, "stream_lost"), 0);
}

/* ---- Killed between rename and commit ---- */

/* As `corong import` does it, up to the moment. */
static void
import_events(struct world *w, bool is_killed)
{
    struct writer *writer = NULL;
    struct catalog *c = NULL;
    struct err err = ERR_NONE;

    assert_ok(catalog_open(&w->f->store, true, &c, &err));
    assert_ok(writer_open(&w->f->store, c, CATALOG_IMPORT, &writer, &err));
    for (uint64_t i = 0; i < 100; i++) {
        struct event e = numbered_event(&w->f->arena, i);

        fixture_add(w->f, &e);
        if (i % 40 == 39)
            assert_ok(writer_add(writer, w->f->builder, &err));
    }
    assert_ok(writer_add(writer, w->f->builder, &err));
    if (is_killed)
        raise(SIGKILL);
    assert_ok(writer_commit(writer, NULL, &err));
    writer_close(&writer);
    catalog_close(&c);
}

static void
test_an_import_killed_before_its_commit(void **state)
{
    struct world *w = *state;
    char aside[FILE_PATH_MAX];
    struct err err = ERR_NONE;
    int status = 0, n = 0;
    pid_t pid = fork();

    if (pid == 0) {
        import_events(w, true);
        _exit(1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(folder_count(w->f->store.segments), 3);
    assert_int_equal(count_stored(w), 0);
    assert_ok(catalog_clean(w->f->catalog, &w->f->store, &n, &err));
    assert_int_equal(n, 3);
    assert_int_equal(alarm_count(w, "files_put_aside"), 3);
    store_path(&w->f->store, "unlisted", aside);
    assert_int_equal(folder_count(aside), 3);
    import_events(w, false);
    assert_int_equal(count_stored(w), 100);
}

/* ---- A reader during merges ---- */

struct merging {
    struct fixture *f;
    enum err_code rc;
    struct err err;
    size_t n_merged;
};

/* Merge everything, and take the inputs away at once, without the minute that readers have. */
static void *
merge_all(void *context)
{
    struct merging *m = context;
    struct merge_options options = {
        .store = &m->f->store, .settings = m->f->settings, .everything = true};
    struct catalog *c = NULL;
    size_t n = 1;

    m->rc = catalog_open(&m->f->store, false, &c, &m->err);
    while (m->rc == ERR_OK && n != 0) {
        m->rc = merge_step(c, &options, &n, &m->err);
        m->n_merged += n;
        if (m->rc == ERR_OK)
            m->rc = catalog_unlink_replaced(c, &m->f->store, &m->err);
    }
    catalog_close(&c);
    return NULL;
}

static void
test_a_reader_during_merges(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    struct merging merging = {.f = f};
    struct slice truth;
    pthread_t thread;
    bool is_over = false;
    int n_read = 0;

    for (int month = 0; month < 6; month++)
        for (int i = 0; i < 20; i++) {
            char id[16];
            struct event e = event_of(1, id, id, i % 2 ? "a" : "b",
                                      JUNE_2026_MS + month * 31 * DAY_MS + i * 1000);

            snprintf(id, sizeof id, "%d", i * (month + 1));
            e.visitor = e.id = slice_from(id);
            fixture_add(f, &e);
            fixture_commit(f);
        }
    truth = fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE);
    assert_int_equal(pthread_create(&thread, NULL, merge_all, &merging), 0);
    do { /* some while it merges, and some after */
        struct slice got = fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE);

        if (!slice_equal(got, truth))
            fail_msg("report %d: %.*s", n_read, SLICE_ARG(got));
        is_over = is_over || pthread_tryjoin_np(thread, NULL) == 0;
    } while (++n_read < 30 || !is_over);
    if (merging.rc != ERR_OK)
        fail_msg("%s", merging.err.message);
    assert_true(merging.n_merged >= 120);
    assert_true(slice_equal(fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE), truth));
}

/* ---- Erased, and late ---- */

static uint64_t
rows_in_files(struct world *w)
{
    struct catalog_list list;
    struct err err = ERR_NONE;
    uint64_t n = 0;

    assert_ok(catalog_read(w->f->catalog, &w->f->arena, &list, &err));
    for (size_t i = 0; i < list.n; i++)
        n += list.segments[i].n_rows;
    return n;
}

/* Events v0 .. v49 in turn, at 0 ms, 1 ms, ..: v7's of up to 107 ms are gone. */
static void
test_events_of_the_erased_that_come_late_are_not_stored(void **state)
{
    struct world *w = *state;
    struct slice id = SLICE("v7");
    struct err err = ERR_NONE;

    assert_ok(catalog_erase(w->f->catalog, 1, &id, 1, JUNE_2026_MS + 107, &err));
    w->aggregator = start_aggregator(w, w->f->dir);
    send_events(w, 200);
    wait_stored(w, 197); /* 7, 57 and 107 */
    assert_int_equal(end(w->aggregator, SIGTERM), ERR_OK);
    assert_int_equal(rows_in_files(w), 197);
}

static bool
is_in_log(struct world *w, const char *text)
{
    char line[200];

    snprintf(line, sizeof line, "grep -rqF -- '%s' %s", text, w->redis.folder);
    return system(line) == 0;
}

/* Without --now: the aggregator sees to it by itself. */
static void
test_redis_s_log_forgets_the_erased(void **state)
{
    struct world *w = *state;
    struct buffer batch = BUFFER_EMPTY;
    struct event e = event_of(1, "only-she-ever-had-this-id", "1", "a", JUNE_2026_MS);
    struct err err = ERR_NONE;
    bool is_there = true;

    codec_batch_begin(&batch);
    assert_ok(codec_batch_add(&batch, &e, &err));
    add_entry(w, buffer_slice(&batch));
    buffer_fini(&batch);
    send_events(w, 10);
    w->aggregator = start_aggregator(w, w->f->dir);
    wait_stored(w, 10);
    assert_int_equal(end(w->aggregator, SIGTERM), ERR_OK);
    assert_true(is_in_log(w, "only-she-ever-had-this-id"));
    assert_ok(catalog_erase(w->f->catalog, 1, &e.visitor, 1, clock_wall_ms(), &err));
    w->aggregator = start_aggregator(w, w->f->dir);
    for (int64_t until = clock_steady_ms() + PATIENCE_MS; is_there && clock_steady_ms() < until;) {
        clock_sleep_ms(50);
        is_there = is_in_log(w, "only-she-ever-had-this-id");
    }
    assert_false(is_there);
    send_events(w, 10);
    wait_stored(w, 20);
    assert_int_equal(rows_in_files(w), 20);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_two_on_one_folder),
        CASE(test_one_redis_of_two_folders),
        CASE(test_flushall_with_a_clock_that_is_behind),
        CASE(test_an_import_killed_before_its_commit),
        CASE(test_a_reader_during_merges),
        CASE(test_events_of_the_erased_that_come_late_are_not_stored),
        CASE(test_redis_s_log_forgets_the_erased),
    };

    signal(SIGPIPE, SIG_IGN); /* as every program that speaks with Redis does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
