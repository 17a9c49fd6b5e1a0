/* Snapshots and the pool of open segments.
 *
 * One lock guards everything here; it is held while the catalog is read and while files are opened
 * (each is verified once in its life), never while a query scans. An open file is counted: one for
 * being in the pool's latest listing, one for each snapshot that holds it.
 */
#include "aggregator/snapshot.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/log.h"

#define TRIES 3 /* new listings where a file has gone in between */

/* A file of the latest listing, or one that a snapshot still holds. */
struct pooled {
    struct catalog_segment row;
    struct segment *segment; /* NULL: not opened yet, or it cannot be */
    enum err_code rc;        /* ERR_OK, or why it cannot ever be opened */
    char problem[400];
    unsigned n_users;
};

struct snapshot_pool {
    const struct store *store;
    struct segment_owner owner;
    pthread_mutex_t lock;
    struct catalog *catalog;
    bool is_listed;
    int64_t version; /* of the catalog when it was listed */
    uint64_t generation;
    uint64_t check;
    bool is_whole;
    size_t n_bad;
    size_t n; /* live files, by name */
    struct pooled **files;
};

/* What snapshot_take gives, with what it owns. */
struct held {
    struct snapshot snapshot; /* first: the caller's pointer is to it */
    struct arena arena;
    struct pooled **files;
};

enum err_code
snapshot_pool_open(const struct store *s, struct snapshot_pool **out, struct err *err)
{
    struct catalog *catalog = NULL;
    struct snapshot_pool *p;
    enum err_code rc;

    rc = catalog_open(s, true, &catalog, err);
    if (rc != ERR_OK)
        return rc;
    p = mem_zalloc(sizeof *p);
    p->store = s;
    p->owner = store_owner(s);
    p->catalog = catalog;
    pthread_mutex_init(&p->lock, NULL);
    *out = p;
    return ERR_OK;
}

static void
let_go(struct pooled **file)
{
    struct pooled *f = *file;

    *file = NULL;
    if (--f->n_users > 0)
        return;
    segment_close(&f->segment);
    free(f);
}

static void
forget_listing(struct snapshot_pool *p)
{
    for (size_t i = 0; i < p->n; i++)
        let_go(&p->files[i]);
    free(p->files);
    p->files = NULL;
    p->n = 0;
    p->is_listed = false;
}

void
snapshot_pool_close(struct snapshot_pool **p)
{
    if (!*p)
        return;
    forget_listing(*p);
    catalog_close(&(*p)->catalog);
    pthread_mutex_destroy(&(*p)->lock);
    free(*p);
    *p = NULL;
}

/* ---- Listing ---- */

