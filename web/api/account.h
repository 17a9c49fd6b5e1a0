/* Accounts of the dashboard and how one becomes the first: the tables accounts, sessions and
 * setup_tokens of settings.db.
 *
 * Every function takes settings_db's lock for its few short statements; hashing a password (the
 * slow part) happens outside of it. That lock is a leaf: nothing else is locked while it is held.
 * What lets somebody in (session and setup tokens) is 256 random bits, of which only the SHA-256 is
 * stored, so that a copy of the file opens no door. All functions are thread-safe.
 */
#ifndef WEB_API_ACCOUNT_H
#define WEB_API_ACCOUNT_H

#include <jansson.h>

#include "aggregator/settings_db.h"
#include "core/err.h"
#include "core/slice.h"

#define ACCOUNT_EMAIL_MAX  254
#define ACCOUNT_AGENT_MAX  200
#define ACCOUNT_TOKEN_MAX  48 /* a token as text with its NUL */
#define ACCOUNT_SETUP_MS   (INT64_C(7) * 24 * 3600 * 1000)
#define ACCOUNT_SESSION_MS (INT64_C(30) * 24 * 3600 * 1000)

enum account_role { ROLE_VIEWER, ROLE_EDITOR, ROLE_OWNER };

struct account {
    enum account_role role; /* for all sites, where it is everywhere; else see people.h */
    bool is_everywhere;
    char email[ACCOUNT_EMAIL_MAX + 1];
};

/* "owner", "editor", "viewer" */
const char *account_role_name(enum account_role role);
bool account_role_parse(struct slice text, enum account_role *out);

/* In lower case, with one "@" that has something on both sides; no more is checked. ERR_INVALID. */
enum err_code account_email_normalize(struct slice email, char out[ACCOUNT_EMAIL_MAX + 1],
                                      struct err *err);

/* ERR_INVALID (field "email" or "password"), ERR_EXISTS. */
enum err_code account_add(struct settings_db *db, struct slice email, struct slice password,
                          enum account_role role, struct err *err);
enum err_code account_count(struct settings_db *db, int64_t *out, struct err *err);

/* A new one-time token for the first account; an older one is void. ERR_EXISTS where there is an
 * account already. Valid for 7 days, until used, or until an account exists. */
enum err_code account_setup_token_create(struct settings_db *db, char out[ACCOUNT_TOKEN_MAX],
                                         struct err *err);

/* Make the first account, an owner, and use the token up. ERR_DENIED (token), ERR_EXISTS,
 * ERR_INVALID, ERR_UNAVAILABLE (password.h). Nothing is changed on an error. */
enum err_code account_setup(struct settings_db *db, struct slice token, struct slice email,
                            struct slice password, struct account *out, struct err *err);

/* Is it that account's password? email as account_email_normalize wrote it. ERR_DENIED for an
 * unknown account and a wrong password alike, in the same time; ERR_UNAVAILABLE. */
enum err_code account_check(struct settings_db *db, struct slice email, struct slice password,
                            struct account *out, struct err *err);

/* ---- Sessions: a browser that is signed in, for 30 days ---- */

/* A new session; the one of the token `replaces` (may be "") ends, so that a token known before a
 * sign-in is worth nothing after it. */
enum err_code account_session_create(struct settings_db *db, const struct account *account,
                                     struct slice replaces, char out[ACCOUNT_TOKEN_MAX],
                                     struct err *err);

/* Whose session is it? ERR_NOT_FOUND also where it is over. */
enum err_code account_session_find(struct settings_db *db, struct slice token, struct account *out,
                                   struct err *err);

/* What browser it is, for people to tell their sessions apart; cut to ACCOUNT_AGENT_MAX. */
enum err_code account_session_describe(struct settings_db *db, struct slice token,
                                       struct slice agent, struct err *err);

/* An account's sessions as the API shows them, `current` being that of the token; and the end of
 * one of them, by the id that is shown. ERR_NOT_FOUND, field "session". */
enum err_code account_session_list(struct settings_db *db, const struct account *account,
                                   struct slice token, json_t **out, struct err *err);
enum err_code account_session_remove(struct settings_db *db, const struct account *account,
                                     struct slice id, struct err *err);

/* ERR_OK also where there was none. */
enum err_code account_session_end(struct settings_db *db, struct slice token, struct err *err);

#endif
