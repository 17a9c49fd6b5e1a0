/* What was done to a site, by whom: one row for each request that changed something. */
#ifndef WEB_API_AUDIT_H
#define WEB_API_AUDIT_H

#include <jansson.h>

#include "aggregator/settings_db.h"

#define AUDIT_KEPT 10000 /* rows of one site */

/* site 0: of none. The log is kept to AUDIT_KEPT of each. */
enum err_code audit_add(struct settings_db *db, uint32_t site, struct slice who,
                        struct slice action, struct slice detail, struct err *err);

/* The newest first, of ids below `before` (0: all). */
enum err_code audit_list(struct settings_db *db, uint32_t site, int64_t before, int64_t limit,
                         json_t **out, struct err *err);

#endif
