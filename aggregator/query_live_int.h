/* Shared by the files of query_live. */
#ifndef AGGREGATOR_QUERY_LIVE_INT_H
#define AGGREGATOR_QUERY_LIVE_INT_H

#include "aggregator/query_live.h"

uint64_t live__key(const struct event *e);

/* What the answer's events became: drivers, entrances, stages. */
enum err_code live__tell(struct snapshot_pool *p, const struct query_live *q, struct arena *a,
                         struct live_answer *answer, struct err *err);

#endif
