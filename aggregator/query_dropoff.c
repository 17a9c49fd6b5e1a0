#include "aggregator/query_dropoff_int.h"

#include <math.h>
#include <stdlib.h>

_Static_assert(DROPOFF_ATTRIBUTES_MAX + SESSION_ATTRIBUTES <= ENQUIRY_ATTRIBUTES_MAX,
               "one walk reads them all");

/* ---- Which attributes ---- */

static bool
rule_asks(const struct rule *rule, const struct attribute *a)
{
    if (rule->kind == RULE_TEST)
        return slice_equal(rule->test.attribute.name, a->name);
    for (uint32_t i = 0; i < rule->n_members; i++)
        if (rule_asks(rule->members[i], a))
            return true;
    return false;
}

/* Is the stage, or a deeper one, defined by it? */
static bool
is_defining(const struct query_dropoff *q, const struct attribute *a)
{
    for (int s = q->stage - 1; s < q->funnel->n_stages; s++)
        if (rule_asks(q->funnel->stages[s].rule, a))
            return true;
    return false;
}

static void
find_attributes(struct dropoff *d, struct arena *a, struct dropoff_answer *out)
{
    static const char *const names[SESSION_ATTRIBUTES] = {"event", "path", "page_group",
                                                          "properties.sign", "load_ms"};
    const struct query_dropoff *q = d->q;
    struct slice *slow = ARENA_NEW(a, struct slice);

    out->left_out = ARENA_ARRAY(a, struct slice, q->n_attributes + 1);
    for (size_t i = 0; i < q->n_attributes; i++) {
        if (is_defining(q, &q->attributes[i].attribute))
            out->left_out[out->n_left_out++] = q->attributes[i].attribute.name;
        else
            d->attributes[d->n_asked++] = q->attributes[i];
    }
    for (size_t k = 0; k < SESSION_ATTRIBUTES; k++) {
        struct request_breakdown *b = &d->attributes[d->n_asked + k];

        *b = (struct request_breakdown){.at = AT_ANY};
        (void)attribute_find(slice_from(names[k]), &b->attribute);
    }
    *slow = arena_printf(a, "%d", DROPOFF_SLOW_MS);
    d->attributes[d->n_asked + SESSION_LOAD].n_bins = 1;
    d->attributes[d->n_asked + SESSION_LOAD].bins = slow;
}

static void
find_words(struct dropoff *d, struct enquiry *e, struct arena *a)
{
    const struct request_breakdown *load = &d->attributes[d->n_asked + SESSION_LOAD];
    struct attribute_values **values = &e->values[d->n_asked];

    d->words = (struct dropoff_words){
        .pageview = attribute_values_find(values[SESSION_EVENT], SLICE("pageview")),
        .engage = attribute_values_find(values[SESSION_EVENT], SLICE("engage")),
        .error = attribute_values_find(values[SESSION_EVENT], SLICE("error")),
        .rage_click = attribute_values_find(values[SESSION_TOLD], SLICE("rage_click")),
        .same_page = attribute_values_find(values[SESSION_TOLD], SLICE("same_page_3")),
        .slow = attribute_values_find(values[SESSION_LOAD], request_bin_name(load, 1, a)),
    };
}

/* ---- Counting ---- */

void
dropoff__add(struct dropoff *d, size_t table, uint32_t value, int who)
{
    struct value_key key = {{value}};
    struct value_row *row = value_table_row(&d->tables[table], &key);

    if (row->stamp == d->unit)
        return;
    row->stamp = d->unit;
    row->n[who]++;
}

