/* The collector whole while Redis is away or unfit: beacons are still answered 204, over a restart
 * too, and are in the stream once Redis is well; without room, or with a clock that cannot be
 * right, the answer says so. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <time.h>

#include "collector/collect.h"
#include "core/clock.h"
#include "core/codec.h"
#include "tests/support/http_client.h"
#include "tests/support/patience.h"
#include "tests/support/redis_fixture.h"

#define DAY_MS INT64_C(86400000)

#define SHOP_SITE                                                                                  \
    "{\"id\":7,\"name\":\"shop\",\"domain\":\"shop.example\",\"timezone\":\"UTC\",\"currency\":"   \
    "\"USD\",\"max_age_ms\":86400000,\"max_events_per_visitor_day\":0,\"secret_sha256\":"          \
    "\"2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\"}" /* of "secret" */

static _Atomic int64_t clock_offset_ms; /* of the collector's clock from Redis's */

static int64_t
offset_clock(void)
{
    return (int64_t)time(NULL) * 1000 + atomic_load(&clock_offset_ms);
}

struct fixture {
    struct redis_fixture redis;
    struct collect_config config;
    struct collect *collect;
    char spool[96];
    int n_sent;
};

static void
start(struct fixture *f)
{
    struct err err;

    assert_int_equal(collect_start(&f->config, &f->collect, &err), ERR_OK);
}

static int
set_up(void **state)
{
    static const struct stream_pair sites[] = {
        {SLICE("site_shop"), SLICE(SHOP_SITE)},
        {SLICE("/r/june"), SLICE("{\"site\":7,\"target\":\"https://shop.example/\"}")}};
    struct fixture *f = calloc(1, sizeof *f);
    struct stream *stream;
    struct err err;

    redis_fixture_start(&f->redis, REDIS_DURABLE);
    snprintf(f->spool, sizeof f->spool, "%s/spool", f->redis.folder);
    f->config = (struct collect_config){.address = "127.0.0.1",
                                        .n_threads = 4,
                                        .queue = 16,
                                        .trusted_proxies = "",
                                        .beacon_bytes_max = 65536,
                                        .publish_wait_ms = 3 * REDIS_PATIENCE_MS,
                                        .spool_dir = f->spool,
                                        .spool_bytes_max = 3 * 1024 * 1024,
                                        .wall_ms = offset_clock};
    assert_int_equal(stream_address_parse(slice_from(f->redis.socket), &f->config.redis, &err),
                     ERR_OK);
    f->config.redis.timeout_ms = REDIS_PATIENCE_MS;
    stream = stream_create(&f->config.redis);
    assert_int_equal(stream_hash_replace(stream, STREAM_SITES, sites, 2, &err), ERR_OK);
    stream_destroy(&stream);
    start(f);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    collect_stop(&f->collect);
    redis_fixture_stop(&f->redis);
    free(f);
    return 0;
}

/* One beacon of n events with ids of their own, each with `filling` bytes. Returns the status. */
static int
send(struct fixture *f, int n, size_t filling, char *reason, size_t reason_size)
{
    struct buffer body = BUFFER_EMPTY;
    struct http_answer a;
    int status;

    buffer_printf(&body, "{\"site\":\"site_shop\",\"visitor\":\"v1\",\"sent\":%lld,\"events\":[",
                  (long long)clock_wall_ms());
    for (int i = 0; i < n; i++) {
        buffer_printf(&body,
                      "%s{\"event\":\"pageview\",\"id\":\"e%d\",\"time\":%lld,"
                      "\"url\":\"https://shop.example/\",\"title\":\"",
                      i ? "," : "", f->n_sent + i, (long long)clock_wall_ms());
        for (size_t k = 0; k < filling; k++)
            buffer_add_char(&body, 'x');
        buffer_add_text(&body, "\"}");
    }
    buffer_add_text(&body, "]}");
    http_client_request(collect_port(f->collect), "POST", "/e", "", buffer_slice(&body), &a);
    status = a.status;
    assert_true(slice_to_cstr(http_answer_header(&a, "X-Corong-Reason"), reason, reason_size));
    if (status == 204)
        f->n_sent += n;
    else
        assert_true(http_answer_header(&a, "Retry-After").n > 0);
    http_answer_fini(&a);
    buffer_fini(&body);
    return status;
}

