/* Saved funnels with their versions, and saved filters, over HTTP. */
#include "tests/unit/web/shop.h"

/* ---- Saved funnels ---- */

static void
test_funnel_from_first_to_last(void **state)
{
    struct fixture *f = *state;
    json_t *reply;

    assert_int_equal(client_send(&f->client, "PUT", FUNNELS "/Shop", FUNNEL), 200);
    reply = fixture_json(f);
    expect_text(reply, "name", "Shop");
    expect_text(reply, "definition.stages.1.name", "Cart");
    assert_int_equal(strlen(json_string_value(at(reply, "updated"))), 24);
    json_decref(reply);

    /* a name of any letters, in the address once encoded; a definition without one gets it */
    assert_int_equal(client_send(&f->client, "PUT", FUNNELS "/Wiosna%20%C5%BC%3F", "{" STAGES "}"),
                     200);
    reply = get(f, FUNNELS "/Wiosna%20%C5%BC%3F");
    expect_text(reply, "name", "Wiosna ż?");
    expect_text(reply, "definition.name", "Wiosna ż?");
    json_decref(reply);

    reply = get(f, FUNNELS);
    assert_int_equal(json_array_size(at(reply, "funnels")), 2);
    json_decref(reply);

    assert_int_equal(client_send(&f->client, "PUT", FUNNELS "/Shop?rename_to=Store",
                                 "{\"name\":\"Store\"," STAGES "}"),
                     200);
    client_send(&f->client, "GET", FUNNELS "/Shop", NULL);
    fixture_expect_error(f, 404, "not_found", "funnel");
    reply = get(f, FUNNELS "/Store");
    expect_text(reply, "definition.name", "Store");
    json_decref(reply);

    assert_int_equal(client_send(&f->client, "DELETE", FUNNELS "/Store", NULL), 204);
    client_send(&f->client, "DELETE", FUNNELS "/Store", NULL);
    fixture_expect_error(f, 404, "not_found", "funnel");
}

