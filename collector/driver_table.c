/* Hosts, click ids and media that are known by name, and the rule that makes a channel of them.
 *
 * The first row that fits wins, so a host below another ("mail.google.com") stands above it.
 */
#include "collector/driver.h"

#include "core/url.h"

#include <libpsl.h>

static const struct driver_host hosts[] = {
    /* assistants, before the domains they live on */
    {"chatgpt.com", "chatgpt", DRIVER_AI, NULL},
    {"chat.openai.com", "chatgpt", DRIVER_AI, NULL},
    {"labs.openai.com", "chatgpt", DRIVER_AI, NULL},
    {"claude.ai", "claude", DRIVER_AI, NULL},
    {"gemini.google.com", "gemini", DRIVER_AI, NULL},
    {"bard.google.com", "gemini", DRIVER_AI, NULL},
    {"notebooklm.google.com", "notebooklm", DRIVER_AI, NULL},
    {"copilot.microsoft.com", "copilot", DRIVER_AI, NULL},
    {"perplexity.ai", "perplexity", DRIVER_AI, NULL},
    {"chat.deepseek.com", "deepseek", DRIVER_AI, NULL},
    {"grok.com", "grok", DRIVER_AI, NULL},
    {"meta.ai", "meta ai", DRIVER_AI, NULL},
    {"chat.mistral.ai", "le chat", DRIVER_AI, NULL},
    {"chat.qwen.ai", "qwen", DRIVER_AI, NULL},
    {"chatglm.cn", "chatglm", DRIVER_AI, NULL},
    {"yiyan.baidu.com", "baidu ai", DRIVER_AI, NULL},
    {"ai.baidu.com", "baidu ai", DRIVER_AI, NULL},
    {"duck.ai", "duck.ai", DRIVER_AI, NULL},
    {"you.com", "you.com", DRIVER_AI, NULL},
    {"iask.ai", "iask", DRIVER_AI, NULL},
    {"chatplus.com", "chat+", DRIVER_AI, NULL},
    {"app.jasper.ai", "jasper", DRIVER_AI, NULL},
    {"app.writesonic.com", "writesonic", DRIVER_AI, NULL},

    /* mail in a browser or an app */
    {"mail.google.com", "gmail", DRIVER_EMAIL, NULL},
    {"com.google.android.gm", "gmail", DRIVER_EMAIL, NULL},
    {"mail.yahoo.com", "yahoo mail", DRIVER_EMAIL, NULL},
    {"mail.yahoo.co.jp", "yahoo mail", DRIVER_EMAIL, NULL},
    {"outlook.live.com", "outlook", DRIVER_EMAIL, NULL},
    {"outlook.office.com", "outlook", DRIVER_EMAIL, NULL},
    {"outlook.office365.com", "outlook", DRIVER_EMAIL, NULL},
    {"mail.aol.com", "aol mail", DRIVER_EMAIL, NULL},
    {"e.mail.ru", "mail.ru", DRIVER_EMAIL, NULL},
    {"mail.yandex.*", "yandex mail", DRIVER_EMAIL, NULL},
    {"mail.proton.me", "proton mail", DRIVER_EMAIL, NULL},
    {"mail.qq.com", "qq mail", DRIVER_EMAIL, NULL},
    {"mail.163.com", "netease mail", DRIVER_EMAIL, NULL},
    {"mail.naver.com", "naver mail", DRIVER_EMAIL, NULL},
    {"deref-gmx.net", "gmx", DRIVER_EMAIL, NULL},
    {"deref-web.de", "web.de", DRIVER_EMAIL, NULL},

    /* networks, some of which live below a search engine's domain */
    {"plus.google.com", "google+", DRIVER_SOCIAL, NULL},
    {"groups.google.com", "google groups", DRIVER_SOCIAL, NULL},
    {"tieba.baidu.com", "baidu tieba", DRIVER_SOCIAL, NULL},
    {"facebook.com", "facebook", DRIVER_SOCIAL, NULL},
    {"fb.com", "facebook", DRIVER_SOCIAL, NULL},
    {"fb.me", "facebook", DRIVER_SOCIAL, NULL},
    {"messenger.com", "messenger", DRIVER_SOCIAL, NULL},
    {"com.facebook.katana", "facebook", DRIVER_SOCIAL, NULL},
    {"instagram.com", "instagram", DRIVER_SOCIAL, NULL},
    {"com.instagram.android", "instagram", DRIVER_SOCIAL, NULL},
    {"threads.net", "threads", DRIVER_SOCIAL, NULL},
    {"threads.com", "threads", DRIVER_SOCIAL, NULL},
    {"whatsapp.com", "whatsapp", DRIVER_SOCIAL, NULL},
    {"wa.me", "whatsapp", DRIVER_SOCIAL, NULL},
    {"twitter.com", "twitter", DRIVER_SOCIAL, NULL},
    {"x.com", "twitter", DRIVER_SOCIAL, NULL},
    {"t.co", "twitter", DRIVER_SOCIAL, NULL},
    {"com.twitter.android", "twitter", DRIVER_SOCIAL, NULL},
    {"linkedin.com", "linkedin", DRIVER_SOCIAL, NULL},
    {"lnkd.in", "linkedin", DRIVER_SOCIAL, NULL},
    {"com.linkedin.android", "linkedin", DRIVER_SOCIAL, NULL},
    {"linkedin.android", "linkedin", DRIVER_SOCIAL, NULL},
    {"tiktok.com", "tiktok", DRIVER_SOCIAL, NULL},
    {"douyin.com", "douyin", DRIVER_SOCIAL, NULL},
    {"youtube.com", "youtube", DRIVER_SOCIAL, NULL},
    {"youtu.be", "youtube", DRIVER_SOCIAL, NULL},
    {"pinterest.*", "pinterest", DRIVER_SOCIAL, NULL},
    {"pin.it", "pinterest", DRIVER_SOCIAL, NULL},
    {"com.pinterest", "pinterest", DRIVER_SOCIAL, NULL},
    {"reddit.com", "reddit", DRIVER_SOCIAL, NULL},
    {"redd.it", "reddit", DRIVER_SOCIAL, NULL},
    {"com.reddit.frontpage", "reddit", DRIVER_SOCIAL, NULL},
    {"snapchat.com", "snapchat", DRIVER_SOCIAL, NULL},
    {"com.snapchat.android", "snapchat", DRIVER_SOCIAL, NULL},
    {"t.me", "telegram", DRIVER_SOCIAL, NULL},
    {"telegram.org", "telegram", DRIVER_SOCIAL, NULL},
    {"telegram.me", "telegram", DRIVER_SOCIAL, NULL},
    {"org.telegram.messenger", "telegram", DRIVER_SOCIAL, NULL},
    {"discord.com", "discord", DRIVER_SOCIAL, NULL},
    {"discord.gg", "discord", DRIVER_SOCIAL, NULL},
    {"discordapp.com", "discord", DRIVER_SOCIAL, NULL},
    {"bsky.app", "bluesky", DRIVER_SOCIAL, NULL},
    {"mastodon.social", "mastodon", DRIVER_SOCIAL, NULL},
    {"mastodon.online", "mastodon", DRIVER_SOCIAL, NULL},
    {"mstdn.social", "mastodon", DRIVER_SOCIAL, NULL},
    {"fosstodon.org", "mastodon", DRIVER_SOCIAL, NULL},
    {"hachyderm.io", "mastodon", DRIVER_SOCIAL, NULL},
    {"org.joinmastodon.android", "mastodon", DRIVER_SOCIAL, NULL},
    {"vk.com", "vkontakte", DRIVER_SOCIAL, NULL},
    {"vkontakte.ru", "vkontakte", DRIVER_SOCIAL, NULL},
    {"ok.ru", "odnoklassniki", DRIVER_SOCIAL, NULL},
    {"odnoklassniki.ru", "odnoklassniki", DRIVER_SOCIAL, NULL},
    {"weibo.com", "weibo", DRIVER_SOCIAL, NULL},
    {"t.cn", "weibo", DRIVER_SOCIAL, NULL},
    {"wechat.com", "wechat", DRIVER_SOCIAL, NULL},
    {"weixin.qq.com", "wechat", DRIVER_SOCIAL, NULL},
    {"qzone.qq.com", "qzone", DRIVER_SOCIAL, NULL},
    {"douban.com", "douban", DRIVER_SOCIAL, NULL},
    {"zhihu.com", "zhihu", DRIVER_SOCIAL, NULL},
    {"bilibili.com", "bilibili", DRIVER_SOCIAL, NULL},
    {"line.me", "line", DRIVER_SOCIAL, NULL},
    {"mixi.jp", "mixi", DRIVER_SOCIAL, NULL},
    {"nicovideo.jp", "niconico", DRIVER_SOCIAL, NULL},
    {"tumblr.com", "tumblr", DRIVER_SOCIAL, NULL},
    {"t.umblr.com", "tumblr", DRIVER_SOCIAL, NULL},
    {"quora.com", "quora", DRIVER_SOCIAL, NULL},
    {"flickr.com", "flickr", DRIVER_SOCIAL, NULL},
    {"vimeo.com", "vimeo", DRIVER_SOCIAL, NULL},
    {"soundcloud.com", "soundcloud", DRIVER_SOCIAL, NULL},
    {"twitch.tv", "twitch", DRIVER_SOCIAL, NULL},
    {"github.com", "github", DRIVER_SOCIAL, NULL},
    {"stackoverflow.com", "stackoverflow", DRIVER_SOCIAL, NULL},
    {"news.ycombinator.com", "hacker news", DRIVER_SOCIAL, NULL},
    {"xing.com", "xing", DRIVER_SOCIAL, NULL},
    {"my.mail.ru", "my.mail.ru", DRIVER_SOCIAL, NULL},
    {"livejournal.com", "livejournal", DRIVER_SOCIAL, NULL},
    {"dribbble.com", "dribbble", DRIVER_SOCIAL, NULL},
    {"myspace.com", "myspace", DRIVER_SOCIAL, NULL},
    {"skyrock.com", "skyrock", DRIVER_SOCIAL, NULL},
    {"nextdoor.com", "nextdoor", DRIVER_SOCIAL, NULL},
    {"workplace.com", "workplace", DRIVER_SOCIAL, NULL},

    /* search engines */
    {"google.*", "google", DRIVER_SEARCH, "q"},
    {"com.google.android.googlequicksearchbox", "google", DRIVER_SEARCH, "q"},
    {"bing.com", "bing", DRIVER_SEARCH, "q"},
    {"search.yahoo.com", "yahoo", DRIVER_SEARCH, "p"},
    {"search.yahoo.co.jp", "yahoo japan", DRIVER_SEARCH, "p"},
    {"yahoo.*", "yahoo", DRIVER_SEARCH, "p"},
    {"duckduckgo.com", "duckduckgo", DRIVER_SEARCH, "q"},
    {"yandex.*", "yandex", DRIVER_SEARCH, "text"},
    {"ya.ru", "yandex", DRIVER_SEARCH, "text"},
    {"baidu.com", "baidu", DRIVER_SEARCH, "wd"},
    {"sogou.com", "sogou", DRIVER_SEARCH, "query"},
    {"so.com", "360search", DRIVER_SEARCH, "q"},
    {"so.360.cn", "360search", DRIVER_SEARCH, "q"},
    {"haosou.com", "360search", DRIVER_SEARCH, "q"},
    {"sm.cn", "shenma", DRIVER_SEARCH, "q"},
    {"search.naver.com", "naver", DRIVER_SEARCH, "query"},
    {"search.daum.net", "daum", DRIVER_SEARCH, "q"},
    {"search.seznam.cz", "seznam", DRIVER_SEARCH, "q"},
    {"coccoc.com", "coccoc", DRIVER_SEARCH, "query"},
    {"ecosia.org", "ecosia", DRIVER_SEARCH, "q"},
    {"qwant.com", "qwant", DRIVER_SEARCH, "q"},
    {"startpage.com", "startpage", DRIVER_SEARCH, "query"},
    {"search.brave.com", "brave", DRIVER_SEARCH, "q"},
    {"kagi.com", "kagi", DRIVER_SEARCH, "q"},
    {"mojeek.com", "mojeek", DRIVER_SEARCH, "q"},
    {"swisscows.com", "swisscows", DRIVER_SEARCH, "query"},
    {"presearch.com", "presearch", DRIVER_SEARCH, "q"},
    {"metager.de", "metager", DRIVER_SEARCH, "eingabe"},
    {"metager.org", "metager", DRIVER_SEARCH, "eingabe"},
    {"ask.com", "ask", DRIVER_SEARCH, "q"},
    {"search.aol.com", "aol", DRIVER_SEARCH, "q"},
    {"suche.t-online.de", "t-online", DRIVER_SEARCH, "q"},
    {"suche.gmx.net", "gmx", DRIVER_SEARCH, "q"},
    {"suche.web.de", "web.de", DRIVER_SEARCH, "q"},
    {"ricerca.virgilio.it", "virgilio", DRIVER_SEARCH, "qs"},
    {"szukaj.onet.pl", "onet", DRIVER_SEARCH, "qt"},
    {"go.mail.ru", "mail.ru search", DRIVER_SEARCH, "q"},
    {"nova.rambler.ru", "rambler", DRIVER_SEARCH, "query"},
    {"dogpile.com", "dogpile", DRIVER_SEARCH, "q"},
    {"webcrawler.com", "webcrawler", DRIVER_SEARCH, "q"},
    {"petalsearch.com", "petal search", DRIVER_SEARCH, "query"},
    {"lycos.com", "lycos", DRIVER_SEARCH, "q"},
    {"lilo.org", "lilo", DRIVER_SEARCH, "q"},
};

