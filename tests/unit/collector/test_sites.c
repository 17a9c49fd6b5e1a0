/* Settings of sites: what is read, what is refused, and that they follow Redis. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collector/sites.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/published.h"
#include "tests/support/patience.h"
#include "tests/support/redis_fixture.h"

#define REFRESH_MS 30

struct fixture {
    struct redis_fixture redis;
    struct stream_address address;
    struct stream *stream;
    struct sites *sites;
};

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err err;

    redis_fixture_start(&f->redis, REDIS_DURABLE);
    assert_int_equal(stream_address_parse(slice_from(f->redis.socket), &f->address, &err), ERR_OK);
    f->stream = stream_create(&f->address);
    assert_int_equal(sites_start(&f->address, REFRESH_MS, NULL, &f->sites, &err), ERR_OK);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    sites_stop(&f->sites);
    stream_destroy(&f->stream);
    redis_fixture_stop(&f->redis);
    free(f);
    return 0;
}

static void
put(struct fixture *f, const struct stream_pair *pairs, int n)
{
    struct err err;

    assert_int_equal(stream_hash_replace(f->stream, STREAM_SITES, pairs, n, &err), ERR_OK);
}

/* Until this many sites are known. */
static void
await(struct fixture *f, int n)
{
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;
    int seen = -1;

    while (seen != n && clock_steady_ms() < deadline) {
        const struct sites_table *t = sites_acquire(f->sites);
        seen = sites_are_known(t) ? sites_count(t) : -1;
        sites_release(t);
        clock_sleep_ms(5);
    }
    assert_int_equal(seen, n);
}

static void
test_nothing_is_known_until_settings_come(void **state)
{
    struct fixture *f = *state;
    const struct sites_table *t = sites_acquire(f->sites);

    assert_false(sites_are_known(t));
    assert_null(sites_find_key(t, SLICE("site_a")));
    assert_null(sites_find_secret(t, SLICE("")));
    sites_release(t);
}

static void
test_sites_are_found_by_their_keys(void **state)
{
    struct fixture *f = *state;
    static const struct stream_pair pairs[] = {
        {SLICE("site_b"),
         SLICE(
             "{\"id\":2,\"name\":\"two\",\"domain\":\"two.example\",\"timezone\":\"Asia/Jakarta\","
             "\"currency\":\"IDR\",\"max_age_ms\":1000,\"max_events_per_visitor_day\":7,"
             "\"secret_sha256\":"
             "\"2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\","
             "\"ignored_referrers\":[\"pay.example\",\"x.example\"],\"identity\":\"cookieless\","
             "\"consent\":\"none\",\"dnt\":\"respect\",\"later\":{}}")},
        {SLICE("site_a"), SLICE("{\"id\":1}")},
    };
    const struct sites_table *t;
    const struct site *s;

    put(f, pairs, 2);
    await(f, 2);
    t = sites_acquire(f->sites);
    s = sites_find_key(t, SLICE("site_b"));
    assert_non_null(s);
    assert_int_equal(s->id, 2);
    assert_true(slice_is(s->name, "two"));
    assert_true(slice_is(s->domain, "two.example"));
    assert_true(slice_is(s->timezone, "Asia/Jakarta"));
    assert_true(slice_is(s->currency, "IDR"));
    assert_int_equal(s->max_age_ms, 1000);
    assert_int_equal(s->max_events_per_visitor_day, 7);
    assert_int_equal(s->n_ignored_referrers, 2);
    assert_true(slice_is(s->ignored_referrers[1], "x.example"));
    assert_true(s->privacy.on[PRIVACY_COOKIELESS]);
    assert_false(s->privacy.on[PRIVACY_CONSENT]);
    assert_false(s->privacy.on[PRIVACY_GPC]);
    assert_true(s->privacy.on[PRIVACY_DNT]);
    assert_ptr_equal(sites_find_secret(t, SLICE("secret")), s);
    assert_null(sites_find_secret(t, SLICE("secret ")));
    assert_null(sites_find_secret(t, SLICE_EMPTY));
    s = sites_find_key(t, SLICE("site_a"));
    assert_non_null(s);
    assert_int_equal(s->max_age_ms, 86400000);
    assert_false(s->has_secret);
    assert_false(s->privacy.on[PRIVACY_COOKIELESS]);
    assert_null(sites_find_key(t, SLICE("site_")));
    assert_null(sites_find_key(t, SLICE_EMPTY));
    sites_release(t);
}

static void
test_unreadable_settings_leave_only_their_site_out(void **state)
{
    struct fixture *f = *state;
    static const struct stream_pair pairs[] = {
        {SLICE("good"), SLICE("{\"id\":9}")},
        {SLICE("no json"), SLICE("{\"id\":")},
        {SLICE("no object"), SLICE("[1]")},
        {SLICE("no id"), SLICE("{\"name\":\"x\"}")},
        {SLICE("bad id"), SLICE("{\"id\":0}")},
        {SLICE("large id"), SLICE("{\"id\":4294967296}")},
        {SLICE("bad age"), SLICE("{\"id\":1,\"max_age_ms\":-1}")},
        {SLICE("bad name"), SLICE("{\"id\":1,\"name\":5}")},
        {SLICE("short secret"), SLICE("{\"id\":1,\"secret_sha256\":\"abcd\"}")},
        {SLICE("bad hosts"), SLICE("{\"id\":1,\"ignored_referrers\":[1]}")},
        {SLICE("a word of later"), SLICE("{\"id\":1,\"identity\":\"fingerprint\"}")},
    };
    const struct sites_table *t;

    put(f, pairs, sizeof pairs / sizeof pairs[0]);
    await(f, 1);
    t = sites_acquire(f->sites);
    assert_non_null(sites_find_key(t, SLICE("good")));
    sites_release(t);
}

