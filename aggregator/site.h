/* Sites: the tenants whose events are counted together. */
#ifndef AGGREGATOR_SITE_H
#define AGGREGATOR_SITE_H

#include "aggregator/funnel/page_groups.h"
#include "aggregator/settings_db.h"
#include "aggregator/site_choice.h"
#include "core/buffer.h"
#include "core/privacy.h"

#define SITE_NAME_MAX      64
#define SITE_DOMAIN_MAX    253
#define SITE_REFERRERS_MAX 50
#define SITE_HOSTS_MAX     20
#define SITE_KEYS_MAX      50 /* API keys */
#define SITE_FUNNEL_MAX    120
#define SITE_KEY_MAX       64 /* public and secret keys, with their NUL */

#define SITE_MAX_AGE_MS     86400000 /* defaults of a new site */
#define SITE_MAX_EVENTS_DAY 5000

struct site {
    uint32_t id;
    struct slice name; /* letters, digits, '-', '_' */
    struct slice domain;
    struct slice timezone;
    struct slice currency;      /* three capitals, or "" */
    struct slice public_key;    /* "site_" and 22 characters */
    struct slice secret_sha256; /* hex; the secret itself is not kept */
    int64_t max_age_ms;
    int64_t max_events_per_visitor_day;
    struct slice *ignored_referrers; /* domains */
    uint32_t n_ignored_referrers;
    struct slice *hosts; /* further ones of the site itself, beside its domain */
    uint32_t n_hosts;
    struct privacy privacy;
    int choices[CHOICE_COUNT];      /* numbers of words (site_choice.h) */
    struct page_groups page_groups; /* names for groups of paths */
    struct slice funnel;      /* the name of the saved funnel that its overview shows, or "" */
    struct slice retention;   /* how long events count (retention.h): "13mo", "400d", "never" */
    struct slice *event_keys; /* SHA-256, hex, of its API keys that may send events */
    uint32_t n_event_keys;
    bool is_demo;
    int64_t created_ms;
};

/* What a new site is given; zeros and "" mean the defaults: UTC, no currency, 24 h, 5000, events
 * count for ever, and of privacy first_party, none, respect for gpc (it has the force of law in
 * several places, and nobody sends it without meaning it), ignore for dnt (it has none, and
 * browsers have given it up). */
struct site_wish {
    struct slice name;
    struct slice domain;
    struct slice timezone;
    struct slice currency;
    int64_t max_age_ms;
    int64_t max_events_per_visitor_day;
    const struct slice *ignored_referrers;
    uint32_t n_ignored_referrers;
    const struct slice *hosts;
    uint32_t n_hosts;
    struct slice privacy[PRIVACY_COUNT]; /* words (core/privacy.h); NULL for the default */
    struct slice choices[CHOICE_COUNT];  /* words (site_choice.h); "" for the default */
    struct page_groups page_groups;
    struct slice funnel;
    struct slice retention;
    bool is_demo;
};

/* The wish that changes nothing of a site; slices are s's. */
struct site_wish site_wish_of(const struct site *s);

/* Make a site. *out and its slices are in the arena; secret gets "secret_..." and is shown once.
 * ERR_INVALID (err->field: name, domain, timezone, currency, max_age, max_events,
 * ignored_referrers, hosts, identity, consent, gpc, dnt, funnel, retention, and the choices'
 * names), ERR_EXISTS. */
enum err_code site_add(struct settings_db *db, const struct site_wish *wish, struct arena *a,
                       struct site *out, char secret[SITE_KEY_MAX], struct err *err);

/* Another secret key in the place of the present one, which from now on is none; collectors know of
 * it within seconds. Tickets (core/ticket.h) made with the old one end. ERR_NOT_FOUND. */
enum err_code site_renew_secret(struct settings_db *db, uint32_t site, char secret[SITE_KEY_MAX],
                                struct err *err);

/* Change everything but name, id and keys. ERR_NOT_FOUND, ERR_INVALID. */
enum err_code site_update(struct settings_db *db, struct slice name, const struct site_wish *wish,
                          struct err *err);

/* By name; ERR_NOT_FOUND. */
enum err_code site_find(struct settings_db *db, struct slice name, struct arena *a,
                        struct site *out, struct err *err);

/* Its page groups as they are stored ("": none), by its id; also of a site that has gone. */
enum err_code site_page_groups(struct settings_db *db, uint32_t site, struct arena *a,
                               struct slice *out, struct err *err);

/* All, by name. */
enum err_code site_list(struct settings_db *db, struct arena *a, struct site **out, size_t *out_n,
                        struct err *err);

/* Forget a site, its funnels and, at the aggregator's next merges, its events. */
enum err_code site_remove(struct settings_db *db, struct slice name, struct err *err);

/* Ids of removed sites, in the arena. */
enum err_code site_list_removed(struct settings_db *db, struct arena *a, uint32_t **out,
                                size_t *out_n, struct err *err);

/* ---- What others get of a site (site_format.c) ---- */

/* Where browsers reach the collector. */
struct site_tag {
    struct slice collector_url; /* without a slash at the end */
    struct slice snippet_path;  /* "/corong.js" */
    struct slice beacon_path;   /* "/e" */
};

/* The tag for the site's pages, with what its settings ask of browsers. In the arena. */
struct slice site_snippet(const struct site *s, const struct site_tag *tag, struct arena *a);

/* A ticket (core/ticket.h) that makes collectors answer a beacon with what became of its events,
 * for half an hour. In the arena. */
struct slice site_debug_ticket(const struct site *s, struct arena *a, int64_t now_ms);

/* Hosts that are no drivers of its traffic: the ignored referrers and its own hosts. In the arena.
 */
struct slice *site_quiet_hosts(const struct site *s, struct arena *a, uint32_t *out_n);

/* The JSON that the aggregator publishes to collectors under the site's public key. */
void site_to_json(const struct site *s, struct buffer *out);

#endif
