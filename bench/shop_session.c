/* One session: a visitor's way through the shop, page by page, thrown with dice of its own.
 *
 *   land - browse - add to cart - cart - checkout - pay - thanks
 */
#include "bench/shop_page.h"

/* The benchmarks' shop has more of everything than the tables name. */
#define LOAD_PRODUCTS  2000
#define LOAD_CAMPAIGNS 400
#define LOAD_KEYWORDS  5000

/* ---- throws ---- */

static const struct shop_place *
draw_place(const struct shop_run *run, struct dice *d)
{
    const struct shop_place *p = shop_places;
    uint32_t left = dice_below(d, run->place_total);

    while (left >= p->weight)
        left -= (p++)->weight;
    return p;
}

static const struct shop_agent *
draw_agent(const struct shop_run *run, struct dice *d)
{
    const struct shop_agent *a = shop_agents;
    uint32_t left = dice_below(d, run->agent_total);

    while (left >= a->weight)
        left -= (a++)->weight;
    return a;
}

static struct shop_item
draw_product(struct shop_session *s)
{
    const struct shop_product *p = shop_products;
    uint32_t left;

    if (s->run->config->profile != BENCH_SHOP_DEMO) {
        uint32_t k = dice_skewed(&s->dice, LOAD_PRODUCTS);
        struct slice sku = page__text_number(s, "sku-", k);
        struct slice category = page__text_number(s, "category-", k % 40);

        return (struct shop_item){sku, sku, category,
                                  page__text_join(s, SLICE("/shop/"), category, SLICE(".html")),
                                  (int64_t)(dice_mix(k) % 9900) + 100};
    }
    left = dice_below(&s->dice, s->run->product_total);
    while (left >= p->weight)
        left -= (p++)->weight;
    return (struct shop_item){slice_from(p->sku), slice_from(p->title), slice_from(p->category),
                              slice_from(p->category_path), p->price};
}

static int64_t
week_of(const struct shop_session *s)
{
    return (s->now - s->run->config->start_ms) / WEEK_MS;
}

static const struct shop_driver *
draw_driver(struct shop_session *s)
{
    enum bench_shop_profile profile = s->run->config->profile;
    int weekday = (int)((s->now - s->run->config->start_ms) / DAY_MS % 7);
    int64_t week = week_of(s);
    uint32_t total = 0;
    uint32_t left;

    for (const struct shop_driver *d = shop_drivers; d->weight != 0; d++)
        total += shop__driver_weight(d, profile, week, weekday);
    left = dice_below(&s->dice, total);
    for (const struct shop_driver *d = shop_drivers;; d++) {
        uint32_t weight = shop__driver_weight(d, profile, week, weekday);

        if (left < weight)
            return d;
        left -= weight;
    }
}

/* ---- the way ---- */

static void
view_product(struct shop_session *s, const struct shop_item *p)
{
    struct slice path = page__text_join(s, SLICE("/shop/product-"), p->sku, SLICE(".html"));

    s->e.text[TEXT_PRODUCT] = p->sku;
    s->e.text[TEXT_CATEGORY] = p->category;
    page__view(s, path, p->title);
    page__read(s, 28000);
}

static void
view_category(struct shop_session *s, const struct shop_item *p)
{
    s->e.text[TEXT_CATEGORY] = p->category;
    page__view(s, p->category_path, p->category);
    page__linger(s, 9000);
}

static void
plan_next(struct shop_session *s, enum shop_visit kind, int64_t after_ms, int64_t value)
{
    if (s->run->config->profile == BENCH_SHOP_PEOPLE && s->plan->session == SHOP_LATER - 1)
        return; /* the next number is that of the first session of later */
    shop__plan_add(s->run->shop, (struct shop_plan){
                                     .time_ms = s->now + after_ms,
                                     .visitor = s->plan->visitor,
                                     .value = value,
                                     .session = (uint8_t)(s->plan->session + 1),
                                     .sale_session = s->plan->session,
                                     .kind = (uint8_t)kind,
                                     .never_buys = s->never_buys,
                                 });
}

static struct slice
order_text(struct shop_session *s, uint8_t session)
{
    bool is_call = s->plan->kind == VISIT_CALL;
    uint64_t visitor = is_call ? s->plan->visitor - SHOP_CALLERS : s->plan->visitor;
    uint64_t number = 10000 + visitor * (SHOP_SESSIONS_MAX + 1) + session;

    s->order[0] = 'T'; /* by telephone */
    return slice_of(s->order, is_call + page__put_decimal(s->order + is_call, number, 1));
}

static int64_t
basket_value(const struct shop_session *s)
{
    int64_t value = 0;

    for (int i = 0; i < s->n_lines; i++)
        value += s->lines[i].product.price * s->lines[i].quantity;
    return value;
}

