/* Events in: the three addresses that take them, one way through.
 *
 *     parse (beacon.h) -> find the site -> may it be kept? whose is it? (collect_privacy.c)
 *     -> judge each event (time, enrich, limit, encode)
 *     -> have the good ones on disk (publish.h) -> answer (collect_answer.c)
 *
 * Nothing of a refused event is kept, and no answer is 2xx for an event that is not on disk.
 */
#include "collector/collect_intake.h"

#include <stdlib.h>
#include <sys/random.h>

#include "collector/given.h"
#include "core/clock.h"
#include "core/codec.h"
#include "core/stream_counts.h"
#include "core/ticket.h"

static enum reason
reason_of(enum err_code rc)
{
    return rc == ERR_LIMIT ? REASON_TOO_LARGE : REASON_INVALID;
}

static bool
find_site(struct intake *in, const struct site *site, enum reason why_not, const char *message,
          const char *field)
{
    in->site = site;
    if (site)
        return true;
    if (!sites_are_known(in->table))
        intake__refuse_all(in, REASON_UNAVAILABLE, "the settings of the sites are not there yet",
                           NULL);
    else
        intake__refuse_all(in, why_not, message, field);
    return false;
}

/* ---- Pace ---- */

bool
collect__is_in_pace(const struct collect *c, const struct http_request *r, int64_t *wait_s)
{
    unsigned char bytes[16];
    struct slice sender = limit_rate_sender(r->remote, bytes);

    return sender.n == 0 || limit_rate_take(c->address_rate, sender, c->config.address_speed, 1,
                                            clock_steady_us(), wait_s);
}

bool
collect__is_site_in_pace(const struct collect *c, const struct site *site, uint32_t n,
                         int64_t *wait_s)
{
    return limit_rate_take(c->site_rate, slice_of((const char *)&site->id, sizeof site->id),
                           c->config.site_speed, n, clock_steady_us(), wait_s);
}

/* Begin with a request. False: it is refused and ended already. */
static bool
intake_init(struct intake *in, const struct http_request *r, struct http_reply *reply,
            void *context)
{
    *in = (struct intake){.c = context, .request = r, .reply = reply};
    in->received_ms = clock_wall_ms();
    if (!collect__is_in_pace(in->c, r, &in->wait_s)) { /* before anything is parsed */
        intake__refuse(in, REASON_RATE_ADDRESS,
                       "too many requests from this address; try again later", NULL);
        return false;
    }
    in->table = sites_acquire(in->c->sites);
    return true;
}

static void
intake_fini(struct intake *in)
{
    sites_release(in->table);
    buffer_fini(&in->records);
}

/* ---- Judging ---- */

static enum reason
reject(struct beacon_item *item, enum reason why, const char *message, const char *field)
{
    item->rc = err_set(&item->err, ERR_INVALID, field, "%s", message);
    return why;
}

/* Whom an event without an id is known by from here on: the same pixel loaded twice is two. */
static void
give_id(struct given *g, struct arena *a)
{
    unsigned char bytes[16];
    struct buffer hex = BUFFER_EMPTY;

    if (g->event.id.n != 0)
        return;
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        abort(); /* 16 bytes never come short once the system is up */
    for (size_t i = 0; i < sizeof bytes; i++)
        buffer_printf(&hex, "%02x", bytes[i]);
    g->event.id = arena_copy(a, buffer_slice(&hex));
    buffer_fini(&hex);
}

/* Whose events a browser's are: `given`, or on a cookieless site whom the request tells. False: the
 * answer is written already. */
static bool
find_visitor(struct intake *in, struct slice given)
{
    bool is_cookieless = collect__is_cookieless(in->site);
    struct err err;

    if (is_cookieless)
        given = collect__day_visitor(in->c, in->site, in->request, in->received_ms);
    if (is_cookieless && given.n == 0) {
        intake__refuse_all(in, REASON_UNAVAILABLE, "visitors cannot be told apart yet; try again",
                           NULL);
        return false;
    }
    if (beacon_give_visitor(&in->beacon, given, &err) != ERR_OK) {
        intake__refuse_all(in, REASON_INVALID, err.message, err.field);
        return false;
    }
    for (uint32_t i = 0; is_cookieless && i < in->beacon.n_items; i++)
        in->beacon.items[i]->given.event.flags |= EVENT_COOKIELESS;
    return true;
}

