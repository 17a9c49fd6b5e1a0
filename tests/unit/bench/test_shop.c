/* The generator: the same events everywhere, fit to be stored, and the story of docs/demo.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bench/demo.h"
#include "core/arena.h"
#include "core/hash.h"

#define DAY_MS         INT64_C(86400000)
#define WEEK_MS        (7 * DAY_MS)
#define NOW_MS         INT64_C(1795410000000) /* Monday 2026-11-23, 13:00 in Singapore */
#define WEEKS          13
#define N_VISITORS_MAX 65536 /* of the demonstration, by slot of a hash table */

/* ---- what was generated, kept by visitor ---- */

struct person {
    uint64_t key; /* 0: free */
    bool is_phone;
    bool saw_product;
    bool took;
    bool checked_out;
    bool is_reader; /* came by the newsletter, and by nothing before it */
    bool came_by_burst;
    int sales;
};

struct tally {
    struct bench_shop_config config;
    uint64_t hash;
    uint64_t events;
    int64_t newest_ms;
    int64_t worst_disorder_ms;
    int checkouts[WEEKS][2]; /* by week; [1] on phones */
    int sales[WEEKS][2];
    int bots[WEEKS];
    int errors[WEEKS];
    int from_provider;
    int refunds;
    int calls; /* sales by telephone */
    int64_t refunded;
    int bad; /* events that are not fit to be stored */
    struct person *people;
    uint64_t *ids;
    size_t n_ids;
    size_t max_ids;
    struct arena arena;
};

static struct person *
person_of(struct tally *t, struct slice visitor)
{
    uint64_t key = hash64(visitor, 0) | 1;
    size_t i = key % N_VISITORS_MAX;

    while (t->people[i].key != 0 && t->people[i].key != key)
        i = (i + 1) % N_VISITORS_MAX;
    t->people[i].key = key;
    return &t->people[i];
}

static void
hash_event(struct tally *t, const struct event *e)
{
    uint64_t head[6] = {t->hash,   e->site,        e->flags,
                        e->origin, e->numbers_set, (uint64_t)e->time_ms};
    uint64_t h = hash64(slice_of((const char *)head, sizeof head), 0);

    h = hash64(e->visitor, hash64(e->id, h));
    for (int k = 0; k < TEXT_COUNT; k++)
        h = e->text[k].n == 0 ? h
                              : hash64(e->text[k], h + (uint64_t)k); /* new ones change nothing */
    h = hash64(slice_of((const char *)e->number, sizeof e->number), h);
    for (uint32_t i = 0; i < e->n_properties; i++)
        h = hash64(e->properties[i].value, hash64(e->properties[i].key, h));
    t->hash = h;
}

/* event_prepare must find nothing to change. */
static void
check_is_prepared(struct tally *t, const struct event *e)
{
    struct event copy = *e;

    arena_reset(&t->arena);
    if (event_prepare(&copy, &t->arena, NULL) != ERR_OK || !slice_equal(copy.id, e->id))
        t->bad++;
    for (int k = 0; k < TEXT_COUNT; k++)
        if (!slice_equal(copy.text[k], e->text[k]))
            t->bad++;
}

static void
note_id(struct tally *t, const struct event *e)
{
    if (t->n_ids == t->max_ids) {
        t->max_ids = t->max_ids ? 2 * t->max_ids : 4096;
        t->ids = mem_realloc(t->ids, t->max_ids * sizeof *t->ids);
    }
    t->ids[t->n_ids++] = hash64(e->id, hash64(e->visitor, 0));
}

static void
note_person(struct tally *t, const struct event *e, int64_t week)
{
    struct person *p = person_of(t, e->visitor);
    struct slice name = e->text[TEXT_EVENT];

    if (e->text[TEXT_DEVICE].n != 0)
        p->is_phone = slice_is(e->text[TEXT_DEVICE], "mobile");
    if (slice_is(e->text[TEXT_CAMPAIGN], "win-a-teapot"))
        p->came_by_burst = true;
    if (slice_is(e->text[TEXT_SOURCE], "newsletter"))
        p->is_reader = true;
    if (slice_contains(e->text[TEXT_PATH], SLICE("/product-")))
        p->saw_product = true;
    if (slice_is(name, "add_to_cart"))
        p->took = true;
    if (slice_is(name, "checkout")) {
        p->checked_out = true;
        t->checkouts[week][p->is_phone]++;
    }
    if (slice_is(name, "sale")) {
        p->sales++;
        t->sales[week][p->is_phone]++;
    }
}

