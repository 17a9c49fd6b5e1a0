#include "core/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void
file_path(char *path, const char *dir, const char *name)
{
    int n = snprintf(path, FILE_PATH_MAX, "%s/%s", dir, name);

    assert(n > 0 && n < FILE_PATH_MAX);
}

static enum err_code
read_all(int fd, const char *path, size_t max, struct buffer *b, struct err *err)
{
    for (;;) {
        ssize_t got;

        if (b->n > max)
            return err_set(err, ERR_LIMIT, NULL, "%s is larger than %zu bytes", path, max);
        buffer_reserve(b, 65536);
        got = read(fd, b->p + b->n, b->capacity - b->n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(err, "cannot read %s", path);
        if (got == 0)
            return ERR_OK;
        b->n += (size_t)got;
    }
}

enum err_code
file_read(const char *path, size_t max, struct buffer *out, struct err *err)
{
    struct buffer b = BUFFER_EMPTY;
    enum err_code rc;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, NULL, "no such file: %s", path);
    if (fd < 0)
        return err_errno(err, "cannot open %s", path);
    rc = read_all(fd, path, max, &b, err);
    close(fd);
    if (rc != ERR_OK) {
        buffer_fini(&b);
        return rc;
    }
    *out = b;
    return ERR_OK;
}

enum err_code
file_write(int fd, const void *bytes, size_t n, struct err *err)
{
    const char *p = bytes;

    while (n > 0) {
        ssize_t put = write(fd, p, n);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return err_errno(err, "cannot write");
        p += put;
        n -= (size_t)put;
    }
    return ERR_OK;
}

enum err_code
file_create_temporary(const char *dir, int *out_fd, char *path, struct err *err)
{
    int fd;

    file_path(path, dir, ".new-XXXXXX");
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "cannot create a file in %s", dir);
    *out_fd = fd;
    return ERR_OK;
}

int
file_create_nameless(const char *prefix)
{
    const char *folders[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[FILE_PATH_MAX];
        int fd = -1;

        if (folders[i] &&
            snprintf(path, sizeof path, "%s/%s-XXXXXX", folders[i], prefix) < (int)sizeof path)
            fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0) {
            unlink(path);
            return fd;
        }
    }
    return memfd_create(prefix, MFD_CLOEXEC);
}

enum err_code
file_sync_folder(const char *dir, struct err *err)
{
    enum err_code rc = ERR_OK;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return err_errno(err, "cannot open the folder %s", dir);
    if (fsync(fd) != 0)
        rc = err_errno(err, "cannot fsync the folder %s", dir);
    close(fd);
    return rc;
}

/* The folder part of path into dir (FILE_PATH_MAX). */
static void
folder_of(const char *path, char *dir)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 0 : (size_t)(slash - path);

    assert(n < FILE_PATH_MAX);
    if (slash == NULL) {
        memcpy(dir, ".", 2);
    } else if (n == 0) {
        memcpy(dir, "/", 2);
    } else {
        memcpy(dir, path, n);
        dir[n] = '\0';
    }
}

enum err_code
file_sync_folder_of(const char *path, struct err *err)
{
    char dir[FILE_PATH_MAX];

    folder_of(path, dir);
    return file_sync_folder(dir, err);
}

enum err_code
file_commit(int fd, const char *temporary, const char *path, struct err *err)
{
    enum err_code rc = ERR_OK;

    if (fsync(fd) != 0)
        rc = err_errno(err, "cannot fsync %s", temporary);
    if (close(fd) != 0 && rc == ERR_OK)
        rc = err_errno(err, "cannot close %s", temporary);
    if (rc == ERR_OK && rename(temporary, path) != 0)
        rc = err_errno(err, "cannot rename to %s", path);
    if (rc != ERR_OK) {
        unlink(temporary);
        return rc;
    }
    return file_sync_folder_of(path, err);
}

enum err_code
file_replace(const char *path, struct slice bytes, unsigned mode, struct err *err)
{
    char dir[FILE_PATH_MAX];
    char temporary[FILE_PATH_MAX];
    enum err_code rc;
    int fd = -1;

    folder_of(path, dir);
    rc = file_create_temporary(dir, &fd, temporary, err);
    if (rc != ERR_OK)
        return rc;
    rc = file_write(fd, bytes.p, bytes.n, err);
    if (rc == ERR_OK && fchmod(fd, (mode_t)mode) != 0)
        rc = err_errno(err, "cannot chmod %s", temporary);
    if (rc != ERR_OK) {
        close(fd);
        unlink(temporary);
        return rc;
    }
    return file_commit(fd, temporary, path, err);
}

