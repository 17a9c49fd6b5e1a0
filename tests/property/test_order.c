/* What becomes of a visitor's order on the way through slow networks and wrong clocks: 200,000
 * simulated pairs of events, each event in a beacon of its own, and each first one sent again.
 *
 *     happened = the visitor's clock at t          clock(t) = t + error + drift * t
 *     sent     = the visitor's clock at t + delay   (a retry, or hours without a network)
 *     received = t + delay + latency
 *
 * The share of wrong clocks is an assumption, and what the shares below hang on: no clock that is
 * right within 12 s ever has a beacon between two steps of the skew, and of the others E|L1 - L2| /
 * 30 s have. They are printed apart, so that another assumption is a multiplication.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <math.h>

#include "bench/dice.h"
#include "collector/beacon.h"

#define PAIRS         200000
#define SEED          20260601
#define WRONG_PERCENT 5
#define START_MS      INT64_C(1780315200000)
#define SECOND_MS     1000.0
#define HOUR_MS       3600000.0
#define DAY_MS        (24 * HOUR_MS)

/* ---- Chance ---- */

static double
uniform(struct dice *d, double low, double high)
{
    return low + (high - low) * (double)(dice_next(d) >> 11) / 9007199254740992.0;
}

/* Irwin and Hall's: the sum of twelve. */
static double
normal(struct dice *d)
{
    double sum = -6;

    for (int i = 0; i < 12; i++)
        sum += uniform(d, 0, 1);
    return sum;
}

static double
log_normal(struct dice *d, double median, double sigma)
{
    return median * exp(sigma * normal(d));
}

static double
log_uniform(struct dice *d, double low, double high)
{
    return low * exp(uniform(d, 0, log(high / low)));
}

/* ---- The world ---- */

/* 20 ms to 3 s for 99.8%. */
static double
latency(struct dice *d)
{
    return log_normal(d, 245, 0.81);
}

/* From an event to the beacon that arrives: at once, after retries, after hours offline. */
static double
delay(struct dice *d)
{
    uint32_t kind = dice_below(d, 100);

    if (kind < 2)
        return uniform(d, 1, 12) * HOUR_MS;
    return kind < 6 ? 30 * SECOND_MS + log_uniform(d, SECOND_MS, 600 * SECOND_MS) : 0;
}

struct visitor {
    double error_ms;
    double drift; /* ms a ms */
    bool is_wrong;
};

static struct visitor
new_visitor(struct dice *d)
{
    struct visitor v = {.error_ms = normal(d) * SECOND_MS}; /* set by the network */
    double sign = dice_below(d, 2) ? 1 : -1;

    v.is_wrong = dice_below(d, 100) < WRONG_PERCENT;
    if (!v.is_wrong)
        return v;
    v.drift = uniform(d, -100e-6, 100e-6);
    v.error_ms = sign * log_uniform(d, 10 * SECOND_MS, 10 * DAY_MS);
    return v;
}

static int64_t
clock_of(const struct visitor *v, double t_ms)
{
    return START_MS + (int64_t)(t_ms + v->error_ms + v->drift * t_ms);
}

/* The time that an event of moment t gets from a beacon sent `delay_ms` later. */
static int64_t
deliver(const struct visitor *v, double t_ms, double delay_ms, double latency_ms)
{
    double arrival_ms = t_ms + delay_ms + latency_ms;
    struct beacon b = {.has_sent = true, .sent_ms = clock_of(v, t_ms + delay_ms)};
    struct given g = {.has_time = true, .event = {.time_ms = clock_of(v, t_ms)}};

    assert_int_equal(beacon_settle_time(&g, &b, START_MS + (int64_t)arrival_ms, (int64_t)DAY_MS),
                     BEACON_IN_TIME); /* nobody is refused for a wrong clock */
    return g.event.time_ms;
}

/* ---- Counting ---- */

struct shares {
    int n, n_swapped, n_retried_otherwise;
};

static void
simulate(uint64_t number, struct shares of[2])
{
    struct dice d = dice_of(SEED, number);
    struct visitor v = new_visitor(&d);
    struct shares *s = &of[v.is_wrong];
    double t = uniform(&d, 0, DAY_MS);
    double gap = 1 + log_normal(&d, 20 * SECOND_MS, 1.5); /* a page every 20 s, or two at once */
    double first_delay = delay(&d);
    double again = first_delay + 30 * SECOND_MS + log_uniform(&d, SECOND_MS, 4 * HOUR_MS);
    int64_t first = deliver(&v, t, first_delay, latency(&d));

    s->n++;
    s->n_swapped += first >= deliver(&v, t + gap, delay(&d), latency(&d));
    s->n_retried_otherwise += first != deliver(&v, t, again, latency(&d));
}

static double
percent(int part, int whole)
{
    return 100.0 * part / whole;
}

static void
order_survives_networks_and_clocks(void **state)
{
    static const char *const names[] = {"clocks set by the network", "wrong clocks"};
    struct shares of[2] = {{0, 0, 0}, {0, 0, 0}}, all = {0, 0, 0};

    (void)state;
    for (uint64_t i = 0; i < PAIRS; i++)
        simulate(i, of);
    for (int i = 0; i < 2; i++) {
        print_message("%s: %d pairs, %.4f%% changed order, %.4f%% of retries got another time\n",
                      names[i], of[i].n, percent(of[i].n_swapped, of[i].n),
                      percent(of[i].n_retried_otherwise, of[i].n));
        all.n_swapped += of[i].n_swapped;
        all.n_retried_otherwise += of[i].n_retried_otherwise;
    }
    print_message("all: %.4f%% and %.4f%%\n", percent(all.n_swapped, PAIRS),
                  percent(all.n_retried_otherwise, PAIRS));
    assert_true(all.n_swapped <= PAIRS / 1000);
    assert_true(all.n_retried_otherwise <= PAIRS / 1000);
    assert_true(of[1].n_swapped > 0); /* the world is not too kind */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(order_survives_networks_and_clocks)};

    return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
