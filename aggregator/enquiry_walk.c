/* The walk of an enquiry: segments opened, people met, by one thread or several.
 *
 * Whose asker can fork is walked as a report is (pass_run.c): first every segment is opened, by
 * whichever thread is free, then the threads take jobs (walk_split.h). Each thread has an enquiry
 * of its own, which shares with the asked one what does not change, and the numbers of values. */
#include <stdlib.h>

#include "aggregator/crew.h"
#include "aggregator/enquiry_int.h"
#include "aggregator/pass.h"
#include "aggregator/walk_split.h"
#include "core/clock.h"
#include "core/log.h"

/* One thread. */
struct worker {
    struct enquiry *enquiry; /* the first one's is the caller's */
    void *context;           /* the asker's, of this thread */
    struct journey_input *inputs;
    struct journey_walk *walk;
    enum err_code rc;
    struct err err;
    size_t bad; /* input */
};

/* One attempt: all segments but those that proved damaged. */
struct run {
    struct enquiry *enquiry;
    size_t n_inputs;
    struct journey_input *inputs; /* without scans */
    struct segment_site *sites;   /* of those that are narrowed */
    bool *is_read;
    size_t *of;                 /* which of the snapshot they are */
    const struct scan **opened; /* of each input: by whom it was opened first */
    struct walk_split split;
    size_t n_workers;
    struct worker *workers;
    atomic_size_t next_input;
    atomic_bool is_over; /* a worker has failed */
};

/* ---- What is read ---- */

static int64_t
end_of(const struct enquiry_setup *s)
{
    return pass_end_ms(s->funnel, &s->request->range, s->request->as_of_ms);
}

/* From when on: look back for drivers, and visitors for paths. */
static int64_t
begin_of(const struct enquiry_setup *s)
{
    int64_t back_ms = s->funnel->count == COUNT_SESSIONS ? 0 : s->funnel->window_ms;

    return path_time_add(s->request->range.from_ms, -(back_ms + SETTLE_LOOK_BACK_MS));
}

static void
add_input(struct run *r, size_t of, const struct segment *segment, const struct segment_site *site)
{
    struct enquiry *e = r->enquiry;
    size_t n = r->n_inputs++;

    r->of[n] = of;
    r->is_read[n] = site->time_max_ms >= begin_of(&e->setup);
    r->inputs[n] = (struct journey_input){
        .segment = segment,
        .site = site,
        .is_background = r->is_read[n] && site->time_max_ms < e->setup.request->range.from_ms,
    };
    if (r->is_read[n] && e->walk->n_only == 0)
        e->about.events_read += site->n_rows;
}

/* One input for each id that has runs here, of these runs only. */
static void
add_narrowed(struct run *r, size_t of, const struct segment *segment,
             const struct segment_site *site)
{
    const struct enquiry *e = r->enquiry;
    const uint64_t *hashes = segment_run_hashes(segment);

    for (size_t i = 0; i < e->walk->n_only; i++) {
        uint64_t hash = snapshot_visitor_hash(e->pool, e->walk->only[i]);
        struct segment_site *own = &r->sites[r->n_inputs];

        *own = *site;
        own->run_begin = segment_seek_run(segment, site, hash);
        own->run_end = own->run_begin;
        while (own->run_end < site->run_end && hashes[own->run_end] == hash)
            own->run_end++;
        if (own->run_begin < own->run_end)
            add_input(r, of, segment, own);
    }
}

static void
find_inputs(struct run *r)
{
    const struct enquiry *e = r->enquiry;
    const struct snapshot *snapshot = e->snapshot;
    size_t max = snapshot->n * (e->walk->n_only > 1 ? e->walk->n_only : 1) + 1;

    r->inputs = mem_zalloc(max * sizeof *r->inputs);
    r->sites = mem_zalloc(max * sizeof *r->sites);
    r->is_read = mem_zalloc(max * sizeof *r->is_read);
    r->of = mem_zalloc(max * sizeof *r->of);
    r->opened = mem_zalloc(max * sizeof(struct scan *));
    for (size_t i = 0; i < snapshot->n; i++) {
        const struct segment *segment = snapshot->segments[i].segment;
        const struct segment_site *site = segment_find_site(segment, e->setup.site);

        if (!site || e->is_left_out[i] || site->time_min_ms >= end_of(&e->setup))
            continue;
        if (e->walk->n_only != 0)
            add_narrowed(r, i, segment, site);
        else
            add_input(r, i, segment, site);
    }
}

