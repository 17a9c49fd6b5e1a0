/* The demonstration: a site marked as such, with three months of generated traffic and funnels. */
#ifndef CMD_DEMO_H
#define CMD_DEMO_H

#include "aggregator/site.h"
#include "aggregator/store.h"
#include "core/arena.h"

#define DEMO_SITE "demo"

/* Make the site where it is not there yet and fill it (once: a site with events is left alone).
 * The traffic of whole weeks ends now. *out lives in the arena. ERR_EXISTS where a site of this
 * name is no demonstration. */
enum err_code demo_prepare(const struct store *store, struct settings_db *db, struct arena *a,
                           struct site *out, struct err *err);

#endif
