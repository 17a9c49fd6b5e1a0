#include "web/api/people.h"

#include "aggregator/sql.h"
#include "core/clock.h"
#include "web/api/password.h"
#include "web/api/rows.h"
#include "web/api/token.h"

/* ---- Roles; helpers run under settings_db's lock ---- */

static enum err_code
find_role(sqlite3 *sql, struct slice email, uint32_t site, bool *out_has, enum account_role *out,
          struct err *err)
{
    sqlite3_stmt *s = NULL;
    enum err_code rc =
        sql_first(sql, &s, out_has, err, "SELECT role FROM site_roles WHERE email = ? AND site = ?",
                  "ti", email, (int64_t)site);

    if (rc == ERR_OK && *out_has && !account_role_parse(sql_text(s, 0), out))
        rc = err_set(err, ERR_CORRUPT, NULL, "settings.db holds a role that is none");
    sqlite3_finalize(s);
    return rc;
}

enum err_code
people_role(struct settings_db *db, const struct account *account, uint32_t site, bool *out_has,
            enum account_role *out, struct err *err)
{
    enum account_role own = ROLE_VIEWER;
    bool has_own = false;
    enum err_code rc =
        find_role(settings_db_lock(db), slice_from(account->email), site, &has_own, &own, err);

    settings_db_unlock(db);
    *out_has = has_own || account->is_everywhere;
    *out = account->is_everywhere && (!has_own || account->role > own) ? account->role : own;
    return rc;
}

enum err_code
people_list(struct settings_db *db, uint32_t site, json_t **out_people, json_t **out_invitations,
            struct err *err)
{
    struct rows_query people = {
        .statement = "SELECT accounts.email, coalesce(site_roles.role, accounts.role),"
                     " is_everywhere FROM accounts LEFT JOIN site_roles"
                     " ON site_roles.email = accounts.email AND site = ?"
                     " WHERE is_everywhere OR site_roles.role IS NOT NULL ORDER BY accounts.email",
        .letters = "i",
        .numbers = {site},
        .columns = "t email,t role,b is_everywhere"};
    struct rows_query invitations = {
        .statement = "SELECT id, email, role, created, created_by, expires FROM invitations"
                     " WHERE site = ? AND expires > ? ORDER BY id",
        .letters = "ii",
        .numbers = {site, clock_wall_ms()},
        .columns = "i id,t email,t role,m created,t created_by,m expires"};
    enum err_code rc = rows_json(db, &people, out_people, err);

    if (rc != ERR_OK)
        return rc;
    rc = rows_json(db, &invitations, out_invitations, err);
    if (rc != ERR_OK)
        json_decref(*out_people);
    return rc;
}

static enum err_code
put_role(sqlite3 *sql, struct slice email, uint32_t site, enum account_role role, struct err *err)
{
    return sql_do(sql, NULL, err, "INSERT OR REPLACE INTO site_roles VALUES(?, ?, ?)", "tit", email,
                  (int64_t)site, slice_from(account_role_name(role)));
}

/* Is there such an account, and is its role its own for all sites? */
static enum err_code
find_account(sqlite3 *sql, struct slice email, bool *out_has, bool *out_everywhere, struct err *err)
{
    sqlite3_stmt *s = NULL;
    enum err_code rc = sql_first(sql, &s, out_has, err,
                                 "SELECT is_everywhere FROM accounts WHERE email = ?", "t", email);

    *out_everywhere = rc == ERR_OK && *out_has && sqlite3_column_int64(s, 0) != 0;
    sqlite3_finalize(s);
    return rc;
}

static enum err_code
check_account(sqlite3 *sql, struct slice email, struct err *err)
{
    bool has = false, is_everywhere = false;
    enum err_code rc = find_account(sql, email, &has, &is_everywhere, err);

    if (rc == ERR_OK && !has)
        rc = err_set(err, ERR_NOT_FOUND, "email", "has no account");
    if (rc == ERR_OK && is_everywhere)
        rc = err_set(err, ERR_CONFLICT, "email", "has a role for all sites: `corong user`");
    return rc;
}

