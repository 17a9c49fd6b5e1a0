/* The stream against a real redis-server: what comes back, and what each way of failing gives. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/stream.h"
#include "tests/support/patience.h"
#include "tests/support/redis_fixture.h"

struct fixture {
    struct redis_fixture redis;
    struct stream_address address;
    struct stream *stream;
    struct arena arena;
};

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err err;

    redis_fixture_start(&f->redis, REDIS_DURABLE);
    assert_int_equal(stream_address_parse(slice_from(f->redis.socket), &f->address, &err), ERR_OK);
    f->address.timeout_ms = REDIS_PATIENCE_MS;
    f->stream = stream_create(&f->address);
    arena_init(&f->arena, 4096);
    *state = f;
    return 0;
}

/* From here on a command may take so long. */
static void
set_time_out(struct fixture *f, int timeout_ms)
{
    stream_destroy(&f->stream);
    f->address.timeout_ms = timeout_ms;
    f->stream = stream_create(&f->address);
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    stream_destroy(&f->stream);
    arena_fini(&f->arena);
    redis_fixture_stop(&f->redis);
    free(f);
    return 0;
}

static void
test_addresses(void **state)
{
    static const struct {
        const char *text;
        const char *path;
        const char *host;
        int port; /* 0: refused */
    } rows[] = {
        {"unix:/run/redis.sock", "/run/redis.sock", "", -1},
        {"/run/redis.sock", "/run/redis.sock", "", -1},
        {"unix:corong-data/redis.sock", "corong-data/redis.sock", "", -1},
        {"unix:", "", "", 0},
        {"redis:6380", "", "redis", 6380},
        {"redis", "", "redis", 6379},
        {"", "", "", 0},
        {":6379", "", "", 0},
        {"redis:", "", "", 0},
        {"redis:0", "", "", 0},
        {"redis:65536", "", "", 0},
        {"redis:63x", "", "", 0},
    };
    struct stream_address a;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum err_code rc = stream_address_parse(slice_from(rows[i].text), &a, &err);
        assert_int_equal(rc, rows[i].port == 0 ? ERR_INVALID : ERR_OK);
        if (rc != ERR_OK)
            continue;
        assert_string_equal(a.unix_path, rows[i].path);
        assert_string_equal(a.host, rows[i].host);
        if (rows[i].port > 0)
            assert_int_equal(a.port, rows[i].port);
    }
}

static void
test_ids(void **state)
{
    struct stream_id id;
    char text[STREAM_ID_TEXT_MAX];

    (void)state;
    assert_true(stream_id_parse(SLICE("1526919030474-55"), &id));
    stream_id_format(id, text);
    assert_string_equal(text, "1526919030474-55");
    assert_true(stream_id_parse(SLICE("18446744073709551615-18446744073709551615"), &id));
    assert_false(stream_id_parse(SLICE("1"), &id));
    assert_false(stream_id_parse(SLICE("1-"), &id));
    assert_false(stream_id_parse(SLICE("-1"), &id));
    assert_int_equal(stream_id_compare((struct stream_id){1, 2}, (struct stream_id){1, 3}), -1);
    assert_int_equal(stream_id_compare((struct stream_id){2, 0}, (struct stream_id){1, 3}), 1);
    assert_int_equal(stream_id_compare((struct stream_id){2, 0}, (struct stream_id){2, 0}), 0);
}

static void
test_what_goes_in_comes_out_in_order_until_trimmed(void **state)
{
    struct fixture *f = *state;
    struct slice batches[64];
    struct stream_entry *entries;
    struct stream_info info;
    struct err err;
    bool ok[64];
    int n;

    assert_int_equal(stream_info(f->stream, &info, &err), ERR_OK);
    assert_false(info.exists);
    for (int i = 0; i < 64; i++)
        batches[i] = arena_printf(&f->arena, "batch %d", i);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(stream_add_many(f->stream, batches, 64, ok, &err), ERR_OK);
        for (int i = 0; i < 64; i++)
            assert_true(ok[i]);
    }
    assert_int_equal(stream_add(f->stream, slice_of("a\0b", 3), &err), ERR_OK);
    assert_int_equal(
        stream_read(f->stream, (struct stream_id){0, 0}, 1000, 0, &f->arena, &entries, &n, &err),
        ERR_OK);
    assert_int_equal(n, 193);
    for (int i = 0; i < 192; i++)
        assert_true(slice_equal(entries[i].batch, batches[i % 64]));
    assert_true(slice_equal(entries[192].batch, slice_of("a\0b", 3)));
    assert_int_equal(stream_trim(f->stream, entries[191].id, &err), ERR_OK);
    assert_int_equal(stream_info(f->stream, &info, &err), ERR_OK);
    assert_int_equal(info.length, 1);
    assert_int_equal(info.entries_added, 193);
    assert_int_equal(stream_id_compare(info.first, entries[192].id), 0);
    assert_int_equal(stream_id_compare(info.last_generated, entries[192].id), 0);
    assert_int_equal(stream_read(f->stream, entries[192].id, 10, 0, &f->arena, &entries, &n, &err),
                     ERR_OK);
    assert_int_equal(n, 0);
}

