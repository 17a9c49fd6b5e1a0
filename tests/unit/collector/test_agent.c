/* Browser, system and device of user agents: real ones by hand, uap-core's own cases, and what
 * nobody sends but somebody will. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/agent.h"
#include "collector/agent_cache.h"
#include "core/clock.h"
#include "tests/unit/collector/uap_cases.h"
#include "tests/unit/guard.h"

#define WEBKIT "AppleWebKit/537.36 (KHTML, like Gecko) "

static struct arena arena;
static struct agent_reader *reader;
static struct agent_rules *rules;

static void
reads_agents(void **state)
{
    static const struct {
        const char *agent;
        const char *browser;
        const char *os;
        const char *device;
    } rows[] = {
        {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) " WEBKIT "Chrome/133.0.0.0 Safari/537.36",
         "Chrome", "Windows", "desktop"},
        {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) " WEBKIT
         "Chrome/133.0.0.0 Safari/537.36 Edg/133.0.0.0",
         "Edge", "Windows", "desktop"},
        {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/18.2 Safari/605.1.15",
         "Safari", "Mac OS X", "desktop"},
        {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
         "Gecko) Version/18.2 Mobile/15E148 Safari/604.1",
         "Mobile Safari", "iOS", "mobile"},
        {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_3_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
         "like Gecko) CriOS/133.0.6943.120 Mobile/15E148 Safari/604.1",
         "Chrome Mobile iOS", "iOS", "mobile"},
        {"Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/16.6 Mobile/15E148 Safari/604.1",
         "Mobile Safari", "iOS", "tablet"},
        {"Mozilla/5.0 (Linux; Android 10; K) " WEBKIT "Chrome/133.0.0.0 Mobile Safari/537.36",
         "Chrome Mobile", "Android", "mobile"},
        {"Mozilla/5.0 (Linux; Android 10; K) " WEBKIT "Chrome/133.0.0.0 Safari/537.36", "Chrome",
         "Android", "tablet"},
        {"Mozilla/5.0 (Linux; Android 10; K) " WEBKIT
         "SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
         "Samsung Internet", "Android", "mobile"},
        {"Mozilla/5.0 (Linux; Android 14; SM-S911U; wv) " WEBKIT
         "Version/4.0 Chrome/133.0.0.0 Mobile Safari/537.36 Instagram 360.0.0.52.192 Android",
         "Instagram", "Android", "mobile"},
        {"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:135.0) Gecko/20100101 Firefox/135.0",
         "Firefox", "Ubuntu", "desktop"},
        {"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " WEBKIT "Chrome/133.0.0.0 Safari/537.36",
         "Chrome", "Chrome OS", "desktop"},
        {"Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", "IE", "Windows",
         "desktop"},
        {"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; Tablet PC 2.0)", "IE",
         "Windows", "desktop"},
        {"Mozilla/5.0 (Web0S; Linux/SmartTV) " WEBKIT "Chrome/79.0.3945.79 Safari/537.36", "Chrome",
         "Web0S", "tv"},
        {"Mozilla/5.0 (PlayStation; PlayStation 5/2.26) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/13.0 Safari/605.1.15",
         "Safari", "", "console"},
        {"atc/1.0 watchOS/5.1.3 model/Watch3,4 hwp/t8004 build/16S535 (6; dt:156)",
         "Apple Watch App", "WatchOS", "wearable"},
        {"Opera/9.80 (Android; Opera Mini/36.2/119.132; U; id) Presto/2.12.423 Version/12.16",
         "Opera Mini", "Android", "mobile"},
        {"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot",
         "", "bot"},
        {"nonsense", "", "", ""},
        {"", "", "", ""},
    };

    (void)state;
    for (int round = 0; round < 2; round++) /* from the rules, then from the cache */
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct agent a = agent_read(reader, slice_from(rows[i].agent), &arena);

            if (!slice_is(a.browser, rows[i].browser) || !slice_is(a.os, rows[i].os) ||
                !slice_is(a.device, rows[i].device))
                fail_msg("%s\n gave %.*s, %.*s, %.*s", rows[i].agent, SLICE_ARG(a.browser),
                         SLICE_ARG(a.os), SLICE_ARG(a.device));
        }
}

