#include "web/api/account.h"

#include "aggregator/sql.h"
#include "core/clock.h"
#include "web/api/password.h"
#include "web/api/rows.h"
#include "web/api/token.h"

_Static_assert(ACCOUNT_TOKEN_MAX == TOKEN_TEXT_MAX, "one size of token");

static const char *const role_names[] = {
    [ROLE_VIEWER] = "viewer", [ROLE_EDITOR] = "editor", [ROLE_OWNER] = "owner"};

const char *
account_role_name(enum account_role role)
{
    return role_names[role];
}

bool
account_role_parse(struct slice text, enum account_role *out)
{
    for (int i = ROLE_VIEWER; i <= ROLE_OWNER; i++) {
        if (slice_is(text, role_names[i])) {
            *out = (enum account_role)i;
            return true;
        }
    }
    return false;
}

/* ---- Email addresses ---- */

static bool
is_email_byte(unsigned char c)
{
    return c > ' ' && c != 0x7F && strchr("\"(),:;<>[\\]", c) == NULL;
}

enum err_code
account_email_normalize(struct slice email, char out[ACCOUNT_EMAIL_MAX + 1], struct err *err)
{
    static const char words[] = "an email address looks like name@shop.example";
    struct slice s = slice_trim(email);
    size_t at = slice_find(s, '@', 0);

    if (s.n > ACCOUNT_EMAIL_MAX)
        return err_set(err, ERR_INVALID, "email", "an email address has at most %d bytes",
                       ACCOUNT_EMAIL_MAX);
    if (at == 0 || at + 1 >= s.n || slice_find(s, '@', at + 1) != s.n || !slice_is_utf8(s))
        return err_set(err, ERR_INVALID, "email", "%s", words);
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!is_email_byte((unsigned char)c))
            return err_set(err, ERR_INVALID, "email", "%s", words);
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    out[s.n] = '\0';
    return ERR_OK;
}

/* ---- Accounts; the helpers run under settings_db's lock ---- */

static enum err_code
insert_account(sqlite3 *sql, const char *email, const char *hash, enum account_role role,
               struct err *err)
{
    enum err_code rc;

    rc = sql_do(sql, NULL, err,
                "INSERT INTO accounts (email, password_hash, role, created) VALUES (?, ?, ?, ?)",
                "ttti", slice_from(email), slice_from(hash), slice_from(account_role_name(role)),
                clock_wall_ms());
    if (rc == ERR_EXISTS)
        return err_set(err, ERR_EXISTS, "email", "%s has an account already", email);
    return rc;
}

static enum err_code
count_accounts(sqlite3 *sql, int64_t *out, struct err *err)
{
    return sql_integer(sql, "SELECT COUNT(*) FROM accounts", out, err);
}

/* The columns email, role, is_everywhere of a row. */
static enum err_code
read_account(sqlite3_stmt *s, struct account *out, struct err *err)
{
    if (!slice_to_cstr(sql_text(s, 0), out->email, sizeof out->email) ||
        !account_role_parse(sql_text(s, 1), &out->role))
        return err_set(err, ERR_CORRUPT, NULL, "settings.db holds an account that is none");
    out->is_everywhere = sqlite3_column_int64(s, 2) != 0;
    return ERR_OK;
}

/* By email; *out_hash is "" where there is none. */
static enum err_code
find_account(sqlite3 *sql, struct slice email, struct account *out,
             char out_hash[PASSWORD_HASH_MAX], struct err *err)
{
    sqlite3_stmt *s = NULL;
    enum err_code rc;
    bool has_row = false;

    out_hash[0] = '\0';
    rc = sql_first(sql, &s, &has_row, err,
                   "SELECT email, role, is_everywhere, password_hash FROM accounts WHERE"
                   " email = ?",
                   "t", email);
    if (rc == ERR_OK && has_row)
        rc = read_account(s, out, err);
    if (rc == ERR_OK && has_row && !slice_to_cstr(sql_text(s, 3), out_hash, PASSWORD_HASH_MAX))
        rc = err_set(err, ERR_CORRUPT, NULL, "settings.db holds a password hash that is none");
    sqlite3_finalize(s);
    return rc;
}

