/* Sites and saved funnels: what is refused, what is kept, what a removed site leaves behind. */
#include "aggregator/saved_funnel.h"
#include "aggregator/site.h"
#include "aggregator/sql.h"
#include "tests/unit/aggregator/fixture.h"

static const struct site_wish good = {
    .name = {"shop", 4},
    .domain = {"shop.example", 12},
    .timezone = {"Asia/Jakarta", 12},
    .currency = {"idr", 3},
};

static struct site
add_site(struct fixture *f, const char *name)
{
    struct site_wish wish = good;
    char secret[SITE_KEY_MAX];
    struct site site;
    struct err err = ERR_NONE;

    wish.name = slice_from(name);
    assert_ok(site_add(f->settings, &wish, &f->arena, &site, secret, &err));
    return site;
}

static void
test_a_site_is_made_with_keys(void **state)
{
    struct fixture *f = *state;
    char secret[SITE_KEY_MAX];
    struct site site, found;
    struct err err = ERR_NONE;

    assert_ok(site_add(f->settings, &good, &f->arena, &site, secret, &err));
    assert_int_equal(site.id, 1);
    assert_int_equal(site.public_key.n, 5 + 22);
    assert_true(slice_starts_with(site.public_key, SLICE("site_")));
    assert_int_equal(strlen(secret), 7 + 32);
    assert_int_equal(strncmp(secret, "secret_", 7), 0);
    assert_int_equal(site.secret_sha256.n, 64);
    assert_true(slice_is(site.currency, "IDR"));
    assert_int_equal(site.max_age_ms, SITE_MAX_AGE_MS);
    assert_ok(site_find(f->settings, SLICE("shop"), &f->arena, &found, &err));
    assert_true(slice_equal(found.public_key, site.public_key));
    assert_rc(site_find(f->settings, SLICE("Shop"), &f->arena, &found, &err), ERR_NOT_FOUND);
    assert_rc(site_add(f->settings, &good, &f->arena, &site, secret, &err), ERR_EXISTS);
}

static void
test_bad_wishes_name_their_field(void **state)
{
    static const struct {
        const char *name, *domain, *timezone, *currency, *field;
        int64_t max_age_ms;
    } rows[] = {
        {"", "a.example", "UTC", "", "name", 0},
        {"a b", "a.example", "UTC", "", "name", 0},
        {"-a", "a.example", "UTC", "", "name", 0},
        {"../a", "a.example", "UTC", "", "name", 0},
        {"a", "", "UTC", "", "domain", 0},
        {"a", "https://a.example", "UTC", "", "domain", 0},
        {"a", "a.example/x", "UTC", "", "domain", 0},
        {"a", "a..example", "UTC", "", "domain", 0},
        {"a", "a.example", "Mars/Olympus", "", "timezone", 0},
        {"a", "a.example", "../../etc/passwd", "", "timezone", 0},
        {"a", "a.example", "UTC", "EURO", "currency", 0},
        {"a", "a.example", "UTC", "", "max_age", 5},
        {"a", "a.example", "UTC", "", "max_age", -1},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct site_wish wish = {
            .name = slice_from(rows[i].name),
            .domain = slice_from(rows[i].domain),
            .timezone = slice_from(rows[i].timezone),
            .currency = slice_from(rows[i].currency),
            .max_age_ms = rows[i].max_age_ms,
        };
        char secret[SITE_KEY_MAX];
        struct site site;
        struct err err = ERR_NONE;

        assert_rc(site_add(f->settings, &wish, &f->arena, &site, secret, &err), ERR_INVALID);
        assert_string_equal(err.field, rows[i].field);
    }
}

