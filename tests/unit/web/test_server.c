/* Who gets in: setup, sign-in, sessions, and everything that is refused, over real HTTP. */
#include "tests/unit/web/fixture.h"
#include "web/api/route.h"

static void
expect_account(struct fixture *f, const char *email)
{
    json_t *session;
    const char *got;

    assert_int_equal(client_send(&f->client, "GET", "/api/v1/session", NULL), 200);
    session = fixture_json(f);
    got = json_string_value(json_object_get(json_object_get(session, "account"), "email"));
    assert_string_equal(got ? got : "", email);
    json_decref(session);
}

static bool
session_flag(struct fixture *f, const char *name)
{
    json_t *session;
    bool value;

    assert_int_equal(client_send(&f->client, "GET", "/api/v1/session", NULL), 200);
    session = fixture_json(f);
    assert_true(json_is_boolean(json_object_get(session, name)));
    value = json_is_true(json_object_get(session, name));
    json_decref(session);
    return value;
}

static void
test_first_account_by_the_link_once_only(void **state)
{
    struct fixture *f = *state;
    char token[ACCOUNT_TOKEN_MAX], body[512], cookie[512];

    assert_true(session_flag(f, "setup"));
    assert_int_equal(account_setup_token_create(f->db, token, NULL), ERR_OK);

    client_send(&f->client, "POST", "/api/v1/setup",
                "{\"token\":\"nonsense\",\"email\":\"a@b.example\",\"password\":\"0123456789\"}");
    fixture_expect_error(f, 403, "denied", "token");

    snprintf(body, sizeof body,
             "{\"token\":\"%s\",\"email\":\"a@b.example\",\"password\":\"012345678\"}", token);
    client_send(&f->client, "POST", "/api/v1/setup", body);
    fixture_expect_error(f, 400, "invalid", "password");

    snprintf(body, sizeof body,
             "{\"token\":\"%s\",\"email\":\"Owner@Shop.example\",\"password\":\"%s\"}", token,
             FIXTURE_PASSWORD);
    assert_int_equal(client_send(&f->client, "POST", "/api/v1/setup", body), 201);
    assert_true(client_header(&f->client, "Set-Cookie", cookie, sizeof cookie));
    assert_non_null(strstr(cookie, "corong_session="));
    assert_non_null(strstr(cookie, "; HttpOnly"));
    assert_non_null(strstr(cookie, "; SameSite=Lax"));
    assert_non_null(strstr(cookie, "; Path=/"));
    assert_null(strstr(cookie, "Secure"));
    assert_false(session_flag(f, "setup"));
    expect_account(f, "owner@shop.example");

    client_send(&f->client, "POST", "/api/v1/setup", body);
    fixture_expect_error(f, 409, "exists", "");
}

static void
test_sign_in_and_out(void **state)
{
    struct fixture *f = *state;
    char first[256];
    struct client thief;

    fixture_add_account(f, FIXTURE_EMAIL, ROLE_OWNER);
    fixture_sign_in(f, FIXTURE_EMAIL, "wrong password");
    fixture_expect_error(f, 401, "wrong_password", "");
    fixture_sign_in(f, "nobody@shop.example", FIXTURE_PASSWORD);
    fixture_expect_error(f, 401, "wrong_password", "");
    expect_account(f, "");

    assert_int_equal(fixture_sign_in(f, "OWNER@shop.example", FIXTURE_PASSWORD), 200);
    expect_account(f, FIXTURE_EMAIL);
    memcpy(first, f->client.cookie, sizeof first);

    /* signing in again makes another token, and the first is worth nothing */
    assert_int_equal(fixture_sign_in(f, FIXTURE_EMAIL, FIXTURE_PASSWORD), 200);
    assert_string_not_equal(first, f->client.cookie);
    thief = (struct client){.port = f->client.port};
    memcpy(thief.cookie, first, sizeof first);
    assert_int_equal(client_send(&thief, "GET", "/api/v1/sites", NULL), 401);

    memcpy(thief.cookie, f->client.cookie, sizeof thief.cookie);
    assert_int_equal(client_send(&f->client, "DELETE", "/api/v1/session", NULL), 204);
    assert_string_equal(f->client.cookie, "corong_session=");
    expect_account(f, "");
    assert_int_equal(client_send(&thief, "GET", "/api/v1/sites", NULL), 401);
    client_fini(&thief);
}

