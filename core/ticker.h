/* A thread that does something now and then, until it is stopped.
 *
 *     static int64_t refresh(void *context) { ...; return 1000; }   // again in a second
 *
 *     rc = ticker_start(refresh, self, 0, &self->ticker, &err);
 *     ...
 *     ticker_stop(&self->ticker);           // what is being done is finished first
 */
#ifndef CORE_TICKER_H
#define CORE_TICKER_H

#include <stdint.h>

#include "core/err.h"

struct ticker;

/* Do it once more, and say after how many ms again. On the ticker's thread. */
typedef int64_t (*ticker_work)(void *context);

/* The first time is after first_ms. context is borrowed until ticker_stop. ERR_IO: no thread. */
enum err_code ticker_start(ticker_work work, void *context, int64_t first_ms, struct ticker **out,
                           struct err *err);
void ticker_stop(struct ticker **t); /* takes NULL */

#endif
