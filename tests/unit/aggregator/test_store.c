/* The data folder: made once, agreed on by all, refused where it is another's. */
#include <pthread.h>

#include "tests/unit/aggregator/fixture.h"

static void
write_format(const char *dir, const char *text)
{
    char path[FILE_PATH_MAX];
    struct err err = ERR_NONE;

    file_path(path, dir, "FORMAT");
    assert_ok(file_replace(path, slice_from(text), 0640, &err));
}

static void
test_opens_what_it_made(void **state)
{
    struct fixture *f = *state;
    struct store again;
    struct segment_owner owner = store_owner(&f->store);
    struct err err = ERR_NONE;
    char hex[33];

    assert_ok(store_open(f->dir, false, &again, &err));
    assert_string_equal(again.install_id, f->store.install_id);
    assert_true(again.hash_seed == f->store.hash_seed);
    assert_int_equal(strlen(again.install_id), 32);
    snprintf(hex, sizeof hex, "%016llx%016llx",
             (unsigned long long)*(const uint64_t *)(const void *)owner.install_id,
             (unsigned long long)*(const uint64_t *)(const void *)(owner.install_id + 8));
    assert_string_equal(hex, again.install_id);
}

static void
test_no_folder_is_not_found(void **state)
{
    struct store s;
    struct err err = ERR_NONE;

    (void)state;
    assert_rc(store_open("/tmp/corong-test-nowhere", false, &s, &err), ERR_NOT_FOUND);
    assert_int_equal(access("/tmp/corong-test-nowhere", F_OK), -1);
}

static void
test_newer_format_is_left_untouched(void **state)
{
    struct fixture *f = *state;
    struct store s;
    struct err err = ERR_NONE;
    struct buffer text = BUFFER_EMPTY;
    char path[FILE_PATH_MAX];

    write_format(f->dir, "corong 2\nwhatever\n");
    assert_rc(store_open(f->dir, true, &s, &err), ERR_VERSION);
    file_path(path, f->dir, "FORMAT");
    assert_ok(file_read(path, 1000, &text, &err));
    assert_true(slice_is(buffer_slice(&text), "corong 2\nwhatever\n"));
    buffer_fini(&text);
}

static void
test_a_lost_format_is_not_made_anew_beside_a_catalog(void **state)
{
    struct fixture *f = *state;
    struct store s;
    struct err err = ERR_NONE;
    char path[FILE_PATH_MAX];

    file_path(path, f->dir, "FORMAT");
    assert_ok(file_remove(path, &err));
    assert_rc(store_open(f->dir, true, &s, &err), ERR_CORRUPT);
    assert_false(file_exists(path));
}

static void
test_damaged_format_is_named(void **state)
{
    static const char *const texts[] = {
        "",
        "corong",
        "corong 0\n",
        "hello 1\n",
        "corong 1\ninstall 12\nseed 34\n",
        "corong 1\ninstall 00000000000000000000000000000001\nseed 000000000000000\n",
        "corong 1\ninstall 0000000000000000000000000000000X\nseed 0000000000000001\n",
    };
    struct fixture *f = *state;
    struct store s;
    struct err err = ERR_NONE;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_format(f->dir, texts[i]);
        assert_rc(store_open(f->dir, true, &s, &err), ERR_CORRUPT);
    }
}

struct opener {
    const char *dir;
    struct store store;
    enum err_code rc;
};

static void *
open_store(void *context)
{
    struct opener *o = context;

    o->rc = store_open(o->dir, true, &o->store, NULL);
    return NULL;
}

static void
test_all_who_start_at_once_agree(void **state)
{
    struct opener openers[8];
    pthread_t threads[8];
    char dir[64] = "/tmp/corong-test-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(dir));
    for (int i = 0; i < 8; i++) {
        openers[i] = (struct opener){.dir = dir};
        assert_int_equal(pthread_create(&threads[i], NULL, open_store, &openers[i]), 0);
    }
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(openers[i].rc, ERR_OK);
        assert_string_equal(openers[i].store.install_id, openers[0].store.install_id);
    }
    folder_remove(dir);
}

static void
test_locks(void **state)
{
    struct fixture *f = *state;
    struct err err = ERR_NONE;
    int one = -1, two = -1, all = -1;

    assert_ok(store_lock_writing(&f->store, false, false, &one, &err));
    assert_ok(store_lock_writing(&f->store, false, false, &two, &err));
    assert_rc(store_lock_writing(&f->store, true, false, &all, &err), ERR_CONFLICT);
    file_unlock(&one);
    assert_rc(store_lock_writing(&f->store, true, false, &all, &err), ERR_CONFLICT);
    file_unlock(&two);
    assert_ok(store_lock_writing(&f->store, true, false, &all, &err));
    assert_rc(store_lock_writing(&f->store, false, false, &one, &err), ERR_CONFLICT);
    file_unlock(&all);
    assert_ok(store_lock_merging(&f->store, false, &one, &err));
    assert_rc(store_lock_merging(&f->store, false, &two, &err), ERR_CONFLICT);
    file_unlock(&one);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_opens_what_it_made, fixture_setup, fixture_teardown),
        cmocka_unit_test(test_no_folder_is_not_found),
        cmocka_unit_test_setup_teardown(test_newer_format_is_left_untouched, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_lost_format_is_not_made_anew_beside_a_catalog,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_damaged_format_is_named, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test(test_all_who_start_at_once_agree),
        cmocka_unit_test_setup_teardown(test_locks, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
