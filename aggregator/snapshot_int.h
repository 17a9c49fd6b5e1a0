/* What snapshot.c and snapshot_pool.c share.
 *
 * One lock guards everything here (settings have their own); it is held while the catalog is read
 * and while files are opened (each is verified once in its life), never while a query scans. An
 * open file is counted: one for being in the pool's latest listing, one for each snapshot that
 * holds it.
 */
#ifndef AGGREGATOR_SNAPSHOT_INT_H
#define AGGREGATOR_SNAPSHOT_INT_H

#include <pthread.h>

#include "aggregator/snapshot.h"

#define SNAPSHOT__BLOCK_BYTES 4096 /* of arenas */

/* A file of the latest listing, or one that a snapshot still holds. */
struct pooled {
    struct catalog_segment row;
    struct segment *segment; /* NULL: not opened yet, or it cannot be */
    enum err_code rc;        /* ERR_OK, or why it cannot ever be opened */
    char problem[400];
    unsigned n_users;
};

/* Who is one person on a site that was asked about, as of the latest listing. */
struct site_links {
    uint32_t site;
    struct catalog_links read;
    struct person_book *book;
    struct arena arena; /* of erased */
    struct catalog_erased erased;
};

struct snapshot_pool {
    const struct store *store;
    struct segment_owner owner;
    pthread_mutex_t lock;
    struct catalog *catalog;
    struct settings_db *settings; /* for what sites keep */
    bool is_listed;
    int64_t version; /* of the catalog when it was listed */
    uint64_t generation;
    uint64_t check;
    bool is_whole;
    size_t n_bad;
    uint64_t n_lost; /* commits that it has lost */
    size_t n;        /* live files, by name */
    struct pooled **files;
    size_t n_sites;
    struct site_links *sites;
    size_t n_kept;
    struct kept *kept; /* SNAPSHOT_KEPT_MAX of them, in the order of until_ms; NULL: none yet */
};

/* What snapshot_take gives, with what it owns. */
struct held {
    struct snapshot snapshot; /* first: the caller's pointer is to it */
    struct snapshot_scope scope;
    unsigned n_users; /* queries, and the pool where it is kept */
    struct slice page_groups;
    struct arena arena;
    struct pooled **files;
};

struct kept {
    struct held *held;
    int64_t until_ms; /* by clock_steady_ms */
};

/* ---- snapshot_pool.c; all under the lock ---- */

/* List the catalog anew where somebody has committed since (or `again`). */
enum err_code snapshot__refresh(struct snapshot_pool *p, bool again, struct err *err);

/* Open a file of the listing; f->rc and f->problem say why it has no segment. */
void snapshot__open(struct snapshot_pool *p, struct pooled *f);
void snapshot__let_go(struct pooled **file);

/* NULL: it was not asked about yet. */
struct site_links *snapshot__find_site(struct snapshot_pool *p, uint32_t site);
void snapshot__add_site(struct snapshot_pool *p, uint32_t site); /* known once refreshed `again` */

/* ---- snapshot.c; under the lock ---- */

/* Forget the n oldest of what is kept. */
void snapshot__forget_kept(struct snapshot_pool *p, size_t n);

#endif