static int
count_events(struct fixture *f)
{
    struct stream *s = stream_create(&f->config.redis);
    struct stream_id after = {0, 0};
    struct stream_entry *entries;
    struct codec_reader reader;
    struct slice payload;
    struct arena arena;
    int n_entries = 1, n = 0;

    while (n_entries > 0) {
        arena_init(&arena, 4096);
        assert_int_equal(stream_read(s, after, 100, 0, &arena, &entries, &n_entries, NULL), ERR_OK);
        for (int i = 0; i < n_entries; i++) {
            assert_int_equal(codec_reader_init(&reader, entries[i].batch, NULL), ERR_OK);
            while (codec_reader_next(&reader, &payload))
                n++;
            after = entries[i].id;
        }
        arena_fini(&arena);
    }
    stream_destroy(&s);
    return n;
}

/* Once Redis is back everything that was answered 204 is there, once. */
static void
expect_all(struct fixture *f)
{
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;

    if (f->redis.pid == 0)
        redis_fixture_restart(&f->redis);
    while (count_events(f) < f->n_sent && clock_steady_ms() < deadline)
        clock_sleep_ms(50);
    assert_int_equal(count_events(f), f->n_sent);
}

static void
test_redis_away_is_204_and_drained_later(void **state)
{
    struct fixture *f = *state;
    char reason[32];
    struct http_answer a;

    redis_fixture_kill(&f->redis);
    for (int i = 0; i < 5; i++)
        assert_int_equal(send(f, 3, 0, reason, sizeof reason), 204);
    http_client_request(collect_port(f->collect), "GET", "/metrics", "", SLICE_EMPTY, &a);
    assert_true(slice_contains(a.body, SLICE("\ncorong_spool_entries_total 5\n")));
    assert_true(slice_contains(a.body, SLICE("\ncorong_redis_up 0\n")));
    assert_true(slice_contains(a.body, SLICE("\ncorong_events_accepted_total 15\n")));
    http_answer_fini(&a);
    expect_all(f);
}

static void
test_a_restart_while_redis_is_away_takes_beacons(void **state)
{
    struct fixture *f = *state;
    char reason[32];

    assert_int_equal(send(f, 1, 0, reason, sizeof reason), 204);
    redis_fixture_kill(&f->redis);
    assert_int_equal(send(f, 1, 0, reason, sizeof reason), 204);
    collect_stop(&f->collect);
    start(f);
    assert_int_equal(send(f, 1, 0, reason, sizeof reason), 204);
    expect_all(f);
}

static void
test_a_full_spool_is_said(void **state)
{
    struct fixture *f = *state;
    char reason[32] = "";
    int n = 0, status = 204;

    redis_fixture_kill(&f->redis);
    while (status == 204 && n++ < 500)
        status = send(f, 20, 900, reason, sizeof reason);
    assert_int_equal(status, 503);
    assert_string_equal(reason, "spool_full");
    assert_true(n > 50);
    expect_all(f);
    assert_int_equal(send(f, 1, 0, reason, sizeof reason), 204);
}

/* ---- /healthz: 503 only where events would be refused ---- */

static int
health(struct fixture *f, char *words, size_t size)
{
    struct http_answer a;
    int status;

    http_client_request(collect_port(f->collect), "GET", "/healthz", "", SLICE_EMPTY, &a);
    status = a.status;
    assert_true(slice_to_cstr(slice_trim(a.body), words, size));
    http_answer_fini(&a);
    return status;
}

static void
await_health(struct fixture *f, int status, const char *words)
{
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;
    char said[1000];
    int got;

    do {
        clock_sleep_ms(10);
        got = health(f, said, sizeof said);
    } while ((got != status || !strstr(said, words)) && clock_steady_ms() < deadline);
    if (got != status || !strstr(said, words))
        fail_msg("%d %s", got, said);
}

