/* Which of what a question asks about was folded into "(other)" by merges. */
#ifndef AGGREGATOR_FOLDED_H
#define AGGREGATOR_FOLDED_H

#include "aggregator/query.h"

/* Room for all that folded_warn may add. */
#define FOLDED_WARNINGS_MAX 32

/* One warning ("values_folded") for each such attribute, naming the months. Segments that cannot be
 * read are passed over: the query says so itself. */
void folded_warn(const struct snapshot *snapshot, const struct query_funnel *q, struct arena *a,
                 struct report_warning *list, size_t *n);

#endif
