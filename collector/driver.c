/* Each part of a driver comes from the first that has it: what was given, the address's campaign
 * parameters; and source and medium, where neither says them, from the click id or the referrer. A
 * tagged link's referrer must not overrule its tags: a newsletter read at mail.google.com is no
 * visit from Google. */
#include "collector/driver_int.h"

#include <libpsl.h>

/* ---- The address ---- */

/* Where a tag's value goes, NULL for a parameter that is none: "utm_", Matomo's own families, and
 * in each of them every name that one of them has. */
static struct slice *
tag_of(struct slice parameter, struct driver_tags *tags)
{
    struct slice family, name;

    if (!slice_cut(parameter, '_', &family, &name))
        return NULL;
    if (!slice_is(family, "utm") && !slice_is(family, "mtm") && !slice_is(family, "matomo") &&
        !slice_is(family, "pk") && !slice_is(family, "piwik"))
        return NULL;
    if (slice_is(name, "source"))
        return &tags->source;
    if (slice_is(name, "medium"))
        return &tags->medium;
    if (slice_is(name, "campaign") || slice_is(name, "cpn"))
        return &tags->campaign;
    if (slice_is(name, "content"))
        return &tags->content;
    if (slice_is(name, "term") || slice_is(name, "keyword") || slice_is(name, "kwd"))
        return &tags->keyword;
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

/* The list takes microseconds; a registrable domain that is not the whole host has two labels at
 * least, so that most foreign hosts are known without it. */
bool
driver_same_domain(struct slice a_host, struct slice b_host, struct arena *a)
{
    if (slice_equal(a_host, b_host))
        return true;
    return slice_equal(driver__last_labels(a_host, 2), driver__last_labels(b_host, 2)) &&
           slice_equal(registrable_domain(a_host, a), registrable_domain(b_host, a));
}

/* Is host this one, or below it? */
static bool
is_at_or_below(struct slice host, struct slice domain)
{
    return domain.n > 0 && host.n >= domain.n &&
           (host.n == domain.n || host.p[host.n - domain.n - 1] == '.') &&
           slice_equal_nocase(slice_sub(host, host.n - domain.n, domain.n), domain);
}

static bool
is_own(struct slice host, const struct driver_home *home, struct arena *a)
{
    return is_at_or_below(host, home->domain) || driver_same_domain(host, home->domain, a) ||
           driver_same_domain(host, home->page_host, a);
}

static bool
is_ignored(struct slice host, const struct driver_home *home)
{
    for (size_t i = 0; i < home->n_ignored; i++)
        if (is_at_or_below(host, home->ignored[i]))
            return true;
    return false;
}

struct driver_referrer
driver_read_referrer(struct slice text, struct arena *a)
{
    static const struct slice app = SLICE("android-app://");
    struct driver_referrer r = {.host = SLICE_EMPTY};

    if (slice_starts_with(text, app))
        text = arena_printf(a, "https://%.*s", SLICE_ARG(slice_sub(text, app.n, text.n)));
    if (url_split(text, &r.url) && r.url.host.n <= DRIVER_HOST_BYTES_MAX)
        r.host = url_host(a, r.url.host);
    return r;
}

/* Does it bring a visitor: foreign, not ignored, no provider? Then *known is its row, or NULL. */
static bool
brings(const struct driver_referrer *r, const struct driver_home *home, struct arena *a,
       const struct driver_host **known)
{
    if (r->host.n == 0 || is_own(r->host, home, a) || is_ignored(r->host, home))
        return false;
    *known = driver_find_host(r->host, r->url.path, a);
    return !*known || (*known)->kind != DRIVER_PROVIDER;
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

/* Source, medium and keyword of a referrer; known: its row, or NULL. */
static void
fill_from_referrer(struct given *g, const struct driver_referrer *r,
                   const struct driver_host *known, struct arena *a)
{
    static const char *const media[] = {
        [DRIVER_UNKNOWN] = "referral", [DRIVER_SEARCH] = "organic",
        [DRIVER_SOCIAL] = "social",    [DRIVER_AI] = "ai",
        [DRIVER_EMAIL] = "email",      [DRIVER_DISPLAY] = "display",
        [DRIVER_PAID_SEARCH] = "cpc",  [DRIVER_PROVIDER] = "referral",
    };
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
driver_derive(struct given *g, const struct driver_tags *tags,
              const struct driver_referrer *referrer, const struct driver_home *home,
              struct arena *a)
{
    struct event *e = &g->event;
    const struct driver_host *known = NULL;
    bool is_brought = brings(referrer, home, a, &known);

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
            fill_from_referrer(g, referrer, known, a);
        }
    }
    if (!given_has_text(g, TEXT_CHANNEL))
        e->text[TEXT_CHANNEL] =
            driver_channel(e->text[TEXT_SOURCE], e->text[TEXT_MEDIUM], tags->click, a);
}
