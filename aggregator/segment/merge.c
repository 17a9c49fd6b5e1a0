/* Writing the parts of a merge: column after column, each along the plan. */
#include "aggregator/segment/merge.h"

#include <stdlib.h>

#include "aggregator/segment/encode_int.h"
#include "aggregator/segment/merge_int.h"

#define LEVEL         3 /* of zstd: a merged file lives long */
#define WINDOW        256
#define PART_ROWS_MAX (32u << 20) /* about: the codes of a text, 4 bytes each at most, are held */
#define KEPT_MAX      (64u << 20) /* bytes of columns that others are guessed from */

/* One input's column, decoded a window at a time: rows of an input are read in ascending order. */
struct feed {
    struct segment_column column;
    uint32_t row_end;
    uint32_t begin; /* of the window */
    uint32_t n;
    uint32_t *map; /* text: code of the input -> code of the part */
    uint32_t walk; /* text: the next code while dictionaries are joined */
    uint32_t codes[WINDOW];
    int64_t values[WINDOW];
    bool is_set[WINDOW];
};

/* A part in the making. */
struct part {
    const struct segment_merge *merge;
    const struct segment__plan *plan;
    struct segment__out out;
    struct feed *feeds; /* one an input */
    uint32_t *run_rows; /* of the part */
    struct segment__presence presence;
    /* where the walk along the plan stands */
    bool is_marking; /* marking which codes are used, in map */
    bool takes_all;  /* rows of the inputs */
    bool is_folded;  /* some text was: ids of content cannot be made of what the part says */
    size_t extent;
    uint32_t at; /* rows of the extent that were read */
    uint32_t row;
};

/* ---- feeds ---- */

static void
feed_fill(struct feed *f, uint32_t row)
{
    uint32_t n = f->row_end - row < WINDOW ? f->row_end - row : WINDOW;

    f->begin = row;
    f->n = n;
    if (f->column.n_codes > 0)
        segment_codes(&f->column, row, n, f->codes);
    else
        segment_values(&f->column, row, n, f->values, f->is_set);
}

/* Rows [at, at + n) of the window that are set, as rows of the part from part_row on. */
static inline void
feed_codes(struct feed *f, uint32_t at, uint32_t n, uint32_t part_row, struct segment__batch *batch)
{
    uint32_t to = batch->n;

    for (uint32_t i = 0; i < n; i++) { /* written in any case, counted where set: no branch */
        uint32_t code = f->codes[at + i];

        batch->row[to] = part_row + i;
        batch->value[to] = f->map[code];
        to += code != 0;
    }
    batch->n = to;
}

static inline void
feed_values(const struct feed *f, uint32_t at, uint32_t n, uint32_t part_row,
            struct segment__batch *batch)
{
    uint32_t to = batch->n;

    for (uint32_t i = 0; i < n; i++) {
        batch->row[to] = part_row + i;
        batch->value[to] = f->values[at + i];
        to += f->is_set[at + i];
    }
    batch->n = to;
}

/* Rows [row, row + n) of the input, of which the window holds *out_n at once, at least one. */
static uint32_t
feed_find(struct feed *f, uint32_t row, uint32_t n, uint32_t *out_n)
{
    uint32_t at = row - f->begin;

    if (at >= f->n) {
        feed_fill(f, row);
        at = 0;
    }
    *out_n = n < f->n - at ? n : f->n - at;
    return at;
}

static void
part_next(void *context, struct segment__batch *batch)
{
    struct part *p = context;

    batch->n = 0;
    while (batch->n < SEGMENT__BATCH && p->extent < p->plan->n_extents) {
        const struct segment__extent *e = &p->plan->extents[p->extent];
        struct feed *f = &p->feeds[e->input];
        uint32_t n = e->n - p->at;

        if (f->column.n_set > 0) {
            uint32_t at;

            n = n < SEGMENT__BATCH - batch->n ? n : SEGMENT__BATCH - batch->n;
            at = feed_find(f, e->row + p->at, n, &n);
            if (p->is_marking)
                for (uint32_t i = 0; i < n; i++)
                    f->map[f->codes[at + i]] = 1;
            if (f->column.n_codes > 0)
                feed_codes(f, at, n, p->row, batch);
            else
                feed_values(f, at, n, p->row, batch);
        }
        p->at += n;
        p->row += n;
        if (p->at == e->n) {
            p->extent++;
            p->at = 0;
        }
    }
    if (batch->n == 0) {
        p->extent = 0;
        p->at = 0;
        p->row = 0;
    }
}

