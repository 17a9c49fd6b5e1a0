/* The segments of a pass, and the threads that walk them.
 *
 * First every segment is opened, by whichever thread is free: its columns are verified and the
 * tests run over its dictionaries once. Then the threads take jobs, one after the other: a share of
 * the linked persons, or a range of hashes with all visitors in it. What is asked for in order
 * (lists) is walked by one thread.
 */
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "aggregator/crew.h"
#include "aggregator/pass_int.h"
#include "aggregator/walk_split.h"

/* One thread. */
struct worker {
    struct pass *pass; /* the first one's is the caller's */
    struct journey_input *inputs;
    struct journey_walk *walk;
    enum err_code rc;
    struct err err;
    size_t bad; /* input */
};

struct run {
    struct pass *pass;
    const struct snapshot *snapshot;
    const struct persons *persons;
    size_t n_inputs;
    struct journey_input *inputs; /* without scans */
    bool *is_read;
    size_t *of;                 /* which of the snapshot they are */
    const struct scan **opened; /* of each input: by whom it was opened first */
    struct walk_split split;
    size_t n_workers; /* of split */
    struct worker *workers;
    atomic_size_t next_input;
    atomic_bool is_over; /* a worker has failed */
};

/* ---- What is read ---- */

static void
add_input(struct run *r, size_t i, const struct segment *segment, const struct segment_site *site)
{
    struct pass *p = r->pass;
    size_t n = r->n_inputs++;

    r->of[n] = i;
    r->inputs[n] = (struct journey_input){
        .segment = segment,
        .site = site,
        .is_background = site->time_max_ms < p->setup.range.from_ms,
    };
    r->is_read[n] = site->time_max_ms >= p->begin_ms;
    if (r->is_read[n])
        p->n_read += site->n_rows;
}

static void
find_inputs(struct run *r, const bool *is_left_out)
{
    const struct snapshot *snapshot = r->snapshot;

    r->inputs = mem_zalloc((snapshot->n + 1) * sizeof *r->inputs);
    r->is_read = mem_zalloc((snapshot->n + 1) * sizeof *r->is_read);
    r->of = mem_zalloc((snapshot->n + 1) * sizeof *r->of);
    r->opened = mem_zalloc((snapshot->n + 1) * sizeof(struct scan *));
    for (size_t i = 0; i < snapshot->n; i++) {
        const struct segment *segment = snapshot->segments[i].segment;
        const struct segment_site *site = segment_find_site(segment, r->pass->setup.q->site);

        if (site && !is_left_out[i] && site->time_min_ms < r->pass->end_ms)
            add_input(r, i, segment, site);
    }
}

/* ---- How it is split ---- */

static bool
is_in_order(const struct query_funnel *q)
{
    return q->want_paths || q->figure != NULL;
}

static void
find_split(struct run *r)
{
    const struct query_funnel *q = r->pass->setup.q;

    walk_split_init(&r->split, &(struct walk_split_asked){.inputs = r->inputs,
                                                          .n_inputs = r->n_inputs,
                                                          .persons = r->persons,
                                                          .n_threads = q->n_threads,
                                                          .is_in_order = is_in_order(q)});
    r->n_workers = r->split.n_workers;
}

/* ---- Opening ---- */

static struct scan_setup
scan_setup_of(const struct run *r, const struct pass *p, size_t input)
{
    return (struct scan_setup){.matcher = p->matcher,
                               .scratch = p->scratch,
                               .tally = p->tallies[0],
                               .sets = p->sets,
                               .drivers = p->drivers,
                               .is_sparse = p->plain || r->inputs[input].is_background};
}

