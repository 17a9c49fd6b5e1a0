/* What the dashboard does once it is in: sites, values and reports, over real HTTP
 * and on real segments. */
#include <pthread.h>

#include "tests/unit/web/shop.h"

/* ---- Sites ---- */

static void
test_new_site(void **state)
{
    struct fixture *f = *state;
    json_t *site, *sites;
    char snippet[256];

    assert_int_equal(client_send(&f->client, "POST", "/api/v1/sites",
                                 "{\"name\":\"shop\",\"domain\":\"shop.example\",\"timezone\":"
                                 "\"Asia/Jakarta\",\"currency\":\"IDR\"}"),
                     201);
    site = fixture_json(f);
    assert_memory_equal(json_string_value(at(site, "key")), "site_", 5);
    assert_memory_equal(json_string_value(at(site, "secret_key")), "secret_", 7);
    snprintf(snippet, sizeof snippet,
             "<script defer src=\"http://localhost:8001/corong.js\" data-site=\"%s\""
             " data-respect=\"gpc\"></script>",
             json_string_value(at(site, "key")));
    expect_text(site, "snippet", snippet);

    sites = get(f, "/api/v1/sites");
    assert_int_equal(json_array_size(at(sites, "sites")), 1);
    expect_text(sites, "sites.0.name", "shop");
    expect_text(sites, "sites.0.timezone", "Asia/Jakarta");
    expect_text(sites, "sites.0.currency", "IDR");
    expect_text(sites, "sites.0.key", json_string_value(at(site, "key")));
    assert_int_equal(integer_at(sites, "sites.0.events"), 0);
    assert_true(json_is_null(at(sites, "sites.0.first_event")));
    assert_true(json_is_false(at(sites, "sites.0.demo")));
    assert_null(json_object_get(at(sites, "sites.0"), "secret_key")); /* shown once */
    json_decref(sites);
    json_decref(site);
}

static void
test_sites_that_cannot_be(void **state)
{
    static const struct {
        const char *body;
        int status;
        const char *code, *field;
    } cases[] = {
        {"{\"domain\":\"x.example\"}", 400, "invalid", "name"},
        {"{\"name\":\"x\"}", 400, "invalid", "domain"},
        {"{\"name\":\"a b\",\"domain\":\"x.example\"}", 400, "invalid", "name"},
        {"{\"name\":\"../x\",\"domain\":\"x.example\"}", 400, "invalid", "name"},
        {"{\"name\":\"x\",\"domain\":\"x.example\",\"timezone\":\"Mars/Base\"}", 400, "invalid",
         "timezone"},
        {"{\"name\":\"x\",\"domain\":\"x.example\",\"timezone\":\"../../etc/passwd\"}", 400,
         "invalid", "timezone"},
        {"{\"name\":\"x\",\"domain\":\"x.example\",\"currency\":\"RUPIAH\"}", 400, "invalid",
         "currency"},
        {"{\"name\":\"x\",\"domain\":\"x.example\",\"identity\":\"none\"}", 400, "invalid",
         "identity"},
        {"{\"name\":\"x\",\"domain\":\"x.example\",\"colour\":\"red\"}", 400, "invalid", "colour"},
        {"{\"name\":\"shop\",\"domain\":\"x.example\"}", 409, "exists", "name"},
    };
    struct fixture *f = *state;
    json_t *sites;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client_send(&f->client, "POST", "/api/v1/sites", cases[i].body);
        fixture_expect_error(f, cases[i].status, cases[i].code, cases[i].field);
    }
    sites = get(f, "/api/v1/sites");
    assert_int_equal(json_array_size(at(sites, "sites")), 1);
    json_decref(sites);
}

static void
test_a_site_is_changed(void **state)
{
    struct fixture *f = *state;
    json_t *site;

    assert_int_equal(client_send(&f->client, "PATCH", "/api/v1/sites/shop",
                                 "{\"identity\":\"cookieless\",\"dnt\":\"respect\"}"),
                     200);
    json_decref(fixture_json(f));
    site = get(f, "/api/v1/sites/shop");
    expect_text(site, "identity", "cookieless");
    expect_text(site, "consent", "none");
    expect_text(site, "gpc", "respect");
    expect_text(site, "dnt", "respect");
    expect_text(site, "timezone", "Asia/Jakarta"); /* left out, and so as it was */
    expect_text(site, "currency", "USD");
    assert_non_null(strstr(json_string_value(at(site, "snippet")),
                           " data-identity=\"cookieless\" data-respect=\"gpc dnt\">"));
    json_decref(site);
    assert_int_equal(client_send(&f->client, "PATCH", "/api/v1/sites/shop", "{\"currency\":\"\"}"),
                     200);
    site = fixture_json(f);
    expect_text(site, "currency", "");
    expect_text(site, "identity", "cookieless");
    json_decref(site);
}

