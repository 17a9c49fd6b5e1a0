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

static void
add_stage(struct buffer *out, const struct report *r, int k)
{
    const struct report_stage *s = &r->total.stages[k];
    struct tally_times times = tally_time_from_previous(r->total.tally, k);
    struct slice name = r->funnel->stages[k].name;

    buffer_printf(out, "%-*.*s", NAME_WIDTH, (int)slice_utf8_cut(name, NAME_WIDTH - 1), name.p);
    add_count(out, s->throughput, 13);
    add_count(out, s->reached, 14);
    add_count(out, s->skipped, 10);
    if (k + 1 < r->funnel->n_stages)
        add_count(out, s->exits, 10);
    else
        buffer_printf(out, "%10s", "-");
    add_share(out, s->converted, s->reached, 12);
    if (times.n > 0) {
        add_span(out, times.p50_ms, 10);
        add_span(out, times.p90_ms, 12);
    }
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
    add_count(out, r->total.entered, 0);
    buffer_add_text(out, " visitors entered, ");
    add_count(out, r->total.converted, 0);
    buffer_add_text(out, " converted (");
    add_share(out, r->total.converted, r->total.entered, 0);
    buffer_add_text(out, ")\n\n");
    buffer_printf(out, "%-*s%13s%14s%10s%10s%12s%10s%12s\n", NAME_WIDTH, "stage", "got this far",
                  "came through", "skipped", "left", "of these", "median", "nine in ten");
    buffer_printf(out, "%-*s%13s%14s%10s%10s%12s%22s\n", NAME_WIDTH, "", "", "", "", "",
                  "converted", "from stage before");
    for (int k = 0; k < f->n_stages; k++)
        add_stage(out, r, k);
    if (r->about.left_out_bots > 0) {
        buffer_add_text(out, "\nleft out: ");
        add_count(out, r->about.left_out_bots, 0);
        buffer_add_text(out, " events of bots (--bots include counts them)\n");
    }
}
