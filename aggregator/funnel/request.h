/* What a report is asked for besides its funnel: range, zone, as_of, bots (funnel.md 5).
 *
 *     struct request r;
 *     request_init(&r);
 *     request_set(&r, "from", SLICE("2026-06-01"), err) ...   or request_read_json(&r, json, ..)
 *     request_finish(&r, site_zone, clock_wall_ms(), err)     resolves days by the zone
 *     request_fini(&r)
 *
 * filters, breakdown, limit, trend and compare are known and refused: funnel_error_is_not_yet.
 */
#ifndef AGGREGATOR_FUNNEL_REQUEST_H
#define AGGREGATOR_FUNNEL_REQUEST_H

#include "aggregator/funnel/path.h"
#include "core/zone.h"

enum request_bots { BOTS_EXCLUDE, BOTS_INCLUDE, BOTS_ONLY };

struct request_moment {
    bool is_given;
    bool is_day; /* then `day`, else `ms` */
    struct date day;
    int64_t ms;
};

struct request {
    /* as asked */
    struct request_moment from;
    struct request_moment to;
    struct request_moment as_of;
    char timezone[65]; /* "" until finished where none was asked for */
    enum request_bots bots;
    /* after request_finish */
    struct path_range range; /* open ends: INT64_MIN, INT64_MAX */
    int64_t as_of_ms;        /* events after it (time > as_of) are ignored */
    struct zone *zone;       /* owned */
};

void request_init(struct request *r);
void request_fini(struct request *r);

/* One parameter as text (a flag, a query string). "" means not given. ERR_INVALID naming it:
 * unknown names, values that are none. */
enum err_code request_set(struct request *r, const char *name, struct slice value, struct err *err);

/* All parameters of a JSON object; members named in `own` (ended by NULL; may be NULL) are the
 * caller's and passed over. null means not given. */
enum err_code request_read_json(struct request *r, struct json_t *object, const char *const *own,
                                struct err *err);

/* Resolve: days by the zone asked for or else site_zone; as_of defaults to now_ms. ERR_INVALID for
 * an unknown zone and where from is not before to. */
enum err_code request_finish(struct request *r, struct slice site_zone, int64_t now_ms,
                             struct err *err);

const char *request_bots_name(enum request_bots bots); /* "exclude" */

#endif