static void
fill_line(struct shop_session *s, const struct shop_item *p)
{
    s->lines[s->n_lines++] = (struct shop_line){*p, dice_chance(&s->dice, 2200) ? 2 : 1};
}

static void
emit_order(struct shop_session *s)
{
    s->e.text[TEXT_ORDER] = order_text(s, s->plan->session);
    page__set_money(s, basket_value(s));
    page__emit(s, SLICE("sale"));
    for (int i = 0; i < s->n_lines; i++) {
        if (shop__is_table(s->run->config))
            s->now++; /* without ids, two like lines of one millisecond would be one event */
        s->e.text[TEXT_ORDER] = order_text(s, s->plan->session);
        page__set_line(s, &s->lines[i]);
        page__emit(s, SLICE("item"));
    }
}

/* The order is paid: thanks, the sale and its items, and what may come of it. */
static void
sell(struct shop_session *s, struct slice referrer)
{
    page__view_from(s, SLICE("/shop/thanks.html"), SLICE("Thank you"), referrer);
    s->now += 300;
    emit_order(s);
    /* A session plans one visit at most, so that no two have the same number. */
    if (dice_chance(&s->dice, 600))
        plan_next(s, VISIT_REFUND, DAY_MS + dice_delay_ms(&s->dice, 5 * DAY_MS), basket_value(s));
    else if (dice_chance(&s->dice, 2600))
        plan_next(s, VISIT_AGAIN, DAY_MS + dice_delay_ms(&s->dice, 11 * DAY_MS), 0);
}

static void
pay(struct shop_session *s)
{
    if (dice_chance(&s->dice, 4500)) { /* at the provider's own page, and back */
        page__linger(s, 70000);
        sell(s, SLICE(SHOP_PROVIDER));
    } else {
        page__linger(s, 55000);
        sell(s, s->page);
    }
}

/* The story's week 9: on phones the payment sheet does not open. */
static bool
is_checkout_broken(const struct shop_session *s)
{
    return s->run->config->profile == BENCH_SHOP_DEMO && s->is_phone && week_of(s) == 8;
}

static void
meet_broken_checkout(struct shop_session *s)
{
    page__linger(s, 16000);
    page__set_property(s, SLICE("message"), SLICE("payment sheet did not open"));
    page__emit(s, SLICE("error"));
    if (dice_chance(&s->dice, 5500)) {
        page__linger(s, 2500);
        page__set_property(s, SLICE("sign"), SLICE("rage_click"));
        page__emit(s, SLICE("confused"));
    }
}

static void
check_out(struct shop_session *s)
{
    uint32_t pays = s->is_phone ? 5800 : 6600; /* per 10,000 */

    page__view(s, SLICE("/shop/checkout.html"), SLICE("Checkout"));
    s->now += 250;
    page__set_money(s, basket_value(s));
    page__emit(s, SLICE("checkout"));
    if (is_checkout_broken(s)) {
        meet_broken_checkout(s);
        pays = 400;
    }
    if (dice_chance(&s->dice, pays)) {
        pay(s);
        return;
    }
    page__read(s, 30000);
    if (dice_chance(&s->dice, 2600))
        plan_next(s, VISIT_RESUME, dice_delay_ms(&s->dice, 20 * HOUR_MS), 0);
}

/* From a full basket on. */
static void
go_on_with_basket(struct shop_session *s)
{
    if (!dice_chance(&s->dice, 2000)) {
        page__view(s, SLICE("/shop/cart.html"), SLICE("Basket"));
        page__linger(s, 15000);
    }
    if (s->never_buys)
        return;
    if (dice_chance(&s->dice, 5800))
        check_out(s);
    else if (dice_chance(&s->dice, 2400))
        plan_next(s, VISIT_RESUME, dice_delay_ms(&s->dice, 30 * HOUR_MS), 0);
}

static void
add_to_cart(struct shop_session *s, const struct shop_item *p)
{
    fill_line(s, p);
    page__set_line(s, &s->lines[s->n_lines - 1]);
    page__emit(s, SLICE("add_to_cart"));
    page__linger(s, 6000);
}

/* How many of 10,000 come back, where it is so many in the demonstration. */
static uint32_t
comes_back(const struct shop_session *s, uint32_t in_demo)
{
    return shop__is_table(s->run->config) ? 3 * in_demo : in_demo;
}

