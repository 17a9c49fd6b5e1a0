/* From tally to report, and the report's JSON, member for member in the order of funnel.md 5. */
#include "aggregator/funnel/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/timestamp.h"

/* ---- Figures ---- */

void
report_figures(struct report_figures *out, const struct tally *t)
{
    int n_stages = tally_n_stages(t);
    int64_t deeper = 0; /* paths that end below the stage at hand */

    *out = (struct report_figures){.tally = t,
                                   .entered = tally_entered(t),
                                   .began_before = tally_began_before(t),
                                   .after_range = tally_after_range(t)};
    for (int k = n_stages - 1; k >= 0; k--) {
        const struct tally_stage *s = tally_stage(t, k);
        int64_t onward = s->reached - s->exits;

        out->stages[k] = (struct report_stage){.reached = s->reached,
                                               .skipped = deeper - onward,
                                               .throughput = deeper + s->exits,
                                               .entries = s->entries,
                                               .exits = s->exits,
                                               .open = s->open,
                                               .onward = onward,
                                               .converted = s->converted,
                                               .seen = s->seen};
        deeper += s->exits;
    }
    out->converted = out->stages[n_stages - 1].throughput;
}

void
report_fill(struct report *r, const struct funnel *f, enum funnel_preset preset,
            const struct tally *t, const struct report_about *about)
{
    *r = (struct report){.funnel = f,
                         .preset = preset,
                         .required = funnel_required_stages(f, preset),
                         .about = *about};
    report_figures(&r->total, t);
}

/* ---- JSON ---- */

static void
add_integer(struct buffer *out, const char *key, int64_t v)
{
    buffer_printf(out, ",\"%s\":%lld", key, (long long)v);
}

/* The shortest of 15 to 17 digits that reads back as v. */
static void
add_real(struct buffer *out, double v)
{
    char text[40];

    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    buffer_add_text(out, text);
    if (strpbrk(text, ".e") == NULL)
        buffer_add_text(out, ".0");
}

void
report_add_rate(struct buffer *out, int64_t a, int64_t b)
{
    if (b == 0)
        buffer_add_text(out, "null");
    else
        add_real(out, (double)a / (double)b);
}

static void
add_rate(struct buffer *out, const char *key, int64_t a, int64_t b)
{
    buffer_printf(out, ",\"%s\":", key);
    report_add_rate(out, a, b);
}

static void
add_times(struct buffer *out, const char *key, struct tally_times t)
{
    buffer_printf(out, ",\"%s\":", key);
    if (t.n == 0) {
        buffer_add_text(out, "null");
        return;
    }
    buffer_printf(out, "{\"p50\":%lld,\"p90\":%lld,\"mean\":%lld%s}", (long long)t.p50_ms,
                  (long long)t.p90_ms, (long long)t.mean_ms,
                  t.is_approximate ? ",\"approximate\":true" : "");
}

static const char *
comma(size_t i)
{
    return i > 0 ? "," : "";
}

/* What a stage's object holds. */
enum detail {
    COUNTS,       /* of a point of a trend: counts only */
    WITHOUT_SEEN, /* of a row of a breakdown: of a unit without a path nobody knows the row */
    EVERYTHING
};

struct stage {
    const struct report *report;
    const struct report_figures *figures;
    int k; /* from 0 */
    bool is_last;
    enum detail detail;
};

static void
add_counts(struct buffer *out, const struct stage *stage)
{
    const struct report_stage *s = &stage->figures->stages[stage->k];
    bool has_rates = stage->detail != COUNTS;

    buffer_printf(out, "\"reached\":%lld", (long long)s->reached);
    add_integer(out, "skipped", s->skipped);
    add_integer(out, "throughput", s->throughput);
    add_integer(out, "entries", s->entries);
    add_integer(out, "exits", s->exits);
    if (stage->is_last) {
        buffer_add_text(out, ",\"dropoff\":null,\"open\":null");
    } else {
        add_integer(out, "dropoff", s->exits);
        add_integer(out, "open", s->open);
    }
    add_integer(out, "onward", s->onward);
    if (has_rates)
        add_rate(out, "rate_onward", s->onward, s->reached);
    add_integer(out, "converted", s->converted);
    if (has_rates) {
        add_rate(out, "rate_converted", s->converted, s->reached);
        add_rate(out, "rate_from_first", s->throughput, stage->figures->stages[0].throughput);
        add_rate(out, "rate_from_previous", s->throughput,
                 stage->k > 0 ? stage->figures->stages[stage->k - 1].throughput : 0);
    }
    if (stage->detail != WITHOUT_SEEN)
        add_integer(out, "seen", s->seen);
}

