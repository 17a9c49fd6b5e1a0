/* Retention: what is older than a site keeps counts nowhere, whatever files it lies in. */
#include "aggregator/merge.h"
#include "aggregator/retention.h"
#include "aggregator/site.h"
#include "core/clock.h"
#include "core/hash.h"
#include "tests/unit/aggregator/fixture.h"

#define DAY INT64_C(86400000)

/* ---- Words and limits ---- */

static void
test_words(void **state)
{
    static const struct {
        const char *given;
        const char *kept; /* NULL: an error */
    } rows[] = {
        {"13mo", "13mo"}, {"400d", "400d"},     {"never", "never"}, {"007d", "7d"},
        {"1d", "1d"},     {"1200mo", "1200mo"}, {"0d", NULL},       {"-1d", NULL},
        {"13", NULL},     {"mo", NULL},         {"1201mo", NULL},   {"36501d", NULL},
        {"1y", NULL},     {"13 mo", NULL},      {"", NULL},         {"99999999999999999999d", NULL},
        {"1.5d", NULL},   {"Never", NULL},
    };
    char text[RETENTION_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = ERR_NONE;
        struct retention r;
        enum err_code rc = retention_parse(slice_from(rows[i].given), &r, &err);

        if (rows[i].kept) {
            assert_ok(rc);
            assert_string_equal(retention_format(&r, text), rows[i].kept);
        } else {
            assert_rc(rc, ERR_INVALID);
            assert_string_equal(err.field, "retention");
        }
    }
}

static void
test_limits_are_local_days(void **state)
{
    static const struct {
        const char *retention, *zone, *now, *limit;
    } rows[] = {
        {"400d", "UTC", "2026-06-15T12:00:00Z", "2025-05-12T00:00:00Z"},
        {"400d", "UTC", "2026-06-15T00:00:00Z", "2025-05-12T00:00:00Z"},
        {"400d", "UTC", "2026-06-14T23:59:59Z", "2025-05-11T00:00:00Z"},
        {"1d", "UTC", "2026-06-15T12:00:00Z", "2026-06-15T00:00:00Z"},
        {"13mo", "UTC", "2026-06-15T12:00:00Z", "2025-05-16T00:00:00Z"},
        {"1mo", "UTC", "2026-03-31T12:00:00Z", "2026-03-02T00:00:00Z"}, /* no 31 February */
        {"12mo", "UTC", "2024-02-29T12:00:00Z", "2023-03-02T00:00:00Z"},
        {"6mo", "UTC", "2026-03-15T12:00:00Z", "2025-09-16T00:00:00Z"},
        /* the site's day: in Jakarta it is tomorrow already, and its summer time may be another */
        {"400d", "Asia/Jakarta", "2026-06-15T20:00:00Z", "2025-05-12T17:00:00Z"},
        {"6mo", "Europe/Berlin", "2026-06-15T12:00:00Z", "2025-12-15T23:00:00Z"},
        {"6mo", "Europe/Berlin", "2026-12-15T12:00:00Z", "2026-06-15T22:00:00Z"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[TIMESTAMP_TEXT_MAX];
        struct zone *zone = NULL;
        struct err err = ERR_NONE;
        struct retention r;
        int64_t now_ms = 0;

        assert_ok(retention_parse(slice_from(rows[i].retention), &r, &err));
        assert_ok(zone_open(slice_from(rows[i].zone), &zone, &err));
        assert_ok(timestamp_parse(slice_from(rows[i].now), &now_ms, &err));
        timestamp_format(retention_limit_ms(&r, zone, now_ms), true, text);
        assert_string_equal(text, rows[i].limit);
        zone_close(&zone);
    }
}

static void
test_nothing_is_ever_older_than_was_said(void **state)
{
    struct retention r = {.n_days = 30};
    struct zone *zone = NULL;
    struct err err = ERR_NONE;

    (void)state;
    assert_ok(zone_open(SLICE("America/New_York"), &zone, &err)); /* its days have 23 to 25 hours */
    for (int64_t now = JUNE_2026_MS; now < JUNE_2026_MS + 400 * DAY; now += 7 * 3600000) {
        int64_t limit_ms = retention_limit_ms(&r, zone, now);

        assert_true(limit_ms > now - 30 * DAY - 3600000);
        assert_true(limit_ms <= now - 29 * DAY + 3600000);
    }
    zone_close(&zone);
}

/* ---- Answers ---- */

/* A site with the retention; now is 2026-06-01 unless told. */
static void
add_site(struct fixture *f, const char *retention)
{
    struct site_wish wish = {
        .name = SLICE("shop"), .domain = SLICE("shop.example"), .retention = slice_from(retention)};
    char secret[SITE_KEY_MAX];
    struct err err = ERR_NONE;
    struct site site;

    assert_ok(site_add(f->settings, &wish, &f->arena, &site, secret, &err));
    assert_int_equal(site.id, 1);
}

static void
set_retention(struct fixture *f, const char *retention)
{
    struct site_wish wish;
    struct err err = ERR_NONE;
    struct site site;

    assert_ok(site_find(f->settings, SLICE("shop"), &f->arena, &site, &err));
    wish = site_wish_of(&site);
    wish.retention = slice_from(retention);
    assert_ok(site_update(f->settings, SLICE("shop"), &wish, &err));
}

static int
teardown(void **state)
{
    clock_set_wall_ms(-1);
    return fixture_teardown(state);
}

/* Each of 30 visitors does a, b and c on three days: now and 10 and 20 days before. And again in
 * another file, so that there is something to join. */
static void
add_events(struct fixture *f)
{
    static const char *const names[] = {"c", "b", "a"};

    clock_set_wall_ms(JUNE_2026_MS);
    for (size_t i = 0; i < 90; i++) {
        char *visitor = arena_cstr(&f->arena, arena_printf(&f->arena, "v%zu", i % 30));
        char *id = arena_cstr(&f->arena, arena_printf(&f->arena, "%zu", i));
        struct event e =
            event_of(1, visitor, id, names[i / 30], JUNE_2026_MS - (int64_t)(i / 30) * 10 * DAY);

        e.text[TEXT_PATH] = slice_from(names[i / 30]);
        e.flags = EVENT_DRIVER;
        fixture_add(f, &e);
        if (i % 3 == 1) /* some visitors have more than one file */
            fixture_commit(f);
    }
    fixture_commit(f);
}

static void
expect_entered(struct fixture *f, const char *entered)
{
    assert_contains(fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE), entered);
}

