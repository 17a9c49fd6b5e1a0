/* Any bytes as a user agent: rules and cache say the same, hints leave out no rule, names are short
 * and whole, and nothing takes long (the fuzzer's -timeout). */
#include <assert.h>

#include "collector/agent.h"
#include "collector/bot.h"
#include "tests/fuzz/fuzz.h"

static void
assert_hints_change_nothing(const struct agent_rules *rules, struct slice in)
{
    struct agent_hints some, all;
    char name[2][AGENT_NAME_BYTES];

    agent_rules_hint(rules, in, &some);
    agent_rules_hint_all(rules, in, &all);
    for (enum agent_set set = 0; set < AGENT_SET_COUNT; set++) {
        int rule = agent_rules_first(rules, set, &some, name[0]);

        assert(rule == agent_rules_first(rules, set, &all, name[1]));
        assert(strcmp(name[0], name[1]) == 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct agent_reader *reader;
    static struct agent_rules *rules;
    struct slice in = slice_of((const char *)bytes, n);
    struct agent first, again;
    struct arena a;

    if (!reader) {
        reader = agent_reader_create();
        rules = agent_rules_create();
    }
    arena_init(&a, 1024);
    first = agent_read(reader, in, &a);
    again = agent_read(reader, in, &a);
    assert(slice_equal(first.browser, again.browser) && slice_equal(first.os, again.os));
    assert(slice_equal(first.device, again.device));
    assert(slice_equal(first.bot_reason, again.bot_reason));
    assert(first.browser.n < AGENT_NAME_BYTES && first.os.n < AGENT_NAME_BYTES);
    if (slice_is_utf8(in))
        assert(slice_is_utf8(first.browser) && slice_is_utf8(first.os));
    assert_hints_change_nothing(rules, in);
    (void)bot_is_spam_host(in);
    arena_fini(&a);
    return 0;
}
