/* People of a site, invitations, keys, sessions, what was done: over HTTP. */
#include "tests/unit/web/shop.h"

#include "core/clock.h"

#define SITE   "/api/v1/sites/shop"
#define ANN    "ann@shop.example"
#define SECRET "another long password"

static json_t *
created(struct fixture *f, const char *path, const char *body)
{
    if (client_send(&f->client, "POST", path, body) != 201)
        fail_msg("POST %s: %d %s", path, f->client.status, f->client.body);
    return fixture_json(f);
}

static void
as_owner(struct fixture *f)
{
    f->client.cookie[0] = '\0';
    assert_int_equal(fixture_sign_in(f, FIXTURE_EMAIL, FIXTURE_PASSWORD), 200);
}

/* Post {"token":..,"password":..}. */
static int
accept_with(struct fixture *f, const char *token, const char *password)
{
    char body[512];

    snprintf(body, sizeof body, "{\"token\":\"%s\",\"password\":\"%s\"}", token, password);
    return client_send(&f->client, "POST", "/api/v1/invitation/accept", body);
}

static void
test_invited_by_a_link(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json"), *made, *reply;
    char token[64], body[128];

    made = created(f, SITE "/invitations", "{\"email\":\"Ann@Shop.example\",\"role\":\"editor\"}");
    snprintf(token, sizeof token, "%s", json_string_value(at(made, "token")));
    assert_int_equal(strncmp(json_string_value(at(made, "path")), "/invite#", 8), 0);
    reply = get(f, SITE "/people");
    expect_schema(document, "Person", at(reply, "people.0"));
    expect_schema(document, "Invitation", at(reply, "invitations.0"));
    expect_text(reply, "invitations.0.email", ANN);
    expect_text(reply, "invitations.0.created_by", FIXTURE_EMAIL);
    json_decref(reply);

    f->client.cookie[0] = '\0';
    snprintf(body, sizeof body, "{\"token\":\"%s\"}", token);
    reply = post(f, "/api/v1/invitation", body);
    expect_text(reply, "email", ANN);
    expect_text(reply, "site", "shop");
    assert_true(json_is_false(at(reply, "has_account")));
    json_decref(reply);
    accept_with(f, token, "short");
    fixture_expect_error(f, 400, "invalid", "password");
    assert_int_equal(accept_with(f, token, SECRET), 200);
    reply = get(f, "/api/v1/sites");
    expect_text(reply, "sites.0.role", "editor");
    json_decref(reply);
    accept_with(f, token, SECRET); /* once only */
    fixture_expect_error(f, 403, "denied", "token");
    json_decref(made);
    json_decref(document);
}

static void
test_an_account_that_is_there_takes_its_own_password(void **state)
{
    struct fixture *f = *state;
    json_t *made, *reply;
    char token[64];

    json_decref(created(f, "/api/v1/sites", "{\"name\":\"two\",\"domain\":\"two.example\"}"));
    made = created(f, SITE "/invitations", "{\"email\":\"" ANN "\",\"role\":\"viewer\"}");
    accept_with(f, json_string_value(at(made, "token")), SECRET);
    json_decref(made);
    as_owner(f);
    made =
        created(f, "/api/v1/sites/two/invitations", "{\"email\":\"" ANN "\",\"role\":\"owner\"}");
    snprintf(token, sizeof token, "%s", json_string_value(at(made, "token")));
    json_decref(made);
    f->client.cookie[0] = '\0';
    assert_int_equal(accept_with(f, token, "not her password"), 403);
    assert_int_equal(accept_with(f, token, SECRET), 200);
    reply = get(f, "/api/v1/sites");
    assert_int_equal(json_array_size(at(reply, "sites")), 2);
    expect_text(reply, "sites.0.role", "viewer");
    expect_text(reply, "sites.1.role", "owner");
    json_decref(reply);
}

