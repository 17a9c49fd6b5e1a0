/* One event from given to whole, part by part; each part fills only what was not given. */
#include "collector/enrich.h"

#include <stdlib.h>

#include "collector/agent.h"
#include "collector/bot.h"
#include "collector/driver.h"
#include "collector/place.h"
#include "core/url.h"

struct enrich {
    struct place_database *places; /* NULL: none */
};

enum err_code
enrich_open(const char *place_path, struct enrich **out, struct err *err)
{
    struct place_database *places = NULL;
    enum err_code rc = ERR_OK;

    if (place_path && *place_path)
        rc = place_open(place_path, &places, err);
    if (rc != ERR_OK)
        return rc;
    *out = mem_zalloc(sizeof **out);
    (*out)->places = places;
    return ERR_OK;
}

void
enrich_close(struct enrich **e)
{
    if (!*e)
        return;
    place_close(&(*e)->places);
    free(*e);
    *e = NULL;
}

/* host, path, query and click id of the page, and what its query says of the driver. */
static void
fill_address(struct given *g, struct arena *a, struct driver_tags *tags)
{
    struct slice query = g->event.text[TEXT_QUERY];
    struct url url;

    if (url_split(g->event.text[TEXT_URL], &url)) {
        given_fill(g, TEXT_HOST, url_host(a, url.host));
        given_fill(g, TEXT_PATH, url.path);
        query = url.query;
    }
    query = driver_read_query(query, a, tags);
    given_fill(g, TEXT_QUERY, query);
    given_fill(g, TEXT_CLICK_ID, tags->click_id);
}

static void
fill_driver(struct given *g, const struct enrich_site *site, const struct driver_tags *tags,
            struct arena *a)
{
    struct driver_home home = {
        .domain = url_host(a, site->domain),
        .page_host = url_host(a, g->event.text[TEXT_HOST]),
        .ignored = site->ignored_referrers,
        .n_ignored = site->n_ignored_referrers,
    };

    driver_derive(g, tags, &home, a);
}

/* The whole place or nothing: a country that was given does not get another one's city. */
static void
fill_place(const struct enrich *e, struct given *g, struct arena *a)
{
    struct place place;

    if (!e->places || g->ip.n == 0 || given_has_text(g, TEXT_COUNTRY) ||
        given_has_text(g, TEXT_REGION) || given_has_text(g, TEXT_CITY))
        return;
    if (!place_find(e->places, g->ip, &place))
        return;
    given_fill(g, TEXT_CONTINENT, arena_copy(a, place.continent));
    given_fill(g, TEXT_COUNTRY, arena_copy(a, place.country));
    given_fill(g, TEXT_REGION, arena_copy(a, place.region));
    given_fill(g, TEXT_CITY, arena_copy(a, place.city));
}

static void
fill_agent(struct given *g)
{
    struct agent agent;
    struct slice reason;

    if (g->user_agent.n == 0)
        return;
    agent = agent_parse(g->user_agent);
    given_fill(g, TEXT_BROWSER, agent.browser);
    given_fill(g, TEXT_OS, agent.os);
    given_fill(g, TEXT_DEVICE, agent.device);
    if (g->has_bot || g->event.origin == ORIGIN_SERVER)
        return; /* a shop's server speaks for its customers, through a library */
    reason = bot_reason(g->user_agent);
    if (reason.n > 0) {
        g->event.flags |= EVENT_BOT;
        g->event.text[TEXT_BOT_REASON] = reason;
    }
}

enum err_code
enrich_event(const struct enrich *e, const struct enrich_site *site, struct given *g,
             struct arena *a, struct err *err)
{
    struct driver_tags tags;
    enum err_code rc;

    g->event.site = site->id;
    rc = given_finish(g, site->currency, err);
    if (rc == ERR_OK) {
        fill_address(g, a, &tags);
        fill_driver(g, site, &tags, a);
        fill_place(e, g, a);
        fill_agent(g);
        rc = event_prepare(&g->event, a, err);
    }
    g->ip = SLICE_EMPTY;
    return rc;
}
