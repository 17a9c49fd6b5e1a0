/* Tombstones: who was erased, and up to when. What is not here: leaving the events out (query), and
 * writing files anew without them (merge). */
#include "aggregator/catalog_int.h"

#include <stdlib.h>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/hash.h"

static uint64_t
row_check(const struct catalog__tombstone *t)
{
    uint64_t fields[5] = {t->site, t->erased.hash, t->erased.other, (uint64_t)t->erased.until_ms,
                          (uint64_t)t->created_ms};
    unsigned char bytes[sizeof fields];

    for (int i = 0; i < 5; i++)
        store_u64(bytes + 8 * i, fields[i]);
    return checksum64(bytes, sizeof bytes);
}

/* ---- The sum ---- */

static enum err_code
read_sum(sqlite3 *db, uint64_t *out_n, uint64_t *out_check, struct err *err)
{
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc = sql_first(db, &s, &has_row, err, "SELECT n, check64 FROM tombstone_sum", "");

    *out_n = rc == ERR_OK && has_row ? (uint64_t)sqlite3_column_int64(s, 0) : 0;
    *out_check = rc == ERR_OK && has_row ? (uint64_t)sqlite3_column_int64(s, 1) : 0;
    sqlite3_finalize(s);
    return rc;
}

/* check: xor of the checks of the rows that came and went. */
static enum err_code
change_sum(sqlite3 *db, int64_t n_more, uint64_t check, struct err *err)
{
    uint64_t n, sum;
    enum err_code rc = read_sum(db, &n, &sum, err);

    if (rc == ERR_OK)
        rc = sql_do(db, NULL, err, "INSERT OR REPLACE INTO tombstone_sum VALUES(1, ?, ?)", "ii",
                    (int64_t)n + n_more, (int64_t)(sum ^ check));
    return rc;
}

/* ---- Rows ---- */

static struct catalog__tombstone
row_of(sqlite3_stmt *s, uint64_t *out_check)
{
    struct catalog__tombstone t = {
        .site = (uint32_t)sqlite3_column_int64(s, 0),
        .erased = {(uint64_t)sqlite3_column_int64(s, 1), (uint64_t)sqlite3_column_int64(s, 2),
                   sqlite3_column_int64(s, 3)},
        .created_ms = sqlite3_column_int64(s, 4),
    };

    *out_check = (uint64_t)sqlite3_column_int64(s, 5);
    return t;
}

#define COLUMNS "site, hash, other, until_ms, created_ms, check64"

/* By counting: what the sum says may be damaged, and no room is made on its word. */
static enum err_code
count_rows(sqlite3 *db, size_t *out, struct err *err)
{
    int64_t n = 0;
    enum err_code rc = sql_integer(db, "SELECT count(*) FROM tombstones", &n, err);

    if (rc == ERR_OK)
        *out = (size_t)n;
    return rc;
}

/* *out_check is 0 where there is none. */
static enum err_code
find(sqlite3 *db, const struct catalog__tombstone *key, struct catalog__tombstone *out,
     uint64_t *out_check, struct err *err)
{
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc =
        sql_first(db, &s, &has_row, err,
                  "SELECT " COLUMNS " FROM tombstones WHERE site = ? AND hash = ? AND other = ?",
                  "iii", (int64_t)key->site, (int64_t)key->erased.hash, (int64_t)key->erased.other);

    *out_check = 0;
    if (rc == ERR_OK && has_row)
        *out = row_of(s, out_check);
    sqlite3_finalize(s);
    return rc;
}

static struct catalog__tombstone
tombstone_of(const struct segment_owner *owner, uint32_t site, struct slice id, int64_t until_ms)
{
    return (struct catalog__tombstone){
        site,
        {segment_visitor_hash(owner, id), segment_erased_hash(owner, id), until_ms},
        clock_wall_ms()};
}

