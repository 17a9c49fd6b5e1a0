/* The entries of the stream as a file. */
#include <fcntl.h>
#include <unistd.h>

#include "aggregator/backup_int.h"
#include "core/bytes.h"

#define MAGIC   "CorongSt"
#define VERSION 1
#define HEAD    56
#define ENTRY   24 /* before its bytes */
#define ENTRIES 64 /* of one read */

/* ---- Writing ---- */

static enum err_code
check_owner(const struct store *s, struct stream *stream, struct arena *a, struct err *err)
{
    struct slice owner;
    enum err_code rc = stream_get(stream, STREAM_OWNER, a, &owner, err);

    if (rc == ERR_NOT_FOUND) /* nobody has read it yet */
        return ERR_OK;
    if (rc == ERR_OK && !slice_is(owner, s->install_id))
        return err_set(err, ERR_CONFLICT, "redis",
                       "this Redis belongs to another data folder than %s", s->dir);
    return rc;
}

static enum err_code
write_head(int fd, struct slice epoch, struct err *err)
{
    unsigned char head[HEAD] = MAGIC;

    if (epoch.n > CATALOG_EPOCH_MAX - 1)
        return err_set(err, ERR_INVALID, "redis", "the key %s is not Corong's", STREAM_EPOCH);
    store_u32(head + 8, VERSION);
    store_u32(head + 12, (uint32_t)epoch.n);
    memcpy(head + 16, epoch.p, epoch.n);
    return file_write(fd, head, sizeof head, err);
}

static enum err_code
write_entry(int fd, const struct stream_entry *entry, struct err *err)
{
    unsigned char head[ENTRY];
    enum err_code rc;

    store_u64(head, entry->id.ms);
    store_u64(head + 8, entry->id.seq);
    store_u64(head + 16, entry->batch.n);
    rc = file_write(fd, head, sizeof head, err);
    return rc == ERR_OK ? file_write(fd, entry->batch.p, entry->batch.n, err) : rc;
}

/* Entries up to `last`: what comes later was acknowledged later. */
static enum err_code
write_entries(struct stream *stream, struct stream_id last, int fd, struct arena *a,
              uint64_t *out_n, struct err *err)
{
    struct stream_id at = {0, 0};
    struct stream_entry *entries;
    enum err_code rc = ERR_OK;
    int n = 1;

    while (rc == ERR_OK && n > 0 && stream_id_compare(at, last) < 0) {
        arena_reset(a);
        rc = stream_read(stream, at, ENTRIES, 0, a, &entries, &n, err);
        for (int i = 0; rc == ERR_OK && i < n; i++) {
            at = entries[i].id;
            if (stream_id_compare(at, last) > 0)
                return ERR_OK;
            rc = write_entry(fd, &entries[i], err);
            ++*out_n;
        }
    }
    return rc;
}

static enum err_code
write_stream(const struct store *s, struct stream *stream, int fd, uint64_t *out_n, struct err *err)
{
    struct slice epoch = SLICE_EMPTY;
    struct stream_info info;
    struct arena a;
    enum err_code rc;

    arena_init(&a, 1 << 20);
    rc = check_owner(s, stream, &a, err);
    if (rc == ERR_OK)
        rc = stream_get(stream, STREAM_EPOCH, &a, &epoch, err);
    if (rc == ERR_NOT_FOUND) /* then nothing of it is committed */
        rc = ERR_OK;
    if (rc == ERR_OK)
        rc = write_head(fd, epoch, err);
    if (rc == ERR_OK)
        rc = stream_info(stream, &info, err);
    if (rc == ERR_OK)
        rc = write_entries(stream, info.last_generated, fd, &a, out_n, err);
    arena_fini(&a);
    return rc;
}

enum err_code
backup__write_stream(const struct store *s, const struct stream_address *redis, const char *path,
                     uint64_t *out_n, struct err *err)
{
    struct stream *stream;
    uint64_t n = 0;
    enum err_code rc;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_errno(err, "cannot create %s", path);
    stream = stream_create(redis);
    rc = write_stream(s, stream, fd, &n, err);
    stream_destroy(&stream);
    if (rc == ERR_OK && fsync(fd) != 0)
        rc = err_errno(err, "cannot fsync %s", path);
    close(fd);
    if (rc == ERR_OK)
        *out_n = n;
    return rc;
}

/* ---- Reading ---- */

enum err_code
backup__stream_open(struct backup__stream *s, const char *path, struct err *err)
{
    struct backup__stream stream = {.at = HEAD};
    enum err_code rc = file_map_open(path, &stream.map, err);
    uint32_t n_epoch = 0;

    if (rc != ERR_OK)
        return rc;
    if (stream.map.n < HEAD || memcmp(stream.map.p, MAGIC, 8) != 0 ||
        (n_epoch = load_u32(stream.map.p + 12)) >= CATALOG_EPOCH_MAX)
        rc = err_set(err, ERR_CORRUPT, NULL, "%s is no copy of a stream", path);
    else if (load_u32(stream.map.p + 8) != VERSION)
        rc = err_set(err, ERR_VERSION, NULL, "%s was written by a newer Corong", path);
    if (rc != ERR_OK) {
        file_map_close(&stream.map);
        return rc;
    }
    memcpy(stream.epoch, stream.map.p + 16, n_epoch);
    *s = stream;
    return ERR_OK;
}

bool
backup__stream_next(struct backup__stream *s, struct stream_entry *out)
{
    const unsigned char *p = s->map.p + s->at;
    size_t left = s->map.n - s->at;

    if (left < ENTRY || load_u64(p + 16) > left - ENTRY)
        return false;
    out->id = (struct stream_id){load_u64(p), load_u64(p + 8)};
    out->batch = slice_of((const char *)p + ENTRY, load_u64(p + 16));
    s->at += ENTRY + out->batch.n;
    return true;
}

void
backup__stream_close(struct backup__stream *s)
{
    file_map_close(&s->map);
}
