/* A data folder, an account and a running server, for the tests of the API. */
#ifndef TESTS_UNIT_WEB_FIXTURE_H
#define TESTS_UNIT_WEB_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/web/client.h"
#include "tests/unit/web/folder.h"
#include "web/api/account.h"
#include "web/api/server.h"

#define FIXTURE_EMAIL    "owner@shop.example"
#define FIXTURE_PASSWORD "correct horse battery"

struct fixture {
    char dir[FOLDER_MAX];
    struct store store;
    struct settings_db *db; /* beside the server's own, as `corong user add` would have it */
    struct web *web;
    struct client client;
};

static inline void
fixture_start_web(struct fixture *f, const struct web_config *wish)
{
    struct web_config config = *wish;
    struct err err = ERR_NONE;

    config.data_dir = f->dir;
    config.address = "127.0.0.1";
    config.port = 0;
    config.n_threads = 4;
    config.snippet_path = "/corong.js";
    config.beacon_path = "/e";
    if (config.collector_url == NULL)
        config.collector_url = "http://localhost:8001";
    if (config.public_url == NULL)
        config.public_url = "";
    if (config.trusted_proxies == NULL)
        config.trusted_proxies = "";
    if (web_start(&config, &f->web, &err) != ERR_OK)
        fail_msg("%s: %s", err.field, err.message);
    f->client.port = web_port(f->web);
}

static inline int
fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err err = ERR_NONE;

    folder_make(f->dir);
    if (store_open(f->dir, true, &f->store, &err) != ERR_OK ||
        settings_db_open(&f->store, &f->db, &err) != ERR_OK)
        fail_msg("%s", err.message);
    fixture_start_web(f, &(struct web_config){.demo = true});
    *state = f;
    return 0;
}

static inline int
fixture_teardown(void **state)
{
    struct fixture *f = *state;

    client_fini(&f->client);
    web_stop(&f->web);
    settings_db_close(&f->db);
    folder_remove(f->dir);
    free(f);
    return 0;
}

static inline void
fixture_add_account(struct fixture *f, const char *email, enum account_role role)
{
    assert_int_equal(account_add(f->db, slice_from(email), SLICE(FIXTURE_PASSWORD), role, NULL),
                     ERR_OK);
}

static inline int
fixture_sign_in(struct fixture *f, const char *email, const char *password)
{
    char body[512];

    snprintf(body, sizeof body, "{\"email\":\"%s\",\"password\":\"%s\"}", email, password);
    return client_send(&f->client, "POST", "/api/v1/session", body);
}

/* Setup, and signed in as an owner. */
static inline int
fixture_setup_signed_in(void **state)
{
    struct fixture *f;

    fixture_setup(state);
    f = *state;
    fixture_add_account(f, FIXTURE_EMAIL, ROLE_OWNER);
    assert_int_equal(fixture_sign_in(f, FIXTURE_EMAIL, FIXTURE_PASSWORD), 200);
    return 0;
}

/* The last reply's body as JSON; json_decref it. */
static inline json_t *
fixture_json(struct fixture *f)
{
    json_error_t where;
    json_t *value = json_loadb(f->client.body, f->client.body_bytes, 0, &where);

    if (value == NULL)
        fail_msg("not JSON: %s: %s", where.text, f->client.body);
    return value;
}

/* Was the last reply this status with this error code and field ("" = none)? */
static inline void
fixture_expect_error(struct fixture *f, int status, const char *code, const char *field)
{
    json_t *body, *error;
    const char *got_field;

    if (f->client.status != status)
        fail_msg("status %d, not %d: %s", f->client.status, status, f->client.body);
    body = fixture_json(f);
    error = json_object_get(body, "error");
    got_field = json_string_value(json_object_get(error, "field"));
    assert_string_equal(json_string_value(json_object_get(error, "code")), code);
    assert_string_equal(got_field ? got_field : "", field);
    assert_true(json_string_length(json_object_get(error, "message")) != 0);
    json_decref(body);
}

#endif
