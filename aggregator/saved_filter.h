/* Filters kept by name, a list per site: what the bar above a report asks for, for everybody of the
 * site. What they mean is checked by who keeps them (the API: as a report's filters). */
#ifndef AGGREGATOR_SAVED_FILTER_H
#define AGGREGATOR_SAVED_FILTER_H

#include "aggregator/settings_db.h"

#define SAVED_FILTERS_MAX 200 /* of a site */

struct saved_filter {
    struct slice name;
    int64_t updated_ms;
    struct slice author;
    struct slice filters; /* {"filters":[..]} as it was given */
};

/* Keep or replace; updated_ms is now. ERR_INVALID: the name. ERR_LIMIT, ERR_NOT_FOUND: no such
 * site. */
enum err_code saved_filter_put(struct settings_db *db, uint32_t site, const struct saved_filter *f,
                               struct err *err);

/* All of a site, by name, into the arena. */
enum err_code saved_filter_list(struct settings_db *db, uint32_t site, struct arena *a,
                                struct saved_filter **out, size_t *out_n, struct err *err);

/* ERR_NOT_FOUND. */
enum err_code saved_filter_remove(struct settings_db *db, uint32_t site, struct slice name,
                                  struct err *err);

#endif
