/* Which segments are joined. What is not here: how (segment/merge.h), and the thread that goes on
 * doing it (merge_run.c). */
#include "aggregator/merge.h"

#include <stdlib.h>
#include <string.h>

#include "aggregator/retention.h"
#include "aggregator/segment/merge.h"
#include "aggregator/site.h"
#include "core/clock.h"
#include "core/log.h"

#define LEAP         8 /* two files are joined where the larger is at most so many times larger */
#define SPACE_FACTOR 2 /* free space, in sizes of the inputs */

/* ---- What is due ---- */

struct job {
    size_t n;
    const struct catalog_segment *inputs[MERGE_INPUTS_MAX];
    uint64_t n_bytes;
    uint64_t n_rows;
    int64_t newest_ms;
};

/* What does not count, of whole sites and for its age. */
struct removed {
    const uint32_t *ids; /* ascending */
    size_t n;
    struct retention_limits limits;
};

static bool
is_removed(const struct removed *removed, uint32_t site)
{
    for (size_t i = 0; i < removed->n; i++)
        if (removed->ids[i] == site)
            return true;
    return false;
}

/* By month, site, rows: those that may be joined stand together, small ones first. */
static int
compare_rows(const void *x, const void *y)
{
    const struct catalog_segment *a = x;
    const struct catalog_segment *b = y;

    if (a->month != b->month)
        return a->month < b->month ? -1 : 1;
    if (a->site != b->site)
        return a->site < b->site ? -1 : 1;
    if (a->n_rows != b->n_rows)
        return a->n_rows < b->n_rows ? -1 : 1;
    return strcmp(a->name, b->name);
}

static void
job_add(struct job *job, const struct catalog_segment *row)
{
    job->inputs[job->n++] = row;
    job->n_bytes += row->n_bytes;
    job->n_rows += row->n_rows;
    if (row->created_ms > job->newest_ms)
        job->newest_ms = row->created_ms;
}

static bool
is_bad(const struct merge_memory *memory, const char *name)
{
    for (size_t i = 0; memory && i < memory->n_bad; i++)
        if (strcmp(memory->bad[i], name) == 0)
            return true;
    return false;
}

/* Does the next larger one belong to the job? Files of several sites always do; of one site, those
 * that have no more rows than the smaller ones together (bytes would not do: a file has a fixed
 * cost, so that joining small ones shrinks them). What has its full size is left alone. */
static bool
joins(const struct job *job, const struct catalog_segment *row, bool everything)
{
    if (job->n == 0)
        return true;
    if (row->site != job->inputs[0]->site || row->month != job->inputs[0]->month ||
        job->n == MERGE_INPUTS_MAX)
        return false;
    if (row->site == 0)
        return true;
    if (row->n_bytes >= MERGE_OUTPUT_BYTES / 2)
        return false;
    return everything || row->n_rows <= (job->n == 1 ? LEAP * job->n_rows : job->n_rows);
}

static bool
is_due(const struct job *job, bool everything, int64_t now_ms)
{
    if (job->n == 0)
        return false;
    if (job->n >= MERGE_FAN_IN)
        return true;
    if (!everything && now_ms - job->newest_ms < MERGE_QUIET_MS)
        return false;
    return job->n >= 2 || job->inputs[0]->site == 0;
}

/* The first job that is due; n = 0 where none is. */
static void
find_job(struct catalog_list *list, const struct merge_options *options, struct job *out)
{
    int64_t now = clock_wall_ms();

    *out = (struct job){.n = 0};
    qsort(list->segments, list->n, sizeof *list->segments, compare_rows);
    for (size_t i = 0; i < list->n; i++) {
        const struct catalog_segment *row = &list->segments[i];

        if (is_bad(options->memory, row->name))
            continue;
        if (!joins(out, row, options->everything)) {
            if (is_due(out, options->everything, now))
                return;
            *out = (struct job){.n = 0};
        }
        job_add(out, row);
    }
    if (!is_due(out, options->everything, now))
        out->n = 0;
}

/* ---- Doing it ---- */

struct work {
    const struct merge_options *options;
    const struct job *job;
    const struct removed *removed;
    struct catalog *catalog;
    struct segment *inputs[MERGE_INPUTS_MAX];
    struct catalog_segment *outputs; /* in the arena */
    size_t n_outputs;
    size_t outputs_max;
    struct arena arena;
};

