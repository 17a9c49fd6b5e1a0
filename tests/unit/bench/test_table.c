/* The generator's shop as a warehouse's table has it, and its people over a long time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bench/shop.h"
#include "core/arena.h"
#include "core/hash.h"

#define DAY_MS       INT64_C(86400000)
#define WEEK_MS      (7 * DAY_MS)
#define START_MS     INT64_C(1764547200000) /* Monday 2025-12-01 */
#define N_PEOPLE_MAX 32768

struct known_visitor {
    char id[20];
    size_t n_id;
    char known[24];
    size_t n_known;
    int64_t first_ms;
    int64_t last_ms;
};

struct people {
    struct known_visitor *visitors; /* by slot of a hash table of visitors or, then, of people */
    uint64_t events;
};

static struct known_visitor *
slot_of(struct known_visitor *table, struct slice id)
{
    size_t i = hash64(id, 0) % N_PEOPLE_MAX;

    while (table[i].n_id != 0 && !slice_equal(slice_of(table[i].id, table[i].n_id), id))
        i = (i + 1) % N_PEOPLE_MAX;
    if (table[i].n_id == 0) {
        assert_true(id.n <= sizeof table[i].id);
        memcpy(table[i].id, id.p, id.n);
        table[i].n_id = id.n;
        table[i].first_ms = INT64_MAX;
    }
    return &table[i];
}

static void
widen(struct known_visitor *v, int64_t first_ms, int64_t last_ms)
{
    v->first_ms = first_ms < v->first_ms ? first_ms : v->first_ms;
    v->last_ms = last_ms > v->last_ms ? last_ms : v->last_ms;
}

static enum err_code
take_person(void *ctx, const struct event *e, struct err *err)
{
    struct people *p = ctx;
    struct known_visitor *v = slot_of(p->visitors, e->visitor);
    uint64_t number;

    (void)err;
    assert_true(slice_to_uint64(e->visitor, &number)); /* ClickHouse has it as a number */
    widen(v, e->time_ms, e->time_ms);
    if (e->text[TEXT_KNOWN].n != 0) {
        v->n_known = e->text[TEXT_KNOWN].n;
        assert_true(v->n_known <= sizeof v->known);
        memcpy(v->known, e->text[TEXT_KNOWN].p, v->n_known);
    }
    p->events++;
    return ERR_OK;
}

static void
test_people_are_seen_for_long_and_on_two_devices(void **state)
{
    struct people p = {.visitors = mem_zalloc(N_PEOPLE_MAX * sizeof *p.visitors)};
    struct known_visitor *persons = mem_zalloc(N_PEOPLE_MAX * sizeof *persons);
    struct bench_shop_config c = {.profile = BENCH_SHOP_PEOPLE,
                                  .site = 1,
                                  .seed = 1,
                                  .start_ms = START_MS,
                                  .end_ms = START_MS + 39 * WEEK_MS,
                                  .visitors_per_week = 300};
    int n = 0;
    int n_devices = 0;
    int n_long = 0;

    (void)state;
    assert_int_equal(bench_shop_generate(&c, take_person, &p, NULL, NULL), ERR_OK);
    for (size_t i = 0; i < N_PEOPLE_MAX; i++) {
        struct known_visitor *v = &p.visitors[i];

        n_devices += v->n_id != 0;
        if (v->n_id != 0)
            widen(slot_of(persons, v->n_known != 0 ? slice_of(v->known, v->n_known)
                                                   : slice_of(v->id, v->n_id)),
                  v->first_ms, v->last_ms);
    }
    for (size_t i = 0; i < N_PEOPLE_MAX; i++) {
        n += persons[i].n_id != 0;
        n_long += persons[i].n_id != 0 && persons[i].last_ms - persons[i].first_ms >= 90 * DAY_MS;
    }
    assert_int_equal(n, 39 * 300);
    assert_in_range(100 * n_long / n, 28, 32);
    assert_in_range(1000 * (n_devices - n) / n, 43, 57);
    free(persons);
    free(p.visitors);
}

struct table {
    char visitor[20];
    size_t n_visitor;
    int64_t last_ms;
    char campaign[32];
    size_t n_campaign;
    uint64_t events;
};

/* Within a session every event names the driver that its first one names. */
static enum err_code
take_row(void *ctx, const struct event *e, struct err *err)
{
    struct table *t = ctx;
    struct slice campaign = e->text[TEXT_CAMPAIGN];
    bool goes_on = slice_equal(e->visitor, slice_of(t->visitor, t->n_visitor)) &&
                   e->time_ms - t->last_ms < 20 * 60 * 1000;

    (void)err;
    assert_true((e->flags & EVENT_BOT) == 0);
    if (goes_on)
        assert_true(slice_equal(campaign, slice_of(t->campaign, t->n_campaign)));
    t->n_visitor = e->visitor.n;
    memcpy(t->visitor, e->visitor.p, e->visitor.n);
    t->n_campaign = campaign.n;
    memcpy(t->campaign, campaign.p, campaign.n);
    t->last_ms = e->time_ms;
    t->events++;
    return ERR_OK;
}

static void
test_table_names_the_driver_on_every_event(void **state)
{
    struct table t = {.n_visitor = 0};
    struct bench_shop_totals totals;
    struct bench_shop_config c = {.profile = BENCH_SHOP_TABLE,
                                  .site = 1,
                                  .seed = 1,
                                  .start_ms = START_MS,
                                  .end_ms = START_MS + 39 * WEEK_MS,
                                  .visitors_per_week = 300};

    (void)state;
    assert_int_equal(bench_shop_generate(&c, take_row, &t, &totals, NULL), ERR_OK);
    assert_int_equal(totals.visitors, 39 * 300);
    assert_int_equal(totals.events, t.events);
    assert_in_range(10 * totals.events / totals.visitors, 65, 76); /* about seven a visitor */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_people_are_seen_for_long_and_on_two_devices),
        cmocka_unit_test(test_table_names_the_driver_on_every_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
