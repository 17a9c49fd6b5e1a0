/* What an answer lacks though nothing is damaged: events that are too old to count, and values that
 * merges have folded into "(other)". */
#ifndef AGGREGATOR_SHORTFALL_H
#define AGGREGATOR_SHORTFALL_H

#include "aggregator/query.h"

/* Room for all that shortfall_warn may add. */
#define SHORTFALL_WARNINGS_MAX 32

/* What was asked; all of it borrowed. */
struct shortfall_question {
    uint32_t site;
    const struct funnel *funnel;
    const struct request *request;
    size_t n_attributes; /* beside the request's own breakdowns */
    const struct request_breakdown *attributes;
};

/* "retention" where the range begins before what the site keeps, or that of the comparison does;
 * "values_folded" for each attribute asked about, naming the months. Segments that cannot be read
 * are passed over: the query says so itself. */
void shortfall_warn(const struct snapshot *snapshot, const struct shortfall_question *q,
                    struct arena *a, struct report_warning *list, size_t *n);

#endif
