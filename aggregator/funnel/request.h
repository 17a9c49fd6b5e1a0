/* What a report is asked for besides its funnel (funnel.md 4 and 5): range, zone, as_of, bots,
 * filters, breakdown, limit, trend, compare.
 *
 *     struct request r;
 *     request_init(&r);
 *     request_set(&r, "from", SLICE("2026-06-01"), err) ...   or request_read_json(&r, json, ..)
 *     request_finish(&r, site_zone, clock_wall_ms(), err)     resolves days by the zone
 *     request_check_funnel(&r, funnel, err)                   what names stages (the query does it)
 *     request_fini(&r)
 */
#ifndef AGGREGATOR_FUNNEL_REQUEST_H
#define AGGREGATOR_FUNNEL_REQUEST_H

#include "aggregator/funnel/definition.h"
#include "aggregator/funnel/path.h"
#include "core/zone.h"

#define REQUEST_FILTERS_MAX    16
#define REQUEST_BREAKDOWNS_MAX 2
#define REQUEST_BINS_MAX       100
#define REQUEST_LIMIT_DEFAULT  20
#define REQUEST_LIMIT_MAX      1000
#define REQUEST_POINTS_MAX     1000

enum request_bots { BOTS_EXCLUDE, BOTS_INCLUDE, BOTS_ONLY };

struct request_moment {
    bool is_given;
    bool is_day; /* then `day`, else `ms` */
    struct date day;
    int64_t ms;
};

/* Which event of a unit is meant; AT_ANY, AT_NONE and AT_EVERY only in filters (AT_EVERY also in
 * the breakdown of a count: each event by itself). A filter at AT_STAGE narrows the stage's rule,
 * at AT_VISIT it chooses by the counted path's visit of it, as a breakdown at AT_STAGE does. */
enum request_at { AT_ENTRY, AT_FIRST, AT_LAST, AT_ANY, AT_NONE, AT_EVERY, AT_STAGE, AT_VISIT };

struct request_filter {
    struct rule *rule; /* as written */
    struct rule *canonical;
    enum request_at at;         /* its default written out */
    int stage;                  /* of AT_STAGE and AT_VISIT, from 1 */
    struct attribute attribute; /* of AT_FIRST and AT_LAST: the rule's one */
};

struct request_breakdown {
    struct attribute attribute;
    enum request_at at;
    int stage;          /* of AT_STAGE, from 1 */
    size_t n_bins;      /* 0, but for number attributes */
    struct slice *bins; /* canonical decimals (core/decimal.h), ascending */
};

enum request_trend { TREND_NONE, TREND_DAY, TREND_WEEK, TREND_MONTH, TREND_HOUR };

#define REQUEST_EVENT_BYTES_MAX 200 /* of an event's name */

/* What a count is asked for besides (aggregator/query_count.h). */
struct request_count {
    enum funnel_count unit;
    int64_t window_ms;     /* how far after `to` filters at any and none look */
    struct slice value_of; /* the events whose value is summed up: "sale" */
};

struct request_compare {
    bool is_given;
    bool is_previous; /* else from and to; {"age":"full"} alone is the previous range too */
    bool is_full_age;
    struct request_moment from;
    struct request_moment to;
    /* after request_finish */
    struct path_range range;
    int64_t as_of_ms; /* never after the request's own */
};

struct request {
    /* Of a count, set before anything is read: `count`, `window` and `value_of` are known then,
     * breakdowns are at `every` unless they say otherwise, a trend may be by hour. */
    bool is_count;
    /* Of a report, set before anything is read: `figures` is known then. */
    bool is_report;
    /* as asked */
    struct request_moment from;
    struct request_moment to;
    struct request_moment as_of;
    char timezone[65]; /* "" until finished where none was asked for */
    enum request_bots bots;
    size_t n_filters; /* all of them must hold */
    struct request_filter filters[REQUEST_FILTERS_MAX];
    size_t n_breakdowns;
    struct request_breakdown breakdowns[REQUEST_BREAKDOWNS_MAX];
    int limit; /* rows of the breakdown, 1..REQUEST_LIMIT_MAX */
    enum request_trend trend;
    bool is_counts_only; /* "figures":"counts": nobody asks for times and values */
    struct request_compare compare;
    struct request_count count;
    struct arena arena; /* rules, attributes, bins */
    /* after request_finish */
    struct path_range range; /* open ends: INT64_MIN, INT64_MAX */
    int64_t as_of_ms;        /* events after it (time > as_of) are ignored */
    struct zone *zone;       /* owned */
};

void request_init(struct request *r);
void request_fini(struct request *r);

/* One parameter as text (a flag, a query string). "" means not given; filters and breakdown given
 * again are added. ERR_INVALID naming it: unknown names, values that are none.
 *
 *   filters     JSON: a filter or a list of them
 *   breakdown   ATTRIBUTE[@AT], or JSON: a breakdown or a list of them
 *   compare     "previous", FROM..TO, or JSON
 */
enum err_code request_set(struct request *r, const char *name, struct slice value, struct err *err);

/* All parameters of a JSON object; members named in `own` (ended by NULL; may be NULL) are the
 * caller's and passed over. null means not given. */
enum err_code request_read_json(struct request *r, struct json_t *object, const char *const *own,
                                struct err *err);

/* Resolve: days by the zone asked for or else site_zone; as_of defaults to now_ms. ERR_INVALID for
 * an unknown zone and where from is not before to. */
enum err_code request_finish(struct request *r, struct slice site_zone, int64_t now_ms,
                             struct err *err);

/* What names stages fits this funnel: their numbers exist, and no stage that shares its rule is
 * narrowed by number. ERR_INVALID ("filters[1].at"). */
enum err_code request_check_funnel(const struct request *r, const struct funnel *f,
                                   struct err *err);

/* The ranges of the trend's points, in order, without gaps: days, ISO weeks or months of the zone,
 * the first and the last cut at from and to. Where one of these is open the points reach as far as
 * the data: first_ms..last_ms (inclusive; nothing where first is after last), up to as_of. *out
 * lives in the arena; n = 0 without a trend. ERR_LIMIT beyond REQUEST_POINTS_MAX. */
enum err_code request_points(const struct request *r, int64_t first_ms, int64_t last_ms,
                             struct arena *a, struct path_range **out, size_t *out_n,
                             struct err *err);

/* The bin of a number (a decimal, core/decimal.h), 0..n_bins, and the text of the row that it
 * makes: "<10", "10..50" (from 10, below 50), ">=50". */
size_t request_bin(const struct request_breakdown *b, struct slice number);
struct slice request_bin_name(const struct request_breakdown *b, size_t bin, struct arena *a);

/* ,"from":..,"to":..,"timezone":..: a range of the request; open ends are null. */
void request_add_range(struct buffer *out, const struct request *r, const struct path_range *range);

/* {"attribute":..,"at":..} of an asker who takes attributes at a place, also at `any`, which is the
 * default of an event's own, `entry` that of others. In the arena. ERR_INVALID. */
enum err_code request_read_place(struct json_t *value, struct arena *a,
                                 struct request_breakdown *out, struct err *err);

const char *request_at_name(enum request_at at);       /* "entry"; not of AT_STAGE */
const char *request_bots_name(enum request_bots bots); /* "exclude" */

#endif
