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

/* The next hop to the left in a value of X-Forwarded-For: cut from *rest, without port and
 * brackets. False where *rest is empty. */
bool address_next_hop(struct slice *rest, struct slice *hop);

#endif
