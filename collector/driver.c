/* Each part of a driver comes from the first that has it: what was given, the address's campaign
 * parameters; and source and medium, where neither says them, from the click id or the referrer. A
 * tagged link's referrer must not overrule its tags: a newsletter read at mail.google.com is no
 * visit from Google. */
#include "collector/driver.h"

#include <libpsl.h>

#include "core/url.h"

/* ---- The address ---- */

/* Where a tag's value goes, NULL for a parameter that is none. */
static struct slice *
tag_of(struct slice name, struct driver_tags *tags)
{
    if (slice_is(name, "utm_source"))
        return &tags->source;
    if (slice_is(name, "utm_medium"))
        return &tags->medium;
    if (slice_is(name, "utm_campaign"))
        return &tags->campaign;
    if (slice_is(name, "utm_content"))
        return &tags->content;
    return slice_is(name, "utm_term") ? &tags->keyword : NULL;
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

bool
driver_same_domain(struct slice a_host, struct slice b_host, struct arena *a)
{
    return slice_equal(a_host, b_host) ||
           slice_equal(registrable_domain(a_host, a), registrable_domain(b_host, a));
}

static bool
is_ignored(struct slice host, const struct driver_home *home)
{
    for (size_t i = 0; i < home->n_ignored; i++) {
        struct slice ignored = home->ignored[i];

        if (ignored.n > 0 && slice_ends_with(host, ignored) &&
            (host.n == ignored.n || host.p[host.n - ignored.n - 1] == '.'))
            return true;
    }
    return false;
}

/* A referrer that brings a visitor: of another domain, not ignored. Android's apps
 * ("android-app://com.google.android.gm/") are known by their package. */
static bool
read_referrer(struct slice text, const struct driver_home *home, struct arena *a, struct url *url,
              struct slice *host)
{
    static const struct slice app = SLICE("android-app://");

    if (slice_starts_with(text, app))
        text = arena_printf(a, "https://%.*s", SLICE_ARG(slice_sub(text, app.n, text.n)));
    if (text.n == 0 || !url_split(text, url) || url->host.n == 0)
        return false;
    *host = url_host(a, url->host);
    if (home->domain.n > 0 && driver_same_domain(*host, home->domain, a))
        return false;
    if (home->page_host.n > 0 && driver_same_domain(*host, home->page_host, a))
        return false;
    return !is_ignored(*host, home);
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

static struct slice
searched_for(const struct driver_host *known, const struct url *url, struct arena *a)
{
    struct slice rest = url->query, name, value;

    while (known->keyword && url_next_parameter(&rest, &name, &value))
        if (slice_is(name, known->keyword))
            return slice_trim(url_decode(a, value));
    return SLICE_EMPTY;
}

/* Source, medium and keyword of a referrer. */
static void
fill_from_referrer(struct given *g, const struct url *url, struct slice host, struct arena *a)
{
    static const char *const media[] = {
        [DRIVER_UNKNOWN] = "referral", [DRIVER_SEARCH] = "organic",
        [DRIVER_SOCIAL] = "social",    [DRIVER_AI] = "ai",
        [DRIVER_EMAIL] = "email",
    };
    const struct driver_host *known = driver_find_host(host, a);
    struct slice name = host;

    if (slice_starts_with(name, SLICE("www.")))
        name = slice_sub(name, 4, name.n);
    given_fill(g, TEXT_SOURCE, known ? slice_from(known->source) : name);
    given_fill(g, TEXT_MEDIUM, slice_from(media[known ? known->kind : DRIVER_UNKNOWN]));
    if (known && g->event.text[TEXT_KEYWORD].n == 0)
        g->event.text[TEXT_KEYWORD] = searched_for(known, url, a);
}

void
driver_derive(struct given *g, const struct driver_tags *tags, const struct driver_home *home,
              struct arena *a)
{
    struct event *e = &g->event;
    struct slice host;
    struct url url;
    bool is_brought = read_referrer(e->text[TEXT_REFERRER], home, a, &url, &host);

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
            fill_from_referrer(g, &url, host, a);
        }
    }
    given_fill(g, TEXT_CHANNEL,
               driver_channel(e->text[TEXT_SOURCE], e->text[TEXT_MEDIUM], tags->click, a));
}
