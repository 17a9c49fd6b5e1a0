/* How well the figures are founded, over HTTP: with Redis and without, alarms, backup, 304. */
#include "tests/unit/web/shop.h"

#include "aggregator/bad_entry.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/stream_counts.h"
#include "core/zone.h"
#include "tests/support/redis_fixture.h"

#define HEALTH "/api/v1/sites/shop/health"

static struct redis_fixture redis;
static struct stream *stream;

/* The shop behind a server that is told of a Redis. */
static int
set_up(void **state)
{
    struct stream_address address;
    struct fixture *f;

    setup_shop(state);
    f = *state;
    redis = (struct redis_fixture){.pid = 0};
    redis_fixture_start(&redis, REDIS_DURABLE);
    assert_int_equal(stream_address_parse(slice_from(redis.socket), &address, NULL), ERR_OK);
    stream = stream_create(&address);
    web_stop(&f->web);
    fixture_start_web(f, &(struct web_config){.redis = &address});
    return 0;
}

static int
tear_down(void **state)
{
    stream_destroy(&stream);
    redis_fixture_stop(&redis);
    return fixture_teardown(state);
}

/* As a collector would, on the day that it was n_days ago at the site. */
static void
count(uint32_t site, const char *timezone, int n_days, const char *field, uint64_t n)
{
    struct stream_count counter = {slice_from(field), n};
    struct zone *zone = NULL;
    char key[STREAM_DAY_MAX];
    int64_t today;

    assert_int_equal(zone_open(slice_from(timezone), &zone, NULL), ERR_OK);
    today = date_to_days(zone_date(zone, clock_wall_ms()));
    zone_close(&zone);
    stream_day_key(site, date_from_days(today - n_days), key);
    assert_int_equal(stream_counts_add(stream, key, &counter, 1, STREAM_DAY_LIFE, NULL), ERR_OK);
}

static void
tell(int64_t time_ms, const char *rest)
{
    char json[512];

    snprintf(json, sizeof json, "{\"time\":%lld,%s", (long long)time_ms, rest);
    assert_int_equal(stream_counts_tell(stream, STREAM_COLLECTORS, SLICE("box:8001"),
                                        slice_from(json), STREAM_COLLECTORS_LIFE, NULL),
                     ERR_OK);
}

#define PLACES                                                                                     \
    "\"places\":{\"type\":\"Corong-Country-Region\",\"notice\":\"IP Geolocation by DB-IP, "        \
    "https://db-ip.com\",\"built\":1780315200000}}"

static void
test_what_became_of_events(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json"), *reply;

    count(1, "Asia/Jakarta", 0, "accepted", 10);
    count(1, "Asia/Jakarta", 0, "accepted", 5);
    count(1, "Asia/Jakarta", 0, "refused:too_old", 3);
    count(1, "Asia/Jakarta", 29, "late", 2);
    count(1, "Asia/Jakarta", 30, "late", 7); /* no more */
    count(2, "Asia/Jakarta", 0, "accepted", 1000);
    count(0, "UTC", 0, "refused:unknown_site", 4);
    count(0, "UTC", 0, "repeats", 6);
    reply = get(f, HEALTH);
    expect_schema(document, "Health", reply);
    expect_schema(document, "HealthDay", at(reply, "days.0"));
    assert_int_equal(json_array_size(at(reply, "days")), 2);
    assert_int_equal(integer_at(reply, "days.0.accepted"), 15);
    assert_int_equal(integer_at(reply, "days.0.refused.too_old"), 3);
    assert_int_equal(integer_at(reply, "days.1.late"), 2);
    assert_int_equal(integer_at(reply, "installation.days.0.refused.unknown_site"), 4);
    assert_int_equal(integer_at(reply, "installation.days.0.repeats"), 6);
    assert_true(json_is_true(at(reply, "installation.redis.is_there")));
    assert_int_equal(integer_at(reply, "installation.redis.entries_waiting"), 0);
    json_decref(reply);
    json_decref(document);
}

static void
test_collectors_and_whose_places_they_are(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json"), *reply;

    tell(clock_wall_ms(), "\"state\":\"spooling\",\"why\":\"full\",\"spool_bytes\":77,"
                          "\"damaged_records\":1," PLACES);
    reply = get(f, HEALTH);
    expect_schema(document, "HealthCollector", at(reply, "installation.collectors.0"));
    expect_text(reply, "installation.collectors.0.name", "box:8001");
    expect_text(reply, "installation.collectors.0.state", "spooling");
    expect_text(reply, "installation.collectors.0.places.built", "2026-06-01T12:00:00Z");
    assert_int_equal(integer_at(reply, "installation.collectors.0.spool_bytes"), 77);
    json_decref(reply);
    reply = get(f, "/api/v1/session");
    expect_schema(document, "Session", reply);
    expect_text(reply, "places.url", "https://db-ip.com");
    json_decref(reply);

    tell(clock_wall_ms() - 100000, "\"state\":\"ready\"," PLACES);
    reply = get(f, HEALTH);
    expect_text(reply, "installation.collectors.0.state", "away");
    json_decref(reply);
    assert_int_equal(stream_counts_tell(stream, STREAM_COLLECTORS, SLICE("box:8001"),
                                        SLICE("no JSON"), 100, NULL),
                     ERR_OK);
    reply = get(f, HEALTH);
    assert_int_equal(json_array_size(at(reply, "installation.collectors")), 0);
    json_decref(reply);
    json_decref(document);
}

