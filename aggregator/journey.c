/* Joining the runs of one visitor. What is not here: what a row means. */
#include "aggregator/journey.h"

#include <assert.h>
#include <stdlib.h>

#include "aggregator/journey_kept.h"
#include "core/hash.h"

/* One segment's place in the walk: the next run. */
struct place {
    const struct journey_input *input;
    const uint64_t *hashes;
    const uint32_t *rows;
    uint32_t run;
    uint32_t run_end;
    struct segment_column time;    /* where the input has no scan */
    struct segment_cursor *cursor; /* made when ids or visitors are first read */
    bool is_cut;                   /* some of its rows are too old to count */
};

/* A run of the hash at hand. */
struct member {
    size_t place;
    uint32_t run;
    uint64_t hash;
    struct slice visitor; /* in the arena */
    bool is_done;
};

struct joined_row {
    struct scan_row row;
    size_t place;
    uint32_t segment_row;
    struct slice id; /* in the arena */
    uint64_t id_hash;
};

/* A place that has runs left. */
struct next_run {
    uint64_t hash; /* of its next run */
    size_t place;
};

struct journey_walk {
    struct place *places;
    size_t n_places;
    struct next_run *heap; /* the smallest hash first */
    size_t n_heap;
    struct member *members; /* n_places is not enough: a segment may have a hash twice */
    size_t n_members;
    size_t members_max;
    struct joined_row *joined;
    size_t n_joined;
    size_t joined_max;
    struct scan_row *rows; /* what a callback gets where rows had to be copied */
    size_t rows_max;
    struct arena arena; /* of one hash */
    const struct journey_setup *setup;
    size_t next_joined; /* in persons->ids: the first whose hash is not behind the walk */
    struct kept kept;
    size_t bad_place;
    struct query_share share;
};

static bool
is_foreground(const struct place *p)
{
    return p->input->scan && !p->input->is_background;
}

/* ---- The query's limits ---- */

static size_t
walk_bytes(const struct journey_walk *w)
{
    return w->arena.used_bytes + w->joined_max * sizeof *w->joined + w->rows_max * sizeof *w->rows +
           w->members_max * sizeof *w->members + w->kept.rows_max * sizeof *w->kept.rows +
           w->kept.runs_max * sizeof *w->kept.runs;
}

static enum err_code
look(struct journey_walk *w, struct err *err)
{
    const struct journey_setup *s = w->setup;
    size_t others = s->held_bytes ? s->held_bytes(s->context) : 0;

    return query_share_look(&w->share, walk_bytes(w) + others, err);
}

/* After so many rows more. */
static enum err_code
look_after(struct journey_walk *w, uint32_t n_rows, struct err *err)
{
    return query_share_is_due(&w->share, n_rows) ? look(w, err) : ERR_OK;
}

/* ---- The heap of places, by the hash of their next run ---- */

/* Ties go by place, so that a walk is the same every time. */
static bool
is_before(const struct next_run *a, const struct next_run *b)
{
    return a->hash != b->hash ? a->hash < b->hash : a->place < b->place;
}

static void
sift_down(struct journey_walk *w, size_t at)
{
    struct next_run moved = w->heap[at];
    size_t child;

    while ((child = 2 * at + 1) < w->n_heap) {
        if (child + 1 < w->n_heap && is_before(&w->heap[child + 1], &w->heap[child]))
            child++;
        if (!is_before(&w->heap[child], &moved))
            break;
        w->heap[at] = w->heap[child];
        at = child;
    }
    w->heap[at] = moved;
}

/* The first place moves on by one run. */
static void
advance_first(struct journey_walk *w)
{
    struct place *p = &w->places[w->heap[0].place];

    if (++p->run == p->run_end)
        w->heap[0] = w->heap[--w->n_heap];
    else
        w->heap[0].hash = p->hashes[p->run];
    if (w->n_heap > 1)
        sift_down(w, 0);
}

/* ---- Growing what a visitor may need; nothing is given back before the end ---- */

static void
reserve_rows(struct journey_walk *w, size_t n)
{
    if (n <= w->rows_max)
        return;
    w->rows_max = 2 * n;
    w->rows = mem_realloc(w->rows, w->rows_max * sizeof *w->rows);
}

static void
add_member(struct journey_walk *w, size_t place, uint32_t run)
{
    if (w->n_members == w->members_max) {
        w->members_max = 2 * w->members_max + 16;
        w->members = mem_realloc(w->members, w->members_max * sizeof *w->members);
    }
    w->members[w->n_members++] =
        (struct member){.place = place, .run = run, .hash = w->places[place].hashes[run]};
}

