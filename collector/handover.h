/* Which tickets (core/ticket.h) have brought whom, for as long as they live: a ticket hands over to
 * one visitor, however many addresses it is copied into. Fixed memory: a flood of tickets makes it
 * forget the earlier ones before their time. Even then, and with several collectors, a ticket's
 * events are one: their id is the ticket's.
 */
#ifndef COLLECTOR_HANDOVER_H
#define COLLECTOR_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/slice.h"

struct handovers;

struct handovers *handovers_create(void);
void handovers_destroy(struct handovers **h); /* takes NULL */

/* May this ticket, which was checked, bring this visitor? Yes the first time, and again for the
 * same visitor: that is a retry. Thread-safe. */
bool handovers_take(struct handovers *h, struct slice ticket, struct slice visitor, int64_t now_ms);

#endif