static void
add_asked(struct dropoff *d, struct enquiry *e, const struct journey *j,
          const struct enquiry_unit *u, const struct path *path, int who)
{
    for (size_t k = 0; k < d->n_asked; k++) {
        if (d->attributes[k].at != AT_ANY) {
            uint32_t value = enquiry_value_at(e, j, k, u, path);

            if (value != ATTRIBUTE_VALUE_NULL)
                dropoff__add(d, k, value, who);
            continue;
        }
        for (uint32_t i = 0; i < u->unit.n; i++) {
            uint32_t value = unit_is_on_the_way(&u->unit, path, i)
                                 ? enquiry_value(e, j, k, enquiry_event(u, i))
                                 : ATTRIBUTE_VALUE_NULL;

            if (value != ATTRIBUTE_VALUE_NULL)
                dropoff__add(d, k, value, who);
        }
    }
}

static enum err_code
take_unit(struct enquiry *e, const struct journey *j, const struct enquiry_unit *u, void *context,
          struct err *err)
{
    struct dropoff *d = context;
    struct figure_place lost = {FIGURE_LOST, d->q->stage}, onward = {FIGURE_ONWARD, d->q->stage},
                        open = {FIGURE_OPEN, d->q->stage};
    int n_stages = d->q->funnel->n_stages;
    struct outcome o;
    int who;

    (void)err;
    unit_count(&u->unit, &e->plan, &e->chooser, &o);
    d->n_open += unit_is_in_figure(&u->unit, n_stages, &o, &open);
    if (unit_is_in_figure(&u->unit, n_stages, &o, &lost))
        who = LEAVERS;
    else if (unit_is_in_figure(&u->unit, n_stages, &o, &onward))
        who = STAYERS;
    else
        return ERR_OK;
    d->n[who]++;
    d->unit++;
    add_asked(d, e, j, u, &o.path, who);
    dropoff__session(d, e, j, u, &o.path, who);
    return ERR_OK;
}

static enum err_code
take_person(struct enquiry *e, const struct journey *j, void *context, struct err *err)
{
    return enquiry_each_unit(e, j, take_unit, context, err);
}

static size_t
n_tables(const struct dropoff *d)
{
    return d->n_asked + SESSION_ROWS;
}

static void
drop(void *context)
{
    struct dropoff *d = context;

    for (size_t k = 0; k < n_tables(d); k++)
        value_table_fini(&d->tables[k]);
    memset(d->signs, 0, sizeof d->signs);
    d->n[0] = d->n[1] = d->n_open = 0;
    d->unit = 0;
}

static enum err_code
start(struct enquiry *e, void *context, struct err *err)
{
    struct dropoff *d = context;
    struct arena a;

    (void)err;
    drop(d);
    for (size_t k = 0; k < n_tables(d); k++)
        value_table_init(&d->tables[k]);
    arena_init(&a, 1 << 10);
    find_words(d, e, &a);
    arena_fini(&a);
    return ERR_OK;
}

static size_t
held_bytes(void *context)
{
    const struct dropoff *d = context;
    size_t bytes = 0;

    for (size_t k = 0; k < n_tables(d); k++)
        bytes += value_table_bytes(&d->tables[k]);
    return bytes;
}

/* ---- Several threads ---- */

static void *
fork_dropoff(struct enquiry *member, const void *context)
{
    const struct dropoff *from = context;
    struct dropoff *d = mem_zalloc(sizeof *d);

    (void)member;
    d->q = from->q;
    d->n_asked = from->n_asked;
    memcpy(d->attributes, from->attributes, sizeof d->attributes);
    return d;
}

static void
join(void *context, const struct enquiry *member, void *of_member)
{
    struct dropoff *d = context;
    const struct dropoff *from = of_member;

    (void)member;
    d->n_open += from->n_open;
    for (int who = 0; who < 2; who++) {
        d->n[who] += from->n[who];
        for (int sign = 0; sign < SIGN_COUNT; sign++)
            d->signs[sign][who] += from->signs[sign][who];
    }
    for (size_t k = 0; k < n_tables(d); k++)
        value_table_add(&d->tables[k], &from->tables[k]);
}

/* ---- Judging ---- */

