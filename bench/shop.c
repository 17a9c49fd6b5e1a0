/* The run: who comes for the first time, hour by hour, and, in between, who comes back. */
#include "bench/shop_int.h"

#include <stdlib.h>

#define VISITORS_PER_WEEK_MAX (UINT64_C(1) << 30)

/* Visits to come: a binary heap, the earliest on top. */
struct shop {
    struct shop_plan *plans;
    size_t n_plans;
    size_t max_plans;
    int64_t end_ms;
};

static bool
plan_is_before(const struct shop_plan *a, const struct shop_plan *b)
{
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : a->visitor < b->visitor;
}

void
shop__plan_add(struct shop *s, struct shop_plan plan)
{
    size_t i = s->n_plans;

    if (plan.time_ms >= s->end_ms || plan.session > SHOP_SESSIONS_MAX)
        return;
    if (s->n_plans == s->max_plans) {
        s->max_plans = s->max_plans ? 2 * s->max_plans : 1024;
        s->plans = mem_realloc(s->plans, s->max_plans * sizeof *s->plans);
    }
    s->n_plans++;
    while (i > 0 && plan_is_before(&plan, &s->plans[(i - 1) / 2])) {
        s->plans[i] = s->plans[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    s->plans[i] = plan;
}

static struct shop_plan
take_first_plan(struct shop *s)
{
    struct shop_plan first = s->plans[0];
    struct shop_plan last = s->plans[--s->n_plans];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= s->n_plans)
            break;
        if (child + 1 < s->n_plans && plan_is_before(&s->plans[child + 1], &s->plans[child]))
            child++;
        if (!plan_is_before(&s->plans[child], &last))
            break;
        s->plans[i] = s->plans[child];
        i = child;
    }
    s->plans[i] = last;
    return first;
}

static void
run_plans_before(struct shop_run *run, int64_t time_ms)
{
    while (run->rc == ERR_OK && run->shop->n_plans > 0 && run->shop->plans[0].time_ms < time_ms) {
        struct shop_plan plan = take_first_plan(run->shop);

        shop__session_run(run, &plan);
    }
}

/* The part of a week's n that falls in its hours before `hour`; whole numbers that add up to n. */
static uint64_t
share_before(uint64_t n, int hour)
{
    uint64_t before = 0;
    uint64_t all = 0;

    for (int h = 0; h < 168; h++) {
        uint8_t weight = shop_hour_weights[h / 24][h % 24];

        all += weight;
        before += h < hour ? weight : 0;
    }
    return n / all * before + n % all * before / all;
}

static uint64_t
visitors_of_week(const struct bench_shop_config *c, int64_t week)
{
    if (c->profile != BENCH_SHOP_DEMO)
        return c->visitors_per_week;
    /* A shop that grows by a hundredth a week, and a campaign that brings a third more. */
    return c->visitors_per_week * (uint64_t)(95 + week) * (shop__week_has_burst(week) ? 4 : 3) /
           300;
}

static uint64_t
bots_of_hour(const struct bench_shop_config *c, int64_t week, int hour, uint64_t people)
{
    if (shop__is_table(c))
        return 0; /* a warehouse has sorted them out */
    /* The wave: in week 5 from Tuesday 02:00 to Wednesday 20:00, steadily. */
    if (c->profile == BENCH_SHOP_DEMO && week == 4 && hour >= 26 && hour < 68)
        return 1 + c->visitors_per_week / 84;
    return (people + (uint64_t)(week * 168 + hour) % 50) / 50; /* one in fifty, small hours too */
}

/* The telephone is answered from nine to five, Monday to Friday. */
static uint64_t
callers_of_hour(const struct bench_shop_config *c, int64_t week, int hour)
{
    bool is_open = hour < 5 * 24 && hour % 24 >= 9 && hour % 24 < 17;

    if (c->profile != BENCH_SHOP_DEMO || !is_open)
        return 0;
    return (week * 168 + hour) % 5 == 0 ? c->visitors_per_week / 1000 : 0;
}

struct arrivals {
    uint64_t first; /* number of the first of them */
    uint64_t n;
    enum shop_visit kind;
};

/* n newcomers, evenly over the hour with a throw of dice each, in the order of time. */
static void
run_arrivals(struct shop_run *run, struct arrivals *a, int64_t hour_ms)
{
    for (uint64_t i = 0; run->rc == ERR_OK && i < a->n; i++) {
        struct dice d = dice_of(run->config->seed + 1, a->first + i);
        uint64_t place = (i << 16) | (dice_next(&d) & 0xFFFF);
        struct shop_plan plan = {
            .time_ms = hour_ms + (int64_t)(place * (uint64_t)HOUR_MS / (a->n << 16)),
            .visitor = a->first + i,
            .kind = (uint8_t)a->kind,
        };

        run_plans_before(run, plan.time_ms);
        if (run->rc == ERR_OK)
            shop__session_run(run, &plan);
    }
    a->first += a->n;
}

static void
run_weeks(struct shop_run *run)
{
    const struct bench_shop_config *c = run->config;
    struct arrivals people = {0, 0, VISIT_FIRST};
    struct arrivals bots = {SHOP_BOTS, 0, VISIT_BOT};
    struct arrivals callers = {SHOP_CALLERS, 0, VISIT_CALL};

    for (int64_t hour = 0; run->rc == ERR_OK && c->start_ms + hour * HOUR_MS < c->end_ms; hour++) {
        int64_t week = hour / 168;
        int hour_of_week = (int)(hour % 168);
        uint64_t n = visitors_of_week(c, week);
        int64_t hour_ms = c->start_ms + hour * HOUR_MS;

        people.n = share_before(n, hour_of_week + 1) - share_before(n, hour_of_week);
        bots.n = bots_of_hour(c, week, hour_of_week, people.n);
        callers.n = callers_of_hour(c, week, hour_of_week);
        run_arrivals(run, &bots, hour_ms);
        run_arrivals(run, &callers, hour_ms);
        run_arrivals(run, &people, hour_ms);
    }
    run_plans_before(run, c->end_ms);
}

static void
sum_weights(struct shop_run *run)
{
    for (const struct shop_place *p = shop_places; p->weight != 0; p++)
        run->place_total += p->weight;
    for (const struct shop_agent *a = shop_agents; a->weight != 0; a++)
        run->agent_total += a->weight;
    for (const struct shop_product *p = shop_products; p->weight != 0; p++)
        run->product_total += p->weight;
}

enum err_code
bench_shop_generate(const struct bench_shop_config *config, bench_event_fn take, void *ctx,
                    struct bench_shop_totals *totals, struct err *err)
{
    struct shop shop = {.end_ms = config->end_ms};
    struct shop_run run = {
        .config = config, .take = take, .ctx = ctx, .shop = &shop, .err = err, .rc = ERR_OK};

    if (config->end_ms < config->start_ms || config->start_ms < 0)
        return err_set(err, ERR_INVALID, "end_ms", "the end is before the start");
    if (config->visitors_per_week > VISITORS_PER_WEEK_MAX)
        return err_set(err, ERR_INVALID, "visitors_per_week", "more than 2^30");
    sum_weights(&run);
    run_weeks(&run);
    free(shop.plans);
    if (run.rc == ERR_OK && totals != NULL)
        *totals = run.totals;
    return run.rc;
}
