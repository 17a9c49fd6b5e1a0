#include "cmd/table.h"

#include <stdio.h>

#define NAME_WIDTH 24

/* 1234567 as "1,234,567", right-aligned. */
static void
add_count(struct buffer *out, int64_t v, int width)
{
    char digits[32];
    char text[48];
    int n = snprintf(digits, sizeof digits, "%lld", (long long)v);
    int k = 0;

    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0 && digits[i - 1] != '-')
            text[k++] = ',';
        text[k++] = digits[i];
    }
    text[k] = '\0';
    buffer_printf(out, "%*s", width, text);
}

static void
add_share(struct buffer *out, int64_t a, int64_t b, int width)
{
    char text[32] = "-";

    if (b != 0)
        snprintf(text, sizeof text, "%.2f%%", 100.0 * (double)a / (double)b);
    buffer_printf(out, "%*s", width, text);
}

/* The two largest parts: 93784000 as "1d 2h", 61000 as "1m 1s", 900 as "900ms". */
static void
add_span(struct buffer *out, int64_t ms, int width)
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    char text[48];
    size_t i = 0;

    while (i < 4 && ms < units[i].ms)
        i++;
    if (i >= 3)
        snprintf(text, sizeof text, "%lld%s", (long long)(ms / units[i].ms), units[i].name);
    else
        snprintf(text, sizeof text, "%lld%s %lld%s", (long long)(ms / units[i].ms), units[i].name,
                 (long long)(ms % units[i].ms / units[i + 1].ms), units[i + 1].name);
    buffer_printf(out, "%*s", width, text);
}

/* Cut to fit, and filled up, by characters. */
static void
add_name(struct buffer *out, struct slice name, int width)
{
    int n = 0;

    while (name.n > 0 && n < width - 1) {
        size_t bytes = slice_utf8_length(name);

        bytes = bytes > 0 ? bytes : 1;
        buffer_add(out, name.p, bytes);
        name = slice_sub(name, bytes, name.n);
        n++;
    }
    buffer_printf(out, "%*s", width - n, "");
}

static void
add_stage(struct buffer *out, const struct report *r, int k)
{
    const struct report_stage *s = &r->total.stages[k];
    struct tally_times times = tally_time_from_previous(r->total.tally, k);
    struct slice name = r->funnel->stages[k].name;

    add_name(out, name, NAME_WIDTH);
    add_count(out, s->throughput, 13);
    add_count(out, s->reached, 14);
    add_count(out, s->skipped, 10);
    if (k + 1 < r->funnel->n_stages) {
        add_count(out, s->exits, 10);
        add_count(out, s->open, 12);
    } else {
        buffer_printf(out, "%10s%12s", "-", "-");
    }
    add_share(out, s->converted, s->reached, 12);
    if (times.n > 0 && !r->parts.is_counts_only) {
        add_span(out, times.p50_ms, 10);
        add_span(out, times.p90_ms, 12);
    }
    buffer_add_char(out, '\n');
}

static void
add_stages(struct buffer *out, const struct report *r)
{
    buffer_printf(out, "%-*s%13s%14s%10s%10s%12s%12s%10s%12s\n", NAME_WIDTH, "stage",
                  "got this far", "came through", "skipped", "left", "of these", "of these",
                  "median", "nine in ten");
    buffer_printf(out, "%-*s%13s%14s%10s%10s%12s%12s%22s\n", NAME_WIDTH, "", "", "", "", "",
                  "under way", "converted", "from stage before");
    for (int k = 0; k < r->funnel->n_stages; k++)
        add_stage(out, r, k);
}

/* ---- Rows of entered, converted and the rate ---- */

static void
add_figures(struct buffer *out, const struct tally *t)
{
    struct report_figures figures;

    report_figures(&figures, t);
    add_count(out, figures.entered, 13);
    add_count(out, figures.converted, 14);
    add_share(out, figures.converted, figures.entered, 10);
}

static void
add_heading(struct buffer *out, const char *name, int width, bool is_compared)
{
    buffer_printf(out, "\n%-*s%13s%14s%10s", width, name, "entered", "converted", "rate");
    if (is_compared)
        buffer_printf(out, "%13s%14s%10s", "then entered", "converted", "rate");
    buffer_add_char(out, '\n');
}

static const struct report_row *
find_row(const struct report_rows *rows, const struct report_row *like)
{
    for (size_t i = 0; i < rows->n; i++) {
        const struct report_row *row = &rows->list[i];

        if (row->is_other == like->is_other && slice_equal(row->values[0], like->values[0]) &&
            slice_equal(row->values[1], like->values[1]))
            return row;
    }
    return NULL;
}

