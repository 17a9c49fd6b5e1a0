/* One walk counts everything. Only where there are more values than rows may be shown is there a
 * second one: the first then says which rows they are, as nobody's sums of the others can be told
 * apart before (one visitor may be in many rows, and is one in `other`). */
#include "aggregator/query_count_int.h"

#include <stdlib.h>

/* ---- Units ---- */

bool
count_path(const struct unit *u, struct path *out)
{
    *out = (struct path){.stages = 1, .n = 0};
    for (uint32_t i = 0; i < u->n; i++) {
        if ((u->events[i].stages & 1) == 0 || u->events[i].time_ms < u->range.from_ms ||
            u->events[i].time_ms >= u->range.to_ms)
            continue;
        if (out->n == 0)
            out->visits[0].event = i;
        out->visits[1].event = i;
        out->n = 2;
    }
    return out->n > 0;
}

/* The unit's events in its range, as stretch [begin, end) of the order of drivers: sessions stand
 * together there. */
static void
find_stretch(const struct enquiry *e, const struct enquiry_unit *u, uint32_t *begin, uint32_t *end)
{
    const struct event_list *all = &e->person.all;

    if (u->unit.is_session) {
        *begin = e->person.settle.sessions[u->session].begin;
        *end = e->person.settle.sessions[u->session].end;
        return;
    }
    /* events of one millisecond are on one side of a bound */
    *begin = path_first_from(all->events, all->n, u->unit.range.from_ms);
    *end = path_first_from(all->events, all->n, u->unit.range.to_ms);
}

/* Is the value of a row the event's own, not the unit's? */
static bool
is_by_event(const struct request_breakdown *b)
{
    return b->at == AT_EVERY;
}

static void
read_key(struct counting *c, const struct journey *j, const struct enquiry_unit *u,
         const struct path *path, struct value_key *out)
{
    const struct request *r = c->request;

    *out = (struct value_key){{0}};
    for (size_t b = 0; b < r->n_breakdowns; b++)
        if (!is_by_event(&r->breakdowns[b]))
            out->values[b] = enquiry_value_at(c->e, j, b, u, path);
}

static void
add_event(struct counting *c, const struct journey *j, uint32_t event, size_t cell,
          struct value_key *key)
{
    const struct request *r = c->request;
    uint32_t session = c->first_session + c->e->person.settle.events[event].session;
    struct count_sale sale = {.order = 0};
    struct counted counted = {
        .n = 1, .first_session = session, .last_session = session, .n_sales = 1, .sales = &sale};
    struct count_event adds;

    count_columns_read(&c->columns, j, event, &adds);
    counted.engaged_ms = adds.engaged_ms;
    sale.value = adds.value;
    if (adds.order.n != 0)
        sale.order = attribute_values_find(c->orders, adds.order);
    count_add_to_cell(c, cell, &counted);
    if (key == NULL || r->n_breakdowns == 0)
        return;
    for (size_t b = 0; b < r->n_breakdowns; b++)
        if (is_by_event(&r->breakdowns[b]))
            key->values[b] = enquiry_value(c->e, j, b, event);
    count_add_to_row(c, key, &counted);
}

/* Add the unit's counted events to a cell and, with rows, to these. */
static void
count_unit(struct counting *c, const struct journey *j, const struct enquiry_unit *u, size_t cell,
           bool with_rows)
{
    const struct enquiry *e = c->e;
    struct value_key key;
    struct path path;
    uint32_t begin, end;

    if (!count_path(&u->unit, &path) || !unit_is_chosen(&u->unit, &e->chooser, &path))
        return;
    if (with_rows)
        read_key(c, j, u, &path, &key);
    find_stretch(e, u, &begin, &end);
    for (uint32_t r = begin; r < end; r++) {
        uint32_t event = e->person.settle.order[r];

        if ((e->person.all.events[event].stages & 1) != 0)
            add_event(c, j, event, cell, with_rows ? &key : NULL);
    }
}

