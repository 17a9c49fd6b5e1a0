/* Places of addresses, in MaxMind's own test database, in a flat one, in damaged ones, and while
 * the file is replaced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/place.h"
#include "core/clock.h"
#include "core/file.h"
#include "tests/support/patience.h"
#include "tests/unit/collector/test_data.h"

#define FLAT CORONG_SOURCE_DIR "/tests/unit/collector/places/flat.mmdb"

static struct arena arena;
static char folder[] = "/tmp/corong-place-XXXXXX";
static char file[sizeof folder + 16];

static int
fresh(void **state)
{
    (void)state;
    arena_reset(&arena);
    file_remove(file, NULL);
    return 0;
}

/* ---- What is found ---- */

struct row {
    const char *ip;
    const char *place; /* continent country region city; NULL: not there */
};

static void
check_rows(const char *path, const struct row *rows, size_t n)
{
    struct place_database *database = NULL;
    char got[256];
    struct place place;

    assert_int_equal(place_open(path, &database, NULL), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        bool found = place_find(database, slice_from(rows[i].ip), &arena, &place);

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
finds_places(void **state)
{
    static const struct row rows[] = {
        {"81.2.69.142", "EU GB GB-ENG London"},
        {"::ffff:81.2.69.142", "EU GB GB-ENG London"},
        {"::ffff:5102:458e", "EU GB GB-ENG London"},
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
    char path[1024];

    (void)state;
    if (!test_data_path("places/GeoIP2-City-Test.mmdb", path, sizeof path))
        skip();
    check_rows(path, rows, sizeof rows / sizeof *rows);
}

static void
a_country_database_knows_no_city(void **state)
{
    static const struct row rows[] = {{"81.2.69.142", "EU GB  "}};
    char path[1024];

    (void)state;
    if (!test_data_path("places/GeoIP2-Country-Test.mmdb", path, sizeof path))
        skip();
    check_rows(path, rows, 1);
}

static void
reads_the_flat_schema(void **state)
{
    static const struct row rows[] = {
        {"81.2.69.142", "EU GB GB-England London"},
        {"::ffff:81.2.69.142", "EU GB GB-England London"},
        {"81.2.69.160", NULL},
        {"10.255.0.1", " ID ID-Jawa Barat Bandung"},
        {"2001:db8::7", " ID  "},
        {"2001:db9::7", NULL},
    };

    (void)state;
    check_rows(FLAT, rows, sizeof rows / sizeof *rows);
}

/* ---- What is refused ---- */

/* The file's new contents, written over the old ones. */
static void
put_bytes(struct slice bytes)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(file_write(fd, bytes.p, bytes.n, NULL), ERR_OK);
    close(fd);
}

static void
refuses_what_is_no_database(void **state)
{
    struct place_database *database = NULL;
    struct err err;

    (void)state;
    assert_int_equal(place_open("/nonexistent.mmdb", &database, &err), ERR_NOT_FOUND);
    assert_int_equal(place_open(CORONG_SOURCE_DIR "/CMakeLists.txt", &database, &err), ERR_CORRUPT);
    assert_int_equal(place_open(CORONG_SOURCE_DIR, &database, &err), ERR_CORRUPT);
    assert_int_equal(place_open("/dev/null", &database, &err), ERR_CORRUPT);
    assert_null(database);
}

/* Look up in what was let through: addresses all over the tree. */
static void
find_many(struct place_database *database)
{
    struct place place;

    for (unsigned i = 0; i < 256; i += 5) {
        char ip[64];

        snprintf(ip, sizeof ip, "%u.%u.69.142", i, (i * 7) & 255);
        place_find(database, slice_from(ip), &arena, &place);
        snprintf(ip, sizeof ip, "2%02x:%x::1", i, i * 31);
        place_find(database, slice_from(ip), &arena, &place);
    }
    place_find(database, SLICE("81.2.69.142"), &arena, &place);
    arena_reset(&arena);
}

/* One database damaged in n ways; returns how many were refused. */
static int
damage(const char *path, int n)
{
    struct buffer whole = BUFFER_EMPTY;
    uint64_t dice = 20261122;
    int n_refused = 0;

    assert_int_equal(file_read(path, 1 << 20, &whole, NULL), ERR_OK);
    for (int i = 0; i < n; i++) {
        struct place_database *database = NULL;
        char *bytes = mem_alloc(whole.n);
        size_t length = whole.n;

        memcpy(bytes, buffer_slice(&whole).p, length);
        for (int k = 0; k <= i % 4; k++) {
            dice = dice * 6364136223846793005u + 1442695040888963407u;
            bytes[(dice >> 33) % length] = (char)(dice >> 25);
        }
        if (i % 8 == 7)
            length = (dice >> 33) % length;
        put_bytes(slice_of(bytes, length));
        if (place_open(file, &database, NULL) == ERR_OK)
            find_many(database);
        else
            n_refused++;
        place_close(&database);
        free(bytes);
    }
    buffer_fini(&whole);
    return n_refused;
}

static void
damaged_databases_harm_nobody(void **state)
{
    char path[1024];

    (void)state;
    assert_in_range(damage(FLAT, 600), 150, 600);
    if (test_data_path("places/GeoIP2-City-Test.mmdb", path, sizeof path))
        assert_in_range(damage(path, 400), 100, 400);
}

/* ---- What is replaced ---- */

static void
put(const char *path, bool in_place, size_t max)
{
    struct buffer b = BUFFER_EMPTY;
    struct slice bytes;

    assert_int_equal(file_read(path, 1 << 20, &b, NULL), ERR_OK);
    bytes = slice_sub(buffer_slice(&b), 0, max);
    if (in_place)
        put_bytes(bytes);
    else
        assert_int_equal(file_replace(file, bytes, 0600, NULL), ERR_OK);
    buffer_fini(&b);
}

static void
a_bad_file_leaves_what_was_there(void **state)
{
    struct place_database *database = NULL;
    struct place place;
    struct err err = ERR_NONE;

    (void)state;
    put(FLAT, false, SIZE_MAX);
    assert_int_equal(place_open(file, &database, NULL), ERR_OK);
    assert_int_equal(truncate(file, 0), 0); /* under the map, were it one of this file */
    assert_true(place_find(database, SLICE("81.2.69.142"), &arena, &place));
    assert_int_equal(place_refresh(database, &err), ERR_CORRUPT);
    assert_int_equal(place_refresh(database, &err), ERR_OK); /* told once */
    put(FLAT, true, 900);
    assert_int_equal(place_refresh(database, &err), ERR_CORRUPT);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(place_refresh(database, &err), ERR_NOT_FOUND);
    assert_true(place_find(database, SLICE("81.2.69.142"), &arena, &place));
    put(FLAT, true, SIZE_MAX);
    assert_int_equal(place_refresh(database, &err), ERR_OK);
    assert_true(place_find(database, SLICE("81.2.69.142"), &arena, &place));
    assert_true(slice_is(place.country, "GB"));
    place_close(&database);
}

/* As rsync --inplace --times or a chmod after a refused file leave it. */
static void
a_file_that_changed_with_its_time_kept_is_seen(void **state)
{
    struct place_database *database = NULL;
    struct timespec times[2];
    struct stat s;

    (void)state;
    put(FLAT, false, SIZE_MAX);
    assert_int_equal(place_open(file, &database, NULL), ERR_OK);
    assert_int_equal(stat(file, &s), 0);
    times[0] = s.st_atim;
    times[1] = s.st_mtim;
    clock_sleep_ms(20); /* the kernel's clock of files has steps */
    put_bytes(slice_of(memset(arena_alloc(&arena, (size_t)s.st_size), 'x', (size_t)s.st_size),
                       (size_t)s.st_size));
    assert_int_equal(utimensat(AT_FDCWD, file, times, 0), 0);
    assert_int_equal(place_refresh(database, NULL), ERR_CORRUPT);
    place_close(&database);
}

static void
a_bad_file_at_the_start_is_mended_later(void **state)
{
    struct place_database *database;
    struct place place;

    (void)state;
    put(FLAT, false, 900);
    database = place_create(file);
    assert_int_equal(place_refresh(database, NULL), ERR_CORRUPT);
    assert_false(place_find(database, SLICE("81.2.69.142"), &arena, &place));
    assert_int_equal(place_watch(database, NULL), ERR_OK);
    put(FLAT, false, SIZE_MAX);
    for (int i = 0;
         i < PATIENCE_MS / 20 && !place_find(database, SLICE("81.2.69.142"), &arena, &place); i++)
        clock_sleep_ms(20);
    assert_true(slice_is(place.country, "GB"));
    place_close(&database);
}

static atomic_bool is_over;

struct reader {
    struct place_database *database;
    pthread_t thread;
    uint64_t n_found;
    uint64_t n_lost;
};

static void *
read_all_along(void *argument)
{
    struct reader *r = argument;
    struct place place;
    struct arena a;

    arena_init(&a, 4096);
    while (!atomic_load(&is_over)) {
        bool found = place_find(r->database, SLICE("81.2.69.142"), &a, &place);

        *(found && slice_is(place.country, "GB") ? &r->n_found : &r->n_lost) += 1;
        arena_reset(&a);
    }
    arena_fini(&a);
    return NULL;
}

static void
no_look_up_is_lost_while_it_is_replaced(void **state)
{
    struct reader readers[3] = {{.n_found = 0}};
    struct place_database *database = NULL;
    char city[1024];

    (void)state;
    if (!test_data_path("places/GeoIP2-City-Test.mmdb", city, sizeof city))
        snprintf(city, sizeof city, "%s", FLAT);
    put(FLAT, false, SIZE_MAX);
    assert_int_equal(place_open(file, &database, NULL), ERR_OK);
    atomic_store(&is_over, false);
    for (int i = 0; i < 3; i++) {
        readers[i].database = database;
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_all_along, &readers[i]), 0);
    }
    for (int i = 0; i < 200; i++) {
        put(i % 2 ? FLAT : city, false, i % 5 == 4 ? 700 : SIZE_MAX);
        assert_int_equal(place_refresh(database, NULL), i % 5 == 4 ? ERR_CORRUPT : ERR_OK);
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < 3; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_true(readers[i].n_found > 0);
        assert_int_equal(readers[i].n_lost, 0);
    }
    place_close(&database);
}

