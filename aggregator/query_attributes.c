/* Which attributes a site has sent, built in and its own. */
#include "aggregator/query_int.h"

#include <stdlib.h>

static bool
is_whole_file(const struct query_part *part)
{
    return part->end - part->begin == segment_info(part->segment)->n_rows;
}

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

/* Rows of the part that have a value. A file of this site alone has counted them itself, but for
 * texts that nearly every row has: there a row without one is stored like the others. */
static uint64_t
count_set(const struct query_part *part, const struct segment_column *c)
{
    uint32_t codes[QUERY_CHUNK];
    int64_t values[QUERY_CHUNK];
    bool is_set[QUERY_CHUNK];
    bool is_counted[QUERY_CHUNK];
    uint64_t n_set = 0;

    if (part->from_ms == INT64_MIN && is_whole_file(part) &&
        (c->n_codes == 0 || c->n_set < part->end - part->begin))
        return c->n_set;
    for (uint32_t row = part->begin, n; row < part->end; row += n) {
        n = query__rows(part, row, is_counted);
        if (c->n_codes != 0)
            segment_codes(c, row, n, codes);
        else
            segment_values(c, row, n, values, is_set);
        for (uint32_t i = 0; i < n; i++)
            n_set += is_counted[i] && (c->n_codes != 0 ? codes[i] != 0 : is_set[i]);
    }
    return n_set;
}

static uint64_t
count_rows(const struct query_part *part)
{
    bool is_counted[QUERY_CHUNK];
    uint64_t n_rows = 0;

    if (part->from_ms == INT64_MIN)
        return part->end - part->begin;
    for (uint32_t row = part->begin, n; row < part->end; row += n) {
        n = query__rows(part, row, is_counted);
        for (uint32_t i = 0; i < n; i++)
            n_rows += is_counted[i];
    }
    return n_rows;
}

/* Events whose path has a group. */
static enum err_code
count_grouped(const struct query_part *part, const struct page_groups *groups, uint64_t *n,
              struct err *err)
{
    struct segment_column path;
    uint64_t *counts;
    enum err_code rc =
        groups->n > 0 ? segment_text_open(part->segment, TEXT_PATH, &path, err) : ERR_OK;

    if (rc != ERR_OK || groups->n == 0)
        return rc;
    counts = mem_zalloc(path.n_codes * sizeof *counts);
    query__count_codes(part, &path, NULL, counts);
    for (uint32_t code = 1; code < path.n_codes; code++)
        if (counts[code] != 0 && page_groups_of(groups, segment_text_value(&path, code)).n != 0)
            *n += counts[code];
    free(counts);
    return ERR_OK;
}

static enum err_code
count_landings(const struct query_part *part, uint64_t *n, struct err *err)
{
    struct segment_column path, flags;
    uint64_t *counts;
    enum err_code rc;

    rc = segment_text_open(part->segment, TEXT_PATH, &path, err);
    if (rc == ERR_OK)
        rc = segment_flags_open(part->segment, &flags, err);
    if (rc != ERR_OK)
        return rc;
    counts = mem_zalloc(path.n_codes * sizeof *counts);
    query__count_codes(part, &path, &flags, counts);
    for (uint32_t code = 1; code < path.n_codes; code++)
        *n += counts[code];
    free(counts);
    return ERR_OK;
}

static enum err_code
count_attribute(const struct query_part *part, const struct page_groups *groups,
                struct query_attribute *q, struct err *err)
{
    const struct attribute *attribute = &q->attribute;
    struct segment_column column;
    enum err_code rc;

    if (attribute_is_page_group(attribute))
        return count_grouped(part, groups, &q->n_events, err);
    if (attribute->source == SOURCE_DERIVED && attribute->code != DERIVED_LANDING) {
        /* bot and entrance are always true or false */
        q->n_events += count_rows(part);
        return ERR_OK;
    }
    if (attribute->source == SOURCE_DERIVED)
        return count_landings(part, &q->n_events, err);
    if (attribute->source == SOURCE_NUMBER)
        rc = segment_number_open(part->segment, (enum event_number)attribute->code, &column, err);
    else if (attribute->source == SOURCE_PROPERTY)
        rc = segment_property_open(part->segment, attribute->key, &column, err);
    else
        rc = segment_text_open(part->segment, (enum event_text)attribute->code, &column, err);
    if (rc == ERR_OK)
        q->n_events += count_set(part, &column);
    return rc;
}

static enum err_code
count_part(const struct query_part *part, const struct page_groups *groups, struct attributes *l,
           struct err *err)
{
    enum err_code rc = ERR_OK;

    for (size_t i = 0; rc == ERR_OK && i < l->n_built_in; i++)
        rc = count_attribute(part, groups, &l->list[i], err);
    for (uint32_t i = 0; rc == ERR_OK && i < segment_property_count(part->segment); i++) {
        struct query_attribute *q = find_property(l, segment_property_key(part->segment, i));

        if (q)
            rc = count_attribute(part, groups, q, err);
    }
    return rc;
}

/* Of all that was not erased. */
static enum err_code
count_pieces(const struct snapshot *snapshot, const struct query_part *part, struct attributes *l,
             struct err *err)
{
    struct query_part *pieces = NULL;
    struct arena a;
    size_t n = 0;
    enum err_code rc;

    arena_init(&a, 1 << 10);
    rc = query__pieces(snapshot, part, &a, &pieces, &n, err);
    for (size_t i = 0; rc == ERR_OK && i < n; i++)
        rc = count_part(&pieces[i], &snapshot->page_groups, l, err);
    arena_fini(&a);
    return rc;
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

enum err_code
query_attributes(struct snapshot_pool *p, uint32_t site, struct arena *a,
                 struct query_attribute **out, size_t *out_n, struct err *err)
{
    const struct snapshot *snapshot = NULL;
    struct attributes l = {.arena = a};
    const struct attribute *table;
    enum err_code rc;
    size_t n = 0;

    rc = snapshot_take(p, SNAPSHOT_WHOLE(site), &snapshot, err);
    if (rc != ERR_OK)
        return rc;
    table = attribute_table(&n);
    for (size_t i = 0; i < n; i++)
        add_attribute(&l, &table[i]);
    l.n_built_in = l.n;
    for (size_t i = 0; rc == ERR_OK && i < snapshot->n; i++) {
        struct err why = ERR_NONE;
        struct query_part part;

        if (query__part(snapshot, i, site, &part))
            rc = query__leave_out(count_pieces(snapshot, &part, &l, &why), &why, err);
    }
    if (rc == ERR_OK) {
        drop_unseen_properties(&l);
        *out = ARENA_ARRAY(a, struct query_attribute, l.n);
        memcpy(*out, l.list, l.n * sizeof *l.list);
        *out_n = l.n;
    }
    free(l.list);
    snapshot_release(p, &snapshot);
    return rc;
}
