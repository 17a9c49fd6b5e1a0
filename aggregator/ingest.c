/* The reader of the stream. One thread, one loop:
 *
 *     publish the sites where they changed
 *     flush where the oldest buffered event is old enough, or the buffer full
 *     read what is next, waiting at most until the next of these is due
 *
 * What is buffered is in Redis too until it is committed, so a crash at any line costs nothing.
 */
#include "aggregator/ingest.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "aggregator/bad_entry.h"
#include "aggregator/batch.h"
#include "aggregator/site_publish.h"
#include "aggregator/writer.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/stream_counts.h"

#define READ_ENTRIES     64
#define IDLE_MS          250 /* longest wait in one read: how fast a stop is noticed */
#define SETTINGS_POLL_MS 100
#define IDENTITY_MS      5000 /* without flushes, Redis is asked who it is this often */
#define RETRY_MS         500  /* after a failed flush */

/* Said once, until it is over. */
struct trouble {
    char words[sizeof((struct err *)0)->message];
};

struct ingest {
    const struct ingest_config *config;
    struct ingest_state *state;
    struct catalog *catalog;
    struct stream *stream;
    struct segment_builder *builder;
    struct arena entries; /* one read */
    struct arena event;   /* one event */

    bool is_known;                    /* owner, epoch and position agree with this Redis */
    bool has_position;                /* position holds what is committed */
    struct catalog_position position; /* committed */
    struct stream_id read;            /* buffered up to here */
    uint64_t n_read;                  /* entries between the two */
    int64_t oldest_ms;                /* steady time of the first of them */
    int64_t identity_ms;              /* when Redis was last asked who it is */
    bool must_trim;
    bool is_stuck; /* in front of an entry of a newer version */

    bool must_publish;
    uint64_t published; /* what the sites were when they were last published */
    int64_t settings_version;
    int64_t settings_ms;
    struct trouble redis;
    struct trouble writing;

    uint64_t n_repeats; /* dropped since Redis was last told */
};

/* ---- Trouble ---- */

static void
say_once(struct trouble *t, const char *what, const struct err *err)
{
    if (strcmp(t->words, err->message) == 0)
        return;
    memcpy(t->words, err->message, sizeof t->words);
    log_warn("%s: %s", what, err->message);
}

static void
trouble_is_over(struct trouble *t, const char *what)
{
    if (t->words[0] != '\0')
        log_info("%s: going on", what);
    t->words[0] = '\0';
}

static void
raise_alarm(struct ingest *g, const char *code, uint64_t n, const char *message)
{
    struct err err = ERR_NONE;

    log_error("%s", message);
    if (catalog_alarm_raise(g->catalog, code, n, message, &err) != ERR_OK)
        log_error("alarm not kept: %s", err.message);
}

/* A service that is away is waited for; anything else about Redis too: it may be mended while we
 * wait, and ending would not mend it. */
static void
redis_is_away(struct ingest *g, const struct err *err)
{
    say_once(&g->redis, "waiting for Redis", err);
    g->is_known = false;
    g->must_publish = true;
    if (g->state)
        atomic_store(&g->state->is_reading, false);
}

/* ---- Flush ---- */

static void
count_repeats(struct ingest *g, uint64_t n_told, uint64_t n_known)
{
    if (n_told > n_known)
        g->n_repeats += n_told - n_known;
}

/* Files, then one commit of them and of the position. */
static enum err_code
write_buffer(struct ingest *g, struct err *err)
{
    struct catalog_advance advance = {
        .stream = STREAM_EVENTS,
        .epoch = g->position.epoch,
        .from = g->position.id,
        .to = g->read,
        .n_entries = g->n_read,
    };
    uint64_t n_told = segment_builder_rows(g->builder);
    struct writer *w = NULL;
    enum err_code rc;

    rc = writer_open(g->config->store, g->catalog, CATALOG_FLUSH, &w, err);
    if (rc == ERR_OK)
        rc = writer_add(w, g->builder, err);
    if (rc == ERR_OK)
        rc = writer_commit(w, &advance, err);
    if (rc == ERR_OK)
        count_repeats(g, n_told, writer_rows(w) + writer_erased(w));
    writer_close(&w);
    return rc;
}

