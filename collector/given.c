/* Fields by name. The names are those of core/event.h and a few that are no attributes. */
#include "collector/given.h"

#include <pthread.h>

#include "core/decimal.h"
#include "core/timestamp.h"

/* Bits of names_seen: texts first, then numbers, then these. */
enum {
    SEEN_NUMBERS = TEXT_COUNT,
    SEEN_VISITOR = TEXT_COUNT + NUMBER_COUNT,
    SEEN_TIME,
    SEEN_ID,
    SEEN_USER_AGENT,
    SEEN_IP,
    SEEN_BOT,
    SEEN_COOKIELESS,
    SEEN_COUNT
};
enum { NAME_DERIVED = GIVEN_NAMES, NAME_PROPERTY, NAME_UNKNOWN };
_Static_assert(SEEN_COUNT <= GIVEN_NAMES && GIVEN_NAMES <= 64, "names_seen has 64 bits");
_Static_assert(TEXT_COUNT <= 32, "texts_given has 32 bits");

static const struct slice property_stem = SLICE("properties.");

void
given_init(struct given *g, enum event_origin origin)
{
    memset(g, 0, sizeof *g);
    g->event.origin = origin;
    g->event.visitor = g->event.id = g->user_agent = g->ip = g->plain = SLICE_EMPTY;
    for (int k = 0; k < TEXT_COUNT; k++)
        g->event.text[k] = SLICE_EMPTY;
    for (int k = 0; k < NUMBER_COUNT; k++)
        g->number_text[k] = SLICE_EMPTY;
}

enum err_code
given_fail(struct slice name, struct err *err, const char *why)
{
    struct err unused;
    char field[sizeof unused.field];

    slice_to_cstr(slice_sub(name, 0, slice_utf8_cut(name, sizeof field - 1)), field, sizeof field);
    return err_set(err, ERR_INVALID, field, "%s", why);
}

/* ---- One field each; value is never empty here ---- */

static enum err_code
set_text(struct given *g, enum event_text k, const struct given_value *value, struct err *err)
{
    if (value->kind == GIVEN_TRUTH)
        return err_set(err, ERR_INVALID, event_text_name(k), "must be text");
    g->event.text[k] = slice_of(value->text.p, value->text.n);
    g->texts_given |= 1u << k;
    return ERR_OK;
}

static enum err_code
set_number(struct given *g, enum event_number k, struct slice value, struct err *err)
{
    value = slice_trim(value);
    if (!decimal_is_number(value))
        return err_set(err, ERR_INVALID, event_number_name(k), "must be a number like 12.50");
    g->number_text[k] = value;
    return ERR_OK;
}

static enum err_code
set_time(struct given *g, struct slice value, struct err *err)
{
    struct err why = ERR_NONE;

    if (timestamp_parse(slice_trim(value), &g->event.time_ms, &why) != ERR_OK)
        return err_set(err, ERR_INVALID, "time", "%s", why.message);
    g->has_time = true;
    return ERR_OK;
}

static enum err_code
set_flag(struct given *g, enum event_flag flag, struct slice name, struct slice value,
         struct err *err)
{
    bool is_set = slice_is(value, "true");

    if (!is_set && !slice_is(value, "false"))
        return given_fail(name, err, "must be true or false");
    g->has_bot = g->has_bot || flag == EVENT_BOT;
    g->event.flags |= is_set ? flag : 0;
    return ERR_OK;
}

enum err_code
given_set_property(struct given *g, struct slice key, const struct given_value *value,
                   struct arena *a, struct err *err)
{
    struct event *e = &g->event;

    if (key.n == 0 || key.n > EVENT_PROPERTY_KEY_MAX)
        return err_set(err, ERR_INVALID, "properties", "a key must have 1 to %d bytes",
                       EVENT_PROPERTY_KEY_MAX);
    for (uint32_t i = 0; i < e->n_properties; i++)
        if (slice_equal(e->properties[i].key, key))
            return given_fail(arena_printf(a, "properties.%.*s", SLICE_ARG(key)), err,
                              "given twice");
    if (e->n_properties == EVENT_PROPERTIES_MAX)
        return err_set(err, ERR_INVALID, "properties", "more than %d keys", EVENT_PROPERTIES_MAX);
    if (!e->properties)
        e->properties = ARENA_ARRAY(a, struct event_property, EVENT_PROPERTIES_MAX);
    /* kept without a value too, so that the key cannot come again; event_prepare drops it */
    e->properties[e->n_properties++] = (struct event_property){key, value->text};
    return ERR_OK;
}

/* ---- Names ---- */

/* Every name but those of properties, found by a hash: a line has two dozen of them. */
#define NAME_PLACES 256 /* a power of two, a few times as many as there are names */

struct known_name {
    struct slice name; /* "": free */
    unsigned bit;      /* of names_seen; NAME_DERIVED: may not be given */
};

static struct known_name known_names[NAME_PLACES];
static pthread_once_t known_names_once = PTHREAD_ONCE_INIT;

static size_t
name_place(struct slice name)
{
    const unsigned char *p = (const unsigned char *)name.p;

    return name.n * 61 + p[0] * 5u + p[name.n / 2] * 17u + p[name.n - 1] * 43u;
}

static const struct known_name *
find_name(struct slice name)
{
    for (size_t i = name.n == 0 ? 0 : name_place(name);; i++) {
        const struct known_name *known = &known_names[i % NAME_PLACES];

        if (known->name.n == 0)
            return NULL;
        if (slice_equal(known->name, name))
            return known;
    }
}

