/* Queries: a report is the same however its events lie in files, and repeats count once. */
#include "aggregator/funnel/matcher.h"
#include "aggregator/merge.h"
#include "core/hash.h"
#include "tests/unit/aggregator/fixture.h"

static uint64_t
random_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint32_t
below(uint64_t *state, uint32_t n)
{
    return (uint32_t)(random_next(state) % n);
}

/* An event of site 1 or 2; ids repeat, and what stands under an id differs from time to time. */
static struct event
random_event(uint64_t *r, struct arena *a)
{
    static const char *const names[] = {"a", "b", "c", "d", "pageview"};
    static const char *const currencies[] = {"", "USD", "JPY", "KWD"};
    struct event e = event_of(1 + below(r, 2), "", "", names[below(r, 5)], JUNE_2026_MS);

    e.visitor = arena_printf(a, "v%u", below(r, 40));
    e.id = arena_printf(a, "i%u", below(r, 120));
    e.time_ms += (int64_t)below(r, 60 * 24) * 3600000 + below(r, 3);
    if (below(r, 3) != 0) /* most repeats have the same time */
        e.time_ms = JUNE_2026_MS + (int64_t)(hash64(e.id, 0) % 1500) * 3600000;
    e.flags = below(r, 12) == 0 ? EVENT_BOT : 0;
    e.flags |= below(r, 3) == 0 ? EVENT_DRIVER : 0;
    if (below(r, 2))
        e.text[TEXT_PATH] = arena_printf(a, "/p/%u", below(r, 6));
    if (below(r, 3) == 0) {
        event_set_number(&e, NUMBER_VALUE, below(r, 5) * 250);
        e.text[TEXT_CURRENCY] = slice_from(currencies[below(r, 4)]);
    }
    if (below(r, 3) == 0) {
        e.properties = ARENA_NEW(a, struct event_property);
        e.properties[0] =
            (struct event_property){SLICE("size"), arena_printf(a, "%u", below(r, 4))};
        e.n_properties = 1;
    }
    return e;
}

#define IS(attribute, value)                                                                       \
    "{\"attribute\":\"" attribute "\",\"op\":\"is\",\"values\":[\"" value "\"]}"

static const char *const definitions[] = {
    FUNNEL_OF_3,
    /* a repeated rule, an exclusion, values with and without a currency's digits */
    "{\"window\":\"5d\",\"stages\":[{\"name\":\"1\",\"rule\":" IS(
        "event", "a") "},"
                      "{\"name\":\"2\",\"rule\":" IS("event", "b") "},{\"name\":\"3\",\"rule\":" IS(
                          "event", "b") "},"
                                        "{\"name\":\"4\",\"rule\":{\"attribute\":\"value\",\"op\":"
                                        "\"gt\",\"values\":[5]}}],"
                                        "\"exclusions\":[{\"rule\":" IS(
                                            "event", "d") ",\"from\":3,\"to\":4}]}",
    /* not direct: `all`, `not`, landing, bot, a property read as a number */
    "{\"window\":\"40d\",\"preset\":\"closed\",\"stages\":["
    "{\"name\":\"1\",\"rule\":{\"attribute\":\"landing\",\"op\":\"set\"}},"
    "{\"name\":\"2\",\"rule\":{\"all\":[" IS(
        "event", "a") ","
                      "{\"not\":" IS(
                          "path", "/p/1") "}]}},"
                                          "{\"name\":\"3\",\"rule\":{\"all\":[" IS(
                                              "bot", "false") ","
                                                              "{\"attribute\":\"properties.size\","
                                                              "\"op\":\"ge\",\"values\":[2]}]}}]}",
};

#define N_DEFINITIONS (sizeof definitions / sizeof *definitions)
#define N_REPORTS     (N_DEFINITIONS * 3)

static void
all_reports(struct fixture *f, uint32_t site, struct slice out[N_REPORTS])
{
    for (size_t i = 0; i < N_REPORTS; i++)
        out[i] = fixture_report(f, site, definitions[i / 3], (enum request_bots)(i % 3));
}

static void
assert_same(const struct slice a[N_REPORTS], const struct slice b[N_REPORTS])
{
    for (size_t i = 0; i < N_REPORTS; i++)
        if (!slice_equal(a[i], b[i]))
            fail_msg("report %zu differs:\n%.*s\n%.*s", i, SLICE_ARG(a[i]), SLICE_ARG(b[i]));
}

/* ---- The plain way: one event after the other, straight from the definition ---- */

static int
compare_visitors_ids(const void *x, const void *y)
{
    const struct event *a = x;
    const struct event *b = y;
    int order = slice_compare(a->visitor, b->visitor);

    if (order == 0)
        order = slice_compare(a->id, b->id);
    return order != 0 ? order : segment_repeat_compare(a, b);
}

