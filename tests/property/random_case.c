#include "tests/property/random_case.h"

#include <stdlib.h>

/* splitmix64 (Steele, Lea, Flood 2014; public domain) */
uint64_t
random_next(struct random *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15ULL;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

int
random_below(struct random *r, int n)
{
    return (int)(random_next(r) % (uint64_t)n);
}

bool
random_chance(struct random *r, int percent)
{
    return random_below(r, 100) < percent;
}

static void
random_exclusions(struct random *r, struct brute_funnel *f)
{
    f->n_exclusions = random_chance(r, 40) ? 1 + random_below(r, BRUTE_EXCLUSIONS_MAX) : 0;
    for (int i = 0; i < f->n_exclusions; i++) {
        struct brute_exclusion *x = &f->exclusions[i];

        x->rule = random_below(r, CASE_RULES);
        x->from = 1 + random_below(r, f->n_stages - 1);
        x->to = x->from + 1 + random_below(r, f->n_stages - x->from);
    }
}

void
random_funnel(struct random *r, int min_stages, int max_stages, int span, struct brute_funnel *out)
{
    /* few rules: stages often share one; many: hardly ever */
    int n_rules = 1 + random_below(r, CASE_RULES);

    *out =
        (struct brute_funnel){.preset = (enum brute_preset)random_below(r, 3),
                              .n_stages = min_stages + random_below(r, max_stages - min_stages + 1),
                              .window_ms = 1 + random_below(r, span + 2),
                              .from_ms = INT64_MIN,
                              .to_ms = INT64_MAX};
    for (int i = 0; i < out->n_stages; i++) {
        bool repeats = random_chance(r, 30);

        out->stages[i].rule = repeats ? random_below(r, n_rules) : i % CASE_RULES;
        out->stages[i].required = random_chance(r, 25) ? random_below(r, 2) : -1;
    }
    random_exclusions(r, out);
    if (random_chance(r, 40)) {
        out->from_ms = random_below(r, span + 1);
        out->to_ms = out->from_ms + 1 + random_below(r, span + 1);
    }
}

static int
compare_times(const void *a, const void *b)
{
    const struct brute_event *x = a;
    const struct brute_event *y = b;

    return (x->time_ms > y->time_ms) - (x->time_ms < y->time_ms);
}

void
random_events(struct random *r, int n, int span, struct brute_event *out)
{
    int density = 10 + random_below(r, 30); /* percent of the rules that an event matches */

    for (int i = 0; i < n; i++) {
        out[i] = (struct brute_event){.time_ms = random_below(r, span + 1)};
        for (int rule = 0; rule < CASE_RULES; rule++)
            out[i].rules |= (uint32_t)random_chance(r, density) << rule;
    }
    qsort(out, (size_t)n, sizeof *out, compare_times);
}

static void
add_rule(struct buffer *out, int rule)
{
    buffer_printf(
        out, "\"rule\":{\"attribute\":\"properties.%d\",\"op\":\"is\",\"values\":[\"1\"]}", rule);
}

void
random_definition(const struct brute_funnel *f, struct buffer *out)
{
    static const char *const presets[] = {"open", "closed", "sequential"};

    buffer_printf(out, "{\"preset\":\"%s\",\"window\":\"%lldms\",\"stages\":[", presets[f->preset],
                  (long long)f->window_ms);
    for (int i = 0; i < f->n_stages; i++) {
        buffer_printf(out, "%s{\"name\":\"s%d\",", i > 0 ? "," : "", i + 1);
        if (f->stages[i].required >= 0)
            buffer_printf(out, "\"required\":%s,", f->stages[i].required ? "true" : "false");
        add_rule(out, f->stages[i].rule);
        buffer_add_char(out, '}');
    }
    buffer_add_text(out, "],\"exclusions\":[");
    for (int i = 0; i < f->n_exclusions; i++) {
        buffer_printf(out, "%s{\"from\":%d,\"to\":%d,", i > 0 ? "," : "", f->exclusions[i].from,
                      f->exclusions[i].to);
        add_rule(out, f->exclusions[i].rule);
        buffer_add_char(out, '}');
    }
    buffer_add_text(out, "]}");
}
