/* One person's events, and a site's summary. */
#include "aggregator/query_int.h"

#include <stdlib.h>

struct events {
    struct event *list;
    size_t n;
    size_t max;
};

static enum err_code
read_run(const struct query_part *part, struct slice visitor, struct arena *a, int64_t from_ms,
         struct events *events, struct err *err)
{
    struct segment_cursor *cursor = segment_cursor_create(part->segment);
    const uint32_t *rows = segment_run_rows(part->segment);
    enum err_code rc;
    uint32_t run = 0;

    rc = segment_find_visitor(cursor, part->site->site, visitor, &run, err);
    for (uint32_t row = rows[run]; rc == ERR_OK && row < rows[run + 1]; row++) {
        if (events->n == events->max) {
            events->max = 2 * events->max + 64;
            events->list = mem_realloc(events->list, events->max * sizeof *events->list);
        }
        rc = segment_cursor_event(cursor, row, a, &events->list[events->n], err);
        events->n += rc == ERR_OK && events->list[events->n].time_ms >= from_ms;
    }
    segment_cursor_destroy(&cursor);
    return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

static int
compare_keys(const struct event *a, const struct event *b)
{
    int order = slice_compare(a->visitor, b->visitor);

    return order != 0 ? order : slice_compare(a->id, b->id);
}

static int
compare_by_key(const void *x, const void *y)
{
    int order = compare_keys(x, y);

    return order != 0 ? order : segment_repeat_compare(x, y);
}

static int
compare_by_time(const void *x, const void *y)
{
    int order = event_compare(x, y);

    return order != 0 ? order : compare_keys(x, y);
}

size_t
query__drop_repeats(struct event *list, size_t n)
{
    size_t n_kept = 0;

    if (n > 0)
        qsort(list, n, sizeof *list, compare_by_key);
    for (size_t i = 0; i < n; i++)
        if (n_kept == 0 || compare_keys(&list[n_kept - 1], &list[i]) != 0)
            list[n_kept++] = list[i];
    return n_kept;
}

/* All ids of the visitor's person: only its own where it is joined to no other. */
static void
list_ids(const struct snapshot *snapshot, uint64_t hash, struct slice visitor, struct arena *a,
         struct query_person *out)
{
    const struct persons *p = snapshot->persons;
    uint32_t person = persons_find(p, hash, visitor);

    out->ids = ARENA_ARRAY(a, struct slice, PERSON_IDS_MAX);
    out->ids[out->n_ids++] = arena_copy(a, person == PERSON_NOBODY ? visitor : p->names[person]);
    for (size_t i = 0; person != PERSON_NOBODY && i < p->n_ids; i++)
        if (p->ids[i].person == person && !slice_equal(p->ids[i].id, p->names[person]))
            out->ids[out->n_ids++] = arena_copy(a, p->ids[i].id);
}

static enum err_code
read_part(const struct query_part *part, const struct segment_erased_list *erased,
          const struct query_person *person, struct arena *a, struct events *events,
          struct err *err)
{
    size_t n_before = events->n;
    enum err_code rc = ERR_OK;

    for (size_t i = 0; rc == ERR_OK && i < person->n_ids; i++) {
        uint64_t hash = segment_visitor_hash(&erased->owner, person->ids[i]);

        rc = read_run(part, person->ids[i], a, segment_erased_from(erased, hash, person->ids[i]),
                      events, err);
    }
    if (rc == ERR_CORRUPT)
        events->n = n_before; /* all of a segment or nothing of it */
    return rc;
}

enum err_code
query_person(struct snapshot_pool *p, uint32_t site, struct slice visitor, size_t limit,
             struct arena *a, struct query_person *out, struct err *err)
{
    const struct snapshot *snapshot = NULL;
    struct query_person person = {.n_ids = 0};
    struct events events = {NULL, 0, 0};
    struct arena scratch;
    enum err_code rc;
    size_t skip;

    rc = snapshot_take(p, SNAPSHOT_WHOLE(site), &snapshot, err);
    if (rc != ERR_OK)
        return rc;
    arena_init(&scratch, 64 << 10);
    list_ids(snapshot, snapshot_visitor_hash(p, visitor), visitor, a, &person);
    for (size_t i = 0; rc == ERR_OK && i < snapshot->n; i++) {
        struct err why = ERR_NONE;
        struct query_part part;

        if (query__part(snapshot, i, site, &part))
            rc = query__leave_out(
                read_part(&part, &snapshot->erased, &person, &scratch, &events, &why), &why, err);
    }
    if (rc == ERR_OK) {
        events.n = query__drop_repeats(events.list, events.n);
        if (events.n > 0)
            qsort(events.list, events.n, sizeof *events.list, compare_by_time);
        skip = events.n > limit ? events.n - limit : 0;
        person.n_events = events.n - skip;
        person.events = ARENA_ARRAY(a, struct event, person.n_events + 1);
        for (size_t i = 0; i < person.n_events; i++) {
            person.events[i] = events.list[skip + i]; /* whose texts lie in the segment */
            event_keep(&person.events[i], a);
        }
        *out = person;
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

    rc = snapshot_take(p, SNAPSHOT_WHOLE(site), &snapshot, err);
    if (rc != ERR_OK)
        return rc;
    for (size_t i = 0; i < snapshot->n; i++) {
        struct query_part part;

        if (!query__part(snapshot, i, site, &part) ||
            segment_erased_cuts(&snapshot->erased, part.site->time_max_ms))
            continue;
        if (sum.n_events == 0 || part.site->time_min_ms < sum.first_ms)
            sum.first_ms = part.site->time_min_ms;
        if (sum.n_events == 0 || part.site->time_max_ms > sum.last_ms)
            sum.last_ms = part.site->time_max_ms;
        sum.n_events += part.site->n_rows;
    }
    if (sum.n_events > 0 && segment_erased_cuts(&snapshot->erased, sum.first_ms))
        sum.first_ms = snapshot->erased.kept_from_ms; /* a bound will do, and costs nothing */
    sum.n_joined_ids = snapshot->persons->n_ids;
    sum.n_persons = snapshot->persons->n_persons;
    sum.n_links_other = snapshot->persons->n_other;
    sum.n_links_full = snapshot->persons->n_full;
    snapshot_release(p, &snapshot);
    *out = sum;
    return ERR_OK;
}
