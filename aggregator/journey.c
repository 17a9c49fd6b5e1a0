/* Walking the runs of all segments by hash. What is not here: how several runs become one visitor
 * (journey_join.c), what a row means. */
#include "aggregator/journey_int.h"

#include <assert.h>
#include <stdlib.h>

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
enum err_code
journey__look_after(struct journey_walk *w, uint32_t n_rows, struct err *err)
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

    p->run++;
    if (p->run < p->run_end)
        w->heap[0].hash = p->hashes[p->run];
    else
        w->heap[0] = w->heap[--w->n_heap];
    if (w->n_heap > 1)
        sift_down(w, 0);
}

/* ---- Plain: one run of one segment ---- */

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
        journey__reserve_rows(w, end - row);
        for (uint32_t got = 0;; got += n, rows = scan_rows(p->input->scan, row + got, end, &n)) {
            memcpy(w->rows + got, rows, n * sizeof *rows);
            if (row + got + n == end)
                break;
        }
        j.rows = w->rows;
        j.n = end - row;
    }
    return journey__some_decide(w, j.rows, j.n) ? w->setup->callback(&j, w->setup->context, err)
                                                : ERR_OK;
}

/* ---- One hash after the other ---- */

/* Is it that of an id which is joined to others? Hashes come in ascending order. */
static bool
is_joined_hash(struct journey_walk *w, uint64_t hash)
{
    const struct persons *p = w->setup->persons;

    while (w->next_joined < p->n_ids && p->ids[w->next_joined].hash < hash)
        w->next_joined++;
    return w->next_joined < p->n_ids && p->ids[w->next_joined].hash == hash;
}

/* Take the runs of the first hash off the heap. Says whether anybody asks for its visitors. */
static bool
take_first_hash(struct journey_walk *w, uint32_t *n_rows)
{
    uint64_t hash = w->heap[0].hash;
    bool is_wanted = false;

    w->n_members = 0;
    *n_rows = 0;
    while (w->n_heap > 0 && w->heap[0].hash == hash) {
        struct place *p = &w->places[w->heap[0].place];

        is_wanted = is_wanted || journey__is_foreground(p);
        journey__add_member(w, w->heap[0].place, p->run);
        *n_rows += p->rows[p->run + 1] - p->rows[p->run];
        advance_first(w);
    }
    return is_wanted;
}

/* Does nothing keep the runs of the hash from being taken as they lie? */
static bool
is_whole(const struct journey_walk *w, uint64_t hash)
{
    for (size_t i = 0; i < w->n_members; i++)
        if (w->places[w->members[i].place].is_cut)
            return false;
    return !segment_erased_may_have(w->setup->erased, hash);
}

static enum err_code
give_next_hash(struct journey_walk *w, uint32_t *n_rows, struct err *err)
{
    uint64_t hash = w->heap[0].hash;

    arena_reset(&w->arena);
    if (!take_first_hash(w, n_rows) || is_joined_hash(w, hash))
        return ERR_OK;
    return w->n_members == 1 && is_whole(w, hash)
               ? give_run(w, w->members[0].place, w->members[0].run, err)
               : journey__give_members(w, false, err);
}

/* ---- The runs that were put apart ---- */

/* Those of one hash. Two of one place are of two visitors. */
static enum err_code
offer(struct journey_walk *w, const struct other_run *runs, size_t n, bool *out_taken,
      struct err *err)
{
    struct journey_piece pieces[JOURNEY_PIECES_MAX];

    *out_taken = false;
    if (n > JOURNEY_PIECES_MAX || segment_erased_may_have(w->setup->erased, runs[0].hash))
        return ERR_OK;
    for (size_t i = 0; i < n; i++) {
        if ((i > 0 && runs[i].place == runs[i - 1].place) || w->places[runs[i].place].is_cut)
            return ERR_OK;
        pieces[i] = (struct journey_piece){runs[i].place, runs[i].run};
    }
    return w->setup->lying->several(w, pieces, n, out_taken, w->setup->context, err);
}

/* *n_rows: those that were looked at, for the limits. */
static enum err_code
give_others(struct journey_walk *w, const struct other_run *runs, size_t n, uint32_t *n_rows,
            struct err *err)
{
    bool is_wanted = false;
    bool is_taken = false;
    enum err_code rc;

    for (size_t i = 0; i < n; i++) {
        const struct place *p = &w->places[runs[i].place];

        is_wanted = is_wanted || journey__is_foreground(p);
        *n_rows += p->rows[runs[i].run + 1] - p->rows[runs[i].run];
    }
    if (!is_wanted || is_joined_hash(w, runs[0].hash))
        return ERR_OK;
    rc = offer(w, runs, n, &is_taken, err);
    if (rc != ERR_OK || is_taken)
        return rc;
    arena_reset(&w->arena);
    w->n_members = 0;
    for (size_t i = 0; i < n; i++)
        journey__add_member(w, runs[i].place, runs[i].run);
    return n == 1 && is_whole(w, runs[0].hash) ? give_run(w, runs[0].place, runs[0].run, err)
                                               : journey__give_members(w, false, err);
}

