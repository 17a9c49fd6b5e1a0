/* What http_server.c (its threads, starting, stopping) and http.c (a request and its reply) share.
 */
#ifndef CORE_HTTP_SERVER_H
#define CORE_HTTP_SERVER_H

#include <civetweb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include "core/address.h"
#include "core/http_int.h"
#include "core/ticker.h"

struct http_server {
    struct mg_context *mg;
    struct http_config config;
    struct address_list trusted;
    struct in_addr address;
    int port;
    atomic_int in_flight;
    atomic_bool is_stopping;
    pthread_mutex_t mutex; /* guards the list of workers */
    struct worker *workers;
    struct ticker *watch;
};

struct worker {
    struct worker *next;
    pthread_t thread;
    _Atomic int64_t body_until_ms; /* while it reads a body, else 0 */
    struct http_date date;
    struct arena arena;
    struct buffer in;
    struct buffer out;
    struct buffer headers; /* of the reply, while no request is in work */
};

/* civetweb's callbacks: a request; and what it refuses itself (a head that is no HTTP, too long,
 * too late), of which nothing is known. */
int http__on_request(struct mg_connection *conn);
int http__on_error(struct mg_connection *conn, int status, const char *words);

#endif
