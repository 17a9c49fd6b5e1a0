/* A shop with four visitors behind a running server, and how its replies are read. */
#ifndef TESTS_UNIT_WEB_SHOP_H
#define TESTS_UNIT_WEB_SHOP_H

#include "tests/unit/web/fixture.h"

#include "aggregator/segment/writer.h"
#include "aggregator/site.h"
#include "aggregator/writer.h"

#define FUNNELS "/api/v1/sites/shop/funnels"
#define REPORT  "/api/v1/sites/shop/report"
#define LIST    "/api/v1/sites/shop/visitors"
#define JUNE_1  INT64_C(1780272000000) /* 2026-06-01T00:00:00Z */
#define HOUR    INT64_C(3600000)

#define RULE(name) "{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"" name "\"]}"
#define STAGES                                                                                     \
    "\"window\":\"7d\",\"stages\":["                                                               \
    "{\"name\":\"Came\",\"kind\":\"trace\",\"rule\":" RULE(                                        \
        "pageview") "},"                                                                           \
                    "{\"name\":\"Cart\",\"rule\":" RULE(                                           \
                        "add_to_cart") "},"                                                        \
                                       "{\"name\":\"Sale\",\"kind\":\"sale\",\"rule\":" RULE(      \
                                           "sale") "}]"
#define FUNNEL "{\"name\":\"Shop\"," STAGES "}"

/* ---- The shop: one comes by the cart, one jumps over it, one leaves there, one only looks ---- */

struct shop_row {
    const char *visitor;
    int64_t time_ms;
    const char *event;
    int64_t cents; /* of a sale */
};

static const struct shop_row shop_rows[] = {
    {"a", JUNE_1 + 1 * HOUR, "pageview", 0},     {"a", JUNE_1 + 2 * HOUR, "add_to_cart", 0},
    {"a", JUNE_1 + 3 * HOUR, "sale", 1250},      {"b", JUNE_1 + 1 * HOUR, "pageview", 0},
    {"b", JUNE_1 + 2 * HOUR, "sale", 995},       {"c", JUNE_1 + 1 * HOUR, "pageview", 0},
    {"c", JUNE_1 + 49 * HOUR, "add_to_cart", 0}, {"d", JUNE_1 + 1 * HOUR, "pageview", 0},
};

static inline void
add_event(struct segment_builder *b, const struct event *event)
{
    struct event e = *event;
    struct arena arena;

    arena_init(&arena, 4096);
    assert_int_equal(event_prepare(&e, &arena, NULL), ERR_OK);
    assert_int_equal(segment_builder_add(b, &e, NULL), ERR_OK);
    arena_fini(&arena);
}

static inline void
add_row(struct segment_builder *b, uint32_t site, const struct shop_row *row)
{
    static struct event_property size = {{"size", 4}, {"XL", 2}};
    struct event e = {.site = site, .time_ms = row->time_ms, .origin = ORIGIN_IMPORT};

    e.visitor = slice_from(row->visitor);
    e.text[TEXT_EVENT] = slice_from(row->event);
    if (row->visitor[0] == 'a') {
        e.text[TEXT_CAMPAIGN] = SLICE("spring");
        e.flags = EVENT_DRIVER;
    }
    if (row->cents != 0) {
        e.text[TEXT_CURRENCY] = SLICE("USD");
        event_set_number(&e, NUMBER_VALUE, row->cents);
        e.n_properties = 1;
        e.properties = &size;
    }
    add_event(b, &e);
}

static inline struct segment_builder *
begin_builder(struct fixture *f)
{
    struct segment_owner owner = store_owner(&f->store);

    return segment_builder_create(&owner);
}

/* As one commit. Takes b. */
static inline void
commit_builder(struct fixture *f, struct segment_builder *b)
{
    struct catalog *catalog;
    struct writer *writer;
    struct err err = ERR_NONE;

    if (catalog_open(&f->store, true, &catalog, &err) != ERR_OK ||
        writer_open(&f->store, catalog, CATALOG_IMPORT, &writer, &err) != ERR_OK ||
        writer_add(writer, b, &err) != ERR_OK || writer_commit(writer, NULL, &err) != ERR_OK)
        fail_msg("%s", err.message);
    writer_close(&writer);
    catalog_close(&catalog);
    segment_builder_destroy(&b);
}

static inline void
write_rows(struct fixture *f, uint32_t site, const struct shop_row *rows, size_t n)
{
    struct segment_builder *builder = begin_builder(f);

    for (size_t i = 0; i < n; i++)
        add_row(builder, site, &rows[i]);
    commit_builder(f, builder);
}

static inline int
setup_shop(void **state)
{
    struct site_wish wish = {.name = SLICE("shop"),
                             .domain = SLICE("shop.example"),
                             .timezone = SLICE("Asia/Jakarta"),
                             .currency = SLICE("USD")};
    char secret[SITE_KEY_MAX];
    struct fixture *f;
    struct arena arena;
    struct site site;

    fixture_setup_signed_in(state);
    f = *state;
    arena_init(&arena, 4096);
    assert_int_equal(site_add(f->db, &wish, &arena, &site, secret, NULL), ERR_OK);
    write_rows(f, site.id, shop_rows, sizeof shop_rows / sizeof *shop_rows);
    arena_fini(&arena);
    return 0;
}

/* ---- Reading replies ---- */

static inline json_t *
get(struct fixture *f, const char *path)
{
    if (client_send(&f->client, "GET", path, NULL) != 200)
        fail_msg("GET %s: %d %s", path, f->client.status, f->client.body);
    return fixture_json(f);
}

static inline json_t *
post(struct fixture *f, const char *path, const char *body)
{
    if (client_send(&f->client, "POST", path, body) != 200)
        fail_msg("POST %s: %d %s", path, f->client.status, f->client.body);
    return fixture_json(f);
}

/* A member by dots and indices: "stages.0.reached". Borrowed. */
static inline json_t *
at(json_t *value, const char *path)
{
    char text[128];

    snprintf(text, sizeof text, "%s", path);
    for (char *save, *part = strtok_r(text, ".", &save); part != NULL && value != NULL;
         part = strtok_r(NULL, ".", &save))
        value = json_is_array(value) ? json_array_get(value, strtoul(part, NULL, 10))
                                     : json_object_get(value, part);
    if (value == NULL)
        fail_msg("no %s", path);
    return value;
}

static inline json_int_t
integer_at(json_t *value, const char *path)
{
    assert_true(json_is_integer(at(value, path)));
    return json_integer_value(at(value, path));
}

static inline void
expect_text(json_t *value, const char *path, const char *text)
{
    assert_true(json_is_string(at(value, path)));
    assert_string_equal(json_string_value(at(value, path)), text);
}

/* ---- Replies against the schemas of openapi.json: all that is required, nothing undescribed ----
 */

static inline void
expect_schema(json_t *document, const char *name, json_t *value)
{
    char path[128];
    json_t *schema, *required, *properties, *member;
    const char *key;
    size_t i;

    snprintf(path, sizeof path, "components.schemas.%s", name);
    schema = at(document, path);
    properties = at(schema, "properties");
    required = json_object_get(schema, "required");
    json_array_foreach(required, i, member)
    {
        if (json_object_get(value, json_string_value(member)) == NULL)
            fail_msg("%s lacks %s", name, json_string_value(member));
    }
    json_object_foreach(value, key, member)
    {
        if (json_object_get(properties, key) == NULL)
            fail_msg("%s has %s, which is not described", name, key);
    }
}

#endif
