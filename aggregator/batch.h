/* The events of a stream entry: what ingest, `corong restore` and `corong bad replay` do with one.
 */
#ifndef AGGREGATOR_BATCH_H
#define AGGREGATOR_BATCH_H

#include "aggregator/segment/writer.h"

struct batch_count {
    uint32_t n_events; /* that are in the builder now, repeats included */
    uint32_t n_bad;    /* records that cannot be read */
};

/* Add the events of a batch (core/codec.h) to the builder. ERR_OK also where records cannot be
 * read: they are counted, and `why` has the words of the last. ERR_VERSION: written by a newer
 * Corong, nothing of it was taken. The arena is reset for each event. */
enum err_code batch_read(struct slice batch, struct segment_builder *b, struct arena *a,
                         struct batch_count *out, struct err *why);

#endif
