/* Who may what, and from where: every operation of openapi.json by everybody there is (F36), and
 * every operation that is no GET as another site's page would send it (F37). */
#include "tests/unit/web/shop.h"

#include "web/api/api_key.h"
#include "web/api/people.h"

enum who {
    ANYBODY,
    FORGED,
    VIEWER,      /* of the site, which shows viewers nobody */
    TOLD_VIEWER, /* of another site, which does */
    EDITOR,
    OWNER,
    OTHER_OWNER, /* of another site */
    EVERYWHERE,  /* viewer of all sites */
    KEY_READ,
    KEY_EVENTS,
    KEY_MANAGE,
    OTHER_KEY,
    WHO_COUNT
};

static const char *const names[WHO_COUNT] = {"anybody",  "forged",    "viewer",      "told viewer",
                                             "editor",   "owner",     "other owner", "everywhere",
                                             "read key", "event key", "manage key",  "other key"};

struct world {
    struct fixture *f;
    char cookies[WHO_COUNT][256];
    char headers[WHO_COUNT][128];
};

static uint32_t
site_id(struct fixture *f, const char *name)
{
    struct arena a;
    struct site site;

    arena_init(&a, 4096);
    assert_int_equal(site_find(f->db, slice_from(name), &a, &site, NULL), ERR_OK);
    arena_fini(&a);
    return site.id;
}

static void
add_person(struct world *w, enum who who, const char *site, enum account_role role)
{
    struct fixture *f = w->f;
    char email[64];

    snprintf(email, sizeof email, "p%d@shop.example", who);
    assert_int_equal(
        people_add(f->db, slice_from(email), SLICE(FIXTURE_PASSWORD), site_id(f, site), role, NULL),
        ERR_OK);
    f->client.cookie[0] = '\0';
    assert_int_equal(fixture_sign_in(f, email, FIXTURE_PASSWORD), 200);
    memcpy(w->cookies[who], f->client.cookie, sizeof w->cookies[who]);
}

static void
add_key(struct world *w, enum who who, const char *site, unsigned scopes)
{
    char key[API_KEY_TEXT_MAX];
    int64_t id;

    assert_int_equal(api_key_create(w->f->db, site_id(w->f, site), SLICE("test"), scopes,
                                    SLICE("me"), key, &id, NULL),
                     ERR_OK);
    snprintf(w->headers[who], sizeof w->headers[who], "Authorization: Bearer %s\r\n", key);
}

