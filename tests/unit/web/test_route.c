/* The table of routes, and whether openapi.json describes exactly it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "web/api/route.h"

#define OPENAPI CORONG_SOURCE_DIR "/web/api/openapi.json"

static void
test_match(void **state)
{
    static const struct {
        const char *pattern, *path;
        const char *first, *second; /* first NULL: no match */
    } rows[] = {
        {"/api/v1/sites", "/api/v1/sites", "", ""},
        {"/api/v1/sites", "/api/v1/sites/", NULL, NULL},
        {"/api/v1/sites", "/api/v1/site", NULL, NULL},
        {"/api/v1/sites", "/api/v1/sitesx", NULL, NULL},
        {"/s/{site}/report", "/s/shop/report", "shop", ""},
        {"/s/{site}/report", "/s//report", NULL, NULL},
        {"/s/{site}/report", "/s/a/b/report", NULL, NULL},
        {"/s/{site}/report", "/s/shop", NULL, NULL},
        {"/s/{site}", "/s/shop", "shop", ""},
        {"/s/{site}", "/s/shop/report", NULL, NULL},
        {"/s/{site}", "/s/", NULL, NULL},
        {"/s/{site}/funnels/{name}", "/s/shop/funnels/Spring campaign", "shop", "Spring campaign"},
        {"/s/{site}/funnels/{name}", "/s/shop/funnels/a/b", "shop", "a/b"},
        {"/s/{site}/funnels/{name}", "/s/shop/funnels/", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice out[2] = {SLICE_EMPTY, SLICE_EMPTY};
        bool matches = route_match(rows[i].pattern, slice_from(rows[i].path), out);

        if (matches != (rows[i].first != NULL))
            fail_msg("%s on %s", rows[i].pattern, rows[i].path);
        if (matches && (!slice_is(out[0], rows[i].first) || !slice_is(out[1], rows[i].second)))
            fail_msg("%s on %s gave other parameters", rows[i].pattern, rows[i].path);
    }
}

static const char *
key_of(enum http_method method)
{
    switch (method) {
    case HTTP_GET:
        return "get";
    case HTTP_POST:
        return "post";
    case HTTP_PUT:
        return "put";
    case HTTP_PATCH:
        return "patch";
    case HTTP_DELETE:
        return "delete";
    case HTTP_OPTIONS:
        break;
    }
    return "options";
}

static json_t *
load_document(void)
{
    json_error_t where;
    json_t *document = json_load_file(OPENAPI, JSON_REJECT_DUPLICATES, &where);

    if (document == NULL)
        fail_msg("%s:%d: %s", OPENAPI, where.line, where.text);
    return document;
}

static const char *const rights[] = {
    [ACCESS_PUBLIC] = "public",     [ACCESS_SELF] = "self",   [ACCESS_READ] = "read",
    [ACCESS_VISITORS] = "visitors", [ACCESS_WRITE] = "write", [ACCESS_MANAGE] = "manage"};

static void
test_every_route_is_described(void **state)
{
    json_t *document = load_document();
    json_t *paths = json_object_get(document, "paths");

    (void)state;
    for (size_t i = 0; i < route_count(); i++) {
        struct route_entry route = route_at(i);
        json_t *operation =
            json_object_get(json_object_get(paths, route.path), key_of(route.method));
        json_t *security = json_object_get(operation, "security");

        if (operation == NULL)
            fail_msg("openapi.json lacks %s %s", key_of(route.method), route.path);
        if (route.is_public != (json_is_array(security) && json_array_size(security) == 0))
            fail_msg("openapi.json is wrong about who may %s %s", key_of(route.method), route.path);
        if (strcmp(json_string_value(json_object_get(operation, "x-right")), rights[route.right]) !=
            0)
            fail_msg("openapi.json is wrong about the right to %s %s", key_of(route.method),
                     route.path);
        if (!route.is_public &&
            json_object_get(json_object_get(operation, "responses"), "401") == NULL)
            fail_msg("openapi.json lacks the 401 of %s %s", key_of(route.method), route.path);
    }
    json_decref(document);
}

static bool
is_routed(const char *path, const char *method)
{
    if (strcmp(path, "/healthz") == 0 || strcmp(path, "/metrics") == 0)
        return true; /* beside the API: test_server.c asks them */
    for (size_t i = 0; i < route_count(); i++) {
        struct route_entry route = route_at(i);

        if (strcmp(route.path, path) == 0 && strcmp(key_of(route.method), method) == 0)
            return true;
    }
    return false;
}

static void
test_everything_described_is_routed(void **state)
{
    json_t *document = load_document(), *operations, *operation;
    const char *path, *method;
    int n = 0;

    (void)state;
    json_object_foreach(json_object_get(document, "paths"), path, operations)
    {
        json_object_foreach(operations, method, operation)
        {
            if (strcmp(method, "parameters") == 0)
                continue;
            if (!is_routed(path, method))
                fail_msg("the server lacks %s %s", method, path);
            n++;
        }
    }
    assert_true(n >= 19);
    json_decref(document);
}

/* A $ref that leads nowhere. */
static void
check_refs(json_t *document, json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_array(value))
        json_array_foreach(value, i, member) check_refs(document, member);
    json_object_foreach(value, key, member)
    {
        if (strcmp(key, "$ref") == 0) {
            char text[256];
            json_t *at = document;

            snprintf(text, sizeof text, "%s", json_string_value(member) + 2);
            for (char *save, *part = strtok_r(text, "/", &save); part != NULL;
                 part = strtok_r(NULL, "/", &save))
                at = json_object_get(at, part);
            if (at == NULL)
                fail_msg("%s leads nowhere", json_string_value(member));
        }
        check_refs(document, member);
    }
}

static void
test_references_lead_somewhere(void **state)
{
    json_t *document = load_document();

    (void)state;
    check_refs(document, document);
    json_decref(document);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_every_route_is_described),
        cmocka_unit_test(test_everything_described_is_routed),
        cmocka_unit_test(test_references_lead_somewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
