/* Days, the points of a trend and the range to compare with (funnel.md section 5). */
#include <assert.h>

#include "core/zone.h"
#include "tests/property/reference.h"

/* A zone of the few that tests use, read once. */
static const struct zone *
zone_of(const struct question *q)
{
    static struct {
        const char *name;
        struct zone *zone;
    } zones[16];
    int i = 0;

    while (zones[i].name != NULL && strcmp(zones[i].name, q->timezone) != 0)
        i++;
    assert(i < 15);
    if (zones[i].name == NULL) {
        enum err_code rc = zone_open(slice_from(q->timezone), &zones[i].zone, NULL);

        assert(rc == ERR_OK);
        zones[i].name = q->timezone;
    }
    return zones[i].zone;
}

static int64_t
days_at(const struct zone *zone, int64_t ms)
{
    return date_to_days(zone_date(zone, ms));
}

/* "the first existing moment of that local day": tried minute by minute */
static int64_t
start_of(const struct zone *zone, struct date day)
{
    int64_t wanted = date_to_days(day);
    int64_t ms = (wanted - 2) * INT64_C(86400000);

    while (days_at(zone, ms + 3600000) < wanted)
        ms += 3600000;
    while (days_at(zone, ms) < wanted)
        ms += 60000;
    return ms;
}

static int64_t
resolve(const struct zone *zone, const struct question_moment *m, int64_t otherwise)
{
    if (!m->is_given)
        return otherwise;
    return m->is_day ? start_of(zone, m->day) : m->ms;
}

struct reference_range
reference_range(const struct question *q)
{
    const struct zone *zone = zone_of(q);
    struct reference_range range = {resolve(zone, &q->from, INT64_MIN),
                                    resolve(zone, &q->to, INT64_MAX),
                                    resolve(zone, &q->as_of, REFERENCE_NOW_MS)};

    return range;
}

/* ---- Compare ---- */

static struct date
months_before(struct date d, int months)
{
    int count = d.year * 12 + d.month - 1 - months;

    return (struct date){count / 12, count % 12 + 1, d.day};
}

/* "as many months directly before if both ends are the first of a month, as many local days if both
 * are local midnights, otherwise as many ms" */
static void
previous(const struct zone *zone, const struct reference_range *range, struct reference_range *out)
{
    struct date from = zone_date(zone, range->from_ms);
    struct date to = zone_date(zone, range->to_ms);
    bool are_midnights =
        start_of(zone, from) == range->from_ms && start_of(zone, to) == range->to_ms;

    out->to_ms = range->from_ms;
    out->from_ms = range->from_ms - (range->to_ms - range->from_ms);
    if (are_midnights && from.day == 1 && to.day == 1)
        out->from_ms =
            start_of(zone, months_before(from, (to.year - from.year) * 12 + to.month - from.month));
    else if (are_midnights)
        out->from_ms = start_of(zone, date_from_days(2 * date_to_days(from) - date_to_days(to)));
}

struct reference_range
reference_compared(const struct question *q)
{
    struct reference_range range = reference_range(q);
    const struct zone *zone = zone_of(q);
    struct reference_range out;

    if (q->compare == WITH_PREVIOUS) {
        previous(zone, &range, &out);
    } else {
        out.from_ms = resolve(zone, &q->compare_from, INT64_MIN);
        out.to_ms = resolve(zone, &q->compare_to, INT64_MAX);
    }
    /* "`as_of` moves back by the distance between the two `to`s (equal age)"; never on */
    out.as_of_ms = range.as_of_ms;
    if (!q->is_full_age && out.to_ms < range.to_ms)
        out.as_of_ms -= range.to_ms - out.to_ms;
    return out;
}

/* ---- Trend ---- */

/* The first day of the ISO week or calendar month after that of `day`, or the next day. */
static struct date
next_start(enum question_trend trend, struct date day)
{
    if (trend == BY_MONTH)
        return day.month == 12 ? (struct date){day.year + 1, 1, 1}
                               : (struct date){day.year, day.month + 1, 1};
    return date_from_days(date_to_days(day) + (trend == BY_WEEK ? 8 - date_weekday(day) : 1));
}

const char *
reference_start(const struct question *q, const struct reference_range *point, char *out)
{
    return zone_format(zone_of(q), point->from_ms, out);
}

int
reference_points(const struct question *q, struct reference_range *out, int max)
{
    struct reference_range range = reference_range(q);
    const struct zone *zone = zone_of(q);
    int n = 0;

    for (int64_t start = range.from_ms, end; start < range.to_ms && n < max; start = end) {
        end = start_of(zone, next_start(q->trend, zone_date(zone, start)));
        if (end > range.to_ms)
            end = range.to_ms;
        if (end > start) /* a day that does not exist is no point */
            out[n++] = (struct reference_range){start, end, range.as_of_ms};
        assert(end > start);
    }
    return n;
}
