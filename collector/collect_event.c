/* Events in: the three addresses that take them, one way through.
 *
 *     parse (beacon.h) -> find the site -> may it be kept? whose is it? (collect_privacy.c)
 *     -> judge each event (time, enrich, limit, encode)
 *     -> have the good ones on disk (publish.h) -> answer
 *
 * Nothing of a refused event is kept, and no answer is 2xx for an event that is not on disk.
 */
#include "collector/collect_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "collector/beacon.h"
#include "collector/given.h"
#include "core/clock.h"
#include "core/codec.h"
#include "core/event_json.h"
#include "core/ticket.h"

#define RETRY_AFTER_S "2"
#define DAY_MS        86400000

/* One request on its way. */
struct intake {
    struct collect *c;
    const struct http_request *request;
    struct http_reply *reply;
    const struct sites_table *table; /* acquired; released at the end */
    const struct site *site;
    struct beacon beacon;
    int64_t received_ms;
    struct buffer records;
    enum reason *why; /* of each item; REASON_COUNT: accepted */
    uint32_t n_good;
    int64_t wait_s; /* of a limit that was met: how long to wait */
};

/* ---- Refusing ---- */

static void
refuse(struct intake *in, enum reason why, const char *message, const char *field)
{
    char seconds[24];

    metrics_add(&in->c->metrics.refused[why], 1);
    http_reply_error(in->reply, reason_status(why), reason_name(why), message, field);
    if (reason_status(why) == 503)
        http_reply_header(in->reply, "Retry-After", SLICE(RETRY_AFTER_S));
    if (why == REASON_BAD_KEY)
        http_reply_header(in->reply, "WWW-Authenticate", SLICE("Bearer"));
    if (why == REASON_TOO_MANY)
        in->wait_s = (DAY_MS - in->received_ms % DAY_MS) / 1000 + 1;
    if (in->wait_s > 0) {
        snprintf(seconds, sizeof seconds, "%lld", (long long)in->wait_s);
        http_reply_header(in->reply, "Retry-After", slice_from(seconds));
    }
}

/* For the list that the site's people can read. A message that quotes what was given stays out:
 * that may be anything. */
static void
note_refusal(struct intake *in, enum reason why, const struct err *err, struct slice event)
{
    struct refusal refusal = {.site = in->site->id,
                              .time_ms = in->received_ms,
                              .why = why,
                              .message = strchr(err->message, '"') ? "" : err->message,
                              .field = err->field,
                              .event = event};

    refusals_note(in->c->refusals, &refusal);
}

/* The events of a request that is refused as a whole are counted as what became of them. */
static void
refuse_all(struct intake *in, enum reason why, const char *message, const char *field)
{
    struct metrics *m = &in->c->metrics;
    struct err err;

    metrics_add(&m->received, in->beacon.n_items);
    metrics_add(reason_status(why) == 503 ? &m->failed : &m->rejected[why], in->beacon.n_items);
    if (in->site && reason_status(why) != 503) {
        err_set(&err, ERR_LIMIT, field, "%s", message);
        note_refusal(in, why, &err, SLICE_EMPTY);
    }
    refuse(in, why, message, field);
}

