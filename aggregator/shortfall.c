/* See shortfall.h. */
#include "aggregator/shortfall.h"

#include <stdlib.h>

#include "aggregator/funnel/rule.h"
#include "aggregator/segment/merge.h"

#define ATTRIBUTES_MAX (SHORTFALL_WARNINGS_MAX - 1) /* further ones are not looked at */

struct asked {
    struct attribute list[ATTRIBUTES_MAX];
    size_t n;
};

static void
add(struct asked *asked, const struct attribute *a)
{
    bool is_there = a->source != SOURCE_TEXT && a->source != SOURCE_PROPERTY &&
                    !(a->source == SOURCE_DERIVED && a->code == DERIVED_LANDING);

    for (size_t i = 0; i < asked->n && !is_there; i++)
        is_there = slice_equal(asked->list[i].name, a->name);
    if (!is_there && asked->n < ATTRIBUTES_MAX)
        asked->list[asked->n++] = *a;
}

static bool
add_test(const struct rule_test *t, void *context)
{
    add(context, &t->attribute);
    return true;
}

static void
find_asked(const struct shortfall_question *q, struct asked *asked)
{
    const struct funnel *f = q->funnel;
    const struct request *r = q->request;

    for (int i = 0; i < f->n_stages; i++)
        rule_each_test(f->stages[i].rule, add_test, asked);
    for (int i = 0; i < f->n_exclusions; i++)
        rule_each_test(f->exclusions[i].rule, add_test, asked);
    for (size_t i = 0; i < r->n_filters; i++)
        rule_each_test(r->filters[i].rule, add_test, asked);
    for (size_t i = 0; i < r->n_breakdowns; i++)
        add(asked, &r->breakdowns[i].attribute);
    for (size_t i = 0; i < q->n_attributes; i++)
        add(asked, &q->attributes[i].attribute);
}

static int
compare_months(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

    return a < b ? -1 : a > b;
}

/* "2026-05, 2026-06"; "" where it was folded nowhere. */
static struct slice
folded_months(const struct snapshot *snapshot, uint32_t site, const struct attribute *attribute,
              struct arena *a)
{
    uint32_t *months = ARENA_ARRAY(a, uint32_t, snapshot->n + 1);
    struct slice text = SLICE_EMPTY;
    size_t n = 0;

    for (size_t i = 0; i < snapshot->n; i++) {
        const struct snapshot_segment *s = &snapshot->segments[i];
        bool is_folded = false;

        if (s->row->site == site &&
            segment_is_folded(s->segment, attribute, &is_folded, NULL) == ERR_OK && is_folded)
            months[n++] = s->row->month;
    }
    if (n > 0)
        qsort(months, n, sizeof *months, compare_months);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || months[i] != months[i - 1])
            text = arena_printf(a, "%.*s%s%04u-%02u", SLICE_ARG(text), text.n > 0 ? ", " : "",
                                months[i] / 100, months[i] % 100);
    return text;
}

static void
warn_of_folding(const struct snapshot *snapshot, const struct shortfall_question *q,
                struct arena *a, struct report_warning *list, size_t *n)
{
    struct asked asked = {.n = 0};

    find_asked(q, &asked);
    for (size_t i = 0; i < asked.n; i++) {
        struct slice months = folded_months(snapshot, q->site, &asked.list[i], a);

        if (months.n > 0)
            list[(*n)++] = (struct report_warning){
                .code = SLICE("values_folded"),
                .message = arena_printf(a,
                                        "%.*s has too many values in %.*s: the rare ones count as "
                                        "\"" SEGMENT_OTHER "\"",
                                        SLICE_ARG(asked.list[i].name), SLICE_ARG(months))};
    }
}

/* What is gone is gone: a range that begins before what is kept is not whole. */
static void
warn_of_retention(const struct snapshot *snapshot, const struct request *r, struct arena *a,
                  struct report_warning *list, size_t *n)
{
    int64_t from_ms = r->range.from_ms;
    char day[TIMESTAMP_TEXT_MAX];

    if (r->compare.is_given && r->compare.range.from_ms < from_ms)
        from_ms = r->compare.range.from_ms;
    if (!segment_erased_cuts(&snapshot->erased, from_ms))
        return;
    list[(*n)++] = (struct report_warning){
        .code = SLICE("retention"),
        .message = arena_printf(a, "events before %s are not kept: the site's retention is %s",
                                zone_format(r->zone, snapshot->erased.kept_from_ms, day),
                                snapshot->retention)};
}

void
shortfall_warn(const struct snapshot *snapshot, const struct shortfall_question *q, struct arena *a,
               struct report_warning *list, size_t *n)
{
    warn_of_retention(snapshot, q->request, a, list, n);
    warn_of_folding(snapshot, q, a, list, n);
}
