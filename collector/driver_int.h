/* Between the files of driver: the tables of driver_hosts.c, which is generated. */
#ifndef COLLECTOR_DRIVER_INT_H
#define COLLECTOR_DRIVER_INT_H

#include "collector/driver.h"

/* Sorted by host as bytes; of one host the longer path first. */
extern const struct driver_host driver__hosts[];
extern const size_t driver__n_hosts;

struct driver_name {
    const char *source; /* lower case */
    enum driver_kind kind;
};

/* Sorted by source as bytes. */
extern const struct driver_name driver__names[];
extern const size_t driver__n_names;

struct slice driver__last_labels(struct slice host, int n); /* the whole host where it has fewer */

/* What campaigns call a source besides its name ("fb"): its name, or what was given. */
struct slice driver__source_of_alias(struct slice name);

#endif
