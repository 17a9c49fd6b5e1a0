#include "bench/demo.h"

#define DAY_MS       INT64_C(86400000)
#define SINGAPORE_MS (8 * INT64_C(3600000)) /* ahead of UTC, all the year */
#define WHOLE_WEEKS  12
#define SEED         2026
#define NEW_PER_WEEK 1300

struct bench_shop_config
bench_demo_traffic(uint32_t site, int64_t now_ms)
{
    int64_t day = (now_ms + SINGAPORE_MS) / DAY_MS; /* since 1970-01-01, a Thursday */
    int64_t monday = day - (day + 3) % 7;

    return (struct bench_shop_config){
        .profile = BENCH_SHOP_DEMO,
        .site = site,
        .seed = SEED,
        .start_ms = (monday - 7 * WHOLE_WEEKS) * DAY_MS - SINGAPORE_MS,
        .end_ms = now_ms,
        .visitors_per_week = NEW_PER_WEEK,
    };
}

/* Rules, stages and funnels as JSON, put together by the compiler. */
#define EVENT_IS(name) "{\"attribute\":\"event\",\"op\":\"is\",\"values\":[\"" name "\"]}"
#define PATH_HAS(part) "{\"attribute\":\"path\",\"op\":\"contains\",\"values\":[\"" part "\"]}"
#define HAS_CAMPAIGN   "{\"attribute\":\"campaign\",\"op\":\"set\"}"
#define READ_30_S      "{\"attribute\":\"engaged_ms\",\"op\":\"ge\",\"values\":[30000]}"

#define STAGE(name, kind, rule) "{\"name\":\"" name "\",\"kind\":\"" kind "\",\"rule\":" rule "}"
#define SALE(name)              STAGE(name, "sale", EVENT_IS("sale"))
#define VISIT                   STAGE("Visit", "trace", EVENT_IS("pageview"))
#define SEES_PRODUCT            "{\"all\":[" EVENT_IS("pageview") "," PATH_HAS("/product-") "]}"
#define PRODUCT                 STAGE("Product", "response", SEES_PRODUCT)
#define BASKET                  STAGE("Basket", "engagement", EVENT_IS("add_to_cart"))
#define CHECKOUT                STAGE("Checkout", "engagement", EVENT_IS("checkout"))
#define TRACE                   STAGE("Trace", "trace", HAS_CAMPAIGN)
#define RESPONSE                STAGE("Response", "response", SEES_PRODUCT)
#define IS_ENGAGED              "{\"any\":[" EVENT_IS("add_to_cart") "," READ_30_S "]}"
#define ENGAGEMENT              STAGE("Engagement", "engagement", IS_ENGAGED)

#define HEAD(name, preset, window)                                                                 \
    "{\"name\":\"" name "\",\"preset\":\"" preset "\",\"window\":\"" window "\",\"stages\":"
#define LIST2(a, b)          "[" a "," b "]}"
#define LIST4(a, b, c, d)    "[" a "," b "," c "," d "]}"
#define LIST5(a, b, c, d, e) "[" a "," b "," c "," d "," e "]}"

static const char shop[] =
    HEAD("Shop", "open", "14d") LIST5(VISIT, PRODUCT, BASKET, CHECKOUT, SALE("Sale"));
static const char campaigns[] =
    HEAD("Campaigns", "closed", "14d") LIST4(TRACE, RESPONSE, ENGAGEMENT, SALE("Sale"));
static const char second_purchase[] =
    HEAD("Second purchase", "open", "60d") LIST2(SALE("First sale"), SALE("Second sale"));

static const struct bench_demo_funnel funnels[] = {
    {"Shop", shop},
    {"Campaigns", campaigns},
    {"Second purchase", second_purchase},
};

const struct bench_demo_funnel *
bench_demo_funnels(size_t *n)
{
    *n = sizeof funnels / sizeof funnels[0];
    return funnels;
}
