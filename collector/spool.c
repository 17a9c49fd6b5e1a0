#include "collector/spool.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "collector/spool_file.h"
#include "core/arena.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"

#define SUFFIX         ".spool"
#define BAD_SUFFIX     ".bad"
#define BAD_KEPT_MS    (INT64_C(7) * 86400 * 1000)
#define NAME_MAX_      64  /* of a file of ours */
#define FILES_A_SPOOL  64  /* full of them: each is a descriptor */
#define FILES_MAX      160 /* on a disk that now and then fails they are not full */
#define ADOPTED_MAX    80  /* at once: those beyond wait until these are drained */
#define FILE_BYTES_MIN (1024 * 1024)
#define FREE_MIN       (UINT64_C(512) * 1024 * 1024)
#define PEEK_BYTES     (2 * SPOOL_BATCH_MAX)

struct spool_part {
    char name[NAME_MAX_];
    int fd;       /* holds the lock */
    uint64_t end; /* what is promised, and in an adopted file all there is */
    bool is_adopted;
    struct spool_reader reader;
};

struct spool {
    struct spool_config config;
    char dir[FILE_PATH_MAX];
    bool has_looked;           /* for files of others: what cannot be read was said once */
    uint64_t file_bytes;       /* a file of this size is followed by another */
    struct spool_part **parts; /* oldest first */
    int n_parts, parts_max;
    struct spool_part *active; /* the one being written; NULL: none is */
    struct buffer written;
    /* what was read of the first part and is not dropped: [first_peeked, n_peeked) */
    struct buffer peeked;
    struct {
        size_t at, n; /* in `peeked` */
        uint64_t end; /* of its record in the file */
    } marks[SPOOL_PEEK_MAX];
    int first_peeked, n_peeked;
    struct spool_figures figures;
};

/* ---- Parts ---- */

static void
path_of(const struct spool *s, const char *name, char *path)
{
    file_path(path, s->dir, name);
}

static void
part_destroy(struct spool_part *p)
{
    spool_reader_close(&p->reader);
    close(p->fd);
    free(p);
}

static void
add_part(struct spool *s, struct spool_part *p)
{
    if (s->n_parts == s->parts_max) {
        s->parts_max = s->parts_max == 0 ? 16 : s->parts_max * 2;
        s->parts = mem_realloc(s->parts, (size_t)s->parts_max * sizeof *s->parts);
    }
    s->parts[s->n_parts++] = p;
    s->figures.bytes += p->end;
}

static void
forget_part(struct spool *s, int i)
{
    struct spool_part *p = s->parts[i];

    s->figures.bytes -= p->end;
    s->active = s->active == p ? NULL : s->active;
    part_destroy(p);
    s->n_parts--;
    memmove(s->parts + i, s->parts + i + 1, (size_t)(s->n_parts - i) * sizeof *s->parts);
}

/* The first part is done with: say what was wrong with it, keep it where something was. */
static void
remove_first(struct spool *s)
{
    struct spool_part *p = s->parts[0];
    const struct spool_reader *r = &p->reader;
    char path[FILE_PATH_MAX], bad[FILE_PATH_MAX + 8];
    struct err err;

    path_of(s, p->name, path);
    if (r->torn_bytes != 0)
        log_warn("spool %s: a torn tail of %llu bytes was cut", p->name,
                 (unsigned long long)r->torn_bytes);
    if (r->n_damaged != 0) {
        log_error("spool %s: %u damaged places from byte %llu on, %llu bytes; what was whole is "
                  "kept, and the file for a week as " BAD_SUFFIX,
                  p->name, r->n_damaged, (unsigned long long)r->damaged_at,
                  (unsigned long long)r->damaged_bytes);
        s->figures.n_damaged += r->n_damaged;
        s->figures.damaged_bytes += r->damaged_bytes;
        snprintf(bad, sizeof bad, "%s" BAD_SUFFIX, path);
        if (rename(path, bad) != 0)
            log_error("spool %s: cannot be put aside", p->name);
    } else if (file_remove(path, &err) != ERR_OK) {
        log_error("spool: %s", err.message);
    }
    forget_part(s, 0);
}

