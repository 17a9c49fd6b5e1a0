/* Ingest against a real Redis: each acknowledged event once, whatever ends, goes or comes back. */
#include "aggregator/link_target.h"
#include "aggregator/site.h"
#include "core/published.h"
#include "core/stream_counts.h"
#include "tests/unit/aggregator/ingest_world.h"

/* ---- The tests ---- */

static void
test_events_come_through_and_the_stream_is_trimmed(void **state)
{
    struct world *w = *state;
    struct stream_info info = {.length = -1};
    struct err err = ERR_NONE;
    uint64_t n = 1;
    int64_t start;

    w->aggregator = start_aggregator(w, w->f->dir);
    send_events(w, 10);
    wait_stored(w, 10);
    do { /* soon; one of some times, as the machine may be busy just then */
        start = clock_steady_ms();
        send_events(w, 10);
        wait_stored(w, 10 * ++n);
    } while (clock_steady_ms() - start >= 3000 && n < 10);
    assert_true(clock_steady_ms() - start < 3000);
    for (int i = 0; i < PATIENCE_MS / 20 && info.length != 0; i++) {
        assert_ok(stream_info(w->stream, &info, &err));
        clock_sleep_ms(20);
    }
    assert_int_equal(info.length, 0);
    assert_int_equal(position_of(w).n_entries, n);
    assert_int_equal(end(w->aggregator, SIGTERM), ERR_OK);
}

/* What is told of all sites, on this day or, around midnight, the one before. */
static struct stream_hash
told_of_all(struct world *w)
{
    struct stream_hash hashes[2];
    char keys[2][STREAM_DAY_MAX];
    int64_t today = clock_wall_ms() / 86400000;
    struct err err = ERR_NONE;

    for (int i = 0; i < 2; i++)
        stream_day_key(0, date_from_days(today - i), keys[i]);
    assert_ok(stream_counts_read(w->stream, (const char(*)[STREAM_DAY_MAX])keys, 2, &w->f->arena,
                                 hashes, &err));
    return hashes[0].n != 0 ? hashes[0] : hashes[1];
}

/* An entry that comes twice within one flush: both wait when the aggregator starts. */
static void
test_repeats_are_dropped_and_told(void **state)
{
    struct world *w = *state;
    struct buffer batch = BUFFER_EMPTY;
    struct stream_hash told = {.n = 0};

    batch_of(w, &batch, 10);
    add_entry(w, buffer_slice(&batch));
    add_entry(w, buffer_slice(&batch));
    buffer_fini(&batch);
    w->aggregator = start_aggregator(w, w->f->dir);
    wait_stored(w, 10);
    for (int64_t until = clock_steady_ms() + PATIENCE_MS;
         told.n == 0 && clock_steady_ms() < until;) {
        told = told_of_all(w);
        clock_sleep_ms(20);
    }
    assert_int_equal(told.n, 1);
    assert_true(slice_is(told.pairs[0].key, STREAM_DAY_REPEATS));
    assert_true(slice_is(told.pairs[0].value, "10"));
}

static void
test_a_stop_writes_what_is_buffered(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 20; i++)
        send_events(w, 100);
    w->aggregator = start_aggregator(w, w->f->dir);
    wait_stored(w, 2000);
    send_events(w, 5);
    clock_sleep_ms(30); /* perhaps read, not flushed */
    assert_int_equal(end(w->aggregator, SIGTERM), ERR_OK);
    w->aggregator = start_aggregator(w, w->f->dir);
    wait_stored(w, 2005);
}

static void
test_killed_at_any_moment_each_event_counts_once(void **state)
{
    struct world *w = *state;

    for (int round = 0; round < 12; round++) {
        w->aggregator = start_aggregator(w, w->f->dir);
        for (int i = 0; i < 8; i++) {
            send_events(w, 60);
            clock_sleep_ms(5 + (round * 37 + i * 11) % 40);
        }
        assert_int_equal(end(w->aggregator, SIGKILL), -1);
    }
    w->aggregator = start_aggregator(w, w->f->dir);
    wait_stored(w, w->n_sent);
    assert_int_equal(alarm_count(w, "stream_lost"), 0);
    assert_int_equal(alarm_count(w, "stream_replaced"), 0);
    assert_int_equal(end(w->aggregator, SIGTERM), ERR_OK);
}

static void
test_what_a_crash_left_is_cleaned_at_the_next_start(void **state)
{
    struct world *w = *state;
    char path[FILE_PATH_MAX];
    struct err err = ERR_NONE;

    store_segment_path(&w->f->store, "202606-flush-0000000000000000.seg", path);
    assert_ok(file_replace(path, SLICE("renamed, never committed"), 0640, &err));
    w->aggregator = start_aggregator(w, w->f->dir);
    send_events(w, 1);
    wait_stored(w, 1);
    assert_false(file_exists(path));
}