/* Forget the last column. */
static void
feeds_clear(struct part *p)
{
    for (uint32_t i = 0; i < p->plan->n_inputs; i++) {
        free(p->feeds[i].map);
        p->feeds[i].map = NULL;
        p->feeds[i].n = 0;
        p->feeds[i].row_end = p->plan->inputs[i].row_end;
    }
}

/* ---- numbers ---- */

/* Rows whose id is to be stored. */
static enum err_code
open_given(const struct segment *s, bool all, struct segment_column *out, struct err *err)
{
    if (!all)
        return segment__given_open(s, out, err);
    segment__all_given(s, out);
    return ERR_OK;
}

static enum err_code
open_number(const struct segment *s, uint32_t type, uint32_t code, struct segment_column *out,
            struct err *err)
{
    switch (type) {
    case BLOCK_TIME:
        return segment_time_open(s, out, err);
    case BLOCK_FLAGS:
        return segment_flags_open(s, out, err);
    case BLOCK_ORIGIN:
        return segment_origin_open(s, out, err);
    case BLOCK_ID_GIVEN:
        return open_given(s, code != 0, out, err);
    default:
        return segment_number_open(s, (enum event_number)code, out, err);
    }
}

static segment__presence_bits
presence_of(uint32_t type, uint32_t code)
{
    if (type == BLOCK_FLAGS)
        return segment__presence_of_flags;
    if (type == BLOCK_ID_GIVEN)
        return segment__presence_of_given;
    return type == BLOCK_NUMBER && code == NUMBER_VALUE ? segment__presence_of_value : NULL;
}

static enum err_code
merge_number(struct part *p, uint32_t type, uint32_t code, struct segment__summary *out,
             struct err *err)
{
    struct segment__source source = {part_next, p};
    segment__presence_bits bits_of = presence_of(type, code);
    enum err_code rc = ERR_OK;

    feeds_clear(p);
    for (uint32_t i = 0; rc == ERR_OK && i < p->plan->n_inputs; i++)
        rc = open_number(p->plan->inputs[i].segment, type, code, &p->feeds[i].column, err);
    if (rc != ERR_OK)
        return rc;
    *out = segment__encode_column(&p->out, type, type == BLOCK_NUMBER ? code : 0, COLUMN_NUMBER,
                                  p->plan->n_rows, &source);
    if (bits_of != NULL)
        segment__presence_add(&p->presence, &source, bits_of, 0);
    return ERR_OK;
}

/* ---- texts ---- */

static struct slice
walk_value(const struct feed *f)
{
    return segment_text_value(&f->column, f->walk);
}

static bool
is_text_less(const void *context, uint32_t a, uint32_t b)
{
    const struct part *p = context;

    return slice_compare(walk_value(&p->feeds[a]), walk_value(&p->feeds[b])) < 0;
}

/* Step to the next used code; false at the end. */
static bool
walk_next(struct feed *f)
{
    for (f->walk++; f->walk < f->column.n_codes; f->walk++)
        if (f->map[f->walk] != 0)
            return true;
    return false;
}

