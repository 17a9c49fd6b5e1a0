#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/timestamp.h"
#include "core/zone.h"

static void
times_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } rows[] = {
        {"2026-06-01T12:00:00.123Z", 1780315200123},
        {"1780315200123", 1780315200123},
        {"2026-06-01T19:00:00.123+07:00", 1780315200123},
        {"2026-06-01 12:00:00Z", 1780315200000},
        {"2026-06-01t12:00:00z", 1780315200000},
        {"2026-06-01T12:00:00.1239999Z", 1780315200123},
        {"1970-01-01T00:00:00Z", 0},
        {"2024-02-29T00:00:00Z", 1709164800000},
        {"2023-02-29T00:00:00Z", -1},
        {"2026-06-01T12:00:00", -1}, /* no offset: whose noon? */
        {"2026-06-01", -1},
        {"1969-12-31T23:59:59Z", -1},
        {"-1", -1},
        {"2026-13-01T00:00:00Z", -1},
        {"2026-06-01T24:00:00Z", -1},
        {"2026-06-01T12:00:00.Z", -1},
        {"2026-06-01T12:00:00Zx", -1},
        {"9999999999999999", -1},
        {"", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = -1;

        timestamp_parse(slice_from(rows[i].text), &ms, NULL);
        if (ms != rows[i].ms)
            fail_msg("%s: %lld", rows[i].text, (long long)ms);
    }
}

static void
times_are_written(void **state)
{
    char text[TIMESTAMP_TEXT_MAX];

    (void)state;
    assert_string_equal(timestamp_format(1780315200123, true, text), "2026-06-01T12:00:00.123Z");
    assert_string_equal(timestamp_format(1780315200000, true, text), "2026-06-01T12:00:00Z");
    assert_string_equal(timestamp_format(1780315200000, false, text), "2026-06-01T12:00:00.000Z");
    assert_string_equal(timestamp_format(-1, true, text), "1969-12-31T23:59:59.999Z");
}

static void
every_day_of_four_centuries_comes_back(void **state)
{
    (void)state;
    for (int64_t day = -36524; day < 146097; day++) {
        struct date d = date_from_days(day);

        assert_int_equal(date_to_days(d), day);
    }
    assert_int_equal(date_weekday((struct date){2026, 11, 22}), 7);
    assert_int_equal(date_weekday((struct date){1969, 12, 31}), 3);
}

static struct zone *
zone_of(const char *name)
{
    struct zone *z = NULL;

    if (zone_open(slice_from(name), &z, NULL) != ERR_OK)
        fail_msg("no zone %s", name);
    return z;
}

static void
day_starts(void **state)
{
    static const struct {
        const char *zone;
        struct date day;
        const char *start;
    } rows[] = {
        {"UTC", {2026, 6, 1}, "2026-06-01T00:00:00+00:00"},
        {"Asia/Jakarta", {2026, 6, 1}, "2026-06-01T00:00:00+07:00"},
        {"Europe/Warsaw", {2026, 3, 29}, "2026-03-29T00:00:00+01:00"}, /* 23 hours long */
        {"Europe/Warsaw", {2026, 3, 30}, "2026-03-30T00:00:00+02:00"},
        {"Europe/Warsaw", {2026, 10, 26}, "2026-10-26T00:00:00+01:00"},
        {"America/New_York", {2049, 7, 4}, "2049-07-04T00:00:00-04:00"}, /* by the rule */
        {"America/New_York", {2049, 12, 4}, "2049-12-04T00:00:00-05:00"},
        {"Australia/Sydney", {2050, 1, 1}, "2050-01-01T00:00:00+11:00"}, /* summer over new year */
        {"America/Sao_Paulo", {2018, 11, 4}, "2018-11-04T01:00:00-02:00"}, /* no midnight */
        {"Africa/Cairo", {2023, 4, 28}, "2023-04-28T01:00:00+03:00"},
        {"America/St_Johns", {2010, 11, 7}, "2010-11-07T00:00:00-02:30"}, /* back at 00:01 */
        {"Pacific/Apia", {2011, 12, 31}, "2011-12-31T00:00:00+14:00"},    /* the 30th never was */
        {"Asia/Kathmandu", {2026, 1, 1}, "2026-01-01T00:00:00+05:45"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct zone *z = zone_of(rows[i].zone);
        char text[TIMESTAMP_TEXT_MAX];

        zone_format(z, zone_day_start(z, rows[i].day), text);
        if (strcmp(text, rows[i].start) != 0)
            fail_msg("%s: %s, not %s", rows[i].zone, text, rows[i].start);
        zone_close(&z);
    }
}

static void
a_day_starts_in_itself_and_no_earlier(void **state)
{
    static const char *const names[] = {
        "Europe/Warsaw",     "America/Sao_Paulo",   "Asia/Jakarta", "America/St_Johns",
        "Africa/Casablanca", "Australia/Lord_Howe", "Asia/Tehran"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct zone *z = zone_of(names[i]);

        for (int64_t day = date_to_days((struct date){2005, 1, 1}); day < 23000; day += 3) {
            struct date d = date_from_days(day);
            int64_t start = zone_day_start(z, d);

            assert_int_equal(date_to_days(zone_date(z, start)), day);
            assert_true(date_to_days(zone_date(z, start - 1)) < day);
        }
        zone_close(&z);
    }
}

static void
names_that_are_no_zones(void **state)
{
    static const char *const names[] = {
        "",       "Nowhere/City",   "../../etc/passwd", "/etc/passwd", "Europe/../UTC",
        "Europe", "Asia/Jakarta\n", "tzdata.zi"};
    struct zone *z = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(zone_open(slice_from(names[i]), &z, NULL), ERR_INVALID);
    assert_null(z);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(times_are_written),
        cmocka_unit_test(every_day_of_four_centuries_comes_back),
        cmocka_unit_test(day_starts),
        cmocka_unit_test(a_day_starts_in_itself_and_no_earlier),
        cmocka_unit_test(names_that_are_no_zones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
