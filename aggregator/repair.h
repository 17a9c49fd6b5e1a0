/* `corong check --repair`: a damaged or lost catalog is made anew from the headers of the segments,
 * and files that no commit names come back. For a data folder in which nothing runs.
 *
 * Nothing is deleted: the damaged catalog, and files that cannot even be opened, go to damaged/.
 * Files are taken whether their events were committed, merged into others or about to be read again
 * from the stream: the same thing twice changes nothing. Links are read from the events. The
 * position in the stream is kept where it can still be read, be it from the catalog's copy; else
 * the stream is read from its start. A file that the copy names and that is gone is named.
 */
#ifndef AGGREGATOR_REPAIR_H
#define AGGREGATOR_REPAIR_H

#include "aggregator/check.h"

struct repair_result {
    uint64_t n_segments; /* that came back, or are named by a new catalog */
    uint64_t n_lost;     /* files that cannot be opened: now in damaged/ */
    bool is_new;         /* the catalog was made anew */
};

/* What was done goes to callback; what could not be repaired is a problem. ERR_CONFLICT: something
 * has the catalog open, writes or merges: stop it first. */
enum err_code repair_run(const struct store *s, check_callback callback, void *context,
                         struct repair_result *out, struct err *err);

/* Before anything is started on the folder: a catalog that is damaged, lost, or has lost commits is
 * repaired, so that the server starts; the alarm "catalog_repaired" says so. One that is whole is
 * left as it is, and so is one that another process has open. */
enum err_code repair_at_start(const struct store *s, check_callback callback, void *context,
                              struct err *err);

#endif