static enum err_code
copy_bytes(int from, int to, const char *path, struct err *err)
{
    char bytes[64 * 1024];

    for (;;) {
        ssize_t got = read(from, bytes, sizeof bytes);
        enum err_code rc;

        if (got == 0)
            return ERR_OK;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(err, "cannot read %s", path);
        rc = file_write(to, bytes, (size_t)got, err);
        if (rc != ERR_OK)
            return rc;
    }
}

enum err_code
file_copy(const char *from, const char *to, unsigned mode, struct err *err)
{
    char dir[FILE_PATH_MAX], temporary[FILE_PATH_MAX];
    enum err_code rc;
    int out = -1;
    int in = open(from, O_RDONLY | O_CLOEXEC);

    if (in < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, NULL, "no such file: %s", from);
    if (in < 0)
        return err_errno(err, "cannot open %s", from);
    folder_of(to, dir);
    rc = file_create_temporary(dir, &out, temporary, err);
    if (rc != ERR_OK) {
        close(in);
        return rc;
    }
    rc = copy_bytes(in, out, from, err);
    if (rc == ERR_OK && fchmod(out, (mode_t)mode) != 0)
        rc = err_errno(err, "cannot chmod %s", temporary);
    close(in);
    if (rc == ERR_OK)
        return file_commit(out, temporary, to, err);
    close(out);
    unlink(temporary);
    return rc;
}

enum err_code
file_make_folder(const char *dir, unsigned mode, struct err *err)
{
    char path[FILE_PATH_MAX], above[FILE_PATH_MAX];
    enum err_code rc = ERR_OK;
    struct stat st;

    if (!slice_to_cstr(slice_from(dir), path, sizeof path) || path[0] == '\0')
        return err_set(err, ERR_INVALID, NULL, "not a folder's name: %s", dir);
    for (char *p = path + 1;; p++) {
        char c = *p;

        if (c != '/' && c != '\0')
            continue;
        *p = '\0';
        if (mkdir(path, (mode_t)mode) == 0) {
            folder_of(path, above);
            rc = file_sync_folder(above, err);
        } else if (errno != EEXIST) {
            rc = err_errno(err, "cannot make the folder %s", path);
        }
        if (rc != ERR_OK)
            return rc;
        *p = c;
        if (c == '\0')
            break;
    }
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return err_errno(err, "cannot use %s", path);
    }
    return ERR_OK;
}

enum err_code
file_remove(const char *path, struct err *err)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return err_errno(err, "cannot remove %s", path);
    return ERR_OK;
}

bool
file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

enum err_code
file_map_open(const char *path, struct file_map *out, struct err *err)
{
    struct stat st;
    enum err_code rc = ERR_OK;
    void *p = MAP_FAILED;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, NULL, "no such file: %s", path);
    if (fd < 0)
        return err_errno(err, "cannot open %s", path);
    if (fstat(fd, &st) != 0)
        rc = err_errno(err, "cannot stat %s", path);
    else if (!S_ISREG(st.st_mode) || st.st_size <= 0)
        rc = err_set(err, ERR_CORRUPT, NULL, "%s is empty or no plain file", path);
    else
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (rc == ERR_OK && p == MAP_FAILED)
        rc = err_errno(err, "cannot map %s", path);
    close(fd);
    if (rc == ERR_OK)
        *out = (struct file_map){.p = p, .n = (size_t)st.st_size};
    return rc;
}

void
file_map_close(struct file_map *map)
{
    if (map->p != NULL)
        munmap((void *)(uintptr_t)map->p, map->n);
    *map = (struct file_map){NULL, 0};
}

enum err_code
file_lock(const char *path, bool is_exclusive, bool wait, int *out_fd, struct err *err)
{
    int operation = (is_exclusive ? LOCK_EX : LOCK_SH) | (wait ? 0 : LOCK_NB);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int got;

    if (fd < 0)
        return err_errno(err, "cannot open the lock %s", path);
    do
        got = flock(fd, operation);
    while (got != 0 && errno == EINTR);
    if (got != 0) {
        enum err_code rc = errno == EWOULDBLOCK
                               ? err_set(err, ERR_CONFLICT, NULL, "%s is held by another", path)
                               : err_errno(err, "cannot lock %s", path);

        close(fd);
        return rc;
    }
    *out_fd = fd;
    return ERR_OK;
}

void
file_unlock(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
