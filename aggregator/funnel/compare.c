/* The other range of a comparison and how much of it was known at the same age (funnel.md 5). */
#include "aggregator/funnel/request_int.h"

#define YEAR_MIN 1900 /* struct date */

/* ---- As asked ---- */

enum err_code
request__read_compare(struct request_compare *c, json_t *value, struct err *err)
{
    static const char *const known[] = {"from", "to", "age", NULL};
    static const char *const ages[] = {"equal", "full"};
    int age = 0;
    enum err_code rc;

    *c = (struct request_compare){.is_given = true};
    c->is_previous = json_is_string(value) && slice_is(json__text(value), "previous");
    if (c->is_previous)
        return ERR_OK;
    if (!json_is_object(value))
        return err_set(err, ERR_INVALID, NULL, "must be \"previous\" or have \"from\" and \"to\"");
    rc = json__check_keys(value, known, err);
    c->is_previous = json_object_get(value, "age") != NULL &&
                     json_object_get(value, "from") == NULL && json_object_get(value, "to") == NULL;
    if (rc == ERR_OK && !c->is_previous)
        rc = json__in(request__read_moment(&c->from, json_object_get(value, "from"), err), err,
                      "from");
    if (rc == ERR_OK && !c->is_previous)
        rc = json__in(request__read_moment(&c->to, json_object_get(value, "to"), err), err, "to");
    if (rc == ERR_OK)
        rc = json__word(value, "age", ages, 2, &age, err);
    c->is_full_age = age == 1;
    return rc;
}

json_t *
request__compare_from_text(struct slice text)
{
    json_t *json;

    for (size_t i = 0; i + 1 < text.n; i++) {
        if (text.p[i] != '.' || text.p[i + 1] != '.')
            continue;
        json = json_object();
        json_object_set_new(json, "from", json_stringn(text.p, i));
        json_object_set_new(json, "to", json_stringn(text.p + i + 2, text.n - i - 2));
        return json;
    }
    return json_stringn(text.p, text.n);
}

/* ---- Resolved ---- */

static bool
is_midnight(const struct zone *z, int64_t ms)
{
    return zone_day_start(z, zone_date(z, ms)) == ms;
}

static bool
is_month_start(const struct zone *z, int64_t ms)
{
    return zone_date(z, ms).day == 1 && is_midnight(z, ms);
}

static int
month_number(struct date d)
{
    return d.year * 12 + d.month - 1;
}

static int64_t
date_start(const struct zone *z, struct date d)
{
    return zone_day_start(z, d.year < YEAR_MIN ? (struct date){YEAR_MIN, 1, 1} : d);
}

/* Where the range directly before [from, to) begins. */
static int64_t
previous_start(const struct zone *z, int64_t from_ms, int64_t to_ms)
{
    struct date from = zone_date(z, from_ms);
    struct date to = zone_date(z, to_ms);

    if (is_month_start(z, from_ms) && is_month_start(z, to_ms)) {
        int month = 2 * month_number(from) - month_number(to);

        return date_start(z, (struct date){month / 12, month % 12 + 1, 1});
    }
    if (is_midnight(z, from_ms) && is_midnight(z, to_ms))
        return date_start(z, date_from_days(2 * date_to_days(from) - date_to_days(to)));
    return from_ms - (to_ms - from_ms);
}

static enum err_code
resolve_range(struct request *r, struct err *err)
{
    struct request_compare *c = &r->compare;
    bool is_open = r->range.from_ms == INT64_MIN || r->range.to_ms == INT64_MAX;

    if (c->is_previous && is_open)
        return err_set(err, ERR_INVALID, "compare", "needs \"from\" and \"to\" of the report");
    if (!c->is_previous && !c->is_full_age && r->range.to_ms == INT64_MAX)
        return err_set(err, ERR_INVALID, "compare",
                       "needs \"to\" of the report, or \"age\" \"full\"");
    if (c->is_previous)
        c->range = (struct path_range){previous_start(r->zone, r->range.from_ms, r->range.to_ms),
                                       r->range.from_ms};
    else
        c->range = (struct path_range){request__resolve(&c->from, r->zone, INT64_MIN),
                                       request__resolve(&c->to, r->zone, INT64_MAX)};
    if (c->range.from_ms == INT64_MIN || c->range.to_ms == INT64_MAX)
        return err_set(err, ERR_INVALID, "compare", "must have \"from\" and \"to\"");
    if (c->range.from_ms >= c->range.to_ms)
        return err_set(err, ERR_INVALID, "compare.to", "must be after \"from\"");
    return ERR_OK;
}

enum err_code
request__resolve_compare(struct request *r, struct err *err)
{
    struct request_compare *c = &r->compare;
    enum err_code rc;

    if (!c->is_given)
        return ERR_OK;
    rc = resolve_range(r, err);
    if (rc != ERR_OK)
        return rc;
    c->as_of_ms = r->as_of_ms;
    if (!c->is_full_age && c->range.to_ms < r->range.to_ms)
        c->as_of_ms -= r->range.to_ms - c->range.to_ms;
    return ERR_OK;
}
