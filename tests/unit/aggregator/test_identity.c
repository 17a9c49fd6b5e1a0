/* People with several ids: every figure counts them once, however and whenever it became known. */
#include "aggregator/merge.h"
#include "core/hash.h"
#include "tests/unit/aggregator/fixture.h"

#define HOUR_MS INT64_C(3600000)

/* ---- Cases ---- */

/* "<hour> <visitor> <event> [<known>]", hours from June 2026 on; the event's id is given unless it
 * is "-": then it is that of its line. */
static struct event
read_line(struct slice line, size_t number, struct arena *a)
{
    struct slice words[4] = {SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY};
    struct event e;

    for (int i = 0; i < 4 && line.n > 0; i++)
        slice_cut(line, ' ', &words[i], &line);
    e = event_of(1, arena_cstr(a, words[1]), "", arena_cstr(a, words[2]),
                 JUNE_2026_MS + strtoll(arena_cstr(a, words[0]), NULL, 10) * HOUR_MS);
    e.id = arena_printf(a, "e%zu", number);
    e.text[TEXT_KNOWN] = words[3];
    return e;
}

static size_t
read_lines(const char *const lines[], struct event *out, struct arena *a)
{
    size_t n = 0;

    for (; lines[n]; n++)
        out[n] = read_line(slice_from(lines[n]), n, a);
    return n;
}

#define LINES_MAX 12

static const struct {
    const char *name;
    const char *lines[LINES_MAX];
    const char *paths; /* "name:stage@hour,.. name:.." in the order of the names */
} cases[] = {
    {"nobody is known", {"1 F a", "2 K c"}, "F:1@1 K:3@2"},
    {"login before the sale", {"1 F a", "2 F identify K", "3 F c"}, "K:1@1,3@3"},
    {"the sale comes from the shop's server", {"1 F a", "2 F identify K", "3 K c"}, "K:1@1,3@3"},
    {"login after the sale", {"1 F a", "2 K c", "3 F identify K"}, "K:1@1,3@2"},
    {"identify before any other event", {"1 F identify K", "2 F a", "3 K b"}, "K:1@2,2@3"},
    {"identify after all, weeks later",
     {"1 F a", "2 K b", "3 K c", "480 F identify K"},
     "K:1@1,2@2,3@3"},
    {"identify in another month's file", {"1 F a", "2 K c", "900 F identify K"}, "K:1@1,3@2"},
    {"identify sent twice", {"1 F a", "2 F identify K", "3 F identify K", "4 K c"}, "K:1@1,3@4"},
    {"two devices",
     {"1 F a", "2 F identify K", "3 G b", "4 G identify K", "5 G c"},
     "K:1@1,2@3,3@5"},
    {"two people on one computer, reset() between them",
     {"1 F a", "2 F identify K1", "3 K1 c", "4 G a", "5 G identify K2", "6 K2 b"},
     "K1:1@1,3@3 K2:1@4,2@6"},
    {"two people on one computer without: the first stays",
     {"1 F a", "2 F identify K1", "3 F identify K2", "4 F b", "5 K2 c"},
     "K1:1@1,2@4 K2:3@5"},
    {"a ticket, then a login",
     {"1 T a", "1 T handover F", "2 F b", "3 F identify K", "4 K c"},
     "K:1@1,2@2,3@4"},
    {"an earlier identify that comes late replaces the link",
     {"1 F a", "5 F identify K2", "2 F identify K1", "6 K1 c"},
     "K1:1@1,3@6"},
    {"three people, one of them with one id",
     {"1 A a", "1 B a", "1 C a", "2 A identify K", "3 B identify L", "4 L c", "5 K b"},
     "C:1@1 K:1@1,2@5 L:1@1,3@4"},
};

/* The paths of a report in the words of the cases. */
static struct slice
paths_of(struct fixture *f)
{
    struct query_funnel q = {.site = 1, .n_presets = 1, .want_paths = true};
    struct slice words[LINES_MAX], out = SLICE_EMPTY;
    struct query_answer answer;
    struct request request;
    struct err err = ERR_NONE;
    struct funnel *funnel = NULL;
    size_t n;

    assert_ok(funnel_parse(SLICE(FUNNEL_OF_3), &funnel, &err));
    request_init(&request);
    assert_ok(request_finish(&request, SLICE("UTC"), INT64_C(4102444800000), &err));
    q.funnel = funnel;
    q.request = &request;
    assert_ok(query_funnel(f->pool, &q, &answer, &err));
    n = answer.reports[0].about.n_paths;
    assert_true(n <= LINES_MAX);
    assert_int_equal(answer.reports[0].total.entered, n);
    for (size_t i = 0; i < n; i++) {
        const struct report_path *p = &answer.reports[0].about.paths[i];
        struct slice word = arena_printf(&f->arena, "%.*s:", SLICE_ARG(p->visitor));
        size_t at = i;

        for (uint32_t k = 0; k < p->n; k++)
            word = arena_printf(&f->arena, "%.*s%s%u@%lld", SLICE_ARG(word), k ? "," : "",
                                p->visits[k].stage + 1,
                                (long long)((p->visits[k].time_ms - JUNE_2026_MS) / HOUR_MS));
        for (; at > 0 && slice_compare(words[at - 1], word) > 0; at--)
            words[at] = words[at - 1];
        words[at] = word;
    }
    for (size_t i = 0; i < n; i++)
        out = arena_printf(&f->arena, "%.*s%s%.*s", SLICE_ARG(out), i ? " " : "",
                           SLICE_ARG(words[i]));
    query_answer_fini(&answer);
    request_fini(&request);
    funnel_destroy(&funnel);
    return out;
}

