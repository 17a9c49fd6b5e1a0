/* Browser, system and device of real user agents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/agent.h"

#define WEBKIT "AppleWebKit/537.36 (KHTML, like Gecko) "

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
         "Safari", "macOS", "desktop"},
        {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
         "Gecko) Version/18.2 Mobile/15E148 Safari/604.1",
         "Safari", "iOS", "mobile"},
        {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_3_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
         "like Gecko) CriOS/133.0.6943.120 Mobile/15E148 Safari/604.1",
         "Chrome", "iOS", "mobile"},
        {"Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/16.6 Mobile/15E148 Safari/604.1",
         "Safari", "iPadOS", "tablet"},
        {"Mozilla/5.0 (Linux; Android 10; K) " WEBKIT "Chrome/133.0.0.0 Mobile Safari/537.36",
         "Chrome", "Android", "mobile"},
        {"Mozilla/5.0 (Linux; Android 10; K) " WEBKIT "Chrome/133.0.0.0 Safari/537.36", "Chrome",
         "Android", "tablet"},
        {"Mozilla/5.0 (Linux; Android 10; K) " WEBKIT
         "SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
         "Samsung Internet", "Android", "mobile"},
        {"Mozilla/5.0 (Linux; Android 14; SM-S911U; wv) " WEBKIT
         "Version/4.0 Chrome/133.0.0.0 Mobile Safari/537.36 Instagram 360.0.0.52.192 Android",
         "Instagram", "Android", "mobile"},
        {"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:135.0) Gecko/20100101 Firefox/135.0",
         "Firefox", "Linux", "desktop"},
        {"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " WEBKIT "Chrome/133.0.0.0 Safari/537.36",
         "Chrome", "ChromeOS", "desktop"},
        {"Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
         "Internet Explorer", "Windows", "desktop"},
        {"Mozilla/5.0 (Web0S; Linux/SmartTV) " WEBKIT "Chrome/79.0.3945.79 Safari/537.36", "Chrome",
         "webOS", "tv"},
        {"Mozilla/5.0 (PlayStation; PlayStation 5/2.26) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/13.0 Safari/605.1.15",
         "Safari", "PlayStation", "console"},
        {"Opera/9.80 (Android; Opera Mini/36.2/119.132; U; id) Presto/2.12.423 Version/12.16",
         "Opera Mini", "Android", "mobile"},
        {"curl/8.0.1", "", "", ""},
        {"", "", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct agent a = agent_parse(slice_from(rows[i].agent));

        if (!slice_is(a.browser, rows[i].browser) || !slice_is(a.os, rows[i].os) ||
            !slice_is(a.device, rows[i].device))
            fail_msg("%s\n gave %.*s, %.*s, %.*s", rows[i].agent, SLICE_ARG(a.browser),
                     SLICE_ARG(a.os), SLICE_ARG(a.device));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_agents)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
