/* Any body, by every way in: what is accepted becomes an event that survives its encoding. */
#include <assert.h>
#include <stdlib.h>

#include "collector/enrich.h"
#include "core/codec.h"
#include "tests/fuzz/fuzz.h"

static struct enrich *enrich;

static void
check_event(struct given *g, struct arena *a)
{
    static const struct enrich_site site = {1, SLICE("shop.example"), SLICE("USD"), NULL, 0};
    struct buffer bytes = BUFFER_EMPTY;
    struct err err = ERR_NONE;
    struct event e;

    if (g->user_agent.n == 0)
        g->user_agent = g->event.text[TEXT_TITLE]; /* any text of the input will do */
    if (enrich_event(enrich, &site, g, a, &err) != ERR_OK) {
        assert(err.code != ERR_OK && err.message[0] != '\0');
        return;
    }
    assert(g->event.id.n > 0 && g->ip.n == 0);
    for (int k = 0; k < TEXT_COUNT; k++)
        assert(slice_is_utf8(g->event.text[k]));
    if (codec_encode(&bytes, &g->event, NULL) == ERR_OK)
        assert(codec_decode(buffer_slice(&bytes), a, &e, NULL) == ERR_OK);
    buffer_fini(&bytes);
}

static void
check_beacon(enum err_code rc, struct beacon *b, struct arena *a)
{
    if (rc != ERR_OK)
        return;
    assert(b->n_items > 0 && b->n_items <= BEACON_EVENTS_MAX);
    for (uint32_t i = 0; i < b->n_items; i++) {
        assert((b->items[i]->rc == ERR_OK) == (b->items[i]->err.message[0] == '\0'));
        if (b->items[i]->rc != ERR_OK)
            continue;
        beacon_settle_time(&b->items[i]->given, b, 1780315200000, 86400000);
        check_event(&b->items[i]->given, a);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct slice in = slice_of((const char *)bytes, n);
    struct beacon b;
    struct given g;
    struct arena a;
    enum err_code rc;

    if (!enrich && enrich_open(NULL, &enrich, NULL) != ERR_OK)
        abort();
    arena_init(&a, 16 * 1024);
    rc = beacon_parse(in, &a, &b, NULL);
    if (rc == ERR_OK)
        rc = beacon_give_visitor(&b, b.visitor, NULL);
    check_beacon(rc, &b, &a);
    check_beacon(beacon_parse_server(in, &a, &b, NULL), &b, &a);
    if (beacon_parse_line(in, &a, &g, NULL) == ERR_OK)
        check_event(&g, &a);
    arena_fini(&a);
    return 0;
}
