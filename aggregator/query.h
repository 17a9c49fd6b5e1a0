/* The query seam: a checked funnel and a site go in, a report comes out. Nothing above it knows
 * where rows live; nothing below it knows who asks.
 *
 * All calls are safe from several threads. Results live in the caller's arena.
 */
#ifndef AGGREGATOR_QUERY_H
#define AGGREGATOR_QUERY_H

#include "aggregator/funnel/figure.h"
#include "aggregator/funnel/report.h"
#include "aggregator/funnel/request.h"
#include "aggregator/query_guard.h"
#include "aggregator/result_cache.h"
#include "aggregator/snapshot.h"
#include "core/arena.h"
#include "core/event.h"

/* Everything there is, as a range. */
#define QUERY_BEGIN INT64_MIN
#define QUERY_END   INT64_MAX

/* What is asked. Funnel and request (finished) are borrowed until query_answer_fini. */
struct query_funnel {
    uint32_t site;
    const struct funnel *funnel;
    const struct request *request;
    enum funnel_preset presets[PRESET_COUNT]; /* 1..3 of them, all from ONE scan */
    int n_presets;
    bool want_paths;                   /* fill each report's list of counted paths */
    const struct figure_place *figure; /* fill the list of units behind it, of the first preset */
    size_t list_skip;                  /* so many of its first */
    size_t list_max;                   /* and give at most so many; 0: all */
    bool keeps_snapshot;               /* so that lists can be asked for from the same files */
    struct slice snapshot;             /* answer from this one; "": the latest */
    struct query_guard *guard;         /* NULL: no limits */
    int n_threads;                     /* 0: one for each processor, where there is enough to do */
    bool is_general; /* no visitor is counted where he lies: for tests, which compare both ways */
};

struct pass;
struct attribute_values;

struct query_answer {
    int n_reports;
    struct report reports[PRESET_COUNT]; /* in the order asked for */
    char snapshot[SNAPSHOT_NAME_MAX];
    struct report_list list; /* where a figure was asked for */
    /* what the reports borrow from */
    struct pass *main;
    struct pass *compare;
    struct attribute_values *values[REQUEST_BREAKDOWNS_MAX];
    struct arena arena;
};

/* *out is filled only on ERR_OK and is then the caller's (query_answer_fini). A segment that turns
 * out to be damaged is left out, with a warning. ERR_NOT_FOUND (the snapshot has gone), ERR_INVALID
 * (the request does not fit the funnel), ERR_LIMIT (a regex ran into its limit, a trend has too
 * many points, the guard's time or memory), ERR_CONFLICT (the guard was stopped), ERR_IO,
 * ERR_UNAVAILABLE, ERR_CORRUPT (the catalog). */
enum err_code query_funnel(struct snapshot_pool *p, const struct query_funnel *q,
                           struct query_answer *out, struct err *err);
void query_answer_fini(struct query_answer *a);

/* The same in steps, for who keeps answers: the files that the latest answer comes from, then, if
 * it must be, the answer. */
enum err_code query_funnel_take(struct snapshot_pool *p, const struct query_funnel *q,
                                const struct snapshot **out, struct err *err);
enum err_code query_funnel_from(const struct snapshot *snapshot, const struct query_funnel *q,
                                struct query_answer *out, struct err *err);

/* Will the answer from these very files be the same at any later as_of? So it is of visitors, for a
 * range that ended a window ago or more: no path can begin or go on any more. (A session may go on
 * after its range has ended.) */
bool query_funnel_is_settled(const struct query_funnel *q, const struct snapshot *snapshot);

struct query_value {
    struct slice value;
    uint64_t n_events;
};

/* An attribute's values that start with prefix (bytes; "" = all), by number of events descending,
 * then by bytes; at most limit. A number attribute gives its values as decimals; a driver's counts
 * are of the events that brought it, and those of entrance are not counted (0).
 * ERR_INVALID for an unknown attribute. */
enum err_code query_values(struct snapshot_pool *p, uint32_t site, struct slice attribute,
                           struct slice prefix, size_t limit, struct arena *a,
                           struct query_value **out, size_t *out_n, struct err *err);

struct query_attribute {
    struct attribute attribute;
    uint64_t n_events; /* that have it */
};

/* Every built-in attribute, and every property that the site has sent, by their order in
 * attribute_table, then by name. What a file has is counted once and kept in the cache (of this
 * question alone; may be NULL). */
enum err_code query_attributes(struct snapshot_pool *p, uint32_t site, struct result_cache *cache,
                               struct arena *a, struct query_attribute **out, size_t *out_n,
                               struct err *err);

/* The journey of the person that an id is one of. */
struct query_person {
    size_t n_ids;
    struct slice *ids; /* all of them, the name that reports give first */
    size_t n_events;
    struct event *events; /* in order, repeats dropped; each says whose it is */
};

/* At most limit events (the latest ones stay). An id that nobody has sent has no events. */
enum err_code query_person(struct snapshot_pool *p, uint32_t site, struct slice visitor,
                           size_t limit, struct arena *a, struct query_person *out,
                           struct err *err);

/* Called for each event that is exported, which is borrowed during the call. */
typedef enum err_code (*query_export_callback)(const struct event *e, void *context,
                                               struct err *err);

/* All events of a site with a time in [from, to), repeats dropped, visitor after visitor (by the
 * hash and the bytes of the id), each in order: the same order however they lie in segments. Memory
 * is what one visitor has done. ERR_CORRUPT: a segment is damaged; where that is known before, the
 * rest is given first. */
enum err_code query_export(struct snapshot_pool *p, uint32_t site, struct path_range range,
                           query_export_callback callback, void *context, struct err *err);

struct query_summary {
    uint64_t n_events; /* stored; the same event in two segments counts twice until their merge */
    int64_t first_ms;  /* both 0 where there is none */
    int64_t last_ms;
    uint64_t n_joined_ids;  /* ids that are joined to others, */
    uint64_t n_persons;     /* and how many people they are */
    uint64_t n_links_other; /* links that join nothing: the id has another person, */
    uint64_t n_links_full;  /* or the person has PERSON_IDS_MAX ids */
};
enum err_code query_site_summary(struct snapshot_pool *p, uint32_t site, struct query_summary *out,
                                 struct err *err);

/* What another retention would remove: all that counts now and is before its limit. */
struct query_older {
    uint64_t n_events; /* stored, as of the summary */
    uint64_t n_files;  /* that hold nothing else */
    uint64_t n_bytes;  /* of these */
};
enum err_code query_older(struct snapshot_pool *p, uint32_t site, int64_t before_ms,
                          struct query_older *out, struct err *err);

#endif
