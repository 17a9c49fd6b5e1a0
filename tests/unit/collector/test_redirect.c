/* Campaign links over HTTP, with a real redis-server: where they lead, what they count, and whom
 * the collector knows again, by cookie and by ticket. */
#include <sodium.h>

#include "core/published.h"
#include "core/ticket.h"
#include "tests/unit/collector/collect_world.h"

/* The key "secret" is the shop's. */
#define SHOP                                                                                       \
    "{\"id\":7,\"name\":\"shop\",\"domain\":\"shop.example\",\"timezone\":\"UTC\",\"secret_sha256" \
    "\":\"2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\"}"
#define JUNE "https://www.shop.example/sale?utm_source=mail&utm_campaign=june#top"

static unsigned char ticket_key[TICKET_KEY_BYTES]; /* the shop's */

static int
set_up(void **state)
{
    static const struct stream_pair published[] = {
        {SLICE("site_shop"), SLICE(SHOP)},
        {SLICE(PUBLISHED_MARK), SLICE("1")},
        {SLICE(PUBLISHED_LINK "june"), SLICE("{\"site\":7,\"target\":\"" JUNE "\"}")},
        {SLICE(PUBLISHED_LINK "bare"), SLICE("{\"site\":7,\"target\":\"https://shop.example\"}")},
        {SLICE(PUBLISHED_LINK "other"), SLICE("{\"site\":7,\"target\":\"https://tea.example/\"}")},
        {SLICE(PUBLISHED_LINK "orphan"), SLICE("{\"site\":8,\"target\":\"https://a.example\"}")},
        {SLICE(PUBLISHED_LINK "script"), SLICE("{\"site\":7,\"target\":\"javascript:alert(1)\"}")},
    };
    struct fixture *f = world_open(published, sizeof published / sizeof published[0]);

    crypto_hash_sha256(ticket_key, (const unsigned char *)"secret", 6);
    f->config.address_speed = (struct limit_speed){1, 4};
    world_start(f);
    *state = f;
    return 0;
}

#define PERSON                                                                                     \
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0\r\n"

/* http_client_request says Host itself, and a link's cookie depends on it. */
static void
ask(struct fixture *f, const char *method, const char *target, const char *headers,
    struct http_answer *a)
{
    char request[2000];

    snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nConnection: close\r\n%s\r\n", method,
             target, headers);
    http_client_exchange(f->port, request, a);
}

static void
test_the_target_shares_the_domain(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    struct slice cookie, id, rest;
    char headers[500];
    struct event e[2];

    ask(f, "GET", "/r/june?to=https://evil.example",
        "Host: Stats.Shop.example:443\r\nX-Forwarded-For: 81.2.69.142\r\nX-Forwarded-Proto: "
        "https\r\nReferer: https://mail.google.com/\r\n" PERSON,
        &a);
    assert_int_equal(a.status, 302);
    assert_true(slice_is(http_answer_header(&a, "Location"), JUNE));
    assert_true(slice_is(http_answer_header(&a, "Cache-Control"), "no-store"));
    cookie = http_answer_header(&a, "Set-Cookie");
    assert_true(slice_contains(cookie, SLICE("; Domain=shop.example; Secure")));
    assert_true(slice_cut(cookie, ';', &id, &rest));
    snprintf(headers, sizeof headers, "Host: stats.shop.example\r\nCookie: x=1; %.*s\r\n" PERSON,
             SLICE_ARG(id));
    id = arena_copy(&f->arena, slice_sub(id, sizeof "corong=" - 1, id.n));
    http_answer_fini(&a);
    ask(f, "GET", "/r/june", headers, &a);
    assert_true(slice_contains(http_answer_header(&a, "Set-Cookie"), id));
    assert_false(slice_contains(http_answer_header(&a, "Set-Cookie"), SLICE("Secure")));
    http_answer_fini(&a);

    assert_int_equal(await_events(f, e, 2, 2), 2);
    assert_true(slice_equal(e[0].visitor, id));
    assert_true(slice_equal(e[1].visitor, id));
    assert_false(slice_equal(e[0].id, e[1].id));
    assert_int_equal(e[0].site, 7);
    assert_int_equal(e[0].origin, ORIGIN_REDIRECT);
    assert_int_equal(e[0].time_ms, NOW);
    assert_true(slice_is(e[0].text[TEXT_EVENT], "redirect"));
    assert_true(slice_is(e[0].text[TEXT_URL], JUNE));
    assert_true(slice_is(e[0].text[TEXT_PATH], "/sale"));
    assert_true(slice_is(e[0].text[TEXT_SOURCE], "mail"));
    assert_true(slice_is(e[0].text[TEXT_CAMPAIGN], "june"));
    assert_true(slice_is(e[0].text[TEXT_BROWSER], "Firefox"));
    assert_int_equal(e[0].flags & (EVENT_DRIVER | EVENT_BOT), EVENT_DRIVER);
    assert_int_equal(e[0].n_properties, 1);
    assert_true(slice_is(e[0].properties[0].key, "link"));
    assert_true(slice_is(e[0].properties[0].value, "june"));
}

