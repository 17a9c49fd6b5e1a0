/* Files first, then one commit. What is not here: the bytes of a file, the rows of the catalog. */
#include "aggregator/writer_int.h"

#include <stdlib.h>

#include "core/log.h"

/* Whom the catalog knows as erased, of all sites. */
static enum err_code
read_erased(struct writer *w, struct err *err)
{
    struct segment_erased_site *sites;
    uint32_t *ids = NULL;
    size_t n = 0;
    enum err_code rc = catalog_erased_sites(w->catalog, &w->arena, &ids, &n, err);

    if (rc != ERR_OK || n == 0)
        return rc;
    sites = ARENA_ARRAY(&w->arena, struct segment_erased_site, n);
    for (size_t i = 0; rc == ERR_OK && i < n; i++) {
        struct catalog_erased erased;

        rc = catalog_erased_read(w->catalog, ids[i], &w->arena, &erased, err);
        if (rc == ERR_OK)
            sites[i] = (struct segment_erased_site){ids[i], erased.list};
    }
    w->erased = sites;
    w->n_erased_sites = n;
    return rc;
}

enum err_code
writer_open(const struct store *s, struct catalog *c, enum catalog_kind kind, struct writer **out,
            struct err *err)
{
    enum err_code rc;
    struct writer *w;
    int lock = -1;

    rc = store_lock_writing(s, false, true, &lock, err);
    if (rc != ERR_OK)
        return rc;
    w = mem_zalloc(sizeof *w);
    w->store = s;
    w->catalog = c;
    w->kind = kind;
    w->lock_fd = lock;
    pthread_mutex_init(&w->lock, NULL);
    link_set_init(&w->links);
    arena_init(&w->arena, 4 << 10);
    rc = read_erased(w, err);
    if (rc != ERR_OK)
        writer_close(&w);
    else
        *out = w;
    return rc;
}

void
writer__unlink(const struct writer *w, const char *name)
{
    char path[FILE_PATH_MAX];
    struct err err = ERR_NONE;

    store_segment_path(w->store, name, path);
    if (file_remove(path, &err) != ERR_OK)
        log_warn("%s", err.message);
}

static void
unlink_added(struct writer *w)
{
    for (size_t i = 0; i < w->n_added; i++)
        writer__unlink(w, w->added[i].name);
    w->n_added = 0;
}

void
writer__list(struct writer *w, const struct catalog_segment *row)
{
    if (w->n_added == w->added_max) {
        w->added_max = 2 * w->added_max + 8;
        w->added = mem_realloc(w->added, w->added_max * sizeof *w->added);
    }
    w->added[w->n_added++] = *row;
    w->n_rows += row->n_rows;
}

/* Which ids of the builder's events are one person's. */
static void
add_links(struct writer *w, const struct segment_builder *b)
{
    struct catalog_link link;
    struct event e;
    uint32_t at = 0;
    struct arena a;

    arena_init(&a, 4 << 10);
    for (; segment_builder_next_with(b, TEXT_KNOWN, &at, &a, &e); arena_reset(&a))
        if (catalog_link_of(&e, &link))
            link_set_add(&w->links, &link);
    arena_fini(&a);
}

enum err_code
writer_add(struct writer *w, struct segment_builder *b, struct err *err)
{
    struct segment_file *files = NULL;
    struct arena a;
    enum err_code rc;
    size_t n = 0;

    arena_init(&a, 16 << 10);
    segment_builder_leave_out(b, w->erased, w->n_erased_sites);
    rc = segment_builder_write(b, w->store->segments, &a, &files, &n, err);
    segment_builder_leave_out(b, NULL, 0);
    if (rc != ERR_OK)
        goto done;
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < n; i++) {
        struct catalog_segment row = catalog_segment_of(&files[i], w->kind);

        writer__list(w, &row);
    }
    w->n_erased += segment_builder_left_out(b);
    add_links(w, b); /* also of the erased: whom they name is erased too */
    pthread_mutex_unlock(&w->lock);
    segment_builder_reset(b);
done:
    arena_fini(&a);
    return rc;
}

enum err_code
writer_commit(struct writer *w, const struct catalog_advance *advance, struct err *err)
{
    struct catalog_change change = {.add = w->added, .n_add = w->n_added, .advance = advance};
    enum err_code rc;

    change.links = link_set_list(&w->links, &change.n_links);
    if (w->n_added == 0 && !advance && change.n_links == 0)
        return ERR_OK;
    rc = catalog_commit(w->catalog, &change, err);
    if (rc == ERR_OK)
        w->n_added = 0;
    else if (rc == ERR_CONFLICT)
        unlink_added(w);
    else
        w->is_unsure = rc != ERR_UNAVAILABLE; /* busy: it was never begun */
    if (rc == ERR_OK || rc == ERR_CONFLICT)
        link_set_clear(&w->links);
    return rc;
}

uint64_t
writer_rows(const struct writer *w)
{
    return w->n_rows;
}

uint64_t
writer_erased(const struct writer *w)
{
    return w->n_erased;
}

void
writer_close(struct writer **w)
{
    if (!*w)
        return;
    if (!(*w)->is_unsure) /* else a clean-up asks the catalog */
        unlink_added(*w);
    file_unlock(&(*w)->lock_fd);
    pthread_mutex_destroy(&(*w)->lock);
    free((*w)->months);
    link_set_fini(&(*w)->links);
    arena_fini(&(*w)->arena);
    free((*w)->added);
    free(*w);
    *w = NULL;
}
