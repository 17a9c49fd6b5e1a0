/* What a sender gave of one event, before anything is derived from it: fields set by name, from
 * JSON, from a query or from a CSV's cells, with one set of rules.
 *
 * Slices are borrowed: what is set must stay as long as the given.
 */
#ifndef COLLECTOR_GIVEN_H
#define COLLECTOR_GIVEN_H

#include "core/arena.h"
#include "core/err.h"
#include "core/event.h"

struct given {
    struct event event;   /* visitor, id, time, texts, properties, origin; not site */
    bool has_time;        /* event.time_ms was given */
    bool has_bot;         /* "bot" was given: event.flags holds it */
    uint32_t texts_given; /* bit 1u << enum event_text: wins over what is derived */
    uint64_t names_seen;  /* against names given twice (private) */
    struct slice number_text[NUMBER_COUNT]; /* as given; read by given_finish with the currency */
    struct slice user_agent;                /* used, never stored */
    struct slice ticket;                    /* of the link that led here; used, never stored */
    struct slice ip;                        /* used, then forgotten: enrich_event clears it */
    struct slice plain; /* where texts that lie in it need no cleaning (event_prepare_plain) */
};

void given_init(struct given *g, enum event_origin origin);

static inline bool
given_has_text(const struct given *g, enum event_text k)
{
    return (g->texts_given >> k & 1) != 0;
}

/* Set a derived text, unless it was given or there is nothing to set. */
static inline void
given_fill(struct given *g, enum event_text k, struct slice derived)
{
    if (!given_has_text(g, k) && derived.n > 0)
        g->event.text[k] = derived;
}

/* A value, and how it was written: numbers are their text, truths "true" and "false", null is "".
 * From CSV and from queries everything is text. */
enum given_kind { GIVEN_TEXT, GIVEN_NUMBER, GIVEN_TRUTH, GIVEN_NULL };

struct given_value {
    enum given_kind kind;
    struct slice text;
};

/* Set one field by its name: every name of the one-event JSON, any other attribute by its own
 * ("campaign", "scroll_pct"), "properties.<key>", "bot" and "cookieless" (true or false).
 *
 * An empty value is a field not given. ERR_INVALID with err->field = name: an unknown name, a name
 * set twice, a value of the wrong shape (time, number, bot), a derived attribute. */
enum err_code given_set(struct given *g, struct slice name, struct slice value, struct arena *a,
                        struct err *err);

/* A name that is looked up once for many events. It may be one that cannot be given: setting says
 * so. number: below GIVEN_NAMES where it is one of those that are always the same, and then the
 * name is nobody's and stays; else it is borrowed. */
#define GIVEN_NAMES 64
struct given_name {
    struct slice name;
    unsigned number;
};
struct given_name given_find_name(struct slice name);

/* As given_set, also from JSON: a text attribute takes texts and numbers, a property also true and
 * false. */
enum err_code given_set_named(struct given *g, const struct given_name *name,
                              const struct given_value *value, struct arena *a, struct err *err);

/* As given_set for "properties.<key>", by the key alone. */
enum err_code given_set_property(struct given *g, struct slice key, const struct given_value *value,
                                 struct arena *a, struct err *err);

/* Are visitor, time and event there? For senders that nothing else tells them. ERR_INVALID. */
enum err_code given_check_required(const struct given *g, struct err *err);

/* Read the numbers, now that the currency is known. A value without a currency is in
 * default_currency (the site's; may be ""). Called by enrich_event. ERR_INVALID, ERR_LIMIT; names
 * the field ("value", "currency", "scroll_pct"). */
enum err_code given_finish(struct given *g, struct slice default_currency, struct err *err);

/* ERR_INVALID about a field whose name came from outside: cut to what err holds, at a whole
 * character. */
enum err_code given_fail(struct slice name, struct err *err, const char *why);

#endif
