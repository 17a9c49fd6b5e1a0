/* The data folder. What is not here: anything inside the databases and the segments. */
#include "aggregator/store.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "core/buffer.h"

#define FORMAT_FILE      "FORMAT"
#define FORMAT_BYTES_MAX 4096
#define FOLDER_MODE      0750

void
store_path(const struct store *s, const char *name, char *path)
{
    file_path(path, s->dir, name);
}

void
store_segment_path(const struct store *s, const char *name, char *path)
{
    file_path(path, s->segments, name);
}

/* ---- FORMAT ---- */

static bool
parse_hex64(struct slice text, uint64_t *out)
{
    uint64_t v = 0;

    if (text.n != 16)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

        if (digit < 0)
            return false;
        v = v << 4 | (uint64_t)digit;
    }
    *out = v;
    return true;
}

/* "<word> <value>\n" off the front of *rest. */
static bool
take_line(struct slice *rest, const char *word, struct slice *value)
{
    struct slice line, head;

    if (!slice_cut(*rest, '\n', &line, rest))
        return false;
    return slice_cut(line, ' ', &head, value) && slice_is(head, word);
}

static enum err_code
parse_format(struct slice text, struct store *out, struct err *err)
{
    struct slice rest = text;
    struct slice value;
    uint64_t version = 0;
    uint64_t half;

    if (!take_line(&rest, "corong", &value) || !slice_to_uint64(value, &version) || version == 0)
        return err_set(err, ERR_CORRUPT, NULL, "%s/" FORMAT_FILE " is not Corong's", out->dir);
    if (version > STORE_VERSION)
        return err_set(err, ERR_VERSION, NULL,
                       "%s was written by a newer Corong (format %llu; this program knows %d)",
                       out->dir, (unsigned long long)version, STORE_VERSION);
    out->version = (uint32_t)version;
    if (!take_line(&rest, "install", &value) || value.n != STORE_INSTALL_MAX - 1 ||
        !parse_hex64(slice_sub(value, 0, 16), &half) ||
        !parse_hex64(slice_sub(value, 16, 16), &half) ||
        !slice_to_cstr(value, out->install_id, sizeof out->install_id))
        return err_set(err, ERR_CORRUPT, NULL, "%s/" FORMAT_FILE " has no install id", out->dir);
    if (!take_line(&rest, "seed", &value) || !parse_hex64(value, &out->hash_seed))
        return err_set(err, ERR_CORRUPT, NULL, "%s/" FORMAT_FILE " has no seed", out->dir);
    return ERR_OK;
}

static enum err_code
read_format(struct store *s, struct err *err)
{
    char path[FILE_PATH_MAX];
    struct buffer text = BUFFER_EMPTY;
    enum err_code rc;

    store_path(s, FORMAT_FILE, path);
    rc = file_read(path, FORMAT_BYTES_MAX, &text, err);
    if (rc == ERR_OK)
        rc = parse_format(buffer_slice(&text), s, err);
    else if (rc == ERR_NOT_FOUND)
        err_set(err, ERR_NOT_FOUND, NULL,
                "%s is no data folder of Corong (it has no FORMAT); --data names another one",
                s->dir);
    buffer_fini(&text);
    return rc;
}

static enum err_code
write_format(const struct store *s, struct err *err)
{
    char path[FILE_PATH_MAX];
    struct buffer text = BUFFER_EMPTY;
    uint64_t random[3];
    enum err_code rc;

    if (sodium_init() < 0)
        return err_set(err, ERR_IO, NULL, "no source of random bytes");
    randombytes_buf(random, sizeof random);
    buffer_printf(&text, "corong %d\ninstall %016llx%016llx\nseed %016llx\n", STORE_VERSION,
                  (unsigned long long)random[0], (unsigned long long)random[1],
                  (unsigned long long)random[2]);
    store_path(s, FORMAT_FILE, path);
    rc = file_replace(path, buffer_slice(&text), 0640, err);
    buffer_fini(&text);
    return rc;
}

/* FORMAT is made before anything else. Where it is missing from a folder that has data, a new id
 * and a new seed would make all of it foreign. */
static enum err_code
make_format(const struct store *s, struct err *err)
{
    char path[FILE_PATH_MAX];

    store_path(s, "catalog.db", path);
    if (file_exists(path))
        return err_set(err, ERR_CORRUPT, NULL,
                       "%s/" FORMAT_FILE " is missing, but there is a catalog, which belongs to "
                       "it: put it back; nothing was changed",
                       s->dir);
    return write_format(s, err);
}

/* Make what is missing. The lock makes two processes that start at once agree on one id; FORMAT
 * is looked at again under it. */
static enum err_code
create_format(struct store *s, struct err *err)
{
    enum err_code rc;
    int lock = -1;

    rc = file_make_folder(s->dir, FOLDER_MODE, err);
    if (rc != ERR_OK)
        return rc;
    rc = store_lock_writing(s, true, true, &lock, err);
    if (rc != ERR_OK)
        return rc;
    rc = read_format(s, err);
    if (rc == ERR_NOT_FOUND) {
        rc = make_format(s, err);
        if (rc == ERR_OK)
            rc = read_format(s, err);
    }
    file_unlock(&lock);
    return rc;
}

enum err_code
store_open(const char *dir, bool create, struct store *out, struct err *err)
{
    struct store s = {.version = 0};
    enum err_code rc;

    if (!slice_to_cstr(slice_from(dir), s.dir, sizeof s.dir - 256) || s.dir[0] == '\0')
        return err_set(err, ERR_INVALID, "data", "the data folder's name is empty or too long");
    file_path(s.segments, s.dir, "segments");
    rc = read_format(&s, err);
    if (rc == ERR_NOT_FOUND && create)
        rc = create_format(&s, err);
    if (rc == ERR_OK)
        rc = file_make_folder(s.segments, FOLDER_MODE, err);
    if (rc == ERR_OK)
        *out = s;
    return rc;
}

struct segment_owner
store_owner(const struct store *s)
{
    struct segment_owner owner = {.hash_seed = s->hash_seed};
    uint64_t halves[2] = {0, 0};

    for (size_t i = 0; i < 2; i++)
        parse_hex64(slice_of(s->install_id + 16 * i, 16), &halves[i]);
    memcpy(owner.install_id, halves, sizeof owner.install_id);
    return owner;
}

/* ---- Locks and space ---- */

enum err_code
store_lock_writing(const struct store *s, bool is_exclusive, bool wait, int *out_fd,
                   struct err *err)
{
    char path[FILE_PATH_MAX];

    store_path(s, "writing", path);
    return file_lock(path, is_exclusive, wait, out_fd, err);
}

enum err_code
store_lock_merging(const struct store *s, bool wait, int *out_fd, struct err *err)
{
    char path[FILE_PATH_MAX];

    store_path(s, "merging", path);
    return file_lock(path, true, wait, out_fd, err);
}

enum err_code
store_free_bytes(const struct store *s, uint64_t *out, struct err *err)
{
    struct statvfs v;

    if (statvfs(s->dir, &v))
        return err_errno(err, "statvfs %s", s->dir);
    *out = (uint64_t)v.f_bavail * v.f_frsize;
    return ERR_OK;
}
