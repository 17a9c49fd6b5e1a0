/* The day's salt: made ahead, the same for every collector, gone when its day is over. The days
 * pass by a fake clock; Redis is a real one, and its log is read from disk. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <dirent.h>

#include "collector/salt.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/published.h"
#include "core/stream_forget.h"
#include "tests/support/patience.h"
#include "tests/support/redis_fixture.h"

#define NOON     INT64_C(1780315200000) /* 2026-06-01T12:00:00Z */
#define HOUR     INT64_C(3600000)
#define DAY      (24 * HOUR)
#define ROUND_MS 20
#define PIECE    8 /* of a salt is enough: Redis's compression puts bytes in between */

struct fixture {
    struct redis_fixture redis;
    struct stream_address address;
    struct stream *stream;
    struct sites *sites;
    struct salts *salts;
    struct arena arena;
};

typedef unsigned char salt_bytes[SALT_BYTES];

static void
publish_site(struct fixture *f, const char *identity)
{
    struct stream_pair pairs[] = {
        {SLICE(PUBLISHED_MARK), SLICE("1")},
        {SLICE("site_a"), arena_printf(&f->arena, "{\"id\":1,\"identity\":\"%s\"}", identity)},
    };
    struct err err;

    assert_int_equal(stream_hash_replace(f->stream, STREAM_SITES, pairs, 2, &err), ERR_OK);
}

static struct salts *
start(struct fixture *f)
{
    struct salts *s;
    struct err err;

    assert_int_equal(salts_start(&f->address, f->sites, NULL, ROUND_MS, &s, &err), ERR_OK);
    return s;
}

static struct fixture *
set_up_with(const char *identity)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err err;

    clock_set_wall_ms(NOON);
    arena_init(&f->arena, 4096);
    redis_fixture_start(&f->redis, REDIS_DURABLE);
    assert_int_equal(stream_address_parse(slice_from(f->redis.socket), &f->address, &err), ERR_OK);
    f->address.timeout_ms = REDIS_PATIENCE_MS;
    f->stream = stream_create(&f->address);
    publish_site(f, identity);
    assert_int_equal(sites_start(&f->address, ROUND_MS, NULL, &f->sites, &err), ERR_OK);
    return f;
}

static int
set_up(void **state)
{
    *state = set_up_with("cookieless");
    return 0;
}

static int
set_up_first_party(void **state)
{
    *state = set_up_with("first_party");
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    salts_stop(&f->salts);
    sites_stop(&f->sites);
    stream_destroy(&f->stream);
    redis_fixture_stop(&f->redis);
    arena_fini(&f->arena);
    clock_set_wall_ms(-1);
    free(f);
    return 0;
}

/* What Redis holds for a day: NULL without the field. */
static const struct slice *
kept(struct fixture *f, const char *day)
{
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;
    struct stream_pair *pairs;
    int n;

    while (stream_hash_read(f->stream, STREAM_SALTS, &f->arena, &pairs, &n, NULL) != ERR_OK) {
        assert_true(clock_steady_ms() < deadline); /* it was restarted */
        clock_sleep_ms(20);
    }
    for (int i = 0; i < n; i++)
        if (slice_is(pairs[i].key, day))
            return &pairs[i].value;
    return NULL;
}

static void
await_gone(struct fixture *f, const char *day)
{
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;

    while (kept(f, day) && clock_steady_ms() < deadline)
        clock_sleep_ms(10);
    assert_null(kept(f, day));
}

static void
await_salt(struct salts *s, int64_t now_ms, salt_bytes out)
{
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;

    while (!salts_find(s, now_ms, out) && clock_steady_ms() < deadline)
        clock_sleep_ms(5);
    assert_true(salts_find(s, now_ms, out));
}

static void
await_unknown(struct salts *s, int64_t now_ms)
{
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;
    salt_bytes salt;

    while (salts_find(s, now_ms, salt) && clock_steady_ms() < deadline)
        clock_sleep_ms(5);
    assert_false(salts_find(s, now_ms, salt));
}

static void
await_first_party(struct fixture *f)
{
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;
    bool any = true;

    while (any && clock_steady_ms() < deadline) {
        const struct sites_table *t = sites_acquire(f->sites);
        any = sites_any_cookieless(t);
        sites_release(t);
        clock_sleep_ms(5);
    }
    assert_false(any);
}

/* Time enough to do what must not be done. */
static void
pass_rounds(void)
{
    clock_sleep_ms(10 * ROUND_MS);
}

