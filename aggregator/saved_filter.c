/* Saved filters. */
#include "aggregator/saved_filter.h"

#include "aggregator/saved_funnel.h"
#include "aggregator/sql.h"
#include "core/clock.h"

enum err_code
saved_filter_put(struct settings_db *db, uint32_t site, const struct saved_filter *f,
                 struct err *err)
{
    int n_changed = 0;
    enum err_code rc = saved_name_check(f->name, "name", err);

    if (rc != ERR_OK)
        return rc;
    rc = sql_do(settings_db_lock(db), &n_changed, err,
                "INSERT OR REPLACE INTO saved_filters SELECT ?, ?, ?, ?, ? WHERE"
                " (SELECT count(*) FROM saved_filters WHERE site = ? AND name <> ?) < ?",
                "itittiti", (int64_t)site, f->name, clock_wall_ms(), f->author, f->filters,
                (int64_t)site, f->name, (int64_t)SAVED_FILTERS_MAX);
    settings_db_unlock(db);
    if (rc == ERR_OK && n_changed == 0)
        rc = err_set(err, ERR_LIMIT, NULL, "a site keeps at most %d saved filters",
                     SAVED_FILTERS_MAX);
    if (rc == ERR_EXISTS) /* the only constraint left is that of the site */
        rc = err_set(err, ERR_NOT_FOUND, "site", "there is no such site");
    return rc;
}

enum err_code
saved_filter_list(struct settings_db *db, uint32_t site, struct arena *a, struct saved_filter **out,
                  size_t *out_n, struct err *err)
{
    struct saved_filter *list = ARENA_ARRAY(a, struct saved_filter, SAVED_FILTERS_MAX);
    sqlite3 *sql = settings_db_lock(db);
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    size_t n = 0;
    enum err_code rc =
        sql_first(sql, &s, &has_row, err,
                  "SELECT name, updated_ms, author, filters FROM saved_filters WHERE site = ?"
                  " ORDER BY name",
                  "i", (int64_t)site);

    for (; rc == ERR_OK && n < SAVED_FILTERS_MAX && has_row; rc = sql_step(s, &has_row, err))
        list[n++] =
            (struct saved_filter){arena_copy(a, sql_text(s, 0)), sqlite3_column_int64(s, 1),
                                  arena_copy(a, sql_text(s, 2)), arena_copy(a, sql_text(s, 3))};
    sqlite3_finalize(s);
    settings_db_unlock(db);
    *out = list;
    *out_n = n;
    return rc;
}

enum err_code
saved_filter_remove(struct settings_db *db, uint32_t site, struct slice name, struct err *err)
{
    int n_changed = 0;
    enum err_code rc =
        sql_do(settings_db_lock(db), &n_changed, err,
               "DELETE FROM saved_filters WHERE site = ? AND name = ?", "it", (int64_t)site, name);

    settings_db_unlock(db);
    if (rc == ERR_OK && n_changed == 0)
        rc = err_set(err, ERR_NOT_FOUND, "name", "there is no such filter");
    return rc;
}
