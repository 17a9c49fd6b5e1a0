/* settings.db: the schema and the one handle of a process. */
#include "aggregator/settings_db.h"

#include <pthread.h>
#include <stdlib.h>

#include "aggregator/sql.h"

#define APPLICATION_ID 0x436f7273 /* "Cors" */

/* AUTOINCREMENT: an id that was given once is never given again, whatever is removed. */
static const char schema_1[] =
    "CREATE TABLE sites(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    " domain TEXT NOT NULL, timezone TEXT NOT NULL, currency TEXT NOT NULL,"
    " public_key TEXT NOT NULL UNIQUE, secret_sha256 TEXT NOT NULL,"
    " max_age_ms INTEGER NOT NULL, max_events_day INTEGER NOT NULL,"
    " ignored_referrers TEXT NOT NULL, is_demo INTEGER NOT NULL, created_ms INTEGER NOT NULL);"
    "CREATE TABLE removed_sites(id INTEGER PRIMARY KEY, removed_ms INTEGER NOT NULL);"
    "CREATE TABLE funnels(site INTEGER NOT NULL REFERENCES sites(id) ON DELETE CASCADE,"
    " name TEXT NOT NULL, updated_ms INTEGER NOT NULL, definition TEXT NOT NULL,"
    " PRIMARY KEY(site, name)) WITHOUT ROWID;"
    "CREATE TABLE accounts(email TEXT PRIMARY KEY, password_hash TEXT NOT NULL,"
    " role TEXT NOT NULL CHECK(role IN ('owner', 'editor', 'viewer')),"
    " created INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE sessions(token_hash TEXT PRIMARY KEY,"
    " email TEXT NOT NULL REFERENCES accounts(email) ON DELETE CASCADE,"
    " created INTEGER NOT NULL, expires INTEGER NOT NULL, last_seen INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE setup_tokens(token_hash TEXT PRIMARY KEY, created INTEGER NOT NULL,"
    " expires INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE properties(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";

static const char schema_2[] = "CREATE TABLE link_targets(slug TEXT PRIMARY KEY,"
                               " site INTEGER NOT NULL REFERENCES sites(id) ON DELETE CASCADE,"
                               " target TEXT NOT NULL, created_ms INTEGER NOT NULL) WITHOUT ROWID;"
                               "CREATE INDEX link_targets_of_site ON link_targets(site);";

/* Sites that are there already go on as they did: their pages' tags say nothing of gpc. */
static const char schema_3[] =
    "ALTER TABLE sites ADD COLUMN identity TEXT NOT NULL DEFAULT 'first_party'"
    " CHECK(identity IN ('first_party', 'cookieless'));"
    "ALTER TABLE sites ADD COLUMN consent TEXT NOT NULL DEFAULT 'none'"
    " CHECK(consent IN ('none', 'required'));"
    "ALTER TABLE sites ADD COLUMN gpc TEXT NOT NULL DEFAULT 'ignore'"
    " CHECK(gpc IN ('ignore', 'respect'));"
    "ALTER TABLE sites ADD COLUMN dnt TEXT NOT NULL DEFAULT 'ignore'"
    " CHECK(dnt IN ('ignore', 'respect'));";

static const char schema_4[] =
    "ALTER TABLE sites ADD COLUMN retention TEXT NOT NULL DEFAULT 'never';";

/* Accounts that were there already keep their role for all sites; viewers lose sight of single
 * people until the site allows it. Saved funnels begin with the version that is there. */
static const char schema_5[] =
    "ALTER TABLE sites ADD COLUMN hosts TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE sites ADD COLUMN page_groups TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE sites ADD COLUMN funnel TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE sites ADD COLUMN first_day_of_week TEXT NOT NULL DEFAULT 'monday';"
    "ALTER TABLE sites ADD COLUMN bots TEXT NOT NULL DEFAULT 'exclude';"
    "ALTER TABLE sites ADD COLUMN viewer_journeys TEXT NOT NULL DEFAULT 'no';"
    "ALTER TABLE accounts ADD COLUMN is_everywhere INTEGER NOT NULL DEFAULT 1;"
    "ALTER TABLE sessions ADD COLUMN agent TEXT NOT NULL DEFAULT '';"
    "CREATE TABLE site_roles(email TEXT NOT NULL REFERENCES accounts(email) ON DELETE CASCADE,"
    " site INTEGER NOT NULL REFERENCES sites(id) ON DELETE CASCADE,"
    " role TEXT NOT NULL CHECK(role IN ('owner', 'editor', 'viewer')),"
    " PRIMARY KEY(email, site)) WITHOUT ROWID;"
    "CREATE TABLE invitations(id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " token_hash TEXT NOT NULL UNIQUE, email TEXT NOT NULL,"
    " site INTEGER REFERENCES sites(id) ON DELETE CASCADE,"
    " role TEXT NOT NULL CHECK(role IN ('owner', 'editor', 'viewer')),"
    " created INTEGER NOT NULL, created_by TEXT NOT NULL, expires INTEGER NOT NULL);"
    "CREATE TABLE api_keys(id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " site INTEGER NOT NULL REFERENCES sites(id) ON DELETE CASCADE, name TEXT NOT NULL,"
    " key_sha256 TEXT NOT NULL UNIQUE, start TEXT NOT NULL, scopes TEXT NOT NULL,"
    " created INTEGER NOT NULL, created_by TEXT NOT NULL, last_used INTEGER NOT NULL);"
    "CREATE TABLE share_links(id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " site INTEGER NOT NULL REFERENCES sites(id) ON DELETE CASCADE, name TEXT NOT NULL,"
    " token_hash TEXT NOT NULL UNIQUE, question TEXT NOT NULL, days INTEGER NOT NULL,"
    " created INTEGER NOT NULL, created_by TEXT NOT NULL, expires INTEGER NOT NULL,"
    " last_used INTEGER NOT NULL);"
    "CREATE TABLE audit(id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL,"
    " site INTEGER NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL, detail TEXT NOT NULL);"
    "CREATE INDEX audit_of_site ON audit(site, id);"
    "CREATE TABLE funnel_versions(site INTEGER NOT NULL REFERENCES sites(id) ON DELETE CASCADE,"
    " name TEXT NOT NULL, version INTEGER NOT NULL, saved_ms INTEGER NOT NULL,"
    " author TEXT NOT NULL, note TEXT NOT NULL, definition TEXT NOT NULL,"
    " PRIMARY KEY(site, name, version)) WITHOUT ROWID;"
    "INSERT INTO funnel_versions SELECT site, name, 1, updated_ms, '', '', definition"
    " FROM funnels;"
    "CREATE TABLE saved_filters(site INTEGER NOT NULL REFERENCES sites(id) ON DELETE CASCADE,"
    " name TEXT NOT NULL, updated_ms INTEGER NOT NULL, author TEXT NOT NULL,"
    " filters TEXT NOT NULL, PRIMARY KEY(site, name)) WITHOUT ROWID;";

