/* The demonstration site of `corong up --demo`: what it is called, its traffic, its funnels.
 *
 *     struct bench_shop_config traffic = bench_demo_traffic(site_id, clock_wall_ms());
 *     rc = bench_shop_generate(&traffic, take, ctx, &totals, err);
 *
 * docs/demo.md tells what is hidden in it.
 */
#ifndef BENCH_DEMO_H
#define BENCH_DEMO_H

#include "bench/shop.h"

#define BENCH_DEMO_SITE             "demo"
#define BENCH_DEMO_DOMAIN           "shop.example"
#define BENCH_DEMO_TIMEZONE         "Asia/Singapore" /* no summer time: a week is a week */
#define BENCH_DEMO_CURRENCY         "SGD"
#define BENCH_DEMO_IGNORED_REFERRER "pay.example"

/* Three months that end now: twelve whole weeks from a Monday on, by the shop's days, and what
 * there is of the running one. The whole weeks are the same whenever it starts, but for dates. */
struct bench_shop_config bench_demo_traffic(uint32_t site, int64_t now_ms);

/* Static; in the order in which they should be shown. */
struct bench_demo_funnel {
    const char *name;
    const char *definition; /* funnel.md section 5 */
};

const struct bench_demo_funnel *bench_demo_funnels(size_t *n);

#endif