enum err_code
account_add(struct settings_db *db, struct slice email, struct slice password,
            enum account_role role, struct err *err)
{
    char normal[ACCOUNT_EMAIL_MAX + 1], hash[PASSWORD_HASH_MAX];
    enum err_code rc;

    rc = account_email_normalize(email, normal, err);
    if (rc == ERR_OK)
        rc = password_hash(password, hash, err);
    if (rc != ERR_OK)
        return rc;
    rc = insert_account(settings_db_lock(db), normal, hash, role, err);
    settings_db_unlock(db);
    return rc;
}

enum err_code
account_count(struct settings_db *db, int64_t *out, struct err *err)
{
    enum err_code rc = count_accounts(settings_db_lock(db), out, err);

    settings_db_unlock(db);
    return rc;
}

enum err_code
account_check(struct settings_db *db, struct slice email, struct slice password,
              struct account *out, struct err *err)
{
    struct account account = {.role = ROLE_VIEWER};
    char hash[PASSWORD_HASH_MAX];
    enum err_code rc;
    bool is_right;

    rc = find_account(settings_db_lock(db), email, &account, hash, err);
    settings_db_unlock(db);
    if (rc == ERR_OK)
        rc = password_verify(hash[0] != '\0' ? hash : NULL, password, &is_right, err);
    if (rc != ERR_OK)
        return rc;
    if (!is_right)
        return err_set(err, ERR_DENIED, NULL, "the email address or the password is wrong");
    *out = account;
    return ERR_OK;
}

/* ---- The first account ---- */

static enum err_code
check_is_first(sqlite3 *sql, struct err *err)
{
    int64_t n;
    enum err_code rc = count_accounts(sql, &n, err);

    if (rc == ERR_OK && n != 0)
        return err_set(err, ERR_EXISTS, NULL, "there is an account already");
    return rc;
}

static enum err_code
replace_setup_token(sqlite3 *sql, struct slice hash, struct err *err)
{
    int64_t now = clock_wall_ms();
    enum err_code rc = sql_begin(sql, err);

    if (rc == ERR_OK)
        rc = check_is_first(sql, err);
    if (rc == ERR_OK)
        rc = sql_run(sql, "DELETE FROM setup_tokens", err);
    if (rc == ERR_OK)
        rc = sql_do(sql, NULL, err,
                    "INSERT INTO setup_tokens (token_hash, created, expires) VALUES (?, ?, ?)",
                    "tii", hash, now, now + ACCOUNT_SETUP_MS);
    return rc == ERR_OK ? sql_commit(sql, err) : rc;
}

enum err_code
account_setup_token_create(struct settings_db *db, char out[ACCOUNT_TOKEN_MAX], struct err *err)
{
    char token[TOKEN_TEXT_MAX], hash[TOKEN_HASH_MAX];
    enum err_code rc;

    token_make(token);
    token_hash(slice_from(token), hash);
    rc = replace_setup_token(settings_db_lock(db), slice_from(hash), err);
    settings_db_unlock(db);
    if (rc == ERR_OK)
        memcpy(out, token, sizeof token);
    return rc;
}

/* ERR_EXISTS where an account is there, ERR_DENIED where the token is not the one. */
static enum err_code
check_setup(sqlite3 *sql, const char *token, struct err *err)
{
    sqlite3_stmt *s = NULL;
    enum err_code rc;
    bool has_row = false;

    rc = check_is_first(sql, err);
    if (rc == ERR_OK)
        rc = sql_first(sql, &s, &has_row, err,
                       "SELECT 1 FROM setup_tokens WHERE token_hash = ? AND expires > ?", "ti",
                       slice_from(token), clock_wall_ms());
    sqlite3_finalize(s);
    if (rc == ERR_OK && !has_row)
        return err_set(err, ERR_DENIED, "token", "this link is not, or no longer, valid");
    return rc;
}

