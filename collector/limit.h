/* How many events a visitor has sent today (UTC), in a fixed megabyte: a count-min sketch.
 *
 * It may count too many, by what other visitors in the same cells sent, and never too few but for
 * the moment in which the day changes. With a million visitors of ten events a day a cell is off
 * by some 40, against limits of thousands. It forgets at a restart.
 * Cormode and Muthukrishnan, "An improved data stream summary: the count-min sketch", 2005.
 */
#ifndef COLLECTOR_LIMIT_H
#define COLLECTOR_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/slice.h"

#define LIMIT_MAX 60000

struct limit;

struct limit *limit_create(void);
void limit_destroy(struct limit **l);

/* Count one event of this visitor, if fewer than max were counted today; else false. Over
 * LIMIT_MAX, max counts as no limit. Thread-safe. */
bool limit_take(struct limit *l, uint32_t site, struct slice visitor, int64_t now_ms, int64_t max);

/* Undo one limit_take of the same day that was true: the event could not be kept, its sender will
 * come again. */
void limit_give_back(struct limit *l, uint32_t site, struct slice visitor, int64_t now_ms,
                     int64_t max);

#endif
