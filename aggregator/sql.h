/* The few calls of SQLite that the catalog, the settings and the accounts share: errors in our
 * words, statements bound and read by slices. Nothing here knows a table.
 */
#ifndef AGGREGATOR_SQL_H
#define AGGREGATOR_SQL_H

#include <sqlite3.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/slice.h"

#define SQL_BUSY_MS 10000 /* how long a writer waits for another before ERR_UNAVAILABLE */

/* Open (create = true: make) a database in WAL mode with synchronous=FULL, foreign keys and
 * secure_delete on. A database of another application id or a newer schema than `schema_max` is
 * refused untouched (ERR_CORRUPT, ERR_VERSION). */
struct sql_database {
    const char *path;
    uint32_t application_id; /* written into new files; "file" tells it */
    int schema_max;          /* PRAGMA user_version that this program knows */
    unsigned mode;           /* of a new file */
    bool create;
};
enum err_code sql_open(const struct sql_database *database, sqlite3 **out, struct err *err);
void sql_close(sqlite3 **db);

/* Run one or more statements that take nothing and give nothing. */
enum err_code sql_run(sqlite3 *db, const char *statements, struct err *err);

/* Bring a schema up to date: user_version is the number of steps that were run; each of the others
 * is run in a transaction that several processes may try at once. */
enum err_code sql_migrate(sqlite3 *db, const char *const *steps, int n_steps, struct err *err);

/* BEGIN IMMEDIATE .. COMMIT; sql_rollback never fails and may be called without a transaction. */
enum err_code sql_begin(sqlite3 *db, struct err *err);
enum err_code sql_commit(sqlite3 *db, struct err *err);
void sql_rollback(sqlite3 *db);

enum err_code sql_prepare(sqlite3 *db, const char *statement, sqlite3_stmt **out, struct err *err);

/* Bind in the order of the letters: t struct slice (text), i int64_t, b struct slice (blob),
 * n nothing (NULL). Slices are borrowed until the statement is reset or finalized. */
enum err_code sql_bind(sqlite3_stmt *s, struct err *err, const char *letters, ...);

/* *out_row is true where there is a row, false at the end. */
enum err_code sql_step(sqlite3_stmt *s, bool *out_row, struct err *err);

/* Prepare, bind and step: *out stands on the first row where *out_row is true, and is finalized by
 * the caller in any case. All rows:
 *
 *     rc = sql_first(db, &s, &has_row, err, "SELECT name FROM funnels WHERE site = ?", "i", site);
 *     for (; rc == ERR_OK && has_row; rc = sql_step(s, &has_row, err))
 *         ... sql_text(s, 0) ...
 *     sqlite3_finalize(s);
 */
enum err_code sql_first(sqlite3 *db, sqlite3_stmt **out, bool *out_row, struct err *err,
                        const char *statement, const char *letters, ...);

/* The one number that a statement gives; 0 where it gives no row. */
enum err_code sql_integer(sqlite3 *db, const char *statement, int64_t *out, struct err *err);

/* Prepare, bind, step to the end, finalize: a statement without rows. out_changes may be NULL. */
enum err_code sql_do(sqlite3 *db, int *out_changes, struct err *err, const char *statement,
                     const char *letters, ...);

/* A column as text, borrowed until the next step; NULL is "". */
struct slice sql_text(sqlite3_stmt *s, int column);

/* What SQLite last said about db, as one of our codes: busy is ERR_UNAVAILABLE, full ERR_FULL;
 * corrupt, "not a database" and a schema that is not ours ERR_CORRUPT, a broken constraint
 * ERR_EXISTS, else ERR_IO. */
enum err_code sql_error(sqlite3 *db, struct err *err, const char *doing);

/* PRAGMA data_version: another value than before means another connection has committed. */
enum err_code sql_data_version(sqlite3 *db, int64_t *out, struct err *err);

/* Copy the database as it is at one moment, without waiting for writers nor making them wait, into
 * a new file of mode 0600, fsync'ed. Within a transaction of db: as of that transaction. */
enum err_code sql_copy(sqlite3 *db, const char *path, struct err *err);

/* Write the file anew without what was deleted, its log included. ERR_UNAVAILABLE: it is in use. */
enum err_code sql_vacuum(sqlite3 *db, struct err *err);

/* PRAGMA integrity_check; *out is "ok" or the first problems, in the arena. */
enum err_code sql_check(sqlite3 *db, struct arena *a, struct slice *out, struct err *err);

#endif