/* ---- Making ---- */

static enum err_code
create_walk(struct enquiry *e, struct err *err)
{
    const struct enquiry_setup *s = &e->setup;
    const struct request *r = s->request;
    enum err_code rc;

    e->currencies = tally_create(s->funnel->n_stages);
    e->drivers = driver_table_create();
    rc = leaf_sets_create(e->matcher, e->scratch, &e->sets, err);
    person_events_init(
        &e->person,
        &(struct person_setup){
            .bots = r->bots,
            .as_of_ms = r->as_of_ms,
            .bots_range = {r->range.from_ms, path_time_add(r->range.to_ms, s->funnel->window_ms)},
            .sets = e->sets,
            .drivers = e->drivers});
    return rc;
}

/* An enquiry for one more thread, with walks and nothing else of its own. */
static enum err_code
create_member(const struct enquiry *e, struct enquiry **out, struct err *err)
{
    struct enquiry *m = mem_alloc(sizeof *m);

    *m = *e;
    m->is_member = true;
    m->scratch = leaf_scratch_create();
    memset(m->windows, 0, sizeof m->windows);
    *out = m;
    return create_walk(m, err);
}

static void
destroy_member(struct enquiry **member)
{
    struct enquiry *m = *member;

    for (size_t k = 0; k < m->setup.n_attributes; k++)
        m->values[k] = NULL; /* another's */
    enquiry__drop_walk(m);
    leaf_scratch_destroy(&m->scratch);
    free(m);
    *member = NULL;
}

static enum err_code
create_workers(struct run *r, struct err *err)
{
    const struct enquiry_walk *walk = r->enquiry->walk;
    enum err_code rc = ERR_OK;

    r->workers = mem_zalloc(r->split.n_workers * sizeof *r->workers);
    for (size_t i = 0; i < r->split.n_workers && rc == ERR_OK; i++) {
        struct worker *w = &r->workers[r->n_workers++];

        w->inputs = mem_zalloc((r->n_inputs + 1) * sizeof *w->inputs);
        memcpy(w->inputs, r->inputs, r->n_inputs * sizeof *w->inputs);
        w->err = ERR_NONE;
        w->enquiry = r->enquiry;
        w->context = walk->context;
        if (i > 0)
            rc = create_member(r->enquiry, &w->enquiry, err);
        if (i > 0)
            w->context = walk->fork(w->enquiry, walk->context);
        w->enquiry->inputs = w->inputs;
        w->enquiry->n_inputs = r->n_inputs;
    }
    return rc;
}

static void
end_workers(struct run *r)
{
    for (size_t i = 0; i < r->n_workers; i++) {
        struct worker *w = &r->workers[i];

        for (size_t k = 0; k < r->n_inputs; k++)
            scan_close(&w->inputs[k].scan);
        if (i > 0) {
            r->enquiry->walk->drop(w->context);
            free(w->context);
            destroy_member(&w->enquiry);
        }
        free(w->inputs);
    }
    free(r->workers);
    r->enquiry->inputs = NULL;
}

/* ---- Opening ---- */

static struct scan_setup
scan_setup_of(const struct run *r, const struct enquiry *e, size_t input)
{
    return (struct scan_setup){.matcher = e->matcher,
                               .scratch = e->scratch,
                               .tally = e->currencies,
                               .sets = e->sets,
                               .drivers = e->drivers,
                               .is_sparse = e->walk->lying || r->inputs[input].is_background ||
                                            e->walk->n_only != 0};
}

