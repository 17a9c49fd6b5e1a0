/* What collect.c (wiring, answers about the process), collect_event.c (events in) and redirect.c
 * (campaign links) share; collect_privacy.c and collect_identity.c are what both ask. */
#ifndef COLLECTOR_COLLECT_INT_H
#define COLLECTOR_COLLECT_INT_H

#include "collector/collect.h"
#include "collector/daily.h"
#include "collector/enrich.h"
#include "collector/handover.h"
#include "collector/limit.h"
#include "collector/metrics.h"
#include "collector/publish.h"
#include "collector/redirect_writer.h"
#include "collector/refusal.h"
#include "collector/salt.h"
#include "collector/shop.h"
#include "collector/sites.h"
#include "core/http.h"

#define COLLECT_ROUTES_MAX   16
#define COLLECT_COOKIE       "corong"         /* a visitor's id, in first-party browsers */
#define COLLECT_DEBUG_HEADER "X-Corong-Debug" /* or ?debug=: a ticket (core/ticket.h) */

struct collect {
    struct collect_config config;
    struct enrich *enrich;
    struct limit *limit;
    struct limit_rate *address_rate;
    struct limit_rate *site_rate;
    struct sites *sites;
    struct salts *salts;
    struct handovers *handovers;
    struct publish *publish;
    struct redirect_writer *redirects;
    struct refusals *refusals;
    struct daily *daily;
    struct shop *shop; /* NULL: no demonstration */
    struct http_server *http;
    struct http_route routes[COLLECT_ROUTES_MAX];
    struct metrics metrics;
};

/* POST /e, GET /e.gif, POST /api/v1/events. */
void collect__beacon(const struct http_request *r, struct http_reply *reply, void *context);
void collect__pixel(const struct http_request *r, struct http_reply *reply, void *context);
void collect__server(const struct http_request *r, struct http_reply *reply, void *context);

/* GET /r/<slug> (redirect.c). */
void collect__redirect(const struct http_request *r, struct http_reply *reply, void *context);

/* ---- What they share ---- */

/* May this address, this site send (n events) now? Else *wait_s is for Retry-After. */
bool collect__is_in_pace(const struct collect *c, const struct http_request *r, int64_t *wait_s);
bool collect__is_site_in_pace(const struct collect *c, const struct site *site, uint32_t n,
                              int64_t *wait_s);

/* ---- Privacy (collect_privacy.c) ---- */

/* REASON_OPTED_OUT where the request says so (Sec-GPC, DNT) and the site respects it; else
 * REASON_NO_CONSENT where the site requires consent and has_consent is false; else REASON_COUNT:
 * it may leave a trace. */
enum reason collect__may_keep(const struct site *site, const struct http_request *r,
                              bool has_consent);

static inline bool
collect__is_cookieless(const struct site *site)
{
    return site->privacy.on[PRIVACY_COOKIELESS];
}

/* Who this is on a cookieless site, today; in the request's arena. "" while the day's salt is not
 * known. The day is that of receiving: an event that comes after midnight is tomorrow's visitor's,
 * whenever it happened. */
struct slice collect__day_visitor(const struct collect *c, const struct site *site,
                                  const struct http_request *r, int64_t received_ms);

/* ---- Who comes back (collect_identity.c) ---- */

/* The host by which the sender knows us: lower case, without port. */
struct slice collect__host(const struct http_request *r);

/* The id in the request's cookie; "" where there is none that is ours and may still be used. */
struct slice collect__cookie(const struct http_request *r, int64_t now_ms);

/* Have the browser keep this id, for every host of the registrable domain that `host` (ours) is of,
 * for what is left of the id's life; an id without one (visitor_life_left) is not kept. */
void collect__set_cookie(const struct http_request *r, struct http_reply *reply, struct slice host,
                         struct slice visitor, int64_t now_ms);

/* The same after a beacon of a page of the site's own domain, where we share that domain and the
 * browser does not have this id, or a newer one, already. */
void collect__keep_visitor(const struct http_request *r, struct http_reply *reply,
                           const struct site *site, struct slice visitor, int64_t now_ms);

/* Whoever came with this ticket as `visitor` is the one whom it names: the event that says so,
 * where the two differ. False: there is none to store. Its id is the ticket's, so that a retry is
 * the same event. */
bool collect__hand_over(struct collect *c, const struct site *site, struct slice ticket,
                        struct slice visitor, int64_t now_ms, struct given *out);

/* ---- Events ---- */

/* enrich_event for this site. */
enum err_code collect__enrich(const struct collect *c, const struct site *site, struct given *g,
                              struct arena *a, struct err *err);

#endif
