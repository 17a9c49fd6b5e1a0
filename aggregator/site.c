/* Sites. What is not here: how others get them (site_format.c), and what a collector does with
 * their settings. */
#include "aggregator/site.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>

#include "aggregator/retention.h"
#include "aggregator/sql.h"
#include "core/clock.h"
#include "core/decimal.h"
#include "core/zone.h"

#define MAX_AGE_MIN_MS 60000
#define MAX_AGE_MAX_MS (3650LL * 86400000)
#define MAX_EVENTS_MAX 1000000000

/* ---- Checks ---- */

static bool
is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static enum err_code
check_name(struct slice name, struct err *err)
{
    bool is_good = name.n > 0 && name.n <= SITE_NAME_MAX && name.p[0] != '-';

    for (size_t i = 0; is_good && i < name.n; i++)
        is_good = is_name_char(name.p[i]);
    if (!is_good)
        return err_set(err, ERR_INVALID, "name",
                       "a site's name has 1 to %d letters, digits, - and _ (no - in front)",
                       SITE_NAME_MAX);
    return ERR_OK;
}

/* A host name, or an address with a port for trying things out ("localhost:8080"). */
static bool
is_domain(struct slice domain)
{
    if (domain.n == 0 || domain.n > SITE_DOMAIN_MAX || domain.p[0] == '.' || domain.p[0] == '-')
        return false;
    for (size_t i = 0; i < domain.n; i++) {
        unsigned char c = (unsigned char)domain.p[i];

        if (!is_name_char((char)c) && c != '.' && c != ':' && c < 0x80)
            return false;
        if (c == '.' && i + 1 < domain.n && domain.p[i + 1] == '.')
            return false;
    }
    return slice_is_utf8(domain);
}

static enum err_code
check_zone(struct slice timezone, struct err *err)
{
    struct zone *zone = NULL;
    enum err_code rc = zone_open(timezone, &zone, err);

    zone_close(&zone);
    return rc == ERR_OK ? rc
                        : err_set(err, ERR_INVALID, "timezone", "\"%.*s\" is no time zone",
                                  SLICE_ARG(slice_sub(timezone, 0, 64)));
}

static enum err_code
check_range(int64_t value, int64_t minimum, int64_t maximum, const char *field, struct err *err)
{
    if (value < minimum || value > maximum)
        return err_set(err, ERR_INVALID, field, "must be from %lld to %lld", (long long)minimum,
                       (long long)maximum);
    return ERR_OK;
}

/* Words that are not given become those of a new site. */
static enum err_code
check_privacy(struct site_wish *w, struct err *err)
{
    struct privacy p = {.on = {[PRIVACY_GPC] = true}};
    enum err_code rc = ERR_OK;

    for (int i = 0; rc == ERR_OK && i < PRIVACY_COUNT; i++) {
        if (w->privacy[i].p != NULL)
            rc = privacy_set(&p, (enum privacy_setting)i, w->privacy[i], err);
        w->privacy[i] = slice_from(privacy_word(&p, (enum privacy_setting)i));
    }
    return rc;
}

/* Written in the one way, in the arena. */
static enum err_code
check_retention(struct site_wish *w, struct arena *a, struct err *err)
{
    struct retention r = {0, 0};
    char text[RETENTION_TEXT_MAX];
    enum err_code rc = w->retention.n == 0 ? ERR_OK : retention_parse(w->retention, &r, err);

    if (rc == ERR_OK)
        w->retention = arena_copy(a, slice_from(retention_format(&r, text)));
    return rc;
}

static enum err_code
check_hosts(const struct slice *hosts, uint32_t n, uint32_t max, const char *field, struct err *err)
{
    if (n > max)
        return err_set(err, ERR_INVALID, field, "at most %u", (unsigned)max);
    for (uint32_t i = 0; i < n; i++)
        if (!is_domain(hosts[i]))
            return err_set(err, ERR_INVALID, field, "\"%.*s\" is no host name",
                           SLICE_ARG(slice_sub(hosts[i], 0, 64)));
    return ERR_OK;
}

