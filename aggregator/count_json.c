/* A count as JSON (docs/questions.md). */
#include "aggregator/query_count.h"

#include "core/timestamp.h"

void
count_add_sums(struct buffer *out, const struct count_sums *s, const struct tally *currencies)
{
    buffer_printf(
        out, "\"visitors\":%lld,\"sessions\":%lld,\"events\":%lld,\"orders\":%lld,\"value\":",
        (long long)s->visitors, (long long)s->sessions, (long long)s->events, (long long)s->orders);
    tally_add_sums_json(currencies, s->values, s->n_values, out);
    buffer_printf(out, ",\"engaged_ms\":%lld", (long long)s->engaged_ms);
}

static void
add_row(struct buffer *out, const struct count_result *c, const struct count_row *row,
        size_t n_values)
{
    buffer_add_text(out, row->is_other ? "{\"other\":true," : "{\"values\":[");
    for (size_t i = 0; i < n_values && !row->is_other; i++) {
        buffer_add_text(out, i > 0 ? "," : "");
        enquiry_add_text(out, row->values[i]);
    }
    buffer_add_text(out, row->is_other ? "" : "],");
    count_add_sums(out, &row->sums, c->enquiry->currencies);
    buffer_add_char(out, '}');
}

static void
add_rows(struct buffer *out, const struct count_result *c, size_t n_values)
{
    if (n_values == 0)
        return;
    buffer_add_text(out, ",\"breakdown\":[");
    for (size_t i = 0; i < c->n_rows; i++) {
        buffer_add_text(out, i > 0 ? "," : "");
        add_row(out, c, &c->rows[i], n_values);
    }
    buffer_add_char(out, ']');
}

static void
add_points(struct buffer *out, const struct count_result *c, const struct request *r)
{
    char start[TIMESTAMP_TEXT_MAX];

    if (r->trend == TREND_NONE)
        return;
    buffer_add_text(out, ",\"trend\":[");
    for (size_t i = 0; i < c->n_points; i++) {
        buffer_printf(out, "%s{\"start\":\"%s\",", i > 0 ? "," : "",
                      zone_format(r->zone, c->points[i].start_ms, start));
        count_add_sums(out, &c->points[i].sums, c->enquiry->currencies);
        buffer_add_char(out, '}');
    }
    buffer_add_char(out, ']');
}

static void
add_compare(struct buffer *out, const struct count_result *c, const struct request *r)
{
    char as_of[TIMESTAMP_TEXT_MAX];

    if (!c->enquiry)
        return;
    buffer_add_text(out, ",\"compare\":{");
    count_add_sums(out, &c->total, c->enquiry->currencies);
    add_rows(out, c, r->n_breakdowns);
    request_add_range(out, r, &c->range);
    buffer_printf(out, ",\"as_of\":\"%s\"}",
                  timestamp_format(c->enquiry->about.as_of_ms, true, as_of));
}

void
count_add_members(struct buffer *out, const struct count_answer *a, const struct request *r)
{
    const struct count_result *c = &a->main;

    count_add_sums(out, &c->total, c->enquiry->currencies);
    add_rows(out, c, r->n_breakdowns);
    add_points(out, c, r);
    add_compare(out, &a->compare, r);
    request_add_range(out, r, &c->range);
    report_add_about(out, &c->enquiry->about);
}
