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
 * Where Redis does not acknowledge a batch in time, or is known to be away, full or unfit
 * (publish_watch.h), the batch goes to the spool (spool.h) in the same round; the waiters are
 * answered once it is fdatasynced. Once Redis is well again the publisher sends what the spool
 * holds, a step between rounds, at a bounded rate, so that live events go first. A batch whose fate
 * in Redis is unknown may so come twice; repeats are dropped downstream, by event id.
 *
 * Lock order: the publisher's mutex, and under it none; the watch's mutex, and under it none.
 */
#ifndef COLLECTOR_PUBLISH_H
#define COLLECTOR_PUBLISH_H

#include "collector/spool.h"
#include "core/buffer.h"
#include "core/err.h"
#include "core/slice.h"
#include "core/stream.h"

#define PUBLISH_RECORDS_MAX (2 * 1024 * 1024) /* bytes of one call */

struct publish_config {
    struct stream_address redis;
    int64_t wait_ms;           /* how long Redis may take before the spool takes over */
    size_t queue_bytes;        /* of records that wait; more: ERR_UNAVAILABLE */
    int64_t check_ms;          /* how often Redis's settings are looked at again; 0: every second */
    struct spool_config spool; /* dir NULL or "": none, and what Redis does not take fails */
    uint64_t drain_bytes_per_second; /* 0: 16 MB */
    int64_t (*wall_ms)(void);        /* NULL: the system's clock; for tests */
};

struct publish;

/* Start the publisher's threads. A Redis that answers and cannot keep what it acknowledges (AOF,
 * appendfsync always, noeviction) is refused: ERR_INVALID, ERR_DENIED. One that is away is no
 * error: the spool takes what comes until it is there. ERR_IO, ERR_FULL: the spool's folder. */
enum err_code publish_start(const struct publish_config *config, struct publish **out,
                            struct err *err);

/* Send what waits, or spool it, and end the threads. What the spool holds stays for the next start.
 * No call may be in publish_records. Takes NULL. */
void publish_stop(struct publish **p);

/* Have records (whole ones, as codec_batch_add writes them behind a batch's two bytes) on disk.
 * Blocks. ERR_OK: Redis has them in its AOF, or the spool on its disk. Otherwise nothing is
 * promised: ERR_FULL: Redis does not take them, and the spool has no room; ERR_UNAVAILABLE: all
 * else that may pass; ERR_LIMIT: over PUBLISH_RECORDS_MAX. Thread-safe. */
enum err_code publish_records(struct publish *p, struct slice records, struct err *err);

/* Is Redis there, fit, and with room? Else why not; events may go to the spool. Thread-safe. */
bool publish_is_ready(struct publish *p, struct err *err);

/* Who would have an event now? err says why it is not Redis, or nobody. Thread-safe. */
enum publish_state { PUBLISH_READY, PUBLISH_SPOOLING, PUBLISH_REFUSING };
enum publish_state publish_state(struct publish *p, struct err *err);

/* Before an event is judged by its time. ERR_CONFLICT: our own clock cannot be right. Thread-safe.
 */
enum err_code publish_check_clock(struct publish *p, struct err *err);

struct publish_figures {
    uint64_t n_calls; /* of publish_records that ended with ERR_OK */
    uint64_t wait_us; /* their time together */
    uint64_t n_entries;
    uint64_t entry_bytes;
    uint64_t n_failures; /* pipelines that Redis did not take as a whole */
    size_t queue_bytes;  /* now */
    struct spool_figures spool;
};
void publish_figures(struct publish *p, struct publish_figures *out);

/* All of them in Prometheus's text format, appended. */
void publish_print(struct publish *p, struct buffer *out);

#endif
