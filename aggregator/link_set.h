/* The links of events that are about to be committed: each once, with its earliest event, however
 * often a site identifies the same visitor. Memory is that of the different links. */
#ifndef AGGREGATOR_LINK_SET_H
#define AGGREGATOR_LINK_SET_H

#include "aggregator/catalog.h"

struct link_set {
    struct arena arena;
    struct catalog_link *list; /* texts in the arena */
    size_t n;
    size_t max;
};

void link_set_init(struct link_set *s);
void link_set_fini(struct link_set *s);
void link_set_clear(struct link_set *s);

void link_set_add(struct link_set *s, const struct catalog_link *link); /* copies */

/* Each once, by site. Borrowed until the next call. */
const struct catalog_link *link_set_list(struct link_set *s, size_t *out_n);

#endif
