/* SQLite in our words. What is not here: any table. */
#include "aggregator/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "core/file.h"

enum err_code
sql_error(sqlite3 *db, struct err *err, const char *doing)
{
    int extended = db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;
    const char *words = db ? sqlite3_errmsg(db) : "out of memory";
    enum err_code code;

    switch (extended & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        code = ERR_UNAVAILABLE;
        break;
    case SQLITE_FULL:
        code = ERR_FULL;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* no such table, say: our statements are right, so the schema is not */
        code = ERR_CORRUPT;
        break;
    case SQLITE_CONSTRAINT:
        code = ERR_EXISTS;
        break;
    case SQLITE_CANTOPEN:
        code = ERR_NOT_FOUND;
        break;
    default:
        code = ERR_IO;
        break;
    }
    return err_set(err, code, NULL, "%s: %s", doing, words);
}

/* ---- Opening ---- */

enum err_code
sql_integer(sqlite3 *db, const char *statement, int64_t *out, struct err *err)
{
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc = sql_first(db, &s, &has_row, err, statement, "");

    if (rc == ERR_OK)
        *out = has_row ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_finalize(s);
    return rc;
}

static enum err_code
check_identity(sqlite3 *db, const struct sql_database *database, struct err *err)
{
    int64_t id = 0;
    int64_t version = 0;
    int64_t n_pages = 0;
    enum err_code rc;

    rc = sql_integer(db, "PRAGMA application_id", &id, err);
    if (rc == ERR_OK)
        rc = sql_integer(db, "PRAGMA user_version", &version, err);
    if (rc == ERR_OK)
        rc = sql_integer(db, "PRAGMA page_count", &n_pages, err);
    if (rc != ERR_OK)
        return rc;
    /* a process that ended right after making the file leaves it empty: it is still ours */
    if (n_pages > 1 && (uint32_t)id != database->application_id)
        return err_set(err, ERR_CORRUPT, NULL, "%s is not Corong's", database->path);
    if (version > database->schema_max)
        return err_set(err, ERR_VERSION, NULL,
                       "%s was written by a newer Corong (schema %lld; this program knows %d)",
                       database->path, (long long)version, database->schema_max);
    return ERR_OK;
}

static enum err_code
set_up(sqlite3 *db, const struct sql_database *database, struct err *err)
{
    char statements[256];
    int64_t id = 0;
    enum err_code rc;

    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, SQL_BUSY_MS);
    rc = check_identity(db, database, err);
    if (rc != ERR_OK)
        return rc;
    rc = sql_run(db,
                 "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                 "PRAGMA secure_delete=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON",
                 err);
    if (rc != ERR_OK)
        return rc;
    rc = sql_integer(db, "PRAGMA application_id", &id, err);
    if (rc != ERR_OK || (uint32_t)id == database->application_id)
        return rc;
    snprintf(statements, sizeof statements, "PRAGMA application_id=%d",
             (int)database->application_id);
    return sql_run(db, statements, err);
}

/* Make the file with its mode before its first byte (SQLite gives the same to -wal and -shm). Only
 * a file that was not there is ever opened here: closing any other descriptor of a database drops
 * the locks that this process's connections hold on it. */
static enum err_code
create_file(const struct sql_database *database, struct err *err)
{
    int fd = open(database->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)database->mode);

    if (fd < 0)
        return errno == EEXIST ? ERR_OK : err_errno(err, "create %s", database->path);
    close(fd);
    return file_sync_folder_of(database->path, err); /* its name must outlive a power cut */
}

enum err_code
sql_open(const struct sql_database *database, sqlite3 **out, struct err *err)
{
    sqlite3 *db = NULL;
    enum err_code rc = ERR_OK;

    if (database->create)
        rc = create_file(database, err);
    else if (!file_exists(database->path))
        rc = err_set(err, ERR_NOT_FOUND, NULL, "there is no %s", database->path);
    if (rc != ERR_OK)
        return rc;
    if (sqlite3_open_v2(database->path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, NULL) !=
        SQLITE_OK)
        rc = sql_error(db, err, "open");
    else
        rc = set_up(db, database, err);
    if (rc != ERR_OK)
        sql_close(&db);
    else
        *out = db;
    return rc;
}

