/* The catalog: the only truth about which segments live and how far each stream is read.
 *
 * catalog.db (SQLite, WAL, synchronous=FULL):
 *
 *   segments   name, site (0 = several), month (yyyymm), rows, times, bytes, created, kind, check
 *   positions  stream, epoch, id (ms, seq), entries, check
 *   links      site, two ids of one person, by which event and when, check (docs/identity.md)
 *   link_sums  site, n and xor of the checks of its links
 *   tombstones who was erased (two hashes of an id), up to when, check (docs/privacy.md)
 *   tombstone_sum  one row: n and xor of the checks of all tombstones
 *   summary    one row: generation (one more at each commit), n and xor of all segment checks
 *   replaced   files no longer live, and when: unlinked 60 s later (a reader may still open them)
 *   alarms     what somebody should look at, by code
 *
 * Beside it: catalog.mark, the generation of the latest commit, which tells a catalog that has lost
 * commits (catalog_mark.c), and erased, the tombstones once more (catalog_erased.c).
 *
 * `check` is XXH3-64 of the row's own fields, as SQLite has no checksums of pages; rows and summary
 * are compared at each listing. One struct catalog is one connection, for one thread at a time.
 */
#ifndef AGGREGATOR_CATALOG_H
#define AGGREGATOR_CATALOG_H

#include "aggregator/segment/writer.h"
#include "aggregator/store.h"
#include "core/arena.h"
#include "core/stream.h"

#define CATALOG_NAME_MAX    SEGMENT_NAME_MAX
#define CATALOG_EPOCH_MAX   40
#define CATALOG_REPLACED_MS 60000
#define CATALOG_ASIDE_S     (7 * 86400)
#define CATALOG_ERASED_MS   (INT64_C(400) * 86400 * 1000) /* how long a tombstone stays */

#define CATALOG_BEHIND "catalog_behind" /* alarm: commits are lost, until a repair */

enum catalog_kind { CATALOG_FLUSH = 1, CATALOG_IMPORT = 2, CATALOG_MERGE = 3 };

struct catalog_segment {
    char name[CATALOG_NAME_MAX];
    uint32_t site;  /* 0: rows of several sites */
    uint32_t month; /* 202606, UTC */
    uint64_t n_rows;
    int64_t min_time_ms;
    int64_t max_time_ms;
    uint64_t n_bytes;
    int64_t created_ms;
    enum catalog_kind kind;
};

/* The row of a file that was just written. */
struct catalog_segment catalog_segment_of(const struct segment_file *file, enum catalog_kind kind);

struct catalog;

/* ERR_NOT_FOUND where create is false and there is none; ERR_CORRUPT where there is none (or an
 * empty one) but segments are there: it was lost, and none is made. */
enum err_code catalog_open(const struct store *s, bool create, struct catalog **out,
                           struct err *err);
/* For a repair: an empty one where there is none, though there are segments. */
enum err_code catalog_create_again(const struct store *s, struct catalog **out, struct err *err);
void catalog_close(struct catalog **c);

/* ---- Writing ---- */

struct catalog_position {
    char epoch[CATALOG_EPOCH_MAX];
    struct stream_id id;
    uint64_t n_entries; /* read and committed since the epoch began */
};

/* From where a stream was read to where: committed only where `from` is still what is stored. */
struct catalog_advance {
    const char *stream;
    const char *epoch;
    struct stream_id from;
    struct stream_id to;
    uint64_t n_entries;
};

/* That two ids are one person's, as the earliest event said it. Slices are borrowed. */
struct catalog_link {
    uint32_t site;
    bool is_handover; /* two browsers' ids; else known is the site's own id of a person */
    struct slice visitor;
    struct slice known;
    int64_t time_ms; /* of the event */
    struct slice id;
};

/* False where the event says nothing of the kind. *out borrows from it. */
bool catalog_link_of(const struct event *e, struct catalog_link *out);

struct catalog_change {
    const struct catalog_segment *add;
    size_t n_add;
    const char (*remove)[CATALOG_NAME_MAX]; /* each must be live */
    size_t n_remove;
    const struct catalog_advance *advance; /* NULL: no stream */
    const struct catalog_link *links;      /* known ones stay, with the earlier (time, id) */
    size_t n_links;
};

