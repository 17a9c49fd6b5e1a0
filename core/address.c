#include "core/address.h"

#include <arpa/inet.h>

bool
address_parse(struct slice text, unsigned char out[16])
{
    char plain[INET6_ADDRSTRLEN];

    if (!slice_to_cstr(text, plain, sizeof plain))
        return false;
    if (inet_pton(AF_INET, plain, out + 12) == 1) {
        memset(out, 0, 10);
        out[10] = out[11] = 0xff;
        return true;
    }
    return inet_pton(AF_INET6, plain, out) == 1;
}

static bool
parse_network(struct slice text, struct address_network *out)
{
    struct slice address, bits_text;
    bool has_bits = slice_cut(text, '/', &address, &bits_text);
    int most = slice_find(address, ':', 0) < address.n ? 128 : 32;
    int64_t bits = most;

    if (!address_parse(address, out->bytes) || (has_bits && !slice_to_int64(bits_text, &bits)) ||
        bits < 0 || bits > most)
        return false;
    out->bits = (int)bits + 128 - most;
    return true;
}

enum err_code
address_list_parse(struct slice text, struct address_list *out, struct err *err)
{
    struct address_list list = {.n = 0};
    struct slice one;
    bool more = slice_trim(text).n != 0;

    while (more) {
        more = slice_cut(text, ',', &one, &text);
        one = slice_trim(one);
        if (list.n == ADDRESS_NETWORKS_MAX)
            return err_set(err, ERR_LIMIT, "", "at most %d networks", ADDRESS_NETWORKS_MAX);
        if (!parse_network(one, &list.networks[list.n]))
            return err_set(err, ERR_INVALID, "", "\"%.*s\" is neither an address nor a network",
                           (int)(one.n < 80 ? one.n : 80), one.p);
        list.n++;
    }
    *out = list;
    return ERR_OK;
}

bool
address_list_has(const struct address_list *list, struct slice address)
{
    unsigned char a[16];

    if (list->n == 0 || !address_parse(address, a))
        return false;
    for (int i = 0; i < list->n; i++) {
        const struct address_network *w = &list->networks[i];
        size_t whole = (size_t)w->bits / 8;
        int shift = 8 - w->bits % 8;
        if (memcmp(a, w->bytes, whole) == 0 &&
            (shift == 8 || a[whole] >> shift == w->bytes[whole] >> shift))
            return true;
    }
    return false;
}

/* "1.2.3.4", "1.2.3.4:567", "[::1]:567", "::1" -> the address alone. */
static struct slice
without_port(struct slice hop)
{
    size_t colon = slice_find(hop, ':', 0);

    if (hop.n != 0 && hop.p[0] == '[')
        return slice_sub(hop, 1, slice_find(hop, ']', 0) - 1);
    if (colon < hop.n && slice_find(hop, ':', colon + 1) == hop.n)
        return slice_sub(hop, 0, colon);
    return hop;
}

/* The last hop of *rest, which loses it. False where *rest is empty. */
static bool
take_last_hop(struct slice *rest, struct slice *hop)
{
    size_t from = rest->n;

    if (rest->n == 0)
        return false;
    while (from > 0 && rest->p[from - 1] != ',')
        from--;
    *hop = without_port(slice_trim(slice_sub(*rest, from, rest->n - from)));
    rest->n = from > 0 ? from - 1 : 0;
    return true;
}

bool
address_follow(const struct address_list *trusted, struct slice value, struct slice *found)
{
    unsigned char ignored[16];
    struct slice hop;

    while (take_last_hop(&value, &hop)) {
        if (!address_parse(hop, ignored))
            return false;
        *found = hop;
        if (!address_list_has(trusted, hop))
            return false;
    }
    return true;
}