static void
add_joined(struct journey_walk *w, size_t place, uint32_t first, const struct scan_row *rows,
           uint32_t n)
{
    if (w->n_joined + n > w->joined_max) {
        w->joined_max = 2 * w->joined_max + n;
        w->joined = mem_realloc(w->joined, w->joined_max * sizeof *w->joined);
    }
    for (uint32_t i = 0; i < n; i++)
        w->joined[w->n_joined++] =
            (struct joined_row){.row = rows[i], .place = place, .segment_row = first + i};
}

/* ---- Reading what lies cold ---- */

static struct segment_cursor *
cursor_of(struct place *p)
{
    if (!p->cursor)
        p->cursor = segment_cursor_create(p->input->segment);
    return p->cursor;
}

static enum err_code
read_visitor(struct journey_walk *w, size_t place, uint32_t run, struct slice *out, struct err *err)
{
    enum err_code rc = segment_cursor_visitor(cursor_of(&w->places[place]), run, out, err);

    if (rc == ERR_OK)
        *out = arena_copy(&w->arena, *out);
    else
        w->bad_place = place;
    return rc;
}

static enum err_code
read_ids(struct journey_walk *w, struct err *err)
{
    for (size_t i = 0; i < w->n_joined; i++) {
        struct joined_row *j = &w->joined[i];
        enum err_code rc =
            segment_cursor_id(cursor_of(&w->places[j->place]), j->segment_row, &j->id, err);

        if (rc != ERR_OK) {
            w->bad_place = j->place;
            return rc;
        }
        j->id = arena_copy(&w->arena, j->id);
        j->id_hash = hash64(j->id, 0);
    }
    return ERR_OK;
}

/* ---- Plain: one run of one segment ---- */

/* Is the row a reason to give its person? */
static bool
decides(const struct journey_walk *w, const struct scan_row *row)
{
    if ((row->flags & EVENT_BOT) != 0)
        return true;
    if (w->setup->is_unsettled)
        return w->setup->want_all || row->unsettled.leaves != LEAF_SETS_EMPTY;
    return row->masks.stages != 0;
}

/* Does it say anything where its person is given? */
static bool
counts(const struct journey_walk *w, const struct scan_row *row)
{
    if (w->setup->is_unsettled || (row->flags & EVENT_BOT) != 0)
        return true;
    return (row->masks.stages | row->masks.exclusions | row->masks.conditions) != 0;
}

static bool
some_decide(const struct journey_walk *w, const struct scan_row *rows, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (decides(w, &rows[i]))
            return true;
    return false;
}

/* The rows of a run where they lie, or, where they go over the end of a chunk, copied. */
static enum err_code
give_run(struct journey_walk *w, size_t place, uint32_t run, struct err *err)
{
    struct place *p = &w->places[place];
    uint32_t row = p->rows[run];
    uint32_t end = p->rows[run + 1];
    uint32_t n = 0;
    const struct scan_row *rows = scan_rows(p->input->scan, row, end, &n);
    struct journey j = {rows, n, w, JOURNEY_RUN, .input = place, .run = run};

    if (n < end - row) {
        reserve_rows(w, end - row);
        for (uint32_t got = 0;; got += n, rows = scan_rows(p->input->scan, row + got, end, &n)) {
            memcpy(w->rows + got, rows, n * sizeof *rows);
            if (row + got + n == end)
                break;
        }
        j.rows = w->rows;
        j.n = end - row;
    }
    return some_decide(w, j.rows, j.n) ? w->setup->callback(&j, w->setup->context, err) : ERR_OK;
}

/* ---- Joined: several runs of one hash ---- */

static int
compare_ids(const void *x, const void *y)
{
    const struct joined_row *a = x;
    const struct joined_row *b = y;

    if (a->id_hash != b->id_hash)
        return a->id_hash < b->id_hash ? -1 : 1;
    return slice_compare(a->id, b->id);
}

static int
compare_times(const void *x, const void *y)
{
    const struct joined_row *a = x;
    const struct joined_row *b = y;

    if (a->row.time_ms != b->row.time_ms)
        return a->row.time_ms < b->row.time_ms ? -1 : 1;
    return slice_compare(a->id, b->id);
}

