/* The limits of one query: how long it may take, how much memory it may hold, and whether somebody
 * stopped it. What is not here: who waits for whom (query_turn.h).
 *
 *     query_guard_init(&guard, &limits)         once, before the first thread of the query
 *     struct query_share share = {&guard};      one in each thread
 *     for each visitor, or block of rows, in each thread:
 *         if (query_share_is_due(&share, n_rows))
 *             rc = query_share_look(&share, bytes that this thread holds now, err);
 *     query_share_end(&share)                   what the thread held is given back
 *
 * The first that finds a limit passed stops all threads: each of them gets the same error at its
 * next look. Whoever asks without a guard (NULL) has no limits.
 */
#ifndef AGGREGATOR_QUERY_GUARD_H
#define AGGREGATOR_QUERY_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define QUERY_TIME_MS   10000
#define QUERY_BYTES     ((size_t)256 << 20)
#define QUERY_LOOK_ROWS 65536 /* between two looks: a millisecond or two */

struct query_limits {
    int64_t time_ms; /* 0: any */
    size_t bytes;    /* 0: any. Beside the mapped files: lists, rows, linked persons */
};

enum query_stop {
    QUERY_GOES_ON,
    QUERY_STOP_TIME,
    QUERY_STOP_MEMORY,
    QUERY_STOP_NEWER, /* a newer query of the same id */
    QUERY_STOP_ASKED  /* somebody no longer wants the answer */
};

struct query_guard {
    struct query_limits limits;
    int64_t deadline_us; /* by clock_steady_us */
    atomic_int stop;     /* enum query_stop; the first one stays */
    atomic_size_t held_bytes;
    atomic_size_t peak_bytes;
};

/* What one thread has told its query's guard. */
struct query_share {
    struct query_guard *guard; /* NULL: no limits */
    uint32_t n_rows;           /* since the last look */
    size_t held_bytes;         /* at the last look */
};

/* The time counts from here, or from the begin. limits NULL: none, but it can be stopped. */
void query_guard_init(struct query_guard *g, const struct query_limits *limits);
void query_guard_begin(struct query_guard *g);

/* From any thread. */
void query_guard_stop(struct query_guard *g, enum query_stop why);

/* ERR_OK while it may go on. ERR_LIMIT: time or memory, with what to do about it; ERR_CONFLICT: a
 * newer query, or nobody wants it any more. */
enum err_code query_guard_status(const struct query_guard *g, struct err *err);

/* Is it stopped already? For innermost loops: one relaxed load. */
static inline bool
query_guard_is_stopped(const struct query_guard *g)
{
    return g && atomic_load_explicit(&g->stop, memory_order_relaxed) != QUERY_GOES_ON;
}

/* After so many more rows: is it time for a look? */
static inline bool
query_share_is_due(struct query_share *s, uint32_t n_rows)
{
    s->n_rows += n_rows < QUERY_LOOK_ROWS ? n_rows : QUERY_LOOK_ROWS;
    return s->n_rows >= QUERY_LOOK_ROWS && s->guard != NULL;
}

/* Read the clock and note what the thread holds now. As query_guard_status. */
enum err_code query_share_look(struct query_share *s, size_t held_bytes, struct err *err);
void query_share_end(struct query_share *s);

#endif
