/* Share links: what they show to whom, for how long; and that cells of few people cannot be worked
 * out. Texts in tables are no formulas. */
#include "tests/unit/web/shop.h"

#include "core/clock.h"
#include "web/api/csv.h"
#include "web/api/share.h"

#define SHARES "/api/v1/sites/shop/shares"
#define QUESTION                                                                                   \
    "{\"funnel\":{" STAGES "},\"from\":\"2026-06-01\",\"to\":\"2026-06-05\","                      \
    "\"breakdown\":[{\"attribute\":\"country\"}]}"

/* So many people of a country, of whom so many buy. */
static void
add_people(struct segment_builder *b, const char *country, int n, int n_buy)
{
    for (int p = 0; p < n; p++) {
        for (int k = 0; k < (p < n_buy ? 2 : 1); k++) {
            struct event e = {
                .site = 1, .time_ms = JUNE_1 + p * 1000 + k * 60000, .origin = ORIGIN_IMPORT};
            char visitor[16];

            snprintf(visitor, sizeof visitor, "%s%d", country, p);
            e.visitor = slice_from(visitor);
            e.text[TEXT_EVENT] = k == 0 ? SLICE("pageview") : SLICE("sale");
            e.text[TEXT_COUNTRY] = slice_from(country);
            add_event(b, &e);
        }
    }
}

static int
setup_countries(void **state)
{
    struct fixture *f;
    struct segment_builder *b;

    fixture_setup_signed_in(state);
    f = *state;
    assert_int_equal(client_send(&f->client, "POST", "/api/v1/sites",
                                 "{\"name\":\"shop\",\"domain\":\"shop.example\"}"),
                     201);
    b = begin_builder(f);
    add_people(b, "ID", 40, 12);
    add_people(b, "MY", 30, 8);
    add_people(b, "=1+1", 20, 3); /* buyers that are too few */
    add_people(b, "TH", 6, 0);
    add_people(b, "SG", 4, 1); /* a row that is too small: it goes with the next */
    commit_builder(f, b);
    return 0;
}

/* A link's token; "more" are members besides. */
static void
make_share(struct fixture *f, const char *more, char token[64])
{
    char body[2048];
    json_t *made;

    snprintf(body, sizeof body, "{\"name\":\"For Ann\",\"question\":" QUESTION "%s}", more);
    if (client_send(&f->client, "POST", SHARES, body) != 201)
        fail_msg("%s", f->client.body);
    made = fixture_json(f);
    snprintf(token, 64, "%s", json_string_value(at(made, "token")));
    json_decref(made);
}

static int
ask_share(struct fixture *f, const char *token, const char *more)
{
    char path[128];

    snprintf(path, sizeof path, "/api/v1/share/%s%s", token, more);
    return client_send(&f->client, "GET", path, NULL);
}

static void
test_a_link_shows_its_report(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json"), *shown, *row;
    char token[64];
    size_t i;

    make_share(f, "", token);
    f->client.cookie[0] = '\0';
    assert_int_equal(ask_share(f, token, ""), 200);
    shown = fixture_json(f);
    expect_schema(document, "Shared", shown);
    expect_schema(document, "SharedReport", at(shown, "report"));
    expect_schema(document, "SharedStage", at(shown, "report.stages.0"));
    expect_text(shown, "name", "For Ann");
    assert_int_equal(integer_at(shown, "report.entered"), 100);
    assert_int_equal(json_array_size(at(shown, "report.breakdown")), 4);
    assert_true(json_is_true(at(shown, "report.breakdown.3.other")));
    assert_int_equal(integer_at(shown, "report.breakdown.3.entered"), 10);
    json_array_foreach(at(shown, "report.breakdown"), i, row)
    {
        expect_schema(document, "SharedRow", row);
        assert_false(json_integer_value(at(row, "entered")) > 0 &&
                     json_integer_value(at(row, "entered")) < SHARE_LEAST);
        assert_false(json_integer_value(at(row, "converted")) > 0 &&
                     json_integer_value(at(row, "converted")) < SHARE_LEAST);
    }
    json_decref(shown);
    json_decref(document);
}

static void
test_as_a_table(void **state)
{
    struct fixture *f = *state;
    char token[64], type[64];

    make_share(f, "", token);
    f->client.cookie[0] = '\0';
    assert_int_equal(ask_share(f, token, ".csv"), 200);
    assert_true(client_header(&f->client, "Content-Type", type, sizeof type));
    assert_string_equal(type, "text/csv; charset=utf-8");
    assert_non_null(strstr(f->client.body, "\"total\",1,\"Came\",100,1,"));
    assert_non_null(strstr(f->client.body, "\"'=1+1\",1,\"Came\",20,1,"));
    assert_null(strstr(f->client.body, "\"=1"));
}

static void
test_a_link_ends(void **state)
{
    struct fixture *f = *state;
    char token[64], short_token[64], endless[64];
    json_t *list;

    make_share(f, "", token);
    make_share(f, ",\"expires_days\":1", short_token);
    make_share(f, ",\"expires_days\":null", endless);
    list = get(f, SHARES);
    assert_int_equal(json_array_size(at(list, "shares")), 3);
    assert_true(json_is_null(at(list, "shares.2.expires")));
    assert_null(json_object_get(at(list, "shares.0"), "token"));
    json_decref(list);
    clock_set_wall_ms(clock_wall_ms() + 48 * HOUR);
    assert_int_equal(ask_share(f, short_token, ""), 404);
    assert_int_equal(ask_share(f, token, ""), 200);
    clock_set_wall_ms(clock_wall_ms() + 90 * 24 * HOUR);
    assert_int_equal(ask_share(f, token, ""), 404);
    assert_int_equal(ask_share(f, endless, ""), 200);
    clock_set_wall_ms(-1);
    assert_int_equal(client_send(&f->client, "DELETE", SHARES "/3", "{}"), 204);
    ask_share(f, endless, "");
    fixture_expect_error(f, 404, "not_found", "token");
    assert_int_equal(ask_share(f, "AAAA", ".csv"), 404);
}

