/* corong visitor erase SITE VISITOR [--now] */
#ifndef CMD_VISITOR_ERASE_H
#define CMD_VISITOR_ERASE_H

#include "aggregator/query.h"
#include "aggregator/settings_db.h"
#include "cmd/cmd.h"

/* Prints what was done. ERR_NOT_FOUND: no such site or visitor. */
enum err_code visitor_erase(struct cmd *c, const struct store *store, struct settings_db *db,
                            struct snapshot_pool *pool, struct err *err);

#endif