static void
says_what_it_is(void **state)
{
    struct place_database *database = NULL;
    struct place_about about;

    (void)state;
    put(FLAT, false, SIZE_MAX);
    assert_int_equal(place_open(file, &database, NULL), ERR_OK);
    assert_true(place_describe(database, &about));
    assert_string_equal(about.type, "Corong-Flat-Test");
    assert_string_equal(about.notice, "Made by make_flat.mjs");
    assert_int_equal(about.built_ms, INT64_C(1780315200000));
    place_close(&database);
    put(FLAT, false, 700);
    database = place_create(file);
    assert_false(place_describe(database, &about));
    place_close(&database);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(finds_places, fresh),
        cmocka_unit_test_setup(a_country_database_knows_no_city, fresh),
        cmocka_unit_test_setup(reads_the_flat_schema, fresh),
        cmocka_unit_test_setup(refuses_what_is_no_database, fresh),
        cmocka_unit_test_setup(damaged_databases_harm_nobody, fresh),
        cmocka_unit_test_setup(a_bad_file_leaves_what_was_there, fresh),
        cmocka_unit_test_setup(a_file_that_changed_with_its_time_kept_is_seen, fresh),
        cmocka_unit_test_setup(a_bad_file_at_the_start_is_mended_later, fresh),
        cmocka_unit_test_setup(says_what_it_is, fresh),
        cmocka_unit_test_setup(no_look_up_is_lost_while_it_is_replaced, fresh),
    };
    int rc;

    if (!mkdtemp(folder))
        return 1;
    snprintf(file, sizeof file, "%s/p.mmdb", folder);
    arena_init(&arena, 64 * 1024);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    arena_fini(&arena);
    unlink(file);
    rmdir(folder);
    return rc;
}