static enum err_code
give_all_others(struct journey_walk *w, struct err *err)
{
    enum err_code rc = ERR_OK;

    for (uint32_t i = 0, end; rc == ERR_OK && i < w->n_others; i = end) {
        uint32_t n_rows = 0;

        for (end = i + 1; end < w->n_others && w->others[end].hash == w->others[i].hash; end++)
            continue;
        rc = give_others(w, w->others + i, end - i, &n_rows, err);
        if (rc == ERR_OK)
            rc = journey__look_after(w, n_rows, err);
    }
    return rc;
}

/* ---- Life ---- */

enum err_code
journey_open(const struct journey_setup *setup, struct journey_walk **out, size_t *bad_input,
             struct err *err)
{
    struct journey_walk *w = mem_zalloc(sizeof *w);
    const struct journey_input *inputs = setup->inputs;
    size_t n = setup->n_inputs;
    enum err_code rc = ERR_OK;

    w->setup = setup;
    w->share.guard = setup->guard;
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
            .run_end = inputs[i].site->run_begin,
            .is_cut = segment_erased_cuts(setup->erased, inputs[i].site->time_min_ms),
        };
        *bad_input = i;
        if (!inputs[i].scan)
            rc = segment_time_open(inputs[i].segment, &w->places[i].time, err);
    }
    if (rc == ERR_OK)
        rc = look(w, err);
    if (rc == ERR_OK)
        *out = w;
    else
        journey_close(&w);
    return rc;
}

void
journey_close(struct journey_walk **walk)
{
    struct journey_walk *w = *walk;

    if (w == NULL)
        return;
    for (size_t i = 0; i < w->n_places; i++) {
        segment_cursor_destroy(&w->places[i].cursor);
    }
    free(w->places);
    free(w->heap);
    free(w->members);
    free(w->joined);
    free(w->rows);
    free(w->met);
    free(w->plain);
    free(w->others);
    free(w->others_room);
    kept_fini(&w->kept);
    arena_fini(&w->arena);
    query_share_end(&w->share);
    free(w);
    *walk = NULL;
}

static enum err_code
ended(struct journey_walk *w, enum err_code rc, size_t *bad_input, struct err *err)
{
    if (rc == ERR_OK)
        rc = look(w, err);
    if (rc == ERR_CORRUPT)
        *bad_input = w->bad_place;
    return rc;
}

/* ---- A range of hashes ---- */

static void
enter_range(struct journey_walk *w, const struct journey_range *range)
{
    for (size_t i = 0; i < w->n_places; i++) {
        struct place *p = &w->places[i];
        const struct segment_site *site = p->input->site;

        p->run = segment_seek_run(p->input->segment, site, range->first);
        p->run_end = range->last == UINT64_MAX
                         ? site->run_end
                         : segment_seek_run(p->input->segment, site, range->last + 1);
    }
    w->is_linked = false;
    w->next_joined = 0;
    if (w->setup->persons->n_ids > 0)
        w->next_joined = persons_first_from(w->setup->persons, range->first);
}

static void
fill_heap(struct journey_walk *w)
{
    w->n_heap = 0;
    for (size_t i = 0; i < w->n_places; i++) {
        const struct place *p = &w->places[i];

        if (p->run < p->run_end)
            w->heap[w->n_heap++] = (struct next_run){p->hashes[p->run], i};
    }
    for (size_t i = w->n_heap; i-- > 0;)
        sift_down(w, i);
}

enum err_code
journey_range(struct journey_walk *w, const struct journey_range *range, size_t *bad_input,
              struct err *err)
{
    enum err_code rc = ERR_OK;

    enter_range(w, range);
    if (w->setup->lying) {
        rc = journey__split(w, range, err);
        if (rc == ERR_OK)
            rc = give_all_others(w, err);
        return ended(w, rc, bad_input, err);
    }
    fill_heap(w);
    while (rc == ERR_OK && w->n_heap > 0) {
        uint32_t n_rows = 0;

        rc = give_next_hash(w, &n_rows, err);
        if (rc == ERR_OK)
            rc = journey__look_after(w, n_rows, err);
    }
    return ended(w, rc, bad_input, err);
}

/* ---- Linked persons ---- */

