#include "collector/daily.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/stream_counts.h"
#include "core/ticker.h"
#include "core/zone.h"

#define ARENA_BYTES (16 * 1024)
#define NAME_MAX_   80

/* A site's numbers since they were last given away; found by its id from slot id % max on. */
struct slot {
    atomic_uint_fast32_t key; /* the id + 1; 0: free */
    atomic_uint_fast64_t n[DAILY_COUNT];
};

struct daily {
    struct daily_config config;
    struct stream *stream; /* of the thread */
    struct ticker *ticker;
    struct arena arena; /* of a tick */
    char name[NAME_MAX_];
    uint64_t told;   /* hash of what was last said of the collector, without the moment */
    int64_t told_ms; /* steady clock; 0: never */
    struct slot slots[DAILY_SITES_MAX];
};

/* ---- Adding ---- */

static struct slot *
find_slot(struct daily *d, uint32_t site)
{
    uint_fast32_t key = (uint_fast32_t)site + 1;

    for (uint32_t i = 0; i < DAILY_SITES_MAX; i++) {
        struct slot *s = &d->slots[(site + i) % DAILY_SITES_MAX];
        uint_fast32_t there = atomic_load_explicit(&s->key, memory_order_relaxed);

        if (there == 0 && atomic_compare_exchange_strong(&s->key, &there, key))
            return s;
        if (there == key)
            return s;
    }
    return NULL;
}

void
daily_add(struct daily *d, uint32_t site, enum daily_what what, uint64_t n)
{
    struct slot *s = d && n != 0 ? find_slot(d, site) : NULL;

    if (s)
        atomic_fetch_add_explicit(&s->n[what], n, memory_order_relaxed);
}

/* ---- Giving numbers away ---- */

static struct slice
field_of(enum daily_what what, struct arena *a)
{
    switch (what) {
    case DAILY_ACCEPTED:
        return SLICE(STREAM_DAY_ACCEPTED);
    case DAILY_LATE:
        return SLICE(STREAM_DAY_LATE);
    case DAILY_BOTS:
        return SLICE(STREAM_DAY_BOTS);
    default:
        return arena_printf(a, STREAM_DAY_REFUSED "%s",
                            reason_name((enum reason)(what - DAILY_REFUSED)));
    }
}

/* The day that it is where the site is. */
static struct date
today(const struct sites_table *table, uint32_t site)
{
    const struct site *s = sites_find_id(table, site);
    int64_t now_ms = clock_wall_ms();
    struct zone *zone = NULL;
    struct date day;

    if (zone_open(s ? s->timezone : SLICE("UTC"), &zone, NULL) != ERR_OK &&
        zone_open(SLICE("UTC"), &zone, NULL) != ERR_OK)
        return date_from_days(now_ms / 86400000);
    day = zone_date(zone, now_ms);
    zone_close(&zone);
    return day;
}

/* ERR_OK also where there was nothing to give. */
static enum err_code
give_slot(struct daily *d, struct slot *slot, const struct sites_table *table, struct err *err)
{
    uint32_t site = (uint32_t)(atomic_load(&slot->key) - 1);
    struct stream_count counts[DAILY_COUNT];
    char key[STREAM_DAY_MAX];
    int n = 0;

    for (int i = 0; i < DAILY_COUNT; i++) {
        uint64_t some = atomic_exchange(&slot->n[i], 0);

        if (some != 0)
            counts[n++] = (struct stream_count){field_of((enum daily_what)i, &d->arena), some};
    }
    if (n == 0)
        return ERR_OK;
    stream_day_key(site, today(table, site), key);
    return stream_counts_add(d->stream, key, counts, n, STREAM_DAY_LIFE, err);
}

/* ---- Saying how the collector does ---- */

static void
add_places(const struct daily *d, struct buffer *out)
{
    struct place_about about;

    if (!d->config.places || !place_describe(d->config.places, &about)) {
        buffer_add_text(out, "null");
        return;
    }
    buffer_add_text(out, "{\"type\":");
    buffer_add_json(out, slice_from(about.type));
    buffer_add_text(out, ",\"notice\":");
    buffer_add_json(out, slice_from(about.notice));
    buffer_printf(out, ",\"built\":%lld}", (long long)about.built_ms);
}

