/* A list of words that only programs use of themselves, looked for without case. Generic words
 * catch most crawlers there are; the rest is named. */
#include "collector/bot.h"

/* Longer agents than this are judged by their beginning: no honest one is. */
#define AGENT_BYTES_MAX 1024

#define SAYS(word)                                                                                 \
    {                                                                                              \
        word, "agent says " word                                                                   \
    }

static const struct sign {
    const char *word; /* lower case */
    const char *reason;
} signs[] = {
    /* programs that drive a real browser */
    SAYS("headless"),
    SAYS("phantomjs"),
    SAYS("puppeteer"),
    SAYS("playwright"),
    SAYS("selenium"),
    SAYS("cypress/"),
    SAYS("chrome-lighthouse"),
    SAYS("ptst/"),
    SAYS("gtmetrix"),
    SAYS("pingdom"),
    SAYS("dareboost"),
    SAYS("dejaclick"),
    SAYS("catchpoint"),
    SAYS("site24x7"),
    SAYS("speedcurve"),
    SAYS("prerender"),
    /* generic words, and the address of whoever runs it */
    SAYS("+http"),
    SAYS("crawl"),
    SAYS("spider"),
    SAYS("scraper"),
    SAYS("slurp"),
    SAYS("archiver"),
    SAYS("validator"),
    SAYS("linkcheck"),
    SAYS("monitoring"),
    /* search engines and advertisers that do not say bot */
    SAYS("mediapartners-google"),
    SAYS("apis-google"),
    SAYS("feedfetcher"),
    SAYS("google-inspectiontool"),
    SAYS("google-read-aloud"),
    SAYS("google-adwords"),
    SAYS("google-structured-data"),
    SAYS("google-site-verification"),
    SAYS("google-extended"),
    SAYS("googleother"),
    SAYS("google favicon"),
    SAYS("google web preview"),
    SAYS("googleproducer"),
    SAYS("bingpreview"),
    SAYS("yahoo link preview"),
    SAYS("y!j"),
    SAYS("amazonproductdiscovery"),
    SAYS("yandex.com/bots"),
    SAYS("baidu-yunguance"),
    SAYS("ahrefssiteaudit"),
    SAYS("teoma"),
    SAYS("nutch"),
    SAYS("heritrix"),
    SAYS("yeti/"),
    SAYS("daum/"),
    SAYS("outbrain"),
    SAYS("proximic"),
    SAYS("admantx"),
    SAYS("siteimprove"),
    SAYS("screaming frog"),
    SAYS("netcraft"),
    SAYS("censys"),
    SAYS("zgrab"),
    SAYS("masscan"),
    SAYS("nmap"),
    SAYS("expanse"),
    SAYS("foregenix"),
    /* assistants that fetch on somebody's behalf */
    SAYS("chatgpt-user"),
    SAYS("perplexity-user"),
    SAYS("claude-user"),
    SAYS("claude-web"),
    SAYS("mistralai-user"),
    SAYS("cohere-ai"),
    SAYS("meta-external"),
    /* link previews and feeds */
    SAYS("facebookexternalhit"),
    SAYS("facebookcatalog"),
    SAYS("whatsapp/"),
    SAYS("skypeuripreview"),
    SAYS("slack-imgproxy"),
    SAYS("vkshare"),
    SAYS("embedly"),
    SAYS("flipboard"),
    SAYS("feedly"),
    SAYS("feedburner"),
    SAYS("newsblur"),
    SAYS("inoreader"),
    SAYS("mastodon/"),
    SAYS("pleroma"),
    SAYS("iframely"),
    SAYS("linkpreview"),
    /* libraries and command lines */
    SAYS("curl/"),
    SAYS("wget"),
    SAYS("python"),
    SAYS("aiohttp"),
    SAYS("httpx"),
    SAYS("scrapy"),
    SAYS("libwww"),
    SAYS("go-http-client"),
    SAYS("okhttp"),
    SAYS("axios"),
    SAYS("node-fetch"),
    SAYS("undici"),
    SAYS("got ("),
    SAYS("apache-httpclient"),
    SAYS("httpclient"),
    SAYS("httpurlconnection"),
    SAYS("http_get"),
    SAYS("java/"),
    SAYS("jetty"),
    SAYS("ruby"),
    SAYS("perl/"),
    SAYS("php/"),
    SAYS("guzzlehttp"),
    SAYS("powershell"),
    SAYS("winhttp"),
    SAYS("insomnia"),
    SAYS("postman"),
    SAYS("httrack"),
    SAYS("electricmonk"),
    SAYS("apachebench"),
    SAYS("wrk/"),
};

static bool
is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

/* "bot" as a word or at the end of one ("googlebot/2.1", "adsbot-google", "bot-pge"), which is how
 * they sign; not the phone CUBOT, nor a word that goes on ("bottle"). */
static bool
says_bot(struct slice s)
{
    for (size_t i = 0; i + 3 <= s.n; i++) {
        if (memcmp(s.p + i, "bot", 3) != 0)
            continue;
        if (i >= 2 && memcmp(s.p + i - 2, "cubot", 5) == 0)
            continue;
        if (i + 3 == s.n || !is_letter(s.p[i + 3]) ||
            (s.p[i + 3] == 's' && i + 4 < s.n && !is_letter(s.p[i + 4])))
            return true;
    }
    return false;
}

struct slice
bot_reason(struct slice user_agent)
{
    char lower[AGENT_BYTES_MAX];
    struct slice s = slice_sub(user_agent, 0, sizeof lower);

    for (size_t i = 0; i < s.n; i++)
        lower[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
    s.p = lower;
    if (says_bot(s))
        return SLICE("agent says bot");
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (slice_contains(s, slice_from(signs[i].word)))
            return slice_from(signs[i].reason);
    return SLICE_EMPTY;
}
