#include "core/event.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/bytes.h"
#include "core/decimal.h"
#include "core/hash.h"

#define VALUE_MAX      INT64_C(9000000000000000)
#define PROPERTY_FIELD 96 /* bytes of "properties.<key>" in an error */

/* Texts that are keys: a cut or mended one would be another thing, so they are refused instead. */
enum { IS_KEY = true, IS_TEXT = false };

/* Every built-in attribute, once, in the order of funnel.md section 4. */
#define ATTRIBUTES(TEXT, NUMBER, DERIVED)                                                          \
    TEXT("event", CLASS_EVENT, TEXT_EVENT, 120, IS_KEY)                                            \
    TEXT("url", CLASS_EVENT, TEXT_URL, 2048, IS_TEXT)                                              \
    TEXT("host", CLASS_EVENT, TEXT_HOST, 255, IS_TEXT)                                             \
    TEXT("path", CLASS_EVENT, TEXT_PATH, 2048, IS_TEXT)                                            \
    TEXT("query", CLASS_EVENT, TEXT_QUERY, 2048, IS_TEXT)                                          \
    TEXT("title", CLASS_EVENT, TEXT_TITLE, 255, IS_TEXT)                                           \
    TEXT("order", CLASS_EVENT, TEXT_ORDER, 120, IS_KEY)                                            \
    TEXT("product", CLASS_EVENT, TEXT_PRODUCT, 255, IS_TEXT)                                       \
    TEXT("category", CLASS_EVENT, TEXT_CATEGORY, 255, IS_TEXT)                                     \
    NUMBER("quantity", NUMBER_QUANTITY)                                                            \
    NUMBER("value", NUMBER_VALUE)                                                                  \
    TEXT("currency", CLASS_EVENT, TEXT_CURRENCY, 3, IS_KEY)                                        \
    NUMBER("engaged_ms", NUMBER_ENGAGED_MS)                                                        \
    NUMBER("scroll_pct", NUMBER_SCROLL_PCT)                                                        \
    NUMBER("load_ms", NUMBER_LOAD_MS)                                                              \
    TEXT("click_id", CLASS_EVENT, TEXT_CLICK_ID, 255, IS_TEXT)                                     \
    DERIVED("entrance", ATTRIBUTE_FLAG, CLASS_EVENT, DERIVED_ENTRANCE)                             \
    DERIVED("page_group", ATTRIBUTE_TEXT, CLASS_EVENT, DERIVED_PAGE_GROUP)                         \
    TEXT("continent", CLASS_SURROUNDINGS, TEXT_CONTINENT, 32, IS_TEXT)                             \
    TEXT("country", CLASS_SURROUNDINGS, TEXT_COUNTRY, 64, IS_TEXT)                                 \
    TEXT("region", CLASS_SURROUNDINGS, TEXT_REGION, 120, IS_TEXT)                                  \
    TEXT("city", CLASS_SURROUNDINGS, TEXT_CITY, 120, IS_TEXT)                                      \
    TEXT("device", CLASS_SURROUNDINGS, TEXT_DEVICE, 64, IS_TEXT)                                   \
    TEXT("browser", CLASS_SURROUNDINGS, TEXT_BROWSER, 64, IS_TEXT)                                 \
    TEXT("os", CLASS_SURROUNDINGS, TEXT_OS, 64, IS_TEXT)                                           \
    TEXT("language", CLASS_SURROUNDINGS, TEXT_LANGUAGE, 35, IS_TEXT)                               \
    DERIVED("bot", ATTRIBUTE_FLAG, CLASS_SURROUNDINGS, DERIVED_BOT)                                \
    TEXT("channel", CLASS_DRIVER, TEXT_CHANNEL, 64, IS_TEXT)                                       \
    TEXT("source", CLASS_DRIVER, TEXT_SOURCE, 255, IS_TEXT)                                        \
    TEXT("medium", CLASS_DRIVER, TEXT_MEDIUM, 255, IS_TEXT)                                        \
    TEXT("campaign", CLASS_DRIVER, TEXT_CAMPAIGN, 255, IS_TEXT)                                    \
    TEXT("content", CLASS_DRIVER, TEXT_CONTENT, 255, IS_TEXT)                                      \
    TEXT("keyword", CLASS_DRIVER, TEXT_KEYWORD, 255, IS_TEXT)                                      \
    TEXT("referrer", CLASS_DRIVER, TEXT_REFERRER, 2048, IS_TEXT)                                   \
    DERIVED("landing", ATTRIBUTE_TEXT, CLASS_DRIVER, DERIVED_LANDING)