struct counted {
    size_t n;
    int64_t first_ms;
};

static enum err_code
count_event(const struct event *e, void *context, struct err *err)
{
    struct counted *c = context;

    (void)err;
    c->first_ms = c->n == 0 || e->time_ms < c->first_ms ? e->time_ms : c->first_ms;
    c->n++;
    return ERR_OK;
}

/* Kept over all tests: whatever stays or goes, a count that was kept answers only what it is of. */
static struct result_cache *kept;

static uint64_t
attribute_count(struct fixture *f, const char *name)
{
    struct query_attribute *list = NULL;
    struct err err = ERR_NONE;
    size_t n = 0;

    assert_ok(query_attributes(f->pool, 1, kept, &f->arena, &list, &n, &err));
    for (size_t i = 0; i < n; i++)
        if (slice_is(list[i].attribute.name, name))
            return list[i].n_events;
    return UINT64_MAX;
}

static uint64_t
value_count(struct fixture *f, const char *attribute, const char *value)
{
    struct query_value *values = NULL;
    struct err err = ERR_NONE;
    size_t n = 0;

    assert_ok(query_values(f->pool, 1, slice_from(attribute), slice_from(value), 10, &f->arena,
                           &values, &n, &err));
    return n > 0 ? values[0].n_events : 0;
}