static void
test_the_target_is_on_another_domain(void **state)
{
    struct fixture *f = *state;
    struct slice to, ticket, fragment, word;
    struct http_answer a;
    struct event e[2];

    ask(f, "GET", "/r/june", "Host: stats.example\r\nCookie: corong=abc\r\n" PERSON, &a);
    assert_int_equal(a.status, 302);
    assert_int_equal(http_answer_header(&a, "Set-Cookie").n, 0);
    to = http_answer_header(&a, "Location");
    assert_true(slice_starts_with(
        to, SLICE("https://www.shop.example/sale?utm_source=mail&utm_campaign=june&_c=")));
    assert_true(slice_cut(to, '#', &to, &fragment));
    assert_true(slice_is(fragment, "top"));
    assert_true(slice_cut(slice_sub(to, slice_find(to, '_', 60), to.n), '=', &to, &ticket));
    assert_true(ticket_check(TICKET_VISITOR, ticket_key, ticket, NOW + 59000, &word));
    assert_false(ticket_check(TICKET_VISITOR, ticket_key, ticket, NOW + 61000, &word));
    assert_int_equal(await_events(f, e, 2, 1), 1);
    assert_true(slice_equal(e[0].visitor, word));
    assert_in_range(word.n, 15, 33);
    assert_true(slice_starts_with(word, SLICE("1780315200000")));
    http_answer_fini(&a);
    ask(f, "GET", "/r/bare", "Host: 127.0.0.1:8001\r\n" PERSON, &a);
    assert_true(
        slice_starts_with(http_answer_header(&a, "Location"), SLICE("https://shop.example?_c=")));
    http_answer_fini(&a);
}

/* ---- The snippet's beacons ---- */

#define KNOWN "1780315100000123" /* made 100 s before NOW */

/* Send a page view of this visitor with further headers and members ("" or ",.."). */
static void
beacon(struct fixture *f, const char *visitor, const char *headers, const char *more,
       struct http_answer *a)
{
    char body[1000], request[2000];
    int n =
        snprintf(body, sizeof body,
                 "{\"site\":\"site_shop\",\"visitor\":\"%s\",\"sent\":%lld,\"events\":[{\"event\":"
                 "\"pageview\",\"id\":\"p1\",\"url\":\"https://www.shop.example/\"%s}]}",
                 visitor, (long long)NOW, more);

    snprintf(request, sizeof request,
             "POST /e HTTP/1.1\r\nConnection: close\r\nContent-Length: %d\r\n%s" PERSON "\r\n%s", n,
             headers, body);
    http_client_exchange(f->port, request, a);
}

