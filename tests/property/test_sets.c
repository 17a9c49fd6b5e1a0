/* What followed, what sets people apart, and finding people: the engine against the reference, over
 * random sites as real segments and random funnels.
 *
 * CORONG_CASES says how many questions of each are asked, CORONG_SEED which.
 */
#include "aggregator/query_contrast.h"
#include "aggregator/query_next.h"
#include "aggregator/query_search.h"
#include "tests/property/differential.h"
#include "tests/property/reference_sets.h"

#define SITES_PER_STORE    8
#define QUESTIONS_PER_SITE 40
#define PLACES             6

static long
from_environment(const char *name, long otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtol(text, NULL, 10) : otherwise;
}

/* ---- A question ---- */

struct asked {
    struct fixture *f;
    uint32_t site;
    const struct reference_site *reference;
    struct question q;
    struct funnel *funnel;
    struct request request;
    struct arena *a;
};

static void
ask_init(struct asked *x)
{
    struct buffer definition = BUFFER_EMPTY, text = BUFFER_EMPTY;
    struct err err = ERR_NONE;
    json_t *json;

    x->q.n_breakdowns = 0;
    x->q.trend = NO_TREND;
    x->q.compare = NO_COMPARE;
    question_add_definition(&definition, &x->q);
    question_add_request(&text, &x->q);
    request_init(&x->request);
    json = json_loadb(text.p, text.n, 0, NULL);
    assert_ok(funnel_parse(buffer_slice(&definition), &x->funnel, &err));
    assert_ok(request_read_json(&x->request, json, NULL, &err));
    assert_ok(request_finish(&x->request, SLICE("UTC"), REFERENCE_NOW_MS, &err));
    x->request.limit = REQUEST_LIMIT_MAX;
    json_decref(json);
    buffer_fini(&definition);
    buffer_fini(&text);
}

static void
ask_fini(struct asked *x)
{
    funnel_destroy(&x->funnel);
    request_fini(&x->request);
}

static void
expect(const struct asked *x, const char *what, const json_t *expected, const json_t *actual)
{
    struct buffer text = BUFFER_EMPTY;

    if (json_equal(expected, actual))
        return;
    question_add_definition(&text, &x->q);
    buffer_add_char(&text, '\n');
    question_add_request(&text, &x->q);
    fail_msg("%s\n%.*s\nreference: %s\nengine:    %s", what, (int)text.n, text.p,
             json_dumps(expected, JSON_SORT_KEYS), json_dumps(actual, JSON_SORT_KEYS));
}

/* A figure of counted paths; for next one that says which visit. */
static struct reference_set
random_set(struct random *r, const struct question *q, bool for_next)
{
    static const char *const of_stage[] = {"reached",   "entries", "exits",     "onward",
                                           "converted", "skipped", "throughput"};
    static const char *const of_report[] = {"entered", "converted", "began_before", "after_range"};
    struct reference_set set = {of_report[random_below(r, 4)], 0};

    if (random_chance(r, 70))
        set = (struct reference_set){of_stage[random_below(r, for_next ? 5 : 7)],
                                     1 + random_below(r, q->n_stages)};
    return set;
}

static struct figure_place
place_of(const struct asked *x, struct reference_set set)
{
    struct figure_place place;
    struct err err = ERR_NONE;

    assert_ok(figure_find(slice_from(set.figure), set.stage, x->q.n_stages, &place, &err));
    return place;
}

static const char *
text_of(struct slice value, struct arena *a)
{
    return value.n > 0 ? arena_cstr(a, value) : "-";
}

/* ---- next ---- */

static json_t *
rows_of(const struct next_rows *rows, int n_values, struct arena *a)
{
    json_t *out = json_object();

    for (size_t i = 0; i < rows->n; i++) {
        struct slice key = SLICE_EMPTY;

        assert_false(rows->list[i].is_other);
        assert_true(i == 0 || rows->list[i - 1].n >= rows->list[i].n);
        for (int k = 0; k < n_values; k++)
            key = arena_printf(a, "%.*s %s", SLICE_ARG(key), text_of(rows->list[i].values[k], a));
        json_object_set_new(out, arena_cstr(a, key), json_integer(rows->list[i].n));
    }
    return out;
}

