/* Parameters are kept as they were asked for and resolved at the end, because days need the zone
 * and the zone may come last. */
#include "aggregator/funnel/request.h"

#include <stdio.h>

#include "aggregator/funnel/json_int.h"
#include "aggregator/funnel/not_yet.h"

#define ARENA_BLOCK_BYTES (4 * 1024)

static const char *const bots_names[] = {"exclude", "include", "only"};

/* Known to funnel.md and refused here. */
static const char *const later_names[] = {"filters", "breakdown", "limit", "trend", "compare"};

#define BOTS_COUNT  (int)(sizeof bots_names / sizeof *bots_names)
#define LATER_COUNT (int)(sizeof later_names / sizeof *later_names)

void
request_init(struct request *r)
{
    *r = (struct request){
        .bots = BOTS_EXCLUDE, .limit = REQUEST_LIMIT_DEFAULT, .range = PATH_RANGE_ALL};
    arena_init(&r->arena, ARENA_BLOCK_BYTES);
}

void
request_fini(struct request *r)
{
    zone_close(&r->zone);
    arena_fini(&r->arena);
}

const char *
request_bots_name(enum request_bots bots)
{
    return bots_names[bots];
}

/* ---- One parameter ---- */

static enum err_code
set_moment(struct request_moment *m, const char *name, struct slice value, struct err *err)
{
    m->is_day = date_parse(value, &m->day);
    if (!m->is_day && timestamp_parse(value, &m->ms, NULL) != ERR_OK)
        return err_set(err, ERR_INVALID, name,
                       "must be a date (2026-06-01), a time with its offset "
                       "(2026-06-01T12:00:00+07:00) or ms since 1970");
    m->is_given = true;
    return ERR_OK;
}

static enum err_code
set_bots(struct request *r, struct slice value, struct err *err)
{
    for (int i = 0; i < BOTS_COUNT; i++) {
        if (slice_is(value, bots_names[i])) {
            r->bots = (enum request_bots)i;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_INVALID, "bots", "must be \"exclude\", \"include\" or \"only\"");
}

static struct request_moment *
moment_named(struct request *r, const char *name)
{
    if (strcmp(name, "from") == 0)
        return &r->from;
    if (strcmp(name, "to") == 0)
        return &r->to;
    return strcmp(name, "as_of") == 0 ? &r->as_of : NULL;
}

enum err_code
request_set(struct request *r, const char *name, struct slice value, struct err *err)
{
    struct request_moment *moment = moment_named(r, name);

    if (moment != NULL)
        return value.n == 0 ? ERR_OK : set_moment(moment, name, value, err);
    if (strcmp(name, "bots") == 0)
        return value.n == 0 ? ERR_OK : set_bots(r, value, err);
    if (strcmp(name, "timezone") == 0) {
        if (!slice_to_cstr(value, r->timezone, sizeof r->timezone))
            return err_set(err, ERR_INVALID, name, "is no time zone");
        return ERR_OK;
    }
    for (int i = 0; i < LATER_COUNT; i++)
        if (strcmp(name, later_names[i]) == 0)
            return value.n == 0 ? ERR_OK : funnel_not_yet(err, name, "comes in a later version");
    return err_set(err, ERR_INVALID, slice_from(name).n <= 60 ? name : NULL, "is not known");
}

/* ---- All of them ---- */

static bool
is_own(const char *const *own, const char *key)
{
    for (; own != NULL && *own != NULL; own++)
        if (strcmp(*own, key) == 0)
            return true;
    return false;
}

static enum err_code
set_json(struct request *r, const char *key, const json_t *value, struct err *err)
{
    char digits[32];

    if (json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0))
        return request_set(r, key, SLICE_EMPTY, err);
    if (json_is_string(value))
        return request_set(r, key, json__text(value), err);
    if (json_is_integer(value) && moment_named(r, key) != NULL) {
        snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return request_set(r, key, slice_from(digits), err);
    }
    for (int i = 0; i < LATER_COUNT; i++)
        if (strcmp(key, later_names[i]) == 0)
            return request_set(r, key, SLICE("given"), err);
    if (moment_named(r, key) == NULL && strcmp(key, "bots") != 0 && strcmp(key, "timezone") != 0)
        return request_set(r, key, SLICE_EMPTY, err);
    return err_set(err, ERR_INVALID, key, "must be text");
}

enum err_code
request_read_json(struct request *r, struct json_t *object, const char *const *own, struct err *err)
{
    const char *key;
    json_t *value;
    enum err_code rc = ERR_OK;

    if (!json_is_object(object))
        return err_set(err, ERR_INVALID, NULL, "must be an object");
    json_object_foreach(object, key, value)
    {
        if (rc == ERR_OK && !is_own(own, key))
            rc = set_json(r, key, value, err);
    }
    return rc;
}

static int64_t
resolve(const struct request_moment *m, const struct zone *zone, int64_t otherwise)
{
    if (!m->is_given)
        return otherwise;
    return m->is_day ? zone_day_start(zone, m->day) : m->ms;
}

enum err_code
request_finish(struct request *r, struct slice site_zone, int64_t now_ms, struct err *err)
{
    struct slice zone = r->timezone[0] != '\0' ? slice_from(r->timezone) : site_zone;

    zone_close(&r->zone);
    if (zone_open(zone, &r->zone, err) != ERR_OK)
        return err_set(err, ERR_INVALID, "timezone", "is no time zone");
    slice_to_cstr(slice_from(zone_name(r->zone)), r->timezone, sizeof r->timezone);
    r->range.from_ms = resolve(&r->from, r->zone, INT64_MIN);
    r->range.to_ms = resolve(&r->to, r->zone, INT64_MAX);
    r->as_of_ms = resolve(&r->as_of, r->zone, now_ms);
    if (r->range.from_ms >= r->range.to_ms)
        return err_set(err, ERR_INVALID, "to", "must be after \"from\"");
    return ERR_OK;
}