#define NOTHING(...)
#define NAME(name)                                                                                 \
    {                                                                                              \
        name, sizeof(name) - 1                                                                     \
    }
#define NO_KEY                                                                                     \
    {                                                                                              \
        "", 0                                                                                      \
    }

#define TEXT_ROW(name, class, code, max, is_key)                                                   \
    {NAME(name), ATTRIBUTE_TEXT, class, SOURCE_TEXT, code, max, NO_KEY},
#define NUMBER_ROW(name, code)                                                                     \
    {NAME(name), ATTRIBUTE_NUMBER, CLASS_EVENT, SOURCE_NUMBER, code, 0, NO_KEY},
#define DERIVED_ROW(name, type, class, code)                                                       \
    {NAME(name), type, class, SOURCE_DERIVED, code, 2048, NO_KEY},

static const struct attribute attributes[] = {ATTRIBUTES(TEXT_ROW, NUMBER_ROW, DERIVED_ROW)};

#define TEXT_RULE(name, class, code, max, is_key) [code] = {name, max, is_key},
#define NUMBER_NAME(name, code)                   [code] = name,

static const struct text_rule {
    const char *name;
    size_t max_bytes;
    bool is_key;
} text_rules[TEXT_COUNT] = {
    ATTRIBUTES(TEXT_RULE, NOTHING, NOTHING) /* and what is stored but is no attribute: */
        [TEXT_BOT_REASON] = {"bot_reason", 64, IS_TEXT},
    [TEXT_KNOWN] = {"known", EVENT_VISITOR_MAX, IS_KEY},
};

static const char *const number_names[NUMBER_COUNT] = {ATTRIBUTES(NOTHING, NUMBER_NAME, NOTHING)};

/* ---- attributes by name ---- */

const struct attribute *
attribute_table(size_t *n)
{
    *n = sizeof attributes / sizeof attributes[0];
    return attributes;
}

/* 1 + index of each attribute, at the first free place from that of its name's hash on. */
#define PLACES 128
static unsigned char places[PLACES];
static pthread_once_t places_once = PTHREAD_ONCE_INIT;

_Static_assert(2 * sizeof attributes / sizeof attributes[0] < PLACES, "half of the places is free");

static unsigned
place_of(struct slice name)
{
    return ((unsigned)name.n * 7 + (unsigned char)name.p[0] * 5 +
            (unsigned char)name.p[name.n - 1] * 3 + (unsigned char)name.p[name.n / 2]) %
           PLACES;
}

static void
fill_places(void)
{
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
        unsigned at = place_of(attributes[i].name);
        while (places[at] != 0)
            at = (at + 1) % PLACES;
        places[at] = (unsigned char)(i + 1);
    }
}

bool
attribute_find(struct slice name, struct attribute *out)
{
    const struct slice stem = SLICE("properties.");

    if (name.n == 0)
        return false;
    pthread_once(&places_once, fill_places);
    for (unsigned at = place_of(name); places[at] != 0; at = (at + 1) % PLACES) {
        if (slice_equal(attributes[places[at] - 1].name, name)) {
            *out = attributes[places[at] - 1];
            return true;
        }
    }
    if (!slice_starts_with(name, stem) || name.n == stem.n ||
        name.n - stem.n > EVENT_PROPERTY_KEY_MAX)
        return false;
    *out = (struct attribute){.name = name,
                              .type = ATTRIBUTE_TEXT,
                              .class = CLASS_EVENT,
                              .source = SOURCE_PROPERTY,
                              .max_bytes = EVENT_PROPERTY_TEXT_MAX,
                              .key = slice_sub(name, stem.n, name.n)};
    return true;
}

const char *
event_text_name(enum event_text code)
{
    return text_rules[code].name;
}

const char *
event_number_name(enum event_number code)
{
    return number_names[code];
}

