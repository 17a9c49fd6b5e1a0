#include "web/api/audit.h"

#include "aggregator/sql.h"
#include "core/clock.h"
#include "web/api/rows.h"

enum err_code
audit_add(struct settings_db *db, uint32_t site, struct slice who, struct slice action,
          struct slice detail, struct err *err)
{
    sqlite3 *sql = settings_db_lock(db);
    enum err_code rc = sql_begin(sql, err);

    if (rc == ERR_OK)
        rc = sql_do(sql, NULL, err,
                    "INSERT INTO audit(time, site, who, action, detail) VALUES(?, ?, ?, ?, ?)",
                    "iittt", clock_wall_ms(), (int64_t)site, who, action, detail);
    if (rc == ERR_OK)
        rc = sql_do(sql, NULL, err,
                    "DELETE FROM audit WHERE site = ? AND id <= (SELECT id FROM audit WHERE"
                    " site = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
                    "iii", (int64_t)site, (int64_t)site, (int64_t)AUDIT_KEPT);
    if (rc == ERR_OK)
        rc = sql_commit(sql, err);
    settings_db_unlock(db);
    return rc;
}

enum err_code
audit_list(struct settings_db *db, uint32_t site, int64_t before, int64_t limit, json_t **out,
           struct err *err)
{
    struct rows_query q = {.statement =
                               "SELECT id, time, who, action, detail FROM audit WHERE site = ?"
                               " AND (? = 0 OR id < ?) ORDER BY id DESC LIMIT ?",
                           .letters = "iiii",
                           .numbers = {site, before, before, limit},
                           .columns = "i id,m time,t who,t action,t detail"};

    return rows_json(db, &q, out, err);
}