static enum err_code
read_event(struct journey_walk *w, const struct joined_row *j, struct event *out, struct err *err)
{
    enum err_code rc =
        segment_cursor_event(cursor_of(&w->places[j->place]), j->segment_row, &w->arena, out, err);

    if (rc != ERR_OK)
        w->bad_place = j->place;
    return rc;
}

/* Of two copies of one event, does b stay? Where only the time differs it decides; the events'
 * bytes are read only where it does not. */
static enum err_code
stays(struct journey_walk *w, const struct joined_row *a, const struct joined_row *b, bool *out_b,
      struct err *err)
{
    struct event x, y;
    enum err_code rc;

    if (a->row.time_ms != b->row.time_ms) {
        *out_b = b->row.time_ms < a->row.time_ms;
        return ERR_OK;
    }
    rc = read_event(w, a, &x, err);
    if (rc == ERR_OK)
        rc = read_event(w, b, &y, err);
    if (rc == ERR_OK)
        *out_b = segment_repeat_compare(&x, &y) > 0;
    return rc;
}

static enum err_code
drop_repeats(struct journey_walk *w, struct err *err)
{
    size_t n = 0;

    qsort(w->joined, w->n_joined, sizeof *w->joined, compare_ids);
    for (size_t i = 0; i < w->n_joined; i++) {
        bool is_later = true;
        enum err_code rc;

        if (n == 0 || compare_ids(&w->joined[n - 1], &w->joined[i]) != 0) {
            w->joined[n++] = w->joined[i];
            continue;
        }
        rc = stays(w, &w->joined[n - 1], &w->joined[i], &is_later, err);
        if (rc != ERR_OK)
            return rc;
        if (is_later)
            w->joined[n - 1] = w->joined[i];
    }
    w->n_joined = n;
    qsort(w->joined, w->n_joined, sizeof *w->joined, compare_times);
    return ERR_OK;
}

static enum err_code
give_joined(struct journey_walk *w, const struct member *first, struct err *err)
{
    struct journey j = {
        .walk = w, .kind = JOURNEY_JOINED, .input = first->place, .run = first->run};

    reserve_rows(w, w->n_joined);
    for (size_t i = 0; i < w->n_joined; i++)
        w->rows[i] = w->joined[i].row;
    j.rows = w->rows;
    j.n = (uint32_t)w->n_joined;
    return w->setup->callback(&j, w->setup->context, err);
}

/* ---- Persons of several ids: kept, and given at the end ---- */

static bool
is_joined_hash(struct journey_walk *w, uint64_t hash)
{
    const struct persons *p = w->setup->persons;

    while (w->next_joined < p->n_ids && p->ids[w->next_joined].hash < hash)
        w->next_joined++;
    return w->next_joined < p->n_ids && p->ids[w->next_joined].hash == hash;
}

static void
keep_joined(struct journey_walk *w, uint32_t person)
{
    kept_add_run(&w->kept, person);
    for (size_t i = 0; i < w->n_joined; i++) {
        const struct joined_row *j = &w->joined[i];

        if (counts(w, &j->row))
            kept_add_row(&w->kept, &(struct kept_row){j->row, (uint32_t)j->place, j->segment_row});
    }
}

static enum err_code
read_kept_id(const struct kept_row *row, void *context, struct slice *out, struct err *err)
{
    struct journey_walk *w = context;
    enum err_code rc =
        segment_cursor_id(cursor_of(&w->places[row->input]), row->segment_row, out, err);

    if (rc == ERR_OK)
        *out = arena_copy(&w->arena, *out);
    else
        w->bad_place = row->input;
    return rc;
}

static enum err_code
give_kept(struct journey_walk *w, struct err *err)
{
    enum err_code rc = ERR_OK;

    kept_sort(&w->kept);
    for (size_t at = 0; rc == ERR_OK && at < w->kept.n_runs;) {
        struct journey j = {.walk = w,
                            .kind = JOURNEY_KEPT,
                            .name = w->setup->persons->names[w->kept.runs[at].person]};
        size_t n = kept_count(&w->kept, at);

        arena_reset(&w->arena);
        reserve_rows(w, n);
        rc = kept_next(&w->kept, &at, read_kept_id, w, w->rows, err);
        j.rows = w->rows;
        j.n = (uint32_t)n;
        if (rc == ERR_OK && n > 0)
            rc = w->setup->callback(&j, w->setup->context, err);
        if (rc == ERR_OK)
            rc = look_after(w, (uint32_t)n, err);
    }
    return rc;
}

#define TIMES 256 /* decoded at once */