static void
test_an_invitation_ends(void **state)
{
    struct fixture *f = *state;
    json_t *made = created(f, SITE "/invitations", "{\"email\":\"" ANN "\",\"role\":\"viewer\"}");
    char token[64], path[128];

    snprintf(token, sizeof token, "%s", json_string_value(at(made, "token")));
    snprintf(path, sizeof path, SITE "/invitations/%lld", (long long)integer_at(made, "id"));
    assert_int_equal(client_send(&f->client, "DELETE", path, "{}"), 204);
    client_send(&f->client, "DELETE", path, "{}");
    fixture_expect_error(f, 404, "not_found", "invitation");
    accept_with(f, token, SECRET);
    fixture_expect_error(f, 403, "denied", "token");
    json_decref(made);
    made = created(f, SITE "/invitations", "{\"email\":\"" ANN "\",\"role\":\"viewer\"}");
    clock_set_wall_ms(clock_wall_ms() + 8 * 24 * HOUR);
    accept_with(f, json_string_value(at(made, "token")), SECRET);
    clock_set_wall_ms(-1);
    fixture_expect_error(f, 403, "denied", "token");
    json_decref(made);
}

static void
test_roles_change_and_go(void **state)
{
    struct fixture *f = *state;
    json_t *made = created(f, SITE "/invitations", "{\"email\":\"" ANN "\",\"role\":\"viewer\"}");
    char cookie[256];

    assert_int_equal(accept_with(f, json_string_value(at(made, "token")), SECRET), 200);
    memcpy(cookie, f->client.cookie, sizeof cookie);
    json_decref(made);
    as_owner(f);
    assert_int_equal(client_send(&f->client, "PATCH", SITE "/people/" ANN, "{\"role\":\"editor\"}"),
                     204);
    client_send(&f->client, "PATCH", SITE "/people/" ANN, "{\"role\":\"king\"}");
    fixture_expect_error(f, 400, "invalid", "role");
    client_send(&f->client, "PATCH", SITE "/people/nobody@x.example", "{\"role\":\"viewer\"}");
    fixture_expect_error(f, 404, "not_found", "email");
    client_send(&f->client, "DELETE", SITE "/people/" FIXTURE_EMAIL, "{}");
    fixture_expect_error(f, 409, "conflict", "email");
    memcpy(f->client.cookie, cookie, sizeof cookie);
    assert_int_equal(client_send(&f->client, "PATCH", SITE, "{}"), 200);
    as_owner(f);
    assert_int_equal(client_send(&f->client, "DELETE", SITE "/people/" ANN, "{}"), 204);
    memcpy(f->client.cookie, cookie, sizeof cookie);
    client_send(&f->client, "GET", SITE, NULL);
    fixture_expect_error(f, 404, "not_found", "site");
}

static void
test_keys(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json"), *made, *reply;
    char header[128], path[128];

    made = created(f, SITE "/keys", "{\"name\":\"Sheet\",\"scopes\":[\"manage\",\"read\"]}");
    snprintf(header, sizeof header, "Authorization: Bearer %s\r\n",
             json_string_value(at(made, "key")));
    snprintf(path, sizeof path, SITE "/keys/%lld", (long long)integer_at(made, "id"));
    reply = get(f, SITE "/keys");
    expect_schema(document, "ApiKey", at(reply, "keys.0"));
    expect_text(reply, "keys.0.scopes.0", "read");
    assert_true(json_is_null(at(reply, "keys.0.last_used")));
    assert_null(json_object_get(at(reply, "keys.0"), "key"));
    json_decref(reply);

    f->client.cookie[0] = '\0';
    f->client.extra = header;
    f->client.no_corong = true; /* no browser sends it by itself */
    reply = get(f, SITE);
    expect_text(reply, "role", "key");
    json_decref(reply);
    assert_int_equal(client_send(&f->client, "PATCH", SITE, "{\"currency\":\"EUR\"}"), 200);
    reply = get(f, "/api/v1/session");
    assert_true(json_is_null(at(reply, "account")));
    json_decref(reply);
    f->client.extra = NULL;
    f->client.no_corong = false;

    as_owner(f);
    reply = get(f, SITE "/keys");
    assert_true(json_is_string(at(reply, "keys.0.last_used")));
    json_decref(reply);
    reply = get(f, SITE "/audit");
    expect_text(reply, "entries.0.who", "key 1");
    json_decref(reply);
    assert_int_equal(client_send(&f->client, "DELETE", path, "{}"), 204);
    f->client.cookie[0] = '\0';
    f->client.extra = header;
    assert_int_equal(client_send(&f->client, "GET", SITE, NULL), 401);
    f->client.extra = NULL;
    json_decref(made);
    json_decref(document);
}

