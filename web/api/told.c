#include "web/api/told.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/clock.h"

#define ARENA_BYTES   (16 * 1024)
#define COLLECTOR_MAX 4096 /* bytes of what one says */

struct told {
    struct stream *stream; /* NULL: there is no Redis */
    pthread_mutex_t lock;  /* held while Redis is asked */
    const struct told_places *places;
    int64_t places_ms; /* steady clock, of the last look; 0: never */
};

struct told *
told_create(const struct stream_address *redis)
{
    struct told *t = mem_zalloc(sizeof *t);
    struct stream_address address;

    pthread_mutex_init(&t->lock, NULL);
    if (redis) {
        address = *redis;
        if (address.timeout_ms > TOLD_WAIT_MS)
            address.timeout_ms = TOLD_WAIT_MS;
        t->stream = stream_create(&address);
    }
    return t;
}

void
told_destroy(struct told **t)
{
    if (!*t)
        return;
    if ((*t)->stream)
        stream_destroy(&(*t)->stream);
    pthread_mutex_destroy(&(*t)->lock);
    free(*t);
    *t = NULL;
}

/* ---- Under the lock ---- */

static enum err_code
check_stream(const struct told *t, struct err *err)
{
    return t->stream ? ERR_OK
                     : err_set(err, ERR_UNAVAILABLE, NULL, "the dashboard was given no Redis");
}

/* Anybody may have written to Redis: what is no object of ours is passed over. */
static json_t *
read_collector(const struct stream_pair *pair)
{
    json_t *said = pair->value.n <= COLLECTOR_MAX
                       ? json_loadb(pair->value.p, pair->value.n, JSON_REJECT_DUPLICATES, NULL)
                       : NULL;
    json_t *name = json_stringn(pair->key.p, pair->key.n);

    if (json_is_object(said) && name && json_is_integer(json_object_get(said, "time")) &&
        json_is_string(json_object_get(said, "state"))) {
        json_object_set(said, "name", name);
    } else {
        json_decref(said);
        said = NULL;
    }
    json_decref(name);
    return said;
}

static int
compare_pairs(const void *a, const void *b)
{
    return slice_compare(((const struct stream_pair *)a)->key,
                         ((const struct stream_pair *)b)->key);
}

static enum err_code
read_collectors(struct told *t, struct arena *a, json_t *out, struct err *err)
{
    struct stream_pair *pairs = NULL;
    int n = 0;
    enum err_code rc = stream_hash_read(t->stream, STREAM_COLLECTORS, a, &pairs, &n, err);

    if (rc == ERR_OK && n > 1)
        qsort(pairs, (size_t)n, sizeof *pairs, compare_pairs);
    for (int i = 0; rc == ERR_OK && i < n; i++) {
        json_t *said = read_collector(&pairs[i]);

        if (said)
            json_array_append_new(out, said);
    }
    return rc;
}

static enum err_code
read_stream(struct told *t, struct told_now *out, struct err *err)
{
    struct stream_info info;
    enum err_code rc = stream_info(t->stream, &info, err);

    if (rc != ERR_OK)
        return rc;
    out->n_waiting = info.length;
    out->oldest_ms = info.length > 0 ? (int64_t)info.first.ms : 0;
    return stream_memory(t->stream, &out->memory_bytes, &out->memory_max_bytes, err);
}

/* ---- Whose places ---- */

/* Whoever built a database writes his name into its description or its type. */
static const struct told_places *
find_places(const json_t *collector)
{
    static const struct {
        const char *mark;
        struct told_places places;
    } known[] = {
        {"DB-IP", {"IP Geolocation by DB-IP", "https://db-ip.com"}},
        {"DBIP", {"IP Geolocation by DB-IP", "https://db-ip.com"}},
        {"GeoLite2",
         {"This product includes GeoLite2 data created by MaxMind", "https://www.maxmind.com"}},
    };
    const json_t *places = json_object_get(collector, "places");
    struct slice notice = slice_from(json_string_value(json_object_get(places, "notice")));
    struct slice type = slice_from(json_string_value(json_object_get(places, "type")));

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct slice mark = slice_from(known[i].mark);

        if (slice_contains(type, mark) || slice_contains(notice, mark))
            return &known[i].places;
    }
    return NULL;
}

static void
keep_places(struct told *t, const json_t *collectors)
{
    const json_t *one;
    size_t i;

    t->places = NULL;
    t->places_ms = clock_steady_ms();
    json_array_foreach(collectors, i, one)
    {
        if (!t->places)
            t->places = find_places(one);
    }
}

/* ---- Public ---- */

void
told_read(struct told *t, struct arena *a, struct told_now *out)
{
    enum err_code rc;

    *out = (struct told_now){.collectors = json_array(), .why = ERR_NONE};
    pthread_mutex_lock(&t->lock);
    rc = check_stream(t, &out->why);
    if (rc == ERR_OK)
        rc = read_stream(t, out, &out->why);
    if (rc == ERR_OK)
        rc = read_collectors(t, a, out->collectors, &out->why);
    if (rc == ERR_OK)
        keep_places(t, out->collectors);
    pthread_mutex_unlock(&t->lock);
    out->is_there = rc == ERR_OK;
}

enum err_code
told_days(struct told *t, const char (*keys)[STREAM_DAY_MAX], int n, struct arena *a,
          struct stream_hash *out, struct err *err)
{
    enum err_code rc;

    pthread_mutex_lock(&t->lock);
    rc = check_stream(t, err);
    if (rc == ERR_OK)
        rc = stream_counts_read(t->stream, keys, n, a, out, err);
    pthread_mutex_unlock(&t->lock);
    return rc;
}

/* A Redis that is away changes nothing in whose places they are. */
const struct told_places *
told_places(struct told *t)
{
    const struct told_places *places;
    json_t *collectors;
    struct arena a;

    pthread_mutex_lock(&t->lock);
    if (t->stream && (t->places_ms == 0 || clock_steady_ms() - t->places_ms >= TOLD_PLACES_MS)) {
        arena_init(&a, ARENA_BYTES);
        collectors = json_array();
        if (read_collectors(t, &a, collectors, NULL) == ERR_OK)
            keep_places(t, collectors);
        json_decref(collectors);
        arena_fini(&a);
    }
    places = t->places;
    pthread_mutex_unlock(&t->lock);
    return places;
}
