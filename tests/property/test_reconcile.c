/* Reconciliations over random sites as real segments: the parts add up to the difference in orders
 * and in every currency, what is counted is what the report says under each preset, and what is
 * received is what a count of all sales, less the refunds, says.
 *
 * CORONG_CASES says how many questions are asked, CORONG_SEED which.
 */
#include "aggregator/query_reconcile.h"
#include "tests/property/differential.h"

#define SITES_PER_STORE    6
#define QUESTIONS_PER_SITE 20

static long
from_environment(const char *name, long otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtol(text, NULL, 10) : otherwise;
}

/* ---- Sums ---- */

static void
add_sums(struct count_sums *into, const struct count_sums *s, int sign, struct arena *a)
{
    into->orders += sign * s->orders;
    for (int i = 0; i < s->n_values; i++) {
        struct tally_value value = {(int64_t)s->values[i].units * sign, i};

        if (s->values[i].n != 0)
            count_sums_add_value(into, &value, a);
    }
}

static void
expect_equal(const char *what, const struct count_sums *x, const struct count_sums *y)
{
    int n = x->n_values > y->n_values ? x->n_values : y->n_values;

    if (x->orders != y->orders)
        fail_msg("%s: %lld orders, not %lld", what, (long long)x->orders, (long long)y->orders);
    for (int i = 0; i < n; i++) {
        __int128 mine = i < x->n_values ? x->values[i].units : 0;
        __int128 theirs = i < y->n_values ? y->values[i].units : 0;

        if (mine != theirs)
            fail_msg("%s: %lld of currency %d, not %lld", what, (long long)mine, i,
                     (long long)theirs);
    }
}

/* Numbers of currencies are a walk's own: compared as text. */
static void
expect_money(const char *what, const struct count_sums *mine, const struct tally *currencies,
             const struct buffer *theirs)
{
    struct buffer text = BUFFER_EMPTY;

    tally_add_sums_json(currencies, mine->values, mine->n_values, &text);
    if (!slice_equal(buffer_slice(&text), buffer_slice(theirs)))
        fail_msg("%s: %.*s, not %.*s", what, SLICE_ARG(buffer_slice(&text)),
                 SLICE_ARG(buffer_slice(theirs)));
    buffer_fini(&text);
}

/* ---- Must be true ---- */

static void
check_parts(const struct reconcile_answer *r, struct arena *a)
{
    struct count_sums parts = {.orders = 0}, difference = {.orders = 0};

    for (int i = 0; i < RECONCILE_PARTS; i++)
        add_sums(&parts, &r->parts[i], 1, a);
    add_sums(&difference, &r->received, 1, a);
    add_sums(&difference, &r->counted, -1, a);
    expect_equal("parts", &parts, &difference);
    for (int i = 0; i < RECONCILE_REFUNDS; i++)
        assert_true(r->parts[i].orders >= 0);
    assert_int_equal(r->parts[RECONCILE_REFUNDS].orders, 0);
}

static void
check_counted(const struct reconcile_answer *r, const struct report *report)
{
    int last = report->funnel->n_stages - 1;
    struct buffer value = BUFFER_EMPTY;

    assert_int_equal(r->counted.orders, report->total.stages[last].reached);
    tally_add_value_json(report->total.tally, last, &value);
    expect_money("counted", &r->counted, r->enquiry->currencies, &value);
    buffer_fini(&value);
}

/* All of one name in the range, bots included, by the question that counts. */
static void
count_named(struct fixture *f, uint32_t site, const struct request *like, const char *name,
            struct count_answer *out, struct request *request)
{
    struct query_count count = {.site = site, .request = request};
    struct err err = ERR_NONE;
    json_t *json;

    request_init(request);
    request->is_count = true;
    json = json_pack("{s:s,s:s,s:[{s:s,s:{s:s,s:s,s:[s]}}]}", "bots", "include", "value_of", name,
                     "filters", "at", "every", "rule", "attribute", "event", "op", "is", "values",
                     name);
    assert_ok(request_read_json(request, json, NULL, &err));
    json_decref(json);
    assert_ok(request_finish(request, SLICE("UTC"), REFERENCE_NOW_MS, &err));
    request->range = like->range;
    request->as_of_ms = like->as_of_ms;
    assert_ok(query_count(f->pool, &count, out, &err));
}

static void
check_received(struct fixture *f, uint32_t site, const struct reconcile_answer *r,
               const struct request *like, struct arena *a)
{
    struct request sales_request, refunds_request;
    struct count_answer sales, refunds;
    struct count_sums gross = {.orders = 0}, back = {.orders = 0};
    struct buffer value = BUFFER_EMPTY;

    count_named(f, site, like, "sale", &sales, &sales_request);
    count_named(f, site, like, "refund", &refunds, &refunds_request);
    assert_int_equal(r->received.orders, sales.main.total.events);
    assert_int_equal(r->n_refunds, refunds.main.total.events);
    add_sums(&gross, &r->received, 1, a);
    add_sums(&gross, &r->parts[RECONCILE_REFUNDS], -1, a);
    add_sums(&back, &r->parts[RECONCILE_REFUNDS], -1, a);
    /* what adds up to nothing is written by the one and not by the other */
    for (int i = 0; i < gross.n_values; i++)
        gross.values[i].n = gross.values[i].units != 0;
    for (int i = 0; i < sales.main.total.n_values; i++)
        sales.main.total.values[i].n = sales.main.total.values[i].units != 0;
    tally_add_sums_json(sales.main.enquiry->currencies, sales.main.total.values,
                        sales.main.total.n_values, &value);
    expect_money("received", &gross, r->enquiry->currencies, &value);
    buffer_clear(&value);
    tally_add_sums_json(refunds.main.enquiry->currencies, refunds.main.total.values,
                        refunds.main.total.n_values, &value);
    expect_money("refunds", &back, r->enquiry->currencies, &value);
    buffer_fini(&value);
    count_answer_fini(&sales);
    count_answer_fini(&refunds);
    request_fini(&sales_request);
    request_fini(&refunds_request);
}

