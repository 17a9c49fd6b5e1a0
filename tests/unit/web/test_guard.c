/* Whose Host, whose wire, whose page: every case a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/api/guard.h"

static void
test_host_is_ours(void **state)
{
    static const struct {
        const char *header;
        const char *public_host;
        bool is_ours;
    } rows[] = {
        {"localhost", "", true},
        {"LOCALHOST:8000", "", true},
        {"127.0.0.1:8000", "", true},
        {"192.168.1.20", "", true},
        {"[::1]:8000", "", true},
        {"[2001:db8::1]", "", true},
        {"evil.example", "", false},
        {"evil.example:8000", "", false},
        {"localhost.evil.example", "", false},
        {"127.0.0.1.evil.example", "", false},
        {"stats.shop.example", "stats.shop.example", true},
        {"Stats.Shop.Example:443", "stats.shop.example", true},
        {"xstats.shop.example", "stats.shop.example", false},
        {"stats.shop.example.", "stats.shop.example", false},
        {"", "", false},
        {":8000", "", false},
        {"[::1", "", false},
        {"[::1]x", "", false},
        {"localhost:80a", "", false},
        {"localhost:8000@evil.example", "", false},
        {"0x7f.1", "", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool is_ours =
            guard_host_is_ours(slice_from(rows[i].header), slice_from(rows[i].public_host));

        if (is_ours != rows[i].is_ours)
            fail_msg("Host \"%s\" with public host \"%s\"", rows[i].header, rows[i].public_host);
    }
}

static void
test_is_local_needs_both_peer_and_host(void **state)
{
    static const struct {
        const char *remote;
        const char *host;
        bool is_local;
    } rows[] = {
        {"127.0.0.1", "localhost:8000", true},
        {"127.0.0.1", "127.0.0.1:8000", true},
        {"::1", "[::1]:8000", true},
        {"::ffff:127.0.0.1", "localhost", true},
        {"127.0.0.1", "stats.shop.example", false}, /* a proxy on this machine */
        {"127.0.0.1", "192.168.1.20:8000", false},
        {"192.168.1.7", "localhost:8000", false}, /* a Host is easily made up */
        {"::ffff:192.168.1.7", "localhost", false},
        {"", "localhost", false},
        {"unix", "localhost", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (guard_is_local(slice_from(rows[i].remote), slice_from(rows[i].host)) !=
            rows[i].is_local)
            fail_msg("from %s with Host %s", rows[i].remote, rows[i].host);
    }
}

static void
test_source(void **state)
{
    static const struct {
        const char *host, *origin, *fetch_site, *corong;
        bool is_ours;
    } rows[] = {
        {"localhost:8000", "http://localhost:8000", "same-origin", "1", true},
        {"localhost:8000", "", "", "1", true}, /* no browser */
        {"stats.example", "https://stats.example", "same-origin", "1", true},
        {"localhost:8000", "", "none", "1", true},
        {"localhost:8000", "http://localhost:8000", "same-origin", "", false},
        {"localhost:8000", "http://localhost:8000", "same-origin", "0", false},
        {"localhost:8000", "http://localhost:8001", "same-site", "1", false}, /* the shop */
        {"localhost:8000", "http://localhost:8001", "", "1", false},
        {"localhost:8000", "http://evil.example", "cross-site", "1", false},
        {"localhost:8000", "http://evil.example", "", "1", false},
        {"localhost:8000", "null", "", "1", false},
        {"localhost:8000", "localhost:8000", "", "1", false},
        {"localhost:8000", "http://localhost:8000.evil.example", "", "1", false},
        {"localhost:8000", "", "cross-site", "1", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct guard_source source = {slice_from(rows[i].host), slice_from(rows[i].origin),
                                      slice_from(rows[i].fetch_site), slice_from(rows[i].corong)};

        if ((guard_check_source(&source) == NULL) != rows[i].is_ours)
            fail_msg("row %zu: Origin %s, Sec-Fetch-Site %s, X-Corong %s", i, rows[i].origin,
                     rows[i].fetch_site, rows[i].corong);
    }
}

static void
test_network_of_an_address(void **state)
{
    char a[GUARD_NETWORK_MAX], b[GUARD_NETWORK_MAX];

    (void)state;
    assert_true(slice_equal(guard_network(SLICE("2001:db8:1:2::1"), a),
                            guard_network(SLICE("2001:db8:1:2:ffff::9"), b)));
    assert_false(slice_equal(guard_network(SLICE("2001:db8:1:2::1"), a),
                             guard_network(SLICE("2001:db8:1:3::1"), b)));
    assert_true(
        slice_equal(guard_network(SLICE("192.0.2.1"), a), guard_network(SLICE("192.0.2.254"), b)));
    assert_true(slice_equal(guard_network(SLICE("192.0.2.1"), a),
                            guard_network(SLICE("::ffff:192.0.2.9"), b)));
    assert_false(
        slice_equal(guard_network(SLICE("192.0.2.1"), a), guard_network(SLICE("192.0.3.1"), b)));
    assert_true(slice_is(guard_network(SLICE("nonsense"), a), "nonsense"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host_is_ours),
        cmocka_unit_test(test_is_local_needs_both_peer_and_host),
        cmocka_unit_test(test_source),
        cmocka_unit_test(test_network_of_an_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