/* The first run from `run` on whose hash is at least `hash`: near, as hashes ascend. */
static uint32_t
gallop(const struct place *p, uint32_t run, uint64_t hash)
{
    uint32_t step = 1;
    uint32_t low = run;

    while (p->run_end - low > step && p->hashes[low + step] < hash) {
        low += step;
        step *= 2;
    }
    while (low < p->run_end && step > 0) {
        while (p->run_end - low > step && p->hashes[low + step] < hash)
            low += step;
        step /= 2;
    }
    return low < p->run_end && p->hashes[low] < hash ? low + 1 : low;
}

static enum err_code
give_linked_hash(struct journey_walk *w, uint64_t hash, uint32_t *n_rows, struct err *err)
{
    arena_reset(&w->arena);
    w->n_members = 0;
    *n_rows = 0;
    for (size_t i = 0; i < w->n_places; i++) {
        struct place *p = &w->places[i];

        p->run = gallop(p, p->run, hash);
        for (; p->run < p->run_end && p->hashes[p->run] == hash; p->run++) {
            journey__add_member(w, i, p->run);
            *n_rows += p->rows[p->run + 1] - p->rows[p->run];
        }
    }
    return w->n_members > 0 ? journey__give_members(w, true, err) : ERR_OK;
}

static bool
is_their_turn(const struct journey_walk *w, size_t id)
{
    uint32_t person = w->setup->persons->ids[id].person;

    return person >= w->linked.begin && person < w->linked.end;
}

enum err_code
journey_linked(struct journey_walk *w, const struct journey_linked *linked, size_t *bad_input,
               struct err *err)
{
    const struct persons *p = w->setup->persons;
    enum err_code rc = ERR_OK;

    enter_range(w, &JOURNEY_WHOLE);
    w->is_linked = true;
    w->linked = *linked;
    for (size_t i = 0, end; rc == ERR_OK && i < p->n_ids; i = end) {
        bool is_theirs = is_their_turn(w, i);
        uint32_t n_rows = 0;

        w->gives_nobody = is_theirs; /* one of the turns in which the hash comes up */
        for (end = i + 1; end < p->n_ids && p->ids[end].hash == p->ids[i].hash; end++)
            is_theirs = is_theirs || is_their_turn(w, end);
        if (is_theirs)
            rc = give_linked_hash(w, p->ids[i].hash, &n_rows, err);
        if (rc == ERR_OK)
            rc = journey__look_after(w, n_rows, err);
    }
    if (rc == ERR_OK)
        rc = journey__give_kept(w, err);
    return ended(w, rc, bad_input, err);
}

/* ---- All at once ---- */

enum err_code
journey_each(const struct journey_setup *setup, size_t *bad_input, struct err *err)
{
    struct journey_walk *w = NULL;
    enum err_code rc = journey_open(setup, &w, bad_input, err);

    if (rc == ERR_OK)
        rc = journey_range(w, &JOURNEY_WHOLE, bad_input, err);
    if (rc == ERR_OK)
        rc = journey_linked(w, &(struct journey_linked){0, setup->persons->n_persons}, bad_input,
                            err);
    journey_close(&w);
    return rc;
}

enum err_code
journey_give(struct journey_walk *w, size_t input, uint32_t run, struct err *err)
{
    return give_run(w, input, run, err);
}

enum err_code
journey_visitor(const struct journey *j, struct slice *out, struct err *err)
{
    if (j->name.n == 0)
        return journey__read_visitor(j->walk, j->input, j->run, out, err);
    *out = j->name;
    return ERR_OK;
}

enum err_code
journey_is_one(struct journey_walk *w, const struct journey_piece *pieces, size_t n, bool *out,
               struct err *err)
{
    enum err_code rc = ERR_OK;

    *out = true;
    for (size_t i = 1; i < n && rc == ERR_OK && *out; i++)
        rc = journey__is_same(w, &pieces[i - 1], &pieces[i], out, err);
    return rc;
}

static struct journey_place
place_in_pieces(const struct journey *j, uint32_t i)
{
    const struct journey_piece *piece = j->pieces;

    for (;; piece++) {
        const uint32_t *rows = j->walk->places[piece->input].rows + piece->run;

        if (i < rows[1] - rows[0])
            return (struct journey_place){piece->input, rows[0] + i};
        i -= rows[1] - rows[0];
    }
}

struct journey_place
journey_place(const struct journey *j, uint32_t i)
{
    const struct journey_walk *w = j->walk;

    assert(i < j->n);
    if (j->kind == JOURNEY_PIECES)
        return place_in_pieces(j, i);
    if (j->kind == JOURNEY_RUN)
        return (struct journey_place){j->input, w->places[j->input].rows[j->run] + i};
    if (j->kind == JOURNEY_JOINED)
        return (struct journey_place){w->joined[i].place, w->joined[i].segment_row};
    return kept_place(&w->kept, i);
}