void
dropoff_judge(struct dropoff_row *row, const int64_t n[2])
{
    double a = (double)row->n[0] + 0.5, b = (double)(n[0] - row->n[0]) + 0.5;
    double c = (double)row->n[1] + 0.5, d = (double)(n[1] - row->n[1]) + 0.5;

    row->log_odds = log(a / b) - log(c / d);
    row->p = erfc(fabs(row->log_odds) / sqrt(1 / a + 1 / b + 1 / c + 1 / d) / sqrt(2.0));
}

static int
compare_rows(const void *x, const void *y)
{
    const struct dropoff_row *a = x;
    const struct dropoff_row *b = y;
    double size_a = fabs(a->log_odds), size_b = fabs(b->log_odds);

    if (a->p != b->p)
        return a->p < b->p ? -1 : 1;
    if (size_a != size_b)
        return size_a > size_b ? -1 : 1;
    if (!slice_equal(a->attribute, b->attribute))
        return slice_compare(a->attribute, b->attribute);
    return slice_compare(a->value, b->value);
}

void
dropoff_correct(struct dropoff_row *rows, size_t n)
{
    double least = 1;

    qsort(rows, n, sizeof *rows, compare_rows);
    for (size_t i = n; i-- > 0;) {
        double q = rows[i].p * (double)n / (double)(i + 1);

        least = q < least ? q : least;
        rows[i].q = least;
    }
}

/* Everybody, or too few, can have it: then there is nothing to test. */
static bool
is_testable(const int64_t has[2], const int64_t n[2])
{
    return has[0] + has[1] >= DROPOFF_MIN && has[0] + has[1] < n[0] + n[1];
}

/* A page where most go on of those who come by is a name of the next stage, and no reason. */
static bool
is_where_they_go_on(const struct value_row *row)
{
    return row->score > 0 && 2 * row->score >= (double)row->n[STAYERS];
}

static size_t
find_rows(const struct dropoff *d, const struct enquiry *e, struct dropoff_row *rows)
{
    size_t n = 0;

    for (size_t k = 0; k < n_tables(d); k++) {
        for (size_t i = 0; i < d->tables[k].n; i++) {
            const struct value_row *row = &d->tables[k].rows[i];

            if (is_testable(row->n, d->n) && !is_where_they_go_on(row))
                rows[n++] = (struct dropoff_row){.attribute = d->attributes[k].attribute.name,
                                                 .at = k < d->n_asked ? &d->attributes[k] : NULL,
                                                 .value = enquiry_text(e, k, row->key.values[0]),
                                                 .n = {row->n[0], row->n[1]}};
        }
    }
    for (int s = 0; s < SIGN_COUNT; s++)
        if (is_testable(d->signs[s], d->n))
            rows[n++] =
                (struct dropoff_row){.attribute = SLICE("sign"),
                                     .value = slice_from(dropoff__sign_name((enum dropoff_sign)s)),
                                     .n = {d->signs[s][0], d->signs[s][1]}};
    for (size_t i = 0; i < n; i++)
        dropoff_judge(&rows[i], d->n);
    return n;
}

static void
fill_answer(const struct dropoff *d, const struct enquiry *e, struct arena *a,
            struct dropoff_answer *out)
{
    size_t limit = (size_t)d->q->request->limit, n_max = SIGN_COUNT;
    struct dropoff_row *rows;

    for (size_t k = 0; k < n_tables(d); k++)
        n_max += d->tables[k].n;
    rows = mem_alloc(n_max * sizeof *rows);
    out->n[0] = d->n[0];
    out->n[1] = d->n[1];
    out->n_open = d->n_open;
    out->n_tested = find_rows(d, e, rows);
    dropoff_correct(rows, out->n_tested);
    while (out->n_all < out->n_tested && rows[out->n_all].q <= DROPOFF_RATE)
        out->n_all++;
    out->n_rows = out->n_all < limit ? out->n_all : limit;
    out->rows = ARENA_ARRAY(a, struct dropoff_row, out->n_rows + 1);
    for (size_t i = 0; i < out->n_rows; i++) {
        out->rows[i] = rows[i];
        out->rows[i].value = arena_copy(a, rows[i].value);
        if (rows[i].at) {
            struct request_breakdown *at = ARENA_NEW(a, struct request_breakdown);

            *at = *rows[i].at;
            out->rows[i].at = at;
        }
    }
    out->about = e->about;
    free(rows);
}