int
event_number_digits(enum event_number code, struct slice currency)
{
    if (code == NUMBER_VALUE)
        return currency_digits(currency);
    return code == NUMBER_QUANTITY ? NUMBER_QUANTITY_DIGITS : 0;
}

/* ---- making an event fit to be stored ---- */

/* Control characters (C0, DEL, C1) and bidi overrides: U+202A-202E, U+2066-2069. */
static bool
is_unwanted(const unsigned char *p, size_t n)
{
    if (n == 1)
        return p[0] < 0x20 || p[0] == 0x7F;
    if (n == 2)
        return p[0] == 0xC2 && p[1] < 0xA0;
    if (n == 3 && p[0] == 0xE2)
        return (p[1] == 0x80 && p[2] >= 0xAA && p[2] <= 0xAE) ||
               (p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9);
    return false;
}

static bool
is_plain_text(uint64_t eight) /* of printable ASCII only */
{
    return !bytes_any_high(eight) && !bytes_any_below(eight, 0x20) && !bytes_any_equal(eight, 0x7F);
}

static bool
is_clean(struct slice s)
{
    size_t i = 0;

    while (s.n - i >= 8 && is_plain_text(load_u64(s.p + i)))
        i += 8;
    if (s.n >= 8 && s.n - i < 8 && is_plain_text(load_u64(s.p + s.n - 8)))
        return true;
    while (i < s.n) {
        size_t n = 1;

        if ((unsigned char)s.p[i] < 0x20 || (unsigned char)s.p[i] >= 0x7F) {
            n = slice_utf8_length(slice_sub(s, i, s.n));
            if (n == 0 || is_unwanted((const unsigned char *)s.p + i, n))
                return false;
        }
        i += n;
    }
    return true;
}

/* Does it begin in `plain`, which is clean? Nothing that begins there goes beyond it. */
static inline bool
is_within(struct slice s, struct slice plain)
{
    return (uintptr_t)s.p - (uintptr_t)plain.p < plain.n;
}

static struct slice
clean(struct slice s, size_t max_bytes, struct slice plain, struct arena *a)
{
    char *out;
    size_t n = 0;

    if (is_within(s, plain))
        return s.n <= max_bytes ? s : slice_of(s.p, max_bytes);
    if (is_clean(s))
        return slice_of(s.p, slice_utf8_cut(s, max_bytes));
    out = arena_alloc(a, 3 * s.n);
    while (s.n > 0) {
        size_t length = slice_utf8_length(s);

        if (length == 0) {
            memcpy(out + n, "\xEF\xBF\xBD", 3);
            n += 3;
            length = 1;
        } else if (!is_unwanted((const unsigned char *)s.p, length)) {
            memcpy(out + n, s.p, length);
            n += length;
        }
        s = slice_sub(s, length, s.n);
    }
    return slice_of(out, slice_utf8_cut(slice_of(out, n), max_bytes));
}

static bool
is_fit_key(struct slice s, size_t max_bytes, struct slice plain)
{
    return s.n <= max_bytes && (is_within(s, plain) || is_clean(s));
}

static enum err_code
check_key(const char *field, struct slice s, size_t max_bytes, struct slice plain, struct err *err)
{
    if (is_fit_key(s, max_bytes, plain))
        return ERR_OK;
    if (s.n > max_bytes)
        return err_set(err, ERR_INVALID, field, "longer than %zu bytes", max_bytes);
    return err_set(err, ERR_INVALID, field, "has control characters or bytes that are not UTF-8");
}

static enum err_code
prepare_texts(struct event *e, struct slice plain, struct arena *a, struct err *err)
{
    for (int i = 0; i < TEXT_COUNT; i++) {
        const struct text_rule *rule = &text_rules[i];
        enum err_code rc = ERR_OK;

        if (e->text[i].n == 0)
            e->text[i] = SLICE_EMPTY;
        else if (rule->is_key)
            rc = check_key(rule->name, e->text[i], rule->max_bytes, plain, err);
        else
            e->text[i] = clean(e->text[i], rule->max_bytes, plain, a);
        if (rc != ERR_OK)
            return rc;
    }
    return ERR_OK;
}

