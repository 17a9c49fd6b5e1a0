/* Erasing a person, and what is left of the erased once no segment holds them (docs/privacy.md):
 * pages of the databases that are free, and Redis's log, which keeps whatever was ever written
 * until it is written anew.
 */
#ifndef AGGREGATOR_ERASE_H
#define AGGREGATOR_ERASE_H

#include <stdatomic.h>

#include "aggregator/catalog.h"
#include "aggregator/settings_db.h"
#include "aggregator/snapshot.h"

struct erase_wish {
    const struct store *store; /* all borrowed */
    struct snapshot_pool *pool;
    uint32_t site;
    struct slice visitor; /* any of his ids */
    bool is_again;        /* also one of whom no answer knows (any more) */
};

/* Erase all ids of the person that the visitor is one of, up to now: from the commit on no answer
 * has them; merges take them out of the files. catalog is open for writing. ERR_NOT_FOUND, and the
 * errors of the catalog. */
enum err_code erase_person(const struct erase_wish *w, struct catalog *catalog, size_t *out_n_ids,
                           struct err *err);

struct erase_traces {
    struct catalog *catalog; /* all borrowed */
    struct settings_db *settings;
    const struct stream_address *redis; /* NULL: there is none to be written anew */
    const atomic_bool *stop;            /* may be NULL */
};

/* Write catalog.db, settings.db and Redis's log anew, whatever is due. ERR_UNAVAILABLE: something
 * is in use, or Redis does not answer. */
enum err_code erase_traces(const struct erase_traces *t, struct err *err);

/* The same, where somebody was erased since it was last done and nothing waits in Redis that came
 * before that. *out_is_done is false where it is due yet: ask again soon. */
enum err_code erase_traces_if_due(const struct erase_traces *t, bool *out_is_done, struct err *err);

#endif