/* ---- Opening ---- */

/* A part that another process holds, or has just removed, is none of ours. */
static void
adopt(struct spool *s, const char *name)
{
    struct spool_part *p = mem_zalloc(sizeof *p);
    char path[FILE_PATH_MAX];
    struct err err = ERR_NONE;
    struct stat st;
    enum err_code rc;

    path_of(s, name, path);
    p->is_adopted = true;
    snprintf(p->name, sizeof p->name, "%s", name);
    p->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (p->fd < 0) {
        rc = errno == ENOENT ? ERR_OK : err_errno(&err, "cannot open it");
        free(p);
        goto done;
    }
    if (flock(p->fd, LOCK_EX | LOCK_NB) != 0 || fstat(p->fd, &st) != 0 || st.st_nlink == 0) {
        part_destroy(p);
        return;
    }
    p->end = (uint64_t)st.st_size;
    if (p->end <= SPOOL_FILE_HEAD) { /* killed before the first answer */
        rc = file_remove(path, &err);
        part_destroy(p);
        goto done;
    }
    rc = spool_reader_open(&p->reader, p->fd, p->end, &err);
    if (rc == ERR_OK)
        add_part(s, p);
    else
        part_destroy(p);
done:
    if (rc != ERR_OK && !s->has_looked)
        log_error("spool %s: %s; it is left as it is", name, err.message);
}

static void
forget_old(const struct spool *s, const char *name)
{
    char path[FILE_PATH_MAX];
    struct stat st;

    path_of(s, name, path);
    if (stat(path, &st) == 0 && clock_wall_ms() - (int64_t)st.st_mtime * 1000 > BAD_KEPT_MS)
        file_remove(path, NULL);
}

static int
compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum err_code
adopt_all(struct spool *s, struct err *err)
{
    struct dirent **entries;
    int n_before = s->n_parts;
    int n = scandir(s->dir, &entries, NULL, compare_names); /* names begin with their time */

    if (n < 0)
        return err_errno(err, "cannot read the folder %s", s->dir);
    for (int i = 0; i < n; i++) {
        struct slice name = slice_from(entries[i]->d_name);
        if (slice_ends_with(name, SLICE(SUFFIX)) && name.n < NAME_MAX_ && s->n_parts < ADOPTED_MAX)
            adopt(s, entries[i]->d_name);
        else if (slice_ends_with(name, SLICE(SUFFIX BAD_SUFFIX)))
            forget_old(s, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    s->has_looked = true;
    if (s->n_parts > n_before)
        log_info("the spool has taken over %d files; it holds %llu bytes", s->n_parts - n_before,
                 (unsigned long long)s->figures.bytes);
    return ERR_OK;
}

enum err_code
spool_open(const struct spool_config *config, struct spool **out, struct err *err)
{
    struct spool *s = mem_zalloc(sizeof *s);
    enum err_code rc = ERR_OK;

    s->config = *config;
    if (!slice_to_cstr(slice_from(config->dir), s->dir, sizeof s->dir - NAME_MAX_ - 8))
        rc = err_set(err, ERR_INVALID, "spool", "the spool's folder has too long a name");
    s->file_bytes = config->bytes_max / FILES_A_SPOOL;
    if (s->file_bytes < FILE_BYTES_MIN)
        s->file_bytes = FILE_BYTES_MIN;
    if (rc == ERR_OK)
        rc = file_make_folder(s->dir, 0700, err);
    if (rc == ERR_OK)
        rc = adopt_all(s, err);
    if (rc != ERR_OK)
        spool_close(&s);
    else
        *out = s;
    return rc;
}

void
spool_adopt(struct spool *s)
{
    struct err err;

    if (adopt_all(s, &err) != ERR_OK)
        log_debug("spool: %s", err.message);
}

void
spool_close(struct spool **s)
{
    if (!*s)
        return;
    for (int i = 0; i < (*s)->n_parts; i++)
        part_destroy((*s)->parts[i]);
    free((*s)->parts);
    buffer_fini(&(*s)->written);
    buffer_fini(&(*s)->peeked);
    free(*s);
    *s = NULL;
}

/* ---- Writing ---- */

enum err_code
spool_check_room(const struct spool *s, uint64_t held, uint64_t more, struct err *err)
{
    uint64_t free_bytes, needed = s->config.free_bytes_min;
    struct statvfs v;

    if (held + more > s->config.bytes_max)
        return err_set(err, ERR_FULL, "spool", "the spool is at its limit of %llu bytes",
                       (unsigned long long)s->config.bytes_max);
    if (statvfs(s->dir, &v) != 0)
        return err_errno(err, "cannot ask how much of the spool's disk is free");
    free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
    if (needed == 0) {
        needed = (uint64_t)v.f_blocks * v.f_frsize / 50;
        needed = needed > FREE_MIN ? needed : FREE_MIN;
    }
    if (free_bytes < needed + more)
        return err_set(err, ERR_FULL, "spool", "the spool's disk has only %llu MB left",
                       (unsigned long long)(free_bytes >> 20));
    return ERR_OK;
}

/* Lock a file that was just made. Who looked for files to adopt in between may have taken it for an
 * empty one of somebody's who was killed, and removed it. */
static enum err_code
lock_new(int fd, const char *path, struct err *err)
{
    struct stat st;

    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &st) != 0)
        return err_errno(err, "cannot lock %s", path);
    return st.st_nlink > 0 ? ERR_OK
                           : err_set(err, ERR_UNAVAILABLE, "spool", "%s was removed", path);
}

