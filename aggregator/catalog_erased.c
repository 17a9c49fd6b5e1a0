/* Tombstones outside of catalog.db: `erased`, which a catalog that is lost or made anew, and a
 * backup that is older than an erase, get them back from (docs/privacy.md).
 *
 * Records of 64 bytes, appended and fsync'ed before the catalog commits the same; those that are
 * older than a tombstone lives go when others do in the catalog. A record that is damaged or cut is
 * passed over, and written again where the catalog still has it.
 *
 *   OFFSET  SIZE  MEANING
 *   0       8     "CorongEr"
 *   8       8     site
 *   16      8     hash of the visitor's id
 *   24      8     another one
 *   32      8     events of this time or earlier do not count, ms
 *   40      8     when it was made, ms
 *   48      8     zeros
 *   56      8     checksum of bytes 0..55
 */
#include "aggregator/catalog_int.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buffer.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/hash.h"

#define MAGIC      "CorongEr"
#define RECORD     64
#define RECORD_SUM 56
#define FILE_MAX   (256u << 20)
#define FILE_MODE  0640

/* ---- Records ---- */

static void
encode(const struct catalog__tombstone *t, unsigned char out[RECORD])
{
    memset(out, 0, RECORD);
    memcpy(out, MAGIC, 8);
    store_u64(out + 8, t->site);
    store_u64(out + 16, t->erased.hash);
    store_u64(out + 24, t->erased.other);
    store_u64(out + 32, (uint64_t)t->erased.until_ms);
    store_u64(out + 40, (uint64_t)t->created_ms);
    store_u64(out + RECORD_SUM, checksum64(out, RECORD_SUM));
}

static bool
decode(const unsigned char *p, struct catalog__tombstone *out)
{
    if (memcmp(p, MAGIC, 8) != 0 || checksum64(p, RECORD_SUM) != load_u64(p + RECORD_SUM))
        return false;
    *out = (struct catalog__tombstone){
        (uint32_t)load_u64(p + 8),
        {load_u64(p + 16), load_u64(p + 24), load_i64(p + 32)},
        load_i64(p + 40),
    };
    return true;
}

/* ---- The file ---- */

struct tombstones {
    struct catalog__tombstone *list; /* owned */
    size_t n;
    size_t n_bad;
};

/* None where there is no file. */
static enum err_code
read_file(const char *path, struct tombstones *out, struct err *err)
{
    struct buffer bytes = BUFFER_EMPTY;
    enum err_code rc = file_read(path, FILE_MAX, &bytes, err);

    *out = (struct tombstones){NULL, 0, 0};
    if (rc == ERR_NOT_FOUND)
        return ERR_OK;
    if (rc != ERR_OK)
        return rc;
    out->list = mem_alloc((bytes.n / RECORD + 1) * sizeof *out->list);
    for (size_t at = 0; at < bytes.n; at += RECORD) {
        if (bytes.n - at >= RECORD &&
            decode((const unsigned char *)bytes.p + at, &out->list[out->n]))
            out->n++;
        else
            out->n_bad++;
    }
    buffer_fini(&bytes);
    return ERR_OK;
}

static enum err_code
write_file(const char *path, const struct tombstones *all, struct err *err)
{
    struct buffer bytes = BUFFER_EMPTY;
    unsigned char record[RECORD];
    enum err_code rc;

    for (size_t i = 0; i < all->n; i++) {
        encode(&all->list[i], record);
        buffer_add(&bytes, record, RECORD);
    }
    rc = file_replace(path, buffer_slice(&bytes), FILE_MODE, err);
    buffer_fini(&bytes);
    return rc;
}

enum err_code
catalog__erased_append(const struct catalog *c, const struct catalog__tombstone *t, struct err *err)
{
    bool is_new = !file_exists(c->erased_path);
    int fd = open(c->erased_path, O_WRONLY | O_CREAT | O_CLOEXEC, FILE_MODE);
    unsigned char record[RECORD];
    enum err_code rc = ERR_OK;
    struct stat st;

    if (fd < 0)
        return err_errno(err, "cannot open %s", c->erased_path);
    encode(t, record);
    if (fstat(fd, &st) != 0 || /* behind what a crash may have cut */
        lseek(fd, (st.st_size + RECORD - 1) / RECORD * RECORD, SEEK_SET) < 0)
        rc = err_errno(err, "cannot seek in %s", c->erased_path);
    if (rc == ERR_OK)
        rc = file_write(fd, record, RECORD, err);
    if (rc == ERR_OK && fsync(fd) != 0)
        rc = err_errno(err, "cannot fsync %s", c->erased_path);
    close(fd);
    return rc == ERR_OK && is_new ? file_sync_folder(c->dir, err) : rc;
}

