/* THE event: one thing a visitor did at one millisecond, with its attributes.
 *
 * This file names every built-in attribute once, with its type, its class and its limit. The codes
 * are on disk and on the wire: add at the end, never renumber, never reuse.
 */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include "core/arena.h"
#include "core/buffer.h"
#include "core/err.h"
#include "core/slice.h"

/* Text attributes as stored, and the limits that event_prepare keeps. */
enum event_text {
    TEXT_EVENT,
    TEXT_URL,
    TEXT_HOST,
    TEXT_PATH,
    TEXT_QUERY,
    TEXT_TITLE,
    TEXT_ORDER,
    TEXT_PRODUCT,
    TEXT_CATEGORY,
    TEXT_CURRENCY,
    TEXT_CLICK_ID,
    TEXT_CONTINENT,
    TEXT_COUNTRY,
    TEXT_REGION,
    TEXT_CITY,
    TEXT_DEVICE,
    TEXT_BROWSER,
    TEXT_OS,
    TEXT_LANGUAGE,
    TEXT_CHANNEL,
    TEXT_SOURCE,
    TEXT_MEDIUM,
    TEXT_CAMPAIGN,
    TEXT_CONTENT,
    TEXT_KEYWORD,
    TEXT_REFERRER,
    TEXT_BOT_REASON, /* why EVENT_BOT is set; no attribute of rules */
    TEXT_KNOWN, /* the visitor's other id (EVENT_IDENTIFY, EVENT_HANDOVER); no attribute of rules */
    TEXT_COUNT
};

/* Number attributes as stored: integers of 10^-digits. */
enum event_number {
    NUMBER_VALUE,      /* minor units of TEXT_CURRENCY (currency_digits) */
    NUMBER_QUANTITY,   /* thousandths */
    NUMBER_ENGAGED_MS, /* whole */
    NUMBER_SCROLL_PCT, /* whole, 0..100 */
    NUMBER_LOAD_MS,    /* whole */
    NUMBER_COUNT
};
#define NUMBER_QUANTITY_DIGITS 3

enum event_flag {
    EVENT_BOT = 1,    /* judged a bot when it came in */
    EVENT_DRIVER = 2, /* has a driver of its own (funnel.md section 4) */
    EVENT_SITE_CURRENCY =
        4,                /* none was given: TEXT_CURRENCY is what the site has for such values */
    EVENT_COOKIELESS = 8, /* the collector made the visitor's id, which lasts a day */
};

/* Who gave it: decides for how long its id is kept, and that the secret key is never a bot. */
enum event_origin {
    ORIGIN_SNIPPET = 0,
    ORIGIN_PIXEL = 1,
    ORIGIN_REDIRECT = 2,
    ORIGIN_SERVER = 3,
    ORIGIN_IMPORT = 4,
};

/* Events that say which ids are one person's (docs/identity.md), and the only ones with TEXT_KNOWN:
 * the site knows the browser `visitor` as the person `known`; the browser `visitor` came over with
 * a ticket and goes on as the browser `known`. */
#define EVENT_IDENTIFY SLICE("identify")
#define EVENT_HANDOVER SLICE("handover")

struct event_property {
    struct slice key;
    struct slice value; /* numbers as their JSON text, true and false as those words */
};

#define EVENT_PROPERTIES_MAX    30
#define EVENT_PROPERTY_KEY_MAX  64
#define EVENT_PROPERTY_TEXT_MAX 500
#define EVENT_VISITOR_MAX       128
#define EVENT_ID_MAX            128
/* An encoded event is at most this, so every buffer on the way can be fixed. */
#define EVENT_ENCODED_MAX (64 * 1024)

/* Slices borrow from whatever the maker says (an arena, a decoded entry, a mapped file). */
struct event {
    uint32_t site;
    uint32_t flags;       /* enum event_flag */
    uint32_t origin;      /* enum event_origin */
    uint32_t numbers_set; /* bit 1 << enum event_number */
    int64_t time_ms;
    struct slice visitor;
    struct slice id;               /* never empty after event_prepare; see EVENT_CONTENT_ID */
    struct slice text[TEXT_COUNT]; /* "" = not set */
    int64_t number[NUMBER_COUNT];
    uint32_t n_properties;
    struct event_property *properties; /* sorted by key, no key twice; n_properties long */
};

