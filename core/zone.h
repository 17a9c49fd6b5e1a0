/* Time zones from the system's database (/usr/share/zoneinfo, TZif), read by code that keeps no
 * global state: safe with threads, unlike tzset(). A zone is immutable once loaded. */
#ifndef CORE_ZONE_H
#define CORE_ZONE_H

#include "core/err.h"
#include "core/slice.h"
#include "core/timestamp.h"

struct zone;

/* Load "Asia/Jakarta" (letters, digits, + - _ /; no "..", at most 64 bytes). "UTC" always works.
 * *out is owned by the caller (zone_close). ERR_INVALID for a name that is no zone. */
enum err_code zone_open(struct slice name, struct zone **out, struct err *err);
void zone_close(struct zone **z);

const char *zone_name(const struct zone *z);
int zone_offset_s(const struct zone *z, int64_t ms); /* seconds east of UTC at that moment */

/* The first existing moment of that local day, in ms since the epoch (a day may lack midnight). */
int64_t zone_day_start(const struct zone *z, struct date local_day);

/* The local day that holds ms. */
struct date zone_date(const struct zone *z, int64_t ms);

/* "2026-06-01T00:00:00+07:00" ("Z" never; "+00:00"). Returns dst. */
char *zone_format(const struct zone *z, int64_t ms, char dst[TIMESTAMP_TEXT_MAX]);

#endif
