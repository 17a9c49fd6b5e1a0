#include "aggregator/erase.h"

#include <inttypes.h>
#include <stdio.h>

#include "aggregator/query.h"
#include "core/clock.h"
#include "core/stream_forget.h"

#define REWRITING_MS 60000
#define POLL_MS      100
#define DONE         "erased_traces" /* a property: when the newest who is gone for good was erased */

/* ---- A person ---- */

enum err_code
erase_person(const struct erase_wish *w, struct catalog *catalog, size_t *out_n_ids,
             struct err *err)
{
    struct query_person person;
    struct arena a;
    enum err_code rc;

    arena_init(&a, 4096);
    rc = query_person(w->pool, w->site, w->visitor, 1, &a, &person, err);
    if (rc == ERR_OK && person.n_events == 0 && person.n_ids == 1 && !w->is_again)
        rc = err_set(err, ERR_NOT_FOUND, "visitor", "the site has no visitor %.*s",
                     SLICE_ARG(slice_sub(w->visitor, 0, 100)));
    if (rc == ERR_OK)
        rc = catalog_erase(catalog, w->site, person.ids, person.n_ids, clock_wall_ms(), err);
    if (rc == ERR_OK)
        *out_n_ids = person.n_ids;
    arena_fini(&a);
    return rc;
}

/* ---- Redis's log ---- */

static bool
is_stopped(const struct erase_traces *t)
{
    return t->stop && atomic_load(t->stop);
}

/* Until none is under way, or it takes too long. */
static enum err_code
wait_for_rewriting(const struct erase_traces *t, struct stream *s, int64_t until_ms,
                   struct stream_rewriting *state, struct err *err)
{
    enum err_code rc = stream_rewriting(s, state, err);

    while (rc == ERR_OK && state->is_under_way && !is_stopped(t) && clock_steady_ms() < until_ms) {
        clock_sleep_ms(POLL_MS);
        rc = stream_rewriting(s, state, err);
    }
    return rc;
}

/* What it holds now is then all that it has. */
static enum err_code
rewrite_log(const struct erase_traces *t, struct stream *s, struct err *err)
{
    int64_t until_ms = clock_steady_ms() + REWRITING_MS;
    struct stream_rewriting state;
    enum err_code rc = wait_for_rewriting(t, s, until_ms, &state, err); /* it began before */

    if (rc == ERR_OK)
        rc = stream_rewrite(s, err);
    if (rc == ERR_OK)
        rc = wait_for_rewriting(t, s, until_ms, &state, err);
    if (rc == ERR_OK && (state.is_under_way || state.has_failed))
        rc = err_set(err, ERR_UNAVAILABLE, NULL, "Redis has not written its log anew");
    return rc;
}

enum err_code
erase_traces(const struct erase_traces *t, struct err *err)
{
    enum err_code rc = catalog_vacuum(t->catalog, err);
    struct stream *s;

    if (rc == ERR_OK)
        rc = settings_db_vacuum(t->settings, err);
    if (rc != ERR_OK || t->redis == NULL)
        return rc;
    s = stream_create(t->redis);
    rc = rewrite_log(t, s, err);
    stream_destroy(&s);
    return rc;
}

/* ---- When it is due ---- */

static enum err_code
read_done(struct settings_db *db, int64_t *out, struct err *err)
{
    struct slice text = SLICE_EMPTY;
    struct arena a;
    enum err_code rc;

    *out = 0;
    arena_init(&a, 256);
    rc = settings_db_property_get(db, DONE, &a, &text, err);
    if (rc == ERR_NOT_FOUND || (rc == ERR_OK && !slice_to_int64(text, out)))
        rc = ERR_OK;
    arena_fini(&a);
    return rc;
}

static enum err_code
write_done(struct settings_db *db, int64_t ms, struct err *err)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%" PRId64, ms);

    return settings_db_property_put(db, DONE, slice_of(text, (size_t)n), err);
}

/* Does anything wait in the stream that came by then? */
static enum err_code
has_waiting(const struct stream_address *redis, int64_t until_ms, bool *out, struct err *err)
{
    struct stream *s = stream_create(redis);
    struct stream_info info;
    enum err_code rc = stream_info(s, &info, err);

    if (rc == ERR_OK)
        *out = info.length > 0 && (int64_t)info.first.ms <= until_ms;
    stream_destroy(&s);
    return rc;
}

enum err_code
erase_traces_if_due(const struct erase_traces *t, bool *out_is_done, struct err *err)
{
    int64_t newest_ms = 0, done_ms = 0;
    bool waits = false;
    enum err_code rc = catalog_erased_newest(t->catalog, &newest_ms, err);

    *out_is_done = true;
    if (rc == ERR_OK)
        rc = read_done(t->settings, &done_ms, err);
    if (rc != ERR_OK || newest_ms <= done_ms)
        return rc;
    *out_is_done = false;
    if (t->redis)
        rc = has_waiting(t->redis, newest_ms, &waits, err);
    if (rc != ERR_OK || waits)
        return rc;
    rc = erase_traces(t, err);
    if (rc == ERR_OK)
        rc = write_done(t->settings, newest_ms, err);
    *out_is_done = rc == ERR_OK;
    return rc;
}