/* ---- uap-core's own cases ---- */

static bool
is_family(struct slice got, const char *family)
{
    return slice_is(got, strcmp(family, "Other") == 0 ? "" : family);
}

static void
check_cases(const char *file, bool is_os, int n_expected)
{
    struct uap_cases cases;
    int n = 0, n_right = 0;

    if (!uap_cases_open(&cases, file))
        skip();
    for (; uap_cases_next(&cases); n++) {
        struct agent a;

        arena_reset(&arena);
        a = agent_read(reader, slice_from(cases.agent), &arena);
        if (is_family(is_os ? a.os : a.browser, cases.family))
            n_right++;
        else
            printf("%s: %s, not %.*s\n", cases.agent, cases.family,
                   SLICE_ARG(is_os ? a.os : a.browser));
    }
    printf("%s: %d of %d cases, %.2f%%\n", file, n_right, n, 100.0 * n_right / n);
    assert_true(n >= n_expected);
    assert_true(100.0 * n_right >= 98.0 * n);
}

static void
agrees_with_uap_core_on_browsers(void **state)
{
    (void)state;
    check_cases("test_ua", false, 1425);
}

static void
agrees_with_uap_core_on_systems(void **state)
{
    (void)state;
    check_cases("test_os", true, 456);
}

/* The hints leave out nothing that would have matched: every set, on agents of every kind. */
static void
hints_change_nothing(void **state)
{
    static const char *const files[] = {"test_ua", "test_os", "test_device"};
    struct agent_hints some, all;
    char name[2][AGENT_NAME_BYTES];
    int n = 0;

    (void)state;
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        struct uap_cases cases;

        if (!uap_cases_open(&cases, files[f]))
            skip();
        while (uap_cases_next(&cases)) {
            if (f == 2 && n++ % 16 != 0)
                continue; /* of 16,111 similar ones */
            agent_rules_hint(rules, slice_from(cases.agent), &some);
            agent_rules_hint_all(rules, slice_from(cases.agent), &all);
            for (enum agent_set set = 0; set < AGENT_SET_COUNT; set++) {
                int by_hints = agent_rules_first(rules, set, &some, name[0]);

                if (by_hints != agent_rules_first(rules, set, &all, name[1]))
                    fail_msg("set %d: %s", (int)set, cases.agent);
                assert_string_equal(name[0], name[1]);
            }
        }
    }
}

/* ---- What nobody sends but somebody will ---- */

static void
reads_the_beginning_of_an_endless_agent(void **state)
{
    static char endless[100000];
    struct guard guard = guard_create(4096);
    struct agent a;

    (void)state;
    memset(endless, 'x', sizeof endless);
    memcpy(endless + AGENT_BYTES_MAX - 4, " bot", 4);
    a = agent_read(reader, slice_of(endless, sizeof endless), &arena);
    assert_true(slice_is(a.bot_reason, "agent says bot"));
    a = agent_read(reader, slice_of(endless, AGENT_BYTES_MAX - 1), &arena);
    assert_true(slice_is(a.bot_reason, ""));
    for (size_t n = 0; n < 64; n++) { /* every length up to the end of a page */
        struct slice s =
            slice_sub(SLICE("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www."), 0, n);

        (void)agent_read(reader, guard_copy(&guard, s), &arena);
    }
    guard_destroy(&guard);
}

static void
names_are_whole_characters(void **state)
{
    char agent[300];
    struct agent a;

    (void)state;
    for (int shift = 0; shift < 3; shift++) { /* the family is what stands before "/1 CFNetwork" */
        int n = snprintf(agent, sizeof agent, "%.*s", shift, "ab");

        while (n < 150)
            n += snprintf(agent + n, sizeof agent - n, "\xe8\x8c\xb6");
        snprintf(agent + n, sizeof agent - n, "/1 CFNetwork");
        a = agent_read(reader, slice_from(agent), &arena);
        assert_in_range(a.browser.n, AGENT_NAME_BYTES - 4, AGENT_NAME_BYTES - 1);
        assert_true(slice_is_utf8(a.browser));
    }
    a = agent_read(reader, SLICE("\xf3\x9f\x9f\x8f" /* nobody's character */ "CBot "), &arena);
    assert_true(slice_is(a.browser, "CBot")); /* its rule takes one byte before */
}