/* An event that was given no id is known by what was given: its id is this byte and 16 bytes of
 * hash. No given id can start so (control characters are removed), and no reader shows it. */
#define EVENT_CONTENT_ID       '\0'
#define EVENT_CONTENT_ID_BYTES 17

/* The id of a prepared event that was given none: EVENT_CONTENT_ID_BYTES from what was given, never
 * from what is derived. */
void event_content_id(const struct event *e, unsigned char *id);

static inline bool
event_id_is_given(struct slice id)
{
    return id.n != 0 && id.p[0] != EVENT_CONTENT_ID;
}

static inline bool
event_has_number(const struct event *e, enum event_number k)
{
    return (e->numbers_set >> k & 1) != 0;
}

static inline void
event_set_number(struct event *e, enum event_number k, int64_t units)
{
    e->number[k] = units;
    e->numbers_set |= 1u << k;
}

/* Make an event fit to be stored, once, where it enters (collector, server API, import):
 *
 * - visitor, event and time must be there; visitor, id, event name and order over their limits are
 *   ERR_INVALID (a cut id would be another one), further text is cut at a whole character
 * - ill-formed UTF-8 becomes U+FFFD; control characters and bidi overrides are removed
 * - the currency is three letters, upper case; a value is within +-9e15 minor units
 * - properties are sorted; a key twice, over 30 keys or a key too long is ERR_INVALID
 * - a sale with an order has the order as its id; an event without an id gets its content's hash
 *
 * Text that had to change is copied into the arena. err->field names the attribute.
 */
enum err_code event_prepare(struct event *e, struct arena *a, struct err *err);

/* The same, of an event of which texts that lie in `plain` are known to be clean (slice_is_plain):
 * they are not looked at again. */
enum err_code event_prepare_plain(struct event *e, struct slice plain, struct arena *a,
                                  struct err *err);

/* All that the event borrows is the arena's from now on. */
void event_keep(struct event *e, struct arena *a);

/* The total order of one visitor's events: time, then id as bytes. */
int event_compare(const struct event *a, const struct event *b);

/* ---- Attributes by name, as rules, imports and lists use them ---- */

enum attribute_type { ATTRIBUTE_TEXT, ATTRIBUTE_NUMBER, ATTRIBUTE_FLAG };
enum attribute_class { CLASS_EVENT, CLASS_SURROUNDINGS, CLASS_DRIVER };
enum attribute_source {                  /* where its value comes from */
                        SOURCE_TEXT,     /* event.text[code] */
                        SOURCE_NUMBER,   /* event.number[code] */
                        SOURCE_PROPERTY, /* event.properties, by key */
                        SOURCE_DERIVED /* made at query time: bot, entrance, page_group, landing */
};
enum attribute_derived { DERIVED_BOT, DERIVED_ENTRANCE, DERIVED_PAGE_GROUP, DERIVED_LANDING };

struct attribute {
    struct slice name; /* "campaign", or "properties.size" */
    enum attribute_type type;
    enum attribute_class class;
    enum attribute_source source;
    int code;         /* enum event_text, event_number or attribute_derived */
    size_t max_bytes; /* of text */
    struct slice key; /* of a property, else "" */
};

/* Find "campaign" or "properties.<key>" (any key of 1..64 bytes). For a property *out borrows its
 * key from name. False for an unknown name. */
bool attribute_find(struct slice name, struct attribute *out);

/* Named by each site for itself: what its column (the path) holds is not yet its value. */
static inline bool
attribute_is_page_group(const struct attribute *a)
{
    return a->source == SOURCE_DERIVED && a->code == DERIVED_PAGE_GROUP;
}

/* The built-in attributes in the order of funnel.md section 4. */
const struct attribute *attribute_table(size_t *n);

const char *event_text_name(enum event_text code); /* "campaign" */
const char *event_number_name(enum event_number code);
int event_number_digits(enum event_number code, struct slice currency);

#endif
