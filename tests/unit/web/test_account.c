/* Accounts, the one-time link, sessions: against a real settings.db in a folder of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "aggregator/sql.h"
#include "core/clock.h"
#include "tests/unit/web/folder.h"
#include "web/api/account.h"
#include "web/api/password.h"

#define PASSWORD SLICE("correct horse battery")

struct fixture {
    char dir[FOLDER_MAX];
    struct store store;
    struct settings_db *db;
};

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err err = ERR_NONE;

    folder_make(f->dir);
    if (store_open(f->dir, true, &f->store, &err) != ERR_OK ||
        settings_db_open(&f->store, &f->db, &err) != ERR_OK)
        fail_msg("%s", err.message);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    clock_set_wall_ms(-1);
    settings_db_close(&f->db);
    folder_remove(f->dir);
    free(f);
    return 0;
}

static void
test_emails(void **state)
{
    static const struct {
        const char *given;
        const char *normal; /* NULL: refused */
    } rows[] = {
        {"Ann@Shop.Example", "ann@shop.example"},
        {"  ann@localhost ", "ann@localhost"},
        {"ann+x@shop.example", "ann+x@shop.example"},
        {"", NULL},
        {"ann", NULL},
        {"@shop.example", NULL},
        {"ann@", NULL},
        {"ann@b@c", NULL},
        {"an n@shop.example", NULL},
        {"<ann@shop.example>", NULL},
        {"ann@shop.example\n.x", NULL},
    };
    char normal[ACCOUNT_EMAIL_MAX + 1], longest[ACCOUNT_EMAIL_MAX + 2];
    struct err err = ERR_NONE;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum err_code rc = account_email_normalize(slice_from(rows[i].given), normal, &err);

        if (rc != (rows[i].normal ? ERR_OK : ERR_INVALID))
            fail_msg("\"%s\"", rows[i].given);
        if (rc == ERR_OK)
            assert_string_equal(normal, rows[i].normal);
        else
            assert_string_equal(err.field, "email");
    }
    memset(longest, 'a', sizeof longest);
    longest[10] = '@';
    assert_int_equal(account_email_normalize(slice_of(longest, ACCOUNT_EMAIL_MAX), normal, NULL),
                     ERR_OK);
    assert_int_equal(
        account_email_normalize(slice_of(longest, ACCOUNT_EMAIL_MAX + 1), normal, NULL),
        ERR_INVALID);
}

static void
test_password_has_10_to_256_characters(void **state)
{
    char text[1024];

    (void)state;
    memset(text, 'x', sizeof text);
    assert_int_equal(password_check(slice_of(text, 9), NULL), ERR_INVALID);
    assert_int_equal(password_check(slice_of(text, 10), NULL), ERR_OK);
    assert_int_equal(password_check(slice_of(text, 256), NULL), ERR_OK);
    assert_int_equal(password_check(slice_of(text, 257), NULL), ERR_INVALID);
    /* characters, not bytes: 9 of 3 bytes each are too few */
    assert_int_equal(password_check(SLICE("密密密密密密密密密"), NULL), ERR_INVALID);
    assert_int_equal(password_check(SLICE("密密密密密密密密密密"), NULL), ERR_OK);
    assert_int_equal(password_check(SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), NULL),
                     ERR_INVALID);
}

static void
test_hash_is_argon2id_of_the_stated_costs_and_salted(void **state)
{
    char a[PASSWORD_HASH_MAX], b[PASSWORD_HASH_MAX];
    bool is_right;

    (void)state;
    assert_int_equal(password_hash(PASSWORD, a, NULL), ERR_OK);
    assert_int_equal(password_hash(PASSWORD, b, NULL), ERR_OK);
    assert_memory_equal(a, "$argon2id$v=19$m=19456,t=2,p=1$", 31);
    assert_string_not_equal(a, b);
    assert_int_equal(password_verify(a, PASSWORD, &is_right, NULL), ERR_OK);
    assert_true(is_right);
    assert_int_equal(password_verify(a, SLICE("correct horse batterz"), &is_right, NULL), ERR_OK);
    assert_false(is_right);
    assert_int_equal(password_verify(NULL, PASSWORD, &is_right, NULL), ERR_OK);
    assert_false(is_right);
}

