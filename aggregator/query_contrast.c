#include "aggregator/query_contrast.h"

#include <stdlib.h>

#include "aggregator/value_table.h"

struct contrasting {
    const struct query_contrast *q;
    int64_t n[2];
    uint32_t unit; /* number of the one at hand, from 1 */
    struct value_table tables[ENQUIRY_ATTRIBUTES_MAX];
};

/* ---- Counting ---- */

static void
add_value(struct contrasting *c, size_t k, uint32_t value, const bool *is_in)
{
    struct value_key key = {{value}};
    struct value_row *row = value_table_row(&c->tables[k], &key);

    if (row->stamp == c->unit)
        return;
    row->stamp = c->unit;
    row->n[0] += is_in[0];
    row->n[1] += is_in[1];
}

static void
add_any(struct contrasting *c, struct enquiry *e, const struct journey *j,
        const struct enquiry_unit *u, const struct path *path, size_t k, const bool *is_in)
{
    bool has_any = false;

    for (uint32_t i = 0; i < u->unit.n; i++) {
        uint32_t value;

        if (!unit_is_on_the_way(&u->unit, path, i))
            continue;
        value = enquiry_value(e, j, k, enquiry_event(u, i));
        if (value == ATTRIBUTE_VALUE_NULL)
            continue;
        add_value(c, k, value, is_in);
        has_any = true;
    }
    if (!has_any)
        add_value(c, k, ATTRIBUTE_VALUE_NULL, is_in);
}

static enum err_code
take_unit(struct enquiry *e, const struct journey *j, const struct enquiry_unit *u, void *context,
          struct err *err)
{
    struct contrasting *c = context;
    const struct query_contrast *q = c->q;
    struct outcome o;
    bool is_in[2];

    (void)err;
    unit_count(&u->unit, &e->plan, &e->chooser, &o);
    is_in[0] = unit_is_in_figure(&u->unit, q->funnel->n_stages, &o, &q->a);
    is_in[1] = unit_is_in_figure(&u->unit, q->funnel->n_stages, &o, &q->b);
    if (!is_in[0] && !is_in[1])
        return ERR_OK;
    c->n[0] += is_in[0];
    c->n[1] += is_in[1];
    c->unit++;
    for (size_t k = 0; k < q->n_attributes; k++) {
        if (q->attributes[k].at == AT_ANY)
            add_any(c, e, j, u, &o.path, k, is_in);
        else
            add_value(c, k, enquiry_value_at(e, j, k, u, &o.path), is_in);
    }
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
    struct contrasting *c = context;

    for (size_t k = 0; k < c->q->n_attributes; k++)
        value_table_fini(&c->tables[k]);
    c->n[0] = c->n[1] = 0;
    c->unit = 0;
}

static enum err_code
start(struct enquiry *e, void *context, struct err *err)
{
    struct contrasting *c = context;

    (void)e;
    (void)err;
    drop(c);
    for (size_t k = 0; k < c->q->n_attributes; k++)
        value_table_init(&c->tables[k]);
    return ERR_OK;
}

static size_t
held_bytes(void *context)
{
    const struct contrasting *c = context;
    size_t bytes = 0;

    for (size_t k = 0; k < c->q->n_attributes; k++)
        bytes += value_table_bytes(&c->tables[k]);
    return bytes;
}

/* ---- Several threads ---- */

static void *
fork_contrasting(struct enquiry *member, const void *context)
{
    const struct contrasting *from = context;
    struct contrasting *c = mem_zalloc(sizeof *c);

    (void)member;
    c->q = from->q;
    return c;
}

static void
join(void *context, const struct enquiry *member, void *of_member)
{
    struct contrasting *c = context;
    const struct contrasting *from = of_member;

    (void)member;
    for (int i = 0; i < 2; i++)
        c->n[i] += from->n[i];
    for (size_t k = 0; k < c->q->n_attributes; k++)
        value_table_add(&c->tables[k], &from->tables[k]);
}

/* ---- Judging ---- */

/* Chi-squared of a table of two by two, without correction (Pearson 1900); 0 where a's share is not
 * the larger one. */
static double
score_of(const int64_t *has, const int64_t *n)
{
    double a, b, both;

    if (n[0] == 0 || n[1] == 0)
        return 0;
    a = (double)has[0] / (double)n[0];
    b = (double)has[1] / (double)n[1];
    both = (double)(has[0] + has[1]) / (double)(n[0] + n[1]);
    if (a <= b || both >= 1)
        return 0;
    return (a - b) * (a - b) / (both * (1 - both) * (1 / (double)n[0] + 1 / (double)n[1]));
}

static int
compare_rows(const void *x, const void *y)
{
    const struct contrast_row *a = x;
    const struct contrast_row *b = y;

    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    if (a->n[0] != b->n[0])
        return a->n[0] > b->n[0] ? -1 : 1;
    if (a->attribute != b->attribute)
        return a->attribute < b->attribute ? -1 : 1;
    return slice_compare(a->value, b->value);
}