static void
buffer_is_committed(struct ingest *g)
{
    g->position.id = g->read;
    g->position.n_entries += g->n_read;
    g->n_read = 0;
    trouble_is_over(&g->writing, "writing");
    if (g->state)
        atomic_fetch_add(&g->state->n_flushes, 1);
}

/* ---- Whose Redis, which epoch, what is missing ---- */

static enum err_code
check_owner(struct ingest *g, bool *is_other, struct err *err)
{
    struct slice ours = slice_from(g->config->store->install_id);
    struct slice owner;
    enum err_code rc;

    rc = stream_get_or_set(g->stream, STREAM_OWNER, ours, &g->event, &owner, err);
    *is_other = rc == ERR_OK && !slice_equal(owner, ours);
    if (*is_other)
        rc = err_set(err, ERR_CONFLICT, "redis",
                     "this Redis belongs to another data folder (install %.*s, this one is %.*s): "
                     "give each folder its own Redis, or delete the key %s if the other is gone",
                     SLICE_ARG(slice_sub(owner, 0, 40)), SLICE_ARG(ours), STREAM_OWNER);
    return rc;
}

static enum err_code
read_epoch(struct ingest *g, char out[CATALOG_EPOCH_MAX], struct err *err)
{
    unsigned char random[16];
    char fresh[33];
    struct slice epoch;
    enum err_code rc;

    randombytes_buf(random, sizeof random);
    sodium_bin2hex(fresh, sizeof fresh, random, sizeof random);
    rc = stream_get_or_set(g->stream, STREAM_EPOCH, slice_from(fresh), &g->event, &epoch, err);
    if (rc == ERR_OK && !slice_to_cstr(epoch, out, CATALOG_EPOCH_MAX))
        rc = err_set(err, ERR_INVALID, "redis", "the key %s is not Corong's", STREAM_EPOCH);
    return rc;
}

/* Forget what is buffered: it is read again from the position. */
static void
forget_buffer(struct ingest *g)
{
    segment_builder_reset(g->builder);
    g->read = g->position.id;
    g->n_read = 0;
    g->is_stuck = false;
}

/* Begin this stream at 0-0 under `epoch`. */
static enum err_code
begin_anew(struct ingest *g, const char *epoch, struct err *err)
{
    enum err_code rc;

    rc = catalog_position_reset(g->catalog, STREAM_EVENTS, g->has_position ? &g->position : NULL,
                                epoch, err);
    if (rc != ERR_OK)
        return rc;
    g->position = (struct catalog_position){.epoch = ""};
    memcpy(g->position.epoch, epoch, CATALOG_EPOCH_MAX);
    g->has_position = true;
    forget_buffer(g);
    return ERR_OK;
}

/* Entries that were trimmed before they were read. `known` ones raise no alarm. */
static enum err_code
count_lost(struct ingest *g, const struct stream_info *info, bool is_known, struct err *err)
{
    uint64_t trimmed = (uint64_t)(info->entries_added - info->length);
    uint64_t ours = g->position.n_entries + g->n_read;
    char message[200];
    enum err_code rc;

    if (info->entries_added <= info->length || trimmed <= ours)
        return ERR_OK;
    rc = catalog_position_count(g->catalog, STREAM_EVENTS, g->position.epoch, trimmed - ours, err);
    if (rc != ERR_OK)
        return rc;
    g->position.n_entries += trimmed - ours;
    if (is_known)
        return ERR_OK;
    snprintf(message, sizeof message,
             "%" PRIu64 " entries of the stream were trimmed before they were read: their events "
             "are lost; something else trims %s",
             trimmed - ours, STREAM_EVENTS);
    raise_alarm(g, "stream_lost", trimmed - ours, message);
    return ERR_OK;
}