/* Of 90 events the 30 of the first day and those of further ones. */
static void
expect_everywhere(struct fixture *f, size_t n_days)
{
    struct counted exported = {0, 0};
    struct query_summary summary;
    struct query_person person;
    struct err err = ERR_NONE;

    assert_ok(query_export(f->pool, 1, PATH_RANGE_ALL, count_event, &exported, &err));
    assert_int_equal(exported.n, 30 * n_days);
    assert_true(exported.first_ms == JUNE_2026_MS - (int64_t)(n_days - 1) * 10 * DAY);
    assert_ok(query_person(f->pool, 1, SLICE("v1"), 100, &f->arena, &person, &err));
    assert_int_equal(person.n_events, n_days);
    assert_int_equal(attribute_count(f, "event"), 30 * n_days);
    assert_int_equal(attribute_count(f, "bot"), 30 * n_days);
    assert_int_equal(attribute_count(f, "landing"), 30 * n_days);
    assert_int_equal(value_count(f, "event", "a"), n_days == 3 ? 30 : 0);
    assert_int_equal(value_count(f, "event", "c"), 30);
    assert_int_equal(value_count(f, "bot", "false"), 30 * n_days);
    assert_int_equal(value_count(f, "landing", "b"), n_days >= 2 ? 30 : 0);
    assert_ok(query_site_summary(f->pool, 1, &summary, &err));
    assert_true(summary.first_ms >= JUNE_2026_MS - (int64_t)n_days * 10 * DAY);
    expect_entered(f, n_days == 3   ? "\"moves\":[[0,1,30]"
                      : n_days == 2 ? "\"moves\":[[0,2,30]"
                                    : "\"moves\":[[0,3,30]");
}

static void
merge_all(struct fixture *f, bool only_erases)
{
    struct merge_options options = {.store = &f->store,
                                    .settings = f->settings,
                                    .everything = true,
                                    .only_erases = only_erases};
    struct err err = ERR_NONE;
    size_t n = 1;

    while (n > 0)
        assert_ok(merge_step(f->catalog, &options, &n, &err));
}

static void
test_every_answer_leaves_out_what_is_older(void **state)
{
    struct fixture *f = *state;

    add_site(f, "never");
    add_events(f);
    expect_everywhere(f, 3);
    set_retention(f, "15d");
    expect_everywhere(f, 2);
    set_retention(f, "5d"); /* at once: no file was touched */
    expect_everywhere(f, 1);
    set_retention(f, "never");
    expect_everywhere(f, 3);
    set_retention(f, "15d");
    merge_all(f, false);
    expect_everywhere(f, 2);
    set_retention(f, "never"); /* too late: what is gone is gone */
    expect_everywhere(f, 2);
}

static void
test_the_limit_moves_with_the_day(void **state)
{
    struct fixture *f = *state;

    add_site(f, "15d");
    add_events(f);
    expect_everywhere(f, 2);
    clock_set_wall_ms(JUNE_2026_MS + 5 * DAY - 1);
    expect_everywhere(f, 2);
    clock_set_wall_ms(JUNE_2026_MS + 5 * DAY);
    expect_everywhere(f, 1);
}

/* Events of one day, in a file of its own after merging. */
static void
add_day(struct fixture *f, int64_t time_ms, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *visitor = arena_cstr(&f->arena, arena_printf(&f->arena, "v%zu", i));
        struct event e = event_of(1, visitor, "", "a", time_ms);

        e.id = arena_printf(&f->arena, "%lld", (long long)time_ms);
        fixture_add(f, &e);
    }
    fixture_commit(f);
}

static size_t
count_live(struct fixture *f, uint64_t *n_rows)
{
    struct catalog_list list;
    struct err err = ERR_NONE;

    assert_ok(catalog_read(f->catalog, &f->arena, &list, &err));
    *n_rows = 0;
    for (size_t i = 0; i < list.n; i++)
        *n_rows += list.segments[i].n_rows;
    return list.n;
}