/* Words that are not given become the first there are. */
static enum err_code
check_choices(struct site_wish *w, struct err *err)
{
    enum err_code rc = ERR_OK;

    for (int i = 0; rc == ERR_OK && i < CHOICE_COUNT; i++) {
        int word = 0;

        rc = site_choice_parse((enum site_choice)i, w->choices[i], &word, err);
        w->choices[i] = slice_from(site_choice_word((enum site_choice)i, word));
    }
    if (rc == ERR_OK && (w->funnel.n > SITE_FUNNEL_MAX || !slice_is_utf8(w->funnel)))
        rc = err_set(err, ERR_INVALID, "funnel", "must be the name of a saved funnel, or empty");
    return rc;
}

/* The wish with defaults written out, checked; strings go to the arena. */
static enum err_code
check_wish(const struct site_wish *wish, struct arena *a, struct site_wish *out, struct err *err)
{
    char currency[3];
    enum err_code rc;

    *out = *wish;
    if (!is_domain(wish->domain))
        return err_set(err, ERR_INVALID, "domain",
                       "give the site's host name, as in shop.example (no https://, no path)");
    if (wish->timezone.n == 0)
        out->timezone = SLICE("UTC");
    rc = check_zone(out->timezone, err);
    if (rc != ERR_OK)
        return rc;
    if (wish->currency.n != 0 && !currency_normalize(wish->currency, currency))
        return err_set(err, ERR_INVALID, "currency", "a currency is three letters, as in EUR");
    if (wish->currency.n != 0)
        out->currency = arena_copy(a, slice_of(currency, 3));
    if (wish->max_age_ms == 0)
        out->max_age_ms = SITE_MAX_AGE_MS;
    if (wish->max_events_per_visitor_day == 0)
        out->max_events_per_visitor_day = SITE_MAX_EVENTS_DAY;
    rc = check_range(out->max_age_ms, MAX_AGE_MIN_MS, MAX_AGE_MAX_MS, "max_age", err);
    if (rc == ERR_OK)
        rc = check_range(out->max_events_per_visitor_day, 1, MAX_EVENTS_MAX, "max_events", err);
    if (rc != ERR_OK)
        return rc;
    rc = check_hosts(wish->ignored_referrers, wish->n_ignored_referrers, SITE_REFERRERS_MAX,
                     "ignored_referrers", err);
    if (rc == ERR_OK)
        rc = check_hosts(wish->hosts, wish->n_hosts, SITE_HOSTS_MAX, "hosts", err);
    if (rc == ERR_OK)
        rc = check_choices(out, err);
    if (rc == ERR_OK)
        rc = check_retention(out, a, err);
    return rc == ERR_OK ? check_privacy(out, err) : rc;
}

/* ---- Keys ---- */

#define SECRET_BYTES 24

