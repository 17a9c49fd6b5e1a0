/* A Redis that is set otherwise than it should, is full, loads, or has another clock: it is left
 * alone, and nothing is lost. */
#include <sys/stat.h>
#include <time.h>

#include "tests/unit/collector/publish_world.h"

static void
test_a_forgetful_redis_is_refused(void **state)
{
    struct redis_fixture redis = {.pid = 0};
    struct publish_config config = {.wait_ms = 300, .queue_bytes = 1000000};
    struct buffer b = BUFFER_EMPTY;
    struct publish *p;
    struct err err;

    (void)state;
    redis_fixture_start(&redis, REDIS_FORGETFUL);
    assert_int_equal(stream_address_parse(slice_from(redis.socket), &config.redis, &err), ERR_OK);
    assert_int_equal(publish_start(&config, &p, &err), ERR_INVALID);
    assert_non_null(strstr(err.message, "appendonly"));

    /* away at the start is no error; coming back forgetful is found out before anything is sent */
    redis_fixture_kill(&redis);
    redis.kind = REDIS_DURABLE;
    assert_int_equal(publish_start(&config, &p, &err), ERR_OK);
    redis_fixture_restart(&redis);
    await_ready(p);
    redis_fixture_kill(&redis);
    redis.kind = REDIS_FORGETFUL;
    redis_fixture_restart(&redis);
    add_record(&b, 1, 10);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(publish_records(p, buffer_slice(&b), &err), ERR_UNAVAILABLE);
        clock_sleep_ms(50);
    }
    assert_false(publish_is_ready(p, &err));
    assert_non_null(strstr(err.message, "appendonly"));
    publish_stop(&p);
    redis_fixture_stop(&redis);
    buffer_fini(&b);
}

static void
test_settings_changed_under_a_live_connection_are_noticed(void **state)
{
    struct fixture *f = *state;
    struct publish_config config = f->config;
    struct buffer b = BUFFER_EMPTY;
    struct publish *p;
    struct err err;

    config.check_ms = 100;
    config.spool.dir = NULL;
    add_record(&b, 1, 10);
    assert_int_equal(publish_start(&config, &p, &err), ERR_OK);
    assert_int_equal(publish_records(p, buffer_slice(&b), &err), ERR_OK);
    redis_fixture_tell(&f->redis, "CONFIG SET appendfsync everysec\r\n");
    await_not_ready(p, &err);
    assert_int_equal(publish_records(p, buffer_slice(&b), &err), ERR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "appendfsync"));
    redis_fixture_tell(&f->redis, "CONFIG SET appendfsync always\r\n");
    await_ready(p);
    assert_int_equal(publish_records(p, buffer_slice(&b), &err), ERR_OK);
    redis_fixture_tell(&f->redis, "CONFIG SET maxmemory-policy allkeys-lru\r\n");
    await_not_ready(p, &err);
    assert_non_null(strstr(err.message, "maxmemory-policy"));
    publish_stop(&p);
    buffer_fini(&b);
}

/* maxmemory is 64 MB. */
static void
test_redis_is_never_filled_to_the_brim(void **state)
{
    struct fixture *f = *state;
    struct buffer b = BUFFER_EMPTY;
    struct stream *s = stream_create(&f->config.redis);
    int64_t used, max;
    struct err err;

    while (b.n < 1000 * 1000)
        add_record(&b, 1, 60000);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(publish_records(f->publish, buffer_slice(&b), &err), ERR_OK);
        clock_sleep_ms(10); /* 100 MB a second */
    }
    await_not_ready(f->publish, &err);
    assert_non_null(strstr(err.message, "memory"));
    assert_int_equal(stream_memory(s, &used, &max, &err), ERR_OK);
    assert_int_equal(max, 64 * 1024 * 1024);
    assert_true(used > max / 2);
    assert_true(figures_of(f->publish).spool.bytes > 20 * 1000 * 1000);
    clock_sleep_ms(500);
    assert_true(figures_of(f->publish).spool.bytes > 20 * 1000 * 1000); /* it waits for room */
    redis_fixture_tell(&f->redis, "CONFIG SET maxmemory 512mb\r\n");
    await_drained(f->publish);
    stream_destroy(&s);
    buffer_fini(&b);
}

static void
set_off(struct fixture *f, const char *break_it, const char *mend_it, const char *word)
{
    struct buffer b = BUFFER_EMPTY;
    unsigned char *counts = malloc(IDS_MAX);
    uint64_t n_before = figures_of(f->publish).spool.n_spooled;
    struct err err;

    add_record(&b, 1, 10);
    count_numbers(f, counts);
    assert_int_equal(counts[1], 0);
    redis_fixture_tell(&f->redis, break_it);
    assert_int_equal(publish_records(f->publish, buffer_slice(&b), &err), ERR_OK);
    await_not_ready(f->publish, &err);
    assert_non_null(strstr(err.message, word));
    assert_int_equal(figures_of(f->publish).spool.n_spooled, n_before + 1);
    redis_fixture_tell(&f->redis, mend_it);
    await_drained(f->publish);
    count_numbers(f, counts);
    assert_int_equal(counts[1], 1);
    free(counts);
    buffer_fini(&b);
}

static void
test_a_redis_without_memory_is_left_alone(void **state)
{
    set_off(*state, "CONFIG SET maxmemory 500kb\r\n", "CONFIG SET maxmemory 64mb\r\n", "memory");
}