static void
assert_case(struct fixture *f, size_t i, const char *how)
{
    struct slice got = paths_of(f);

    if (!slice_is(got, cases[i].paths))
        fail_msg("%s, %s: %.*s instead of %s", cases[i].name, how, SLICE_ARG(got), cases[i].paths);
}

static void
merge_all(struct fixture *f)
{
    struct merge_options options = {
        .store = &f->store, .settings = f->settings, .everything = true};
    struct err err = ERR_NONE;

    for (size_t n = 1; n != 0;)
        assert_ok(merge_step(f->catalog, &options, &n, &err));
}

/* In one commit; one by one in order, then backwards, everything twice; then merged. */
static void
test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int how = 0; how < 3; how++) {
            struct event events[LINES_MAX];
            struct fixture *f = NULL;
            size_t n;

            fixture_setup((void **)&f);
            n = read_lines(cases[i].lines, events, &f->arena);
            for (size_t k = 0; k < n; k++) {
                fixture_add(f, &events[how == 2 ? n - 1 - k : k]);
                if (how > 0)
                    fixture_commit(f);
            }
            if (how == 0)
                fixture_commit(f);
            assert_case(f, i, how == 0 ? "at once" : how == 1 ? "one by one" : "backwards");
            for (size_t k = 0; k < n; k++)
                fixture_add(f, &events[k]);
            fixture_commit(f);
            assert_case(f, i, "everything twice");
            merge_all(f);
            assert_case(f, i, "merged");
            fixture_teardown((void **)&f);
        }
    }
}

/* What was answered before a link is another answer after it, from the same pool. */
static void
test_a_link_changes_the_next_answer(void **state)
{
    struct fixture *f = *state;
    struct event events[LINES_MAX];
    size_t n = read_lines(cases[3].lines, events, &f->arena);

    for (size_t i = 0; i + 1 < n; i++)
        fixture_add(f, &events[i]);
    fixture_commit(f);
    assert_true(slice_is(paths_of(f), "F:1@1 K:3@2"));
    fixture_add(f, &events[n - 1]);
    fixture_commit(f);
    assert_true(slice_is(paths_of(f), "K:1@1,3@2"));
}

static void
test_another_site_knows_nobody(void **state)
{
    struct fixture *f = *state;
    struct event events[LINES_MAX];
    size_t n = read_lines(cases[1].lines, events, &f->arena);

    for (size_t i = 0; i < n; i++) {
        fixture_add(f, &events[i]);
        events[i].site = 2;
        if (events[i].text[TEXT_KNOWN].n == 0)
            fixture_add(f, &events[i]);
    }
    fixture_commit(f);
    assert_contains(fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE), "\"paths\":{\"K\":");
    assert_contains(fixture_report(f, 2, FUNNEL_OF_3, BOTS_EXCLUDE), "\"paths\":{\"F\":");
}

/* The same id of an event twice in a group, but of two visitors: two events. */
static void
test_ids_of_events_are_their_own_visitors(void **state)
{
    struct fixture *f = *state;
    struct event events[] = {
        event_of(1, "F", "same", "a", JUNE_2026_MS),
        event_of(1, "K", "same", "b", JUNE_2026_MS + 1),
        event_of(1, "F", "same", "c", JUNE_2026_MS + 2), /* a copy of the first: it goes */
        event_of(1, "F", "login", "identify", JUNE_2026_MS + 3),
    };

    events[3].text[TEXT_KNOWN] = SLICE("K");
    for (size_t i = 0; i < 4; i++) {
        fixture_add(f, &events[i]);
        fixture_commit(f);
    }
    assert_contains(fixture_report(f, 1, FUNNEL_OF_3, BOTS_EXCLUDE),
                    "\"paths\":{\"K\":[[1,1780272000000],[2,1780272000001]]}");
}