static void
test_read_keeps_to_max_and_waits_no_longer_than_told(void **state)
{
    struct fixture *f = *state;
    struct slice one = SLICE("x");
    struct stream_entry *entries;
    struct err err;
    int64_t began;
    int n;

    for (int i = 0; i < 40; i++)
        assert_int_equal(stream_add(f->stream, one, &err), ERR_OK);
    assert_int_equal(
        stream_read(f->stream, (struct stream_id){0, 0}, 37, 0, &f->arena, &entries, &n, &err),
        ERR_OK);
    assert_int_equal(n, 37);
    assert_int_equal(stream_read(f->stream, entries[36].id, 100, 0, &f->arena, &entries, &n, &err),
                     ERR_OK);
    assert_int_equal(n, 3);
    set_time_out(f, 300); /* shorter than this wait, and must not end it */
    began = clock_steady_ms();
    assert_int_equal(stream_read(f->stream, entries[2].id, 100, 500, &f->arena, &entries, &n, &err),
                     ERR_OK);
    assert_int_equal(n, 0);
    assert_in_range(clock_steady_ms() - began, 450, PATIENCE_MS);
}

static void
test_a_read_is_bounded_in_bytes(void **state)
{
    struct fixture *f = *state;
    size_t bytes = 256 * 1024;
    char *text = calloc(1, bytes);
    struct stream_entry *entries;
    struct err err;
    int n;

    for (int i = 0; i < 100; i++)
        assert_int_equal(stream_add(f->stream, slice_of(text, bytes), &err), ERR_OK);
    assert_int_equal(
        stream_read(f->stream, (struct stream_id){0, 0}, 1000, 0, &f->arena, &entries, &n, &err),
        ERR_OK);
    assert_int_equal(n, 16); /* 4 MB */
    free(text);
}

static void
test_small_keys_and_hashes(void **state)
{
    struct fixture *f = *state;
    struct stream_pair pairs[] = {{SLICE("k1"), SLICE("{\"id\":1}")}, {SLICE("k2"), SLICE("")}};
    struct stream_pair *got;
    struct slice value;
    struct err err;
    int n;

    assert_int_equal(stream_get(f->stream, "none", &f->arena, &value, &err), ERR_NOT_FOUND);
    assert_int_equal(
        stream_get_or_set(f->stream, STREAM_EPOCH, SLICE("one"), &f->arena, &value, &err), ERR_OK);
    assert_true(slice_is(value, "one"));
    assert_int_equal(
        stream_get_or_set(f->stream, STREAM_EPOCH, SLICE("two"), &f->arena, &value, &err), ERR_OK);
    assert_true(slice_is(value, "one"));

    assert_int_equal(stream_hash_replace(f->stream, STREAM_SITES, pairs, 2, &err), ERR_OK);
    assert_int_equal(stream_hash_read(f->stream, STREAM_SITES, &f->arena, &got, &n, &err), ERR_OK);
    assert_int_equal(n, 2);
    assert_int_equal(stream_hash_replace(f->stream, STREAM_SITES, pairs, 1, &err), ERR_OK);
    assert_int_equal(stream_hash_read(f->stream, STREAM_SITES, &f->arena, &got, &n, &err), ERR_OK);
    assert_int_equal(n, 1);
    assert_true(slice_is(got[0].key, "k1"));
    assert_true(slice_is(got[0].value, "{\"id\":1}"));
    assert_int_equal(stream_hash_replace(f->stream, STREAM_SITES, NULL, 0, &err), ERR_OK);
    assert_int_equal(stream_hash_read(f->stream, STREAM_SITES, &f->arena, &got, &n, &err), ERR_OK);
    assert_int_equal(n, 0);
}

static void
test_a_server_that_hangs_times_out_and_does_not_desynchronise(void **state)
{
    struct fixture *f = *state;
    struct slice value;
    struct err err;
    int64_t began, quickest_ms = INT64_MAX;

    assert_int_equal(stream_get_or_set(f->stream, "right", SLICE("right"), &f->arena, &value, &err),
                     ERR_OK);
    set_time_out(f, 300);
    assert_int_equal(stream_ping(f->stream, &err), ERR_OK);
    redis_fixture_pause(&f->redis);
    began = clock_steady_ms();
    assert_int_equal(stream_get_or_set(f->stream, "late", SLICE("late"), &f->arena, &value, &err),
                     ERR_UNAVAILABLE);
    assert_in_range(clock_steady_ms() - began, 250, PATIENCE_MS);
    for (int i = 0; i < 20 && quickest_ms >= 240; i++) { /* in back-off: at once */
        began = clock_steady_ms();
        assert_int_equal(stream_ping(f->stream, &err), ERR_UNAVAILABLE);
        quickest_ms = clock_steady_ms() - began;
    }
    assert_in_range(quickest_ms, 0, 239);
    redis_fixture_resume(&f->redis);
    /* the late answer must not be taken for the next one's */
    began = clock_steady_ms();
    while (stream_get(f->stream, "right", &f->arena, &value, &err) != ERR_OK) {
        assert_true(clock_steady_ms() - began < PATIENCE_MS);
        clock_sleep_ms(20);
    }
    assert_true(slice_is(value, "right"));
}