static enum err_code
take(void *ctx, const struct event *e, struct err *err)
{
    struct tally *t = ctx;
    int64_t week = (e->time_ms - t->config.start_ms) / WEEK_MS;

    (void)err;
    assert_true(e->time_ms >= t->config.start_ms && e->time_ms < t->config.end_ms);
    assert_int_equal(e->site, t->config.site);
    hash_event(t, e);
    t->events++;
    if (t->newest_ms - e->time_ms > t->worst_disorder_ms)
        t->worst_disorder_ms = t->newest_ms - e->time_ms;
    t->newest_ms = e->time_ms > t->newest_ms ? e->time_ms : t->newest_ms;
    if (t->people == NULL)
        return ERR_OK;
    check_is_prepared(t, e);
    note_id(t, e);
    if (e->flags & EVENT_BOT) {
        assert_true(e->text[TEXT_BOT_REASON].n != 0);
        t->bots[week]++;
        return ERR_OK;
    }
    t->errors[week] += slice_is(e->text[TEXT_EVENT], "error");
    if (slice_starts_with(e->text[TEXT_REFERRER], SLICE("https://pay.example/"))) {
        assert_false(e->flags & EVENT_DRIVER);
        assert_int_equal(e->text[TEXT_SOURCE].n, 0);
        t->from_provider++;
    }
    if (slice_is(e->text[TEXT_EVENT], "sale") && e->origin == ORIGIN_SERVER) {
        assert_true(slice_starts_with(e->text[TEXT_ORDER], SLICE("T")));
        assert_int_equal(e->text[TEXT_DEVICE].n, 0);
        t->calls++;
    }
    if (slice_is(e->text[TEXT_EVENT], "refund")) {
        t->refunds++;
        t->refunded += e->number[NUMBER_VALUE];
    }
    note_person(t, e, week);
    return ERR_OK;
}

static struct tally demo; /* of one run, made once */

static int
make_demo(void **state)
{
    (void)state;
    demo.config = bench_demo_traffic(7, NOW_MS);
    demo.people = mem_zalloc(N_VISITORS_MAX * sizeof *demo.people);
    arena_init(&demo.arena, 65536);
    return bench_shop_generate(&demo.config, take, &demo, NULL, NULL) == ERR_OK ? 0 : -1;
}

static int
free_demo(void **state)
{
    (void)state;
    free(demo.people);
    free(demo.ids);
    arena_fini(&demo.arena);
    return 0;
}

static int
compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* ---- the stream as such ---- */

static void
test_same_seed_same_events(void **state)
{
    struct tally again = {.config = demo.config};
    struct tally other = {.config = demo.config};

    (void)state;
    assert_int_equal(bench_shop_generate(&again.config, take, &again, NULL, NULL), ERR_OK);
    assert_int_equal(again.events, demo.events);
    assert_true(again.hash == demo.hash);
    other.config.seed++;
    assert_int_equal(bench_shop_generate(&other.config, take, &other, NULL, NULL), ERR_OK);
    assert_true(other.hash != demo.hash);
}

/* The figures of docs/demo.md stand on these: where they change, it must be written anew. */
static void
test_events_are_those_of_the_docs(void **state)
{
    struct tally whole = {.config = demo.config};
    struct bench_shop_totals totals;

    (void)state;
    whole.config.end_ms = whole.config.start_ms + 12 * WEEK_MS;
    assert_int_equal(bench_shop_generate(&whole.config, take, &whole, &totals, NULL), ERR_OK);
    assert_int_equal(totals.events, whole.events);
    assert_int_equal(totals.events, 87273);
    assert_int_equal(totals.bot_events, 5895);
    assert_int_equal(totals.visitors, 18963);
    assert_int_equal(totals.sales, 1149);
    assert_int_equal(totals.refunds, 57);
    assert_int_equal(whole.hash, UINT64_C(0x91013012fffef0a3));
}

