/* What the collector counts. The invariant that an operator can check at any moment of rest:
 *
 *     received = accepted + sum of rejected by reason + failed
 *
 * where all of them count events. Requests that could not be read as events are counted apart.
 */
#ifndef COLLECTOR_METRICS_H
#define COLLECTOR_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "core/buffer.h"

/* Why an event or a whole request was refused: also the code of the JSON error, and
 * X-Corong-Reason. The table of names is in metrics.c. */
enum reason {
    REASON_INVALID,      /* breaks a rule; the field is named */
    REASON_TOO_OLD,      /* older than the site's max_age */
    REASON_IN_FUTURE,    /* over 5 minutes ahead */
    REASON_TOO_MANY,     /* of this visitor today */
    REASON_RATE_ADDRESS, /* more at once than one address may send */
    REASON_RATE_SITE,    /* more at once than one site may send */
    REASON_TOO_LARGE,    /* more than one event or one body may have */
    REASON_UNKNOWN_SITE, /* no site has this key */
    REASON_UNKNOWN_LINK, /* no link has this slug */
    REASON_BAD_KEY,      /* no site has this secret key */
    REASON_UNAVAILABLE,  /* we cannot keep it now: try again */
    REASON_SPOOL_FULL,   /* as that: Redis does not take it, and the spool has no room */
    REASON_CLOCK,        /* as that: our own clock cannot be right, so no event can be dated */
    REASON_OPTED_OUT,    /* sends Sec-GPC or DNT, which the site respects: no refusal, no trace */
    REASON_NO_CONSENT,   /* as that: has not consented, as the site requires */
    REASON_COUNT
};

const char *reason_name(enum reason r);
int reason_status(enum reason r);

struct metrics {
    atomic_uint_fast64_t received;
    atomic_uint_fast64_t accepted;
    atomic_uint_fast64_t failed; /* good events that could not be kept: 503 */
    atomic_uint_fast64_t rejected[REASON_COUNT];
    atomic_uint_fast64_t refused[REASON_COUNT]; /* requests */
    atomic_uint_fast64_t tickets_refused;       /* events that came with one are none the worse */
};

static inline void
metrics_add(atomic_uint_fast64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* Append them in Prometheus's text format. */
void metrics_print(struct metrics *m, struct buffer *out);

/* One family with one value: "# TYPE name kind\nname value\n". */
void metrics_print_one(struct buffer *out, const char *name, const char *kind, const char *help,
                       double value);

#endif
