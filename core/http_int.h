/* What http.c (the server) and http_route.c (from the request line to a route) share. */
#ifndef CORE_HTTP_INT_H
#define CORE_HTTP_INT_H

#include "core/http.h"

/* 0 for a method we do not know. HEAD is HTTP_GET, and *is_head. */
enum http_method http__method(const char *name, bool *is_head);

/* Decode a path once, into the arena. False for one that does not start with '/', a bad escape, a
 * control character, or a ".." segment. */
bool http__decode_path(struct arena *a, const char *raw, struct slice *out);

/* The route of r->path and r->method: the most exact path wins, then the method. Sets r->tail.
 * NULL: *allowed has the methods that the path knows, 0 where there is no such path. */
const struct http_route *http__find_route(const struct http_route *routes, struct http_request *r,
                                          unsigned *allowed);

/* 404, or 405 with Allow. */
void http__reply_no_route(struct http_reply *reply, unsigned allowed);

/* The Date header, made once a second; zeroed before the first use. One thread's. */
struct http_date {
    int64_t second; /* since the epoch */
    size_t n;
    char line[48];
};

const char *http__status_words(int status);

/* Write the reply's head into *out (emptied first). Returns the body that is to follow it. */
struct slice http__add_head(struct buffer *out, struct http_date *date,
                            const struct http_reply *reply, bool closes);

#endif