static enum err_code
open_input(struct run *r, struct worker *w, size_t i)
{
    struct enquiry *e = w->enquiry;
    const struct journey_input *in = &r->inputs[i];
    struct scan_setup setup = scan_setup_of(r, e, i);
    enum err_code rc = scan_open(in->segment, in->site, &setup, &w->inputs[i].scan, &w->err);

    r->opened[i] = w->inputs[i].scan;
    for (size_t k = 0; k < e->setup.n_attributes && rc == ERR_OK; k++)
        rc = attribute_values_open_input(e->values[k], i, in->segment, &w->err);
    return rc;
}

static void
fail(struct run *r, struct worker *w, enum err_code rc)
{
    w->rc = rc;
    atomic_store(&r->is_over, true);
}

static void
open_inputs(void *context, size_t member)
{
    struct run *r = context;
    struct worker *w = &r->workers[member];
    size_t i;

    while (!atomic_load(&r->is_over) && (i = atomic_fetch_add(&r->next_input, 1)) < r->n_inputs) {
        enum err_code rc = r->is_read[i] ? open_input(r, w, i) : ERR_OK;

        if (rc == ERR_OK)
            continue;
        w->bad = i;
        fail(r, w, rc);
    }
}

/* Each has a scan of its own of what another one has opened. */
static void
share_inputs(struct run *r, struct worker *w)
{
    for (size_t i = 0; i < r->n_inputs; i++) {
        struct scan_setup setup = scan_setup_of(r, w->enquiry, i);

        if (r->is_read[i] && !w->inputs[i].scan)
            w->inputs[i].scan = scan_open_like(r->opened[i], &setup);
    }
}

/* ---- Walking ---- */

static enum err_code
take_person(const struct journey *j, void *context, struct err *err)
{
    struct worker *w = context;
    struct enquiry *e = w->enquiry;

    person_events_read(&e->person, j);
    if (e->person.all.n == 0 && !e->walk->wants_left_out)
        return ERR_OK;
    return e->walk->person(e, j, w->context, err);
}

static size_t
held_bytes(void *context)
{
    struct worker *w = context;
    struct enquiry *e = w->enquiry;
    size_t bytes = e->is_member ? 0 : e->arena->used_bytes;

    for (size_t k = 0; k < e->setup.n_attributes && !e->is_member; k++)
        bytes += attribute_values_held_bytes(e->values[k]);
    if (e->walk->held_bytes)
        bytes += e->walk->held_bytes(w->context);
    return bytes;
}

static enum err_code
take_plain(struct journey_walk *walk, const struct journey_plain_runs *runs, void *context,
           struct err *err)
{
    struct worker *w = context;

    return w->enquiry->walk->lying->plain(walk, runs, w->context, err);
}

static enum err_code
take_several(struct journey_walk *walk, const struct journey_piece *pieces, size_t n,
             bool *out_taken, void *context, struct err *err)
{
    struct worker *w = context;

    return w->enquiry->walk->lying->several(walk, pieces, n, out_taken, w->context, err);
}

static const struct journey_lying lying = {.plain = take_plain, .several = take_several};

static enum err_code
walk_jobs(struct run *r, struct worker *w, const struct journey_setup *setup)
{
    enum err_code rc = journey_open(setup, &w->walk, &w->bad, &w->err);
    size_t job;

    while (rc == ERR_OK && !atomic_load(&r->is_over) && walk_split_next(&r->split, &job))
        rc = walk_split_job(&r->split, job, w->walk, &w->bad, &w->err);
    journey_close(&w->walk);
    return rc;
}

