/* Share links: one stored report of one site for whoever has the link. Stored is only the SHA-256
 * of what is in it. */
#ifndef WEB_API_SHARE_H
#define WEB_API_SHARE_H

#include <jansson.h>

#include "web/api/account.h"

#define SHARES_MAX     100 /* of one site */
#define SHARE_NAME_MAX 120
#define SHARE_DAYS     90 /* until it ends, where nothing else is said */
#define SHARE_DAYS_MAX 3650
#define SHARE_BACK_MAX 400 /* days of a rolling range */
#define SHARE_LEAST    5   /* visitors of a figure that is shown */

struct share {
    int64_t id;
    uint32_t site;
    struct slice name;
    struct slice question; /* the body of POST report */
    int64_t days;          /* the last so many days; 0: as the question says */
};

struct share_wish {
    uint32_t site;
    struct slice name;
    struct slice question;
    int64_t days;
    int64_t expires_ms; /* 0: never */
    struct slice by;
};

/* The token is shown once. ERR_INVALID, ERR_LIMIT. */
enum err_code share_create(struct settings_db *db, const struct share_wish *wish,
                           char out[ACCOUNT_TOKEN_MAX], int64_t *out_id, struct err *err);

/* In the arena; notes that it was used. ERR_NOT_FOUND also where it is over. */
enum err_code share_find(struct settings_db *db, struct slice token, struct arena *a,
                         struct share *out, struct err *err);
enum err_code share_remove(struct settings_db *db, uint32_t site, int64_t id, struct err *err);

/* Of the site (id 0: all of them; else that one), as the API shows them. */
enum err_code share_list(struct settings_db *db, uint32_t site, int64_t id, json_t **out,
                         struct err *err);

/* What is shown of a report (the JSON of POST report): how many got how far, and value; no figure
 * of 1 to SHARE_LEAST - 1 visitors, and none that is such a figure's difference to others (null).
 * Rows of so few are in the row of others. The caller's. */
json_t *share_report(const json_t *report);

#endif
