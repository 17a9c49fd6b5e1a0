/* Saved funnels and their versions. What is not here: what a definition means. */
#include "aggregator/saved_funnel.h"

#include "aggregator/funnel/definition.h"
#include "aggregator/sql.h"
#include "core/clock.h"
#include "core/timestamp.h"

#define TEXT_OF(x)  TEXT_OF_(x)
#define TEXT_OF_(x) #x
#define MAX_TEXT    TEXT_OF(SAVED_FUNNELS_MAX)

enum err_code
saved_name_check(struct slice name, const char *field, struct err *err)
{
    bool is_good = name.n > 0 && name.n <= SAVED_FUNNEL_NAME_MAX && slice_is_utf8(name) &&
                   slice_trim(name).n == name.n;

    for (size_t i = 0; is_good && i < name.n; i++)
        is_good = (unsigned char)name.p[i] >= 0x20 && name.p[i] != 0x7f && name.p[i] != '/';
    if (!is_good)
        return err_set(err, ERR_INVALID, field,
                       "a name has 1 to %d bytes, no / and no space at its ends",
                       SAVED_FUNNEL_NAME_MAX);
    if (slice_equal(name, SLICE(".")) || slice_equal(name, SLICE("..")))
        return err_set(err, ERR_INVALID, field, "a name is not . or .., which paths cannot say");
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

static enum err_code
taken(struct slice name, const char *field, struct err *err)
{
    return err_set(err, ERR_EXISTS, field, "there is a funnel %.*s already", SLICE_ARG(name));
}

/* ---- Saving ---- */

static enum err_code
check_note(struct slice note, struct err *err)
{
    bool is_good = note.n <= SAVED_FUNNEL_NOTE_MAX && slice_is_utf8(note);

    for (size_t i = 0; is_good && i < note.n; i++)
        is_good = (unsigned char)note.p[i] >= 0x20 && note.p[i] != 0x7f;
    if (!is_good)
        return err_set(err, ERR_INVALID, "note", "must be one line of at most %d bytes",
                       SAVED_FUNNEL_NOTE_MAX);
    return ERR_OK;
}

static enum err_code
check_wish(const struct saved_funnel_wish *w, struct slice new_name, struct err *err)
{
    enum err_code rc =
        saved_name_check(new_name, slice_equal(w->name, new_name) ? "name" : "rename_to", err);

    if (rc == ERR_OK)
        rc = check_note(w->note, err);
    return rc == ERR_OK ? check_definition(w->definition, err) : rc;
}

static enum err_code
changed_since(sqlite3_stmt *s, int64_t based_on, struct err *err)
{
    char when[TIMESTAMP_TEXT_MAX];
    struct slice author = slice_sub(sql_text(s, 1), 0, 120);

    timestamp_format(sqlite3_column_int64(s, 2), true, when);
    return err_set(err, ERR_CONFLICT, "version",
                   "%.*s saved version %lld at %s; this one is based on version %lld",
                   SLICE_ARG(author.n != 0 ? author : SLICE("a command")),
                   (long long)sqlite3_column_int64(s, 0), when, (long long)based_on);
}

/* *out is its newest version, 0 without one: the one that the wish is based on. */
static enum err_code
check_base(sqlite3 *sql, const struct saved_funnel_wish *w, int64_t *out, struct err *err)
{
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    int64_t version = 0;
    enum err_code rc =
        sql_first(sql, &s, &has_row, err,
                  "SELECT version, author, saved_ms FROM funnel_versions WHERE site = ? AND"
                  " name = ? ORDER BY version DESC LIMIT 1",
                  "it", (int64_t)w->site, w->name);

    if (rc == ERR_OK && has_row)
        version = sqlite3_column_int64(s, 0);
    if (rc == ERR_OK && !has_row && w->based_on > 0)
        rc = not_found(w->name, err);
    else if (rc == ERR_OK && has_row && w->based_on == SAVED_FUNNEL_NONE)
        rc = taken(w->name, "name", err);
    else if (rc == ERR_OK && w->based_on != SAVED_FUNNEL_ANY && w->based_on != version)
        rc = changed_since(s, w->based_on, err);
    sqlite3_finalize(s);
    if (rc == ERR_OK)
        *out = version;
    return rc;
}

/* The overview goes on showing the funnel that was chosen for it. */
static enum err_code
rename_it(sqlite3 *sql, int64_t site, struct slice name, struct slice new_name, struct err *err)
{
    int n_changed = 0;
    enum err_code rc;

    rc = sql_do(sql, &n_changed, err, "UPDATE funnels SET name = ? WHERE site = ? AND name = ?",
                "tit", new_name, site, name);
    if (rc == ERR_EXISTS)
        return taken(new_name, "rename_to", err);
    if (rc == ERR_OK && n_changed == 0)
        rc = not_found(name, err);
    if (rc == ERR_OK)
        rc = sql_do(sql, NULL, err,
                    "UPDATE funnel_versions SET name = ? WHERE site = ? AND name = ?", "tit",
                    new_name, site, name);
    if (rc == ERR_OK)
        rc = sql_do(sql, NULL, err, "UPDATE sites SET funnel = ? WHERE id = ? AND funnel = ?",
                    "tit", new_name, site, name);
    return rc;
}

static enum err_code
write_it(sqlite3 *sql, const struct saved_funnel_wish *w, struct slice name, int64_t version,
         struct err *err)
{
    int64_t site = w->site, now_ms = clock_wall_ms();
    int n_changed = 0;
    enum err_code rc;

    rc = sql_do(sql, &n_changed, err,
                "INSERT OR REPLACE INTO funnels SELECT ?, ?, ?, ? WHERE"
                " (SELECT count(*) FROM funnels WHERE site = ? AND name <> ?) < " MAX_TEXT,
                "ititit", site, name, now_ms, w->definition, site, name);
    if (rc == ERR_OK && n_changed == 0)
        return err_set(err, ERR_LIMIT, NULL, "a site keeps at most " MAX_TEXT " funnels");
    if (rc == ERR_EXISTS) /* the only constraint left is that of the site */
        return err_set(err, ERR_NOT_FOUND, "site", "there is no such site");
    if (rc == ERR_OK)
        rc = sql_do(sql, NULL, err, "INSERT INTO funnel_versions VALUES(?, ?, ?, ?, ?, ?, ?)",
                    "itiittt", site, name, version, now_ms, w->author, w->note, w->definition);
    if (rc == ERR_OK)
        rc = sql_do(sql, NULL, err,
                    "DELETE FROM funnel_versions WHERE site = ? AND name = ? AND version <= ?",
                    "iti", site, name, version - SAVED_FUNNEL_VERSIONS_MAX);
    return rc;
}

enum err_code
saved_funnel_save(struct settings_db *db, const struct saved_funnel_wish *wish, struct err *err)
{
    struct slice name = wish->new_name.n != 0 ? wish->new_name : wish->name;
    int64_t newest = 0;
    sqlite3 *sql;
    enum err_code rc;

    rc = check_wish(wish, name, err);
    if (rc != ERR_OK)
        return rc;
    sql = settings_db_lock(db);
    rc = sql_begin(sql, err);
    if (rc == ERR_OK)
        rc = check_base(sql, wish, &newest, err);
    if (rc == ERR_OK && !slice_equal(wish->name, name))
        rc = rename_it(sql, wish->site, wish->name, name, err);
    if (rc == ERR_OK)
        rc = write_it(sql, wish, name, newest + 1, err);
    if (rc == ERR_OK)
        rc = sql_commit(sql, err);
    settings_db_unlock(db);
    return rc;
}

enum err_code
saved_funnel_put(struct settings_db *db, uint32_t site, struct slice name, struct slice definition,
                 struct err *err)
{
    struct saved_funnel_wish wish = {
        .site = site, .name = name, .definition = definition, .based_on = SAVED_FUNNEL_ANY};

    return saved_funnel_save(db, &wish, err);
}

/* ---- Reading ---- */

#define COLUMNS_NOW                                                                                \
    "SELECT f.name, f.updated_ms, f.definition, v.version, v.author, v.note FROM funnels f"        \
    " LEFT JOIN funnel_versions v ON v.site = f.site AND v.name = f.name AND v.version ="          \
    " (SELECT max(version) FROM funnel_versions w WHERE w.site = f.site AND w.name = f.name)"

static void
read_row(sqlite3_stmt *s, struct arena *a, struct saved_funnel *out)
{
    *out = (struct saved_funnel){
        .name = arena_copy(a, sql_text(s, 0)),
        .updated_ms = sqlite3_column_int64(s, 1),
        .definition = arena_copy(a, sql_text(s, 2)),
        .version = sqlite3_column_int64(s, 3),
        .author = arena_copy(a, sql_text(s, 4)),
        .note = arena_copy(a, sql_text(s, 5)),
    };
}

enum err_code
saved_funnel_get(struct settings_db *db, uint32_t site, struct slice name, struct arena *a,
                 struct saved_funnel *out, struct err *err)
{
    sqlite3 *sql = settings_db_lock(db);
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc =
        sql_first(sql, &s, &has_row, err, COLUMNS_NOW " WHERE f.site = ? AND f.name = ?", "it",
                  (int64_t)site, name);

    if (rc == ERR_OK && has_row)
        read_row(s, a, out);
    if (rc == ERR_OK && !has_row)
        rc = not_found(name, err);
    sqlite3_finalize(s);
    settings_db_unlock(db);
    return rc;
}

enum err_code
saved_funnel_version(struct settings_db *db, uint32_t site, struct slice name, int64_t version,
                     struct arena *a, struct saved_funnel *out, struct err *err)
{
    sqlite3 *sql = settings_db_lock(db);
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc =
        sql_first(sql, &s, &has_row, err,
                  "SELECT name, saved_ms, definition, version, author, note FROM funnel_versions"
                  " WHERE site = ? AND name = ? AND version = ?",
                  "iti", (int64_t)site, name, version);

    if (rc == ERR_OK && has_row)
        read_row(s, a, out);
    if (rc == ERR_OK && !has_row)
        rc = err_set(err, ERR_NOT_FOUND, "version", "there is no version %lld of that funnel",
                     (long long)version);
    sqlite3_finalize(s);
    settings_db_unlock(db);
    return rc;
}

/* The rows of a statement that takes the site and, where `name` is one, a name. */
static enum err_code
read_rows(struct settings_db *db, const char *statement, uint32_t site, const struct slice *name,
          struct arena *a, struct saved_funnel *out, size_t max, size_t *out_n, struct err *err)
{
    sqlite3 *sql = settings_db_lock(db);
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    size_t n = 0;
    enum err_code rc = sql_first(sql, &s, &has_row, err, statement, name ? "it" : "i",
                                 (int64_t)site, name ? *name : SLICE_EMPTY);

    for (; rc == ERR_OK && n < max && has_row; rc = sql_step(s, &has_row, err))
        read_row(s, a, &out[n++]);
    sqlite3_finalize(s);
    settings_db_unlock(db);
    *out_n = n;
    return rc;
}

enum err_code
saved_funnel_list(struct settings_db *db, uint32_t site, struct arena *a, struct saved_funnel **out,
                  size_t *out_n, struct err *err)
{
    *out = ARENA_ARRAY(a, struct saved_funnel, SAVED_FUNNELS_MAX);
    return read_rows(db, COLUMNS_NOW " WHERE f.site = ? ORDER BY f.name", site, NULL, a, *out,
                     SAVED_FUNNELS_MAX, out_n, err);
}

enum err_code
saved_funnel_versions(struct settings_db *db, uint32_t site, struct slice name, struct arena *a,
                      struct saved_funnel **out, size_t *out_n, struct err *err)
{
    enum err_code rc;

    *out = ARENA_ARRAY(a, struct saved_funnel, SAVED_FUNNEL_VERSIONS_MAX);
    rc = read_rows(db,
                   "SELECT name, saved_ms, '', version, author, note FROM funnel_versions"
                   " WHERE site = ? AND name = ? ORDER BY version DESC",
                   site, &name, a, *out, SAVED_FUNNEL_VERSIONS_MAX, out_n, err);
    return rc == ERR_OK && *out_n == 0 ? not_found(name, err) : rc;
}

enum err_code
saved_funnel_remove(struct settings_db *db, uint32_t site, struct slice name, struct err *err)
{
    sqlite3 *sql = settings_db_lock(db);
    int n_changed = 0;
    enum err_code rc = sql_begin(sql, err);

    if (rc == ERR_OK)
        rc = sql_do(sql, &n_changed, err, "DELETE FROM funnels WHERE site = ? AND name = ?", "it",
                    (int64_t)site, name);
    if (rc == ERR_OK && n_changed == 0)
        rc = not_found(name, err);
    if (rc == ERR_OK)
        rc = sql_do(sql, NULL, err, "DELETE FROM funnel_versions WHERE site = ? AND name = ?", "it",
                    (int64_t)site, name);
    if (rc == ERR_OK)
        rc = sql_commit(sql, err);
    settings_db_unlock(db);
    return rc;
}