static enum err_code
load_position(struct ingest *g, const char *epoch, struct err *err)
{
    enum err_code rc;

    rc = catalog_position_get(g->catalog, STREAM_EVENTS, &g->position, err);
    if (rc == ERR_NOT_FOUND)
        return begin_anew(g, epoch, err);
    if (rc != ERR_OK)
        return rc;
    g->has_position = true;
    g->must_trim = true; /* a crash may have come between a commit and its trim */
    forget_buffer(g);
    return ERR_OK;
}

/* Is the Redis that answers the one whose entries are committed and buffered? Where it is another,
 * what is buffered is written (perhaps nobody else has it any more) and reading begins at 0-0. */
static enum err_code
check_stream(struct ingest *g, const char *epoch, const struct stream_info *info, struct err *err)
{
    bool is_other, is_back;
    char message[300];
    enum err_code rc = ERR_OK;

    if (!g->has_position)
        rc = load_position(g, epoch, err);
    if (rc != ERR_OK)
        return rc;
    is_other = strcmp(g->position.epoch, epoch) != 0;
    is_back = !is_other && stream_id_compare(info->last_generated, g->position.id) < 0;
    if (is_other || is_back) {
        snprintf(message, sizeof message,
                 "Redis is not the one that was read before (%s): everything in it is read from "
                 "the start; what only the earlier one had, unread, is lost",
                 is_other ? "it was emptied or replaced" : "its ids went back");
        rc = g->n_read != 0 ? write_buffer(g, err) : ERR_OK;
        if (rc == ERR_OK && g->n_read != 0)
            buffer_is_committed(g);
        if (rc == ERR_OK)
            rc = begin_anew(g, epoch, err);
        if (rc != ERR_OK)
            return rc;
        raise_alarm(g, "stream_replaced", 1, message);
        g->must_publish = true;
    }
    return count_lost(g, info, is_back, err);
}

/* ERR_OK: this is our Redis, and reading may go on. ERR_CONFLICT and errors of the catalog end the
 * process; *is_away says that it was Redis which failed. */
static enum err_code
check_identity(struct ingest *g, bool *is_away, struct err *err)
{
    char epoch[CATALOG_EPOCH_MAX] = "";
    struct stream_info info;
    bool is_other = false;
    enum err_code rc;

    *is_away = false;
    arena_reset(&g->event);
    rc = check_owner(g, &is_other, err);
    if (is_other)
        return rc;
    if (rc == ERR_OK)
        rc = read_epoch(g, epoch, err);
    if (rc == ERR_OK)
        rc = stream_info(g->stream, &info, err);
    if (rc != ERR_OK) {
        *is_away = true;
        return rc;
    }
    rc = check_stream(g, epoch, &info, err);
    if (rc != ERR_OK)
        return rc;
    g->identity_ms = clock_steady_ms();
    g->is_known = true;
    if (g->state)
        atomic_store(&g->state->is_reading, !g->is_stuck);
    trouble_is_over(&g->redis, "Redis");
    return ERR_OK;
}

/* ---- Entries ---- */

/* Records that cannot be read: counted, told, and kept where that is possible. */
static void
report_bad(struct ingest *g, const struct stream_entry *entry, uint32_t n_bad, const char *why)
{
    char id[STREAM_ID_TEXT_MAX];
    char message[300];
    struct err err = ERR_NONE;
    bool is_kept = bad_entry_keep(g->config->store, entry, &err) == ERR_OK;

    stream_id_format(entry->id, id);
    snprintf(message, sizeof message, "%u records of stream entry %s cannot be read (%.120s); %s",
             n_bad, id, why, is_kept ? "the entry is kept in bad/" : "it could not be kept");
    raise_alarm(g, "bad_records", n_bad, message);
    if (g->state)
        atomic_fetch_add(&g->state->n_bad, n_bad);
}

/* ---- Flush and trim ---- */

static void
trim(struct ingest *g)
{
    struct err err = ERR_NONE;
    enum err_code rc = stream_trim(g->stream, g->position.id, &err);

    g->must_trim = rc != ERR_OK; /* entries that are committed twice do no harm: later, then */
    if (rc != ERR_OK)
        redis_is_away(g, &err);
}

