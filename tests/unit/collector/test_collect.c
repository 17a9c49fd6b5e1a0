/* Every way for an event to be taken or refused, over HTTP and a real redis-server. What is refused
 * must not be in the stream. */
#include <sodium.h>

#include "core/ticket.h"
#include "tests/unit/collector/collect_shop.h"

static void
test_a_beacon_becomes_whole_events(void **state)
{
    struct fixture *f = *state;
    struct event e[2];
    struct http_answer a;

    post(f, "/e",
         "Content-Type: text/plain\r\nX-Forwarded-For: 81.2.69.142\r\nAccept-Language: "
         "id-ID,id;q=0.9\r\n"
         "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0\r\n",
         BEACON(EVENT(
             ",\"id\":\"i1\",\"time\":1780315199000") ","
                                                      "{\"event\":\"sale\",\"order\":\"o1\","
                                                      "\"value\":12.5,\"time\":1780315199500}"),
         &a);
    assert_int_equal(a.status, 204);
    assert_true(slice_is(http_answer_header(&a, "Cache-Control"), "no-store"));
    assert_true(slice_is(http_answer_header(&a, "Access-Control-Allow-Origin"), "*"));
    assert_int_equal(http_answer_header(&a, "X-Corong-Reason").n, 0);
    http_answer_fini(&a);

    assert_int_equal(read_events(f, e, 2), 2);
    assert_int_equal(e[0].site, 7);
    assert_int_equal(e[0].origin, ORIGIN_SNIPPET);
    assert_int_equal(e[0].time_ms, NOW - 1000);
    assert_true(slice_is(e[0].visitor, "v1"));
    assert_true(slice_is(e[0].id, "i1"));
    assert_true(slice_is(e[0].text[TEXT_PATH], "/p"));
    assert_true(slice_is(e[0].text[TEXT_HOST], "shop.example"));
    assert_true(slice_is(e[0].text[TEXT_BROWSER], "Firefox"));
    assert_true(slice_is(e[0].text[TEXT_LANGUAGE], "id-ID"));
    assert_true(slice_is(e[1].id, "o1"));
    assert_true(slice_is(e[1].text[TEXT_CURRENCY], "USD"));
    assert_int_equal(e[1].number[NUMBER_VALUE], 1250);
    check_invariant(f);
}

static void
test_what_is_refused_is_not_stored(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *body;
        int status;
        const char *reason;
    } rows[] = {
        {"", 400, "invalid"},
        {"{", 400, "invalid"},
        {"{}", 400, "invalid"},
        {"[]", 400, "invalid"},
        {"{\"site\":\"site_none\",\"visitor\":\"v\",\"sent\":1,\"events\":[" EVENT("") "]}", 404,
         "unknown_site"},
        {"{\"site\":\"site_shop\",\"visitor\":\"v\",\"sent\":1,\"events\":[]}", 400, "invalid"},
        {"{\"site\":\"site_shop\",\"sent\":1780315200000,\"events\":[" EVENT("") "]}", 400,
         "invalid"},
        {BEACON("{\"url\":\"https://shop.example/\"}"), 400, "invalid"},
        {BEACON(EVENT(",\"value\":\"much\"")), 400, "invalid"},
        {BEACON(EVENT(",\"value\":1e999")), 400, "invalid"},
        {BEACON(EVENT(",\"quantity\":1e999")), 400, "invalid"},
        {BEACON(EVENT(",\"scroll_pct\":1e999")), 400, "invalid"},
        {BEACON(EVENT(",\"time\":1e999")), 400, "invalid"},
        {BEACON(EVENT(",\"color\":\"red\"")), 400, "invalid"},
        {BEACON(EVENT(",\"time\":1780228799999")), 400, "too_old"},
        {BEACON(EVENT(",\"time\":1780315500001")), 400, "in_future"},
        {BEACON(EVENT(",\"time\":1") "," EVENT(",\"time\":9780315500001")), 400, "invalid"},
    };
    struct http_answer a;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        post(f, "/e", "", rows[i].body, &a);
        if (a.status != rows[i].status ||
            !slice_is(http_answer_header(&a, "X-Corong-Reason"), rows[i].reason))
            fail_msg("row %zu: %d %.*s", i, a.status, SLICE_ARG(a.body));
        assert_true(slice_starts_with(a.body, SLICE("{\"error\":{\"code\":")));
        assert_true(slice_is(http_answer_header(&a, "Access-Control-Allow-Origin"), "*"));
        http_answer_fini(&a);
    }
    assert_int_equal(count_events(f), 0);
    check_invariant(f);
}

