/* The data folder: what lies where, which format it has, and who may write in it.
 *
 *   FORMAT        version, install id, hash seed; read first by every process
 *   catalog.db    which segments live, how far the streams are read (catalog.h)
 *   settings.db   sites, funnels, people; mode 0600 (settings_db.h)
 *   segments/     the files that the catalog names, and nothing else for long
 *   unlisted/     files of segments/ that no commit names, for a week (catalog.h)
 *   bad/          stream entries that could not be read, as they came
 *   writing       lock: shared from before a segment file exists until its commit
 *   merging       lock: one merger at a time
 *   redis/, redis.sock   of `corong up`
 *
 * FORMAT is three lines of text: "corong 1", "install <32 hex digits>", "seed <16 hex digits>".
 * Lock order where several are held: merging, then writing, then a database.
 */
#ifndef AGGREGATOR_STORE_H
#define AGGREGATOR_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "aggregator/segment/segment.h"
#include "core/err.h"
#include "core/file.h"

#define STORE_VERSION     1
#define STORE_INSTALL_MAX 33 /* 32 hex digits and a NUL */

struct store {
    char dir[FILE_PATH_MAX];
    char segments[FILE_PATH_MAX];
    char install_id[STORE_INSTALL_MAX];
    uint64_t hash_seed; /* of hash64(visitor) and so of the order of rows */
    uint32_t version;
};

/* Read FORMAT. create = true: where the folder or FORMAT is missing, make them, with a new install
 * id and seed (safe when several processes start at once). Holds nothing open afterwards.
 * ERR_NOT_FOUND (no data folder there), ERR_VERSION (made by a newer Corong; nothing was touched),
 * ERR_CORRUPT (also where FORMAT is missing beside a catalog), ERR_IO. */
enum err_code store_open(const char *dir, bool create, struct store *out, struct err *err);

/* "<dir>/<name>" and "<segments>/<name>" into path (FILE_PATH_MAX). */
void store_path(const struct store *s, const char *name, char *path);
void store_segment_path(const struct store *s, const char *name, char *path);

/* What the headers of this folder's segments carry. */
struct segment_owner store_owner(const struct store *s);

/* Take the lock `writing` or `merging`; file_unlock(fd) gives it back. Without `wait`:
 * ERR_CONFLICT where somebody else has it. */
enum err_code store_lock_writing(const struct store *s, bool is_exclusive, bool wait, int *out_fd,
                                 struct err *err);
enum err_code store_lock_merging(const struct store *s, bool wait, int *out_fd, struct err *err);

/* Bytes free for us on the file system of the data folder. */
enum err_code store_free_bytes(const struct store *s, uint64_t *out, struct err *err);

#endif
