/* One session: a visitor's way through the shop, page by page, thrown with dice of its own.
 *
 *   land - browse - add to cart - cart - checkout - pay - thanks
 *
 * What holds for the session (place, device) stands in its event from the start; what belongs to
 * one event is set, emitted and cleared.
 */
#include "bench/shop_int.h"

#include <assert.h>

#define SHOP_URL  "https://" SHOP_HOST
#define LINES_MAX 3

/* The benchmarks' shop has more of everything than the tables name. */
#define LOAD_PRODUCTS  2000
#define LOAD_CAMPAIGNS 400
#define LOAD_KEYWORDS  5000

struct product {
    struct slice sku;
    struct slice title;
    struct slice category;
    struct slice category_path;
    int64_t price;
};

struct line {
    struct product product;
    int64_t quantity;
};

struct session {
    struct shop_run *run;
    const struct shop_plan *plan;
    struct dice dice;
    struct event e;
    int64_t now;
    uint32_t n_events;
    bool is_phone;
    bool never_buys;
    const struct shop_driver *driver; /* NULL: none */
    struct slice campaign;
    struct slice keyword;
    bool is_tagged;    /* the page's address carries the campaign: so does every event on it */
    struct slice page; /* the address that was viewed last, "" before the first */
    struct line lines[LINES_MAX];
    int n_lines;
    struct event_property property;
    char id[16];
    char visitor[32];
    char order[20];
    size_t n_text;
    char text[8192]; /* what the slices above point to */
};

/* ---- text ---- */

static struct slice
join(struct session *s, struct slice a, struct slice b, struct slice c)
{
    char *p = s->text + s->n_text;

    assert(s->n_text + a.n + b.n + c.n <= sizeof s->text);
    memcpy(p, a.p, a.n);
    memcpy(p + a.n, b.p, b.n);
    memcpy(p + a.n + b.n, c.p, c.n);
    s->n_text += a.n + b.n + c.n;
    return slice_of(p, a.n + b.n + c.n);
}

static void
put_hex(char *p, uint64_t v)
{
    for (int i = 15; i >= 0; i--, v >>= 4)
        p[i] = "0123456789abcdef"[v & 15];
}

