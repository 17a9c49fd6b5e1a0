/* Room to work in: core/http.h's threads have civetweb's stack of 100 KB, which a nested JSON body
 * (jansson recurses up to 2048 deep) or a pattern of many groups (PCRE2) can run over. */
#ifndef WEB_API_STACK_H
#define WEB_API_STACK_H

#include <stdbool.h>

#define STACK_BYTES (1024 * 1024)

/* Call run(context) on a stack of STACK_BYTES and return when it has returned. False, and nothing
 * was called, where the system gives no further thread. Costs a thread's birth, some tens of us. */
bool stack_run(void (*run)(void *context), void *context);

#endif