static void
test_another_folder_ends_before_it_reads(void **state)
{
    struct world *w = *state;
    char dir[] = "/tmp/corong-test-XXXXXX";
    struct stream_info info;
    struct err err = ERR_NONE;
    pid_t other;

    assert_non_null(mkdtemp(dir));
    w->aggregator = start_aggregator(w, w->f->dir);
    send_events(w, 5);
    wait_stored(w, 5);
    assert_int_equal(end(w->aggregator, SIGTERM), ERR_OK);
    send_events(w, 5);
    other = start_aggregator(w, dir);
    assert_int_equal(wait_end(other), ERR_CONFLICT);
    assert_ok(stream_info(w->stream, &info, &err));
    assert_int_equal(info.length, 1);
    w->aggregator = start_aggregator(w, w->f->dir);
    wait_stored(w, 10);
    folder_remove(dir);
}

static void
test_flushall_is_noticed_and_reading_begins_anew(void **state)
{
    struct world *w = *state;
    char before[CATALOG_EPOCH_MAX];

    w->aggregator = start_aggregator(w, w->f->dir);
    send_events(w, 5);
    wait_stored(w, 5);
    memcpy(before, position_of(w).epoch, sizeof before);
    redis_cli(w, "FLUSHALL", NULL);
    send_events(w, 7);
    wait_alarm(w, "stream_replaced");
    wait_stored(w, 12);
    assert_string_not_equal(position_of(w).epoch, before);
}

static void
test_ids_that_went_back_are_read_from_the_start(void **state)
{
    struct world *w = *state;

    w->aggregator = start_aggregator(w, w->f->dir);
    send_events(w, 5);
    wait_stored(w, 5);
    assert_int_equal(end(w->aggregator, SIGTERM), ERR_OK);
    redis_cli(w, "DEL '" STREAM_EVENTS "'", NULL);
    add_entry_at(w, "5-1", 3); /* a clock that is behind */
    w->aggregator = start_aggregator(w, w->f->dir);
    wait_alarm(w, "stream_replaced");
    wait_stored(w, 8);
    assert_int_equal(position_of(w).id.ms, 5);
}

static void
test_entries_trimmed_unread_are_counted(void **state)
{
    struct world *w = *state;

    w->aggregator = start_aggregator(w, w->f->dir);
    send_events(w, 5);
    wait_stored(w, 5);
    assert_int_equal(end(w->aggregator, SIGTERM), ERR_OK);
    for (int i = 0; i < 4; i++)
        send_events(w, 1);
    redis_cli(w, "XTRIM '" STREAM_EVENTS "' MAXLEN 1", NULL);
    w->aggregator = start_aggregator(w, w->f->dir);
    wait_stored(w, 6);
    assert_int_equal(alarm_count(w, "stream_lost"), 3);
    assert_int_equal(end(w->aggregator, SIGTERM), ERR_OK);
    w->aggregator = start_aggregator(w, w->f->dir);
    send_events(w, 1);
    wait_stored(w, 7);
    assert_int_equal(alarm_count(w, "stream_lost"), 3); /* the same loss is told once */
}

static void
test_a_newer_entry_stops_the_reader_in_front_of_it(void **state)
{
    struct world *w = *state;
    struct stream_info info;
    struct err err = ERR_NONE;

    send_events(w, 5);
    add_entry(w, SLICE("C\x63what the future holds"));
    send_events(w, 5);
    w->aggregator = start_aggregator(w, w->f->dir);
    wait_alarm(w, "entry_newer");
    wait_stored(w, 5);
    clock_sleep_ms(200);
    assert_ok(stream_info(w->stream, &info, &err));
    assert_int_equal(info.length, 2); /* it and what is behind it are still there */
    assert_int_equal(count_stored(w), 5);
    assert_int_equal(end(w->aggregator, SIGTERM), ERR_OK);
}

static void
test_bad_records_are_kept_and_the_rest_goes_on(void **state)
{
    struct world *w = *state;
    struct buffer batch = BUFFER_EMPTY;
    char dir[FILE_PATH_MAX];

    batch_of(w, &batch, 3);
    batch.p[2 + CODEC_RECORD_HEADER + 3] ^= 0x40; /* in the first record */
    add_entry(w, buffer_slice(&batch));
    add_entry(w, SLICE("not a batch at all"));
    send_events(w, 4);
    buffer_fini(&batch);
    w->aggregator = start_aggregator(w, w->f->dir);
    wait_stored(w, 6);
    assert_int_equal(alarm_count(w, "bad_records"), 2);
    store_path(&w->f->store, "bad", dir);
    assert_int_equal(folder_count(dir), 2);
    assert_int_equal(position_of(w).n_entries, 3);
}