static enum err_code
prepare_numbers(struct event *e, struct arena *a, struct err *err)
{
    struct slice *currency = &e->text[TEXT_CURRENCY];

    if (currency->n != 0) {
        char *upper = arena_alloc(a, 3);

        if (!currency_normalize(*currency, upper))
            return err_set(err, ERR_INVALID, "currency", "not three letters like USD");
        *currency = slice_of(upper, 3);
    }
    for (int k = 0; k < NUMBER_COUNT; k++) {
        bool is_measure = k >= NUMBER_ENGAGED_MS;

        if (!event_has_number(e, (enum event_number)k)) {
            e->number[k] = 0;
            continue;
        }
        if (e->number[k] > VALUE_MAX || e->number[k] < -VALUE_MAX)
            return err_set(err, ERR_INVALID, number_names[k], "beyond +-9e15 units");
        if (is_measure && e->number[k] < 0)
            return err_set(err, ERR_INVALID, number_names[k], "below 0");
    }
    if (e->number[NUMBER_SCROLL_PCT] > 100)
        return err_set(err, ERR_INVALID, "scroll_pct", "above 100");
    return ERR_OK;
}

static int
compare_properties(const void *a, const void *b)
{
    const struct event_property *x = a;
    const struct event_property *y = b;

    return slice_compare(x->key, y->key);
}

static const char *
property_field(struct slice key, char field[PROPERTY_FIELD])
{
    snprintf(field, PROPERTY_FIELD, "properties.%.*s", (int)(key.n < 64 ? key.n : 64), key.p);
    return field;
}

static enum err_code
prepare_properties(struct event *e, struct slice plain, struct arena *a, struct err *err)
{
    char field[PROPERTY_FIELD];
    uint32_t kept = 0;

    if (e->n_properties > EVENT_PROPERTIES_MAX)
        return err_set(err, ERR_INVALID, "properties", "more than %d keys", EVENT_PROPERTIES_MAX);
    if (e->n_properties > 1)
        qsort(e->properties, e->n_properties, sizeof *e->properties, compare_properties);
    for (uint32_t i = 0; i < e->n_properties; i++) {
        struct event_property *p = &e->properties[i];

        if (p->key.n == 0)
            return err_set(err, ERR_INVALID, "properties", "an empty key");
        if (!is_fit_key(p->key, EVENT_PROPERTY_KEY_MAX, plain))
            return check_key(property_field(p->key, field), p->key, EVENT_PROPERTY_KEY_MAX, plain,
                             err);
        if (i > 0 && slice_equal(p->key, e->properties[i - 1].key))
            return err_set(err, ERR_INVALID, property_field(p->key, field), "given twice");
        p->value = clean(p->value, EVENT_PROPERTY_TEXT_MAX, plain, a);
    }
    for (uint32_t i = 0; i < e->n_properties; i++) /* empty text is not set */
        if (e->properties[i].value.n != 0)
            e->properties[kept++] = e->properties[i];
    e->n_properties = kept;
    return ERR_OK;
}

#define ROOM 1024 /* nearly every event's contents */

/* What an id is made of, in one piece. */
struct contents {
    char *p;
    size_t n;
};

static void
add_u64(struct contents *c, uint64_t v)
{
    store_u64(c->p + c->n, v);
    c->n += 8;
}

static void
add_field(struct contents *c, struct slice s)
{
    store_u32(c->p + c->n, (uint32_t)s.n);
    if (s.n != 0)
        memcpy(c->p + c->n + 4, s.p, s.n);
    c->n += 4 + s.n;
}

static const enum event_text known_by[] = {TEXT_EVENT,   TEXT_HOST,     TEXT_PATH,    TEXT_QUERY,
                                           TEXT_PRODUCT, TEXT_CATEGORY, TEXT_CURRENCY};
#define N_KNOWN_BY (sizeof known_by / sizeof known_by[0])

static size_t
contents_bytes(const struct event *e)
{
    size_t n = 8 + 4 + e->text[TEXT_KNOWN].n + 1 + 8;

    for (size_t i = 0; i < N_KNOWN_BY; i++)
        n += 4 + e->text[known_by[i]].n;
    for (uint32_t i = 0; i < e->n_properties; i++)
        n += 4 + e->properties[i].key.n + 4 + e->properties[i].value.n;
    return n;
}