static void
compare_next(struct asked *x, struct random *r)
{
    static const char *const names[] = {"event", "event", "path", "channel", "properties.size"};
    struct reference_set set = random_set(r, &x->q, true);
    struct query_next next = {.site = x->site,
                              .funnel = x->funnel,
                              .request = &x->request,
                              .figure = place_of(x, set),
                              .steps = 1 + random_below(r, 3)};
    struct next_answer answer;
    json_t *expected, *actual;
    struct err err = ERR_NONE;

    assert_true(attribute_find(slice_from(names[random_below(r, 5)]), &next.attribute));
    expected = reference_next(x->reference, &x->q, set, &next.attribute, next.steps, x->a);
    if (expected == NULL)
        return;
    assert_ok(query_next(x->f->pool, &next, x->a, &answer, &err));
    actual =
        json_pack("{s:I,s:o,s:o}", "n", (json_int_t)answer.n, "next",
                  rows_of(&answer.next, next.steps, x->a), "last", rows_of(&answer.last, 1, x->a));
    expect(x, set.figure, expected, actual);
    json_decref(expected);
    json_decref(actual);
}

/* ---- contrast ---- */

/* All of the reference's rows in which a has the larger share; shares as whole numbers. */
static json_t *
larger_rows(json_t *expected)
{
    json_int_t a = json_integer_value(json_object_get(expected, "a"));
    json_int_t b = json_integer_value(json_object_get(expected, "b"));
    json_t *out = json_object(), *row;
    const char *key;

    json_object_foreach(json_object_get(expected, "rows"), key, row)
    {
        json_int_t of_a = json_integer_value(json_array_get(row, 0));
        json_int_t of_b = json_integer_value(json_array_get(row, 1));

        if (of_a * b > of_b * a)
            json_object_set(out, key, row);
    }
    return out;
}

static void
random_places(struct random *r, const struct question *q, struct question_breakdown *places,
              struct request_breakdown *asked)
{
    static const char *const names[PLACES] = {"country", "event",  "channel",
                                              "path",    "device", "landing"};

    for (int i = 0; i < PLACES; i++) {
        places[i] = (struct question_breakdown){
            .at = (enum question_at[]){ENTRY, FIRST, LAST, ANY, OF_STAGE}[random_below(r, 5)]};
        places[i].stage = places[i].at == OF_STAGE ? 1 + random_below(r, q->n_stages) : 0;
        assert_true(attribute_find(slice_from(names[i]), &places[i].attribute));
        asked[i] = (struct request_breakdown){.attribute = places[i].attribute,
                                              .at = places[i].at == ENTRY   ? AT_ENTRY
                                                    : places[i].at == FIRST ? AT_FIRST
                                                    : places[i].at == LAST  ? AT_LAST
                                                    : places[i].at == ANY   ? AT_ANY
                                                                            : AT_STAGE,
                                              .stage = places[i].stage};
    }
}

static void
compare_contrast(struct asked *x, struct random *r)
{
    struct reference_set sets[2] = {random_set(r, &x->q, false), random_set(r, &x->q, false)};
    struct question_breakdown places[PLACES];
    struct request_breakdown asked[PLACES];
    struct query_contrast contrast = {.site = x->site,
                                      .funnel = x->funnel,
                                      .request = &x->request,
                                      .a = place_of(x, sets[0]),
                                      .b = place_of(x, sets[1]),
                                      .n_attributes = PLACES,
                                      .attributes = asked};
    struct contrast_answer answer;
    json_t *expected, *larger, *actual;
    struct err err = ERR_NONE;

    random_places(r, &x->q, places, asked);
    expected = reference_contrast(x->reference, &x->q, sets, places, PLACES, x->a);
    if (expected == NULL)
        return;
    actual = json_object();
    assert_ok(query_contrast(x->f->pool, &contrast, x->a, &answer, &err));
    assert_int_equal(answer.n[0], json_integer_value(json_object_get(expected, "a")));
    assert_int_equal(answer.n[1], json_integer_value(json_object_get(expected, "b")));
    assert_int_equal(answer.n_rows, answer.n_all);
    for (size_t i = 0; i < answer.n_rows; i++) {
        const struct contrast_row *row = &answer.rows[i];
        struct slice key = arena_printf(x->a, "%zu %s", row->attribute, text_of(row->value, x->a));

        assert_true(i == 0 || answer.rows[i - 1].score >= row->score);
        json_object_set_new(actual, arena_cstr(x->a, key),
                            json_pack("[I,I]", (json_int_t)row->n[0], (json_int_t)row->n[1]));
    }
    larger = larger_rows(expected);
    expect(x, "contrast", larger, actual);
    json_decref(larger);
    json_decref(expected);
    json_decref(actual);
}

