/* How many events of a part have each attribute. */
#include "aggregator/query_int.h"

#include <stdlib.h>

#define RUNS      512         /* looked at together */
#define RUNS_READ (16 * RUNS) /* row by row, where they are not alike */

static bool
is_whole_file(const struct query_part *part)
{
    return part->end - part->begin == segment_info(part->segment)->n_rows;
}

/* Rows [begin, end) of the part, of those that count, that have a value: read one by one. */
static uint64_t
count_set_rows(const struct query_part *part, const struct segment_column *c, uint32_t begin,
               uint32_t end)
{
    struct query_part rows = *part;
    uint32_t codes[QUERY_CHUNK];
    int64_t values[QUERY_CHUNK];
    bool is_set[QUERY_CHUNK];
    bool is_counted[QUERY_CHUNK];
    uint64_t n_set = 0;

    rows.end = end;
    for (uint32_t row = begin, n; row < end; row += n) {
        n = query__rows(&rows, row, is_counted);
        if (c->n_codes != 0)
            segment_codes(c, row, n, codes);
        else
            segment_values(c, row, n, values, is_set);
        for (uint32_t i = 0; i < n; i++)
            n_set += is_counted[i] && (c->n_codes != 0 ? codes[i] != 0 : is_set[i]);
    }
    return n_set;
}

/* How many rows of the runs have a text, where each has it in all its rows or in none; else false.
 */
static bool
count_alike(const struct segment_run_bits *runs, const uint32_t *rows, uint32_t n, uint64_t *n_set)
{
    *n_set = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (((runs[i].any ^ runs[i].all) & 1) != 0)
            return false;
        *n_set += runs[i].all & 1 ? rows[i + 1] - rows[i] : 0;
    }
    return true;
}

/* The same of a text and whole runs: what the rows of a visitor have in common is cheaper than they
 * are. Where some runs have it in some rows, those that follow are likely to as well. */
static uint64_t
count_set_runs(const struct query_part *part, const struct segment_column *c)
{
    const uint32_t *rows = segment_run_rows(part->segment);
    uint32_t run_end = segment_run_of_row(part->segment, part->end - 1) + 1;
    struct segment_run_bits found[RUNS];
    uint64_t *is_text = mem_alloc(c->n_codes * sizeof *is_text);
    uint64_t n_set = 0;

    for (uint32_t code = 0; code < c->n_codes; code++)
        is_text[code] = code != 0;
    for (uint32_t run = segment_run_of_row(part->segment, part->begin), n; run < run_end;
         run += n) {
        uint64_t n_alike;

        n = run_end - run < RUNS ? run_end - run : RUNS;
        segment_run_bits(c, is_text, run, n, found);
        if (count_alike(found, rows + run, n, &n_alike)) {
            n_set += n_alike;
            continue;
        }
        n = run_end - run < RUNS_READ ? run_end - run : RUNS_READ;
        n_set += count_set_rows(part, c, rows[run], rows[run + n]);
    }
    free(is_text);
    return n_set;
}

static bool
is_of_whole_runs(const struct query_part *part)
{
    const uint32_t *rows = segment_run_rows(part->segment);
    uint32_t last = segment_run_of_row(part->segment, part->end - 1);

    return part->from_ms == INT64_MIN && rows[last + 1] == part->end &&
           rows[segment_run_of_row(part->segment, part->begin)] == part->begin;
}

/* Rows of the part that have a value. A file of this site alone has counted them itself, but for
 * texts that nearly every row has: there a row without one is stored like the others. */
static uint64_t
count_set(const struct query_part *part, const struct segment_column *c)
{
    if (part->from_ms == INT64_MIN && is_whole_file(part) &&
        (c->n_codes == 0 || c->n_set < part->end - part->begin))
        return c->n_set;
    if (c->n_codes != 0 && is_of_whole_runs(part))
        return count_set_runs(part, c);
    return count_set_rows(part, c, part->begin, part->end);
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

/* Rows with a driver of their own. */
static uint64_t
count_drivers(const struct query_part *part, const struct segment_column *flags)
{
    int64_t bits[QUERY_CHUNK];
    bool is_counted[QUERY_CHUNK];
    uint64_t n_rows = 0;

    for (uint32_t row = part->begin, n; row < part->end; row += n) {
        n = query__rows(part, row, is_counted);
        segment_values(flags, row, n, bits, NULL);
        for (uint32_t i = 0; i < n; i++)
            n_rows += is_counted[i] && (bits[i] & EVENT_DRIVER) != 0;
    }
    return n_rows;
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
    if (count_set(part, &path) == count_rows(part)) {
        *n += count_drivers(part, &flags);
        return ERR_OK;
    }
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
