/* So many tries in so long, per key, in fixed memory: against guessing passwords.
 *
 * A table of sets of four slots; a key's hash (seeded at random, so nobody can aim at a set)
 * chooses the set. Where a set is full the slot whose time ends first makes room: under a flood of
 * keys a count may be forgotten early, but memory never grows and nobody is locked out by another's
 * key. Thread-safe.
 */
#ifndef WEB_API_LIMITER_H
#define WEB_API_LIMITER_H

#include "core/slice.h"

struct limiter;

/* max tries within period_ms, counted from the first. */
struct limiter *limiter_create(int max, int64_t period_ms);
void limiter_destroy(struct limiter **l);

/* now_ms is clock_steady_ms(), but for tests. */

/* Charge one try. 0: go ahead; else the ms until the next try is allowed (nothing was charged). */
int64_t limiter_take(struct limiter *l, struct slice key, int64_t now_ms);

/* Give a try back: it was no failure. */
void limiter_refund(struct limiter *l, struct slice key, int64_t now_ms);

#endif
