/* Rows are in the order in which they are asked; the first that applies decides. */
#include "collector/agent_device.h"

enum field { AGENT, OS, PRODUCT };
enum how { IS, BEGINS, HOLDS };

static const struct row {
    enum field field;
    enum how how;
    const char *text;
    enum agent_device device;
} rows[] = {
    {PRODUCT, IS, "Spider", DEVICE_BOT},

    {OS, IS, "WatchOS", DEVICE_WEARABLE},
    {PRODUCT, HOLDS, "Watch", DEVICE_WEARABLE},
    {AGENT, HOLDS, "Wear OS", DEVICE_WEARABLE},

    {AGENT, HOLDS, "PlayStation", DEVICE_CONSOLE},
    {AGENT, HOLDS, "PLAYSTATION", DEVICE_CONSOLE},
    {AGENT, HOLDS, "Nintendo", DEVICE_CONSOLE},
    {AGENT, HOLDS, "Xbox", DEVICE_CONSOLE},

    {OS, IS, "tvOS", DEVICE_TV},
    {OS, IS, "ATV OS X", DEVICE_TV},
    {OS, IS, "GoogleTV", DEVICE_TV},
    {OS, IS, "WebTV", DEVICE_TV},
    {OS, IS, "FireHbbTV", DEVICE_TV},
    {OS, IS, "Chromecast", DEVICE_TV},
    {OS, IS, "Roku", DEVICE_TV},
    {OS, IS, "Web0S", DEVICE_TV},
    {PRODUCT, IS, "AppleTV", DEVICE_TV},
    {PRODUCT, IS, "HbbTV", DEVICE_TV},
    {PRODUCT, IS, "Inettv", DEVICE_TV},
    {PRODUCT, BEGINS, "NetCast", DEVICE_TV},
    {AGENT, HOLDS, "Web0S", DEVICE_TV},
    {AGENT, HOLDS, "SmartTV", DEVICE_TV},
    {AGENT, HOLDS, "SMART-TV", DEVICE_TV},
    {AGENT, HOLDS, "Smart TV", DEVICE_TV},
    {AGENT, HOLDS, "Smart-TV", DEVICE_TV},
    {AGENT, HOLDS, "Apple TV", DEVICE_TV},
    {AGENT, HOLDS, "GoogleTV", DEVICE_TV},
    {AGENT, HOLDS, "Google TV", DEVICE_TV},
    {AGENT, HOLDS, "Android TV", DEVICE_TV},
    {AGENT, HOLDS, "HbbTV", DEVICE_TV},
    {AGENT, HOLDS, "BRAVIA", DEVICE_TV},
    {AGENT, HOLDS, "MiTV", DEVICE_TV},
    {AGENT, HOLDS, "MIBOX", DEVICE_TV},
    {AGENT, HOLDS, "CrKey", DEVICE_TV},
    {AGENT, HOLDS, "Chromecast", DEVICE_TV},
    {AGENT, HOLDS, "Roku", DEVICE_TV},
    {AGENT, HOLDS, "; AFT", DEVICE_TV}, /* Amazon's Fire TV: AFTB, AFTMM, AFTT, .. */

    {OS, IS, "Windows", DEVICE_DESKTOP}, /* "Tablet PC" is a part of Windows that desktops have */
    {OS, IS, "Chrome OS", DEVICE_DESKTOP},
    {PRODUCT, IS, "Mac", DEVICE_DESKTOP},

    {OS, IS, "BlackBerry Tablet OS", DEVICE_TABLET},
    {PRODUCT, IS, "iPad", DEVICE_TABLET},
    {PRODUCT, IS, "Generic Tablet", DEVICE_TABLET},
    {PRODUCT, BEGINS, "Kindle", DEVICE_TABLET},
    {PRODUCT, HOLDS, "TouchPad", DEVICE_TABLET},
    {PRODUCT, HOLDS, "Playbook", DEVICE_TABLET},
    {PRODUCT, HOLDS, "PlayBook", DEVICE_TABLET},
    {AGENT, HOLDS, "iPad", DEVICE_TABLET},
    {AGENT, HOLDS, "Tablet", DEVICE_TABLET},
    {AGENT, HOLDS, "Kindle", DEVICE_TABLET},
    {AGENT, HOLDS, "Silk/", DEVICE_TABLET},
    {OS, IS, "WeTab", DEVICE_TABLET},

    {PRODUCT, BEGINS, "iPhone", DEVICE_MOBILE},
    {PRODUCT, IS, "iPod", DEVICE_MOBILE},
    {PRODUCT, IS, "Generic Smartphone", DEVICE_MOBILE},
    {PRODUCT, IS, "Generic Feature Phone", DEVICE_MOBILE},
    {OS, IS, "iOS", DEVICE_MOBILE},
    {AGENT, HOLDS, "Mobile", DEVICE_MOBILE},
    {AGENT, HOLDS, "Opera Mini", DEVICE_MOBILE},
    {OS, IS, "Android", DEVICE_TABLET},     /* phones say Mobile as well */
    {OS, BEGINS, "Windows", DEVICE_MOBILE}, /* Phone, Mobile */
    {OS, BEGINS, "Symbian", DEVICE_MOBILE},
    {OS, BEGINS, "Nokia", DEVICE_MOBILE},
    {OS, BEGINS, "BlackBerry", DEVICE_MOBILE},
    {OS, BEGINS, "BREW", DEVICE_MOBILE},
    {OS, BEGINS, "Brew", DEVICE_MOBILE},
    {OS, IS, "Bada", DEVICE_MOBILE},
    {OS, IS, "Firefox OS", DEVICE_MOBILE},
    {OS, IS, "KaiOS", DEVICE_MOBILE},
    {OS, IS, "Maemo", DEVICE_MOBILE},
    {OS, IS, "MeeGo", DEVICE_MOBILE},
    {OS, IS, "Sailfish", DEVICE_MOBILE},
    {OS, IS, "Tizen", DEVICE_MOBILE},
    {OS, IS, "webOS", DEVICE_MOBILE},

    {PRODUCT, HOLDS, "", DEVICE_MOBILE}, /* any other product that uap-core knows is a phone */
    {OS, HOLDS, "", DEVICE_DESKTOP},     /* any other system */
};

static bool
applies(const struct row *row, struct slice value)
{
    struct slice text = slice_from(row->text);

    if (value.n == 0)
        return false;
    switch (row->how) {
    case IS:
        return slice_equal(value, text);
    case BEGINS:
        return slice_starts_with(value, text);
    case HOLDS:
        return slice_contains(value, text);
    }
    return false;
}

enum agent_device
agent_device_of(struct slice user_agent, struct slice os, struct slice product)
{
    const struct slice values[] = {[AGENT] = user_agent, [OS] = os, [PRODUCT] = product};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (applies(&rows[i], values[rows[i].field]))
            return rows[i].device;
    return DEVICE_UNSAID;
}

struct slice
agent_device_name(enum agent_device device)
{
    static const char *const names[] = {
        [DEVICE_UNSAID] = "",
        [DEVICE_DESKTOP] = "desktop",
        [DEVICE_MOBILE] = "mobile",
        [DEVICE_TABLET] = "tablet",
        [DEVICE_TV] = "tv",
        [DEVICE_CONSOLE] = "console",
        [DEVICE_WEARABLE] = "wearable",
        [DEVICE_BOT] = "bot",
        [DEVICE_UNKNOWN] = "(unknown)",
    };

    return slice_from(names[device]);
}
