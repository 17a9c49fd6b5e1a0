/* A reconciliation as JSON (docs/health.md). */
#include "aggregator/query_reconcile.h"

#include <stdlib.h>

static void
add_sums(struct buffer *out, const char *name, const struct count_sums *s,
         const struct tally *currencies)
{
    buffer_printf(out, "\"%s\":{\"orders\":%lld,\"value\":", name, (long long)s->orders);
    tally_add_sums_json(currencies, s->values, s->n_values, out);
    buffer_add_char(out, '}');
}

/* Not the sum of the parts, though it is the same: who checks one by the other can. */
static void
add_difference(struct buffer *out, const struct reconcile_answer *a)
{
    const struct count_sums *more = &a->received, *less = &a->counted;
    int n = more->n_values > less->n_values ? more->n_values : less->n_values;
    struct tally_sum *values = mem_zalloc(((size_t)n + 1) * sizeof *values);
    struct count_sums difference = {
        .orders = more->orders - less->orders, .n_values = n, .values = values};

    for (int i = 0; i < n; i++) {
        if (i < more->n_values)
            values[i] = more->values[i];
        if (i < less->n_values) {
            values[i].units -= less->values[i].units;
            values[i].n += less->values[i].n;
        }
    }
    add_sums(out, "difference", &difference, a->enquiry->currencies);
    free(values);
}

static void
add_parts(struct buffer *out, const struct reconcile_answer *a)
{
    buffer_add_text(out, ",\"parts\":[");
    for (int i = 0; i < RECONCILE_PARTS; i++) {
        buffer_printf(out, "%s{\"part\":\"%s\",\"orders\":%lld,\"value\":", i > 0 ? "," : "",
                      reconcile_part_name((enum reconcile_part)i), (long long)a->parts[i].orders);
        tally_add_sums_json(a->enquiry->currencies, a->parts[i].values, a->parts[i].n_values, out);
        buffer_add_char(out, '}');
    }
    buffer_add_char(out, ']');
}

static void
add_order(struct buffer *out, const struct reconcile_order *o, bool with_visitors)
{
    buffer_add_text(out, "{\"order\":");
    if (with_visitors)
        buffer_add_json(out, o->order);
    else
        buffer_add_text(out, "null");
    buffer_printf(out, ",\"events\":%lld,\"counted\":%lld,\"n_visitors\":%lld,\"visitors\":",
                  (long long)o->n_events, (long long)o->n_counted, (long long)o->n_visitors);
    if (!with_visitors) {
        buffer_add_text(out, "null}");
        return;
    }
    for (int64_t i = 0; i < o->n_visitors && i < RECONCILE_VISITORS_MAX; i++) {
        buffer_add_text(out, i > 0 ? "," : "[");
        buffer_add_json(out, o->visitors[i]);
    }
    buffer_add_text(out, "]}");
}

void
reconcile_add_members(struct buffer *out, const struct reconcile_answer *a,
                      const struct query_reconcile *q, bool with_visitors)
{
    buffer_printf(out, "\"stage\":%d,", q->funnel->n_stages);
    add_sums(out, "received", &a->received, a->enquiry->currencies);
    buffer_add_char(out, ',');
    add_sums(out, "counted", &a->counted, a->enquiry->currencies);
    buffer_add_char(out, ',');
    add_difference(out, a);
    add_parts(out, a);
    buffer_printf(out, ",\"refunds\":%lld,\"shared_orders\":{\"n\":%lld,\"counted_twice\":%lld,",
                  (long long)a->n_refunds, (long long)a->n_shared, (long long)a->n_shared_counted);
    buffer_add_text(out, "\"orders\":[");
    for (size_t i = 0; i < a->n_orders; i++) {
        buffer_add_text(out, i > 0 ? "," : "");
        add_order(out, &a->orders[i], with_visitors);
    }
    buffer_add_text(out, "]}");
    request_add_range(out, q->request, &q->request->range);
    report_add_about(out, &a->enquiry->about);
}
