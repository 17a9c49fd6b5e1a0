/* Snapshots: the segments of one moment, mapped and verified, and who is one person, for queries.
 *
 * A pool belongs to a process. It keeps segments open between snapshots, so that a dashboard's
 * queries verify each file once, and lets go of those that are no longer live. All calls are safe
 * from several threads; a snapshot is immutable and lives until its release.
 */
#ifndef AGGREGATOR_SNAPSHOT_H
#define AGGREGATOR_SNAPSHOT_H

#include "aggregator/funnel/page_groups.h"
#include "aggregator/person.h"
#include "aggregator/retention.h"

struct segment;
struct snapshot_pool;

#define SNAPSHOT_NAME_MAX 40
#define SNAPSHOT_KEPT_MS  (10 * 60 * 1000)
#define SNAPSHOT_KEPT_MAX 1000

struct snapshot_warning {
    struct slice code;    /* "segment_left_out", "catalog_damaged", CATALOG_BEHIND, .. */
    struct slice message; /* names the file and what is wrong with it */
};

struct snapshot_segment {
    const struct catalog_segment *row;
    const struct segment *segment; /* borrowed until snapshot_release */
};

struct snapshot {
    char name[SNAPSHOT_NAME_MAX]; /* "c41-9f": generation and check of the catalog */
    size_t n;
    const struct snapshot_segment *segments; /* by name */
    const struct persons *persons;           /* of the site; borrowed until snapshot_release */
    const struct persons *compare_persons;   /* by the links up to compare_as_of */
    struct segment_erased_list erased;       /* of the site: whose events do not count */
    char retention[RETENTION_TEXT_MAX];      /* of the site; erased.kept_from_ms is its limit now */
    struct page_groups page_groups;          /* of the site, as they were at that moment */
    size_t n_warnings;
    const struct snapshot_warning *warnings;
    /* A hash of all of that but the persons' as_of: two snapshots of one scope and content give the
     * same answers. */
    uint64_t content;
    bool has_all_links; /* none is later than as_of or compare_as_of */
};

/* What is asked for: everything about `site` of events in [from, to), with the persons that links
 * up to as_of (inclusive) make. */
struct snapshot_scope {
    uint32_t site;
    int64_t from_ms;
    int64_t to_ms;
    int64_t as_of_ms;
    int64_t compare_as_of_ms; /* of a second range that is asked for at once */
};
#define SNAPSHOT_WHOLE(site)                                                                       \
    ((struct snapshot_scope){(site), INT64_MIN, INT64_MAX, INT64_MAX, INT64_MAX})

/* The store is borrowed until the close. */
enum err_code snapshot_pool_open(const struct store *s, struct snapshot_pool **out,
                                 struct err *err);
void snapshot_pool_close(struct snapshot_pool **p); /* all snapshots are released before */

/* The live segments that can hold such rows, without those that are wholly older than the site's
 * retention. A file that has gone in between is looked for in a new
 * listing; one that is corrupt, foreign or still gone is left out with a warning, as are links.
 * ERR_CORRUPT, ERR_IO, ERR_UNAVAILABLE: the catalog or the settings cannot be read. */
enum err_code snapshot_take(struct snapshot_pool *p, struct snapshot_scope scope,
                            const struct snapshot **out, struct err *err);
void snapshot_release(struct snapshot_pool *p, const struct snapshot **snapshot);

/* Keep what was taken, so that a list can be answered from the same files: for SNAPSHOT_KEPT_MS, or
 * until SNAPSHOT_KEPT_MAX were kept after it. */
void snapshot_keep(struct snapshot_pool *p, const struct snapshot *snapshot);

/* The same for lists as of another moment, at which it gives the same. Only this caller has it. */
void snapshot_keep_as_of(struct snapshot_pool *p, const struct snapshot *snapshot,
                         int64_t as_of_ms);

/* Take again what was kept, by its name and the same scope. ERR_NOT_FOUND where it has gone, or
 * where other events are too old to count by now. */
enum err_code snapshot_take_kept(struct snapshot_pool *p, struct slice name,
                                 struct snapshot_scope scope, const struct snapshot **out,
                                 struct err *err);

/* The hash by which the pool's segments and persons are in order. */
uint64_t snapshot_visitor_hash(const struct snapshot_pool *p, struct slice visitor);

/* A number that changes whenever the list of live segments does. */
enum err_code snapshot_version(struct snapshot_pool *p, uint64_t *out_generation, struct err *err);

#endif