static int
compare_visitors_times(const void *x, const void *y)
{
    const struct event *a = x;
    const struct event *b = y;
    int order = slice_compare(a->visitor, b->visitor);

    return order != 0 ? order : event_compare(a, b);
}

/* The site's events without repeats and without those that `bots` leaves out, by visitor and time.
 */
static size_t
events_that_count(const struct event *events, size_t n, uint32_t site, enum request_bots bots,
                  struct event *out)
{
    size_t n_site = 0, n_out = 0;

    for (size_t i = 0; i < n; i++)
        if (events[i].site == site)
            out[n_site++] = events[i];
    qsort(out, n_site, sizeof *out, compare_visitors_ids);
    for (size_t i = 0, last = 0; i < n_site; i++) {
        bool is_bot = (out[i].flags & EVENT_BOT) != 0;

        if (i != 0 && slice_equal(out[i].visitor, out[last].visitor) &&
            slice_equal(out[i].id, out[last].id))
            continue;
        last = i; /* n_out <= i, so out[last] may be overwritten only by itself */
        if (bots == BOTS_INCLUDE || is_bot == (bots == BOTS_ONLY))
            out[n_out++] = out[i];
    }
    qsort(out, n_out, sizeof *out, compare_visitors_times);
    return n_out;
}

struct figures {
    int64_t entered;
    int64_t reached[FUNNEL_STAGES_MAX];
    int64_t seen[FUNNEL_STAGES_MAX];
};

static void
count_visitor(const struct matcher *m, const struct plan *plan, struct leaf_scratch *scratch,
              const struct event *events, uint32_t n, struct figures *out)
{
    static const struct path_range all = {INT64_MIN, INT64_MAX};
    struct path_event *path_events = calloc(n, sizeof *path_events);
    uint32_t seen = 0;
    struct path path;

    for (uint32_t i = 0; i < n; i++) {
        struct err err = ERR_NONE;
        struct masks masks;

        assert_ok(matcher_event(m, scratch, &events[i], &masks, &err));
        path_events[i] = (struct path_event){events[i].time_ms, masks.stages, masks.exclusions};
        seen |= masks.stages;
    }
    if (path_count(plan, &all, path_events, n, &path)) {
        out->entered++;
        for (uint32_t i = 0; i < path.n; i++)
            out->reached[path.visits[i].stage]++;
    }
    for (int k = 0; k < plan->n_stages; k++)
        out->seen[k] += seen >> k & 1;
    free(path_events);
}

static struct figures
plain_figures(const struct event *events, size_t n, uint32_t site, const char *definition,
              enum request_bots bots)
{
    struct event *own = calloc(n, sizeof *own);
    size_t n_own = events_that_count(events, n, site, bots, own);
    struct leaf_scratch *scratch = leaf_scratch_create();
    struct figures figures = {0};
    struct matcher *m = NULL;
    struct funnel *funnel = NULL;
    struct plan plan;
    struct err err = ERR_NONE;

    assert_ok(funnel_parse(slice_from(definition), &funnel, &err));
    assert_ok(matcher_create(funnel, NULL, 0, &m, &err));
    plan_init(&plan, funnel, funnel->preset);
    for (size_t i = 0, end; i < n_own; i = end) {
        for (end = i + 1; end < n_own && slice_equal(own[i].visitor, own[end].visitor);)
            end++;
        count_visitor(m, &plan, scratch, own + i, (uint32_t)(end - i), &figures);
    }
    matcher_destroy(&m);
    funnel_destroy(&funnel);
    leaf_scratch_destroy(&scratch);
    free(own);
    return figures;
}

static void
assert_figures(struct fixture *f, const struct event *events, size_t n, uint32_t site)
{
    for (size_t i = 0; i < N_REPORTS; i++) {
        enum request_bots bots = (enum request_bots)(i % 3);
        struct figures plain = plain_figures(events, n, site, definitions[i / 3], bots);
        struct slice report = fixture_report(f, site, definitions[i / 3], bots);
        struct slice rest = report;
        struct slice head;
        char part[200];

        snprintf(part, sizeof part, "{\"entered\":%lld,", (long long)plain.entered);
        assert_contains(report, part);
        for (int k = 0; slice_cut(rest, '}', &head, &rest) && k < FUNNEL_STAGES_MAX;) {
            if (!slice_contains(head, SLICE("\"reached\":")))
                continue;
            snprintf(part, sizeof part, "\"reached\":%lld,", (long long)plain.reached[k]);
            assert_contains(head, part);
            snprintf(part, sizeof part, "\"seen\":%lld,", (long long)plain.seen[k]);
            assert_contains(head, part);
            k++;
        }
    }
}

