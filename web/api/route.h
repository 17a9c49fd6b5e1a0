/* The routes of the API as one table, and the checks that each request of it passes.
 *
 * In this order, each with its own answer: a path and a method that exist (404, 405), a wire that a
 * password may travel on (403 "insecure"), a source that is our own page for whatever is no GET and
 * has no API key (403 "cross_site"), a session or a key (401 "sign_in"), a site that exists and
 * that this account has a role for (404), a role that may (403 "role").
 */
#ifndef WEB_API_ROUTE_H
#define WEB_API_ROUTE_H

#include "core/http.h"
#include "web/api/access.h"

struct web;

/* The handler of "/api/" and all below it; context is the struct web. */
void route_api(const struct http_request *request, struct http_reply *reply, void *context);

/* The table, for those who describe or test it. */
struct route_entry {
    enum http_method method;
    const char *path;        /* "/api/v1/sites/{site}/funnels/{name}" */
    bool is_public;          /* answered without a session */
    enum access_right right; /* what it asks of others */
};
size_t route_count(void);
struct route_entry route_at(size_t i);

/* Does path fit the pattern? Parameters go to out, which has room for 2. None is empty, and
 * none has a slash but a {name} that ends the pattern: it takes all that is left. */
bool route_match(const char *pattern, struct slice path, struct slice out[2]);

#endif
