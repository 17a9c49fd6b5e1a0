#include "tests/property/random_site.h"

#include "core/decimal.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   INT64_C(3600000)
#define DAY_MS    INT64_C(86400000)

#define ONE_OF(r, list) (list)[random_below((r), (int)(sizeof(list) / sizeof *(list)))]

enum pace { TIGHT, SESSIONS, DAYS, STEADY, EXACT };

/* Where a site's time begins: months' ends and daylight saving are near some. */
static const int64_t beginnings[] = {
    INT64_C(1780272000000), /* 2026-06-01T00:00:00Z */
    INT64_C(1780228800000), /* 2026-05-31T12:00:00Z: most have runs in two months */
    INT64_C(1772301600000), /* 2026-02-28T18:00:00Z */
    INT64_C(1774742400000), /* 2026-03-29T00:00:00Z, an hour before Europe's clocks change */
    INT64_C(1792800000000), /* 2026-10-24T00:00:00Z, the day before */
    INT64_C(1798675200000), /* 2026-12-31T00:00:00Z */
    INT64_C(1776988800000), /* 2026-04-24T00:00:00Z, when Cairo has no midnight */
};

static int64_t
random_step(struct random *r, enum pace pace)
{
    static const int64_t of_sessions[] = {0,
                                          0,
                                          1,
                                          1000,
                                          MINUTE_MS,
                                          7 * MINUTE_MS,
                                          29 * MINUTE_MS,
                                          30 * MINUTE_MS - 1,
                                          30 * MINUTE_MS,
                                          30 * MINUTE_MS + 1,
                                          31 * MINUTE_MS,
                                          HOUR_MS,
                                          5 * HOUR_MS};
    static const int64_t of_days[] = {
        0,          1,      20 * MINUTE_MS, 30 * MINUTE_MS + 1, HOUR_MS,   11 * HOUR_MS,
        DAY_MS - 1, DAY_MS, DAY_MS + 1,     3 * DAY_MS,         9 * DAY_MS};
    static const int64_t steady[] = {29 * MINUTE_MS, 30 * MINUTE_MS, 30 * MINUTE_MS,
                                     30 * MINUTE_MS};

    if (pace == EXACT) /* so that some are exactly 24 hours apart */
        return 30 * MINUTE_MS;
    if (pace == SESSIONS)
        return ONE_OF(r, of_sessions);
    return pace == DAYS ? ONE_OF(r, of_days) : ONE_OF(r, steady);
}

static void
random_driver(struct random *r, struct event *e)
{
    static const char *const sources[] = {"google", "google", "bing", "mail.example", ""};
    static const char *const media[] = {"cpc", "", "", "email"};
    static const char *const campaigns[] = {"spring", "summer", "", ""};
    static const char *const keywords[] = {"shoes", "boots", "", ""};
    static const char *const channels[] = {"paid_search", "organic_search", "email", "referral"};

    e->flags |= EVENT_DRIVER;
    e->text[TEXT_CHANNEL] = slice_from(ONE_OF(r, channels));
    if (random_chance(r, 8)) /* a channel, and nothing that sessions differ by */
        return;
    e->text[TEXT_SOURCE] = slice_from(ONE_OF(r, sources));
    e->text[TEXT_MEDIUM] = slice_from(ONE_OF(r, media));
    e->text[TEXT_CAMPAIGN] = slice_from(ONE_OF(r, campaigns));
    e->text[TEXT_KEYWORD] = slice_from(ONE_OF(r, keywords));
    if (random_chance(r, 30))
        e->text[TEXT_CONTENT] = random_chance(r, 50) ? SLICE("banner") : SLICE("text");
}

static void
random_numbers(struct random *r, struct event *e)
{
    static const char *const currencies[] = {"", "USD", "USD", "JPY", "KWD"};
    static const int64_t values[] = {0, 5, 250, 999, 1000, 1001, 5000, -250};

    if (random_chance(r, 35)) {
        event_set_number(e, NUMBER_VALUE, ONE_OF(r, values));
        e->text[TEXT_CURRENCY] = slice_from(ONE_OF(r, currencies));
        if (e->text[TEXT_CURRENCY].n > 0 && random_chance(r, 30))
            e->flags |= EVENT_SITE_CURRENCY;
    }
    if (random_chance(r, 20))
        event_set_number(e, NUMBER_QUANTITY, 500 * random_below(r, 6));
    if (random_chance(r, 20))
        event_set_number(e, NUMBER_ENGAGED_MS, 10000 * random_below(r, 6));
}

