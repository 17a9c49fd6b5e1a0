/* Queries: visitors who have runs in several merged months are counted where they lie as they are
 * the general way. */
#include "aggregator/merge.h"
#include "tests/unit/aggregator/fixture.h"
#include "tests/unit/aggregator/segment/support.h"

#define JULY_2026_MS   (JUNE_2026_MS + 30 * DAY_MS)
#define AUGUST_2026_MS (JULY_2026_MS + 31 * DAY_MS)

#define FUNNEL_OF_2                                                                                \
    "{\"window\":\"60d\",\"preset\":\"sequential\",\"stages\":["                                   \
    "{\"name\":\"A\",\"rule\":{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"a\"]}},"        \
    "{\"name\":\"B\",\"rule\":{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"b\"]}}]}"

static void
add(struct fixture *f, const char *visitor, const char *name, int64_t time_ms, const char *id)
{
    static unsigned char content_id[EVENT_CONTENT_ID_BYTES];
    struct event e = event_of(1, visitor, id ? id : "", name, time_ms);

    if (name[0] == '!')
        e.flags |= EVENT_BOT;
    if (!id) {
        event_content_id(&e, content_id);
        e.id = slice_of((const char *)content_id, sizeof content_id);
    }
    fixture_add(f, &e);
}

/* Months of one file stay as they are: each gets a second one. */
static void
merge_months(struct fixture *f)
{
    static const int64_t months[] = {JUNE_2026_MS, JULY_2026_MS, AUGUST_2026_MS};

    struct merge_options options = {
        .store = &f->store, .settings = f->settings, .everything = true};
    struct err err = ERR_NONE;

    fixture_commit(f);
    segment_builder_reset(f->builder);
    for (size_t i = 0; i < sizeof months / sizeof *months; i++)
        add(f, "who matches nothing", "x", months[i], NULL);
    fixture_commit(f);
    segment_builder_reset(f->builder);
    for (size_t n = 1; n != 0;)
        assert_ok(merge_step(f->catalog, &options, &n, &err));
}

/* How it is asked beside the range; zeros: as the funnel says, without rows. */
struct asked {
    bool is_open;
    const char *rows_by; /* at the entry */
};

enum way { WHERE_THEY_LIE, GENERAL, COUNTS_WHERE_THEY_LIE, COUNTS_GENERAL };

static struct slice
ask(struct fixture *f, struct path_range range, struct asked asked, enum way way)
{
    struct query_funnel q = {
        .site = 1, .n_presets = 1, .is_general = way == GENERAL || way == COUNTS_GENERAL};
    struct funnel *funnel = NULL;
    struct query_answer answer;
    struct request request;
    struct buffer json = BUFFER_EMPTY;
    struct slice out;
    struct err err = ERR_NONE;

    assert_ok(funnel_parse(slice_from(FUNNEL_OF_2), &funnel, &err));
    request_init(&request);
    assert_ok(request_finish(&request, SLICE("UTC"), INT64_C(4102444800000), &err));
    request.range = range;
    request.is_counts_only = way >= COUNTS_WHERE_THEY_LIE;
    if (asked.rows_by) {
        request.n_breakdowns = 1;
        request.breakdowns[0] = (struct request_breakdown){.at = AT_ENTRY};
        assert_true(attribute_find(slice_from(asked.rows_by), &request.breakdowns[0].attribute));
    }
    q.funnel = funnel;
    q.request = &request;
    q.presets[0] = asked.is_open ? PRESET_OPEN : funnel->preset;
    assert_ok(query_funnel(f->pool, &q, &answer, &err));
    answer.reports[0].about.elapsed_us = 0;
    report_add_json(&json, &answer.reports[0]);
    out = arena_copy(&f->arena, buffer_slice(&json));
    query_answer_fini(&answer);
    request_fini(&request);
    funnel_destroy(&funnel);
    buffer_fini(&json);
    return out;
}

static struct slice
same_as_general(struct fixture *f, struct path_range range, struct asked asked, enum way way)
{
    struct slice plain = ask(f, range, asked, way);
    struct slice general = ask(f, range, asked, way + 1);

    if (!slice_equal(plain, general))
        fail_msg("where they lie:\n%.*s\nthe general way:\n%.*s", SLICE_ARG(plain),
                 SLICE_ARG(general));
    return plain;
}

/* The same both ways, with times and values and without; returns what the first say. */
static struct slice
report_as(struct fixture *f, struct path_range range, struct asked asked)
{
    same_as_general(f, range, asked, COUNTS_WHERE_THEY_LIE);
    return same_as_general(f, range, asked, WHERE_THEY_LIE);
}

static struct slice
report(struct fixture *f, struct path_range range)
{
    return report_as(f, range, (struct asked){.is_open = false});
}

