/* The plan of a merge: inputs are walked together in order of (hash, visitor); a visitor of one
 * input is one extent, a visitor of several is joined: his rows by (time, id), repeats dropped. */
#include <stdlib.h>

#include "aggregator/segment/merge_int.h"

#define JOIN_ARENA_BYTES (64 * 1024)

/* ---- inputs ---- */

static bool
is_hash_less(const void *context, uint32_t a, uint32_t b)
{
    const struct segment__plan *p = context;
    const struct segment__input *x = &p->inputs[a];
    const struct segment__input *y = &p->inputs[b];

    return x->segment->run_hashes[x->run] < y->segment->run_hashes[y->run];
}

static enum err_code
check_merge(const struct segment_merge *m, struct err *err)
{
    if (m->n_inputs == 0 || m->n_inputs > SEGMENT_MERGE_MAX)
        return err_set(err, ERR_INVALID, NULL, "a merge has 1 to %d inputs", SEGMENT_MERGE_MAX);
    for (size_t i = 0; i < m->n_inputs; i++) {
        if (m->inputs[i]->info.month != m->month)
            return err_set(err, ERR_INVALID, NULL, "%s is not of the month %u", m->inputs[i]->name,
                           m->month);
        if (memcmp(&m->inputs[i]->owner, &m->inputs[0]->owner, sizeof m->inputs[0]->owner) != 0)
            return err_set(err, ERR_INVALID, NULL, "%s is of another owner", m->inputs[i]->name);
    }
    return ERR_OK;
}

enum err_code
segment__plan_init(struct segment__plan *p, const struct segment_merge *m, struct err *err)
{
    enum err_code rc = check_merge(m, err);

    *p = (struct segment__plan){.rc = ERR_OK, .erased = m->erased};
    if (rc != ERR_OK)
        return rc;
    arena_init(&p->arena, JOIN_ARENA_BYTES);
    p->inputs = mem_zalloc(m->n_inputs * sizeof *p->inputs);
    segment__heap_init(&p->heap, (uint32_t)m->n_inputs, is_hash_less, p);
    for (size_t i = 0; rc == ERR_OK && i < m->n_inputs; i++) {
        const struct segment_site *site = segment_find_site(m->inputs[i], m->site);
        struct segment__input *input = &p->inputs[p->n_inputs];

        if (site == NULL)
            continue;
        input->segment = m->inputs[i];
        input->run = site->run_begin;
        input->run_end = site->run_end;
        input->row_end = input->segment->run_rows[site->run_end];
        input->cursor = segment_cursor_create(input->segment);
        input->is_cut = m->erased != NULL && segment_erased_cuts(m->erased, site->time_min_ms);
        rc = segment_time_open(input->segment, &input->time, err);
        segment__heap_add(&p->heap, p->n_inputs++);
    }
    return rc;
}

void
segment__plan_fini(struct segment__plan *p)
{
    if (p->inputs == NULL)
        return;
    for (uint32_t i = 0; i < p->n_inputs; i++)
        segment_cursor_destroy(&p->inputs[i].cursor);
    segment__heap_fini(&p->heap);
    arena_fini(&p->arena);
    free(p->inputs);
    free(p->extents);
    free(p->runs);
}

/* ---- the part ---- */

static void
add_extent(struct segment__plan *p, uint32_t input, uint32_t row, uint32_t n)
{
    struct segment__extent *last = p->n_extents == 0 ? NULL : &p->extents[p->n_extents - 1];

    p->n_rows += n;
    if (last != NULL && last->input == input && last->row + last->n == row) {
        last->n += n;
        return;
    }
    if (p->n_extents == p->extents_max) {
        p->extents_max = p->extents_max == 0 ? 1024 : p->extents_max * 2;
        p->extents = mem_realloc(p->extents, p->extents_max * sizeof *p->extents);
    }
    p->extents[p->n_extents++] = (struct segment__extent){input, row, n};
}

static void
add_run(struct segment__plan *p, uint32_t input, uint32_t run, uint32_t n_rows)
{
    if (p->n_runs == p->runs_max) {
        p->runs_max = p->runs_max == 0 ? 1024 : p->runs_max * 2;
        p->runs = mem_realloc(p->runs, p->runs_max * sizeof *p->runs);
    }
    p->runs[p->n_runs++] = (struct segment__planned_run){input, run, n_rows};
}

/* ---- joining ---- */