/* scan_rows for an input without a scan: times, and nothing that counts. */
static const struct scan_row *
time_rows(const struct place *p, uint32_t row, uint32_t end, struct scan_row *rows, uint32_t *out_n)
{
    int64_t times[TIMES];

    *out_n = end - row < TIMES ? end - row : TIMES;
    segment_values(&p->time, row, *out_n, times, NULL);
    for (uint32_t i = 0; i < *out_n; i++)
        rows[i] = (struct scan_row){.time_ms = times[i], .value = {0, -1}};
    return rows;
}

/* Load a member's rows behind those already joined. Says whether any decides. */
static bool
load_member(struct journey_walk *w, const struct member *m)
{
    struct place *p = &w->places[m->place];
    uint32_t end = p->rows[m->run + 1];
    struct scan_row room[TIMES];
    bool is_wanted = false;
    uint32_t n = 0;

    for (uint32_t row = p->rows[m->run]; row < end; row += n) {
        const struct scan_row *rows = p->input->scan ? scan_rows(p->input->scan, row, end, &n)
                                                     : time_rows(p, row, end, room, &n);

        add_joined(w, m->place, row, rows, n);
        /* what an event matches may hang on one of long before, whose driver it has */
        if (w->setup->is_unsettled || is_foreground(p))
            is_wanted = is_wanted || some_decide(w, rows, n);
    }
    return is_wanted;
}

/* Leave out what was erased or is too old: the rows are in order of time. */
static void
drop_erased(struct journey_walk *w, const struct member *m)
{
    int64_t from_ms = segment_erased_from(w->setup->erased, m->hash, m->visitor);
    size_t n = 0;

    while (n < w->n_joined && w->joined[n].row.time_ms < from_ms)
        n++;
    w->n_joined -= n;
    memmove(w->joined, w->joined + n, w->n_joined * sizeof *w->joined);
}

/* The rows of all members are in `all`, member by member. Those of the members that are this
 * visitor's are joined, and given or kept. */
static enum err_code
give_visitor(struct journey_walk *w, const struct joined_row *all, const size_t *starts, size_t at,
             struct err *err)
{
    struct member *first = &w->members[at];
    uint32_t person = PERSON_NOBODY;
    enum err_code rc = ERR_OK;
    size_t n_runs = 0;

    w->n_joined = 0;
    for (size_t i = at; i < w->n_members; i++) {
        struct member *m = &w->members[i];

        if (m->is_done || !slice_equal(m->visitor, first->visitor))
            continue;
        m->is_done = true;
        n_runs++;
        for (size_t k = starts[i]; k < starts[i + 1]; k++)
            w->joined[w->n_joined++] = all[k];
    }
    if (n_runs > 1)
        rc = read_ids(w, err);
    if (rc == ERR_OK && n_runs > 1)
        rc = drop_repeats(w, err);
    if (rc != ERR_OK)
        return rc;
    if (w->setup->erased->kept_from_ms > 0 ||
        segment_erased_may_have(w->setup->erased, first->hash))
        drop_erased(w, first);
    if (w->n_joined == 0)
        return ERR_OK;
    if (is_joined_hash(w, first->hash))
        person = persons_find(w->setup->persons, first->hash, first->visitor);
    if (person == PERSON_NOBODY)
        return give_joined(w, first, err);
    keep_joined(w, person);
    return ERR_OK;
}

static enum err_code
give_members(struct journey_walk *w, struct err *err)
{
    size_t *starts = arena_alloc(&w->arena, (w->n_members + 1) * sizeof *starts);
    struct joined_row *all;
    bool is_wanted = false;
    enum err_code rc = ERR_OK;

    w->n_joined = 0;
    for (size_t i = 0; i < w->n_members; i++) {
        starts[i] = w->n_joined;
        is_wanted = load_member(w, &w->members[i]) || is_wanted;
    }
    starts[w->n_members] = w->n_joined;
    /* whoever they are, nothing of theirs counts, unless it does beside what other ids have done */
    if (!is_wanted && !is_joined_hash(w, w->members[0].hash))
        return ERR_OK;
    for (size_t i = 0; rc == ERR_OK && i < w->n_members; i++)
        rc = read_visitor(w, w->members[i].place, w->members[i].run, &w->members[i].visitor, err);
    all = arena_alloc(&w->arena, w->n_joined * sizeof *all);
    memcpy(all, w->joined, w->n_joined * sizeof *all);
    for (size_t i = 0; rc == ERR_OK && i < w->n_members; i++)
        if (!w->members[i].is_done)
            rc = give_visitor(w, all, starts, i, err);
    return rc;
}