/* How many events were dropped as told twice, for who asks what became of them. Where Redis does
 * not take it now, the next flush says it. */
static void
tell_repeats(struct ingest *g)
{
    struct stream_count count = {SLICE(STREAM_DAY_REPEATS), g->n_repeats};
    char key[STREAM_DAY_MAX];

    if (g->n_repeats == 0)
        return;
    stream_day_key(0, date_from_days(clock_wall_ms() / 86400000), key);
    if (stream_counts_add(g->stream, key, &count, 1, STREAM_DAY_LIFE, NULL) == ERR_OK)
        g->n_repeats = 0;
}

static enum err_code
flush(struct ingest *g, struct err *err)
{
    bool is_away;
    enum err_code rc;

    rc = check_identity(g, &is_away, err);
    if (rc != ERR_OK && !is_away)
        return rc;
    if (rc != ERR_OK) /* what is buffered was read from our own Redis: it may be committed */
        redis_is_away(g, err);
    if (g->n_read == 0)
        return ERR_OK; /* another Redis: it was written under the earlier position */
    rc = write_buffer(g, err);
    if (rc != ERR_OK)
        return rc;
    buffer_is_committed(g);
    if (g->is_known)
        trim(g);
    if (g->is_known)
        tell_repeats(g);
    return ERR_OK;
}

static bool
is_full(const struct ingest *g)
{
    return segment_builder_rows(g->builder) >= g->config->flush_rows ||
           segment_builder_bytes(g->builder) >= g->config->flush_bytes;
}

static bool
is_due(const struct ingest *g)
{
    return g->n_read != 0 &&
           (is_full(g) || clock_steady_ms() - g->oldest_ms >= g->config->flush_ms);
}

/* ---- Reading ---- */

/* ERR_VERSION: stop in front of it. */
static enum err_code
take_entry(struct ingest *g, const struct stream_entry *entry, struct err *err)
{
    struct batch_count count;
    struct err why = ERR_NONE;
    enum err_code rc;

    rc = batch_read(entry->batch, g->builder, &g->event, &count, &why);
    if (rc == ERR_VERSION)
        return err_set(err, rc, NULL, "%s", why.message);
    if (count.n_bad != 0)
        report_bad(g, entry, count.n_bad, why.message);
    if (g->n_read++ == 0)
        g->oldest_ms = clock_steady_ms();
    g->read = entry->id;
    if (g->state) {
        atomic_fetch_add(&g->state->n_entries, 1);
        atomic_fetch_add(&g->state->n_events, count.n_events);
    }
    return ERR_OK;
}

static void
get_stuck(struct ingest *g, const struct stream_entry *entry, const struct err *why)
{
    char id[STREAM_ID_TEXT_MAX];
    char message[400];

    stream_id_format(entry->id, id);
    snprintf(
        message, sizeof message,
        "stream entry %s was written by a newer Corong (%.150s): reading stops in front of it; "
        "update this aggregator",
        id, why->message);
    raise_alarm(g, "entry_newer", 1, message);
    g->is_stuck = true;
    if (g->state)
        atomic_store(&g->state->is_reading, false);
}

static int
wait_ms(const struct ingest *g)
{
    int64_t left = IDLE_MS;

    if (g->n_read != 0)
        left = g->oldest_ms + g->config->flush_ms - clock_steady_ms();
    return left < 1 ? 1 : left > IDLE_MS ? IDLE_MS : (int)left;
}

static enum err_code
read_some(struct ingest *g, struct err *err)
{
    struct stream_entry *entries = NULL;
    enum err_code rc;
    int n = 0;

    if (g->is_stuck) {
        clock_sleep_ms(wait_ms(g));
        return ERR_OK;
    }
    arena_reset(&g->entries);
    rc = stream_read(g->stream, g->read, READ_ENTRIES, wait_ms(g), &g->entries, &entries, &n, err);
    if (rc != ERR_OK) {
        redis_is_away(g, err);
        return ERR_OK;
    }
    for (int i = 0; i < n && !g->is_stuck; i++) {
        rc = take_entry(g, &entries[i], err);
        if (rc == ERR_VERSION)
            get_stuck(g, &entries[i], err);
        else if (rc != ERR_OK)
            return rc;
        else if (is_full(g) && i + 1 < n)
            break; /* the rest is read again after the flush */
    }
    return ERR_OK;
}