static void
test_files_of_nothing_but_old_events_go(void **state)
{
    struct fixture *f = *state;
    struct err err = ERR_NONE;
    uint64_t n_rows = 0;
    int n_unlinked = 0;

    add_site(f, "never");
    clock_set_wall_ms(JUNE_2026_MS);
    add_day(f, JUNE_2026_MS, 10);
    add_day(f, JUNE_2026_MS - 5 * DAY, 20); /* of May: partly too old, but not for long */
    add_day(f, JUNE_2026_MS - 14 * DAY, 40);
    add_day(f, JUNE_2026_MS - 60 * DAY, 80); /* of April */
    merge_all(f, false);
    assert_int_equal(count_live(f, &n_rows), 3);
    set_retention(f, "12d");
    merge_all(f, false);
    assert_int_equal(count_live(f, &n_rows), 2);
    assert_int_equal(n_rows, 70);
    clock_set_wall_ms(JUNE_2026_MS + 2 * CATALOG_REPLACED_MS);
    assert_ok(catalog_clean(f->catalog, &f->store, &n_unlinked, &err));
    assert_int_equal(n_unlinked, 3); /* the two that became May, and April */
    assert_int_equal(folder_count(f->store.segments), 2);
    merge_all(f, true); /* two days too old: may stay */
    assert_int_equal(count_live(f, &n_rows), 2);
    assert_int_equal(n_rows, 70);
    clock_set_wall_ms(JUNE_2026_MS + 6 * DAY); /* eight */
    merge_all(f, true);
    assert_int_equal(count_live(f, &n_rows), 2);
    assert_int_equal(n_rows, 30);
    expect_entered(f, "\"entered\":20,");
}

static void
test_what_would_go_is_told_before(void **state)
{
    struct fixture *f = *state;
    struct query_older older;
    struct err err = ERR_NONE;

    add_site(f, "never");
    clock_set_wall_ms(JUNE_2026_MS);
    add_day(f, JUNE_2026_MS - 5 * DAY, 20);
    add_day(f, JUNE_2026_MS - 14 * DAY, 40);
    add_day(f, JUNE_2026_MS - 60 * DAY, 80);
    merge_all(f, false);
    assert_ok(query_older(f->pool, 1, JUNE_2026_MS - 10 * DAY, &older, &err));
    assert_int_equal(older.n_events, 120);
    assert_int_equal(older.n_files, 1);
    assert_true(older.n_bytes > 0);
    set_retention(f, "50d"); /* the oldest have gone already */
    assert_ok(query_older(f->pool, 1, JUNE_2026_MS - 10 * DAY, &older, &err));
    assert_int_equal(older.n_events, 40);
    assert_int_equal(older.n_files, 0);
}

/* ---- Reports ---- */

#define IS(attribute, value)                                                                       \
    "{\"attribute\":\"" attribute "\",\"op\":\"is\",\"values\":[\"" value "\"]}"

/* Straight from the events, with what came before them, and by sessions. */
static const char *const definitions[] = {
    FUNNEL_OF_3,
    "{\"window\":\"20d\",\"preset\":\"sequential\",\"stages\":["
    "{\"name\":\"1\",\"rule\":" IS(
        "campaign", "spring") "},"
                              "{\"name\":\"2\",\"rule\":" IS(
                                  "entrance", "true") "},"
                                                      "{\"name\":\"3\",\"rule\":" IS("event",
                                                                                     "c") "}]}",
    "{\"window\":\"1d\",\"count\":\"sessions\",\"stages\":["
    "{\"name\":\"1\",\"rule\":{\"attribute\":\"landing\",\"op\":\"set\"}},"
    "{\"name\":\"2\",\"rule\":" IS("event", "b") "}]}",
};

/* Event i of the many: over 30 days, now and then several within minutes. Written into a site that
 * keeps 15 days and, where it is younger, into another that keeps everything. */
static void
add_to_both(struct fixture *f, size_t i, int64_t limit_ms)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    uint64_t dice = hash64(slice_of((const char *)&i, sizeof i), 7);
    char *visitor = arena_cstr(&f->arena, arena_printf(&f->arena, "v%d", (int)(dice % 23)));
    char *id = arena_cstr(&f->arena, arena_printf(&f->arena, "%zu", i));
    int64_t back_ms = (int64_t)(dice / 23 % 300) * 8640000 + (int64_t)(dice / 7000 % 40) * 60000;
    struct event e = event_of(1, visitor, id, names[dice / 3 % 4], JUNE_2026_MS - back_ms);

    e.text[TEXT_PATH] = slice_from(names[dice / 5 % 4]);
    if (dice / 11 % 3 == 0) {
        e.flags = EVENT_DRIVER;
        e.text[TEXT_CAMPAIGN] = dice / 13 % 2 ? SLICE("spring") : SLICE("autumn");
    }
    fixture_add(f, &e);
    e.site = 2;
    if (e.time_ms >= limit_ms)
        fixture_add(f, &e);
}

