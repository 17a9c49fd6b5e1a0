/* A report's parameters: moments, days by zone, filters, breakdowns, points of trends, comparisons.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "aggregator/funnel/figure.h"
#include "aggregator/funnel/request.h"

#define NOW 1790000000000

#define CAMPAIGN "{\"attribute\":\"campaign\",\"op\":\"is\",\"values\":[\"x\"]}"
#define PATH     "{\"attribute\":\"path\",\"op\":\"is\",\"values\":[\"/\"]}"

static enum err_code
read_text(struct request *r, const char *json, struct err *err)
{
    static const char *const own[] = {"funnel", NULL};
    json_t *object = json_loads(json, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    enum err_code rc;

    assert_non_null(object);
    request_init(r);
    rc = request_read_json(r, object, own, err);
    if (rc == ERR_OK)
        rc = request_finish(r, SLICE("Asia/Jakarta"), NOW, err);
    json_decref(object);
    return rc;
}

static void
test_accepted(void **state)
{
    static const struct {
        const char *json;
        int64_t from_ms;
        int64_t to_ms;
        int64_t as_of_ms;
        const char *zone;
        enum request_bots bots;
    } rows[] = {
        {"{}", INT64_MIN, INT64_MAX, NOW, "Asia/Jakarta", BOTS_EXCLUDE},
        {"{\"funnel\":{\"x\":1},\"from\":null,\"to\":\"\",\"filters\":[],\"trend\":null}",
         INT64_MIN, INT64_MAX, NOW, "Asia/Jakarta", BOTS_EXCLUDE},
        /* days of the site's zone, UTC+7 */
        {"{\"from\":\"2026-06-01\",\"to\":\"2026-07-01\"}", 1780246800000, 1782838800000, NOW,
         "Asia/Jakarta", BOTS_EXCLUDE},
        /* of the zone asked for, wherever it stands */
        {"{\"from\":\"2026-06-01\",\"timezone\":\"UTC\",\"bots\":\"only\"}", 1780272000000,
         INT64_MAX, NOW, "UTC", BOTS_ONLY},
        /* a day without midnight begins at its first moment: 2018-11-04 in Sao Paulo, at 01:00 */
        {"{\"from\":\"2018-11-04\",\"timezone\":\"America/Sao_Paulo\"}", 1541300400000, INT64_MAX,
         NOW, "America/Sao_Paulo", BOTS_EXCLUDE},
        {"{\"from\":\"2026-06-01T00:00:00+02:00\",\"to\":1780300000000,\"bots\":\"include\"}",
         1780264800000, 1780300000000, NOW, "Asia/Jakarta", BOTS_INCLUDE},
        {"{\"from\":\"1780000000000\",\"as_of\":\"2026-07-02T09:00:00Z\"}", 1780000000000,
         INT64_MAX, 1782982800000, "Asia/Jakarta", BOTS_EXCLUDE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct request r;
        struct err err = ERR_NONE;

        if (read_text(&r, rows[i].json, &err) != ERR_OK)
            fail_msg("%s\n%s: %s", rows[i].json, err.field, err.message);
        if (r.range.from_ms != rows[i].from_ms || r.range.to_ms != rows[i].to_ms)
            fail_msg("%s: %lld to %lld", rows[i].json, (long long)r.range.from_ms,
                     (long long)r.range.to_ms);
        assert_int_equal(r.as_of_ms, rows[i].as_of_ms);
        assert_int_equal(r.bots, rows[i].bots);
        assert_string_equal(r.timezone, rows[i].zone);
        assert_string_equal(zone_name(r.zone), rows[i].zone);
        request_fini(&r);
    }
}

