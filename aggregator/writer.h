/* From a full segment builder to live segments: files first, then one commit. What the aggregator
 * does at each flush and what `corong import` does beside it.
 *
 *     rc = writer_open(store, catalog, CATALOG_IMPORT, &w, err);
 *     while (more) { fill the builder; rc = writer_add(w, builder, err); }
 *     rc = writer_commit(w, NULL, err);
 *     writer_close(&w);
 *
 * The lock `writing` is held (shared) from writer_open to writer_close, so that no clean-up takes a
 * file that is not committed yet.
 */
#ifndef AGGREGATOR_WRITER_H
#define AGGREGATOR_WRITER_H

#include <stdatomic.h>

#include "aggregator/catalog.h"

struct segment_builder;
struct writer;

/* Store and catalog are borrowed until writer_close. */
enum err_code writer_open(const struct store *s, struct catalog *c, enum catalog_kind kind,
                          struct writer **out, struct err *err);

/* Write the builder's events as files, one per UTC month, and empty it. Repeats within it are
 * dropped, and so are events of visitors who had been erased by the time of writer_open (of who is
 * erased meanwhile merges rid us). On an error nothing of it is left and the builder is as it was.
 * Several threads may do so at once, each with a builder of its own; writer_merge_month too. */
enum err_code writer_add(struct writer *w, struct segment_builder *b, struct err *err);

/* ---- Merging before the commit: for those who add much of one site at once ---- */

/* The number of months that were added to. Nothing may be added after that. */
size_t writer_months(struct writer *w);

/* Put merged files in the place of those added of month i, all of one site: repeats of different
 * writer_add go too. Several threads may do so at once, each with a month of its own. Where there
 * is not enough space for it (twice the inputs) they are left as they are, to be merged when there
 * is. ERR_UNAVAILABLE where *stop. */
enum err_code writer_merge_month(struct writer *w, size_t i, uint32_t site, const atomic_bool *stop,
                                 struct err *err);

/* Make all files added since the last commit live, with the links that their events say and with
 * the stream's position where `advance` is not NULL. ERR_CONFLICT: nothing was committed, the files
 * are gone. */
enum err_code writer_commit(struct writer *w, const struct catalog_advance *advance,
                            struct err *err);

uint64_t writer_rows(const struct writer *w);   /* added since writer_open, without repeats */
uint64_t writer_erased(const struct writer *w); /* left out: events of visitors who were erased */

/* Remove what was added and not committed, give the lock back. */
void writer_close(struct writer **w);

#endif
