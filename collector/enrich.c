/* One event from given to whole, part by part; each part fills only what was not given. */
#include "collector/enrich.h"

#include <stdlib.h>

#include "collector/agent.h"
#include "collector/bot.h"
#include "collector/driver.h"
#include "collector/place.h"
#include "collector/visitor.h"
#include "core/log.h"
#include "core/url.h"

struct enrich {
    struct place_database *places; /* NULL: none */
    struct agent_reader *agents;
};

static enum err_code
open_with(struct place_database *places, struct enrich **out)
{
    *out = mem_zalloc(sizeof **out);
    (*out)->places = places;
    (*out)->agents = agent_reader_create();
    return ERR_OK;
}

enum err_code
enrich_open(const char *place_path, struct enrich **out, struct err *err)
{
    struct place_database *places = NULL;
    enum err_code rc = ERR_OK;

    if (place_path && *place_path)
        rc = place_open(place_path, &places, err);
    return rc == ERR_OK ? open_with(places, out) : rc;
}

enum err_code
enrich_serve(const char *place_path, struct enrich **out, struct err *err)
{
    struct place_database *places;
    struct err why = ERR_NONE;
    enum err_code rc;

    if (!place_path || !*place_path)
        return open_with(NULL, out);
    places = place_create(place_path);
    rc = place_refresh(places, &why);
    if (rc == ERR_NOT_FOUND) {
        place_close(&places);
        return err_set(err, rc, NULL, "%s", why.message);
    }
    if (rc != ERR_OK)
        log_error("%s; no place is known until it is replaced", why.message);
    rc = place_watch(places, err);
    if (rc != ERR_OK) {
        place_close(&places);
        return rc;
    }
    return open_with(places, out);
}

void
enrich_close(struct enrich **e)
{
    if (!*e)
        return;
    place_close(&(*e)->places);
    agent_reader_destroy(&(*e)->agents);
    free(*e);
    *e = NULL;
}

const struct place_database *
enrich_places(const struct enrich *e)
{
    return e->places;
}

void
enrich_limit_agents(struct enrich *e, uint32_t misses_a_second)
{
    agent_reader_limit(e->agents, misses_a_second);
}

uint64_t
enrich_n_unknown_agents(const struct enrich *e)
{
    return agent_n_unknown(e->agents);
}

/* Does its address say nothing that was not given? */
static bool
is_address_given(const struct given *g)
{
    struct slice url = g->event.text[TEXT_URL];

    return given_has_text(g, TEXT_HOST) && given_has_text(g, TEXT_PATH) &&
           g->event.text[TEXT_QUERY].n == 0 && slice_find(url, '?', 0) == url.n;
}

/* host, path, query and click id of the page, and what its query says of the driver. */
static void
fill_address(struct given *g, struct arena *a, struct driver_tags *tags)
{
    struct slice query = g->event.text[TEXT_QUERY];
    struct url url;

    if (!is_address_given(g) && url_split(g->event.text[TEXT_URL], &url)) {
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
            const struct driver_referrer *referrer, struct arena *a)
{
    struct driver_home home = {.ignored = site->ignored_referrers,
                               .n_ignored = site->n_ignored_referrers};

    if (referrer->host.n > 0) { /* else nobody asks whose it is */
        home.domain = url_host(a, site->domain);
        home.page_host = url_host(a, g->event.text[TEXT_HOST]);
    }
    driver_derive(g, tags, referrer, &home, a);
}

/* The whole place or nothing: a country that was given does not get another one's city. */
static void
fill_place(const struct enrich *e, struct given *g, struct arena *a)
{
    struct place place;

    if (!e->places || g->ip.n == 0 || given_has_text(g, TEXT_COUNTRY) ||
        given_has_text(g, TEXT_REGION) || given_has_text(g, TEXT_CITY))
        return;
    if (!place_find(e->places, g->ip, a, &place))
        return;
    given_fill(g, TEXT_CONTINENT, place.continent);
    given_fill(g, TEXT_COUNTRY, place.country);
    given_fill(g, TEXT_REGION, place.region);
    given_fill(g, TEXT_CITY, place.city);
}

/* A shop's server speaks for its customers, through a library: never a bot unless it says so. */
static void
fill_bot(struct given *g, struct slice agent_reason, struct slice referrer_host)
{
    if (g->has_bot || g->event.origin == ORIGIN_SERVER)
        return;
    if (agent_reason.n == 0 && bot_is_spam_host(referrer_host))
        agent_reason = SLICE("referrer spam");
    if (agent_reason.n == 0)
        return;
    g->event.flags |= EVENT_BOT;
    g->event.text[TEXT_BOT_REASON] = agent_reason;
}

static void
fill_agent(const struct enrich *e, struct given *g, const struct driver_referrer *referrer,
           struct arena *a)
{
    struct agent agent = agent_read(e->agents, g->user_agent, a);

    given_fill(g, TEXT_BROWSER, agent.browser);
    given_fill(g, TEXT_OS, agent.os);
    given_fill(g, TEXT_DEVICE, agent.device);
    fill_bot(g, agent.bot_reason, referrer->host);
}

enum err_code
enrich_event(const struct enrich *e, const struct enrich_site *site, struct given *g,
             struct arena *a, struct err *err)
{
    struct driver_referrer referrer;
    struct driver_tags tags;
    enum err_code rc;

    g->event.site = site->id;
    rc = given_finish(g, site->currency, err);
    if (rc == ERR_OK)
        rc = visitor_check_event(&g->event, err);
    if (rc == ERR_OK) {
        referrer = driver_read_referrer(g->event.text[TEXT_REFERRER], a);
        fill_address(g, a, &tags);
        fill_driver(g, site, &tags, &referrer, a);
        fill_place(e, g, a);
        fill_agent(e, g, &referrer, a);
        rc = event_prepare_plain(&g->event, g->plain, a, err);
    }
    g->ip = SLICE_EMPTY;
    return rc;
}
