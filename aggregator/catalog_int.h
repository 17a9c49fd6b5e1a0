/* What the catalog's files share. */
#ifndef AGGREGATOR_CATALOG_INT_H
#define AGGREGATOR_CATALOG_INT_H

#include "aggregator/catalog.h"
#include "aggregator/sql.h"

struct catalog {
    sqlite3 *db;
};

#endif
