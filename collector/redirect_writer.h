/* Events of redirects on their way to the disk: whoever clicked is not kept waiting for Redis.
 *
 *     request threads                       the writer's thread
 *     redirect_writer_put() --- queue --->  takes all that waits, publish_records(), counts
 *        (waits, but not for long)
 *
 * What the time allowed does not see on disk is still written; it is lost only if the process ends
 * or Redis stays away before, which the metrics say (corong_events_failed_total).
 */
#ifndef COLLECTOR_REDIRECT_WRITER_H
#define COLLECTOR_REDIRECT_WRITER_H

#include "collector/metrics.h"
#include "collector/publish.h"

#define REDIRECT_QUEUE_BYTES (1024 * 1024)

struct redirect_writer;

/* publish and metrics are borrowed until redirect_writer_stop. */
enum err_code redirect_writer_start(struct publish *publish, struct metrics *metrics,
                                    struct redirect_writer **out, struct err *err);

/* Writes what waits, then ends; before publish_stop. Takes NULL. */
void redirect_writer_stop(struct redirect_writer **w);

/* Have the records of one event (copied) written, and wait at most wait_ms for it. True: they are
 * on disk. The writer counts them as accepted or failed, whenever that shows. Thread-safe. */
bool redirect_writer_put(struct redirect_writer *w, struct slice records, int64_t wait_ms);

#endif
