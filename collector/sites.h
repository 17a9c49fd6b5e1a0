/* The sites and their settings, as the aggregator publishes them in Redis (STREAM_SITES).
 *
 * A thread reads them once a second and swaps a whole immutable table. A request takes the table
 * that is there and never waits for Redis:
 *
 *     const struct sites_table *t = sites_acquire(sites);
 *     const struct site *site = sites_find_key(t, key);
 *     ... site is good until ...
 *     sites_release(t);
 *
 * While Redis is away, or was wiped, the last table stays: the settings come back. It also stays
 * over a restart: a file of the collector's own holds what was last read, and is believed at a
 * start until Redis tells otherwise. A hash with no site is something else: the aggregator leaves
 * PUBLISHED_MARK (core/published.h) in it, and the last site is gone.
 */
#ifndef COLLECTOR_SITES_H
#define COLLECTOR_SITES_H

#include "core/err.h"
#include "core/privacy.h"
#include "core/slice.h"
#include "core/stream.h"

#define SITES_REFRESH_MS 250 /* who adds a site opens his page at once */
#define SITES_SECRET     32  /* bytes of SHA-256 */

struct site {
    uint32_t id;
    struct slice key; /* public */
    struct slice name;
    struct slice domain;
    struct slice timezone;
    struct slice currency;
    int64_t max_age_ms;
    int64_t max_events_per_visitor_day; /* 0: no limit */
    bool has_secret;
    unsigned char secret[SITES_SECRET];
    size_t n_event_keys; /* further ones that may send its events, as the secret */
    unsigned char (*event_keys)[SITES_SECRET];
    const struct slice *ignored_referrers;
    size_t n_ignored_referrers;
    struct privacy privacy;
};

/* A campaign redirect. */
struct site_link {
    struct slice slug;
    struct slice target; /* whole http or https URL */
    const struct site *site;
};

struct sites_table;
struct sites;

/* Reads once before it returns, where Redis is there; then a thread goes on. copy_path: the file
 * that keeps the last settings, in a folder that exists (copied); NULL or "": none. */
enum err_code sites_start(const struct stream_address *redis, int64_t refresh_ms,
                          const char *copy_path, struct sites **out, struct err *err);
void sites_stop(struct sites **s); /* every table must have been released; takes NULL */

const struct sites_table *sites_acquire(struct sites *s);
void sites_release(const struct sites_table *t);

/* Have settings ever been read? Before that an unknown key means nothing. */
bool sites_are_known(const struct sites_table *t);
int sites_count(const struct sites_table *t);
bool sites_any_cookieless(const struct sites_table *t);

/* NULL where there is no such site. */
const struct site *sites_find_key(const struct sites_table *t, struct slice key);
const struct site *sites_find_id(const struct sites_table *t, uint32_t id);
const struct site_link *sites_find_link(const struct sites_table *t, struct slice slug);
const struct site *sites_find_secret(const struct sites_table *t, struct slice secret_key);

#endif
