/* Click ids, media and the names that campaigns give to sources, and the rule that makes a channel
 * of them. docs/drivers.md has the rule as a table. */
#include "collector/driver_int.h"

#include "core/hash.h"

#define MEMORY_CHANNELS 64
#define MEMORY_TEXT_MAX 88 /* of source and medium that are remembered */

/* What campaigns call a source besides its name and its host. */
static const struct {
    struct slice alias;
    struct slice source;
} aliases[] = {
    {SLICE("fb"), SLICE("facebook")},       {SLICE("meta"), SLICE("facebook")},
    {SLICE("ig"), SLICE("instagram")},      {SLICE("x"), SLICE("twitter")},
    {SLICE("adwords"), SLICE("google")},    {SLICE("googleads"), SLICE("google")},
    {SLICE("google-ads"), SLICE("google")}, {SLICE("google_ads"), SLICE("google")},
    {SLICE("bingads"), SLICE("bing")},      {SLICE("microsoft"), SLICE("bing")},
    {SLICE("msn"), SLICE("bing")},          {SLICE("tik-tok"), SLICE("tiktok")},
    {SLICE("li"), SLICE("linkedin")},       {SLICE("yt"), SLICE("youtube")},
    {SLICE("openai"), SLICE("chatgpt")},    {SLICE("vk"), SLICE("vkontakte")},
    {SLICE("wa"), SLICE("whatsapp")},       {SLICE("tt"), SLICE("tiktok")},
    {SLICE("snap"), SLICE("snapchat")},     {SLICE("bard"), SLICE("gemini")},
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

struct slice
driver__source_of_alias(struct slice name)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (slice_equal_nocase(name, aliases[i].alias))
            return aliases[i].source;
    return name;
}

/* ---- Click ids ---- */

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
        struct slice name;
        enum medium_class class;
    } media[] = {
        {SLICE("cpc"), MEDIUM_PAID},
        {SLICE("ppc"), MEDIUM_PAID},
        {SLICE("cpa"), MEDIUM_PAID},
        {SLICE("cpv"), MEDIUM_PAID},
        {SLICE("paid"), MEDIUM_PAID},
        {SLICE("paidsearch"), MEDIUM_PAID},
        {SLICE("paid search"), MEDIUM_PAID},
        {SLICE("paid-search"), MEDIUM_PAID},
        {SLICE("paid_search"), MEDIUM_PAID},
        {SLICE("retargeting"), MEDIUM_PAID},
        {SLICE("remarketing"), MEDIUM_PAID},
        {SLICE("sem"), MEDIUM_PAID},
        {SLICE("paidsocial"), MEDIUM_PAID_SOCIAL},
        {SLICE("paid social"), MEDIUM_PAID_SOCIAL},
        {SLICE("paid-social"), MEDIUM_PAID_SOCIAL},
        {SLICE("paid_social"), MEDIUM_PAID_SOCIAL},
        {SLICE("cpm"), MEDIUM_DISPLAY},
        {SLICE("display"), MEDIUM_DISPLAY},
        {SLICE("banner"), MEDIUM_DISPLAY},
        {SLICE("interstitial"), MEDIUM_DISPLAY},
        {SLICE("organic"), MEDIUM_ORGANIC},
        {SLICE("social"), MEDIUM_SOCIAL},
        {SLICE("organic social"), MEDIUM_SOCIAL},
        {SLICE("organic-social"), MEDIUM_SOCIAL},
        {SLICE("organic_social"), MEDIUM_SOCIAL},
        {SLICE("social-network"), MEDIUM_SOCIAL},
        {SLICE("social-media"), MEDIUM_SOCIAL},
        {SLICE("social_media"), MEDIUM_SOCIAL},
        {SLICE("sm"), MEDIUM_SOCIAL},
        {SLICE("email"), MEDIUM_EMAIL},
        {SLICE("e-mail"), MEDIUM_EMAIL},
        {SLICE("mail"), MEDIUM_EMAIL},
        {SLICE("newsletter"), MEDIUM_EMAIL},
        {SLICE("affiliate"), MEDIUM_AFFILIATE},
        {SLICE("affiliates"), MEDIUM_AFFILIATE},
        {SLICE("partner"), MEDIUM_AFFILIATE},
        {SLICE("referral"), MEDIUM_REFERRAL},
        {SLICE("link"), MEDIUM_REFERRAL},
        {SLICE("sms"), MEDIUM_SMS},
        {SLICE("push"), MEDIUM_PUSH},
        {SLICE("notification"), MEDIUM_PUSH},
        {SLICE("ai"), MEDIUM_AI},
    };
    static const struct slice paid[] = {SLICE("cpc"), SLICE("ppc"), SLICE("paid")};

    for (size_t i = 0; i < sizeof media / sizeof *media; i++)
        if (slice_equal_nocase(medium, media[i].name))
            return media[i].class;
    /* "cpc_brand", "ppc-video", "paid-other" */
    for (size_t i = 0; i < sizeof paid / sizeof *paid; i++)
        if (slice_equal_nocase(slice_sub(medium, 0, paid[i].n), paid[i]))
            return MEDIUM_PAID;
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
    if (medium == MEDIUM_EMAIL)
        return "email";
    if ((kind == DRIVER_EMAIL || is_newsletter) && medium == MEDIUM_UNKNOWN)
        return "email"; /* web.de is mail and a search engine */
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

static const char *
find_channel(struct slice source, struct slice medium, const struct driver_click *click,
             struct arena *a)
{
    bool is_newsletter = slice_equal_nocase(source, SLICE("newsletter")) ||
                         slice_equal_nocase(source, SLICE("email"));

    return channel_of(classify_medium(medium), driver_kind_of_source(source, a), is_newsletter,
                      click);
}

/* What was found of late: a site has a few dozen pairs of source and medium. */
struct channel_memory {
    const char *channel; /* NULL: free */
    const struct driver_click *click;
    size_t source_bytes;
    size_t medium_bytes;
    char text[MEMORY_TEXT_MAX]; /* source, then medium */
};

static bool
is_remembered(const struct channel_memory *m, struct slice source, struct slice medium,
              const struct driver_click *click)
{
    return m->channel != NULL && m->click == click &&
           slice_equal(slice_of(m->text, m->source_bytes), source) &&
           slice_equal(slice_of(m->text + m->source_bytes, m->medium_bytes), medium);
}

struct slice
driver_channel(struct slice source, struct slice medium, const struct driver_click *click,
               struct arena *a)
{
    static _Thread_local struct channel_memory memory[MEMORY_CHANNELS];
    struct channel_memory *m = &memory[hash64(source, hash64(medium, 0)) % MEMORY_CHANNELS];

    if (source.n + medium.n > MEMORY_TEXT_MAX)
        return slice_from(find_channel(source, medium, click, a));
    if (!is_remembered(m, source, medium, click)) {
        m->channel = find_channel(source, medium, click, a);
        m->click = click;
        m->source_bytes = source.n;
        m->medium_bytes = medium.n;
        if (source.n > 0)
            memcpy(m->text, source.p, source.n);
        if (medium.n > 0)
            memcpy(m->text + source.n, medium.p, medium.n);
    }
    return slice_from(m->channel);
}
