/* Why they left, over HTTP: a planted cause is found and says how many; without one nothing is
 * named. */
#include "tests/unit/web/shop.h"

#include "aggregator/query_dropoff.h"

#define DROPOFF "/api/v1/sites/shop/dropoff"
#define PEOPLE  400

static void
add(struct segment_builder *b, int person, int64_t at_ms, const char *name, const char *path)
{
    struct event e = {.site = 1, .time_ms = JUNE_1 + at_ms, .origin = ORIGIN_IMPORT};
    char visitor[16];

    snprintf(visitor, sizeof visitor, "p%d", person);
    e.visitor = slice_from(visitor);
    e.text[TEXT_EVENT] = slice_from(name);
    e.text[TEXT_PATH] = slice_from(path);
    e.text[TEXT_DEVICE] = person % 2 ? SLICE("mobile") : SLICE("desktop");
    e.text[TEXT_COUNTRY] = person % 3 ? SLICE("ID") : SLICE("MY");
    add_event(b, &e);
}

/* Everybody looks and begins; is it somebody who goes on? */
typedef bool (*goes_on)(int person);

static bool
but_phones(int person)
{
    return person % 2 == 0 ? person % 10 != 0 : person % 5 == 0;
}

/* By nothing that is known of them. */
static bool
by_chance(int person)
{
    return (person * 7919 >> 3) % 2 == 0;
}

static void
write_people(struct fixture *f, goes_on goes)
{
    struct segment_builder *b = begin_builder(f);

    for (int p = 0; p < PEOPLE; p++) {
        int64_t at = (int64_t)p * 1000;

        add(b, p, at, "pageview", "/");
        add(b, p, at + 60000, "begin", "/pay");
        if (goes(p)) { /* the page is there a moment before the sale is told */
            add(b, p, at + 119990, "pageview", "/thanks");
            add(b, p, at + 120000, "buy", "/thanks");
            continue;
        }
        add(b, p, at + 65000, "engage", "/pay");
        if (p % 2) {
            add(b, p, at + 70000, "error", "/pay");
            add(b, p, at + 80000, "pageview", "/help");
            add(b, p, at + 90000, "pageview", "/"); /* back */
        }
    }
    commit_builder(f, b);
}

#define STAGES_OF(extra)                                                                           \
    "\"funnel\":{\"window\":\"1d\",\"stages\":[{\"name\":\"Began\",\"rule\":" RULE(                \
        "begin") "},{\"name\":\"Bought\",\"rule\":{\"all\":[" RULE("buy") extra "]}}]}"
#define QUESTION(extra)                                                                            \
    "{" STAGES_OF(extra) ",\"stage\":1,\"from\":\"2026-06-01\",\"to\":\"2026-06-04\","             \
                         "\"as_of\":\"2026-07-01T00:00:00Z\"}"

/* The row of a value; NULL where it is not named. */
static json_t *
row_of(json_t *reply, const char *attribute, const char *value)
{
    json_t *row;
    size_t i;

    json_array_foreach(at(reply, "rows"), i, row)
    {
        if (strcmp(json_string_value(at(row, "attribute")), attribute) == 0 &&
            strcmp(json_string_value(at(row, "value")), value) == 0)
            return row;
    }
    return NULL;
}

static void
test_planted_causes_are_found(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json"), *reply, *row, *list;

    write_people(f, but_phones);
    reply = post(f, DROPOFF, QUESTION(""));
    expect_schema(document, "Dropoff", reply);
    expect_schema(document, "DropoffRow", at(reply, "rows.0"));
    assert_int_equal(integer_at(reply, "leavers"), 160 + 40);
    assert_int_equal(integer_at(reply, "stayers"), 160 + 40);
    assert_int_equal(integer_at(reply, "open"), 0);
    row = row_of(reply, "device", "mobile");
    assert_non_null(row);
    assert_int_equal(integer_at(row, "leavers"), 160);
    assert_int_equal(integer_at(row, "stayers"), 40);
    assert_true(json_real_value(at(row, "share_leavers")) == 0.8);
    assert_true(json_real_value(at(row, "log_odds")) > 2.7);
    assert_true(json_real_value(at(row, "q")) < 1e-6);
    row = row_of(reply, "device", "desktop");
    assert_true(row && json_real_value(at(row, "log_odds")) < -2.7);
    assert_non_null(row_of(reply, "sign", "error"));
    assert_non_null(row_of(reply, "sign", "went_back"));
    row = row_of(reply, "path", "/help");
    assert_non_null(row);
    expect_text(row, "at", "session");
    assert_int_equal(integer_at(row, "leavers"), 160);
    assert_int_equal(integer_at(row, "stayers"), 0);
    assert_null(row_of(reply, "country", "ID"));
    assert_null(row_of(reply, "event", "begin")); /* the stage itself */
    assert_null(row_of(reply, "event", "buy"));
    assert_null(row_of(reply, "event", "engage")); /* told by who leaves */
    assert_null(row_of(reply, "path", "/thanks")); /* where they go on */
    /* the figure is a list */
    list = post(f, LIST,
                "{" STAGES_OF("") ",\"figure\":\"lost\",\"stage\":1,\"from\":\"2026-06-01\","
                                  "\"to\":\"2026-06-04\",\"as_of\":\"2026-07-01T00:00:00Z\"}");
    assert_int_equal(integer_at(list, "n"), integer_at(reply, "leavers"));
    json_decref(list);
    json_decref(reply);
    json_decref(document);
}

