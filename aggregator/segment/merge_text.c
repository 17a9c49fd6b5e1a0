/* The texts of a part: the inputs' dictionaries are joined, too many values folded, codes written
 * anew. */
#include <stdlib.h>

#include "aggregator/segment/merge_part.h"

/* ---- texts ---- */

static struct slice
walk_value(const struct segment__feed *f)
{
    return segment_text_value(&f->column, f->walk);
}

static bool
is_text_less(const void *context, uint32_t a, uint32_t b)
{
    const struct segment__part *p = context;

    return slice_compare(walk_value(&p->feeds[a]), walk_value(&p->feeds[b])) < 0;
}

/* Step to the next used code; false at the end. */
static bool
walk_next(struct segment__feed *f)
{
    for (f->walk++; f->walk < f->column.n_codes; f->walk++)
        if (f->map[f->walk] != 0)
            return true;
    return false;
}

static uint32_t
mark_used(struct segment__part *p)
{
    struct segment__batch *batch = mem_alloc(sizeof *batch);
    uint32_t n_set = 0;

    p->is_marking = true;
    for (segment__part_next(p, batch); batch->n > 0; segment__part_next(p, batch))
        n_set += batch->n;
    p->is_marking = false;
    for (uint32_t i = 0; i < p->plan->n_inputs; i++)
        p->feeds[i].map[0] = 0; /* not set is no text */
    free(batch);
    return n_set;
}

/* As mark_used where every row of every input is in the part: an input has no text that no row of
 * it uses. */
static uint32_t
mark_all(struct segment__part *p)
{
    uint32_t n_set = 0;

    for (uint32_t i = 0; i < p->plan->n_inputs; i++) {
        struct segment__feed *f = &p->feeds[i];

        for (uint32_t code = 1; code < f->column.n_codes; code++)
            f->map[code] = 1;
        n_set += f->column.n_set;
    }
    return n_set;
}

/* Join the inputs' used texts, each in order, into one dictionary: map[] has the new codes. */
static struct slice *
join_dictionaries(struct segment__part *p, uint32_t *out_n)
{
    struct segment__heap heap;
    struct slice *values = NULL;
    uint32_t n_max = 0;
    uint32_t n = 0;

    segment__heap_init(&heap, p->plan->n_inputs, is_text_less, p);
    for (uint32_t i = 0; i < p->plan->n_inputs; i++) {
        p->feeds[i].walk = 0;
        if (walk_next(&p->feeds[i]))
            segment__heap_add(&heap, i);
    }
    while (heap.n > 0) {
        struct segment__feed *f = &p->feeds[heap.items[0]];
        struct slice value = walk_value(f);

        if (n == 0 || !slice_equal(values[n - 1], value)) {
            if (n == n_max) {
                n_max = n_max == 0 ? 64 : n_max * 2;
                values = mem_realloc(values, n_max * sizeof *values);
            }
            values[n++] = value;
        }
        f->map[f->walk] = n;
        if (walk_next(f))
            segment__heap_sink(&heap);
        else
            segment__heap_drop(&heap);
    }
    segment__heap_fini(&heap);
    *out_n = n;
    return values;
}

static bool
has_other(const struct slice *values, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (slice_is(values[i], SEGMENT_OTHER))
            return true;
    return false;
}

/* Where there are too many values, fold the rare ones: one more walk along the plan. */
static uint32_t
fold_values(struct segment__part *p, uint32_t type, uint32_t id, struct slice **values, uint32_t n)
{
    uint32_t max = segment__values_max(type, id);
    struct segment__batch *batch;
    uint32_t *counts, *renumber;

    if (p->merge->values_max != 0 && max != UINT32_MAX)
        max = p->merge->values_max;
    if (n <= max || (n == max + 1 && has_other(*values, n)))
        return n;
    batch = mem_alloc(sizeof *batch);
    counts = mem_zalloc((n + (size_t)1) * sizeof *counts);
    renumber = mem_alloc((n + (size_t)1) * sizeof *renumber);
    for (segment__part_next(p, batch); batch->n > 0; segment__part_next(p, batch))
        for (uint32_t i = 0; i < batch->n; i++)
            counts[batch->value[i]]++;
    n = segment__fold(values, n, counts, max, renumber);
    p->is_folded = true;
    for (uint32_t i = 0; i < p->plan->n_inputs; i++)
        for (uint32_t code = 1; code < p->feeds[i].column.n_codes; code++)
            p->feeds[i].map[code] = renumber[p->feeds[i].map[code]];
    free(renumber);
    free(counts);
    free(batch);
    return n;
}

/* All codes of the column, in order of the part. */
static void
collect_codes(struct segment__part *p, struct segment__codes *codes)
{
    uint32_t row = 0;

    for (size_t i = 0; i < p->plan->n_extents; i++) {
        const struct segment__extent *e = &p->plan->extents[i];
        struct segment__feed *f = &p->feeds[e->input];
        uint32_t n = e->n;

        if (f->column.n_set == 0)
            segment__codes_clear(codes, row, n);
        for (uint32_t done = 0; f->column.n_set > 0 && done < e->n; done += n) {
            uint32_t at = segment__feed_find(f, e->row + done, e->n - done, &n);

            segment__codes_put(codes, row + done, n, f->codes + at, f->map);
        }
        row += e->n;
    }
}

