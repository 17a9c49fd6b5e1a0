/* Merging: many small segments become few, each of one site and one month, for good without
 * repeats.
 *
 * - files of several sites are split by site as soon as there are MERGE_FAN_IN of a month
 * - of a site's month, sorted by rows, those files are joined that together have as many as the
 * next larger one, once there are MERGE_FAN_IN of them, or after a quiet while any two of them:
 * each join at least doubles a row's file, so a row is written about log2(month / flush) times
 * - segments of removed sites are dropped, as are those wholly older than their site's retention;
 *   what is partly older is left out of every merge, and a file with much of it written anew
 * - whoever was erased is left out; every MERGE_ERASE_MS all files that hold him yet are written
 * anew
 * - inputs stay live until the outputs are committed in the same transaction; queries and ingest
 *   never wait
 */
#ifndef AGGREGATOR_MERGE_H
#define AGGREGATOR_MERGE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "aggregator/catalog.h"
#include "aggregator/settings_db.h"

#define MERGE_FAN_IN       8
#define MERGE_INPUTS_MAX   64
#define MERGE_OUTPUT_BYTES (256u << 20) /* a merged file is cut by visitor hash at about this */
#define MERGE_QUIET_MS     60000
#define MERGE_ERASE_MS     3600000
#define MERGE_OLD_MS       (INT64_C(7) * 86400 * 1000) /* how far a file may reach back too far */

/* Segments that turned out to be damaged: left alone until a restart, so that one bad file does not
 * keep the others from being merged. */
#define MERGE_BAD_MAX 64
struct merge_memory {
    size_t n_bad;
    char bad[MERGE_BAD_MAX][CATALOG_NAME_MAX];
};

struct merge_options {
    const struct store *store; /* borrowed */
    struct settings_db *settings;
    bool everything;             /* join whatever can be joined, not only what is due */
    bool only_erases;            /* only write anew what holds much that does not count any more */
    const atomic_bool *stop;     /* may be NULL */
    struct merge_memory *memory; /* may be NULL */
    const struct stream_address *redis; /* whose log forgets the erased; may be NULL */
};

/* Do one merge, if one is due. *out_n is the number of input segments that went, 0 where there was
 * nothing to do. ERR_CONFLICT: another process is merging, or an input went meanwhile (try again
 * later). ERR_FULL: less than twice the inputs is free; postponed. ERR_CORRUPT: an input is
 * damaged; it is named, and remembered in options->memory. */
enum err_code merge_step(struct catalog *c, const struct merge_options *options, size_t *out_n,
                         struct err *err);

/* Merge and clean until *stop; lowers the calling thread's priority. Errors are logged; alarms:
 * "merge_postponed" (no space), "segment_corrupt". */
void merge_run(const struct merge_options *options);

#endif
