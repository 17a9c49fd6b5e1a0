/* The engine against brute force over all paths, and what is always true (funnel.md section 3).
 *
 * Every case is a random funnel, parsed from its JSON, and a few random visitors. CORONG_CASES says
 * how many (each visitor is one), CORONG_SEED which; both have defaults for CI.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "aggregator/funnel/matcher.h"
#include "aggregator/funnel/report.h"
#include "tests/property/random_case.h"

#define VISITORS_PER_FUNNEL 6

_Static_assert(CASE_RULES <= 10, "a rule's property has a one-digit name");

struct setup {
    struct brute_funnel brute;
    struct buffer definition;
    struct funnel *funnel;
    struct matcher *matcher;
    struct leaf_scratch *scratch;
    struct plan plan;
    struct path_range range;
};

static long
from_environment(const char *name, long otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtol(text, NULL, 10) : otherwise;
}

static void
setup_init(struct setup *s, struct random *r, int max_stages, int span)
{
    struct err err = ERR_NONE;

    *s = (struct setup){.definition = BUFFER_EMPTY};
    random_funnel(r, 2, max_stages, span, &s->brute);
    random_definition(&s->brute, &s->definition);
    if (funnel_parse(buffer_slice(&s->definition), &s->funnel, &err) != ERR_OK)
        fail_msg("%s: %s", err.field, err.message);
    assert_int_equal(matcher_create(s->funnel, NULL, 0, &s->matcher, NULL), ERR_OK);
    s->scratch = leaf_scratch_create();
    plan_init(&s->plan, s->funnel, s->funnel->preset);
    s->range = (struct path_range){s->brute.from_ms, s->brute.to_ms};
}

static void
setup_fini(struct setup *s)
{
    leaf_scratch_destroy(&s->scratch);
    matcher_destroy(&s->matcher);
    funnel_destroy(&s->funnel);
    buffer_fini(&s->definition);
}

/* Brute's events as the engine sees them: through the rules. */
static void
match_events(const struct setup *s, const struct brute_event *events, int n, struct path_event *out)
{
    static const char keys[] = "0123456789";

    for (int i = 0; i < n; i++) {
        struct event_property properties[CASE_RULES];
        struct event e = {.time_ms = events[i].time_ms, .properties = properties};
        struct masks masks;

        for (int rule = 0; rule < CASE_RULES; rule++)
            if ((events[i].rules >> rule & 1) != 0)
                properties[e.n_properties++] =
                    (struct event_property){slice_of(keys + rule, 1), SLICE("1")};
        assert_int_equal(matcher_event(s->matcher, s->scratch, &e, &masks, NULL), ERR_OK);
        out[i] = (struct path_event){events[i].time_ms, masks.stages, masks.exclusions};
    }
}

/* ---- Against brute force ---- */

static void
print_case(const struct setup *s, const struct brute_event *events, int n)
{
    print_error("%.*s\nrange %lld .. %lld\n", SLICE_ARG(buffer_slice(&s->definition)),
                (long long)s->range.from_ms, (long long)s->range.to_ms);
    for (int i = 0; i < n; i++)
        print_error("  %2d: at %lld rules 0x%x\n", i, (long long)events[i].time_ms,
                    events[i].rules);
}

static bool
is_same_path(const struct path *a, const struct brute_path *b)
{
    if ((int)a->n != b->n)
        return false;
    for (int i = 0; i < b->n; i++)
        if ((int)a->visits[i].stage + 1 != b->stages[i] ||
            (int)a->visits[i].event != b->events[i] || (a->stages >> (b->stages[i] - 1) & 1) == 0)
            return false;
    return __builtin_popcount(a->stages) == b->n;
}

static void
compare_visitor(const struct setup *s, struct random *r, int max_events, int span)
{
    struct brute_event events[CASE_EVENTS_MAX];
    struct path_event matched[CASE_EVENTS_MAX];
    struct brute_path expected;
    struct path path;
    int n = random_below(r, max_events + 1);
    bool has_path;

    random_events(r, n, span, events);
    match_events(s, events, n, matched);
    has_path = path_count(&s->plan, &s->range, matched, (uint32_t)n, &path);
    if (has_path == brute_count(&s->brute, events, n, &expected) &&
        (!has_path || is_same_path(&path, &expected)))
        return;
    print_case(s, events, n);
    for (int i = 0; i < expected.n; i++)
        print_error("  expected: stage %d event %d\n", expected.stages[i], expected.events[i]);
    for (uint32_t i = 0; has_path && i < path.n; i++)
        print_error("  got:      stage %u event %u\n", path.visits[i].stage + 1,
                    path.visits[i].event);
    fail_msg("the engine's path differs from brute force");
}

