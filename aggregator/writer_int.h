/* What writer.c and writer_merge.c share. */
#ifndef AGGREGATOR_WRITER_INT_H
#define AGGREGATOR_WRITER_INT_H

#include <pthread.h>

#include "aggregator/link_set.h"
#include "aggregator/writer.h"

struct writer {
    const struct store *store;
    struct catalog *catalog;
    enum catalog_kind kind;
    int lock_fd;
    pthread_mutex_t lock; /* of what follows; nothing is called under it that waits */
    uint64_t n_rows;
    uint64_t n_erased;
    struct catalog_segment *added; /* not committed yet */
    size_t n_added;
    size_t added_max;
    struct link_set links;                    /* of what was added */
    uint32_t *months;                         /* of writer_months; owned */
    struct arena arena;                       /* of erased */
    const struct segment_erased_site *erased; /* as of writer_open: read only */
    size_t n_erased_sites;
    bool is_unsure; /* a commit failed in a way that may yet turn out to have happened */
};

/* List a file that was written. Under the lock. */
void writer__list(struct writer *w, const struct catalog_segment *row);

/* Unlink a file that no catalog names; what stays is taken by the next clean-up. */
void writer__unlink(const struct writer *w, const char *name);

#endif