static void
test_a_beacon_of_the_own_domain_gets_its_cookie(void **state)
{
    static const struct {
        const char *visitor;
        const char *headers;
        const char *cookie; /* "": none */
    } rows[] = {
        {KNOWN, "Host: stats.shop.example:8001\r\nOrigin: http://www.shop.example:81\r\n",
         "corong=" KNOWN "; Path=/; Max-Age=33955100; SameSite=Lax; Domain=shop.example"},
        {KNOWN, "Host: Shop.Example\r\nOrigin: https://shop.example\r\nCookie: a=1\r\n",
         "corong=" KNOWN "; Path=/; Max-Age=33955100; SameSite=Lax; Domain=shop.example; Secure"},
        {KNOWN,
         "Host: shop.example\r\nOrigin: https://shop.example\r\nCookie: corong=17803150999999\r\n",
         "corong=" KNOWN "; Path=/; Max-Age=33955100; SameSite=Lax; Domain=shop.example; Secure"},
        {"17803152000011", /* by a clock that is ahead of ours */
         "Host: shop.example\r\nOrigin: http://shop.example\r\n",
         "corong=17803152000011; Path=/; Max-Age=33955200; SameSite=Lax; Domain=shop.example"},
        {KNOWN, "Host: shop.example\r\nOrigin: http://shop.example\r\nCookie: corong=" KNOWN "\r\n",
         ""},
        {KNOWN, /* the browser has a newer one: another page has made it since */
         "Host: shop.example\r\nOrigin: http://shop.example\r\nCookie: corong=17803151500001\r\n",
         ""},
        {KNOWN, /* and one that is over is none */
         "Host: shop.example\r\nOrigin: http://shop.example\r\nCookie: corong=17000000000001\r\n",
         "corong=" KNOWN "; Path=/; Max-Age=33955100; SameSite=Lax; Domain=shop.example"},
        {KNOWN, "Host: stats.example\r\nOrigin: https://shop.example\r\n", ""},
        {KNOWN, "Host: stats.shop.example\r\nOrigin: https://evil.example\r\n", ""},
        {KNOWN, "Host: stats.other.example\r\nOrigin: https://www.other.example\r\n", ""},
        {KNOWN, "Host: shop.example\r\nOrigin: null\r\n", ""},
        {KNOWN, "Host: shop.example\r\n", ""},
        {"u1", "Host: shop.example\r\nOrigin: https://shop.example\r\n", ""},
        {"17000000000001", "Host: shop.example\r\nOrigin: https://shop.example\r\n", ""},
    };
    struct fixture *f = *state;
    struct http_answer a;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        beacon(f, rows[i].visitor, rows[i].headers, "", &a);
        assert_int_equal(a.status, 204);
        assert_string_equal(arena_cstr(&f->arena, http_answer_header(&a, "Set-Cookie")),
                            rows[i].cookie);
        http_answer_fini(&a);
    }
}

static void
test_a_beacon_that_brings_nothing_gets_no_cookie(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;

    beacon(f, KNOWN, "Host: shop.example\r\nOrigin: https://shop.example\r\n", ",\"nonsense\":1",
           &a);
    assert_int_equal(a.status, 400);
    assert_int_equal(http_answer_header(&a, "Set-Cookie").n, 0);
    http_answer_fini(&a);
}

static void
test_pages_may_send_with_credentials(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;

    beacon(f, KNOWN, "Host: stats.example\r\nOrigin: https://shop.example\r\n", "", &a);
    assert_true(
        slice_is(http_answer_header(&a, "Access-Control-Allow-Origin"), "https://shop.example"));
    assert_true(slice_is(http_answer_header(&a, "Access-Control-Allow-Credentials"), "true"));
    assert_true(slice_is(http_answer_header(&a, "Vary"), "Origin"));
    http_answer_fini(&a);
    beacon(f, KNOWN, "Host: stats.example\r\n", "", &a);
    assert_true(slice_is(http_answer_header(&a, "Access-Control-Allow-Origin"), "*"));
    assert_int_equal(http_answer_header(&a, "Access-Control-Allow-Credentials").n, 0);
    assert_true(slice_is(http_answer_header(&a, "Vary"), "Origin"));
    http_answer_fini(&a);
}

static int64_t
tickets_refused(struct fixture *f)
{
    static const struct slice name = SLICE("\ncorong_tickets_refused_total ");
    struct slice line, rest;
    struct http_answer a;
    int64_t n = -1;

    http_client_request(f->port, "GET", "/metrics", "", SLICE_EMPTY, &a);
    for (size_t i = 0; i + name.n < a.body.n; i++)
        if (slice_starts_with(slice_sub(a.body, i, a.body.n), name)) {
            slice_cut(slice_sub(a.body, i + name.n, a.body.n), '\n', &line, &rest);
            assert_true(slice_to_int64(line, &n));
        }
    http_answer_fini(&a);
    return n;
}

/* A page view of the visitor with this ticket; it is taken whatever the ticket is worth. */
static void
come_with(struct fixture *f, const char *visitor, struct slice ticket)
{
    struct http_answer a;
    char more[200];

    snprintf(more, sizeof more, ",\"ticket\":\"%.*s\"", SLICE_ARG(ticket));
    beacon(f, visitor, "Host: stats.example\r\n", more, &a);
    assert_int_equal(a.status, 204);
    http_answer_fini(&a);
}

