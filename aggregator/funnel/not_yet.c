/* One prefix that every such refusal carries, so that callers need no code of their own for it. */
#include "aggregator/funnel/not_yet.h"

#include "core/slice.h"

#define NOT_YET "not yet: "

enum err_code
funnel_not_yet(struct err *err, const char *field, const char *what)
{
    return err_set(err, ERR_INVALID, field, NOT_YET "%s", what);
}

bool
funnel_error_is_not_yet(const struct err *err)
{
    return err->code == ERR_INVALID && slice_starts_with(slice_from(err->message), SLICE(NOT_YET));
}