static void
test_any_id_shows_the_whole_journey(void **state)
{
    static const char *const ids[] = {"T", "F", "K"};
    struct fixture *f = *state;
    struct event events[LINES_MAX];
    size_t n = read_lines(cases[11].lines, events, &f->arena);
    struct err err = ERR_NONE;

    for (int twice = 0; twice < 2; twice++) {
        for (size_t i = 0; i < n; i++)
            fixture_add(f, &events[i]);
        fixture_commit(f);
    }
    for (size_t i = 0; i < 3; i++) {
        struct query_person p;

        assert_ok(query_person(f->pool, 1, slice_from(ids[i]), 100, &f->arena, &p, &err));
        assert_int_equal(p.n_ids, 3);
        assert_true(slice_is(p.ids[0], "K"));
        assert_int_equal(p.n_events, n);
        for (size_t k = 1; k < n; k++)
            assert_true(event_compare(&p.events[k - 1], &p.events[k]) < 0);
        assert_true(slice_is(p.events[0].visitor, "T"));
        assert_true(slice_is(p.events[n - 1].visitor, "K"));
    }
}

static void
test_as_of_a_day_before_the_login(void **state)
{
    struct fixture *f = *state;
    struct event events[LINES_MAX];
    size_t n = read_lines(cases[5].lines, events, &f->arena); /* login in hour 480 */

    for (size_t i = 0; i < n; i++)
        fixture_add(f, &events[i]);
    fixture_commit(f);
    for (int days = 19; days <= 20; days++) {
        struct query_funnel q = {.site = 1, .n_presets = 1};
        struct query_answer answer;
        struct request request;
        struct funnel *funnel = NULL;
        struct err err = ERR_NONE;

        assert_ok(funnel_parse(SLICE(FUNNEL_OF_3), &funnel, &err));
        request_init(&request);
        assert_ok(request_finish(&request, SLICE("UTC"), JUNE_2026_MS + days * DAY_MS, &err));
        q.funnel = funnel;
        q.request = &request;
        assert_ok(query_funnel(f->pool, &q, &answer, &err));
        assert_int_equal(answer.reports[0].total.entered, days == 19 ? 2 : 1);
        query_answer_fini(&answer);
        request_fini(&request);
        funnel_destroy(&funnel);
    }
}

static void
test_figures_of_links(void **state)
{
    struct fixture *f = *state;
    struct query_summary summary;
    struct err err = ERR_NONE;

    for (int i = 0; i < 60; i++) {
        struct event e = event_of(1, "", "login", "identify", JUNE_2026_MS + i);

        e.visitor = arena_printf(&f->arena, "F%d", i);
        e.text[TEXT_KNOWN] = SLICE("K");
        fixture_add(f, &e);
        if (i == 0) {
            e.time_ms += 1000;
            e.id = SLICE("again");
            e.text[TEXT_KNOWN] = SLICE("L");
            fixture_add(f, &e);
        }
    }
    fixture_commit(f);
    assert_ok(query_site_summary(f->pool, 1, &summary, &err));
    assert_int_equal(summary.n_joined_ids, PERSON_IDS_MAX);
    assert_int_equal(summary.n_persons, 1);
    assert_int_equal(summary.n_links_other, 1);
    assert_int_equal(summary.n_links_full, 11);
}

/* ---- Any events: as if each had been sent under its person's name ---- */

struct dice {
    uint64_t state;
};

static uint32_t
below(struct dice *d, uint32_t n)
{
    uint64_t z = hash64(slice_of((char *)&d->state, sizeof d->state), 1);

    d->state++;
    return (uint32_t)(z % n);
}

static struct event
random_event(struct dice *d, struct arena *a)
{
    static const char *const names[] = {"a", "b", "c", "d", "identify", "handover"};
    struct event e = event_of(1, "", "", names[below(d, 6)], JUNE_2026_MS);

    e.visitor = arena_printf(a, "v%u", below(d, 30));
    e.id = arena_printf(a, "i%u", below(d, 40)); /* repeats, and like ids of other visitors */
    e.time_ms += (int64_t)(hash64(e.id, 0) % 900) * HOUR_MS / (1 + below(d, 2));
    e.flags = below(d, 10) == 0 ? EVENT_BOT : 0;
    if (below(d, 3) == 0) {
        event_set_number(&e, NUMBER_VALUE, below(d, 9) * 100);
        e.text[TEXT_CURRENCY] = SLICE("USD");
    }
    if (e.text[TEXT_EVENT].n > 1) { /* the same id always says the same: a repeat, not a quarrel */
        uint64_t z = hash64(arena_printf(a, "%.*s %.*s", SLICE_ARG(e.visitor), SLICE_ARG(e.id)), 0);

        e.id = arena_printf(a, "x%.*s", SLICE_ARG(e.id));
        e.text[TEXT_EVENT] = z % 2 ? EVENT_IDENTIFY : EVENT_HANDOVER;
        e.text[TEXT_KNOWN] = z % 2 ? arena_printf(a, "k%u", (unsigned)(z >> 8) % 8)
                                   : arena_printf(a, "v%u", (unsigned)(z >> 8) % 30);
    }
    return e;
}

