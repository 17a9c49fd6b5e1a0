/* How well the figures are founded: GET /api/v1/sites/{site}/health. What was left out and why, day
 * by day; how fresh what is stored is; how collectors, Redis, disk and backup do (docs/health.md).
 * Asked every few seconds, so it reads no event, waits for no turn, and an ETag says that nothing
 * has changed. */
#include <stdlib.h>

#include "aggregator/health.h"
#include "core/clock.h"
#include "core/zone.h"
#include "web/api/web_int.h"

#define DAYS        30
#define FREE_GRAIN  (UINT64_C(64) << 20) /* free bytes are told so roughly: each is no news */
#define MOMENT_GONE INT64_C(90000)       /* a collector that said nothing for so long is away */

/* ---- What became of events ---- */

static json_t *
number(struct slice text)
{
    int64_t n;

    return json_integer(slice_to_int64(text, &n) && n > 0 ? n : 0);
}

/* Counters of one day: {"accepted":..,"late":..,"bots":..,"refused":{..}}. */
static json_t *
day_json(const struct stream_hash *hash)
{
    static const char *const plain[] = {STREAM_DAY_ACCEPTED, STREAM_DAY_LATE, STREAM_DAY_BOTS,
                                        STREAM_DAY_REPEATS};
    json_t *day =
        json_pack("{s:i,s:i,s:i,s:i}", plain[0], 0, plain[1], 0, plain[2], 0, plain[3], 0);
    json_t *refused = json_object();

    for (int i = 0; i < hash->n; i++) {
        struct slice field = hash->pairs[i].key;
        size_t prefix = sizeof STREAM_DAY_REFUSED - 1;

        if (slice_starts_with(field, SLICE(STREAM_DAY_REFUSED)))
            json_object_set_new(refused, field.p + prefix, number(hash->pairs[i].value));
        for (size_t k = 0; k < sizeof plain / sizeof *plain; k++)
            if (slice_is(field, plain[k]))
                json_object_set_new(day, plain[k], number(hash->pairs[i].value));
    }
    json_object_set_new(day, "refused", refused);
    return day;
}

/* Keys of the last DAYS days where the zone is, the latest first. */
static void
find_keys(uint32_t site, const struct zone *zone, int64_t now_ms, struct date *days,
          char keys[DAYS][STREAM_DAY_MAX])
{
    int64_t today = date_to_days(zone_date(zone, now_ms));

    for (int i = 0; i < DAYS; i++) {
        days[i] = date_from_days(today - i);
        stream_day_key(site, days[i], keys[i]);
    }
}

/* Days on which something was counted, the latest first; false where Redis does not say. */
static bool
add_days(struct call *c, uint32_t site, struct slice timezone, int64_t now_ms, json_t *out)
{
    char keys[DAYS][STREAM_DAY_MAX];
    struct stream_hash hashes[DAYS];
    struct date days[DAYS];
    struct zone *zone = NULL;
    bool is_known;

    if (zone_open(timezone, &zone, NULL) != ERR_OK)
        return false;
    find_keys(site, zone, now_ms, days, keys);
    zone_close(&zone);
    is_known = told_days(c->web->told, (const char(*)[STREAM_DAY_MAX])keys, DAYS, c->request->arena,
                         hashes, NULL) == ERR_OK;
    for (int i = 0; is_known && i < DAYS; i++) {
        json_t *day;

        if (hashes[i].n == 0)
            continue;
        day = day_json(&hashes[i]);
        json_object_set_new(
            day, "day", json_sprintf("%04d-%02d-%02d", days[i].year, days[i].month, days[i].day));
        json_array_append_new(out, day);
    }
    return is_known;
}

static json_t *
days_json(struct call *c, uint32_t site, struct slice timezone, int64_t now_ms)
{
    json_t *list = json_array();

    if (add_days(c, site, timezone, now_ms, list))
        return list;
    json_decref(list);
    return json_null();
}

/* ---- How everything does ---- */

static json_t *
moment(int64_t ms)
{
    return ms > 0 ? web__json_time(ms) : json_null();
}

/* What a collector said of itself, with times as everywhere in the API. */
static json_t *
collector_json(const json_t *said, int64_t now_ms)
{
    int64_t time_ms = json_integer_value(json_object_get(said, "time"));
    const json_t *places = json_object_get(said, "places");
    const char *why = json_string_value(json_object_get(said, "why"));
    const char *state = json_string_value(json_object_get(said, "state"));
    json_t *of_places = json_null();

    if (json_is_string(json_object_get(places, "type")))
        of_places = json_pack("{s:O,s:o}", "type", json_object_get(places, "type"), "built",
                              moment(json_integer_value(json_object_get(places, "built"))));
    return json_pack("{s:O,s:s,s:o,s:s,s:I,s:I,s:o}", "name", json_object_get(said, "name"),
                     "state", now_ms - time_ms > MOMENT_GONE ? "away" : state, "seen",
                     moment(time_ms), "why", why ? why : "", "spool_bytes",
                     json_integer_value(json_object_get(said, "spool_bytes")), "damaged_records",
                     json_integer_value(json_object_get(said, "damaged_records")), "places",
                     of_places);
}

