#include "collector/salt.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/stream_forget.h"
#include "core/ticker.h"
#include "core/timestamp.h"

#define DAY_MS        86400000
#define DAYS          3 /* yesterday, today, tomorrow: a day's place is its number's remainder */
#define DATE_TEXT     11
#define ARENA_BYTES   4096
#define HASTY_MS      500
#define AGAIN_MS      60000 /* after the log could not be rewritten */
#define NOT_REWRITING (-1)

struct day_salt {
    int64_t day; /* since 1970 */
    bool is_known;
    unsigned char bytes[SALT_BYTES];
};

struct salts {
    struct stream *stream;   /* of the thread, as all down to `ticker` */
    struct sites *sites;     /* borrowed */
    struct publish *publish; /* borrowed; may be NULL */
    int64_t round_ms;
    int64_t n_rewrites;     /* Redis had begun before ours; NOT_REWRITING */
    int64_t rewrite_before; /* the day before which all was struck out when ours began */
    int64_t rewrite_at_ms;  /* steady clock: not before */
    bool has_complained;    /* said once */
    struct ticker *ticker;
    pthread_mutex_t mutex; /* guards days; held for copies only */
    struct day_salt days[DAYS];
};

/* "2026-06-01": fields of Redis's hash, which sort as their days do. */
static struct slice
day_text(int64_t day, char dst[DATE_TEXT])
{
    char when[TIMESTAMP_TEXT_MAX];

    timestamp_format(day * DAY_MS, true, when);
    memcpy(dst, when, DATE_TEXT - 1);
    dst[DATE_TEXT - 1] = '\0';
    return slice_of(dst, DATE_TEXT - 1);
}

/* The oldest day whose salt may still be there. */
static int64_t
oldest_day(int64_t now_ms)
{
    return (now_ms - SALT_LATE_MS) / DAY_MS;
}

/* ---- In memory ---- */

static bool
find_day(struct salts *s, int64_t day, unsigned char out[SALT_BYTES])
{
    const struct day_salt *d = &s->days[day % DAYS];
    bool is_known;

    pthread_mutex_lock(&s->mutex);
    is_known = d->is_known && d->day == day;
    if (is_known)
        memcpy(out, d->bytes, SALT_BYTES);
    pthread_mutex_unlock(&s->mutex);
    return is_known;
}

static void
keep_day(struct salts *s, int64_t day, const char *bytes)
{
    struct day_salt *d = &s->days[day % DAYS];

    pthread_mutex_lock(&s->mutex);
    d->day = day;
    d->is_known = true;
    memcpy(d->bytes, bytes, SALT_BYTES);
    pthread_mutex_unlock(&s->mutex);
}

static void
forget_past_days(struct salts *s, int64_t now_ms)
{
    pthread_mutex_lock(&s->mutex);
    for (int i = 0; i < DAYS; i++)
        if (s->days[i].is_known && s->days[i].day < oldest_day(now_ms))
            sodium_memzero(&s->days[i], sizeof s->days[i]);
    pthread_mutex_unlock(&s->mutex);
}

/* ---- In Redis ---- */

struct reading {
    struct arena arena;
    struct stream_pair *pairs;
    int n;
};

static enum err_code
read_all(struct salts *s, struct reading *r, struct err *err)
{
    return stream_hash_read(s->stream, STREAM_SALTS, &r->arena, &r->pairs, &r->n, err);
}

static const struct stream_pair *
find_field(const struct reading *r, struct slice field)
{
    for (int i = 0; i < r->n; i++)
        if (slice_equal(r->pairs[i].key, field))
            return &r->pairs[i];
    return NULL;
}

/* Have a day's salt in Redis: ours, if we know it (Redis was wiped), else a new one. Whoever else
 * does the same at this moment, one of them is the day's. */
