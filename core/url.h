/* URLs, split as a browser would for http and https; nothing is fetched. All slices borrow from
 * the input, unless decoded into an arena. */
#ifndef CORE_URL_H
#define CORE_URL_H

#include "core/arena.h"
#include "core/slice.h"

struct url {
    struct slice scheme; /* "https"; as written, so compare without case */
    struct slice host;   /* without port and user, as written; "" for a bare path */
    struct slice port;
    struct slice path;     /* "/" at least where there is a host; as written, still encoded */
    struct slice query;    /* without the "?" */
    struct slice fragment; /* without the "#" */
};

/* Split an absolute http(s) URL, a protocol-relative "//host/path", or a path "/p?q". False for
 * anything else ("javascript:...", "about:blank", ""). */
bool url_split(struct slice text, struct url *out);

/* Host in lower case, without a trailing dot; borrows where that is what it is, else in the arena.
 */
struct slice url_host(struct arena *a, struct slice host);

/* Walk a query string: `while (url_next_parameter(&rest, &name, &value))`; both still encoded. */
bool url_next_parameter(struct slice *rest, struct slice *name, struct slice *value);

/* Undo %XX and '+' (form style); bytes that are no UTF-8 become U+FFFD. Borrows where nothing
 * changes. */
struct slice url_decode(struct arena *a, struct slice encoded);

/* The same for text of whatever charset: the bytes as they are. */
struct slice url_decode_bytes(struct arena *a, struct slice encoded);

#endif