static enum err_code
open_input(struct run *r, struct worker *w, size_t i)
{
    struct pass *p = w->pass;
    const struct journey_input *in = &r->inputs[i];
    struct scan_setup setup = scan_setup_of(r, p, i);
    enum err_code rc = scan_open(in->segment, in->site, &setup, &w->inputs[i].scan, &w->err);

    if (rc == ERR_OK && p->plain)
        rc = pass__plain_open(p, w->inputs[i].scan, in->segment, &w->err);
    r->opened[i] = w->inputs[i].scan;
    for (size_t b = 0; b < p->setup.q->request->n_breakdowns && rc == ERR_OK; b++)
        rc = attribute_values_open_input(p->setup.values[b], i, in->segment, &w->err);
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
share_inputs(struct run *r, size_t member)
{
    struct worker *w = &r->workers[member];

    for (size_t i = 0; i < r->n_inputs; i++) {
        struct scan_setup setup = scan_setup_of(r, w->pass, i);

        if (r->is_read[i] && !w->inputs[i].scan)
            w->inputs[i].scan = scan_open_like(r->opened[i], &setup);
    }
}

/* ---- Walking ---- */

static void
walk_jobs(struct run *r, struct worker *w)
{
    size_t job;

    while (!atomic_load(&r->is_over) && walk_split_next(&r->split, &job)) {
        enum err_code rc = walk_split_job(&r->split, job, w->walk, &w->bad, &w->err);

        if (rc != ERR_OK)
            fail(r, w, rc);
    }
}

static void
walk(void *context, size_t member)
{
    struct run *r = context;
    struct worker *w = &r->workers[member];
    struct pass *p = w->pass;
    struct journey_setup setup = {.inputs = w->inputs,
                                  .n_inputs = r->n_inputs,
                                  .persons = r->persons,
                                  .erased = &r->snapshot->erased,
                                  .is_unsettled = p->sets != NULL,
                                  .want_all = p->sets && leaf_sets_empty_matches(p->sets),
                                  .callback = pass__take_person,
                                  .lying = p->plain ? &pass__lying : NULL,
                                  .context = p,
                                  .guard = p->setup.q->guard,
                                  .held_bytes = pass__held_bytes};
    enum err_code rc;

    share_inputs(r, member);
    if (p->plain)
        pass__plain_begin(p, w->inputs, r->n_inputs);
    rc = journey_open(&setup, &w->walk, &w->bad, &w->err);
    if (rc != ERR_OK)
        fail(r, w, rc);
    walk_jobs(r, w);
    if (p->plain)
        pass__add_outcomes(p);
    journey_close(&w->walk);
}

/* ---- All of it ---- */

static enum err_code
create_workers(struct run *r, struct err *err)
{
    enum err_code rc = ERR_OK;

    r->workers = mem_zalloc(r->n_workers * sizeof *r->workers);
    for (size_t i = 0; i < r->n_workers; i++) {
        struct worker *w = &r->workers[i];

        w->inputs = mem_zalloc((r->n_inputs + 1) * sizeof *w->inputs);
        memcpy(w->inputs, r->inputs, r->n_inputs * sizeof *w->inputs);
        w->err = ERR_NONE;
        w->pass = r->pass;
        if (i > 0)
            rc = pass_create(&r->pass->setup, &w->pass, err);
        if (i > 0 && rc == ERR_OK)
            w->pass->is_member = true;
        if (rc != ERR_OK) {
            r->n_workers = i;
            free(w->inputs);
            break;
        }
    }
    return rc;
}

/* What the workers have found, in their order. */
static enum err_code
add_up(struct run *r, size_t *bad, struct err *err)
{
    enum err_code rc = ERR_OK;

    for (size_t i = 0; i < r->n_workers && rc == ERR_OK; i++) {
        struct worker *w = &r->workers[i];

        rc = w->rc;
        if (rc != ERR_OK && err)
            *err = w->err;
        if (rc == ERR_CORRUPT)
            *bad = r->of[w->bad];
        if (rc == ERR_OK && i > 0)
            pass__add(r->pass, w->pass);
    }
    r->pass->n_bots = r->pass->person.n_bots;
    return rc;
}

static void
end_workers(struct run *r)
{
    for (size_t i = 0; i < r->n_workers; i++) {
        struct worker *w = &r->workers[i];

        for (size_t k = 0; k < r->n_inputs; k++)
            scan_close(&w->inputs[k].scan);
        if (i > 0)
            pass_destroy(&w->pass);
        free(w->inputs);
    }
    free(r->workers);
}

enum err_code
pass_run(struct pass *p, const struct snapshot *snapshot, const struct persons *persons,
         const bool *is_left_out, size_t *bad, struct err *err)
{
    struct run r = {.pass = p, .snapshot = snapshot, .persons = persons};
    enum err_code rc;

    matcher_set_page_groups(p->matcher, &snapshot->page_groups);
    find_inputs(&r, is_left_out);
    find_split(&r);
    for (size_t b = 0; b < p->setup.q->request->n_breakdowns; b++)
        attribute_values_begin(p->setup.values[b], r.n_inputs);
    rc = create_workers(&r, err);
    if (rc == ERR_OK) {
        crew_run(r.n_workers, open_inputs, &r);
        if (!atomic_load(&r.is_over))
            crew_run(r.n_workers, walk, &r);
        rc = add_up(&r, bad, err);
    }
    end_workers(&r);
    pass__free_working(p);
    free(r.inputs);
    free(r.is_read);
    free(r.of);
    free((void *)(uintptr_t)r.opened);
    return rc;
}
