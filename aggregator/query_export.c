/* All events of a site, for a file that imports to the same figures. */
#include "aggregator/query_int.h"

#include <stdlib.h>

/* One segment's place in the walk. */
struct place {
    struct segment_cursor *cursor;
    const uint64_t *hashes;
    const uint32_t *rows;
    uint32_t run; /* the next one */
    uint32_t run_end;
};

/* A run of the hash at hand. */
struct member {
    struct place *place;
    uint32_t run;
};

struct walk {
    const struct segment_erased_list *erased;
    uint64_t hash; /* at hand */
    struct path_range range;
    query_export_callback callback;
    void *context;
    struct place *places;
    size_t n_places;
    struct member *members;
    size_t n_members;
    size_t members_max;
    struct event *events;
    size_t n_events;
    size_t events_max;
    struct arena arena; /* of one hash, or of one event */
};

static void
start(struct walk *w, const struct snapshot *snapshot, uint32_t site)
{
    w->places = mem_zalloc((snapshot->n + 1) * sizeof *w->places);
    arena_init(&w->arena, 64 << 10);
    for (size_t i = 0; i < snapshot->n; i++) {
        struct query_part part;

        if (!query__part(snapshot, i, site, &part))
            continue;
        w->places[w->n_places++] = (struct place){
            .cursor = segment_cursor_create(part.segment),
            .hashes = segment_run_hashes(part.segment),
            .rows = segment_run_rows(part.segment),
            .run = part.site->run_begin,
            .run_end = part.site->run_end,
        };
    }
}

static void
stop(struct walk *w)
{
    for (size_t i = 0; i < w->n_places; i++)
        segment_cursor_destroy(&w->places[i].cursor);
    free(w->places);
    free(w->members);
    free(w->events);
    arena_fini(&w->arena);
}

/* False at the end. */
static bool
find_hash(const struct walk *w, uint64_t *out)
{
    bool is_found = false;

    for (size_t i = 0; i < w->n_places; i++) {
        const struct place *p = &w->places[i];

        if (p->run == p->run_end || (is_found && p->hashes[p->run] >= *out))
            continue;
        *out = p->hashes[p->run];
        is_found = true;
    }
    return is_found;
}

/* All runs of the hash; their places move on. */
static void
take_members(struct walk *w)
{
    w->n_members = 0;
    for (size_t i = 0; i < w->n_places; i++) {
        struct place *p = &w->places[i];

        for (; p->run < p->run_end && p->hashes[p->run] == w->hash; p->run++) {
            if (w->n_members == w->members_max) {
                w->members_max = 2 * w->members_max + 16;
                w->members = mem_realloc(w->members, w->members_max * sizeof *w->members);
            }
            w->members[w->n_members++] = (struct member){p, p->run};
        }
    }
}

static enum err_code
give(struct walk *w, const struct event *e, struct err *err)
{
    if (e->time_ms < w->range.from_ms || e->time_ms >= w->range.to_ms)
        return ERR_OK;
    if ((segment_erased_cuts(w->erased, e->time_ms) ||
         segment_erased_may_have(w->erased, w->hash)) &&
        e->time_ms < segment_erased_from(w->erased, w->hash, e->visitor))
        return ERR_OK;
    return w->callback(e, w->context, err);
}

/* Alone, a run lies in order and without repeats. */
static enum err_code
give_run(struct walk *w, const struct member *m, struct err *err)
{
    enum err_code rc = ERR_OK;
    struct event e;

    for (uint32_t row = m->place->rows[m->run]; rc == ERR_OK && row < m->place->rows[m->run + 1];
         row++) {
        arena_reset(&w->arena);
        rc = segment_cursor_event(m->place->cursor, row, &w->arena, &e, err);
        if (rc == ERR_OK)
            rc = give(w, &e, err);
    }
    return rc;
}

static enum err_code
read_member(struct walk *w, const struct member *m, struct err *err)
{
    enum err_code rc = ERR_OK;

    for (uint32_t row = m->place->rows[m->run]; rc == ERR_OK && row < m->place->rows[m->run + 1];
         row++) {
        if (w->n_events == w->events_max) {
            w->events_max = 2 * w->events_max + 64;
            w->events = mem_realloc(w->events, w->events_max * sizeof *w->events);
        }
        rc = segment_cursor_event(m->place->cursor, row, &w->arena, &w->events[w->n_events], err);
        w->n_events += rc == ERR_OK;
    }
    return rc;
}

static int
compare_order(const void *x, const void *y)
{
    const struct event *a = x;
    const struct event *b = y;
    int order = slice_compare(a->visitor, b->visitor);

    return order != 0 ? order : event_compare(a, b);
}

static enum err_code
give_joined(struct walk *w, struct err *err)
{
    enum err_code rc = ERR_OK;

    arena_reset(&w->arena);
    w->n_events = 0;
    for (size_t i = 0; rc == ERR_OK && i < w->n_members; i++)
        rc = read_member(w, &w->members[i], err);
    if (rc != ERR_OK)
        return rc;
    w->n_events = query__drop_repeats(w->events, w->n_events);
    qsort(w->events, w->n_events, sizeof *w->events, compare_order);
    for (size_t i = 0; rc == ERR_OK && i < w->n_events; i++)
        rc = give(w, &w->events[i], err);
    return rc;
}

enum err_code
query_export(struct snapshot_pool *p, uint32_t site, struct path_range range,
             query_export_callback callback, void *context, struct err *err)
{
    struct walk w = {.range = range, .callback = callback, .context = context};
    const struct snapshot *snapshot = NULL;
    enum err_code rc;

    /* whole: of two copies the one that stays may have its time outside the range */
    rc = snapshot_take(p, SNAPSHOT_WHOLE(site), &snapshot, err);
    if (rc != ERR_OK)
        return rc;
    w.erased = &snapshot->erased;
    start(&w, snapshot, site);
    while (rc == ERR_OK && find_hash(&w, &w.hash)) {
        take_members(&w);
        rc = w.n_members == 1 ? give_run(&w, &w.members[0], err) : give_joined(&w, err);
    }
    if (rc == ERR_OK && snapshot->n_warnings > 0)
        rc = err_set(err, ERR_CORRUPT, NULL, "%.*s", SLICE_ARG(snapshot->warnings[0].message));
    stop(&w);
    snapshot_release(p, &snapshot);
    return rc;
}