/* Twelve whole weeks, from a Monday: later today, tomorrow or next week gives the same, moved. */
static void
test_weeks_do_not_depend_on_the_day(void **state)
{
    struct bench_shop_config sunday = bench_demo_traffic(7, NOW_MS + 6 * DAY_MS);
    struct bench_shop_config next = bench_demo_traffic(7, NOW_MS + 7 * DAY_MS);

    (void)state;
    assert_int_equal((demo.config.start_ms + 8 * 3600000) % DAY_MS, 0);
    assert_int_equal(((demo.config.start_ms + 8 * 3600000) / DAY_MS + 3) % 7, 0);
    assert_int_equal(sunday.start_ms, demo.config.start_ms);
    assert_int_equal(next.start_ms, demo.config.start_ms + WEEK_MS);
    assert_int_equal(next.end_ms, NOW_MS + 7 * DAY_MS);
}

static void
test_events_are_fit_to_be_stored(void **state)
{
    (void)state;
    assert_in_range(demo.events, 60000, 100000);
    assert_int_equal(demo.bad, 0);
    assert_in_range(demo.worst_disorder_ms, 0, BENCH_SHOP_DISORDER_MS);
}

static void
test_ids_are_unique(void **state)
{
    (void)state;
    qsort(demo.ids, demo.n_ids, sizeof *demo.ids, compare_u64);
    for (size_t i = 1; i < demo.n_ids; i++)
        assert_true(demo.ids[i] != demo.ids[i - 1]);
}

static enum err_code
refuse_the_tenth(void *ctx, const struct event *e, struct err *err)
{
    int *n = ctx;

    (void)e;
    return ++*n == 10 ? err_set(err, ERR_FULL, NULL, "no more") : ERR_OK;
}

static void
test_an_error_ends_the_run(void **state)
{
    int n = 0;
    struct err err = ERR_NONE;

    (void)state;
    assert_int_equal(bench_shop_generate(&demo.config, refuse_the_tenth, &n, NULL, &err), ERR_FULL);
    assert_int_equal(n, 10);
    assert_string_equal(err.message, "no more");
}

static void
test_a_bad_configuration_is_refused(void **state)
{
    struct bench_shop_config c = demo.config;
    struct err err = ERR_NONE;
    int n = 0;

    (void)state;
    c.end_ms = c.start_ms - 1;
    assert_int_equal(bench_shop_generate(&c, refuse_the_tenth, &n, NULL, &err), ERR_INVALID);
    assert_string_equal(err.field, "end_ms");
    c = demo.config;
    c.visitors_per_week = (UINT64_C(1) << 30) + 1;
    assert_int_equal(bench_shop_generate(&c, refuse_the_tenth, &n, NULL, &err), ERR_INVALID);
    assert_string_equal(err.field, "visitors_per_week");
    assert_int_equal(n, 0);
}

/* ---- the story ---- */

static double
sales_per_checkout(int week, int is_phone)
{
    return (double)demo.sales[week][is_phone] / demo.checkouts[week][is_phone];
}

static void
test_checkout_on_phones_breaks_in_week_9(void **state)
{
    (void)state;
    for (int week = 0; week < 12; week++) {
        assert_true(demo.checkouts[week][1] > 40);
        assert_true(sales_per_checkout(week, 0) > 0.5);
        if (week == 8) {
            assert_true(sales_per_checkout(week, 1) < 0.12);
            assert_true(demo.errors[week] > 50);
        } else {
            assert_true(sales_per_checkout(week, 1) > 0.4);
            assert_int_equal(demo.errors[week], 0);
        }
    }
}

static void
test_one_campaign_brings_many_and_sells_nothing(void **state)
{
    int n = 0;
    int buyers = 0;

    (void)state;
    for (size_t i = 0; i < N_VISITORS_MAX; i++) {
        n += demo.people[i].came_by_burst;
        buyers += demo.people[i].came_by_burst && demo.people[i].sales > 0;
    }
    assert_true(n > 2000);
    assert_int_equal(buyers, 0);
}

