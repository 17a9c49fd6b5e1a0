/* Which attributes a site has sent, built in and its own: of each file once, as files never change.
 */
#include "aggregator/query_int.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "aggregator/crew.h"

/* ---- One file ---- */

struct counted {
    struct query_part *pieces; /* what was not erased */
    size_t n_pieces;
    uint64_t
        *counts; /* of the built-in ones, then of the file's properties; in the scratch arena */
    enum err_code rc;
    struct err err;
};

struct counting {
    const struct snapshot *snapshot;
    uint32_t site;
    struct result_cache *cache;
    struct arena scratch;
    struct counted *list; /* one for each file that has something of the site */
    size_t n;
    size_t *missing; /* in list: not in the cache */
    size_t n_missing;
    atomic_size_t next; /* in missing */
};

/* All that the counts of a file hang on: which of its rows count, and the site's page groups. */
static void
add_key(const struct counting *c, const struct counted *f, struct buffer *out)
{
    buffer_printf(out, "%s %u", segment_name(f->pieces[0].segment), c->site);
    for (size_t i = 0; i < f->n_pieces; i++)
        buffer_printf(out, " %" PRIu32 " %" PRIu32 " %" PRId64, f->pieces[i].begin,
                      f->pieces[i].end, f->pieces[i].from_ms);
    page_groups_add_json(out, &c->snapshot->page_groups);
}

static size_t
n_counts_of(const struct counted *f)
{
    return query__attribute_count(f->pieces[0].segment);
}

static bool
is_remembered(const struct counting *c, struct counted *f)
{
    size_t size = n_counts_of(f) * sizeof *f->counts;
    struct buffer key = BUFFER_EMPTY, value = BUFFER_EMPTY;
    bool is;

    if (c->cache == NULL)
        return false;
    add_key(c, f, &key);
    is = result_cache_get(c->cache, buffer_slice(&key), &value) && value.n == size;
    if (is)
        memcpy(f->counts, value.p, size);
    buffer_fini(&value);
    buffer_fini(&key);
    return is;
}

static void
remember(const struct counting *c, const struct counted *f)
{
    struct buffer key = BUFFER_EMPTY;

    if (c->cache == NULL)
        return;
    add_key(c, f, &key);
    result_cache_put(c->cache, buffer_slice(&key),
                     slice_of((const char *)f->counts, n_counts_of(f) * sizeof *f->counts));
    buffer_fini(&key);
}

/* ---- All files ---- */

/* The files, and what is known of them. */
static enum err_code
begin(struct counting *c, struct err *err)
{
    enum err_code rc = ERR_OK;

    c->list = ARENA_ARRAY(&c->scratch, struct counted, c->snapshot->n + 1);
    c->missing = ARENA_ARRAY(&c->scratch, size_t, c->snapshot->n + 1);
    for (size_t i = 0; rc == ERR_OK && i < c->snapshot->n; i++) {
        struct counted *f = &c->list[c->n];
        struct err why = ERR_NONE;
        struct query_part part;

        if (!query__part(c->snapshot, i, c->site, &part))
            continue;
        *f = (struct counted){.rc = ERR_OK};
        rc = query__pieces(c->snapshot, &part, &c->scratch, &f->pieces, &f->n_pieces, &why);
        rc = query__leave_out(rc, &why, err);
        if (rc != ERR_OK || f->n_pieces == 0)
            continue;
        f->counts = ARENA_ARRAY(&c->scratch, uint64_t, n_counts_of(f));
        memset(f->counts, 0, n_counts_of(f) * sizeof *f->counts);
        if (!is_remembered(c, f))
            c->missing[c->n_missing++] = c->n;
        c->n++;
    }
    return rc;
}

static void
count_file(const struct counting *c, struct counted *f)
{
    for (size_t i = 0; f->rc == ERR_OK && i < f->n_pieces; i++)
        f->rc =
            query__count_attributes(&f->pieces[i], &c->snapshot->page_groups, f->counts, &f->err);
    if (f->rc == ERR_OK)
        remember(c, f);
}