/* Whoever asked not to be followed leaves no trace but a number, and is told that all is well. */
static void
leave_out(struct intake *in, enum reason why)
{
    struct metrics *m = &in->c->metrics;

    metrics_add(&m->received, in->beacon.n_items);
    metrics_add(&m->rejected[why], in->beacon.n_items);
    metrics_add(&m->refused[why], 1);
    in->reply->status = reason_status(why);
    in->reply->code = reason_name(why);
}

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
        refuse_all(in, REASON_UNAVAILABLE, "the settings of the sites are not there yet", NULL);
    else
        refuse_all(in, why_not, message, field);
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
        refuse(in, REASON_RATE_ADDRESS, "too many requests from this address; try again later",
               NULL);
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
        refuse_all(in, REASON_UNAVAILABLE, "visitors cannot be told apart yet; try again", NULL);
        return false;
    }
    if (beacon_give_visitor(&in->beacon, given, &err) != ERR_OK) {
        refuse_all(in, REASON_INVALID, err.message, err.field);
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

/* Judge every event and have the good ones on disk. False: the answer is written already. */
static bool
take_events(struct intake *in)
{
    struct metrics *m = &in->c->metrics;
    struct err err;
    enum err_code rc;

    if (publish_check_clock(in->c->publish, &err) != ERR_OK) {
        refuse_all(in, REASON_CLOCK, "events cannot be dated now; try again", NULL);
        return false;
    }
    if (!collect__is_site_in_pace(in->c, in->site, in->beacon.n_items, &in->wait_s)) {
        refuse_all(in, REASON_RATE_SITE, "too many events of this site at once; try again later",
                   NULL);
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
        refuse_all(in,
                   rc == ERR_LIMIT  ? REASON_TOO_LARGE
                   : rc == ERR_FULL ? REASON_SPOOL_FULL
                                    : REASON_UNAVAILABLE,
                   rc == ERR_LIMIT ? err.message : "events cannot be kept now; try again", NULL);
        return false;
    }
    metrics_add(&m->received, in->beacon.n_items);
    metrics_add(&m->accepted, in->n_good);
    for (uint32_t i = 0; i < in->beacon.n_items; i++) {
        if (in->why[i] == REASON_COUNT)
            continue;
        metrics_add(&m->rejected[in->why[i]], 1);
        note_refusal(in, in->why[i], &in->beacon.items[i]->err,
                     in->beacon.items[i]->given.event.text[TEXT_EVENT]);
    }
    return true;
}

/* ---- Answering ---- */

/* What to say where no event was good: the reason, if it is one for all. */
static void
refuse_none_good(struct intake *in)
{
    struct beacon_item *first = in->beacon.items[0];
    enum reason why = in->why[0];

    for (uint32_t i = 1; i < in->beacon.n_items; i++)
        if (in->why[i] != why)
            why = REASON_INVALID;
    refuse(in, why, first->err.message, first->err.field);
}

static void
add_error(struct buffer *out, enum reason why, const struct err *err)
{
    buffer_printf(out, "\"code\":\"%s\",\"message\":", reason_name(why));
    buffer_add_json(out, slice_from(err->message));
    if (err->field[0]) {
        buffer_add_text(out, ",\"field\":");
        buffer_add_json(out, slice_from(err->field));
    }
}

static void
answer_beacon(struct intake *in)
{
    struct buffer *out = &in->reply->body;
    const char *comma = "";

    if (in->n_good == in->beacon.n_items) {
        in->reply->status = 204;
        return;
    }
    if (in->n_good == 0) {
        refuse_none_good(in);
        return;
    }
    http_reply_json(in->reply, 200);
    buffer_printf(out, "{\"accepted\":%u,\"rejected\":[", in->n_good);
    for (uint32_t i = 0; i < in->beacon.n_items; i++) {
        if (in->why[i] == REASON_COUNT)
            continue;
        buffer_printf(out, "%s{\"index\":%u,", comma, i);
        add_error(out, in->why[i], &in->beacon.items[i]->err);
        buffer_add_char(out, '}');
        if (comma[0] == '\0')
            http_reply_header(in->reply, "X-Corong-Reason", slice_from(reason_name(in->why[i])));
        comma = ",";
    }
    buffer_add_text(out, "]}\n");
}

static void
add_accepted(struct buffer *out, const struct event *e, bool is_whole)
{
    buffer_add_text(out, "{\"status\":\"accepted\"");
    if (is_whole) {
        buffer_add_text(out, ",\"event\":");
        event_add_json(out, e);
    }
    if (is_whole && e->text[TEXT_BOT_REASON].n != 0) {
        buffer_add_text(out, ",\"bot_reason\":");
        buffer_add_json(out, e->text[TEXT_BOT_REASON]);
    }
    buffer_add_char(out, '}');
}

/* What became of each event, in their order; with is_whole as it was stored. */
static void
answer_results(struct intake *in, bool is_whole)
{
    struct buffer *out = &in->reply->body;

    if (in->n_good == 0)
        refuse_none_good(in);
    else
        http_reply_json(in->reply, 200);
    if (out->n != 0)
        out->n -= 2; /* reopen {"error":{..}}\n: the results follow it */
    buffer_add_text(out, out->n != 0 ? ",\"results\":[" : "{\"results\":[");
    for (uint32_t i = 0; i < in->beacon.n_items; i++) {
        if (i > 0)
            buffer_add_char(out, ',');
        if (in->why[i] == REASON_COUNT) {
            add_accepted(out, &in->beacon.items[i]->given.event, is_whole);
            continue;
        }
        buffer_add_text(out, "{\"status\":\"rejected\",\"error\":{");
        add_error(out, in->why[i], &in->beacon.items[i]->err);
        buffer_add_text(out, "}}");
    }
    buffer_add_text(out, "]}\n");
}

/* 1 x 1, transparent. */
static void
draw_pixel(struct http_reply *reply)
{
    static const char gif[] = "GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\4\1\0\0\0\0,\0\0\0\0"
                              "\1\0\1\0\0\2\2D\1\0;";

    reply->status = 200;
    reply->content_type = "image/gif";
    reply->fixed = SLICE(gif);
}

static void
answer_pixel(struct intake *in)
{
    if (in->n_good == 0)
        refuse_none_good(in);
    else
        draw_pixel(in->reply);
}

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
        answer_results(in, true);
    else
        answer(in);
}

static void
answer_server(struct intake *in)
{
    answer_results(in, false);
}

/* The snippet's: it may have come over from another domain, and may be given a cookie. */
static void
take_beacon(struct intake *in)
{
    add_handover(in);
    take_and_answer(in, answer_beacon);
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
        refuse(&in, reason_of(rc), err.message, err.field);
    } else if (find_site(&in, sites_find_key(in.table, in.beacon.site), REASON_UNKNOWN_SITE,
                         "no site has this key", "site")) {
        why = collect__may_keep(in.site, r, true); /* without consent the snippet sends nothing */
        if (why != REASON_COUNT)
            leave_out(&in, why);
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
        refuse(&in, reason_of(rc), err.message, err.field);
    } else if (find_site(&in, sites_find_key(in.table, in.beacon.site), REASON_UNKNOWN_SITE,
                         "no site has this key", "site")) {
        why = collect__may_keep(in.site, r, collect__cookie(r, in.received_ms).n != 0);
        if (why != REASON_COUNT) {
            leave_out(&in, why);
            draw_pixel(reply);
        } else if (!collect__is_cookieless(in.site) || find_visitor(&in, SLICE_EMPTY)) {
            take_and_answer(&in, answer_pixel);
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
        refuse(&in, reason_of(rc), err.message, err.field);
    else
        take_and_answer(&in, answer_server);
    intake_fini(&in);
}
