/* Days and civil dates after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
#include "core/timestamp.h"

#include <stdio.h>

#define MS_PER_DAY INT64_C(86400000)
#define YEAR_MAX   9999
#define LIMIT_MS   INT64_C(253402300800000) /* its end */

int64_t
date_to_days(struct date d)
{
    int64_t y = d.month <= 2 ? d.year - 1 : d.year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (d.month > 2 ? d.month - 3 : d.month + 9) + 2) / 5 + d.day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

    return era * 146097 + doe - 719468;
}

struct date
date_from_days(int64_t days)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);

    return (struct date){.year = (int)(yoe + era * 400) + (month <= 2),
                         .month = month,
                         .day = (int)(doy - (153 * mp + 2) / 5 + 1)};
}

int
date_weekday(struct date d)
{
    int64_t w = (date_to_days(d) + 3) % 7; /* 1970-01-01 was a Thursday */

    return (int)(w < 0 ? w + 7 : w) + 1;
}

static bool
digits(struct slice s, size_t at, size_t n, int *out)
{
    int v = 0;

    if (at + n > s.n)
        return false;
    for (size_t i = at; i < at + n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        v = v * 10 + (s.p[i] - '0');
    }
    *out = v;
    return true;
}

static bool
is_at(struct slice s, size_t at, char c)
{
    return at < s.n && s.p[at] == c;
}

static int
days_of_month(int year, int month)
{
    static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && is_leap);
}

bool
date_parse(struct slice text, struct date *out)
{
    struct date d;

    if (text.n != 10 || !digits(text, 0, 4, &d.year) || !is_at(text, 4, '-') ||
        !digits(text, 5, 2, &d.month) || !is_at(text, 7, '-') || !digits(text, 8, 2, &d.day))
        return false;
    if (d.year < 1900 || d.month < 1 || d.month > 12 || d.day < 1 ||
        d.day > days_of_month(d.year, d.month))
        return false;
    *out = d;
    return true;
}

/* "12:00:00[.fff][Z|+07:00]" from `at`; ms of the day less the offset. A leap second (60) counts
 * as the second before it, so that no moment of a log is refused. */
static bool
parse_time_of_day(struct slice s, size_t at, int64_t *out_ms)
{
    int h, m, sec;
    int offset_h = 0, offset_m = 0, sign = 1;
    int64_t ms = 0;

    if (!digits(s, at, 2, &h) || !is_at(s, at + 2, ':') || !digits(s, at + 3, 2, &m) ||
        !is_at(s, at + 5, ':') || !digits(s, at + 6, 2, &sec))
        return false;
    at += 8;
    if (is_at(s, at, '.')) {
        int64_t unit = 100;
        size_t first = ++at;

        while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9') {
            ms += (s.p[at++] - '0') * unit;
            unit /= 10;
        }
        if (at == first)
            return false;
    }
    if (is_at(s, at, 'Z') || is_at(s, at, 'z')) {
        at++;
    } else {
        if (!is_at(s, at, '+') && !is_at(s, at, '-'))
            return false;
        sign = s.p[at] == '-' ? -1 : 1;
        if (!digits(s, at + 1, 2, &offset_h) || !is_at(s, at + 3, ':') ||
            !digits(s, at + 4, 2, &offset_m))
            return false;
        at += 6;
    }
    if (at != s.n || h > 23 || m > 59 || sec > 60 || offset_h > 23 || offset_m > 59)
        return false;
    if (sec == 60)
        sec = 59;
    *out_ms = ((h * 60 + m) * 60 + sec) * INT64_C(1000) + ms -
              sign * (offset_h * 60 + offset_m) * INT64_C(60000);
    return true;
}

enum err_code
timestamp_parse(struct slice text, int64_t *out_ms, struct err *err)
{
    bool is_date = text.n > 4 && text.p[4] == '-';
    struct date d;
    int64_t ms;

    if (is_date || !slice_to_int64(text, &ms)) {
        if (text.n < 20 || !date_parse(slice_sub(text, 0, 10), &d) ||
            (text.p[10] != 'T' && text.p[10] != 't' && text.p[10] != ' ') ||
            !parse_time_of_day(text, 11, &ms))
            return err_set(err, ERR_INVALID, NULL,
                           "not a time: give RFC 3339 with an offset (2026-06-01T12:00:00Z) or "
                           "ms since the epoch");
        ms += date_to_days(d) * MS_PER_DAY;
    }
    if (ms < 0 || ms >= LIMIT_MS)
        return err_set(err, ERR_INVALID, NULL, "a time outside 1970 to %d", YEAR_MAX);
    *out_ms = ms;
    return ERR_OK;
}

char *
timestamp_format(int64_t ms, bool is_short, char dst[TIMESTAMP_TEXT_MAX])
{
    int64_t days = ms >= 0 ? ms / MS_PER_DAY : -((-ms + MS_PER_DAY - 1) / MS_PER_DAY);
    int64_t rest = ms - days * MS_PER_DAY;
    struct date d = date_from_days(days);
    int n =
        snprintf(dst, TIMESTAMP_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d", d.year, d.month, d.day,
                 (int)(rest / 3600000), (int)(rest / 60000 % 60), (int)(rest / 1000 % 60));

    if (!is_short || rest % 1000 != 0)
        n += snprintf(dst + n, (size_t)(TIMESTAMP_TEXT_MAX - n), ".%03d", (int)(rest % 1000));
    snprintf(dst + n, (size_t)(TIMESTAMP_TEXT_MAX - n), "Z");
    return dst;
}
