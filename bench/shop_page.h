/* A session of the generator, and what happens on one page of it: private to the folder.
 *
 * What holds for the session (place, device) stands in its event from the start; what belongs to
 * one event is set, emitted and cleared. All slices point into the session or to static text.
 */
#ifndef BENCH_SHOP_PAGE_H
#define BENCH_SHOP_PAGE_H

#include "bench/shop_int.h"

#define SHOP_LINES_MAX 3 /* of a basket */

struct shop_item {
    struct slice sku;
    struct slice title;
    struct slice category;
    struct slice category_path;
    int64_t price;
};

struct shop_line {
    struct shop_item product;
    int64_t quantity;
};

struct shop_session {
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
    struct shop_line lines[SHOP_LINES_MAX];
    int n_lines;
    struct event_property property;
    char id[16];
    char visitor[32];
    char order[20];
    size_t n_text;
    char text[8192]; /* what the slices above point to */
};

/* ---- text ---- */

struct slice page__text_join(struct shop_session *s, struct slice a, struct slice b,
                             struct slice c);
struct slice page__text_number(struct shop_session *s, const char *stem, uint32_t number);
size_t page__put_decimal(char *p, uint64_t v, size_t min_digits); /* p: 20 bytes */
void page__put_hex(char *p, uint64_t v);                          /* p: 16 bytes */

/* ---- one event ---- */

void page__set_money(struct shop_session *s, int64_t value);
void page__set_line(struct shop_session *s, const struct shop_line *line);
void page__set_property(struct shop_session *s, struct slice key, struct slice value);

/* Emit the event as it stands under this name, and clear what was its own. */
void page__emit(struct shop_session *s, struct slice name);

/* ---- the page ---- */

/* View a page; the first of a session with a driver brings the driver along. */
void page__view_from(struct shop_session *s, struct slice path, struct slice title,
                     struct slice referrer);
void page__view(struct shop_session *s, struct slice path, struct slice title);

/* Let time pass; the same, and say on leaving how far the page was read. */
void page__linger(struct shop_session *s, int64_t median_ms);
void page__read(struct shop_session *s, int64_t median_ms);

/* ---- BENCH_SHOP_PEOPLE (shop_people.c); elsewhere these do nothing ---- */

/* Of somebody with two devices the odd sessions are on the second. */
bool people__is_on_second_device(const struct shop_session *s);

/* Who has two devices signs in, on both. */
void people__sign_in(struct shop_session *s);

/* After the first session: when the visitor will be seen again in any case. */
void people__plan_later(struct shop_session *s);

#endif