static enum err_code
open_inputs(struct work *w, struct err *err)
{
    struct segment_owner owner = store_owner(w->options->store);
    char path[FILE_PATH_MAX];
    enum err_code rc = ERR_OK;

    for (size_t i = 0; rc == ERR_OK && i < w->job->n; i++) {
        store_segment_path(w->options->store, w->job->inputs[i]->name, path);
        rc = segment_open(path, &owner, &w->inputs[i], err);
    }
    if (rc == ERR_CONFLICT) /* of another data folder: no conflict with another merger */
        rc = err->code = ERR_CORRUPT;
    return rc;
}

static void
keep_outputs(struct work *w, const struct segment_file *files, size_t n)
{
    if (w->n_outputs + n > w->outputs_max) {
        size_t more = 2 * w->outputs_max + n + 16;
        struct catalog_segment *grown = ARENA_ARRAY(&w->arena, struct catalog_segment, more);

        if (w->n_outputs != 0)
            memcpy(grown, w->outputs, w->n_outputs * sizeof *grown);
        w->outputs = grown;
        w->outputs_max = more;
    }
    for (size_t i = 0; i < n; i++)
        w->outputs[w->n_outputs++] = catalog_segment_of(&files[i], CATALOG_MERGE);
}

/* The smallest site above `after` in any input; 0 where there is none. */
static uint32_t
next_site(const struct work *w, uint32_t after)
{
    uint32_t next = 0;

    for (size_t i = 0; i < w->job->n; i++) {
        const struct segment_site *sites = segment_sites(w->inputs[i]);
        uint32_t n = segment_info(w->inputs[i])->n_sites;

        for (uint32_t k = 0; k < n; k++)
            if (sites[k].site > after && (next == 0 || sites[k].site < next))
                next = sites[k].site;
    }
    return next;
}

static enum err_code
merge_sites(struct work *w, struct err *err)
{
    const struct segment *inputs[MERGE_INPUTS_MAX];
    enum err_code rc = ERR_OK;
    uint32_t site = 0;

    for (size_t i = 0; i < w->job->n; i++)
        inputs[i] = w->inputs[i];
    while (rc == ERR_OK && (site = next_site(w, site)) != 0) {
        struct catalog_erased erased;
        struct segment_merge merge = {.inputs = inputs,
                                      .n_inputs = w->job->n,
                                      .site = site,
                                      .month = w->job->inputs[0]->month,
                                      .part_bytes = MERGE_OUTPUT_BYTES,
                                      .erased = &erased.list};
        struct segment_file *files = NULL;
        size_t n = 0;

        if (is_removed(w->removed, site))
            continue;
        if (w->options->stop && atomic_load(w->options->stop))
            return err_set(err, ERR_UNAVAILABLE, NULL, "stopping");
        rc = catalog_erased_read(w->catalog, site, &w->arena, &erased, err);
        erased.list.kept_from_ms = retention_limit_of(&w->removed->limits, site);
        if (rc == ERR_OK)
            rc = segment_merge(&merge, w->options->store->segments, &w->arena, &files, &n, err);
        if (rc == ERR_OK)
            keep_outputs(w, files, n);
    }
    return rc;
}

static enum err_code
commit(struct work *w, struct catalog *c, struct err *err)
{
    char(*names)[CATALOG_NAME_MAX] =
        arena_zalloc(&w->arena, w->job->n * sizeof(char[CATALOG_NAME_MAX]));
    struct catalog_change change = {.add = w->outputs, .n_add = w->n_outputs};

    for (size_t i = 0; i < w->job->n; i++)
        memcpy(names[i], w->job->inputs[i]->name, CATALOG_NAME_MAX);
    change.remove = (const char(*)[CATALOG_NAME_MAX])names;
    change.n_remove = w->job->n;
    return catalog_commit(c, &change, err);
}

static void
unlink_outputs(struct work *w)
{
    char path[FILE_PATH_MAX];

    for (size_t i = 0; i < w->n_outputs; i++) {
        store_segment_path(w->options->store, w->outputs[i].name, path);
        file_remove(path, NULL); /* what stays is taken by the next clean-up */
    }
}

static enum err_code
check_space(const struct work *w, struct err *err)
{
    uint64_t n_free = 0;
    enum err_code rc = store_free_bytes(w->options->store, &n_free, err);

    if (rc == ERR_OK && n_free < SPACE_FACTOR * w->job->n_bytes)
        rc = err_set(err, ERR_FULL, NULL,
                     "merging is postponed: %llu MB are free, %llu MB are needed",
                     (unsigned long long)(n_free >> 20),
                     (unsigned long long)(SPACE_FACTOR * w->job->n_bytes >> 20));
    return rc;
}

