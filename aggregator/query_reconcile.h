/* What a shop's books have, and what a funnel counts of it: sales received against sales counted,
 * and the parts that the difference is made of.
 *
 * Received are the events named "sale" with a time in the range, of whomever, less the value of
 * those named "refund" (a refund takes money back; the order was an order all the same). Counted is
 * what the report says of the funnel's last stage: `reached` and `value`. Each sale that was
 * received and is not what some counted path ends with is in exactly one part, the first that fits:
 *
 *   bots          it is a bot's (or, where only bots are counted, is not)
 *   repeats       an order that was received before, by another visitor or under another id
 *   other_rule    the last stage's rule does not match it
 *   filtered      the filters do not choose who did it
 *   second        a further one of a visitor (or session) that is counted by another
 *   excluded      an exclusion ended the path before
 *   window        over a window after what it would have to follow, or before what follows it
 *   before_range  its path began before the range: another report counts it
 *   no_stage      a required stage is missing before it
 *   other_path    another path goes deeper, is fuller or earlier; or its session is another
 * report's
 *
 * To these come, with a minus, what makes received less or counted more:
 *
 *   refunds       their value
 *   after_range   counted by a sale after the range's end
 *   no_sale       counted by an event that is none
 *
 * so that received - counted = the sum of all parts, in orders and in every currency.
 */
#ifndef AGGREGATOR_QUERY_RECONCILE_H
#define AGGREGATOR_QUERY_RECONCILE_H

#include "aggregator/query_count.h"

struct query_reconcile {
    uint32_t site;
    const struct funnel *funnel;
    const struct request *request; /* finished; limit is that of the list of orders */
    struct slice snapshot;
    struct query_guard *guard; /* NULL: no limits */
};

enum reconcile_part {
    RECONCILE_BOTS,
    RECONCILE_REPEATS,
    RECONCILE_OTHER_RULE,
    RECONCILE_FILTERED,
    RECONCILE_SECOND,
    RECONCILE_EXCLUDED,
    RECONCILE_WINDOW,
    RECONCILE_BEFORE_RANGE,
    RECONCILE_NO_STAGE,
    RECONCILE_OTHER_PATH,
    RECONCILE_REFUNDS,
    RECONCILE_AFTER_RANGE,
    RECONCILE_NO_SALE,
    RECONCILE_PARTS
};
const char *reconcile_part_name(enum reconcile_part part); /* "other_rule" */

#define RECONCILE_VISITORS_MAX 5

/* An order that several visitors told of. */
struct reconcile_order {
    struct slice order;
    int64_t n_events;
    int64_t n_counted; /* of these; over 1: it is in the figures more than once */
    int64_t n_visitors;
    struct slice visitors[RECONCILE_VISITORS_MAX]; /* the first of them */
};

struct reconcile_answer {
    struct count_sums received; /* orders and values of all these */
    struct count_sums counted;
    struct count_sums parts[RECONCILE_PARTS];
    int64_t n_refunds;
    int64_t n_shared;         /* orders under several visitors, */
    int64_t n_shared_counted; /* of which so many are counted more than once */
    size_t n_orders;          /* the first of them */
    struct reconcile_order *orders;
    struct enquiry *enquiry; /* whose currencies the sums are in */
    struct arena arena;
};

/* *out is filled only on ERR_OK and is then the caller's (reconcile_fini). Errors are those of
 * enquiry_open and enquiry_walk. */
enum err_code query_reconcile(struct snapshot_pool *p, const struct query_reconcile *q,
                              struct reconcile_answer *out, struct err *err);
void reconcile_fini(struct reconcile_answer *a);

/* The answer's members without braces; with_visitors: orders name whose they are. */
void reconcile_add_members(struct buffer *out, const struct reconcile_answer *a,
                           const struct query_reconcile *q, bool with_visitors);

#endif