static enum err_code
make_day(struct salts *s, const struct reading *r, int64_t day, bool *out_made, struct err *err)
{
    unsigned char salt[SALT_BYTES];
    char date[DATE_TEXT];
    struct slice field = day_text(day, date);
    enum err_code rc;

    if (find_field(r, field))
        return ERR_OK;
    if (!find_day(s, day, salt))
        randombytes_buf(salt, sizeof salt);
    rc = stream_field_add(s->stream, STREAM_SALTS, field, slice_of((const char *)salt, sizeof salt),
                          err);
    sodium_memzero(salt, sizeof salt);
    *out_made = *out_made || rc == ERR_OK;
    return rc;
}

static bool
is_wanted(const struct salts *s)
{
    const struct sites_table *t = sites_acquire(s->sites);
    bool any = sites_any_cookieless(t);

    sites_release(t);
    return any;
}

/* Today's and tomorrow's are in Redis, and all that is not past is in memory. */
static enum err_code
learn(struct salts *s, struct reading *r, int64_t now_ms, struct err *err)
{
    int64_t today = now_ms / DAY_MS;
    bool has_made = false;
    char date[DATE_TEXT];
    enum err_code rc;

    rc = read_all(s, r, err);
    for (int64_t day = today; rc == ERR_OK && day <= today + 1 && is_wanted(s); day++)
        rc = make_day(s, r, day, &has_made, err);
    if (rc == ERR_OK && has_made)
        rc = read_all(s, r, err);
    for (int64_t day = oldest_day(now_ms); rc == ERR_OK && day <= today + 1; day++) {
        const struct stream_pair *pair = find_field(r, day_text(day, date));
        if (pair && pair->value.n == SALT_BYTES)
            keep_day(s, day, pair->value.p);
    }
    return rc;
}

/* ---- Forgetting ---- */

/* Overwrite what is past. *out: is anything struck out, now or before? */
static enum err_code
strike_out(struct salts *s, const struct reading *r, int64_t now_ms, bool *out, struct err *err)
{
    char oldest[DATE_TEXT];
    enum err_code rc = ERR_OK;

    day_text(oldest_day(now_ms), oldest);
    for (int i = 0; rc == ERR_OK && i < r->n; i++) {
        const struct stream_pair *pair = &r->pairs[i];
        if (slice_compare(pair->key, slice_from(oldest)) >= 0)
            continue;
        *out = true;
        if (pair->value.n != 0)
            rc = stream_field_set(s->stream, STREAM_SALTS, pair->key, SLICE_EMPTY, err);
    }
    return rc;
}

/* One that somebody else has begun is not ours to wait for: it may have begun before we struck
 * out. Ours comes after it. */
static enum err_code
begin_rewriting(struct salts *s, int64_t now_ms, struct err *err)
{
    struct stream_rewriting log;
    enum err_code rc;

    if (clock_steady_ms() < s->rewrite_at_ms)
        return ERR_OK;
    rc = stream_rewriting(s->stream, &log, err);
    if (rc != ERR_OK || log.is_under_way)
        return rc;
    rc = stream_rewrite(s->stream, err);
    if (rc == ERR_OK) {
        s->n_rewrites = log.n_begun;
        s->rewrite_before = oldest_day(now_ms);
    } else if (stream_rewriting(s->stream, &log, NULL) == ERR_OK && log.is_under_way) {
        return ERR_OK; /* somebody was faster */
    } else {
        s->rewrite_at_ms = clock_steady_ms() + AGAIN_MS;
    }
    return rc;
}

/* Not what somebody else, whose clock is ahead, has struck out since the rewriting began. */
static enum err_code
remove_struck(struct salts *s, const struct reading *r, struct err *err)
{
    char before[DATE_TEXT];
    enum err_code rc = ERR_OK;

    day_text(s->rewrite_before, before);
    for (int i = 0; rc == ERR_OK && i < r->n; i++) {
        if (slice_compare(r->pairs[i].key, slice_from(before)) >= 0)
            continue;
        rc = stream_field_remove(s->stream, STREAM_SALTS, r->pairs[i].key, err);
        if (rc == ERR_OK)
            log_info("the salt of %.*s is forgotten", SLICE_ARG(r->pairs[i].key));
    }
    return rc;
}