static void
walk(void *context, size_t member)
{
    struct run *r = context;
    struct worker *w = &r->workers[member];
    struct enquiry *e = w->enquiry;
    struct journey_setup setup = {.inputs = w->inputs,
                                  .n_inputs = r->n_inputs,
                                  .persons = e->persons,
                                  .erased = &e->snapshot->erased,
                                  .is_unsettled = true,
                                  .want_all = true,
                                  .callback = take_person,
                                  .lying = e->walk->lying ? &lying : NULL,
                                  .context = w,
                                  .guard = e->setup.guard,
                                  .held_bytes = held_bytes};
    enum err_code rc;

    share_inputs(r, w);
    rc = e->walk->start(e, w->context, &w->err);
    if (rc == ERR_CORRUPT)
        w->bad = e->bad_input;
    if (rc == ERR_OK)
        rc = walk_jobs(r, w, &setup);
    if (rc != ERR_OK)
        fail(r, w, rc);
}

/* ---- All of it ---- */

/* What the workers have found, in their order. */
static enum err_code
add_up(struct run *r, size_t *bad, struct err *err)
{
    struct enquiry *e = r->enquiry;
    enum err_code rc = ERR_OK;

    for (size_t i = 0; i < r->n_workers && rc == ERR_OK; i++) {
        struct worker *w = &r->workers[i];

        rc = w->rc;
        if (rc != ERR_OK && err)
            *err = w->err;
        if (rc == ERR_CORRUPT)
            *bad = r->of[w->bad];
        if (rc != ERR_OK || i == 0)
            continue;
        e->person.n_bots += w->enquiry->person.n_bots;
        e->walk->join(e->walk->context, w->enquiry, w->context);
    }
    e->about.left_out_bots = e->person.n_bots;
    return rc;
}

static enum err_code
begin_walk(struct run *r, struct err *err)
{
    struct enquiry *e = r->enquiry;
    const struct enquiry_setup *s = &e->setup;

    enquiry__drop_walk(e);
    e->about.events_read = 0;
    find_inputs(r);
    walk_split_init(&r->split, &(struct walk_split_asked){.inputs = r->inputs,
                                                          .n_inputs = r->n_inputs,
                                                          .persons = e->persons,
                                                          .n_threads = s->n_threads,
                                                          .is_in_order = e->walk->fork == NULL});
    for (size_t k = 0; k < s->n_attributes; k++) {
        e->values[k] = attribute_values_create(&s->attributes[k], &e->snapshot->page_groups);
        attribute_values_begin(e->values[k], r->n_inputs);
    }
    return create_walk(e, err);
}

/* ERR_CORRUPT: segment *bad of the snapshot is damaged. */
static enum err_code
walk_once(struct enquiry *e, size_t *bad, struct err *err)
{
    struct run r = {.enquiry = e};
    enum err_code rc = begin_walk(&r, err);

    if (rc == ERR_OK)
        rc = create_workers(&r, err);
    if (rc == ERR_OK) {
        crew_run(r.n_workers, open_inputs, &r);
        if (!atomic_load(&r.is_over))
            crew_run(r.n_workers, walk, &r);
        rc = add_up(&r, bad, err);
    }
    end_workers(&r);
    free(r.inputs);
    free(r.sites);
    free(r.is_read);
    free(r.of);
    free((void *)(uintptr_t)r.opened);
    return rc;
}

static void
leave_out(struct enquiry *e, size_t bad, const struct err *why)
{
    const struct catalog_segment *row = e->snapshot->segments[bad].row;

    log_error("segment left out: %s", why->message);
    e->is_left_out[bad] = true;
    e->warnings[e->about.n_warnings++] = (struct report_warning){
        .code = SLICE("segment_left_out"),
        .message = arena_printf(e->arena, "%llu events of %s are not counted: %s",
                                (unsigned long long)row->n_rows, row->name, why->message)};
}

enum err_code
enquiry_walk(struct enquiry *e, const struct enquiry_walk *walk, struct err *err)
{
    int64_t start_us = clock_steady_us();
    struct err why = ERR_NONE;
    enum err_code rc;
    size_t bad = 0;

    e->walk = walk;
    while ((rc = walk_once(e, &bad, &why)) == ERR_CORRUPT && !e->is_left_out[bad])
        leave_out(e, bad, &why);
    e->about.elapsed_us += clock_steady_us() - start_us;
    if (rc != ERR_OK && err)
        *err = why;
    return rc;
}
