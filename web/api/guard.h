/* What a request must look like before anything of it is believed: its Host, its wire, its origin.
 *
 * Pure functions over the texts of headers, so that every case is a row of a table test.
 *
 * - Host: a page of another site can point its own name at 127.0.0.1 (DNS rebinding) and would then
 *   be "same origin" with us. So only names that nobody else can own are answered: localhost, an IP
 *   address, and the host of the public URL.
 * - Wire: a password over plain http can be read on the way. Plain http is for this machine only,
 *   judged by the peer's address AND the Host, since either alone can be somebody else's.
 * - Origin: a form or script of another site can send requests with our cookie. It cannot add a
 *   header of its own without asking first, and browsers say where a request comes from.
 */
#ifndef WEB_API_GUARD_H
#define WEB_API_GUARD_H

#include "core/slice.h"

/* The host of a Host header: without port, without the brackets of IPv6. False where ill-formed. */
bool guard_host_split(struct slice header, struct slice *host);

/* public_host: the host of the public URL, "" where there is none. */
bool guard_host_is_ours(struct slice host_header, struct slice public_host);

/* Does the request stay on this machine? remote: the peer's address as text. */
bool guard_is_local(struct slice remote, struct slice host_header);

/* Whom to count tries by: the /24 of an IPv4 address, the /64 of an IPv6 one, since who has one
 * address there often has them all. Anything else is its own. Written to dst. */
#define GUARD_NETWORK_MAX 64
struct slice guard_network(struct slice remote, char dst[GUARD_NETWORK_MAX]);

/* The headers that decide whether a request that changes something comes from our own page; ""
 * where one was not sent. */
struct guard_source {
    struct slice host;
    struct slice origin;     /* Origin */
    struct slice fetch_site; /* Sec-Fetch-Site */
    struct slice corong;     /* X-Corong */
};

/* NULL where the request is ours, else what is wrong with it, as a sentence. */
const char *guard_check_source(const struct guard_source *source);

#endif
