/* How many events of a part have each attribute. */
#include "aggregator/query_int.h"

#include <stdlib.h>

static bool
is_whole_file(const struct query_part *part)
{
    return part->end - part->begin == segment_info(part->segment)->n_rows;
}

/* Rows of the part that have a value. A file of this site alone has counted them itself, but for
 * texts that nearly every row has: there a row without one is stored like the others. (Asking what
 * all rows of a run have in common is no faster than reading them.) */
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
                const struct attribute *attribute, uint64_t *n, struct err *err)
{
    struct segment_column column;
    enum err_code rc;

    if (attribute_is_page_group(attribute))
        return count_grouped(part, groups, n, err);
    if (attribute->source == SOURCE_DERIVED && attribute->code != DERIVED_LANDING) {
        *n += count_rows(part); /* bot and entrance are always true or false */
        return ERR_OK;
    }
    if (attribute->source == SOURCE_DERIVED)
        return count_landings(part, n, err);
    if (attribute->source == SOURCE_NUMBER)
        rc = segment_number_open(part->segment, (enum event_number)attribute->code, &column, err);
    else
        rc = segment_text_open(part->segment, (enum event_text)attribute->code, &column, err);
    if (rc == ERR_OK)
        *n += count_set(part, &column);
    return rc;
}

static enum err_code
count_property(const struct query_part *part, struct slice key, uint64_t *n, struct err *err)
{
    struct segment_column column;
    enum err_code rc = segment_property_open(part->segment, key, &column, err);

    if (rc == ERR_OK)
        *n += count_set(part, &column);
    return rc;
}

size_t
query__attribute_count(const struct segment *s)
{
    size_t n;

    (void)attribute_table(&n);
    return n + segment_property_count(s);
}

enum err_code
query__count_attributes(const struct query_part *part, const struct page_groups *groups,
                        uint64_t *counts, struct err *err)
{
    enum err_code rc = ERR_OK;
    size_t n;
    const struct attribute *table = attribute_table(&n);

    for (size_t i = 0; rc == ERR_OK && i < n; i++)
        rc = count_attribute(part, groups, &table[i], &counts[i], err);
    for (uint32_t i = 0; rc == ERR_OK && i < segment_property_count(part->segment); i++)
        rc = count_property(part, segment_property_key(part->segment, i), &counts[n + i], err);
    return rc;
}
