/* Beacons and everything else that brings events: bytes -> what a sender gave. Pure: no clock, no
 * network, no state.
 *
 * Three shapes come in, all with the same names (design.md, "One event"):
 *
 *   the snippet   POST /e           {"site":..,"visitor":..,"sent":..,"events":[{one event}..]}
 *   the server    POST /api/v1/events, and import (NDJSON)    {one event} or [{one event}..]
 *   the pixel     GET /e.gif?site=..&event=..&url=..          a query; CSV sets fields the same way
 *
 * The way on from a `struct given` (collector/given.h):
 *
 *     beacon_parse..()                        what was given; or given_init + given_set by hand
 *     beacon_give_visitor(...)                snippet: whose events they are
 *     g->user_agent, g->ip = ...              of the request, where the sender gave none
 *     beacon_settle_time(...)                 snippet and pixel: time, too_old, in_future
 *     enrich_event(enrich, site, g, a, err)   collector/enrich.h: numbers, place, driver, prepare
 *     g->event                                is fit to be encoded (core/codec.h)
 *
 * Slices borrow from the input or live in the arena given to the parser: both must stay.
 */
#ifndef COLLECTOR_BEACON_H
#define COLLECTOR_BEACON_H

#include "collector/given.h"

#define BEACON_EVENTS_MAX     100             /* of one body */
#define BEACON_BODY_BYTES_MAX (64 * 1024)     /* what sendBeacon and keepalive allow a page */
#define BEACON_FUTURE_MAX_MS  (5 * 60 * 1000) /* ahead of our clock */
#define BEACON_SKEW_STEP_MS   (30 * 1000)

/* One event of a body: either given, or why it was refused. */
struct beacon_item {
    enum err_code rc; /* ERR_OK: given; else err says what and where */
    struct given given;
    struct err err;
};

struct beacon {
    struct slice site;    /* the public key; "" from beacon_parse_server */
    struct slice visitor; /* the snippet's, as given: beacon_give_visitor */
    bool has_sent;
    int64_t sent_ms; /* the sender's clock when it sent */
    uint32_t n_items;
    /* In the order of the body, and room for one of the collector's own; in the arena. */
    struct beacon_item *items[BEACON_EVENTS_MAX + 1];
};

/* The snippet's body (ORIGIN_SNIPPET). A bad event is an item with its error and spoils no other;
 * what makes the whole body worthless is the result: ERR_INVALID (no JSON, no site, no events, an
 * unknown or doubled name at the top), ERR_LIMIT (over BEACON_EVENTS_MAX events). The events may
 * not give user_agent and ip: those are the request's. One may carry the ticket of the link that
 * led to its page (given.ticket; core/ticket.h), which is not looked into here. */
enum err_code beacon_parse(struct slice body, struct arena *a, struct beacon *out, struct err *err);

/* Whose all events are: b->visitor, or whom else the caller has found. ERR_INVALID, "visitor". */
enum err_code beacon_give_visitor(struct beacon *b, struct slice visitor, struct err *err);

/* A server's body: one event or an array of them (ORIGIN_SERVER), which must have visitor, time and
 * event. Errors as above; an empty array is ERR_INVALID. */
enum err_code beacon_parse_server(struct slice body, struct arena *a, struct beacon *out,
                                  struct err *err);

/* The pixel's query (ORIGIN_PIXEL): site and the fields of one event; "_" may hold anything,
 * against caches, and "debug" is the request's. One item. A bad field is the item's error; the
 * result is ERR_INVALID only without a site. Visitor, url and event may be missing: the caller
 * fills what the request tells. */
enum err_code beacon_parse_pixel(struct slice query, struct arena *a, struct beacon *out,
                                 struct err *err);

/* One event that is the whole of a line (ORIGIN_IMPORT). ERR_INVALID names the field, where it is
 * one's. visitor, time and event being there is checked (import has nothing to fill them from). */
enum err_code beacon_parse_line(struct slice line, struct arena *a, struct given *out,
                                struct err *err);

/* The sender's clock as ours: happened + skew, skew = received - sent rounded to whole 30 s, so
 * that latency never reorders a visitor and a retry gets the same time. */
int64_t beacon_time(int64_t happened_ms, int64_t sent_ms, int64_t received_ms);

enum beacon_timing { BEACON_IN_TIME, BEACON_TOO_OLD, BEACON_IN_FUTURE };

/* "in_time", "too_old", "in_future": as X-Corong-Reason says it. */
const char *beacon_timing_name(enum beacon_timing t);

/* Is time within [received - max_age, received + 5 min]? Nothing is clamped. */
enum beacon_timing beacon_judge_time(int64_t time_ms, int64_t received_ms, int64_t max_age_ms);

/* Give g its time by our clock and judge it. Without a time of its own an event happened when the
 * beacon was sent; without `sent` the sender's clock is taken to be right. */
enum beacon_timing beacon_settle_time(struct given *g, const struct beacon *b, int64_t received_ms,
                                      int64_t max_age_ms);

#endif
