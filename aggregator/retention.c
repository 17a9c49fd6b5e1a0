/* See retention.h. */
#include "aggregator/retention.h"

#include <stdio.h>
#include <string.h>

#include "aggregator/sql.h"
#include "core/clock.h"

static bool
read_count(struct slice text, const char *unit, int64_t max, int *out)
{
    struct slice suffix = slice_from(unit);
    int64_t n = 0;

    if (!slice_ends_with(text, suffix) ||
        !slice_to_int64(slice_sub(text, 0, text.n - suffix.n), &n) || n < 1 || n > max)
        return false;
    *out = (int)n;
    return true;
}

enum err_code
retention_parse(struct slice text, struct retention *out, struct err *err)
{
    struct retention r = {0, 0};

    if (!slice_is(text, "never") && !read_count(text, "mo", RETENTION_MONTHS_MAX, &r.n_months) &&
        !read_count(text, "d", RETENTION_DAYS_MAX, &r.n_days))
        return err_set(err, ERR_INVALID, "retention",
                       "give months like 13mo (at most %d), days like 400d (at most %d) or never",
                       RETENTION_MONTHS_MAX, RETENTION_DAYS_MAX);
    *out = r;
    return ERR_OK;
}

char *
retention_format(const struct retention *r, char dst[RETENTION_TEXT_MAX])
{
    if (r->n_months == 0 && r->n_days == 0)
        snprintf(dst, RETENTION_TEXT_MAX, "never");
    else
        snprintf(dst, RETENTION_TEXT_MAX, r->n_months ? "%dmo" : "%dd",
                 r->n_months ? r->n_months : r->n_days);
    return dst;
}

/* The same day of an earlier month; where that has fewer days, the next month's first. */
static int64_t
days_of_months_ago(struct date d, int n_months)
{
    int month = d.year * 12 + d.month - 1 - n_months;
    struct date first = {month / 12, month % 12 + 1, 1};
    struct date next = {(month + 1) / 12, (month + 1) % 12 + 1, 1};
    int64_t days = date_to_days(first) + d.day - 1;

    return days < date_to_days(next) ? days : date_to_days(next);
}

int64_t
retention_limit_ms(const struct retention *r, const struct zone *zone, int64_t now_ms)
{
    struct date today = zone_date(zone, now_ms);
    int64_t days, limit_ms;

    if (r->n_months == 0 && r->n_days == 0)
        return 0;
    days = r->n_months ? days_of_months_ago(today, r->n_months) : date_to_days(today) - r->n_days;
    /* the day on which the time ran out has gone whole */
    limit_ms = days < 0 ? 0 : zone_day_start(zone, date_from_days(days + 1));
    return limit_ms > 0 ? limit_ms : 0;
}

/* What a site's row says, now. */
static enum err_code
read_limit(struct slice text, struct slice timezone, struct retention_limit *out, struct err *err)
{
    struct retention r = {0, 0};
    struct zone *zone = NULL;
    enum err_code rc = retention_parse(text, &r, err);

    if (rc == ERR_OK && (r.n_months != 0 || r.n_days != 0))
        rc = zone_open(timezone, &zone, err);
    if (rc != ERR_OK)
        return rc;
    out->from_ms = zone ? retention_limit_ms(&r, zone, clock_wall_ms()) : 0;
    retention_format(&r, out->text);
    zone_close(&zone);
    return ERR_OK;
}

enum err_code
retention_of_site(struct settings_db *db, uint32_t site, struct retention_limit *out,
                  struct err *err)
{
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc =
        sql_first(settings_db_lock(db), &s, &has_row, err,
                  "SELECT retention, timezone FROM sites WHERE id = ?", "i", (int64_t)site);

    if (rc == ERR_OK && has_row)
        rc = read_limit(sql_text(s, 0), sql_text(s, 1), out, err);
    else if (rc == ERR_OK)
        rc = read_limit(SLICE("never"), SLICE("UTC"), out, err);
    sqlite3_finalize(s);
    settings_db_unlock(db);
    return rc;
}

enum err_code
retention_of_all(struct settings_db *db, struct arena *a, struct retention_limits *out,
                 struct err *err)
{
    struct retention_limits l = {0, NULL};
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    size_t n_max = 0;
    enum err_code rc =
        sql_first(settings_db_lock(db), &s, &has_row, err,
                  "SELECT retention, timezone, id FROM sites WHERE retention <> 'never'", "");

    for (; rc == ERR_OK && has_row; rc = sql_step(s, &has_row, err)) {
        struct retention_limit limit;

        rc = read_limit(sql_text(s, 0), sql_text(s, 1), &limit, err);
        if (rc != ERR_OK)
            break;
        if (l.n == n_max) {
            struct retention_site *more = ARENA_ARRAY(a, struct retention_site, 2 * n_max + 16);

            if (l.n > 0)
                memcpy(more, l.list, l.n * sizeof *more);
            l.list = more;
            n_max = 2 * n_max + 16;
        }
        l.list[l.n++] =
            (struct retention_site){(uint32_t)sqlite3_column_int64(s, 2), limit.from_ms};
    }
    sqlite3_finalize(s);
    settings_db_unlock(db);
    if (rc == ERR_OK)
        *out = l;
    return rc;
}

int64_t
retention_limit_of(const struct retention_limits *l, uint32_t site)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->list[i].site == site)
            return l->list[i].from_ms;
    return 0;
}
