/* The pool of open segments: what the catalog lists, who is one person, who was erased. */
#include "aggregator/snapshot_int.h"

#include <stdlib.h>

#include "core/log.h"

enum err_code
snapshot_pool_open(const struct store *s, struct snapshot_pool **out, struct err *err)
{
    struct settings_db *settings = NULL;
    struct catalog *catalog = NULL;
    struct snapshot_pool *p;
    enum err_code rc;

    rc = catalog_open(s, true, &catalog, err);
    if (rc == ERR_OK)
        rc = settings_db_open(s, &settings, err);
    if (rc != ERR_OK) {
        catalog_close(&catalog);
        return rc;
    }
    p = mem_zalloc(sizeof *p);
    p->settings = settings;
    p->store = s;
    p->owner = store_owner(s);
    p->catalog = catalog;
    pthread_mutex_init(&p->lock, NULL);
    *out = p;
    return ERR_OK;
}

/* ---- Files ---- */

void
snapshot__let_go(struct pooled **file)
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
        snapshot__let_go(&p->files[i]);
    free(p->files);
    p->files = NULL;
    p->n = 0;
    p->is_listed = false;
}

void
snapshot__open(struct snapshot_pool *p, struct pooled *f)
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

struct site_links *
snapshot__find_site(struct snapshot_pool *p, uint32_t site)
{
    for (size_t i = 0; i < p->n_sites; i++)
        if (p->sites[i].site == site)
            return &p->sites[i];
    return NULL;
}

void
snapshot__add_site(struct snapshot_pool *p, uint32_t site)
{
    p->sites = mem_realloc(p->sites, (p->n_sites + 1) * sizeof *p->sites);
    p->sites[p->n_sites] = (struct site_links){.site = site};
    arena_init(&p->sites[p->n_sites++].arena, SNAPSHOT__BLOCK_BYTES);
}

static void
add_link(const struct catalog_link *link, void *context)
{
    person_book_add(context, link);
}

/* What came since, or, where links were replaced or removed, all of them. */
static enum err_code
read_links(struct snapshot_pool *p, struct site_links *s, struct err *err)
{
    enum err_code rc = ERR_OK;

    if (s->book && s->read.n_bad == 0)
        rc = catalog_links_read(p->catalog, s->site, &s->read, add_link, s->book, err);
    if (rc == ERR_OK && s->book && s->read.is_whole)
        return ERR_OK;
    person_book_release(&s->book);
    if (rc != ERR_OK)
        return rc;
    s->book = person_book_create(&p->owner);
    s->read = (struct catalog_links){.seq = 0};
    rc = catalog_links_read(p->catalog, s->site, &s->read, add_link, s->book, err);
    if (rc != ERR_OK)
        person_book_release(&s->book);
    else if (!s->read.is_whole)
        log_error("site %u: the catalog's links do not agree with their checks", s->site);
    return rc;
}

/* Where somebody was erased, no earlier snapshot may give him any more. */
static enum err_code
read_erased(struct snapshot_pool *p, struct site_links *s, struct err *err)
{
    struct catalog_erased erased;
    struct arena a;
    enum err_code rc;

    arena_init(&a, SNAPSHOT__BLOCK_BYTES);
    rc = catalog_erased_read(p->catalog, s->site, &a, &erased, err);
    if (rc != ERR_OK) {
        arena_fini(&a);
        return rc;
    }
    if (erased.list.n != s->erased.list.n ||
        (erased.list.n > 0 && memcmp(erased.list.list, s->erased.list.list,
                                     erased.list.n * sizeof *erased.list.list) != 0))
        snapshot__forget_kept(p, p->n_kept);
    if (!erased.is_whole)
        log_error("site %u: the catalog's tombstones do not agree with their checks", s->site);
    arena_fini(&s->arena);
    s->arena = a;
    s->erased = erased;
    return ERR_OK;
}

/* Segments, links and tombstones of one moment. */
static enum err_code
read_catalog(struct snapshot_pool *p, struct arena *a, struct catalog_list *list, struct err *err)
{
    enum err_code rc = catalog_reading_begin(p->catalog, err);

    if (rc != ERR_OK)
        return rc;
    rc = catalog_read(p->catalog, a, list, err);
    if (rc == ERR_OK)
        rc = catalog_lost_commits(p->catalog, &p->n_lost, err);
    for (size_t i = 0; rc == ERR_OK && i < p->n_sites; i++)
        if ((rc = read_erased(p, &p->sites[i], err)) == ERR_OK)
            rc = read_links(p, &p->sites[i], err);
    catalog_reading_end(p->catalog);
    return rc;
}

enum err_code
snapshot__refresh(struct snapshot_pool *p, bool again, struct err *err)
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
    rc = read_catalog(p, &a, &list, err);
    if (rc == ERR_OK) {
        if (!p->is_listed || again || list.generation != p->generation || !list.is_whole)
            take_listing(p, &list);
        p->version = version;
    }
    arena_fini(&a);
    return rc;
}

/* ---- Closing ---- */

static void
forget_site(struct site_links *s)
{
    person_book_release(&s->book);
    arena_fini(&s->arena);
}

void
snapshot_pool_close(struct snapshot_pool **p)
{
    if (!*p)
        return;
    snapshot__forget_kept(*p, (*p)->n_kept);
    free((*p)->kept);
    forget_listing(*p);
    for (size_t i = 0; i < (*p)->n_sites; i++)
        forget_site(&(*p)->sites[i]);
    free((*p)->sites);
    catalog_close(&(*p)->catalog);
    settings_db_close(&(*p)->settings);
    pthread_mutex_destroy(&(*p)->lock);
    free(*p);
    *p = NULL;
}