/* One stage in June, the other one in July. */
static void
test_stages_of_two_months(void **state)
{
    struct fixture *f = *state;

    add(f, "1", "a", JUNE_2026_MS, NULL);
    add(f, "1", "b", JULY_2026_MS, NULL);
    add(f, "2", "b", JUNE_2026_MS, NULL); /* before: not in order */
    add(f, "2", "a", JULY_2026_MS, NULL);
    add(f, "3", "a", JUNE_2026_MS, NULL);
    add(f, "3", "a", JULY_2026_MS, NULL);
    add(f, "4", "x", JUNE_2026_MS, NULL);
    add(f, "4", "x", JULY_2026_MS, NULL);
    merge_months(f);
    assert_contains(report(f, PATH_RANGE_ALL), "\"entered\":3,\"converted\":1,");
}

/* An event that was sent again, a month later, counts when it was first. */
static void
test_a_repeat_in_another_month(void **state)
{
    struct fixture *f = *state;

    add(f, "1", "b", JUNE_2026_MS, "same");
    add(f, "1", "a", JULY_2026_MS - 1, "first");
    add(f, "2", "b", JUNE_2026_MS, "an id");
    add(f, "2", "a", JULY_2026_MS - 1, NULL);
    fixture_commit(f);
    segment_builder_reset(f->builder);
    add(f, "1", "b", JULY_2026_MS, "same");
    add(f, "2", "b", JULY_2026_MS, "another");
    merge_months(f);
    assert_contains(report(f, PATH_RANGE_ALL), "\"entered\":2,\"converted\":1,");
}

/* Visitors who come after the range do not count; bots of a window behind it are left out. */
static void
test_who_comes_after_the_range(void **state)
{
    const struct path_range june = {JUNE_2026_MS, JULY_2026_MS};
    struct fixture *f = *state;
    struct slice text;

    add(f, "1", "a", JUNE_2026_MS, NULL);
    add(f, "1", "b", JULY_2026_MS, NULL);
    add(f, "2", "a", JULY_2026_MS, NULL);
    add(f, "3", "!", JULY_2026_MS, NULL);
    add(f, "4", "!", JULY_2026_MS, NULL); /* in two months, none of them the range's */
    add(f, "4", "!", AUGUST_2026_MS, NULL);
    merge_months(f);
    text = report(f, june);
    assert_contains(text, "\"entered\":1,\"converted\":1,");
    assert_contains(text, "\"after_range\":1,");
    assert_contains(text, "\"left_out\":{\"bots\":3}");
}

/* An event that may have brought its visitor, or carry what looks like it. */
static void
add_brought(struct fixture *f, struct random *r, const char *visitor, int64_t time_ms)
{
    static const char *const names[] = {"a", "a", "b", "x"};
    static const char *const channels[] = {"", "email", "social"};
    static const char *const campaigns[] = {"", "june"};
    static const char *const paths[] = {"/", "/p"};
    char id[40];
    struct event e;

    snprintf(id, sizeof id, "%s-%u", visitor, random_below(r, 1u << 30));
    e = event_of(1, visitor, id, names[random_below(r, 4)], time_ms);
    e.flags |= random_below(r, 2) ? EVENT_DRIVER : 0;
    e.text[TEXT_CHANNEL] = slice_from(channels[random_below(r, 3)]);
    e.text[TEXT_CAMPAIGN] = slice_from(campaigns[random_below(r, 2)]);
    e.text[TEXT_PATH] = slice_from(paths[random_below(r, 2)]);
    fixture_add(f, &e);
}

/* What brought a visitor is known where he lies only of who enters by his first event, if no other
 * has its moment. */
static void
test_rows_by_what_brought_them(void **state)
{
    static const int64_t steps[] = {0, 1000, 31 * 60 * 1000, 25 * 60 * 60 * 1000};
    static const char *const attributes[] = {"channel", "campaign", "landing"};
    struct fixture *f = *state;
    struct random r = {11};
    char visitor[16];

    for (int v = 0; v < 2000; v++) {
        int64_t time_ms = JUNE_2026_MS + random_below(&r, 20) * DAY_MS;

        snprintf(visitor, sizeof visitor, "v%d", v);
        for (uint32_t n = random_below(&r, 4) + 1; n > 0; n--) {
            add_brought(f, &r, visitor, time_ms);
            time_ms += steps[random_below(&r, 4)];
        }
    }
    merge_months(f);
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        for (int is_open = 0; is_open < 2; is_open++)
            report_as(f, PATH_RANGE_ALL, (struct asked){is_open != 0, attributes[i]});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows_by_what_brought_them, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_stages_of_two_months, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_repeat_in_another_month, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_who_comes_after_the_range, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
