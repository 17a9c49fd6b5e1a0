/* The points of a trend: days, ISO weeks or months, cut at the report's range (funnel.md 5). */
#include "aggregator/funnel/request.h"

/* The first day of the period that holds d. */
static struct date
period_start(enum request_trend trend, struct date d)
{
    if (trend == TREND_WEEK)
        return date_from_days(date_to_days(d) - date_weekday(d) + 1);
    if (trend == TREND_MONTH)
        d.day = 1;
    return d;
}

static struct date
period_next(enum request_trend trend, struct date start)
{
    if (trend != TREND_MONTH)
        return date_from_days(date_to_days(start) + (trend == TREND_WEEK ? 7 : 1));
    return start.month < 12 ? (struct date){start.year, start.month + 1, 1}
                            : (struct date){start.year + 1, 1, 1};
}

static struct date
period_of(const struct request *r, int64_t ms)
{
    return period_start(r->trend, zone_date(r->zone, ms));
}

/* The range that the points cover; open ends reach as far as the data. False: there is none. */
static bool
covered(const struct request *r, int64_t first_ms, int64_t last_ms, struct path_range *out)
{
    if (last_ms > r->as_of_ms)
        last_ms = r->as_of_ms;
    *out = r->range;
    if ((out->from_ms == INT64_MIN || out->to_ms == INT64_MAX) && first_ms > last_ms)
        return false;
    if (out->from_ms == INT64_MIN)
        out->from_ms = zone_day_start(r->zone, period_of(r, first_ms));
    if (out->to_ms == INT64_MAX)
        out->to_ms = zone_day_start(r->zone, period_next(r->trend, period_of(r, last_ms)));
    return out->from_ms < out->to_ms;
}

enum err_code
request_points(const struct request *r, int64_t first_ms, int64_t last_ms, struct arena *a,
               struct path_range **out, size_t *out_n, struct err *err)
{
    struct path_range whole;
    struct path_range *points;
    struct date period;
    size_t n = 0;

    *out = NULL;
    *out_n = 0;
    if (r->trend == TREND_NONE || !covered(r, first_ms, last_ms, &whole))
        return ERR_OK;
    points = ARENA_ARRAY(a, struct path_range, REQUEST_POINTS_MAX);
    period = period_of(r, whole.from_ms);
    for (int64_t from_ms = whole.from_ms; from_ms < whole.to_ms;) {
        int64_t to_ms;

        period = period_next(r->trend, period);
        to_ms = zone_day_start(r->zone, period);
        if (to_ms > whole.to_ms)
            to_ms = whole.to_ms;
        if (to_ms <= from_ms) /* a day that the zone left out */
            continue;
        if (n == REQUEST_POINTS_MAX)
            return err_set(err, ERR_LIMIT, "trend",
                           "has more than %d points: ask for a shorter "
                           "range or longer points",
                           REQUEST_POINTS_MAX);
        points[n++] = (struct path_range){from_ms, to_ms};
        from_ms = to_ms;
    }
    *out = points;
    *out_n = n;
    return ERR_OK;
}