static void
make_world(struct world *w, struct fixture *f)
{
    memset(w, 0, sizeof *w);
    w->f = f;
    assert_int_equal(client_send(&f->client, "POST", "/api/v1/sites",
                                 "{\"name\":\"other\",\"domain\":\"o.example\","
                                 "\"viewer_journeys\":\"yes\"}"),
                     201);
    fixture_add_account(f, "all@shop.example", ROLE_VIEWER);
    assert_int_equal(fixture_sign_in(f, "all@shop.example", FIXTURE_PASSWORD), 200);
    memcpy(w->cookies[EVERYWHERE], f->client.cookie, sizeof w->cookies[EVERYWHERE]);
    snprintf(w->cookies[FORGED], sizeof w->cookies[FORGED],
             "corong_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    add_person(w, VIEWER, "shop", ROLE_VIEWER);
    add_person(w, TOLD_VIEWER, "other", ROLE_VIEWER);
    add_person(w, EDITOR, "shop", ROLE_EDITOR);
    add_person(w, OWNER, "shop", ROLE_OWNER);
    add_person(w, OTHER_OWNER, "other", ROLE_OWNER);
    add_key(w, KEY_READ, "shop", API_KEY_READ);
    add_key(w, KEY_EVENTS, "shop", API_KEY_WRITE_EVENTS);
    add_key(w, KEY_MANAGE, "shop", API_KEY_READ | API_KEY_MANAGE);
    add_key(w, OTHER_KEY, "other", API_KEY_READ | API_KEY_MANAGE);
}

/* The table of the definition, not of the code: 0 may, else the status of the refusal. */
static int
expected(enum who who, const char *right, bool has_site)
{
    bool is_key = who >= KEY_READ;
    bool is_here = who == VIEWER || who == EDITOR || who == OWNER || who == EVERYWHERE ||
                   who == KEY_READ || who == KEY_EVENTS || who == KEY_MANAGE;

    if (strcmp(right, "public") == 0)
        return 0;
    if (who == ANYBODY || who == FORGED)
        return 401;
    if (strcmp(right, "self") == 0)
        return is_key ? 403 : 0;
    if (has_site && !is_here)
        return 404;
    if (strcmp(right, "read") == 0)
        return who == KEY_EVENTS ? 403 : 0;
    if (!has_site) /* to add a site: editors of all sites only */
        return 403;
    if (strcmp(right, "visitors") == 0)
        return who == EDITOR || who == OWNER || who == KEY_READ || who == KEY_MANAGE ? 0 : 403;
    if (strcmp(right, "write") == 0)
        return who == EDITOR || who == OWNER || who == KEY_MANAGE ? 0 : 403;
    return who == OWNER ? 0 : 403;
}

/* The path with something in each of its places: things that are not there. */
static void
fill_path(const char *template, char out[256])
{
    size_t n = 0;

    for (const char *p = template; *p; p++) {
        const char *value = "999";

        if (*p != '{') {
            out[n++] = *p;
            continue;
        }
        if (strncmp(p, "{site}", 6) == 0)
            value = "shop";
        n += (size_t)snprintf(out + n, 256 - n, "%s", value);
        p = strchr(p, '}');
    }
    out[n] = '\0';
}

static void
to_upper(const char *text, char out[16])
{
    size_t i = 0;

    for (; text[i]; i++)
        out[i] = (char)(text[i] - 'a' + 'A');
    out[i] = '\0';
}

/* Called for each operation of the document. */
typedef void (*each)(struct world *w, const char *method, const char *template, const char *path,
                     const char *right);

static int
for_each_operation(struct world *w, each call)
{
    json_t *document = get(w->f, "/api/v1/openapi.json"), *operations, *operation;
    const char *template, *key;
    int n = 0;

    json_object_foreach(json_object_get(document, "paths"), template, operations)
    {
        json_object_foreach(operations, key, operation)
        {
            const char *right = json_string_value(json_object_get(operation, "x-right"));
            char method[16], path[256];

            if (right == NULL)
                continue;
            to_upper(key, method);
            fill_path(template, path);
            call(w, method, template, path, right);
            n++;
        }
    }
    json_decref(document);
    return n;
}

static void
ask(struct world *w, enum who who, const char *method, const char *path)
{
    struct client *c = &w->f->client;

    memcpy(c->cookie, w->cookies[who], sizeof c->cookie);
    c->extra = w->headers[who];
    client_send(c, method, path, strcmp(method, "GET") == 0 ? NULL : "{\"nothing\":1}");
    c->extra = NULL;
}

static void
check_everybody(struct world *w, const char *method, const char *template, const char *path,
                const char *right)
{
    bool has_site = strstr(template, "{site}") != NULL;

    for (int who = 0; who < WHO_COUNT; who++) {
        int wanted = expected((enum who)who, right, has_site);
        bool is_refused;

        if (strcmp(method, "DELETE") == 0 && strcmp(path, "/api/v1/session") == 0)
            continue; /* who signs out cannot be asked again */
        ask(w, (enum who)who, method, path);
        is_refused = w->f->client.status == 401 || w->f->client.status == 403;
        if (wanted == 404 ? w->f->client.status != 404
                          : (wanted == 0 ? is_refused && strcmp(right, "public") != 0
                                         : w->f->client.status != wanted))
            fail_msg("%s: %s %s is %d, not %d: %s", names[who], method, path, w->f->client.status,
                     wanted, w->f->client.body);
        if (wanted == 404 && !strstr(w->f->client.body, "\"site\""))
            fail_msg("%s: %s %s is 404 for another reason: %s", names[who], method, path,
                     w->f->client.body);
    }
}

static void
test_everybody_at_every_door(void **state)
{
    struct world w;

    make_world(&w, *state);
    assert_true(for_each_operation(&w, check_everybody) >= 40);
}

static void
check_foreign(struct world *w, const char *method, const char *template, const char *path,
              const char *right)
{
    static const char *const foreign[] = {"Origin: https://evil.example\r\n",
                                          "Sec-Fetch-Site: cross-site\r\n",
                                          "Sec-Fetch-Site: same-site\r\n", "Origin: null\r\n"};
    struct client *c = &w->f->client;

    (void)template;
    (void)right;
    if (strcmp(method, "GET") == 0)
        return;
    memcpy(c->cookie, w->cookies[OWNER], sizeof c->cookie);
    for (size_t i = 0; i <= sizeof foreign / sizeof *foreign; i++) {
        c->no_corong = i == sizeof foreign / sizeof *foreign; /* what a form cannot send */
        c->extra = c->no_corong ? NULL : foreign[i];
        client_send(c, method, path, "{}");
        c->extra = NULL;
        c->no_corong = false;
        fixture_expect_error(w->f, 403, "cross_site", "");
    }
}

static void
test_no_other_site_changes_anything(void **state)
{
    struct world w;

    make_world(&w, *state);
    assert_true(for_each_operation(&w, check_foreign) >= 40);
}

static void
test_a_viewer_sees_people_where_the_site_says_so(void **state)
{
    struct fixture *f = *state;
    struct world w;
    json_t *reply;

    make_world(&w, f);
    ask(&w, VIEWER, "GET", "/api/v1/sites/shop/live");
    reply = fixture_json(f);
    assert_true(json_is_null(at(reply, "events.0.visitor")));
    expect_text(reply, "events.0.event.visitor", "");
    json_decref(reply);
    ask(&w, VIEWER, "GET", "/api/v1/sites");
    reply = fixture_json(f);
    assert_int_equal(json_array_size(at(reply, "sites")), 1);
    expect_text(reply, "sites.0.role", "viewer");
    assert_true(json_is_false(at(reply, "sites.0.may_see_visitors")));
    json_decref(reply);
    memcpy(f->client.cookie, w.cookies[OWNER], sizeof f->client.cookie);
    assert_int_equal(
        client_send(&f->client, "PATCH", "/api/v1/sites/shop", "{\"viewer_journeys\":\"yes\"}"),
        200);
    memcpy(f->client.cookie, w.cookies[VIEWER], sizeof f->client.cookie);
    reply = post(f, "/api/v1/sites/shop/search", "{}");
    assert_int_equal(integer_at(reply, "n"), 4);
    json_decref(reply);
    ask(&w, VIEWER, "GET", "/api/v1/sites/shop/live");
    reply = fixture_json(f);
    assert_true(json_is_string(at(reply, "events.0.visitor")));
    json_decref(reply);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup_shop, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_everybody_at_every_door),
        CASE(test_no_other_site_changes_anything),
        CASE(test_a_viewer_sees_people_where_the_site_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