/* The first of what a browser prefers: "en-GB,en;q=0.9". */
static struct slice
first_language(const struct http_request *r)
{
    struct slice list = http_header(r, "Accept-Language"), first, rest;

    slice_cut(list, ',', &list, &rest);
    slice_cut(list, ';', &first, &rest);
    first = slice_trim(first);
    return slice_is(first, "*") ? SLICE_EMPTY : first;
}

/* What the request itself tells of an event that a browser sent. */
static void
fill_from_request(struct intake *in, struct given *g)
{
    if (g->user_agent.n == 0)
        g->user_agent = http_header(in->request, "User-Agent");
    if (g->ip.n == 0)
        g->ip = in->request->remote;
    given_fill(g, TEXT_LANGUAGE, first_language(in->request));
    if (g->event.origin == ORIGIN_PIXEL) {
        given_fill(g, TEXT_EVENT, SLICE("pageview"));
        given_fill(g, TEXT_URL, http_header(in->request, "Referer"));
        give_id(g, in->request->arena);
    }
}

static enum reason
judge_time(struct intake *in, struct beacon_item *item)
{
    struct given *g = &item->given;

    if (g->event.origin == ORIGIN_REDIRECT) /* a handover, of just now */
        return REASON_COUNT;
    if (g->event.origin == ORIGIN_SERVER) { /* a server gives its time itself, however old */
        if (!g->has_time)
            return reject(item, REASON_INVALID, "an event needs a time", "time");
        return REASON_COUNT;
    }
    switch (beacon_settle_time(g, &in->beacon, in->received_ms, in->site->max_age_ms)) {
    case BEACON_TOO_OLD:
        return reject(item, REASON_TOO_OLD, "the event is older than its site takes", "time");
    case BEACON_IN_FUTURE:
        return reject(item, REASON_IN_FUTURE, "the event is over 5 minutes ahead", "time");
    default:
        return REASON_COUNT;
    }
}

static bool
is_within_limit(struct intake *in, const struct event *e)
{
    int64_t max = in->site->max_events_per_visitor_day;

    return e->origin == ORIGIN_SERVER || max == 0 ||
           limit_take(in->c->limit, e->site, e->visitor, in->received_ms, max);
}

enum err_code
collect__enrich(const struct collect *c, const struct site *site, struct given *g, struct arena *a,
                struct err *err)
{
    const struct enrich_site own = {site->id, site->domain, site->currency, site->ignored_referrers,
                                    site->n_ignored_referrers};

    return enrich_event(c->enrich, &own, g, a, err);
}

/* Encode the item behind the others, or say why not. */
static enum reason
judge(struct intake *in, struct beacon_item *item)
{
    struct given *g = &item->given;
    size_t before = in->records.n;
    enum reason why;

    if (item->rc != ERR_OK)
        return REASON_INVALID;
    if (g->event.origin != ORIGIN_SERVER)
        fill_from_request(in, g);
    if ((g->event.flags & EVENT_COOKIELESS) && g->event.text[TEXT_KNOWN].n != 0)
        return reject(item, REASON_INVALID, "a cookieless site does not join its visitors",
                      "known");
    why = judge_time(in, item);
    if (why != REASON_COUNT)
        return why;
    item->rc = collect__enrich(in->c, in->site, g, in->request->arena, &item->err);
    if (item->rc != ERR_OK)
        return REASON_INVALID; /* ERR_LIMIT too: a number out of range makes no event too large */
    item->rc = codec_batch_add(&in->records, &g->event, &item->err);
    if (item->rc != ERR_OK)
        return reason_of(item->rc);
    if (!is_within_limit(in, &g->event)) {
        in->records.n = before;
        return reject(item, REASON_TOO_MANY, "the visitor has sent its events of this day",
                      "visitor");
    }
    return REASON_COUNT;
}