static void
test_sixth_wrong_password_is_told_to_wait(void **state)
{
    struct fixture *f = *state;
    char seconds[32];

    fixture_add_account(f, FIXTURE_EMAIL, ROLE_OWNER);
    for (int i = 0; i < 3; i++) /* right ones are no failures: they cost nothing */
        assert_int_equal(fixture_sign_in(f, FIXTURE_EMAIL, FIXTURE_PASSWORD), 200);
    for (int i = 0; i < 5; i++)
        assert_int_equal(fixture_sign_in(f, FIXTURE_EMAIL, "wrong password"), 401);
    fixture_sign_in(f, FIXTURE_EMAIL, FIXTURE_PASSWORD);
    fixture_expect_error(f, 429, "too_many_tries", "");
    assert_true(client_header(&f->client, "Retry-After", seconds, sizeof seconds));
    assert_in_range(strtol(seconds, NULL, 10), 1, 900);

    /* the network has had its tries, whatever account it asks for */
    fixture_sign_in(f, "other@shop.example", "wrong password");
    fixture_expect_error(f, 429, "too_many_tries", "");
}

/* Somebody elsewhere must not be able to lock an owner out. */
static void
test_tries_of_one_network_do_not_stop_another(void **state)
{
    struct fixture *f = *state;

    web_stop(&f->web);
    fixture_start_web(f,
                      &(struct web_config){.trusted_proxies = "127.0.0.1", .insecure_http = true});
    fixture_add_account(f, FIXTURE_EMAIL, ROLE_OWNER);
    f->client.extra = "X-Forwarded-For: 192.0.2.7\r\n";
    for (int i = 0; i < 5; i++)
        assert_int_equal(fixture_sign_in(f, FIXTURE_EMAIL, "wrong password"), 401);
    f->client.extra = "X-Forwarded-For: 192.0.2.8\r\n"; /* a neighbour of the same /24 */
    assert_int_equal(fixture_sign_in(f, FIXTURE_EMAIL, FIXTURE_PASSWORD), 429);
    f->client.extra = "X-Forwarded-For: 198.51.100.7\r\n";
    assert_int_equal(fixture_sign_in(f, FIXTURE_EMAIL, FIXTURE_PASSWORD), 200);
}

