/* From the stream to segments: reads entries in order, flushes them as segments, commits segments
 * and position together, and only then trims the stream (design, idea 1).
 *
 * What can be wrong with a Redis is told apart before a commit, never after:
 *
 *   another owner                     ERR_CONFLICT: this Redis belongs to another data folder;
 *                                     alarm "redis_shared"
 *   another epoch, or ids that went   alarm "stream_replaced"; read from 0-0
 *     back behind the committed one
 *   entries trimmed unread            alarm "stream_lost", with their number
 *   an entry of a newer version       alarm "entry_newer"; what is before it is committed, the
 *                                     reader stops there until a restart
 *   a record that cannot be read      alarm "bad_records"; its entry is kept in bad/
 *   another aggregator has committed  ERR_CONFLICT; alarm "two_aggregators"
 *   no space                          alarm "no_space"; wait and try again, reading nothing
 * meanwhile Redis is away                     wait and try again; nothing is lost, memory stays
 * bounded
 */
#ifndef AGGREGATOR_INGEST_H
#define AGGREGATOR_INGEST_H

#include <stdatomic.h>
#include <stdbool.h>

#include "aggregator/settings_db.h"
#include "aggregator/store.h"
#include "core/stream.h"

struct ingest_config {
    const struct store *store; /* all borrowed until the return */
    struct settings_db *settings;
    const struct stream_address *redis;
    int flush_ms; /* age of the oldest event that is not yet in a segment */
    uint32_t flush_rows;
    size_t flush_bytes;
};

struct ingest_state { /* read by others while it runs */
    atomic_uint_fast64_t n_entries;
    atomic_uint_fast64_t n_events;
    atomic_uint_fast64_t n_bad;
    atomic_uint_fast64_t n_flushes;
    atomic_bool is_reading;
};

/* Run until *stop, then flush what is buffered and return ERR_OK. Any other return means that this
 * process must end. `state` may be NULL. */
enum err_code ingest_run(const struct ingest_config *config, const atomic_bool *stop,
                         struct ingest_state *state, struct err *err);

#endif
