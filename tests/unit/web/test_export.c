/* Tables as files: figures as in the report, lists whole, and no cell that is a formula. */
#include "tests/unit/web/shop.h"

#define EXPORT     "/api/v1/sites/shop/export"
#define BODY(more) "{\"funnel\":{" STAGES "}," more "}"

static const char *
file(struct fixture *f, const char *body)
{
    char type[64], length[32];

    if (client_send(&f->client, "POST", EXPORT, body) != 200)
        fail_msg("%d %s", f->client.status, f->client.body);
    assert_true(client_header(&f->client, "Content-Type", type, sizeof type));
    assert_string_equal(type, "text/csv; charset=utf-8");
    assert_true(client_header(&f->client, "Content-Length", length, sizeof length));
    assert_int_equal(strtoul(length, NULL, 10), f->client.body_bytes);
    return f->client.body;
}

static size_t
count_lines(const char *text)
{
    size_t n = 0;

    for (; (text = strstr(text, "\r\n")) != NULL; text += 2)
        n++;
    return n;
}

static void
test_tables(void **state)
{
    struct fixture *f = *state;
    const char *text = file(f, BODY("\"what\":\"stages\""));
    char name[64];

    assert_non_null(strstr(text, "\"stage\",\"name\",\"reached\",\"skipped\",\"throughput\","));
    assert_non_null(strstr(text, ",\"value_USD\"\r\n"));
    assert_non_null(strstr(text, "1,\"Came\",4,0,4,4,1,1,0,3,2,"));
    assert_non_null(strstr(text, ",22.45\r\n"));
    assert_int_equal(count_lines(text), 4);
    assert_true(client_header(&f->client, "Content-Disposition", name, sizeof name));
    assert_string_equal(name, "attachment; filename=\"shop-stages.csv\"");
    text = file(f, BODY("\"what\":\"breakdown\",\"breakdown\":[{\"attribute\":\"campaign\"}]"));
    assert_int_equal(count_lines(text), 1 + 2 * 3);
    assert_non_null(strstr(text, "\r\n\"spring\",\"false\",1,\"Came\",1,"));
    assert_non_null(strstr(text, "\r\n,\"false\",1,\"Came\",3,"));
    text = file(f, BODY("\"what\":\"trend\",\"trend\":\"day\",\"from\":\"2026-06-01\","
                        "\"to\":\"2026-06-03\""));
    assert_int_equal(count_lines(text), 1 + 2 * 3);
    assert_non_null(strstr(text, "\r\n\"2026-06-01T00:00:00+07:00\",1,\"Came\",4,"));
    text = file(f, BODY("\"what\":\"moves\""));
    assert_non_null(strstr(text, "\r\n0,1,4\r\n"));
}

/* A breakdown's rows have money too: of every currency that any of them has. */
static void
test_rows_have_values(void **state)
{
    const char *text = file(*state, BODY("\"what\":\"breakdown\",\"breakdown\":["
                                         "{\"attribute\":\"campaign\"}]"));

    assert_non_null(strstr(text, ",\"converted\",\"value_USD\"\r\n"));
    assert_non_null(strstr(text, "\r\n,\"false\",3,\"Sale\","));
    assert_non_null(strstr(text, ",9.95\r\n"));
}

/* As POST /count answers; rows that are too many are together in one, which says so. */
static void
test_counts(void **state)
{
    struct fixture *f = *state;
    const char *text = file(f, "{\"what\":\"count\"}");
    char name[64];

    assert_string_equal(text, "\"visitors\",\"sessions\",\"events\",\"orders\",\"engaged_ms\","
                              "\"value_USD\"\r\n4,8,8,0,0,22.45\r\n");
    assert_true(client_header(&f->client, "Content-Disposition", name, sizeof name));
    assert_string_equal(name, "attachment; filename=\"shop-count.csv\"");
    text = file(f, "{\"what\":\"count\",\"breakdown\":[{\"attribute\":\"event\"}],\"limit\":2}");
    assert_int_equal(count_lines(text), 1 + 3);
    assert_non_null(strstr(text, "\"event\",\"is_other\",\"visitors\","));
    assert_non_null(strstr(text, "\r\n\"pageview\",\"false\",4,"));
    assert_non_null(strstr(text, "\r\n\"add_to_cart\",\"false\",2,"));
    assert_non_null(strstr(text, "\r\n,\"true\",2,2,2,0,0,22.45\r\n"));
}

static void
test_catalogue(void **state)
{
    struct fixture *f = *state;
    struct shop_row *rows = calloc(1001, sizeof *rows);
    char(*names)[16] = calloc(1001, sizeof *names);
    const char *text = file(f, "{\"what\":\"catalogue\"}");

    assert_non_null(strstr(text, "\"list\",\"name\",\"events\",\"last\"\r\n"
                                 "\"events\",\"pageview\",4,\"2026-06-01T08:00:00+07:00\"\r\n"
                                 "\"events\",\"add_to_cart\",2,\"2026-06-03T08:00:00+07:00\"\r\n"));
    assert_non_null(strstr(text, "\r\n\"properties\",\"size\","));
    for (int i = 0; i < 1001; i++) {
        snprintf(names[i], sizeof *names, "name%d", i);
        rows[i] = (struct shop_row){"a", JUNE_1 + i, names[i], 0};
    }
    write_rows(f, 1, rows, 1001);
    client_send(&f->client, "POST", EXPORT, "{\"what\":\"catalogue\"}");
    fixture_expect_error(f, 422, "limit", "events");
    free(names);
    free(rows);
}