static void
test_readers_skip_two_stages(void **state)
{
    int n = 0;
    int skipped = 0;
    int bought = 0;

    (void)state;
    for (size_t i = 0; i < N_VISITORS_MAX; i++) {
        const struct person *p = &demo.people[i];

        if (!p->is_reader || !p->checked_out)
            continue;
        n++;
        skipped += !p->saw_product && !p->took;
        bought += p->sales > 0;
    }
    assert_true(n > 300);
    assert_true(skipped * 10 > n * 8);
    assert_true(bought * 10 > n * 4);
}

static void
test_provider_calls_refunds_and_second_purchases(void **state)
{
    int sales = 0;
    int twice = 0;

    (void)state;
    for (size_t i = 0; i < N_VISITORS_MAX; i++) {
        sales += demo.people[i].sales;
        twice += demo.people[i].sales > 1;
    }
    assert_in_range(demo.from_provider, sales * 2 / 5 - demo.calls, sales / 2);
    assert_in_range(demo.calls, 80, 150);
    assert_in_range(demo.refunds, sales / 30, sales / 12);
    assert_true(demo.refunded > 0);
    assert_in_range(twice, 30, sales / 8);
}

static void
test_bots_come_in_week_5(void **state)
{
    (void)state;
    for (int week = 0; week < 12; week++)
        assert_true(week == 4 ? demo.bots[week] > 3000 : demo.bots[week] < 400);
}

/* ---- the benchmarks' shop ---- */

struct variety {
    struct tally tally;
    uint8_t campaigns[65536];
    uint8_t products[65536];
};

static enum err_code
take_variety(void *ctx, const struct event *e, struct err *err)
{
    struct variety *v = ctx;

    v->campaigns[hash64(e->text[TEXT_CAMPAIGN], 0) % 65536] = 1;
    v->products[hash64(e->text[TEXT_PRODUCT], 0) % 65536] = 1;
    return take(&v->tally, e, err);
}

static void
test_load_is_varied_and_deterministic(void **state)
{
    struct variety *v = mem_zalloc(sizeof *v);
    struct bench_shop_config c = {.profile = BENCH_SHOP_LOAD,
                                  .site = 1,
                                  .seed = 1,
                                  .start_ms = demo.config.start_ms,
                                  .end_ms = demo.config.start_ms + WEEK_MS,
                                  .visitors_per_week = 40000};
    int campaigns = 0;
    int products = 0;

    (void)state;
    v->tally.config = c;
    assert_int_equal(bench_shop_generate(&c, take_variety, v, NULL, NULL), ERR_OK);
    for (int i = 0; i < 65536; i++) {
        campaigns += v->campaigns[i];
        products += v->products[i];
    }
    assert_in_range(campaigns, 350, 401);
    assert_in_range(products, 1700, 2001);
    assert_in_range(v->tally.events, 150000, 200000);
    assert_int_equal(v->tally.hash, UINT64_C(0x92dee8d6be23e180));
    free(v);
}

static void
test_demo_funnels_have_names(void **state)
{
    size_t n;
    const struct bench_demo_funnel *f = bench_demo_funnels(&n);

    (void)state;
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++)
        assert_true(strstr(f[i].definition, f[i].name) != NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed_same_events),
        cmocka_unit_test(test_events_are_those_of_the_docs),
        cmocka_unit_test(test_weeks_do_not_depend_on_the_day),
        cmocka_unit_test(test_events_are_fit_to_be_stored),
        cmocka_unit_test(test_ids_are_unique),
        cmocka_unit_test(test_an_error_ends_the_run),
        cmocka_unit_test(test_a_bad_configuration_is_refused),
        cmocka_unit_test(test_checkout_on_phones_breaks_in_week_9),
        cmocka_unit_test(test_one_campaign_brings_many_and_sells_nothing),
        cmocka_unit_test(test_readers_skip_two_stages),
        cmocka_unit_test(test_provider_calls_refunds_and_second_purchases),
        cmocka_unit_test(test_bots_come_in_week_5),
        cmocka_unit_test(test_load_is_varied_and_deterministic),
        cmocka_unit_test(test_demo_funnels_have_names),
    };

    return cmocka_run_group_tests(tests, make_demo, free_demo);
}