static void
test_requests_of_other_pages_change_nothing(void **state)
{
    static const struct {
        bool no_corong;
        const char *extra;
    } rows[] = {
        {true, NULL},
        {false, "Origin: http://evil.example\r\n"},
        {false, "Origin: null\r\n"},
        {false, "Origin: http://localhost:1\r\n"},
        {false, "Sec-Fetch-Site: cross-site\r\n"},
        {false, "Sec-Fetch-Site: same-site\r\n"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        f->client.no_corong = rows[i].no_corong;
        f->client.extra = rows[i].extra;
        client_send(&f->client, "POST", "/api/v1/sites",
                    "{\"name\":\"shop\",\"domain\":\"shop.example\"}");
        fixture_expect_error(f, 403, "cross_site", "");
        client_send(&f->client, "DELETE", "/api/v1/session", NULL);
        fixture_expect_error(f, 403, "cross_site", "");
    }
    f->client.no_corong = false;
    f->client.extra = NULL;
    expect_account(f, FIXTURE_EMAIL);
    assert_int_equal(client_send(&f->client, "GET", "/api/v1/sites", NULL), 200);
    assert_string_equal(f->client.body, "{\"sites\":[]}");
}

/* Plain http under the name of another machine: the page that explains, and nothing else. */
static void
test_plain_http_away_from_this_machine(void **state)
{
    struct fixture *f = *state;

    f->client.host = "192.168.1.20:8000";
    assert_true(session_flag(f, "insecure"));
    expect_account(f, ""); /* a session is not believed there */
    fixture_sign_in(f, FIXTURE_EMAIL, FIXTURE_PASSWORD);
    fixture_expect_error(f, 403, "insecure", "");
    client_send(&f->client, "GET", "/api/v1/sites", NULL);
    fixture_expect_error(f, 403, "insecure", "");
    f->client.host = NULL;
    assert_false(session_flag(f, "insecure"));
    expect_account(f, FIXTURE_EMAIL);
}

static void
test_plain_http_where_it_was_allowed(void **state)
{
    struct fixture *f = *state;

    web_stop(&f->web);
    fixture_start_web(f, &(struct web_config){.insecure_http = true});
    fixture_add_account(f, FIXTURE_EMAIL, ROLE_OWNER);
    f->client.host = "192.168.1.20:8000";
    assert_false(session_flag(f, "insecure"));
    assert_int_equal(fixture_sign_in(f, FIXTURE_EMAIL, FIXTURE_PASSWORD), 200);
}

static void
test_https_of_a_trusted_proxy(void **state)
{
    struct fixture *f = *state;
    char cookie[512];

    web_stop(&f->web);
    fixture_start_web(f, &(struct web_config){.public_url = "https://stats.shop.example/",
                                              .trusted_proxies = "127.0.0.1"});
    fixture_add_account(f, FIXTURE_EMAIL, ROLE_OWNER);
    f->client.host = "stats.shop.example";
    assert_true(session_flag(f, "insecure"));
    f->client.extra = "X-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.7\r\n"
                      "Origin: https://stats.shop.example\r\n";
    assert_false(session_flag(f, "insecure"));
    assert_int_equal(fixture_sign_in(f, FIXTURE_EMAIL, FIXTURE_PASSWORD), 200);
    assert_true(client_header(&f->client, "Set-Cookie", cookie, sizeof cookie));
    assert_memory_equal(cookie, "__Host-corong_session=", 22);
    assert_non_null(strstr(cookie, "; Secure"));
    expect_account(f, FIXTURE_EMAIL);
}

static void
test_foreign_host_is_refused(void **state)
{
    static const char *const paths[] = {"/", "/api/v1/session", "/api/v1/sites"};
    struct fixture *f = *state;

    f->client.host = "rebound.evil.example:8000";
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        client_send(&f->client, "GET", paths[i], NULL);
        fixture_expect_error(f, 403, "host", "");
    }
    assert_int_equal(client_send(&f->client, "GET", "/healthz", NULL), 200);
}

/* Every route that openapi.json does not declare public (test_route.c holds the two together). */
static void
test_nobody_gets_in_without_a_session(void **state)
{
    struct fixture *f = *state;
    int n = 0;

    for (size_t i = 0; i < route_count(); i++) {
        struct route_entry route = route_at(i);
        const char *method = route.method == HTTP_GET     ? "GET"
                             : route.method == HTTP_POST  ? "POST"
                             : route.method == HTTP_PUT   ? "PUT"
                             : route.method == HTTP_PATCH ? "PATCH"
                                                          : "DELETE";

        if (route.is_public)
            continue;
        for (int forged = 0; forged < 2; forged++) {
            snprintf(f->client.cookie, sizeof f->client.cookie, "%s",
                     forged ? "corong_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" : "");
            client_send(&f->client, method, route.path, route.method == HTTP_GET ? NULL : "{}");
            fixture_expect_error(f, 401, "sign_in", "");
        }
        n++;
    }
    assert_true(n >= 15);
}

static void
test_viewer_reads_and_does_not_write(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(client_send(&f->client, "POST", "/api/v1/sites",
                                 "{\"name\":\"shop\",\"domain\":\"shop.example\"}"),
                     201);
    fixture_add_account(f, "viewer@shop.example", ROLE_VIEWER);
    assert_int_equal(fixture_sign_in(f, "viewer@shop.example", FIXTURE_PASSWORD), 200);
    assert_int_equal(client_send(&f->client, "GET", "/api/v1/sites", NULL), 200);
    assert_int_equal(client_send(&f->client, "GET", "/api/v1/sites/shop/funnels", NULL), 200);
    client_send(&f->client, "POST", "/api/v1/sites", "{\"name\":\"x\",\"domain\":\"x.example\"}");
    fixture_expect_error(f, 403, "role", "");
    client_send(&f->client, "PUT", "/api/v1/sites/shop/funnels/x", "{}");
    fixture_expect_error(f, 403, "role", "");
    client_send(&f->client, "DELETE", "/api/v1/sites/shop/funnels/x", NULL);
    fixture_expect_error(f, 403, "role", "");
}