enum err_code
catalog__erased_forget(const struct catalog *c, int64_t before_ms, struct err *err)
{
    struct tombstones all;
    enum err_code rc = read_file(c->erased_path, &all, err);
    size_t n = 0;

    if (rc != ERR_OK)
        return rc;
    for (size_t i = 0; i < all.n; i++)
        if (all.list[i].created_ms >= before_ms)
            all.list[n++] = all.list[i];
    all.n = n;
    rc = write_file(c->erased_path, &all, err);
    free(all.list);
    return rc;
}

/* ---- Both ways ---- */

static enum err_code
put_all(struct catalog *c, const struct tombstones *all, bool is_foreign, struct err *err)
{
    int64_t before_ms = clock_wall_ms() - CATALOG_ERASED_MS;
    enum err_code rc = sql_begin(c->db, err);
    uint64_t generation = 0;
    bool has_changed = false;

    if (rc != ERR_OK)
        return rc;
    for (size_t i = 0; rc == ERR_OK && i < all->n; i++) {
        bool is_new = false;

        if (all->list[i].created_ms < before_ms)
            continue;
        rc = catalog__tombstone_put(c->db, &all->list[i], &is_new, err);
        if (rc == ERR_OK && is_new && is_foreign)
            rc = catalog__erased_append(c, &all->list[i], err);
        has_changed |= is_new;
    }
    if (rc == ERR_OK && has_changed)
        rc = sql_run(c->db, "UPDATE summary SET generation = generation + 1", err);
    if (rc == ERR_OK)
        rc = catalog__generation(c->db, &generation, err);
    if (rc == ERR_OK)
        rc = sql_commit(c->db, err);
    if (rc == ERR_OK && has_changed)
        catalog__mark_committed(c, generation, NULL);
    sql_rollback(c->db);
    return rc;
}

enum err_code
catalog_erased_restore(struct catalog *c, const char *path, struct err *err)
{
    struct tombstones all;
    enum err_code rc = read_file(path ? path : c->erased_path, &all, err);

    if (rc == ERR_OK && all.n != 0)
        rc = put_all(c, &all, path != NULL, err);
    free(all.list);
    return rc;
}

static int
compare(const void *x, const void *y)
{
    return memcmp(x, y, RECORD);
}

enum err_code
catalog_erased_keep(struct catalog *c, struct err *err)
{
    struct tombstones kept, live = {NULL, 0, 0};
    unsigned char(*known)[RECORD] = NULL;
    unsigned char record[RECORD];
    enum err_code rc = sql_begin(c->db, err); /* nobody else appends meanwhile */

    if (rc != ERR_OK)
        return rc;
    rc = read_file(c->erased_path, &kept, err);
    if (rc == ERR_OK)
        rc = catalog__tombstones(c->db, &live.list, &live.n, err);
    if (rc == ERR_OK) {
        known = mem_alloc((kept.n + 1) * sizeof *known);
        for (size_t i = 0; i < kept.n; i++)
            encode(&kept.list[i], known[i]);
        qsort(known, kept.n, RECORD, compare);
    }
    for (size_t i = 0; rc == ERR_OK && i < live.n; i++) {
        encode(&live.list[i], record);
        if (bsearch(record, known, kept.n, RECORD, compare) == NULL)
            rc = catalog__erased_append(c, &live.list[i], err);
    }
    sql_rollback(c->db);
    free(known);
    free(kept.list);
    free(live.list);
    return rc;
}

enum err_code
catalog_erased_damage(struct catalog *c, size_t *out_n, struct err *err)
{
    struct tombstones all;
    enum err_code rc = read_file(c->erased_path, &all, err);

    if (rc == ERR_OK)
        *out_n = all.n_bad;
    free(all.list);
    return rc;
}
