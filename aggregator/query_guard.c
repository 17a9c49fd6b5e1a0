/* See query_guard.h. */
#include "aggregator/query_guard.h"

#include "core/clock.h"

#define MEGABYTE ((size_t)1 << 20)

void
query_guard_init(struct query_guard *g, const struct query_limits *limits)
{
    g->limits = limits ? *limits : (struct query_limits){0, 0};
    atomic_init(&g->stop, QUERY_GOES_ON);
    atomic_init(&g->held_bytes, 0);
    atomic_init(&g->peak_bytes, 0);
    query_guard_begin(g);
}

void
query_guard_begin(struct query_guard *g)
{
    g->deadline_us =
        g->limits.time_ms > 0 ? clock_steady_us() + g->limits.time_ms * 1000 : INT64_MAX;
}

void
query_guard_stop(struct query_guard *g, enum query_stop why)
{
    int none = QUERY_GOES_ON;

    atomic_compare_exchange_strong(&g->stop, &none, (int)why);
}

enum err_code
query_guard_status(const struct query_guard *g, struct err *err)
{
    switch ((enum query_stop)atomic_load(&g->stop)) {
    case QUERY_GOES_ON:
        break;
    case QUERY_STOP_TIME:
        return err_set(err, ERR_LIMIT, NULL,
                       "the answer takes longer than %g s: ask for a shorter range or less at once,"
                       " or raise the setting query-time",
                       (double)g->limits.time_ms / 1000);
    case QUERY_STOP_MEMORY:
        return err_set(err, ERR_LIMIT, NULL,
                       "the answer needs more than %zu MB of memory: ask for a shorter range, a"
                       " smaller list or fewer breakdowns, or raise the setting query-memory",
                       (g->limits.bytes + MEGABYTE - 1) / MEGABYTE);
    case QUERY_STOP_NEWER:
        return err_set(err, ERR_CONFLICT, "query_id", "a newer query of this id took its place");
    case QUERY_STOP_ASKED:
        return err_set(err, ERR_CONFLICT, "query_id", "the query was stopped");
    }
    return ERR_OK;
}

/* Tell the guard of the change, and remember the highest. */
static size_t
hold(struct query_share *s, size_t bytes)
{
    struct query_guard *g = s->guard;
    size_t change = bytes - s->held_bytes; /* wraps round where it is less */
    size_t all = atomic_fetch_add(&g->held_bytes, change) + change;
    size_t peak = atomic_load(&g->peak_bytes);

    while (all > peak && !atomic_compare_exchange_weak(&g->peak_bytes, &peak, all))
        ;
    s->held_bytes = bytes;
    return all;
}

enum err_code
query_share_look(struct query_share *s, size_t held_bytes, struct err *err)
{
    struct query_guard *g = s->guard;

    s->n_rows = 0;
    if (g == NULL)
        return ERR_OK;
    if (hold(s, held_bytes) > g->limits.bytes && g->limits.bytes > 0)
        query_guard_stop(g, QUERY_STOP_MEMORY);
    if (clock_steady_us() > g->deadline_us)
        query_guard_stop(g, QUERY_STOP_TIME);
    return query_guard_status(g, err);
}

void
query_share_end(struct query_share *s)
{
    if (s->guard != NULL)
        hold(s, 0);
    s->n_rows = 0;
}
