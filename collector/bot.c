#include "collector/bot.h"

#include "core/hash.h"

#define MEMORY_HOSTS    64
#define MEMORY_HOST_MAX 48 /* bytes of a host that is remembered */

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

static bool
is_spam(struct slice host)
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

/* Most referrers are of a few hosts: each thread remembers the last ones, by their hash. */
bool
bot_is_spam_host(struct slice host)
{
    static _Thread_local struct {
        char host[MEMORY_HOST_MAX];
        size_t n; /* 0: free */
        bool is_spam;
    } memory[MEMORY_HOSTS];
    size_t place = hash64(host, 0) % MEMORY_HOSTS;

    if (host.n == 0 || host.n > MEMORY_HOST_MAX)
        return is_spam(host);
    if (!slice_equal(host, slice_of(memory[place].host, memory[place].n))) {
        memory[place].is_spam = is_spam(host);
        memory[place].n = host.n;
        memcpy(memory[place].host, host.p, host.n);
    }
    return memory[place].is_spam;
}
