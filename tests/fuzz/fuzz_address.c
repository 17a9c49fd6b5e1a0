/* Any text as the list of trusted proxies (the first line) and as X-Forwarded-For (the rest): the
 * address that is believed was said by a trusted hop, and whoever stands to the left of a stranger
 * is never it. */
#include <assert.h>

#include "core/address.h"
#include "tests/fuzz/fuzz.h"

static const struct slice peer = SLICE("the peer");

static bool
is_at(struct slice a, struct slice b)
{
    return a.p == b.p && a.n == b.n;
}

static void
check_list(const struct address_list *list)
{
    assert(list->n >= 0 && list->n <= ADDRESS_NETWORKS_MAX);
    for (int i = 0; i < list->n; i++)
        assert(list->networks[i].bits >= 0 && list->networks[i].bits <= 128);
}

/* All hops to the right of the one that was found are trusted. */
static void
check_way(const struct address_list *trusted, struct slice value, struct slice found)
{
    const char *end = found.p + found.n;
    struct slice rest = slice_of(end, (size_t)(value.p + value.n - end)), again = peer;

    assert(found.p >= value.p && end <= value.p + value.n);
    if (slice_find(rest, ',', 0) == rest.n)
        return; /* the last hop; behind it its port, if anything */
    rest = slice_sub(rest, slice_find(rest, ',', 0) + 1, rest.n);
    assert(address_follow(trusted, rest, &again));
    assert(rest.n == 0 || address_list_has(trusted, again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct slice list_text, value, found = peer;
    struct address_list trusted = {.n = 0};
    unsigned char address[16];
    bool is_whole;

    slice_cut(slice_of((const char *)bytes, n), '\n', &list_text, &value);
    (void)address_list_parse(list_text, &trusted, NULL);
    check_list(&trusted);
    is_whole = address_follow(&trusted, value, &found);
    if (is_at(found, peer))
        return 0;
    assert(address_parse(found, address));
    assert(!is_whole || address_list_has(&trusted, found));
    check_way(&trusted, value, found);
    return 0;
}
