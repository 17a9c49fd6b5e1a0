/* What http.c (the server) and http_route.c (from the request line to a route) share. */
#ifndef CORE_HTTP_INT_H
#define CORE_HTTP_INT_H

#include "core/http.h"

#define HTTP_FIELDS_MAX 64 /* headers; that many are refused, as those behind are forgotten */

struct http_field {
    const char *name, *value;
};

/* A request's head, as it came: nothing decoded. */
struct http_incoming {
    const char *method;
    const char *target;  /* without query; NULL where it names no path of ours */
    const char *query;   /* NULL: none */
    const char *version; /* "1.1" */
    int n_fields;
    struct http_field fields[HTTP_FIELDS_MAX];
};

/* How many of the n bytes are a head, its empty line included; 0: it is not whole yet. Where the
 * first `seen` of them were looked at before, only what came since is. */
size_t http__head_length(const char *p, size_t n, size_t seen);

/* Take a whole head of n bytes apart, in place: *out borrows. 0; or with which status to refuse it
 * (400, 505). Stricter than need be wherever two readers might see two things: lines end by CR LF,
 * none is folded, no space stands before a colon, no control character in a value. */
int http__parse_head(char *p, size_t n, struct http_incoming *out);

/* Where a request comes from and its answer goes. */
struct http_peer {
    /* At most n bytes of the body, before until_ms (steady). 0 or less: no more come, or too late.
     */
    int64_t (*read)(struct http_peer *p, void *to, size_t n, int64_t until_ms);
    bool (*write)(struct http_peer *p, const void *from, size_t n); /* false: nobody reads */
    /* Take no further request of this connection. has_rest: bytes may come that nobody reads. */
    void (*end)(struct http_peer *p, bool has_rest);
};

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