static void
test_changes_that_cannot_be(void **state)
{
    static const struct {
        const char *body, *field;
    } cases[] = {
        {"{\"identity\":\"fingerprint\"}", "identity"},
        {"{\"consent\":\"\"}", "consent"},
        {"{\"gpc\":true}", "gpc"},
        {"{\"dnt\":null}", "dnt"},
        {"{\"domain\":\"https://x\"}", "domain"},
        {"{\"timezone\":\"Mars/Base\"}", "timezone"},
        {"{\"name\":\"other\"}", "name"},
        {"[]", ""},
    };
    struct fixture *f = *state;
    json_t *site;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client_send(&f->client, "PATCH", "/api/v1/sites/shop", cases[i].body);
        fixture_expect_error(f, 400, "invalid", cases[i].field);
    }
    site = get(f, "/api/v1/sites/shop");
    expect_text(site, "identity", "first_party");
    expect_text(site, "dnt", "ignore");
    json_decref(site);
}

static void
test_site_says_what_it_got(void **state)
{
    struct fixture *f = *state;
    json_t *sites = get(f, "/api/v1/sites");

    assert_int_equal(integer_at(sites, "sites.0.events"), sizeof shop_rows / sizeof *shop_rows);
    expect_text(sites, "sites.0.first_event", "2026-06-01T01:00:00Z");
    expect_text(sites, "sites.0.last_event", "2026-06-03T01:00:00Z");
    json_decref(sites);
}

static bool
has_text(json_t *list, const char *text)
{
    json_t *member;
    size_t i;

    json_array_foreach(list, i, member)
    {
        if (strcmp(json_string_value(member), text) == 0)
            return true;
    }
    return false;
}

static void
test_lists_to_pick_from(void **state)
{
    struct fixture *f = *state;
    json_t *zones = get(f, "/api/v1/timezones");
    json_t *currencies = get(f, "/api/v1/currencies");

    expect_text(zones, "timezones.0", "UTC");
    assert_true(has_text(at(zones, "timezones"), "Asia/Kuala_Lumpur"));
    assert_true(has_text(at(zones, "timezones"), "Europe/Warsaw"));
    assert_true(json_array_size(at(zones, "timezones")) > 300);
    assert_true(has_text(at(currencies, "currencies"), "IDR"));
    assert_true(has_text(at(currencies, "currencies"), "PLN"));
    json_decref(currencies);
    json_decref(zones);
}

static void
test_unknown_site(void **state)
{
    static const char *const paths[] = {"/api/v1/sites/none",
                                        "/api/v1/sites/none/attributes",
                                        "/api/v1/sites/none/values?attribute=event",
                                        "/api/v1/sites/none/funnels",
                                        "/api/v1/sites/none/funnels/x",
                                        "/api/v1/sites/none/report?funnel=x"};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        client_send(&f->client, "GET", paths[i], NULL);
        fixture_expect_error(f, 404, "not_found", "site");
    }
    client_send(&f->client, "PUT", "/api/v1/sites/none/funnels/x", FUNNEL);
    fixture_expect_error(f, 404, "not_found", "site");
}

/* ---- What a site sent ---- */

static void
test_attributes(void **state)
{
    struct fixture *f = *state;
    json_t *reply = get(f, "/api/v1/sites/shop/attributes"), *attribute;
    int n_found = 0;
    size_t i;

    json_array_foreach(at(reply, "attributes"), i, attribute)
    {
        const char *name = json_string_value(at(attribute, "name"));

        if (strcmp(name, "event") == 0) {
            expect_text(attribute, "class", "event");
            expect_text(attribute, "type", "text");
            assert_int_equal(integer_at(attribute, "seen"), 8);
            n_found++;
        } else if (strcmp(name, "campaign") == 0) {
            expect_text(attribute, "class", "driver");
            assert_int_equal(integer_at(attribute, "seen"), 3);
            n_found++;
        } else if (strcmp(name, "value") == 0) {
            expect_text(attribute, "type", "number");
            assert_int_equal(integer_at(attribute, "seen"), 2);
            n_found++;
        } else if (strcmp(name, "properties.size") == 0) {
            assert_int_equal(integer_at(attribute, "seen"), 2);
            n_found++;
        }
    }
    assert_int_equal(n_found, 4);
    json_decref(reply);
}