/* What campaigns call a source besides its name and its host. */
static const struct {
    const char *alias;
    const char *source;
} aliases[] = {
    {"fb", "facebook"},       {"meta", "facebook"},     {"ig", "instagram"},
    {"x", "twitter"},         {"adwords", "google"},    {"googleads", "google"},
    {"google-ads", "google"}, {"google_ads", "google"}, {"bingads", "bing"},
    {"microsoft", "bing"},    {"msn", "bing"},          {"tik-tok", "tiktok"},
    {"li", "linkedin"},       {"yt", "youtube"},        {"openai", "chatgpt"},
    {"vk", "vkontakte"},      {"wa", "whatsapp"},
};

static const struct driver_click clicks[] = {
    {"gclid", "google", "cpc", "paid search"},
    {"gbraid", "google", "cpc", "paid search"},
    {"wbraid", "google", "cpc", "paid search"},
    {"msclkid", "bing", "cpc", "paid search"},
    {"ttclid", "tiktok", "paid social", "paid social"},
    {"twclid", "twitter", "paid social", "paid social"},
    {"li_fat_id", "linkedin", "paid social", "paid social"},
    {"fbclid", "facebook", "social", "social"}, /* on every link out of Facebook, paid or not */
};

/* ---- Hosts and sources ---- */