static void
test_a_bad_event_does_not_spoil_the_good(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;

    post(f, "/e", "",
         BEACON(EVENT("") "," EVENT(",\"scroll_pct\":101") "," EVENT(
             ",\"time\":1780315199000") "," EVENT(",\"time\":1")),
         &a);
    assert_int_equal(a.status, 200);
    assert_true(slice_starts_with(
        a.body, SLICE("{\"accepted\":2,\"rejected\":[{\"index\":1,\"code\":\"invalid\",")));
    assert_true(slice_contains(a.body, SLICE("\"field\":\"scroll_pct\"},{\"index\":3,\"code\":"
                                             "\"too_old\"")));
    assert_true(slice_is(http_answer_header(&a, "X-Corong-Reason"), "invalid"));
    http_answer_fini(&a);
    assert_int_equal(count_events(f), 2);
    assert_int_equal(metric(f, "corong_events_received_total"), 4);
    assert_int_equal(metric(f, "corong_events_accepted_total"), 2);
    check_invariant(f);
}

static void
test_a_visitor_has_only_so_many_events_a_day(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;

    post(f, "/e", "", BEACON(EVENT("") "," EVENT(",\"id\":\"2\"") "," EVENT(",\"id\":\"3\"")), &a);
    assert_int_equal(a.status, 204);
    http_answer_fini(&a);
    post(f, "/e", "", BEACON(EVENT(",\"id\":\"4\"") "," EVENT(",\"id\":\"5\"") "," EVENT("")), &a);
    assert_int_equal(a.status, 200);
    assert_true(slice_contains(a.body, SLICE("{\"index\":2,\"code\":\"too_many\"")));
    http_answer_fini(&a);
    post(f, "/e", "", BEACON(EVENT(",\"id\":\"6\"")), &a);
    assert_int_equal(a.status, 429);
    assert_true(slice_is(http_answer_header(&a, "Retry-After"), "43201")); /* it is noon */
    assert_true(slice_is(http_answer_header(&a, "X-Corong-Reason"), "too_many"));
    http_answer_fini(&a);
    assert_int_equal(count_events(f), 5);

    clock_set_wall_ms(NOW + DAY);
    post(f, "/e", "", "{\"site\":\"site_shop\",\"visitor\":\"v1\",\"events\":[" EVENT("") "]}", &a);
    assert_int_equal(a.status, 204);
    http_answer_fini(&a);
    check_invariant(f);
}

/* What was answered 503 comes again, and must find its visitor's day as it was. */
static void
test_events_answered_503_use_up_no_limit(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;
    int status;

    redis_fixture_kill(&f->redis);
    for (int i = 0; i < 4; i++) {
        post(f, "/e", "", BEACON(EVENT("") "," EVENT(",\"id\":\"2\"")), &a);
        assert_int_equal(a.status, 503);
        http_answer_fini(&a);
    }
    redis_fixture_restart(&f->redis);
    do {
        post(f, "/e", "", BEACON(EVENT("") "," EVENT(",\"id\":\"2\"")), &a);
        status = a.status;
        http_answer_fini(&a);
        clock_sleep_ms(20);
    } while (status == 503 && clock_steady_ms() < deadline);
    assert_int_equal(status, 204);
    post(f, "/e", "", BEACON(EVENT("") "," EVENT("") "," EVENT("")), &a); /* 5 a day */
    assert_int_equal(a.status, 204);
    http_answer_fini(&a);
    post(f, "/e", "", BEACON(EVENT("")), &a);
    assert_int_equal(a.status, 429);
    http_answer_fini(&a);
    check_invariant(f);
}