/* The feeds' columns are open. Returns whether any row is set: the column was written. */
static bool
merge_opened_text(struct segment__part *p, uint32_t type, uint32_t id)
{
    struct segment__codes codes;
    struct slice *values;
    uint32_t n_set;
    uint32_t n;

    for (uint32_t i = 0; i < p->plan->n_inputs; i++)
        p->feeds[i].map = mem_zalloc(p->feeds[i].column.n_codes * sizeof *p->feeds[i].map);
    n_set = p->takes_all ? mark_all(p) : mark_used(p);
    if (n_set == 0)
        return false;
    values = join_dictionaries(p, &n);
    n = fold_values(p, type, id, &values, n);
    segment__codes_init(&codes, p->plan->n_rows, n + 1);
    collect_codes(p, &codes);
    segment__encode_codes(&p->out, type, id, &codes);
    segment__encode_dictionary(&p->out, type + 1, id, values, n);
    if (type == BLOCK_TEXT && segment__is_guessed_from(id))
        segment__out_keep(&p->out, id, &codes);
    segment__codes_fini(&codes);
    free(values);
    return true;
}

/* What others are guessed from comes first. */
static const unsigned char text_order[TEXT_COUNT] = {
    TEXT_EVENT,    TEXT_URL,      TEXT_PATH,       TEXT_QUERY,    TEXT_HOST,     TEXT_TITLE,
    TEXT_PRODUCT,  TEXT_CATEGORY, TEXT_ORDER,      TEXT_CURRENCY, TEXT_CLICK_ID, TEXT_CITY,
    TEXT_REGION,   TEXT_COUNTRY,  TEXT_CONTINENT,  TEXT_BROWSER,  TEXT_OS,       TEXT_DEVICE,
    TEXT_LANGUAGE, TEXT_REFERRER, TEXT_SOURCE,     TEXT_CAMPAIGN, TEXT_MEDIUM,   TEXT_CHANNEL,
    TEXT_CONTENT,  TEXT_KEYWORD,  TEXT_BOT_REASON, TEXT_KNOWN,
};

enum err_code
segment__merge_texts(struct segment__part *p, struct err *err)
{
    enum err_code rc = ERR_OK;

    for (uint32_t k = 0; rc == ERR_OK && k < TEXT_COUNT; k++) {
        segment__feeds_clear(p);
        for (uint32_t i = 0; rc == ERR_OK && i < p->plan->n_inputs; i++)
            rc = segment_text_open(p->plan->inputs[i].segment, (enum event_text)text_order[k],
                                   &p->feeds[i].column, err);
        if (rc == ERR_OK)
            merge_opened_text(p, BLOCK_TEXT, text_order[k]);
        if (rc == ERR_OK && text_order[k] == TEXT_EVENT)
            segment__presence_add_events(&p->presence,
                                         &(struct segment__source){segment__part_next, p});
    }
    return rc;
}

/* ---- properties ---- */

static int
compare_slices(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* All keys of the inputs, sorted, each once; the caller frees. */
static struct slice *
all_keys(const struct segment__plan *plan, uint32_t *out_n)
{
    struct slice *keys;
    size_t n_all = 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i < plan->n_inputs; i++)
        n_all += segment_property_count(plan->inputs[i].segment);
    keys = mem_alloc((n_all + 1) * sizeof *keys);
    n_all = 0;
    for (uint32_t i = 0; i < plan->n_inputs; i++)
        for (uint32_t k = 0; k < segment_property_count(plan->inputs[i].segment); k++)
            keys[n_all++] = segment_property_key(plan->inputs[i].segment, k);
    qsort(keys, n_all, sizeof *keys, compare_slices);
    for (size_t i = 0; i < n_all; i++)
        if (n == 0 || !slice_equal(keys[n - 1], keys[i]))
            keys[n++] = keys[i];
    *out_n = n;
    return keys;
}

enum err_code
segment__merge_properties(struct segment__part *p, struct err *err)
{
    enum err_code rc = ERR_OK;
    uint32_t n_kept = 0;
    uint32_t n;
    struct slice *keys = all_keys(p->plan, &n);

    for (uint32_t k = 0; rc == ERR_OK && k < n; k++) {
        segment__feeds_clear(p);
        for (uint32_t i = 0; rc == ERR_OK && i < p->plan->n_inputs; i++)
            rc = segment_property_open(p->plan->inputs[i].segment, keys[k], &p->feeds[i].column,
                                       err);
        if (rc == ERR_OK && merge_opened_text(p, BLOCK_PROPERTY, n_kept))
            keys[n_kept++] = keys[k]; /* no row of this site or part may set it */
    }
    if (rc == ERR_OK && n_kept > 0)
        segment__encode_dictionary(&p->out, BLOCK_KEYS, 0, keys, n_kept);
    free(keys);
    return rc;
}
