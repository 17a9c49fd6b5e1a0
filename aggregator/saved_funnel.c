/* Saved funnels. What is not here: what a definition means. */
#include "aggregator/saved_funnel.h"

#include "aggregator/funnel/definition.h"
#include "aggregator/sql.h"
#include "core/clock.h"

#define TEXT_OF(x)  TEXT_OF_(x)
#define TEXT_OF_(x) #x
#define MAX_TEXT    TEXT_OF(SAVED_FUNNELS_MAX)

static enum err_code
check_name(struct slice name, const char *field, struct err *err)
{
    bool is_good = name.n > 0 && name.n <= SAVED_FUNNEL_NAME_MAX && slice_is_utf8(name) &&
                   slice_trim(name).n == name.n;

    for (size_t i = 0; is_good && i < name.n; i++)
        is_good = (unsigned char)name.p[i] >= 0x20 && name.p[i] != 0x7f && name.p[i] != '/';
    if (!is_good)
        return err_set(err, ERR_INVALID, field,
                       "a funnel's name has 1 to %d bytes, no / and no space at its ends",
                       SAVED_FUNNEL_NAME_MAX);
    return ERR_OK;
}

static enum err_code
check_definition(struct slice definition, struct err *err)
{
    struct funnel *funnel = NULL;
    enum err_code rc;

    if (definition.n > SAVED_FUNNEL_DEFINITION_MAX)
        return err_set(err, ERR_LIMIT, NULL, "the definition is larger than %d bytes",
                       SAVED_FUNNEL_DEFINITION_MAX);
    rc = funnel_parse(definition, &funnel, err);
    funnel_destroy(&funnel);
    return rc;
}

static enum err_code
not_found(struct slice name, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "funnel", "there is no funnel %.*s",
                   SLICE_ARG(slice_sub(name, 0, SAVED_FUNNEL_NAME_MAX)));
}

enum err_code
saved_funnel_put(struct settings_db *db, uint32_t site, struct slice name, struct slice definition,
                 struct err *err)
{
    int n_changed = 0;
    enum err_code rc;

    rc = check_name(name, "name", err);
    if (rc == ERR_OK)
        rc = check_definition(definition, err);
    if (rc != ERR_OK)
        return rc;
    rc = sql_do(settings_db_lock(db), &n_changed, err,
                "INSERT OR REPLACE INTO funnels SELECT ?, ?, ?, ? WHERE"
                " (SELECT count(*) FROM funnels WHERE site = ? AND name <> ?) < " MAX_TEXT,
                "ititit", (int64_t)site, name, clock_wall_ms(), definition, (int64_t)site, name);
    settings_db_unlock(db);
    if (rc == ERR_OK && n_changed == 0)
        rc = err_set(err, ERR_LIMIT, NULL, "a site keeps at most " MAX_TEXT " funnels");
    if (rc == ERR_EXISTS) /* the only constraint left is that of the site */
        rc = err_set(err, ERR_NOT_FOUND, "site", "there is no such site");
    return rc;
}

static void
read_row(sqlite3_stmt *s, struct arena *a, struct saved_funnel *out)
{
    out->name = arena_copy(a, sql_text(s, 0));
    out->updated_ms = sqlite3_column_int64(s, 1);
    out->definition = arena_copy(a, sql_text(s, 2));
}

enum err_code
saved_funnel_get(struct settings_db *db, uint32_t site, struct slice name, struct arena *a,
                 struct saved_funnel *out, struct err *err)
{
    sqlite3 *sql = settings_db_lock(db);
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc;

    rc = sql_prepare(sql,
                     "SELECT name, updated_ms, definition FROM funnels WHERE site = ? AND name = ?",
                     &s, err);
    if (rc == ERR_OK)
        rc = sql_bind(s, err, "it", (int64_t)site, name);
    if (rc == ERR_OK)
        rc = sql_step(s, &has_row, err);
    if (rc == ERR_OK && has_row)
        read_row(s, a, out);
    if (rc == ERR_OK && !has_row)
        rc = not_found(name, err);
    sqlite3_finalize(s);
    settings_db_unlock(db);
    return rc;
}

enum err_code
saved_funnel_list(struct settings_db *db, uint32_t site, struct arena *a, struct saved_funnel **out,
                  size_t *out_n, struct err *err)
{
    sqlite3 *sql = settings_db_lock(db);
    struct saved_funnel *funnels = ARENA_ARRAY(a, struct saved_funnel, SAVED_FUNNELS_MAX);
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc;
    size_t n = 0;

    rc = sql_prepare(
        sql, "SELECT name, updated_ms, definition FROM funnels WHERE site = ? ORDER BY name", &s,
        err);
    if (rc == ERR_OK)
        rc = sql_bind(s, err, "i", (int64_t)site);
    while (rc == ERR_OK && n < SAVED_FUNNELS_MAX && (rc = sql_step(s, &has_row, err)) == ERR_OK &&
           has_row)
        read_row(s, a, &funnels[n++]);
    sqlite3_finalize(s);
    settings_db_unlock(db);
    if (rc != ERR_OK)
        return rc;
    *out = funnels;
    *out_n = n;
    return ERR_OK;
}

enum err_code
saved_funnel_remove(struct settings_db *db, uint32_t site, struct slice name, struct err *err)
{
    int n_changed = 0;
    enum err_code rc;

    rc = sql_do(settings_db_lock(db), &n_changed, err,
                "DELETE FROM funnels WHERE site = ? AND name = ?", "it", (int64_t)site, name);
    settings_db_unlock(db);
    return rc == ERR_OK && n_changed == 0 ? not_found(name, err) : rc;
}

enum err_code
saved_funnel_rename(struct settings_db *db, uint32_t site, struct slice name, struct slice new_name,
                    struct err *err)
{
    int n_changed = 0;
    enum err_code rc;

    rc = check_name(new_name, "rename_to", err);
    if (rc != ERR_OK)
        return rc;
    rc = sql_do(settings_db_lock(db), &n_changed, err,
                "UPDATE funnels SET name = ? WHERE site = ? AND name = ?", "tit", new_name,
                (int64_t)site, name);
    settings_db_unlock(db);
    if (rc == ERR_EXISTS)
        return err_set(err, ERR_EXISTS, "rename_to", "there is a funnel %.*s already",
                       SLICE_ARG(new_name));
    return rc == ERR_OK && n_changed == 0 ? not_found(name, err) : rc;
}