/* A new file, locked before anybody can read a record in it. Its name and head are on disk. */
static enum err_code
begin_part(struct spool *s, struct err *err)
{
    struct spool_part *p;
    char path[FILE_PATH_MAX];
    uint64_t dice[2];
    enum err_code rc;

    if (s->n_parts >= FILES_MAX)
        return err_set(err, ERR_FULL, "spool", "the spool has %d files already", s->n_parts);
    p = mem_zalloc(sizeof *p);
    if (getrandom(dice, sizeof dice, 0) != (ssize_t)sizeof dice)
        abort(); /* 16 bytes never come short once the system is up */
    snprintf(p->name, sizeof p->name, "%015lld-%08x" SUFFIX, (long long)clock_wall_ms(),
             (unsigned)dice[0]);
    path_of(s, p->name, path);
    p->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (p->fd < 0) {
        free(p);
        return err_errno(err, "cannot create a file in %s", s->dir);
    }
    buffer_clear(&s->written);
    spool_file_begin(&s->written, dice[1]);
    rc = lock_new(p->fd, path, err);
    if (rc == ERR_OK)
        rc = file_write(p->fd, s->written.p, s->written.n, err);
    if (rc == ERR_OK && fdatasync(p->fd) != 0)
        rc = err_errno(err, "cannot fdatasync %s", path);
    if (rc == ERR_OK)
        rc = file_sync_folder(s->dir, err);
    p->end = SPOOL_FILE_HEAD;
    if (rc == ERR_OK)
        rc = spool_reader_open(&p->reader, p->fd, p->end, err);
    if (rc != ERR_OK) {
        file_remove(path, NULL);
        part_destroy(p);
        return rc;
    }
    add_part(s, p);
    s->active = p;
    return ERR_OK;
}

/* After a failure the file may hold anything behind what was promised: cut it off and never append
 * to it again, as a failed fdatasync says nothing about what a later one would have written. A file
 * in which nothing was promised goes: a disk that fails for long would leave one for every try. */
