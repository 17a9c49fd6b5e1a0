#include "web/api/share.h"

#include "aggregator/sql.h"
#include "core/clock.h"
#include "web/api/rows.h"
#include "web/api/token.h"

enum err_code
share_create(struct settings_db *db, const struct share_wish *w, char out[ACCOUNT_TOKEN_MAX],
             int64_t *out_id, struct err *err)
{
    char token[TOKEN_TEXT_MAX], hash[TOKEN_HASH_MAX];
    int n_changed = 0;
    enum err_code rc;
    sqlite3 *sql;

    if (w->name.n == 0 || w->name.n > SHARE_NAME_MAX || !slice_is_utf8(w->name))
        return err_set(err, ERR_INVALID, "name", "must have 1 to %d bytes", SHARE_NAME_MAX);
    token_make(token);
    token_hash(slice_from(token), hash);
    sql = settings_db_lock(db);
    rc = sql_do(sql, &n_changed, err,
                "INSERT INTO share_links(site, name, token_hash, question, days, created,"
                " created_by, expires, last_used) SELECT ?, ?, ?, ?, ?, ?, ?, ?, 0 WHERE"
                " (SELECT count(*) FROM share_links WHERE site = ?) < ?",
                "itttiitiii", (int64_t)w->site, w->name, slice_from(hash), w->question, w->days,
                clock_wall_ms(), w->by, w->expires_ms, (int64_t)w->site, (int64_t)SHARES_MAX);
    if (rc == ERR_OK && n_changed == 0)
        rc = err_set(err, ERR_LIMIT, NULL, "a site has at most %d share links", SHARES_MAX);
    if (rc == ERR_OK)
        *out_id = sqlite3_last_insert_rowid(sql);
    settings_db_unlock(db);
    if (rc == ERR_OK)
        memcpy(out, token, sizeof token);
    return rc;
}

enum err_code
share_find(struct settings_db *db, struct slice token, struct arena *a, struct share *out,
           struct err *err)
{
    char hash[TOKEN_HASH_MAX];
    sqlite3 *sql = settings_db_lock(db);
    int64_t now_ms = clock_wall_ms();
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc;

    token_hash(token, hash);
    rc = sql_first(sql, &s, &has_row, err,
                   "SELECT id, site, days, name, question FROM share_links"
                   " WHERE token_hash = ? AND (expires = 0 OR expires > ?)",
                   "ti", slice_from(hash), now_ms);
    if (rc == ERR_OK && has_row)
        *out = (struct share){sqlite3_column_int64(s, 0), (uint32_t)sqlite3_column_int64(s, 1),
                              arena_copy(a, sql_text(s, 3)), arena_copy(a, sql_text(s, 4)),
                              sqlite3_column_int64(s, 2)};
    sqlite3_finalize(s);
    if (rc == ERR_OK && has_row)
        rc = sql_do(sql, NULL, err, "UPDATE share_links SET last_used = ? WHERE id = ?", "ii",
                    now_ms, out->id);
    settings_db_unlock(db);
    if (rc == ERR_OK && !has_row)
        rc = err_set(err, ERR_NOT_FOUND, "token", "this link is not, or no longer, valid");
    return rc;
}

enum err_code
share_remove(struct settings_db *db, uint32_t site, int64_t id, struct err *err)
{
    return rows_remove(db, "DELETE FROM share_links WHERE site = ? AND id = ?", site, id, "share",
                       err);
}

enum err_code
share_list(struct settings_db *db, uint32_t site, int64_t id, json_t **out, struct err *err)
{
    return rows_of_site(
        db,
        "SELECT id, name, days, question, created, created_by, expires, last_used"
        " FROM share_links WHERE site = ? AND (? = 0 OR id = ?) ORDER BY id",
        "i id,t name,i days,j question,m created,t created_by,M expires,M last_used", site, id, out,
        err);
}