static void
test_update_and_list(void **state)
{
    struct fixture *f = *state;
    struct slice referrers[] = {SLICE("pay.example"), SLICE("bank.example")};
    struct site_wish wish = {
        .domain = SLICE("new.example"), .ignored_referrers = referrers, .n_ignored_referrers = 2};
    struct buffer json = BUFFER_EMPTY;
    struct site *sites = NULL;
    struct err err = ERR_NONE;
    size_t n = 0;

    add_site(f, "b");
    add_site(f, "a");
    assert_ok(site_update(f->settings, SLICE("b"), &wish, &err));
    assert_rc(site_update(f->settings, SLICE("c"), &wish, &err), ERR_NOT_FOUND);
    assert_ok(site_list(f->settings, &f->arena, &sites, &n, &err));
    assert_int_equal(n, 2);
    assert_true(slice_is(sites[0].name, "a"));
    assert_true(slice_is(sites[1].domain, "new.example"));
    assert_true(slice_is(sites[1].timezone, "UTC"));
    assert_int_equal(sites[1].n_ignored_referrers, 2);
    site_to_json(&sites[1], &json);
    assert_contains(buffer_slice(&json), "\"id\":1,\"name\":\"b\",\"domain\":\"new.example\"");
    assert_contains(buffer_slice(&json),
                    "\"ignored_referrers\":[\"pay.example\",\"bank.example\"]");
    buffer_fini(&json);
}

/* The words of all four settings, with spaces. */
static void
expect_privacy(const struct site *s, const char *words)
{
    char text[80] = "";
    size_t n = 0;

    for (int i = 0; i < PRIVACY_COUNT; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i > 0 ? " " : "",
                              privacy_word(&s->privacy, (enum privacy_setting)i));
    assert_string_equal(text, words);
}

static void
test_privacy_is_kept_published_and_in_the_tag(void **state)
{
    const struct site_tag tag = {SLICE("https://c.example"), SLICE("/corong.js"), SLICE("/e")};
    struct fixture *f = *state;
    struct buffer json = BUFFER_EMPTY;
    struct err err = ERR_NONE;
    struct site_wish wish;
    struct site site = add_site(f, "a");

    expect_privacy(&site, "first_party none respect ignore");
    wish = site_wish_of(&site);
    wish.privacy[PRIVACY_COOKIELESS] = SLICE("cookieless");
    wish.privacy[PRIVACY_CONSENT] = SLICE("required");
    wish.privacy[PRIVACY_DNT] = SLICE("respect");
    assert_ok(site_update(f->settings, SLICE("a"), &wish, &err));
    assert_ok(site_find(f->settings, SLICE("a"), &f->arena, &site, &err));
    expect_privacy(&site, "cookieless required respect respect");
    site_to_json(&site, &json);
    assert_contains(buffer_slice(&json), "\"identity\":\"cookieless\",\"consent\":\"required\","
                                         "\"gpc\":\"respect\",\"dnt\":\"respect\"");
    buffer_fini(&json);
    assert_contains(site_snippet(&site, &tag, &f->arena),
                    "<script defer src=\"https://c.example/corong.js\" data-site=\"site_");
    assert_contains(site_snippet(&site, &tag, &f->arena),
                    "\" data-identity=\"cookieless\" data-consent=\"required\""
                    " data-respect=\"gpc dnt\"></script>");
    site.privacy = (struct privacy){.on = {[PRIVACY_DNT] = true}};
    assert_contains(site_snippet(&site, &tag, &f->arena), "\" data-respect=\"dnt\"></script>");
    site.privacy = (struct privacy){.on = {false}};
    assert_null(
        strstr(arena_cstr(&f->arena, site_snippet(&site, &tag, &f->arena)), "data-respect"));
}