/* All of it or nothing, in one transaction. ERR_CONFLICT where a position or a segment to remove is
 * not (any more) as the caller believed: somebody else has committed. */
enum err_code catalog_commit(struct catalog *c, const struct catalog_change *change,
                             struct err *err);

/* ERR_NOT_FOUND where the stream was never read. */
enum err_code catalog_position_get(struct catalog *c, const char *stream,
                                   struct catalog_position *out, struct err *err);

/* Begin a stream anew: epoch, 0-0, no entries. `before` is what the caller read (NULL: there was
 * none); ERR_CONFLICT where it is no longer so. */
enum err_code catalog_position_reset(struct catalog *c, const char *stream,
                                     const struct catalog_position *before, const char *epoch,
                                     struct err *err);

/* Forget how far a stream was read: another Redis is read from its start, without an alarm. */
enum err_code catalog_position_forget(struct catalog *c, const char *stream, struct err *err);

/* Count n further entries that went unread (somebody trimmed them), so that the same loss raises
 * one alarm. */
enum err_code catalog_position_count(struct catalog *c, const char *stream, const char *epoch,
                                     uint64_t n_entries, struct err *err);

/* ---- Reading ---- */

struct catalog_list {
    uint64_t generation;
    uint64_t check; /* xor of the checks of all live segments */
    size_t n;       /* in the order of their names */
    struct catalog_segment *segments;
    size_t n_bad;  /* rows whose check fails; left out of the list */
    bool is_whole; /* count and xor agree with the rows */
};

/* All live segments, in the arena. A listing that is not whole is still given: the caller warns. */
enum err_code catalog_read(struct catalog *c, struct arena *a, struct catalog_list *out,
                           struct err *err);

/* Does this month's file of that site (0: any) have a place in [from, to)? */
bool catalog_segment_fits(const struct catalog_segment *s, uint32_t site, int64_t from_ms,
                          int64_t to_ms);

/* One moment for several readings: from begin to end all of them see the same commit. */
enum err_code catalog_reading_begin(struct catalog *c, struct err *err);
void catalog_reading_end(struct catalog *c);

/* How far a site's links were read: {0} for all of them, then as it was left, for what came since.
 */
struct catalog_links {
    int64_t seq;
    uint64_t n;     /* rows read so far, */
    uint64_t check; /* and xor of their checks */
    size_t n_bad;   /* rows whose check fails; left out */
    bool is_whole;  /* these are all links of the site. Where it is false after reading what came
                       since, links were replaced or removed: read all of them again */
};
typedef void (*catalog_link_callback)(const struct catalog_link *link, void *context);
/* Between catalog_reading_begin and _end, else a commit in between looks like damage. */
enum err_code catalog_links_read(struct catalog *c, uint32_t site, struct catalog_links *at,
                                 catalog_link_callback callback, void *context, struct err *err);

/* Forget the links of a removed site. Cheap where there are none. */
enum err_code catalog_links_remove(struct catalog *c, uint32_t site, struct err *err);

/* ---- Erasing: from the commit on no reader gives events of these ids of until_ms or earlier ----
 */

/* Tombstones for all ids of a person; their links go. Those of other persons that were made over
 * CATALOG_ERASED_MS ago are forgotten. One transaction. */
enum err_code catalog_erase(struct catalog *c, uint32_t site, const struct slice *ids, size_t n,
                            int64_t until_ms, struct err *err);

struct catalog_erased {
    struct segment_erased_list list; /* in the arena */
    uint64_t n_all;                  /* of all sites */
    bool is_whole; /* else rows are damaged or missing: somebody erased may be seen again */
};
enum err_code catalog_erased_read(struct catalog *c, uint32_t site, struct arena *a,
                                  struct catalog_erased *out, struct err *err);

/* Put what a file of tombstones has (path NULL: this folder's `erased`) into the catalog. No file:
 * ERR_OK. Records that are damaged are passed over. */
enum err_code catalog_erased_restore(struct catalog *c, const char *path, struct err *err);
/* Whatever the catalog has is in `erased` too from now on. */
enum err_code catalog_erased_keep(struct catalog *c, struct err *err);
/* How many records of `erased` are damaged. */
enum err_code catalog_erased_damage(struct catalog *c, size_t *out_n, struct err *err);