/* ---- The walk ---- */

static enum err_code
give_next_hash(struct journey_walk *w, uint32_t *n_rows, struct err *err)
{
    uint64_t hash = w->heap[0].hash;
    bool is_wanted = is_joined_hash(w, hash);

    arena_reset(&w->arena);
    w->n_members = 0;
    *n_rows = 0;
    while (w->n_heap > 0 && w->heap[0].hash == hash) {
        size_t place = w->heap[0].place;
        uint32_t run = w->places[place].run;

        is_wanted = is_wanted || is_foreground(&w->places[place]);
        add_member(w, place, run);
        *n_rows += w->places[place].rows[run + 1] - w->places[place].rows[run];
        advance_first(w);
    }
    if (!is_wanted)
        return ERR_OK;
    if (w->n_members == 1 && !is_joined_hash(w, hash) && !w->places[w->members[0].place].is_cut &&
        !segment_erased_may_have(w->setup->erased, hash))
        return give_run(w, w->members[0].place, w->members[0].run, err);
    return give_members(w, err);
}

static enum err_code
start(struct journey_walk *w, struct err *err)
{
    const struct journey_input *inputs = w->setup->inputs;
    size_t n = w->setup->n_inputs;
    enum err_code rc = ERR_OK;

    w->places = mem_zalloc((n + 1) * sizeof *w->places);
    w->heap = mem_zalloc((n + 1) * sizeof *w->heap);
    w->n_places = n;
    arena_init(&w->arena, 64 << 10);
    for (size_t i = 0; rc == ERR_OK && i < n; i++) {
        w->places[i] = (struct place){
            .input = &inputs[i],
            .hashes = segment_run_hashes(inputs[i].segment),
            .rows = segment_run_rows(inputs[i].segment),
            .run = inputs[i].site->run_begin,
            .run_end = inputs[i].site->run_end,
            .is_cut = segment_erased_cuts(w->setup->erased, inputs[i].site->time_min_ms),
        };
        if (w->places[i].run < w->places[i].run_end)
            w->heap[w->n_heap++] = (struct next_run){w->places[i].hashes[w->places[i].run], i};
        w->bad_place = i;
        if (!inputs[i].scan)
            rc = segment_time_open(inputs[i].segment, &w->places[i].time, err);
    }
    for (size_t i = w->n_heap; i-- > 0;)
        sift_down(w, i);
    return rc;
}

static void
stop(struct journey_walk *w)
{
    for (size_t i = 0; i < w->n_places; i++)
        segment_cursor_destroy(&w->places[i].cursor);
    free(w->places);
    free(w->heap);
    free(w->members);
    free(w->joined);
    free(w->rows);
    kept_fini(&w->kept);
    arena_fini(&w->arena);
    query_share_end(&w->share);
}

enum err_code
journey_each(const struct journey_setup *setup, size_t *bad_input, struct err *err)
{
    struct journey_walk w = {.setup = setup, .share = {.guard = setup->guard}};
    enum err_code rc = start(&w, err);

    if (rc == ERR_OK)
        rc = look(&w, err);
    while (rc == ERR_OK && w.n_heap > 0) {
        uint32_t n_rows = 0;

        rc = give_next_hash(&w, &n_rows, err);
        if (rc == ERR_OK)
            rc = look_after(&w, n_rows, err);
    }
    if (rc == ERR_OK)
        rc = give_kept(&w, err);
    if (rc == ERR_OK)
        rc = look(&w, err);
    if (rc == ERR_CORRUPT)
        *bad_input = w.bad_place;
    stop(&w);
    return rc;
}

enum err_code
journey_visitor(const struct journey *j, struct slice *out, struct err *err)
{
    if (j->name.n == 0)
        return read_visitor(j->walk, j->input, j->run, out, err);
    *out = j->name;
    return ERR_OK;
}

struct journey_place
journey_place(const struct journey *j, uint32_t i)
{
    const struct journey_walk *w = j->walk;

    assert(i < j->n);
    if (j->kind == JOURNEY_RUN)
        return (struct journey_place){j->input, w->places[j->input].rows[j->run] + i};
    if (j->kind == JOURNEY_JOINED)
        return (struct journey_place){w->joined[i].place, w->joined[i].segment_row};
    return kept_place(&w->kept, i);
}
