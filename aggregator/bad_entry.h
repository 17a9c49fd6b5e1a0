/* bad/: stream entries that could not be read, as they came, under their ids. */
#ifndef AGGREGATOR_BAD_ENTRY_H
#define AGGREGATOR_BAD_ENTRY_H

#include "aggregator/store.h"
#include "core/stream.h"

#define BAD_ENTRIES_MAX 1000 /* files kept; further ones are only counted */

/* Keep the entry's bytes as bad/<id>.entry; the same entry again replaces itself. ERR_LIMIT where
 * there are BAD_ENTRIES_MAX, ERR_IO, ERR_FULL. */
enum err_code bad_entry_keep(const struct store *s, const struct stream_entry *entry,
                             struct err *err);

#endif