/* ---- Splitting, merging, repeating ---- */

static void
add_all(struct fixture *f, const struct event *events, size_t n, uint64_t *r, uint32_t one_in)
{
    for (size_t i = 0; i < n; i++) {
        fixture_add(f, &events[i]);
        if (one_in != 0 && below(r, one_in) == 0)
            fixture_commit(f);
    }
    fixture_commit(f);
}

static void
shuffle(struct event *events, size_t n, uint64_t *r)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = below(r, (uint32_t)i);
        struct event e = events[k];

        events[k] = events[i - 1];
        events[i - 1] = e;
    }
}

static size_t
merge_all(struct fixture *f)
{
    struct merge_options options = {
        .store = &f->store, .settings = f->settings, .everything = true};
    struct err err = ERR_NONE;
    size_t total = 0;

    for (size_t n = 1; n != 0; total += n)
        assert_ok(merge_step(f->catalog, &options, &n, &err));
    return total;
}

static void
test_any_split_and_any_merge_gives_the_same_report(void **state)
{
    struct fixture *f = *state;
    uint64_t r = 7;

    for (int round = 0; round < 6; round++) {
        struct slice whole[2][N_REPORTS], parts[N_REPORTS];
        size_t n = 500;
        struct event *events = ARENA_ARRAY(&f->arena, struct event, n);

        for (size_t i = 0; i < n; i++)
            events[i] = random_event(&r, &f->arena);
        add_all(f, events, n, &r, 0);
        for (uint32_t site = 1; site <= 2; site++) {
            all_reports(f, site, whole[site - 1]);
            assert_figures(f, events, n, site);
        }
        fixture_remove_everything(f);
        shuffle(events, n, &r);
        add_all(f, events, n, &r, 20 + 40 * (uint32_t)round);
        for (uint32_t site = 1; site <= 2; site++) {
            all_reports(f, site, parts);
            assert_same(whole[site - 1], parts);
        }
        assert_true(merge_all(f) > 0);
        for (uint32_t site = 1; site <= 2; site++) {
            all_reports(f, site, parts);
            assert_same(whole[site - 1], parts);
        }
        fixture_remove_everything(f);
        arena_reset(&f->arena);
    }
}

static void
test_the_same_events_again_change_nothing(void **state)
{
    struct fixture *f = *state;
    struct slice once[N_REPORTS], twice[N_REPORTS];
    struct event *events = ARENA_ARRAY(&f->arena, struct event, 300);
    uint64_t r = 99;

    for (size_t i = 0; i < 300; i++)
        events[i] = random_event(&r, &f->arena);
    add_all(f, events, 300, &r, 0);
    all_reports(f, 1, once);
    assert_contains(once[0], "\"entered\":");
    shuffle(events, 300, &r);
    add_all(f, events, 300, &r, 50);
    all_reports(f, 1, twice);
    assert_same(once, twice);
}

static void
test_of_a_repeat_the_earlier_one_stays(void **state)
{
    struct fixture *f = *state;
    struct event late = event_of(1, "v", "same", "b", JUNE_2026_MS + 40 * DAY_MS);
    struct event early = event_of(1, "v", "same", "a", JUNE_2026_MS + 20 * DAY_MS);
    struct slice report;

    fixture_add(f, &late);
    fixture_commit(f);
    fixture_add(f, &early);
    fixture_commit(f);
    report = fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE);
    assert_contains(report, "\"paths\":{\"v\":[[1,1782000000000]]}");
}

static void
test_a_repeat_in_another_month_counts_there(void **state)
{
    struct fixture *f = *state;
    struct path_range july = {JUNE_2026_MS + 30 * DAY_MS, JUNE_2026_MS + 61 * DAY_MS};
    struct event first = event_of(1, "v", "same", "a", JUNE_2026_MS + 28 * DAY_MS);
    struct event again = event_of(1, "v", "same", "a", JUNE_2026_MS + 31 * DAY_MS);

    fixture_add(f, &again);
    fixture_commit(f);
    assert_contains(fixture_report_of_range(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE, july),
                    "{\"entered\":1,");
    fixture_add(f, &first);
    fixture_commit(f);
    assert_contains(fixture_report_of_range(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE, july),
                    "{\"entered\":0,");
}