static void
seal(struct spool *s)
{
    struct spool_part *p = s->active;
    char path[FILE_PATH_MAX];
    int i = s->n_parts - 1;

    s->active = NULL;
    if (ftruncate(p->fd, (off_t)p->end) != 0)
        log_warn("spool %s: what could not be written cannot be cut off", p->name);
    if (p->end > SPOOL_FILE_HEAD)
        return;
    while (s->parts[i] != p)
        i--;
    path_of(s, p->name, path);
    file_remove(path, NULL);
    forget_part(s, i);
}

enum err_code
spool_append(struct spool *s, const struct slice *batches, int n, struct err *err)
{
    uint64_t more = SPOOL_FILE_HEAD;
    struct spool_part *p;
    enum err_code rc;

    for (int i = 0; i < n; i++)
        more += SPOOL_RECORD_HEADER + batches[i].n;
    rc = spool_check_room(s, s->figures.bytes, more, err);
    if (rc == ERR_OK && (!s->active || s->active->end >= s->file_bytes))
        rc = begin_part(s, err);
    if (rc != ERR_OK)
        return rc;
    p = s->active;
    buffer_clear(&s->written);
    for (int i = 0; i < n; i++)
        spool_file_add(&s->written, p->reader.salt, p->end + s->written.n, batches[i]);
    rc = file_write(p->fd, s->written.p, s->written.n, err);
    if (rc == ERR_OK && fdatasync(p->fd) != 0)
        rc = err_errno(err, "cannot fdatasync the spool");
    if (rc != ERR_OK) {
        seal(s);
        return rc;
    }
    p->end += s->written.n;
    s->figures.bytes += s->written.n;
    s->figures.n_spooled += (uint64_t)n;
    return ERR_OK;
}

/* ---- Draining ---- */

bool
spool_is_empty(const struct spool *s)
{
    for (int i = 0; i < s->n_parts; i++)
        if (s->parts[i]->reader.at < s->parts[i]->end)
            return false;
    return s->first_peeked == s->n_peeked;
}

/* Read on in the first part. False: it has no more. */
static bool
read_some(struct spool *s)
{
    struct spool_part *p = s->parts[0];
    struct spool_reader *r = &p->reader;
    struct slice batch;
    struct err err;
    enum err_code rc = ERR_OK;

    s->first_peeked = s->n_peeked = 0;
    buffer_clear(&s->peeked);
    r->end = p->end;
    while (s->n_peeked < SPOOL_PEEK_MAX && s->peeked.n < PEEK_BYTES) {
        rc = spool_reader_next(r, &batch, &err);
        if (rc != ERR_OK)
            break;
        s->marks[s->n_peeked].at = s->peeked.n;
        s->marks[s->n_peeked].n = batch.n;
        s->marks[s->n_peeked++].end = r->at;
        buffer_add_slice(&s->peeked, batch);
    }
    if (rc == ERR_IO) { /* what the disk does not give today it will not tomorrow */
        log_error("spool %s: %s", p->name, err.message);
        r->n_damaged++;
        r->damaged_bytes += p->end - r->at;
        r->at = p->end;
    }
    return s->n_peeked > 0;
}

int
spool_peek(struct spool *s, struct slice *batches, int max)
{
    int n = 0;

    while (s->first_peeked == s->n_peeked && s->n_parts > 0 && !read_some(s))
        remove_first(s);
    for (int i = s->first_peeked; i < s->n_peeked && n < max; i++)
        batches[n++] = slice_of(s->peeked.p + s->marks[i].at, s->marks[i].n);
    return n;
}

void
spool_drop(struct spool *s, int k)
{
    struct spool_part *p;

    assert(k >= 0 && k <= s->n_peeked - s->first_peeked);
    if (k == 0)
        return;
    p = s->parts[0];
    s->figures.n_drained += (uint64_t)k;
    s->first_peeked += k;
    if (s->first_peeked == s->n_peeked && p->reader.at >= p->end)
        remove_first(s);
    else
        spool_file_mark(p->fd, p->reader.salt, s->marks[s->first_peeked - 1].end);
}

void
spool_figures(const struct spool *s, struct spool_figures *out)
{
    *out = s->figures;
}
