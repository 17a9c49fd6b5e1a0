#include "collector/agent.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "collector/agent_cache.h"
#include "collector/agent_device.h"
#include "collector/agent_rules.h"
#include "collector/bot.h"
#include "core/clock.h"

struct agent_reader {
    _Atomic(struct agent_rules *) rules; /* made by whoever needs them first: it takes a while */
    pthread_mutex_t making;              /* of them; no other lock is taken under it */
    struct agent_cache *cache;
    uint32_t misses_a_second;
    atomic_uint_fast64_t n_unknown;
    pthread_mutex_t lock; /* of the two below; nothing is called under it */
    int64_t second;
    uint32_t n_misses; /* in that second */
};

struct agent_reader *
agent_reader_create(void)
{
    struct agent_reader *r = mem_zalloc(sizeof *r);

    r->cache = agent_cache_create();
    pthread_mutex_init(&r->lock, NULL);
    pthread_mutex_init(&r->making, NULL);
    return r;
}

static const struct agent_rules *
rules_of(struct agent_reader *r)
{
    struct agent_rules *rules = atomic_load_explicit(&r->rules, memory_order_acquire);

    if (rules != NULL)
        return rules;
    pthread_mutex_lock(&r->making);
    rules = atomic_load_explicit(&r->rules, memory_order_relaxed);
    if (rules == NULL) {
        rules = agent_rules_create();
        atomic_store_explicit(&r->rules, rules, memory_order_release);
    }
    pthread_mutex_unlock(&r->making);
    return rules;
}

void
agent_reader_destroy(struct agent_reader **reader)
{
    struct agent_rules *rules;

    if (!*reader)
        return;
    rules = atomic_load(&(*reader)->rules);
    agent_rules_destroy(&rules);
    agent_cache_destroy(&(*reader)->cache);
    pthread_mutex_destroy(&(*reader)->lock);
    pthread_mutex_destroy(&(*reader)->making);
    free(*reader);
    *reader = NULL;
}

void
agent_reader_limit(struct agent_reader *reader, uint32_t misses_a_second)
{
    reader->misses_a_second = misses_a_second;
    (void)rules_of(reader); /* a collector's first request need not wait for them */
}

uint64_t
agent_n_unknown(const struct agent_reader *reader)
{
    return atomic_load_explicit(&reader->n_unknown, memory_order_relaxed);
}

static bool
may_miss(struct agent_reader *r)
{
    int64_t second = clock_steady_ms() / 1000;
    bool may;

    if (r->misses_a_second == 0)
        return true;
    pthread_mutex_lock(&r->lock);
    if (second != r->second) {
        r->second = second;
        r->n_misses = 0;
    }
    may = r->n_misses < r->misses_a_second;
    r->n_misses += may;
    pthread_mutex_unlock(&r->lock);
    return may;
}

/* uap-core's word for what no rule knows is no family. */
static void
set_name(char *out, size_t size, const char *name)
{
    size_t n = slice_utf8_cut(slice_from(name), size - 1);

    if (strcmp(name, "Other") == 0)
        n = 0;
    memcpy(out, name, n);
    out[n] = '\0';
}

static void
read_families(const struct agent_rules *rules, const struct agent_hints *hints,
              struct agent_answer *out)
{
    char name[AGENT_NAME_BYTES];

    (void)agent_rules_first(rules, AGENT_BROWSER, hints, name);
    set_name(out->browser, sizeof out->browser, name);
    (void)agent_rules_first(rules, AGENT_OS, hints, name);
    set_name(out->os, sizeof out->os, name);
    (void)agent_rules_first(rules, AGENT_DEVICE, hints, name);
    if (strcmp(name, "Other") == 0)
        name[0] = '\0';
    out->device = (uint8_t)agent_device_of(hints->agent, slice_from(out->os), slice_from(name));
}

/* What the rules say; false where there were too many already, and the bot is all that is known. */
static bool
read_agent(struct agent_reader *r, struct slice user_agent, struct agent_answer *out)
{
    const struct agent_rules *rules = rules_of(r);
    struct agent_hints hints;

    *out =
        (struct agent_answer){.browser = "(unknown)", .os = "(unknown)", .device = DEVICE_UNKNOWN};
    agent_rules_hint(rules, user_agent, &hints);
    out->bot = (uint16_t)(bot_rule(rules, &hints) + 1);
    if (!may_miss(r))
        return false;
    read_families(rules, &hints, out);
    return true;
}

struct agent
agent_read(struct agent_reader *reader, struct slice user_agent, struct arena *a)
{
    struct slice beginning = slice_of(user_agent.p, slice_utf8_cut(user_agent, AGENT_BYTES_MAX));
    struct agent_answer answer;
    struct hash128 key;

    if (beginning.n == 0)
        return (struct agent){SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY};
    key = hash128(beginning);
    if (!agent_cache_find(reader->cache, key, &answer)) {
        if (read_agent(reader, beginning, &answer))
            agent_cache_add(reader->cache, key, &answer);
        else
            atomic_fetch_add_explicit(&reader->n_unknown, 1, memory_order_relaxed);
    }
    return (struct agent){
        .browser = arena_copy(a, slice_from(answer.browser)),
        .os = arena_copy(a, slice_from(answer.os)),
        .device = agent_device_name((enum agent_device)answer.device),
        .bot_reason = bot_rule_reason((int)answer.bot - 1),
    };
}
