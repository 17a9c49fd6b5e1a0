/* API keys: what a program of the customer's may do with one site. Sent as `Authorization: Bearer`;
 * stored is only the SHA-256, and the first characters for people to tell keys apart. */
#ifndef WEB_API_API_KEY_H
#define WEB_API_API_KEY_H

#include <jansson.h>

#include "aggregator/site.h"

#define API_KEY_TEXT_MAX 64 /* a key as text with its NUL */
#define API_KEY_NAME_MAX 120
#define API_KEYS_MAX     SITE_KEYS_MAX

enum api_key_scope {
    API_KEY_READ = 1,         /* everything that is read */
    API_KEY_WRITE_EVENTS = 2, /* POST /api/v1/events of the collector */
    API_KEY_MANAGE = 4        /* what editors may change */
};

/* "read write_events" */
bool api_key_scope_parse(struct slice word, unsigned *out);
struct slice api_key_scopes_text(unsigned scopes, struct arena *a);

struct api_key {
    int64_t id;
    uint32_t site;
    unsigned scopes;
};

/* A new key, which is shown once. ERR_INVALID (name), ERR_LIMIT. */
enum err_code api_key_create(struct settings_db *db, uint32_t site, struct slice name,
                             unsigned scopes, struct slice by, char out[API_KEY_TEXT_MAX],
                             int64_t *out_id, struct err *err);

/* By the key itself; notes that it was used. ERR_NOT_FOUND. */
enum err_code api_key_find(struct settings_db *db, struct slice key, struct api_key *out,
                           struct err *err);

enum err_code api_key_remove(struct settings_db *db, uint32_t site, int64_t id, struct err *err);

/* Of the site (id 0: all of them; else that one), as the API shows them. */
enum err_code api_key_list(struct settings_db *db, uint32_t site, int64_t id, json_t **out,
                           struct err *err);

#endif