/* Which input was it? Each is verified whole; the damaged ones are remembered. */
static void
remember_bad(struct work *w, const struct err *why)
{
    struct merge_memory *memory = w->options->memory;
    char path[FILE_PATH_MAX];
    struct segment_owner owner = store_owner(w->options->store);

    for (size_t i = 0; memory && i < w->job->n && memory->n_bad < MERGE_BAD_MAX; i++) {
        const char *name = w->job->inputs[i]->name;
        enum err_code rc = ERR_OK;

        store_segment_path(w->options->store, name, path);
        if (!w->inputs[i])
            rc = segment_open(path, &owner, &w->inputs[i], NULL);
        if (rc == ERR_OK)
            rc = segment_check(w->inputs[i], NULL);
        if (rc == ERR_OK)
            continue;
        log_error("not merged until a restart: %s: %s", name, why->message);
        memcpy(memory->bad[memory->n_bad++], name, CATALOG_NAME_MAX);
    }
}

static bool
is_damage(enum err_code rc)
{
    return rc == ERR_CORRUPT || rc == ERR_NOT_FOUND || rc == ERR_VERSION || rc == ERR_INVALID;
}

static enum err_code
run_job(struct catalog *c, const struct merge_options *options, const struct job *job,
        const struct removed *removed, struct err *err)
{
    struct work w = {.options = options, .job = job, .removed = removed, .catalog = c};
    struct err words = ERR_NONE;
    bool is_unsure = false;
    enum err_code rc;
    int lock = -1;

    if (!err)
        err = &words;
    arena_init(&w.arena, 64 << 10);
    rc = check_space(&w, err);
    if (rc == ERR_OK)
        rc = store_lock_writing(options->store, false, true, &lock, err);
    if (rc == ERR_OK)
        rc = open_inputs(&w, err);
    if (rc == ERR_OK)
        rc = merge_sites(&w, err);
    if (is_damage(rc)) {
        remember_bad(&w, err);
        rc = err->code = ERR_CORRUPT;
    }
    if (rc == ERR_OK) {
        rc = commit(&w, c, err);
        is_unsure = rc != ERR_OK && rc != ERR_CONFLICT && rc != ERR_UNAVAILABLE;
    }
    if (rc != ERR_OK && !is_unsure)
        unlink_outputs(&w);
    if (lock >= 0)
        file_unlock(&lock);
    for (size_t i = 0; i < job->n; i++)
        segment_close(&w.inputs[i]);
    arena_fini(&w.arena);
    return rc;
}

/* ---- Who was erased ---- */

/* Has the run events that do not count? (The first is the earliest.) */
static enum err_code
run_is_erased(const struct segment *s, struct segment_cursor *cursor, uint32_t run,
              const struct segment_erased_list *erased, bool *out, struct err *err)
{
    struct segment_column time;
    struct slice visitor;
    int64_t first_ms = 0;
    enum err_code rc = segment_cursor_visitor(cursor, run, &visitor, err);

    if (rc == ERR_OK)
        rc = segment_time_open(s, &time, err);
    if (rc != ERR_OK)
        return rc;
    segment_values(&time, segment_run_rows(s)[run], 1, &first_ms, NULL);
    *out = first_ms < segment_erased_from(erased, segment_run_hashes(s)[run], visitor);
    return ERR_OK;
}

static enum err_code
site_holds_erased(const struct segment *s, const struct segment_site *site,
                  const struct segment_erased_list *erased, bool *out, struct err *err)
{
    struct segment_cursor *cursor = segment_cursor_create(s);
    const uint64_t *hashes = segment_run_hashes(s);
    enum err_code rc = ERR_OK;

    for (size_t i = 0; rc == ERR_OK && !*out && i < erased->n; i++) {
        uint64_t hash = erased->list[i].hash;

        for (uint32_t run = segment_seek_run(s, site, hash);
             rc == ERR_OK && !*out && run < site->run_end && hashes[run] == hash; run++)
            rc = run_is_erased(s, cursor, run, erased, out, err);
    }
    segment_cursor_destroy(&cursor);
    return rc;
}

static enum err_code
holds_erased(struct catalog *c, const struct store *store, const struct catalog_segment *row,
             struct arena *a, bool *out, struct err *err)
{
    struct segment_owner owner = store_owner(store);
    struct segment *s = NULL;
    char path[FILE_PATH_MAX];
    enum err_code rc;

    store_segment_path(store, row->name, path);
    rc = segment_open(path, &owner, &s, err);
    for (uint32_t i = 0; rc == ERR_OK && !*out && i < segment_info(s)->n_sites; i++) {
        const struct segment_site *site = &segment_sites(s)[i];
        struct catalog_erased erased;

        rc = catalog_erased_read(c, site->site, a, &erased, err);
        if (rc == ERR_OK)
            rc = site_holds_erased(s, site, &erased.list, out, err);
    }
    segment_close(&s);
    return rc;
}

