/* From what was given to a whole event: page address, driver, place, device, bot.
 *
 * What was given always wins over what is derived. The address (ip) is used and then forgotten: it
 * is never in the event, and the given loses it. The same input gives the same event. */
#ifndef COLLECTOR_ENRICH_H
#define COLLECTOR_ENRICH_H

#include "collector/beacon.h"

struct enrich; /* shared by all threads, read only */

/* place_path: a MaxMind database, or NULL: then no place is known. ERR_NOT_FOUND, ERR_CORRUPT, as
 * place_open. *out is owned by the caller (enrich_close). */
enum err_code enrich_open(const char *place_path, struct enrich **out, struct err *err);

/* The same for a process that runs on: a database that is replaced is taken (collector/place.h),
 * and a bad one is logged and no error, because no place is worth the loss of events.
 * ERR_NOT_FOUND. */
enum err_code enrich_serve(const char *place_path, struct enrich **out, struct err *err);
void enrich_close(struct enrich **e);

/* The database that it looks addresses up in; NULL: none. Borrowed until enrich_close. */
struct place_database;
const struct place_database *enrich_places(const struct enrich *e);

/* For a collector, whose user agents anybody may make up: of those not seen of late read so many a
 * second, the others are "(unknown)" and counted (collector/agent.h). To be said before other
 * threads enrich. */
void enrich_limit_agents(struct enrich *e, uint32_t misses_a_second);
uint64_t enrich_n_unknown_agents(const struct enrich *e);

/* What an event's site decides about it. Slices are borrowed for the call. */
struct enrich_site {
    uint32_t id;
    struct slice domain;                   /* "shop.example"; hosts below it are the site's own */
    struct slice currency;                 /* of values that name none */
    const struct slice *ignored_referrers; /* hosts, also for everything below them */
    size_t n_ignored_referrers;
};

/* Make g->event whole and fit to be stored (it ends with event_prepare). g->event.time_ms must be
 * set. Derived text lives in the arena. ERR_INVALID names the field. */
enum err_code enrich_event(const struct enrich *e, const struct enrich_site *site, struct given *g,
                           struct arena *a, struct err *err);

#endif
