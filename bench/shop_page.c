/* A page of a session: its texts, its address, its events. */
#include "bench/shop_page.h"

#include <assert.h>

#define SHOP_URL "https://" SHOP_HOST

/* ---- text ---- */

struct slice
page__text_join(struct shop_session *s, struct slice a, struct slice b, struct slice c)
{
    char *p = s->text + s->n_text;

    assert(s->n_text + a.n + b.n + c.n <= sizeof s->text);
    memcpy(p, a.p, a.n);
    memcpy(p + a.n, b.p, b.n);
    memcpy(p + a.n + b.n, c.p, c.n);
    s->n_text += a.n + b.n + c.n;
    return slice_of(p, a.n + b.n + c.n);
}

void
page__put_hex(char *p, uint64_t v)
{
    for (int i = 15; i >= 0; i--, v >>= 4)
        p[i] = "0123456789abcdef"[v & 15];
}

size_t
page__put_decimal(char *p, uint64_t v, size_t min_digits)
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

struct slice
page__text_number(struct shop_session *s, const char *stem, uint32_t number)
{
    char digits[20];
    size_t n = page__put_decimal(digits, number, 4);

    return page__text_join(s, slice_from(stem), slice_of(digits, n), SLICE_EMPTY);
}

/* As in a query: a space is a plus. */
static struct slice
plussed(struct shop_session *s, struct slice words)
{
    struct slice out = page__text_join(s, words, SLICE_EMPTY, SLICE_EMPTY);
    char *p = s->text + s->n_text - out.n;

    for (size_t i = 0; i < out.n; i++)
        if (p[i] == ' ')
            p[i] = '+';
    return out;
}

/* ---- one event ---- */

static void
set_driver(struct shop_session *s)
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
clear_driver(struct shop_session *s)
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

void
page__emit(struct shop_session *s, struct slice name)
{
    struct shop_run *run = s->run;
    uint64_t serial = s->plan->visitor << 12 | (uint64_t)s->plan->session << 8 | s->n_events;
    bool is_first = s->plan->session == 0 && s->n_events == 0;

    assert(s->n_events < 256);
    s->n_events++;
    if (run->rc == ERR_OK && s->now < run->config->end_ms) {
        page__put_hex(s->id, dice_mix(serial + 1));
        s->e.text[TEXT_EVENT] = name;
        s->e.time_ms = s->now;
        s->e.id = slice_is(name, "sale") ? s->e.text[TEXT_ORDER] : slice_of(s->id, sizeof s->id);
        run->rc = run->take(run->ctx, &s->e, run->err);
        count(run, &s->e, is_first);
    }
    s->e.numbers_set = 0;
    s->e.n_properties = 0;
    memset(s->e.number, 0, sizeof s->e.number);
    s->e.text[TEXT_KNOWN] = SLICE_EMPTY;
    for (int k = TEXT_ORDER; k <= TEXT_CURRENCY; k++)
        s->e.text[k] = SLICE_EMPTY;
}

void
page__set_money(struct shop_session *s, int64_t value)
{
    event_set_number(&s->e, NUMBER_VALUE, value);
    s->e.text[TEXT_CURRENCY] = SLICE(SHOP_CURRENCY);
}

void
page__set_line(struct shop_session *s, const struct shop_line *line)
{
    s->e.text[TEXT_PRODUCT] = line->product.sku;
    s->e.text[TEXT_CATEGORY] = line->product.category;
    event_set_number(&s->e, NUMBER_QUANTITY, line->quantity * 1000);
    page__set_money(s, line->product.price * line->quantity);
}

void
page__set_property(struct shop_session *s, struct slice key, struct slice value)
{
    s->property = (struct event_property){key, value};
    s->e.n_properties = 1;
}

void
page__linger(struct shop_session *s, int64_t median_ms)
{
    s->now += 1 + dice_delay_ms(&s->dice, median_ms);
}

/* ---- pages ---- */

/* The query of an address that a campaign made: "?utm_source=..". */
static struct slice
campaign_query(struct shop_session *s)
{
    struct slice q = page__text_join(s, SLICE("?utm_source="), slice_from(s->driver->source),
                                     SLICE("&utm_medium="));

    q = page__text_join(s, q, slice_from(s->driver->medium), SLICE("&utm_campaign="));
    q = page__text_join(s, q, s->campaign, SLICE_EMPTY);
    if (s->driver->content != NULL)
        q = page__text_join(s, q, SLICE("&utm_content="), slice_from(s->driver->content));
    if (s->keyword.n != 0)
        q = page__text_join(s, q, SLICE("&utm_term="), plussed(s, s->keyword));
    return q;
}

/* A warehouse's table names the driver on every event of a session. */
static bool
brings_driver_along(const struct shop_session *s)
{
    return s->driver != NULL && shop__is_table(s->run->config);
}

void
page__view_from(struct shop_session *s, struct slice path, struct slice title,
                struct slice referrer)
{
    bool is_landing = s->page.n == 0 && s->driver != NULL;
    struct slice query = SLICE_EMPTY;

    clear_driver(s);
    s->is_tagged = is_landing && s->campaign.n != 0;
    if (s->is_tagged)
        query = campaign_query(s);
    if (is_landing || brings_driver_along(s))
        set_driver(s);
    s->e.text[TEXT_REFERRER] = is_landing ? slice_from(s->driver->referrer) : referrer;
    s->page = page__text_join(s, SLICE(SHOP_URL), path, query);
    s->e.text[TEXT_URL] = s->page;
    s->e.text[TEXT_HOST] = SLICE(SHOP_HOST);
    s->e.text[TEXT_PATH] = path;
    s->e.text[TEXT_QUERY] = slice_sub(query, 1, query.n);
    s->e.text[TEXT_TITLE] = title;
    event_set_number(&s->e, NUMBER_LOAD_MS, dice_delay_ms(&s->dice, s->is_phone ? 1100 : 600));
    page__emit(s, SLICE("pageview"));
    s->e.text[TEXT_TITLE] = SLICE_EMPTY;
    clear_driver(s);
    if (s->is_tagged || brings_driver_along(s))
        set_driver(s);
}

void
page__view(struct shop_session *s, struct slice path, struct slice title)
{
    page__view_from(s, path, title, s->page);
}

void
page__read(struct shop_session *s, int64_t median_ms)
{
    int64_t before = s->now;

    page__linger(s, median_ms);
    event_set_number(&s->e, NUMBER_ENGAGED_MS, (s->now - before) * 3 / 4);
    event_set_number(&s->e, NUMBER_SCROLL_PCT, 20 + dice_below(&s->dice, 81));
    page__emit(s, SLICE("engage"));
}