/* Look at products, and perhaps take some. to_cart is per 10,000 sessions. */
static void
browse(struct shop_session *s, bool starts_on_product, uint32_t to_cart)
{
    bool will_take = dice_chance(&s->dice, to_cart);
    uint32_t n_products = 1 + dice_skewed(&s->dice, shop__is_table(s->run->config) ? 7 : 5);
    uint32_t taken_at = dice_below(&s->dice, n_products);

    for (uint32_t i = 0; i < n_products; i++) {
        struct shop_item p = draw_product(s);

        if ((i > 0 || !starts_on_product) && dice_chance(&s->dice, 6000))
            view_category(s, &p);
        view_product(s, &p);
        if (will_take && s->n_lines < SHOP_LINES_MAX &&
            (i == taken_at || (i > taken_at && dice_chance(&s->dice, 3000))))
            add_to_cart(s, &p);
    }
    if (dice_chance(&s->dice, 250)) {
        page__set_property(s, SLICE("list"), SLICE("newsletter"));
        page__emit(s, SLICE("signup"));
        page__linger(s, 5000);
    }
    if (will_take)
        go_on_with_basket(s);
    else if (dice_chance(&s->dice, comes_back(s, 1800)))
        plan_next(s, VISIT_BACK, HOUR_MS + dice_delay_ms(&s->dice, 3 * DAY_MS), 0);
}

/* What an ordinary visit begins with: where the driver leads to, and whether that was all. */
static void
visit(struct shop_session *s, const struct shop_driver *d)
{
    bool bounces = dice_chance(&s->dice, d->bounce);
    uint32_t to_cart = s->never_buys ? 90 : d->to_cart;

    if (d->landing == LAND_CHECKOUT) { /* a refill by mail: what was bought last time is in it */
        struct shop_item p = draw_product(s);

        fill_line(s, &p);
        if (!bounces)
            check_out(s);
        else
            page__view(s, SLICE("/shop/checkout.html"), SLICE("Checkout"));
        return;
    }
    if (d->landing == LAND_HOME) {
        page__view(s, SLICE("/shop/"), SLICE("Kedai Teh"));
        page__linger(s, 8000);
    } else if (d->landing == LAND_CATEGORY) {
        struct shop_item p = draw_product(s);

        view_category(s, &p);
    } else if (bounces) {
        struct shop_item p = draw_product(s);

        view_product(s, &p);
    }
    if (!bounces)
        browse(s, d->landing == LAND_PRODUCT, to_cart);
    else if (dice_chance(&s->dice, comes_back(s, 300)))
        plan_next(s, VISIT_BACK, HOUR_MS + dice_delay_ms(&s->dice, 3 * DAY_MS), 0);
}

/* The shop's server tells, and knows nothing of the visitor's place and device. */
static void
be_told_by_server(struct shop_session *s)
{
    s->e.origin = ORIGIN_SERVER;
    if (shop__is_table(s->run->config))
        return; /* a warehouse has joined them */
    for (int k = TEXT_CONTINENT; k <= TEXT_LANGUAGE; k++)
        s->e.text[k] = SLICE_EMPTY;
}

static void
refund(struct shop_session *s)
{
    be_told_by_server(s);
    s->e.text[TEXT_ORDER] = order_text(s, s->plan->sale_session);
    page__set_money(s, s->plan->value);
    page__emit(s, SLICE("refund"));
}

/* An order by telephone: a sale that no page was seen for. */
static void
take_call(struct shop_session *s)
{
    struct shop_item p = draw_product(s);

    be_told_by_server(s);
    fill_line(s, &p);
    emit_order(s);
}

/* A script that clicks about, and puts things in baskets. */
static void
crawl(struct shop_session *s)
{
    uint32_t n = 3 + dice_below(&s->dice, 6);

    s->e.flags |= EVENT_BOT;
    s->e.text[TEXT_BOT_REASON] = SLICE("crawler HeadlessChrome");
    s->e.text[TEXT_DEVICE] = SLICE("desktop");
    s->e.text[TEXT_OS] = SLICE("Linux");
    s->e.text[TEXT_BROWSER] = SLICE("HeadlessChrome");
    s->is_phone = false;
    for (uint32_t i = 0; i < n; i++) {
        struct shop_item p = draw_product(s);
        struct slice path = page__text_join(s, SLICE("/shop/product-"), p.sku, SLICE(".html"));

        page__view_from(s, path, p.title, SLICE_EMPTY);
        s->now += 350 + dice_below(&s->dice, 300);
        if (i + 1 == n && dice_chance(&s->dice, 3000))
            add_to_cart(s, &p);
    }
}