/* ---- Sites ---- */

/* Publish where somebody has changed settings.db, or Redis may have forgotten. */
static void
follow_settings(struct ingest *g)
{
    struct err err = ERR_NONE;
    int64_t now = clock_steady_ms();
    int64_t version = 0;

    if (!g->must_publish && now - g->settings_ms < SETTINGS_POLL_MS)
        return;
    g->settings_ms = now;
    if (settings_db_version(g->config->settings, &version, &err) != ERR_OK) {
        say_once(&g->writing, "settings.db", &err);
        return;
    }
    if (!g->must_publish && version == g->settings_version)
        return;
    if (site_publish(g->config->settings, g->stream, g->must_publish, &g->published, &err) !=
        ERR_OK) {
        redis_is_away(g, &err);
        return;
    }
    g->settings_version = version;
    g->must_publish = false;
}

/* ---- The loop ---- */

static enum err_code
step(struct ingest *g, struct err *err)
{
    bool is_away = false;
    enum err_code rc;

    if (is_due(g)) {
        rc = flush(g, err);
        if (rc != ERR_OK)
            return rc;
    }
    if (!g->is_known || clock_steady_ms() - g->identity_ms >= IDENTITY_MS) {
        rc = check_identity(g, &is_away, err);
        if (rc != ERR_OK && !is_away)
            return rc;
        if (rc != ERR_OK) {
            redis_is_away(g, err);
            clock_sleep_ms(wait_ms(g));
            return ERR_OK;
        }
        if (g->must_trim)
            trim(g);
    }
    follow_settings(g);
    return g->is_known && !is_full(g) ? read_some(g, err) : ERR_OK;
}

/* No space, or a busy catalog: the buffer stays, nothing is read meanwhile, the flush is tried
 * again. Where its files were written and only the commit was not, the builder is empty already:
 * then it is filled from Redis again. */
static void
wait_to_write(struct ingest *g, const struct err *err)
{
    if (g->writing.words[0] == '\0' && err->code == ERR_FULL)
        raise_alarm(g, "no_space", 1, err->message);
    say_once(&g->writing, "waiting to write", err);
    if (segment_builder_rows(g->builder) == 0)
        forget_buffer(g);
    clock_sleep_ms(RETRY_MS);
}

enum err_code
ingest_run(const struct ingest_config *config, const atomic_bool *stop, struct ingest_state *state,
           struct err *err)
{
    struct segment_owner owner = store_owner(config->store);
    struct ingest g = {.config = config, .state = state, .must_publish = true};
    enum err_code rc;

    rc = catalog_open(config->store, true, &g.catalog, err);
    if (rc != ERR_OK)
        return rc;
    g.stream = stream_create(config->redis);
    g.builder = segment_builder_create(&owner);
    arena_init(&g.entries, 1 << 20);
    arena_init(&g.event, 128 << 10);
    rc = catalog_alarm_clear(g.catalog, "entry_newer", err); /* this program may be the newer one */
    while (rc == ERR_OK && !atomic_load(stop)) {
        rc = step(&g, err);
        if (rc == ERR_FULL || rc == ERR_UNAVAILABLE) {
            wait_to_write(&g, err);
            rc = ERR_OK;
        }
    }
    if (rc == ERR_OK && g.n_read != 0)
        rc = flush(&g, err);
    if (rc == ERR_CONFLICT)
        raise_alarm(&g, strcmp(err->field, "redis") == 0 ? "redis_shared" : "two_aggregators", 1,
                    err->message);
    arena_fini(&g.event);
    arena_fini(&g.entries);
    segment_builder_destroy(&g.builder);
    stream_destroy(&g.stream);
    catalog_close(&g.catalog);
    return rc;
}
