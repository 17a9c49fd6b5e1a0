/* Visitors of several runs, and persons of several ids. What is not here: which visitors these are
 * (journey.c). */
#include "aggregator/journey_int.h"

#include <stdlib.h>

#include "core/hash.h"

#define IDS_COMPARED 48 /* each with each */

/* ---- Growing what a visitor may need; nothing is given back before the end ---- */

void
journey__reserve_rows(struct journey_walk *w, size_t n)
{
    if (n <= w->rows_max)
        return;
    w->rows_max = 2 * n;
    w->rows = mem_realloc(w->rows, w->rows_max * sizeof *w->rows);
}

void
journey__add_member(struct journey_walk *w, size_t place, uint32_t run)
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

enum err_code
journey__read_visitor(struct journey_walk *w, size_t place, uint32_t run, struct slice *out,
                      struct err *err)
{
    enum err_code rc = segment_cursor_visitor(cursor_of(&w->places[place]), run, out, err);

    if (rc == ERR_OK)
        *out = arena_copy(&w->arena, *out);
    else
        w->bad_place = place;
    return rc;
}

enum err_code
journey__is_same(struct journey_walk *w, const struct journey_piece *a,
                 const struct journey_piece *b, bool *out, struct err *err)
{
    enum err_code rc = segment_cursor_is_same(cursor_of(&w->places[a->input]), a->run,
                                              cursor_of(&w->places[b->input]), b->run, out, err);

    if (rc == ERR_CORRUPT) /* both of them? reading says which */
        w->bad_place = segment_cursor_visitor(cursor_of(&w->places[a->input]), a->run,
                                              &(struct slice){0}, NULL) == ERR_CORRUPT
                           ? a->input
                           : b->input;
    return rc;
}

static int
compare_row_times(const void *x, const void *y)
{
    const struct joined_row *a = x;
    const struct joined_row *b = y;

    if (a->row.time_ms != b->row.time_ms)
        return a->row.time_ms < b->row.time_ms ? -1 : 1;
    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    return (a->segment_row > b->segment_row) - (a->segment_row < b->segment_row);
}

/* Runs of different months follow one another, and mostly come so. */
static void
sort_rows(struct journey_walk *w)
{
    for (size_t i = 1; i < w->n_joined; i++)
        if (compare_row_times(&w->joined[i - 1], &w->joined[i]) > 0) {
            qsort(w->joined, w->n_joined, sizeof *w->joined, compare_row_times);
            return;
        }
}

/* An id of content is like no other of another moment, so that it is made only where the moment has
 * rows of several files. */
static enum err_code
read_id(struct journey_walk *w, size_t i, bool is_shared, struct err *err)
{
    struct joined_row *j = &w->joined[i];
    struct segment_cursor *cursor = cursor_of(&w->places[j->place]);
    bool is_content = false;
    enum err_code rc = ERR_OK;

    if (!is_shared)
        rc = segment_cursor_id_is_content(cursor, j->segment_row, &is_content, err);
    if (rc == ERR_OK && is_content) {
        j->id = SLICE_EMPTY;
        j->id_hash = i;
        return ERR_OK;
    }
    if (rc == ERR_OK)
        rc = segment_cursor_id(cursor, j->segment_row, &j->id, err);
    if (rc == ERR_OK) {
        j->id = arena_copy(&w->arena, j->id);
        j->id_hash = hash64(j->id, 0);
    } else {
        w->bad_place = j->place;
    }
    return rc;
}

/* Sort the rows, and read the ids that matter. *out_shares: some moment has rows of several files.
 */
static enum err_code
read_ids(struct journey_walk *w, bool *out_shares, struct err *err)
{
    enum err_code rc = ERR_OK;

    *out_shares = false;
    sort_rows(w);
    for (size_t i = 0, end; i < w->n_joined; i = end) {
        for (end = i + 1; end < w->n_joined; end++)
            if (w->joined[end].row.time_ms != w->joined[i].row.time_ms)
                break;
        bool is_shared = w->joined[i].place != w->joined[end - 1].place;

        *out_shares = *out_shares || is_shared;
        for (size_t k = i; rc == ERR_OK && k < end; k++)
            rc = read_id(w, k, is_shared, err);
    }
    return rc;
}

/* Two rows whose ids are equal, or so many that sorting finds it out sooner. */
static bool
may_repeat(const struct journey_walk *w)
{
    uint64_t hashes[IDS_COMPARED];
    size_t n = 0;

    for (size_t i = 0; i < w->n_joined; i++) {
        if (w->joined[i].id.n == 0)
            continue;
        if (n == IDS_COMPARED)
            return true;
        for (size_t k = 0; k < n; k++)
            if (hashes[k] == w->joined[i].id_hash)
                return true;
        hashes[n++] = w->joined[i].id_hash;
    }
    return false;
}

#define GIVEN_ROWS 256 /* of a run, looked at together */

/* Hashes of the ids that were given to the rows of a run, behind those of others. *out_new turns
 * false where one was there already, or there is no room for more. */
