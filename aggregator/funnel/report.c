/* From tally to report, and the report's JSON, member for member in the order of funnel.md 5. */
#include "aggregator/funnel/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/timestamp.h"

/* ---- Figures ---- */

void
report_fill(struct report *r, const struct funnel *f, enum funnel_preset preset,
            const struct tally *t, const struct report_about *about)
{
    int64_t deeper = 0; /* paths that end below the stage at hand */

    *r = (struct report){.funnel = f,
                         .tally = t,
                         .preset = preset,
                         .required = funnel_required_stages(f, preset),
                         .entered = tally_entered(t),
                         .about = *about};
    for (int k = f->n_stages - 1; k >= 0; k--) {
        const struct tally_stage *s = tally_stage(t, k);
        int64_t onward = s->reached - s->exits;

        r->stages[k] = (struct report_stage){.reached = s->reached,
                                             .skipped = deeper - onward,
                                             .throughput = deeper + s->exits,
                                             .entries = s->entries,
                                             .exits = s->exits,
                                             .onward = onward,
                                             .converted = s->converted,
                                             .seen = s->seen};
        deeper += s->exits;
    }
    r->converted = r->stages[f->n_stages - 1].throughput;
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

static void
add_stage_counts(struct buffer *out, const struct report *r, int k)
{
    const struct report_stage *s = &r->stages[k];
    bool is_last = k == r->funnel->n_stages - 1;

    add_integer(out, "reached", s->reached);
    add_integer(out, "skipped", s->skipped);
    add_integer(out, "throughput", s->throughput);
    add_integer(out, "entries", s->entries);
    add_integer(out, "exits", s->exits);
    if (is_last)
        buffer_add_text(out, ",\"dropoff\":null");
    else
        add_integer(out, "dropoff", s->exits);
    add_integer(out, "onward", s->onward);
    add_rate(out, "rate_onward", s->onward, s->reached);
    add_integer(out, "converted", s->converted);
    add_rate(out, "rate_converted", s->converted, s->reached);
    add_rate(out, "rate_from_first", s->throughput, r->stages[0].throughput);
    add_rate(out, "rate_from_previous", s->throughput, k > 0 ? r->stages[k - 1].throughput : 0);
    add_integer(out, "seen", s->seen);
}

static void
add_stage(struct buffer *out, const struct report *r, int k)
{
    const struct funnel_stage *stage = &r->funnel->stages[k];

    buffer_add_text(out, "{\"name\":");
    buffer_add_json(out, stage->name);
    buffer_printf(out, ",\"kind\":\"%s\",\"required\":%s", funnel_kind_name(stage->kind),
                  (r->required >> k & 1) != 0 ? "true" : "false");
    add_stage_counts(out, r, k);
    buffer_add_text(out, ",\"seen_value\":");
    tally_add_seen_value_json(r->tally, k, out);
    buffer_add_text(out, ",\"value\":");
    tally_add_value_json(r->tally, k, out);
    add_times(out, "time_from_previous_ms", tally_time_from_previous(r->tally, k));
    add_times(out, "time_from_start_ms", tally_time_from_start(r->tally, k));
    buffer_add_char(out, '}');
}

static void
add_moves(struct buffer *out, const struct report *r)
{
    int n = r->funnel->n_stages;
    bool is_first = true;

    buffer_add_text(out, ",\"moves\":[");
    for (int i = 0; i <= n; i++) {
        for (int j = i + 1; j <= n; j++) {
            int64_t paths = tally_moves(r->tally, i, j);

            if (paths == 0)
                continue;
            buffer_printf(out, "%s[%d,%d,%lld]", is_first ? "" : ",", i, j, (long long)paths);
            is_first = false;
        }
    }
    buffer_add_char(out, ']');
}

static void
add_about(struct buffer *out, const struct report_about *about)
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
    add_integer(out, "events_read", about->events_read);
    buffer_printf(out, ",\"elapsed_ms\":%lld.%lld", (long long)(about->elapsed_us / 1000),
                  (long long)(about->elapsed_us / 100 % 10));
}

static void
add_paths(struct buffer *out, const struct report_about *about)
{
    buffer_add_text(out, ",\"paths\":{");
    for (size_t i = 0; i < about->n_paths; i++) {
        const struct report_path *path = &about->paths[i];

        if (i > 0)
            buffer_add_char(out, ',');
        buffer_add_json(out, path->visitor);
        buffer_add_text(out, ":[");
        for (uint32_t v = 0; v < path->n; v++)
            buffer_printf(out, "%s[%u,%lld]", v > 0 ? "," : "", path->visits[v].stage + 1,
                          (long long)path->visits[v].time_ms);
        buffer_add_char(out, ']');
    }
    buffer_add_char(out, '}');
}

void
report_add_members(struct buffer *out, const struct report *r)
{
    buffer_printf(out, "\"entered\":%lld", (long long)r->entered);
    add_integer(out, "converted", r->converted);
    add_rate(out, "conversion_rate", r->converted, r->entered);
    buffer_add_text(out, ",\"stages\":[");
    for (int k = 0; k < r->funnel->n_stages; k++) {
        if (k > 0)
            buffer_add_char(out, ',');
        add_stage(out, r, k);
    }
    buffer_add_char(out, ']');
    add_moves(out, r);
    add_about(out, &r->about);
    if (r->about.has_paths)
        add_paths(out, &r->about);
}

void
report_add_json(struct buffer *out, const struct report *r)
{
    buffer_add_char(out, '{');
    report_add_members(out, r);
    buffer_add_char(out, '}');
}