static void
test_a_list_is_as_long_as_its_figure(void **state)
{
    struct fixture *f = *state;
    const char *text = file(f, BODY("\"what\":\"visitors\",\"figure\":\"entered\""));

    assert_int_equal(count_lines(text), 1 + 4);
    assert_non_null(strstr(text, "\"visitor\",\"last_stage\",\"Came\",\"Cart\",\"Sale\"\r\n"));
    assert_non_null(strstr(text, "\"b\",3,\"2026-06-01T08:00:00+07:00\",,"
                                 "\"2026-06-01T09:00:00+07:00\"\r\n"));
    text = file(f, BODY("\"what\":\"visitors\",\"figure\":\"reached\",\"stage\":2"));
    assert_int_equal(count_lines(text), 1 + 2);
}

/* More than is written at once. */
static void
test_long_lists_are_whole(void **state)
{
    struct fixture *f = *state;
    struct shop_row *rows = calloc(4000, sizeof *rows);
    char(*names)[48] = calloc(4000, sizeof *names);
    const char *text;

    for (int i = 0; i < 4000; i++) {
        snprintf(names[i], sizeof *names, "=cmd()|somebody with a long name %d", i);
        rows[i] = (struct shop_row){names[i], JUNE_1 + i, "pageview", 0};
    }
    write_rows(f, 1, rows, 4000);
    text = file(f, BODY("\"what\":\"visitors\",\"figure\":\"entered\""));
    assert_int_equal(count_lines(text), 1 + 4004);
    assert_true(f->client.body_bytes > 200000);
    assert_non_null(strstr(text, "\"'=cmd()|somebody with a long name 3999\","));
    assert_null(strstr(text, "\"=cmd"));
    free(names);
    free(rows);
}

static void
test_names_are_no_formulas(void **state)
{
    struct fixture *f = *state;
    const char *text =
        file(f, "{\"funnel\":{\"window\":\"1d\",\"stages\":[{\"name\":\"=1+1\","
                "\"rule\":" RULE("pageview") "},{\"name\":\"\\u00a0@a\",\"rule\":" RULE(
                    "sale") "}]},"
                            "\"what\":\"visitors\",\"figure\":\"entered\"}");

    assert_non_null(strstr(text, "\"visitor\",\"last_stage\",\"'=1+1\",\"'\xc2\xa0@a\"\r\n"));
    text =
        file(f, "{\"funnel\":{\"window\":\"1d\",\"stages\":[{\"name\":\"=1+1\",\"rule\":" RULE(
                    "pageview") "},{\"name\":\"@a\",\"rule\":" RULE("sale") "}]},"
                                                                            "\"what\":\"stages\"}");
    assert_non_null(strstr(text, "\r\n1,\"'=1+1\","));
}

static void
test_refused(void **state)
{
    static const struct {
        const char *body, *field;
    } rows[] = {
        {BODY("\"format\":\"csv\""), "what"},
        {BODY("\"what\":\"people\""), "what"},
        {BODY("\"what\":\"stages\",\"format\":\"pdf\""), "format"},
        {BODY("\"what\":\"stages\",\"format\":\"XLSX\""), "format"},
        {BODY("\"what\":\"breakdown\""), "breakdown"},
        {BODY("\"what\":\"trend\""), "trend"},
        {"{\"what\":\"stages\"}", "funnel"},
        {BODY("\"what\":\"count\""), "funnel"},
        {"{\"what\":\"count\",\"trend\":\"day\"}", "trend"},
        {"{\"what\":\"count\",\"stage\":1}", "stage"},
        {BODY("\"what\":\"catalogue\""), "funnel"},
        {"{\"what\":\"catalogue\",\"bots\":\"only\"}", "bots"},
        {BODY("\"what\":\"visitors\""), "figure"},
        {BODY("\"what\":\"visitors\",\"figure\":\"open\",\"stage\":3"), "stage"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        client_send(&f->client, "POST", EXPORT, rows[i].body);
        fixture_expect_error(f, 400, "invalid", rows[i].field);
    }
    fixture_add_account(f, "viewer@shop.example", ROLE_VIEWER);
    assert_int_equal(fixture_sign_in(f, "viewer@shop.example", FIXTURE_PASSWORD), 200);
    assert_int_equal(client_send(&f->client, "POST", EXPORT, BODY("\"what\":\"stages\"")), 200);
    client_send(&f->client, "POST", EXPORT, BODY("\"what\":\"visitors\",\"figure\":\"entered\""));
    fixture_expect_error(f, 403, "role", "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup_shop, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_tables),
        CASE(test_rows_have_values),
        CASE(test_counts),
        CASE(test_catalogue),
        CASE(test_a_list_is_as_long_as_its_figure),
        CASE(test_long_lists_are_whole),
        CASE(test_names_are_no_formulas),
        CASE(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
