/* Any query as a pixel's, as a page's and as a referrer: parsed, tagged, enriched. */
#include <assert.h>
#include <stdlib.h>

#include "collector/driver.h"
#include "collector/enrich.h"
#include "tests/fuzz/fuzz.h"

static struct enrich *enrich;

/* The input as the page's and the referrer's address at once, or one of them. */
static void
check_addresses(struct slice url, struct slice referrer, struct arena *a)
{
    static const struct slice ignored[] = {SLICE("pay.example")};
    static const struct enrich_site site = {1, SLICE("shop.example"), SLICE("USD"), ignored, 1};
    struct given g;

    given_init(&g, ORIGIN_PIXEL);
    g.event.visitor = SLICE("v");
    g.event.text[TEXT_EVENT] = SLICE("e");
    g.event.time_ms = 1;
    assert(given_set(&g, SLICE("url"), url, a, NULL) == ERR_OK);
    assert(given_set(&g, SLICE("referrer"), referrer, a, NULL) == ERR_OK);
    g.user_agent = url;
    g.ip = url;
    assert(enrich_event(enrich, &site, &g, a, NULL) == ERR_OK);
    assert((g.event.flags & EVENT_DRIVER) == 0 || g.event.text[TEXT_CHANNEL].n > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct slice in = slice_of((const char *)bytes, n), rest;
    struct driver_tags tags;
    struct beacon b;
    struct arena a;

    if (!enrich && enrich_open(NULL, &enrich, NULL) != ERR_OK)
        abort();
    arena_init(&a, 16 * 1024);
    beacon_parse_pixel(in, &a, &b, NULL);
    rest = driver_read_query(in, &a, &tags);
    assert(rest.n <= in.n);
    check_addresses(in, SLICE_EMPTY, &a);
    check_addresses(SLICE("https://shop.example/"), in, &a);
    check_addresses(arena_printf(&a, "https://shop.example/?%.*s", SLICE_ARG(in)),
                    arena_printf(&a, "https://%.*s/", SLICE_ARG(in)), &a);
    arena_fini(&a);
    return 0;
}
