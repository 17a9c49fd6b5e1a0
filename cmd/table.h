/* Reports and lists as tables for people at a terminal. */
#ifndef CMD_TABLE_H
#define CMD_TABLE_H

#include "aggregator/funnel/report.h"

/* With its breakdown, trend and comparison. */
void table_add_report(struct buffer *out, const struct report *r);

/* One line a unit: the visitor, the time of the first visit (of a session, its start) and the
 * stages visited. */
void table_add_list(struct buffer *out, const struct report_list *list, const struct funnel *f);

#endif