static void
test_a_ticket_hands_over_to_one_visitor(void **state)
{
    struct fixture *f = *state;
    struct slice ticket =
        ticket_make(&f->arena, TICKET_VISITOR, ticket_key, SLICE("T"), NOW - 59000);
    struct event e[5];

    come_with(f, KNOWN, ticket);
    come_with(f, KNOWN, ticket); /* a retry */
    come_with(f, "other", ticket);
    assert_int_equal(tickets_refused(f), 1);
    assert_int_equal(await_events(f, e, 5, 5), 5);
    assert_true(slice_is(e[0].text[TEXT_EVENT], "pageview"));
    assert_true(slice_is(e[0].visitor, KNOWN));
    assert_true(slice_is(e[1].text[TEXT_EVENT], "handover"));
    assert_true(slice_is(e[1].visitor, "T"));
    assert_true(slice_is(e[1].text[TEXT_KNOWN], KNOWN));
    assert_true(slice_is(e[1].text[TEXT_BROWSER], "Firefox"));
    assert_int_equal(e[1].time_ms, NOW);
    assert_int_equal(e[1].origin, ORIGIN_REDIRECT);
    assert_true(slice_ends_with(ticket, e[1].id));
    assert_int_equal(e[1].id.n, 22);
    assert_true(slice_equal(e[3].id, e[1].id)); /* and so the same event */
    assert_true(slice_is(e[4].text[TEXT_EVENT], "pageview"));
    assert_true(slice_is(e[4].visitor, "other"));
}

static void
test_tickets_that_are_worth_nothing(void **state)
{
    struct fixture *f = *state;
    unsigned char other[TICKET_KEY_BYTES] = "another site's";
    const struct slice tickets[] = {
        ticket_make(&f->arena, TICKET_VISITOR, ticket_key, SLICE("T"), NOW - 61000),
        ticket_make(&f->arena, TICKET_VISITOR, other, SLICE("T"), NOW),
        ticket_make(&f->arena, TICKET_DEBUG, ticket_key, SLICE("debug"), NOW),
        SLICE("T.1780315200000.AAAAAAAAAAAAAAAAAAAAAA"),
        SLICE("T"),
    };
    const int n = sizeof tickets / sizeof tickets[0];
    struct event e[8];

    for (int i = 0; i < n; i++)
        come_with(f, KNOWN, tickets[i]);
    assert_int_equal(tickets_refused(f), n);
    /* One's own, back from the other domain: nothing to say, and nothing wrong. */
    come_with(f, KNOWN, ticket_make(&f->arena, TICKET_VISITOR, ticket_key, SLICE(KNOWN), NOW));
    assert_int_equal(tickets_refused(f), n);
    assert_int_equal(await_events(f, e, 8, n + 1), n + 1);
    for (int i = 0; i <= n; i++)
        assert_true(slice_is(e[i].text[TEXT_EVENT], "pageview"));
}

static void
test_a_ticket_is_text_and_the_snippet_s(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;

    beacon(f, KNOWN, "", ",\"ticket\":1", &a);
    assert_int_equal(a.status, 400);
    assert_true(slice_contains(a.body, SLICE("\"field\":\"ticket\"")));
    http_answer_fini(&a);
    http_client_request(f->port, "GET", "/e.gif?site=site_shop&visitor=v&ticket=T", PERSON,
                        SLICE_EMPTY, &a);
    assert_int_equal(a.status, 400);
    http_answer_fini(&a);
}

/* Two domains of one site: who clicks on a link of ours on a page of the collector's own domain has
 * the cookie there, and comes to the other domain under its id. */
static void
test_a_link_to_a_foreign_domain_takes_the_cookie_along(void **state)
{
    struct fixture *f = *state;
    struct slice to, ticket, word;
    struct http_answer a;
    struct event e[1];

    ask(f, "GET", "/r/other", "Host: stats.shop.example\r\nCookie: corong=" KNOWN "\r\n" PERSON,
        &a);
    assert_int_equal(http_answer_header(&a, "Set-Cookie").n, 0);
    assert_true(slice_cut(http_answer_header(&a, "Location"), '=', &to, &ticket));
    assert_true(slice_is(to, "https://tea.example/?_c"));
    assert_true(ticket_check(TICKET_VISITOR, ticket_key, ticket, NOW, &word));
    assert_true(slice_is(word, KNOWN));
    assert_int_equal(await_events(f, e, 1, 1), 1);
    assert_true(slice_is(e[0].visitor, KNOWN));
    http_answer_fini(&a);
}

static void
test_a_cookie_that_is_over_is_none(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;

    ask(f, "GET", "/r/june", "Host: stats.shop.example\r\nCookie: corong=17000000000001\r\n" PERSON,
        &a);
    assert_true(
        slice_starts_with(http_answer_header(&a, "Set-Cookie"), SLICE("corong=1780315200000")));
    assert_true(slice_contains(http_answer_header(&a, "Set-Cookie"), SLICE("; Max-Age=33955200;")));
    http_answer_fini(&a);
}