static void
test_bodies_that_are_none(void **state)
{
    static const struct {
        const char *body;
        const char *field;
    } rows[] = {
        {"", ""},
        {"{", ""},
        {"[]", ""},
        {"null", ""},
        {"\xff\xfe", ""},
        {"{\"email\":\"a@b\",\"email\":\"a@b\",\"password\":\"x\"}", ""},
        {"{\"email\":\"a@b\"}", "password"},
        {"{\"password\":\"x\"}", "email"},
        {"{\"email\":1,\"password\":\"x\"}", "email"},
        {"{\"email\":\"a@b\",\"password\":\"x\",\"admin\":true}", "admin"},
        {"{\"email\":\"ab\",\"password\":\"x\"}", "email"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        client_send(&f->client, "POST", "/api/v1/session", rows[i].body);
        fixture_expect_error(f, 400, "invalid", rows[i].field);
    }
}

static void
test_deep_and_large_bodies(void **state)
{
    struct fixture *f = *state;
    char *text = malloc(300 * 1024 + 1);

    memset(text, '[', 250 * 1024);
    text[250 * 1024] = '\0';
    client_send(&f->client, "POST", "/api/v1/session", text);
    fixture_expect_error(f, 400, "invalid", "");
    memset(text, ' ', 300 * 1024);
    text[300 * 1024] = '\0';
    client_send(&f->client, "POST", "/api/v1/session", text);
    fixture_expect_error(f, 413, "too_large", "");
    free(text);
}

static void
test_addresses_and_methods_that_do_not_exist(void **state)
{
    struct fixture *f = *state;
    char allow[64];

    client_send(&f->client, "GET", "/api/v1/nothing", NULL);
    fixture_expect_error(f, 404, "not_found", "");
    client_send(&f->client, "GET", "/api/v2/sites", NULL);
    fixture_expect_error(f, 404, "not_found", "");
    client_send(&f->client, "PUT", "/api/v1/session", "{}");
    assert_int_equal(f->client.status, 405);
    assert_true(client_header(&f->client, "Allow", allow, sizeof allow));
    assert_string_equal(allow, "GET, POST, DELETE");
    client_send(&f->client, "POST", "/", "");
    assert_int_equal(f->client.status, 405);
}

static void
test_every_reply_carries_the_security_headers(void **state)
{
    static const struct {
        const char *method, *path;
    } rows[] = {
        {"GET", "/"},
        {"GET", "/assets/none.js"},
        {"GET", "/api/v1/session"},
        {"GET", "/api/v1/sites"},
        {"GET", "/api/v1/nothing"},
        {"POST", "/"},
        {"GET", "/healthz"},
        {"GET", "/metrics"},
    };
    static const char policy[] =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
    struct fixture *f = *state;
    char value[1024];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        client_send(&f->client, rows[i].method, rows[i].path, NULL);
        assert_true(client_header(&f->client, "Content-Security-Policy", value, sizeof value));
        assert_string_equal(value, policy);
        assert_true(client_header(&f->client, "X-Content-Type-Options", value, sizeof value));
        assert_string_equal(value, "nosniff");
        assert_true(client_header(&f->client, "Referrer-Policy", value, sizeof value));
        assert_true(client_header(&f->client, "Cache-Control", value, sizeof value));
        if (strncmp(rows[i].path, "/api/", 5) == 0)
            assert_string_equal(value, "no-store");
        assert_false(client_header(&f->client, "Access-Control-Allow-Origin", value, sizeof value));
    }
}

static void
test_what_machines_ask(void **state)
{
    struct fixture *f = *state;
    json_t *document;

    assert_int_equal(client_send(&f->client, "GET", "/healthz", NULL), 200);
    assert_string_equal(f->client.body, "ok\n");
    assert_int_equal(client_send(&f->client, "GET", "/metrics", NULL), 200);
    assert_non_null(strstr(f->client.body, "corong_web_replies_total{status=\"2xx\"} 1\n"));
    assert_int_equal(client_send(&f->client, "GET", "/api/v1/openapi.json", NULL), 200);
    document = fixture_json(f);
    assert_string_equal(json_string_value(json_object_get(document, "openapi")), "3.1.0");
    json_decref(document);
}