static void
count_files(void *context, size_t member)
{
    struct counting *c = context;
    size_t i;

    (void)member;
    while ((i = atomic_fetch_add(&c->next, 1)) < c->n_missing)
        count_file(c, &c->list[c->missing[i]]);
}

/* ---- The list ---- */

struct attributes {
    struct query_attribute *list;
    size_t n;
    size_t max;
    size_t n_built_in;
    struct arena *arena;
};

static void
add_attribute(struct attributes *l, const struct attribute *attribute)
{
    if (l->n == l->max) {
        l->max = 2 * l->max + 64;
        l->list = mem_realloc(l->list, l->max * sizeof *l->list);
    }
    l->list[l->n++] = (struct query_attribute){*attribute, 0};
}

static struct query_attribute *
find_property(struct attributes *l, struct slice key)
{
    struct attribute attribute;
    struct slice name;

    for (size_t i = l->n_built_in; i < l->n; i++)
        if (slice_equal(l->list[i].attribute.key, key))
            return &l->list[i];
    name = arena_printf(l->arena, "properties.%.*s", SLICE_ARG(key));
    if (!attribute_find(name, &attribute))
        return NULL; /* a key longer than rules can name */
    add_attribute(l, &attribute);
    return &l->list[l->n - 1];
}

static void
add_file(struct attributes *l, const struct counted *f)
{
    const struct segment *segment = f->pieces[0].segment;

    for (size_t i = 0; i < l->n_built_in; i++)
        l->list[i].n_events += f->counts[i];
    for (uint32_t i = 0; i < segment_property_count(segment); i++) {
        struct query_attribute *q = find_property(l, segment_property_key(segment, i));

        if (q)
            q->n_events += f->counts[l->n_built_in + i];
    }
}

static int
compare_names(const void *x, const void *y)
{
    const struct query_attribute *a = x;
    const struct query_attribute *b = y;

    return slice_compare(a->attribute.name, b->attribute.name);
}

/* Properties that only another site of a shared file has sent are not this site's. */
static void
drop_unseen_properties(struct attributes *l)
{
    size_t n = l->n_built_in;

    for (size_t i = l->n_built_in; i < l->n; i++)
        if (l->list[i].n_events != 0)
            l->list[n++] = l->list[i];
    l->n = n;
    qsort(l->list + l->n_built_in, l->n - l->n_built_in, sizeof *l->list, compare_names);
}

/* What was counted, file by file; a damaged one is left out. */
static enum err_code
add_files(struct attributes *l, const struct counting *c, struct err *err)
{
    const struct attribute *table = attribute_table(&l->n_built_in);
    enum err_code rc = ERR_OK;

    for (size_t i = 0; i < l->n_built_in; i++)
        add_attribute(l, &table[i]);
    for (size_t i = 0; rc == ERR_OK && i < c->n; i++) {
        if (c->list[i].rc == ERR_OK)
            add_file(l, &c->list[i]);
        else
            rc = query__leave_out(c->list[i].rc, &c->list[i].err, err);
    }
    return rc;
}

enum err_code
query_attributes(struct snapshot_pool *p, uint32_t site, struct result_cache *cache,
                 struct arena *a, struct query_attribute **out, size_t *out_n, struct err *err)
{
    struct counting c = {.site = site, .cache = cache};
    struct attributes l = {.arena = a};
    enum err_code rc = snapshot_take(p, SNAPSHOT_WHOLE(site), &c.snapshot, err);

    if (rc != ERR_OK)
        return rc;
    arena_init(&c.scratch, 16 << 10);
    rc = begin(&c, err);
    if (rc == ERR_OK && c.n_missing > 0)
        crew_run(c.n_missing < crew_size() ? c.n_missing : crew_size(), count_files, &c);
    if (rc == ERR_OK)
        rc = add_files(&l, &c, err);
    if (rc == ERR_OK) {
        drop_unseen_properties(&l);
        *out = ARENA_ARRAY(a, struct query_attribute, l.n);
        memcpy(*out, l.list, l.n * sizeof *l.list);
        *out_n = l.n;
    }
    free(l.list);
    snapshot_release(p, &c.snapshot);
    arena_fini(&c.scratch);
    return rc;
}
