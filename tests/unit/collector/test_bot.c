/* Programs and people by their user agents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/bot.h"
#include "tests/unit/guard.h"

static void
tells_bots_from_people(void **state)
{
    static const struct {
        const char *agent;
        const char *reason;
    } rows[] = {
        {"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
         "agent says bot"},
        {"AdsBot-Google (+http://www.google.com/adsbot.html)", "agent says bot"},
        {"Mozilla/5.0 (compatible; AhrefsSiteAudit/6.1; +http://ahrefs.com/robot/site-audit)",
         "agent says bot"},
        {"facebookexternalhit/1.1", "agent says facebookexternalhit"},
        {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "HeadlessChrome/120.0.0.0 Safari/537.36",
         "agent says headless"},
        {"Mozilla/5.0 (compatible; SomeThing/1.0; +https://some.example/about)",
         "agent says +http"},
        {"Baiduspider", "agent says spider"},
        {"python-requests/2.31", "agent says python"},
        {"curl/8.0", "agent says curl/"},
        {"BOT", "agent says bot"},
        {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/133.0.0.0 Safari/537.36",
         ""},
        {"Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/99.0 Mobile Safari/537.36",
         ""},
        {"Mozilla/5.0 (Bottle; Linux) Firefox/99.0", ""},
        {"", ""},
    };
    struct guard guard = guard_create(4096);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice got = bot_reason(guard_copy(&guard, slice_from(rows[i].agent)));

        if (!slice_is(got, rows[i].reason))
            fail_msg("%s gave \"%.*s\"", rows[i].agent, SLICE_ARG(got));
    }
    guard_destroy(&guard);
}

static void
judges_an_endless_agent_by_its_beginning(void **state)
{
    static char agent[100000];

    (void)state;
    memset(agent, 'x', sizeof agent);
    memcpy(agent + sizeof agent - 4, " bot", 4);
    assert_int_equal(bot_reason(slice_of(agent, sizeof agent)).n, 0);
    memcpy(agent, "bot ", 4);
    assert_int_not_equal(bot_reason(slice_of(agent, sizeof agent)).n, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_bots_from_people),
        cmocka_unit_test(judges_an_endless_agent_by_its_beginning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