/* Is host this one, or below it? */
static bool
is_at_or_below(struct slice host, struct slice domain)
{
    if (!slice_ends_with(host, domain))
        return false;
    return host.n == domain.n || host.p[host.n - domain.n - 1] == '.';
}

/* host without its public suffix: "mail.google" of mail.google.co.uk; "" where it is all suffix. */
static struct slice
without_suffix(struct slice host, struct arena *a)
{
    const psl_ctx_t *list = psl_builtin();
    const char *text = arena_cstr(a, host);
    const char *suffix = list ? psl_unregistrable_domain(list, text) : NULL;

    if (!suffix || suffix <= text)
        return SLICE_EMPTY;
    return slice_of(text, (size_t)(suffix - text) - 1);
}

const struct driver_host *
driver_find_host(struct slice host, struct arena *a)
{
    struct slice stem = without_suffix(host, a);

    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct slice pattern = slice_from(hosts[i].host);

        if (pattern.p[pattern.n - 1] == '*'
                ? is_at_or_below(stem, slice_of(pattern.p, pattern.n - 2))
                : is_at_or_below(host, pattern))
            return &hosts[i];
    }
    return NULL;
}

const struct driver_host *
driver_find_source(struct slice source, struct arena *a)
{
    struct slice name = source;

    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (slice_equal_nocase(source, slice_from(aliases[i].alias)))
            name = slice_from(aliases[i].source);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        if (slice_equal_nocase(name, slice_from(hosts[i].source)))
            return &hosts[i];
    return slice_find(source, '.', 0) < source.n ? driver_find_host(url_host(a, source), a) : NULL;
}

