#include "web/api/rows.h"

#include "aggregator/sql.h"
#include "core/timestamp.h"

static json_t *
moment_json(int64_t ms)
{
    char text[TIMESTAMP_TEXT_MAX];

    return json_string(timestamp_format(ms, true, text));
}

static json_t *
words_json(struct slice text)
{
    json_t *list = json_array();
    struct slice word;

    while (text.n != 0) {
        slice_cut(text, ' ', &word, &text);
        json_array_append_new(list, json_stringn(word.p, word.n));
    }
    return list;
}

static json_t *
column_json(sqlite3_stmt *s, int i, char letter)
{
    struct slice text;
    json_t *value;

    switch (letter) {
    case 'i':
        return json_integer(sqlite3_column_int64(s, i));
    case 'b':
        return json_boolean(sqlite3_column_int64(s, i) != 0);
    case 'M':
        if (sqlite3_column_int64(s, i) == 0)
            return json_null();
        return moment_json(sqlite3_column_int64(s, i));
    case 'm':
        return moment_json(sqlite3_column_int64(s, i));
    case 'w':
        return words_json(sql_text(s, i));
    case 'j':
        text = sql_text(s, i);
        value = json_loadb(text.p, text.n, 0, NULL);
        return value ? value : json_null();
    default:
        text = sql_text(s, i);
        return json_stringn(text.p, text.n);
    }
}

static json_t *
row_json(sqlite3_stmt *s, const char *columns)
{
    struct slice rest = slice_from(columns), column;
    json_t *row = json_object();

    for (int i = 0; rest.n != 0; i++) {
        slice_cut(rest, ',', &column, &rest);
        json_object_setn_new_nocheck(row, column.p + 2, column.n - 2,
                                     column_json(s, i, column.p[0]));
    }
    return row;
}

static enum err_code
bind(sqlite3_stmt *s, const struct rows_query *q, struct err *err)
{
    int n_numbers = 0;

    for (int i = 0; q->letters[i] != '\0'; i++) {
        int rc = q->letters[i] == 'i'
                     ? sqlite3_bind_int64(s, i + 1, q->numbers[n_numbers++])
                     : sqlite3_bind_text(s, i + 1, q->text.p, (int)q->text.n, SQLITE_STATIC);

        if (rc != SQLITE_OK)
            return err_set(err, ERR_IO, NULL, "settings.db takes no parameter");
    }
    return ERR_OK;
}

enum err_code
rows_json(struct settings_db *db, const struct rows_query *q, json_t **out, struct err *err)
{
    sqlite3 *sql = settings_db_lock(db);
    json_t *list = json_array();
    sqlite3_stmt *s = NULL;
    bool has_row = true;
    enum err_code rc = sql_prepare(sql, q->statement, &s, err);

    if (rc == ERR_OK)
        rc = bind(s, q, err);
    while (rc == ERR_OK && (rc = sql_step(s, &has_row, err)) == ERR_OK && has_row)
        json_array_append_new(list, row_json(s, q->columns));
    sqlite3_finalize(s);
    settings_db_unlock(db);
    if (rc == ERR_OK)
        *out = list;
    else
        json_decref(list);
    return rc;
}

enum err_code
rows_of_site(struct settings_db *db, const char *statement, const char *columns, uint32_t site,
             int64_t id, json_t **out, struct err *err)
{
    struct rows_query q = {
        .statement = statement, .letters = "iii", .numbers = {site, id, id}, .columns = columns};

    return rows_json(db, &q, out, err);
}

enum err_code
rows_remove(struct settings_db *db, const char *statement, uint32_t site, int64_t id,
            const char *field, struct err *err)
{
    int n_changed = 0;
    enum err_code rc =
        sql_do(settings_db_lock(db), &n_changed, err, statement, "ii", (int64_t)site, id);

    settings_db_unlock(db);
    if (rc == ERR_OK && n_changed == 0)
        rc = err_set(err, ERR_NOT_FOUND, field, "there is no such %s", field);
    return rc;
}
