/* What became of a site's events, told to Redis by its own days. */
#include "tests/unit/collector/collect_world.h"

#include "core/stream_counts.h"

#define SITE(id, zone, more)                                                                       \
    "{\"id\":" #id ",\"name\":\"s" #id "\",\"domain\":\"shop.example\",\"timezone\":\"" zone       \
    "\",\"currency\":\"USD\"" more "}"
#define EVENTS(key, events)                                                                        \
    "{\"site\":\"" key "\",\"visitor\":\"v1\",\"sent\":1780315200000,"                             \
    "\"events\":[" events "]}"
#define BOT                                                                                        \
    "User-Agent: Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)\r\n"

static int
set_up(void **state)
{
    static const struct stream_pair sites[] = {
        {{"site_utc", 8}, {NULL, 0}},
        {{"site_east", 9}, {NULL, 0}},
    };
    struct stream_pair pairs[2] = {sites[0], sites[1]};
    struct fixture *f;

    pairs[0].value = SLICE(SITE(7, "UTC", ",\"gpc\":\"respect\""));
    pairs[1].value = SLICE(SITE(8, "Pacific/Kiritimati", "")); /* 14 hours ahead: tomorrow */
    f = world_open(pairs, 2);
    f->config.daily_write_ms = 20;
    world_start(f);
    *state = f;
    return 0;
}

static void
send(struct fixture *f, const char *headers, const char *body)
{
    struct http_answer a;

    http_client_request(f->port, "POST", "/e", headers, slice_from(body), &a);
    http_answer_fini(&a);
}

/* -1: the field is not there, or Redis is not yet. */
static int64_t
count_of(struct fixture *f, const char *key, const char *field)
{
    char keys[1][STREAM_DAY_MAX];
    struct stream_hash hash;
    struct err err;
    int64_t n = -1;

    snprintf(keys[0], sizeof keys[0], "%s", key);
    if (stream_counts_read(f->stream, (const char(*)[STREAM_DAY_MAX])keys, 1, &f->arena, &hash,
                           &err) != ERR_OK)
        return -1;
    for (int i = 0; i < hash.n; i++)
        if (slice_is(hash.pairs[i].key, field))
            assert_true(slice_to_int64(hash.pairs[i].value, &n));
    return n;
}

static void
expect_count(struct fixture *f, const char *key, const char *field, int64_t n)
{
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;

    while (count_of(f, key, field) != n && clock_steady_ms() < deadline)
        clock_sleep_ms(20);
    assert_int_equal(count_of(f, key, field), n);
}

#define TODAY    STREAM_DAY "7:2026-06-01"
#define TOMORROW STREAM_DAY "8:2026-06-02"
#define NOBODYS  STREAM_DAY "0:2026-06-01"

static void
test_what_became_of_events_is_counted_by_site_and_day(void **state)
{
    struct fixture *f = *state;

    send(f, "",
         EVENTS("site_utc", "{\"event\":\"a\",\"id\":\"1\"},{\"event\":\"b\",\"id\":\"2\"},"
                            "{\"event\":\"c\",\"id\":\"3\",\"time\":1}"));
    send(f, BOT, EVENTS("site_utc", "{\"event\":\"a\",\"id\":\"4\"}"));
    /* 11 minutes ago: late, and not too old */
    send(f, "", EVENTS("site_utc", "{\"event\":\"a\",\"id\":\"5\",\"time\":1780314540000}"));
    send(f, "Sec-GPC: 1\r\n", EVENTS("site_utc", "{\"event\":\"a\",\"id\":\"6\"}"));
    send(f, "", EVENTS("site_east", "{\"event\":\"a\",\"id\":\"7\"}"));
    send(f, "",
         EVENTS("site_gone", "{\"event\":\"a\",\"id\":\"8\"},{\"event\":\"a\",\"id\":\"9\"}"));
    send(f, "", "no beacon");

    expect_count(f, TODAY, "accepted", 4);
    expect_count(f, TODAY, "bots", 1);
    expect_count(f, TODAY, "late", 1);
    expect_count(f, TODAY, "refused:too_old", 1);
    expect_count(f, TODAY, "refused:opted_out", 1);
    expect_count(f, TOMORROW, "accepted", 1);
    expect_count(f, NOBODYS, "refused:unknown_site", 2);
    expect_count(f, NOBODYS, "refused:invalid", 1);
    assert_int_equal(count_of(f, TODAY, "refused:invalid"), -1);
}

static void
test_counts_wait_for_redis(void **state)
{
    struct fixture *f = *state;

    send(f, "", EVENTS("site_utc", "{\"event\":\"a\",\"id\":\"1\"}"));
    expect_count(f, TODAY, "accepted", 1);
    redis_fixture_kill(&f->redis);
    send(f, "", EVENTS("site_utc", "{\"event\":\"c\",\"id\":\"3\",\"time\":1}"));
    redis_fixture_restart(&f->redis);
    expect_count(f, TODAY, "refused:too_old", 1);
    assert_int_equal(count_of(f, TODAY, "accepted"), 1);
}

static void
test_a_collector_says_how_it_does(void **state)
{
    struct fixture *f = *state;
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;
    struct stream_pair *pairs = NULL;
    struct err err;
    int n = 0;

    while (n == 0 && clock_steady_ms() < deadline) {
        clock_sleep_ms(20);
        assert_int_equal(
            stream_hash_read(f->stream, STREAM_COLLECTORS, &f->arena, &pairs, &n, &err), ERR_OK);
    }
    assert_int_equal(n, 1);
    assert_true(slice_starts_with(pairs[0].value, SLICE("{\"time\":1780315200000,\"state\":")));
    assert_true(slice_ends_with(pairs[0].value, SLICE(",\"places\":null}")));
}

#define SERVED(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(test_what_became_of_events_is_counted_by_site_and_day),
        SERVED(test_counts_wait_for_redis),
        SERVED(test_a_collector_says_how_it_does),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("daily", tests, NULL, NULL);
}
