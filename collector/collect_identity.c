/* Who comes back: the cookie by which a browser is known longer than scripts may store, and the
 * ticket by which it is known on another domain (docs/identity.md). */
#include "collector/collect_int.h"

#include <libpsl.h>

#include "collector/driver.h"
#include "collector/visitor.h"
#include "core/address.h"
#include "core/ticket.h"
#include "core/url.h"

struct slice
collect__host(const struct http_request *r)
{
    struct slice name, port;

    slice_cut(http_header(r, "Host"), ':', &name, &port);
    return url_host(r->arena, name);
}

/* ---- The cookie ---- */

struct slice
collect__cookie(const struct http_request *r, int64_t now_ms)
{
    struct slice cookie = http_cookie(r, COLLECT_COOKIE);

    return visitor_life_left(cookie, now_ms) > 0 ? cookie : SLICE_EMPTY;
}

/* The page's origin, which is what the browser's user sees, or a proxy says so. */
static bool
is_https(const struct http_request *r)
{
    return r->is_https || slice_starts_with(http_header(r, "Origin"), SLICE("https://"));
}

/* Scripts may read it: the snippet goes on with its id, and deletes it where that is asked for. A
 * host without a domain above it (an address, "localhost") keeps the cookie to itself. */
void
collect__set_cookie(const struct http_request *r, struct http_reply *reply, struct slice host,
                    struct slice visitor, int64_t now_ms)
{
    const char *domain = psl_registrable_domain(psl_builtin(), arena_cstr(r->arena, host));
    long long seconds = (long long)(visitor_life_left(visitor, now_ms) / 1000);
    unsigned char address[16];
    bool is_whole = domain && !address_parse(host, address);

    if (seconds == 0)
        return;
    http_reply_header(reply, "Set-Cookie",
                      arena_printf(r->arena,
                                   COLLECT_COOKIE "=%.*s; Path=/; Max-Age=%lld; SameSite=Lax%s%s%s",
                                   SLICE_ARG(visitor), seconds, is_whole ? "; Domain=" : "",
                                   is_whole ? domain : "", is_https(r) ? "; Secure" : ""));
}

/* Is this the newer one? Both begin with the time when they were made. */
static bool
is_newer(struct slice visitor, struct slice cookie)
{
    return cookie.n == 0 || slice_compare(visitor, cookie) > 0;
}

void
collect__keep_visitor(const struct http_request *r, struct http_reply *reply,
                      const struct site *site, struct slice visitor, int64_t now_ms)
{
    struct slice origin, host;
    struct url url;

    if (collect__is_cookieless(site) || visitor_life_left(visitor, now_ms) == 0 ||
        !is_newer(visitor, collect__cookie(r, now_ms)))
        return;
    origin = http_header(r, "Origin");
    if (!url_split(origin, &url))
        return; /* none, or "null" */
    host = collect__host(r);
    if (driver_same_domain(url_host(r->arena, url.host), host, r->arena) &&
        driver_same_domain(host, site->domain, r->arena))
        collect__set_cookie(r, reply, host, visitor, now_ms);
}

/* ---- The ticket ---- */

/* What stands behind its last dot: no two tickets of a site have the same. */
static struct slice
mac_of(struct slice ticket)
{
    struct slice head, rest, time, mac;

    slice_cut(ticket, '.', &head, &rest);
    slice_cut(rest, '.', &time, &mac);
    return mac;
}

bool
collect__hand_over(struct collect *c, const struct site *site, struct slice ticket,
                   struct slice visitor, int64_t now_ms, struct given *out)
{
    struct slice from;

    if (collect__is_cookieless(site))
        return false;
    if (!site->has_secret || !ticket_check(TICKET_VISITOR, site->secret, ticket, now_ms, &from) ||
        !handovers_take(c->handovers, ticket, visitor, now_ms)) {
        metrics_add(&c->metrics.tickets_refused, 1);
        return false;
    }
    if (slice_equal(from, visitor))
        return false; /* back where it came from */
    given_init(out, ORIGIN_REDIRECT);
    out->event.visitor = from;
    out->event.id = mac_of(ticket);
    out->event.time_ms = now_ms;
    out->has_time = true;
    given_fill(out, TEXT_EVENT, EVENT_HANDOVER);
    given_fill(out, TEXT_KNOWN, visitor);
    return true;
}
