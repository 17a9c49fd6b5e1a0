/* What a backup consists of: its last file, so that there is a backup where there is a manifest.
 *
 *     corong-backup 1
 *     install <32 hex digits>             of the data folder
 *     begun <ms since the epoch>          what was acknowledged before is in it
 *     state <name>                        the folder of what is no segment
 *     file <16 hex digits> <bytes> <path> checksum (XXH3-64) and size of each file, ...
 *     end <16 hex digits>                 checksum of all lines before
 */
#ifndef AGGREGATOR_BACKUP_MANIFEST_H
#define AGGREGATOR_BACKUP_MANIFEST_H

#include "aggregator/store.h"
#include "core/arena.h"

#define BACKUP_STATE_MAX 40

struct backup_file {
    struct slice path; /* in the backup's folder: "segments/202606-..seg", "<state>/settings.db" */
    uint64_t n_bytes;
    uint64_t check;
};

struct backup_manifest {
    char install_id[STORE_INSTALL_MAX];
    char state[BACKUP_STATE_MAX];
    int64_t begun_ms;
    struct backup_file *files; /* in the arena */
    size_t n;
    size_t n_max;
};

/* ERR_NOT_FOUND; ERR_CORRUPT; ERR_VERSION (a newer Corong's). */
enum err_code backup_manifest_read(const char *dir, struct arena *a, struct backup_manifest *out,
                                   struct err *err);
/* Replace the one that is there, at once. */
enum err_code backup_manifest_write(const char *dir, const struct backup_manifest *m,
                                    struct err *err);

/* Add a file that is in the folder: its size and checksum are read from it. The path is copied. */
enum err_code backup_manifest_add(struct backup_manifest *m, const char *dir, struct slice path,
                                  struct arena *a, struct err *err);
/* As that, with what is known of it. */
void backup_manifest_keep(struct backup_manifest *m, const struct backup_file *file,
                          struct arena *a);

/* NULL where it is not in it. */
const struct backup_file *backup_manifest_find(const struct backup_manifest *m, struct slice path);

/* Is the file there, and as it was? ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO, in words that name it. */
enum err_code backup_file_verify(const char *dir, const struct backup_file *file, struct err *err);

#endif
