/* The tables are ordered: browsers imitate one another, so the one that says more comes first
 * (every Edge says Chrome, every Chrome says Safari). */
#include "collector/agent.h"

struct sign {
    const char *part; /* of the user agent, case and all */
    const char *name;
};

static const struct sign browsers[] = {
    {"FBAN/", "Facebook"},
    {"FBAV/", "Facebook"},
    {"FB_IAB/", "Facebook"},
    {"Instagram ", "Instagram"},
    {"musical_ly", "TikTok"},
    {"BytedanceWebview", "TikTok"},
    {"Pinterest/", "Pinterest"},
    {"Snapchat/", "Snapchat"},
    {"LinkedInApp", "LinkedIn"},
    {"MicroMessenger/", "WeChat"},
    {" Line/", "LINE"},
    {"GSA/", "Google app"},
    {"Edg/", "Edge"},
    {"EdgA/", "Edge"},
    {"EdgiOS/", "Edge"},
    {"Edge/", "Edge"},
    {"OPR/", "Opera"},
    {"OPiOS/", "Opera"},
    {"OPT/", "Opera"},
    {"Opera Mini/", "Opera Mini"},
    {"Opera", "Opera"},
    {"SamsungBrowser/", "Samsung Internet"},
    {"YaBrowser/", "Yandex Browser"},
    {"Vivaldi/", "Vivaldi"},
    {"UCBrowser/", "UC Browser"},
    {"UBrowser/", "UC Browser"},
    {"MiuiBrowser/", "Mi Browser"},
    {"HuaweiBrowser/", "Huawei Browser"},
    {"HeyTapBrowser/", "HeyTap Browser"},
    {"VivoBrowser/", "vivo Browser"},
    {"QQBrowser/", "QQ Browser"},
    {"Whale/", "Whale"},
    {"DuckDuckGo/", "DuckDuckGo"},
    {"Ddg/", "DuckDuckGo"},
    {"Silk/", "Silk"},
    {"Focus/", "Firefox"},
    {"FxiOS/", "Firefox"},
    {"Firefox/", "Firefox"},
    {"CriOS/", "Chrome"},
    {"; wv)", "Android WebView"},
    {"Chrome/", "Chrome"},
    {"Chromium/", "Chrome"},
    {"Trident/", "Internet Explorer"},
    {"MSIE ", "Internet Explorer"},
    {"Version/", "Safari"}, /* what else says Version and Safari has been named above */
    {"AppleWebKit/", "WebKit"},
    {NULL, NULL},
};

static const struct sign systems[] = {
    {"Windows Phone", "Windows Phone"},
    {"Xbox", "Xbox"},
    {"PlayStation", "PlayStation"},
    {"Nintendo", "Nintendo"},
    {"Web0S", "webOS"},
    {"webOS", "webOS"},
    {"Tizen", "Tizen"},
    {"KAIOS", "KaiOS"},
    {"HarmonyOS", "HarmonyOS"},
    {"OpenHarmony", "HarmonyOS"},
    {"Windows", "Windows"},
    {"iPhone", "iOS"},
    {"iPod", "iOS"},
    {"iPad", "iPadOS"},
    {"AppleTV", "tvOS"},
    {"Apple TV", "tvOS"},
    {"CrOS", "ChromeOS"},
    {"Android", "Android"},
    {"Macintosh", "macOS"},
    {"Mac OS X", "macOS"},
    {"FreeBSD", "FreeBSD"},
    {"OpenBSD", "OpenBSD"},
    {"Linux", "Linux"},
    {NULL, NULL},
};

static const struct sign devices[] = {
    {"SmartTV", "tv"},
    {"SMART-TV", "tv"},
    {"Smart TV", "tv"},
    {"Web0S", "tv"},
    {"AppleTV", "tv"},
    {"Apple TV", "tv"},
    {"GoogleTV", "tv"},
    {"Android TV", "tv"},
    {"BRAVIA", "tv"},
    {"AFTB", "tv"},
    {"AFTM", "tv"},
    {"AFTT", "tv"},
    {"CrKey", "tv"},
    {"HbbTV", "tv"},
    {"Roku", "tv"},
    {"Xbox", "console"},
    {"PlayStation", "console"},
    {"Nintendo", "console"},
    {"iPad", "tablet"},
    {"Tablet", "tablet"},
    {"Kindle", "tablet"},
    {"Silk/", "tablet"},
    {"iPhone", "mobile"},
    {"iPod", "mobile"},
    {"Windows Phone", "mobile"},
    {"Mobile", "mobile"},
    {"Opera Mini", "mobile"},
    {"KAIOS", "mobile"},
    {"Android", "tablet"}, /* phones say Mobile as well */
    {"Windows", "desktop"},
    {"Macintosh", "desktop"},
    {"CrOS", "desktop"},
    {"X11", "desktop"},
    {"Linux", "desktop"},
    {NULL, NULL},
};

static struct slice
first_sign(const struct sign *table, struct slice user_agent)
{
    for (const struct sign *s = table; s->part; s++)
        if (slice_contains(user_agent, slice_from(s->part)))
            return slice_from(s->name);
    return SLICE_EMPTY;
}

struct agent
agent_parse(struct slice user_agent)
{
    return (struct agent){
        .browser = first_sign(browsers, user_agent),
        .os = first_sign(systems, user_agent),
        .device = first_sign(devices, user_agent),
    };
}
