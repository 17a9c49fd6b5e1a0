/* What backup.c and restore.c share: the file of stream entries.
 *
 *   OFFSET  SIZE  MEANING
 *   0       8     "CorongSt"
 *   8       4     version, 1
 *   12      4     length of the epoch
 *   16      40    the stream's epoch, zeros behind it
 *   56      ..    entries in order, each: u64 ms, u64 seq, u64 length, the bytes
 *
 * Its checksum stands in the manifest.
 */
#ifndef AGGREGATOR_BACKUP_INT_H
#define AGGREGATOR_BACKUP_INT_H

#include "aggregator/catalog.h"
#include "aggregator/settings_db.h"

#define BACKUP_STREAM "stream"
#define BACKUP_ERASED "erased"

/* Copy the tombstones into the folder, which is remembered for backup_add_erased. */
enum err_code backup__note_folder(const struct store *s, struct settings_db *settings,
                                  const char *dir, struct err *err);

/* Read what the stream holds now into a new file. ERR_CONFLICT: it is another data folder's. */
enum err_code backup__write_stream(const struct store *s, const struct stream_address *redis,
                                   const char *path, uint64_t *out_n, struct err *err);

struct backup__stream {
    struct file_map map;
    size_t at;
    char epoch[CATALOG_EPOCH_MAX];
};
enum err_code backup__stream_open(struct backup__stream *s, const char *path, struct err *err);
/* *out borrows from the map; false at the end. */
bool backup__stream_next(struct backup__stream *s, struct stream_entry *out);
void backup__stream_close(struct backup__stream *s);

#endif