static void
test_a_table_in_use_outlives_its_successor(void **state)
{
    struct fixture *f = *state;
    static const struct stream_pair one[] = {{SLICE("a"), SLICE("{\"id\":1,\"name\":\"old\"}")}};
    static const struct stream_pair two[] = {{SLICE("a"), SLICE("{\"id\":1,\"name\":\"new\"}")},
                                             {SLICE("b"), SLICE("{\"id\":2}")}};
    const struct sites_table *t;
    const struct site *s;

    put(f, one, 1);
    await(f, 1);
    t = sites_acquire(f->sites);
    s = sites_find_key(t, SLICE("a"));
    put(f, two, 2);
    await(f, 2);
    assert_true(slice_is(s->name, "old"));
    sites_release(t);
}

static void
test_redis_going_away_or_wiped_changes_nothing(void **state)
{
    struct fixture *f = *state;
    static const struct stream_pair one[] = {{SLICE("a"), SLICE("{\"id\":1}")}};
    static const struct stream_pair two[] = {{SLICE("a"), SLICE("{\"id\":1}")},
                                             {SLICE("b"), SLICE("{\"id\":2}")}};

    put(f, one, 1);
    await(f, 1);
    put(f, NULL, 0); /* as after FLUSHALL: nothing at all */
    clock_sleep_ms(4 * REFRESH_MS);
    await(f, 1);
    redis_fixture_kill(&f->redis);
    clock_sleep_ms(4 * REFRESH_MS);
    await(f, 1);
    redis_fixture_restart(&f->redis);
    stream_destroy(&f->stream);
    f->stream = stream_create(&f->address);
    put(f, two, 2);
    await(f, 2);
}

static void
test_the_last_site_that_is_removed_is_gone(void **state)
{
    struct fixture *f = *state;
    static const struct stream_pair one[] = {{SLICE("a"), SLICE("{\"id\":1}")},
                                             {SLICE(PUBLISHED_MARK), SLICE("1")}};

    put(f, one, 2);
    await(f, 1);
    put(f, one + 1, 1);
    await(f, 0);
}

/* ---- The copy ---- */

static void
start_with_copy(struct fixture *f, const char *path)
{
    struct err err;

    sites_stop(&f->sites);
    assert_int_equal(sites_start(&f->address, REFRESH_MS, path, &f->sites, &err), ERR_OK);
}

static void
test_the_last_settings_are_there_after_a_start_without_redis(void **state)
{
    struct fixture *f = *state;
    static const struct stream_pair pairs[] = {
        {SLICE("a"), SLICE("{\"id\":1,\"name\":\"one\"}")},
        {SLICE("b"), SLICE("{\"id\":2}")},
    };
    const struct sites_table *t;
    char path[128];

    snprintf(path, sizeof path, "%s/sites", f->redis.folder);
    start_with_copy(f, path);
    put(f, pairs, 2);
    await(f, 2);
    redis_fixture_kill(&f->redis);
    start_with_copy(f, path);
    t = sites_acquire(f->sites);
    assert_true(sites_are_known(t));
    assert_int_equal(sites_count(t), 2);
    assert_true(slice_is(sites_find_key(t, SLICE("a"))->name, "one"));
    sites_release(t);
    redis_fixture_restart(&f->redis);
    stream_destroy(&f->stream);
    f->stream = stream_create(&f->address);
    put(f, pairs, 1); /* Redis tells otherwise */
    await(f, 1);
}

static void
test_a_damaged_copy_is_none(void **state)
{
    struct fixture *f = *state;
    static const struct stream_pair one[] = {{SLICE("a"), SLICE("{\"id\":1}")}};
    const struct sites_table *t;
    struct buffer bytes;
    char path[128];

    snprintf(path, sizeof path, "%s/sites", f->redis.folder);
    start_with_copy(f, path);
    put(f, one, 1);
    await(f, 1);
    redis_fixture_kill(&f->redis);
    sites_stop(&f->sites);
    assert_int_equal(file_read(path, 10000, &bytes, NULL), ERR_OK);
    for (size_t at = 0; at <= bytes.n; at++) { /* a flipped bit, then a file that ends there */
        for (int is_cut = 0; is_cut < 2 && at < bytes.n; is_cut++) {
            bytes.p[at] ^= (char)!is_cut;
            assert_int_equal(
                file_replace(path, slice_of(bytes.p, is_cut ? at : bytes.n), 0600, NULL), ERR_OK);
            bytes.p[at] ^= (char)!is_cut;
            start_with_copy(f, path);
            t = sites_acquire(f->sites);
            assert_false(sites_are_known(t));
            sites_release(t);
        }
    }
    buffer_fini(&bytes);
}

int
main(void)
{
#define WITH_REDIS(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_REDIS(test_nothing_is_known_until_settings_come),
        WITH_REDIS(test_sites_are_found_by_their_keys),
        WITH_REDIS(test_unreadable_settings_leave_only_their_site_out),
        WITH_REDIS(test_a_table_in_use_outlives_its_successor),
        WITH_REDIS(test_redis_going_away_or_wiped_changes_nothing),
        WITH_REDIS(test_the_last_site_that_is_removed_is_gone),
        WITH_REDIS(test_the_last_settings_are_there_after_a_start_without_redis),
        WITH_REDIS(test_a_damaged_copy_is_none),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("sites", tests, NULL, NULL);
}
