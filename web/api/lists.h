/* The two lists that a new site picks from, as the API answers them. */
#ifndef WEB_API_LISTS_H
#define WEB_API_LISTS_H

#include "core/buffer.h"

/* {"timezones":[..]}: UTC, then every zone of the system's zone.tab in order; only UTC where the
 * system has no such file. Appended. */
void lists_add_timezones(struct buffer *out);

/* {"currencies":[..]}: the circulating currencies of ISO 4217 in order. Appended. */
void lists_add_currencies(struct buffer *out);

#endif