static void
add_stage(struct buffer *out, const struct stage *stage)
{
    const struct tally *t = stage->figures->tally;
    const struct funnel_stage *defined = &stage->report->funnel->stages[stage->k];
    bool is_counts_only = stage->report->parts.is_counts_only;

    buffer_add_char(out, '{');
    if (stage->detail != COUNTS) {
        buffer_add_text(out, "\"name\":");
        buffer_add_json(out, defined->name);
        buffer_printf(out, ",\"kind\":\"%s\",\"required\":%s,", funnel_kind_name(defined->kind),
                      (stage->report->required >> stage->k & 1) != 0 ? "true" : "false");
    }
    add_counts(out, stage);
    if (stage->detail == EVERYTHING && !is_counts_only) {
        buffer_add_text(out, ",\"seen_value\":");
        tally_add_seen_value_json(t, stage->k, out);
    }
    if (stage->detail != COUNTS && !is_counts_only) {
        buffer_add_text(out, ",\"value\":");
        tally_add_value_json(t, stage->k, out);
        add_times(out, "time_from_previous_ms", tally_time_from_previous(t, stage->k));
        add_times(out, "time_from_start_ms", tally_time_from_start(t, stage->k));
    }
    buffer_add_char(out, '}');
}

static void
add_stages(struct buffer *out, const struct report *r, const struct report_figures *figures,
           enum detail detail)
{
    int n = r->funnel->n_stages;

    buffer_add_text(out, ",\"stages\":[");
    for (int k = 0; k < n; k++) {
        buffer_add_text(out, comma((size_t)k));
        add_stage(out, &(struct stage){r, figures, k, k == n - 1, detail});
    }
    buffer_add_char(out, ']');
}

static void
add_moves(struct buffer *out, const struct tally *t)
{
    int n = tally_n_stages(t);
    size_t listed = 0;

    buffer_add_text(out, ",\"moves\":[");
    for (int i = 0; i <= n; i++) {
        for (int j = i + 1; j <= n; j++) {
            int64_t paths = tally_moves(t, i, j);

            if (paths != 0)
                buffer_printf(out, "%s[%d,%d,%lld]", comma(listed++), i, j, (long long)paths);
        }
    }
    buffer_add_char(out, ']');
}

/* ---- Breakdown, trend, compare ---- */

static void
add_row(struct buffer *out, const struct report *r, const struct report_row *row, int n_values)
{
    struct report_figures figures;

    report_figures(&figures, row->tally);
    buffer_add_text(out, row->is_other ? "{\"other\":true" : "{\"values\":[");
    for (int i = 0; i < n_values && !row->is_other; i++) {
        buffer_add_text(out, comma((size_t)i));
        if (row->values[i].n == 0)
            buffer_add_text(out, "null");
        else
            buffer_add_json(out, row->values[i]);
    }
    buffer_add_text(out, row->is_other ? "" : "]");
    add_integer(out, "entered", figures.entered);
    add_integer(out, "converted", figures.converted);
    add_stages(out, r, &figures, WITHOUT_SEEN);
    buffer_add_char(out, '}');
}

static void
add_breakdown(struct buffer *out, const struct report *r, const struct report_rows *rows)
{
    if (rows->n_values == 0)
        return;
    buffer_add_text(out, ",\"breakdown\":[");
    for (size_t i = 0; i < rows->n; i++) {
        buffer_add_text(out, comma(i));
        add_row(out, r, &rows->list[i], rows->n_values);
    }
    buffer_add_char(out, ']');
}

static void
add_trend(struct buffer *out, const struct report *r)
{
    char start[TIMESTAMP_TEXT_MAX];

    if (!r->parts.has_trend)
        return;
    buffer_add_text(out, ",\"trend\":[");
    for (size_t i = 0; i < r->parts.n_points; i++) {
        const struct report_point *point = &r->parts.points[i];
        struct report_figures figures;

        report_figures(&figures, point->tally);
        buffer_printf(out, "%s{\"start\":\"%s\"", comma(i),
                      zone_format(r->parts.zone, point->start_ms, start));
        add_integer(out, "entered", figures.entered);
        add_integer(out, "converted", figures.converted);
        add_stages(out, r, &figures, COUNTS);
        buffer_add_char(out, '}');
    }
    buffer_add_char(out, ']');
}

/* From `entered` to the breakdown: what a report and the one that it is compared with both have. */
static void
add_range(struct buffer *out, const struct report *r, const struct report_figures *figures,
          const struct report_rows *rows)
{
    buffer_printf(out, "\"entered\":%lld", (long long)figures->entered);
    add_integer(out, "converted", figures->converted);
    add_rate(out, "conversion_rate", figures->converted, figures->entered);
    add_integer(out, "began_before", figures->began_before);
    add_integer(out, "after_range", figures->after_range);
    add_stages(out, r, figures, EVERYTHING);
    add_moves(out, figures->tally);
    add_breakdown(out, r, rows);
}