/* Sites that have tombstones, ascending, in the arena. */
enum err_code catalog_erased_sites(struct catalog *c, struct arena *a, uint32_t **out,
                                   size_t *out_n, struct err *err);

/* When the latest tombstone was made; 0: there is none. */
enum err_code catalog_erased_newest(struct catalog *c, int64_t *out_ms, struct err *err);

/* Write the file anew without what was deleted, its log included. ERR_UNAVAILABLE: it is in use. */
enum err_code catalog_vacuum(struct catalog *c, struct err *err);

/* Sites that have links, ascending, in the arena. */
enum err_code catalog_links_sites(struct catalog *c, struct arena *a, uint32_t **out, size_t *out_n,
                                  struct err *err);

/* A number that changes when another connection has committed. Cheap. */
enum err_code catalog_version(struct catalog *c, int64_t *out, struct err *err);

/* Copy the catalog into a new file, between catalog_reading_begin and _end as of that moment. */
enum err_code catalog_copy(struct catalog *c, const char *path, struct err *err);

/* ---- The copy (catalog_copy.c) ----
 *
 * Made before files that were replaced are unlinked, and when the catalog was vacuumed: every file
 * that it names is there, unless it was lost. */
#define CATALOG_COPY "catalog.copy"

/* Make it anew. Where that fails there is none afterwards; ERR_IO: even the old one is still there.
 */
enum err_code catalog_keep_copy(struct catalog *c, struct err *err);
bool catalog_has_copy(const struct catalog *c);
/* For a repair, to read what it says. ERR_NOT_FOUND: there is none; ERR_CORRUPT, ERR_VERSION. */
enum err_code catalog_open_copy(const struct store *s, struct catalog **out, struct err *err);

/* How many commits the catalog has lost since the last repair, seen by its mark; 0: none. */
enum err_code catalog_lost_commits(struct catalog *c, uint64_t *out, struct err *err);
bool catalog_mark_is_damaged(struct catalog *c);
/* Whatever was lost is back, or will not come: the generation rises above the mark's, the alarm
 * goes. */
enum err_code catalog_is_repaired(struct catalog *c, struct err *err);

/* What was written since there is a mark: files that were new, and files that merges wrote in the
 * place of others. (new + merged) / new is how often a byte is written, about. */
struct catalog_written {
    uint64_t n_new_bytes;
    uint64_t n_merged_bytes;
};
struct catalog_written catalog_written(struct catalog *c);

/* PRAGMA integrity_check: *out is "ok" or the first problems. */
enum err_code catalog_check(struct catalog *c, struct arena *a, struct slice *out, struct err *err);

/* ---- Files ---- */

/* Unlink all replaced files now: what was erased is in them. A reader that comes late takes a new
 * listing. */
enum err_code catalog_unlink_replaced(struct catalog *c, const struct store *s, struct err *err);

/* Unlink replaced files whose time has come, and, where nobody is writing, put every file in
 * segments/ that the catalog does not name into unlisted/, from where it goes after
 * CATALOG_ASIDE_S, unless commits are lost. *out_n (may be NULL) is how many went out of segments/.
 */
enum err_code catalog_clean(struct catalog *c, const struct store *s, int *out_n, struct err *err);

/* Is it a file that was live and waits for its unlink? */
enum err_code catalog_is_replaced(struct catalog *c, const char *name, bool *out, struct err *err);

/* ---- Alarms: what somebody should look at; `corong status` shows them ---- */

struct catalog_alarm {
    struct slice code;    /* "stream_lost", "bad_records", ... */
    struct slice message; /* the latest occurrence, one sentence */
    int64_t first_ms;
    int64_t last_ms;
    uint64_t n; /* occurrences, or things lost, as the message says */
};
enum err_code catalog_alarm_raise(struct catalog *c, const char *code, uint64_t n,
                                  const char *message, struct err *err);
enum err_code catalog_alarm_clear(struct catalog *c, const char *code, struct err *err);
enum err_code catalog_alarms(struct catalog *c, struct arena *a, struct catalog_alarm **out,
                             size_t *out_n, struct err *err);

#endif
