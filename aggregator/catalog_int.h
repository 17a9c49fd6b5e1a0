/* What the catalog's files share. */
#ifndef AGGREGATOR_CATALOG_INT_H
#define AGGREGATOR_CATALOG_INT_H

#include "aggregator/catalog.h"
#include "aggregator/sql.h"

struct catalog {
    sqlite3 *db;
    struct segment_owner owner;
};

/* Within a transaction. */
enum err_code catalog__add_links(struct catalog *c, const struct catalog_link *links, size_t n,
                                 struct err *err);

/* A later event says that two ids are one person's, of whom one was erased up to a later time: the
 * other one is erased too, up to then, and the link is none. Within a transaction. */
enum err_code catalog__erase_late(sqlite3 *db, const struct segment_owner *owner,
                                  const struct catalog_link *link, bool *out_is_erased,
                                  struct err *err);

/* Within a transaction: delete the links of an id, whichever side. */
enum err_code catalog__remove_links_of(sqlite3 *db, uint32_t site, struct slice id,
                                       struct err *err);

#endif
