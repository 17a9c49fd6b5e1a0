/* Questions that are refused before anything is read. What is not built yet is refused by name,
 * never answered by something else; each line goes when its figures come. */
#include "aggregator/funnel/not_yet.h"
#include "aggregator/query_int.h"

enum err_code
query__check(const struct query_funnel *q, struct err *err)
{
    const struct request *r = q->request;
    enum err_code rc = request_check_funnel(r, q->funnel, err);

    if (rc != ERR_OK)
        return rc;
    if (q->funnel->count == COUNT_SESSIONS)
        return funnel_not_yet(err, "count", "funnels of sessions come later; count \"visitors\"");
    if (r->n_filters != 0)
        return funnel_not_yet(err, "filters", "comes in a later version");
    if (r->n_breakdowns != 0)
        return funnel_not_yet(err, "breakdown", "comes in a later version");
    if (r->trend != TREND_NONE)
        return funnel_not_yet(err, "trend", "comes in a later version");
    if (r->compare.is_given)
        return funnel_not_yet(err, "compare", "comes in a later version");
    return ERR_OK;
}