static void
test_values(void **state)
{
    struct fixture *f = *state;
    json_t *reply = get(f, "/api/v1/sites/shop/values?attribute=event");

    assert_int_equal(json_array_size(at(reply, "values")), 3);
    expect_text(reply, "values.0.value", "pageview");
    assert_int_equal(integer_at(reply, "values.0.events"), 4);
    json_decref(reply);
    reply = get(f, "/api/v1/sites/shop/values?attribute=event&prefix=s&limit=1");
    assert_int_equal(json_array_size(at(reply, "values")), 1);
    expect_text(reply, "values.0.value", "sale");
    json_decref(reply);
    reply = get(f, "/api/v1/sites/shop/values?attribute=properties.size");
    expect_text(reply, "values.0.value", "XL");
    json_decref(reply);

    client_send(&f->client, "GET", "/api/v1/sites/shop/values", NULL);
    fixture_expect_error(f, 400, "invalid", "attribute");
    client_send(&f->client, "GET", "/api/v1/sites/shop/values?attribute=colour", NULL);
    fixture_expect_error(f, 400, "invalid", "attribute");
    client_send(&f->client, "GET", "/api/v1/sites/shop/values?attribute=event&limit=0", NULL);
    fixture_expect_error(f, 400, "invalid", "limit");
    client_send(&f->client, "GET", "/api/v1/sites/shop/values?attribute=event&limit=x", NULL);
    fixture_expect_error(f, 400, "invalid", "limit");
}

/* ---- Reports ---- */

static void
expect_shop_report(json_t *report)
{
    assert_int_equal(integer_at(report, "entered"), 4);
    assert_int_equal(integer_at(report, "converted"), 2);
    assert_int_equal(integer_at(report, "stages.0.reached"), 4);
    assert_int_equal(integer_at(report, "stages.1.reached"), 2);
    assert_int_equal(integer_at(report, "stages.1.skipped"), 1);
    assert_int_equal(integer_at(report, "stages.1.throughput"), 3);
    expect_text(report, "stages.2.value.USD", "22.45");
    expect_text(report, "funnel.preset", "open");
    expect_text(report, "range.first", "2026-06-01T01:00:00Z");
    expect_text(report, "range.last", "2026-06-03T01:00:00Z");
    assert_int_equal(integer_at(report, "presets.open.converted"), 2);
    assert_int_equal(integer_at(report, "presets.closed.converted"), 2);
    assert_int_equal(integer_at(report, "presets.sequential.entered"), 4);
    assert_int_equal(integer_at(report, "presets.sequential.converted"), 1);
    assert_true(json_real_value(at(report, "presets.sequential.conversion_rate")) == 0.25);
}

static void
test_report_of_a_draft(void **state)
{
    struct fixture *f = *state;
    json_t *report = post(f, REPORT, "{\"funnel\":{" STAGES "}}");

    expect_shop_report(report);
    assert_true(json_is_null(at(report, "from")));
    assert_true(json_is_null(at(report, "to")));
    expect_text(report, "timezone", "Asia/Jakarta");
    json_decref(report);

    /* days are the site's: 1 June in Jakarta ends at 17:00Z, before c's cart */
    report = post(f, REPORT,
                  "{\"funnel\":{" STAGES "},\"from\":\"2026-06-01\",\"to\":\"2026-06-02\","
                  "\"as_of\":\"2026-06-02T00:00:00Z\",\"bots\":\"include\"}");
    expect_text(report, "from", "2026-06-01T00:00:00+07:00");
    expect_text(report, "to", "2026-06-02T00:00:00+07:00");
    expect_text(report, "as_of", "2026-06-02T00:00:00Z");
    assert_int_equal(integer_at(report, "entered"), 4);
    assert_int_equal(integer_at(report, "stages.1.reached"), 1);
    json_decref(report);

    report = post(f, REPORT, "{\"funnel\":{\"preset\":\"sequential\"," STAGES "}}");
    assert_int_equal(integer_at(report, "converted"), 1);
    json_decref(report);
}

