/* Regular expressions of rules: PCRE2 without back-references, look-around and (*VERBS), so that a
 * match takes bounded time. The only includer of pcre2.
 */
#ifndef AGGREGATOR_FUNNEL_REGEX_H
#define AGGREGATOR_FUNNEL_REGEX_H

#include "core/err.h"
#include "core/slice.h"

struct regex;         /* immutable; many threads */
struct regex_scratch; /* of one thread */

/* ERR_INVALID with PCRE2's words, or naming what is not allowed; err->field is "". */
enum err_code regex_create(struct slice pattern, bool ignore_case, struct regex **out,
                           struct err *err);
void regex_destroy(struct regex **r);

/* As regex_create, only to know. */
enum err_code regex_check(struct slice pattern, bool ignore_case, struct err *err);

struct regex_scratch *regex_scratch_create(void);
void regex_scratch_destroy(struct regex_scratch **scratch);

/* Does r match anywhere in text? ERR_LIMIT where the match runs into its limit. */
enum err_code regex_match(const struct regex *r, struct regex_scratch *scratch, struct slice text,
                          bool *out, struct err *err);

#endif