static void
random_content(struct random *r, struct event *e, struct arena *a)
{
    static const char *const names[] = {"a", "b", "c", "d", "pageview", "sale"};
    static const char *const countries[] = {"ID", "MY", "", "id"};
    static const char *const devices[] = {"mobile", "desktop"};
    static const char *const sizes[] = {"1", "2", "2.0", "1e1", "x", "12"};

    for (int i = 0; i < TEXT_COUNT; i++)
        e->text[i] = SLICE_EMPTY;
    e->flags = random_chance(r, 7) ? EVENT_BOT : 0;
    e->text[TEXT_EVENT] = slice_from(ONE_OF(r, names));
    if (random_chance(r, 80))
        e->text[TEXT_PATH] =
            arena_printf(a, "/p/%d%s", random_below(r, 3), random_chance(r, 20) ? "/x" : "");
    if (random_chance(r, 25))
        e->text[TEXT_REFERRER] = arena_printf(a, "https://r%d.example/", random_below(r, 3));
    e->text[TEXT_COUNTRY] = slice_from(ONE_OF(r, countries));
    e->text[TEXT_DEVICE] = slice_from(ONE_OF(r, devices));
    if (random_chance(r, 25))
        random_driver(r, e);
    random_numbers(r, e);
    if (random_chance(r, 30)) {
        e->properties = ARENA_NEW(a, struct event_property);
        e->properties[0] = (struct event_property){SLICE("size"), slice_from(ONE_OF(r, sizes))};
        e->n_properties = 1;
    }
}

static struct site_event *
add_event(struct random *r, struct random_site *site, struct slice visitor, int64_t time_ms,
          struct arena *a)
{
    static const enum event_origin origins[] = {ORIGIN_IMPORT, ORIGIN_SERVER, ORIGIN_SNIPPET};
    struct site_event *e = &site->events[site->n++];

    *e = (struct site_event){.flush = random_below(r, SITE_FLUSHES),
                             .is_given_id = !random_chance(r, 35)};
    /* the snippet gives every event an id */
    e->event.origin = origins[random_below(r, e->is_given_id ? 3 : 2)];
    random_content(r, &e->event, a);
    e->event.visitor = visitor;
    e->event.time_ms = time_ms;
    e->event.id = arena_printf(a, "%c%zu", 'a' + random_below(r, 26), site->n);
    if (time_ms > site->end_ms)
        site->end_ms = time_ms;
    return e;
}

/* What no id hangs on: what was derived, and the currency that the site has by now. */
static void
change_derived(struct random *r, struct event *e)
{
    static const char *const countries[] = {"ID", "MY", ""};
    int from = currency_digits(e->text[TEXT_CURRENCY]);

    e->text[TEXT_COUNTRY] = slice_from(ONE_OF(r, countries));
    e->text[TEXT_DEVICE] = random_chance(r, 50) ? SLICE("mobile") : SLICE("desktop");
    if (random_chance(r, 20))
        e->flags ^= EVENT_BOT;
    if (random_chance(r, 20))
        random_driver(r, e);
    if ((e->flags & EVENT_SITE_CURRENCY) == 0)
        return;
    if (from == 2 && e->number[NUMBER_VALUE] % 100 == 0) {
        e->text[TEXT_CURRENCY] = SLICE("JPY");
        e->number[NUMBER_VALUE] /= 100;
    } else if (from == 2) {
        e->text[TEXT_CURRENCY] = SLICE("KWD");
        e->number[NUMBER_VALUE] *= 10;
    }
}

/* The same id once more: sent again, or with another time or content, which is another event where
 * the id is made of these. */
static void
add_repeat(struct random *r, struct random_site *site, const struct site_event *of, struct arena *a)
{
    struct site_event *e = &site->events[site->n++];

    *e = *of;
    e->flush = random_below(r, SITE_FLUSHES);
    if (random_chance(r, 40))
        e->event.time_ms += random_below(r, 5) - 2;
    else if (!site->is_tight && random_chance(r, 30)) /* in another month, it may be */
        e->event.time_ms += (random_below(r, 5) - 2) * DAY_MS;
    if (e->event.time_ms > site->end_ms)
        site->end_ms = e->event.time_ms;
    if (random_chance(r, 30))
        random_content(r, &e->event, a);
    else if (random_chance(r, 30))
        change_derived(r, &e->event);
}

#define EVENTS_OF_A_DAY 48 /* 30 minutes apart */

/* Little that rules ask about, but for the events about 24 hours after the first; after the first
 * few no other driver, so that one grows old; no bots, which would leave gaps. */
static void
make_steady(struct random *r, struct event *e, int i)
{
    bool is_day_later = i >= EVENTS_OF_A_DAY - 1 && i <= EVENTS_OF_A_DAY + 1;

    e->flags &= i < 2 || random_chance(r, 1) ? EVENT_DRIVER : 0;
    if (i == 0)
        random_driver(r, e);
    if (is_day_later || random_chance(r, 15))
        return;
    e->text[TEXT_EVENT] = SLICE("ping");
    e->numbers_set = 0;
    e->n_properties = 0;
}