/* prefix and `bytes` random bytes in the url-safe alphabet */
static void
make_key(char out[SITE_KEY_MAX], const char *prefix, size_t bytes)
{
    unsigned char random[32];
    char text[48];

    assert(bytes <= sizeof random);
    randombytes_buf(random, bytes);
    sodium_bin2base64(text, sizeof text, random, bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    snprintf(out, SITE_KEY_MAX, "%s%s", prefix, text);
}

static void
hash_secret(const char *secret, char out[2 * crypto_hash_sha256_BYTES + 1])
{
    unsigned char hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(hash, (const unsigned char *)secret, strlen(secret));
    sodium_bin2hex(out, 2 * crypto_hash_sha256_BYTES + 1, hash, sizeof hash);
}

/* ---- Rows ---- */

/* Hosts stand in one column, one a line: a domain has no line breaks. */
static struct slice
join_lines(struct arena *a, const struct slice *lines, uint32_t n)
{
    struct buffer text = BUFFER_EMPTY;
    struct slice out;

    for (uint32_t i = 0; i < n; i++) {
        buffer_add_slice(&text, lines[i]);
        buffer_add_char(&text, '\n');
    }
    out = arena_copy(a, buffer_slice(&text));
    buffer_fini(&text);
    return out;
}

static struct slice *
split_lines(struct arena *a, struct slice text, uint32_t max, uint32_t *out_n)
{
    struct slice *lines = ARENA_ARRAY(a, struct slice, max);
    struct slice line;
    uint32_t n = 0;

    while (n < max && text.n > 0) {
        slice_cut(text, '\n', &line, &text);
        lines[n++] = arena_copy(a, line);
    }
    *out_n = n;
    return lines;
}

static struct slice
groups_json(struct arena *a, const struct page_groups *groups)
{
    struct buffer text = BUFFER_EMPTY;
    struct slice out;

    page_groups_add_json(&text, groups);
    out = groups->n > 0 ? arena_copy(a, buffer_slice(&text)) : SLICE("");
    buffer_fini(&text);
    return out;
}

#define COLUMNS                                                                                    \
    "id, name, domain, timezone, currency, public_key, secret_sha256, max_age_ms, max_events_day," \
    " is_demo, created_ms, ignored_referrers, identity, consent, gpc, dnt, retention, hosts,"      \
    " page_groups, funnel, first_day_of_week, bots, viewer_journeys,"                              \
    " (SELECT group_concat(key_sha256, char(10)) FROM api_keys WHERE api_keys.site = sites.id"     \
    " AND ' ' || scopes || ' ' LIKE '% write_events %')"
#define COLUMN_PRIVACY 12 /* and the next, in the order of enum privacy_setting */
#define COLUMN_MORE    (COLUMN_PRIVACY + PRIVACY_COUNT)
#define COLUMN_CHOICES (COLUMN_MORE + 4) /* in the order of enum site_choice */
#define COLUMN_KEYS    (COLUMN_CHOICES + CHOICE_COUNT)

static void
read_row(sqlite3_stmt *s, struct arena *a, struct site *out)
{
    *out = (struct site){
        .id = (uint32_t)sqlite3_column_int64(s, 0),
        .name = arena_copy(a, sql_text(s, 1)),
        .domain = arena_copy(a, sql_text(s, 2)),
        .timezone = arena_copy(a, sql_text(s, 3)),
        .currency = arena_copy(a, sql_text(s, 4)),
        .public_key = arena_copy(a, sql_text(s, 5)),
        .secret_sha256 = arena_copy(a, sql_text(s, 6)),
        .max_age_ms = sqlite3_column_int64(s, 7),
        .max_events_per_visitor_day = sqlite3_column_int64(s, 8),
        .is_demo = sqlite3_column_int64(s, 9) != 0,
        .created_ms = sqlite3_column_int64(s, 10),
    };
    out->ignored_referrers =
        split_lines(a, sql_text(s, 11), SITE_REFERRERS_MAX, &out->n_ignored_referrers);
    for (int i = 0; i < PRIVACY_COUNT; i++) /* the schema allows no other words */
        privacy_set(&out->privacy, (enum privacy_setting)i, sql_text(s, COLUMN_PRIVACY + i), NULL);
    out->retention = arena_copy(a, sql_text(s, COLUMN_MORE));
    out->hosts = split_lines(a, sql_text(s, COLUMN_MORE + 1), SITE_HOSTS_MAX, &out->n_hosts);
    page_groups_parse(sql_text(s, COLUMN_MORE + 2), a, &out->page_groups, NULL);
    out->funnel = arena_copy(a, sql_text(s, COLUMN_MORE + 3));
    for (int i = 0; i < CHOICE_COUNT; i++)
        site_choice_parse((enum site_choice)i, sql_text(s, COLUMN_CHOICES + i), &out->choices[i],
                          NULL);
    out->event_keys = split_lines(a, sql_text(s, COLUMN_KEYS), SITE_KEYS_MAX, &out->n_event_keys);
}

static enum err_code
find_row(sqlite3 *db, struct slice name, struct arena *a, struct site *out, struct err *err)
{
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc;

    rc =
        sql_first(db, &s, &has_row, err, "SELECT " COLUMNS " FROM sites WHERE name = ?", "t", name);
    if (rc == ERR_OK && has_row)
        read_row(s, a, out);
    if (rc == ERR_OK && !has_row)
        rc = err_set(err, ERR_NOT_FOUND, "site", "there is no site %.*s",
                     SLICE_ARG(slice_sub(name, 0, SITE_NAME_MAX)));
    sqlite3_finalize(s);
    return rc;
}

struct site_wish
site_wish_of(const struct site *s)
{
    struct site_wish w = {.name = s->name,
                          .domain = s->domain,
                          .timezone = s->timezone,
                          .currency = s->currency,
                          .max_age_ms = s->max_age_ms,
                          .max_events_per_visitor_day = s->max_events_per_visitor_day,
                          .ignored_referrers = s->ignored_referrers,
                          .n_ignored_referrers = s->n_ignored_referrers,
                          .hosts = s->hosts,
                          .n_hosts = s->n_hosts,
                          .page_groups = s->page_groups,
                          .funnel = s->funnel,
                          .retention = s->retention,
                          .is_demo = s->is_demo};

    for (int i = 0; i < PRIVACY_COUNT; i++)
        w.privacy[i] = slice_from(privacy_word(&s->privacy, (enum privacy_setting)i));
    for (int i = 0; i < CHOICE_COUNT; i++)
        w.choices[i] = slice_from(site_choice_word((enum site_choice)i, s->choices[i]));
    return w;
}

enum err_code
site_add(struct settings_db *db, const struct site_wish *wish, struct arena *a, struct site *out,
         char secret[SITE_KEY_MAX], struct err *err)
{
    char hash[2 * crypto_hash_sha256_BYTES + 1];
    char new_secret[SITE_KEY_MAX];
    char key[SITE_KEY_MAX];
    struct site_wish w;
    enum err_code rc;
    sqlite3 *sql;

    rc = check_name(wish->name, err);
    if (rc == ERR_OK)
        rc = check_wish(wish, a, &w, err);
    if (rc != ERR_OK)
        return rc;
    if (sodium_init() < 0)
        return err_set(err, ERR_IO, NULL, "no source of random bytes");
    make_key(key, "site_", 16);
    make_key(new_secret, "secret_", SECRET_BYTES);
    hash_secret(new_secret, hash);
    sql = settings_db_lock(db);
    rc = sql_do(sql, NULL, err,
                "INSERT INTO sites(name, domain, timezone, currency, public_key, secret_sha256,"
                " max_age_ms, max_events_day, is_demo, created_ms, ignored_referrers, identity,"
                " consent, gpc, dnt, retention, hosts, page_groups, funnel, first_day_of_week,"
                " bots, viewer_journeys)"
                " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                "ttttttiiiitttttttttttt", w.name, w.domain, w.timezone, w.currency, slice_from(key),
                slice_from(hash), w.max_age_ms, w.max_events_per_visitor_day, (int64_t)w.is_demo,
                clock_wall_ms(), join_lines(a, w.ignored_referrers, w.n_ignored_referrers),
                w.privacy[PRIVACY_COOKIELESS], w.privacy[PRIVACY_CONSENT], w.privacy[PRIVACY_GPC],
                w.privacy[PRIVACY_DNT], w.retention, join_lines(a, w.hosts, w.n_hosts),
                groups_json(a, &w.page_groups), w.funnel, w.choices[CHOICE_FIRST_DAY],
                w.choices[CHOICE_BOTS], w.choices[CHOICE_VIEWER_JOURNEYS]);
    if (rc == ERR_EXISTS)
        rc = err_set(err, ERR_EXISTS, "name", "there is a site %.*s already", SLICE_ARG(w.name));
    if (rc == ERR_OK)
        rc = find_row(sql, w.name, a, out, err);
    settings_db_unlock(db);
    if (rc == ERR_OK)
        memcpy(secret, new_secret, SITE_KEY_MAX);
    sodium_memzero(new_secret, sizeof new_secret);
    return rc;
}

enum err_code
site_renew_secret(struct settings_db *db, uint32_t site, char secret[SITE_KEY_MAX], struct err *err)
{
    char hash[2 * crypto_hash_sha256_BYTES + 1];
    char key[SITE_KEY_MAX];
    int n_changed = 0;
    enum err_code rc;

    if (sodium_init() < 0)
        return err_set(err, ERR_IO, NULL, "no source of random bytes");
    make_key(key, "secret_", SECRET_BYTES);
    hash_secret(key, hash);
    rc = sql_do(settings_db_lock(db), &n_changed, err,
                "UPDATE sites SET secret_sha256 = ? WHERE id = ?", "ti", slice_from(hash),
                (int64_t)site);
    settings_db_unlock(db);
    if (rc == ERR_OK && n_changed == 0)
        rc = err_set(err, ERR_NOT_FOUND, "site", "there is no such site");
    if (rc == ERR_OK)
        memcpy(secret, key, SITE_KEY_MAX);
    sodium_memzero(key, sizeof key);
    return rc;
}

enum err_code
site_update(struct settings_db *db, struct slice name, const struct site_wish *wish,
            struct err *err)
{
    struct site_wish w;
    struct arena a;
    enum err_code rc;
    int n_changed = 0;

    arena_init(&a, 4096);
    rc = check_wish(wish, &a, &w, err);
    if (rc != ERR_OK)
        goto done;
    rc = sql_do(settings_db_lock(db), &n_changed, err,
                "UPDATE sites SET domain = ?, timezone = ?, currency = ?, max_age_ms = ?,"
                " max_events_day = ?, is_demo = ?, ignored_referrers = ?, identity = ?,"
                " consent = ?, gpc = ?, dnt = ?, retention = ?, hosts = ?, page_groups = ?,"
                " funnel = ?, first_day_of_week = ?, bots = ?, viewer_journeys = ? WHERE name = ?",
                "tttiiittttttttttttt", w.domain, w.timezone, w.currency, w.max_age_ms,
                w.max_events_per_visitor_day, (int64_t)w.is_demo,
                join_lines(&a, w.ignored_referrers, w.n_ignored_referrers),
                w.privacy[PRIVACY_COOKIELESS], w.privacy[PRIVACY_CONSENT], w.privacy[PRIVACY_GPC],
                w.privacy[PRIVACY_DNT], w.retention, join_lines(&a, w.hosts, w.n_hosts),
                groups_json(&a, &w.page_groups), w.funnel, w.choices[CHOICE_FIRST_DAY],
                w.choices[CHOICE_BOTS], w.choices[CHOICE_VIEWER_JOURNEYS], name);
    settings_db_unlock(db);
    if (rc == ERR_OK && n_changed == 0)
        rc = err_set(err, ERR_NOT_FOUND, "site", "there is no site %.*s",
                     SLICE_ARG(slice_sub(name, 0, SITE_NAME_MAX)));
done:
    arena_fini(&a);
    return rc;
}

enum err_code
site_find(struct settings_db *db, struct slice name, struct arena *a, struct site *out,
          struct err *err)
{
    enum err_code rc = find_row(settings_db_lock(db), name, a, out, err);

    settings_db_unlock(db);
    return rc;
}

enum err_code
site_page_groups(struct settings_db *db, uint32_t site, struct arena *a, struct slice *out,
                 struct err *err)
{
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc;

    *out = SLICE_EMPTY;
    rc = sql_first(settings_db_lock(db), &s, &has_row, err,
                   "SELECT page_groups FROM sites WHERE id = ?", "i", (int64_t)site);
    if (rc == ERR_OK && has_row)
        *out = arena_copy(a, sql_text(s, 0));
    sqlite3_finalize(s);
    settings_db_unlock(db);
    return rc;
}

static enum err_code
count_rows(sqlite3 *db, const char *statement, size_t *out, struct err *err)
{
    int64_t n = 0;
    enum err_code rc = sql_integer(db, statement, &n, err);

    if (rc == ERR_OK)
        *out = (size_t)n;
    return rc;
}

enum err_code
site_list(struct settings_db *db, struct arena *a, struct site **out, size_t *out_n,
          struct err *err)
{
    sqlite3 *sql = settings_db_lock(db);
    struct site *sites = NULL;
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc;
    size_t n_max = 0;
    size_t n = 0;

    rc = sql_run(sql, "BEGIN", err); /* one moment for the count and the rows */
    if (rc == ERR_OK)
        rc = count_rows(sql, "SELECT count(*) FROM sites", &n_max, err);
    if (rc == ERR_OK) {
        sites = ARENA_ARRAY(a, struct site, n_max);
        rc = sql_first(sql, &s, &has_row, err, "SELECT " COLUMNS " FROM sites ORDER BY name", "");
    }
    for (; rc == ERR_OK && n < n_max && has_row; rc = sql_step(s, &has_row, err))
        read_row(s, a, &sites[n++]);
    sqlite3_finalize(s);
    settings_db_unlock(db);
    if (rc != ERR_OK)
        return rc;
    *out = sites;
    *out_n = n;
    return ERR_OK;
}

enum err_code
site_remove(struct settings_db *db, struct slice name, struct err *err)
{
    sqlite3 *sql = settings_db_lock(db);
    int n_changed = 0;
    enum err_code rc;

    rc = sql_begin(sql, err);
    if (rc == ERR_OK)
        rc = sql_do(sql, NULL, err,
                    "INSERT INTO removed_sites SELECT id, ? FROM sites WHERE name = ?", "it",
                    clock_wall_ms(), name);
    if (rc == ERR_OK)
        rc = sql_do(sql, &n_changed, err, "DELETE FROM sites WHERE name = ?", "t", name);
    if (rc == ERR_OK && n_changed == 0)
        rc = err_set(err, ERR_NOT_FOUND, "site", "there is no site %.*s",
                     SLICE_ARG(slice_sub(name, 0, SITE_NAME_MAX)));
    if (rc == ERR_OK)
        rc = sql_commit(sql, err);
    settings_db_unlock(db);
    return rc;
}

enum err_code
site_list_removed(struct settings_db *db, struct arena *a, uint32_t **out, size_t *out_n,
                  struct err *err)
{
    sqlite3 *sql = settings_db_lock(db);
    sqlite3_stmt *s = NULL;
    uint32_t *ids = NULL;
    bool has_row = false;
    enum err_code rc;
    size_t n_max = 0;
    size_t n = 0;

    rc = sql_run(sql, "BEGIN", err);
    if (rc == ERR_OK)
        rc = count_rows(sql, "SELECT count(*) FROM removed_sites", &n_max, err);
    if (rc == ERR_OK) {
        ids = ARENA_ARRAY(a, uint32_t, n_max);
        rc = sql_first(sql, &s, &has_row, err, "SELECT id FROM removed_sites ORDER BY id", "");
    }
    for (; rc == ERR_OK && n < n_max && has_row; rc = sql_step(s, &has_row, err))
        ids[n++] = (uint32_t)sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    settings_db_unlock(db);
    if (rc != ERR_OK)
        return rc;
    *out = ids;
    *out_n = n;
    return ERR_OK;
}
