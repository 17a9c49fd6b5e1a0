/* Privacy over HTTP, with a real redis-server: cookieless visitors, who opts out, who has not
 * consented. */
#include "core/published.h"
#include "core/stream_forget.h"
#include "core/stream_list.h"
#include "tests/unit/collector/collect_world.h"

/* The key "secret" is every site's own. */
#define SITE(id, more)                                                                             \
    "{\"id\":" id ",\"domain\":\"shop.example\",\"secret_sha256\":"                                \
    "\"2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\"" more "}"
#define LINK(id) "{\"site\":" id ",\"target\":\"https://www.shop.example/?utm_source=mail\"}"
#define FAR(id)  "{\"site\":" id ",\"target\":\"https://far.example/\"}"

static struct fixture *
start(bool has_salts)
{
    static const struct stream_pair published[] = {
        {SLICE(PUBLISHED_MARK), SLICE("1")},
        {SLICE("site_plain"), SLICE(SITE("1", ""))},
        {SLICE("site_day"), SLICE(SITE("2", ",\"identity\":\"cookieless\""))},
        {SLICE("site_day2"), SLICE(SITE("3", ",\"identity\":\"cookieless\""))},
        {SLICE("site_gpc"), SLICE(SITE("4", ",\"gpc\":\"respect\""))},
        {SLICE("site_dnt"), SLICE(SITE("5", ",\"dnt\":\"respect\""))},
        {SLICE("site_asks"), SLICE(SITE("6", ",\"consent\":\"required\""))},
        {SLICE(PUBLISHED_LINK "day"), SLICE(LINK("2"))},
        {SLICE(PUBLISHED_LINK "gpc"), SLICE(LINK("4"))},
        {SLICE(PUBLISHED_LINK "asks"), SLICE(LINK("6"))},
        {SLICE(PUBLISHED_LINK "asks_far"), SLICE(FAR("6"))},
        {SLICE(PUBLISHED_LINK "day_far"), SLICE(FAR("2"))},
    };
    struct fixture *f = world_open(published, sizeof published / sizeof published[0]);
    struct err err;

    if (!has_salts) /* what is no salt stands where today's should */
        assert_int_equal(
            stream_field_add(f->stream, STREAM_SALTS, SLICE("2026-06-01"), SLICE("x"), &err),
            ERR_OK);
    world_start(f);
    return f;
}

static int
set_up(void **state)
{
    *state = start(true);
    return 0;
}

static int
set_up_without_salt(void **state)
{
    *state = start(false);
    return 0;
}

#define FIREFOX                                                                                    \
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0\r\n"
#define CHROME                                                                                     \
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "          \
    "Chrome/120.0.0.0 Safari/537.36\r\n"
#define HERE  "X-Forwarded-For: 81.2.69.142\r\n"
#define THERE "X-Forwarded-For: 81.2.69.143\r\n"

#define BEACON(site, more) "{\"site\":\"" site "\"" more ",\"events\":[{\"event\":\"pageview\"}]}"

/* Answered so, with this reason ("" for none). */
static void
expect(struct fixture *f, const char *method, const char *target, const char *headers,
       const char *body, int status, const char *reason)
{
    struct http_answer a;

    http_client_request(f->port, method, target, headers, slice_from(body), &a);
    if (a.status != status || !slice_is(http_answer_header(&a, "X-Corong-Reason"), reason))
        fail_msg("%s %s: %d %.*s\n%.*s", method, target, a.status, SLICE_ARG(a.head),
                 SLICE_ARG(a.body));
    http_answer_fini(&a);
}

static void
beacon(struct fixture *f, const char *headers, const char *body)
{
    expect(f, "POST", "/e", headers, body, 204, "");
}

/* A link's cookie depends on the host, which http_client_request says itself. */
static void
click(struct fixture *f, const char *path, const char *headers, struct http_answer *a)
{
    char request[2000];

    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: stats.shop.example\r\nConnection: close\r\n%s\r\n", path,
             headers);
    http_client_exchange(f->port, request, a);
    assert_int_equal(a->status, 302);
    assert_false(slice_contains(http_answer_header(a, "Location"), SLICE("_c=")));
}

/* ---- Cookieless ---- */

