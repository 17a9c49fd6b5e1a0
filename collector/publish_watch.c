#include "collector/publish_watch.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/ticker.h"

#define LOOK_MS       200
#define PAUSE_MAX_MS  2000 /* before one that failed again and again is believed again */
#define STEADY_MS     10000
#define FULL_PERCENT  70
#define EMPTY_PERCENT 60
#define DRAIN_PERCENT 50

struct publish_watch {
    struct publish_watch_config config;
    struct stream *stream; /* of the thread */
    struct ticker *ticker;
    pthread_mutex_t mutex;
    int64_t built_ms;
    int64_t checked_ms; /* the thread's: when settings and clocks were last looked at */
    bool was_full;      /* the thread's */

    /* under the mutex */
    bool is_ready;
    bool has_much_room;
    bool is_clock_off;
    unsigned n_failures; /* that the sender told of */
    int64_t ready_ms;    /* since when */
    int64_t pause_ms;    /* until it is believed again */
    int64_t failed_ms;
    struct err why;
};

/* ---- Clocks ---- */

static int64_t
system_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The day before this file was compiled, "Nov 22 2026", whatever zone that was in. */
static int64_t
build_ms(void)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec", date[] = __DATE__;
    struct tm day = {.tm_year = atoi(date + 7) - 1900, .tm_mday = atoi(date + 4) - 1};

    for (int i = 0; i < 12; i++)
        if (memcmp(months + (size_t)i * 3, date, 3) == 0)
            day.tm_mon = i;
    return (int64_t)timegm(&day) * 1000;
}

enum err_code
publish_watch_check_clock(struct publish_watch *w, struct err *err)
{
    bool is_off;

    if (w->config.wall_ms() < w->built_ms)
        return err_set(err, ERR_CONFLICT, "clock",
                       "the clock of this machine stands before the day this program was built");
    pthread_mutex_lock(&w->mutex);
    is_off = w->is_clock_off;
    pthread_mutex_unlock(&w->mutex);
    if (is_off)
        return err_set(err, ERR_CONFLICT, "clock",
                       "the clocks of this machine and of Redis's differ by 10 minutes or more");
    return ERR_OK;
}

static void
compare_clocks(struct publish_watch *w)
{
    int64_t theirs, off;
    bool was_off, is_off;
    struct err err;

    if (stream_time(w->stream, &theirs, &err) != ERR_OK)
        return; /* not allowed to ask: nothing is known */
    off = w->config.wall_ms() - theirs;
    is_off = off >= PUBLISH_CLOCK_OFF_MS || off <= -PUBLISH_CLOCK_OFF_MS;
    pthread_mutex_lock(&w->mutex);
    was_off = w->is_clock_off;
    w->is_clock_off = is_off;
    pthread_mutex_unlock(&w->mutex);
    if (is_off && !was_off)
        log_error("the clock here is %lld s off Redis's: events are refused until they agree",
                  (long long)(off / 1000));
    else if (was_off && !is_off)
        log_info("the clock agrees with Redis's again");
}

/* ---- Looking ---- */

static enum err_code
look_at_memory(struct publish_watch *w, bool *much_room, struct err *err)
{
    int64_t used, max, percent;
    enum err_code rc = stream_memory(w->stream, &used, &max, err);

    if (rc != ERR_OK)
        return rc;
    percent = max > 0 ? used / (max / 100 + 1) : 0;
    *much_room = percent < DRAIN_PERCENT;
    w->was_full = percent >= (w->was_full ? EMPTY_PERCENT : FULL_PERCENT);
    return w->was_full ? err_set(err, ERR_FULL, "redis", "Redis has used %lld%% of its memory",
                                 (long long)percent)
                       : ERR_OK;
}

static enum err_code
look(struct publish_watch *w, bool was_ready, bool *much_room, struct err *err)
{
    enum err_code rc = ERR_OK;

    *much_room = false;
    if (!was_ready || clock_steady_ms() - w->checked_ms >= w->config.check_ms) {
        rc = stream_check_durable(w->stream, err);
        if (rc != ERR_OK)
            return rc;
        compare_clocks(w);
        w->checked_ms = clock_steady_ms();
    }
    rc = stream_check_writable(w->stream, err);
    return rc == ERR_OK ? look_at_memory(w, much_room, err) : rc;
}

