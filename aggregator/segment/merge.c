/* Writing the parts of a merge: column after column, each along the plan. Texts are
 * merge_text.c's. */
#include "aggregator/segment/merge.h"

#include <stdlib.h>

#include "aggregator/segment/merge_part.h"

#define LEVEL         3           /* of zstd: a merged file lives long */
#define PART_ROWS_MAX (32u << 20) /* about: the codes of a text, 4 bytes each at most, are held */
#define KEPT_MAX      (64u << 20) /* bytes of columns that others are guessed from */

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
merge_number(struct segment__part *p, uint32_t type, uint32_t code, struct segment__summary *out,
             struct err *err)
{
    struct segment__source source = {segment__part_next, p};
    segment__presence_bits bits_of = presence_of(type, code);
    enum err_code rc = ERR_OK;

    segment__feeds_clear(p);
    for (uint32_t i = 0; rc == ERR_OK && i < p->plan->n_inputs; i++)
        rc = open_number(p->plan->inputs[i].segment, type, code, &p->feeds[i].column, err);
    if (rc != ERR_OK)
        return rc;
    *out = segment__encode_column(&p->out, type, type == BLOCK_NUMBER ? code : 0, COLUMN_NUMBER,
                                  p->plan->n_rows, &source);
    if (type == BLOCK_TIME)
        segment__presence_add_times(&p->presence, &source);
    if (bits_of != NULL)
        segment__presence_add(&p->presence, &source, bits_of);
    return ERR_OK;
}

/* ---- runs, ids ---- */

static uint64_t
run_hash(const struct segment__plan *plan, uint32_t run)
{
    const struct segment__planned_run *r = &plan->runs[run];

    return plan->inputs[r->input].segment->run_hashes[r->run];
}

static void
write_runs(struct segment__part *p)
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
write_visitors(struct segment__part *p, struct err *err)
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
write_extent_ids(struct segment__part *p, const struct segment__extent *e,
                 struct segment__cold_writer *w, struct err *err)
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
write_ids(struct segment__part *p, struct err *err)
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
write_columns(struct segment__part *p, struct segment__summary *time, struct err *err)
{
    struct segment__summary ignored;
    enum err_code rc = merge_number(p, BLOCK_TIME, 0, time, err);

    if (rc == ERR_OK)
        rc = merge_number(p, BLOCK_FLAGS, 0, &ignored, err);
    if (rc == ERR_OK)
        rc = merge_number(p, BLOCK_ORIGIN, 0, &ignored, err);
    if (rc == ERR_OK)
        rc = segment__merge_texts(p, err);
    if (rc == ERR_OK)
        rc = segment__merge_properties(p, err);
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
describe(const struct segment__part *p, const struct segment__summary *time, struct arena *a)
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

static bool
takes_all(const struct segment__plan *plan)
{
    uint64_t n_rows = 0;

    for (uint32_t i = 0; i < plan->n_inputs; i++)
        n_rows += plan->inputs[i].segment->info.n_rows;
    return n_rows == plan->n_rows;
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
    struct segment__part p = {.merge = m, .plan = plan, .takes_all = takes_all(plan)};
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
    segment__feeds_clear(&p);
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