static void
test_health_is_whether_events_are_taken(void **state)
{
    struct fixture *f = *state;
    char reason[32];
    int status = 204;

    await_health(f, 200, "{\"status\":\"ok\"}");
    redis_fixture_kill(&f->redis);
    await_health(f, 200, "{\"status\":\"spooling\"}");
    for (int n = 0; status == 204 && n < 500; n++)
        status = send(f, 20, 900, reason, sizeof reason);
    assert_int_equal(status, 503);
    await_health(f, 503, "spool_full");
    redis_fixture_restart(&f->redis);
    await_health(f, 200, "{\"status\":\"ok\"}"); /* without anybody sending */
}

static void
test_without_sites_nothing_is_taken(void **state)
{
    struct fixture *f = *state;
    char words[1000];

    redis_fixture_kill(&f->redis);
    collect_stop(&f->collect);
    f->config.spool_bytes_max = 3 * 1024 * 1024;
    snprintf(f->spool, sizeof f->spool, "%s/other", f->redis.folder); /* no copy of the sites */
    start(f);
    assert_int_equal(health(f, words, sizeof words), 503);
    assert_non_null(strstr(words, "unavailable"));
    redis_fixture_restart(&f->redis);
    await_health(f, 200, "\"ok\"");
}

/* A Redis that would forget what it acknowledges is written to no more. */
static void
test_settings_changed_live_mean_the_spool(void **state)
{
    struct fixture *f = *state;
    char reason[32];

    redis_fixture_tell(&f->redis, "CONFIG SET appendfsync everysec\r\n");
    await_health(f, 200, "spooling");
    assert_int_equal(send(f, 3, 0, reason, sizeof reason), 204);
    assert_int_equal(count_events(f), 0);
    redis_fixture_tell(&f->redis, "CONFIG SET appendfsync always\r\n");
    await_health(f, 200, "\"ok\"");
    expect_all(f);
}

/* ---- The clock ---- */

static void
expect_refused_for_the_clock(struct fixture *f, const char *method, const char *target,
                             const char *headers, struct slice body)
{
    struct http_answer a;

    http_client_request(collect_port(f->collect), method, target, headers, body, &a);
    if (a.status != 503 || !slice_is(http_answer_header(&a, "X-Corong-Reason"), "clock") ||
        http_answer_header(&a, "Retry-After").n == 0)
        fail_msg("%s: %d %.*s", target, a.status, SLICE_ARG(a.body));
    http_answer_fini(&a);
}

static void
test_a_clock_that_cannot_be_right_dates_nothing(void **state)
{
    static const int64_t offsets_ms[] = {11 * 60000, -11 * 60000, -40 * 366 * DAY_MS};
    struct fixture *f = *state;
    struct http_answer a;
    char reason[32];

    for (size_t i = 0; i < sizeof offsets_ms / sizeof offsets_ms[0]; i++) {
        atomic_store(&clock_offset_ms, offsets_ms[i]);
        await_health(f, 503, "clock");
        assert_int_equal(send(f, 1, 0, reason, sizeof reason), 503);
        assert_string_equal(reason, "clock");
        expect_refused_for_the_clock(f, "GET", "/e.gif?site=site_shop&visitor=v", "", SLICE_EMPTY);
        expect_refused_for_the_clock(
            f, "POST", "/api/v1/events", "Authorization: Bearer secret\r\n",
            SLICE("{\"visitor\":\"v\",\"event\":\"sale\",\"time\":1780315200000}"));
        /* a click is led on, and not counted */
        http_client_request(collect_port(f->collect), "GET", "/r/june", "", SLICE_EMPTY, &a);
        assert_int_equal(a.status, 302);
        http_answer_fini(&a);
        assert_int_equal(count_events(f), 0);
        atomic_store(&clock_offset_ms, 0);
        await_health(f, 200, "\"ok\"");
    }
    assert_int_equal(send(f, 1, 0, reason, sizeof reason), 204);
    expect_all(f);
}

#define SERVED(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(test_redis_away_is_204_and_drained_later),
        SERVED(test_a_restart_while_redis_is_away_takes_beacons),
        SERVED(test_a_full_spool_is_said),
        SERVED(test_health_is_whether_events_are_taken),
        SERVED(test_without_sites_nothing_is_taken),
        SERVED(test_settings_changed_live_mean_the_spool),
        SERVED(test_a_clock_that_cannot_be_right_dates_nothing),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("collect_spool", tests, NULL, NULL);
}
