/* Segments: from events to new files ("flush"): one file a UTC month, all sites in it.
 *
 *     struct segment_builder *b = segment_builder_create(&owner);
 *     for each event
 *         rc = segment_builder_add(b, &event, err);          // copies; any order, repeats allowed
 *     rc = segment_builder_write(b, dir, arena, &files, &n_files, err);
 *     ... commit the files' names to the catalog, or unlink them ...
 *     segment_builder_reset(b);                               // or destroy
 *
 * For one thread. The caller bounds it by segment_builder_rows and segment_builder_bytes. Writing
 * needs about as much memory again for a moment.
 */
#ifndef AGGREGATOR_SEGMENT_WRITER_H
#define AGGREGATOR_SEGMENT_WRITER_H

#include "aggregator/segment/segment.h"

/* A file that was written: on disk, fsync'ed, under its name in its folder. */
struct segment_file {
    char name[SEGMENT_NAME_MAX];
    struct segment_info info;
    const struct segment_site *sites; /* info.n_sites; in the arena */
};

struct segment_builder;

struct segment_builder *segment_builder_create(const struct segment_owner *owner);
void segment_builder_destroy(struct segment_builder **b);
void segment_builder_reset(struct segment_builder *b); /* forgets all events */

/* Copy an event (one that event_prepare was happy with). ERR_INVALID: no visitor, no id, no event
 * name, a time outside 1970..9999, a text over 64 KB, property keys that do not ascend; ERR_LIMIT:
 * SEGMENT_ROWS_MAX. The builder is then as it was. Empty texts and values are "not set". */
enum err_code segment_builder_add(struct segment_builder *b, const struct event *e,
                                  struct err *err);

uint32_t segment_builder_rows(const struct segment_builder *b); /* added, repeats included */
size_t segment_builder_bytes(const struct segment_builder *b);  /* memory held, about */

/* Whose events the next writes leave out; borrowed until this is said anew (n = 0: nobody's). */
void segment_builder_leave_out(struct segment_builder *b, const struct segment_erased_site *sites,
                               size_t n);
uint32_t segment_builder_left_out(const struct segment_builder *b); /* by the latest write */

/* The next event, from row *at on, that has this text; *at moves behind it. False at the end. Texts
 * are the builder's until its reset, the array of properties is in the arena. */
bool segment_builder_next_with(const struct segment_builder *b, enum event_text text, uint32_t *at,
                               struct arena *a, struct event *out);

/* Sort, drop repeats, write, fsync. *out (arena; one file a month, in order of the month) is
 * written only on ERR_OK. ERR_IO, ERR_FULL: nothing is left behind. Without events *out_n is 0.
 * The events stay in the builder until segment_builder_reset, so that a failed write may be tried
 * again. Repeats dropped = segment_builder_rows - segment_builder_left_out - the sum of
 * info.n_rows. */
enum err_code segment_builder_write(struct segment_builder *b, const char *dir, struct arena *a,
                                    struct segment_file **out, size_t *out_n, struct err *err);

#endif
