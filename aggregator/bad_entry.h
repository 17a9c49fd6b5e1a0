/* bad/: stream entries that could not be read, as they came, under their ids. */
#ifndef AGGREGATOR_BAD_ENTRY_H
#define AGGREGATOR_BAD_ENTRY_H

#include "aggregator/store.h"
#include "core/arena.h"
#include "core/stream.h"

#define BAD_ENTRIES_MAX 1000 /* files kept; further ones are only counted */

/* Keep the entry's bytes as bad/<id>.entry; the same entry again replaces itself. ERR_LIMIT where
 * there are BAD_ENTRIES_MAX, ERR_IO, ERR_FULL. */
enum err_code bad_entry_keep(const struct store *s, const struct stream_entry *entry,
                             struct err *err);

/* One of them, as this program sees it: a newer one may read more. */
struct bad_entry {
    struct stream_id id; /* id.ms: when it came into the stream */
    uint64_t n_bytes;
    uint32_t n_events;   /* that can be read */
    uint32_t n_bad;      /* records that cannot; 0: a replay takes all of it */
    struct slice reason; /* of the last of these; "" */
};

/* All of them by their ids, in the arena. */
enum err_code bad_entry_list(const struct store *s, struct arena *a, struct bad_entry **out,
                             size_t *out_n, struct err *err);

/* How many files there are; cheap. */
size_t bad_entry_count(const struct store *s);

struct bad_entry_replay {
    uint64_t n_entries; /* that could be read whole: they are in segments, and gone from bad/ */
    uint64_t n_events;  /* of these and of the others; what was stored before is a repeat */
    uint64_t n_left;    /* entries that still cannot be read whole */
};

/* Commit the events that can be read by now. Where none is left, the alarm "bad_records" ends. */
enum err_code bad_entry_replay(const struct store *s, struct bad_entry_replay *out,
                               struct err *err);

#endif
