/* "30d", "24h", "90s": a whole number and ms, s, m, h or d, as funnels write their windows. */
#ifndef CMD_DURATION_H
#define CMD_DURATION_H

#include "core/err.h"
#include "core/slice.h"

/* ERR_USAGE (field = flag) on anything else, or beyond 1 ms .. 100,000 d. */
enum err_code duration_parse(const char *flag, struct slice text, int64_t *out_ms, struct err *err);

#endif
