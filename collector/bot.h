/* Is this a program that nobody sits in front of? Judged by what the user agent says of itself, and
 * by who sends referrers that nobody came from. */
#ifndef COLLECTOR_BOT_H
#define COLLECTOR_BOT_H

#include "collector/agent_rules.h"

/* Number of the rule that makes the agent a bot: the crawler list's first, else one of our own
 * signs; -1 for a person's. */
int bot_rule(const struct agent_rules *rules, const struct agent_hints *hints);

/* "crawler Googlebot/", "agent says headless": static; "" for -1. */
struct slice bot_rule_reason(int rule);

/* Is the host, or one above it, on the list of referrer spam? host in lower case, as url_host gives
 * it. */
bool bot_is_spam_host(struct slice host);

#endif
