/* What a share link shows of a report. A table of how many got how far: the total, and rows that
 * add up to it. A cell is hidden where 1 to SHARE_LEAST - 1 visitors make it, or the difference to
 * the stage before; and where it could be worked out from the cells that are shown, as the one
 * hidden cell of a column that adds up. */
#include <stdlib.h>

#include "core/slice.h"
#include "web/api/share.h"

#define STAGES_MAX 16
#define ROWS_MAX   1001 /* of a breakdown; and the total */

struct row {
    const json_t *json;
    bool is_other;
    int64_t n[STAGES_MAX]; /* who got so far */
    bool is_hidden[STAGES_MAX];
};

struct table {
    size_t n_stages;
    size_t n_rows;
    struct row total;
    struct row *rows;
};

static bool
is_small(int64_t n)
{
    return n > 0 && n < SHARE_LEAST;
}

static int64_t
throughput(const json_t *json, size_t stage)
{
    const json_t *s = json_array_get(json_object_get(json, "stages"), stage);

    return json_integer_value(json_object_get(s, "throughput"));
}

static void
read_row(const struct table *t, const json_t *json, struct row *out)
{
    *out = (struct row){.json = json, .is_other = json_is_true(json_object_get(json, "other"))};
    for (size_t k = 0; k < t->n_stages; k++)
        out->n[k] = throughput(json, k);
}

static void
add_row(const struct table *t, const struct row *from, struct row *into)
{
    for (size_t k = 0; k < t->n_stages; k++)
        into->n[k] += from->n[k];
}

/* Rows of few are in the row of others, with the smallest of the rest where these are few, too. */
static void
merge_small(struct table *t)
{
    struct row other = {.is_other = true};
    bool has_other = false;
    size_t n = 0;

    for (size_t i = 0; i < t->n_rows; i++) {
        if (t->rows[i].is_other || is_small(t->rows[i].n[0])) {
            add_row(t, &t->rows[i], &other);
            has_other = true;
        } else {
            t->rows[n++] = t->rows[i];
        }
    }
    while (has_other && is_small(other.n[0]) && n > 0) /* sorted: the last is the smallest */
        add_row(t, &t->rows[--n], &other);
    if (has_other)
        t->rows[n++] = other;
    t->n_rows = n;
}

static void
hide_small(const struct table *t, struct row *r)
{
    for (size_t k = 0; k < t->n_stages; k++)
        r->is_hidden[k] = is_small(r->n[k]) || (k > 0 && is_small(r->n[k - 1] - r->n[k]));
}

/* The one hidden cell of a column could be worked out: hide the smallest other one, too. */
static void
hide_second(struct table *t, size_t k)
{
    struct row *smallest = NULL;
    size_t n_hidden = t->total.is_hidden[k];

    for (size_t i = 0; i < t->n_rows; i++) {
        struct row *r = &t->rows[i];

        n_hidden += r->is_hidden[k];
        if (!r->is_hidden[k] && r->n[k] > 0 && (!smallest || r->n[k] < smallest->n[k]))
            smallest = r;
    }
    if (n_hidden != 1)
        return;
    if (smallest)
        smallest->is_hidden[k] = true;
    else
        t->total.is_hidden[k] = true;
}

static void
hide(struct table *t)
{
    hide_small(t, &t->total);
    for (size_t i = 0; i < t->n_rows; i++)
        hide_small(t, &t->rows[i]);
    for (size_t k = 0; k < t->n_stages && t->n_rows > 0; k++)
        hide_second(t, k);
}

/* ---- As JSON ---- */

static json_t *
count_json(const struct row *r, size_t k)
{
    return r->is_hidden[k] ? json_null() : json_integer(r->n[k]);
}

static json_t *
rate_json(const struct row *r, size_t k, size_t of)
{
    if (r->is_hidden[k] || r->is_hidden[of] || r->n[of] == 0)
        return json_null();
    return json_real((double)r->n[k] / (double)r->n[of]);
}

static json_t *
stages_json(const struct table *t, const struct row *r)
{
    json_t *list = json_array();

    for (size_t k = 0; k < t->n_stages; k++)
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:o}", "throughput", count_json(r, k),
                                        "rate_from_first", rate_json(r, k, 0), "rate_from_previous",
                                        k > 0 ? rate_json(r, k, k - 1) : json_null()));
    return list;
}

static json_t *
row_json(const struct table *t, const struct row *r)
{
    json_t *row = json_pack("{s:o, s:o, s:o, s:o}", "entered", count_json(r, 0), "converted",
                            count_json(r, t->n_stages - 1), "conversion_rate",
                            rate_json(r, t->n_stages - 1, 0), "stages", stages_json(t, r));

    if (r->is_other)
        json_object_set_new(row, "other", json_true());
    else if (r->json && json_object_get(r->json, "values"))
        json_object_set(row, "values", json_object_get(r->json, "values"));
    return row;
}

/* Names of the stages, and of the total what they are worth: of visits of enough people. */
static void
add_total(const struct table *t, json_t *shown)
{
    for (size_t k = 0; k < t->n_stages; k++) {
        const json_t *stage = json_array_get(json_object_get(t->total.json, "stages"), k);
        json_t *out = json_array_get(json_object_get(shown, "stages"), k);
        bool is_few = json_integer_value(json_object_get(stage, "reached")) < SHARE_LEAST;

        json_object_set(out, "name", json_object_get(stage, "name"));
        json_object_set(out, "kind", json_object_get(stage, "kind"));
        json_object_set_new(out, "value",
                            is_few || t->total.is_hidden[k]
                                ? json_null()
                                : json_deep_copy(json_object_get(stage, "value")));
    }
}

json_t *
share_report(const json_t *report)
{
    static const char *const kept[] = {"from", "to", "timezone", "as_of"};
    const json_t *breakdown = json_object_get(report, "breakdown");
    struct table t = {.n_stages = json_array_size(json_object_get(report, "stages")),
                      .n_rows = json_array_size(breakdown)};
    json_t *shown;

    if (t.n_rows > ROWS_MAX || t.n_stages == 0 || t.n_stages > STAGES_MAX)
        return json_null();
    t.rows = mem_zalloc((t.n_rows + 1) * sizeof *t.rows);
    read_row(&t, report, &t.total);
    for (size_t i = 0; i < t.n_rows; i++)
        read_row(&t, json_array_get(breakdown, i), &t.rows[i]);
    merge_small(&t);
    hide(&t);
    shown = row_json(&t, &t.total);
    add_total(&t, shown);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        json_object_set(shown, kept[i], json_object_get(report, kept[i]));
    if (json_is_array(breakdown)) {
        json_t *rows = json_array();

        for (size_t i = 0; i < t.n_rows; i++)
            json_array_append_new(rows, row_json(&t, &t.rows[i]));
        json_object_set_new(shown, "breakdown", rows);
    }
    free(t.rows);
    return shown;
}