static void
compare_many(long n_visitors, int max_stages, int max_events)
{
    struct random r = {(uint64_t)from_environment("CORONG_SEED", 20260601)};

    for (long done = 0; done < n_visitors; done += VISITORS_PER_FUNNEL) {
        int span = (int[]){3, 8, 20, 60}[random_below(&r, 4)];
        struct setup s;

        setup_init(&s, &r, max_stages, span);
        for (int v = 0; v < VISITORS_PER_FUNNEL; v++)
            compare_visitor(&s, &r, max_events, span);
        setup_fini(&s);
    }
}

static void
test_many_stages(void **state)
{
    (void)state;
    compare_many(from_environment("CORONG_CASES", 120000), 7, 10);
}

static void
test_many_events(void **state)
{
    (void)state;
    compare_many(from_environment("CORONG_CASES", 120000) / 4, 3, 36);
}

/* ---- What is always true ---- */

struct group {
    struct brute_event events[VISITORS_PER_FUNNEL][CASE_EVENTS_MAX];
    struct path_event matched[VISITORS_PER_FUNNEL][CASE_EVENTS_MAX];
    struct tally_value values[VISITORS_PER_FUNNEL][CASE_EVENTS_MAX];
    int n[VISITORS_PER_FUNNEL];
};

static void
random_group(const struct setup *s, struct random *r, int span, struct group *g)
{
    for (int v = 0; v < VISITORS_PER_FUNNEL; v++) {
        g->n[v] = random_below(r, 20);
        random_events(r, g->n[v], span, g->events[v]);
        match_events(s, g->events[v], g->n[v], g->matched[v]);
        for (int i = 0; i < g->n[v]; i++)
            g->values[v][i] = (struct tally_value){random_below(r, 10000), random_below(r, 3) - 1};
    }
}

static void
tally_visitor(const struct setup *s, const struct group *g, int v, struct tally *t)
{
    struct path path;
    uint32_t n = (uint32_t)g->n[v];
    bool has_path = path_count(&s->plan, &s->range, g->matched[v], n, &path);

    tally_add(t, &s->range, g->matched[v], n, g->values[v], has_path ? &path : NULL);
}

static struct tally *
new_tally(const struct setup *s)
{
    struct tally *t = tally_create(s->funnel->n_stages);

    assert_int_equal(tally_currency(t, SLICE("USD")), 0);
    assert_int_equal(tally_currency(t, SLICE("JPY")), 1);
    return t;
}

static void
assert_sums(const struct setup *s, const struct tally *t)
{
    struct report report;
    struct report_about about = {.as_of_ms = 0};
    int n = s->funnel->n_stages;
    int64_t exits = 0;
    int64_t entries = 0;

    report_fill(&report, s->funnel, s->funnel->preset, t, &about);
    for (int k = 0; k < n; k++) {
        const struct report_stage *stage = &report.total.stages[k];

        exits += stage->exits;
        entries += stage->entries;
        assert_int_equal(stage->reached + stage->skipped, stage->throughput);
        assert_true(stage->skipped >= 0 && stage->onward >= 0);
        assert_true(k == 0 || stage->throughput <= report.total.stages[k - 1].throughput);
        assert_true(stage->reached <= stage->seen || s->range.to_ms != INT64_MAX);
    }
    assert_int_equal(report.total.entered, exits);
    assert_int_equal(report.total.entered, entries);
    assert_int_equal(report.total.entered, report.total.stages[0].throughput);
    assert_int_equal(report.total.stages[n - 1].reached, report.total.stages[n - 1].throughput);
    assert_int_equal(report.total.converted, report.total.stages[n - 1].throughput);
}

static void
assert_same_report(const struct setup *s, const struct tally *a, const struct tally *b)
{
    struct report_about about = {.as_of_ms = 0};
    struct buffer texts[2] = {BUFFER_EMPTY, BUFFER_EMPTY};

    for (int i = 0; i < 2; i++) {
        struct report report;

        report_fill(&report, s->funnel, s->funnel->preset, i == 0 ? a : b, &about);
        report_add_json(&texts[i], &report);
        buffer_add_char(&texts[i], '\0');
    }
    assert_string_equal(texts[0].p, texts[1].p);
    buffer_fini(&texts[0]);
    buffer_fini(&texts[1]);
}

/* Visitors in two tallies, merged either way round: the same report as in one. */
static void
assert_splits_add_up(const struct setup *s, const struct group *g, struct random *r,
                     const struct tally *whole)
{
    struct tally *parts[2] = {new_tally(s), new_tally(s)};
    struct tally *sum = tally_create(s->funnel->n_stages);
    int first = random_below(r, 2);

    for (int v = VISITORS_PER_FUNNEL - 1; v >= 0; v--)
        tally_visitor(s, g, v, parts[random_below(r, 2)]);
    tally_merge(sum, parts[first]);
    tally_merge(sum, parts[1 - first]);
    assert_same_report(s, whole, sum);
    tally_destroy(&parts[0]);
    tally_destroy(&parts[1]);
    tally_destroy(&sum);
}

