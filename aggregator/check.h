/* `corong check`: everything that can be verified without changing anything. */
#ifndef AGGREGATOR_CHECK_H
#define AGGREGATOR_CHECK_H

#include "aggregator/store.h"
#include "core/slice.h"

/* One problem: where ("segments/202606-..seg", "catalog.db", "settings.db") and what. Files that
 * nobody names are notes, not problems: a clean-up takes them. */
struct check_finding {
    bool is_problem;
    struct slice where;
    struct slice what;
};
typedef void (*check_callback)(const struct check_finding *finding, void *context);

struct check_result {
    uint64_t n_segments;
    uint64_t n_rows;
    uint64_t n_bytes;
    uint64_t n_problems;
};

/* Open every live segment with all checksums verified, compare it with its catalog row, list files
 * that nobody names, and run SQLite's own check on both databases. ERR_OK also where problems were
 * found; an error only where the check itself could not run. */
enum err_code check_run(const struct store *s, check_callback callback, void *context,
                        struct check_result *out, struct err *err);

#endif
