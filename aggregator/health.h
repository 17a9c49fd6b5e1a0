/* How a data folder does, and what one site has in it: what a page that is asked every few seconds
 * may cost. What became of events before they were stored is not here (core/stream_counts.h). */
#ifndef AGGREGATOR_HEALTH_H
#define AGGREGATOR_HEALTH_H

#include "aggregator/catalog.h"
#include "aggregator/snapshot.h"

struct health {
    /* of the site */
    uint64_t n_events; /* stored; the same event in two segments counts twice until their merge */
    int64_t first_ms;  /* both 0 where there is none */
    int64_t newest_ms;
    int64_t stored_ms; /* when the newest file came that is no merge; 0: not known */
    size_t n_warnings; /* what is left out of every answer, and why: damage */
    const struct snapshot_warning *warnings;
    /* of the folder */
    uint64_t n_segments;
    uint64_t n_bytes; /* theirs */
    uint64_t free_bytes;
    int64_t backup_ms; /* when `corong backup` last succeeded; 0: never */
    size_t n_bad;      /* stream entries in bad/ */
    size_t n_alarms;
    const struct catalog_alarm *alarms;
};

/* Everything is in the arena. Errors are those of catalog_open and snapshot_take; a folder without
 * a catalog is a new one. */
enum err_code health_read(const struct store *s, struct snapshot_pool *p, uint32_t site,
                          struct arena *a, struct health *out, struct err *err);

#endif
