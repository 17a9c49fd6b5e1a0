/* GET /r/<slug>: a campaign link of ours. It leads to its target, always and at once, and one event
 * says that somebody came by:
 *
 *     event "redirect", url = the target (whose campaign parameters are the driver), the referrer,
 *     property "link" = the slug, origin ORIGIN_REDIRECT
 *
 * Who it was must be known again at the target. Where target and collector share their registrable
 * domain a cookie says it; else the target's address carries a ticket (core/ticket.h) as `_c`,
 * which the snippet removes and sends along (collect__hand_over). Who clicks on a page of the
 * site's own brings the cookie to both, so that such a link also joins a site's several domains.
 * Programs that only look where a link leads (previews, prefetch) are flagged as bots and get
 * neither; HEAD leads on and counts nothing.
 *
 * On a cookieless site a visitor is known again without cookie and ticket, and gets neither. Where
 * consent is required only whoever brings the cookie has given it; everybody else, and whoever
 * opts out (collect__may_keep), is led on and leaves no trace: the target's address still says what
 * brought them.
 */
#include "collector/collect_int.h"

#include <stdlib.h>
#include <sys/random.h>

#include "collector/driver.h"
#include "collector/visitor.h"
#include "core/clock.h"
#include "core/codec.h"
#include "core/ticket.h"
#include "core/url.h"

#define WAIT_MS   100
#define PARAMETER "_c"

/* One click on its way. */
struct click {
    struct collect *c;
    const struct http_request *request;
    const struct site_link *link;
    struct slice host;        /* ours, as the browser sees it; lower case, without port */
    struct slice target_host; /* lower case */
    struct slice visitor;     /* "": a cookieless one, while the day's salt is not known */
    enum reason why_not;      /* REASON_COUNT: it may be kept */
    bool is_bot;
    bool shares_domain;
    int64_t now_ms;
};

/* ---- Who ---- */

/* Of the event: two clicks are two. */
static struct slice
new_id(struct arena *a)
{
    unsigned char b[16];
    struct buffer hex = BUFFER_EMPTY;
    struct slice id;

    if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
        abort(); /* 16 bytes never come short once the system is up */
    for (size_t i = 0; i < sizeof b; i++)
        buffer_printf(&hex, "%02x", b[i]);
    id = arena_copy(a, buffer_slice(&hex));
    buffer_fini(&hex);
    return id;
}

/* Does a browser, or whoever made a page, fetch this before anybody has asked for it? */
static bool
is_prefetch(const struct http_request *r)
{
    static const char *const headers[] = {"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"};

    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct slice value = http_header(r, headers[i]);
        if (slice_starts_with(value, SLICE("prefetch")) ||
            slice_starts_with(value, SLICE("preview")))
            return true;
    }
    return false;
}

static void
find_visitor(struct click *k)
{
    struct arena *a = k->request->arena;
    struct slice cookie = SLICE_EMPTY;
    struct url url;

    url_split(k->link->target, &url);
    k->host = collect__host(k->request);
    k->target_host = url_host(a, url.host);
    k->shares_domain = driver_same_domain(k->host, k->target_host, a);
    if (k->shares_domain || driver_same_domain(k->host, k->link->site->domain, a))
        cookie = collect__cookie(k->request, k->now_ms);
    k->why_not = collect__may_keep(k->link->site, k->request, cookie.n != 0);
    if (collect__is_cookieless(k->link->site))
        k->visitor = collect__day_visitor(k->c, k->link->site, k->request, k->now_ms);
    else
        k->visitor = cookie.n != 0 ? cookie : visitor_make(k->now_ms, a);
}

/* ---- The event ---- */

static enum err_code
make_event(struct click *k, struct given *g, struct err *err)
{
    const struct http_request *r = k->request;
    struct given_value slug = {GIVEN_TEXT, k->link->slug};
    enum err_code rc;

    given_init(g, ORIGIN_REDIRECT);
    g->event.visitor = k->visitor;
    g->event.id = new_id(r->arena);
    g->event.time_ms = k->now_ms;
    g->has_time = true;
    if (collect__is_cookieless(k->link->site))
        g->event.flags |= EVENT_COOKIELESS;
    g->user_agent = http_header(r, "User-Agent");
    g->ip = r->remote;
    given_fill(g, TEXT_EVENT, SLICE("redirect"));
    given_fill(g, TEXT_URL, k->link->target);
    given_fill(g, TEXT_REFERRER, http_header(r, "Referer"));
    rc = given_set_property(g, SLICE("link"), &slug, r->arena, err);
    if (rc == ERR_OK)
        rc = collect__enrich(k->c, k->link->site, g, r->arena, err);
    if (rc == ERR_OK && is_prefetch(r) && !(g->event.flags & EVENT_BOT)) {
        g->event.flags |= EVENT_BOT;
        g->event.text[TEXT_BOT_REASON] = SLICE("prefetch");
    }
    return rc;
}

