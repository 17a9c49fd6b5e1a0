/* Counts, values and other questions against the reference, over random sites as real segments. And
 * what the specification says of them: a count of visitors (sessions) equals `entered` of an open
 * funnel (of sessions) whose first stage any event matches.
 *
 * CORONG_CASES says how many questions are asked, CORONG_SEED which.
 */
#include "aggregator/query_count.h"
#include "tests/property/differential.h"
#include "tests/property/reference_count.h"

#define SITES_PER_STORE    8
#define QUESTIONS_PER_SITE 60

static long
from_environment(const char *name, long otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtol(text, NULL, 10) : otherwise;
}

/* ---- Questions ---- */

static struct question_rule *
rule_of_event(const char *op, const char *value, struct arena *a)
{
    struct question_rule *rule = ARENA_NEW(a, struct question_rule);

    rule->kind = QUESTION_TEST;
    rule->op = op;
    rule->n_values = value != NULL;
    rule->values[0] = value;
    assert_true(attribute_find(SLICE("event"), &rule->attribute));
    return rule;
}

/* A random report's question as one of a count: there is one stage. */
static void
random_count(struct random *r, const struct random_site *site, struct arena *a,
             struct count_question *out)
{
    static const char *const names[] = {"sale", "sale", "a", "nothing"};
    struct question *q = &out->q;

    random_question(r, site, a, q);
    *out = (struct count_question){.q = *q, .value_of = names[random_below(r, 4)]};
    q->n_stages = 2;
    q->n_exclusions = 0;
    if (random_chance(r, 40))
        q->n_filters = 0; /* what visitors are counted where they lie for */
    q->stages[0] = (struct question_stage){rule_of_event("set", NULL, a), -1};
    q->stages[1] = (struct question_stage){rule_of_event("is", "none has this name", a), -1};
    for (int i = 0; i < q->n_filters; i++)
        q->filters[i].stage = q->filters[i].at == OF_STAGE || q->filters[i].at == OF_VISIT ? 1 : 0;
    for (int i = 0; i < q->n_breakdowns; i++) {
        q->breakdowns[i].stage = q->breakdowns[i].at == OF_STAGE ? 1 : 0;
        if (random_chance(r, 60))
            q->breakdowns[i].at = EVERY;
    }
    out->is_by_hour = q->trend == BY_DAY && random_chance(r, 60);
}

/* ---- The engine's answers ---- */

struct asked {
    struct request request;
    struct query_count count;
};

/* One way after the other: by one thread or several, and with every visitor as any other. */
static const struct asked_way {
    int n_threads;
    bool is_general;
} ways[] = {{.n_threads = 1}, {.n_threads = 3}, {.n_threads = 2, .is_general = true}};
#define N_WAYS (sizeof ways / sizeof *ways)

static unsigned next_way;
static long n_lying; /* questions of which some visitor was counted where he lies */

static enum err_code
ask_init(struct asked *q, uint32_t site, const struct count_question *cq, struct err *err)
{
    struct buffer text = BUFFER_EMPTY;
    json_t *json;
    enum err_code rc;

    request_init(&q->request);
    q->request.is_count = true;
    q->count = (struct query_count){.site = site,
                                    .request = &q->request,
                                    .n_threads = ways[next_way % N_WAYS].n_threads,
                                    .is_general = ways[next_way % N_WAYS].is_general};
    next_way++;
    question_add_request(&text, &cq->q);
    json = json_loadb(text.p, text.n, 0, NULL);
    json_object_set_new(json, "value_of", json_string(cq->value_of));
    json_object_set_new(json, "count", json_string(cq->q.of_sessions ? "sessions" : "visitors"));
    json_object_set_new(json, "window", json_sprintf("%lldms", (long long)cq->q.window_ms));
    if (cq->is_by_hour)
        json_object_set_new(json, "trend", json_string("hour"));
    rc = request_read_json(&q->request, json, NULL, err);
    if (rc == ERR_OK)
        rc = request_finish(&q->request, SLICE("UTC"), REFERENCE_NOW_MS, err);
    json_decref(json);
    buffer_fini(&text);
    return rc;
}