static void
add_visitor(struct random *r, struct random_site *site, int number, enum pace pace, struct arena *a)
{
    /* a person's known id sends events too, from the shop's server say */
    struct slice visitor = arena_printf(a, "%c%d", random_chance(r, 10) ? 'k' : 'v', number % 10);
    int n = pace >= STEADY ? EVENTS_OF_A_DAY + 6 : 1 + random_below(r, 11);
    int64_t time_ms = site->begin_ms;

    if (pace != TIGHT)
        time_ms += random_below(r, 4 * 24) * (HOUR_MS / 4);
    for (int i = 0; i < n; i++) {
        struct site_event *e;

        if (pace == TIGHT)
            time_ms = site->begin_ms + random_below(r, 12);
        else if (i > 0)
            time_ms += random_step(r, pace);
        e = add_event(r, site, visitor, time_ms, a);
        if (pace >= STEADY) {
            make_steady(r, &e->event, i);
            continue;
        }
        if (site->n > 1 && random_chance(r, 4)) /* another visitor's id, or a repeat's */
            e->event.id = site->events[random_below(r, (int)site->n - 1)].event.id;
        if (random_chance(r, 10))
            add_repeat(r, site, e, a);
    }
}

/* The event, with all its repeats, says that its visitor is somebody else too. */
static void
make_link(struct random_site *site, const struct site_event *of, struct slice name,
          struct slice known)
{
    struct slice visitor = of->event.visitor;
    struct slice id = of->event.id;

    for (size_t i = 0; i < site->n; i++) {
        struct event *e = &site->events[i].event;

        if (!slice_equal(e->visitor, visitor) || !slice_equal(e->id, id))
            continue;
        e->text[TEXT_EVENT] = name;
        e->text[TEXT_KNOWN] = known;
    }
}

/* Some visitors are one person. */
static void
add_links(struct random *r, struct random_site *site, int n_visitors, struct arena *a)
{
    for (int i = 1 + random_below(r, n_visitors); i > 0; i--) {
        const struct site_event *e = &site->events[random_below(r, (int)site->n)];
        bool is_handover = random_chance(r, 40);
        struct slice known = is_handover ? arena_printf(a, "v%d", random_below(r, n_visitors))
                                         : arena_printf(a, "k%d", random_below(r, 3));

        if (e->event.visitor.p[0] == 'v' && e->event.text[TEXT_KNOWN].n == 0)
            make_link(site, e, is_handover ? EVENT_HANDOVER : EVENT_IDENTIFY, known);
    }
}

/* Only with the flag has an event a driver. */
static void
clear_texts_without_flag(struct event *e)
{
    static const enum event_text texts[] = {TEXT_CHANNEL,  TEXT_SOURCE,  TEXT_MEDIUM,
                                            TEXT_CAMPAIGN, TEXT_CONTENT, TEXT_KEYWORD};

    for (size_t i = 0; (e->flags & EVENT_DRIVER) == 0 && i < sizeof texts / sizeof *texts; i++)
        e->text[texts[i]] = SLICE_EMPTY;
}

/* An event that was given no id is known by its contents: now that they stay as they are. */
static void
make_content_ids(struct random_site *site, struct arena *a)
{
    for (size_t i = 0; i < site->n; i++) {
        struct site_event *e = &site->events[i];
        unsigned char *id;

        if (e->is_given_id)
            continue;
        id = arena_alloc(a, EVENT_CONTENT_ID_BYTES);
        event_content_id(&e->event, id);
        e->event.id = slice_of((const char *)id, EVENT_CONTENT_ID_BYTES);
    }
}

void
random_site(struct random *r, uint32_t number, struct arena *a, struct random_site *out)
{
    static const enum pace paces[] = {TIGHT, SESSIONS, SESSIONS, DAYS};
    enum pace pace = ONE_OF(r, paces);
    int n_visitors = 3 + random_below(r, 10);

    *out = (struct random_site){.begin_ms = ONE_OF(r, beginnings), .is_tight = pace == TIGHT};
    out->events = ARENA_ARRAY(a, struct site_event, (size_t)n_visitors * 2 * 60);
    for (int i = 0; i < n_visitors; i++) {
        bool is_steady = i == 0 && pace != TIGHT && random_chance(r, 40);
        enum pace steady = random_chance(r, 50) ? STEADY : EXACT;

        add_visitor(r, out, i, is_steady ? steady : pace, a);
    }
    if (random_chance(r, 40))
        add_links(r, out, n_visitors, a);
    for (size_t i = 0; i < out->n; i++) {
        out->events[i].event.site = number;
        clear_texts_without_flag(&out->events[i].event);
    }
    make_content_ids(out, a);
}