struct head { /* a run whose hash is the smallest now */
    uint32_t input;
    uint32_t run;
    struct slice visitor; /* in the arena */
};

struct joined_row {
    struct segment__plan *plan;
    struct slice id; /* in the arena */
    int64_t time_ms;
    uint32_t input;
    uint32_t row;
};

static int
compare_heads(const void *a, const void *b)
{
    return slice_compare(((const struct head *)a)->visitor, ((const struct head *)b)->visitor);
}

static int
compare_contents(const struct joined_row *x, const struct joined_row *y)
{
    struct segment__plan *p = x->plan;
    struct arena a;
    struct event event_x;
    struct event event_y;
    int order = 0;

    arena_init(&a, 4096);
    if (p->rc == ERR_OK)
        p->rc = segment_cursor_event(p->inputs[x->input].cursor, x->row, &a, &event_x, &p->err);
    if (p->rc == ERR_OK)
        p->rc = segment_cursor_event(p->inputs[y->input].cursor, y->row, &a, &event_y, &p->err);
    if (p->rc == ERR_OK)
        order = segment_repeat_compare(&event_x, &event_y);
    arena_fini(&a);
    return order;
}

/* By id, and of one id the one that stays first. */
static int
compare_repeats(const void *a, const void *b)
{
    const struct joined_row *x = a;
    const struct joined_row *y = b;
    int order = slice_compare(x->id, y->id);

    if (order != 0 || x == y)
        return order;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return compare_contents(x, y);
}

static int
compare_order(const void *a, const void *b)
{
    const struct joined_row *x = a;
    const struct joined_row *y = b;

    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return slice_compare(x->id, y->id);
}

/* From when on the visitor's events count. */
static int64_t
counts_from(const struct segment__plan *p, const struct head *head)
{
    uint64_t hash = p->inputs[head->input].segment->run_hashes[head->run];

    if (p->erased == NULL)
        return INT64_MIN;
    return segment_erased_from(p->erased, hash, head->visitor);
}

static enum err_code
read_run(struct segment__plan *p, const struct head *head, struct joined_row *out, struct err *err)
{
    struct segment__input *input = &p->inputs[head->input];
    uint32_t begin = input->segment->run_rows[head->run];
    uint32_t n = input->segment->run_rows[head->run + 1] - begin;

    for (uint32_t i = 0; i < n; i++) {
        struct slice id;
        enum err_code rc = segment_cursor_id(input->cursor, begin + i, &id, err);

        if (rc != ERR_OK)
            return rc;
        out[i] = (struct joined_row){
            .plan = p,
            .id = arena_copy(&p->arena, id),
            .input = head->input,
            .row = begin + i,
        };
        segment_values(&input->time, begin + i, 1, &out[i].time_ms, NULL);
    }
    return ERR_OK;
}

/* One visitor's runs of several inputs. */
static enum err_code
join_runs(struct segment__plan *p, const struct head *heads, uint32_t n_heads, struct err *err)
{
    struct joined_row *rows;
    int64_t from_ms = counts_from(p, heads);
    uint64_t n = 0;
    uint32_t n_kept = 1;
    uint32_t first = 0;

    for (uint32_t i = 0; i < n_heads; i++) {
        const uint32_t *run_rows = p->inputs[heads[i].input].segment->run_rows;

        n += run_rows[heads[i].run + 1] - run_rows[heads[i].run];
    }
    rows = arena_alloc(&p->arena, n * sizeof *rows);
    for (uint32_t i = 0, at = 0; i < n_heads; i++) {
        const uint32_t *run_rows = p->inputs[heads[i].input].segment->run_rows;
        enum err_code rc = read_run(p, &heads[i], rows + at, err);

        if (rc != ERR_OK)
            return rc;
        at += run_rows[heads[i].run + 1] - run_rows[heads[i].run];
    }
    qsort(rows, n, sizeof *rows, compare_repeats);
    for (uint64_t i = 1; i < n; i++)
        if (!slice_equal(rows[n_kept - 1].id, rows[i].id))
            rows[n_kept++] = rows[i];
    qsort(rows, n_kept, sizeof *rows, compare_order);
    while (first < n_kept && rows[first].time_ms < from_ms)
        first++;
    for (uint32_t i = first; i < n_kept; i++)
        add_extent(p, rows[i].input, rows[i].row, 1);
    if (first < n_kept)
        add_run(p, heads[0].input, heads[0].run, n_kept - first);
    if (p->rc != ERR_OK && err != NULL)
        *err = p->err;
    return p->rc;
}