void
sql_close(sqlite3 **db)
{
    sqlite3_close_v2(*db);
    *db = NULL;
}

/* ---- Statements ---- */

enum err_code
sql_run(sqlite3 *db, const char *statements, struct err *err)
{
    if (sqlite3_exec(db, statements, NULL, NULL, NULL) != SQLITE_OK)
        return sql_error(db, err, "database");
    return ERR_OK;
}

enum err_code
sql_begin(sqlite3 *db, struct err *err)
{
    return sql_run(db, "BEGIN IMMEDIATE", err);
}

enum err_code
sql_commit(sqlite3 *db, struct err *err)
{
    return sql_run(db, "COMMIT", err);
}

void
sql_rollback(sqlite3 *db)
{
    if (!sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

static enum err_code
migrate_to(sqlite3 *db, int version, const char *statements, struct err *err)
{
    char mark[64];
    int64_t have = 0;
    enum err_code rc;

    rc = sql_integer(db, "PRAGMA user_version", &have, err);
    if (rc != ERR_OK || have >= version)
        return rc;
    rc = sql_begin(db, err);
    if (rc != ERR_OK)
        return rc;
    rc = sql_integer(db, "PRAGMA user_version", &have, err);
    if (rc == ERR_OK && have < version) {
        snprintf(mark, sizeof mark, "PRAGMA user_version=%d", version);
        rc = sql_run(db, statements, err);
        if (rc == ERR_OK)
            rc = sql_run(db, mark, err);
    }
    if (rc == ERR_OK)
        rc = sql_commit(db, err);
    sql_rollback(db);
    return rc;
}

enum err_code
sql_migrate(sqlite3 *db, const char *const *steps, int n_steps, struct err *err)
{
    enum err_code rc = ERR_OK;

    for (int i = 0; rc == ERR_OK && i < n_steps; i++)
        rc = migrate_to(db, i + 1, steps[i], err);
    return rc;
}

enum err_code
sql_prepare(sqlite3 *db, const char *statement, sqlite3_stmt **out, struct err *err)
{
    sqlite3_stmt *s = NULL;

    if (sqlite3_prepare_v2(db, statement, -1, &s, NULL) != SQLITE_OK)
        return sql_error(db, err, "database");
    *out = s;
    return ERR_OK;
}

static int
bind_slice(sqlite3_stmt *s, int i, struct slice v, bool is_text)
{
    /* a NULL pointer would bind NULL; SQLITE_STATIC: the header says borrowed */
    const char *p = v.p ? v.p : "";

    return is_text ? sqlite3_bind_text64(s, i, p, v.n, SQLITE_STATIC, SQLITE_UTF8)
                   : sqlite3_bind_blob64(s, i, p, v.n, SQLITE_STATIC);
}

static enum err_code
bind_all(sqlite3_stmt *s, struct err *err, const char *letters, va_list values)
{
    for (int i = 0; letters[i] != '\0'; i++) {
        int result;

        switch (letters[i]) {
        case 't':
            result = bind_slice(s, i + 1, va_arg(values, struct slice), true);
            break;
        case 'b':
            result = bind_slice(s, i + 1, va_arg(values, struct slice), false);
            break;
        case 'i':
            result = sqlite3_bind_int64(s, i + 1, va_arg(values, int64_t));
            break;
        default:
            result = sqlite3_bind_null(s, i + 1);
            break;
        }
        if (result != SQLITE_OK)
            return sql_error(sqlite3_db_handle(s), err, "bind");
    }
    return ERR_OK;
}

enum err_code
sql_bind(sqlite3_stmt *s, struct err *err, const char *letters, ...)
{
    enum err_code rc;
    va_list values;

    sqlite3_reset(s);
    va_start(values, letters);
    rc = bind_all(s, err, letters, values);
    va_end(values);
    return rc;
}

enum err_code
sql_step(sqlite3_stmt *s, bool *out_row, struct err *err)
{
    int result = sqlite3_step(s);

    if (result != SQLITE_ROW && result != SQLITE_DONE)
        return sql_error(sqlite3_db_handle(s), err, "database");
    *out_row = result == SQLITE_ROW;
    return ERR_OK;
}

/* *out is NULL where it could not be prepared. */
static enum err_code
prepare_bound(sqlite3 *db, sqlite3_stmt **out, struct err *err, const char *statement,
              const char *letters, va_list values)
{
    enum err_code rc = sql_prepare(db, statement, out, err);

    return rc == ERR_OK ? bind_all(*out, err, letters, values) : rc;
}

enum err_code
sql_first(sqlite3 *db, sqlite3_stmt **out, bool *out_row, struct err *err, const char *statement,
          const char *letters, ...)
{
    enum err_code rc;
    va_list values;

    *out = NULL;
    *out_row = false;
    va_start(values, letters);
    rc = prepare_bound(db, out, err, statement, letters, values);
    va_end(values);
    return rc == ERR_OK ? sql_step(*out, out_row, err) : rc;
}

enum err_code
sql_do(sqlite3 *db, int *out_changes, struct err *err, const char *statement, const char *letters,
       ...)
{
    sqlite3_stmt *s = NULL;
    bool has_row = true;
    enum err_code rc;
    va_list values;

    va_start(values, letters);
    rc = prepare_bound(db, &s, err, statement, letters, values);
    va_end(values);
    while (rc == ERR_OK && has_row)
        rc = sql_step(s, &has_row, err);
    if (rc == ERR_OK && out_changes)
        *out_changes = sqlite3_changes(db);
    sqlite3_finalize(s);
    return rc;
}

struct slice
sql_text(sqlite3_stmt *s, int column)
{
    const void *p = sqlite3_column_blob(s, column); /* before bytes: it decides the encoding */
    int n = sqlite3_column_bytes(s, column);

    return p && n > 0 ? slice_of(p, (size_t)n) : SLICE_EMPTY;
}

enum err_code
sql_data_version(sqlite3 *db, int64_t *out, struct err *err)
{
    return sql_integer(db, "PRAGMA data_version", out, err);
}

static enum err_code
copy_into(sqlite3 *db, sqlite3 *copy, struct err *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(copy, "main", db, "main");

    if (!backup)
        return sql_error(copy, err, "copy of a database");
    sqlite3_backup_step(backup, -1);
    if (sqlite3_backup_finish(backup) != SQLITE_OK)
        return sql_error(copy, err, "copy of a database");
    return sql_run(copy, "PRAGMA journal_mode=DELETE", err); /* one file, without a log beside it */
}

enum err_code
sql_copy(sqlite3 *db, const char *path, struct err *err)
{
    struct sql_database database = {.path = path, .mode = 0600};
    sqlite3 *copy = NULL;
    enum err_code rc = create_file(&database, err);

    if (rc != ERR_OK)
        return rc;
    if (sqlite3_open_v2(path, &copy, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        rc = sql_error(copy, err, "open");
    if (rc == ERR_OK)
        rc = copy_into(db, copy, err);
    sql_close(&copy);
    return rc;
}

enum err_code
sql_vacuum(sqlite3 *db, struct err *err)
{
    int64_t is_busy = 0;
    enum err_code rc = sql_run(db, "VACUUM", err);

    if (rc == ERR_OK)
        rc = sql_integer(db, "PRAGMA wal_checkpoint(TRUNCATE)", &is_busy, err);
    if (rc == ERR_OK && is_busy)
        rc = err_set(err, ERR_UNAVAILABLE, NULL, "a reader keeps the database's log");
    return rc;
}

enum err_code
sql_check(sqlite3 *db, struct arena *a, struct slice *out, struct err *err)
{
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc = sql_first(db, &s, &has_row, err, "PRAGMA integrity_check(20)", "");

    if (rc == ERR_OK)
        *out = arena_copy(a, has_row ? sql_text(s, 0) : SLICE("no answer"));
    sqlite3_finalize(s);
    return rc;
}