static void
test_without_a_cause_nothing_is_named(void **state)
{
    struct fixture *f = *state;
    json_t *reply;

    write_people(f, by_chance);
    reply = post(f, DROPOFF,
                 "{" STAGES_OF("") ",\"stage\":1,\"from\":\"2026-06-01\",\"to\":\"2026-06-04\","
                                   "\"as_of\":\"2026-07-01T00:00:00Z\",\"attributes\":["
                                   "{\"attribute\":\"country\"},{\"attribute\":\"device\"}]}");
    assert_int_equal(integer_at(reply, "leavers") + integer_at(reply, "stayers"), PEOPLE);
    assert_true(integer_at(reply, "tested") >= 4);
    assert_null(row_of(reply, "country", "ID"));
    assert_null(row_of(reply, "device", "mobile"));
    json_decref(reply);
}

static void
test_what_defines_the_stage_is_left_out(void **state)
{
    struct fixture *f = *state;
    json_t *reply;

    write_people(f, but_phones);
    reply = post(f, DROPOFF,
                 QUESTION(",{\"attribute\":\"device\",\"op\":\"is\",\"values\":[\"desktop\"]}"));
    expect_text(reply, "left_out_attributes.0", "device");
    assert_null(row_of(reply, "device", "mobile"));
    json_decref(reply);
}

static void
test_who_is_under_way_is_neither(void **state)
{
    struct fixture *f = *state;
    json_t *reply;

    write_people(f, but_phones);
    reply = post(f, DROPOFF,
                 "{" STAGES_OF("") ",\"stage\":1,\"from\":\"2026-06-01\",\"to\":\"2026-06-04\","
                                   "\"as_of\":\"2026-06-01T01:00:00Z\"}");
    assert_int_equal(integer_at(reply, "leavers"), 0);
    assert_int_equal(integer_at(reply, "open"), 200);
    assert_int_equal(json_array_size(at(reply, "rows")), 0);
    json_decref(reply);
}

static void
test_refused(void **state)
{
    struct fixture *f = *state;

    client_send(&f->client, "POST", DROPOFF, "{" STAGES_OF("") "}");
    fixture_expect_error(f, 400, "invalid", "stage");
    client_send(&f->client, "POST", DROPOFF, "{" STAGES_OF("") ",\"stage\":2}");
    fixture_expect_error(f, 400, "invalid", "stage");
}

/* Benjamini and Hochberg's own example (1995, section 4): of 15 tests, at 5%, the first four. */
static void
test_false_discoveries(void **state)
{
    static const double p[] = {0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
                               0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000};
    struct dropoff_row rows[15];
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < 15; i++)
        rows[14 - i] = (struct dropoff_row){.p = p[i]};
    dropoff_correct(rows, 15);
    while (n < 15 && rows[n].q <= DROPOFF_RATE)
        n++;
    assert_int_equal(n, 4);
}

/* 1,000 draws without any difference (fixed seed): one in twenty has a p of at most 5%. */
static void
test_chance_is_as_frequent_as_it_says(void **state)
{
    const int64_t n[2] = {300, 300};
    uint64_t seed = 42;
    int n_small = 0;

    (void)state;
    for (int run = 0; run < 1000; run++) {
        struct dropoff_row row = {.p = 1};

        for (int i = 0; i < 600; i++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            row.n[i % 2] += (seed >> 33) % 10 < 3;
        }
        dropoff_judge(&row, n);
        n_small += row.p <= 0.05;
    }
    assert_in_range(n_small, 30, 70);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup_shop, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_planted_causes_are_found),
        CASE(test_without_a_cause_nothing_is_named),
        CASE(test_what_defines_the_stage_is_left_out),
        CASE(test_who_is_under_way_is_neither),
        CASE(test_refused),
        cmocka_unit_test(test_false_discoveries),
        cmocka_unit_test(test_chance_is_as_frequent_as_it_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
