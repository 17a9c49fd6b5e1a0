/* An event as outsiders see it: the one-event JSON that import, export and the server API share. */
#ifndef CORE_EVENT_JSON_H
#define CORE_EVENT_JSON_H

#include "core/buffer.h"
#include "core/event.h"

/* Append {"visitor":..,"time":"2026-06-01T12:00:00.123Z","event":..,...}: what is set, in the order
 * of the attribute table; an id or currency that was not given is left out, money is a decimal
 * number. What is written imports as the same event. */
void event_add_json(struct buffer *out, const struct event *e);

#endif