static void
test_an_address_and_a_site_have_their_pace(void **state)
{
    struct fixture *f = *state;
    struct collect_config config = f->config;
    struct collect *collect;
    struct http_answer a;
    struct err err;
    int plain = f->port, n_limited = 0;

    config.address_speed = (struct limit_speed){1, 3};
    config.site_speed = (struct limit_speed){1, 4};
    assert_int_equal(collect_start(&config, &collect, &err), ERR_OK);
    f->port = collect_port(collect);
    for (int i = 0; i < 8; i++) { /* ill-formed ones count too */
        post(f, "/e", "X-Forwarded-For: 81.2.69.142\r\n", "{", &a);
        if (a.status == 429) {
            n_limited++;
            assert_true(slice_is(http_answer_header(&a, "X-Corong-Reason"), "rate_address"));
            assert_true(slice_is(http_answer_header(&a, "Retry-After"), "1"));
            assert_true(slice_is(http_answer_header(&a, "Access-Control-Allow-Origin"), "*"));
        }
        http_answer_fini(&a);
    }
    assert_in_range(n_limited, 3, 5);
    post(f, "/e", "X-Forwarded-For: 81.2.69.143\r\n", BEACON(EVENT("") "," EVENT("")), &a);
    assert_int_equal(a.status, 204);
    http_answer_fini(&a);
    post(f, "/e", "X-Forwarded-For: 2001:db8::1\r\n", BEACON(EVENT("") "," EVENT("") "," EVENT("")),
         &a);
    assert_int_equal(a.status, 429);
    assert_true(slice_is(http_answer_header(&a, "X-Corong-Reason"), "rate_site"));
    assert_true(slice_is(http_answer_header(&a, "Retry-After"), "1"));
    http_answer_fini(&a);
    assert_int_equal(metric(f, "corong_events_rejected_total{reason=\"rate_site\"}"), 3);
    check_invariant(f);
    assert_int_equal(count_events(f), 2);
    collect_stop(&collect);
    f->port = plain;
}

static void
test_bodies_over_the_cap(void **state)
{
    struct fixture *f = *state;
    char *text = calloc(1, 65537);
    struct http_answer a;

    memset(text, ' ', 65537);
    http_client_request(f->port, "POST", "/e", "", slice_of(text, 65537), &a);
    assert_int_equal(a.status, 413);
    assert_true(slice_is(http_answer_header(&a, "X-Corong-Reason"), "too_large"));
    http_answer_fini(&a);
    http_client_request(f->port, "POST", "/e", "", slice_of(text, 65536), &a);
    assert_int_equal(a.status, 400);
    http_answer_fini(&a);
    free(text);
}

static void
test_the_pixel(void **state)
{
    struct fixture *f = *state;
    struct event e[4];
    struct http_answer a;

    for (int i = 0; i < 2; i++) { /* the same twice: two loads, two events */
        http_client_request(f->port, "GET", "/e.gif?site=site_shop&visitor=v%201&_=1",
                            "Referer: https://shop.example/mail?x=1\r\n", SLICE_EMPTY, &a);
        assert_int_equal(a.status, 200);
        assert_true(slice_is(http_answer_header(&a, "Content-Type"), "image/gif"));
        assert_true(slice_is(http_answer_header(&a, "Cache-Control"), "no-store"));
        assert_true(slice_starts_with(a.body, SLICE("GIF89a")));
        assert_int_equal(a.body.n, 43);
        http_answer_fini(&a);
    }
    http_client_request(f->port, "GET",
                        "/e.gif?site=site_shop&visitor=w&event=open&url=https://shop.example/o", "",
                        SLICE_EMPTY, &a);
    assert_int_equal(a.status, 200);
    http_answer_fini(&a);
    http_client_request(f->port, "GET", "/e.gif?site=site_shop", "", SLICE_EMPTY, &a);
    assert_int_equal(a.status, 400);
    assert_true(slice_contains(a.body, SLICE("\"field\":\"visitor\"")));
    http_answer_fini(&a);
    http_client_request(f->port, "GET", "/e.gif?site=none&visitor=v", "", SLICE_EMPTY, &a);
    assert_int_equal(a.status, 404);
    http_answer_fini(&a);

    assert_int_equal(read_events(f, e, 4), 3);
    assert_true(slice_is(e[0].visitor, "v 1"));
    assert_true(slice_is(e[0].text[TEXT_EVENT], "pageview"));
    assert_true(slice_is(e[0].text[TEXT_PATH], "/mail"));
    assert_int_equal(e[0].origin, ORIGIN_PIXEL);
    assert_int_equal(e[0].time_ms, NOW);
    assert_int_equal(e[0].id.n, 32);
    assert_false(slice_equal(e[0].id, e[1].id));
    assert_true(slice_is(e[2].text[TEXT_EVENT], "open"));
    check_invariant(f);
}