static void
test_the_tag_says_where_beacons_go(void **state)
{
    static const struct {
        const char *snippet;
        const char *beacon;
        const char *tag;
    } rows[] = {
        {"/corong.js", "/e", "src=\"https://c.example/x/corong.js\" data-site=\"k\"></script>"},
        {"/lib.js", "/e", "src=\"https://c.example/x/lib.js\" data-site=\"k\"></script>"},
        {"/corong.js", "/in", "/x/corong.js\" data-site=\"k\" data-endpoint=\"in\"></script>"},
        {"/a/b/lib.js", "/e",
         "/x/a/b/lib.js\" data-site=\"k\" data-endpoint=\"../../e\"></script>"},
        {"/a/lib.js", "/a/in", "/x/a/lib.js\" data-site=\"k\" data-endpoint=\"../a/in\"></script>"},
    };
    struct fixture *f = *state;
    struct site site = {.public_key = SLICE("k")};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct site_tag tag = {SLICE("https://c.example/x"), slice_from(rows[i].snippet),
                                     slice_from(rows[i].beacon)};

        assert_contains(site_snippet(&site, &tag, &f->arena), rows[i].tag);
    }
}

static void
test_a_word_that_is_none_of_a_setting(void **state)
{
    static const char *const words[] = {"", "Cookieless", "respect ", "yes"};
    struct fixture *f = *state;
    struct site site = add_site(f, "a");

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        for (int p = 0; p < PRIVACY_COUNT; p++) {
            struct site_wish wish = site_wish_of(&site);
            struct err err = ERR_NONE;

            wish.privacy[p] = slice_from(words[i]);
            assert_rc(site_update(f->settings, SLICE("a"), &wish, &err), ERR_INVALID);
            assert_string_equal(err.field, privacy_name((enum privacy_setting)p));
        }
    }
    expect_privacy(&site, "first_party none respect ignore");
}

/* What schema 5 has brought, taken away again. */
#define BACK_TO_4                                                                                  \
    "ALTER TABLE sites DROP COLUMN hosts; ALTER TABLE sites DROP COLUMN page_groups;"              \
    "ALTER TABLE sites DROP COLUMN funnel; ALTER TABLE sites DROP COLUMN first_day_of_week;"       \
    "ALTER TABLE sites DROP COLUMN bots; ALTER TABLE sites DROP COLUMN viewer_journeys;"           \
    "ALTER TABLE accounts DROP COLUMN is_everywhere; ALTER TABLE sessions DROP COLUMN agent;"      \
    "DROP TABLE site_roles; DROP TABLE invitations; DROP TABLE api_keys; DROP TABLE share_links;"  \
    "DROP TABLE audit; DROP TABLE funnel_versions; DROP TABLE saved_filters;"                      \
    "PRAGMA user_version = 4;"

/* Whoever was there before there was a choice goes on as before: the tag in its pages does too. */
static void
test_settings_of_schema_2_are_taken_over(void **state)
{
    struct fixture *f = *state;
    struct site site = add_site(f, "old"), kept;
    struct err err = ERR_NONE;

    assert_ok(sql_run(settings_db_lock(f->settings),
                      BACK_TO_4 "ALTER TABLE sites DROP COLUMN identity;"
                                "ALTER TABLE sites DROP COLUMN consent;"
                                "ALTER TABLE sites DROP COLUMN gpc;"
                                "ALTER TABLE sites DROP COLUMN dnt;"
                                "ALTER TABLE sites DROP COLUMN retention;"
                                "PRAGMA user_version = 2",
                      &err));
    settings_db_unlock(f->settings);
    settings_db_close(&f->settings);
    assert_ok(settings_db_open(&f->store, &f->settings, &err));
    assert_ok(site_find(f->settings, SLICE("old"), &f->arena, &kept, &err));
    assert_true(slice_equal(kept.public_key, site.public_key));
    assert_true(slice_is(kept.domain, "shop.example"));
    expect_privacy(&kept, "first_party none ignore ignore");
    assert_true(slice_is(kept.retention, "never"));
    site = add_site(f, "new");
    expect_privacy(&site, "first_party none respect ignore");
}