/* A point is the same count over its own days. */
static void
count_points(struct counting *c, const struct journey *j)
{
    const struct event_list *all = &c->e->person.all;

    for (uint32_t i = 0; i < all->n;) {
        size_t at = count_point_of(c, all->events[i].time_ms);
        struct enquiry_unit u;

        if (at == c->n_points) {
            i++;
            continue;
        }
        if (enquiry_visitor(c->e, &c->points[at], &u))
            count_unit(c, j, &u, COUNT_POINTS + at, false);
        i = path_first_from(all->events, all->n, c->points[at].to_ms);
    }
}

static void
count_session(struct counting *c, const struct journey *j, const struct enquiry_unit *u)
{
    int64_t start_ms = person_events_session_start(&c->e->person, u->session);
    size_t at = count_point_of(c, start_ms);

    count_unit(c, j, u, COUNT_TOTAL, true);
    if (at < c->n_points)
        count_unit(c, j, u, COUNT_POINTS + at, false);
}

static enum err_code
take_unit(struct enquiry *e, const struct journey *j, const struct enquiry_unit *u, void *context,
          struct err *err)
{
    struct counting *c = context;

    (void)e;
    (void)err;
    if (u->unit.is_session) {
        count_session(c, j, u);
        return ERR_OK;
    }
    count_unit(c, j, u, COUNT_TOTAL, true);
    if (c->n_points != 0)
        count_points(c, j);
    return ERR_OK;
}

static enum err_code
take_person(struct enquiry *e, const struct journey *j, void *context, struct err *err)
{
    struct counting *c = context;
    enum err_code rc;

    c->person++;
    rc = enquiry_each_unit(e, j, take_unit, c, err);
    c->first_session += e->person.settle.n_sessions;
    return rc;
}

/* ---- Walks ---- */

static enum err_code
start(struct enquiry *e, void *context, struct err *err)
{
    struct counting *c = context;
    enum err_code rc;

    count_cells_init(c);
    rc = count_columns_open(&c->columns, e, &c->arena, err);
    return rc == ERR_OK && c->lying ? count_lying_open(c, err) : rc;
}

static void *
fork_counting(struct enquiry *member, const void *context)
{
    const struct counting *from = context;
    struct counting *c = mem_alloc(sizeof *c);

    *c = (struct counting){.request = from->request,
                           .e = member,
                           .is_listing = from->is_listing,
                           .is_fixed = from->is_fixed,
                           .is_member = true,
                           .n_fixed = from->n_fixed,
                           .fixed = from->fixed,
                           .n_points = from->n_points,
                           .points = from->points,
                           .orders = from->orders};
    arena_init(&c->arena, 16 << 10);
    if (from->lying)
        c->lying = count_lying_create();
    return c;
}

static void
drop_counts(void *context)
{
    struct counting *c = context;

    count_lying_destroy(&c->lying);
    count_cells_fini(c);
    arena_fini(&c->arena);
}

static enum err_code
walk(struct counting *c, struct err *err)
{
    struct enquiry_walk w = {.start = start,
                             .person = take_person,
                             .held_bytes = count_held_bytes,
                             .context = c,
                             .fork = fork_counting,
                             .join = count_join,
                             .drop = drop_counts};

    if (count_lying_fits(c)) {
        w.lying = &count_lying;
        if (!c->lying)
            c->lying = count_lying_create();
    }
    return enquiry_walk(c->e, &w, err);
}

static void
sort_rows(struct counting *c, int by)
{
    struct value_order order = {.by = by};

    for (size_t b = 0; b < c->request->n_breakdowns; b++)
        order.values[b] = c->e->values[b];
    value_table_sort(&c->table, &order);
}

static struct count_sums
keep_sums(const struct counting *c, size_t cell, struct arena *a)
{
    struct count_sums s = c->cells[cell];
    struct tally_sum *values = ARENA_ARRAY(a, struct tally_sum, (size_t)s.n_values + 1);

    if (s.n_values > 0)
        memcpy(values, s.values, (size_t)s.n_values * sizeof *values);
    s.values = values;
    return s;
}

/* The texts of the first rows, in their order. */
static void
choose_rows(struct counting *c, struct count_result *out, struct arena *a)
{
    size_t limit = (size_t)c->request->limit;

    sort_rows(c, 0);
    out->n_rows = c->table.n < limit ? c->table.n : limit;
    out->rows = ARENA_ARRAY(a, struct count_row, out->n_rows + 1);
    for (size_t i = 0; i < out->n_rows; i++)
        for (size_t b = 0; b < c->request->n_breakdowns; b++)
            out->rows[i].values[b] =
                arena_copy(a, enquiry_text(c->e, b, c->table.rows[i].key.values[b]));
}