/* The rows in which a has the larger share, in no order. */
static struct contrast_row *
find_rows(const struct contrasting *c, const struct enquiry *e, size_t *out_n)
{
    struct contrast_row *rows;
    size_t n_max = 0, n = 0;

    for (size_t k = 0; k < c->q->n_attributes; k++)
        n_max += c->tables[k].n;
    rows = mem_alloc((n_max + 1) * sizeof *rows);
    for (size_t k = 0; k < c->q->n_attributes; k++) {
        for (size_t i = 0; i < c->tables[k].n; i++) {
            const struct value_row *row = &c->tables[k].rows[i];
            double score = score_of(row->n, c->n);

            if (score > 0)
                rows[n++] = (struct contrast_row){.attribute = k,
                                                  .value = enquiry_text(e, k, row->key.values[0]),
                                                  .n = {row->n[0], row->n[1]},
                                                  .score = score};
        }
    }
    *out_n = n;
    return rows;
}

static void
fill_answer(const struct contrasting *c, const struct enquiry *e, struct arena *a,
            struct contrast_answer *out)
{
    size_t limit = (size_t)c->q->request->limit;
    struct contrast_row *rows = find_rows(c, e, &out->n_all);

    if (out->n_all > 1)
        qsort(rows, out->n_all, sizeof *rows, compare_rows);
    out->n[0] = c->n[0];
    out->n[1] = c->n[1];
    out->n_rows = out->n_all < limit ? out->n_all : limit;
    out->rows = ARENA_ARRAY(a, struct contrast_row, out->n_rows + 1);
    for (size_t i = 0; i < out->n_rows; i++) {
        out->rows[i] = rows[i];
        out->rows[i].value = arena_copy(a, rows[i].value);
    }
    out->about = e->about;
    free(rows);
}

static enum err_code
check_figure(const struct figure_place *place, const char *field, struct err *err)
{
    if (place->figure == FIGURE_SEEN)
        return err_set(err, ERR_INVALID, field,
                       "must be a figure of counted paths: \"seen\" counts others too");
    return ERR_OK;
}

enum err_code
query_contrast(struct snapshot_pool *p, const struct query_contrast *q, struct arena *a,
               struct contrast_answer *out, struct err *err)
{
    struct enquiry_setup setup = {.site = q->site,
                                  .funnel = q->funnel,
                                  .request = q->request,
                                  .n_attributes = q->n_attributes,
                                  .attributes = q->attributes,
                                  .snapshot = q->snapshot,
                                  .guard = q->guard};
    struct contrasting c = {.q = q};
    struct enquiry_walk walk = {.start = start,
                                .person = take_person,
                                .held_bytes = held_bytes,
                                .context = &c,
                                .fork = fork_contrasting,
                                .join = join,
                                .drop = drop};
    struct enquiry *e = NULL;
    enum err_code rc = check_figure(&q->a, "a", err);

    if (rc == ERR_OK)
        rc = check_figure(&q->b, "b", err);
    if (rc == ERR_OK)
        rc = enquiry_open(p, &setup, a, &e, err);
    if (rc == ERR_OK)
        rc = enquiry_walk(e, &walk, err);
    if (rc == ERR_OK)
        fill_answer(&c, e, a, out);
    drop(&c);
    enquiry_close(&e);
    return rc;
}

/* ---- As JSON ---- */

static void
add_row(struct buffer *out, const struct contrast_answer *answer, const struct contrast_row *row,
        const struct request_breakdown *asked)
{
    buffer_add_text(out, "{\"attribute\":");
    buffer_add_json(out, asked->attribute.name);
    buffer_add_text(out, ",\"at\":");
    if (asked->at == AT_STAGE)
        buffer_printf(out, "%d", asked->stage);
    else
        buffer_printf(out, "\"%s\"", request_at_name(asked->at));
    buffer_add_text(out, ",\"value\":");
    enquiry_add_text(out, row->value);
    buffer_printf(out, ",\"a\":%lld,\"b\":%lld,\"share_a\":", (long long)row->n[0],
                  (long long)row->n[1]);
    report_add_rate(out, row->n[0], answer->n[0]);
    buffer_add_text(out, ",\"share_b\":");
    report_add_rate(out, row->n[1], answer->n[1]);
    buffer_printf(out, ",\"score\":%.4f}", row->score);
}

void
contrast_add_members(struct buffer *out, const struct contrast_answer *answer,
                     const struct query_contrast *q)
{
    buffer_add_text(out, "\"a\":{");
    enquiry_add_figure(out, &q->a, answer->n[0]);
    buffer_add_text(out, "},\"b\":{");
    enquiry_add_figure(out, &q->b, answer->n[1]);
    buffer_printf(out, "},\"n\":%zu,\"rows\":[", answer->n_all);
    for (size_t i = 0; i < answer->n_rows; i++) {
        buffer_add_text(out, i > 0 ? "," : "");
        add_row(out, answer, &answer->rows[i], &q->attributes[answer->rows[i].attribute]);
    }
    buffer_add_char(out, ']');
    request_add_range(out, q->request, &q->request->range);
    report_add_about(out, &answer->about);
}
