/* Splitting and decoding URLs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/buffer.h"
#include "core/url.h"
#include "tests/unit/guard.h"

static struct guard guard;

static void
splits(void **state)
{
    /* scheme|host|port|path|query|fragment; NULL: refused */
    static const struct {
        const char *in;
        const char *out;
    } rows[] = {
        {"https://shop.example/p/1?a=1&b=2#top", "https|shop.example||/p/1|a=1&b=2|top"},
        {"HTTP://Shop.Example", "HTTP|Shop.Example||/||"},
        {"http://shop.example:8080/", "http|shop.example|8080|/||"},
        {"http://shop.example:/x", "http|shop.example||/x||"},
        {"https://shop.example?x", "https|shop.example||/|x|"},
        {"https://shop.example#x?y", "https|shop.example||/||x?y"},
        {"https://u:p@shop.example/x", "https|shop.example||/x||"},
        {"https://evil.example\\@shop.example/", "https|evil.example||\\@shop.example/||"},
        {"https://a@b@shop.example/", "https|shop.example||/||"},
        {"http://[::1]:80/x", "http|[::1]|80|/x||"},
        {"http://[::ffff:1.2.3.4]/", "http|[::ffff:1.2.3.4]||/||"},
        {"//cdn.example/x", "|cdn.example||/x||"},
        {"/p?q=https://x.example/#f", "|||/p|q=https://x.example/|f"},
        {"/", "|||/||"},
        {"/a:b", "|||/a:b||"},
        {"  https://shop.example/a \n", "https|shop.example||/a||"},
        {"https://b\xC3\xBC"
         "cher.example/",
         "https|b\xC3\xBC"
         "cher.example||/||"},
        {"https://shop.example/%zz?%", "https|shop.example||/%zz|%|"},
        {"", NULL},
        {"about:blank", NULL},
        {"javascript:alert(1)", NULL},
        {"data:text/html,x", NULL},
        {"android-app://com.google.android.gm", NULL},
        {"http:", NULL},
        {"http:/x", NULL},
        {"http://", NULL},
        {"https:///path", NULL},
        {"https://:80/", NULL},
        {"https://./x", "https|.||/x||"},
        {"http://shop.example/a?b#c?d", "http|shop.example||/a|b|c?d"},
        {"https:/shop.example/x", NULL},
        {"httpss://shop.example/x", NULL},
        {"https://a b/", NULL},
        {"https://a<b>/", NULL},
        {"https://a%41/", NULL},
        {"https://a:b:80/", NULL},
        {"https://a:80x/", NULL},
        {"https://a:123456/", NULL},
        {"https://[zz]/", NULL},
        {"shop.example/x", NULL},
        {"?q=1", NULL},
        {"#", NULL},
    };
    struct buffer got = BUFFER_EMPTY;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct url u;
        bool ok = url_split(guard_copy(&guard, slice_from(rows[i].in)), &u);

        buffer_clear(&got);
        if (ok)
            buffer_printf(&got, "%.*s|%.*s|%.*s|%.*s|%.*s|%.*s", SLICE_ARG(u.scheme),
                          SLICE_ARG(u.host), SLICE_ARG(u.port), SLICE_ARG(u.path),
                          SLICE_ARG(u.query), SLICE_ARG(u.fragment));
        if (ok != (rows[i].out != NULL) ||
            !slice_equal(buffer_slice(&got), slice_from(rows[i].out)))
            fail_msg("%s gave %.*s", rows[i].in, SLICE_ARG(buffer_slice(&got)));
    }
    buffer_fini(&got);
}

static void
hosts_are_lower_case(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 256);
    assert_true(slice_is(url_host(&a, SLICE("WWW.Shop.Example.")), "www.shop.example"));
    assert_true(slice_is(url_host(&a, SLICE_EMPTY), ""));
    for (int c = 1; c < 256; c++) /* every byte, looked at with seven others and alone */
        for (size_t at = 0; at < 9; at++) {
            char host[] = "w-w.0{@[!";
            char lower[sizeof host];

            memcpy(lower, host, sizeof host);
            host[at] = (char)c;
            lower[at] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
            if (c != '.' || at < 8)
                assert_true(slice_is(url_host(&a, slice_from(host)), lower));
        }
    arena_fini(&a);
}

static void
walks_parameters(void **state)
{
    struct slice rest = SLICE("&a=1&&b&=x&c=1=2&"), name, value;
    struct buffer got = BUFFER_EMPTY;

    (void)state;
    while (url_next_parameter(&rest, &name, &value))
        buffer_printf(&got, "(%.*s|%.*s)", SLICE_ARG(name), SLICE_ARG(value));
    assert_true(slice_is(buffer_slice(&got), "(a|1)(b|)(|x)(c|1=2)"));
    rest = SLICE_EMPTY;
    assert_false(url_next_parameter(&rest, &name, &value));
    buffer_fini(&got);
}

static void
decodes(void **state)
{
    static const struct {
        const char *in;
        const char *out;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"a+b%20c", "a b c"},
        {"%C3%A9%e2%82%ac", "\xC3\xA9\xE2\x82\xAC"},
        {"100%", "100%"},
        {"%4", "%4"},
        {"%zz%4g", "%zz%4g"},
        {"%2541", "%41"},
        {"%FF", "\xEF\xBF\xBD"},
        {"a%C3", "a\xEF\xBF\xBD"},
        {"%C3%28x", "\xEF\xBF\xBD(x"},
        {"\xFF", "\xEF\xBF\xBD"},
    };
    struct arena a;

    (void)state;
    arena_init(&a, 256);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice got = url_decode(&a, guard_copy(&guard, slice_from(rows[i].in)));

        if (!slice_is(got, rows[i].out))
            fail_msg("%s gave %.*s", rows[i].in, SLICE_ARG(got));
    }
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits),
        cmocka_unit_test(hosts_are_lower_case),
        cmocka_unit_test(walks_parameters),
        cmocka_unit_test(decodes),
    };

    guard = guard_create(4096);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
