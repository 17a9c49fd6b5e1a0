/* How fast a sender may send: token buckets in a table of fixed size, whoever and however many
 * they are.
 *
 * A bucket holds `burst` and gains `per_s` a second. Its whole state is the moment at which it will
 * be full again (the generic cell rate algorithm), so a sender nobody has heard of and one whose
 * bucket is full are the same, and a slot needs no clearing:
 *
 *     set 0   | slot | slot | slot | slot |     slot = hash of the sender, when its bucket is full
 *     set 1   | slot | slot | slot | slot |     a sender's set is a part of its hash
 *     ...
 *
 * A newcomer to a full set takes the slot of the bucket that is the fullest: with more busy senders
 * than slots the limit is too kind, never too harsh, and nobody pays for somebody else. The hash
 * has a random key of the process, so that nobody can choose whose slot to take.
 */
#ifndef COLLECTOR_LIMIT_RATE_H
#define COLLECTOR_LIMIT_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/slice.h"

struct limit_rate;

struct limit_speed {
    int64_t per_s; /* 0: no limit */
    int64_t burst; /* less than one second's worth counts as one second's */
};

/* n_slots: a power of two, at least 64; 16 bytes each. */
struct limit_rate *limit_rate_create(uint32_t n_slots);
void limit_rate_destroy(struct limit_rate **l); /* takes NULL */

/* Take n from the sender's bucket; true: there were as many. Else nothing is taken and *wait_s is
 * after how many whole seconds, at least 1, there will be. More than the burst counts as the burst.
 * now_us: a clock that never goes back. Thread-safe. */
bool limit_rate_take(struct limit_rate *l, struct slice sender, struct limit_speed speed, int64_t n,
                     int64_t now_us, int64_t *wait_s);

/* Whose bucket an address's is: an IPv4 address is its own; of IPv6 a /64 is one sender, as anybody
 * has one. Writes 8 or 16 bytes and returns them. Empty for what is no address, and for this
 * machine's own (127.0.0.0/8, ::1): who comes from there stands for everybody behind it. */
struct slice limit_rate_sender(struct slice address, unsigned char out[16]);

#endif