static void
test_a_server_that_dies_is_found_again_with_what_it_acknowledged(void **state)
{
    struct fixture *f = *state;
    struct stream_info info;
    struct err err;
    int64_t began;

    for (int i = 0; i < 20; i++)
        assert_int_equal(stream_add(f->stream, SLICE("kept"), &err), ERR_OK);
    redis_fixture_kill(&f->redis);
    assert_int_equal(stream_add(f->stream, SLICE("lost"), &err), ERR_UNAVAILABLE);
    for (int i = 0; i < 100; i++) { /* the back-off grows, and stays below 2 s */
        assert_int_equal(stream_ping(f->stream, &err), ERR_UNAVAILABLE);
        clock_sleep_ms(5);
    }
    redis_fixture_restart(&f->redis);
    began = clock_steady_ms();
    while (stream_ping(f->stream, &err) != ERR_OK && clock_steady_ms() - began < PATIENCE_MS)
        clock_sleep_ms(10);
    assert_int_equal(stream_info(f->stream, &info, &err), ERR_OK);
    assert_int_equal(info.length, 20);
}

static void
test_only_a_durable_server_is_good_enough(void **state)
{
    struct fixture *f = *state;
    struct redis_fixture forgetful = {.pid = 0};
    struct stream_address address;
    struct stream *s;
    struct err err;

    assert_int_equal(stream_check_durable(f->stream, &err), ERR_OK);
    stream_require_durable(f->stream);
    assert_int_equal(stream_add(f->stream, SLICE("x"), &err), ERR_OK);

    redis_fixture_start(&forgetful, REDIS_FORGETFUL);
    assert_int_equal(stream_address_parse(slice_from(forgetful.socket), &address, &err), ERR_OK);
    s = stream_create(&address);
    assert_int_equal(stream_check_durable(s, &err), ERR_INVALID);
    assert_non_null(strstr(err.message, "appendonly"));
    stream_require_durable(s);
    assert_int_equal(stream_add(s, SLICE("x"), &err), ERR_INVALID);
    stream_destroy(&s);
    redis_fixture_stop(&forgetful);
}

static void
test_a_password_is_needed_and_checked(void **state)
{
    struct redis_fixture redis = {.password = "right"};
    struct stream_address address;
    struct stream *s;
    struct err err;

    (void)state;
    redis_fixture_start(&redis, REDIS_DURABLE);
    assert_int_equal(stream_address_parse(slice_from(redis.socket), &address, &err), ERR_OK);
    s = stream_create(&address);
    assert_int_equal(stream_ping(s, &err), ERR_DENIED);
    stream_destroy(&s);
    snprintf(address.password, sizeof address.password, "wrong");
    s = stream_create(&address);
    assert_int_equal(stream_ping(s, &err), ERR_DENIED);
    stream_destroy(&s);
    snprintf(address.password, sizeof address.password, "right");
    s = stream_create(&address);
    assert_int_equal(stream_ping(s, &err), ERR_OK);
    stream_destroy(&s);
    redis_fixture_stop(&redis);
}

static void
test_a_full_server_says_so_and_keeps_the_connection(void **state)
{
    struct fixture *f = *state;
    size_t bytes = 256 * 1024;
    char *text = calloc(1, bytes);
    struct err err;
    enum err_code rc = ERR_OK;
    struct stream_info info;

    for (int i = 0; i < 400 && rc == ERR_OK; i++) /* maxmemory is 64 MB */
        rc = stream_add(f->stream, slice_of(text, bytes), &err);
    assert_int_equal(rc, ERR_FULL);
    assert_int_equal(stream_info(f->stream, &info, &err), ERR_OK);
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_ids),
        cmocka_unit_test_setup_teardown(test_what_goes_in_comes_out_in_order_until_trimmed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_read_keeps_to_max_and_waits_no_longer_than_told,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_read_is_bounded_in_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_small_keys_and_hashes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_server_that_hangs_times_out_and_does_not_desynchronise, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_server_that_dies_is_found_again_with_what_it_acknowledged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_a_durable_server_is_good_enough, set_up,
                                        tear_down),
        cmocka_unit_test(test_a_password_is_needed_and_checked),
        cmocka_unit_test_setup_teardown(test_a_full_server_says_so_and_keeps_the_connection, set_up,
                                        tear_down),
    };

    signal(SIGPIPE, SIG_IGN); /* as every process of ours does */
    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