enum err_code
catalog__tombstone_put(sqlite3 *db, const struct catalog__tombstone *t, bool *out_is_new,
                       struct err *err)
{
    struct catalog__tombstone old;
    uint64_t before = 0;
    uint64_t check = row_check(t);
    enum err_code rc = find(db, t, &old, &before, err);

    *out_is_new = false;
    if (rc != ERR_OK || (before != 0 && old.erased.until_ms >= t->erased.until_ms))
        return rc;
    rc = sql_do(db, NULL, err,
                "INSERT OR REPLACE INTO tombstones(" COLUMNS ")"
                " VALUES(?, ?, ?, ?, ?, ?)",
                "iiiiii", (int64_t)t->site, (int64_t)t->erased.hash, (int64_t)t->erased.other,
                t->erased.until_ms, t->created_ms, (int64_t)check);
    *out_is_new = rc == ERR_OK;
    return rc == ERR_OK ? change_sum(db, before == 0, before ^ check, err) : rc;
}

/* Into the catalog and, first, into the file beside it. */
static enum err_code
put(struct catalog *c, const struct catalog__tombstone *t, struct err *err)
{
    bool is_new = false;
    enum err_code rc = catalog__tombstone_put(c->db, t, &is_new, err);

    return rc == ERR_OK && is_new ? catalog__erased_append(c, t, err) : rc;
}

static enum err_code
forget_old(struct catalog *c, struct err *err)
{
    sqlite3 *db = c->db;
    int64_t before_ms = clock_wall_ms() - CATALOG_ERASED_MS;
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    uint64_t check = 0;
    int64_t n = 0;
    enum err_code rc =
        sql_first(db, &s, &has_row, err, "SELECT " COLUMNS " FROM tombstones WHERE created_ms < ?",
                  "i", before_ms);

    for (; rc == ERR_OK && has_row; rc = sql_step(s, &has_row, err)) {
        check ^= (uint64_t)sqlite3_column_int64(s, 5);
        n++;
    }
    sqlite3_finalize(s);
    if (rc != ERR_OK || n == 0)
        return rc;
    rc = sql_do(db, NULL, err, "DELETE FROM tombstones WHERE created_ms < ?", "i", before_ms);
    if (rc == ERR_OK)
        rc = change_sum(db, -n, check, err);
    return rc == ERR_OK ? catalog__erased_forget(c, before_ms, err) : rc;
}

/* ---- Erasing ---- */

enum err_code
catalog_erase(struct catalog *c, uint32_t site, const struct slice *ids, size_t n, int64_t until_ms,
              struct err *err)
{
    uint64_t generation = 0;
    enum err_code rc = sql_begin(c->db, err);

    if (rc != ERR_OK)
        return rc;
    rc = forget_old(c, err);
    for (size_t i = 0; rc == ERR_OK && i < n; i++) {
        struct catalog__tombstone t = tombstone_of(&c->owner, site, ids[i], until_ms);

        rc = put(c, &t, err);
        if (rc == ERR_OK)
            rc = catalog__remove_links_of(c->db, site, ids[i], err);
    }
    if (rc == ERR_OK) /* what was answered before is no answer any more */
        rc = sql_run(c->db, "UPDATE summary SET generation = generation + 1", err);
    if (rc == ERR_OK)
        rc = catalog__generation(c->db, &generation, err);
    if (rc == ERR_OK)
        rc = sql_commit(c->db, err);
    if (rc == ERR_OK)
        catalog__mark_committed(c, generation, NULL);
    sql_rollback(c->db);
    return rc;
}

enum err_code
catalog__erase_late(struct catalog *c, const struct catalog_link *link, bool *out_is_erased,
                    struct err *err)
{
    struct slice ids[2] = {link->visitor, link->known};
    enum err_code rc = ERR_OK;

