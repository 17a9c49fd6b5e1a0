#include "web/api/api_key.h"

#include "aggregator/sql.h"
#include "core/clock.h"
#include "web/api/rows.h"
#include "web/api/token.h"

#define PREFIX      "corong_"
#define START_BYTES 11 /* of a key, that are shown */

static const struct {
    const char *word;
    unsigned scope;
} scopes_table[] = {
    {"read", API_KEY_READ}, {"write_events", API_KEY_WRITE_EVENTS}, {"manage", API_KEY_MANAGE}};
#define N_SCOPES (sizeof scopes_table / sizeof *scopes_table)

bool
api_key_scope_parse(struct slice word, unsigned *out)
{
    for (size_t i = 0; i < N_SCOPES; i++) {
        if (slice_is(word, scopes_table[i].word)) {
            *out = scopes_table[i].scope;
            return true;
        }
    }
    return false;
}

struct slice
api_key_scopes_text(unsigned scopes, struct arena *a)
{
    struct slice text = SLICE("");

    for (size_t i = 0; i < N_SCOPES; i++)
        if ((scopes & scopes_table[i].scope) != 0)
            text = arena_printf(a, "%.*s%s%s", SLICE_ARG(text), text.n ? " " : "",
                                scopes_table[i].word);
    return text;
}

static unsigned
parse_scopes(struct slice text)
{
    unsigned all = 0, one;
    struct slice word;

    while (slice_cut(text, ' ', &word, &text) || word.n != 0) {
        if (api_key_scope_parse(word, &one))
            all |= one;
        if (text.n == 0)
            break;
    }
    return all;
}

enum err_code
api_key_create(struct settings_db *db, uint32_t site, struct slice name, unsigned scopes,
               struct slice by, char out[API_KEY_TEXT_MAX], int64_t *out_id, struct err *err)
{
    char token[TOKEN_TEXT_MAX], text[API_KEY_TEXT_MAX], hash[TOKEN_HASH_MAX];
    struct arena a;
    enum err_code rc;
    int n_changed = 0;
    sqlite3 *sql;

    if (name.n == 0 || name.n > API_KEY_NAME_MAX || !slice_is_utf8(name))
        return err_set(err, ERR_INVALID, "name", "must have 1 to %d bytes", API_KEY_NAME_MAX);
    if (scopes == 0)
        return err_set(err, ERR_INVALID, "scopes", "must have one at least");
    token_make(token);
    snprintf(text, sizeof text, PREFIX "%s", token);
    token_hash(slice_from(text), hash);
    arena_init(&a, 1024);
    sql = settings_db_lock(db);
    rc = sql_do(sql, &n_changed, err,
                "INSERT INTO api_keys(site, name, key_sha256, start, scopes, created, created_by,"
                " last_used) SELECT ?, ?, ?, ?, ?, ?, ?, 0 WHERE"
                " (SELECT count(*) FROM api_keys WHERE site = ?) < ?",
                "ittttitii", (int64_t)site, name, slice_from(hash), slice_of(text, START_BYTES),
                api_key_scopes_text(scopes, &a), clock_wall_ms(), by, (int64_t)site,
                (int64_t)API_KEYS_MAX);
    if (rc == ERR_OK && n_changed == 0)
        rc = err_set(err, ERR_LIMIT, NULL, "a site has at most %d keys", API_KEYS_MAX);
    if (rc == ERR_OK)
        *out_id = sqlite3_last_insert_rowid(sql);
    settings_db_unlock(db);
    arena_fini(&a);
    if (rc == ERR_OK)
        memcpy(out, text, sizeof text);
    return rc;
}

#define USED_MS 60000 /* how exactly the last use is known */

enum err_code
api_key_find(struct settings_db *db, struct slice key, struct api_key *out, struct err *err)
{
    char hash[TOKEN_HASH_MAX];
    sqlite3 *sql = settings_db_lock(db);
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    int64_t now_ms = clock_wall_ms(), used_ms = 0;
    enum err_code rc;

    token_hash(key, hash);
    rc = sql_first(sql, &s, &has_row, err,
                   "SELECT id, site, scopes, last_used FROM api_keys WHERE key_sha256 = ?", "t",
                   slice_from(hash));
    if (rc == ERR_OK && has_row) {
        *out = (struct api_key){sqlite3_column_int64(s, 0), (uint32_t)sqlite3_column_int64(s, 1),
                                parse_scopes(sql_text(s, 2))};
        used_ms = sqlite3_column_int64(s, 3);
    }
    sqlite3_finalize(s);
    if (rc == ERR_OK && has_row && now_ms - used_ms > USED_MS)
        rc = sql_do(sql, NULL, err, "UPDATE api_keys SET last_used = ? WHERE id = ?", "ii", now_ms,
                    out->id);
    settings_db_unlock(db);
    if (rc == ERR_OK && !has_row)
        rc = err_set(err, ERR_NOT_FOUND, NULL, "there is no such key");
    return rc;
}

enum err_code
api_key_remove(struct settings_db *db, uint32_t site, int64_t id, struct err *err)
{
    return rows_remove(db, "DELETE FROM api_keys WHERE site = ? AND id = ?", site, id, "key", err);
}

enum err_code
api_key_list(struct settings_db *db, uint32_t site, int64_t id, json_t **out, struct err *err)
{
    return rows_of_site(
        db,
        "SELECT id, name, start, scopes, created, created_by, last_used FROM api_keys"
        " WHERE site = ? AND (? = 0 OR id = ?) ORDER BY id",
        "i id,t name,t start,w scopes,m created,t created_by,M last_used", site, id, out, err);
}
