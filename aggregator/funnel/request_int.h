/* The parts of a request that have files of their own. Shared inside this folder only.
 *
 * Readers take the parameter's JSON value; err->field is relative to it ("at", "" for itself).
 */
#ifndef AGGREGATOR_FUNNEL_REQUEST_INT_H
#define AGGREGATOR_FUNNEL_REQUEST_INT_H

#include <jansson.h>

#include "aggregator/funnel/json_int.h"
#include "aggregator/funnel/request.h"

enum err_code request__read_moment(struct request_moment *m, const json_t *value, struct err *err);

enum err_code request__read_filter(struct arena *a, json_t *value, struct request_filter *out,
                                   struct err *err);
/* of_count: it may be at `every`, and is by default. */
enum err_code request__read_breakdown(struct arena *a, json_t *value, bool of_count,
                                      struct request_breakdown *out, struct err *err);
enum err_code request__read_compare(struct request_compare *c, json_t *value, struct err *err);

/* The member "at" of a filter or breakdown: the first n_words words of enum request_at, or a
 * stage's number. Unchanged where it is absent. */
enum err_code request__read_at(const json_t *object, int n_words, enum request_at *at, int *stage,
                               struct err *err);

/* A breakdown or compare from its text on a command line or in an address. A new reference. */
json_t *request__breakdown_from_text(struct slice text);
json_t *request__compare_from_text(struct slice text);

/* The moment's time; `otherwise` where none is given. */
int64_t request__resolve(const struct request_moment *m, const struct zone *zone,
                         int64_t otherwise);

/* The other range and its as_of, from the request's own (resolved). ERR_INVALID, field "compare".
 */
enum err_code request__resolve_compare(struct request *r, struct err *err);

#endif
