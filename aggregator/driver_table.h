/* Drivers by their five texts, each kept once, so that two events have the same driver exactly
 * where they have the same pointer. For one thread.
 */
#ifndef AGGREGATOR_DRIVER_TABLE_H
#define AGGREGATOR_DRIVER_TABLE_H

#include "core/arena.h"

/* In the order in which drivers are compared (funnel.md 4). */
enum driver_part {
    DRIVER_SOURCE,
    DRIVER_MEDIUM,
    DRIVER_CAMPAIGN,
    DRIVER_CONTENT,
    DRIVER_KEYWORD,
    DRIVER_PARTS
};

struct driver {
    struct slice parts[DRIVER_PARTS]; /* "" = not set */
    uint32_t number;                  /* in its table, from 1 */
    bool is_empty;                    /* none of them is set: the same driver as none at all */
};

struct driver_table;

struct driver_table *driver_table_create(void);
void driver_table_destroy(struct driver_table **t);

/* The driver of these texts (the rest of it is not looked at); lives as long as the table. */
const struct driver *driver_table_find(struct driver_table *t, const struct driver *texts);

/* The driver of a number; NULL for 0. */
const struct driver *driver_table_at(const struct driver_table *t, uint32_t number);

int driver_compare(const struct driver *a, const struct driver *b);

#endif