static struct pooled *
find_pooled(struct pooled **files, size_t n, const char *name)
{
    size_t low = 0;

    while (n > 0) {
        size_t half = n / 2;
        int order = strcmp(files[low + half]->row.name, name);

        if (order == 0)
            return files[low + half];
        if (order < 0) {
            low += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return NULL;
}

static struct pooled *
new_pooled(const struct catalog_segment *row)
{
    struct pooled *f = mem_zalloc(sizeof *f);

    f->row = *row;
    f->n_users = 1;
    return f;
}

/* The new listing, with the files that are open already and live still. */
static void
take_listing(struct snapshot_pool *p, const struct catalog_list *list)
{
    struct pooled **files = mem_zalloc((list->n + 1) * sizeof(struct pooled *));

    for (size_t i = 0; i < list->n; i++) {
        struct pooled *known = find_pooled(p->files, p->n, list->segments[i].name);

        if (known && known->segment) {
            known->n_users++;
            files[i] = known;
        } else {
            files[i] = new_pooled(&list->segments[i]);
            if (known) /* to say the same thing only once */
                memcpy(files[i]->problem, known->problem, sizeof known->problem);
        }
    }
    forget_listing(p);
    p->files = files;
    p->n = list->n;
    p->is_listed = true;
    p->generation = list->generation;
    p->check = list->check;
    p->is_whole = list->is_whole;
    p->n_bad = list->n_bad;
}

/* List the catalog anew where somebody has committed since (or `again`). */
static enum err_code
refresh(struct snapshot_pool *p, bool again, struct err *err)
{
    struct catalog_list list;
    struct arena a;
    int64_t version = 0;
    enum err_code rc;

    rc = catalog_version(p->catalog, &version, err);
    if (rc != ERR_OK)
        return rc;
    if (p->is_listed && version == p->version && !again)
        return ERR_OK;
    arena_init(&a, 64 << 10);
    rc = catalog_read(p->catalog, &a, &list, err);
    if (rc == ERR_OK) {
        if (!p->is_listed || again || list.generation != p->generation || !list.is_whole)
            take_listing(p, &list);
        p->version = version;
    }
    arena_fini(&a);
    return rc;
}

/* ---- Taking ---- */

static void
open_pooled(struct snapshot_pool *p, struct pooled *f)
{
    char path[FILE_PATH_MAX];
    struct err err = ERR_NONE;

    if (f->segment || f->rc != ERR_OK)
        return;
    store_segment_path(p->store, f->row.name, path);
    f->rc = segment_open(path, &p->owner, &f->segment, &err);
    if (f->rc == ERR_OK && segment_info(f->segment)->n_rows != f->row.n_rows) {
        segment_close(&f->segment);
        f->rc = err_set(&err, ERR_CORRUPT, NULL, "%s is not the file that the catalog means",
                        f->row.name);
    }
    if (f->rc != ERR_OK && f->rc != ERR_NOT_FOUND && strcmp(f->problem, err.message) != 0)
        log_error("segment left out: %s", err.message);
    memcpy(f->problem, err.message, sizeof f->problem);
    if (f->rc == ERR_IO) /* too many open files, say: the next snapshot tries again */
        f->rc = ERR_OK;
}

/* Open what fits. False where a file has gone and a new listing may know better. */
static bool
open_fitting(struct snapshot_pool *p, uint32_t site, int64_t from_ms, int64_t to_ms)
{
    bool is_complete = true;

    for (size_t i = 0; i < p->n; i++) {
        if (!catalog_segment_fits(&p->files[i]->row, site, from_ms, to_ms))
            continue;
        open_pooled(p, p->files[i]);
        is_complete = is_complete && p->files[i]->rc != ERR_NOT_FOUND;
    }
    return is_complete;
}

static void
add_warning(struct held *h, struct snapshot_warning *warnings, const char *code,
            struct slice message)
{
    warnings[h->snapshot.n_warnings++] = (struct snapshot_warning){slice_from(code), message};
}

static struct held *
make_held(struct snapshot_pool *p, uint32_t site, int64_t from_ms, int64_t to_ms)
{
    struct held *h = mem_zalloc(sizeof *h);
    struct snapshot_warning *warnings;
    struct snapshot_segment *segments;

    arena_init(&h->arena, 8192);
    segments = ARENA_ARRAY(&h->arena, struct snapshot_segment, p->n + 1);
    warnings = ARENA_ARRAY(&h->arena, struct snapshot_warning, p->n + 1);
    h->files = ARENA_ARRAY(&h->arena, struct pooled *, p->n + 1);
    snprintf(h->snapshot.name, sizeof h->snapshot.name, "c%" PRIu64 "-%02x", p->generation,
             (unsigned)(p->check & 0xff));
    if (!p->is_whole)
        add_warning(h, warnings, "catalog_damaged",
                    arena_printf(&h->arena,
                                 "The catalog does not agree with its own checks (%zu rows are "
                                 "damaged): figures may be too small. Run `corong check`.",
                                 p->n_bad));
    for (size_t i = 0; i < p->n; i++) {
        struct pooled *f = p->files[i];

        if (!catalog_segment_fits(&f->row, site, from_ms, to_ms))
            continue;
        if (!f->segment) {
            add_warning(h, warnings, "segment_left_out",
                        arena_printf(&h->arena, "%" PRIu64 " events of %s are not counted: %s",
                                     f->row.n_rows, f->row.name, f->problem));
            continue;
        }
        f->n_users++;
        h->files[h->snapshot.n] = f;
        segments[h->snapshot.n++] = (struct snapshot_segment){&f->row, f->segment};
    }
    h->snapshot.segments = segments;
    h->snapshot.warnings = warnings;
    return h;
}

enum err_code
snapshot_take(struct snapshot_pool *p, uint32_t site, int64_t from_ms, int64_t to_ms,
              const struct snapshot **out, struct err *err)
{
    enum err_code rc;

    pthread_mutex_lock(&p->lock);
    rc = refresh(p, false, err);
    for (int i = 0; rc == ERR_OK && !open_fitting(p, site, from_ms, to_ms) && i < TRIES; i++)
        rc = refresh(p, true, err);
    if (rc == ERR_OK)
        *out = &make_held(p, site, from_ms, to_ms)->snapshot;
    pthread_mutex_unlock(&p->lock);
    return rc;
}

void
snapshot_release(struct snapshot_pool *p, const struct snapshot **snapshot)
{
    struct held *h = (struct held *)(uintptr_t)*snapshot;

    if (!h)
        return;
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < h->snapshot.n; i++)
        let_go(&h->files[i]);
    pthread_mutex_unlock(&p->lock);
    arena_fini(&h->arena);
    free(h);
    *snapshot = NULL;
}

enum err_code
snapshot_version(struct snapshot_pool *p, uint64_t *out_generation, struct err *err)
{
    enum err_code rc;

    pthread_mutex_lock(&p->lock);
    rc = refresh(p, false, err);
    if (rc == ERR_OK)
        *out_generation = p->generation;
    pthread_mutex_unlock(&p->lock);
    return rc;
}
