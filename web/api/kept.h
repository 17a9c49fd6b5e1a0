/* Kept reports: what is answered from result_cache.h instead of from the events.
 *
 * A report is kept for the question as it was asked (its funnel, whoever names it, its range and
 * moment resolved), for the role that asked, and for the content of the snapshot: segments, links,
 * tombstones, retention. It is given again while all of these are the same.
 *
 * A question that says no as_of means now, which is never the same. Where the answer is settled
 * (query_funnel_is_settled) it is the same at any later moment, and is given with the as_of that it
 * was made for; where it is not, it is not kept.
 *
 * What a report says of the site beside its own range, and the snapshot's name, are always new.
 */
#ifndef WEB_API_KEPT_H
#define WEB_API_KEPT_H

#include "aggregator/query.h"
#include "aggregator/result_cache.h"

#define KEPT_REPORTS_MAX 256
#define KEPT_BYTES_MAX   ((size_t)8 << 20)

struct kept_question {
    const struct query_funnel *query;
    const struct snapshot *snapshot;
    struct slice asked; /* all parameters as they came, in one order */
    const char *role;
};

/* False where its answer must not be kept; else all that it hangs on. Appended. */
bool kept_key(const struct kept_question *q, struct buffer *out);

/* A report as JSON, unfinished: it has the snapshot's name once, in its member "snapshot". */
struct kept_report {
    int64_t as_of_ms;
    struct slice json;
};

void kept_put(struct result_cache *c, struct slice key, const struct kept_report *report,
              const char *snapshot);

/* The JSON with another snapshot's name is appended. False where none is kept. */
bool kept_get(struct result_cache *c, struct slice key, const char *snapshot, struct buffer *out,
              int64_t *out_as_of_ms);

#endif
