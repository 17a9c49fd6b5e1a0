/* Redirects, the secret key and erasing over HTTP. */
#include "tests/unit/web/shop.h"

#include "aggregator/link_target.h"

#define SITE "/api/v1/sites/shop"
#define LINK "{\"slug\":\"june\",\"target\":\"https://shop.example/sale?utm_campaign=june\"}"

static void
test_redirects(void **state)
{
    struct fixture *f = *state;
    json_t *document = get(f, "/api/v1/openapi.json"), *reply;
    struct link_target *links;
    struct arena a;
    size_t n;

    assert_int_equal(client_send(&f->client, "POST", SITE "/links", LINK), 201);
    reply = fixture_json(f);
    expect_schema(document, "Link", reply);
    expect_text(reply, "address", "http://localhost:8001/r/june");
    json_decref(reply);
    client_send(&f->client, "POST", SITE "/links", LINK);
    fixture_expect_error(f, 409, "exists", "slug");
    client_send(&f->client, "POST", SITE "/links", "{\"slug\":\"a b\",\"target\":\"https://x/\"}");
    fixture_expect_error(f, 400, "invalid", "slug");
    client_send(&f->client, "POST", SITE "/links",
                "{\"slug\":\"x\",\"target\":\"javascript:alert(1)\"}");
    fixture_expect_error(f, 400, "invalid", "target");
    reply = get(f, SITE "/links");
    assert_int_equal(json_array_size(at(reply, "links")), 1);
    expect_schema(document, "Link", at(reply, "links.0"));
    json_decref(reply);

    arena_init(&a, 4096); /* what collectors are told */
    assert_int_equal(link_target_list(f->db, 0, &a, &links, &n, NULL), ERR_OK);
    assert_int_equal(n, 1);
    arena_fini(&a);
    assert_int_equal(client_send(&f->client, "DELETE", SITE "/links/june", NULL), 204);
    client_send(&f->client, "DELETE", SITE "/links/june", NULL);
    fixture_expect_error(f, 404, "not_found", "slug");
    json_decref(document);
}

static void
test_a_redirect_of_another_site_stays(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(client_send(&f->client, "POST", "/api/v1/sites",
                                 "{\"name\":\"two\",\"domain\":\"two.example\"}"),
                     201);
    assert_int_equal(client_send(&f->client, "POST", SITE "/links", LINK), 201);
    client_send(&f->client, "DELETE", "/api/v1/sites/two/links/june", NULL);
    fixture_expect_error(f, 404, "not_found", "slug");
    json_decref(get(f, "/api/v1/sites/two/links"));
}

static void
secret_hash(struct fixture *f, char out[65])
{
    struct site site;
    struct arena a;

    arena_init(&a, 4096);
    assert_int_equal(site_find(f->db, SLICE("shop"), &a, &site, NULL), ERR_OK);
    assert_true(slice_to_cstr(site.secret_sha256, out, 65));
    arena_fini(&a);
}

static void
test_another_secret_key(void **state)
{
    struct fixture *f = *state;
    char before[65], after[65];
    json_t *reply;

    secret_hash(f, before);
    client_send(&f->client, "POST", SITE "/secret", "{\"key\":\"mine\"}");
    fixture_expect_error(f, 400, "invalid", "key");
    assert_int_equal(client_send(&f->client, "POST", SITE "/secret", "{}"), 201);
    reply = fixture_json(f);
    assert_int_equal(strncmp(json_string_value(at(reply, "secret_key")), "secret_", 7), 0);
    json_decref(reply);
    secret_hash(f, after);
    assert_string_not_equal(before, after);
}

static int64_t
entered(struct fixture *f)
{
    json_t *reply = post(f, REPORT, "{\"funnel\":{" STAGES "}}");
    int64_t n = json_integer_value(at(reply, "entered"));

    json_decref(reply);
    return n;
}

static void
test_who_is_erased_leaves_every_answer(void **state)
{
    struct fixture *f = *state;
    json_t *reply;

    assert_int_equal(entered(f), 4);
    reply = post(f, SITE "/erase", "{\"visitor\":\"a\"}");
    assert_int_equal(json_integer_value(at(reply, "ids")), 1);
    assert_true(json_is_true(at(reply, "backup_knows")));
    json_decref(reply);
    assert_int_equal(entered(f), 3);
    client_send(&f->client, "POST", SITE "/journey", "{\"visitor\":\"a\"}");
    fixture_expect_error(f, 404, "not_found", "visitor");
    client_send(&f->client, "POST", SITE "/erase", "{\"visitor\":\"a\"}");
    fixture_expect_error(f, 404, "not_found", "visitor");
    reply = get(f, SITE "/audit"); /* that it was done, not to whom */
    expect_text(reply, "entries.0.action", "POST /api/v1/sites/{site}/erase");
    expect_text(reply, "entries.0.detail", SITE "/erase");
    json_decref(reply);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup_shop, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_redirects),
        CASE(test_a_redirect_of_another_site_stays),
        CASE(test_another_secret_key),
        CASE(test_who_is_erased_leaves_every_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