    *out_is_erased = false;
    for (int i = 0; rc == ERR_OK && i < 2; i++) {
        struct catalog__tombstone key = tombstone_of(&c->owner, link->site, ids[i], 0), old, other;
        uint64_t check = 0;

        rc = find(c->db, &key, &old, &check, err);
        if (rc != ERR_OK || check == 0 || old.erased.until_ms < link->time_ms)
            continue;
        *out_is_erased = true;
        other = tombstone_of(&c->owner, link->site, ids[1 - i], old.erased.until_ms);
        rc = put(c, &other, err);
    }
    return rc;
}

/* ---- Reading ---- */

enum err_code
catalog_erased_read(struct catalog *c, uint32_t site, struct arena *a, struct catalog_erased *out,
                    struct err *err)
{
    struct segment_erased *list = NULL;
    uint64_t n_all = 0, check_all = 0, n_read = 0, check_read = 0;
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    size_t n = 0, n_max = 0;
    enum err_code rc = read_sum(c->db, &n_all, &check_all, err);

    if (rc == ERR_OK)
        rc = count_rows(c->db, &n_max, err);
    if (rc == ERR_OK) {
        list = ARENA_ARRAY(a, struct segment_erased, n_max + 1);
        rc = sql_first(c->db, &s, &has_row, err,
                       "SELECT " COLUMNS " FROM tombstones"
                       " ORDER BY (hash < 0), hash, other", /* as unsigned numbers */
                       "");
    }
    for (; rc == ERR_OK && has_row; rc = sql_step(s, &has_row, err)) {
        uint64_t check;
        struct catalog__tombstone t = row_of(s, &check);

        if (check != row_check(&t) || n_read == n_max)
            continue;
        n_read++;
        check_read ^= check;
        if (t.site == site)
            list[n++] = t.erased;
    }
    sqlite3_finalize(s);
    if (rc != ERR_OK)
        return rc;
    *out = (struct catalog_erased){
        {c->owner, n, list, 0}, n_all, n_read == n_all && check_read == check_all};
    return ERR_OK;
}

enum err_code
catalog__tombstones(sqlite3 *db, struct catalog__tombstone **out, size_t *out_n, struct err *err)
{
    struct catalog__tombstone *list;
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    uint64_t check = 0;
    size_t n = 0, n_max = 0;
    enum err_code rc = count_rows(db, &n_max, err);

    if (rc != ERR_OK)
        return rc;
    list = mem_alloc((n_max + 1) * sizeof *list);
    rc = sql_first(db, &s, &has_row, err, "SELECT " COLUMNS " FROM tombstones", "");
    for (; rc == ERR_OK && n < n_max && has_row; rc = sql_step(s, &has_row, err)) {
        list[n] = row_of(s, &check);
        n += check == row_check(&list[n]);
    }
    sqlite3_finalize(s);
    if (rc != ERR_OK) {
        free(list);
        return rc;
    }
    *out = list;
    *out_n = n;
    return ERR_OK;
}

enum err_code
catalog_erased_sites(struct catalog *c, struct arena *a, uint32_t **out, size_t *out_n,
                     struct err *err)
{
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    size_t n = 0, n_max = 0;
    enum err_code rc = count_rows(c->db, &n_max, err);

    *out_n = 0;
    if (rc != ERR_OK || n_max == 0)
        return rc;
    *out = ARENA_ARRAY(a, uint32_t, n_max);
    rc = sql_first(c->db, &s, &has_row, err, "SELECT DISTINCT site FROM tombstones ORDER BY site",
                   "");
    for (; rc == ERR_OK && n < n_max && has_row; rc = sql_step(s, &has_row, err))
        (*out)[n++] = (uint32_t)sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    *out_n = n;
    return rc;
}

enum err_code
catalog_erased_newest(struct catalog *c, int64_t *out_ms, struct err *err)
{
    return sql_integer(c->db, "SELECT max(created_ms) FROM tombstones", out_ms, err);
}

enum err_code
catalog_vacuum(struct catalog *c, struct err *err)
{
    enum err_code rc = sql_vacuum(c->db, err);

    return rc == ERR_OK && catalog_has_copy(c) ? catalog_keep_copy(c, err) : rc;
}
