/* Group commit against a real redis-server: what was acknowledged is in the stream, once a call,
 * whatever happens to Redis meanwhile; and what cannot be kept is said so, in time. What is not
 * here: a Redis that is set or answers otherwise than it should (test_publish_redis.c). */
#include <pthread.h>

#include "tests/unit/collector/publish_world.h"

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

#define ACKNOWLEDGED_MIN 100

static void
await_acknowledged(struct senders *s)
{
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;
    int n = 0;

    while (n <= ACKNOWLEDGED_MIN && clock_steady_ms() < deadline) {
        n = 0;
        for (uint32_t i = 0; i < IDS_MAX; i++)
            n += atomic_load(&s->acknowledged[i]);
        clock_sleep_ms(10);
    }
}

static void
run_senders(struct fixture *f, struct senders *s, void (*meanwhile)(struct fixture *))
{
    pthread_t threads[N_SENDERS];

    s->publish = f->publish;
    for (int i = 0; i < N_SENDERS; i++)
        pthread_create(&threads[i], NULL, send_many, s);
    meanwhile(f);
    await_acknowledged(s);
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
    assert_true(n > ACKNOWLEDGED_MIN);
    publish_figures(f->publish, &figures);
    assert_int_equal(figures.n_calls, n / 3);
    assert_true(figures.n_entries < figures.n_calls); /* what a group commit is for */
    assert_int_equal(figures.queue_bytes, 0);
    free(s);
}

/* Redis is away, and a sender has noticed. */
static void
await_spooled(struct fixture *f)
{
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;

    while (figures_of(f->publish).spool.n_spooled == 0 && clock_steady_ms() < deadline)
        clock_sleep_ms(10);
}

static void
kill_and_restart(struct fixture *f)
{
    for (int i = 0; i < 4; i++) {
        clock_sleep_ms(150);
        redis_fixture_kill(&f->redis);
        clock_sleep_ms(60 * i);
        if (i == 3)
            await_spooled(f);
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
    assert_true(check_senders(f, s, false) > ACKNOWLEDGED_MIN);
    assert_true(publish_is_ready(f->publish, NULL));
    free(s);
}

static void
pause_longer_than_the_time_out(struct fixture *f)
{
    clock_sleep_ms(100);
    redis_fixture_pause(&f->redis);
    await_spooled(f); /* time-out after 500 ms: sent, and nobody knows what became of it */
    clock_sleep_ms(400);
    redis_fixture_resume(&f->redis);
    clock_sleep_ms(700);
}

static void
test_a_time_out_goes_to_the_spool(void **state)
{
    struct fixture *f = *state;
    struct senders *s = calloc(1, sizeof *s);
    struct err err;

    publish_stop(&f->publish);
    f->config.wait_ms = 3000;
    f->config.redis.timeout_ms = 500;
    assert_int_equal(publish_start(&f->config, &f->publish, &err), ERR_OK);
    run_senders(f, s, pause_longer_than_the_time_out);
    assert_int_equal(atomic_load(&s->n_failed), 0);
    assert_true(figures_of(f->publish).n_failures > 0);
    assert_true(atomic_load(&s->slowest_ms) < STUCK_MS); /* the time-out, once */
    await_drained_into_more_room(f);
    assert_true(check_senders(f, s, false) > ACKNOWLEDGED_MIN);
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
    atomic_bool is_over;
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
    atomic_store(&l->is_over, true);
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

#define MANY_LONE 8

static int
count_refused(const struct lone *lone)
{
    int n = 0;

    for (int i = 0; i < MANY_LONE; i++)
        n += atomic_load(&lone[i].is_over) && lone[i].rc == ERR_UNAVAILABLE;
    return n;
}

/* While Redis hangs one is on its way, one waits, and there is no room for a third. */
static void
test_the_queue_is_bounded(void **state)
{
    struct fixture *f = *state;
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;
    struct lone lone[MANY_LONE];
    pthread_t threads[MANY_LONE];
    struct buffer b = BUFFER_EMPTY;
    struct publish *p;
    struct err err;
    int n_kept = 0;

    f->config.queue_bytes = 500 * 1000;
    f->config.wait_ms = f->config.redis.timeout_ms = 2 * PATIENCE_MS; /* none goes to the spool */
    assert_int_equal(publish_start(&f->config, &p, &err), ERR_OK);
    redis_fixture_pause(&f->redis);
    for (int i = 0; i < MANY_LONE; i++)
        lone[i] = (struct lone){.publish = p, .bytes = 400 * 1000};
    for (int i = 0; i < MANY_LONE; i++)
        pthread_create(&threads[i], NULL, send_lone, &lone[i]);
    while (count_refused(lone) == 0 && clock_steady_ms() < deadline)
        clock_sleep_ms(1);
    assert_true(count_refused(lone) > 0);
    redis_fixture_resume(&f->redis);
    for (int i = 0; i < MANY_LONE; i++) {
        pthread_join(threads[i], NULL);
        assert_true(lone[i].rc == ERR_OK || lone[i].rc == ERR_UNAVAILABLE);
        n_kept += lone[i].rc == ERR_OK;
    }
    assert_true(n_kept > 0);
    add_record(&b, 1, 60000);
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
        assert_in_range(clock_steady_ms() - began, 0, STUCK_MS);
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
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;
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
        assert_in_range(clock_steady_ms() - began, 0, STUCK_MS);
    }
    redis_fixture_restart(&f->redis);
    await_ready(p);
    assert_int_equal(publish_records(p, buffer_slice(&b), &err), ERR_OK);
    publish_stop(&p);
    buffer_fini(&b);
}

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
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}
