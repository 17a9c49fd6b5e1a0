/* A report's parameters: moments, days by zone, bots, and what comes later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "aggregator/funnel/not_yet.h"
#include "aggregator/funnel/request.h"

#define NOW 1790000000000

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
        bool is_not_yet;
    } rows[] = {
        {"[]", "", false},
        {"{\"form\":1}", "form", false},
        {"{\"form\":null}", "form", false},
        {"{\"form\":[]}", "form", false},
        {"{\"form\":{}}", "form", false},
        {"{\"from\":\"yesterday\"}", "from", false},
        {"{\"from\":\"2026-02-30\"}", "from", false},
        {"{\"from\":\"2026-06-01T00:00:00\"}", "from", false},
        {"{\"from\":1.5}", "from", false},
        {"{\"from\":-1}", "from", false},
        {"{\"to\":true}", "to", false},
        {"{\"as_of\":{}}", "as_of", false},
        {"{\"from\":\"2026-06-01\",\"to\":\"2026-06-01\"}", "to", false},
        {"{\"from\":\"2026-06-02\",\"to\":\"2026-06-01\"}", "to", false},
        {"{\"bots\":\"maybe\"}", "bots", false},
        {"{\"bots\":1}", "bots", false},
        {"{\"timezone\":\"Mars/Olympus\"}", "timezone", false},
        {"{\"timezone\":\"../../etc/passwd\"}", "timezone", false},
        {"{\"timezone\":7}", "timezone", false},
        {"{\"filters\":[{}]}", "filters", true},
        {"{\"breakdown\":[{\"attribute\":\"region\"}]}", "breakdown", true},
        {"{\"limit\":20}", "limit", true},
        {"{\"trend\":\"day\"}", "trend", true},
        {"{\"compare\":{\"from\":1,\"to\":2}}", "compare", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct request r;
        struct err err = ERR_NONE;

        if (read_text(&r, rows[i].json, &err) != ERR_INVALID)
            fail_msg("accepted: %s", rows[i].json);
        if (strcmp(err.field, rows[i].field) != 0)
            fail_msg("%s\nfield \"%s\": %s", rows[i].json, err.field, err.message);
        assert_int_equal(funnel_error_is_not_yet(&err), rows[i].is_not_yet);
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
    assert_int_equal(request_set(&r, "to", SLICE("2026-07-01"), &err), ERR_OK);
    assert_int_equal(request_set(&r, "bots", SLICE("include"), &err), ERR_OK);
    assert_int_equal(request_set(&r, "compare", SLICE(""), &err), ERR_OK);
    assert_int_equal(request_set(&r, "compare", SLICE("previous"), &err), ERR_INVALID);
    assert_true(funnel_error_is_not_yet(&err));
    assert_int_equal(request_set(&r, "where", SLICE("x"), &err), ERR_INVALID);
    assert_string_equal(err.field, "where");
    assert_int_equal(request_finish(&r, SLICE("UTC"), NOW, &err), ERR_OK);
    assert_int_equal(r.range.to_ms, 1782864000000);
    assert_string_equal(request_bots_name(r.bots), "include");
    request_fini(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_text_parameters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