static void
test_refused(void **state)
{
    static const struct {
        const char *json;
        const char *field;
    } rows[] = {
        {"[]", ""},
        {"{\"form\":1}", "form"},
        {"{\"form\":null}", "form"},
        {"{\"form\":[]}", "form"},
        {"{\"form\":{}}", "form"},
        {"{\"from\":\"yesterday\"}", "from"},
        {"{\"from\":\"2026-02-30\"}", "from"},
        {"{\"from\":\"2026-06-01T00:00:00\"}", "from"},
        {"{\"from\":1.5}", "from"},
        {"{\"from\":-1}", "from"},
        {"{\"to\":true}", "to"},
        {"{\"as_of\":{}}", "as_of"},
        {"{\"from\":\"2026-06-01\",\"to\":\"2026-06-01\"}", "to"},
        {"{\"from\":\"2026-06-02\",\"to\":\"2026-06-01\"}", "to"},
        {"{\"bots\":\"maybe\"}", "bots"},
        {"{\"bots\":1}", "bots"},
        {"{\"timezone\":\"Mars/Olympus\"}", "timezone"},
        {"{\"timezone\":\"../../etc/passwd\"}", "timezone"},
        {"{\"timezone\":7}", "timezone"},
        {"{\"filters\":{}}", "filters"},
        {"{\"filters\":[7]}", "filters[0]"},
        {"{\"filters\":[{}]}", "filters[0].rule"},
        {"{\"filters\":[{\"rule\":" CAMPAIGN ",\"where\":1}]}", "filters[0].where"},
        {"{\"filters\":[{\"rule\":" CAMPAIGN "},{\"rule\":{\"all\":[{\"attribute\":\"event\"}]}}]}",
         "filters[1].rule.all[0].op"},
        {"{\"filters\":[{\"rule\":" CAMPAIGN ",\"at\":\"start\"}]}", "filters[0].at"},
        {"{\"filters\":[{\"rule\":" CAMPAIGN ",\"at\":0}]}", "filters[0].at"},
        {"{\"filters\":[{\"rule\":" CAMPAIGN ",\"at\":17}]}", "filters[0].at"},
        {"{\"filters\":[{\"rule\":" CAMPAIGN ",\"at\":\"1\"}]}", "filters[0].at"},
        {"{\"filters\":[{\"rule\":" CAMPAIGN ",\"at\":\"visit:0\"}]}", "filters[0].at"},
        {"{\"filters\":[{\"rule\":" CAMPAIGN ",\"at\":\"visit:17\"}]}", "filters[0].at"},
        {"{\"filters\":[{\"rule\":" CAMPAIGN ",\"at\":\"visit\"}]}", "filters[0].at"},
        {"{\"breakdown\":[{\"attribute\":\"region\",\"at\":\"visit:1\"}]}", "breakdown[0].at"},
        /* no default: mixed attributes, and "any" of what is a "not" */
        {"{\"filters\":[{\"rule\":{\"any\":[" CAMPAIGN "," PATH "]}}]}", "filters[0].at"},
        {"{\"filters\":[{\"rule\":{\"not\":" PATH "}}]}", "filters[0].at"},
        {"{\"filters\":[{\"rule\":{\"attribute\":\"value\",\"op\":\"ne\",\"values\":[1]}}]}",
         "filters[0].at"},
        /* first and last: one attribute */
        {"{\"filters\":[{\"rule\":{\"all\":[" CAMPAIGN "," PATH "]},\"at\":\"first\"}]}",
         "filters[0].at"},
        {"{\"breakdown\":\"region\"}", "breakdown"},
        {"{\"breakdown\":[{}]}", "breakdown[0].attribute"},
        {"{\"breakdown\":[{\"attribute\":\"colour\"}]}", "breakdown[0].attribute"},
        {"{\"breakdown\":[{\"attribute\":\"region\",\"at\":\"any\"}]}", "breakdown[0].at"},
        {"{\"breakdown\":[{\"attribute\":\"region\"},{\"attribute\":\"city\",\"from\":1}]}",
         "breakdown[1].from"},
        {"{\"breakdown\":[{\"attribute\":\"a\"},{\"attribute\":\"b\"},{\"attribute\":\"c\"}]}",
         "breakdown"},
        {"{\"breakdown\":[{\"attribute\":\"region\",\"bins\":[1]}]}", "breakdown[0].bins"},
        {"{\"breakdown\":[{\"attribute\":\"value\",\"bins\":[]}]}", "breakdown[0].bins"},
        {"{\"breakdown\":[{\"attribute\":\"value\",\"bins\":[1,\"x\"]}]}", "breakdown[0].bins[1]"},
        {"{\"breakdown\":[{\"attribute\":\"value\",\"bins\":[10,5]}]}", "breakdown[0].bins[1]"},
        {"{\"breakdown\":[{\"attribute\":\"value\",\"bins\":[1,\"1.0\"]}]}",
         "breakdown[0].bins[1]"},
        {"{\"limit\":0}", "limit"},
        {"{\"limit\":1001}", "limit"},
        {"{\"limit\":\"20\"}", "limit"},
        {"{\"trend\":\"hour\"}", "trend"},
        {"{\"trend\":1}", "trend"},
        {"{\"compare\":\"next\"}", "compare"},
        {"{\"compare\":{}}", "compare.from"},
        {"{\"compare\":{\"from\":1,\"to\":2}}", "compare"}, /* age without an end */
        {"{\"compare\":{\"from\":1},\"to\":2}", "compare.to"},
        {"{\"compare\":{\"from\":2,\"to\":1},\"to\":2}", "compare.to"},
        {"{\"compare\":{\"from\":1,\"to\":2,\"age\":\"old\"},\"to\":2}", "compare.age"},
        {"{\"compare\":{\"from\":1,\"to\":2,\"till\":3},\"to\":2}", "compare.till"},
        {"{\"compare\":\"previous\",\"to\":2}", "compare"},
        {"{\"compare\":\"previous\",\"from\":2}", "compare"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct request r;
        struct err err = ERR_NONE;

        if (read_text(&r, rows[i].json, &err) != ERR_INVALID)
            fail_msg("accepted: %s", rows[i].json);
        if (strcmp(err.field, rows[i].field) != 0)
            fail_msg("%s\nfield \"%s\": %s", rows[i].json, err.field, err.message);
        request_fini(&r);
    }
}

static void
test_text_parameters(void **state)
{
    struct request r;
    struct err err = ERR_NONE;

    (void)state;
    request_init(&r);
    assert_int_equal(r.limit, REQUEST_LIMIT_DEFAULT);
    assert_int_equal(request_set(&r, "to", SLICE("2026-07-01"), &err), ERR_OK);
    assert_int_equal(request_set(&r, "bots", SLICE("include"), &err), ERR_OK);
    assert_int_equal(request_set(&r, "compare", SLICE(""), &err), ERR_OK);
    assert_int_equal(request_set(&r, "limit", SLICE("7"), &err), ERR_OK);
    assert_int_equal(request_set(&r, "trend", SLICE("week"), &err), ERR_OK);
    assert_int_equal(request_set(&r, "limit", SLICE("7.5"), &err), ERR_INVALID);
    assert_string_equal(err.field, "limit");
    assert_int_equal(request_set(&r, "where", SLICE("x"), &err), ERR_INVALID);
    assert_string_equal(err.field, "where");
    assert_int_equal(request_set(&r, "from", SLICE("\xff"), &err), ERR_INVALID);
    assert_int_equal(request_finish(&r, SLICE("UTC"), NOW, &err), ERR_OK);
    assert_int_equal(r.range.to_ms, 1782864000000);
    assert_string_equal(request_bots_name(r.bots), "include");
    assert_int_equal(r.limit, 7);
    assert_int_equal(r.trend, TREND_WEEK);
    request_fini(&r);
}

/* Only a report has figures to leave out. */
static void
test_counts_alone(void **state)
{
    struct request r;
    struct err err = ERR_NONE;

    (void)state;
    request_init(&r);
    assert_int_equal(request_set(&r, "figures", SLICE("counts"), &err), ERR_INVALID);
    assert_string_equal(err.message, "is not known");
    r.is_report = true;
    assert_int_equal(request_set(&r, "figures", SLICE("counts"), &err), ERR_OK);
    assert_true(r.is_counts_only);
    assert_int_equal(request_set(&r, "figures", SLICE("all"), &err), ERR_OK);
    assert_false(r.is_counts_only);
    assert_int_equal(request_set(&r, "figures", SLICE("some"), &err), ERR_INVALID);
    assert_string_equal(err.field, "figures");
    request_fini(&r);
}

/* ---- Filters and breakdowns ---- */

static void
test_places_of_filters(void **state)
{
    static const struct {
        const char *filter;
        enum request_at at;
        int stage;
        const char *attribute; /* of first and last */
    } rows[] = {
        {"{\"rule\":" CAMPAIGN "}", AT_ENTRY, 0, ""},
        {"{\"rule\":{\"not\":" CAMPAIGN "},\"at\":null}", AT_ENTRY, 0, ""},
        {"{\"rule\":{\"not\":" PATH "},\"at\":\"visit:3\"}", AT_VISIT, 3, ""},
        {"{\"rule\":{\"attribute\":\"bot\",\"op\":\"is\",\"values\":[\"true\"]}}", AT_ENTRY, 0, ""},
        {"{\"rule\":" PATH "}", AT_ANY, 0, ""},
        {"{\"rule\":{\"not\":{\"not\":" PATH "}}}", AT_ANY, 0, ""},
        {"{\"rule\":{\"not\":" PATH "},\"at\":\"none\"}", AT_NONE, 0, ""},
        {"{\"rule\":{\"any\":[" CAMPAIGN "," PATH "]},\"at\":\"every\"}", AT_EVERY, 0, ""},
        {"{\"rule\":{\"any\":[" PATH ",{\"not\":" PATH "}]},\"at\":\"first\"}", AT_FIRST, 0,
         "path"},
        {"{\"rule\":" CAMPAIGN ",\"at\":\"last\"}", AT_LAST, 0, "campaign"},
        {"{\"rule\":" CAMPAIGN ",\"at\":16}", AT_STAGE, 16, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct request r;
        struct err err = ERR_NONE;

        request_init(&r);
        if (request_set(&r, "filters", slice_from(rows[i].filter), &err) != ERR_OK)
            fail_msg("%s\n%s: %s", rows[i].filter, err.field, err.message);
        assert_int_equal(r.n_filters, 1);
        assert_int_equal(r.filters[0].at, rows[i].at);
        assert_int_equal(r.filters[0].stage, rows[i].stage);
        assert_true(slice_is(r.filters[0].attribute.name, rows[i].attribute));
        assert_true(r.filters[0].canonical->canonical.n > 0);
        request_fini(&r);
    }
}

static void
test_filters_given_again_are_added(void **state)
{
    struct slice list = SLICE("[{\"rule\":" CAMPAIGN "},{\"rule\":" PATH "}]");
    struct request r;
    struct err err = ERR_NONE;

    (void)state;
    request_init(&r);
    for (size_t i = 0; i < REQUEST_FILTERS_MAX / 2; i++)
        assert_int_equal(request_set(&r, "filters", list, &err), ERR_OK);
    assert_int_equal(r.n_filters, REQUEST_FILTERS_MAX);
    assert_int_equal(r.filters[REQUEST_FILTERS_MAX - 1].at, AT_ANY);
    assert_int_equal(request_set(&r, "filters", list, &err), ERR_LIMIT);
    assert_string_equal(err.field, "filters");
    request_fini(&r);
    request_init(&r);
    assert_int_equal(request_set(&r, "filters", list, &err), ERR_OK);
    assert_int_equal(request_set(&r, "filters", SLICE("{\"rule\":1}"), &err), ERR_INVALID);
    assert_string_equal(err.field, "filters[2].rule");
    assert_int_equal(request_set(&r, "filters", SLICE("campaign"), &err), ERR_INVALID);
    assert_string_equal(err.field, "filters");
    request_fini(&r);
}

static void
test_breakdowns(void **state)
{
    static const struct {
        const char *text;
        const char *attribute;
        enum request_at at;
        int stage;
        size_t n_bins;
    } rows[] = {
        {"region", "region", AT_ENTRY, 0, 0},
        {"region@first", "region", AT_FIRST, 0, 0},
        {"campaign@last", "campaign", AT_LAST, 0, 0},
        {"path@3", "path", AT_STAGE, 3, 0},
        {"properties.a@b", "properties.a@b", AT_ENTRY, 0, 0},
        {"properties.a@b@entry", "properties.a@b", AT_ENTRY, 0, 0},
        {"{\"attribute\":\"value\",\"at\":2,\"bins\":[-1,0.5,\"1e3\"]}", "value", AT_STAGE, 2, 3},
        {"[{\"attribute\":\"scroll_pct\",\"bins\":null}]", "scroll_pct", AT_ENTRY, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct request r;
        struct err err = ERR_NONE;

        request_init(&r);
        if (request_set(&r, "breakdown", slice_from(rows[i].text), &err) != ERR_OK)
            fail_msg("%s\n%s: %s", rows[i].text, err.field, err.message);
        assert_int_equal(r.n_breakdowns, 1);
        assert_true(slice_is(r.breakdowns[0].attribute.name, rows[i].attribute));
        assert_int_equal(r.breakdowns[0].at, rows[i].at);
        assert_int_equal(r.breakdowns[0].stage, rows[i].stage);
        assert_int_equal(r.breakdowns[0].n_bins, rows[i].n_bins);
        request_fini(&r);
    }
}

static void
test_bins(void **state)
{
    static const struct {
        const char *number;
        size_t bin;
        const char *name;
    } rows[] = {
        {"-3", 0, "<10"},      {"9.99", 0, "<10"},     {"10", 1, "10..50.5"},
        {"50", 1, "10..50.5"}, {"50.50", 2, ">=50.5"}, {"1e9", 2, ">=50.5"},
    };
    struct request r;
    struct err err = ERR_NONE;

    (void)state;
    request_init(&r);
    assert_int_equal(
        request_set(&r, "breakdown", SLICE("{\"attribute\":\"value\",\"bins\":[10,50.5]}"), &err),
        ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t bin = request_bin(&r.breakdowns[0], slice_from(rows[i].number));

        assert_int_equal(bin, rows[i].bin);
        assert_true(slice_is(request_bin_name(&r.breakdowns[0], bin, &r.arena), rows[i].name));
    }
    request_fini(&r);
}

/* Stages 1 and 3 have the same rule. */
static void
test_with_its_funnel(void **state)
{
    static const struct {
        const char *json;
        const char *field; /* "": accepted */
    } rows[] = {
        {"{\"filters\":[{\"rule\":" CAMPAIGN ",\"at\":2}],\"breakdown\":[{\"attribute\":\"path\","
         "\"at\":3}]}",
         ""},
        {"{\"filters\":[{\"rule\":" CAMPAIGN ",\"at\":\"every\"}]}", ""},
        {"{\"filters\":[{\"rule\":" CAMPAIGN "},{\"rule\":" CAMPAIGN ",\"at\":1}]}",
         "filters[1].at"},
        {"{\"filters\":[{\"rule\":" CAMPAIGN ",\"at\":3}]}", "filters[0].at"},
        {"{\"filters\":[{\"rule\":" CAMPAIGN ",\"at\":4}]}", "filters[0].at"},
        {"{\"filters\":[{\"rule\":" CAMPAIGN ",\"at\":\"visit:3\"}]}", ""},
        {"{\"filters\":[{\"rule\":" CAMPAIGN ",\"at\":\"visit:4\"}]}", "filters[0].at"},
        {"{\"breakdown\":[{\"attribute\":\"path\",\"at\":4}]}", "breakdown[0].at"},
    };
    struct funnel *f = NULL;
    struct err err = ERR_NONE;

    (void)state;
    assert_int_equal(funnel_parse(SLICE("{\"window\":\"1d\",\"stages\":["
                                        "{\"name\":\"1\",\"rule\":" PATH "},"
                                        "{\"name\":\"2\",\"rule\":" CAMPAIGN "},"
                                        "{\"name\":\"3\",\"rule\":{\"all\":[" PATH "]}}]}"),
                                  &f, &err),
                     ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct request r;
        enum err_code expected = rows[i].field[0] == '\0' ? ERR_OK : ERR_INVALID;

        err = ERR_NONE;
        assert_int_equal(read_text(&r, rows[i].json, &err), ERR_OK);
        if (request_check_funnel(&r, f, &err) != expected || strcmp(err.field, rows[i].field) != 0)
            fail_msg("%s\nfield \"%s\": %s", rows[i].json, err.field, err.message);
        request_fini(&r);
    }
    funnel_destroy(&f);
}

/* ---- Ranges by the calendar ---- */

static const char *
local(const struct request *r, int64_t ms, char dst[TIMESTAMP_TEXT_MAX])
{
    return zone_format(r->zone, ms, dst);
}

static void
test_compare(void **state)
{
    static const struct {
        const char *json; /* as_of 2026-07-10T00:00:00Z */
        const char *from, *to, *as_of;
    } rows[] = {
        /* months before months, whatever their days */
        {"\"compare\":\"previous\",\"from\":\"2026-03-01\",\"to\":\"2026-04-01\"",
         "2026-02-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00", "2026-06-09T03:00:00+02:00"},
        {"\"compare\":\"previous\",\"from\":\"2026-01-01\",\"to\":\"2026-04-01\"",
         "2025-10-01T00:00:00+02:00", "2026-01-01T00:00:00+01:00", "2026-04-11T03:00:00+02:00"},
        /* days before days: a day of 23 hours is one */
        {"\"compare\":\"previous\",\"from\":\"2026-03-29\",\"to\":\"2026-03-30\"",
         "2026-03-28T00:00:00+01:00", "2026-03-29T00:00:00+01:00", "2026-07-09T03:00:00+02:00"},
        /* otherwise ms */
        {"\"compare\":\"previous\",\"from\":\"2026-06-02T12:00:00+02:00\",\"to\":\"2026-06-03\"",
         "2026-06-02T00:00:00+02:00", "2026-06-02T12:00:00+02:00", "2026-07-09T14:00:00+02:00"},
        {"\"compare\":{\"age\":\"full\"},\"from\":\"2026-03-01\",\"to\":\"2026-04-01\"",
         "2026-02-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00", "2026-07-10T02:00:00+02:00"},
        /* a range of its own; all that is known; a later range is known no better */
        {"\"compare\":{\"from\":\"2026-05-01\",\"to\":\"2026-05-08\"},\"to\":\"2026-06-08\"",
         "2026-05-01T00:00:00+02:00", "2026-05-08T00:00:00+02:00", "2026-06-09T02:00:00+02:00"},
        {"\"compare\":{\"from\":\"2026-05-01\",\"to\":\"2026-05-08\",\"age\":\"full\"}",
         "2026-05-01T00:00:00+02:00", "2026-05-08T00:00:00+02:00", "2026-07-10T02:00:00+02:00"},
        {"\"compare\":{\"from\":\"2026-07-01\",\"to\":\"2026-07-08\",\"age\":\"equal\"},"
         "\"to\":\"2026-06-08\"",
         "2026-07-01T00:00:00+02:00", "2026-07-08T00:00:00+02:00", "2026-07-10T02:00:00+02:00"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char json[400], from[TIMESTAMP_TEXT_MAX], to[TIMESTAMP_TEXT_MAX], as_of[TIMESTAMP_TEXT_MAX];
        struct request r;
        struct err err = ERR_NONE;

        snprintf(json, sizeof json,
                 "{%s,\"timezone\":\"Europe/Berlin\",\"as_of\":\"2026-07-10T00:00:00Z\"}",
                 rows[i].json);
        if (read_text(&r, json, &err) != ERR_OK)
            fail_msg("%s\n%s: %s", json, err.field, err.message);
        assert_string_equal(local(&r, r.compare.range.from_ms, from), rows[i].from);
        assert_string_equal(local(&r, r.compare.range.to_ms, to), rows[i].to);
        assert_string_equal(local(&r, r.compare.as_of_ms, as_of), rows[i].as_of);
        request_fini(&r);
    }
}

static void
test_compare_as_text(void **state)
{
    struct request r;
    struct err err = ERR_NONE;

    (void)state;
    request_init(&r);
    assert_int_equal(request_set(&r, "to", SLICE("2026-07-01"), &err), ERR_OK);
    assert_int_equal(request_set(&r, "compare", SLICE("2026-05-01..2026-05-08"), &err), ERR_OK);
    assert_int_equal(request_finish(&r, SLICE("UTC"), NOW, &err), ERR_OK);
    assert_int_equal(r.compare.range.to_ms - r.compare.range.from_ms, 7 * 86400000LL);
    assert_int_equal(request_set(&r, "compare", SLICE("2026-05-01.."), &err), ERR_INVALID);
    assert_string_equal(err.field, "compare.to");
    request_fini(&r);
}

static void
test_points(void **state)
{
    static const struct {
        const char *json;
        const char *first, *last; /* the data */
        size_t n;
        const char *starts[5]; /* of the points, then the end of the last */
    } rows[] = {
        /* weeks begin on Mondays; the first and the last are cut */
        {"\"trend\":\"week\",\"from\":\"2026-03-25\",\"to\":\"2026-04-08\"",
         "2026-01-01T00:00:00Z",
         "2026-12-01T00:00:00Z",
         3,
         {"2026-03-25T00:00:00+01:00", "2026-03-30T00:00:00+02:00", "2026-04-06T00:00:00+02:00",
          "2026-04-08T00:00:00+02:00"}},
        /* a day of 23 hours */
        {"\"trend\":\"day\",\"from\":\"2026-03-28T12:00:00+01:00\",\"to\":\"2026-03-30\"",
         "2026-01-01T00:00:00Z",
         "2026-01-01T00:00:00Z",
         2,
         {"2026-03-28T12:00:00+01:00", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"}},
        /* months over a year's end; open ends reach as far as the data and as_of */
        {"\"trend\":\"month\",\"as_of\":\"2026-01-15T00:00:00Z\"",
         "2025-11-30T23:30:00Z",
         "2026-05-01T00:00:00Z",
         2,
         {"2025-12-01T00:00:00+01:00", "2026-01-01T00:00:00+01:00", "2026-02-01T00:00:00+01:00"}},
        {"\"trend\":\"day\"", "2026-06-02T00:00:00Z", "2026-06-01T00:00:00Z", 0, {NULL}},
        {"\"trend\":\"day\",\"to\":\"2026-05-01\"",
         "2026-06-01T00:00:00Z",
         "2026-06-02T00:00:00Z",
         0,
         {NULL}},
        {"\"from\":\"2026-05-01\"", "2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z", 0, {NULL}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char json[400], text[TIMESTAMP_TEXT_MAX];
        int64_t first = 0, last = 0;
        struct path_range *points;
        struct request r;
        struct err err = ERR_NONE;
        size_t n;

        snprintf(json, sizeof json, "{%s,\"timezone\":\"Europe/Berlin\"}", rows[i].json);
        assert_int_equal(read_text(&r, json, &err), ERR_OK);
        assert_int_equal(timestamp_parse(slice_from(rows[i].first), &first, &err), ERR_OK);
        assert_int_equal(timestamp_parse(slice_from(rows[i].last), &last, &err), ERR_OK);
        assert_int_equal(request_points(&r, first, last, &r.arena, &points, &n, &err), ERR_OK);
        if (n != rows[i].n)
            fail_msg("%s: %zu points", json, n);
        for (size_t k = 0; k < n; k++) {
            assert_string_equal(local(&r, points[k].from_ms, text), rows[i].starts[k]);
            assert_string_equal(local(&r, points[k].to_ms, text), rows[i].starts[k + 1]);
        }
        request_fini(&r);
    }
}

static void
test_points_are_at_most_a_thousand(void **state)
{
    static const struct {
        const char *json;
        size_t n; /* 0: too many */
    } rows[] = {
        {"{\"trend\":\"day\",\"from\":\"2020-01-01\",\"to\":\"2022-09-27\"}", 1000},
        {"{\"trend\":\"day\",\"from\":\"2020-01-01\",\"to\":\"2022-09-28\"}", 0},
        {"{\"trend\":\"month\",\"from\":\"2000-01-01\",\"to\":\"2020-01-01\"}", 240},
        /* the zone left out 30 December 2011: no point for it */
        {"{\"trend\":\"day\",\"from\":\"2011-12-29\",\"to\":\"2012-01-01\","
         "\"timezone\":\"Pacific/Apia\"}",
         2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct path_range *points;
        struct request r;
        struct err err = ERR_NONE;
        size_t n;

        assert_int_equal(read_text(&r, rows[i].json, &err), ERR_OK);
        assert_int_equal(request_points(&r, 0, 0, &r.arena, &points, &n, &err),
                         rows[i].n > 0 ? ERR_OK : ERR_LIMIT);
        assert_int_equal(n, rows[i].n);
        if (rows[i].n == 0)
            assert_string_equal(err.field, "trend");
        request_fini(&r);
    }
}

/* ---- Figures by name ---- */

static void
test_figures(void **state)
{
    static const struct {
        const char *text;
        enum figure figure;
        int stage;
        const char *field; /* NULL: accepted */
    } rows[] = {
        {"entered", FIGURE_ENTERED, 0, NULL},
        {"converted", FIGURE_CONVERTED, 0, NULL},
        {"converted:2", FIGURE_CONVERTED, 2, NULL},
        {"seen:3", FIGURE_SEEN, 3, NULL},
        {"dropoff:2", FIGURE_DROPOFF, 2, NULL},
        {"dropoff:3", FIGURE_COUNT, 0, "visitors.stage"},
        {"open:3", FIGURE_COUNT, 0, "visitors.stage"},
        {"reached", FIGURE_COUNT, 0, "visitors.stage"},
        {"entered:1", FIGURE_COUNT, 0, "visitors.stage"},
        {"reached:4", FIGURE_COUNT, 0, "visitors"},
        {"reached:0", FIGURE_COUNT, 0, "visitors"},
        {"reached:x", FIGURE_COUNT, 0, "visitors"},
        {"value:1", FIGURE_COUNT, 0, "visitors.figure"},
        {"", FIGURE_COUNT, 0, "visitors.figure"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct figure_place place = {FIGURE_COUNT, 0};
        struct err err = ERR_NONE;
        enum err_code rc = figure_parse(slice_from(rows[i].text), 3, &place, &err);

        assert_int_equal(rc, rows[i].field == NULL ? ERR_OK : ERR_INVALID);
        assert_int_equal(place.figure, rows[i].figure);
        assert_int_equal(place.stage, rows[i].stage);
        if (rows[i].field != NULL)
            assert_string_equal(err.field, rows[i].field);
    }
    assert_string_equal(figure_name(FIGURE_AFTER_RANGE), "after_range");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_text_parameters),
        cmocka_unit_test(test_places_of_filters),
        cmocka_unit_test(test_filters_given_again_are_added),
        cmocka_unit_test(test_breakdowns),
        cmocka_unit_test(test_bins),
        cmocka_unit_test(test_with_its_funnel),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_counts_alone),
        cmocka_unit_test(test_compare_as_text),
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_points_are_at_most_a_thousand),
        cmocka_unit_test(test_figures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