static void
test_a_cookieless_visitor_is_site_address_and_agent(void **state)
{
    struct fixture *f = *state;
    struct event e[8];

    beacon(f, HERE FIREFOX, BEACON("site_day", ""));
    beacon(f, HERE FIREFOX, BEACON("site_day", ",\"visitor\":\"mine\""));
    beacon(f, HERE CHROME, BEACON("site_day", ""));
    beacon(f, THERE FIREFOX, BEACON("site_day", ""));
    beacon(f, HERE FIREFOX, BEACON("site_day2", ""));
    expect(f, "GET", "/e.gif?site=site_day&visitor=mine", HERE FIREFOX, "", 200, "");
    beacon(f, HERE FIREFOX, BEACON("site_plain", ",\"visitor\":\"mine\""));
    assert_int_equal(await_events(f, e, 8, 7), 7);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(e[i].flags & EVENT_COOKIELESS, EVENT_COOKIELESS);
        assert_int_equal(e[i].visitor.n, 32);
        for (size_t k = 0; k < 32; k++)
            assert_non_null(strchr("0123456789abcdef", e[i].visitor.p[k]));
    }
    assert_true(slice_equal(e[0].visitor, e[1].visitor)); /* what a beacon gives does not matter */
    assert_true(slice_equal(e[0].visitor, e[5].visitor)); /* nor a pixel */
    for (int i = 2; i < 5; i++)
        assert_false(slice_equal(e[0].visitor, e[i].visitor));
    assert_true(slice_is(e[6].visitor, "mine"));
    assert_int_equal(e[6].flags & EVENT_COOKIELESS, 0);
}

static void
test_another_day_is_another_visitor(void **state)
{
    struct fixture *f = *state;
    struct event e[4];

    clock_set_wall_ms(NOW + DAY / 2 - 1); /* the day's last moment */
    beacon(f, HERE FIREFOX, BEACON("site_day", ""));
    clock_set_wall_ms(NOW);
    beacon(f, HERE FIREFOX, BEACON("site_day", ""));
    clock_set_wall_ms(NOW + DAY / 2); /* the next day's first; sent at once or kept from before */
    beacon(f, HERE FIREFOX, BEACON("site_day", ""));
    beacon(f, HERE FIREFOX,
           "{\"site\":\"site_day\",\"events\":[{\"event\":\"pageview\",\"time\":1780315200000}]}");
    assert_int_equal(await_events(f, e, 4, 4), 4);
    assert_true(slice_equal(e[0].visitor, e[1].visitor));
    assert_false(slice_equal(e[0].visitor, e[2].visitor));
    assert_true(slice_equal(e[2].visitor, e[3].visitor));
    assert_int_equal(e[3].time_ms, NOW);
}

/* Joining a day's visitor to a person would give the day's others behind the same address too. */
static void
test_nobody_is_joined_and_servers_say_who_it_is(void **state)
{
    struct fixture *f = *state;
    struct event e[2];

    expect(f, "POST", "/e", HERE FIREFOX,
           "{\"site\":\"site_day\",\"events\":[{\"event\":\"identify\",\"known\":\"u1\"}]}", 400,
           "invalid");
    expect(f, "POST", "/api/v1/events", "Authorization: Bearer secret\r\nSec-GPC: 1\r\n",
           "{\"visitor\":\"u1\",\"time\":1780315200000,\"event\":\"sale\"}", 200, "");
    assert_int_equal(await_events(f, e, 2, 1), 1);
    assert_true(slice_is(e[0].visitor, "u1"));
    assert_int_equal(e[0].flags & EVENT_COOKIELESS, 0);
}

static void
test_a_cookieless_click_leaves_nothing_in_the_browser(void **state)
{
    static const char *const paths[] = {"/r/day", "/r/day_far"};
    struct fixture *f = *state;
    struct http_answer a;
    struct event e[3];

    for (int i = 0; i < 2; i++) {
        click(f, paths[i], "Cookie: corong=abc\r\n" HERE FIREFOX, &a);
        assert_int_equal(http_answer_header(&a, "Set-Cookie").n, 0);
        http_answer_fini(&a);
    }
    beacon(f, HERE FIREFOX, BEACON("site_day", ""));
    assert_int_equal(await_events(f, e, 3, 3), 3);
    for (int i = 0; i < 3; i++) { /* and is known again where it led */
        assert_true(slice_equal(e[i].visitor, e[2].visitor));
        assert_int_equal(e[i].flags & EVENT_COOKIELESS, EVENT_COOKIELESS);
    }
}

static void
test_without_a_salt_only_cookieless_sites_wait(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;

    expect(f, "POST", "/e", HERE FIREFOX, BEACON("site_day", ""), 503, "unavailable");
    expect(f, "GET", "/e.gif?site=site_day", HERE FIREFOX, "", 503, "unavailable");
    click(f, "/r/day", HERE FIREFOX, &a);
    assert_int_equal(http_answer_header(&a, "Set-Cookie").n, 0);
    http_answer_fini(&a);
    beacon(f, HERE FIREFOX, BEACON("site_plain", ",\"visitor\":\"v\""));
    assert_int_equal(count_events(f), 1);
    assert_int_equal(metric(f, "corong_events_failed_total"), 3);
}

/* ---- Opting out, and consent ---- */

