/* Group commit against a real redis-server: what was acknowledged is in the stream, once a call,
 * whatever happens to Redis meanwhile; and what cannot be kept is said so, in time. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "collector/publish.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/codec.h"
#include "core/event.h"
#include "core/hash.h"
#include "tests/support/redis_fixture.h"

#define STUCK_MS 5000 /* far over any time-out here: a busy machine is no fault */
#define IDS_MAX  200000

struct fixture {
    struct redis_fixture redis;
    struct publish_config config;
    struct publish *publish;
    char spool[96];
};

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err err;

    redis_fixture_start(&f->redis, REDIS_DURABLE);
    snprintf(f->spool, sizeof f->spool, "%s/spool", f->redis.folder);
    f->config = (struct publish_config){
        .wait_ms = 3000,
        .queue_bytes = 8 * 1024 * 1024,
        .spool = {.dir = f->spool, .bytes_max = 256 * 1024 * 1024, .free_bytes_min = 1},
        .drain_bytes_per_second = 256 * 1024 * 1024};
    assert_int_equal(stream_address_parse(slice_from(f->redis.socket), &f->config.redis, &err),
                     ERR_OK);
    f->config.redis.timeout_ms = 500;
    assert_int_equal(publish_start(&f->config, &f->publish, &err), ERR_OK);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    publish_stop(&f->publish);
    redis_fixture_stop(&f->redis);
    free(f);
    return 0;
}

/* A record whose payload is a number and n bytes of filling: the publisher looks no further than
 * the length. */
static void
add_record(struct buffer *b, uint32_t number, size_t n)
{
    size_t at = b->n;

    buffer_add_u32(b, (uint32_t)(4 + n));
    buffer_add_u64(b, 0);
    buffer_add_u32(b, number);
    for (size_t i = 0; i < n; i++)
        buffer_add_char(b, (char)i);
    store_u64(b->p + at + 4, checksum64(b->p + at + CODEC_RECORD_HEADER, 4 + n));
}

/* How often each number is in the stream. Returns the number of entries. */
static int
count_numbers(struct fixture *f, unsigned char *counts)
{
    struct stream *s = stream_create(&f->config.redis);
    struct stream_id after = {0, 0};
    struct stream_entry *entries;
    struct codec_reader reader;
    struct slice payload;
    struct arena arena;
    struct err err;
    int n = 1, n_entries = 0;

    memset(counts, 0, IDS_MAX);
    while (n > 0) {
        arena_init(&arena, 4096);
        assert_int_equal(stream_read(s, after, 100, 0, &arena, &entries, &n, &err), ERR_OK);
        for (int i = 0; i < n; i++) {
            assert_true(entries[i].batch.n <= CODEC_BATCH_BYTES);
            assert_int_equal(codec_reader_init(&reader, entries[i].batch, &err), ERR_OK);
            while (codec_reader_next(&reader, &payload))
                counts[load_u32(payload.p)]++;
            assert_int_equal(reader.n_bad, 0);
            after = entries[i].id;
        }
        n_entries += n;
        arena_fini(&arena);
    }
    stream_destroy(&s);
    return n_entries;
}

static struct publish_figures
figures_of(struct publish *p)
{
    struct publish_figures figures;

    publish_figures(p, &figures);
    return figures;
}

static void
await_ready(struct publish *p)
{
    int64_t deadline = clock_steady_ms() + 8000;

    while (!publish_is_ready(p, NULL) && clock_steady_ms() < deadline)
        clock_sleep_ms(10);
    assert_true(publish_is_ready(p, NULL));
}

static void
await_not_ready(struct publish *p, struct err *err)
{
    int64_t deadline = clock_steady_ms() + 8000;

    while (publish_is_ready(p, err) && clock_steady_ms() < deadline)
        clock_sleep_ms(10);
    assert_false(publish_is_ready(p, err));
}

static void
await_drained(struct publish *p)
{
    int64_t deadline = clock_steady_ms() + 120000; /* a busy machine is no fault */

    while (figures_of(p).spool.bytes > 0 && clock_steady_ms() < deadline)
        clock_sleep_ms(10);
    assert_int_equal(figures_of(p).spool.bytes, 0);
}