static void
set_driver_texts(struct shop_session *s, const struct shop_driver *d)
{
    bool is_load = s->run->config->profile != BENCH_SHOP_DEMO;

    if (d->channel == NULL)
        return;
    s->driver = d;
    if (d->campaign != NULL)
        s->campaign = is_load
                          ? page__text_number(s, "campaign-", dice_skewed(&s->dice, LOAD_CAMPAIGNS))
                          : slice_from(d->campaign);
    if (d->keywords != NULL) {
        uint32_t n = 0;

        while (d->keywords[n] != NULL)
            n++;
        s->keyword = is_load
                         ? page__text_number(s, "keyword-", dice_skewed(&s->dice, LOAD_KEYWORDS))
                         : slice_from(d->keywords[dice_skewed(&s->dice, n)]);
    }
}

/* ---- one session ---- */

/* Give the visitor a number as id; who is on the second device has another, and another agent. */
static const struct shop_agent *
set_numbered_visitor(struct shop_session *s, const struct shop_agent *agent)
{
    uint64_t number = s->plan->visitor;

    if (people__is_on_second_device(s)) {
        struct dice d = dice_of(s->run->config->seed, number | SHOP_SECOND_DEVICE);

        number |= SHOP_SECOND_DEVICE;
        agent = draw_agent(s->run, &d);
    }
    number = dice_mix(number + s->run->config->seed);
    s->e.visitor = slice_of(s->visitor, page__put_decimal(s->visitor, number, 1));
    return agent;
}

/* Who the visitor is: thrown with the visitor's own dice, so that it is the same at each visit. */
static void
set_visitor(struct shop_session *s)
{
    struct dice d = dice_of(s->run->config->seed, s->plan->visitor);
    const struct shop_place *place = draw_place(s->run, &d);
    const struct shop_agent *agent = draw_agent(s->run, &d);

    if (shop__is_table(s->run->config)) {
        agent = set_numbered_visitor(s, agent);
    } else {
        page__put_hex(s->visitor, dice_mix(s->plan->visitor + s->run->config->seed));
        page__put_hex(s->visitor + 16, dice_next(&d));
        s->e.visitor = slice_of(s->visitor, sizeof s->visitor);
    }
    s->e.text[TEXT_CONTINENT] = slice_from(place->continent);
    s->e.text[TEXT_COUNTRY] = slice_from(place->country);
    s->e.text[TEXT_REGION] = slice_from(place->region);
    s->e.text[TEXT_CITY] = slice_from(place->city);
    s->e.text[TEXT_LANGUAGE] = slice_from(place->language);
    s->e.text[TEXT_DEVICE] = slice_from(agent->device);
    s->e.text[TEXT_OS] = slice_from(agent->os);
    s->e.text[TEXT_BROWSER] = slice_from(agent->browser);
    s->is_phone = agent->is_phone;
}

static void
session_init(struct shop_session *s, struct shop_run *run, const struct shop_plan *plan)
{
    memset(s, 0, offsetof(struct shop_session, text));
    s->run = run;
    s->plan = plan;
    s->dice = dice_of(run->config->seed + 2, plan->visitor << 4 | plan->session);
    s->now = plan->time_ms;
    s->never_buys = plan->never_buys;
    s->e.site = run->config->site;
    s->e.origin = ORIGIN_SNIPPET;
    s->e.properties = &s->property;
    s->page = SLICE_EMPTY;
    s->campaign = SLICE_EMPTY;
    s->keyword = SLICE_EMPTY;
    for (int k = 0; k < TEXT_COUNT; k++)
        s->e.text[k] = SLICE_EMPTY;
    set_visitor(s);
}

static void
come_by_driver(struct shop_session *s)
{
    const struct shop_driver *d = draw_driver(s);

    /* Who comes back comes for the shop: not by the big campaign, and not out of the mail. */
    if (s->plan->kind == VISIT_BACK && (d->never_buys || d->landing == LAND_CHECKOUT))
        d = &shop_drivers[0];
    s->never_buys = s->never_buys || d->never_buys;
    set_driver_texts(s, d);
    visit(s, d);
}

void
shop__session_run(struct shop_run *run, const struct shop_plan *plan)
{
    struct shop_session s;
    struct shop_item p;

    session_init(&s, run, plan);
    switch ((enum shop_visit)plan->kind) {
    case VISIT_FIRST:
    case VISIT_BACK:
        come_by_driver(&s);
        break;
    case VISIT_RESUME:
        p = draw_product(&s);
        fill_line(&s, &p);
        go_on_with_basket(&s);
        break;
    case VISIT_AGAIN:
        page__view(&s, SLICE("/shop/"), SLICE("Kedai Teh"));
        page__linger(&s, 8000);
        browse(&s, false, 7000);
        break;
    case VISIT_REFUND:
        refund(&s);
        break;
    case VISIT_CALL:
        take_call(&s);
        break;
    case VISIT_BOT:
        crawl(&s);
        break;
    }
    people__sign_in(&s);
    if (plan->session == 0)
        people__plan_later(&s);
}