/* A Redis that was restarted has begun fewer than before: then ours came to nothing. */
static enum err_code
end_rewriting(struct salts *s, const struct reading *r, struct err *err)
{
    struct stream_rewriting log;
    int64_t n_before = s->n_rewrites;
    enum err_code rc;

    rc = stream_rewriting(s->stream, &log, err);
    if (rc != ERR_OK || log.is_under_way)
        return rc;
    s->n_rewrites = NOT_REWRITING;
    if (log.n_begun > n_before && !log.has_failed)
        return remove_struck(s, r, err);
    s->rewrite_at_ms = clock_steady_ms() + AGAIN_MS;
    return err_set(err, ERR_IO, "redis", "Redis could not rewrite its log");
}

static enum err_code
forget(struct salts *s, const struct reading *r, int64_t now_ms, struct err *err)
{
    bool is_struck = false;
    enum err_code rc;

    rc = strike_out(s, r, now_ms, &is_struck, err);
    if (rc != ERR_OK || !is_struck)
        return rc;
    return s->n_rewrites == NOT_REWRITING ? begin_rewriting(s, now_ms, err)
                                          : end_rewriting(s, r, err);
}

/* ---- The thread ---- */

static void
go_round(struct salts *s)
{
    int64_t now_ms = clock_wall_ms();
    struct reading r = {.n = 0};
    struct err err;
    enum err_code rc;

    forget_past_days(s, now_ms);
    if (s->publish && publish_check_clock(s->publish, &err) != ERR_OK)
        return;
    arena_init(&r.arena, ARENA_BYTES);
    rc = learn(s, &r, now_ms, &err);
    if (rc == ERR_OK)
        rc = forget(s, &r, now_ms, &err);
    arena_fini(&r.arena);
    if (rc == ERR_UNAVAILABLE)
        return; /* others say so */
    if (rc != ERR_OK && !s->has_complained)
        log_warn("the salts of cookieless sites cannot be kept as they should: %s", err.message);
    s->has_complained = rc != ERR_OK;
}

static int64_t
tick(void *context)
{
    struct salts *s = context;

    go_round(s);
    return s->round_ms;
}

static void
destroy(struct salts *s)
{
    stream_destroy(&s->stream);
    pthread_mutex_destroy(&s->mutex);
    sodium_memzero(s->days, sizeof s->days);
    free(s);
}

enum err_code
salts_start(const struct stream_address *redis, struct sites *sites, struct publish *publish,
            int64_t round_ms, struct salts **out, struct err *err)
{
    struct stream_address address = *redis;
    struct salts *s = mem_zalloc(sizeof *s);
    enum err_code rc;

    if (address.timeout_ms > HASTY_MS)
        address.timeout_ms = HASTY_MS; /* a start need not wait for a Redis that hangs */
    s->stream = stream_create(&address);
    s->sites = sites;
    s->publish = publish;
    s->round_ms = round_ms;
    s->n_rewrites = NOT_REWRITING;
    pthread_mutex_init(&s->mutex, NULL);
    if (sodium_init() < 0) {
        destroy(s);
        return err_set(err, ERR_IO, "", "no source of random bytes");
    }
    go_round(s);
    rc = ticker_start(tick, s, round_ms, &s->ticker, err);
    if (rc != ERR_OK)
        destroy(s);
    else
        *out = s;
    return rc;
}

void
salts_stop(struct salts **s)
{
    if (!*s)
        return;
    ticker_stop(&(*s)->ticker);
    destroy(*s);
    *s = NULL;
}

bool
salts_find(struct salts *s, int64_t now_ms, unsigned char out[SALT_BYTES])
{
    return find_day(s, now_ms / DAY_MS, out);
}
