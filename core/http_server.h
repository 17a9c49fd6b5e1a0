/* What http_server.c (starting, stopping, civetweb's threads), http_door.c (a door of our own) and
 * http.c (a request and its reply) share. */
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
    struct mg_context *mg; /* NULL: it has a door */
    struct http_door *door;
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

void http__worker_init(struct worker *w);
void http__worker_fini(struct worker *w);

/* One request, whose head was read: its body, its handler, its reply. */
void http__exchange(struct http_server *s, struct worker *w, const struct http_incoming *in,
                    struct slice remote, struct http_peer *peer);

/* Answer what no request could be made of (no HTTP, too long, too late), and end the connection. */
void http__refuse_unread(struct http_server *s, int status, struct http_peer *peer);

/* Listen, with s->config's threads; sets s->port. ERR_IO: it cannot. */
enum err_code http__door_open(struct http_server *s, struct err *err);

/* Interrupt what waits for bytes, and end the threads. Takes a server without a door. */
void http__door_close(struct http_server *s);

#define HTTP_LATE_SIGNAL SIGURG /* to interrupt a thread that waits; does nothing else */

#endif
