/* The mark: which generation catalog.db had after its latest commit, in a small file of its own.
 *
 * Behind a damaged page of its log SQLite drops the commits that follow, without a word; a
 * catalog.db may also be put back by hand. Then the catalog is behind its mark, which is written
 * after each commit, and never before: what it says was committed. Where that is seen, an alarm is
 * raised that stays until a repair, reports warn, and no unlisted file is put aside any more.
 *
 *   OFFSET  SIZE  MEANING
 *   0       8     "CorongMk"
 *   8       8     generation
 *   16      8     bytes of all files that were new (catalog_written)
 *   24      8     bytes of all files that merges wrote
 *   32      24    zeros
 *   56      8     checksum of bytes 0..55
 *
 * A mark that is damaged or missing says nothing; the next commit writes it anew.
 */
#include "aggregator/catalog_int.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/hash.h"
#include "core/log.h"

#define MARK_FILE  "catalog.mark"
#define MARK_MAGIC "CorongMk"
#define MARK_BYTES 64
#define MARK_SUM   56

/* ---- The file ---- */

struct mark {
    uint64_t generation;
    struct catalog_written written;
};

/* {0} where it says nothing. */
static struct mark
read_mark(int fd, bool *is_damaged)
{
    unsigned char bytes[MARK_BYTES];
    ssize_t n = pread(fd, bytes, sizeof bytes, 0);
    bool is_whole = n == MARK_BYTES && memcmp(bytes, MARK_MAGIC, 8) == 0 &&
                    checksum64(bytes, MARK_SUM) == load_u64(bytes + MARK_SUM);

    *is_damaged = n != 0 && !is_whole;
    if (!is_whole)
        return (struct mark){.generation = 0};
    return (struct mark){load_u64(bytes + 8), {load_u64(bytes + 16), load_u64(bytes + 24)}};
}

static bool
write_mark(int fd, const struct mark *m)
{
    unsigned char bytes[MARK_BYTES] = MARK_MAGIC;

    store_u64(bytes + 8, m->generation);
    store_u64(bytes + 16, m->written.n_new_bytes);
    store_u64(bytes + 24, m->written.n_merged_bytes);
    store_u64(bytes + MARK_SUM, checksum64(bytes, MARK_SUM));
    return pwrite(fd, bytes, sizeof bytes, 0) == MARK_BYTES && fdatasync(fd) == 0;
}