static int64_t met[RECONCILE_PARTS]; /* orders, over all questions: every part is to be seen */

static void
check(struct fixture *f, uint32_t site, const struct question *q, struct arena *a)
{
    struct asking asking;
    struct err err = ERR_NONE;

    assert_ok(differential_ask(f, site, q, &ASKING_LISTS, &asking, &err));
    for (int i = 0; i < asking.answer.n_reports; i++) {
        struct query_reconcile query = {
            .site = site, .funnel = asking.funnel, .request = &asking.request};
        struct reconcile_answer r;

        asking.funnel->preset = asking.answer.reports[i].preset;
        assert_ok(query_reconcile(f->pool, &query, &r, &err));
        check_parts(&r, a);
        check_counted(&r, &asking.answer.reports[i]);
        if (i == 0)
            check_received(f, site, &r, &asking.request, a);
        for (int k = 0; k < RECONCILE_PARTS; k++)
            met[k] += r.parts[k].orders;
        met[RECONCILE_REFUNDS] += r.n_refunds;
        reconcile_fini(&r);
    }
    asking_fini(&asking);
}

/* ---- Many cases ---- */

/* Orders that several visitors tell of, and refunds. */
static void
make_shop(struct random *r, struct random_site *site, struct arena *a)
{
    for (size_t i = 0; i < site->n; i++) {
        struct event *e = &site->events[i].event;

        if (slice_is(e->text[TEXT_EVENT], "b") && random_chance(r, 40))
            e->text[TEXT_EVENT] = SLICE("refund");
        else if (slice_is(e->text[TEXT_EVENT], "c") && random_chance(r, 60))
            e->text[TEXT_EVENT] = SLICE("sale");
        if (slice_is(e->text[TEXT_EVENT], "sale") && random_chance(r, 70))
            e->text[TEXT_ORDER] = arena_printf(a, "o%d", random_below(r, 12));
    }
}

/* Mostly the last stage is the sale, as in shops. */
static void
end_with_sale(struct random *r, struct question *q, struct arena *a)
{
    struct question_rule *rule = ARENA_NEW(a, struct question_rule);

    if (random_chance(r, 20))
        return;
    rule->kind = QUESTION_TEST;
    rule->op = "is";
    rule->n_values = 1;
    rule->values[0] = "sale";
    assert_true(attribute_find(SLICE("event"), &rule->attribute));
    q->stages[q->n_stages - 1].rule = rule;
    for (int i = 0; i < q->n_filters; i++) /* a stage that shares its rule is not narrowed */
        if (q->filters[i].at == OF_STAGE)
            q->filters[i] = (struct question_filter){q->filters[i].rule, ANY, 0};
}

static long
ask_store(struct random *r)
{
    struct random_site sites[SITES_PER_STORE];
    struct fixture *f;
    struct arena a;
    void *state;
    long n = 0;

    fixture_setup(&state);
    f = state;
    arena_init(&a, 1 << 20);
    for (int i = 0; i < SITES_PER_STORE; i++) {
        random_site(r, (uint32_t)i + 1, &f->arena, &sites[i]);
        make_shop(r, &sites[i], &f->arena);
    }
    differential_write(f, sites, SITES_PER_STORE, random_below(r, SITE_FLUSHES + 2));
    for (int i = 0; i < SITES_PER_STORE; i++) {
        for (int k = 0; k < QUESTIONS_PER_SITE; k++, n++) {
            struct question q;

            random_question(r, &sites[i], &a, &q);
            end_with_sale(r, &q, &a);
            q.is_alone = false;
            q.n_breakdowns = 0;
            q.trend = NO_TREND;
            q.compare = NO_COMPARE;
            check(f, (uint32_t)i + 1, &q, &a);
            arena_reset(&a);
        }
    }
    arena_fini(&a);
    fixture_teardown(&state);
    return n;
}

static void
test_parts_add_up(void **state)
{
    struct random r = {(uint64_t)from_environment("CORONG_SEED", 1)};
    long wanted = from_environment("CORONG_CASES", 720);

    (void)state;
    for (long n = 0; n < wanted;)
        n += ask_store(&r);
    for (int k = 0; k < RECONCILE_PARTS; k++) {
        printf("%-14s %lld\n", reconcile_part_name((enum reconcile_part)k), (long long)met[k]);
        assert_int_not_equal(met[k], 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