/* Only what the reference knows of too. */
static void
keep_known(json_t *answer, const json_t *expected)
{
    const char *key;
    json_t *value;
    void *next;

    json_object_foreach_safe(answer, next, key, value)
    {
        if (json_object_get(expected, key) == NULL)
            json_object_del(answer, key);
        else if (strcmp(key, "compare") == 0)
            keep_known(value, json_object_get(expected, key));
    }
}

static void
fail_with(const struct count_question *cq, const json_t *expected, const json_t *actual)
{
    struct buffer text = BUFFER_EMPTY;

    question_add_request(&text, &cq->q);
    fail_msg("%.*s\n(sessions %d, window %lld ms, by hour %d, value of %s)\nreference: %s\nengine:"
             "    %s",
             (int)text.n, text.p, cq->q.of_sessions, (long long)cq->q.window_ms, cq->is_by_hour,
             cq->value_of, json_dumps(expected, JSON_SORT_KEYS),
             json_dumps(actual, JSON_SORT_KEYS));
}

static void
compare_count(struct fixture *f, uint32_t site, const struct reference_site *reference,
              const struct count_question *cq, struct arena *a)
{
    struct buffer text = BUFFER_EMPTY;
    struct count_answer answer;
    json_t *expected, *actual;
    struct err err = ERR_NONE;
    struct asked q;

    assert_ok(ask_init(&q, site, cq, &err));
    assert_ok(query_count(f->pool, &q.count, &answer, &err));
    n_lying += answer.main.n_lying > 0;
    buffer_add_char(&text, '{');
    count_add_members(&text, &answer, &q.request);
    buffer_add_char(&text, '}');
    actual = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(actual);
    expected = reference_count(reference, cq, a);
    keep_known(actual, expected);
    if (!json_equal(actual, expected))
        fail_with(cq, expected, actual);
    json_decref(actual);
    json_decref(expected);
    count_answer_fini(&answer);
    request_fini(&q.request);
    buffer_fini(&text);
}

/* ---- "A `count` of visitors equals `entered` of an open funnel whose first stage matches any
 * event" ---- */

/* A funnel's counted path ends with its first event where nothing matches a second stage, that of a
 * count with its last: these two filters look at different stretches. */
static bool
asks_the_way(const struct question *q)
{
    for (int i = 0; i < q->n_filters; i++)
        if (q->filters[i].at == FIRST || q->filters[i].at == LAST)
            return true;
    return false;
}

static void
compare_entered(struct fixture *f, uint32_t site, const struct count_question *cq)
{
    struct question of_funnel = cq->q;
    struct count_answer answer;
    struct asking asking;
    struct err err = ERR_NONE;
    struct asked q;
    int64_t counted;

    if (asks_the_way(&cq->q))
        return;
    of_funnel.n_breakdowns = 0;
    of_funnel.figure = "entered";
    of_funnel.figure_stage = 0;
    assert_ok(ask_init(&q, site, cq, &err));
    assert_ok(query_count(f->pool, &q.count, &answer, &err));
    assert_ok(differential_ask(f, site, &of_funnel, &ASKING_LISTS, &asking, &err));
    counted = cq->q.of_sessions ? answer.main.total.sessions : answer.main.total.visitors;
    if (counted != asking.answer.reports[0].total.entered)
        fail_msg("a count of %lld, but %lld entered", (long long)counted,
                 (long long)asking.answer.reports[0].total.entered);
    for (size_t i = 0; i < answer.main.n_points && !cq->is_by_hour; i++) {
        const struct count_sums *s = &answer.main.points[i].sums;

        assert_int_equal(cq->q.of_sessions ? s->sessions : s->visitors,
                         tally_entered(asking.answer.reports[0].parts.points[i].tally));
    }
    asking_fini(&asking);
    count_answer_fini(&answer);
    request_fini(&q.request);
}

/* ---- Values ---- */

static void
compare_values(struct fixture *f, uint32_t site, const struct reference_site *reference,
               struct count_question cq, struct random *r, struct arena *a)
{
    static const char *const attributes[] = {"event", "path", "country", "channel", "landing"};
    static const char *const prefixes[] = {"", "", "/p", "d"};
    struct slice prefix = slice_from(prefixes[random_below(r, 4)]);
    size_t limit = 1 + (size_t)random_below(r, 4), n = 0, n_all = 0;
    struct report_about about;
    struct count_value *values = NULL;
    json_t *expected, *actual = json_array();
    struct err err = ERR_NONE;
    struct asked q;

