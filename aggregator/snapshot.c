/* Taking snapshots and keeping them. What is not here: the pool of open segments, which says what
 * there is (snapshot_pool.c). */
#include "aggregator/snapshot_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "aggregator/site.h"
#include "core/clock.h"
#include "core/hash.h"

#define TRIES 3 /* new listings where a file has gone in between */

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
        snapshot__let_go(&h->files[i]);
    persons_release(&h->snapshot.persons);
    persons_release(&h->snapshot.compare_persons);
    arena_fini(&h->arena);
    free(h);
}

void
snapshot__forget_kept(struct snapshot_pool *p, size_t n)
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
    snapshot__forget_kept(p, n);
}

/* ---- Taking ---- */

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
        snapshot__open(p, p->files[i]);
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

/* Of what the catalog says wrongly, or does not say. */
static void
warn(struct held *h, struct snapshot_warning *warnings, const struct snapshot_pool *p,
     const struct site_links *links)
{
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
    struct site_links *links = snapshot__find_site(p, scope->site);
    struct held *h = mem_zalloc(sizeof *h);
    struct snapshot_warning *warnings;
    struct snapshot_segment *segments;

    h->scope = *scope;
    h->n_users = 1;
    arena_init(&h->arena, SNAPSHOT__BLOCK_BYTES);
    segments = ARENA_ARRAY(&h->arena, struct snapshot_segment, p->n + 1);
    warnings = ARENA_ARRAY(&h->arena, struct snapshot_warning, p->n + 4);
    h->files = ARENA_ARRAY(&h->arena, struct pooled *, p->n + 1);
    snprintf(h->snapshot.name, sizeof h->snapshot.name, "c%" PRIu64 "-%02x", p->generation,
             (unsigned)(p->check & 0xff));
    warn(h, warnings, p, links);
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
    if (!snapshot__find_site(p, scope.site))
        snapshot__add_site(p, scope.site);
    rc = snapshot__refresh(p, snapshot__find_site(p, scope.site)->book == NULL, err);
    for (int i = 0; rc == ERR_OK && !open_fitting(p, &w) && i < TRIES; i++)
        rc = snapshot__refresh(p, true, err);
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
        snapshot__forget_kept(p, 1);
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
    rc = snapshot__refresh(p, false, err); /* somebody may have been erased since */
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
    rc = snapshot__refresh(p, false, err);
    if (rc == ERR_OK)
        *out_generation = p->generation;
    pthread_mutex_unlock(&p->lock);
    return rc;
}