static void
test_the_server_api(void **state)
{
    struct fixture *f = *state;
    static const char key[] = "Authorization: Bearer secret\r\n";
    struct event e[8];
    struct http_answer a;

    post(
        f, "/api/v1/events", key,
        "{\"visitor\":\"u1\",\"time\":\"2019-06-01T12:00:00Z\",\"event\":\"sale\",\"order\":\"77\","
        "\"value\":12.50,\"country\":\"ID\"}",
        &a);
    assert_int_equal(a.status, 200);
    assert_true(slice_is(a.body, "{\"results\":[{\"status\":\"accepted\"}]}\n"));
    http_answer_fini(&a);
    post(f, "/api/v1/events", key,
         "[{\"visitor\":\"u1\",\"time\":1780315200123,\"event\":\"a\"},"
         "{\"visitor\":\"u1\",\"event\":\"a\"},{\"time\":1,\"event\":\"a\"}]",
         &a);
    assert_int_equal(a.status, 200);
    assert_true(slice_starts_with(
        a.body, SLICE("{\"results\":[{\"status\":\"accepted\"},{\"status\":\"rejected\",\"error\":{"
                      "\"code\":\"invalid\",\"message\":")));
    assert_true(slice_contains(a.body, SLICE("\"field\":\"time\"}},{\"status\":\"rejected\"")));
    assert_true(slice_ends_with(a.body, SLICE("\"field\":\"visitor\"}}]}\n")));
    http_answer_fini(&a);
    post(f, "/api/v1/events", key, "[{\"visitor\":\"u1\",\"event\":\"a\"}]", &a);
    assert_int_equal(a.status, 400);
    assert_true(slice_starts_with(a.body, SLICE("{\"error\":{\"code\":\"invalid\"")));
    assert_true(slice_contains(a.body, SLICE("},\"results\":[{\"status\":\"rejected\",")));
    http_answer_fini(&a);
    post(f, "/api/v1/events", key, "nonsense", &a);
    assert_int_equal(a.status, 400);
    http_answer_fini(&a);

    assert_int_equal(read_events(f, e, 8), 2);
    assert_int_equal(e[0].origin, ORIGIN_SERVER);
    assert_int_equal(e[0].time_ms, INT64_C(1559390400000));
    assert_true(slice_is(e[0].text[TEXT_COUNTRY], "ID"));
    check_invariant(f);
}

static void
test_a_wrong_secret_key(void **state)
{
    struct fixture *f = *state;
    static const char *const headers[] = {"",
                                          "Authorization: Bearer Secret\r\n",
                                          "Authorization: Basic secret\r\n",
                                          "Authorization: secret\r\n",
                                          "Authorization: Bearer \r\n",
                                          "Authorization: Bearer site_shop\r\n"};
    struct http_answer a;

    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        post(f, "/api/v1/events", headers[i], "[{\"visitor\":\"u\",\"time\":1,\"event\":\"a\"}]",
             &a);
        assert_int_equal(a.status, 401);
        assert_true(slice_is(http_answer_header(&a, "WWW-Authenticate"), "Bearer"));
        assert_true(slice_is(http_answer_header(&a, "X-Corong-Reason"), "bad_key"));
        http_answer_fini(&a);
    }
    assert_int_equal(count_events(f), 0);
}