static bool
file_holds(const char *path, const salt_bytes salt)
{
    struct buffer bytes = BUFFER_EMPTY;
    struct err err;
    bool holds = false;

    if (file_read(path, 64 << 20, &bytes, &err) != ERR_OK)
        return false; /* gone since the folder was read */
    for (size_t i = 0; i + PIECE <= SALT_BYTES; i++)
        holds = holds || memmem(bytes.p, bytes.n, salt + i, PIECE) != NULL;
    buffer_fini(&bytes);
    return holds;
}

/* Is the salt anywhere in Redis's log? */
static bool
log_holds(struct fixture *f, const salt_bytes salt)
{
    char folder[FILE_PATH_MAX], path[FILE_PATH_MAX];
    const struct dirent *entry;
    bool holds = false;
    DIR *d;

    file_path(folder, f->redis.folder, "appendonlydir");
    d = opendir(folder);
    assert_non_null(d);
    while ((entry = readdir(d)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        file_path(path, folder, entry->d_name);
        holds = holds || file_holds(path, salt);
    }
    closedir(d);
    return holds;
}

static void
test_made_ahead_and_the_same_for_all(void **state)
{
    struct fixture *f = *state;
    salt_bytes here, there, tomorrow;
    struct salts *other = start(f);

    f->salts = start(f); /* both know at once, without waiting for a round */
    assert_true(salts_find(f->salts, NOON, here));
    assert_true(salts_find(other, NOON, there));
    assert_memory_equal(here, there, SALT_BYTES);
    assert_true(salts_find(f->salts, NOON + DAY, tomorrow));
    assert_true(salts_find(other, NOON + DAY, there));
    assert_memory_equal(tomorrow, there, SALT_BYTES);
    assert_memory_not_equal(here, tomorrow, SALT_BYTES);
    assert_false(salts_find(f->salts, NOON + 2 * DAY, there));
    assert_false(salts_find(f->salts, NOON - DAY, there));
    assert_int_equal(kept(f, "2026-06-01")->n, SALT_BYTES);
    assert_int_equal(kept(f, "2026-06-02")->n, SALT_BYTES);

    clock_set_wall_ms(NOON + DAY);
    await_salt(f->salts, NOON + 2 * DAY, there);
    assert_true(salts_find(f->salts, NOON + DAY, here));
    assert_memory_equal(here, tomorrow, SALT_BYTES);
    salts_stop(&other);
}

static void
test_a_day_is_of_utc(void **state)
{
    struct fixture *f = *state;
    salt_bytes first, last;

    f->salts = start(f);
    assert_true(salts_find(f->salts, NOON - 12 * HOUR, first));
    assert_true(salts_find(f->salts, NOON + 12 * HOUR - 1, last));
    assert_memory_equal(first, last, SALT_BYTES);
    assert_true(salts_find(f->salts, NOON + 12 * HOUR, last));
    assert_memory_not_equal(first, last, SALT_BYTES);
}

/* Two collectors do it at the same time, as they would. */
static void
test_an_hour_after_its_day_it_is_nowhere(void **state)
{
    struct fixture *f = *state;
    struct salts *other = start(f);
    salt_bytes salt, next, none;

    f->salts = start(f);
    assert_true(salts_find(f->salts, NOON, salt));
    assert_true(salts_find(f->salts, NOON + DAY, next));
    clock_set_wall_ms(NOON + 13 * HOUR - 1);
    pass_rounds();
    assert_true(salts_find(f->salts, NOON, none));
    assert_int_equal(kept(f, "2026-06-01")->n, SALT_BYTES);
    assert_true(log_holds(f, salt));

    clock_set_wall_ms(NOON + 13 * HOUR);
    await_gone(f, "2026-06-01");
    assert_false(log_holds(f, salt));
    assert_true(log_holds(f, next)); /* what is still used is still there */
    await_unknown(f->salts, NOON);
    await_unknown(other, NOON);
    redis_fixture_kill(&f->redis);
    redis_fixture_restart(&f->redis);
    assert_null(kept(f, "2026-06-01"));
    salts_stop(&other);
}

/* A collector that was killed after it struck the salt out, or stood still for days. */
static void
test_what_another_left_is_finished(void **state)
{
    static const salt_bytes old = "an old salt of thirty-two bytes";
    struct fixture *f = *state;
    struct slice bytes = slice_of((const char *)old, SALT_BYTES);
    struct err err;

    assert_int_equal(stream_field_add(f->stream, STREAM_SALTS, SLICE("2026-04-01"), bytes, &err),
                     ERR_OK);
    assert_int_equal(
        stream_field_set(f->stream, STREAM_SALTS, SLICE("2026-04-01"), SLICE(""), &err), ERR_OK);
    assert_int_equal(stream_field_add(f->stream, STREAM_SALTS, SLICE("2026-05-30"), bytes, &err),
                     ERR_OK);
    assert_true(log_holds(f, old));
    f->salts = start(f);
    await_gone(f, "2026-04-01");
    await_gone(f, "2026-05-30");
    assert_false(log_holds(f, old));
}

static void
test_redis_away(void **state)
{
    struct fixture *f = *state;
    salt_bytes before, salt;

    f->salts = start(f);
    assert_true(salts_find(f->salts, NOON, before));
    redis_fixture_kill(&f->redis);
    pass_rounds();
    assert_true(salts_find(f->salts, NOON, salt));
    assert_memory_equal(salt, before, SALT_BYTES);
    clock_set_wall_ms(NOON +
                      DAY); /* tomorrow's was made ahead; the day's before goes all the same */
    assert_true(salts_find(f->salts, NOON + DAY, salt));
    await_unknown(f->salts, NOON);
    assert_false(salts_find(f->salts, NOON + 2 * DAY, salt));
    redis_fixture_restart(&f->redis);
    await_salt(f->salts, NOON + 2 * DAY, salt);
    await_gone(f, "2026-06-01");
    assert_false(log_holds(f, before));
}

static void
test_none_is_known_until_redis_is_there(void **state)
{
    struct fixture *f = *state;
    salt_bytes salt;

    redis_fixture_kill(&f->redis);
    f->salts = start(f);
    assert_false(salts_find(f->salts, NOON, salt));
    redis_fixture_restart(&f->redis);
    await_salt(f->salts, NOON, salt);
}

static void
test_a_wiped_redis_gets_them_back(void **state)
{
    struct fixture *f = *state;
    int64_t deadline = clock_steady_ms() + PATIENCE_MS;
    salt_bytes before, after;
    struct salts *other;
    struct err err;

    f->salts = start(f);
    assert_true(salts_find(f->salts, NOON, before));
    assert_int_equal(stream_field_remove(f->stream, STREAM_SALTS, SLICE("2026-06-01"), &err),
                     ERR_OK);
    while (!kept(f, "2026-06-01") && clock_steady_ms() < deadline)
        clock_sleep_ms(5);
    other = start(f);
    assert_true(salts_find(other, NOON, after));
    assert_memory_equal(before, after, SALT_BYTES);
    salts_stop(&other);
}

static void
test_without_a_cookieless_site_there_is_none(void **state)
{
    struct fixture *f = *state;
    salt_bytes salt;

    f->salts = start(f);
    pass_rounds();
    assert_false(salts_find(f->salts, NOON, salt));
    assert_null(kept(f, "2026-06-01"));
    publish_site(f, "cookieless");
    await_salt(f->salts, NOON, salt);
    publish_site(f, "first_party"); /* what was made goes in its time */
    await_first_party(f);
    clock_set_wall_ms(NOON + 3 * DAY);
    await_gone(f, "2026-06-01");
    await_gone(f, "2026-06-02");
    assert_false(log_holds(f, salt));
    assert_null(kept(f, "2026-06-04"));
}

static void
test_what_is_no_salt_is_not_used(void **state)
{
    struct fixture *f = *state;
    salt_bytes salt;
    struct err err;

    assert_int_equal(
        stream_field_add(f->stream, STREAM_SALTS, SLICE("2026-06-01"), SLICE("short"), &err),
        ERR_OK);
    f->salts = start(f);
    assert_false(salts_find(f->salts, NOON, salt));
    assert_true(salts_find(f->salts, NOON + DAY, salt));
}

#define CASE(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_made_ahead_and_the_same_for_all),
        CASE(test_a_day_is_of_utc),
        CASE(test_an_hour_after_its_day_it_is_nowhere),
        CASE(test_what_another_left_is_finished),
        CASE(test_redis_away),
        CASE(test_none_is_known_until_redis_is_there),
        CASE(test_a_wiped_redis_gets_them_back),
        cmocka_unit_test_setup_teardown(test_without_a_cookieless_site_there_is_none,
                                        set_up_first_party, tear_down),
        CASE(test_what_is_no_salt_is_not_used),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
