/* The points of a trend: days, ISO weeks or months, cut at the report's range (funnel.md 5); of a
 * count also hours. */
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

#define HOUR_MS INT64_C(3600000)

/* The begin of the local hour that holds ms. (Where a clock is put on or back by half an hour, the
 * hours beside that moment are shorter or longer than others.) */
static int64_t
hour_start(const struct zone *zone, int64_t ms)
{
    int64_t offset_ms = (int64_t)zone_offset_s(zone, ms) * 1000;
    int64_t into_ms = (ms + offset_ms) % HOUR_MS;

    return ms - (into_ms < 0 ? into_ms + HOUR_MS : into_ms);
}

/* The begin of the point that holds ms, and that of the next one. */
static int64_t
point_start(const struct request *r, int64_t ms)
{
    return r->trend == TREND_HOUR ? hour_start(r->zone, ms)
                                  : zone_day_start(r->zone, period_of(r, ms));
}

static int64_t
point_end(const struct request *r, int64_t ms)
{
    struct date period = period_of(r, ms);
    int64_t end_ms;

    if (r->trend == TREND_HOUR) {
        end_ms = hour_start(r->zone, path_time_add(ms, HOUR_MS));
        return end_ms > ms ? end_ms : path_time_add(ms, HOUR_MS);
    }
    do { /* a day that the zone left out has no moment */
        period = period_next(r->trend, period);
        end_ms = zone_day_start(r->zone, period);
    } while (end_ms <= ms);
    return end_ms;
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
        out->from_ms = point_start(r, first_ms);
    if (out->to_ms == INT64_MAX)
        out->to_ms = point_end(r, last_ms);
    return out->from_ms < out->to_ms;
}

enum err_code
request_points(const struct request *r, int64_t first_ms, int64_t last_ms, struct arena *a,
               struct path_range **out, size_t *out_n, struct err *err)
{
    struct path_range whole;
    struct path_range *points;
    size_t n = 0;

    *out = NULL;
    *out_n = 0;
    if (r->trend == TREND_NONE || !covered(r, first_ms, last_ms, &whole))
        return ERR_OK;
    points = ARENA_ARRAY(a, struct path_range, REQUEST_POINTS_MAX);
    for (int64_t from_ms = whole.from_ms; from_ms < whole.to_ms;) {
        int64_t to_ms = point_end(r, from_ms);

        if (to_ms > whole.to_ms)
            to_ms = whole.to_ms;
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