/* ---- Many senders ---- */

struct senders {
    struct publish *publish;
    atomic_uint next;
    atomic_bool is_over;
    atomic_uchar acknowledged[IDS_MAX];
    atomic_uint n_failed;
    _Atomic int64_t slowest_ms;
};

static void *
send_many(void *context)
{
    struct senders *s = context;
    struct buffer b = BUFFER_EMPTY;
    struct err err;

    while (!atomic_load(&s->is_over)) {
        uint32_t first = atomic_fetch_add(&s->next, 3);
        int64_t began = clock_steady_ms(), took;
        if (first + 3 > IDS_MAX)
            break;
        buffer_clear(&b);
        for (uint32_t i = 0; i < 3; i++)
            add_record(&b, first + i, first * 7 % 900);
        if (publish_records(s->publish, buffer_slice(&b), &err) == ERR_OK)
            for (uint32_t i = 0; i < 3; i++)
                atomic_store(&s->acknowledged[first + i], 1);
        else
            atomic_fetch_add(&s->n_failed, 1);
        took = clock_steady_ms() - began;
        if (took > atomic_load(&s->slowest_ms))
            atomic_store(&s->slowest_ms, took);
    }
    buffer_fini(&b);
    return NULL;
}

#define N_SENDERS 16

static void
run_senders(struct fixture *f, struct senders *s, void (*meanwhile)(struct fixture *))
{
    pthread_t threads[N_SENDERS];

    s->publish = f->publish;
    for (int i = 0; i < N_SENDERS; i++)
        pthread_create(&threads[i], NULL, send_many, s);
    meanwhile(f);
    atomic_store(&s->is_over, true);
    for (int i = 0; i < N_SENDERS; i++)
        pthread_join(threads[i], NULL);
}

/* Every acknowledged number is there. Returns how many were. */
static int
check_senders(struct fixture *f, struct senders *s, bool exactly_once)
{
    unsigned char *counts = malloc(IDS_MAX);
    int n = 0;

    count_numbers(f, counts);
    for (uint32_t i = 0; i < IDS_MAX; i++) {
        if (!atomic_load(&s->acknowledged[i]))
            continue;
        n++;
        if (counts[i] < 1 || (exactly_once && counts[i] != 1))
            fail_msg("number %u was acknowledged and is there %d times", i, counts[i]);
    }
    free(counts);
    return n;
}

/* Nobody takes the senders' events out of Redis, and only one that is half empty is drained into.
 */
static void
await_drained_into_more_room(struct fixture *f)
{
    redis_fixture_tell(&f->redis, "CONFIG SET maxmemory 512mb\r\n");
    await_drained(f->publish);
}

static void
half_a_second(struct fixture *f)
{
    (void)f;
    clock_sleep_ms(500);
}

static void
test_many_senders_share_entries(void **state)
{
    struct fixture *f = *state;
    struct senders *s = calloc(1, sizeof *s);
    struct publish_figures figures;
    int n;

    run_senders(f, s, half_a_second);
    n = check_senders(f, s, true);
    assert_true(n > 100);
    publish_figures(f->publish, &figures);
    assert_int_equal(figures.n_calls, n / 3);
    assert_true(figures.n_entries < figures.n_calls); /* what a group commit is for */
    assert_int_equal(figures.queue_bytes, 0);
    free(s);
}

static void
kill_and_restart(struct fixture *f)
{
    for (int i = 0; i < 4; i++) {
        clock_sleep_ms(150);
        redis_fixture_kill(&f->redis);
        clock_sleep_ms(60 * i);
        redis_fixture_restart(&f->redis);
    }
    clock_sleep_ms(300);
}

