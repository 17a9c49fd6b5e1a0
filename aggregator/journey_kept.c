/* See journey_kept.h. */
#include "aggregator/journey_kept.h"

#include <stdlib.h>

/* A row of the person at hand: by time, then as it was added (ids one after the other), until an
 * event id says more. */
struct kept_tie {
    const struct kept_row *row;
    uint32_t run;
    struct slice id;
};

void
kept_fini(struct kept *k)
{
    free(k->rows);
    free(k->runs);
    free(k->person);
}

void
kept_add_run(struct kept *k, uint32_t person)
{
    if (k->n_runs == k->runs_max) {
        k->runs_max = 2 * k->runs_max + 64;
        k->runs = mem_realloc(k->runs, k->runs_max * sizeof *k->runs);
    }
    k->runs[k->n_runs++] = (struct kept_run){person, 0, k->n_rows};
}

void
kept_add_row(struct kept *k, const struct kept_row *row)
{
    if (k->n_rows == k->rows_max) {
        k->rows_max = 2 * k->rows_max + 256;
        k->rows = mem_realloc(k->rows, k->rows_max * sizeof *k->rows);
    }
    k->rows[k->n_rows++] = *row;
    k->runs[k->n_runs - 1].n++;
}

static int
compare_runs(const void *x, const void *y)
{
    const struct kept_run *a = x;
    const struct kept_run *b = y;

    if (a->person != b->person)
        return a->person < b->person ? -1 : 1;
    return a->begin < b->begin ? -1 : a->begin > b->begin;
}

void
kept_sort(struct kept *k)
{
    if (k->n_runs > 1)
        qsort(k->runs, k->n_runs, sizeof *k->runs, compare_runs);
}

size_t
kept_count(const struct kept *k, size_t at)
{
    uint32_t person = k->runs[at].person;
    size_t n = 0;

    for (; at < k->n_runs && k->runs[at].person == person; at++)
        n += k->runs[at].n;
    return n;
}

/* Rows of one id lie in the order of their events' ids already. */
static int
compare_as_added(const void *x, const void *y)
{
    const struct kept_tie *a = x;
    const struct kept_tie *b = y;

    if (a->row->row.time_ms != b->row->row.time_ms)
        return a->row->row.time_ms < b->row->row.time_ms ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

/* Often so: one device after the other. */
static bool
is_in_order(const struct kept_tie *ties, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (compare_as_added(&ties[i - 1], &ties[i]) > 0)
            return false;
    return true;
}

static int
compare_ids(const void *x, const void *y)
{
    const struct kept_tie *a = x;
    const struct kept_tie *b = y;
    int order = slice_compare(a->id, b->id);

    return order != 0 ? order : compare_as_added(x, y);
}

/* Rows of one moment, of more than one id. */
static enum err_code
sort_moment(struct kept_tie *ties, size_t n, kept_read_id read_id, void *context, struct err *err)
{
    enum err_code rc = ERR_OK;

    if (ties[0].run == ties[n - 1].run)
        return ERR_OK;
    for (size_t i = 0; rc == ERR_OK && i < n; i++)
        rc = read_id(ties[i].row, context, &ties[i].id, err);
    if (rc == ERR_OK)
        qsort(ties, n, sizeof *ties, compare_ids);
    return rc;
}

/* All rows of the person whose first run is *at, in k->person. */
static size_t
collect(struct kept *k, size_t *at)
{
    size_t n_max = kept_count(k, *at), n = 0;
    uint32_t person = k->runs[*at].person;

    if (n_max > k->person_max) {
        k->person_max = 2 * n_max;
        k->person = mem_realloc(k->person, k->person_max * sizeof *k->person);
    }
    for (; *at < k->n_runs && k->runs[*at].person == person; ++*at)
        for (uint32_t i = 0; i < k->runs[*at].n; i++)
            k->person[n++] =
                (struct kept_tie){&k->rows[k->runs[*at].begin + i], (uint32_t)*at, SLICE_EMPTY};
    return n;
}

enum err_code
kept_next(struct kept *k, size_t *at, kept_read_id read_id, void *context, struct scan_row *rows,
          struct err *err)
{
    size_t n = collect(k, at);
    enum err_code rc = ERR_OK;

    if (!is_in_order(k->person, n))
        qsort(k->person, n, sizeof *k->person, compare_as_added);
    for (size_t i = 0, end; rc == ERR_OK && i < n; i = end) {
        int64_t time_ms = k->person[i].row->row.time_ms;

        for (end = i + 1; end < n && k->person[end].row->row.time_ms == time_ms;)
            end++;
        rc = sort_moment(k->person + i, end - i, read_id, context, err);
    }
    for (size_t i = 0; rc == ERR_OK && i < n; i++)
        rows[i] = k->person[i].row->row;
    return rc;
}

struct journey_place
kept_place(const struct kept *k, size_t i)
{
    return (struct journey_place){k->person[i].row->input, k->person[i].row->segment_row};
}