static size_t
put_decimal(char *p, uint64_t v, size_t min_digits)
{
    char reversed[20];
    size_t n = 0;

    do {
        reversed[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    while (n < min_digits)
        reversed[n++] = '0';
    for (size_t i = 0; i < n; i++)
        p[i] = reversed[n - 1 - i];
    return n;
}

static struct slice
numbered(struct session *s, const char *stem, uint32_t number)
{
    char digits[20];
    size_t n = put_decimal(digits, number, 4);

    return join(s, slice_from(stem), slice_of(digits, n), SLICE_EMPTY);
}

/* As in a query: a space is a plus. */
static struct slice
plussed(struct session *s, struct slice words)
{
    struct slice out = join(s, words, SLICE_EMPTY, SLICE_EMPTY);
    char *p = s->text + s->n_text - out.n;

    for (size_t i = 0; i < out.n; i++)
        if (p[i] == ' ')
            p[i] = '+';
    return out;
}

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

static struct product
draw_product(struct session *s)
{
    const struct shop_product *p = shop_products;
    uint32_t left;

    if (s->run->config->profile == BENCH_SHOP_LOAD) {
        uint32_t k = dice_skewed(&s->dice, LOAD_PRODUCTS);
        struct slice sku = numbered(s, "sku-", k);
        struct slice category = numbered(s, "category-", k % 40);

        return (struct product){sku, sku, category,
                                join(s, SLICE("/shop/"), category, SLICE(".html")),
                                (int64_t)(dice_mix(k) % 9900) + 100};
    }
    left = dice_below(&s->dice, s->run->product_total);
    while (left >= p->weight)
        left -= (p++)->weight;
    return (struct product){slice_from(p->sku), slice_from(p->title), slice_from(p->category),
                            slice_from(p->category_path), p->price};
}

static int64_t
week_of(const struct session *s)
{
    return (s->now - s->run->config->start_ms) / WEEK_MS;
}

static const struct shop_driver *
draw_driver(struct session *s)
{
    enum bench_shop_profile profile = s->run->config->profile;
    int weekday = (int)((s->now - s->run->config->start_ms) / DAY_MS % 7);
    int64_t week = week_of(s);
    uint32_t total = 0;
    uint32_t left;

    for (const struct shop_driver *d = shop_drivers; d->weight != 0; d++)
        total += shop_driver_weight(d, profile, week, weekday);
    left = dice_below(&s->dice, total);
    for (const struct shop_driver *d = shop_drivers;; d++) {
        uint32_t weight = shop_driver_weight(d, profile, week, weekday);

        if (left < weight)
            return d;
        left -= weight;
    }
}

/* ---- one event ---- */

static void
set_driver(struct session *s)
{
    s->e.flags |= EVENT_DRIVER;
    s->e.text[TEXT_CHANNEL] = slice_from(s->driver->channel);
    s->e.text[TEXT_SOURCE] = slice_from(s->driver->source);
    s->e.text[TEXT_MEDIUM] = slice_from(s->driver->medium);
    s->e.text[TEXT_CONTENT] = slice_from(s->driver->content);
    s->e.text[TEXT_CAMPAIGN] = s->campaign;
    s->e.text[TEXT_KEYWORD] = s->keyword;
}

static void
clear_driver(struct session *s)
{
    s->e.flags &= ~(uint32_t)EVENT_DRIVER;
    for (int k = TEXT_CHANNEL; k <= TEXT_REFERRER; k++)
        s->e.text[k] = SLICE_EMPTY;
}

static void
count(struct shop_run *run, const struct event *e, bool is_first)
{
    run->totals.events++;
    run->totals.bot_events += (e->flags & EVENT_BOT) != 0;
    run->totals.visitors += is_first;
    run->totals.sales += slice_is(e->text[TEXT_EVENT], "sale");
    run->totals.refunds += slice_is(e->text[TEXT_EVENT], "refund");
}

/* Emit the event as it stands under this name, and clear what was its own. */
static void
emit(struct session *s, struct slice name)
{
    struct shop_run *run = s->run;
    uint64_t serial = s->plan->visitor << 12 | (uint64_t)s->plan->session << 8 | s->n_events;
    bool is_first = s->plan->session == 0 && s->n_events == 0;

    assert(s->n_events < 256);
    s->n_events++;
    if (run->rc == ERR_OK && s->now < run->config->end_ms) {
        put_hex(s->id, dice_mix(serial + 1));
        s->e.text[TEXT_EVENT] = name;
        s->e.time_ms = s->now;
        s->e.id = slice_is(name, "sale") ? s->e.text[TEXT_ORDER] : slice_of(s->id, sizeof s->id);
        run->rc = run->take(run->ctx, &s->e, run->err);
        count(run, &s->e, is_first);
    }
    s->e.numbers_set = 0;
    s->e.n_properties = 0;
    memset(s->e.number, 0, sizeof s->e.number);
    for (int k = TEXT_ORDER; k <= TEXT_CURRENCY; k++)
        s->e.text[k] = SLICE_EMPTY;
}

static void
set_money(struct session *s, int64_t value)
{
    event_set_number(&s->e, NUMBER_VALUE, value);
    s->e.text[TEXT_CURRENCY] = SLICE(SHOP_CURRENCY);
}

static void
set_line(struct session *s, const struct line *line)
{
    s->e.text[TEXT_PRODUCT] = line->product.sku;
    s->e.text[TEXT_CATEGORY] = line->product.category;
    event_set_number(&s->e, NUMBER_QUANTITY, line->quantity * 1000);
    set_money(s, line->product.price * line->quantity);
}

static void
set_property(struct session *s, struct slice key, struct slice value)
{
    s->property = (struct event_property){key, value};
    s->e.n_properties = 1;
}

static void
linger(struct session *s, int64_t median_ms)
{
    s->now += 1 + dice_delay_ms(&s->dice, median_ms);
}

/* ---- pages ---- */

/* The query of an address that a campaign made: "?utm_source=..". */
static struct slice
campaign_query(struct session *s)
{
    struct slice q =
        join(s, SLICE("?utm_source="), slice_from(s->driver->source), SLICE("&utm_medium="));

    q = join(s, q, slice_from(s->driver->medium), SLICE("&utm_campaign="));
    q = join(s, q, s->campaign, SLICE_EMPTY);
    if (s->driver->content != NULL)
        q = join(s, q, SLICE("&utm_content="), slice_from(s->driver->content));
    if (s->keyword.n != 0)
        q = join(s, q, SLICE("&utm_term="), plussed(s, s->keyword));
    return q;
}

/* View a page; the first of a session with a driver brings the driver along. */
static void
view_from(struct session *s, struct slice path, struct slice title, struct slice referrer)
{
    bool is_landing = s->page.n == 0 && s->driver != NULL;
    struct slice query = SLICE_EMPTY;

    clear_driver(s);
    s->is_tagged = is_landing && s->campaign.n != 0;
    if (s->is_tagged)
        query = campaign_query(s);
    if (is_landing)
        set_driver(s);
    s->e.text[TEXT_REFERRER] = is_landing ? slice_from(s->driver->referrer) : referrer;
    s->page = join(s, SLICE(SHOP_URL), path, query);
    s->e.text[TEXT_URL] = s->page;
    s->e.text[TEXT_HOST] = SLICE(SHOP_HOST);
    s->e.text[TEXT_PATH] = path;
    s->e.text[TEXT_QUERY] = slice_sub(query, 1, query.n);
    s->e.text[TEXT_TITLE] = title;
    event_set_number(&s->e, NUMBER_LOAD_MS, dice_delay_ms(&s->dice, s->is_phone ? 1100 : 600));
    emit(s, SLICE("pageview"));
    s->e.text[TEXT_TITLE] = SLICE_EMPTY;
    clear_driver(s);
    if (s->is_tagged)
        set_driver(s);
}

static void
view(struct session *s, struct slice path, struct slice title)
{
    view_from(s, path, title, s->page);
}

/* Stay on the page for a while, and say so on leaving it. */
static void
read_page(struct session *s, int64_t median_ms)
{
    int64_t before = s->now;

    linger(s, median_ms);
    event_set_number(&s->e, NUMBER_ENGAGED_MS, (s->now - before) * 3 / 4);
    event_set_number(&s->e, NUMBER_SCROLL_PCT, 20 + dice_below(&s->dice, 81));
    emit(s, SLICE("engage"));
}

static void
view_product(struct session *s, const struct product *p)
{
    struct slice path = join(s, SLICE("/shop/product-"), p->sku, SLICE(".html"));

    s->e.text[TEXT_PRODUCT] = p->sku;
    s->e.text[TEXT_CATEGORY] = p->category;
    view(s, path, p->title);
    read_page(s, 28000);
}

static void
view_category(struct session *s, const struct product *p)
{
    s->e.text[TEXT_CATEGORY] = p->category;
    view(s, p->category_path, p->category);
    linger(s, 9000);
}

/* ---- the way ---- */

static void
plan_next(struct session *s, enum shop_visit kind, int64_t after_ms, int64_t value)
{
    shop_plan_add(s->run->shop, (struct shop_plan){
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
order_text(struct session *s, uint8_t session)
{
    uint64_t number = 10000 + s->plan->visitor * (SHOP_SESSIONS_MAX + 1) + session;

    return slice_of(s->order, put_decimal(s->order, number, 1));
}

static int64_t
basket_value(const struct session *s)
{
    int64_t value = 0;

    for (int i = 0; i < s->n_lines; i++)
        value += s->lines[i].product.price * s->lines[i].quantity;
    return value;
}

static void
fill_line(struct session *s, const struct product *p)
{
    s->lines[s->n_lines++] = (struct line){*p, dice_chance(&s->dice, 2200) ? 2 : 1};
}

/* The order is paid: thanks, the sale and its items, and what may come of it. */
static void
sell(struct session *s, struct slice referrer)
{
    int64_t value = basket_value(s);

    view_from(s, SLICE("/shop/thanks.html"), SLICE("Thank you"), referrer);
    s->now += 300;
    s->e.text[TEXT_ORDER] = order_text(s, s->plan->session);
    set_money(s, value);
    emit(s, SLICE("sale"));
    for (int i = 0; i < s->n_lines; i++) {
        s->e.text[TEXT_ORDER] = order_text(s, s->plan->session);
        set_line(s, &s->lines[i]);
        emit(s, SLICE("item"));
    }
    /* A session plans one visit at most, so that no two have the same number. */
    if (dice_chance(&s->dice, 600))
        plan_next(s, VISIT_REFUND, DAY_MS + dice_delay_ms(&s->dice, 5 * DAY_MS), value);
    else if (dice_chance(&s->dice, 2600))
        plan_next(s, VISIT_AGAIN, DAY_MS + dice_delay_ms(&s->dice, 11 * DAY_MS), 0);
}

static void
pay(struct session *s)
{
    if (dice_chance(&s->dice, 4500)) { /* at the provider's own page, and back */
        linger(s, 70000);
        sell(s, SLICE(SHOP_PROVIDER));
    } else {
        linger(s, 55000);
        sell(s, s->page);
    }
}

/* The story's week 9: on phones the payment sheet does not open. */
static bool
is_checkout_broken(const struct session *s)
{
    return s->run->config->profile == BENCH_SHOP_DEMO && s->is_phone && week_of(s) == 8;
}

static void
meet_broken_checkout(struct session *s)
{
    linger(s, 16000);
    set_property(s, SLICE("message"), SLICE("payment sheet did not open"));
    emit(s, SLICE("error"));
    if (dice_chance(&s->dice, 5500)) {
        linger(s, 2500);
        set_property(s, SLICE("sign"), SLICE("rage_click"));
        emit(s, SLICE("confused"));
    }
}

static void
check_out(struct session *s)
{
    uint32_t pays = s->is_phone ? 5800 : 6600; /* per 10,000 */

    view(s, SLICE("/shop/checkout.html"), SLICE("Checkout"));
    s->now += 250;
    set_money(s, basket_value(s));
    emit(s, SLICE("checkout"));
    if (is_checkout_broken(s)) {
        meet_broken_checkout(s);
        pays = 400;
    }
    if (dice_chance(&s->dice, pays)) {
        pay(s);
        return;
    }
    read_page(s, 30000);
    if (dice_chance(&s->dice, 2600))
        plan_next(s, VISIT_RESUME, dice_delay_ms(&s->dice, 20 * HOUR_MS), 0);
}

/* From a full basket on. */
static void
go_on_with_basket(struct session *s)
{
    if (!dice_chance(&s->dice, 2000)) {
        view(s, SLICE("/shop/cart.html"), SLICE("Basket"));
        linger(s, 15000);
    }
    if (s->never_buys)
        return;
    if (dice_chance(&s->dice, 5800))
        check_out(s);
    else if (dice_chance(&s->dice, 2400))
        plan_next(s, VISIT_RESUME, dice_delay_ms(&s->dice, 30 * HOUR_MS), 0);
}

static void
add_to_cart(struct session *s, const struct product *p)
{
    fill_line(s, p);
    set_line(s, &s->lines[s->n_lines - 1]);
    emit(s, SLICE("add_to_cart"));
    linger(s, 6000);
}

/* Look at products, and perhaps take some. to_cart is per 10,000 sessions. */
static void
browse(struct session *s, bool starts_on_product, uint32_t to_cart)
{
    bool will_take = dice_chance(&s->dice, to_cart);
    uint32_t n_products = 1 + dice_skewed(&s->dice, 5);
    uint32_t taken_at = dice_below(&s->dice, n_products);

    for (uint32_t i = 0; i < n_products; i++) {
        struct product p = draw_product(s);

        if ((i > 0 || !starts_on_product) && dice_chance(&s->dice, 6000))
            view_category(s, &p);
        view_product(s, &p);
        if (will_take && s->n_lines < LINES_MAX &&
            (i == taken_at || (i > taken_at && dice_chance(&s->dice, 3000))))
            add_to_cart(s, &p);
    }
    if (dice_chance(&s->dice, 250)) {
        set_property(s, SLICE("list"), SLICE("newsletter"));
        emit(s, SLICE("signup"));
        linger(s, 5000);
    }
    if (will_take)
        go_on_with_basket(s);
    else if (dice_chance(&s->dice, 1800))
        plan_next(s, VISIT_BACK, HOUR_MS + dice_delay_ms(&s->dice, 3 * DAY_MS), 0);
}

/* What an ordinary visit begins with: where the driver leads to, and whether that was all. */
static void
visit(struct session *s, const struct shop_driver *d)
{
    bool bounces = dice_chance(&s->dice, d->bounce);
    uint32_t to_cart = s->never_buys ? 90 : d->to_cart;

    if (d->landing == LAND_CHECKOUT) { /* a refill by mail: what was bought last time is in it */
        struct product p = draw_product(s);

        fill_line(s, &p);
        if (!bounces)
            check_out(s);
        else
            view(s, SLICE("/shop/checkout.html"), SLICE("Checkout"));
        return;
    }
    if (d->landing == LAND_HOME) {
        view(s, SLICE("/shop/"), SLICE("Kedai Teh"));
        linger(s, 8000);
    } else if (d->landing == LAND_CATEGORY) {
        struct product p = draw_product(s);

        view_category(s, &p);
    } else if (bounces) {
        struct product p = draw_product(s);

        view_product(s, &p);
    }
    if (!bounces)
        browse(s, d->landing == LAND_PRODUCT, to_cart);
    else if (dice_chance(&s->dice, 300))
        plan_next(s, VISIT_BACK, HOUR_MS + dice_delay_ms(&s->dice, 3 * DAY_MS), 0);
}

static void
refund(struct session *s)
{
    s->e.origin = ORIGIN_SERVER;
    for (int k = TEXT_CONTINENT; k <= TEXT_LANGUAGE; k++)
        s->e.text[k] = SLICE_EMPTY; /* the shop's server told, not the visitor's device */
    s->e.text[TEXT_ORDER] = order_text(s, s->plan->sale_session);
    set_money(s, s->plan->value);
    emit(s, SLICE("refund"));
}

/* A script that clicks about, and puts things in baskets. */
static void
crawl(struct session *s)
{
    uint32_t n = 3 + dice_below(&s->dice, 6);

    s->e.flags |= EVENT_BOT;
    s->e.text[TEXT_BOT_REASON] = SLICE("agent says headless");
    s->e.text[TEXT_DEVICE] = SLICE("desktop");
    s->e.text[TEXT_OS] = SLICE("Linux");
    s->e.text[TEXT_BROWSER] = SLICE("Chrome");
    s->is_phone = false;
    for (uint32_t i = 0; i < n; i++) {
        struct product p = draw_product(s);
        struct slice path = join(s, SLICE("/shop/product-"), p.sku, SLICE(".html"));

        view_from(s, path, p.title, SLICE_EMPTY);
        s->now += 350 + dice_below(&s->dice, 300);
        if (i + 1 == n && dice_chance(&s->dice, 3000))
            add_to_cart(s, &p);
    }
}

/* ---- one session ---- */

static void
set_driver_texts(struct session *s, const struct shop_driver *d)
{
    bool is_load = s->run->config->profile == BENCH_SHOP_LOAD;

    if (d->channel == NULL)
        return;
    s->driver = d;
    if (d->campaign != NULL)
        s->campaign = is_load ? numbered(s, "campaign-", dice_skewed(&s->dice, LOAD_CAMPAIGNS))
                              : slice_from(d->campaign);
    if (d->keywords != NULL) {
        uint32_t n = 0;

        while (d->keywords[n] != NULL)
            n++;
        s->keyword = is_load ? numbered(s, "keyword-", dice_skewed(&s->dice, LOAD_KEYWORDS))
                             : slice_from(d->keywords[dice_skewed(&s->dice, n)]);
    }
}

/* Who the visitor is: thrown with the visitor's own dice, so that it is the same at each visit. */
static void
set_visitor(struct session *s)
{
    struct dice d = dice_of(s->run->config->seed, s->plan->visitor);
    const struct shop_place *place = draw_place(s->run, &d);
    const struct shop_agent *agent = draw_agent(s->run, &d);

    put_hex(s->visitor, dice_mix(s->plan->visitor + s->run->config->seed));
    put_hex(s->visitor + 16, dice_next(&d));
    s->e.visitor = slice_of(s->visitor, sizeof s->visitor);
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
session_init(struct session *s, struct shop_run *run, const struct shop_plan *plan)
{
    memset(s, 0, offsetof(struct session, text));
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
come_by_driver(struct session *s)
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
shop_session_run(struct shop_run *run, const struct shop_plan *plan)
{
    struct session s;
    struct product p;

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
        view(&s, SLICE("/shop/"), SLICE("Kedai Teh"));
        linger(&s, 8000);
        browse(&s, false, 7000);
        break;
    case VISIT_REFUND:
        refund(&s);
        break;
    case VISIT_BOT:
        crawl(&s);
        break;
    }
}
