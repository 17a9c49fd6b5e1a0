/* Campaign links: what is refused, what is kept, and that they go with their site. */
#include "aggregator/link_target.h"
#include "aggregator/site.h"
#include "tests/unit/aggregator/fixture.h"

static uint32_t
add_site(struct fixture *f, const char *name)
{
    struct site_wish wish = {.name = slice_from(name), .domain = SLICE("shop.example")};
    char secret[SITE_KEY_MAX];
    struct site site;
    struct err err = ERR_NONE;

    assert_ok(site_add(f->settings, &wish, &f->arena, &site, secret, &err));
    return site.id;
}

static void
test_what_is_refused(void **state)
{
    struct fixture *f = *state;
    uint32_t site = add_site(f, "shop");
    static const struct {
        const char *slug, *target, *field;
    } rows[] = {
        {"", "https://a.example/", "slug"},
        {"a b", "https://a.example/", "slug"},
        {"a/b", "https://a.example/", "slug"},
        {"..", "https://a.example/", "slug"},
        {"a", "", "target"},
        {"a", "/sale", "target"},
        {"a", "//a.example/", "target"},
        {"a", "javascript:alert(1)", "target"},
        {"a", "data:text/html,x", "target"},
        {"a", "ftp://a.example/", "target"},
        {"a", "https:///x", "target"},
        {"a", "https://a.example/\r\nSet-Cookie: x", "target"},
        {"a", "https://a.example/ b", "target"},
        {"a", "https://a.example/\xc3\xa4", "target"},
        {"a", "https://a.example\\@evil.example/", "target"},
    };
    struct link_target *links;
    struct err err = ERR_NONE;
    size_t n;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum err_code rc = link_target_add(f->settings, site, slice_from(rows[i].slug),
                                           slice_from(rows[i].target), &err);
        if (rc != ERR_INVALID || strcmp(err.field, rows[i].field) != 0)
            fail_msg("row %zu: %s", i, err.message);
    }
    assert_ok(link_target_list(f->settings, 0, &f->arena, &links, &n, &err));
    assert_int_equal(n, 0);
    assert_rc(link_target_add(f->settings, 99, SLICE("a"), SLICE("https://a.example"), &err),
              ERR_NOT_FOUND);
}

static void
test_what_is_kept(void **state)
{
    struct fixture *f = *state;
    uint32_t one = add_site(f, "one"), two = add_site(f, "two");
    struct link_target *links;
    struct err err = ERR_NONE;
    size_t n;

    assert_ok(
        link_target_add(f->settings, one, SLICE("june"), SLICE("HTTPS://a.example/?u=1#x"), &err));
    assert_ok(link_target_add(f->settings, one, SLICE("June"), SLICE("http://b.example"), &err));
    assert_ok(link_target_add(f->settings, two, SLICE("july"), SLICE("http://c.example"), &err));
    assert_rc(link_target_add(f->settings, two, SLICE("june"), SLICE("https://d.example"), &err),
              ERR_EXISTS);
    assert_ok(link_target_list(f->settings, one, &f->arena, &links, &n, &err));
    assert_int_equal(n, 2);
    assert_true(slice_is(links[0].slug, "June"));
    assert_true(slice_is(links[1].target, "HTTPS://a.example/?u=1#x"));
    assert_int_equal(links[1].site, one);
    assert_ok(link_target_list(f->settings, 0, &f->arena, &links, &n, &err));
    assert_int_equal(n, 3);
    assert_rc(link_target_remove(f->settings, two, SLICE("june"), &err), ERR_NOT_FOUND);
    assert_ok(link_target_remove(f->settings, one, SLICE("june"), &err));
    assert_ok(site_remove(f->settings, SLICE("two"), &err));
    assert_ok(link_target_list(f->settings, 0, &f->arena, &links, &n, &err));
    assert_int_equal(n, 1);
    assert_true(slice_is(links[0].slug, "June"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_refused, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_kept, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests_name("link_target", tests, NULL, NULL);
}
