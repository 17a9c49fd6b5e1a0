/* Group commit: many waiting requests, one stream entry, one answer from the disk.
 *
 *     request threads                     publisher thread
 *     publish_records() --- queue --->    takes all that waits
 *          |                              packs records into batches (<= CODEC_BATCH_BYTES)
 *        (waits)                          one pipeline of XADDs; Redis fsyncs once for all of it
 *          |  <---- one broadcast ----    every waiter gets the result of its own batches
 *
 * While one pipeline is on its way the next requests gather, so that the batch grows with the load
 * by itself and no request ever waits for a timer.
 *
 * A time-out or a broken connection leaves a batch UNKNOWN: the same batch is sent again (repeats
 * are dropped downstream, by event id) until the time allowed is over; then every waiter is told
 * ERR_UNAVAILABLE. While Redis is known to be away a request is answered at once.
 *
 * Lock order: the publisher has one mutex and takes no other under it.
 */
#ifndef COLLECTOR_PUBLISH_H
#define COLLECTOR_PUBLISH_H

#include "core/err.h"
#include "core/slice.h"
#include "core/stream.h"

#define PUBLISH_RECORDS_MAX (2 * 1024 * 1024) /* bytes of one call */

struct publish_config {
    struct stream_address redis;
    int64_t wait_ms;    /* how long a batch is tried again before its senders are told */
    size_t queue_bytes; /* of records that wait; more: ERR_UNAVAILABLE */
    int64_t check_ms;   /* how often Redis's settings are looked at again; 0: every 5 s */
};

struct publish;

/* Start the publisher's thread. A Redis that answers and cannot keep what it acknowledges (AOF,
 * appendfsync always, noeviction) is refused: ERR_INVALID, ERR_DENIED. One that is away is no
 * error: it is tried until it comes, and checked then, at every later connection, and every
 * check_ms: somebody may change Redis's settings while it runs. */
enum err_code publish_start(const struct publish_config *config, struct publish **out,
                            struct err *err);

/* Send what waits, within the time allowed, and end the thread. No call may be in
 * publish_records. Takes NULL. */
void publish_stop(struct publish **p);

/* Have records (whole ones, as codec_batch_add writes them behind a batch's two bytes) on disk.
 * Blocks. ERR_OK: Redis has them in its AOF. ERR_UNAVAILABLE, ERR_FULL: nothing is promised.
 * ERR_LIMIT: over PUBLISH_RECORDS_MAX. Thread-safe. */
enum err_code publish_records(struct publish *p, struct slice records, struct err *err);

/* Is Redis there and fit? Else why not. Thread-safe. */
bool publish_is_ready(struct publish *p, struct err *err);

struct publish_figures {
    uint64_t n_calls; /* of publish_records that ended with ERR_OK */
    uint64_t wait_us; /* their time together */
    uint64_t n_entries;
    uint64_t entry_bytes;
    uint64_t n_retries;
    size_t queue_bytes; /* now */
};
void publish_figures(struct publish *p, struct publish_figures *out);

#endif