static void
too_many_new_agents_are_unknown_but_bots(void **state)
{
    static const char chrome[] = "Mozilla/5.0 (Windows NT 10.0) " WEBKIT "Chrome/133.0 Safari/537";
    struct agent_reader *limited = agent_reader_create();
    char agent[128];
    int n_known = 0;
    int64_t began;
    struct agent a;

    (void)state;
    agent_reader_limit(limited, 10);
    began = clock_steady_ms();
    (void)agent_read(limited, slice_from(chrome), &arena);
    for (int i = 0; i < 1000; i++) {
        snprintf(agent, sizeof agent, "%s.%d", chrome, i);
        a = agent_read(limited, slice_from(agent), &arena);
        n_known += slice_is(a.browser, "Chrome") && slice_is(a.device, "desktop");
        if (!slice_is(a.browser, "Chrome"))
            assert_true(slice_is(a.browser, "(unknown)") && slice_is(a.os, "(unknown)") &&
                        slice_is(a.device, "(unknown)") && a.bot_reason.n == 0);
    }
    /* 10 at once, and 10 for each second that it takes */
    assert_in_range(n_known, 9, 20 + (clock_steady_ms() - began) / 100);
    assert_int_equal(agent_n_unknown(limited), 1000 - n_known);
    a = agent_read(limited, slice_from(chrome), &arena); /* known, limit or not */
    assert_true(slice_is(a.browser, "Chrome"));
    a = agent_read(limited, SLICE("Googlebot/2.1"), &arena);
    assert_true(slice_is(a.bot_reason, "crawler Googlebot/"));
    agent_reader_destroy(&limited);
}

static void
cache_keeps_what_is_asked_for(void **state)
{
    struct agent_cache *cache = agent_cache_create();
    struct agent_answer answer = {.browser = "often"}, got;
    const struct hash128 often = hash128(SLICE("often"));
    int n_kept = 0;

    (void)state;
    assert_false(agent_cache_find(cache, often, &got));
    agent_cache_add(cache, often, &answer);
    for (uint32_t i = 0; i < 10 * AGENT_CACHE_AGENTS; i++) {
        snprintf(answer.browser, sizeof answer.browser, "%u", i);
        agent_cache_add(cache, hash128(slice_from(answer.browser)), &answer);
        if (i % 1000 == 0)
            assert_true(agent_cache_find(cache, often, &got));
    }
    assert_true(agent_cache_find(cache, often, &got));
    assert_string_equal(got.browser, "often");
    for (uint32_t i = 0; i < 10 * AGENT_CACHE_AGENTS; i++) {
        char name[16];

        snprintf(name, sizeof name, "%u", i);
        if (agent_cache_find(cache, hash128(slice_from(name)), &got)) {
            assert_string_equal(got.browser, name);
            n_kept++;
        }
    }
    assert_int_equal(n_kept, AGENT_CACHE_AGENTS - 1);
    agent_cache_destroy(&cache);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_agents),
        cmocka_unit_test(agrees_with_uap_core_on_browsers),
        cmocka_unit_test(agrees_with_uap_core_on_systems),
        cmocka_unit_test(hints_change_nothing),
        cmocka_unit_test(reads_the_beginning_of_an_endless_agent),
        cmocka_unit_test(names_are_whole_characters),
        cmocka_unit_test(too_many_new_agents_are_unknown_but_bots),
        cmocka_unit_test(cache_keeps_what_is_asked_for),
    };
    int rc;

    arena_init(&arena, 64 * 1024);
    reader = agent_reader_create();
    rules = agent_rules_create();
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    agent_rules_destroy(&rules);
    agent_reader_destroy(&reader);
    arena_fini(&arena);
    return rc;
}
