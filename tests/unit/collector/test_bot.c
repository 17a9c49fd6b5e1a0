/* Programs and people by their user agents; hosts of referrer spam. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "collector/bot.h"
#include "tests/unit/collector/test_data.h"
#include "tests/unit/collector/uap_cases.h"
#include "tests/unit/guard.h"

static struct agent_rules *rules;

static struct slice
reason_of(struct slice user_agent)
{
    struct agent_hints hints;

    agent_rules_hint(rules, user_agent, &hints);
    return bot_rule_reason(bot_rule(rules, &hints));
}

static void
tells_bots_from_people(void **state)
{
    static const struct {
        const char *agent;
        const char *reason;
    } rows[] = {
        {"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
         "crawler Googlebot/"},
        {"AdsBot-Google (+http://www.google.com/adsbot.html)", "crawler AdsBot-Google([^-]|$)"},
        {"Mozilla/5.0 (compatible; AhrefsSiteAudit/6.1; +http://ahrefs.com/robot/site-audit)",
         "crawler Ahrefs(Bot|SiteAudit)"},
        {"facebookexternalhit/1.1", "crawler facebookexternalhit"},
        {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "HeadlessChrome/120.0.0.0 Safari/537.36",
         "crawler HeadlessChrome"},
        {"Mozilla/5.0 (X11) AppleWebKit/605.1 (KHTML, like Gecko) WebDriver/3.1 Safari/605.1",
         "agent says webdriver"},
        {"Mozilla/5.0 (compatible; SomeThing/1.0; +https://some.example/about)",
         "agent says +http"},
        {"python-requests/2.31", "crawler python-requests"},
        {"curl/8.0", "crawler ^curl"},
        {"my curl/8.0", "agent says curl/"},
        {"BOT", "agent says bot"},
        {"these bots (1.0)", "agent says bot"},
        {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/133.0.0.0 Safari/537.36",
         ""},
        {"Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/99.0 Mobile Safari/537.36",
         ""},
        {"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
         "Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/465.0]",
         ""},
        {"Mozilla/5.0 (Bottle; Linux) Firefox/99.0", ""},
        {"Mozilla/5.0 (Linux; Android 4.4.1; HTC Butterfly S Build/KRT16M) AppleWebKit/537.36 "
         "(KHTML, like Gecko) Chrome/32.0.1700.99 Mobile Safari/537.36",
         ""},
        {"Mozilla/5.0 (Linux; U; Android 2.3; en-us; ViewSonic-ViewPad7e Build/ERE27) "
         "AppleWebKit/533.1 (KHTML, Like Gecko) Version/4.0 Mobile Safari/533.1",
         ""},
        {"", ""},
    };
    struct guard guard = guard_create(4096);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice got = reason_of(guard_copy(&guard, slice_from(rows[i].agent)));

        if (!slice_is(got, rows[i].reason))
            fail_msg("%s gave \"%.*s\"", rows[i].agent, SLICE_ARG(got));
    }
    guard_destroy(&guard);
}

/* Every agent that the list's keepers have seen of a crawler, 2,118 of 1,500 patterns. */
static void
knows_every_crawler_of_the_list(void **state)
{
    json_t *list, *crawler, *agent;
    size_t i, k, n = 0;
    char path[1024];

    (void)state;
    if (!test_data_path("lists/crawler-user-agents.json", path, sizeof path))
        skip();
    list = json_load_file(path, 0, NULL);
    assert_int_equal(json_array_size(list), 1500);
    assert_int_equal(agent_table_sets[AGENT_CRAWLER + 1] - agent_table_sets[AGENT_CRAWLER], 1500);
    json_array_foreach(list, i, crawler)
    {
        json_array_foreach(json_object_get(crawler, "instances"), k, agent)
        {
            struct slice s = slice_of(json_string_value(agent), json_string_length(agent));

            if (!slice_starts_with(reason_of(s), SLICE("crawler ")))
                fail_msg("not found: %.*s", SLICE_ARG(s));
            n++;
        }
    }
    assert_int_equal(n, 2118);
    json_decref(list);
}

/* uap-core's agents of devices, nearly all held by people. Our own signs flag three of them, each a
 * program; the crawler list takes WhatsApp, which fetches previews by the same name, and four more
 * for crawlers. */
static void
leaves_people_alone(void **state)
{
    int n_people = 0, n_crawlers = 0, n_signs = 0;
    struct uap_cases cases;

    (void)state;
    if (!uap_cases_open(&cases, "test_device"))
        skip();
    while (uap_cases_next(&cases)) {
        struct slice reason = reason_of(slice_from(cases.agent));

        if (strcmp(cases.family, "Spider") == 0)
            continue;
        n_people++;
        n_crawlers += slice_starts_with(reason, SLICE("crawler "));
        n_signs += slice_starts_with(reason, SLICE("agent says "));
    }
    printf("of %d agents %d are flagged by the crawler list, %d by our signs\n", n_people,
           n_crawlers, n_signs);
    assert_true(n_people > 16000);
    assert_in_range(n_crawlers, 0, 67 + 4);
    assert_in_range(n_signs, 0, 3);
}

static void
knows_hosts_of_referrer_spam(void **state)
{
    static const struct {
        const char *host;
        bool is_spam;
    } rows[] = {
        {"0-0.fr", true},
        {"www.0-0.fr", true},
        {"a.b.0-0.fr", true},
        {"semalt.com", true},
        {"zvetki.ru", true},
        {"qiwi.xyz", true},
        {"not-semalt.com", false},
        {"semalt.com.example", false},
        {"google.com", false},
        {"com", false},
        {"fr", false},
        {"", false},
        {".", false},
        {"..", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (bot_is_spam_host(slice_from(rows[i].host)) != rows[i].is_spam)
            fail_msg("%s", rows[i].host);
}

static void
knows_every_spammer_of_the_list(void **state)
{
    char path[1024], line[256];
    int n = 0;
    FILE *in;

    (void)state;
    if (!test_data_path("lists/matomo-referrer-spammers.txt", path, sizeof path))
        skip();
    in = fopen(path, "r");
    assert_non_null(in);
    for (; fgets(line, sizeof line, in); n++) {
        size_t i = 0;

        for (; line[i] != '\n'; i++)
            if (line[i] >= 'A' && line[i] <= 'Z')
                line[i] = (char)(line[i] + 32);
        if (!bot_is_spam_host(slice_of(line, i)))
            fail_msg("%s", line);
    }
    assert_int_equal(n, 2347);
    fclose(in);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_bots_from_people),
        cmocka_unit_test(knows_every_crawler_of_the_list),
        cmocka_unit_test(leaves_people_alone),
        cmocka_unit_test(knows_hosts_of_referrer_spam),
        cmocka_unit_test(knows_every_spammer_of_the_list),
    };
    int rc;

    rules = agent_rules_create();
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    agent_rules_destroy(&rules);
    return rc;
}
