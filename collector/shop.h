/* The demonstration's shop: a few static pages that carry the snippet, served in demo mode only.
 * The pages are bench/shop-pages, compiled in; {{SITE_KEY}} in them is the demonstration site's. */
#ifndef COLLECTOR_SHOP_H
#define COLLECTOR_SHOP_H

#include "core/http.h"

struct shop;

struct shop *shop_create(struct slice site_key);
void shop_destroy(struct shop **s); /* takes NULL */

/* Answer GET /shop/<path>. */
void shop_reply(const struct shop *s, struct slice path, struct http_reply *reply);

#endif
