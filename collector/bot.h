/* Is this a program that nobody sits in front of? Judged by what the user agent says of itself. */
#ifndef COLLECTOR_BOT_H
#define COLLECTOR_BOT_H

#include "core/slice.h"

/* Why an agent is a bot ("agent says headless"): a static text; "" for an agent that is none, and
 * for no agent at all. */
struct slice bot_reason(struct slice user_agent);

#endif
