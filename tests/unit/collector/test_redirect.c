/* Campaign links over HTTP, with a real redis-server: where they lead, whom they know again, what
 * they count. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>

#include "collector/collect.h"
#include "core/clock.h"
#include "core/codec.h"
#include "core/published.h"
#include "core/ticket.h"
#include "tests/support/http_client.h"
#include "tests/support/redis_fixture.h"

#define NOW INT64_C(1780315200000) /* 2026-06-01T12:00:00Z */

/* The key "secret" is the shop's. */
#define SHOP                                                                                       \
    "{\"id\":7,\"name\":\"shop\",\"domain\":\"shop.example\",\"timezone\":\"UTC\",\"secret_sha256" \
    "\":\"2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\"}"
#define JUNE "https://www.shop.example/sale?utm_source=mail&utm_campaign=june#top"

struct fixture {
    struct redis_fixture redis;
    struct collect *collect;
    struct stream *stream;
    struct arena arena;
    unsigned char key[TICKET_KEY_BYTES];
    int port;
};

static int
set_up(void **state)
{
    static const struct stream_pair published[] = {
        {SLICE("site_shop"), SLICE(SHOP)},
        {SLICE(PUBLISHED_MARK), SLICE("1")},
        {SLICE(PUBLISHED_LINK "june"), SLICE("{\"site\":7,\"target\":\"" JUNE "\"}")},
        {SLICE(PUBLISHED_LINK "bare"), SLICE("{\"site\":7,\"target\":\"https://shop.example\"}")},
        {SLICE(PUBLISHED_LINK "orphan"), SLICE("{\"site\":8,\"target\":\"https://a.example\"}")},
        {SLICE(PUBLISHED_LINK "script"), SLICE("{\"site\":7,\"target\":\"javascript:alert(1)\"}")},
    };
    struct fixture *f = calloc(1, sizeof *f);
    struct collect_config config = {.address = "127.0.0.1",
                                    .n_threads = 4,
                                    .queue = 16,
                                    .trusted_proxies = "127.0.0.1",
                                    .beacon_bytes_max = 65536,
                                    .publish_wait_ms = 3000,
                                    .address_speed = {1, 4}};
    struct err err;

    clock_set_wall_ms(NOW);
    crypto_hash_sha256(f->key, (const unsigned char *)"secret", 6);
    arena_init(&f->arena, 4096);
    redis_fixture_start(&f->redis, REDIS_DURABLE);
    assert_int_equal(stream_address_parse(slice_from(f->redis.socket), &config.redis, &err),
                     ERR_OK);
    config.redis.timeout_ms = 2000;
    f->stream = stream_create(&config.redis);
    assert_int_equal(stream_hash_replace(f->stream, STREAM_SITES, published,
                                         sizeof published / sizeof published[0], &err),
                     ERR_OK);
    assert_int_equal(collect_start(&config, &f->collect, &err), ERR_OK);
    f->port = collect_port(f->collect);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    collect_stop(&f->collect);
    stream_destroy(&f->stream);
    redis_fixture_stop(&f->redis);
    arena_fini(&f->arena);
    clock_set_wall_ms(-1);
    free(f);
    return 0;
}

/* Every event in the stream. What no entry may hold is looked for on the way. */
static int
read_events(struct fixture *f, struct event *out, int max)
{
    struct stream_entry *entries;
    struct codec_reader reader;
    struct slice payload;
    struct err err;
    int n_entries, n = 0;

    assert_int_equal(stream_read(f->stream, (struct stream_id){0, 0}, 1000, 0, &f->arena, &entries,
                                 &n_entries, &err),
                     ERR_OK);
    for (int i = 0; i < n_entries; i++) {
        assert_false(slice_contains(entries[i].batch, SLICE("81.2.69")));
        assert_int_equal(codec_reader_init(&reader, entries[i].batch, &err), ERR_OK);
        while (codec_reader_next(&reader, &payload)) {
            assert_true(n < max);
            assert_int_equal(codec_decode(payload, &f->arena, &out[n++], &err), ERR_OK);
        }
    }
    return n;
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

    assert_int_equal(read_events(f, e, 2), 2);
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
    assert_true(ticket_check(TICKET_VISITOR, f->key, ticket, NOW + 59000, &word));
    assert_false(ticket_check(TICKET_VISITOR, f->key, ticket, NOW + 61000, &word));
    assert_int_equal(read_events(f, e, 2), 1);
    assert_true(slice_equal(e[0].visitor, word));
    assert_int_equal(word.n, 32);
    http_answer_fini(&a);
    ask(f, "GET", "/r/bare", "Host: 127.0.0.1:8001\r\n" PERSON, &a);
    assert_true(
        slice_starts_with(http_answer_header(&a, "Location"), SLICE("https://shop.example?_c=")));
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
    assert_int_equal(read_events(f, e, 4), 3);
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
    int n = 0;

    redis_fixture_pause(&f->redis);
    ask(f, "GET", "/r/june", "Host: stats.example\r\n" PERSON, &a);
    took = clock_steady_ms() - began;
    assert_int_equal(a.status, 302);
    assert_in_range(took, 90, 1500);
    http_answer_fini(&a);
    redis_fixture_resume(&f->redis);
    for (began = clock_steady_ms(); n == 0 && clock_steady_ms() - began < 5000; clock_sleep_ms(10))
        n = read_events(f, e, 2);
    assert_int_equal(n, 1); /* written all the same */
}

static void
test_a_flood_is_led_on_and_not_counted(void **state)
{
    struct fixture *f = *state;
    struct http_answer a;
    struct event e[20];

    for (int i = 0; i < 12; i++) {
        ask(f, "GET", "/r/june", "Host: s.example\r\nX-Forwarded-For: 81.2.69.142\r\n" PERSON, &a);
        assert_int_equal(a.status, 302);
        http_answer_fini(&a);
    }
    assert_in_range(read_events(f, e, 20), 4, 7);
}

#define SERVED(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(test_the_target_shares_the_domain),
        SERVED(test_the_target_is_on_another_domain),
        SERVED(test_links_that_lead_nowhere),
        SERVED(test_who_only_looks_is_a_bot_and_head_is_nobody),
        SERVED(test_nobody_waits_for_a_redis_that_hangs),
        SERVED(test_a_flood_is_led_on_and_not_counted),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("redirect", tests, NULL, NULL);
}
