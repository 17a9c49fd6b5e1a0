/* The engine against the reference: random sites, written as real segments in several commits, some
 * merged, and random questions, put to query_funnel and compared figure by figure.
 *
 * CORONG_CASES says how many reports are compared, CORONG_SEED which. A case that differs is shrunk
 * (visitors, events and parts of the question are left out while it still differs) and printed.
 */
#include "tests/property/differential.h"

#define SITES_PER_STORE    12
#define QUESTIONS_PER_SITE 100

static long
from_environment(const char *name, long otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtol(text, NULL, 10) : otherwise;
}

/* ---- Many cases ---- */

struct store_case {
    struct fixture *f;
    struct random_site sites[SITES_PER_STORE];
    struct reference_site references[SITES_PER_STORE];
    struct segment_owner owner;
    int merge_after;
    struct arena a; /* of one question's reference */
};

static void
open_store_case(struct store_case *s, struct random *r)
{
    void *state;

    fixture_setup(&state);
    s->f = state;
    s->owner = store_owner(&s->f->store);
    s->merge_after = random_below(r, SITE_FLUSHES + 2);
    arena_init(&s->a, 8 << 20);
    for (int i = 0; i < SITES_PER_STORE; i++) {
        struct random_site *site = &s->sites[i];
        struct event *events;

        random_site(r, (uint32_t)i + 1, &s->f->arena, site);
        events = ARENA_ARRAY(&s->f->arena, struct event, site->n);
        for (size_t k = 0; k < site->n; k++)
            events[k] = site->events[k].event;
        reference_site(&s->owner, events, site->n, &s->f->arena, &s->references[i]);
    }
    differential_write(s->f, s->sites, SITES_PER_STORE, s->merge_after);
}

static void
close_store_case(struct store_case *s)
{
    void *state = s->f;

    arena_fini(&s->a);
    fixture_teardown(&state);
}

/* Questions to one site; returns how many reports were compared. */
static long
ask_site(struct store_case *s, struct random *r, int site, bool is_merged)
{
    struct arena of_question;
    long n = 0;

    arena_init(&of_question, 64 << 10);
    for (int i = 0; i < QUESTIONS_PER_SITE / 2; i++) {
        struct failing c = {s->sites[site], {0}, is_merged, s->merge_after};
        struct verdict v;

        random_question(r, &s->sites[site], &of_question, &c.q);
        n += differential_try(s->f, (uint32_t)site + 1, &s->references[site], &c.q, &s->a, &v);
        if (v.outcome == DIFFERENT)
            differential_fail(&c, &v);
        arena_reset(&of_question);
    }
    arena_fini(&of_question);
    return n;
}

static void
test_same_as_the_reference(void **state)
{
    struct random r = {(uint64_t)from_environment("CORONG_SEED", 20260801)};
    long wanted = from_environment("CORONG_CASES", 50000);
    struct store_case s;

    (void)state;
    for (long n = 0, tried = 0; n < wanted && tried < 1000; tried++) {
        open_store_case(&s, &r);
        for (int is_merged = 0; is_merged < 2; is_merged++) {
            for (int site = 0; site < SITES_PER_STORE; site++)
                n += ask_site(&s, &r, site, is_merged == 1);
            differential_merge(s.f);
        }
        close_store_case(&s);
    }
    print_message("visitors were counted where they lie in %ld reports, of several runs in %ld\n",
                  differential_n_plain, differential_n_several);
    if (wanted >= 1000) { /* enough to say so */
        assert_true(differential_n_plain > wanted / 20);
        assert_true(differential_n_several > wanted / 200);
    }
}

/* ---- A breakdown of more values than the engine sums up at once ---- */

#define MANY_VALUES   2100
#define MANY_VISITORS 2400

static void
many_values_site(struct arena *a, struct random_site *out)
{
    *out = (struct random_site){.n = MANY_VISITORS,
                                .events = ARENA_ARRAY(a, struct site_event, MANY_VISITORS)};
    for (int i = 0; i < MANY_VISITORS; i++) {
        struct event *e = &out->events[i].event;

        *e = event_of(1, "", "x", i % 3 == 0 ? "b" : "a", JUNE_2026_MS + i % 7 * DAY_MS);
        e->visitor = arena_printf(a, "v%d", i);
        e->properties = ARENA_NEW(a, struct event_property);
        e->properties[0] =
            (struct event_property){SLICE("size"), arena_printf(a, "%d", i * 11 % MANY_VALUES)};
        e->n_properties = 1;
        out->events[i].flush = i % SITE_FLUSHES;
    }
}

static struct question
many_values_question(struct arena *a)
{
    struct question q = {.n_stages = 2,
                         .window_ms = DAY_MS,
                         .timezone = "UTC",
                         .n_breakdowns = 1,
                         .limit = 3,
                         .figure = "entered"};

    for (int i = 0; i < 2; i++) {
        struct question_rule *rule = ARENA_NEW(a, struct question_rule);

        *rule = (struct question_rule){
            .kind = QUESTION_TEST, .op = "is", .n_values = 1, .values = {i == 0 ? "a" : "b"}};
        assert_true(attribute_find(SLICE("event"), &rule->attribute));
        q.stages[i] = (struct question_stage){rule, -1};
    }
    q.breakdowns[0].at = ENTRY;
    assert_true(attribute_find(SLICE("properties.size"), &q.breakdowns[0].attribute));
    q.compare = WITH_RANGE;
    q.is_full_age = true;
    q.compare_from = (struct question_moment){.is_given = true, .ms = JUNE_2026_MS};
    q.compare_to = (struct question_moment){.is_given = true, .ms = JUNE_2026_MS + 3 * DAY_MS};
    return q;
}

static void
test_more_values_than_are_summed_up_at_once(void **state)
{
    struct fixture *f = *state;
    struct question q = many_values_question(&f->arena);
    struct failing c = {.merge_after = 1};
    struct verdict v;

    many_values_site(&f->arena, &c.site);
    c.q = q;
    assert_int_equal(differential_case(&c, &v), PRESETS);
    if (v.outcome == DIFFERENT)
        fail_msg("%s", v.words);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_the_reference),
        cmocka_unit_test_setup_teardown(test_more_values_than_are_summed_up_at_once, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