static void
test_a_range_that_rolls(void **state)
{
    struct fixture *f = *state;
    json_t *shown;
    char token[64];

    make_share(f, ",\"days\":3", token);
    clock_set_wall_ms(JUNE_1 + 30 * HOUR); /* the second of June */
    assert_int_equal(ask_share(f, token, ""), 200);
    clock_set_wall_ms(-1);
    shown = fixture_json(f);
    expect_text(shown, "report.from", "2026-05-31T00:00:00+00:00");
    expect_text(shown, "report.to", "2026-06-03T00:00:00+00:00");
    json_decref(shown);
}

static void
test_refused(void **state)
{
    static const struct {
        const char *body, *field;
    } rows[] = {
        {"{\"question\":" QUESTION "}", "name"},
        {"{\"name\":\"a\"}", "question"},
        {"{\"name\":\"a\",\"question\":{\"funnel\":{" STAGES "},\"trend\":\"day\"}}",
         "question.trend"},
        {"{\"name\":\"a\",\"question\":{\"funnel\":\"None\"}}", "question.funnel"},
        {"{\"name\":\"a\",\"question\":" QUESTION ",\"days\":401}", "days"},
        {"{\"name\":\"a\",\"question\":" QUESTION ",\"expires_days\":\"x\"}", "expires_days"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int status = client_send(&f->client, "POST", SHARES, rows[i].body);

        fixture_expect_error(f, status, status == 404 ? "not_found" : "invalid", rows[i].field);
        assert_true(status == 400 || status == 404);
    }
}

/* Of random tables: no shown cell is small, none is one hidden cell of its column, and shown
 * columns add up. */
static void
test_no_small_cell_can_be_worked_out(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (int run = 0; run < 500; run++) {
        json_t *report = json_object(), *rows = json_array(), *stages = json_array(), *shown, *row;
        int64_t totals[3] = {0};
        size_t i;

        for (int r = 0; r < 6; r++) {
            json_t *list = json_array();
            int64_t n = 60 >> r;

            for (int k = 0; k < 3; k++) {
                seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                n -= (int64_t)((seed >> 33) % (uint64_t)(n / 2 + 1));
                totals[k] += n;
                json_array_append_new(list, json_pack("{s:I}", "throughput", (json_int_t)n));
            }
            json_array_append_new(rows, json_pack("{s:[s], s:o}", "values", "x", "stages", list));
        }
        for (int k = 0; k < 3; k++)
            json_array_append_new(
                stages, json_pack("{s:I, s:i}", "throughput", (json_int_t)totals[k], "reached", 0));
        json_object_set_new(report, "stages", stages);
        json_object_set_new(report, "breakdown", rows);
        shown = share_report(report);
        for (int k = 0; k < 3; k++) {
            json_t *total = json_object_get(
                json_array_get(json_object_get(shown, "stages"), (size_t)k), "throughput");
            size_t n_hidden = json_is_null(total);
            int64_t sum = 0;

            json_array_foreach(json_object_get(shown, "breakdown"), i, row)
            {
                json_t *cell = json_object_get(
                    json_array_get(json_object_get(row, "stages"), (size_t)k), "throughput");
                int64_t n = json_integer_value(cell);

                assert_false(n > 0 && n < SHARE_LEAST);
                n_hidden += json_is_null(cell);
                sum += n;
            }
            assert_int_not_equal(n_hidden, 1);
            if (n_hidden == 0)
                assert_int_equal(sum, json_integer_value(total));
        }
        json_decref(shown);
        json_decref(report);
    }
}

static void
test_texts_are_no_formulas(void **state)
{
    static const struct {
        const char *text, *cell;
    } rows[] = {
        {"", "\"\""},
        {"a,b", "\"a,b\""},
        {"a\"b", "\"a\"\"b\""},
        {"=1+1", "\"'=1+1\""},
        {"+1", "\"'+1\""},
        {"-1", "\"'-1\""},
        {"@SUM(A1)", "\"'@SUM(A1)\""},
        {"\tx", "\"'\tx\""},
        {"\r\n", "\"'\r\n\""},
        {"\xef\xbc\x9d"
         "1",
         "\"'\xef\xbc\x9d"
         "1\""},
        {"a=1", "\"a=1\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = BUFFER_EMPTY;
        struct csv csv = {.out = &out};

        csv_text(&csv, slice_from(rows[i].text));
        assert_true(slice_is(buffer_slice(&out), rows[i].cell));
        buffer_fini(&out);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup_countries, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_link_shows_its_report),
        CASE(test_as_a_table),
        CASE(test_a_link_ends),
        CASE(test_a_range_that_rolls),
        CASE(test_refused),
        cmocka_unit_test(test_no_small_cell_can_be_worked_out),
        cmocka_unit_test(test_texts_are_no_formulas),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