static void
add_name(struct slice name, unsigned bit)
{
    size_t i = name_place(name);

    while (known_names[i % NAME_PLACES].name.n != 0)
        i++;
    known_names[i % NAME_PLACES] = (struct known_name){name, bit};
}

static void
fill_names(void)
{
    static const struct {
        const char *name;
        unsigned bit;
    } others[] = {
        {"visitor", SEEN_VISITOR}, {"time", SEEN_TIME},
        {"id", SEEN_ID},           {"user_agent", SEEN_USER_AGENT},
        {"ip", SEEN_IP},           {"bot", SEEN_BOT},
        {"known", TEXT_KNOWN},     {"cookieless", SEEN_COOKIELESS},
    };
    size_t n;
    const struct attribute *attributes = attribute_table(&n);

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        add_name(slice_from(others[i].name), others[i].bit);
    for (size_t i = 0; i < n; i++) {
        const struct attribute *a = &attributes[i];

        if (find_name(a->name) != NULL) /* bot: derived for rules, but it may be given */
            continue;
        add_name(a->name, a->source == SOURCE_TEXT     ? (unsigned)a->code
                          : a->source == SOURCE_NUMBER ? SEEN_NUMBERS + (unsigned)a->code
                                                       : NAME_DERIVED);
    }
}

static enum err_code
set_by_bit(struct given *g, unsigned bit, struct slice name, const struct given_value *value,
           struct err *err)
{
    if (bit < TEXT_COUNT)
        return set_text(g, (enum event_text)bit, value, err);
    if (bit < SEEN_VISITOR)
        return set_number(g, (enum event_number)(bit - SEEN_NUMBERS), value->text, err);
    if (bit == SEEN_TIME)
        return set_time(g, value->text, err);
    if (bit == SEEN_BOT)
        return set_flag(g, EVENT_BOT, name, value->text, err);
    if (bit == SEEN_COOKIELESS)
        return set_flag(g, EVENT_COOKIELESS, name, value->text, err);
    if (value->kind == GIVEN_TRUTH)
        return given_fail(name, err, "must be text");
    if (bit == SEEN_VISITOR)
        g->event.visitor = value->text;
    else if (bit == SEEN_ID)
        g->event.id = value->text;
    else if (bit == SEEN_USER_AGENT)
        g->user_agent = value->text;
    else
        g->ip = value->text;
    return ERR_OK;
}

struct given_name
given_find_name(struct slice name)
{
    const struct known_name *known;

    pthread_once(&known_names_once, fill_names);
    known = find_name(name);
    if (known != NULL)
        return (struct given_name){known->name, known->bit};
    return (struct given_name){name, slice_starts_with(name, property_stem) ? NAME_PROPERTY
                                                                            : NAME_UNKNOWN};
}

enum err_code
given_set_named(struct given *g, const struct given_name *name, const struct given_value *value,
                struct arena *a, struct err *err)
{
    if (name->number == NAME_PROPERTY)
        return given_set_property(g, slice_sub(name->name, property_stem.n, name->name.n), value, a,
                                  err);
    if (name->number == NAME_UNKNOWN)
        return given_fail(name->name, err, "unknown name (free ones go in properties)");
    if (name->number == NAME_DERIVED)
        return given_fail(name->name, err, "is derived from other events and cannot be given");
    if (g->names_seen >> name->number & 1)
        return given_fail(name->name, err, "given twice");
    g->names_seen |= UINT64_C(1) << name->number;
    return value->text.n > 0 ? set_by_bit(g, name->number, name->name, value, err) : ERR_OK;
}

enum err_code
given_set(struct given *g, struct slice name, struct slice value, struct arena *a, struct err *err)
{
    struct given_name named = given_find_name(name);
    struct given_value text = {GIVEN_TEXT, value};

    return given_set_named(g, &named, &text, a, err);
}

/* ---- Whole events ---- */

enum err_code
given_check_required(const struct given *g, struct err *err)
{
    const char *missing = g->event.visitor.n == 0            ? "visitor"
                          : !g->has_time                     ? "time"
                          : g->event.text[TEXT_EVENT].n == 0 ? "event"
                                                             : NULL;

    return missing ? err_set(err, ERR_INVALID, missing, "missing or empty") : ERR_OK;
}

enum err_code
given_finish(struct given *g, struct slice default_currency, struct err *err)
{
    struct slice *currency = &g->event.text[TEXT_CURRENCY];
    char upper[3];

    if (currency->n == 0 && default_currency.n > 0 && g->number_text[NUMBER_VALUE].n > 0) {
        *currency = default_currency;
        g->event.flags |= EVENT_SITE_CURRENCY;
    }
    if (currency->n > 0 && !currency_normalize(*currency, upper))
        return err_set(err, ERR_INVALID, "currency", "must be three letters like USD");
    for (int k = 0; k < NUMBER_COUNT; k++) {
        enum event_number number = (enum event_number)k;
        enum err_code rc;
        int64_t units;

        if (g->number_text[k].n == 0)
            continue;
        rc = decimal_parse(
            g->number_text[k],
            event_number_digits(number, slice_of(upper, currency->n > 0 ? sizeof upper : 0)),
            &units, err);
        if (rc != ERR_OK) {
            err_prefix(err, event_number_name(number));
            return rc;
        }
        event_set_number(&g->event, number, units);
    }
    return ERR_OK;
}