static void
test_report_of_a_saved_funnel(void **state)
{
    struct fixture *f = *state;
    json_t *report;

    assert_int_equal(client_send(&f->client, "PUT", FUNNELS "/Shop%20now", "{" STAGES "}"), 200);
    report = post(f, REPORT, "{\"funnel\":\"Shop now\",\"from\":null,\"to\":null}");
    expect_shop_report(report);
    json_decref(report);
    report = get(f, REPORT "?funnel=Shop+now&timezone=UTC&bots=exclude");
    expect_shop_report(report);
    expect_text(report, "timezone", "UTC");
    expect_text(report, "funnel.name", "Shop now");
    json_decref(report);
}

static void
test_reports_that_cannot_be(void **state)
{
    static const struct {
        const char *body;
        int status;
        const char *code, *field;
    } cases[] = {
        {"{}", 400, "invalid", "funnel"},
        {"{\"funnel\":\"None\"}", 404, "not_found", "funnel"},
        {"{\"funnel\":1}", 400, "invalid", "funnel"},
        {"{\"funnel\":{\"window\":\"7d\",\"stages\":[]}}", 400, "invalid", "funnel.stages"},
        {"{\"funnel\":{" STAGES "},\"from\":\"yesterday\"}", 400, "invalid", "from"},
        {"{\"funnel\":{" STAGES "},\"from\":\"2026-06-02\",\"to\":\"2026-06-01\"}", 400, "invalid",
         "to"},
        {"{\"funnel\":{" STAGES "},\"timezone\":\"Mars/Base\"}", 400, "invalid", "timezone"},
        {"{\"funnel\":{" STAGES "},\"bots\":\"some\"}", 400, "invalid", "bots"},
        {"{\"funnel\":{" STAGES "},\"colour\":\"red\"}", 400, "invalid", "colour"},
        {"{\"funnel\":{" STAGES "},\"filters\":[{}]}", 400, "invalid", "filters[0].rule"},
        {"{\"funnel\":{" STAGES "},\"breakdown\":[{\"attribute\":\"colour\"}]}", 400, "invalid",
         "breakdown[0].attribute"},
        {"{\"funnel\":{" STAGES "},\"breakdown\":[{\"attribute\":\"country\",\"at\":9}]}", 400,
         "invalid", "breakdown[0].at"},
        {"{\"funnel\":{" STAGES "},\"trend\":\"hour\"}", 400, "invalid", "trend"},
        {"{\"funnel\":{" STAGES "},\"compare\":\"previous\"}", 400, "invalid", "compare"},
        {"{\"funnel\":{" STAGES "},\"limit\":5000}", 400, "invalid", "limit"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client_send(&f->client, "POST", REPORT, cases[i].body);
        fixture_expect_error(f, cases[i].status, cases[i].code, cases[i].field);
    }
    client_send(&f->client, "GET", REPORT, NULL);
    fixture_expect_error(f, 400, "invalid", "funnel");
    client_send(&f->client, "GET", REPORT "?funnel=None", NULL);
    fixture_expect_error(f, 404, "not_found", "funnel");
}

/* A pattern of many groups makes PCRE2 recurse: that must not run over a thread's stack. */
static void
test_pattern_of_many_groups(void **state)
{
    struct fixture *f = *state;
    char body[4096];
    int n = snprintf(body, sizeof body,
                     "{\"funnel\":{\"window\":\"7d\",\"stages\":[{\"name\":\"A\",\"rule\":" RULE(
                         "a") "},{\"name\":\"B\",\"rule\":{\"attribute\":\"path\",\"op\":\"regex\","
                              "\"values\":[\"");

    memset(body + n, '(', 1000);
    n += 1000;
    body[n++] = 'a';
    memset(body + n, ')', 1000);
    n += 1000;
    snprintf(body + n, sizeof body - (size_t)n, "\"]}}]}}");
    client_send(&f->client, "POST", REPORT, body);
    assert_int_equal(f->client.status, 400);
    assert_int_equal(client_send(&f->client, "GET", "/api/v1/sites", NULL), 200);
}

/* ---- Replies against the schemas of openapi.json ---- */

static void
test_replies_are_as_described(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json"), *reply;

    reply = get(f, "/api/v1/session");
    expect_schema(document, "Session", reply);
    json_decref(reply);
    reply = get(f, "/api/v1/sites");
    expect_schema(document, "Site", at(reply, "sites.0"));
    json_decref(reply);
    assert_int_equal(client_send(&f->client, "PUT", FUNNELS "/Shop", FUNNEL), 200);
    reply = fixture_json(f);
    expect_schema(document, "SavedFunnel", reply);
    expect_schema(document, "Funnel", at(reply, "definition"));
    json_decref(reply);
    reply = get(f, REPORT "?funnel=Shop");
    expect_schema(document, "Report", reply);
    expect_schema(document, "StageFigures", at(reply, "stages.1"));
    expect_schema(document, "PresetFigures", at(reply, "presets.open"));
    expect_schema(document, "Funnel", at(reply, "funnel"));
    json_decref(reply);
    client_send(&f->client, "GET", "/api/v1/sites/none/funnels", NULL);
    reply = fixture_json(f);
    expect_schema(document, "Error", reply);
    json_decref(reply);
    json_decref(document);
}

/* ---- Many at once: what the sanitizers watch ---- */

struct crowd_member {
    struct fixture *f;
    struct client client;
    int n;
    int n_wrong; /* replies that nobody may get */
    pthread_t thread;
};

static void
expect_one_of(struct crowd_member *m, int status, int good, int also_good)
{
    if (status != good && status != also_good)
        m->n_wrong++;
}

static void *
be_busy(void *pointer)
{
    static const char sign_in[] =
        "{\"email\":\"" FIXTURE_EMAIL "\",\"password\":\"" FIXTURE_PASSWORD "\"}";
    struct crowd_member *m = pointer;
    struct client *c = &m->client;
    char path[64];

    snprintf(path, sizeof path, FUNNELS "/Funnel%d", m->n);
    for (int i = 0; i < 4; i++) {
        expect_one_of(m, client_send(c, "POST", "/api/v1/session", sign_in), 200, 429);
        expect_one_of(m, client_send(c, "PUT", path, "{" STAGES "}"), 200, 200);
        expect_one_of(m, client_send(c, "POST", REPORT, "{\"funnel\":{" STAGES "}}"), 200, 200);
        expect_one_of(m, client_send(c, "GET", "/api/v1/sites/shop/attributes", NULL), 200, 200);
        expect_one_of(m, client_send(c, "DELETE", path, NULL), 204, 204);
    }
    return NULL;
}

static void
test_many_at_once(void **state)
{
    struct fixture *f = *state;
    struct crowd_member crowd[6];

    for (int i = 0; i < 6; i++) {
        crowd[i] = (struct crowd_member){.f = f, .client = {.port = f->client.port}, .n = i};
        assert_int_equal(fixture_sign_in(f, FIXTURE_EMAIL, FIXTURE_PASSWORD), 200);
        memcpy(crowd[i].client.cookie, f->client.cookie, sizeof f->client.cookie);
        f->client.cookie[0] = '\0'; /* keep that session */
    }
    for (int i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&crowd[i].thread, NULL, be_busy, &crowd[i]), 0);
    for (int i = 0; i < 6; i++) {
        pthread_join(crowd[i].thread, NULL);
        assert_int_equal(crowd[i].n_wrong, 0);
        client_fini(&crowd[i].client);
    }
}

#define WITH(setup, test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(fixture_setup_signed_in, test_new_site),
        WITH(setup_shop, test_sites_that_cannot_be),
        WITH(setup_shop, test_a_site_is_changed),
        WITH(setup_shop, test_changes_that_cannot_be),
        WITH(setup_shop, test_site_says_what_it_got),
        WITH(fixture_setup_signed_in, test_lists_to_pick_from),
        WITH(fixture_setup_signed_in, test_unknown_site),
        WITH(setup_shop, test_attributes),
        WITH(setup_shop, test_values),
        WITH(setup_shop, test_report_of_a_draft),
        WITH(setup_shop, test_report_of_a_saved_funnel),
        WITH(setup_shop, test_reports_that_cannot_be),
        WITH(setup_shop, test_pattern_of_many_groups),
        WITH(setup_shop, test_replies_are_as_described),
        WITH(setup_shop, test_many_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