enum err_code
people_set_role(struct settings_db *db, struct slice email, uint32_t site, enum account_role role,
                struct err *err)
{
    sqlite3 *sql = settings_db_lock(db);
    enum err_code rc = sql_begin(sql, err);

    if (rc == ERR_OK)
        rc = check_account(sql, email, err);
    if (rc == ERR_OK)
        rc = put_role(sql, email, site, role, err);
    if (rc == ERR_OK)
        rc = sql_commit(sql, err);
    settings_db_unlock(db);
    return rc;
}

enum err_code
people_remove(struct settings_db *db, struct slice email, uint32_t site, struct err *err)
{
    sqlite3 *sql = settings_db_lock(db);
    int n_changed = 0;
    enum err_code rc = sql_begin(sql, err);

    if (rc == ERR_OK)
        rc = check_account(sql, email, err);
    if (rc == ERR_OK)
        rc = sql_do(sql, &n_changed, err, "DELETE FROM site_roles WHERE email = ? AND site = ?",
                    "ti", email, (int64_t)site);
    if (rc == ERR_OK && n_changed == 0)
        rc = err_set(err, ERR_NOT_FOUND, "email", "has no role for this site");
    if (rc == ERR_OK)
        rc = sql_commit(sql, err);
    settings_db_unlock(db);
    return rc;
}

/* The account (made where hash is not "") and its role for the site, in one transaction. */
static enum err_code
add_person(sqlite3 *sql, struct slice email, const char *hash, uint32_t site,
           enum account_role role, struct err *err)
{
    enum err_code rc = ERR_OK;

    if (hash[0] != '\0') {
        rc = sql_do(sql, NULL, err,
                    "INSERT INTO accounts(email, password_hash, role, created, is_everywhere)"
                    " VALUES(?, ?, 'viewer', ?, 0)",
                    "tti", email, slice_from(hash), clock_wall_ms());
        if (rc == ERR_EXISTS)
            rc = err_set(err, ERR_EXISTS, "email", "%.*s has an account already",
                         SLICE_ARG(slice_sub(email, 0, ACCOUNT_EMAIL_MAX)));
    }
    return rc == ERR_OK ? put_role(sql, email, site, role, err) : rc;
}

enum err_code
people_add(struct settings_db *db, struct slice email, struct slice password, uint32_t site,
           enum account_role role, struct err *err)
{
    char normal[ACCOUNT_EMAIL_MAX + 1], hash[PASSWORD_HASH_MAX];
    sqlite3 *sql;
    enum err_code rc = account_email_normalize(email, normal, err);

    if (rc == ERR_OK)
        rc = password_hash(password, hash, err);
    if (rc != ERR_OK)
        return rc;
    sql = settings_db_lock(db);
    rc = sql_begin(sql, err);
    if (rc == ERR_OK)
        rc = add_person(sql, slice_from(normal), hash, site, role, err);
    if (rc == ERR_OK)
        rc = sql_commit(sql, err);
    settings_db_unlock(db);
    return rc;
}

/* ---- Invitations ---- */

enum err_code
invitation_create(struct settings_db *db, uint32_t site, struct slice email, enum account_role role,
                  struct slice by, char out[ACCOUNT_TOKEN_MAX], int64_t *out_id, struct err *err)
{
    char normal[ACCOUNT_EMAIL_MAX + 1], token[TOKEN_TEXT_MAX], hash[TOKEN_HASH_MAX];
    int64_t now_ms = clock_wall_ms();
    int n_changed = 0;
    sqlite3 *sql;
    enum err_code rc = account_email_normalize(email, normal, err);

