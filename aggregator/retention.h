/* Retention: how long a site's events count.
 *
 * From its limit back a site has no events: no answer counts them (snapshot.h), merges leave them
 * out, and the files that hold nothing else go (merge.h). The limit is the first moment of a local
 * day, so that it moves once a day and an answer stays the same in between: no event ever counts
 * that is older than was said.
 */
#ifndef AGGREGATOR_RETENTION_H
#define AGGREGATOR_RETENTION_H

#include "aggregator/settings_db.h"
#include "core/zone.h"

#define RETENTION_TEXT_MAX   16
#define RETENTION_DAYS_MAX   36500
#define RETENTION_MONTHS_MAX 1200

struct retention {
    int n_months; /* one of both, or neither: for ever */
    int n_days;
};

/* "13mo", "400d" or "never". ERR_INVALID, field "retention". */
enum err_code retention_parse(struct slice text, struct retention *out, struct err *err);

/* The one way to write it: "007d" is "7d". Returns dst. */
char *retention_format(const struct retention *r, char dst[RETENTION_TEXT_MAX]);

/* The first moment that counts, at now_ms; 0 where everything does. */
int64_t retention_limit_ms(const struct retention *r, const struct zone *zone, int64_t now_ms);

struct retention_limit {
    int64_t from_ms; /* 0: everything counts */
    char text[RETENTION_TEXT_MAX];
};

/* Of a site by its id, now (clock_wall_ms). A site that is not (any more) in the settings keeps
 * everything: its removal is another matter. */
enum err_code retention_of_site(struct settings_db *db, uint32_t site, struct retention_limit *out,
                                struct err *err);

/* Of all sites that do not keep everything. */
struct retention_limits {
    size_t n;
    struct retention_site {
        uint32_t site;
        int64_t from_ms;
    } * list; /* in the arena */
};
enum err_code retention_of_all(struct settings_db *db, struct arena *a,
                               struct retention_limits *out, struct err *err);
int64_t retention_limit_of(const struct retention_limits *l, uint32_t site); /* 0: everything */

#endif
