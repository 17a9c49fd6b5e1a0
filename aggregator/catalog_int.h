/* What the catalog's files share. */
#ifndef AGGREGATOR_CATALOG_INT_H
#define AGGREGATOR_CATALOG_INT_H

#include "aggregator/catalog.h"
#include "aggregator/sql.h"

struct catalog {
    sqlite3 *db;
};

/* Within a transaction. */
enum err_code catalog__add_links(sqlite3 *db, const struct catalog_link *links, size_t n,
                                 struct err *err);

#endif