    cq.q.n_breakdowns = 1;
    cq.q.compare = NO_COMPARE;
    cq.q.trend = NO_TREND;
    cq.is_by_hour = false;
    cq.q.limit = (int)limit;
    cq.q.breakdowns[0] = (struct question_breakdown){.at = EVERY};
    assert_true(
        attribute_find(slice_from(attributes[random_below(r, 5)]), &cq.q.breakdowns[0].attribute));
    assert_ok(ask_init(&q, site, &cq, &err));
    assert_ok(query_count_values(f->pool, &q.count, prefix, a, &values, &n, &n_all, &about, &err));
    for (size_t i = 0; i < n; i++)
        json_array_append_new(actual, json_pack("[s%,I,I]", values[i].value.p, values[i].value.n,
                                                (json_int_t)values[i].visitors,
                                                (json_int_t)values[i].events));
    expected = reference_values(reference, &cq, prefix, a);
    assert_int_equal(json_array_size(expected), n_all);
    while (json_array_size(expected) > limit)
        json_array_remove(expected, json_array_size(expected) - 1);
    if (!json_equal(actual, expected))
        fail_with(&cq, expected, actual);
    json_decref(actual);
    json_decref(expected);
    request_fini(&q.request);
}

/* ---- Many cases ---- */

struct store_case {
    struct fixture *f;
    struct random_site sites[SITES_PER_STORE];
    struct reference_site references[SITES_PER_STORE];
    struct segment_owner owner;
};

/* Some sales are of the same order, some of none. */
static void
give_orders(struct random *r, struct random_site *site, struct arena *a)
{
    for (size_t i = 0; i < site->n; i++)
        if (slice_is(site->events[i].event.text[TEXT_EVENT], "sale") && random_chance(r, 80))
            site->events[i].event.text[TEXT_ORDER] = arena_printf(a, "o%d", random_below(r, 8));
}

static void
open_store_case(struct store_case *s, struct random *r)
{
    void *state;

    fixture_setup(&state);
    s->f = state;
    s->owner = store_owner(&s->f->store);
    for (int i = 0; i < SITES_PER_STORE; i++) {
        struct random_site *site = &s->sites[i];
        struct event *events;

        random_site(r, (uint32_t)i + 1, &s->f->arena, site);
        give_orders(r, site, &s->f->arena);
        events = ARENA_ARRAY(&s->f->arena, struct event, site->n);
        for (size_t k = 0; k < site->n; k++)
            events[k] = site->events[k].event;
        reference_site(&s->owner, events, site->n, &s->f->arena, &s->references[i]);
    }
    differential_write(s->f, s->sites, SITES_PER_STORE, random_below(r, SITE_FLUSHES + 2));
}

static long
ask_site(struct store_case *s, struct random *r, int site)
{
    struct arena a;
    long n = 0;

    arena_init(&a, 1 << 20);
    for (int i = 0; i < QUESTIONS_PER_SITE; i++, n++) {
        struct count_question cq;
        uint32_t number = (uint32_t)site + 1;

        random_count(r, &s->sites[site], &a, &cq);
        next_way += (unsigned)random_below(r, N_WAYS);
        compare_count(s->f, number, &s->references[site], &cq, &a);
        compare_entered(s->f, number, &cq);
        compare_values(s->f, number, &s->references[site], cq, r, &a);
        arena_reset(&a);
    }
    arena_fini(&a);
    return n;
}

static void
test_same_as_the_reference(void **state)
{
    struct random r = {(uint64_t)from_environment("CORONG_SEED", 1)};
    long wanted = from_environment("CORONG_CASES", 3000);

    (void)state;
    for (long n = 0; n < wanted;) {
        struct store_case s;
        void *f;

        open_store_case(&s, &r);
        for (int site = 0; site < SITES_PER_STORE; site++)
            n += ask_site(&s, &r, site);
        f = s.f;
        fixture_teardown(&f);
    }
    if (wanted >= 1000)
        assert_true(n_lying > wanted / 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_the_reference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