static void
test_who_opts_out_leaves_no_trace(void **state)
{
    static const char opted_out[] = "corong_events_rejected_total{reason=\"opted_out\"}";
    struct fixture *f = *state;
    struct slice *lines;
    struct http_answer a;
    int n = 0;

    expect(f, "POST", "/e", "Sec-GPC: 1\r\n" FIREFOX, BEACON("site_gpc", ",\"visitor\":\"v\""), 204,
           "opted_out");
    expect(f, "POST", "/e", "DNT: 1\r\n" FIREFOX, BEACON("site_dnt", ",\"visitor\":\"v\""), 204,
           "opted_out");
    http_client_request(f->port, "GET", "/e.gif?site=site_gpc&visitor=v", "Sec-GPC: 1\r\n",
                        SLICE_EMPTY, &a);
    assert_int_equal(a.status, 200);
    assert_true(slice_starts_with(a.body, SLICE("GIF89a")));
    assert_true(slice_is(http_answer_header(&a, "X-Corong-Reason"), "opted_out"));
    http_answer_fini(&a);
    click(f, "/r/gpc", "Sec-GPC: 1\r\nCookie: corong=abc\r\n" FIREFOX, &a);
    assert_int_equal(http_answer_header(&a, "Set-Cookie").n, 0);
    assert_true(
        slice_is(http_answer_header(&a, "Location"), "https://www.shop.example/?utm_source=mail"));
    assert_true(slice_is(http_answer_header(&a, "X-Corong-Reason"), "opted_out"));
    http_answer_fini(&a);
    assert_int_equal(count_events(f), 0);
    assert_int_equal(metric(f, opted_out), 4);
    assert_int_equal(metric(f, "corong_events_received_total"), 4);
    clock_sleep_ms(1200); /* refusals are listed once a second: these are none */
    for (int site = 4; site <= 5; site++) {
        assert_int_equal(stream_list_read(f->stream,
                                          arena_printf(&f->arena, STREAM_REFUSED "%d", site).p,
                                          &f->arena, &lines, &n, NULL),
                         ERR_OK);
        assert_int_equal(n, 0);
    }
}

static void
test_only_what_the_site_respects(void **state)
{
    struct fixture *f = *state;

    beacon(f, "DNT: 1\r\n", BEACON("site_gpc", ",\"visitor\":\"v\""));
    beacon(f, "Sec-GPC: 1\r\n", BEACON("site_dnt", ",\"visitor\":\"v\""));
    beacon(f, "Sec-GPC: 1\r\nDNT: 1\r\n", BEACON("site_plain", ",\"visitor\":\"v\""));
    beacon(f, "Sec-GPC: 0\r\n", BEACON("site_gpc", ",\"visitor\":\"v\""));
    assert_int_equal(count_events(f), 4);
}

#define KNOWN "17803151000001" /* an id, of 100 s ago */

/* The snippet sends nothing without consent; what markup and links send goes by the cookie. */
static void
test_without_consent_no_click_is_kept(void **state)
{
    static const char no_consent[] = "corong_events_rejected_total{reason=\"no_consent\"}";
    struct fixture *f = *state;
    struct http_answer a;
    struct event e[3];

    click(f, "/r/asks", FIREFOX, &a);
    assert_int_equal(http_answer_header(&a, "Set-Cookie").n, 0);
    assert_true(slice_is(http_answer_header(&a, "X-Corong-Reason"), "no_consent"));
    http_answer_fini(&a);
    click(f, "/r/asks_far", "Cookie: corong=abc\r\n" FIREFOX, &a); /* no id of ours */
    assert_true(slice_is(http_answer_header(&a, "X-Corong-Reason"), "no_consent"));
    http_answer_fini(&a);
    expect(f, "GET", "/e.gif?site=site_asks&visitor=v", FIREFOX, "", 200, "no_consent");
    assert_int_equal(count_events(f), 0);
    assert_int_equal(metric(f, no_consent), 3);

    click(f, "/r/asks", "Cookie: corong=" KNOWN "\r\n" FIREFOX, &a);
    assert_true(
        slice_starts_with(http_answer_header(&a, "Set-Cookie"), SLICE("corong=" KNOWN "; ")));
    http_answer_fini(&a);
    expect(f, "GET", "/e.gif?site=site_asks&visitor=" KNOWN, "Cookie: corong=" KNOWN "\r\n" FIREFOX,
           "", 200, "");
    beacon(f, FIREFOX, BEACON("site_asks", ",\"visitor\":\"" KNOWN "\""));
    assert_int_equal(await_events(f, e, 3, 3), 3);
    for (int i = 0; i < 3; i++)
        assert_true(slice_is(e[i].visitor, KNOWN));
}

#define SERVED(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(test_a_cookieless_visitor_is_site_address_and_agent),
        SERVED(test_another_day_is_another_visitor),
        SERVED(test_nobody_is_joined_and_servers_say_who_it_is),
        SERVED(test_a_cookieless_click_leaves_nothing_in_the_browser),
        cmocka_unit_test_setup_teardown(test_without_a_salt_only_cookieless_sites_wait,
                                        set_up_without_salt, tear_down),
        SERVED(test_who_opts_out_leaves_no_trace),
        SERVED(test_only_what_the_site_respects),
        SERVED(test_without_consent_no_click_is_kept),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