static void
test_links_that_lead_nowhere(void **state)
{
    struct fixture *f = *state;
    static const char *const paths[] = {"/r/none",   "/r/",       "/r/orphan",
                                        "/r/script", "/r/june/x", "/r/JUNE"};
    struct http_answer a;
    struct event e[1];

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        ask(f, "GET", paths[i], "Host: s\r\n", &a);
        assert_int_equal(a.status, 404);
        assert_true(slice_is(http_answer_header(&a, "X-Corong-Reason"), "unknown_link"));
        assert_int_equal(http_answer_header(&a, "Location").n, 0);
        http_answer_fini(&a);
    }
    assert_int_equal(read_events(f, e, 1), 0);
}

static void
test_who_only_looks_is_a_bot_and_head_is_nobody(void **state)
{
    struct fixture *f = *state;
    static const char *const headers[] = {
        "Host: stats.shop.example\r\nUser-Agent: Slackbot-LinkExpanding 1.0 "
        "(+https://api.slack.com/robots)\r\n",
        "Host: stats.example\r\nSec-Purpose: prefetch;prerender\r\n" PERSON,
        "Host: stats.shop.example\r\nPurpose: prefetch\r\n" PERSON,
    };
    struct http_answer a;
    struct event e[4];

    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        ask(f, "GET", "/r/june", headers[i], &a);
        assert_int_equal(a.status, 302);
        assert_true(slice_is(http_answer_header(&a, "Location"), JUNE));
        assert_int_equal(http_answer_header(&a, "Set-Cookie").n, 0);
        http_answer_fini(&a);
    }
    ask(f, "HEAD", "/r/june", "Host: stats.example\r\n" PERSON, &a);
    assert_int_equal(a.status, 302);
    assert_true(slice_is(http_answer_header(&a, "Location"), JUNE));
    http_answer_fini(&a);
    assert_int_equal(await_events(f, e, 4, 3), 3);
    for (int i = 0; i < 3; i++)
        assert_true(e[i].flags & EVENT_BOT);
    assert_true(slice_contains(e[0].text[TEXT_BOT_REASON], SLICE("lack")));
    assert_true(slice_is(e[1].text[TEXT_BOT_REASON], "prefetch"));
}

static void
test_nobody_waits_for_a_redis_that_hangs(void **state)
{
    struct fixture *f = *state;
    int64_t began = clock_steady_ms(), took;
    struct http_answer a;
    struct event e[2];

    redis_fixture_pause(&f->redis);
    ask(f, "GET", "/r/june", "Host: stats.example\r\n" PERSON, &a);
    took = clock_steady_ms() - began;
    assert_int_equal(a.status, 302);
    assert_in_range(took, 90, REDIS_PATIENCE_MS / 2);
    http_answer_fini(&a);
    redis_fixture_resume(&f->redis);
    assert_int_equal(await_events(f, e, 2, 1), 1); /* written all the same */
}

static void
test_a_flood_is_led_on_and_not_counted(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    struct event e[40];

    for (int i = 0; i < 40; i++) {
        ask(f, "GET", "/r/june", "Host: s.example\r\nX-Forwarded-For: 81.2.69.142\r\n" PERSON, &a);
        assert_int_equal(a.status, 302);
        http_answer_fini(&a);
    }
    assert_in_range(await_events(f, e, 40, 4), 4, 39);
}

#define SERVED(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(test_the_target_shares_the_domain),
        SERVED(test_the_target_is_on_another_domain),
        SERVED(test_a_beacon_of_the_own_domain_gets_its_cookie),
        SERVED(test_a_beacon_that_brings_nothing_gets_no_cookie),
        SERVED(test_pages_may_send_with_credentials),
        SERVED(test_a_ticket_hands_over_to_one_visitor),
        SERVED(test_tickets_that_are_worth_nothing),
        SERVED(test_a_ticket_is_text_and_the_snippet_s),
        SERVED(test_a_link_to_a_foreign_domain_takes_the_cookie_along),
        SERVED(test_a_cookie_that_is_over_is_none),
        SERVED(test_links_that_lead_nowhere),
        SERVED(test_who_only_looks_is_a_bot_and_head_is_nobody),
        SERVED(test_nobody_waits_for_a_redis_that_hangs),
        SERVED(test_a_flood_is_led_on_and_not_counted),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("redirect", tests, NULL, NULL);
}
