/* Merging what was added and is not committed yet. Nobody else knows these files, so that no lock
 * beside the writer's own is needed, and the one commit that follows has the merged ones only. */
#include "aggregator/writer_int.h"

#include <stdlib.h>

#include "aggregator/segment/merge.h"
#include "core/log.h"

#define SPACE_FACTOR 2 /* free space, in sizes of the inputs */

static int
compare_months(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static uint64_t
rows_of_month(const struct writer *w, uint32_t month)
{
    uint64_t n = 0;

    for (size_t i = 0; i < w->n_added; i++)
        n += w->added[i].month == month ? w->added[i].n_rows : 0;
    return n;
}

/* The largest month first, so that no thread is left alone with it at the end. */
static int
compare_sizes(const void *a, const void *b, void *context)
{
    uint64_t x = rows_of_month(context, *(const uint32_t *)a);
    uint64_t y = rows_of_month(context, *(const uint32_t *)b);

    return (x < y) - (x > y);
}

size_t
writer_months(struct writer *w)
{
    size_t n = 0;

    w->months = mem_realloc(w->months, w->n_added * sizeof *w->months);
    for (size_t i = 0; i < w->n_added; i++)
        w->months[i] = w->added[i].month;
    qsort(w->months, w->n_added, sizeof *w->months, compare_months);
    for (size_t i = 0; i < w->n_added; i++)
        if (n == 0 || w->months[n - 1] != w->months[i])
            w->months[n++] = w->months[i];
    qsort_r(w->months, n, sizeof *w->months, compare_sizes, w);
    return n;
}

/* The files that are merged now, taken off the list. */
struct inputs {
    size_t n;
    struct catalog_segment rows[SEGMENT_MERGE_MAX];
    struct segment *segments[SEGMENT_MERGE_MAX];
    uint64_t n_bytes;
};

static void
take_inputs(struct writer *w, uint32_t month, struct inputs *in)
{
    size_t n_left = 0;

    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->n_added; i++) {
        const struct catalog_segment *row = &w->added[i];

        if (row->month != month || row->kind == CATALOG_MERGE || in->n == SEGMENT_MERGE_MAX) {
            w->added[n_left++] = *row;
            continue;
        }
        in->n_bytes += row->n_bytes;
        in->rows[in->n++] = *row;
        w->n_rows -= row->n_rows;
    }
    w->n_added = n_left;
    pthread_mutex_unlock(&w->lock);
}

static void
put_back(struct writer *w, const struct inputs *in)
{
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < in->n; i++)
        writer__list(w, &in->rows[i]);
    pthread_mutex_unlock(&w->lock);
}

/* In the place of the inputs. */
static void
put_merged(struct writer *w, const struct inputs *in, const struct segment_file *files, size_t n)
{
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < n; i++) {
        struct catalog_segment row = catalog_segment_of(&files[i], CATALOG_MERGE);

        writer__list(w, &row);
    }
    pthread_mutex_unlock(&w->lock);
    for (size_t i = 0; i < in->n; i++)
        writer__unlink(w, in->rows[i].name);
}

static enum err_code
open_inputs(const struct writer *w, struct inputs *in, struct err *err)
{
    struct segment_owner owner = store_owner(w->store);
    char path[FILE_PATH_MAX];
    enum err_code rc = ERR_OK;

    for (size_t i = 0; rc == ERR_OK && i < in->n; i++) {
        store_segment_path(w->store, in->rows[i].name, path);
        rc = segment_open(path, &owner, &in->segments[i], err);
    }
    return rc;
}

static enum err_code
merge_inputs(struct writer *w, struct inputs *in, uint32_t site, struct err *err)
{
    const struct segment *segments[SEGMENT_MERGE_MAX];
    struct segment_merge merge = {
        .inputs = segments, .n_inputs = in->n, .site = site, .month = in->rows[0].month};
    struct segment_file *files = NULL;
    struct arena a;
    size_t n = 0;
    enum err_code rc;

    arena_init(&a, 16 << 10);
    rc = open_inputs(w, in, err);
    for (size_t i = 0; i < in->n; i++)
        segments[i] = in->segments[i];
    if (rc == ERR_OK)
        rc = segment_merge(&merge, w->store->segments, &a, &files, &n, err);
    for (size_t i = 0; i < in->n; i++)
        segment_close(&in->segments[i]);
    if (rc == ERR_OK)
        put_merged(w, in, files, n);
    arena_fini(&a);
    return rc;
}

static enum err_code
merge_some(struct writer *w, struct inputs *in, uint32_t site, const atomic_bool *stop,
           struct err *err)
{
    uint64_t n_free = 0;
    enum err_code rc;

    if (stop != NULL && atomic_load(stop))
        return err_set(err, ERR_UNAVAILABLE, NULL, "stopping");
    rc = store_free_bytes(w->store, &n_free, err);
    if (rc != ERR_OK)
        return rc;
    if (n_free >= SPACE_FACTOR * in->n_bytes)
        return merge_inputs(w, in, site, err);
    log_warn("too little space to merge %06u now: %llu MB are free", in->rows[0].month,
             (unsigned long long)(n_free >> 20));
    return err_set(err, ERR_FULL, NULL, "no space for merging");
}

/* Where a month has more files than one merge takes, each group of them becomes a file of its own:
 * those are joined some day like any others. */
enum err_code
writer_merge_month(struct writer *w, size_t i, uint32_t site, const atomic_bool *stop,
                   struct err *err)
{
    uint32_t month = w->months[i];
    struct inputs *in = mem_alloc(sizeof *in);
    enum err_code rc = ERR_OK;

    for (;;) {
        *in = (struct inputs){.n = 0};
        take_inputs(w, month, in);
        if (in->n == 0)
            break;
        rc = merge_some(w, in, site, stop, err);
        if (rc == ERR_OK)
            continue;
        put_back(w, in);
        if (rc == ERR_FULL)
            rc = ERR_OK;
        break;
    }
    free(in);
    return rc;
}