/* Behind the browser's own events, where one of them brought a ticket: whose that was. */
static void
add_handover(struct intake *in)
{
    struct beacon *b = &in->beacon;
    struct slice ticket = SLICE_EMPTY;
    struct beacon_item *more;

    for (uint32_t i = 0; i < b->n_items && ticket.n == 0; i++)
        if (b->items[i]->rc == ERR_OK)
            ticket = b->items[i]->given.ticket;
    if (ticket.n == 0)
        return;
    more = ARENA_NEW(in->request->arena, struct beacon_item);
    if (collect__hand_over(in->c, in->site, ticket, b->visitor, in->received_ms, &more->given))
        b->items[b->n_items++] = more;
}

/* What could not be kept does not count: its visitor comes again with the same events. */
static void
give_back_limits(struct intake *in)
{
    int64_t max = in->site->max_events_per_visitor_day;

    for (uint32_t i = 0; i < in->beacon.n_items; i++) {
        const struct event *e = &in->beacon.items[i]->given.event;
        if (in->why[i] == REASON_COUNT && e->origin != ORIGIN_SERVER && max != 0)
            limit_give_back(in->c->limit, e->site, e->visitor, in->received_ms, max);
    }
}

/* For the site's people: a server gives its times itself, so none of its events is late. */
static void
count_accepted(const struct intake *in)
{
    uint64_t n_bots = 0, n_late = 0;

    for (uint32_t i = 0; i < in->beacon.n_items; i++) {
        const struct event *e = &in->beacon.items[i]->given.event;

        if (in->why[i] != REASON_COUNT)
            continue;
        n_bots += (e->flags & EVENT_BOT) != 0;
        n_late += e->origin != ORIGIN_SERVER && in->received_ms - e->time_ms > STREAM_DAY_LATE_MS;
    }
    daily_add(in->c->daily, in->site->id, DAILY_ACCEPTED, in->n_good);
    daily_add(in->c->daily, in->site->id, DAILY_BOTS, n_bots);
    daily_add(in->c->daily, in->site->id, DAILY_LATE, n_late);
}

/* Judge every event and have the good ones on disk. False: the answer is written already. */
static bool
take_events(struct intake *in)
{
    struct metrics *m = &in->c->metrics;
    struct err err;
    enum err_code rc;

    if (publish_check_clock(in->c->publish, &err) != ERR_OK) {
        intake__refuse_all(in, REASON_CLOCK, "events cannot be dated now; try again", NULL);
        return false;
    }
    if (!collect__is_site_in_pace(in->c, in->site, in->beacon.n_items, &in->wait_s)) {
        intake__refuse_all(in, REASON_RATE_SITE,
                           "too many events of this site at once; try again later", NULL);
        return false;
    }
    in->why = ARENA_ARRAY(in->request->arena, enum reason, in->beacon.n_items);
    for (uint32_t i = 0; i < in->beacon.n_items; i++) {
        in->why[i] = judge(in, in->beacon.items[i]);
        in->n_good += in->why[i] == REASON_COUNT;
    }
    rc = publish_records(in->c->publish, buffer_slice(&in->records), &err);
    if (rc != ERR_OK) {
        give_back_limits(in);
        intake__refuse_all(in,
                           rc == ERR_LIMIT  ? REASON_TOO_LARGE
                           : rc == ERR_FULL ? REASON_SPOOL_FULL
                                            : REASON_UNAVAILABLE,
                           rc == ERR_LIMIT ? err.message : "events cannot be kept now; try again",
                           NULL);
        return false;
    }
    metrics_add(&m->received, in->beacon.n_items);
    metrics_add(&m->accepted, in->n_good);
    count_accepted(in);
    for (uint32_t i = 0; i < in->beacon.n_items; i++) {
        if (in->why[i] == REASON_COUNT)
            continue;
        metrics_add(&m->rejected[in->why[i]], 1);
        daily_refused(in->c->daily, in->site->id, in->why[i], 1);
        intake__note_refusal(in, in->why[i], &in->beacon.items[i]->err,
                             in->beacon.items[i]->given.event.text[TEXT_EVENT]);
    }
    return true;
}

/* ---- Answering ---- */