static void
test_nothing_acknowledged_is_lost_when_redis_is_killed(void **state)
{
    struct fixture *f = *state;
    struct senders *s = calloc(1, sizeof *s);

    run_senders(f, s, kill_and_restart);
    assert_int_equal(atomic_load(&s->n_failed), 0); /* the spool takes over at once */
    assert_true(atomic_load(&s->slowest_ms) < STUCK_MS);
    assert_true(figures_of(f->publish).spool.n_spooled > 0);
    await_drained_into_more_room(f);
    assert_true(check_senders(f, s, false) > 100);
    assert_true(publish_is_ready(f->publish, NULL));
    free(s);
}

static void
pause_longer_than_the_time_out(struct fixture *f)
{
    clock_sleep_ms(100);
    redis_fixture_pause(&f->redis);
    clock_sleep_ms(900); /* time-out after 500 ms: sent, and nobody knows what became of it */
    redis_fixture_resume(&f->redis);
    clock_sleep_ms(700);
}

static void
test_a_time_out_goes_to_the_spool(void **state)
{
    struct fixture *f = *state;
    struct senders *s = calloc(1, sizeof *s);

    run_senders(f, s, pause_longer_than_the_time_out);
    assert_int_equal(atomic_load(&s->n_failed), 0);
    assert_true(figures_of(f->publish).n_failures > 0);
    assert_true(atomic_load(&s->slowest_ms) < STUCK_MS); /* the time-out, once */
    await_drained_into_more_room(f);
    assert_true(check_senders(f, s, false) > 100);
    free(s);
}

/* ---- One call ---- */

static void
test_a_call_larger_than_a_batch_is_cut_between_records(void **state)
{
    struct fixture *f = *state;
    unsigned char *counts = malloc(IDS_MAX);
    struct buffer b = BUFFER_EMPTY;
    struct err err;

    for (uint32_t i = 0; i < 30; i++)
        add_record(&b, i, EVENT_ENCODED_MAX - 4); /* the largest there is: 3 a batch */
    assert_int_equal(publish_records(f->publish, buffer_slice(&b), &err), ERR_OK);
    assert_int_equal(count_numbers(f, counts), 10);
    for (int i = 0; i < 30; i++)
        assert_int_equal(counts[i], 1);
    for (uint32_t i = 30; i < 40; i++)
        add_record(&b, i, EVENT_ENCODED_MAX - 4);
    assert_int_equal(publish_records(f->publish, buffer_slice(&b), &err), ERR_LIMIT);
    assert_int_equal(publish_records(f->publish, SLICE_EMPTY, &err), ERR_OK);
    assert_int_equal(count_numbers(f, counts), 10);
    buffer_fini(&b);
    free(counts);
}

struct lone {
    struct publish *publish;
    enum err_code rc;
    size_t bytes;
};

static void *
send_lone(void *context)
{
    struct lone *l = context;
    struct buffer b = BUFFER_EMPTY;
    struct err err;

    while (b.n < l->bytes)
        add_record(&b, 1, 60000);
    l->rc = publish_records(l->publish, buffer_slice(&b), &err);
    buffer_fini(&b);
    return NULL;
}

/* More waits than one pipeline takes: those left behind must be woken by a later round. */
static void
test_what_one_pipeline_leaves_behind_goes_with_the_next(void **state)
{
    struct fixture *f = *state;
    struct lone lone[5];
    pthread_t threads[5];

    redis_fixture_pause(&f->redis); /* so that they gather */
    for (int i = 0; i < 5; i++) {
        lone[i] = (struct lone){.publish = f->publish, .bytes = 1400 * 1000};
        pthread_create(&threads[i], NULL, send_lone, &lone[i]);
        clock_sleep_ms(20);
    }
    redis_fixture_resume(&f->redis);
    for (int i = 0; i < 5; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(lone[i].rc, ERR_OK);
    }
}