static void
test_settings_of_schema_4_are_taken_over(void **state)
{
    struct fixture *f = *state;
    struct site kept;
    struct err err = ERR_NONE;
    int64_t n = 0;
    sqlite3 *sql;

    add_site(f, "old");
    assert_ok(saved_funnel_put(f->settings, 1, SLICE("f"), slice_from(FUNNEL_OF_3), &err));
    assert_ok(sql_run(settings_db_lock(f->settings),
                      BACK_TO_4 "INSERT INTO accounts VALUES('a@b.example', 'x', 'viewer', 1);"
                                "INSERT INTO sessions VALUES('h', 'a@b.example', 1, 2, 1)",
                      &err));
    settings_db_unlock(f->settings);
    settings_db_close(&f->settings);
    assert_ok(settings_db_open(&f->store, &f->settings, &err));
    assert_ok(site_find(f->settings, SLICE("old"), &f->arena, &kept, &err));
    for (int i = 0; i < CHOICE_COUNT; i++)
        assert_int_equal(kept.choices[i], 0);
    assert_int_equal(kept.n_hosts + kept.page_groups.n + kept.funnel.n, 0);
    sql = settings_db_lock(f->settings);
    assert_ok(sql_integer(sql,
                          "SELECT count(*) FROM accounts JOIN sessions USING(email)"
                          " WHERE is_everywhere = 1 AND agent = ''",
                          &n, &err));
    assert_int_equal(n, 1);
    assert_ok(sql_integer(sql, "SELECT count(*) FROM funnel_versions WHERE version = 1", &n, &err));
    assert_int_equal(n, 1);
    settings_db_unlock(f->settings);
}

static void
test_a_removed_sites_id_never_comes_back(void **state)
{
    struct fixture *f = *state;
    uint32_t *removed = NULL;
    struct err err = ERR_NONE;
    size_t n = 0;

    assert_int_equal(add_site(f, "a").id, 1);
    assert_ok(saved_funnel_put(f->settings, 1, SLICE("f"), slice_from(FUNNEL_OF_3), &err));
    assert_ok(site_remove(f->settings, SLICE("a"), &err));
    assert_rc(site_remove(f->settings, SLICE("a"), &err), ERR_NOT_FOUND);
    assert_int_equal(add_site(f, "a").id, 2);
    assert_ok(site_list_removed(f->settings, &f->arena, &removed, &n, &err));
    assert_int_equal(n, 1);
    assert_int_equal(removed[0], 1);
}

static void
test_another_processs_change_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct settings_db *other = NULL;
    struct slice value;
    struct err err = ERR_NONE;
    int64_t before = 0, after = 0;

    assert_ok(settings_db_open(&f->store, &other, &err));
    assert_ok(settings_db_version(other, &before, &err));
    add_site(f, "a");
    assert_ok(settings_db_version(other, &after, &err));
    assert_int_not_equal(before, after);
    assert_rc(settings_db_property_get(other, "x", &f->arena, &value, &err), ERR_NOT_FOUND);
    assert_ok(settings_db_property_put(f->settings, "x", SLICE("y"), &err));
    assert_ok(settings_db_property_get(other, "x", &f->arena, &value, &err));
    assert_true(slice_is(value, "y"));
    settings_db_close(&other);
}