static void
add_row_name(struct buffer *out, const struct report_row *row, int n_values)
{
    for (int i = 0; i < n_values; i++) {
        struct slice name = row->values[i];

        if (row->is_other)
            name = i == 0 ? SLICE("(all others)") : SLICE_EMPTY;
        else if (name.n == 0)
            name = SLICE("(none)");
        add_name(out, name, NAME_WIDTH);
    }
}

static void
add_breakdown(struct buffer *out, const struct report *r)
{
    const struct report_rows *rows = &r->parts.breakdown;
    const struct report_compare *compare = r->parts.compare;

    if (rows->n_values == 0)
        return;
    add_heading(out, "value", rows->n_values * NAME_WIDTH, compare != NULL);
    for (size_t i = 0; i < rows->n; i++) {
        const struct report_row *then =
            compare != NULL ? find_row(&compare->breakdown, &rows->list[i]) : NULL;

        add_row_name(out, &rows->list[i], rows->n_values);
        add_figures(out, rows->list[i].tally);
        if (then != NULL)
            add_figures(out, then->tally);
        buffer_add_char(out, '\n');
    }
}

static void
add_trend(struct buffer *out, const struct report *r)
{
    char start[TIMESTAMP_TEXT_MAX];

    if (!r->parts.has_trend)
        return;
    add_heading(out, "from", NAME_WIDTH + 3, false);
    for (size_t i = 0; i < r->parts.n_points; i++) {
        zone_format(r->parts.zone, r->parts.points[i].start_ms, start);
        buffer_printf(out, "%-*s", NAME_WIDTH + 3, start);
        add_figures(out, r->parts.points[i].tally);
        buffer_add_char(out, '\n');
    }
}

static void
add_entered(struct buffer *out, const struct report *r, const struct report_figures *figures)
{
    add_count(out, figures->entered, 0);
    buffer_printf(out, " %s entered, ", funnel_count_name(r->funnel->count));
    add_count(out, figures->converted, 0);
    buffer_add_text(out, " converted (");
    add_share(out, figures->converted, figures->entered, 0);
    buffer_add_text(out, ")");
}

static void
add_compare(struct buffer *out, const struct report *r)
{
    const struct report_compare *c = r->parts.compare;
    char from[TIMESTAMP_TEXT_MAX], to[TIMESTAMP_TEXT_MAX];
    struct report_figures figures;

    if (c == NULL)
        return;
    report_figures(&figures, c->tally);
    buffer_printf(out, "%s to %s: ", zone_format(r->parts.zone, c->range.from_ms, from),
                  zone_format(r->parts.zone, c->range.to_ms, to));
    add_entered(out, r, &figures);
    buffer_add_char(out, '\n');
}

void
table_add_report(struct buffer *out, const struct report *r)
{
    const struct funnel *f = r->funnel;

    if (f->name.n != 0)
        buffer_printf(out, "%.*s: ", SLICE_ARG(f->name));
    buffer_printf(out, "%s funnel, %.*s to convert\n", funnel_preset_name(r->preset),
                  SLICE_ARG(f->window));
    add_entered(out, r, &r->total);
    buffer_add_char(out, '\n');
    add_compare(out, r);
    buffer_add_char(out, '\n');
    add_stages(out, r);
    add_breakdown(out, r);
    add_trend(out, r);
    if (r->about.left_out_bots > 0) {
        buffer_add_text(out, "\nleft out: ");
        add_count(out, r->about.left_out_bots, 0);
        buffer_add_text(out, " events of bots (--bots include counts them)\n");
    }
}

void
table_add_list(struct buffer *out, const struct report_list *list, const struct funnel *f)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct report_path *unit = &list->units[i];
        char text[TIMESTAMP_TEXT_MAX] = "-";

        if (f->count == COUNT_SESSIONS)
            timestamp_format(unit->session_ms, true, text);
        else if (unit->n > 0)
            timestamp_format(unit->visits[0].time_ms, true, text);
        buffer_printf(out, "%.*s  %s ", SLICE_ARG(unit->visitor), text);
        for (uint32_t v = 0; v < unit->n; v++)
            buffer_printf(out, " %s%.*s", v > 0 ? "> " : "",
                          SLICE_ARG(f->stages[unit->visits[v].stage].name));
        buffer_add_char(out, '\n');
    }
}
