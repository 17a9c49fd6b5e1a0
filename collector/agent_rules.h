/* The compiled rules of agent_table.h, and one pass over an agent that finds out which of them are
 * worth trying. Knows neither what the sets are for nor a cache.
 *
 *     struct agent_hints hints;
 *     agent_rules_hint(rules, user_agent, &hints);
 *     int rule = agent_rules_first(rules, AGENT_BROWSER, &hints, name, sizeof name);
 */
#ifndef COLLECTOR_AGENT_RULES_H
#define COLLECTOR_AGENT_RULES_H

#include "collector/agent_table.h"
#include "core/slice.h"

#define AGENT_BYTES_MAX  512  /* longer agents are judged by their beginning: no honest one is */
#define AGENT_RULES_MAX  4096 /* of all sets together */
#define AGENT_NAME_BYTES 64   /* of a name with its NUL; longer ones are cut */

struct agent_rules; /* read only, for all threads */

/* Owned by the caller. Aborts where a rule that was compiled in is none. */
struct agent_rules *agent_rules_create(void);
void agent_rules_destroy(struct agent_rules **rules);

/* One agent, and by rule whether it may match it. */
struct agent_hints {
    struct slice agent; /* borrowed, at most AGENT_BYTES_MAX */
    uint64_t may[AGENT_RULES_MAX / 64];
};

void agent_rules_hint(const struct agent_rules *rules, struct slice user_agent,
                      struct agent_hints *out);

/* As if nothing were known: every rule is tried. What it gives is the same (a test says so). */
void agent_rules_hint_all(const struct agent_rules *rules, struct slice user_agent,
                          struct agent_hints *out);

/* Number of the first rule of the set that matches, -1 where none does (or the rule took too many
 * steps). Its name is written to `name` with groups filled in: "" without a match. */
int agent_rules_first(const struct agent_rules *rules, enum agent_set set,
                      const struct agent_hints *hints, char name[AGENT_NAME_BYTES]);

#endif
