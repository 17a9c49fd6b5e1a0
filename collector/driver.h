/* What brought a visitor: source, medium, campaign, content, keyword and channel of one event, from
 * its address and its referrer, and whether it has a driver of its own (funnel.md, section 4).
 * Sessions, which inherit drivers, are made at query time. */
#ifndef COLLECTOR_DRIVER_H
#define COLLECTOR_DRIVER_H

#include "collector/given.h"
#include "core/url.h"

/* ---- The address ---- */

struct driver_click; /* a kind of click id (gclid, fbclid, ...); static */

/* What a query says about its driver; all decoded. */
struct driver_tags {
    struct slice source;              /* utm_source, mtm_source, pk_source, ... */
    struct slice medium;              /* utm_medium */
    struct slice campaign;            /* utm_campaign */
    struct slice content;             /* utm_content */
    struct slice keyword;             /* utm_term, mtm_kwd, pk_keyword, ... */
    const struct driver_click *click; /* of the first click id; NULL without one */
    struct slice click_id;            /* "gclid=<value>" */
};

/* Read the tags of a query (still encoded). Returns the query without its click ids, which borrows
 * where there are none. */
struct slice driver_read_query(struct slice query, struct arena *a, struct driver_tags *out);

/* ---- The referrer ---- */

#define DRIVER_HOST_BYTES_MAX 253 /* what names in DNS have; it bounds the work on one */

struct driver_referrer {
    struct url url;
    struct slice host; /* lower case; "": there is none */
};

/* Split a referrer. Android's apps ("android-app://com.google.android.gm/") have their package as
 * host. What is no address, or has a host longer than DRIVER_HOST_BYTES_MAX, is none. */
struct driver_referrer driver_read_referrer(struct slice text, struct arena *a);

/* Where a site's own pages are, and whose referrers bring nothing. Borrowed. */
struct driver_home {
    struct slice domain;         /* of the site; all below it is its own; may be "" */
    struct slice page_host;      /* of this event, lower case; may be "" */
    const struct slice *ignored; /* hosts, with everything below them */
    size_t n_ignored;
};

/* Do two hosts (lower case) have the same registrable domain (public suffix list)? Addresses and
 * names without a dot are their own domain. */
bool driver_same_domain(struct slice a_host, struct slice b_host, struct arena *a);

/* ---- Both together ---- */

/* Fill what was not given of source, medium, campaign, content, keyword and channel, and set
 * EVENT_DRIVER: where the address carries campaign parameters or a click id, or the referrer lies
 * on a foreign domain that is not ignored, or one of those six was given. An event without a driver
 * of its own is left without any. */
void driver_derive(struct given *g, const struct driver_tags *tags,
                   const struct driver_referrer *referrer, const struct driver_home *home,
                   struct arena *a);

/* ---- The tables ---- */

enum driver_kind {
    DRIVER_UNKNOWN,
    DRIVER_SEARCH,
    DRIVER_SOCIAL,
    DRIVER_AI,
    DRIVER_EMAIL,
    DRIVER_DISPLAY,     /* networks of advertisements: a click there was paid for */
    DRIVER_PAID_SEARCH, /* search advertisements on others' pages */
    DRIVER_PROVIDER     /* payment and sign-in: they send a visitor back, they bring none */
};

struct driver_host {
    const char *host;   /* "bing.com" and all below; "google.*": under any public suffix */
    const char *path;   /* "/imgres" and all below; "" any */
    const char *source; /* "bing" */
    const char
        *keywords; /* where the keyword is, by commas: "q,query"; "/s/+": a part of the path */
    const char *charset; /* of keywords that are not UTF-8; "" none */
    enum driver_kind kind;
    bool is_exact;       /* not what is below the host, but for its www. and m. */
    bool is_for_keyword; /* only where there is a keyword: a portal that also searches */
};

/* The row of a referrer's host (lower case) and path, the nearest there is; NULL without one. */
const struct driver_host *driver_find_host(struct slice host, struct slice path, struct arena *a);

/* What a source is as campaigns name it ("google", "Facebook", "chatgpt.com"), without case. */
enum driver_kind driver_kind_of_source(struct slice source, struct arena *a);

/* What was searched for at an address that a row knows, trimmed; "" where it does not say. */
struct slice driver_read_keyword(const struct driver_host *known, const struct url *url,
                                 struct arena *a);

struct driver_click {
    const char *parameter; /* "gclid" */
    const char *source;
    const char *medium;
    const char *channel; /* where medium and source do not say better */
};

/* The row of a parameter's name, NULL where it is no click id. */
const struct driver_click *driver_find_click(struct slice parameter);

/* The channel of a driver, all of whose parts may be "": a static text, never "". */
struct slice driver_channel(struct slice source, struct slice medium,
                            const struct driver_click *click, struct arena *a);

#endif
