/* Dates and times as text: RFC 3339, epoch ms, plain dates. Zones are in core/zone.h. */
#ifndef CORE_TIMESTAMP_H
#define CORE_TIMESTAMP_H

#include "core/err.h"
#include "core/slice.h"

struct date {
    int year; /* 1900..9999 */
    int month;
    int day;
};

#define TIMESTAMP_TEXT_MAX 40

/* RFC 3339 with an offset ("2026-06-01T12:00:00.123Z", also with a space for the T), or epoch ms
 * as digits. More than 3 fractional digits are cut. ERR_INVALID with the words; err->field is
 * left to the caller. Range: 1970 to 9999. */
enum err_code timestamp_parse(struct slice text, int64_t *out_ms, struct err *err);

/* "2026-06-01" only. False on anything else. */
bool date_parse(struct slice text, struct date *out);

/* "2026-06-01T12:00:00.123Z"; without fraction where it is 0 and short is true. Returns dst. */
char *timestamp_format(int64_t ms, bool is_short, char dst[TIMESTAMP_TEXT_MAX]);

int64_t date_to_days(struct date d); /* days since 1970-01-01 */
struct date date_from_days(int64_t days);
int date_weekday(struct date d); /* 1 = Monday .. 7 = Sunday */

#endif
