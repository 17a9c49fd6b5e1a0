/* From the request line to a route: pure, so that it can be tested and fuzzed without a server. */
#include "core/http_int.h"

#include <stdio.h>

enum http_method
http__method(const char *name, bool *is_head)
{
    static const struct {
        const char *name;
        enum http_method method;
    } table[] = {{"GET", HTTP_GET},        {"HEAD", HTTP_GET},    {"POST", HTTP_POST},
                 {"PUT", HTTP_PUT},        {"PATCH", HTTP_PATCH}, {"DELETE", HTTP_DELETE},
                 {"OPTIONS", HTTP_OPTIONS}};

    *is_head = strcmp(name, "HEAD") == 0;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(name, table[i].name) == 0)
            return table[i].method;
    return 0;
}

bool
http__decode_path(struct arena *a, const char *raw, struct slice *out)
{
    size_t n = strlen(raw), w = 0;
    char *p = arena_alloc(a, n + 1);
    struct slice rest, segment;
    bool more = true;

    if (n == 0 || raw[0] != '/')
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)raw[i];
        if (c == '%') {
            int high = i + 2 < n ? slice_hex_digit(raw[i + 1]) : -1;
            int low = high >= 0 ? slice_hex_digit(raw[i + 2]) : -1;
            if (low < 0)
                return false;
            c = (unsigned char)(high << 4 | low);
            i += 2;
        }
        if (c < ' ' || c == 0x7f)
            return false;
        p[w++] = (char)c;
    }
    p[w] = '\0';
    *out = rest = slice_of(p, w);
    while (more) {
        more = slice_cut(rest, '/', &segment, &rest);
        if (slice_is(segment, ".."))
            return false;
    }
    return true;
}

static bool
route_matches(const struct http_route *route, struct slice path, struct slice *tail)
{
    struct slice pattern = slice_from(route->path);

    *tail = SLICE_EMPTY;
    if (pattern.n == 0 || pattern.p[pattern.n - 1] != '*')
        return slice_equal(pattern, path);
    pattern.n--;
    if (!slice_starts_with(path, pattern))
        return false;
    *tail = slice_sub(path, pattern.n, path.n - pattern.n);
    return true;
}

const struct http_route *
http__find_route(const struct http_route *routes, struct http_request *r, unsigned *allowed)
{
    const struct http_route *found = NULL;
    size_t best = 0;
    struct slice tail;

    *allowed = 0;
    for (const struct http_route *route = routes; route->path; route++) {
        size_t rank;
        if (route->path[1] != '*' && r->path.n > 1 && route->path[1] != r->path.p[1])
            continue; /* most of them, at once */
        if (!route_matches(route, r->path, &tail))
            continue;
        rank = strlen(route->path) * 2 + (route->path[strlen(route->path) - 1] != '*');
        if (rank < best)
            continue;
        if (rank > best) {
            best = rank;
            found = NULL;
            *allowed = 0;
        }
        *allowed |= route->methods;
        if (!found && (route->methods & r->method)) {
            found = route;
            r->tail = tail;
        }
    }
    return found;
}

void
http__reply_no_route(struct http_reply *reply, unsigned allowed)
{
    static const struct {
        unsigned method;
        const char *words;
    } names[] = {{HTTP_GET, "GET, HEAD"}, {HTTP_POST, "POST"},     {HTTP_PUT, "PUT"},
                 {HTTP_PATCH, "PATCH"},   {HTTP_DELETE, "DELETE"}, {HTTP_OPTIONS, "OPTIONS"}};
    char list[64] = "";
    size_t n = 0;

    if (allowed == 0) {
        http_reply_error(reply, 404, "not_found", "there is nothing at this address", NULL);
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (allowed & names[i].method)
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "", names[i].words);
    http_reply_error(reply, 405, "method_not_allowed", "this address knows other methods", NULL);
    http_reply_header(reply, "Allow", slice_of(list, n));
}
