#include "aggregator/query_next.h"

struct following {
    const struct query_next *q;
    int64_t n;
    struct value_table next;
    struct value_table last;
};

/* ---- Which visit ---- */

static enum err_code
check_figure(const struct figure_place *place, struct err *err)
{
    switch (place->figure) {
    case FIGURE_SKIPPED:
    case FIGURE_THROUGHPUT:
    case FIGURE_SEEN:
        return err_set(err, ERR_INVALID, "figure",
                       "must be one whose visitors all visit the stage: not \"%s\"",
                       figure_name(place->figure));
    default:
        return ERR_OK;
    }
}

/* The unit's event. */
static uint32_t
visit_of(const struct figure_place *place, const struct path *path)
{
    bool is_last = place->figure == FIGURE_CONVERTED || place->figure == FIGURE_AFTER_RANGE;

    for (uint32_t v = 0; v < path->n; v++)
        if ((int)path->visits[v].stage == place->stage - 1)
            return path->visits[v].event;
    return path->visits[is_last ? path->n - 1 : 0].event;
}

/* ---- What followed ---- */

static void
follow(struct following *f, struct enquiry *e, const struct journey *j,
       const struct enquiry_unit *u, uint32_t visit)
{
    int64_t end_ms = path_time_add(u->unit.events[visit].time_ms, f->q->funnel->window_ms);
    struct value_key next = {{0}}, last = {{0}};
    int n = 0;

    for (uint32_t i = visit + 1; i < u->unit.n && u->unit.events[i].time_ms <= end_ms &&
                                 u->unit.events[i].time_ms < u->unit.end_ms;
         i++) {
        uint32_t value = enquiry_value(e, j, 0, enquiry_event(u, i));

        if (value == ATTRIBUTE_VALUE_NULL)
            continue;
        if (n < f->q->steps)
            next.values[n++] = value;
        last.values[0] = value;
    }
    value_table_row(&f->next, &next)->n[0]++;
    value_table_row(&f->last, &last)->n[0]++;
}

static enum err_code
take_unit(struct enquiry *e, const struct journey *j, const struct enquiry_unit *u, void *context,
          struct err *err)
{
    struct following *f = context;
    struct outcome o;

    (void)err;
    unit_count(&u->unit, &e->plan, &e->chooser, &o);
    if (!unit_is_in_figure(&u->unit, f->q->funnel->n_stages, &o, &f->q->figure))
        return ERR_OK;
    f->n++;
    follow(f, e, j, u, visit_of(&f->q->figure, &o.path));
    return ERR_OK;
}

static enum err_code
take_person(struct enquiry *e, const struct journey *j, void *context, struct err *err)
{
    return enquiry_each_unit(e, j, take_unit, context, err);
}

static void
drop(void *context)
{
    struct following *f = context;

    value_table_fini(&f->next);
    value_table_fini(&f->last);
    f->n = 0;
}

static enum err_code
start(struct enquiry *e, void *context, struct err *err)
{
    struct following *f = context;

    (void)e;
    (void)err;
    drop(f);
    value_table_init(&f->next);
    value_table_init(&f->last);
    return ERR_OK;
}

static size_t
held_bytes(void *context)
{
    const struct following *f = context;

    return value_table_bytes(&f->next) + value_table_bytes(&f->last);
}

/* ---- Several threads ---- */

static void *
fork_following(struct enquiry *member, const void *context)
{
    const struct following *from = context;
    struct following *f = mem_zalloc(sizeof *f);

    (void)member;
    f->q = from->q;
    return f;
}

static void
join(void *context, const struct enquiry *member, void *of_member)
{
    struct following *f = context;
    const struct following *from = of_member;

    (void)member;
    f->n += from->n;
    value_table_add(&f->next, &from->next);
    value_table_add(&f->last, &from->last);
}

/* ---- The answer ---- */

static void
fill_rows(const struct enquiry *e, struct value_table *t, int limit, struct arena *a,
          struct next_rows *out)
{
    struct value_order order = {.values = {e->values[0], e->values[0], e->values[0]}};
    size_t n = t->n < (size_t)limit ? t->n : (size_t)limit;
    struct next_row other = {.is_other = true};

    value_table_sort(t, &order);
    out->list = ARENA_ARRAY(a, struct next_row, n + 1);
    out->n = n;
    for (size_t i = 0; i < n; i++) {
        out->list[i].n = t->rows[i].n[0];
        for (int k = 0; k < NEXT_STEPS_MAX; k++)
            out->list[i].values[k] = arena_copy(a, enquiry_text(e, 0, t->rows[i].key.values[k]));
    }
    for (size_t i = n; i < t->n; i++)
        other.n += t->rows[i].n[0];
    if (n < t->n)
        out->list[out->n++] = other;
}

enum err_code
query_next(struct snapshot_pool *p, const struct query_next *q, struct arena *a,
           struct next_answer *out, struct err *err)
{
    struct request_breakdown attribute = {.attribute = q->attribute, .at = AT_EVERY};
    struct enquiry_setup setup = {.site = q->site,
                                  .funnel = q->funnel,
                                  .request = q->request,
                                  .n_attributes = 1,
                                  .attributes = &attribute,
                                  .snapshot = q->snapshot,
                                  .guard = q->guard};
    struct following f = {.q = q};
    struct enquiry_walk walk = {.start = start,
                                .person = take_person,
                                .held_bytes = held_bytes,
                                .context = &f,
                                .fork = fork_following,
                                .join = join,
                                .drop = drop};
    struct enquiry *e = NULL;
    enum err_code rc = check_figure(&q->figure, err);

    if (rc == ERR_OK)
        rc = enquiry_open(p, &setup, a, &e, err);
    if (rc == ERR_OK)
        rc = enquiry_walk(e, &walk, err);
    if (rc == ERR_OK) {
        *out = (struct next_answer){.n = f.n, .about = e->about};
        fill_rows(e, &f.next, q->request->limit, a, &out->next);
        fill_rows(e, &f.last, q->request->limit, a, &out->last);
    }
    drop(&f);
    enquiry_close(&e);
    return rc;
}

/* ---- As JSON ---- */

static void
add_rows(struct buffer *out, const char *name, const struct next_rows *rows, int n_values)
{
    buffer_printf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < rows->n; i++) {
        const struct next_row *row = &rows->list[i];

        buffer_add_text(out, i > 0 ? ",{" : "{");
        buffer_add_text(out, row->is_other ? "\"other\":true" : "\"values\":[");
        for (int k = 0; k < n_values && !row->is_other; k++) {
            buffer_add_text(out, k > 0 ? "," : "");
            enquiry_add_text(out, row->values[k]);
        }
        buffer_printf(out, "%s,\"n\":%lld}", row->is_other ? "" : "]", (long long)row->n);
    }
    buffer_add_char(out, ']');
}

void
next_add_members(struct buffer *out, const struct next_answer *answer, const struct query_next *q)
{
    enquiry_add_figure(out, &q->figure, answer->n);
    buffer_add_text(out, ",\"attribute\":");
    buffer_add_json(out, q->attribute.name);
    buffer_printf(out, ",\"steps\":%d", q->steps);
    add_rows(out, "next", &answer->next, q->steps);
    add_rows(out, "last", &answer->last, 1);
    request_add_range(out, q->request, &q->request->range);
    report_add_about(out, &answer->about);
}