/* An order that is sent again months later. */
static void
test_a_repeat_counts_once_however_far_apart_its_copies_are(void **state)
{
    struct fixture *f = *state;
    struct path_range fall = {JUNE_2026_MS + 100 * DAY_MS, JUNE_2026_MS + 200 * DAY_MS};
    struct event first = event_of(1, "v", "order-77", "a", JUNE_2026_MS);
    struct event again = event_of(1, "v", "order-77", "a", JUNE_2026_MS + 150 * DAY_MS);
    struct event other = event_of(1, "v", "order-78", "a", JUNE_2026_MS + 150 * DAY_MS);

    fixture_add(f, &again);
    fixture_commit(f);
    fixture_add(f, &first);
    fixture_commit(f);
    assert_contains(fixture_report_of_range(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE, fall),
                    "{\"entered\":0,");
    fixture_add(f, &other);
    fixture_commit(f);
    assert_contains(fixture_report_of_range(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE, fall),
                    "\"paths\":{\"v\":[[1,1793232000000]]}");
}

static void
test_bots_are_counted_in_range_only(void **state)
{
    struct fixture *f = *state;
    struct event person = event_of(1, "v", "1", "a", JUNE_2026_MS);
    struct event bot = event_of(1, "w", "2", "a", JUNE_2026_MS + 1);

    bot.flags = EVENT_BOT;
    fixture_add(f, &person);
    fixture_add(f, &bot);
    fixture_commit(f);
    fixture_add(f, &bot);
    fixture_commit(f); /* the same bot event twice is one event */
    assert_contains(fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE), "\"left_out\":{\"bots\":1}");
    assert_contains(fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE), "\"entered\":1,");
    assert_contains(fixture_report(f, 1, FUNNEL_OF_3, BOTS_INCLUDE), "\"entered\":2,");
    assert_contains(fixture_report(f, 1, FUNNEL_OF_3, BOTS_INCLUDE), "\"left_out\":{\"bots\":0}");
    assert_contains(fixture_report(f, 1, FUNNEL_OF_3, BOTS_ONLY), "\"paths\":{\"w\":");
}

/* Two files of a cookieless visitor, two of others, and a cookieless one who does not enter. */
static void
add_cookieless(struct fixture *f)
{
    static const struct {
        const char *visitor, *event;
        uint32_t flags;
    } rows[] = {
        {"day", "a", EVENT_COOKIELESS | EVENT_DRIVER},
        {"day", "b", EVENT_COOKIELESS},
        {"ann", "a", EVENT_DRIVER},
        {"bob", "b", 0},
        {"out", "x", EVENT_COOKIELESS},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct event e = event_of(1, rows[i].visitor, "", rows[i].event, JUNE_2026_MS);

        e.id = arena_printf(&f->arena, "%zu", i);
        e.time_ms += (int64_t)i * 1000;
        e.flags = rows[i].flags;
        fixture_add(f, &e);
        fixture_commit(f);
    }
}

#define WARNING "\"warnings\":[{\"code\":\"salt_shorter_than_window\","
#define FUNNEL_OF(window)                                                                          \
    "{\"window\":\"" window "\",\"stages\":["                                                      \
    "{\"name\":\"A\",\"rule\":" IS("event", "a") "},{\"name\":\"B\",\"rule\":" IS("event",         \
                                                                                  "b") "}]}"

static void
test_cookieless_visitors_are_told_where_the_window_outlives_them(void **state)
{
    struct fixture *f = *state;
    struct slice report;

    add_cookieless(f);
    for (int is_merged = 0; is_merged < 2; is_merged++) {
        report = fixture_report(f, 1, FUNNEL_OF("25h"), BOTS_EXCLUDE);
        assert_contains(report, "{\"entered\":3,");
        assert_contains(report, WARNING "\"message\":\"1 of 3 visitors are cookieless");
        assert_contains(report, "\"share\":0.3333333333333333}]");
        report = fixture_report(f, 1, FUNNEL_OF("24h"), BOTS_EXCLUDE);
        assert_contains(report, "{\"entered\":3,");
        assert_contains(report, "\"warnings\":[]");
        merge_all(f);
    }
}

static void
test_without_cookieless_visitors_there_is_nothing_to_tell(void **state)
{
    struct fixture *f = *state;
    struct event e = event_of(1, "x", "1", "a", JUNE_2026_MS);

    fixture_add(f, &e);
    fixture_commit(f);
    assert_contains(fixture_report(f, 1, FUNNEL_OF("30d"), BOTS_EXCLUDE), "\"warnings\":[]");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_any_split_and_any_merge_gives_the_same_report),
        CASE(test_the_same_events_again_change_nothing),
        CASE(test_of_a_repeat_the_earlier_one_stays),
        CASE(test_a_repeat_in_another_month_counts_there),
        CASE(test_a_repeat_counts_once_however_far_apart_its_copies_are),
        CASE(test_bots_are_counted_in_range_only),
        CASE(test_cookieless_visitors_are_told_where_the_window_outlives_them),
        CASE(test_without_cookieless_visitors_there_is_nothing_to_tell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