static void
test_the_queue_is_bounded(void **state)
{
    struct fixture *f = *state;
    struct lone lone[2] = {{.bytes = 1000}, {.bytes = 400 * 1000}};
    struct publish_figures figures;
    struct publish *p;
    pthread_t threads[2];
    struct buffer b = BUFFER_EMPTY;
    struct err err;

    f->config.queue_bytes = 500 * 1000;
    assert_int_equal(publish_start(&f->config, &p, &err), ERR_OK);
    redis_fixture_pause(&f->redis);
    for (int i = 0; i < 2; i++) {
        lone[i].publish = p;
        pthread_create(&threads[i], NULL, send_lone, &lone[i]);
    }
    do { /* 7 records wait, and perhaps the one that will go first */
        clock_sleep_ms(1);
        publish_figures(p, &figures);
    } while (figures.queue_bytes < 400 * 1000);
    add_record(&b, 1, 60000);
    add_record(&b, 2, 60000);
    assert_int_equal(publish_records(p, buffer_slice(&b), &err), ERR_UNAVAILABLE);
    redis_fixture_resume(&f->redis);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(lone[i].rc, ERR_OK);
    }
    assert_int_equal(publish_records(p, buffer_slice(&b), &err), ERR_OK);
    publish_stop(&p);
    buffer_fini(&b);
}

static void
test_away_is_known_and_costs_no_time(void **state)
{
    struct fixture *f = *state;
    unsigned char *counts = malloc(IDS_MAX);
    struct buffer b = BUFFER_EMPTY;
    struct err err;

    redis_fixture_kill(&f->redis);
    for (uint32_t i = 0; i < 20; i++) {
        int64_t began = clock_steady_ms();
        buffer_clear(&b);
        add_record(&b, i, 10);
        assert_int_equal(publish_records(f->publish, buffer_slice(&b), &err), ERR_OK);
        assert_in_range(clock_steady_ms() - began, 0, 2500);
        assert_false(publish_is_ready(f->publish, &err));
    }
    assert_int_equal(figures_of(f->publish).spool.n_spooled, 20);
    redis_fixture_restart(&f->redis);
    await_ready(f->publish); /* without anybody sending */
    await_drained(f->publish);
    count_numbers(f, counts);
    for (int i = 0; i < 20; i++)
        assert_int_equal(counts[i], 1);
    free(counts);
    buffer_fini(&b);
}

static void
test_what_is_spooled_outlives_the_collector(void **state)
{
    struct fixture *f = *state;
    unsigned char *counts = malloc(IDS_MAX);
    struct buffer b = BUFFER_EMPTY;
    struct err err;

    redis_fixture_kill(&f->redis);
    add_record(&b, 7, 10);
    assert_int_equal(publish_records(f->publish, buffer_slice(&b), &err), ERR_OK);
    publish_stop(&f->publish);
    assert_int_equal(publish_start(&f->config, &f->publish, &err), ERR_OK); /* Redis is away */
    buffer_clear(&b);
    add_record(&b, 8, 10);
    assert_int_equal(publish_records(f->publish, buffer_slice(&b), &err), ERR_OK);
    redis_fixture_restart(&f->redis);
    await_drained(f->publish);
    count_numbers(f, counts);
    assert_int_equal(counts[7], 1);
    assert_int_equal(counts[8], 1);
    free(counts);
    buffer_fini(&b);
}

/* Two collectors on one spool, as while one takes over from the other. */
static void
test_what_one_leaves_the_other_sends(void **state)
{
    struct fixture *f = *state;
    unsigned char *counts = malloc(IDS_MAX);
    struct buffer b = BUFFER_EMPTY;
    int64_t deadline = clock_steady_ms() + 8000;
    struct publish *other;
    struct err err;

    assert_int_equal(publish_start(&f->config, &other, &err), ERR_OK);
    redis_fixture_kill(&f->redis);
    add_record(&b, 7, 10);
    assert_int_equal(publish_records(other, buffer_slice(&b), &err), ERR_OK);
    publish_stop(&other);
    redis_fixture_restart(&f->redis);
    while (figures_of(f->publish).spool.n_drained == 0 && clock_steady_ms() < deadline)
        clock_sleep_ms(10);
    count_numbers(f, counts);
    assert_int_equal(counts[7], 1);
    free(counts);
    buffer_fini(&b);
}

