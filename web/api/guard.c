#include "web/api/guard.h"

#include <arpa/inet.h>

#define ADDRESS_TEXT_MAX 64

bool
guard_host_split(struct slice header, struct slice *host)
{
    struct slice port;
    size_t end;

    if (header.n != 0 && header.p[0] == '[') {
        end = slice_find(header, ']', 1);
        if (end == header.n)
            return false;
        *host = slice_sub(header, 1, end - 1);
        port = slice_sub(header, end + 1, header.n);
        if (port.n != 0 && port.p[0] != ':')
            return false;
    } else {
        end = slice_find(header, ':', 0);
        *host = slice_sub(header, 0, end);
        port = slice_sub(header, end, header.n);
    }
    for (size_t i = 1; i < port.n; i++) {
        if (port.p[i] < '0' || port.p[i] > '9')
            return false;
    }
    return host->n != 0 && port.n <= 6;
}

static bool
read_address(struct slice text, struct in_addr *v4, struct in6_addr *v6, int *family)
{
    char cstr[ADDRESS_TEXT_MAX];

    if (!slice_to_cstr(text, cstr, sizeof cstr))
        return false;
    if (inet_pton(AF_INET, cstr, v4) == 1)
        *family = AF_INET;
    else if (inet_pton(AF_INET6, cstr, v6) == 1)
        *family = AF_INET6;
    else
        return false;
    return true;
}

static bool
is_loopback(struct slice address)
{
    struct in_addr v4;
    struct in6_addr v6;
    int family;

    if (!read_address(address, &v4, &v6, &family))
        return false;
    if (family == AF_INET)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (IN6_IS_ADDR_V4MAPPED(&v6))
        return v6.s6_addr[12] == 127;
    return IN6_IS_ADDR_LOOPBACK(&v6);
}

bool
guard_host_is_ours(struct slice host_header, struct slice public_host)
{
    struct slice host;
    struct in_addr v4;
    struct in6_addr v6;
    int family;

    if (!guard_host_split(host_header, &host))
        return false;
    if (slice_equal_nocase(host, SLICE("localhost")))
        return true;
    if (public_host.n != 0 && slice_equal_nocase(host, public_host))
        return true;
    return read_address(host, &v4, &v6, &family);
}

bool
guard_is_local(struct slice remote, struct slice host_header)
{
    struct slice host;

    if (!is_loopback(remote) || !guard_host_split(host_header, &host))
        return false;
    return slice_equal_nocase(host, SLICE("localhost")) || is_loopback(host);
}

struct slice
guard_network(struct slice remote, char dst[GUARD_NETWORK_MAX])
{
    struct slice key = slice_sub(remote, 0, GUARD_NETWORK_MAX);
    struct in_addr v4;
    struct in6_addr v6;
    int family;

    if (!read_address(remote, &v4, &v6, &family)) {
        memcpy(dst, key.p, key.n);
        return slice_of(dst, key.n);
    }
    if (family == AF_INET) {
        memcpy(dst, &v4.s_addr, 3);
        return slice_of(dst, 3);
    }
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
        memcpy(dst, v6.s6_addr + 12, 3);
        return slice_of(dst, 3);
    }
    memcpy(dst, v6.s6_addr, 8);
    return slice_of(dst, 8);
}

const char *
guard_check_source(const struct guard_source *source)
{
    size_t at;

    if (!slice_is(source->corong, "1"))
        return "a request that changes something needs the header X-Corong: 1";
    if (source->fetch_site.n != 0 && !slice_is(source->fetch_site, "same-origin") &&
        !slice_is(source->fetch_site, "none"))
        return "the request comes from a page of another site";
    if (source->origin.n == 0)
        return NULL;
    at = slice_find(source->origin, ':', 0);
    if (!slice_starts_with(slice_sub(source->origin, at, source->origin.n), SLICE("://")))
        return "the request's Origin is not a site";
    if (!slice_equal_nocase(slice_sub(source->origin, at + 3, source->origin.n), source->host))
        return "the request's Origin is another host than its Host";
    return NULL;
}
