/* The tables that a report is made of, from its JSON: stages, rows of its breakdown, trend, moves.
 */
#ifndef WEB_API_REPORT_TABLE_H
#define WEB_API_REPORT_TABLE_H

#include <jansson.h>

#include "aggregator/funnel/request.h"
#include "web/api/table.h"

/* Headings and lines. what: "stages", "breakdown", "trend" or "moves"; r: what the report was asked
 * with. */
void report_table_add(struct table *t, const char *what, const json_t *report,
                      const struct request *r);

#endif
