#include "collector/bot.h"

int
bot_rule(const struct agent_rules *rules, const struct agent_hints *hints)
{
    char name[AGENT_NAME_BYTES];
    int rule = agent_rules_first(rules, AGENT_CRAWLER, hints, name);

    return rule >= 0 ? rule : agent_rules_first(rules, AGENT_SIGN, hints, name);
}

struct slice
bot_rule_reason(int rule)
{
    return rule < 0 ? SLICE_EMPTY : slice_from(agent_table_rules[rule].name);
}

static bool
is_listed(struct slice host)
{
    size_t i = slice_lower_bound(agent_table_spammers, agent_table_n_spammers,
                                 sizeof *agent_table_spammers, host);

    return i < agent_table_n_spammers && slice_is(host, agent_table_spammers[i]);
}

bool
bot_is_spam_host(struct slice host)
{
    while (host.n > 0) {
        size_t dot = slice_find(host, '.', 0);

        if (dot == host.n)
            return false; /* a top level: not on any list */
        if (is_listed(host))
            return true;
        host = slice_sub(host, dot + 1, host.n);
    }
    return false;
}
