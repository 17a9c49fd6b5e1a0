/* Tables from the JSON of an answer: of a report its stages, rows, trend and moves, a count's rows,
 * a catalogue. */
#ifndef WEB_API_REPORT_TABLE_H
#define WEB_API_REPORT_TABLE_H

#include <jansson.h>

#include "aggregator/funnel/request.h"
#include "web/api/table.h"

/* Headings and lines. what: "stages", "breakdown", "trend" or "moves" of a report, "count" or
 * "catalogue" of such an answer; r: what it was asked with. */
void report_table_add(struct table *t, const char *what, const json_t *report,
                      const struct request *r);

#endif