/* ---- search ---- */

static void
compare_search(struct asked *x, struct random *r)
{
    struct reference_set set = random_set(r, &x->q, false);
    struct figure_place place = place_of(x, set);
    bool has_figure = random_chance(r, 60);
    struct query_search search = {.site = x->site,
                                  .funnel = x->funnel,
                                  .request = &x->request,
                                  .figure = has_figure ? &place : NULL,
                                  .limit = SEARCH_PLACES_MAX};
    struct search_answer answer;
    json_t *expected, *actual;
    struct err err = ERR_NONE;
    size_t skip;

    expected = reference_search(x->reference, &x->q, has_figure ? &set : NULL, x->a);
    if (expected == NULL)
        return;
    actual = json_object();
    assert_ok(query_search(x->f->pool, &search, &answer, &err));
    for (size_t i = 0; i < answer.n; i++) {
        const struct search_visitor *v = &answer.list[i];

        assert_true(i == 0 || answer.list[i - 1].last_ms >= v->last_ms);
        json_object_set_new(actual, arena_cstr(x->a, v->visitor),
                            json_pack("[i,I,I,I,I]", v->stage, (json_int_t)v->first_ms,
                                      (json_int_t)v->last_ms, (json_int_t)v->sums.sessions,
                                      (json_int_t)v->sums.events));
    }
    assert_int_equal(answer.n_all, answer.n);
    expect(x, has_figure ? set.figure : "chosen", expected, actual);
    /* a page is a part of the whole */
    skip = answer.n == 0 ? 0 : (size_t)random_below(r, (int)answer.n);
    search.skip = skip;
    search.limit = 2;
    {
        struct search_answer page;

        assert_ok(query_search(x->f->pool, &search, &page, &err));
        assert_int_equal(page.n, answer.n - skip < 2 ? answer.n - skip : 2);
        for (size_t i = 0; i < page.n; i++)
            assert_true(slice_equal(page.list[i].visitor, answer.list[skip + i].visitor));
        search_answer_fini(&page);
    }
    search_answer_fini(&answer);
    json_decref(expected);
    json_decref(actual);
}

/* ---- Many cases ---- */

static void
ask_site(struct fixture *f, struct random *r, uint32_t site, const struct random_site *events,
         const struct reference_site *reference)
{
    struct arena a;

    arena_init(&a, 1 << 20);
    for (int i = 0; i < QUESTIONS_PER_SITE; i++) {
        struct asked x = {.f = f, .site = site, .reference = reference, .a = &a};

        random_question(r, events, &a, &x.q);
        ask_init(&x);
        compare_next(&x, r);
        compare_contrast(&x, r);
        compare_search(&x, r);
        ask_fini(&x);
        arena_reset(&a);
    }
    arena_fini(&a);
}

static void
test_same_as_the_reference(void **state)
{
    struct random r = {(uint64_t)from_environment("CORONG_SEED", 1)};
    long wanted = from_environment("CORONG_CASES", 3000);

    (void)state;
    for (long n = 0; n < wanted; n += (long)SITES_PER_STORE * QUESTIONS_PER_SITE) {
        struct random_site sites[SITES_PER_STORE];
        struct reference_site references[SITES_PER_STORE];
        struct segment_owner owner;
        struct fixture *f;
        void *setup;

        fixture_setup(&setup);
        f = setup;
        owner = store_owner(&f->store);
        for (int i = 0; i < SITES_PER_STORE; i++) {
            struct event *events;

            random_site(&r, (uint32_t)i + 1, &f->arena, &sites[i]);
            events = ARENA_ARRAY(&f->arena, struct event, sites[i].n);
            for (size_t k = 0; k < sites[i].n; k++)
                events[k] = sites[i].events[k].event;
            reference_site(&owner, events, sites[i].n, &f->arena, &references[i]);
        }
        differential_write(f, sites, SITES_PER_STORE, random_below(&r, SITE_FLUSHES + 2));
        for (int i = 0; i < SITES_PER_STORE; i++)
            ask_site(f, &r, (uint32_t)i + 1, &sites[i], &references[i]);
        fixture_teardown(&setup);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_the_reference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