/* Events that match nothing may be left out. */
static void
assert_only_matches_count(const struct setup *s, const struct path_event *events, int n)
{
    struct path_event kept[CASE_EVENTS_MAX];
    uint32_t from[CASE_EVENTS_MAX];
    struct path a;
    struct path b;
    uint32_t n_kept = 0;
    bool has_path = path_count(&s->plan, &s->range, events, (uint32_t)n, &a);

    for (int i = 0; i < n; i++) {
        if ((events[i].stages | events[i].exclusions) != 0) {
            from[n_kept] = (uint32_t)i;
            kept[n_kept++] = events[i];
        }
    }
    assert_int_equal(has_path, path_count(&s->plan, &s->range, kept, n_kept, &b));
    if (!has_path)
        return;
    assert_int_equal(a.n, b.n);
    for (uint32_t i = 0; i < a.n; i++) {
        assert_int_equal(a.visits[i].stage, b.visits[i].stage);
        assert_int_equal(a.visits[i].event, from[b.visits[i].event]);
    }
}

/* Other ids, so another order within a millisecond: the same stages at the same times. */
static void
assert_order_is_nothing(const struct setup *s, struct random *r, const struct path_event *events,
                        int n)
{
    struct path_event shuffled[CASE_EVENTS_MAX];
    struct path a;
    struct path b;
    bool has_path = path_count(&s->plan, &s->range, events, (uint32_t)n, &a);

    memcpy(shuffled, events, (size_t)n * sizeof *shuffled);
    for (int i = 1; i < n; i++) {
        int with = i - random_below(r, 2);
        struct path_event other = shuffled[with];

        if (other.time_ms != shuffled[i].time_ms)
            continue;
        shuffled[with] = shuffled[i];
        shuffled[i] = other;
    }
    assert_int_equal(has_path, path_count(&s->plan, &s->range, shuffled, (uint32_t)n, &b));
    if (!has_path)
        return;
    assert_int_equal(a.stages, b.stages);
    for (uint32_t i = 0; i < a.n; i++)
        assert_int_equal(events[a.visits[i].event].time_ms, shuffled[b.visits[i].event].time_ms);
}

static int
deepest(const struct setup *s, const struct path_event *events, int n)
{
    struct path path;

    if (!path_count(&s->plan, &s->range, events, (uint32_t)n, &path))
        return 0;
    return (int)path.visits[path.n - 1].stage + 1;
}

/* Without exclusions, another event never makes the deepest stage shallower. */
static void
assert_more_is_deeper(const struct setup *s, struct random *r, const struct path_event *events,
                      int n, int span)
{
    struct brute_event one;
    struct path_event more[CASE_EVENTS_MAX + 1];
    int at = 0;

    if (s->funnel->n_exclusions > 0)
        return;
    random_events(r, 1, span, &one);
    while (at < n && events[at].time_ms <= one.time_ms)
        at++;
    memcpy(more, events, (size_t)at * sizeof *more);
    match_events(s, &one, 1, &more[at]);
    memcpy(more + at + 1, events + at, (size_t)(n - at) * sizeof *more);
    assert_true(deepest(s, more, n + 1) >= deepest(s, events, n));
}

static void
test_always_true(void **state)
{
    struct random r = {(uint64_t)from_environment("CORONG_SEED", 20260701)};

    (void)state;
    for (long done = 0; done < from_environment("CORONG_CASES", 120000) / 20; done++) {
        int span = (int[]){5, 20, 60}[random_below(&r, 3)];
        struct setup s;
        struct group g;
        struct tally *whole;

        setup_init(&s, &r, 7, span);
        random_group(&s, &r, span, &g);
        whole = new_tally(&s);
        for (int v = 0; v < VISITORS_PER_FUNNEL; v++) {
            tally_visitor(&s, &g, v, whole);
            assert_only_matches_count(&s, g.matched[v], g.n[v]);
            assert_order_is_nothing(&s, &r, g.matched[v], g.n[v]);
            assert_more_is_deeper(&s, &r, g.matched[v], g.n[v], span);
        }
        assert_sums(&s, whole);
        assert_splits_add_up(&s, &g, &r, whole);
        tally_destroy(&whole);
        setup_fini(&s);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_stages),
        cmocka_unit_test(test_many_events),
        cmocka_unit_test(test_always_true),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
