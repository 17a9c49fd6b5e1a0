/* A report as a table for people at a terminal. */
#ifndef CMD_TABLE_H
#define CMD_TABLE_H

#include "aggregator/funnel/report.h"

void table_add_report(struct buffer *out, const struct report *r);

#endif
