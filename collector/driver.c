/* Each part of a driver comes from the first that has it: what was given, the address's campaign
 * parameters; and source and medium, where neither says them, from the click id or the referrer. A
 * tagged link's referrer must not overrule its tags: a newsletter read at mail.google.com is no
 * visit from Google. */
#include "collector/driver.h"

#include <libpsl.h>

/* ---- The address ---- */

/* Where a tag's value goes, NULL for a parameter that is none: "utm_", Matomo's own families, and
 * in each of them every name that one of them has. */
static struct slice *
tag_of(struct slice parameter, struct driver_tags *tags)
{
    static const char *const families[] = {"utm", "mtm", "matomo", "pk", "piwik"};
    const struct {
        const char *name;
        struct slice *tag;
    } names[] = {
        {"source", &tags->source},   {"medium", &tags->medium},   {"campaign", &tags->campaign},
        {"cpn", &tags->campaign},    {"content", &tags->content}, {"term", &tags->keyword},
        {"keyword", &tags->keyword}, {"kwd", &tags->keyword},
    };
    struct slice family, name;
    size_t i = 0;

    if (!slice_cut(parameter, '_', &family, &name))
        return NULL;
    while (i < sizeof families / sizeof *families && !slice_is(family, families[i]))
        i++;
    if (i == sizeof families / sizeof *families)
        return NULL;
    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is(name, names[i].name))
            return names[i].tag;
    return NULL;
}

static void
read_click(const struct driver_click *click, struct slice value, struct arena *a,
           struct driver_tags *tags)
{
    if (tags->click || value.n == 0)
        return;
    tags->click = click;
    tags->click_id = arena_printf(a, "%s=%.*s", click->parameter, SLICE_ARG(value));
}

struct slice
driver_read_query(struct slice query, struct arena *a, struct driver_tags *out)
{
    struct slice rest = query, part, name, value;
    bool has_clicks = false;
    char *kept;
    size_t n = 0;

    *out = (struct driver_tags){SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY,
                                SLICE_EMPTY, NULL,        SLICE_EMPTY};
    if (query.n == 0)
        return SLICE_EMPTY;
    kept = arena_alloc(a, query.n + 1);
    while (rest.n > 0) {
        const struct driver_click *click;
        struct slice *tag;

        slice_cut(rest, '&', &part, &rest);
        slice_cut(part, '=', &name, &value);
        click = driver_find_click(name);
        if (click) {
            has_clicks = true;
            read_click(click, url_decode(a, value), a, out);
            continue;
        }
        tag = tag_of(name, out);
        if (tag && tag->n == 0)
            *tag = slice_trim(url_decode(a, value));
        if (part.n == 0)
            continue;
        if (n > 0)
            kept[n++] = '&';
        memcpy(kept + n, part.p, part.n);
        n += part.n;
    }
    return has_clicks ? slice_of(kept, n) : query;
}

static bool
has_tags(const struct driver_tags *t)
{
    return t->click || t->source.n > 0 || t->medium.n > 0 || t->campaign.n > 0 ||
           t->content.n > 0 || t->keyword.n > 0;
}

/* ---- The referrer ---- */

/* An address, of which no part is a domain. */
static bool
is_address(struct slice host)
{
    size_t i = host.n;

    if (host.n > 0 && host.p[0] == '[')
        return true;
    while (i > 0 && host.p[i - 1] >= '0' && host.p[i - 1] <= '9')
        i--;
    return i < host.n && (i == 0 || host.p[i - 1] == '.');
}

static struct slice
registrable_domain(struct slice host, struct arena *a)
{
    const psl_ctx_t *list = psl_builtin();
    const char *domain = NULL;

    if (list && !is_address(host))
        domain = psl_registrable_domain(list, arena_cstr(a, host));
    return domain ? slice_from(domain) : host;
}

/* Is host this one, or below it? */
static bool
is_at_or_below(struct slice host, struct slice domain)
{
    return domain.n > 0 && slice_ends_with(host, domain) &&
           (host.n == domain.n || host.p[host.n - domain.n - 1] == '.');
}

/* The list is only asked for the second host where it ends as the first one's domain does. */
bool
driver_same_domain(struct slice a_host, struct slice b_host, struct arena *a)
{
    struct slice domain;

    if (slice_equal(a_host, b_host))
        return true;
    domain = registrable_domain(a_host, a);
    return is_at_or_below(b_host, domain) && slice_equal(domain, registrable_domain(b_host, a));
}