/* May this click be counted? A flood is led on like everybody, and not written. */
static enum reason
judge(const struct click *k, const struct event *e)
{
    const struct site *site = k->link->site;
    int64_t wait_s;

    if (!collect__is_in_pace(k->c, k->request, &wait_s))
        return REASON_RATE_ADDRESS;
    if (!collect__is_site_in_pace(k->c, site, 1, &wait_s))
        return REASON_RATE_SITE;
    if (site->max_events_per_visitor_day != 0 &&
        !limit_take(k->c->limit, site->id, e->visitor, k->now_ms, site->max_events_per_visitor_day))
        return REASON_TOO_MANY;
    return REASON_COUNT;
}

static void
count(struct click *k)
{
    struct metrics *m = &k->c->metrics;
    struct buffer records = BUFFER_EMPTY;
    enum reason why = REASON_INVALID;
    struct given g;
    struct err err;

    metrics_add(&m->received, 1);
    /* no time to give it, or nobody's id */
    if (publish_check_clock(k->c->publish, &err) != ERR_OK || k->visitor.n == 0) {
        metrics_add(&m->failed, 1);
        daily_refused(k->c->daily, k->link->site->id, REASON_UNAVAILABLE, 1);
        return;
    }
    if (make_event(k, &g, &err) == ERR_OK) {
        k->is_bot = (g.event.flags & EVENT_BOT) != 0;
        why = judge(k, &g.event);
        if (why == REASON_COUNT && codec_batch_add(&records, &g.event, &err) != ERR_OK)
            why = REASON_TOO_LARGE;
    }
    if (why == REASON_COUNT) {
        redirect_writer_put(k->c->redirects, buffer_slice(&records), WAIT_MS);
        daily_add(k->c->daily, k->link->site->id, DAILY_ACCEPTED, 1);
        daily_add(k->c->daily, k->link->site->id, DAILY_BOTS, k->is_bot);
    } else {
        metrics_add(&m->rejected[why], 1);
        daily_refused(k->c->daily, k->link->site->id, why, 1);
    }
    buffer_fini(&records);
}

/* ---- The answer ---- */

/* The target with the ticket as its last parameter, before the fragment. */
static struct slice
add_ticket(const struct click *k)
{
    struct arena *a = k->request->arena;
    struct slice target = k->link->target, ticket;
    size_t end = slice_find(target, '#', 0);
    struct slice page = slice_sub(target, 0, end);

    ticket = ticket_make(a, TICKET_VISITOR, k->link->site->secret, k->visitor, k->now_ms);
    return arena_printf(a, "%.*s%s" PARAMETER "=%.*s%.*s", SLICE_ARG(page),
                        slice_find(page, '?', 0) < page.n ? "&" : "?", SLICE_ARG(ticket),
                        SLICE_ARG(slice_sub(target, end, target.n)));
}

/* Is there somebody whom cookie or ticket shall make known again at the target? */
static bool
is_to_be_known(const struct click *k)
{
    return !k->is_bot && k->visitor.n != 0 && k->why_not == REASON_COUNT &&
           !collect__is_cookieless(k->link->site);
}

static void
lead_on(const struct click *k, struct http_reply *reply)
{
    struct slice to = k->link->target;

    if (is_to_be_known(k) && k->shares_domain)
        collect__set_cookie(k->request, reply, k->host, k->visitor, k->now_ms);
    else if (is_to_be_known(k) && k->link->site->has_secret)
        to = add_ticket(k);
    reply->status = 302;
    http_reply_header(reply, "Location", to);
}

static void
leave_out(const struct click *k, struct http_reply *reply)
{
    struct metrics *m = &k->c->metrics;

    metrics_add(&m->received, 1);
    metrics_add(&m->rejected[k->why_not], 1);
    metrics_add(&m->refused[k->why_not], 1);
    daily_refused(k->c->daily, k->link->site->id, k->why_not, 1);
    reply->code = reason_name(k->why_not);
}

static void
refuse(struct collect *c, struct http_reply *reply, enum reason why, const char *message)
{
    metrics_add(&c->metrics.refused[why], 1);
    daily_refused(c->daily, 0, why, 1);
    http_reply_error(reply, reason_status(why), reason_name(why), message, NULL);
    if (why == REASON_UNAVAILABLE)
        http_reply_header(reply, "Retry-After", SLICE("2"));
}

void
collect__redirect(const struct http_request *r, struct http_reply *reply, void *context)
{
    struct collect *c = context;
    const struct sites_table *table = sites_acquire(c->sites);
    struct click k = {.c = c,
                      .request = r,
                      .visitor = SLICE_EMPTY,
                      .why_not = REASON_COUNT,
                      .now_ms = clock_wall_ms()};

    k.link = sites_find_link(table, r->tail);
    if (k.link && !r->is_head) {
        find_visitor(&k);
        if (k.why_not == REASON_COUNT)
            count(&k);
        else
            leave_out(&k, reply);
    }
    if (k.link)
        lead_on(&k, reply);
    else if (sites_are_known(table))
        refuse(c, reply, REASON_UNKNOWN_LINK, "there is no such link");
    else
        refuse(c, reply, REASON_UNAVAILABLE, "the links are not known yet; try again");
    sites_release(table);
}