static void
fill_fixed_rows(struct counting *c, struct count_result *out, struct arena *a)
{
    for (size_t i = 0; i < c->n_fixed; i++)
        out->rows[i].sums = keep_sums(c, count_row_cell(c, i), a);
    if (c->cells[COUNT_OTHER].events != 0)
        out->rows[out->n_rows++] =
            (struct count_row){.is_other = true, .sums = keep_sums(c, COUNT_OTHER, a)};
}

/* Rows as the main range has them. */
static enum err_code
count_fixed(struct counting *c, struct count_result *out, struct arena *a, struct err *err)
{
    enum err_code rc;

    c->is_fixed = true;
    c->n_fixed = out->n_rows;
    c->fixed = out->rows;
    rc = walk(c, err);
    if (rc == ERR_OK)
        fill_fixed_rows(c, out, a);
    return rc;
}

static enum err_code
count_main(struct counting *c, struct count_result *out, struct arena *a, struct err *err)
{
    enum err_code rc = walk(c, err);

    if (rc != ERR_OK)
        return rc;
    choose_rows(c, out, a);
    if (c->is_counted_only)
        return count_fixed(c, out, a, err);
    for (size_t i = 0; i < out->n_rows; i++)
        out->rows[i].sums = keep_sums(c, count_row_cell(c, c->table.rows[i].number), a);
    return ERR_OK;
}

static void
fill_result(const struct counting *c, struct count_result *out, struct arena *a)
{
    out->range = c->request->range;
    out->n_lying = c->n_lying;
    out->total = keep_sums(c, COUNT_TOTAL, a);
    out->n_points = c->n_points;
    out->points = ARENA_ARRAY(a, struct count_point, c->n_points + 1);
    for (size_t i = 0; i < c->n_points; i++)
        out->points[i] =
            (struct count_point){c->points[i].from_ms, keep_sums(c, COUNT_POINTS + i, a)};
}

static enum err_code
find_points(struct counting *c, struct arena *a, struct err *err)
{
    int64_t first_ms, last_ms;

    enquiry_times(c->e, &first_ms, &last_ms);
    return request_points(c->request, first_ms, last_ms, a, &c->points, &c->n_points, err);
}

struct funnel *
count_funnel(const struct request_count *count, struct arena *a)
{
    struct funnel *f = ARENA_NEW(a, struct funnel);
    struct rule *any = ARENA_NEW(a, struct rule);

    any->kind = RULE_TEST;
    any->test.op = OP_SET;
    (void)attribute_find(SLICE("event"), &any->test.attribute);
    f->preset = PRESET_OPEN;
    f->count = count->unit;
    f->window_ms = count->window_ms;
    f->n_stages = 1;
    f->stages[0].rule = any;
    f->stages[0].canonical = rule_canonical(any, a);
    return f;
}

static enum err_code
open_count(struct snapshot_pool *p, const struct query_count *q, const struct enquiry *beside,
           struct arena *a, struct enquiry **out, struct err *err)
{
    const struct request *r = q->request;
    struct enquiry_setup setup = {.site = q->site,
                                  .funnel = count_funnel(&r->count, a),
                                  .request = r,
                                  .n_attributes = r->n_breakdowns,
                                  .attributes = r->breakdowns,
                                  .snapshot = q->snapshot,
                                  .beside = beside,
                                  .guard = q->guard,
                                  .n_threads = q->n_threads};

    return enquiry_open(p, &setup, a, out, err);
}

static const struct request_breakdown no_attribute;

static void
counting_init(struct counting *c, const struct query_count *q, struct enquiry *e)
{
    *c = (struct counting){.request = q->request, .e = e, .is_general = q->is_general};
    arena_init(&c->arena, 16 << 10);
    c->orders = attribute_values_create(&no_attribute, NULL);
}

static void
counting_fini(struct counting *c)
{
    drop_counts(c);
    attribute_values_destroy(&c->orders);
}

/* ---- Another range beside it ---- */