/* ---- The built interface; where it was not built, what the server says instead ---- */

static bool
is_built(struct fixture *f)
{
    client_send(&f->client, "GET", "/", NULL);
    if (f->client.status == 200)
        return true;
    assert_int_equal(f->client.status, 503);
    assert_non_null(strstr(f->client.body, "built without its user interface"));
    return false;
}

static void
expect_header(struct fixture *f, const char *name, const char *value)
{
    char got[256];

    if (!client_header(&f->client, name, got, sizeof got))
        fail_msg("no header %s", name);
    assert_string_equal(got, value);
}

static void
test_pages_of_the_interface(void **state)
{
    static const char *const pages[] = {"/setup?token=x", "/sites/shop/funnels/Spring%20campaign",
                                        "/index.html"};
    struct fixture *f = *state;
    char *index;

    if (!is_built(f))
        skip();
    expect_header(f, "Content-Type", "text/html; charset=utf-8");
    expect_header(f, "Cache-Control", "no-cache");
    index = strdup(f->client.body);
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        assert_int_equal(client_send(&f->client, "GET", pages[i], NULL), 200);
        assert_string_equal(f->client.body, index);
    }
    free(index);
    assert_int_equal(client_again(&f->client, "/"), 304);
    assert_int_equal(f->client.body_bytes, 0);
}

/* A browser must never run a page as a script. */
static void
test_assets_of_the_interface(void **state)
{
    struct fixture *f = *state;
    char path[256];
    const char *at;
    size_t n_plain;

    client_send(&f->client, "GET", "/assets/none.js", NULL);
    fixture_expect_error(f, 404, "not_found", "");
    client_send(&f->client, "GET", "/assets/../index.html", NULL);
    assert_int_equal(f->client.status, 400);
    if (!is_built(f))
        skip();
    at = strstr(f->client.body, "/assets/");
    assert_non_null(at);
    snprintf(path, sizeof path, "%.*s", (int)strcspn(at, "\""), at);
    assert_int_equal(client_send(&f->client, "GET", path, NULL), 200);
    expect_header(f, "Cache-Control", "public, max-age=31536000, immutable");
    n_plain = f->client.body_bytes;
    f->client.extra = "Accept-Encoding: br, gzip\r\n";
    assert_int_equal(client_send(&f->client, "GET", path, NULL), 200);
    expect_header(f, "Content-Encoding", "gzip");
    expect_header(f, "Vary", "Accept-Encoding");
    assert_true(f->client.body_bytes < n_plain);
    assert_memory_equal(f->client.body, "\x1f\x8b", 2);
}

#define WITH(setup, test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(fixture_setup, test_first_account_by_the_link_once_only),
        WITH(fixture_setup, test_sign_in_and_out),
        WITH(fixture_setup, test_sixth_wrong_password_is_told_to_wait),
        WITH(fixture_setup, test_tries_of_one_network_do_not_stop_another),
        WITH(fixture_setup_signed_in, test_requests_of_other_pages_change_nothing),
        WITH(fixture_setup_signed_in, test_plain_http_away_from_this_machine),
        WITH(fixture_setup, test_plain_http_where_it_was_allowed),
        WITH(fixture_setup, test_https_of_a_trusted_proxy),
        WITH(fixture_setup_signed_in, test_foreign_host_is_refused),
        WITH(fixture_setup, test_nobody_gets_in_without_a_session),
        WITH(fixture_setup_signed_in, test_viewer_reads_and_does_not_write),
        WITH(fixture_setup, test_bodies_that_are_none),
        WITH(fixture_setup, test_deep_and_large_bodies),
        WITH(fixture_setup, test_addresses_and_methods_that_do_not_exist),
        WITH(fixture_setup, test_every_reply_carries_the_security_headers),
        WITH(fixture_setup, test_what_machines_ask),
        WITH(fixture_setup, test_pages_of_the_interface),
        WITH(fixture_setup, test_assets_of_the_interface),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