/* Believe what the thread saw, unless the sender has seen worse since it began to look. */
static void
take(struct publish_watch *w, enum err_code rc, bool much_room, unsigned n_failures,
     const struct err *why)
{
    int64_t now = clock_steady_ms();
    bool was_ready, is_ready;

    pthread_mutex_lock(&w->mutex);
    was_ready = w->is_ready;
    if (rc != ERR_OK) {
        w->is_ready = false;
        w->why = *why;
    } else if (n_failures == w->n_failures && now - w->failed_ms >= w->pause_ms) {
        w->is_ready = true;
    }
    is_ready = w->is_ready;
    w->has_much_room = is_ready && much_room;
    if (is_ready && !was_ready)
        w->ready_ms = now;
    pthread_mutex_unlock(&w->mutex);
    if (was_ready && !is_ready)
        log_error("Redis cannot take events: %s", why->message);
    else if (!was_ready && is_ready)
        log_info("Redis is there and takes events");
}

static void
look_once(struct publish_watch *w)
{
    struct err why = ERR_NONE;
    unsigned n_failures;
    bool was_ready, much_room;
    enum err_code rc;

    pthread_mutex_lock(&w->mutex);
    n_failures = w->n_failures;
    was_ready = w->is_ready;
    pthread_mutex_unlock(&w->mutex);
    rc = look(w, was_ready, &much_room, &why);
    take(w, rc, much_room, n_failures, &why);
}

static int64_t
look_period_ms(const struct publish_watch *w)
{
    return w->config.check_ms < LOOK_MS ? w->config.check_ms : LOOK_MS;
}

static int64_t
tick(void *context)
{
    struct publish_watch *w = context;

    look_once(w);
    return look_period_ms(w);
}

/* ---- Starting and stopping ---- */

static void
destroy(struct publish_watch *w)
{
    stream_destroy(&w->stream);
    pthread_mutex_destroy(&w->mutex);
    free(w);
}

enum err_code
publish_watch_start(const struct publish_watch_config *config, struct publish_watch **out,
                    struct err *err)
{
    struct publish_watch *w = mem_zalloc(sizeof *w);
    enum err_code rc;

    w->config = *config;
    if (!w->config.wall_ms)
        w->config.wall_ms = system_ms;
    w->built_ms = build_ms();
    w->stream = stream_create(&config->redis);
    pthread_mutex_init(&w->mutex, NULL);

    rc = stream_check_durable(w->stream, err);
    if (rc == ERR_INVALID || rc == ERR_DENIED) {
        destroy(w);
        return rc;
    }
    look_once(w);
    if (!w->is_ready)
        log_warn("Redis cannot take events yet: %s", w->why.message);
    rc = ticker_start(tick, w, look_period_ms(w), &w->ticker, err);
    if (rc != ERR_OK)
        destroy(w);
    else
        *out = w;
    return rc;
}

void
publish_watch_stop(struct publish_watch **w)
{
    if (!*w)
        return;
    ticker_stop(&(*w)->ticker);
    destroy(*w);
    *w = NULL;
}

/* ---- Asking ---- */

bool
publish_watch_is_ready(struct publish_watch *w, struct err *why_not)
{
    bool is_ready;

    pthread_mutex_lock(&w->mutex);
    is_ready = w->is_ready;
    if (!is_ready && why_not)
        *why_not = w->why;
    pthread_mutex_unlock(&w->mutex);
    return is_ready;
}

bool
publish_watch_has_much_room(struct publish_watch *w)
{
    bool has;

    pthread_mutex_lock(&w->mutex);
    has = w->is_ready && w->has_much_room;
    pthread_mutex_unlock(&w->mutex);
    return has;
}

/* One that fails soon after it was believed is believed later each time. */
void
publish_watch_failed(struct publish_watch *w, const struct err *why)
{
    int64_t now = clock_steady_ms();
    bool was_ready;

    pthread_mutex_lock(&w->mutex);
    was_ready = w->is_ready;
    w->is_ready = false;
    w->n_failures++;
    w->why = *why;
    w->failed_ms = now;
    if (was_ready && now - w->ready_ms >= STEADY_MS)
        w->pause_ms = LOOK_MS;
    else if (was_ready)
        w->pause_ms = w->pause_ms == 0                 ? LOOK_MS
                      : w->pause_ms * 2 < PAUSE_MAX_MS ? w->pause_ms * 2
                                                       : PAUSE_MAX_MS;
    pthread_mutex_unlock(&w->mutex);
    if (was_ready)
        log_error("Redis cannot take events: %s", why->message);
}
