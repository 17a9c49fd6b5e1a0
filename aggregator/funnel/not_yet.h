/* What the definition of funnels has and this version does not is refused by name, never ignored.
 */
#ifndef AGGREGATOR_FUNNEL_NOT_YET_H
#define AGGREGATOR_FUNNEL_NOT_YET_H

#include "core/err.h"

#include <stdbool.h>

/* Fill err with ERR_INVALID, field and "not yet: <what>", and return the code. */
enum err_code funnel_not_yet(struct err *err, const char *field, const char *what);

/* Was err made by funnel_not_yet? The API answers code "not_yet" then. */
bool funnel_error_is_not_yet(const struct err *err);

#endif