/* Checked again, now in one transaction with the account: of two who use the link at once one
 * wins. */
static enum err_code
commit_setup(sqlite3 *sql, const char *token, const char *email, const char *hash, struct err *err)
{
    enum err_code rc = sql_begin(sql, err);

    if (rc == ERR_OK)
        rc = check_setup(sql, token, err);
    if (rc == ERR_OK)
        rc = insert_account(sql, email, hash, ROLE_OWNER, err);
    if (rc == ERR_OK)
        rc = sql_run(sql, "DELETE FROM setup_tokens", err);
    return rc == ERR_OK ? sql_commit(sql, err) : rc;
}

enum err_code
account_setup(struct settings_db *db, struct slice token, struct slice email, struct slice password,
              struct account *out, struct err *err)
{
    char token_text[TOKEN_HASH_MAX], hash[PASSWORD_HASH_MAX];
    struct account account = {.role = ROLE_OWNER, .is_everywhere = true};
    enum err_code rc;

    /* First of all, so that only who holds the link can make the machine hash a password. */
    token_hash(token, token_text);
    rc = check_setup(settings_db_lock(db), token_text, err);
    settings_db_unlock(db);
    if (rc == ERR_OK)
        rc = account_email_normalize(email, account.email, err);
    if (rc == ERR_OK)
        rc = password_hash(password, hash, err);
    if (rc != ERR_OK)
        return rc;
    rc = commit_setup(settings_db_lock(db), token_text, account.email, hash, err);
    settings_db_unlock(db);
    if (rc == ERR_OK)
        *out = account;
    return rc;
}

/* ---- Sessions ---- */

/* Those that are over go with it, so that the table never grows for long. */
static enum err_code
delete_session(sqlite3 *sql, struct slice token, struct err *err)
{
    char hash[TOKEN_HASH_MAX];

    token_hash(token, hash);
    return sql_do(sql, NULL, err, "DELETE FROM sessions WHERE token_hash = ? OR expires <= ?", "ti",
                  slice_from(hash), clock_wall_ms());
}

static enum err_code
replace_session(sqlite3 *sql, const char *email, struct slice token, struct slice replaces,
                struct err *err)
{
    char hash[TOKEN_HASH_MAX];
    int64_t now = clock_wall_ms();
    enum err_code rc = sql_begin(sql, err);

    token_hash(token, hash);
    if (rc == ERR_OK)
        rc = delete_session(sql, replaces, err);
    if (rc == ERR_OK)
        rc = sql_do(sql, NULL, err,
                    "INSERT INTO sessions (token_hash, email, created, expires, last_seen)"
                    " VALUES (?, ?, ?, ?, ?)",
                    "ttiii", slice_from(hash), slice_from(email), now, now + ACCOUNT_SESSION_MS,
                    now);
    return rc == ERR_OK ? sql_commit(sql, err) : rc;
}

enum err_code
account_session_create(struct settings_db *db, const struct account *account, struct slice replaces,
                       char out[ACCOUNT_TOKEN_MAX], struct err *err)
{
    char token[TOKEN_TEXT_MAX];
    enum err_code rc;

    token_make(token);
    rc = replace_session(settings_db_lock(db), account->email, slice_from(token), replaces, err);
    settings_db_unlock(db);
    if (rc == ERR_OK)
        memcpy(out, token, sizeof token);
    return rc;
}

#define SEEN_MS                                                                                    \
    (INT64_C(5) * 60 * 1000) /* how exactly it is known when a session was last used               \
                              */

