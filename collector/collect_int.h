/* What collect.c (wiring, answers about the process) and collect_event.c (events in) share. */
#ifndef COLLECTOR_COLLECT_INT_H
#define COLLECTOR_COLLECT_INT_H

#include "collector/collect.h"
#include "collector/enrich.h"
#include "collector/limit.h"
#include "collector/metrics.h"
#include "collector/publish.h"
#include "collector/shop.h"
#include "collector/sites.h"
#include "core/http.h"

#define COLLECT_ROUTES_MAX 12

struct collect {
    struct collect_config config;
    struct enrich *enrich;
    struct limit *limit;
    struct limit_rate *address_rate;
    struct limit_rate *site_rate;
    struct sites *sites;
    struct publish *publish;
    struct shop *shop; /* NULL: no demonstration */
    struct http_server *http;
    struct http_route routes[COLLECT_ROUTES_MAX];
    struct metrics metrics;
};

/* POST /e, GET /e.gif, POST /api/v1/events. */
void collect__beacon(const struct http_request *r, struct http_reply *reply, void *context);
void collect__pixel(const struct http_request *r, struct http_reply *reply, void *context);
void collect__server(const struct http_request *r, struct http_reply *reply, void *context);

#endif