    if (rc != ERR_OK)
        return rc;
    token_make(token);
    token_hash(slice_from(token), hash);
    sql = settings_db_lock(db);
    rc = sql_do(sql, NULL, err, "DELETE FROM invitations WHERE expires <= ?", "i", now_ms);
    if (rc == ERR_OK)
        rc = sql_do(sql, &n_changed, err,
                    "INSERT INTO invitations(token_hash, email, site, role, created, created_by,"
                    " expires) SELECT ?, ?, ?, ?, ?, ?, ? WHERE"
                    " (SELECT count(*) FROM invitations WHERE site = ?) < ?",
                    "ttititiii", slice_from(hash), slice_from(normal), (int64_t)site,
                    slice_from(account_role_name(role)), now_ms, by, now_ms + INVITATION_MS,
                    (int64_t)site, (int64_t)INVITATIONS_MAX);
    if (rc == ERR_OK && n_changed == 0)
        rc = err_set(err, ERR_LIMIT, NULL, "a site has at most %d invitations", INVITATIONS_MAX);
    if (rc == ERR_OK)
        *out_id = sqlite3_last_insert_rowid(sql);
    settings_db_unlock(db);
    if (rc == ERR_OK)
        memcpy(out, token, sizeof token);
    return rc;
}

static enum err_code
find_invitation(sqlite3 *sql, struct slice token, struct invitation *out, struct err *err)
{
    char hash[TOKEN_HASH_MAX];
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc;

    token_hash(token, hash);
    rc = sql_first(sql, &s, &has_row, err,
                   "SELECT id, site, role, expires, email, EXISTS(SELECT 1 FROM accounts WHERE"
                   " accounts.email = invitations.email) FROM invitations"
                   " WHERE token_hash = ? AND expires > ?",
                   "ti", slice_from(hash), clock_wall_ms());
    if (rc == ERR_OK && !has_row)
        rc = err_set(err, ERR_DENIED, "token", "this link is not, or no longer, valid");
    if (rc == ERR_OK) {
        *out = (struct invitation){.id = sqlite3_column_int64(s, 0),
                                   .site = (uint32_t)sqlite3_column_int64(s, 1),
                                   .expires_ms = sqlite3_column_int64(s, 3),
                                   .has_account = sqlite3_column_int64(s, 5) != 0};
        if (!account_role_parse(sql_text(s, 2), &out->role) ||
            !slice_to_cstr(sql_text(s, 4), out->email, sizeof out->email))
            rc = err_set(err, ERR_CORRUPT, NULL, "settings.db holds an invitation that is none");
    }
    sqlite3_finalize(s);
    return rc;
}

enum err_code
invitation_find(struct settings_db *db, struct slice token, struct invitation *out, struct err *err)
{
    enum err_code rc = find_invitation(settings_db_lock(db), token, out, err);

    settings_db_unlock(db);
    return rc;
}

enum err_code
invitation_remove(struct settings_db *db, uint32_t site, int64_t id, struct err *err)
{
    return rows_remove(db, "DELETE FROM invitations WHERE site = ? AND id = ?", site, id,
                       "invitation", err);
}

/* Found again within the transaction: of two who use the link at once one wins. */
static enum err_code
commit_invitation(sqlite3 *sql, struct slice token, const char *hash, struct err *err)
{
    struct invitation i;
    enum err_code rc = sql_begin(sql, err);

    if (rc == ERR_OK)
        rc = find_invitation(sql, token, &i, err);
    if (rc == ERR_OK)
        rc = add_person(sql, slice_from(i.email), hash, i.site, i.role, err);
    if (rc == ERR_OK)
        rc = sql_do(sql, NULL, err, "DELETE FROM invitations WHERE id = ?", "i", i.id);
    return rc == ERR_OK ? sql_commit(sql, err) : rc;
}

enum err_code
invitation_accept(struct settings_db *db, struct slice token, struct slice password,
                  struct account *out, struct err *err)
{
    char hash[PASSWORD_HASH_MAX] = "";
    struct invitation i;
    enum err_code rc = invitation_find(db, token, &i, err);

    if (rc == ERR_OK && i.has_account)
        rc = account_check(db, slice_from(i.email), password, out, err);
    if (rc == ERR_OK && !i.has_account)
        rc = password_hash(password, hash, err);
    if (rc != ERR_OK)
        return rc;
    rc = commit_invitation(settings_db_lock(db), token, hash, err);
    settings_db_unlock(db);
    if (rc == ERR_OK && !i.has_account) {
        *out = (struct account){.role = ROLE_VIEWER};
        memcpy(out->email, i.email, sizeof out->email);
    }
    return rc;
}
