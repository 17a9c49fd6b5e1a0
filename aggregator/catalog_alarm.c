/* Alarms: kept where every process can read them, counted, told once a code. */
#include "aggregator/catalog_int.h"

#include "core/clock.h"

enum err_code
catalog_alarm_raise(struct catalog *c, const char *code, uint64_t n, const char *message,
                    struct err *err)
{
    int64_t now = clock_wall_ms();

    return sql_do(c->db, NULL, err,
                  "INSERT INTO alarms VALUES(?, ?, ?, ?, ?) ON CONFLICT(code) DO UPDATE SET"
                  " message = excluded.message, last_ms = excluded.last_ms, n = n + excluded.n",
                  "ttiii", slice_from(code), slice_from(message), now, now, (int64_t)n);
}

enum err_code
catalog_alarm_clear(struct catalog *c, const char *code, struct err *err)
{
    return sql_do(c->db, NULL, err, "DELETE FROM alarms WHERE code = ?", "t", slice_from(code));
}

#define ALARMS_MAX 100

enum err_code
catalog_alarms(struct catalog *c, struct arena *a, struct catalog_alarm **out, size_t *out_n,
               struct err *err)
{
    struct catalog_alarm *alarms = ARENA_ARRAY(a, struct catalog_alarm, ALARMS_MAX);
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc;
    size_t n = 0;

    rc = sql_first(c->db, &s, &has_row, err,
                   "SELECT code, message, first_ms, last_ms, n FROM alarms ORDER BY code", "");
    for (; rc == ERR_OK && n < ALARMS_MAX && has_row; rc = sql_step(s, &has_row, err))
        alarms[n++] =
            (struct catalog_alarm){arena_copy(a, sql_text(s, 0)), arena_copy(a, sql_text(s, 1)),
                                   sqlite3_column_int64(s, 2), sqlite3_column_int64(s, 3),
                                   (uint64_t)sqlite3_column_int64(s, 4)};
    sqlite3_finalize(s);
    if (rc != ERR_OK)
        return rc;
    *out = alarms;
    *out_n = n;
    return ERR_OK;
}