static void
test_keys_that_cannot_be(void **state)
{
    static const struct {
        const char *body, *field;
    } rows[] = {
        {"{\"name\":\"\",\"scopes\":[\"read\"]}", "name"},
        {"{\"name\":\"a\",\"scopes\":[]}", "scopes"},
        {"{\"name\":\"a\",\"scopes\":[\"all\"]}", "scopes"},
        {"{\"name\":\"a\"}", "scopes"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        client_send(&f->client, "POST", SITE "/keys", rows[i].body);
        fixture_expect_error(f, 400, "invalid", rows[i].field);
    }
}

/* Collectors learn of keys that may send events, and of no others. */
static void
test_event_keys_are_published(void **state)
{
    struct fixture *f = *state;
    struct buffer json = BUFFER_EMPTY;
    struct arena a;
    struct site site;

    json_decref(created(f, SITE "/keys", "{\"name\":\"r\",\"scopes\":[\"read\"]}"));
    json_decref(created(f, SITE "/keys", "{\"name\":\"e\",\"scopes\":[\"write_events\"]}"));
    arena_init(&a, 4096);
    assert_int_equal(site_find(f->db, SLICE("shop"), &a, &site, NULL), ERR_OK);
    assert_int_equal(site.n_event_keys, 1);
    assert_int_equal(site.event_keys[0].n, 64);
    site_to_json(&site, &json);
    assert_true(slice_contains(buffer_slice(&json), site.event_keys[0]));
    buffer_fini(&json);
    arena_fini(&a);
}

static void
test_sessions_are_listed_and_end(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json"), *reply;
    char first[256], path[128];

    memcpy(first, f->client.cookie, sizeof first);
    f->client.cookie[0] = '\0';
    f->client.extra = "User-Agent: Second/2.0\r\n";
    assert_int_equal(fixture_sign_in(f, FIXTURE_EMAIL, FIXTURE_PASSWORD), 200);
    f->client.extra = NULL;
    reply = get(f, "/api/v1/sessions");
    assert_int_equal(json_array_size(at(reply, "sessions")), 2);
    for (int i = 0; i < 2; i++) {
        json_t *session = json_array_get(at(reply, "sessions"), (size_t)i);

        expect_schema(document, "OwnSession", session);
        if (json_is_true(at(session, "current")))
            expect_text(session, "agent", "Second/2.0");
        else
            snprintf(path, sizeof path, "/api/v1/sessions/%s",
                     json_string_value(at(session, "id")));
    }
    json_decref(reply);
    assert_int_equal(client_send(&f->client, "DELETE", path, "{}"), 204);
    client_send(&f->client, "DELETE", path, "{}");
    fixture_expect_error(f, 404, "not_found", "session");
    memcpy(f->client.cookie, first, sizeof first);
    assert_int_equal(client_send(&f->client, "GET", "/api/v1/sites", NULL), 401);
    json_decref(document);
}

static void
test_what_was_done(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json"), *reply;
    char path[128];

    assert_int_equal(client_send(&f->client, "PUT", FUNNELS "/Shop", FUNNEL), 200);
    client_send(&f->client, "PATCH", SITE, "{\"currency\":\"nothing\"}"); /* refused: not done */
    assert_int_equal(client_send(&f->client, "DELETE", FUNNELS "/Shop", "{}"), 204);
    reply = get(f, SITE "/audit?limit=1");
    expect_schema(document, "AuditEntry", at(reply, "entries.0"));
    expect_text(reply, "entries.0.action", "DELETE /api/v1/sites/{site}/funnels/{name}");
    expect_text(reply, "entries.0.detail", FUNNELS "/Shop");
    expect_text(reply, "entries.0.who", FIXTURE_EMAIL);
    snprintf(path, sizeof path, SITE "/audit?before=%s", json_string_value(at(reply, "cursor")));
    json_decref(reply);
    reply = get(f, path);
    assert_int_equal(json_array_size(at(reply, "entries")), 1);
    expect_text(reply, "entries.0.action", "PUT /api/v1/sites/{site}/funnels/{name}");
    assert_true(json_is_null(at(reply, "cursor")));
    json_decref(reply);
    json_decref(document);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup_shop, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_invited_by_a_link),
        CASE(test_an_account_that_is_there_takes_its_own_password),
        CASE(test_an_invitation_ends),
        CASE(test_roles_change_and_go),
        CASE(test_keys),
        CASE(test_keys_that_cannot_be),
        CASE(test_event_keys_are_published),
        CASE(test_sessions_are_listed_and_end),
        CASE(test_what_was_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