static void
test_import_beside_a_running_aggregator(void **state)
{
    struct world *w = *state;

    w->aggregator = start_aggregator(w, w->f->dir);
    for (int i = 0; i < 30; i++) {
        struct event e;

        send_events(w, 20);
        e = numbered_event(&w->f->arena, w->n_sent++);
        fixture_add(w->f, &e);
        e = numbered_event(&w->f->arena, 3); /* one that comes by the stream too */
        fixture_add(w->f, &e);
        fixture_commit(w->f);
        clock_sleep_ms(10);
    }
    wait_stored(w, w->n_sent);
    assert_int_equal(end(w->aggregator, SIGTERM), ERR_OK);
}

static void
test_redis_goes_and_comes_back(void **state)
{
    struct world *w = *state;

    redis_fixture_kill(&w->redis);
    w->aggregator = start_aggregator(w, w->f->dir); /* before there is a Redis */
    clock_sleep_ms(300);
    redis_fixture_restart(&w->redis);
    send_events(w, 5);
    wait_stored(w, 5);
    redis_fixture_kill(&w->redis);
    clock_sleep_ms(300);
    redis_fixture_restart(&w->redis);
    send_events(w, 5);
    wait_stored(w, 10);
    redis_fixture_pause(&w->redis);
    clock_sleep_ms(500);
    redis_fixture_resume(&w->redis);
    send_events(w, 5);
    wait_stored(w, 15);
    assert_int_equal(alarm_count(w, "stream_replaced"), 0);
    assert_int_equal(end(w->aggregator, SIGTERM), ERR_OK);
}

/* ---- Published sites ---- */

static void
wait_published(struct world *w, struct slice key, const char *part)
{
    struct stream_pair *pairs = NULL;
    struct err err = ERR_NONE;
    int n = 0;

    for (int64_t until = clock_steady_ms() + PATIENCE_MS; clock_steady_ms() < until;) {
        arena_reset(&w->f->arena);
        assert_ok(stream_hash_read(w->stream, STREAM_SITES, &w->f->arena, &pairs, &n, &err));
        for (int i = 0; i < n; i++)
            if (slice_equal(pairs[i].key, key) && slice_contains(pairs[i].value, slice_from(part)))
                return;
        if (part == NULL && n == 1 && slice_is(pairs[0].key, PUBLISHED_MARK))
            return;
        clock_sleep_ms(20);
    }
    fail_msg("not published: %s", part ? part : "that the site is gone");
}

static void
test_sites_are_published_and_followed(void **state)
{
    struct world *w = *state;
    struct site_wish wish = {.name = SLICE("shop"), .domain = SLICE("shop.example")};
    char secret[SITE_KEY_MAX];
    char key[SITE_KEY_MAX];
    struct site site;
    struct err err = ERR_NONE;

    assert_ok(site_add(w->f->settings, &wish, &w->f->arena, &site, secret, &err));
    assert_true(slice_to_cstr(site.public_key, key, sizeof key));
    w->aggregator = start_aggregator(w, w->f->dir);
    wait_published(w, slice_from(key), "\"domain\":\"shop.example\"");
    wish.domain = SLICE("new.example");
    assert_ok(site_update(w->f->settings, SLICE("shop"), &wish, &err));
    wait_published(w, slice_from(key), "\"domain\":\"new.example\"");
    assert_ok(
        link_target_add(w->f->settings, site.id, SLICE("june"), SLICE("https://a.example/"), &err));
    wait_published(w, SLICE(PUBLISHED_LINK "june"), "\"target\":\"https://a.example/\"}");
    redis_cli(w, "FLUSHALL", NULL);
    wait_published(w, slice_from(key), "\"domain\":\"new.example\"");
    assert_ok(site_remove(w->f->settings, SLICE("shop"), &err));
    wait_published(w, slice_from(key), NULL);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_events_come_through_and_the_stream_is_trimmed),
        CASE(test_repeats_are_dropped_and_told),
        CASE(test_a_stop_writes_what_is_buffered),
        CASE(test_killed_at_any_moment_each_event_counts_once),
        CASE(test_what_a_crash_left_is_cleaned_at_the_next_start),
        CASE(test_another_folder_ends_before_it_reads),
        CASE(test_flushall_is_noticed_and_reading_begins_anew),
        CASE(test_ids_that_went_back_are_read_from_the_start),
        CASE(test_entries_trimmed_unread_are_counted),
        CASE(test_a_newer_entry_stops_the_reader_in_front_of_it),
        CASE(test_bad_records_are_kept_and_the_rest_goes_on),
        CASE(test_import_beside_a_running_aggregator),
        CASE(test_redis_goes_and_comes_back),
        CASE(test_sites_are_published_and_followed),
    };

    signal(SIGPIPE, SIG_IGN); /* as every program that speaks with Redis does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