static enum err_code
add_given_ids(struct journey_walk *w, const struct journey_piece *piece, uint64_t *hashes,
              size_t *n, bool *out_new, struct err *err)
{
    struct place *p = &w->places[piece->input];
    struct segment_cursor *cursor = cursor_of(p);
    uint32_t end = p->rows[piece->run + 1];
    enum err_code rc = ERR_OK;
    uint32_t at[GIVEN_ROWS];

    for (uint32_t row = p->rows[piece->run], some; rc == ERR_OK && row < end; row += some) {
        uint32_t n_given = 0;

        some = end - row < GIVEN_ROWS ? end - row : GIVEN_ROWS;
        rc = segment_cursor_given(cursor, row, some, at, &n_given, err);
        for (uint32_t i = 0; rc == ERR_OK && i < n_given; i++) {
            struct slice id = SLICE_EMPTY;

            if (*n == IDS_COMPARED) {
                *out_new = false;
                return ERR_OK;
            }
            rc = segment_cursor_id(cursor, row + at[i], &id, err);
            hashes[*n] = hash64(id, 0);
            for (size_t k = 0; k < *n; k++)
                *out_new = *out_new && hashes[k] != hashes[*n];
            ++*n;
        }
    }
    if (rc != ERR_OK)
        w->bad_place = piece->input;
    return rc;
}

enum err_code
journey_may_repeat(struct journey_walk *w, const struct journey_piece *pieces, size_t n, bool *out,
                   struct err *err)
{
    uint64_t hashes[IDS_COMPARED];
    enum err_code rc = ERR_OK;
    bool are_new = true;
    size_t n_ids = 0;

    for (size_t i = 0; i < n && rc == ERR_OK && are_new; i++)
        rc = add_given_ids(w, &pieces[i], hashes, &n_ids, &are_new, err);
    *out = !are_new;
    return rc;
}

/* ---- Which rows matter ---- */

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

bool
journey__some_decide(const struct journey_walk *w, const struct scan_row *rows, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (decides(w, &rows[i]))
            return true;
    return false;
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
    if (a->place == b->place) /* as they lie: by their ids, which may not have been read */
        return (a->segment_row > b->segment_row) - (a->segment_row < b->segment_row);
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

    journey__reserve_rows(w, w->n_joined);
    for (size_t i = 0; i < w->n_joined; i++)
        w->rows[i] = w->joined[i].row;
    j.rows = w->rows;
    j.n = (uint32_t)w->n_joined;
    return w->setup->callback(&j, w->setup->context, err);
}

/* ---- Persons of several ids: kept, and given at the end ---- */

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

enum err_code
journey__give_kept(struct journey_walk *w, struct err *err)
{
    enum err_code rc = ERR_OK;

    kept_sort(&w->kept);
    for (size_t at = 0; rc == ERR_OK && at < w->kept.n_runs;) {
        struct journey j = {.walk = w,
                            .kind = JOURNEY_KEPT,
                            .name = w->setup->persons->names[w->kept.runs[at].person]};
        size_t n = kept_count(&w->kept, at);

        arena_reset(&w->arena);
        journey__reserve_rows(w, n);
        rc = kept_next(&w->kept, &at, read_kept_id, w, w->rows, err);
        j.rows = w->rows;
        j.n = (uint32_t)n;
        if (rc == ERR_OK && n > 0)
            rc = w->setup->callback(&j, w->setup->context, err);
        if (rc == ERR_OK)
            rc = journey__look_after(w, (uint32_t)n, err);
    }
    w->kept.n_runs = 0;
    w->kept.n_rows = 0;
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
        if (w->setup->is_unsettled || journey__is_foreground(p))
            is_wanted = is_wanted || journey__some_decide(w, rows, n);
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
    bool shares = false;
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
        rc = read_ids(w, &shares, err);
    if (rc == ERR_OK && n_runs > 1 && (shares || may_repeat(w)))
        rc = drop_repeats(w, err);
    if (rc != ERR_OK)
        return rc;
    if (w->setup->erased->kept_from_ms > 0 ||
        segment_erased_may_have(w->setup->erased, first->hash))
        drop_erased(w, first);
    if (w->n_joined == 0)
        return ERR_OK;
    if (w->is_linked)
        person = persons_find(w->setup->persons, first->hash, first->visitor);
    if (person == PERSON_NOBODY)
        return !w->is_linked || w->gives_nobody ? give_joined(w, first, err) : ERR_OK;
    if (person >= w->linked.begin && person < w->linked.end)
        keep_joined(w, person);
    return ERR_OK;
}

enum err_code
journey__give_members(struct journey_walk *w, bool is_wanted, struct err *err)
{
    size_t *starts = arena_alloc(&w->arena, (w->n_members + 1) * sizeof *starts);
    struct joined_row *all;
    enum err_code rc = ERR_OK;

    w->n_joined = 0;
    for (size_t i = 0; i < w->n_members; i++) {
        starts[i] = w->n_joined;
        is_wanted = load_member(w, &w->members[i]) || is_wanted;
    }
    starts[w->n_members] = w->n_joined;
    if (!is_wanted) /* whoever they are, nothing of theirs counts */
        return ERR_OK;
    for (size_t i = 0; rc == ERR_OK && i < w->n_members; i++)
        rc = journey__read_visitor(w, w->members[i].place, w->members[i].run,
                                   &w->members[i].visitor, err);
    all = arena_alloc(&w->arena, w->n_joined * sizeof *all);
    memcpy(all, w->joined, w->n_joined * sizeof *all);
    for (size_t i = 0; rc == ERR_OK && i < w->n_members; i++)
        if (!w->members[i].is_done)
            rc = give_visitor(w, all, starts, i, err);
    return rc;
}
