/* What the catalog's files share. */
#ifndef AGGREGATOR_CATALOG_INT_H
#define AGGREGATOR_CATALOG_INT_H

#include "aggregator/catalog.h"
#include "aggregator/sql.h"

struct catalog {
    sqlite3 *db;
    struct segment_owner owner;
    char dir[FILE_PATH_MAX];
    char mark_path[FILE_PATH_MAX];
    char erased_path[FILE_PATH_MAX];
    bool is_mark_troubled; /* it could not be written: said once */
};

/* Within a transaction. */
enum err_code catalog__add_links(struct catalog *c, const struct catalog_link *links, size_t n,
                                 struct err *err);

/* A later event says that two ids are one person's, of whom one was erased up to a later time: the
 * other one is erased too, up to then, and the link is none. Within a transaction. */
enum err_code catalog__erase_late(struct catalog *c, const struct catalog_link *link,
                                  bool *out_is_erased, struct err *err);

/* Within a transaction: delete the links of an id, whichever side. */
enum err_code catalog__remove_links_of(sqlite3 *db, uint32_t site, struct slice id,
                                       struct err *err);

/* ---- Tombstones (catalog_erase.c), and their file (catalog_erased.c) ---- */

struct catalog__tombstone {
    uint32_t site;
    struct segment_erased erased;
    int64_t created_ms;
};

/* Within a transaction: the later of it and what is there. *out_is_new: something changed. */
enum err_code catalog__tombstone_put(sqlite3 *db, const struct catalog__tombstone *t,
                                     bool *out_is_new, struct err *err);
/* All whose checks agree; *out is the caller's to free. */
enum err_code catalog__tombstones(sqlite3 *db, struct catalog__tombstone **out, size_t *out_n,
                                  struct err *err);

/* Within a transaction, before its commit. */
enum err_code catalog__erased_append(const struct catalog *c, const struct catalog__tombstone *t,
                                     struct err *err);
enum err_code catalog__erased_forget(const struct catalog *c, int64_t before_ms, struct err *err);

/* ---- The mark (catalog_mark.c) ---- */

void catalog__mark_path(const struct store *s, struct catalog *c);
/* 0 where it is missing or damaged. */
uint64_t catalog__mark_read(const struct catalog *c, bool *is_damaged);
/* After a commit that has changed the generation. Never fails: what fails is logged. */
void catalog__mark_committed(struct catalog *c, uint64_t generation,
                             const struct catalog_written *written); /* may be NULL */
/* Is the catalog behind it? Then the alarm, and the tombstones of `erased`. */
enum err_code catalog__mark_check(struct catalog *c, struct err *err);
enum err_code catalog__generation(sqlite3 *db, uint64_t *out, struct err *err);

#endif