static void
test_saved_funnels(void **state)
{
    struct fixture *f = *state;
    struct saved_funnel *list = NULL;
    struct saved_funnel one;
    struct err err = ERR_NONE;
    size_t n = 0;

    add_site(f, "a");
    assert_ok(saved_funnel_put(f->settings, 1, SLICE("spring"), slice_from(FUNNEL_OF_3), &err));
    assert_ok(saved_funnel_put(f->settings, 1, SLICE("autumn"), slice_from(FUNNEL_OF_3), &err));
    assert_ok(saved_funnel_put(f->settings, 1, SLICE("spring"), slice_from(FUNNEL_OF_3), &err));
    assert_ok(saved_funnel_list(f->settings, 1, &f->arena, &list, &n, &err));
    assert_int_equal(n, 2);
    assert_true(slice_is(list[0].name, "autumn"));
    assert_ok(saved_funnel_get(f->settings, 1, SLICE("spring"), &f->arena, &one, &err));
    assert_true(slice_is(one.definition, FUNNEL_OF_3));
    assert_ok(saved_funnel_remove(f->settings, 1, SLICE("autumn"), &err));
    assert_ok(saved_funnel_remove(f->settings, 1, SLICE("spring"), &err));
    assert_rc(saved_funnel_remove(f->settings, 1, SLICE("spring"), &err), ERR_NOT_FOUND);
    assert_rc(saved_funnel_put(f->settings, 9, SLICE("x"), slice_from(FUNNEL_OF_3), &err),
              ERR_NOT_FOUND);
    assert_rc(saved_funnel_put(f->settings, 1, SLICE(" x"), slice_from(FUNNEL_OF_3), &err),
              ERR_INVALID);
    assert_rc(saved_funnel_put(f->settings, 1, SLICE(".."), slice_from(FUNNEL_OF_3), &err),
              ERR_INVALID);
    assert_rc(saved_funnel_put(f->settings, 1, SLICE("x"), SLICE("{\"stages\":[]}"), &err),
              ERR_INVALID);
}

/* ---- Versions ---- */

static enum err_code
save(struct fixture *f, const char *name, const char *new_name, const char *author,
     int64_t based_on, struct err *err)
{
    struct saved_funnel_wish wish = {.site = 1,
                                     .name = slice_from(name),
                                     .new_name = slice_from(new_name),
                                     .definition = slice_from(FUNNEL_OF_3),
                                     .author = slice_from(author),
                                     .note = SLICE("a note"),
                                     .based_on = based_on};

    return saved_funnel_save(f->settings, &wish, err);
}

static size_t
versions_of(struct fixture *f, const char *name, struct saved_funnel **out)
{
    struct err err = ERR_NONE;
    size_t n = 0;

    assert_ok(saved_funnel_versions(f->settings, 1, slice_from(name), &f->arena, out, &n, &err));
    return n;
}

static void
test_each_save_is_a_version(void **state)
{
    struct fixture *f = *state;
    struct saved_funnel *list, one;
    struct err err = ERR_NONE;

    add_site(f, "a");
    assert_ok(save(f, "x", "", "ana@shop.example", SAVED_FUNNEL_NONE, &err));
    assert_ok(saved_funnel_put(f->settings, 1, SLICE("x"), slice_from(FUNNEL_OF_3), &err));
    assert_ok(save(f, "x", "", "key 3", 2, &err));
    assert_int_equal(versions_of(f, "x", &list), 3);
    assert_int_equal(list[0].version, 3);
    assert_true(slice_is(list[0].author, "key 3"));
    assert_true(slice_is(list[0].note, "a note"));
    assert_int_equal(list[1].author.n + list[1].note.n, 0);
    assert_int_equal(list[2].version, 1);
    assert_ok(saved_funnel_version(f->settings, 1, SLICE("x"), 1, &f->arena, &one, &err));
    assert_true(slice_is(one.definition, FUNNEL_OF_3));
    assert_true(slice_is(one.author, "ana@shop.example"));
    assert_rc(saved_funnel_version(f->settings, 1, SLICE("x"), 4, &f->arena, &one, &err),
              ERR_NOT_FOUND);
    assert_ok(saved_funnel_get(f->settings, 1, SLICE("x"), &f->arena, &one, &err));
    assert_int_equal(one.version, 3);
}

