/* The collector process: HTTP in, events on disk, an answer. All wiring is here; signals and
 * settings are cmd/'s.
 *
 *     rc = collect_start(&config, &collect, &err);   // listening from here on
 *     ... wait for a signal ...
 *     collect_stop(&collect);                        // answers what is in flight, then ends
 *
 * The process must ignore SIGPIPE.
 */
#ifndef COLLECTOR_COLLECT_H
#define COLLECTOR_COLLECT_H

#include "collector/limit_rate.h"
#include "core/err.h"
#include "core/stream.h"

struct collect_config {
    const char *address; /* "0.0.0.0" */
    int port;            /* 0: any free one */
    int n_threads;
    int queue;                /* connections accepted and waiting for a thread */
    int keep_alive_ms;        /* 0: a connection takes one request. A waiting one holds a thread */
    const char *snippet_path; /* besides /corong.js and /e; "" or NULL: nowhere else */
    const char *beacon_path;
    const char *trusted_proxies; /* whose X-Forwarded-For is believed; "" nobody's */
    struct stream_address redis;
    const char *place_db;             /* a MaxMind database; "" or NULL: no place is known */
    size_t beacon_bytes_max;          /* of one POST /e */
    int64_t publish_wait_ms;          /* how long Redis may take before the spool takes over */
    size_t publish_queue_bytes;       /* of events that wait; 0: 16 MB */
    const char *spool_dir;            /* at most 900 bytes; "" or NULL: no spool */
    uint64_t spool_bytes_max;         /* of all its files */
    struct limit_speed address_speed; /* requests of one address; of this machine's own: no limit */
    struct limit_speed site_speed;    /* events of one site, those of its server included */
    int64_t daily_write_ms;           /* how often Redis is told what became of events; 0: 5 s */
    int64_t (*wall_ms)(void); /* NULL: the system's clock, to be compared with Redis's; for tests */
    const char *demo_site_key; /* not "" and not NULL: serve the demonstration shop with this key */
};

struct collect;

/* ERR_INVALID, ERR_DENIED: Redis is there and does not keep what it acknowledges, or a setting is
 * wrong; ERR_IO: the port; ERR_NOT_FOUND, ERR_CORRUPT: place_db. A Redis that is away is no error:
 * events go to the spool until it comes, and without one requests get 503. Strings of config are
 * borrowed until collect_stop. */
enum err_code collect_start(const struct collect_config *config, struct collect **out,
                            struct err *err);
int collect_port(const struct collect *c);
void collect_stop(struct collect **c); /* takes NULL */

#endif