const struct driver_click *
driver_find_click(struct slice parameter)
{
    for (size_t i = 0; i < sizeof clicks / sizeof *clicks; i++)
        if (slice_is(parameter, clicks[i].parameter))
            return &clicks[i];
    return NULL;
}

/* ---- Channels ---- */

enum medium_class {
    MEDIUM_UNKNOWN,
    MEDIUM_PAID,
    MEDIUM_PAID_SOCIAL,
    MEDIUM_DISPLAY,
    MEDIUM_ORGANIC,
    MEDIUM_SOCIAL,
    MEDIUM_EMAIL,
    MEDIUM_AFFILIATE,
    MEDIUM_REFERRAL,
    MEDIUM_SMS,
    MEDIUM_PUSH,
    MEDIUM_AI
};

static enum medium_class
classify_medium(struct slice medium)
{
    static const struct {
        const char *name;
        enum medium_class class;
    } media[] = {
        {"cpc", MEDIUM_PAID},
        {"ppc", MEDIUM_PAID},
        {"cpa", MEDIUM_PAID},
        {"cpv", MEDIUM_PAID},
        {"paid", MEDIUM_PAID},
        {"paidsearch", MEDIUM_PAID},
        {"paid search", MEDIUM_PAID},
        {"paid-search", MEDIUM_PAID},
        {"paid_search", MEDIUM_PAID},
        {"retargeting", MEDIUM_PAID},
        {"remarketing", MEDIUM_PAID},
        {"sem", MEDIUM_PAID},
        {"paidsocial", MEDIUM_PAID_SOCIAL},
        {"paid social", MEDIUM_PAID_SOCIAL},
        {"paid-social", MEDIUM_PAID_SOCIAL},
        {"paid_social", MEDIUM_PAID_SOCIAL},
        {"cpm", MEDIUM_DISPLAY},
        {"display", MEDIUM_DISPLAY},
        {"banner", MEDIUM_DISPLAY},
        {"interstitial", MEDIUM_DISPLAY},
        {"organic", MEDIUM_ORGANIC},
        {"social", MEDIUM_SOCIAL},
        {"organic social", MEDIUM_SOCIAL},
        {"organic-social", MEDIUM_SOCIAL},
        {"organic_social", MEDIUM_SOCIAL},
        {"social-network", MEDIUM_SOCIAL},
        {"social-media", MEDIUM_SOCIAL},
        {"social_media", MEDIUM_SOCIAL},
        {"sm", MEDIUM_SOCIAL},
        {"email", MEDIUM_EMAIL},
        {"e-mail", MEDIUM_EMAIL},
        {"mail", MEDIUM_EMAIL},
        {"newsletter", MEDIUM_EMAIL},
        {"affiliate", MEDIUM_AFFILIATE},
        {"affiliates", MEDIUM_AFFILIATE},
        {"partner", MEDIUM_AFFILIATE},
        {"referral", MEDIUM_REFERRAL},
        {"link", MEDIUM_REFERRAL},
        {"sms", MEDIUM_SMS},
        {"push", MEDIUM_PUSH},
        {"notification", MEDIUM_PUSH},
        {"ai", MEDIUM_AI},
    };

    for (size_t i = 0; i < sizeof media / sizeof *media; i++)
        if (slice_equal_nocase(medium, slice_from(media[i].name)))
            return media[i].class;
    return MEDIUM_UNKNOWN;
}

