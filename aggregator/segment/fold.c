/* Folding: a text with very many distinct values keeps the most frequent ones of a file; all others
 * become one, "(other)". So dictionaries are bounded, whatever a page puts into an attribute. */
#include <stdlib.h>

#include "aggregator/segment/merge_int.h"

#define VALUES_MAX      200000
#define VALUES_MAX_PATH 1000000

#define OTHER SLICE(SEGMENT_OTHER)

uint32_t
segment__values_max(uint32_t type, uint32_t id)
{
    if (type != BLOCK_TEXT)
        return VALUES_MAX;
    switch ((enum event_text)id) {
    case TEXT_PATH:
    case TEXT_QUERY:
        return VALUES_MAX_PATH;
    case TEXT_ORDER: /* what is an id is of no use without its text */
    case TEXT_CLICK_ID:
    case TEXT_KNOWN:
        return UINT32_MAX;
    default:
        return VALUES_MAX;
    }
}

struct counted {
    uint32_t code;
    uint32_t n;
};

/* The most frequent first, then in order of the texts. */
static int
compare_counts(const void *a, const void *b)
{
    const struct counted *x = a;
    const struct counted *y = b;

    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    return x->code < y->code ? -1 : 1;
}

/* Sets is_kept of the max most frequent ones, and of what is folded already. */
static void
choose(const struct slice *values, uint32_t n, const uint32_t *counts, uint32_t max, bool *is_kept)
{
    struct counted *list = mem_alloc(n * sizeof *list);
    uint32_t n_kept = 0;

    for (uint32_t i = 0; i < n; i++)
        list[i] = (struct counted){i, counts[i + 1]};
    qsort(list, n, sizeof *list, compare_counts);
    for (uint32_t i = 0; i < n && n_kept < max; i++) {
        bool is_other = slice_equal(values[list[i].code], OTHER);

        is_kept[list[i].code] = true;
        n_kept += !is_other;
    }
    free(list);
}

/* Where "(other)" is among the values, or belongs. */
static uint32_t
seek_other(const struct slice *values, uint32_t n)
{
    uint32_t low = 0;

    for (uint32_t high = n; low < high;) {
        uint32_t middle = low + (high - low) / 2;

        if (slice_compare(values[middle], OTHER) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t
segment__fold(struct slice **values, uint32_t n, const uint32_t *counts, uint32_t max,
              uint32_t *renumber)
{
    bool *is_kept = mem_zalloc((n + 1) * sizeof *is_kept);
    struct slice *folded = mem_alloc((max + (size_t)2) * sizeof *folded);
    uint32_t other = seek_other(*values, n), other_code = 0, n_folded = 0;

    choose(*values, n, counts, max, is_kept);
    for (uint32_t i = 0; i <= n; i++) {
        if (i == other) {
            folded[n_folded++] = OTHER;
            other_code = n_folded;
            if (i < n && slice_equal((*values)[i], OTHER)) {
                renumber[i + 1] = other_code;
                continue;
            }
        }
        if (i < n && is_kept[i]) {
            folded[n_folded++] = (*values)[i];
            renumber[i + 1] = n_folded;
        } else if (i < n) {
            renumber[i + 1] = 0;
        }
    }
    renumber[0] = 0;
    for (uint32_t i = 1; i <= n; i++)
        if (renumber[i] == 0)
            renumber[i] = other_code;
    free(is_kept);
    free(*values);
    *values = folded;
    return n_folded;
}

/* ---- Who reads it ---- */

/* Of a column with so many values: a file that was written anew may have fewer than the limit. */
static enum err_code
find_other(const struct segment *s, uint32_t type, uint32_t id, bool *out, struct err *err)
{
    const struct segment__entry *texts = segment__find(s, type + 1, id);
    struct segment_column column;
    enum err_code rc;

    if (s->info.kind != SEGMENT_MERGED || texts == NULL ||
        texts->count < segment__values_max(type, id) / 2)
        return ERR_OK;
    rc = segment__text_open(s, type, id, &column, err);
    if (rc != ERR_OK)
        return rc;
    for (uint32_t low = 1, high = column.n_codes; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        int order = slice_compare(segment_text_value(&column, middle), OTHER);

        if (order == 0) {
            *out = true;
            break;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return ERR_OK;
}

enum err_code
segment_is_folded(const struct segment *s, const struct attribute *a, bool *out, struct err *err)
{
    *out = false;
    if (a->source == SOURCE_TEXT)
        return find_other(s, BLOCK_TEXT, (uint32_t)a->code, out, err);
    if (a->source == SOURCE_DERIVED && a->code == DERIVED_LANDING)
        return find_other(s, BLOCK_TEXT, TEXT_PATH, out, err);
    for (uint32_t i = 0; a->source == SOURCE_PROPERTY && i < segment_property_count(s); i++)
        if (slice_equal(segment_property_key(s, i), a->key))
            return find_other(s, BLOCK_PROPERTY, i, out, err);
    return ERR_OK;
}
