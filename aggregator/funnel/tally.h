/* The figures of funnel.md 3, summed up over visitors.
 *
 *     int usd = tally_currency(t, SLICE("USD"));
 *     for each visitor
 *         tally_add(t, &range, events, n, values, path or NULL)
 *     tally_merge(t, of_another_thread)      in any order: the sums are the same
 *     report_fill(&report, ...)
 */
#ifndef AGGREGATOR_FUNNEL_TALLY_H
#define AGGREGATOR_FUNNEL_TALLY_H

#include "aggregator/funnel/path.h"
#include "core/buffer.h"

#define TALLY_EXACT_MAX 1000000 /* times of a stage beyond which percentiles are approximate */

/* A sum of minor units: 9e15 at most an event, and no number of events overflows 128 bits. */
struct tally_sum {
    __int128 units;
    int64_t n; /* events */
};

static inline void
tally_sum_add(struct tally_sum *s, int64_t units)
{
    s->units += units;
    s->n++;
}

struct tally_value {
    int64_t units;    /* minor units of the currency */
    int32_t currency; /* of tally_currency; -1 = the event has no value */
};

/* p50, p90 nearest rank, mean rounded half up; of nothing: n = 0. */
struct tally_times {
    int64_t n;
    int64_t p50_ms;
    int64_t p90_ms;
    int64_t mean_ms;
    bool is_approximate; /* within 0.5% */
};

struct tally_stage {
    int64_t reached;
    int64_t entries;
    int64_t exits;
    int64_t converted;
    int64_t seen;
    int64_t open;
};

struct tally;

struct tally *tally_create(int n_stages);

/* An empty tally of the same funnel that shares t's currencies: their numbers are the same. */
struct tally *tally_create_like(struct tally *t);
void tally_destroy(struct tally **t);

/* The number of a currency in this tally and those like it ("" is one too); new ones are added. */
int tally_currency(struct tally *t, struct slice code);
struct slice tally_currency_code(const struct tally *t, int currency);

/* One visitor. events as for path_count, all of them that match a stage and lie in the range;
 * values[i] belongs to events[i] and is read only where a stage matches (NULL: none has a value);
 * path NULL: the visitor did not enter. */
void tally_add(struct tally *t, const struct path_range *range, const struct path_event *events,
               uint32_t n, const struct tally_value *values, const struct path *path);

/* n visitors whose events in the range match the stages `seen` (bits), and whose paths, which end
 * there, visit the stages `path` (0: they have none). Of their values and times nothing is added.
 */
void tally_add_known(struct tally *t, uint32_t seen, uint32_t path, int64_t n);

/* Of a unit whose path was added: it is open where the path ended, at `stage` (from 0); it began
 * before the range. */
void tally_add_open(struct tally *t, uint32_t stage);
void tally_add_began_before(struct tally *t);

/* Add `from`, a tally of other visitors under the same plan. */
void tally_merge(struct tally *into, const struct tally *from);

int tally_n_stages(const struct tally *t);
size_t tally_held_bytes(const struct tally *t); /* of memory: times grow with the paths */
int64_t tally_entered(const struct tally *t);
int64_t tally_began_before(const struct tally *t);
int64_t tally_after_range(const struct tally *t); /* conversions at or after the range's end */
const struct tally_stage *tally_stage(const struct tally *t, int stage); /* from 0 */

/* Paths that went straight from stage i to j, both from 1; i = 0: entries at j. */
int64_t tally_moves(const struct tally *t, int i, int j);

struct tally_times tally_time_from_previous(const struct tally *t, int stage);
struct tally_times tally_time_from_start(const struct tally *t, int stage);

/* Sums as text: {"USD":"129.90"}, currencies sorted, "{}" where no event had a value. */
void tally_add_value_json(const struct tally *t, int stage, struct buffer *out);
void tally_add_seen_value_json(const struct tally *t, int stage, struct buffer *out);

/* The same of sums that somebody else keeps, of the first n currencies of t. */
void tally_add_sums_json(const struct tally *t, const struct tally_sum *sums, int n,
                         struct buffer *out);

#endif