/* Locked: 64 bytes are one write, and yet a reader could see half of it. */
static int
open_mark(const struct catalog *c, int flags, int operation)
{
    int fd = open(c->mark_path, flags | O_CLOEXEC, 0640);

    if (fd >= 0 && flock(fd, operation) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static struct mark
read_file(const struct catalog *c, bool *is_damaged)
{
    int fd = open_mark(c, O_RDONLY, LOCK_SH);
    struct mark m = {.generation = 0};

    *is_damaged = false;
    if (fd < 0)
        return m;
    m = read_mark(fd, is_damaged);
    close(fd);
    return m;
}

uint64_t
catalog__mark_read(const struct catalog *c, bool *is_damaged)
{
    return read_file(c, is_damaged).generation;
}

struct catalog_written
catalog_written(struct catalog *c)
{
    bool is_damaged;

    return read_file(c, &is_damaged).written;
}

void
catalog__mark_committed(struct catalog *c, uint64_t generation,
                        const struct catalog_written *written)
{
    int fd = open_mark(c, O_RDWR | O_CREAT, LOCK_EX);
    bool is_written = false, is_damaged;
    struct mark m;

    if (fd >= 0) {
        m = read_mark(fd, &is_damaged);
        if (m.generation < generation) /* of two that commit the later one may come first */
            m.generation = generation;
        m.written.n_new_bytes += written ? written->n_new_bytes : 0;
        m.written.n_merged_bytes += written ? written->n_merged_bytes : 0;
        is_written = write_mark(fd, &m);
        close(fd);
    }
    if (!is_written && !c->is_mark_troubled)
        log_warn("%s cannot be written: a catalog that loses commits would go unnoticed",
                 c->mark_path);
    c->is_mark_troubled = !is_written;
}

void
catalog__mark_path(const struct store *s, struct catalog *c)
{
    store_path(s, MARK_FILE, c->mark_path);
}

/* ---- What follows from it ---- */

enum err_code
catalog__generation(sqlite3 *db, uint64_t *out, struct err *err)
{
    int64_t generation = 0;
    enum err_code rc =
        sql_integer(db, "SELECT generation FROM summary WHERE one = 1", &generation, err);

    if (rc == ERR_OK)
        *out = (uint64_t)generation;
    return rc;
}

/* The same loss is told once: from here on the generation is again that of the mark. */
static enum err_code
tell_loss(struct catalog *c, uint64_t mark, struct err *err)
{
    char message[300];
    uint64_t generation = 0;
    enum err_code rc = sql_begin(c->db, err);

    if (rc != ERR_OK)
        return rc;
    rc = catalog__generation(c->db, &generation, err);
    if (rc != ERR_OK || generation >= mark)
        goto done; /* another process was faster */
    snprintf(message, sizeof message,
             "catalog.db has lost its last %" PRIu64 " commits (its log is damaged, or an earlier "
             "copy was put back): stop Corong and run `corong check --repair`",
             mark - generation);
    log_error("%s", message);
    rc = sql_do(c->db, NULL, err, "UPDATE summary SET generation = ? WHERE one = 1", "i",
                (int64_t)mark);
    if (rc == ERR_OK)
        rc = catalog_alarm_raise(c, CATALOG_BEHIND, mark - generation, message, err);
    if (rc == ERR_OK)
        rc = sql_commit(c->db, err);
done:
    sql_rollback(c->db);
    return rc;
}

enum err_code
catalog__mark_check(struct catalog *c, struct err *err)
{
    bool is_damaged = false;
    uint64_t mark = catalog__mark_read(c, &is_damaged); /* first: it may only rise meanwhile */
    uint64_t generation = 0;
    enum err_code rc = catalog__generation(c->db, &generation, err);

    if (rc != ERR_OK || generation >= mark)
        return rc;
    rc = tell_loss(c, mark, err);
    return rc == ERR_OK ? catalog_erased_restore(c, NULL, err) : rc;
}

enum err_code
catalog_lost_commits(struct catalog *c, uint64_t *out, struct err *err)
{
    int64_t n = 0;
    enum err_code rc =
        sql_integer(c->db, "SELECT n FROM alarms WHERE code = '" CATALOG_BEHIND "'", &n, err);

    if (rc == ERR_OK)
        *out = (uint64_t)n;
    return rc;
}

bool
catalog_mark_is_damaged(struct catalog *c)
{
    bool is_damaged = false;

    catalog__mark_read(c, &is_damaged);
    return is_damaged;
}

enum err_code
catalog_is_repaired(struct catalog *c, struct err *err)
{
    bool is_damaged = false;
    uint64_t mark = catalog__mark_read(c, &is_damaged);
    uint64_t generation = 0;
    enum err_code rc = sql_begin(c->db, err);

    if (rc != ERR_OK)
        return rc;
    rc = catalog__generation(c->db, &generation, err);
    generation =
        (generation > mark ? generation : mark) + 1; /* no earlier answer is one any more */
    if (rc == ERR_OK)
        rc = sql_do(c->db, NULL, err, "UPDATE summary SET generation = ? WHERE one = 1", "i",
                    (int64_t)generation);
    if (rc == ERR_OK)
        rc = catalog_alarm_clear(c, CATALOG_BEHIND, err);
    if (rc == ERR_OK)
        rc = sql_commit(c->db, err);
    if (rc == ERR_OK)
        catalog__mark_committed(c, generation, NULL);
    sql_rollback(c->db);
    return rc;
}
