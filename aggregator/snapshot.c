/* Snapshots and the pool of open segments.
 *
 * One lock guards everything here (settings have their own); it is held while the catalog is read
 * and while files are opened (each is verified once in its life), never while a query scans. An
 * open file is counted: one for being in the pool's latest listing, one for each snapshot that
 * holds it.
 */
#include "aggregator/snapshot.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "aggregator/site.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/log.h"

#define ARENA_BLOCK_BYTES 4096 /* of a snapshot */

#define TRIES 3 /* new listings where a file has gone in between */

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

static struct held *
held_of(const struct snapshot *snapshot)
{
    return (struct held *)(uintptr_t)snapshot;
}

static void
let_go_held(struct held *h)
{
    if (--h->n_users > 0)
        return;
    for (size_t i = 0; i < h->snapshot.n; i++)
        let_go(&h->files[i]);
    persons_release(&h->snapshot.persons);
    persons_release(&h->snapshot.compare_persons);
    arena_fini(&h->arena);
    free(h);
}

/* The first n, which are the oldest. */
static void
forget_kept(struct snapshot_pool *p, size_t n)
{
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        let_go_held(p->kept[i].held);
    p->n_kept -= n;
    memmove(p->kept, p->kept + n, p->n_kept * sizeof *p->kept);
}

static void
forget_old_kept(struct snapshot_pool *p)
{
    int64_t now_ms = clock_steady_ms();
    size_t n = 0;

    while (n < p->n_kept && p->kept[n].until_ms <= now_ms)
        n++;
    forget_kept(p, n);
}

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
    forget_kept(*p, (*p)->n_kept);
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

static struct site_links *
find_site(struct snapshot_pool *p, uint32_t site)
{
    for (size_t i = 0; i < p->n_sites; i++)
        if (p->sites[i].site == site)
            return &p->sites[i];
    return NULL;
}

