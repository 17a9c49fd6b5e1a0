/* The file system behind one thin file, so that the Nth write, fsync or rename can be made to fail.
 *
 * Durable files are made as: create temporary, write, fsync, rename, fsync the folder. A failed
 * fsync is final for that file: it is never tried again on the same descriptor.
 */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include "core/buffer.h"
#include "core/err.h"
#include "core/slice.h"

#define FILE_PATH_MAX 1024

/* Read a whole file of at most max bytes into an owned buffer. ERR_NOT_FOUND, ERR_LIMIT, ERR_IO. */
enum err_code file_read(const char *path, size_t max, struct buffer *out, struct err *err);

/* Write all n bytes (short writes and EINTR are continued). */
enum err_code file_write(int fd, const void *bytes, size_t n, struct err *err);

/* Create "<dir>/.new-XXXXXX" for writing; its path goes to path (FILE_PATH_MAX bytes). */
enum err_code file_create_temporary(const char *dir, int *out_fd, char *path, struct err *err);

/* A file without a name for reading and writing, which nobody else can cut off under a map of it,
 * and which is gone with its last descriptor. On a disk if there is one (TMPDIR, /var/tmp, /tmp),
 * so that the kernel need not keep it in memory. -1: none, errno says why. */
int file_create_nameless(const char *prefix);

/* fsync fd, close it (always), rename temporary to path, fsync the folder. On an error the
 * temporary file is gone. */
enum err_code file_commit(int fd, const char *temporary, const char *path, struct err *err);

/* All of the above: path holds exactly these bytes, or is as it was. */
enum err_code file_replace(const char *path, struct slice bytes, unsigned mode, struct err *err);

/* Copy a file to a new one of this mode, fsync'ed, or leave no trace. ERR_NOT_FOUND, ERR_IO,
 * ERR_FULL. */
enum err_code file_copy(const char *from, const char *to, unsigned mode, struct err *err);

enum err_code file_sync_folder(const char *dir, struct err *err);
enum err_code file_sync_folder_of(const char *path, struct err *err); /* that the file is in */
enum err_code file_make_folder(const char *dir, unsigned mode, struct err *err); /* mkdir -p */
enum err_code file_remove(const char *path, struct err *err); /* ERR_OK where it is not there */
bool file_exists(const char *path);

/* A read-only map of a whole file. An empty file is ERR_CORRUPT. */
struct file_map {
    const unsigned char *p;
    size_t n;
};
enum err_code file_map_open(const char *path, struct file_map *out, struct err *err);
void file_map_close(struct file_map *map);

/* An advisory lock on a file of its own (created if missing), held until file_unlock or exit.
 * wait = false: ERR_CONFLICT where somebody holds it. */
enum err_code file_lock(const char *path, bool is_exclusive, bool wait, int *out_fd,
                        struct err *err);
void file_unlock(int *fd);

/* "<dir>/<name>" into path (FILE_PATH_MAX); aborts where it does not fit, as names are ours. */
void file_path(char *path, const char *dir, const char *name);

#endif