enum err_code
query_dropoff(struct snapshot_pool *p, const struct query_dropoff *q, struct arena *a,
              struct dropoff_answer *out, struct err *err)
{
    struct dropoff_answer answer = {.n_left_out = 0};
    struct dropoff d = {.q = q};
    struct enquiry_walk walk = {.start = start,
                                .person = take_person,
                                .held_bytes = held_bytes,
                                .context = &d,
                                .fork = fork_dropoff,
                                .join = join,
                                .drop = drop};
    struct enquiry_setup setup = {.site = q->site,
                                  .funnel = q->funnel,
                                  .request = q->request,
                                  .attributes = d.attributes,
                                  .snapshot = q->snapshot,
                                  .guard = q->guard};
    struct enquiry *e = NULL;
    enum err_code rc;

    if (q->stage < 1 || q->stage >= q->funnel->n_stages)
        return err_set(err, ERR_INVALID, "stage", "must be the number of a stage but the last");
    find_attributes(&d, a, &answer);
    setup.n_attributes = d.n_asked + SESSION_ATTRIBUTES;
    rc = enquiry_open(p, &setup, a, &e, err);
    if (rc == ERR_OK)
        rc = enquiry_walk(e, &walk, err);
    if (rc == ERR_OK) {
        fill_answer(&d, e, a, &answer);
        *out = answer;
    }
    drop(&d);
    enquiry_close(&e);
    return rc;
}

/* ---- As JSON ---- */

static void
add_row(struct buffer *out, const struct dropoff_answer *answer, const struct dropoff_row *row)
{
    buffer_add_text(out, "{\"attribute\":");
    buffer_add_json(out, row->attribute);
    if (!row->at)
        buffer_add_text(out, ",\"at\":\"session\"");
    else if (row->at->at == AT_STAGE)
        buffer_printf(out, ",\"at\":%d", row->at->stage);
    else
        buffer_printf(out, ",\"at\":\"%s\"", request_at_name(row->at->at));
    buffer_add_text(out, ",\"value\":");
    buffer_add_json(out, row->value);
    buffer_printf(out,
                  ",\"leavers\":%lld,\"stayers\":%lld,\"share_leavers\":", (long long)row->n[0],
                  (long long)row->n[1]);
    report_add_rate(out, row->n[0], answer->n[0]);
    buffer_add_text(out, ",\"share_stayers\":");
    report_add_rate(out, row->n[1], answer->n[1]);
    buffer_printf(out, ",\"log_odds\":%.4f,\"p\":%.4g,\"q\":%.4g}", row->log_odds, row->p, row->q);
}

void
dropoff_add_members(struct buffer *out, const struct dropoff_answer *answer,
                    const struct query_dropoff *q)
{
    buffer_printf(out,
                  "\"stage\":%d,\"leavers\":%lld,\"stayers\":%lld,\"open\":%lld,\"tested\":%zu,"
                  "\"n\":%zu,\"left_out_attributes\":[",
                  q->stage, (long long)answer->n[0], (long long)answer->n[1],
                  (long long)answer->n_open, answer->n_tested, answer->n_all);
    for (size_t i = 0; i < answer->n_left_out; i++) {
        buffer_add_text(out, i > 0 ? "," : "");
        buffer_add_json(out, answer->left_out[i]);
    }
    buffer_add_text(out, "],\"rows\":[");
    for (size_t i = 0; i < answer->n_rows; i++) {
        buffer_add_text(out, i > 0 ? "," : "");
        add_row(out, answer, &answer->rows[i]);
    }
    buffer_add_char(out, ']');
    request_add_range(out, q->request, &q->request->range);
    report_add_about(out, &answer->about);
}