static void
add_compare(struct buffer *out, const struct report *r)
{
    const struct report_compare *c = r->parts.compare;
    char from[TIMESTAMP_TEXT_MAX], to[TIMESTAMP_TEXT_MAX], as_of[TIMESTAMP_TEXT_MAX];
    struct report_figures figures;

    if (c == NULL)
        return;
    report_figures(&figures, c->tally);
    buffer_add_text(out, ",\"compare\":{");
    add_range(out, r, &figures, &c->breakdown);
    buffer_printf(out, ",\"from\":\"%s\",\"to\":\"%s\",\"as_of\":\"%s\"}",
                  zone_format(r->parts.zone, c->range.from_ms, from),
                  zone_format(r->parts.zone, c->range.to_ms, to),
                  timestamp_format(c->as_of_ms, true, as_of));
}

/* ---- About it ---- */

void
report_add_about(struct buffer *out, const struct report_about *about)
{
    char as_of[TIMESTAMP_TEXT_MAX];

    buffer_printf(out, ",\"left_out\":{\"bots\":%lld},\"warnings\":[",
                  (long long)about->left_out_bots);
    for (size_t i = 0; i < about->n_warnings; i++) {
        buffer_add_text(out, i > 0 ? ",{\"code\":" : "{\"code\":");
        buffer_add_json(out, about->warnings[i].code);
        buffer_add_text(out, ",\"message\":");
        buffer_add_json(out, about->warnings[i].message);
        if (about->warnings[i].whole != 0) {
            buffer_add_text(out, ",\"share\":");
            report_add_rate(out, about->warnings[i].part, about->warnings[i].whole);
        }
        buffer_add_char(out, '}');
    }
    buffer_printf(out, "],\"as_of\":\"%s\"", timestamp_format(about->as_of_ms, true, as_of));
    buffer_add_text(out, ",\"snapshot\":");
    buffer_add_json(out, about->snapshot);
    add_integer(out, "events_read", about->events_read);
    buffer_printf(out, ",\"elapsed_ms\":%lld.%lld", (long long)(about->elapsed_us / 1000),
                  (long long)(about->elapsed_us / 100 % 10));
}

static void
add_visits(struct buffer *out, const struct report_path *path)
{
    buffer_add_char(out, '[');
    for (uint32_t v = 0; v < path->n; v++)
        buffer_printf(out, "%s[%u,%lld]", comma(v), path->visits[v].stage + 1,
                      (long long)path->visits[v].time_ms);
    buffer_add_char(out, ']');
}

/* By visitor: the path, or where sessions are counted the list of paths. */
static void
add_paths(struct buffer *out, const struct report *r)
{
    bool is_listed = r->funnel->count == COUNT_SESSIONS;
    const struct report_path *paths = r->about.paths;

    buffer_add_text(out, ",\"paths\":{");
    for (size_t i = 0; i < r->about.n_paths; i++) {
        if (i > 0 && slice_equal(paths[i - 1].visitor, paths[i].visitor)) {
            buffer_add_char(out, ',');
        } else {
            buffer_add_text(out, i > 0 && is_listed ? "]" : "");
            buffer_add_text(out, comma(i));
            buffer_add_json(out, paths[i].visitor);
            buffer_add_text(out, is_listed ? ":[" : ":");
        }
        add_visits(out, &paths[i]);
    }
    buffer_add_text(out, is_listed && r->about.n_paths > 0 ? "]}" : "}");
}

void
report_add_members(struct buffer *out, const struct report *r)
{
    add_range(out, r, &r->total, &r->parts.breakdown);
    add_trend(out, r);
    add_compare(out, r);
    report_add_about(out, &r->about);
    if (r->about.has_paths)
        add_paths(out, r);
}

void
report_add_json(struct buffer *out, const struct report *r)
{
    buffer_add_char(out, '{');
    report_add_members(out, r);
    buffer_add_char(out, '}');
}

void
report_add_list(struct buffer *out, const struct report_list *list, const struct funnel *f)
{
    buffer_printf(out, "\"figure\":\"%s\",\"stage\":", figure_name(list->place.figure));
    if (list->place.stage == 0)
        buffer_add_text(out, "null");
    else
        buffer_printf(out, "%d", list->place.stage);
    add_integer(out, "n", list->n_all);
    buffer_add_text(out, ",\"visitors\":[");
    for (size_t i = 0; i < list->n; i++) {
        char start[TIMESTAMP_TEXT_MAX];

        buffer_printf(out, "%s{\"visitor\":", comma(i));
        buffer_add_json(out, list->units[i].visitor);
        if (f->count == COUNT_SESSIONS)
            buffer_printf(out, ",\"session\":\"%s\"",
                          timestamp_format(list->units[i].session_ms, true, start));
        buffer_add_text(out, ",\"path\":");
        add_visits(out, &list->units[i]);
        buffer_add_char(out, '}');
    }
    buffer_add_char(out, ']');
}