static void
add_state(const struct daily *d, struct buffer *out)
{
    static const char *const names[] = {[PUBLISH_READY] = "ready",
                                        [PUBLISH_SPOOLING] = "spooling",
                                        [PUBLISH_REFUSING] = "refusing"};
    struct publish_figures f;
    struct err why = ERR_NONE;
    enum publish_state state = publish_state(d->config.publish, &why);

    publish_figures(d->config.publish, &f);
    buffer_printf(out, ",\"state\":\"%s\",\"why\":", names[state]);
    buffer_add_json(out, slice_from(state == PUBLISH_READY ? "" : why.message));
    buffer_printf(out, ",\"spool_bytes\":%llu,\"damaged_records\":%llu,\"places\":",
                  (unsigned long long)f.spool.bytes, (unsigned long long)f.spool.n_damaged);
    add_places(d, out);
    buffer_add_char(out, '}');
}

static enum err_code
tell(struct daily *d, struct err *err)
{
    struct buffer state = BUFFER_EMPTY;
    enum err_code rc = ERR_OK;
    int64_t now_ms = clock_steady_ms();
    struct slice json;
    uint64_t hash;

    add_state(d, &state);
    hash = hash64(buffer_slice(&state), 1);
    if (hash != d->told || d->told_ms == 0 || now_ms - d->told_ms >= DAILY_TELL_MS) {
        json = arena_printf(&d->arena, "{\"time\":%lld%.*s", (long long)clock_wall_ms(),
                            SLICE_ARG(buffer_slice(&state)));
        rc = stream_counts_tell(d->stream, STREAM_COLLECTORS, slice_from(d->name), json,
                                STREAM_COLLECTORS_LIFE, err);
        d->told = hash;
        d->told_ms = rc == ERR_OK ? now_ms : 0;
    }
    buffer_fini(&state);
    return rc;
}

/* ---- The thread ---- */

/* First whether Redis is there at all: what is taken out of a slot and not given is lost. */
static void
write_all(struct daily *d)
{
    const struct sites_table *table;
    struct err err = ERR_NONE;

    arena_reset(&d->arena);
    if (stream_ping(d->stream, &err) != ERR_OK || tell(d, &err) != ERR_OK) {
        log_debug("what became of events is not told: %s", err.message);
        return;
    }
    table = sites_acquire(d->config.sites);
    for (int i = 0; i < DAILY_SITES_MAX; i++) {
        if (atomic_load(&d->slots[i].key) == 0)
            continue;
        if (give_slot(d, &d->slots[i], table, &err) != ERR_OK) {
            log_debug("what became of events is not told: %s", err.message);
            break;
        }
    }
    sites_release(table);
}

static int64_t
tick(void *context)
{
    struct daily *d = context;

    write_all(d);
    return d->config.write_ms;
}

/* ---- Starting and stopping ---- */

static void
destroy(struct daily *d)
{
    stream_destroy(&d->stream);
    arena_fini(&d->arena);
    free(d);
}

enum err_code
daily_start(const struct daily_config *config, struct daily **out, struct err *err)
{
    struct daily *d = mem_zalloc(sizeof *d);
    char host[NAME_MAX_ - 8] = "";
    enum err_code rc;

    d->config = *config;
    d->stream = stream_create(&config->redis);
    arena_init(&d->arena, ARENA_BYTES);
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        snprintf(host, sizeof host, "collector");
    text_make_printable(host);
    snprintf(d->name, sizeof d->name, "%s:%d", host, config->port);
    rc = ticker_start(tick, d, config->write_ms < 100 ? config->write_ms : 100, &d->ticker, err);
    if (rc != ERR_OK)
        destroy(d);
    else
        *out = d;
    return rc;
}

void
daily_stop(struct daily **d)
{
    if (!*d)
        return;
    ticker_stop(&(*d)->ticker);
    write_all(*d);
    destroy(*d);
    *d = NULL;
}