/* Does the sender show a ticket of this site for seeing what becomes of its events? */
static bool
is_debug(const struct intake *in)
{
    struct slice ticket = http_header(in->request, COLLECT_DEBUG_HEADER), word;

    if (ticket.n == 0 && !http_parameter(in->request, "debug", &ticket))
        return false;
    return in->site->has_secret &&
           ticket_check(TICKET_DEBUG, in->site->secret, ticket, in->received_ms, &word);
}

/* Have the events on disk and answer, in this way or, where it is asked for, in full. */
static void
take_and_answer(struct intake *in, void (*answer)(struct intake *in))
{
    if (!take_events(in))
        return;
    if (is_debug(in))
        intake__answer_debug(in);
    else
        answer(in);
}

/* The snippet's: it may have come over from another domain, and may be given a cookie. */
static void
take_beacon(struct intake *in)
{
    add_handover(in);
    take_and_answer(in, intake__answer_beacon);
    if (in->reply->status < 300)
        collect__keep_visitor(in->request, in->reply, in->site, in->beacon.visitor,
                              in->received_ms);
}

/* ---- The handlers ---- */

void
collect__beacon(const struct http_request *r, struct http_reply *reply, void *context)
{
    struct intake in;
    struct err err;
    enum err_code rc;
    enum reason why;

    if (!intake_init(&in, r, reply, context))
        return;
    rc = beacon_parse(r->body, r->arena, &in.beacon, &err);
    if (rc != ERR_OK) {
        intake__refuse(&in, reason_of(rc), err.message, err.field);
    } else if (find_site(&in, sites_find_key(in.table, in.beacon.site), REASON_UNKNOWN_SITE,
                         "no site has this key", "site")) {
        why = collect__may_keep(in.site, r, true); /* without consent the snippet sends nothing */
        if (why != REASON_COUNT)
            intake__leave_out(&in, why);
        else if (find_visitor(&in, in.beacon.visitor))
            take_beacon(&in);
    }
    intake_fini(&in);
}

void
collect__pixel(const struct http_request *r, struct http_reply *reply, void *context)
{
    struct intake in;
    struct err err;
    enum err_code rc;
    enum reason why;

    if (!intake_init(&in, r, reply, context))
        return;
    rc = beacon_parse_pixel(r->query, r->arena, &in.beacon, &err);
    if (rc != ERR_OK) {
        intake__refuse(&in, reason_of(rc), err.message, err.field);
    } else if (find_site(&in, sites_find_key(in.table, in.beacon.site), REASON_UNKNOWN_SITE,
                         "no site has this key", "site")) {
        why = collect__may_keep(in.site, r, collect__cookie(r, in.received_ms).n != 0);
        if (why != REASON_COUNT) {
            intake__leave_out(&in, why);
            intake__draw_pixel(reply);
        } else if (!collect__is_cookieless(in.site) || find_visitor(&in, SLICE_EMPTY)) {
            take_and_answer(&in, intake__answer_pixel);
        }
    }
    intake_fini(&in);
}

/* "Bearer <key>": the key, or "". */
static struct slice
bearer(const struct http_request *r)
{
    struct slice scheme, key;

    if (!slice_cut(slice_trim(http_header(r, "Authorization")), ' ', &scheme, &key) ||
        !slice_equal_nocase(scheme, SLICE("Bearer")))
        return SLICE_EMPTY;
    return slice_trim(key);
}

void
collect__server(const struct http_request *r, struct http_reply *reply, void *context)
{
    struct intake in;
    struct err err;
    enum err_code rc;

    if (!intake_init(&in, r, reply, context))
        return;
    if (!find_site(&in, sites_find_secret(in.table, bearer(r)), REASON_BAD_KEY,
                   "the secret key of a site is needed: Authorization: Bearer <key>", NULL)) {
        intake_fini(&in);
        return;
    }
    rc = beacon_parse_server(r->body, r->arena, &in.beacon, &err);
    if (rc != ERR_OK)
        intake__refuse(&in, reason_of(rc), err.message, err.field);
    else
        take_and_answer(&in, intake__answer_server);
    intake_fini(&in);
}