static const char *const schema[] = {schema_1, schema_2, schema_3, schema_4, schema_5};
#define SCHEMA_VERSION ((int)(sizeof schema / sizeof *schema))

struct settings_db {
    sqlite3 *db;
    pthread_mutex_t lock;
};

enum err_code
settings_db_open(const struct store *s, struct settings_db **out, struct err *err)
{
    char path[FILE_PATH_MAX];
    struct sql_database database = {path, APPLICATION_ID, SCHEMA_VERSION, 0600, true};
    sqlite3 *db = NULL;
    enum err_code rc;

    store_path(s, "settings.db", path);
    rc = sql_open(&database, &db, err);
    if (rc == ERR_OK)
        rc = sql_migrate(db, schema, SCHEMA_VERSION, err);
    if (rc != ERR_OK) {
        sql_close(&db);
        return rc;
    }
    *out = mem_zalloc(sizeof **out);
    (*out)->db = db;
    pthread_mutex_init(&(*out)->lock, NULL);
    return ERR_OK;
}

void
settings_db_close(struct settings_db **db)
{
    if (!*db)
        return;
    sql_close(&(*db)->db);
    pthread_mutex_destroy(&(*db)->lock);
    free(*db);
    *db = NULL;
}

sqlite3 *
settings_db_lock(struct settings_db *db)
{
    pthread_mutex_lock(&db->lock);
    return db->db;
}

void
settings_db_unlock(struct settings_db *db)
{
    sql_rollback(db->db); /* a transaction does not outlive its lock */
    pthread_mutex_unlock(&db->lock);
}

enum err_code
settings_db_version(struct settings_db *db, int64_t *out, struct err *err)
{
    enum err_code rc = sql_data_version(settings_db_lock(db), out, err);

    settings_db_unlock(db);
    return rc;
}

enum err_code
settings_db_copy(struct settings_db *db, const char *path, struct err *err)
{
    enum err_code rc = sql_copy(settings_db_lock(db), path, err);

    settings_db_unlock(db);
    return rc;
}

enum err_code
settings_db_vacuum(struct settings_db *db, struct err *err)
{
    enum err_code rc = sql_vacuum(settings_db_lock(db), err);

    settings_db_unlock(db);
    return rc;
}

enum err_code
settings_db_check(struct settings_db *db, struct arena *a, struct slice *out, struct err *err)
{
    enum err_code rc = sql_check(settings_db_lock(db), a, out, err);

    settings_db_unlock(db);
    return rc;
}

enum err_code
settings_db_property_get(struct settings_db *db, const char *name, struct arena *a,
                         struct slice *out, struct err *err)
{
    sqlite3 *sql = settings_db_lock(db);
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc =
        sql_first(sql, &s, &has_row, err, "SELECT value FROM properties WHERE name = ?", "t",
                  slice_from(name));

    if (rc == ERR_OK && has_row)
        *out = arena_copy(a, sql_text(s, 0));
    if (rc == ERR_OK && !has_row)
        rc = err_set(err, ERR_NOT_FOUND, NULL, "no %s is kept", name);
    sqlite3_finalize(s);
    settings_db_unlock(db);
    return rc;
}

enum err_code
settings_db_property_put(struct settings_db *db, const char *name, struct slice value,
                         struct err *err)
{
    enum err_code rc;

    rc = sql_do(settings_db_lock(db), NULL, err, "INSERT OR REPLACE INTO properties VALUES(?, ?)",
                "tt", slice_from(name), value);
    settings_db_unlock(db);
    return rc;
}
