/* Network addresses as text, and who may speak for others: trusted proxies. */
#ifndef CORE_ADDRESS_H
#define CORE_ADDRESS_H

#include "core/err.h"
#include "core/slice.h"

#define ADDRESS_NETWORKS_MAX 32

struct address_network {
    unsigned char bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
    int bits;                /* of 128 */
};

struct address_list {
    struct address_network networks[ADDRESS_NETWORKS_MAX];
    int n;
};

/* An IPv4 or IPv6 address, the former as ::ffff:a.b.c.d. False for anything else. */
bool address_parse(struct slice text, unsigned char out[16]);

/* "127.0.0.1, 10.0.0.0/8, fd00::/8" or "". ERR_INVALID, ERR_LIMIT (over ADDRESS_NETWORKS_MAX). */
enum err_code address_list_parse(struct slice text, struct address_list *out, struct err *err);

bool address_list_has(const struct address_list *list, struct slice address);

/* Follow one value of X-Forwarded-For, which a trusted peer sent, from right to left: *found
 * becomes the first hop that is not trusted (without port and brackets; borrowed). False where that
 * ends the way, as does anything odd: what stands further left could be anybody's invention, and
 * *found stays the last good hop. True: all of the value was good, go on with the header before. */
bool address_follow(const struct address_list *trusted, struct slice value, struct slice *found);

#endif