static void
add_site(struct snapshot_pool *p, uint32_t site)
{
    p->sites = mem_realloc(p->sites, (p->n_sites + 1) * sizeof *p->sites);
    p->sites[p->n_sites] = (struct site_links){.site = site};
    arena_init(&p->sites[p->n_sites++].arena, ARENA_BLOCK_BYTES);
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

    arena_init(&a, ARENA_BLOCK_BYTES);
    rc = catalog_erased_read(p->catalog, s->site, &a, &erased, err);
    if (rc != ERR_OK) {
        arena_fini(&a);
        return rc;
    }
    if (erased.list.n != s->erased.list.n ||
        (erased.list.n > 0 && memcmp(erased.list.list, s->erased.list.list,
                                     erased.list.n * sizeof *erased.list.list) != 0))
        forget_kept(p, p->n_kept);
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
    rc = read_catalog(p, &a, &list, err);
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

/* What is asked for, and from when on there is anything. */
struct wanted {
    const struct snapshot_scope *scope;
    struct retention_limit limit;
    struct slice page_groups; /* as JSON */
};

static bool
fits(const struct catalog_segment *row, const struct wanted *w)
{
    return row->max_time_ms >= (w->limit.from_ms > 0 ? w->limit.from_ms : INT64_MIN) &&
           catalog_segment_fits(row, w->scope->site, w->scope->from_ms, w->scope->to_ms);
}

/* Open what fits. False where a file has gone and a new listing may know better. */
static bool
open_fitting(struct snapshot_pool *p, const struct wanted *w)
{
    bool is_complete = true;

    for (size_t i = 0; i < p->n; i++) {
        if (!fits(&p->files[i]->row, w))
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

static void
copy_erased(struct held *h, const struct segment_erased_list *l,
            const struct retention_limit *limit)
{
    struct segment_erased *copy = ARENA_ARRAY(&h->arena, struct segment_erased, l->n + 1);

    if (l->n > 0)
        memcpy(copy, l->list, l->n * sizeof *copy);
    h->snapshot.erased = (struct segment_erased_list){l->owner, l->n, copy, limit->from_ms};
    memcpy(h->snapshot.retention, limit->text, sizeof limit->text);
}

static uint64_t
add_to_hash(uint64_t hash, const void *bytes, size_t n)
{
    return hash64(slice_of(bytes, n), hash);
}

/* A segment's name is never given twice, and its file never changes. */
static uint64_t
hash_content(const struct held *h, const struct site_links *links)
{
    const struct snapshot *s = &h->snapshot;
    uint64_t hash = 0;

    for (size_t i = 0; i < s->n; i++)
        hash = add_to_hash(hash, s->segments[i].row->name, strlen(s->segments[i].row->name) + 1);
    for (size_t i = 0; i < s->n_warnings; i++)
        hash = add_to_hash(hash, s->warnings[i].message.p, s->warnings[i].message.n);
    for (size_t i = 0; i < s->erased.n; i++)
        hash = add_to_hash(hash, &s->erased.list[i], sizeof s->erased.list[i]);
    hash = add_to_hash(hash, &s->erased.kept_from_ms, sizeof s->erased.kept_from_ms);
    hash = add_to_hash(hash, s->retention, strlen(s->retention));
    hash = hash64(h->page_groups, hash);
    hash = add_to_hash(hash, &links->read.n, sizeof links->read.n);
    return add_to_hash(hash, &links->read.check, sizeof links->read.check);
}

static bool
has_all_links(const struct held *h, struct person_book *book)
{
    const struct persons *all = person_book_persons(book, INT64_MAX);
    bool has_all = h->snapshot.persons == all && h->snapshot.compare_persons == all;

    persons_release(&all);
    return has_all;
}

static struct held *
make_held(struct snapshot_pool *p, const struct wanted *w)
{
    const struct snapshot_scope *scope = w->scope;
    struct site_links *links = find_site(p, scope->site);
    struct held *h = mem_zalloc(sizeof *h);
    struct snapshot_warning *warnings;
    struct snapshot_segment *segments;

    h->scope = *scope;
    h->n_users = 1;
    arena_init(&h->arena, ARENA_BLOCK_BYTES);
    segments = ARENA_ARRAY(&h->arena, struct snapshot_segment, p->n + 1);
    warnings = ARENA_ARRAY(&h->arena, struct snapshot_warning, p->n + 4);
    h->files = ARENA_ARRAY(&h->arena, struct pooled *, p->n + 1);
    snprintf(h->snapshot.name, sizeof h->snapshot.name, "c%" PRIu64 "-%02x", p->generation,
             (unsigned)(p->check & 0xff));
    if (!p->is_whole)
        add_warning(h, warnings, "catalog_damaged",
                    arena_printf(&h->arena,
                                 "The catalog does not agree with its own checks (%zu rows are "
                                 "damaged): figures may be too small. Run `corong check`.",
                                 p->n_bad));
    if (p->n_lost != 0)
        add_warning(h, warnings, CATALOG_BEHIND,
                    arena_printf(&h->arena,
                                 "The catalog has lost its last %" PRIu64 " commits: figures may "
                                 "be wrong. Stop Corong and run `corong check --repair`.",
                                 p->n_lost));
    if (!links->read.is_whole)
        add_warning(h, warnings, "links_damaged",
                    SLICE("The catalog's links do not agree with their own checks: some people may "
                          "count as several visitors. Run `corong check`."));
    if (!links->erased.is_whole)
        add_warning(h, warnings, "tombstones_damaged",
                    SLICE("The catalog's tombstones do not agree with their own checks: somebody "
                          "who was erased may be counted. Run `corong check`."));
    copy_erased(h, &links->erased.list, &w->limit);
    h->page_groups = arena_copy(&h->arena, w->page_groups);
    page_groups_parse(h->page_groups, &h->arena, &h->snapshot.page_groups, NULL);
    h->snapshot.compare_persons = person_book_persons(links->book, scope->compare_as_of_ms);
    h->snapshot.persons = person_book_persons(links->book, scope->as_of_ms);
    for (size_t i = 0; i < p->n; i++) {
        struct pooled *f = p->files[i];

        if (!fits(&f->row, w))
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
    h->snapshot.content = hash_content(h, links);
    h->snapshot.has_all_links = has_all_links(h, links->book);
    return h;
}

enum err_code
snapshot_take(struct snapshot_pool *p, struct snapshot_scope scope, const struct snapshot **out,
              struct err *err)
{
    struct wanted w = {.scope = &scope};
    enum err_code rc = retention_of_site(p->settings, scope.site, &w.limit, err);
    struct arena a;

    if (rc != ERR_OK)
        return rc;
    arena_init(&a, 1 << 10);
    rc = site_page_groups(p->settings, scope.site, &a, &w.page_groups, err);
    if (rc != ERR_OK) {
        arena_fini(&a);
        return rc;
    }
    pthread_mutex_lock(&p->lock);
    forget_old_kept(p);
    if (!find_site(p, scope.site))
        add_site(p, scope.site);
    rc = refresh(p, find_site(p, scope.site)->book == NULL, err);
    for (int i = 0; rc == ERR_OK && !open_fitting(p, &w) && i < TRIES; i++)
        rc = refresh(p, true, err);
    if (rc == ERR_OK)
        *out = &make_held(p, &w)->snapshot;
    pthread_mutex_unlock(&p->lock);
    arena_fini(&a);
    return rc;
}

void
snapshot_release(struct snapshot_pool *p, const struct snapshot **snapshot)
{
    if (!*snapshot)
        return;
    pthread_mutex_lock(&p->lock);
    let_go_held(held_of(*snapshot));
    pthread_mutex_unlock(&p->lock);
    *snapshot = NULL;
}

/* ---- Keeping ---- */

void
snapshot_keep(struct snapshot_pool *p, const struct snapshot *snapshot)
{
    snapshot_keep_as_of(p, snapshot, held_of(snapshot)->scope.as_of_ms);
}

void
snapshot_keep_as_of(struct snapshot_pool *p, const struct snapshot *snapshot, int64_t as_of_ms)
{
    struct held *h = held_of(snapshot);

    pthread_mutex_lock(&p->lock);
    h->scope.as_of_ms = as_of_ms;
    if (!p->kept)
        p->kept = mem_alloc(SNAPSHOT_KEPT_MAX * sizeof *p->kept);
    if (p->n_kept == SNAPSHOT_KEPT_MAX)
        forget_kept(p, 1);
    h->n_users++;
    p->kept[p->n_kept++] = (struct kept){h, clock_steady_ms() + SNAPSHOT_KEPT_MS};
    pthread_mutex_unlock(&p->lock);
}

static bool
is_same_scope(const struct snapshot_scope *a, const struct snapshot_scope *b)
{
    return a->site == b->site && a->from_ms == b->from_ms && a->to_ms == b->to_ms &&
           a->as_of_ms == b->as_of_ms;
}

enum err_code
snapshot_take_kept(struct snapshot_pool *p, struct slice name, struct snapshot_scope scope,
                   const struct snapshot **out, struct err *err)
{
    struct retention_limit limit;
    struct held *found = NULL;
    enum err_code rc = retention_of_site(p->settings, scope.site, &limit, err);

    if (rc != ERR_OK)
        return rc;
    pthread_mutex_lock(&p->lock);
    forget_old_kept(p);
    rc = refresh(p, false, err); /* somebody may have been erased since */
    for (size_t i = 0; rc == ERR_OK && i < p->n_kept && !found; i++) {
        struct held *h = p->kept[i].held;

        if (slice_is(name, h->snapshot.name) && is_same_scope(&scope, &h->scope) &&
            h->snapshot.erased.kept_from_ms == limit.from_ms)
            found = h;
    }
    if (found) {
        found->n_users++;
        *out = &found->snapshot;
    }
    pthread_mutex_unlock(&p->lock);
    if (rc != ERR_OK)
        return rc;
    return found ? ERR_OK : err_set(err, ERR_NOT_FOUND, "snapshot", "is not kept (any more)");
}

uint64_t
snapshot_visitor_hash(const struct snapshot_pool *p, struct slice visitor)
{
    return segment_visitor_hash(&p->owner, visitor);
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