static const char *
paid_channel(enum driver_kind kind, const struct driver_click *click)
{
    if (kind == DRIVER_SEARCH)
        return "paid search";
    if (kind == DRIVER_SOCIAL)
        return "paid social";
    return click ? click->channel : "paid other";
}

/* The first line that holds. What a campaign says of its medium goes before what is known of its
 * source, and both before what its click id means. */
static const char *
channel_of(enum medium_class medium, enum driver_kind kind, bool is_newsletter,
           const struct driver_click *click)
{
    if (medium == MEDIUM_DISPLAY)
        return "display";
    if (medium == MEDIUM_PAID_SOCIAL)
        return "paid social";
    if (medium == MEDIUM_PAID)
        return paid_channel(kind, click);
    if (medium == MEDIUM_AFFILIATE)
        return "affiliate";
    if (medium == MEDIUM_SMS)
        return "sms";
    if (medium == MEDIUM_PUSH)
        return "push";
    if (medium == MEDIUM_EMAIL || kind == DRIVER_EMAIL || is_newsletter)
        return "email";
    if (medium == MEDIUM_AI || kind == DRIVER_AI)
        return "ai assistant";
    if (medium == MEDIUM_UNKNOWN && click)
        return click->channel;
    if (medium == MEDIUM_SOCIAL || kind == DRIVER_SOCIAL)
        return "social";
    if (medium == MEDIUM_ORGANIC || kind == DRIVER_SEARCH)
        return "organic search";
    return medium == MEDIUM_REFERRAL ? "referral" : "other";
}

struct slice
driver_channel(struct slice source, struct slice medium, const struct driver_click *click,
               struct arena *a)
{
    const struct driver_host *known = driver_find_source(source, a);
    bool is_newsletter = slice_equal_nocase(source, SLICE("newsletter")) ||
                         slice_equal_nocase(source, SLICE("email"));

    return slice_from(channel_of(classify_medium(medium), known ? known->kind : DRIVER_UNKNOWN,
                                 is_newsletter, click));
}