static void
expect_the_same(struct fixture *f)
{
    struct path_range range = {JUNE_2026_MS - 14 * DAY, JUNE_2026_MS - DAY};

    for (size_t i = 0; i < sizeof definitions / sizeof *definitions; i++) {
        struct slice cut = fixture_report_of_range(f, 1, definitions[i], BOTS_EXCLUDE, range);
        struct slice whole = fixture_report_of_range(f, 2, definitions[i], BOTS_EXCLUDE, range);

        assert_false(slice_contains(cut, SLICE("\"entered\":0,"))); /* there is something to cut */
        if (!slice_equal(cut, whole))
            fail_msg("report %zu differs:\n%.*s\n%.*s", i, SLICE_ARG(cut), SLICE_ARG(whole));
    }
}

static void
test_as_if_older_events_had_never_been(void **state)
{
    struct fixture *f = *state;

    add_site(f, "15d");
    clock_set_wall_ms(JUNE_2026_MS);
    for (size_t i = 0; i < 1500; i++) {
        add_to_both(f, i, JUNE_2026_MS - 14 * DAY);
        if (i % 400 == 399)
            fixture_commit(f);
    }
    fixture_commit(f);
    expect_the_same(f);
    merge_all(f, false);
    expect_the_same(f);
}

static void
test_a_report_says_where_its_range_is_cut(void **state)
{
    struct fixture *f = *state;
    struct path_range range = {JUNE_2026_MS - 20 * DAY, JUNE_2026_MS + DAY};
    struct slice report;

    add_site(f, "15d");
    add_events(f);
    report = fixture_report_of_range(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE, range);
    assert_contains(report, "\"code\":\"retention\"");
    assert_contains(report, "events before 2026-05-18T00:00:00+00:00 are not kept");
    assert_contains(report, "retention is 15d");
    range.from_ms = JUNE_2026_MS - 14 * DAY;
    report = fixture_report_of_range(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE, range);
    assert_false(slice_contains(report, SLICE("retention")));
    set_retention(f, "never");
    expect_entered(f, "\"warnings\":[]");
}

static void
test_a_kept_snapshot_gives_nothing_older_either(void **state)
{
    struct fixture *f = *state;
    const struct snapshot *snapshot = NULL;
    char name[SNAPSHOT_NAME_MAX];
    struct err err = ERR_NONE;

    add_site(f, "never");
    add_events(f);
    assert_ok(snapshot_take(f->pool, SNAPSHOT_WHOLE(1), &snapshot, &err));
    memcpy(name, snapshot->name, sizeof name);
    snapshot_keep(f->pool, snapshot);
    snapshot_release(f->pool, &snapshot);
    assert_ok(snapshot_take_kept(f->pool, slice_from(name), SNAPSHOT_WHOLE(1), &snapshot, &err));
    snapshot_release(f->pool, &snapshot);
    set_retention(f, "15d");
    assert_rc(snapshot_take_kept(f->pool, slice_from(name), SNAPSHOT_WHOLE(1), &snapshot, &err),
              ERR_NOT_FOUND);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_limits_are_local_days),
        cmocka_unit_test(test_nothing_is_ever_older_than_was_said),
        CASE(test_every_answer_leaves_out_what_is_older),
        CASE(test_the_limit_moves_with_the_day),
        CASE(test_files_of_nothing_but_old_events_go),
        CASE(test_what_would_go_is_told_before),
        CASE(test_as_if_older_events_had_never_been),
        CASE(test_a_report_says_where_its_range_is_cut),
        CASE(test_a_kept_snapshot_gives_nothing_older_either),
    };

    int failed;

    kept = result_cache_create(64, 1 << 16);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    result_cache_destroy(&kept);
    return failed;
}