static enum err_code
read_visitors(struct segment__plan *p, struct head *heads, uint32_t n, struct err *err)
{
    for (uint32_t i = 0; i < n; i++) {
        struct slice visitor;
        enum err_code rc =
            segment_cursor_visitor(p->inputs[heads[i].input].cursor, heads[i].run, &visitor, err);

        if (rc != ERR_OK)
            return rc;
        heads[i].visitor = arena_copy(&p->arena, visitor);
    }
    return ERR_OK;
}

static void
add_whole_run(struct segment__plan *p, const struct head *head)
{
    const uint32_t *run_rows = p->inputs[head->input].segment->run_rows;
    uint32_t n = run_rows[head->run + 1] - run_rows[head->run];

    add_extent(p, head->input, run_rows[head->run], n);
    add_run(p, head->input, head->run, n);
}

/* Without a look at whose run it is. */
static bool
counts_whole(const struct segment__plan *p, const struct head *head, uint64_t hash)
{
    return p->erased == NULL ||
           (!p->inputs[head->input].is_cut && !segment_erased_may_have(p->erased, hash));
}

/* Its visitor was read. */
static void
add_run_that_counts(struct segment__plan *p, const struct head *head)
{
    struct segment__input *input = &p->inputs[head->input];
    uint32_t row = input->segment->run_rows[head->run];
    uint32_t end = input->segment->run_rows[head->run + 1];
    int64_t from_ms = counts_from(p, head);

    for (; from_ms != INT64_MIN && row < end; row++) {
        int64_t time_ms;

        segment_values(&input->time, row, 1, &time_ms, NULL);
        if (time_ms >= from_ms)
            break;
    }
    if (row == end)
        return;
    add_extent(p, head->input, row, end - row);
    add_run(p, head->input, head->run, end - row);
}

/* All runs of one hash: usually one, else nearly always of one visitor. */
static enum err_code
add_heads(struct segment__plan *p, struct head *heads, uint32_t n, struct err *err)
{
    enum err_code rc = read_visitors(p, heads, n, err);
    uint32_t end;

    if (rc != ERR_OK)
        return rc;
    qsort(heads, n, sizeof *heads, compare_heads);
    for (uint32_t begin = 0; rc == ERR_OK && begin < n; begin = end) {
        for (end = begin + 1; end < n && compare_heads(&heads[begin], &heads[end]) == 0;)
            end++;
        if (end - begin == 1)
            add_run_that_counts(p, &heads[begin]);
        else
            rc = join_runs(p, heads + begin, end - begin, err);
    }
    return rc;
}

/* Take the runs of the smallest hash off the inputs: an array in the arena. */
static struct head *
take_heads(struct segment__plan *p, uint32_t *out_n)
{
    struct segment__input *input = &p->inputs[p->heap.items[0]];
    uint64_t hash = input->segment->run_hashes[input->run];
    uint32_t n_max = 4;
    struct head *heads = arena_alloc(&p->arena, n_max * sizeof *heads);
    uint32_t n = 0;

    while (p->heap.n > 0) {
        uint32_t first = p->heap.items[0];

        input = &p->inputs[first];
        if (input->segment->run_hashes[input->run] != hash)
            break;
        if (n == n_max) {
            struct head *more = arena_alloc(&p->arena, 2 * n_max * sizeof *more);

            memcpy(more, heads, n * sizeof *more);
            heads = more;
            n_max *= 2;
        }
        heads[n++] = (struct head){.input = first, .run = input->run++};
        if (input->run < input->run_end)
            segment__heap_sink(&p->heap);
        else
            segment__heap_drop(&p->heap);
    }
    *out_n = n;
    return heads;
}

enum err_code
segment__plan_part(struct segment__plan *p, uint32_t rows, struct err *err)
{
    enum err_code rc = ERR_OK;

    p->n_extents = 0;
    p->n_runs = 0;
    p->n_rows = 0;
    while (rc == ERR_OK && p->heap.n > 0 && p->n_rows < rows) {
        uint32_t n;
        struct head *heads = take_heads(p, &n);
        uint64_t hash = p->inputs[heads->input].segment->run_hashes[heads->run];

        if (n == 1 && counts_whole(p, heads, hash))
            add_whole_run(p, heads);
        else
            rc = add_heads(p, heads, n, err);
        arena_reset(&p->arena);
    }
    return rc;
}