static enum err_code
find_session(sqlite3 *sql, const char *hash, struct account *out, bool *out_found, struct err *err)
{
    int64_t now_ms = clock_wall_ms(), seen_ms;
    sqlite3_stmt *s = NULL;
    enum err_code rc =
        sql_first(sql, &s, out_found, err,
                  "SELECT accounts.email, role, is_everywhere, last_seen FROM sessions"
                  " JOIN accounts ON accounts.email = sessions.email"
                  " WHERE token_hash = ? AND expires > ?",
                  "ti", slice_from(hash), clock_wall_ms());

    if (rc == ERR_OK && *out_found)
        rc = read_account(s, out, err);
    seen_ms = rc == ERR_OK && *out_found ? sqlite3_column_int64(s, 3) : now_ms;
    sqlite3_finalize(s);
    if (rc == ERR_OK && now_ms - seen_ms > SEEN_MS)
        rc = sql_do(sql, NULL, err, "UPDATE sessions SET last_seen = ? WHERE token_hash = ?", "it",
                    now_ms, slice_from(hash));
    return rc;
}

enum err_code
account_session_find(struct settings_db *db, struct slice token, struct account *out,
                     struct err *err)
{
    char hash[TOKEN_HASH_MAX];
    enum err_code rc;
    bool is_found = false;

    token_hash(token, hash);
    rc = find_session(settings_db_lock(db), hash, out, &is_found, err);
    settings_db_unlock(db);
    if (rc == ERR_OK && !is_found)
        return err_set(err, ERR_NOT_FOUND, NULL, "no such session");
    return rc;
}

enum err_code
account_session_describe(struct settings_db *db, struct slice token, struct slice agent,
                         struct err *err)
{
    char hash[TOKEN_HASH_MAX];
    enum err_code rc;

    token_hash(token, hash);
    agent = slice_sub(agent, 0, ACCOUNT_AGENT_MAX);
    if (!slice_is_utf8(agent))
        agent = SLICE("");
    rc =
        sql_do(settings_db_lock(db), NULL, err,
               "UPDATE sessions SET agent = ? WHERE token_hash = ?", "tt", agent, slice_from(hash));
    settings_db_unlock(db);
    return rc;
}

/* A session's id is the begin of its token's hash: enough to tell it, of no use to get in. */
enum err_code
account_session_list(struct settings_db *db, const struct account *account, struct slice token,
                     json_t **out, struct err *err)
{
    struct rows_query q = {
        .statement = "SELECT substr(token_hash, 1, 16), created, last_seen, expires, agent FROM"
                     " sessions WHERE email = ? AND expires > ? ORDER BY last_seen DESC, created",
        .letters = "ti",
        .numbers = {clock_wall_ms()},
        .text = slice_from(account->email),
        .columns = "t id,m created,m last_seen,m expires,t agent"};
    char hash[TOKEN_HASH_MAX];
    json_t *session;
    size_t i;
    enum err_code rc = rows_json(db, &q, out, err);

    if (rc != ERR_OK)
        return rc;
    token_hash(token, hash);
    json_array_foreach(*out, i, session)
    {
        const char *id = json_string_value(json_object_get(session, "id"));

        json_object_set_new(session, "current", json_boolean(strncmp(id, hash, 16) == 0));
    }
    return ERR_OK;
}

enum err_code
account_session_remove(struct settings_db *db, const struct account *account, struct slice id,
                       struct err *err)
{
    int n_changed = 0;
    enum err_code rc =
        sql_do(settings_db_lock(db), &n_changed, err,
               "DELETE FROM sessions WHERE email = ? AND substr(token_hash, 1, 16) = ?", "tt",
               slice_from(account->email), id);

    settings_db_unlock(db);
    if (rc == ERR_OK && n_changed == 0)
        rc = err_set(err, ERR_NOT_FOUND, "session", "there is no such session");
    return rc;
}

enum err_code
account_session_end(struct settings_db *db, struct slice token, struct err *err)
{
    enum err_code rc = delete_session(settings_db_lock(db), token, err);

    settings_db_unlock(db);
    return rc;
}