/* Of this process: what else runs meanwhile does not count. */
static int64_t
cpu_us(void)
{
    struct timespec t;

    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
    return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

/* An unknown account must cost what a wrong password costs: at least half of it. */
static void
test_unknown_account_takes_as_long(void **state)
{
    struct fixture *f = *state;
    int64_t known_us = INT64_MAX, unknown_us = INT64_MAX;
    struct account account;

    assert_int_equal(account_add(f->db, SLICE("a@b.example"), PASSWORD, ROLE_OWNER, NULL), ERR_OK);
    for (int i = 0; i < 3; i++) {
        int64_t t0 = cpu_us(), t1, t2;

        assert_int_equal(
            account_check(f->db, SLICE("a@b.example"), SLICE("wrong password"), &account, NULL),
            ERR_DENIED);
        t1 = cpu_us();
        assert_int_equal(account_check(f->db, SLICE("nobody@b.example"), SLICE("wrong password"),
                                       &account, NULL),
                         ERR_DENIED);
        t2 = cpu_us();
        known_us = t1 - t0 < known_us ? t1 - t0 : known_us;
        unknown_us = t2 - t1 < unknown_us ? t2 - t1 : unknown_us;
    }
    assert_true(unknown_us * 2 > known_us);
}

static void
test_account_is_found_by_its_password_only(void **state)
{
    struct fixture *f = *state;
    struct account account;
    struct err err = ERR_NONE;
    int64_t n;

    assert_int_equal(account_add(f->db, SLICE("Ann@B.example"), PASSWORD, ROLE_EDITOR, &err),
                     ERR_OK);
    assert_int_equal(account_add(f->db, SLICE("ann@b.EXAMPLE"), PASSWORD, ROLE_VIEWER, &err),
                     ERR_EXISTS);
    assert_string_equal(err.field, "email");
    assert_int_equal(account_count(f->db, &n, NULL), ERR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(account_check(f->db, SLICE("ann@b.example"), PASSWORD, &account, NULL),
                     ERR_OK);
    assert_string_equal(account.email, "ann@b.example");
    assert_int_equal(account.role, ROLE_EDITOR);
    assert_int_equal(account_check(f->db, SLICE("ann@b.example"), SLICE(""), &account, NULL),
                     ERR_DENIED);
}

static void
test_setup_link_works_once(void **state)
{
    struct fixture *f = *state;
    char old[ACCOUNT_TOKEN_MAX], token[ACCOUNT_TOKEN_MAX];
    struct account account;
    struct err err = ERR_NONE;
    struct slice email = SLICE("owner@b.example");

    assert_int_equal(account_setup(f->db, SLICE(""), email, PASSWORD, &account, NULL), ERR_DENIED);
    assert_int_equal(account_setup_token_create(f->db, old, NULL), ERR_OK);
    assert_int_equal(account_setup_token_create(f->db, token, NULL), ERR_OK);
    assert_string_not_equal(old, token);
    assert_int_equal(account_setup(f->db, slice_from(old), email, PASSWORD, &account, NULL),
                     ERR_DENIED);
    assert_int_equal(account_setup(f->db, slice_from(token), email, SLICE("short"), &account, &err),
                     ERR_INVALID);
    assert_string_equal(err.field, "password");
    assert_int_equal(account_setup(f->db, slice_from(token), email, PASSWORD, &account, NULL),
                     ERR_OK);
    assert_int_equal(account.role, ROLE_OWNER);
    assert_int_equal(
        account_setup(f->db, slice_from(token), SLICE("b@b.example"), PASSWORD, &account, NULL),
        ERR_EXISTS);
    assert_int_equal(account_setup_token_create(f->db, token, NULL), ERR_EXISTS);
}

static void
test_setup_link_ends_after_seven_days(void **state)
{
    struct fixture *f = *state;
    char token[ACCOUNT_TOKEN_MAX];
    struct account account;

    clock_set_wall_ms(1000);
    assert_int_equal(account_setup_token_create(f->db, token, NULL), ERR_OK);
    clock_set_wall_ms(1000 + ACCOUNT_SETUP_MS);
    assert_int_equal(
        account_setup(f->db, slice_from(token), SLICE("a@b"), PASSWORD, &account, NULL),
        ERR_DENIED);
    clock_set_wall_ms(1000 + ACCOUNT_SETUP_MS - 1);
    assert_int_equal(
        account_setup(f->db, slice_from(token), SLICE("a@b"), PASSWORD, &account, NULL), ERR_OK);
}

static void
test_session_lives_thirty_days_and_ends(void **state)
{
    struct fixture *f = *state;
    char token[ACCOUNT_TOKEN_MAX], next[ACCOUNT_TOKEN_MAX];
    struct account account;
    struct slice email = SLICE("a@b.example");

    clock_set_wall_ms(1000);
    assert_int_equal(account_add(f->db, email, PASSWORD, ROLE_VIEWER, NULL), ERR_OK);
    assert_int_equal(account_check(f->db, email, PASSWORD, &account, NULL), ERR_OK);
    assert_int_equal(account_session_create(f->db, &account, SLICE(""), token, NULL), ERR_OK);
    assert_true(strlen(token) >= 43); /* 256 bits */

    clock_set_wall_ms(999 + ACCOUNT_SESSION_MS);
    memset(&account, 0, sizeof account);
    assert_int_equal(account_session_find(f->db, slice_from(token), &account, NULL), ERR_OK);
    assert_string_equal(account.email, "a@b.example");
    assert_int_equal(account_session_find(f->db, SLICE("x"), &account, NULL), ERR_NOT_FOUND);
    clock_set_wall_ms(1000 + ACCOUNT_SESSION_MS);
    assert_int_equal(account_session_find(f->db, slice_from(token), &account, NULL), ERR_NOT_FOUND);

    /* a new sign-in ends the session before it, and only that one */
    clock_set_wall_ms(1000);
    assert_int_equal(account_session_create(f->db, &account, slice_from(token), next, NULL),
                     ERR_OK);
    assert_int_equal(account_session_find(f->db, slice_from(token), &account, NULL), ERR_NOT_FOUND);
    assert_int_equal(account_session_find(f->db, slice_from(next), &account, NULL), ERR_OK);
    assert_int_equal(account_session_end(f->db, slice_from(next), NULL), ERR_OK);
    assert_int_equal(account_session_end(f->db, slice_from(next), NULL), ERR_OK);
    assert_int_equal(account_session_find(f->db, slice_from(next), &account, NULL), ERR_NOT_FOUND);
}

/* The file must not hold what lets somebody in. */
static void
test_tokens_and_passwords_are_not_in_the_file(void **state)
{
    struct fixture *f = *state;
    char token[ACCOUNT_TOKEN_MAX], setup_token[ACCOUNT_TOKEN_MAX];
    struct account account = {.role = ROLE_OWNER};
    struct stat st;
    char path[FILE_PATH_MAX];

    assert_int_equal(account_setup_token_create(f->db, setup_token, NULL), ERR_OK);
    assert_true(folder_contains(f->dir, "CREATE TABLE", strlen("CREATE TABLE")));
    assert_false(folder_contains(f->dir, setup_token, strlen(setup_token)));
    assert_int_equal(account_add(f->db, SLICE("a@b.example"), PASSWORD, ROLE_OWNER, NULL), ERR_OK);
    memcpy(account.email, "a@b.example", 12);
    assert_int_equal(account_session_create(f->db, &account, SLICE(""), token, NULL), ERR_OK);
    assert_false(folder_contains(f->dir, token, strlen(token)));
    assert_false(folder_contains(f->dir, PASSWORD.p, PASSWORD.n));
    store_path(&f->store, "settings.db", path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_emails),
        cmocka_unit_test(test_password_has_10_to_256_characters),
        cmocka_unit_test(test_hash_is_argon2id_of_the_stated_costs_and_salted),
        cmocka_unit_test_setup_teardown(test_unknown_account_takes_as_long, setup, teardown),
        cmocka_unit_test_setup_teardown(test_account_is_found_by_its_password_only, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_setup_link_works_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_setup_link_ends_after_seven_days, setup, teardown),
        cmocka_unit_test_setup_teardown(test_session_lives_thirty_days_and_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tokens_and_passwords_are_not_in_the_file, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