/* Site 2 gets every event under the name of its person, and no link. Ids stay apart and in order:
 * of like ones that of the smaller visitor hash comes first, as in a walk. */
static struct event
under_one_name(const struct event *e, const struct persons *p, const struct fixture *f,
               struct arena *a)
{
    uint64_t hash = snapshot_visitor_hash(f->pool, e->visitor);
    uint32_t person = persons_find(p, hash, e->visitor);
    struct event out = *e;

    out.site = 2;
    out.text[TEXT_KNOWN] = SLICE_EMPTY;
    out.id = arena_printf(a, "%.*s\x01%016llx", SLICE_ARG(e->id), (unsigned long long)hash);
    if (person != PERSON_NOBODY)
        out.visitor = p->names[person];
    return out;
}

static int
compare_lines(const void *x, const void *y)
{
    return slice_compare(*(const struct slice *)x, *(const struct slice *)y);
}

/* Paths stand in a report in the order of the walk, which is another one here. */
static struct slice
with_sorted_paths(struct slice report, struct arena *a)
{
    struct slice *lines = ARENA_ARRAY(a, struct slice, 100);
    struct slice paths = SLICE("\"paths\":{");
    size_t at = 0, n = 0;
    struct slice rest, out;

    while (!slice_starts_with(slice_sub(report, at, report.n), paths))
        at++;
    out = slice_sub(report, 0, at);
    rest = slice_sub(report, at + paths.n, report.n);
    while (rest.n > 0 && rest.p[0] != '}') { /* "name":[[..],[..]], */
        size_t end = 0;

        while (!slice_starts_with(slice_sub(rest, end, rest.n), SLICE("]]")))
            end++;
        lines[n++] = slice_sub(rest, 0, end);
        rest = slice_sub(rest, end + 2, rest.n);
        if (rest.n > 0 && rest.p[0] == ',')
            rest = slice_sub(rest, 1, rest.n);
    }
    qsort(lines, n, sizeof *lines, compare_lines);
    for (size_t i = 0; i < n; i++)
        out = arena_printf(a, "%.*s\n%.*s", SLICE_ARG(out), SLICE_ARG(lines[i]));
    return arena_printf(a, "%.*s%.*s", SLICE_ARG(out), SLICE_ARG(rest));
}

static void
assert_same_figures(struct fixture *f, int round)
{
    for (int bots = 0; bots < 3; bots++) {
        struct slice joined = with_sorted_paths(
            fixture_report(f, 1, FUNNEL_OF_3, (enum request_bots)bots), &f->arena);
        struct slice plain = with_sorted_paths(
            fixture_report(f, 2, FUNNEL_OF_3, (enum request_bots)bots), &f->arena);

        if (!slice_equal(joined, plain))
            fail_msg("round %d, bots %d:\n%.*s\n%.*s", round, bots, SLICE_ARG(joined),
                     SLICE_ARG(plain));
    }
}

static void
test_linked_ids_count_like_one_id(void **state)
{
    struct dice d = {1};

    (void)state;
    for (int round = 0; round < 12; round++) {
        const struct snapshot *snapshot = NULL;
        struct fixture *f = NULL;
        struct event *events;
        size_t n = 300;
        struct err err = ERR_NONE;

        fixture_setup((void **)&f);
        events = ARENA_ARRAY(&f->arena, struct event, n);
        for (size_t i = 0; i < n; i++) {
            events[i] = random_event(&d, &f->arena);
            fixture_add(f, &events[i]);
            if (round > 0 && below(&d, 40) == 0)
                fixture_commit(f);
        }
        fixture_commit(f);
        assert_ok(snapshot_take(f->pool, SNAPSHOT_WHOLE(1), &snapshot, &err));
        assert_true(snapshot->persons->n_persons > 2);
        for (size_t i = 0; i < n; i++) {
            struct event e = under_one_name(&events[i], snapshot->persons, f, &f->arena);

            fixture_add(f, &e);
        }
        fixture_commit(f);
        assert_same_figures(f, round);
        snapshot_release(f->pool, &snapshot);
        merge_all(f);
        assert_same_figures(f, round);
        fixture_teardown((void **)&f);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        CASE(test_a_link_changes_the_next_answer),
        CASE(test_another_site_knows_nobody),
        CASE(test_ids_of_events_are_their_own_visitors),
        CASE(test_any_id_shows_the_whole_journey),
        CASE(test_as_of_a_day_before_the_login),
        CASE(test_figures_of_links),
        cmocka_unit_test(test_linked_ids_count_like_one_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
