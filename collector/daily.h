/* What became of each site's events, day by day, and how this collector does: for whoever looks at
 * the dashboard's page "Data health" (docs/health.md). /metrics has the same of the whole process.
 *
 * Requests add to numbers in memory and go on. A thread gives what was added to Redis every few
 * seconds: counters of the site's own day (STREAM_DAY, core/stream_counts.h), and under this
 * collector's name (STREAM_COLLECTORS)
 *
 *     {"time":1780315200000,"state":"ready|spooling|refusing","why":"..","spool_bytes":0,
 *      "damaged_records":0,"places":{"type":"GeoLite2-City","notice":"..","built":1780000000000}}
 *
 * While Redis is away numbers wait for it. Those whose fate in Redis is unknown are not sent again:
 * a count may come short by what one write held, and is never too high. Of more than
 * DAILY_SITES_MAX sites those that come late are not counted here.
 */
#ifndef COLLECTOR_DAILY_H
#define COLLECTOR_DAILY_H

#include "collector/metrics.h"
#include "collector/place.h"
#include "collector/publish.h"
#include "collector/sites.h"

#define DAILY_SITES_MAX 4096
#define DAILY_WRITE_MS  5000
#define DAILY_TELL_MS   30000 /* how often a collector that has nothing new says that it is there */

enum daily_what {
    DAILY_ACCEPTED,
    DAILY_LATE,    /* of the accepted; STREAM_DAY_LATE_MS */
    DAILY_BOTS,    /* of the accepted */
    DAILY_REFUSED, /* and the reason: DAILY_REFUSED + REASON_TOO_OLD */
    DAILY_COUNT = DAILY_REFUSED + REASON_COUNT
};

struct daily_config {
    struct stream_address redis;
    int64_t write_ms;
    int port;            /* with the machine's name it is the collector's */
    struct sites *sites; /* borrowed until daily_stop, as are these: */
    struct publish *publish;
    const struct place_database *places; /* NULL: none */
};

struct daily;

enum err_code daily_start(const struct daily_config *config, struct daily **out, struct err *err);
void daily_stop(struct daily **d); /* gives what there is; takes NULL */

/* site 0: of no site that is known. Thread-safe, and waits for nobody. d NULL: nothing. */
void daily_add(struct daily *d, uint32_t site, enum daily_what what, uint64_t n);

static inline void
daily_refused(struct daily *d, uint32_t site, enum reason why, uint64_t n)
{
    daily_add(d, site, (enum daily_what)(DAILY_REFUSED + (int)why), n);
}

#endif
