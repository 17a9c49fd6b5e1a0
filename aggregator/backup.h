/* `corong backup` and `corong restore`: a copy of everything that was acknowledged, made while
 * everything runs.
 *
 *   DIR/manifest      what belongs to it, with checksums; written last (backup_manifest.h)
 *   DIR/segments/     kept from backup to backup; on the same file system hard links
 *   DIR/state-*       FORMAT, settings.db, catalog.db, bad/, the spool, and `stream`: the entries
 *                     of Redis's stream beyond the catalog's position
 *   DIR/erased        tombstones, also of later than the backup (backup_add_erased)
 *   DIR/lock          one backup at a time
 *
 * What is acknowledged goes from the spool to the stream to segments, so it is copied in that
 * order: whatever moves on meanwhile is met again further on, and the same thing twice changes
 * nothing. Until the new manifest is there the former one and all its files stay as they were.
 * What Redis has besides (the salts of cookieless visitors) is not in a backup, on purpose.
 */
#ifndef AGGREGATOR_BACKUP_H
#define AGGREGATOR_BACKUP_H

#include "aggregator/settings_db.h"
#include "core/stream.h"

struct backup_source { /* borrowed */
    const struct store *store;
    const struct stream_address *redis; /* NULL: without the stream */
    const char *spool;                  /* its folder; may be missing */
};

struct backup_result {
    uint64_t n_segments;
    uint64_t n_new;   /* of them were not there yet, */
    uint64_t n_bytes; /* with so many bytes */
    uint64_t n_entries;
};

/* ERR_CONFLICT: dir is the backup of another data folder, holds other files, or is being written.
 * ERR_CORRUPT: the catalog is damaged (`corong check --repair`). ERR_UNAVAILABLE: Redis is away.
 * After any error the former backup is whole. */
enum err_code backup_run(const struct backup_source *source, const char *dir,
                         struct backup_result *out, struct err *err);

/* When backup_run last succeeded; 0: never. */
int64_t backup_last_ms(const struct store *s);

/* After an erase: the folder of the latest backup gets the tombstones too, so that its restore
 * leaves them out. *out_dir (in the arena) is that folder, "" where there was never a backup.
 * ERR_NOT_FOUND, ERR_CONFLICT, ERR_IO: it is not there (any more), or not to be written. */
enum err_code backup_add_erased(const struct store *s, struct settings_db *settings,
                                struct arena *a, struct slice *out_dir, struct err *err);

struct restore_result {
    uint64_t n_segments;
    uint64_t n_events;   /* from the stream's entries, repeats included */
    uint64_t n_bad;      /* entries that this Corong cannot read: they are in bad/ */
    uint64_t n_problems; /* files that are missing or damaged: nothing was restored */
};
typedef void (*restore_callback)(const char *problem, void *context);

/* Verify all of the backup, then make a data folder of it in `data`, which must be empty or not
 * there. Whom the backup's tombstones and those of the file `erased` (NULL: none) name stays away.
 * ERR_CORRUPT: files are missing or damaged; each was given to callback. ERR_EXISTS: `data` is not
 * empty. After another error the folder is unfinished: it has no FORMAT, and nothing opens it. */
struct restore_from {
    const char *dir;
    const char *erased;
};
enum err_code restore_run(const struct restore_from *from, const char *data,
                          restore_callback callback, void *context, struct restore_result *out,
                          struct err *err);

#endif