static void
test_without_room_in_the_spool_full_is_said(void **state)
{
    struct fixture *f = *state;
    struct publish_config config = f->config;
    struct buffer b = BUFFER_EMPTY;
    enum err_code rc = ERR_OK;
    struct publish *p;
    struct err err;
    int n = 0;

    publish_stop(&f->publish);
    config.spool.bytes_max = 2 * 1024 * 1024;
    assert_int_equal(publish_start(&config, &p, &err), ERR_OK);
    redis_fixture_kill(&f->redis);
    add_record(&b, 1, 60000);
    while (rc == ERR_OK && n++ < 100)
        rc = publish_records(p, buffer_slice(&b), &err);
    assert_int_equal(rc, ERR_FULL);
    assert_in_range(n, 30, 36);
    redis_fixture_restart(&f->redis);
    await_drained(p);
    assert_int_equal(publish_records(p, buffer_slice(&b), &err), ERR_OK);
    publish_stop(&p);
    buffer_fini(&b);
}

static void
test_without_a_spool_away_is_said_at_once(void **state)
{
    struct fixture *f = *state;
    struct publish_config config = f->config;
    struct buffer b = BUFFER_EMPTY;
    struct publish *p;
    struct err err;

    config.spool.dir = NULL;
    assert_int_equal(publish_start(&config, &p, &err), ERR_OK);
    redis_fixture_kill(&f->redis);
    add_record(&b, 1, 10);
    for (int i = 0; i < 20; i++) {
        int64_t began = clock_steady_ms();
        assert_int_equal(publish_records(p, buffer_slice(&b), &err), ERR_UNAVAILABLE);
        assert_in_range(clock_steady_ms() - began, 0, 450);
    }
    redis_fixture_restart(&f->redis);
    await_ready(p);
    assert_int_equal(publish_records(p, buffer_slice(&b), &err), ERR_OK);
    publish_stop(&p);
    buffer_fini(&b);
}

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

/* It is there, and answers -LOADING for some seconds. */
static void
test_a_redis_that_loads_is_left_alone(void **state)
{
    struct fixture *f = *state;
    unsigned char *counts = malloc(IDS_MAX);
    struct buffer b = BUFFER_EMPTY;
    int64_t deadline = clock_steady_ms() + 10000;
    struct err err = ERR_NONE;
    uint32_t n = 0;

    for (int i = 0; i < 1000; i++)
        buffer_add_text(&b, "INCR x\r\n");
    buffer_add_char(&b, '\0');
    for (int i = 0; i < 20; i++)
        redis_fixture_tell(&f->redis, b.p);
    redis_fixture_kill(&f->redis);
    f->redis.load_delay_us = 100; /* 2 s */
    redis_fixture_begin(&f->redis);
    while (!strstr(err.message, "LOADING") && clock_steady_ms() < deadline) {
        int64_t began = clock_steady_ms();
        buffer_clear(&b);
        add_record(&b, n++, 10);
        assert_int_equal(publish_records(f->publish, buffer_slice(&b), &err), ERR_OK);
        assert_in_range(clock_steady_ms() - began, 0, 1000);
        publish_is_ready(f->publish, &err);
        clock_sleep_ms(5);
    }
    assert_non_null(strstr(err.message, "LOADING"));
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
    int64_t deadline = clock_steady_ms() + 5000;
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

#define WITH_REDIS(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_REDIS(test_many_senders_share_entries),
        WITH_REDIS(test_nothing_acknowledged_is_lost_when_redis_is_killed),
        WITH_REDIS(test_a_time_out_goes_to_the_spool),
        WITH_REDIS(test_a_call_larger_than_a_batch_is_cut_between_records),
        WITH_REDIS(test_what_one_pipeline_leaves_behind_goes_with_the_next),
        WITH_REDIS(test_the_queue_is_bounded),
        WITH_REDIS(test_away_is_known_and_costs_no_time),
        WITH_REDIS(test_what_is_spooled_outlives_the_collector),
        WITH_REDIS(test_what_one_leaves_the_other_sends),
        WITH_REDIS(test_without_room_in_the_spool_full_is_said),
        WITH_REDIS(test_without_a_spool_away_is_said_at_once),
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
    return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}