/* The first file that holds somebody who was erased; n = 0 where none does. What cannot be read is
 * left to those who look for damage. */
static enum err_code
find_erase_job(struct catalog *c, const struct catalog_list *list,
               const struct merge_options *options, struct arena *a, struct job *out,
               struct err *err)
{
    struct catalog_erased all;
    enum err_code rc = catalog_erased_read(c, 0, a, &all, err);

    *out = (struct job){.n = 0};
    for (size_t i = 0; rc == ERR_OK && all.n_all > 0 && out->n == 0 && i < list->n; i++) {
        const struct catalog_segment *row = &list->segments[i];
        bool is_due = false;

        if (is_bad(options->memory, row->name))
            continue;
        rc = holds_erased(c, options->store, row, a, &is_due, err);
        if (is_damage(rc)) {
            log_error("erasing: %s is left out: it cannot be read", row->name);
            rc = ERR_OK;
        }
        if (is_due)
            job_add(out, row);
    }
    return rc;
}

/* A file that reaches back much further than its site keeps events. */
static void
find_old_job(const struct catalog_list *list, const struct merge_options *options,
             const struct removed *removed, struct job *out)
{
    for (size_t i = 0; out->n == 0 && i < list->n; i++) {
        const struct catalog_segment *row = &list->segments[i];

        if (row->site != 0 && !is_bad(options->memory, row->name) &&
            row->min_time_ms < retention_limit_of(&removed->limits, row->site) - MERGE_OLD_MS)
            job_add(out, row);
    }
}

static bool
is_gone(const struct removed *removed, const struct catalog_segment *row)
{
    return row->site != 0 && (is_removed(removed, row->site) ||
                              row->max_time_ms < retention_limit_of(&removed->limits, row->site));
}

/* Segments that hold nothing but a removed site, and its links; and those of nothing but what is
 * too old. */
static enum err_code
drop_removed(struct catalog *c, const struct catalog_list *list, const struct removed *removed,
             size_t *out_n, struct err *err)
{
    char names[MERGE_INPUTS_MAX][CATALOG_NAME_MAX];
    struct catalog_change change = {.n_remove = 0};
    enum err_code rc = ERR_OK;

    for (size_t i = 0; rc == ERR_OK && i < removed->n; i++)
        rc = catalog_links_remove(c, removed->ids[i], err);
    if (rc != ERR_OK)
        return rc;
    for (size_t i = 0; i < list->n && change.n_remove < MERGE_INPUTS_MAX; i++)
        if (is_gone(removed, &list->segments[i]))
            memcpy(names[change.n_remove++], list->segments[i].name, CATALOG_NAME_MAX);
    *out_n = change.n_remove;
    if (change.n_remove == 0)
        return ERR_OK;
    change.remove = (const char(*)[CATALOG_NAME_MAX])names;
    return catalog_commit(c, &change, err);
}

static enum err_code
find_and_run(struct catalog *c, const struct merge_options *options, struct arena *a, size_t *out_n,
             struct err *err)
{
    struct removed removed = {.n = 0};
    struct catalog_list list;
    uint32_t *ids = NULL;
    struct job job;
    enum err_code rc;

    rc = site_list_removed(options->settings, a, &ids, &removed.n, err);
    if (rc == ERR_OK)
        rc = retention_of_all(options->settings, a, &removed.limits, err);
    if (rc == ERR_OK)
        rc = catalog_read(c, a, &list, err);
    if (rc != ERR_OK)
        return rc;
    removed.ids = ids;
    rc = drop_removed(c, &list, &removed, out_n, err);
    if (rc != ERR_OK || *out_n != 0)
        return rc;
    if (options->only_erases)
        rc = find_erase_job(c, &list, options, a, &job, err);
    else
        find_job(&list, options, &job);
    if (options->only_erases && rc == ERR_OK && job.n == 0)
        find_old_job(&list, options, &removed, &job);
    if (rc != ERR_OK || job.n == 0)
        return rc;
    rc = run_job(c, options, &job, &removed, err);
    if (rc == ERR_OK)
        *out_n = job.n;
    return rc;
}

enum err_code
merge_step(struct catalog *c, const struct merge_options *options, size_t *out_n, struct err *err)
{
    struct arena a;
    enum err_code rc;
    int lock = -1;
    size_t n = 0;

    rc = store_lock_merging(options->store, false, &lock, err);
    if (rc != ERR_OK)
        return rc;
    arena_init(&a, 64 << 10);
    rc = find_and_run(c, options, &a, &n, err);
    arena_fini(&a);
    file_unlock(&lock);
    if (rc == ERR_OK)
        *out_n = n;
    return rc;
}