static void
test_what_is_stored_and_where(void **state)
{
    static const struct stream_entry bad = {{7, 1}, {"nonsense", 8}};
    struct fixture *f = *state;
    struct catalog *catalog = NULL;
    char path[FILE_PATH_MAX];
    json_t *reply = get(f, HEALTH);

    assert_int_equal(integer_at(reply, "stored.events"), 8);
    expect_text(reply, "stored.newest", "2026-06-03T01:00:00Z");
    assert_int_equal(integer_at(reply, "installation.segments"), 1);
    assert_true(integer_at(reply, "installation.free_bytes") > 0);
    assert_true(json_is_null(at(reply, "installation.backup")));
    assert_int_equal(json_array_size(at(reply, "installation.alarms")), 0);
    json_decref(reply);

    assert_int_equal(catalog_open(&f->store, false, &catalog, NULL), ERR_OK);
    assert_int_equal(catalog_alarm_raise(catalog, "stream_lost", 5, "5 entries", NULL), ERR_OK);
    catalog_close(&catalog);
    assert_int_equal(bad_entry_keep(&f->store, &bad, NULL), ERR_OK);
    store_path(&f->store, "backup.last", path);
    assert_int_equal(file_replace(path, SLICE("1780315200000\n"), 0640, NULL), ERR_OK);
    reply = get(f, HEALTH);
    expect_text(reply, "installation.alarms.0.code", "stream_lost");
    assert_int_equal(integer_at(reply, "installation.alarms.0.times"), 5);
    assert_int_equal(integer_at(reply, "installation.bad_entries"), 1);
    expect_text(reply, "installation.backup", "2026-06-01T12:00:00Z");
    json_decref(reply);
}

static void
test_what_has_changed_is_200(void **state)
{
    struct fixture *f = *state;

    json_decref(get(f, HEALTH));
    count(1, "Asia/Jakarta", 0, "accepted", 1);
    assert_int_equal(client_again(&f->client, HEALTH), 200);
}

static void
test_the_same_question_is_304(void **state)
{
    struct fixture *f = *state;
    int status = 0;

    /* free space and memory may move in between: not each time */
    for (int i = 0; i < 20 && status != 304; i++) {
        json_decref(get(f, HEALTH));
        status = client_again(&f->client, HEALTH);
    }
    assert_int_equal(status, 304);
    assert_int_equal(f->client.body_bytes, 0);
}

static void
test_without_redis(void **state)
{
    struct fixture *f = *state;
    json_t *reply;

    redis_fixture_kill(&redis);
    reply = get(f, HEALTH);
    assert_true(json_is_null(at(reply, "days")));
    assert_true(json_is_null(at(reply, "installation.days")));
    assert_true(json_is_false(at(reply, "installation.redis.is_there")));
    assert_true(json_string_length(at(reply, "installation.redis.why")) != 0);
    assert_int_equal(integer_at(reply, "stored.events"), 8);
    json_decref(reply);
    reply = get(f, "/api/v1/session");
    assert_true(json_is_null(at(reply, "places")));
    json_decref(reply);
}

static void
test_a_site_without_events(void **state)
{
    struct fixture *f = *state;
    json_t *reply;

    assert_int_equal(client_send(&f->client, "POST", "/api/v1/sites",
                                 "{\"name\":\"empty\",\"domain\":\"e.example\"}"),
                     201);
    reply = get(f, "/api/v1/sites/empty/health");
    assert_int_equal(integer_at(reply, "stored.events"), 0);
    assert_true(json_is_null(at(reply, "stored.newest")));
    assert_true(json_is_null(at(reply, "stored.stored")));
    assert_int_equal(json_array_size(at(reply, "days")), 0);
    json_decref(reply);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_what_became_of_events),    CASE(test_collectors_and_whose_places_they_are),
        CASE(test_what_is_stored_and_where), CASE(test_what_has_changed_is_200),
        CASE(test_the_same_question_is_304), CASE(test_without_redis),
        CASE(test_a_site_without_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
