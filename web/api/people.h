/* Who may do what with a site: roles per site, and invitations by link. Roles for all sites are the
 * account's own (account.h). */
#ifndef WEB_API_PEOPLE_H
#define WEB_API_PEOPLE_H

#include <jansson.h>

#include "web/api/account.h"

#define INVITATION_MS   (INT64_C(7) * 24 * 3600 * 1000)
#define INVITATIONS_MAX 100 /* of one site */

/* The account's role for a site: the higher one of its role for all and that for this one. False
 * where it has none. */
enum err_code people_role(struct settings_db *db, const struct account *account, uint32_t site,
                          bool *out_has, enum account_role *out, struct err *err);

/* Everybody who has a role for the site, and who is invited. */
enum err_code people_list(struct settings_db *db, uint32_t site, json_t **out_people,
                          json_t **out_invitations, struct err *err);

/* Give (also to one who has none), or take away. ERR_NOT_FOUND, field "email": no such account, or
 * it has no role here; ERR_CONFLICT: its role is for all sites. */
enum err_code people_set_role(struct settings_db *db, struct slice email, uint32_t site,
                              enum account_role role, struct err *err);
enum err_code people_remove(struct settings_db *db, struct slice email, uint32_t site,
                            struct err *err);

/* A new account for one site only. As account_add. */
enum err_code people_add(struct settings_db *db, struct slice email, struct slice password,
                         uint32_t site, enum account_role role, struct err *err);

struct invitation {
    int64_t id;
    uint32_t site;
    char email[ACCOUNT_EMAIL_MAX + 1];
    enum account_role role;
    int64_t expires_ms;
    bool has_account; /* already */
};

/* The token is in the link, and only its SHA-256 is stored. ERR_INVALID, ERR_LIMIT. */
enum err_code invitation_create(struct settings_db *db, uint32_t site, struct slice email,
                                enum account_role role, struct slice by,
                                char out[ACCOUNT_TOKEN_MAX], int64_t *out_id, struct err *err);
enum err_code invitation_find(struct settings_db *db, struct slice token, struct invitation *out,
                              struct err *err); /* ERR_DENIED, field "token" */
enum err_code invitation_remove(struct settings_db *db, uint32_t site, int64_t id, struct err *err);

/* Use it up. password: that of the account which is there, or that of the new one. ERR_DENIED,
 * ERR_INVALID, ERR_UNAVAILABLE (password.h). */
enum err_code invitation_accept(struct settings_db *db, struct slice token, struct slice password,
                                struct account *out, struct err *err);

#endif
