/* One visitor's events, and a site's summary. */
#include "aggregator/query_int.h"

#include <stdlib.h>

struct events {
    struct event *list;
    size_t n;
    size_t max;
};

static enum err_code
read_run(const struct query_part *part, struct slice visitor, struct arena *a,
         struct events *events, struct err *err)
{
    struct segment_cursor *cursor = segment_cursor_create(part->segment);
    const uint32_t *rows = segment_run_rows(part->segment);
    size_t n_before = events->n;
    enum err_code rc;
    uint32_t run = 0;

    rc = segment_find_visitor(cursor, part->site->site, visitor, &run, err);
    for (uint32_t row = rows[run]; rc == ERR_OK && row < rows[run + 1]; row++) {
        if (events->n == events->max) {
            events->max = 2 * events->max + 64;
            events->list = mem_realloc(events->list, events->max * sizeof *events->list);
        }
        rc = segment_cursor_event(cursor, row, a, &events->list[events->n], err);
        events->n += rc == ERR_OK;
    }
    segment_cursor_destroy(&cursor);
    if (rc == ERR_CORRUPT)
        events->n = n_before; /* all of a segment or nothing of it */
    return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

static int
compare_by_id(const void *x, const void *y)
{
    const struct event *a = x;
    const struct event *b = y;
    int order = slice_compare(a->id, b->id);

    return order != 0 ? order : segment_repeat_compare(a, b);
}

static int
compare_by_time(const void *x, const void *y)
{
    return event_compare(x, y);
}

/* Of events with one id the first by segment_repeat_compare stays. */
static void
drop_repeats(struct events *events)
{
    size_t n = 0;

    if (events->n == 0)
        return;
    qsort(events->list, events->n, sizeof *events->list, compare_by_id);
    for (size_t i = 0; i < events->n; i++)
        if (n == 0 || !slice_equal(events->list[n - 1].id, events->list[i].id))
            events->list[n++] = events->list[i];
    events->n = n;
    qsort(events->list, events->n, sizeof *events->list, compare_by_time);
}

/* Texts lie in the segment, which may be closed before the caller is done. */
static void
copy_event(struct event *to, const struct event *from, struct arena *a)
{
    *to = *from;
    to->visitor = arena_copy(a, from->visitor);
    to->id = arena_copy(a, from->id);
    for (int i = 0; i < TEXT_COUNT; i++)
        if (from->text[i].n != 0)
            to->text[i] = arena_copy(a, from->text[i]);
        else
            to->text[i] = SLICE_EMPTY;
    to->properties = ARENA_ARRAY(a, struct event_property, from->n_properties + 1);
    for (uint32_t i = 0; i < from->n_properties; i++) {
        to->properties[i].key = arena_copy(a, from->properties[i].key);
        to->properties[i].value = arena_copy(a, from->properties[i].value);
    }
}

enum err_code
query_visitor(struct snapshot_pool *p, uint32_t site, struct slice visitor, size_t limit,
              struct arena *a, struct event **out, size_t *out_n, struct err *err)
{
    const struct snapshot *snapshot = NULL;
    struct events events = {NULL, 0, 0};
    struct arena scratch;
    enum err_code rc;
    size_t skip;

    rc = snapshot_take(p, site, QUERY_BEGIN, QUERY_END, &snapshot, err);
    if (rc != ERR_OK)
        return rc;
    arena_init(&scratch, 64 << 10);
    for (size_t i = 0; rc == ERR_OK && i < snapshot->n; i++) {
        struct err why = ERR_NONE;
        struct query_part part;

        if (query__part(snapshot, i, site, &part))
            rc = query__leave_out(read_run(&part, visitor, &scratch, &events, &why), &why, err);
    }
    if (rc == ERR_OK) {
        drop_repeats(&events);
        skip = events.n > limit ? events.n - limit : 0;
        *out_n = events.n - skip;
        *out = ARENA_ARRAY(a, struct event, *out_n + 1);
        for (size_t i = 0; i < *out_n; i++)
            copy_event(&(*out)[i], &events.list[skip + i], a);
    }
    free(events.list);
    arena_fini(&scratch);
    snapshot_release(p, &snapshot);
    return rc;
}

/* ---- Summary ---- */

enum err_code
query_site_summary(struct snapshot_pool *p, uint32_t site, struct query_summary *out,
                   struct err *err)
{
    const struct snapshot *snapshot = NULL;
    struct query_summary sum = {0};
    enum err_code rc;

    rc = snapshot_take(p, site, QUERY_BEGIN, QUERY_END, &snapshot, err);
    if (rc != ERR_OK)
        return rc;
    for (size_t i = 0; i < snapshot->n; i++) {
        struct query_part part;

        if (!query__part(snapshot, i, site, &part))
            continue;
        if (sum.n_events == 0 || part.site->time_min_ms < sum.first_ms)
            sum.first_ms = part.site->time_min_ms;
        if (sum.n_events == 0 || part.site->time_max_ms > sum.last_ms)
            sum.last_ms = part.site->time_max_ms;
        sum.n_events += part.site->n_rows;
    }
    snapshot_release(p, &snapshot);
    *out = sum;
    return ERR_OK;
}
