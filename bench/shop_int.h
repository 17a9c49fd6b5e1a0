/* What the generator's files share: the tables of the shop's world, and the visits to come. */
#ifndef BENCH_SHOP_INT_H
#define BENCH_SHOP_INT_H

#include "bench/dice.h"
#include "bench/shop.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define WEEK_MS   (7 * DAY_MS)

#define SHOP_HOST     "shop.example"
#define SHOP_CURRENCY "SGD"
#define SHOP_PROVIDER "https://pay.example/return" /* where a payment comes back from */

/* ---- the world (shop_world.c): rows with weights; a table ends with a weight of 0 ---- */

struct shop_place {
    uint16_t weight;
    const char *continent;
    const char *country;
    const char *region;
    const char *city;
    const char *language;
};

struct shop_agent {
    uint16_t weight;
    bool is_phone;
    const char *device;
    const char *os;
    const char *browser;
};

struct shop_product {
    uint16_t weight;
    const char *sku;
    const char *title;
    const char *category;
    const char *category_path;
    int64_t price; /* minor units */
};

enum shop_landing { LAND_HOME, LAND_CATEGORY, LAND_PRODUCT, LAND_CHECKOUT };

enum shop_rhythm {
    RHYTHM_EVEN,
    RHYTHM_MAIL,  /* goes out on Thursdays */
    RHYTHM_BURST, /* in the demonstration, weeks 4 to 8 only */
};

struct shop_driver {
    uint16_t weight;
    enum shop_rhythm rhythm;
    enum shop_landing landing;
    uint16_t bounce;  /* per 10,000 sessions */
    uint16_t to_cart; /* per 10,000 sessions that stay */
    bool never_buys;
    const char *channel; /* NULL: no driver, somebody typed the address */
    const char *source;
    const char *medium;
    const char *campaign;
    const char *content;
    const char *const *keywords; /* ends with NULL; NULL: none */
    const char *referrer;        /* NULL: none */
};

extern const struct shop_place shop_places[];
extern const struct shop_agent shop_agents[];
extern const struct shop_product shop_products[];
extern const struct shop_driver shop_drivers[];
extern const uint8_t shop_hour_weights[7][24]; /* from Monday on */
/* Weeks and weekdays count from 0 = the first, 0 = Monday. */
uint32_t shop__driver_weight(const struct shop_driver *d, enum bench_shop_profile p, int64_t week,
                             int weekday);
bool shop__week_has_burst(int64_t week); /* the big campaign runs */

/* ---- what is still to come of known visitors ---- */

enum shop_visit {
    VISIT_FIRST,
    VISIT_BACK,   /* came back to look */
    VISIT_RESUME, /* came back to the basket left behind */
    VISIT_AGAIN,  /* came back to buy once more */
    VISIT_REFUND, /* gets money back: told by the shop's server */
    VISIT_CALL,   /* orders by telephone, without a visit */
    VISIT_BOT,
};

struct shop_plan {
    int64_t time_ms;
    uint64_t visitor;
    int64_t value; /* of the order to refund */
    uint8_t session;
    uint8_t kind; /* enum shop_visit */
    uint8_t sale_session;
    bool never_buys;
};

/* Where the numbers of those begin who are no visitors of pages; all numbers are 52 bits. */
#define SHOP_BOTS    (UINT64_C(1) << 51)
#define SHOP_CALLERS (UINT64_C(3) << 50)

#define SHOP_SESSIONS_MAX  15 /* of a visitor: session numbers are 4 bits of an event's id */
#define SHOP_LATER         8 /* in BENCH_SHOP_PEOPLE: the first session of a visitor's second life */
#define SHOP_SECOND_DEVICE (UINT64_C(1) << 52) /* set in the number of a visitor's other device */

struct shop;

/* Remember a visit for later; forgotten where it is after the end. */
void shop__plan_add(struct shop *s, struct shop_plan plan);

/* ---- what the profiles differ in ---- */

static inline bool
shop__is_table(const struct bench_shop_config *c)
{
    return c->profile == BENCH_SHOP_TABLE || c->profile == BENCH_SHOP_PEOPLE;
}

/* ---- one session (shop_session.c) ---- */

struct shop_run { /* what every session of a run shares */
    const struct bench_shop_config *config;
    bench_event_fn take;
    void *ctx;
    struct bench_shop_totals totals;
    struct shop *shop;
    struct err *err;
    enum err_code rc;     /* the first that is not ERR_OK ends the run */
    uint32_t place_total; /* sums of the tables' weights */
    uint32_t agent_total;
    uint32_t product_total;
};

/* Emit the events of the visit that is due, and plan what follows from it. */
void shop__session_run(struct shop_run *run, const struct shop_plan *plan);

#endif
