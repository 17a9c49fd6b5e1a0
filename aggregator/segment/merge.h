/* Segments: several files of one month -> new files of one site and that month.
 *
 * The result is the union of the inputs' events of the site, without repeats and without what was
 * erased, cut by visitor hash
 * into files of about part_bytes (a visitor is never cut in two). Inputs may be flushes and merged
 * files in any mix; they stay as they are. A flush with several sites is used up when each of its
 * sites was merged:
 *
 *     for each site of any of the inputs
 *         rc = segment_merge(&(struct segment_merge){inputs, n, site, month, part_bytes}, dir,
 *                            arena, &files, &n_files, err);
 *     ... in one transaction: check that every input is still live, list the new, unlist the old
 *
 * It works column by column, never holding events: memory is one dictionary with its tables, the
 * codes of one text (1 to 4 bytes a row, of 32 million rows at most), up to 64 MB of codes that
 * others are guessed from, 100 KB an input, 24 bytes a visitor of the part and 12 bytes for each
 * stretch of rows that is taken whole (a run, or a part of one where a visitor is in several
 * inputs). No threads, no catalog, no locks: all that is the caller's.
 */
#ifndef AGGREGATOR_SEGMENT_MERGE_H
#define AGGREGATOR_SEGMENT_MERGE_H

#include "aggregator/segment/writer.h"

#define SEGMENT_PART_BYTES (256ull << 20)
#define SEGMENT_MERGE_MAX  256 /* inputs of one merge */

/* What the rare values of a text become in a merged file where it has over 200,000 distinct ones
 * (path and query: a million). Ids never do: visitors, events, orders, clicks. */
#define SEGMENT_OTHER "(other)"

struct segment_merge {
    const struct segment *const *inputs; /* borrowed; all of one owner */
    size_t n_inputs;
    uint32_t site;
    uint32_t month;      /* 202606; an input of another month is ERR_INVALID */
    uint64_t part_bytes; /* 0: SEGMENT_PART_BYTES */
    const struct segment_erased_list
        *erased;         /* borrowed; what does not count is left out; NULL: nothing */
    uint32_t values_max; /* distinct values of a text (tests); 0: as above */
    size_t kept_max;     /* bytes of columns that others are guessed from (tests); 0: 64 MB */
};

/* *out (arena; in order of the hash) is written only on ERR_OK; *out_n is 0 where the inputs have
 * nothing of the site. ERR_CORRUPT (an input, named), ERR_INVALID, ERR_LIMIT (a dictionary beyond
 * 512 MB), ERR_IO, ERR_FULL: nothing is left behind. */
enum err_code segment_merge(const struct segment_merge *m, const char *dir, struct arena *a,
                            struct segment_file **out, size_t *out_n, struct err *err);

/* Were values of the attribute folded in this file? ERR_CORRUPT. */
enum err_code segment_is_folded(const struct segment *s, const struct attribute *a, bool *out,
                                struct err *err);

#endif