static void
test_funnels_that_cannot_be(void **state)
{
    static const struct {
        const char *path, *body;
        int status;
        const char *code, *field;
    } cases[] = {
        {"/Shop", "", 400, "invalid", ""},
        {"/Shop", "{\"window\":\"7d\",\"stages\":[]}", 400, "invalid", "stages"},
        {"/Shop", "{\"name\":\"Shop\",\"window\":\"7d\"}", 400, "invalid", "stages"},
        {"/Shop",
         "{\"window\":\"7d\",\"stages\":[{\"name\":\"A\",\"rule\":" RULE(
             "a") "},{\"name\":\"B\",\"rule\":"
                  "{\"attribute\":\"event\",\"op\":\"like\",\"values\":[\"x\"]}}]}",
         400, "invalid", "stages[1].rule.op"},
        {"/Shop", "{\"window\":\"5 years\",\"stages\":[]}", 400, "invalid", "window"},
        {"/Shop", "{\"name\":\"Other\"," STAGES "}", 400, "invalid", "name"},
        {"/Shop", "{\"colour\":1," STAGES "}", 400, "invalid", "colour"},
        {"/%20", FUNNEL, 400, "invalid", "name"},
        {"/None?rename_to=Shop", FUNNEL, 404, "not_found", "funnel"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[256];

        snprintf(path, sizeof path, FUNNELS "%s", cases[i].path);
        client_send(&f->client, "PUT", path, cases[i].body);
        fixture_expect_error(f, cases[i].status, cases[i].code, cases[i].field);
    }
    assert_int_equal(client_send(&f->client, "GET", FUNNELS, NULL), 200);
    assert_string_equal(f->client.body, "{\"funnels\":[]}");
}

/* A refused rename must leave both funnels as they were. */
static void
test_rename_that_is_refused_changes_nothing(void **state)
{
    struct fixture *f = *state;
    char *before;

    assert_int_equal(client_send(&f->client, "PUT", FUNNELS "/A", "{" STAGES "}"), 200);
    assert_int_equal(client_send(&f->client, "PUT", FUNNELS "/B", "{" STAGES "}"), 200);
    client_send(&f->client, "GET", FUNNELS, NULL);
    before = strdup(f->client.body);
    client_send(&f->client, "PUT", FUNNELS "/A?rename_to=B", "{" STAGES "}");
    fixture_expect_error(f, 409, "exists", "rename_to");
    client_send(&f->client, "PUT", FUNNELS "/A?rename_to=C", "{\"window\":\"7d\",\"stages\":[]}");
    fixture_expect_error(f, 400, "invalid", "stages");
    client_send(&f->client, "GET", FUNNELS, NULL);
    assert_string_equal(before, f->client.body);
    free(before);
}

/* ---- Versions ---- */

static int
put_with(struct fixture *f, const char *path, const char *header, const char *body)
{
    int status;

    f->client.extra = header;
    status = client_send(&f->client, "PUT", path, body);
    f->client.extra = NULL;
    return status;
}

static void
test_versions_of_a_funnel(void **state)
{
    struct fixture *f = *state;
    json_t *reply, *document = get(f, "/api/v1/openapi.json");

    assert_int_equal(put_with(f, FUNNELS "/A", "If-None-Match: *\r\n", "{" STAGES "}"), 200);
    assert_int_equal(put_with(f, FUNNELS "/A", "If-None-Match: *\r\n", "{" STAGES "}"), 409);
    fixture_expect_error(f, 409, "exists", "name");
    assert_int_equal(put_with(f, FUNNELS "/A?note=A%20note%20%C4%85", "If-Match: \"1\"\r\n",
                              "{\"preset\":\"closed\"," STAGES "}"),
                     200);
    reply = fixture_json(f);
    expect_text(reply, "author", FIXTURE_EMAIL);
    expect_text(reply, "note", "A note \xc4\x85");
    assert_int_equal(integer_at(reply, "version"), 2);
    json_decref(reply);
    put_with(f, FUNNELS "/A?rename_to=B", "If-Match: 1\r\n", "{" STAGES "}");
    fixture_expect_error(f, 409, "conflict", "version");
    assert_non_null(strstr(f->client.body, FIXTURE_EMAIL " saved version 2 at "));
    put_with(f, FUNNELS "/None", "If-Match: 1\r\n", "{" STAGES "}");
    fixture_expect_error(f, 404, "not_found", "funnel");
    put_with(f, FUNNELS "/A", "If-Match: \"one\"\r\n", "{" STAGES "}");
    fixture_expect_error(f, 400, "invalid", "If-Match");
    reply = get(f, FUNNELS "/A/versions");
    assert_int_equal(json_array_size(at(reply, "versions")), 2);
    expect_schema(document, "FunnelVersion", at(reply, "versions.0"));
    assert_int_equal(integer_at(reply, "versions.0.version"), 2);
    expect_text(reply, "versions.1.note", "");
    json_decref(reply);
    reply = get(f, FUNNELS "/A?version=1");
    assert_null(json_object_get(at(reply, "definition"), "preset"));
    json_decref(reply);
    client_send(&f->client, "GET", FUNNELS "/A?version=7", NULL);
    fixture_expect_error(f, 404, "not_found", "version");
    client_send(&f->client, "GET", FUNNELS "/A?version=0", NULL);
    fixture_expect_error(f, 400, "invalid", "version");
    assert_int_equal(client_send(&f->client, "DELETE", FUNNELS "/A", NULL), 204);
    client_send(&f->client, "GET", FUNNELS "/A/versions", NULL);
    fixture_expect_error(f, 404, "not_found", "funnel");
    json_decref(document);
}

/* ---- Saved filters ---- */

#define FILTERS "/api/v1/sites/shop/filters"
#define FILTER(at)                                                                                 \
    "{\"filters\":[{\"rule\":{\"attribute\":\"value\",\"op\":\"ge\",\"values\":[0.1]},\"at\":" at  \
    "}]}"

static void
test_saved_filters(void **state)
{
    static const struct {
        const char *path, *body;
        const char *field;
    } cases[] = {
        {"/x", "{}", "filters"},
        {"/x", "{\"filters\":[]}", "filters"},
        {"/x", "{\"filters\":[{}]}", "filters[0].rule"},
        {"/x", FILTER("2"), "filters[0].at"},
        {"/x", "{\"from\":\"2026-06-01\",\"filters\":[]}", "from"},
        {"/%20", FILTER("\"any\""), "name"},
    };
    struct fixture *f = *state;
    json_t *reply, *document = get(f, "/api/v1/openapi.json");

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[128];

        snprintf(path, sizeof path, FILTERS "%s", cases[i].path);
        client_send(&f->client, "PUT", path, cases[i].body);
        fixture_expect_error(f, 400, "invalid", cases[i].field);
    }
    assert_int_equal(client_send(&f->client, "PUT", FILTERS "/Dear", FILTER("\"any\"")), 200);
    assert_non_null(strstr(f->client.body, "\"values\":[0.1]"));
    reply = fixture_json(f);
    expect_schema(document, "SavedFilter", reply);
    json_decref(reply);
    assert_int_equal(client_send(&f->client, "PUT", FILTERS "/Dear", FILTER("\"none\"")), 200);
    assert_int_equal(client_send(&f->client, "PUT", FILTERS "/Cheap", FILTER("\"any\"")), 200);
    reply = get(f, FILTERS);
    assert_int_equal(json_array_size(at(reply, "filters")), 2);
    expect_text(reply, "filters.0.name", "Cheap");
    expect_text(reply, "filters.1.filters.0.at", "none");
    expect_text(reply, "filters.1.author", FIXTURE_EMAIL);
    json_decref(reply);
    assert_int_equal(client_send(&f->client, "DELETE", FILTERS "/Dear", NULL), 204);
    client_send(&f->client, "DELETE", FILTERS "/Dear", NULL);
    fixture_expect_error(f, 404, "not_found", "name");
    reply = get(f, "/api/v1/sites/shop/audit");
    expect_text(reply, "entries.0.action", "DELETE /api/v1/sites/{site}/filters/{name}");
    expect_text(reply, "entries.0.detail", FILTERS "/Dear");
    json_decref(reply);
    json_decref(document);
}

/* A number must come back as it was given: 0.1 is no double. */
static void
test_numbers_of_rules_are_kept_as_given(void **state)
{
    static const char body[] = "{\"window\":\"7d\",\"stages\":[{\"name\":\"A\",\"rule\":{"
                               "\"attribute\":\"value\",\"op\":\"ge\",\"values\":"
                               "[0.1]}},{\"name\":\"B\",\"rule\":" RULE("sale") "}]}";
    struct fixture *f = *state;

    assert_int_equal(client_send(&f->client, "PUT", FUNNELS "/N", body), 200);
    assert_non_null(strstr(f->client.body, "\"values\":[0.1]"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup_shop, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_funnel_from_first_to_last),
        CASE(test_funnels_that_cannot_be),
        CASE(test_rename_that_is_refused_changes_nothing),
        CASE(test_versions_of_a_funnel),
        CASE(test_saved_filters),
        CASE(test_numbers_of_rules_are_kept_as_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