void
event_content_id(const struct event *e, unsigned char *id)
{
    char room[ROOM];
    size_t n_bytes = contents_bytes(e);
    struct contents c = {n_bytes <= sizeof room ? room : mem_alloc(n_bytes), 0};
    struct hash128 h;
    int64_t value = event_has_number(e, NUMBER_VALUE) ? e->number[NUMBER_VALUE] : 0;

    /* the same value, whatever currency the site has for such values meanwhile */
    for (int digits = currency_digits(e->text[TEXT_CURRENCY]); digits < CURRENCY_DIGITS_MAX;
         digits++)
        value = (int64_t)((uint64_t)value * 10);
    add_u64(&c, (uint64_t)e->time_ms);
    for (size_t i = 0; i < N_KNOWN_BY; i++)
        add_field(&c, known_by[i] == TEXT_CURRENCY && (e->flags & EVENT_SITE_CURRENCY)
                          ? SLICE_EMPTY
                          : e->text[known_by[i]]);
    if (e->text[TEXT_KNOWN].n != 0) /* ids made before there was such a field stay what they are */
        add_field(&c, e->text[TEXT_KNOWN]);
    c.p[c.n++] = event_has_number(e, NUMBER_VALUE) ? '1' : '0';
    add_u64(&c, (uint64_t)value);
    for (uint32_t i = 0; i < e->n_properties; i++) {
        add_field(&c, e->properties[i].key);
        add_field(&c, e->properties[i].value);
    }
    h = hash128(slice_of(c.p, c.n));
    if (c.p != room)
        free(c.p);
    id[0] = EVENT_CONTENT_ID;
    store_u64(id + 1, h.low);
    store_u64(id + 9, h.high);
}

static struct slice
content_id(const struct event *e, struct arena *a)
{
    unsigned char *id = arena_alloc(a, EVENT_CONTENT_ID_BYTES);

    event_content_id(e, id);
    return slice_of((const char *)id, EVENT_CONTENT_ID_BYTES);
}

enum err_code
event_prepare_plain(struct event *e, struct slice plain, struct arena *a, struct err *err)
{
    enum err_code rc;

    if (e->visitor.n == 0)
        return err_set(err, ERR_INVALID, "visitor", "missing or empty");
    if (e->text[TEXT_EVENT].n == 0)
        return err_set(err, ERR_INVALID, "event", "missing or empty");
    if (e->time_ms < 0)
        return err_set(err, ERR_INVALID, "time", "before 1970");
    rc = check_key("visitor", e->visitor, EVENT_VISITOR_MAX, plain, err);
    if (rc == ERR_OK)
        rc = check_key("id", e->id, EVENT_ID_MAX, plain, err);
    if (rc == ERR_OK)
        rc = prepare_texts(e, plain, a, err);
    if (rc == ERR_OK)
        rc = prepare_numbers(e, a, err);
    if (rc == ERR_OK)
        rc = prepare_properties(e, plain, a, err);
    if (rc != ERR_OK)
        return rc;
    if (slice_is(e->text[TEXT_EVENT], "sale") && e->text[TEXT_ORDER].n != 0)
        e->id = e->text[TEXT_ORDER];
    else if (e->id.n == 0)
        e->id = content_id(e, a);
    return ERR_OK;
}

enum err_code
event_prepare(struct event *e, struct arena *a, struct err *err)
{
    return event_prepare_plain(e, SLICE_EMPTY, a, err);
}

void
event_keep(struct event *e, struct arena *a)
{
    const struct event_property *properties = e->properties;

    e->visitor = arena_copy(a, e->visitor);
    e->id = arena_copy(a, e->id);
    for (int i = 0; i < TEXT_COUNT; i++)
        e->text[i] = e->text[i].n != 0 ? arena_copy(a, e->text[i]) : SLICE_EMPTY;
    e->properties = ARENA_ARRAY(a, struct event_property, e->n_properties + 1);
    for (uint32_t i = 0; i < e->n_properties; i++)
        e->properties[i] = (struct event_property){arena_copy(a, properties[i].key),
                                                   arena_copy(a, properties[i].value)};
}

int
event_compare(const struct event *a, const struct event *b)
{
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    return slice_compare(a->id, b->id);
}
