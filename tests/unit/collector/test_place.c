/* Places of addresses, in MaxMind's own test database and in files that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/place.h"
#include "tests/unit/collector/test_data.h"

static void
finds_places(void **state)
{
    static const struct {
        const char *ip;
        const char *place; /* continent country region city; NULL: not there */
    } rows[] = {
        {"81.2.69.142", "EU GB GB-ENG London"},
        {"::ffff:81.2.69.142", "EU GB GB-ENG London"},
        {"2001:218::1", "AS JP  "},
        {"1.1.1.1", NULL},
        {"127.0.0.1", NULL},
        {"::1", NULL},
        {"", NULL},
        {"81.2.69", NULL},
        {"81.2.69.142:80", NULL},
        {"localhost", NULL},
        {"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", NULL},
    };
    struct place_database *database = NULL;
    char path[1024], got[256];
    struct place place;

    (void)state;
    if (!test_data_path("places/GeoIP2-City-Test.mmdb", path, sizeof path))
        skip();
    assert_int_equal(place_open(path, &database, NULL), ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool found = place_find(database, slice_from(rows[i].ip), &place);

        snprintf(got, sizeof got, "%.*s %.*s %.*s %.*s", SLICE_ARG(place.continent),
                 SLICE_ARG(place.country), SLICE_ARG(place.region), SLICE_ARG(place.city));
        if (found != (rows[i].place != NULL) ||
            (found && !slice_is(slice_from(got), rows[i].place)))
            fail_msg("%s gave %s", rows[i].ip, got);
    }
    place_close(&database);
    place_close(&database);
}

static void
a_country_database_knows_no_city(void **state)
{
    struct place_database *database = NULL;
    struct place place;
    char path[1024];

    (void)state;
    if (!test_data_path("places/GeoIP2-Country-Test.mmdb", path, sizeof path))
        skip();
    assert_int_equal(place_open(path, &database, NULL), ERR_OK);
    assert_true(place_find(database, SLICE("81.2.69.142"), &place));
    assert_true(slice_is(place.country, "GB"));
    assert_int_equal(place.region.n, 0);
    assert_int_equal(place.city.n, 0);
    place_close(&database);
}

static void
refuses_what_is_no_database(void **state)
{
    struct place_database *database = NULL;
    struct err err;

    (void)state;
    assert_int_equal(place_open("/nonexistent.mmdb", &database, &err), ERR_NOT_FOUND);
    assert_int_equal(place_open(CORONG_SOURCE_DIR "/CMakeLists.txt", &database, &err), ERR_CORRUPT);
    assert_null(database);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_places),
        cmocka_unit_test(a_country_database_knows_no_city),
        cmocka_unit_test(refuses_what_is_no_database),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