static void
test_a_replica_is_left_alone(void **state)
{
    set_off(*state, "REPLICAOF 127.0.0.1 1\r\n", "REPLICAOF NO ONE\r\n", "READONLY");
}

/* A snapshot that fails makes a Redis with `save` set refuse writes. */
static void
test_a_redis_that_cannot_save_is_left_alone(void **state)
{
    struct fixture *f = *state;
    char in_the_way[96];
    struct err err;

    snprintf(in_the_way, sizeof in_the_way, "%s/dump.rdb", f->redis.folder);
    assert_int_equal(mkdir(in_the_way, 0700), 0);
    redis_fixture_tell(&f->redis, "CONFIG SET save \"3600 1\"\r\nBGSAVE\r\n");
    await_not_ready(f->publish, &err); /* once the snapshot has failed */
    set_off(f, "CONFIG SET maxmemory 64mb\r\n", "CONFIG SET save \"\"\r\n", "MISCONF");
}

#define LOADS_MS 10000

/* It is there, and answers -LOADING for some seconds. No call waits until it has loaded. */
static void
test_a_redis_that_loads_is_left_alone(void **state)
{
    struct fixture *f = *state;
    unsigned char *counts = malloc(IDS_MAX);
    struct buffer b = BUFFER_EMPTY;
    int64_t deadline = clock_steady_ms() + LOADS_MS;
    struct err err = ERR_NONE;
    uint32_t n = 0;

    for (int i = 0; i < 1000; i++)
        buffer_add_text(&b, "INCR x\r\n");
    buffer_add_char(&b, '\0');
    for (int i = 0; i < 100; i++)
        redis_fixture_tell(&f->redis, b.p);
    redis_fixture_kill(&f->redis);
    f->redis.load_delay_us = LOADS_MS * 1000 / (100 * 1000); /* each command */
    redis_fixture_begin(&f->redis);
    while (!strstr(err.message, "LOADING") && clock_steady_ms() < deadline) {
        int64_t began = clock_steady_ms();
        buffer_clear(&b);
        add_record(&b, n++, 10);
        assert_int_equal(publish_records(f->publish, buffer_slice(&b), &err), ERR_OK);
        assert_in_range(clock_steady_ms() - began, 0, LOADS_MS - 1);
        publish_is_ready(f->publish, &err);
        clock_sleep_ms(5);
    }
    assert_non_null(strstr(err.message, "LOADING"));
    redis_fixture_kill(&f->redis);
    f->redis.load_delay_us = 0;
    redis_fixture_restart(&f->redis);
    await_ready(f->publish);
    await_drained(f->publish);
    count_numbers(f, counts);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(counts[i], 1);
    free(counts);
    buffer_fini(&b);
}

/* ---- Clocks ---- */

static _Atomic int64_t clock_offset_ms;

static int64_t
offset_clock(void)
{
    return (int64_t)time(NULL) * 1000 + atomic_load(&clock_offset_ms);
}

static enum err_code
await_clock(struct publish *p, int64_t offset_ms, enum err_code wanted)
{
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;
    struct err err;

    atomic_store(&clock_offset_ms, offset_ms);
    while (publish_check_clock(p, &err) != wanted && clock_steady_ms() < deadline)
        clock_sleep_ms(10);
    return publish_check_clock(p, &err);
}

static void
test_a_clock_that_cannot_be_right_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct publish_config config = f->config;
    struct publish *p;
    struct err err;

    config.check_ms = 50;
    config.spool.dir = NULL;
    config.wall_ms = offset_clock;
    assert_int_equal(publish_start(&config, &p, &err), ERR_OK);
    assert_int_equal(await_clock(p, 9 * 60000, ERR_OK), ERR_OK);
    clock_sleep_ms(200);
    assert_int_equal(publish_check_clock(p, &err), ERR_OK);
    assert_int_equal(await_clock(p, 11 * 60000, ERR_CONFLICT), ERR_CONFLICT);
    assert_int_equal(await_clock(p, 0, ERR_OK), ERR_OK);
    assert_int_equal(await_clock(p, -11 * 60000, ERR_CONFLICT), ERR_CONFLICT);
    assert_int_equal(await_clock(p, 0, ERR_OK), ERR_OK);
    redis_fixture_kill(&f->redis); /* nobody to compare with */
    await_not_ready(p, &err);
    assert_int_equal(await_clock(p, 11 * 60000, ERR_OK), ERR_OK);
    assert_int_equal(await_clock(p, INT64_C(-40) * 366 * 86400000, ERR_CONFLICT), ERR_CONFLICT);
    publish_stop(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_forgetful_redis_is_refused),
        WITH_REDIS(test_settings_changed_under_a_live_connection_are_noticed),
        WITH_REDIS(test_redis_is_never_filled_to_the_brim),
        WITH_REDIS(test_a_redis_without_memory_is_left_alone),
        WITH_REDIS(test_a_replica_is_left_alone),
        WITH_REDIS(test_a_redis_that_cannot_save_is_left_alone),
        WITH_REDIS(test_a_redis_that_loads_is_left_alone),
        WITH_REDIS(test_a_clock_that_cannot_be_right_is_noticed),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("publish_redis", tests, NULL, NULL);
}
