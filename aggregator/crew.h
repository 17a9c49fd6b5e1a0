/* A few threads that do one thing together and end, at low priority: queries must not keep a
 * machine from collecting.
 *
 *     crew_run(n, work, context)     calls work(context, i) for each i below n, each in a thread
 *
 * One alone works in the caller's thread, at its priority. Where no thread can be made, the caller
 * does that one's work.
 */
#ifndef AGGREGATOR_CREW_H
#define AGGREGATOR_CREW_H

#include <stddef.h>

#define CREW_MAX 64
/* Below the collector, above merges. At 15 somebody who asks waits up to three times as long where
 * anything else works beside (the browser, say), and beacons are answered no sooner
 * (docs/benchmarks.md). */
#define CREW_NICE 5

typedef void (*crew_work)(void *context, size_t member);

void crew_run(size_t n, crew_work work, void *context);

/* How many there are at best: one for each processor that may be used. */
size_t crew_size(void);

#endif