static uint32_t
mark_used(struct part *p)
{
    struct segment__batch *batch = mem_alloc(sizeof *batch);
    uint32_t n_set = 0;

    p->is_marking = true;
    for (part_next(p, batch); batch->n > 0; part_next(p, batch))
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
mark_all(struct part *p)
{
    uint32_t n_set = 0;

    for (uint32_t i = 0; i < p->plan->n_inputs; i++) {
        struct feed *f = &p->feeds[i];

        for (uint32_t code = 1; code < f->column.n_codes; code++)
            f->map[code] = 1;
        n_set += f->column.n_set;
    }
    return n_set;
}

static bool
takes_all(const struct segment__plan *plan)
{
    uint64_t n_rows = 0;

    for (uint32_t i = 0; i < plan->n_inputs; i++)
        n_rows += plan->inputs[i].segment->info.n_rows;
    return n_rows == plan->n_rows;
}

/* Join the inputs' used texts, each in order, into one dictionary: map[] has the new codes. */
static struct slice *
join_dictionaries(struct part *p, uint32_t *out_n)
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
        struct feed *f = &p->feeds[heap.items[0]];
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
fold_values(struct part *p, uint32_t type, uint32_t id, struct slice **values, uint32_t n)
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
    for (part_next(p, batch); batch->n > 0; part_next(p, batch))
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
collect_codes(struct part *p, struct segment__codes *codes)
{
    uint32_t row = 0;

    for (size_t i = 0; i < p->plan->n_extents; i++) {
        const struct segment__extent *e = &p->plan->extents[i];
        struct feed *f = &p->feeds[e->input];
        uint32_t n = e->n;

        if (f->column.n_set == 0)
            segment__codes_clear(codes, row, n);
        for (uint32_t done = 0; f->column.n_set > 0 && done < e->n; done += n) {
            uint32_t at = feed_find(f, e->row + done, e->n - done, &n);

            segment__codes_put(codes, row + done, n, f->codes + at, f->map);
        }
        row += e->n;
    }
}

/* The feeds' columns are open. Returns whether any row is set: the column was written. */
static bool
merge_opened_text(struct part *p, uint32_t type, uint32_t id)
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

static enum err_code
merge_texts(struct part *p, struct err *err)
{
    enum err_code rc = ERR_OK;

    for (uint32_t k = 0; rc == ERR_OK && k < TEXT_COUNT; k++) {
        feeds_clear(p);
        for (uint32_t i = 0; rc == ERR_OK && i < p->plan->n_inputs; i++)
            rc = segment_text_open(p->plan->inputs[i].segment, (enum event_text)text_order[k],
                                   &p->feeds[i].column, err);
        if (rc == ERR_OK)
            merge_opened_text(p, BLOCK_TEXT, text_order[k]);
        if (rc == ERR_OK && text_order[k] == TEXT_EVENT)
            segment__presence_add(&p->presence, &(struct segment__source){part_next, p},
                                  segment__presence_of_event, PRESENCE_ANY_EVENT);
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

static enum err_code
merge_properties(struct part *p, struct err *err)
{
    enum err_code rc = ERR_OK;
    uint32_t n_kept = 0;
    uint32_t n;
    struct slice *keys = all_keys(p->plan, &n);

    for (uint32_t k = 0; rc == ERR_OK && k < n; k++) {
        feeds_clear(p);
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

/* ---- runs, ids ---- */

static uint64_t
run_hash(const struct segment__plan *plan, uint32_t run)
{
    const struct segment__planned_run *r = &plan->runs[run];

    return plan->inputs[r->input].segment->run_hashes[r->run];
}

static void
write_runs(struct part *p)
{
    const struct segment__plan *plan = p->plan;
    struct segment__entry hashes = {
        .type = BLOCK_RUN_HASH, .encoding = ENCODING_PLAIN, .count = plan->n_runs};

    segment__out_begin(&p->out);
    for (uint32_t i = 0; i < plan->n_runs; i++) {
        uint64_t hash = run_hash(plan, i);

        segment__out_add(&p->out, &hash, sizeof hash);
    }
    segment__out_end(&p->out, &hashes);
    segment__encode_plain(&p->out, BLOCK_RUN_ROW, p->run_rows,
                          (plan->n_runs + (size_t)1) * sizeof *p->run_rows, plan->n_runs + 1);
}

static enum err_code
write_visitors(struct part *p, struct err *err)
{
    struct segment__cold_writer w;
    enum err_code rc = ERR_OK;
    struct slice visitor;

    segment__cold_begin(&w, &p->out, BLOCK_RUN_VISITOR);
    for (uint32_t i = 0; rc == ERR_OK && i < p->plan->n_runs; i++) {
        const struct segment__planned_run *r = &p->plan->runs[i];

        rc = segment_cursor_visitor(p->plan->inputs[r->input].cursor, r->run, &visitor, err);
        if (rc == ERR_OK)
            segment__cold_add(&w, visitor);
    }
    segment__cold_end(&w);
    return rc;
}

static enum err_code
write_extent_ids(struct part *p, const struct segment__extent *e, struct segment__cold_writer *w,
                 struct err *err)
{
    struct segment_cursor *cursor = p->plan->inputs[e->input].cursor;
    const struct segment_column *given = &p->feeds[e->input].column;
    enum err_code rc = ERR_OK;
    struct slice id;
    uint32_t ignored;

    if (given->n_packed == 0)
        return ERR_OK;
    for (uint32_t k = 0; rc == ERR_OK && k < e->n; k++) {
        if (!segment__value_index(given, e->row + k, &ignored))
            continue;
        rc = segment_cursor_id(cursor, e->row + k, &id, err);
        if (rc == ERR_OK)
            segment__cold_add(w, id);
    }
    return rc;
}

/* The ids that are stored; the others can be made anew of what the part has of their rows. */
static enum err_code
write_ids(struct part *p, struct err *err)
{
    struct segment__cold_writer w;
    struct segment__summary given = {.n_set = 0};
    enum err_code rc = merge_number(p, BLOCK_ID_GIVEN, p->is_folded, &given, err);

    if (rc != ERR_OK || given.n_set == 0)
        return rc;
    segment__cold_begin(&w, &p->out, BLOCK_ID);
    for (size_t i = 0; rc == ERR_OK && i < p->plan->n_extents; i++)
        rc = write_extent_ids(p, &p->plan->extents[i], &w, err);
    segment__cold_end(&w);
    return rc;
}

/* ---- a part ---- */

static enum err_code
write_columns(struct part *p, struct segment__summary *time, struct err *err)
{
    struct segment__summary ignored;
    enum err_code rc = merge_number(p, BLOCK_TIME, 0, time, err);

    if (rc == ERR_OK)
        rc = merge_number(p, BLOCK_FLAGS, 0, &ignored, err);
    if (rc == ERR_OK)
        rc = merge_number(p, BLOCK_ORIGIN, 0, &ignored, err);
    if (rc == ERR_OK)
        rc = merge_texts(p, err);
    if (rc == ERR_OK)
        rc = merge_properties(p, err);
    for (uint32_t code = 0; rc == ERR_OK && code < NUMBER_COUNT; code++)
        rc = merge_number(p, BLOCK_NUMBER, code, &ignored, err);
    if (rc == ERR_OK)
        rc = write_visitors(p, err);
    if (rc == ERR_OK)
        rc = write_ids(p, err);
    if (rc == ERR_OK)
        segment__encode_presence(&p->out, &p->presence);
    return rc;
}

static struct segment_file
describe(const struct part *p, const struct segment__summary *time, struct arena *a)
{
    const struct segment__plan *plan = p->plan;
    struct segment_site *site = ARENA_NEW(a, struct segment_site);

    *site = (struct segment_site){
        .site = p->merge->site,
        .run_end = plan->n_runs,
        .n_rows = plan->n_rows,
        .time_min_ms = time->min,
        .time_max_ms = time->max,
    };
    return (struct segment_file){
        .info = {.kind = SEGMENT_MERGED,
                 .month = p->merge->month,
                 .site = p->merge->site,
                 .n_rows = plan->n_rows,
                 .n_runs = plan->n_runs,
                 .n_sites = 1,
                 .time_min_ms = time->min,
                 .time_max_ms = time->max,
                 .hash_min = run_hash(plan, 0),
                 .hash_max = run_hash(plan, plan->n_runs - 1)},
        .sites = site,
    };
}

/* Where each run of the part begins, and the end; the caller frees. */
static uint32_t *
first_rows(const struct segment__plan *plan)
{
    uint32_t *rows = mem_alloc((plan->n_runs + (size_t)1) * sizeof *rows);

    rows[0] = 0;
    for (uint32_t i = 0; i < plan->n_runs; i++)
        rows[i + 1] = rows[i] + plan->runs[i].n_rows;
    return rows;
}

static enum err_code
write_part(const struct segment_merge *m, const struct segment__plan *plan, const char *dir,
           struct arena *a, struct segment_file *file, struct err *err)
{
    struct part p = {.merge = m, .plan = plan, .takes_all = takes_all(plan)};
    struct segment__summary time;
    enum err_code rc = segment__out_open(&p.out, dir, LEVEL, err);

    if (rc != ERR_OK)
        return rc;
    p.feeds = mem_zalloc(plan->n_inputs * sizeof *p.feeds);
    p.run_rows = first_rows(plan);
    p.out.run_rows = p.run_rows;
    p.out.n_runs = plan->n_runs;
    p.out.n_rows = plan->n_rows;
    p.out.kept_max = m->kept_max == 0 ? KEPT_MAX : m->kept_max;
    segment__presence_init(&p.presence, p.run_rows, plan->n_runs);
    write_runs(&p);
    rc = write_columns(&p, &time, err);
    feeds_clear(&p);
    free(p.feeds);
    segment__presence_fini(&p.presence);
    free(p.run_rows);
    p.out.run_rows = NULL;
    if (rc != ERR_OK) {
        segment__out_abort(&p.out);
        return rc;
    }
    *file = describe(&p, &time, a);
    segment__encode_sites(&p.out, file->sites, 1);
    return segment__out_finish(&p.out, dir, &m->inputs[0]->owner, file, err);
}

/* Rows of a part, from the bytes that a row takes in the inputs; parts are about equal. */
static uint32_t
rows_of_part(const struct segment_merge *m)
{
    uint64_t part_bytes = m->part_bytes == 0 ? SEGMENT_PART_BYTES : m->part_bytes;
    double n_bytes = 0;
    double n_rows = 0;
    double n_parts;

    for (size_t i = 0; i < m->n_inputs; i++) {
        const struct segment_info *info = &m->inputs[i]->info;
        const struct segment_site *site = segment_find_site(m->inputs[i], m->site);

        if (site == NULL)
            continue;
        n_rows += site->n_rows;
        n_bytes += (double)info->n_bytes * site->n_rows / info->n_rows;
    }
    n_parts = n_bytes / (double)part_bytes;
    if (n_parts < n_rows / PART_ROWS_MAX)
        n_parts = n_rows / PART_ROWS_MAX;
    n_parts = n_parts < 1 ? 1 : (double)(uint64_t)(n_parts + 0.5);
    return (uint32_t)(n_rows / n_parts) + 1;
}

/* ---- all parts ---- */

enum err_code
segment_merge(const struct segment_merge *m, const char *dir, struct arena *a,
              struct segment_file **out, size_t *out_n, struct err *err)
{
    struct segment_file *files = NULL;
    struct segment__plan plan;
    size_t n_files = 0;
    size_t n_max = 0;
    enum err_code rc = segment__plan_init(&plan, m, err);
    uint32_t part_rows = rc == ERR_OK ? rows_of_part(m) : 0;

    while (rc == ERR_OK) {
        rc = segment__plan_part(&plan, part_rows, err);
        if (rc != ERR_OK || plan.n_rows == 0)
            break;
        if (n_files == n_max) {
            struct segment_file *more = ARENA_ARRAY(a, struct segment_file, 2 * n_max + 4);

            if (n_files > 0)
                memcpy(more, files, n_files * sizeof *more);
            files = more;
            n_max = 2 * n_max + 4;
        }
        rc = write_part(m, &plan, dir, a, &files[n_files], err);
        n_files += rc == ERR_OK;
    }
    segment__plan_fini(&plan);
    if (rc != ERR_OK) {
        segment__unlink(dir, files, n_files);
        return rc;
    }
    *out = files;
    *out_n = n_files;
    return ERR_OK;
}