static void
test_a_ticket_shows_what_became_of_events(void **state)
{
    struct fixture *f = *state;
    unsigned char key[crypto_hash_sha256_BYTES];
    struct slice ticket;
    struct http_answer a;
    char header[200], target[200];

    crypto_hash_sha256(key, (const unsigned char *)"secret", 6);
    ticket = ticket_make(&f->arena, TICKET_DEBUG, key, SLICE("debug"), NOW - 60000);
    snprintf(target, sizeof target, "/e?debug=%.*s", SLICE_ARG(ticket));
    snprintf(header, sizeof header,
             "X-Corong-Debug: %.*s\r\nX-Forwarded-For: 81.2.69.142\r\nUser-Agent: Googlebot/2.1 "
             "(+http://www.google.com/bot.html)\r\n",
             SLICE_ARG(ticket));
    post(f, target, "X-Forwarded-For: 81.2.69.142\r\n",
         BEACON(EVENT(",\"id\":\"1\"") "," EVENT(",\"time\":1")), &a);
    assert_int_equal(a.status, 200);
    assert_true(slice_starts_with(
        a.body, SLICE("{\"results\":[{\"status\":\"accepted\",\"event\":{\"visitor\":\"v1\",")));
    assert_true(slice_contains(a.body, SLICE("\"path\":\"/p\"")));
    assert_true(slice_contains(a.body, SLICE("}},{\"status\":\"rejected\",\"error\":{\"code\":"
                                             "\"too_old\"")));
    assert_false(slice_contains(a.body, SLICE("81.2.69")));
    http_answer_fini(&a);
    post(f, "/e", header, BEACON(EVENT(",\"id\":\"2\"")), &a);
    assert_int_equal(a.status, 200);
    assert_true(slice_contains(a.body, SLICE("\"bot\":true")));
    assert_true(slice_contains(a.body, SLICE("\"bot_reason\":\"")));
    http_answer_fini(&a);
    post(f, target, "", BEACON(EVENT(",\"time\":1")), &a);
    assert_int_equal(a.status, 400);
    assert_true(slice_contains(a.body, SLICE("\"results\":[{\"status\":\"rejected\"")));
    http_answer_fini(&a);
    snprintf(target, sizeof target,
             "/e.gif?site=site_shop&visitor=w&url=https://a.example/&debug="
             "%.*s",
             SLICE_ARG(ticket));
    http_client_request(f->port, "GET", target, "", SLICE_EMPTY, &a);
    assert_true(slice_contains(a.body, SLICE("\"event\":\"pageview\"")));
    http_answer_fini(&a);

    clock_set_wall_ms(NOW + TICKET_DEBUG_MS); /* a minute too late */
    post(f, "/e", header, "{\"site\":\"site_shop\",\"visitor\":\"v2\",\"events\":[" EVENT("") "]}",
         &a);
    assert_int_equal(a.status, 204);
    http_answer_fini(&a);
    assert_int_equal(count_events(f), 4); /* seen or not, they are stored */
    check_invariant(f);
}

static void
test_refusals_are_listed_without_who(void **state)
{
    struct fixture *f = *state;
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;
    struct slice *lines = NULL;
    struct http_answer a;
    struct err err;
    int n = 0;

    for (int i = 0; i < 120; i++) {
        post(f, "/e", "X-Forwarded-For: 81.2.69.142\r\n", BEACON("{\"event\":\"old\",\"time\":1}"),
             &a);
        assert_int_equal(a.status, 400);
        http_answer_fini(&a);
    }
    post(f, "/api/v1/events", "Authorization: Bearer secret\r\n",
         "{\"visitor\":\"u1\",\"event\":\"sale\",\"time\":1,\"ip\":\"81.2.69.142\",\"value\":"
         "\"x\"}",
         &a);
    assert_int_equal(a.status, 400);
    http_answer_fini(&a);
    while ((n < 100 || !slice_contains(lines[0], SLICE("\"sale\""))) &&
           clock_steady_ms() < deadline) {
        clock_sleep_ms(50);
        assert_int_equal(
            stream_list_read(f->stream, STREAM_REFUSED "7", &f->arena, &lines, &n, &err), ERR_OK);
    }
    assert_int_equal(n, STREAM_REFUSED_MAX);
    assert_true(slice_starts_with(
        lines[0], SLICE("{\"time\":1780315200000,\"reason\":\"invalid\",\"field\":\"value\",")));
    assert_true(slice_starts_with(
        lines[99],
        SLICE("{\"time\":1780315200000,\"reason\":\"too_old\",\"field\":\"time\",\"message\":")));
    assert_true(slice_ends_with(lines[99], SLICE(",\"event\":\"old\"}")));
    for (int i = 0; i < n; i++) {
        assert_false(slice_contains(lines[i], SLICE("81.2.69")));
        assert_false(slice_contains(lines[i], SLICE("v1")));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(test_a_beacon_becomes_whole_events),
        SERVED(test_what_is_refused_is_not_stored),
        SERVED(test_a_bad_event_does_not_spoil_the_good),
        SERVED(test_a_visitor_has_only_so_many_events_a_day),
        SERVED(test_events_answered_503_use_up_no_limit),
        SERVED(test_an_address_and_a_site_have_their_pace),
        SERVED(test_bodies_over_the_cap),
        SERVED(test_the_pixel),
        SERVED(test_the_server_api),
        SERVED(test_a_wrong_secret_key),
        SERVED(test_a_ticket_shows_what_became_of_events),
        SERVED(test_refusals_are_listed_without_who),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("collect", tests, NULL, NULL);
}
