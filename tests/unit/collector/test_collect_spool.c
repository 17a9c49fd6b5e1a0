/* The collector whole while Redis is away: beacons are still answered 204, over a restart too, and
 * are in the stream once Redis is back; without room the answer says so. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collector/collect.h"
#include "core/clock.h"
#include "core/codec.h"
#include "tests/support/http_client.h"
#include "tests/support/redis_fixture.h"

#define SHOP_SITE                                                                                  \
    "{\"id\":7,\"name\":\"shop\",\"domain\":\"shop.example\",\"timezone\":\"UTC\",\"currency\":"   \
    "\"USD\",\"max_age_ms\":86400000,\"max_events_per_visitor_day\":0}"

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
    static const struct stream_pair sites[] = {{SLICE("site_shop"), SLICE(SHOP_SITE)}};
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
                                        .publish_wait_ms = 400,
                                        .spool_dir = f->spool,
                                        .spool_bytes_max = 3 * 1024 * 1024};
    assert_int_equal(stream_address_parse(slice_from(f->redis.socket), &f->config.redis, &err),
                     ERR_OK);
    f->config.redis.timeout_ms = 300;
    stream = stream_create(&f->config.redis);
    assert_int_equal(stream_hash_replace(stream, STREAM_SITES, sites, 1, &err), ERR_OK);
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
    int64_t deadline = clock_steady_ms() + 10000;

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

#define SERVED(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(test_redis_away_is_204_and_drained_later),
        SERVED(test_a_restart_while_redis_is_away_takes_beacons),
        SERVED(test_a_full_spool_is_said),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("collect_spool", tests, NULL, NULL);
}