/* The same question of the other range and its as_of, of the same files. */
static enum err_code
count_compare(struct snapshot_pool *p, const struct query_count *q, struct count_answer *out,
              struct err *err)
{
    const struct request *r = q->request;
    struct request *other = ARENA_NEW(&out->arena, struct request);
    struct query_count of_other = *q;
    struct counting c;
    enum err_code rc;

    if (!r->compare.is_given)
        return ERR_OK;
    of_other.request = other;
    *other = *r; /* what it owns stays the request's */
    other->range = r->compare.range;
    other->as_of_ms = r->compare.as_of_ms;
    other->trend = TREND_NONE;
    rc = open_count(p, &of_other, out->main.enquiry, &out->arena, &out->compare.enquiry, err);
    if (rc != ERR_OK)
        return rc;
    counting_init(&c, &of_other, out->compare.enquiry);
    out->compare.n_rows = out->main.n_rows;
    if (out->main.n_rows > 0 && out->main.rows[out->main.n_rows - 1].is_other)
        out->compare.n_rows--;
    out->compare.rows = ARENA_ARRAY(&out->arena, struct count_row, out->compare.n_rows + 1);
    for (size_t i = 0; i < out->compare.n_rows; i++)
        memcpy(out->compare.rows[i].values, out->main.rows[i].values,
               sizeof out->main.rows[i].values);
    rc = count_fixed(&c, &out->compare, &out->arena, err);
    if (rc == ERR_OK)
        fill_result(&c, &out->compare, &out->arena);
    counting_fini(&c);
    return rc;
}

enum err_code
query_count(struct snapshot_pool *p, const struct query_count *q, struct count_answer *out,
            struct err *err)
{
    struct count_answer answer = {.main = {.n_rows = 0}};
    struct counting c;
    enum err_code rc;

    arena_init(&answer.arena, 16 << 10);
    rc = open_count(p, q, NULL, &answer.arena, &answer.main.enquiry, err);
    if (rc == ERR_OK) {
        counting_init(&c, q, answer.main.enquiry);
        rc = find_points(&c, &answer.arena, err);
        if (rc == ERR_OK)
            rc = count_main(&c, &answer.main, &answer.arena, err);
        if (rc == ERR_OK)
            fill_result(&c, &answer.main, &answer.arena);
        counting_fini(&c);
    }
    if (rc == ERR_OK)
        rc = count_compare(p, q, &answer, err);
    if (rc == ERR_OK)
        *out = answer;
    else
        count_answer_fini(&answer);
    return rc;
}

void
count_answer_fini(struct count_answer *a)
{
    enquiry_close(&a->compare.enquiry);
    enquiry_close(&a->main.enquiry);
    arena_fini(&a->arena);
}

/* ---- Values ---- */

static void
list_values(struct counting *c, struct slice prefix, struct arena *a, struct count_value **out,
            size_t *out_n, size_t *out_all)
{
    size_t limit = (size_t)c->request->limit;

    sort_rows(c, 1);
    *out = ARENA_ARRAY(a, struct count_value, limit);
    *out_n = *out_all = 0;
    for (size_t i = 0; i < c->table.n; i++) {
        const struct value_row *row = &c->table.rows[i];
        struct slice value = enquiry_text(c->e, 0, row->key.values[0]);

        if (value.n == 0 || !slice_starts_with(value, prefix))
            continue;
        ++*out_all;
        if (*out_n < limit)
            (*out)[(*out_n)++] = (struct count_value){arena_copy(a, value), row->n[0], row->n[1]};
    }
}

enum err_code
query_count_values(struct snapshot_pool *p, const struct query_count *q, struct slice prefix,
                   struct arena *a, struct count_value **out, size_t *out_n, size_t *out_all,
                   struct report_about *about, struct err *err)
{
    struct enquiry *e = NULL;
    struct counting c;
    enum err_code rc = open_count(p, q, NULL, a, &e, err);

    if (rc != ERR_OK)
        return rc;
    counting_init(&c, q, e);
    c.is_listing = true;
    rc = walk(&c, err);
    if (rc == ERR_OK) {
        list_values(&c, prefix, a, out, out_n, out_all);
        *about = e->about;
    }
    counting_fini(&c);
    enquiry_close(&e);
    return rc;
}