static void
test_a_version_based_on_an_older_one_is_refused(void **state)
{
    struct fixture *f = *state;
    struct saved_funnel *list;
    struct err err = ERR_NONE;

    add_site(f, "a");
    assert_ok(save(f, "x", "", "ana@shop.example", SAVED_FUNNEL_NONE, &err));
    assert_rc(save(f, "x", "", "ben@shop.example", SAVED_FUNNEL_NONE, &err), ERR_EXISTS);
    assert_ok(save(f, "x", "", "ben@shop.example", 1, &err));
    assert_rc(save(f, "x", "", "ana@shop.example", 1, &err), ERR_CONFLICT);
    assert_string_equal(err.field, "version");
    assert_non_null(strstr(err.message, "ben@shop.example saved version 2 at "));
    assert_rc(save(f, "x", "y", "ana@shop.example", 1, &err), ERR_CONFLICT);
    assert_int_equal(versions_of(f, "x", &list), 2);
    assert_rc(save(f, "gone", "", "ana@shop.example", 1, &err), ERR_NOT_FOUND);
}

static void
test_versions_go_with_their_funnel(void **state)
{
    struct fixture *f = *state;
    struct site_wish wish;
    struct saved_funnel *list;
    struct site site;
    struct err err = ERR_NONE;
    size_t n = 0;

    site = add_site(f, "a");
    wish = site_wish_of(&site);
    wish.funnel = SLICE("x");
    assert_ok(save(f, "x", "", "", SAVED_FUNNEL_NONE, &err));
    assert_ok(save(f, "taken", "", "", SAVED_FUNNEL_NONE, &err));
    assert_ok(site_update(f->settings, SLICE("a"), &wish, &err));
    assert_rc(save(f, "x", "taken", "", 1, &err), ERR_EXISTS);
    assert_string_equal(err.field, "rename_to");
    assert_ok(save(f, "x", "y", "", 1, &err));
    assert_int_equal(versions_of(f, "y", &list), 2);
    assert_ok(site_find(f->settings, SLICE("a"), &f->arena, &site, &err));
    assert_true(slice_is(site.funnel, "y"));
    assert_ok(saved_funnel_remove(f->settings, 1, SLICE("y"), &err));
    assert_rc(saved_funnel_versions(f->settings, 1, SLICE("y"), &f->arena, &list, &n, &err),
              ERR_NOT_FOUND);
    assert_ok(save(f, "y", "", "", SAVED_FUNNEL_NONE, &err));
    assert_int_equal(versions_of(f, "y", &list), 1);
}

static void
test_the_oldest_versions_go_first(void **state)
{
    struct fixture *f = *state;
    struct saved_funnel *list;
    struct err err = ERR_NONE;

    add_site(f, "a");
    assert_ok(save(f, "x", "", "", SAVED_FUNNEL_NONE, &err));
    assert_ok(save(f, "x", "", "", 1, &err));
    assert_ok(sql_run(settings_db_lock(f->settings),
                      "UPDATE funnel_versions SET version = 500 WHERE version = 2", &err));
    settings_db_unlock(f->settings);
    assert_int_equal(versions_of(f, "x", &list), 2);
    assert_ok(save(f, "x", "", "", 500, &err));
    assert_int_equal(versions_of(f, "x", &list), 2);
    assert_int_equal(list[0].version, 501);
    assert_int_equal(list[1].version, 500);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_site_is_made_with_keys),
        CASE(test_bad_wishes_name_their_field),
        CASE(test_update_and_list),
        CASE(test_privacy_is_kept_published_and_in_the_tag),
        CASE(test_the_tag_says_where_beacons_go),
        CASE(test_a_word_that_is_none_of_a_setting),
        CASE(test_settings_of_schema_2_are_taken_over),
        CASE(test_settings_of_schema_4_are_taken_over),
        CASE(test_a_removed_sites_id_never_comes_back),
        CASE(test_another_processs_change_is_noticed),
        CASE(test_saved_funnels),
        CASE(test_each_save_is_a_version),
        CASE(test_a_version_based_on_an_older_one_is_refused),
        CASE(test_versions_go_with_their_funnel),
        CASE(test_the_oldest_versions_go_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