static bool
is_ignored(struct slice host, const struct driver_home *home)
{
    for (size_t i = 0; i < home->n_ignored; i++)
        if (is_at_or_below(host, home->ignored[i]))
            return true;
    return false;
}

/* A referrer that brings a visitor. */
struct referrer {
    struct url url;
    struct slice host;
    const struct driver_host *known; /* NULL: in no table */
};

/* Of another domain, not ignored, no provider. Android's apps
 * ("android-app://com.google.android.gm/") are known by their package. */
static bool
read_referrer(struct slice text, const struct driver_home *home, struct arena *a,
              struct referrer *out)
{
    static const struct slice app = SLICE("android-app://");

    if (slice_starts_with(text, app))
        text = arena_printf(a, "https://%.*s", SLICE_ARG(slice_sub(text, app.n, text.n)));
    if (text.n == 0 || !url_split(text, &out->url) || out->url.host.n == 0)
        return false;
    out->host = url_host(a, out->url.host);
    if (home->domain.n > 0 && driver_same_domain(out->host, home->domain, a))
        return false;
    if (home->page_host.n > 0 && !is_at_or_below(home->page_host, home->domain) &&
        driver_same_domain(out->host, home->page_host, a))
        return false;
    if (is_ignored(out->host, home))
        return false;
    out->known = driver_find_host(out->host, out->url.path, a);
    return !out->known || out->known->kind != DRIVER_PROVIDER;
}

/* ---- Both together ---- */

static bool
was_given_one(const struct given *g)
{
    static const enum event_text parts[] = {TEXT_SOURCE,  TEXT_MEDIUM,  TEXT_CAMPAIGN,
                                            TEXT_CONTENT, TEXT_KEYWORD, TEXT_CHANNEL};

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (given_has_text(g, parts[i]))
            return true;
    return false;
}

/* Source, medium and keyword of a referrer. */
static void
fill_from_referrer(struct given *g, const struct referrer *r, struct arena *a)
{
    static const char *const media[] = {
        [DRIVER_UNKNOWN] = "referral", [DRIVER_SEARCH] = "organic",
        [DRIVER_SOCIAL] = "social",    [DRIVER_AI] = "ai",
        [DRIVER_EMAIL] = "email",      [DRIVER_DISPLAY] = "display",
        [DRIVER_PAID_SEARCH] = "cpc",  [DRIVER_PROVIDER] = "referral",
    };
    const struct driver_host *known = r->known;
    struct slice keyword = known ? driver_read_keyword(known, &r->url, a) : SLICE_EMPTY;
    struct slice name = r->host;

    if (known && known->is_for_keyword && keyword.n == 0)
        known = NULL;
    if (slice_starts_with(name, SLICE("www.")))
        name = slice_sub(name, 4, name.n);
    given_fill(g, TEXT_SOURCE, known ? slice_from(known->source) : name);
    given_fill(g, TEXT_MEDIUM, slice_from(media[known ? known->kind : DRIVER_UNKNOWN]));
    if (g->event.text[TEXT_KEYWORD].n == 0)
        given_fill(g, TEXT_KEYWORD, keyword);
}

void
driver_derive(struct given *g, const struct driver_tags *tags, const struct driver_home *home,
              struct arena *a)
{
    struct event *e = &g->event;
    struct referrer referrer;
    bool is_brought = read_referrer(e->text[TEXT_REFERRER], home, a, &referrer);

    if (!is_brought && !has_tags(tags) && !was_given_one(g))
        return;
    e->flags |= EVENT_DRIVER;
    given_fill(g, TEXT_SOURCE, tags->source);
    given_fill(g, TEXT_MEDIUM, tags->medium);
    given_fill(g, TEXT_CAMPAIGN, tags->campaign);
    given_fill(g, TEXT_CONTENT, tags->content);
    given_fill(g, TEXT_KEYWORD, tags->keyword);
    if (e->text[TEXT_SOURCE].n == 0 && e->text[TEXT_MEDIUM].n == 0) {
        if (tags->click) {
            given_fill(g, TEXT_SOURCE, slice_from(tags->click->source));
            given_fill(g, TEXT_MEDIUM, slice_from(tags->click->medium));
        } else if (is_brought) {
            fill_from_referrer(g, &referrer, a);
        }
    }
    given_fill(g, TEXT_CHANNEL,
               driver_channel(e->text[TEXT_SOURCE], e->text[TEXT_MEDIUM], tags->click, a));
}