static json_t *
collectors_json(const struct told_now *now, int64_t now_ms)
{
    json_t *list = json_array();
    const json_t *said;
    size_t i;

    json_array_foreach(now->collectors, i, said)
        json_array_append_new(list, collector_json(said, now_ms));
    return list;
}

static json_t *
redis_json(const struct told_now *now)
{
    if (!now->is_there)
        return json_pack("{s:b,s:s}", "is_there", false, "why", now->why.message);
    return json_pack("{s:b,s:s,s:I,s:o,s:I,s:I}", "is_there", true, "why", "", "entries_waiting",
                     (json_int_t)now->n_waiting, "oldest", moment(now->oldest_ms), "memory_bytes",
                     (json_int_t)now->memory_bytes, "memory_max_bytes",
                     (json_int_t)now->memory_max_bytes);
}

static json_t *
alarms_json(const struct health *h)
{
    json_t *list = json_array();

    for (size_t i = 0; i < h->n_alarms; i++)
        json_array_append_new(
            list,
            json_pack("{s:o,s:o,s:o,s:o,s:I}", "code", web__json_text(h->alarms[i].code), "message",
                      web__json_text(h->alarms[i].message), "first", moment(h->alarms[i].first_ms),
                      "last", moment(h->alarms[i].last_ms), "times", (json_int_t)h->alarms[i].n));
    return list;
}

static json_t *
damage_json(const struct health *h)
{
    json_t *list = json_array();

    for (size_t i = 0; i < h->n_warnings; i++)
        json_array_append_new(list,
                              json_pack("{s:o,s:o}", "code", web__json_text(h->warnings[i].code),
                                        "message", web__json_text(h->warnings[i].message)));
    return list;
}

static json_t *
installation_json(struct call *c, const struct health *h, const struct told_now *now,
                  int64_t now_ms)
{
    return json_pack(
        "{s:o,s:o,s:o,s:I,s:I,s:I,s:o,s:I,s:o}", "days", days_json(c, 0, SLICE("UTC"), now_ms),
        "redis", redis_json(now), "collectors", collectors_json(now, now_ms), "segments",
        (json_int_t)h->n_segments, "bytes", (json_int_t)h->n_bytes, "free_bytes",
        (json_int_t)(h->free_bytes / FREE_GRAIN * FREE_GRAIN), "backup", moment(h->backup_ms),
        "bad_entries", (json_int_t)h->n_bad, "alarms", alarms_json(h));
}

static json_t *
health_json(struct call *c, const struct health *h, int64_t now_ms)
{
    struct told_now now;
    json_t *stored, *all;

    told_read(c->web->told, c->request->arena, &now);
    stored = json_pack("{s:I,s:o,s:o,s:o,s:o}", "events", (json_int_t)h->n_events, "first",
                       h->n_events != 0 ? web__json_time(h->first_ms) : json_null(), "newest",
                       h->n_events != 0 ? web__json_time(h->newest_ms) : json_null(), "stored",
                       moment(h->stored_ms), "damage", damage_json(h));
    all = json_pack("{s:o,s:o,s:o,s:o}", "timezone", web__json_text(c->site.timezone), "days",
                    days_json(c, c->site.id, c->site.timezone, now_ms), "stored", stored,
                    "installation", installation_json(c, h, &now, now_ms));
    json_decref(now.collectors);
    return all;
}

void
web__get_health(struct call *c)
{
    int64_t now_ms = clock_wall_ms();
    struct err err = ERR_NONE;
    struct health health;
    json_t *answer;
    char *text;

    if (health_read(&c->web->store, c->web->pool, c->site.id, c->request->arena, &health, &err) !=
        ERR_OK) {
        web__reply_err(c, &err);
        return;
    }
    answer = health_json(c, &health, now_ms);
    text = json_dumps(answer, JSON_COMPACT | JSON_SORT_KEYS);
    if (web__is_known(c, slice_from(text))) {
        json_decref(answer);
    } else {
        json_object_set_new(answer, "as_of", web__json_time(now_ms));
        web__reply_json(c, 200, answer);
    }
    free(text);
}
