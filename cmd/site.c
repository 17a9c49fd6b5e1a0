/* corong site add|set|show|list|debug|refused|remove */
#include "aggregator/site.h"

#include <string.h>

#include "aggregator/query.h"

#include "cmd/cmd.h"
#include "cmd/duration.h"
#include "cmd/state.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/stream_list.h"
#include "core/timestamp.h"

#define PAGE_GROUPS_BYTES (256 * 1024) /* of a file of them */

#define PUBLISH_MS    3000 /* the aggregator looks some times a second */
#define COLLECTORS_MS 500  /* and so do they */

static enum err_code
read_numbers(struct cmd *c, struct site_wish *w, struct err *err)
{
    const char *max_age = cmd_value(c, "--max-age");
    const char *max_events = cmd_value(c, "--max-events");
    enum err_code rc = ERR_OK;

    if (max_age != NULL)
        rc = duration_parse("--max-age", slice_from(max_age), &w->max_age_ms, err);
    if (rc == ERR_OK && max_events != NULL &&
        (!slice_to_int64(slice_from(max_events), &w->max_events_per_visitor_day) ||
         w->max_events_per_visitor_day < 1))
        rc = err_set(err, ERR_USAGE, "--max-events", "--max-events: give a number above 0");
    return rc;
}

/* Hosts with commas between them; nothing where the flag is not given. */
static enum err_code
read_hosts(struct cmd *c, const char *flag, const struct slice **out, uint32_t *out_n,
           struct err *err)
{
    struct slice rest = slice_from(cmd_value(c, flag) ? cmd_value(c, flag) : "");
    struct slice *hosts;

    if (cmd_value(c, flag) == NULL)
        return ERR_OK;
    hosts = ARENA_ARRAY(&c->arena, struct slice, SITE_REFERRERS_MAX);
    *out = hosts;
    *out_n = 0;
    while (rest.n > 0) {
        struct slice host;

        slice_cut(rest, ',', &host, &rest);
        if (*out_n == SITE_REFERRERS_MAX)
            return err_set(err, ERR_USAGE, flag, "%s: more than %d hosts", flag,
                           SITE_REFERRERS_MAX);
        if (slice_trim(host).n > 0)
            hosts[(*out_n)++] = slice_trim(host);
    }
    return ERR_OK;
}

/* --page-groups FILE, a list as the API has it. */
static enum err_code
read_page_groups(struct cmd *c, struct site_wish *w, struct err *err)
{
    const char *path = cmd_value(c, "--page-groups");
    struct buffer text = BUFFER_EMPTY;
    enum err_code rc;

    if (path == NULL)
        return ERR_OK;
    rc = file_read(path, PAGE_GROUPS_BYTES, &text, err);
    if (rc == ERR_OK) {
        rc = page_groups_parse(buffer_slice(&text), &c->arena, &w->page_groups, err);
        if (rc != ERR_OK)
            err_prefix(err, path);
    }
    buffer_fini(&text);
    return rc;
}

/* What the flags of add and set say; what they leave out stays as it is. */
static enum err_code
read_wish(struct cmd *c, struct site_wish *w, struct err *err)
{
    struct {
        const char *flag;
        struct slice *value;
    } texts[] = {
        {"--domain", &w->domain},
        {"--timezone", &w->timezone},
        {"--currency", &w->currency},
        {"--identity", &w->privacy[PRIVACY_COOKIELESS]},
        {"--consent", &w->privacy[PRIVACY_CONSENT]},
        {"--gpc", &w->privacy[PRIVACY_GPC]},
        {"--dnt", &w->privacy[PRIVACY_DNT]},
        {"--retention", &w->retention},
        {"--first-day-of-week", &w->choices[CHOICE_FIRST_DAY]},
        {"--viewer-journeys", &w->choices[CHOICE_VIEWER_JOURNEYS]},
    };
    enum err_code rc;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (cmd_value(c, texts[i].flag) != NULL)
            *texts[i].value = slice_from(cmd_value(c, texts[i].flag));
    rc = read_numbers(c, w, err);
    if (rc == ERR_OK)
        rc =
            read_hosts(c, "--ignore-referrer", &w->ignored_referrers, &w->n_ignored_referrers, err);
    if (rc == ERR_OK)
        rc = read_hosts(c, "--hosts", &w->hosts, &w->n_hosts, err);
    return rc == ERR_OK ? read_page_groups(c, w, err) : rc;
}

/* A setting of the tag; where it was not given, what a running `up` was told; else `initial`. */
static struct slice
tag_setting(struct cmd *c, const json_t *state, const char *setting, const char *key,
            const char *initial)
{
    const char *told = json_string_value(json_object_get(state, key));

    if (settings_is_given(c->settings, setting))
        return slice_from(settings_text(c->settings, setting));
    return told ? arena_copy(&c->arena, slice_from(told)) : slice_from(initial);
}

/* Where browsers reach the collector. */
static struct site_tag
find_tag(struct cmd *c, const struct store *store)
{
    json_t *state = state_read(store);
    struct site_tag tag = {
        tag_setting(c, state, "collector-url", "collector_url", "http://localhost:8001"),
        tag_setting(c, state, "snippet-path", "snippet_path", "/corong.js"),
        tag_setting(c, state, "beacon-path", "beacon_path", "/e")};

    json_decref(state);
    while (slice_ends_with(tag.collector_url, SLICE("/")))
        tag.collector_url.n--;
    return tag;
}

static struct slice
snippet_of(struct cmd *c, const struct store *store, const struct site *s)
{
    struct site_tag tag = find_tag(c, store);

    return site_snippet(s, &tag, &c->arena);
}

static void
print_new(struct cmd *c, const struct store *store, const struct site *s, const char *secret)
{
    struct slice snippet = snippet_of(c, store, s);

    if (cmd_flag(c, "--json")) {
        struct buffer j = BUFFER_EMPTY;

        buffer_add_text(&j, "{\"name\":");
        buffer_add_json(&j, s->name);
        buffer_add_text(&j, ",\"key\":");
        buffer_add_json(&j, s->public_key);
        buffer_add_text(&j, ",\"secret_key\":");
        buffer_add_json(&j, slice_from(secret));
        buffer_add_text(&j, ",\"snippet\":");
        buffer_add_json(&j, snippet);
        printf("%.*s}\n", SLICE_ARG(buffer_slice(&j)));
        buffer_fini(&j);
    } else {
        printf("site        %.*s\n", SLICE_ARG(s->name));
        printf("site key    %.*s\n", SLICE_ARG(s->public_key));
        printf("secret key  %s   (for your server; shown once)\n", secret);
        printf("snippet     %.*s\n", SLICE_ARG(snippet));
    }
}

static bool
is_published(struct cmd *c, struct stream *s, struct slice key)
{
    struct stream_pair *pairs;
    int n = 0;

    if (stream_hash_read(s, STREAM_SITES, &c->arena, &pairs, &n, NULL) != ERR_OK)
        return false;
    for (int i = 0; i < n; i++)
        if (slice_equal(pairs[i].key, key))
            return true;
    return false;
}

/* Where Corong runs, come back only when beacons of the new site are taken: the aggregator
 * publishes it, then collectors read it. Nothing is wrong where nobody does; then it is later. */
static void
wait_until_live(struct cmd *c, struct slice key)
{
    int64_t until = clock_steady_ms() + PUBLISH_MS;
    struct stream_address address;
    struct stream *s;

    if (cmd_redis(c, &address, NULL) != ERR_OK)
        return;
    s = stream_create(&address);
    if (stream_ping(s, NULL) == ERR_OK) {
        while (!is_published(c, s, key) && clock_steady_ms() < until)
            clock_sleep_ms(100);
        if (clock_steady_ms() < until)
            clock_sleep_ms(COLLECTORS_MS);
    }
    stream_destroy(&s);
}

static int
add(struct cmd *c, const struct store *store, struct settings_db *db, struct err *err)
{
    struct site_wish wish = {.name = cmd_word(c, 1)};
    struct site site;
    char secret[SITE_KEY_MAX];

    if (cmd_value(c, "--domain") == NULL)
        err_set(err, ERR_USAGE, "--domain", "--domain is missing: whose pages are these?");
    else if (read_wish(c, &wish, err) == ERR_OK &&
             site_add(db, &wish, &c->arena, &site, secret, err) == ERR_OK) {
        print_new(c, store, &site, secret);
        fflush(stdout);
        wait_until_live(c, site.public_key);
        return CMD_DONE;
    }
    return cmd_fail(err);
}

/* What the site's new retention takes away, on stderr. Where it cannot be counted, that is said:
 * the change itself has been made. */
static void
warn_of_retention(struct settings_db *db, const struct site *s, const struct query_older *older,
                  const struct err *why)
{
    struct retention_limit limit;
    struct zone *zone = NULL;
    char day[TIMESTAMP_TEXT_MAX];

    if (retention_of_site(db, s->id, &limit, NULL) != ERR_OK || limit.from_ms == 0 ||
        zone_open(s->timezone, &zone, NULL) != ERR_OK)
        return;
    fprintf(stderr, "retention %s: events before %s do not count any more, from now on.\n",
            limit.text, zone_format(zone, limit.from_ms, day));
    zone_close(&zone);
    if (why->code != ERR_OK)
        fprintf(stderr, "How many these are cannot be said: %s.\n", why->message);
    else if (older->n_events > 0)
        fprintf(stderr,
                "WARNING: %llu events go. The aggregator deletes them for good: %llu files (%.1f"
                " MB) within\nminutes, the rest within days. Only a backup brings them back.\n",
                (unsigned long long)older->n_events, (unsigned long long)older->n_files,
                (double)older->n_bytes / 1e6);
}

/* What counts now and will not with the retention (and the zone) of the wish. */
static enum err_code
count_older(const struct store *store, const struct site *s, const struct site_wish *wish,
            struct query_older *out, struct err *err)
{
    struct snapshot_pool *pool = NULL;
    struct zone *zone = NULL;
    struct retention r;
    int64_t limit_ms = 0;
    enum err_code rc = retention_parse(wish->retention, &r, err);

    *out = (struct query_older){0};
    if (rc == ERR_OK)
        rc = zone_open(wish->timezone, &zone, err);
    if (rc == ERR_OK)
        limit_ms = retention_limit_ms(&r, zone, clock_wall_ms());
    if (rc == ERR_OK && limit_ms > 0)
        rc = snapshot_pool_open(store, &pool, err);
    if (rc == ERR_OK && limit_ms > 0)
        rc = query_older(pool, s->id, limit_ms, out, err);
    snapshot_pool_close(&pool);
    zone_close(&zone);
    return rc;
}

/* Pages know nothing of a change until their tag is pasted anew. */
static int
set(struct cmd *c, const struct store *store, struct settings_db *db, struct err *err)
{
    struct slice name = cmd_word(c, 1), snippet;
    struct query_older older;
    struct err why = ERR_NONE; /* of a count that is no reason to fail */
    struct site_wish wish;
    struct site old, new;

    if (site_find(db, name, &c->arena, &old, err) != ERR_OK)
        return cmd_fail(err);
    wish = site_wish_of(&old);
    if (read_wish(c, &wish, err) != ERR_OK)
        return cmd_fail(err);
    why.code = count_older(store, &old, &wish, &older, &why);
    if (site_update(db, name, &wish, err) != ERR_OK ||
        site_find(db, name, &c->arena, &new, err) != ERR_OK)
        return cmd_fail(err);
    if (cmd_value(c, "--retention") != NULL)
        warn_of_retention(db, &new, &older, &why);
    snippet = snippet_of(c, store, &new);
    if (!slice_equal(snippet, snippet_of(c, store, &old)))
        printf("the pages' tag has changed; put this in its place:\nsnippet     %.*s\n",
               SLICE_ARG(snippet));
    return CMD_DONE;
}

static void
add_site_json(struct buffer *b, const struct site *s, struct slice snippet)
{
    buffer_add_text(b, "{\"name\":");
    buffer_add_json(b, s->name);
    buffer_add_text(b, ",\"domain\":");
    buffer_add_json(b, s->domain);
    buffer_add_text(b, ",\"timezone\":");
    buffer_add_json(b, s->timezone);
    buffer_add_text(b, ",\"currency\":");
    buffer_add_json(b, s->currency);
    buffer_add_text(b, ",\"key\":");
    buffer_add_json(b, s->public_key);
    buffer_printf(b, ",\"max_age_ms\":%lld", (long long)s->max_age_ms);
    for (int i = 0; i < PRIVACY_COUNT; i++) {
        enum privacy_setting p = (enum privacy_setting)i;
        buffer_printf(b, ",\"%s\":\"%s\"", privacy_name(p), privacy_word(&s->privacy, p));
    }
    buffer_add_text(b, ",\"retention\":");
    buffer_add_json(b, s->retention);
    for (int i = 0; i < CHOICE_COUNT; i++)
        buffer_printf(b, ",\"%s\":\"%s\"", site_choice_name((enum site_choice)i),
                      site_choice_word((enum site_choice)i, s->choices[i]));
    buffer_add_text(b, ",\"page_groups\":");
    page_groups_add_json(b, &s->page_groups);
    buffer_add_text(b, ",\"snippet\":");
    buffer_add_json(b, snippet);
    buffer_add_char(b, '}');
}

static int
list(struct cmd *c, const struct store *store, struct settings_db *db, struct err *err)
{
    struct buffer b = BUFFER_EMPTY;
    struct site_tag tag = find_tag(c, store);
    struct site *sites;
    size_t n;
    int status;

    if (site_list(db, &c->arena, &sites, &n, err) != ERR_OK)
        return cmd_fail(err);
    buffer_add_text(&b, cmd_flag(c, "--json") ? "[" : "");
    for (size_t i = 0; i < n; i++) {
        if (!cmd_flag(c, "--json")) {
            buffer_printf(&b, "%-20.*s %-28.*s %-20.*s %-4.*s %.*s\n", SLICE_ARG(sites[i].name),
                          SLICE_ARG(sites[i].domain), SLICE_ARG(sites[i].timezone),
                          SLICE_ARG(sites[i].currency), SLICE_ARG(sites[i].public_key));
            continue;
        }
        buffer_add_text(&b, i > 0 ? "," : "");
        add_site_json(&b, &sites[i], site_snippet(&sites[i], &tag, &c->arena));
    }
    buffer_add_text(&b, cmd_flag(c, "--json") ? "]\n" : "");
    status = cmd_print(buffer_slice(&b));
    buffer_fini(&b);
    return status;
}

static void
add_site_text(struct buffer *b, const struct site *s, struct slice snippet)
{
    buffer_printf(b, "site        %.*s\n", SLICE_ARG(s->name));
    buffer_printf(b, "domain      %.*s\n", SLICE_ARG(s->domain));
    buffer_printf(b, "timezone    %.*s\n", SLICE_ARG(s->timezone));
    buffer_printf(b, "currency    %.*s\n", SLICE_ARG(s->currency));
    for (int i = 0; i < PRIVACY_COUNT; i++) {
        enum privacy_setting p = (enum privacy_setting)i;
        buffer_printf(b, "%-11s %s\n", privacy_name(p), privacy_word(&s->privacy, p));
    }
    buffer_printf(b, "retention   %.*s\n", SLICE_ARG(s->retention));
    buffer_printf(b, "site key    %.*s\n", SLICE_ARG(s->public_key));
    buffer_printf(b, "snippet     %.*s\n", SLICE_ARG(snippet));
}

static int
show(struct cmd *c, const struct store *store, struct settings_db *db, struct err *err)
{
    struct buffer b = BUFFER_EMPTY;
    struct site site;
    int status;

    if (site_find(db, cmd_word(c, 1), &c->arena, &site, err) != ERR_OK)
        return cmd_fail(err);
    if (cmd_flag(c, "--json")) {
        add_site_json(&b, &site, snippet_of(c, store, &site));
        buffer_add_char(&b, '\n');
    } else {
        add_site_text(&b, &site, snippet_of(c, store, &site));
    }
    status = cmd_print(buffer_slice(&b));
    buffer_fini(&b);
    return status;
}

static int
debug(struct cmd *c, struct settings_db *db, struct err *err)
{
    struct site site;

    if (site_find(db, cmd_word(c, 1), &c->arena, &site, err) != ERR_OK)
        return cmd_fail(err);
    printf("%.*s\n", SLICE_ARG(site_debug_ticket(&site, &c->arena, clock_wall_ms())));
    return CMD_DONE;
}

/* One refusal as people read it. */
static void
print_refusal(const json_t *j)
{
    const char *field = json_string_value(json_object_get(j, "field"));
    const char *message = json_string_value(json_object_get(j, "message"));
    const char *event = json_string_value(json_object_get(j, "event"));
    const char *reason = json_string_value(json_object_get(j, "reason"));
    char when[TIMESTAMP_TEXT_MAX];

    timestamp_format(json_integer_value(json_object_get(j, "time")), true, when);
    printf("%s  %-13s %-16s %s%s%s\n", when, reason ? reason : "-", event ? event : "-",
           field ? field : "", field && message ? ": " : "", message ? message : "");
}

/* What collectors have written, of the last hour. */
static json_t *
read_refusals(const struct slice *lines, int n)
{
    int64_t since_ms = clock_wall_ms() - STREAM_REFUSED_LIFE * 1000LL;
    json_t *list = json_array();

    for (int i = 0; i < n; i++) {
        json_t *j = json_loadb(lines[i].p, lines[i].n, 0, NULL);

        if (json_integer_value(json_object_get(j, "time")) >= since_ms)
            json_array_append(list, j);
        json_decref(j);
    }
    return list;
}

static int
refused(struct cmd *c, struct settings_db *db, struct err *err)
{
    struct stream_address address;
    struct stream *stream;
    struct slice *lines;
    struct site site;
    enum err_code rc;
    json_t *list;
    int n;

    if (site_find(db, cmd_word(c, 1), &c->arena, &site, err) != ERR_OK ||
        cmd_redis(c, &address, err) != ERR_OK)
        return cmd_fail(err);
    stream = stream_create(&address);
    rc = stream_list_read(stream, arena_printf(&c->arena, STREAM_REFUSED "%u", (unsigned)site.id).p,
                          &c->arena, &lines, &n, err);
    stream_destroy(&stream);
    if (rc != ERR_OK)
        return cmd_fail(err);
    list = read_refusals(lines, n);
    if (cmd_flag(c, "--json")) {
        json_dumpf(list, stdout, JSON_COMPACT);
        puts("");
    }
    for (size_t i = 0; !cmd_flag(c, "--json") && i < json_array_size(list); i++)
        print_refusal(json_array_get(list, i));
    json_decref(list);
    return CMD_DONE;
}

static int
renew_secret(struct cmd *c, struct settings_db *db, struct err *err)
{
    char secret[SITE_KEY_MAX];
    struct site site;

    if (site_find(db, cmd_word(c, 1), &c->arena, &site, err) != ERR_OK ||
        site_renew_secret(db, site.id, secret, err) != ERR_OK)
        return cmd_fail(err);
    printf("secret key  %s   (for your server; shown once; the former one is none any more)\n",
           secret);
    return CMD_DONE;
}

int
cmd_site(struct cmd *c)
{
    struct store store;
    struct settings_db *db = NULL;
    struct err err = ERR_NONE;
    int status;

    if (!cmd_is(c, 0, "add", 2) && !cmd_is(c, 0, "set", 2) && !cmd_is(c, 0, "list", 1) &&
        !cmd_is(c, 0, "show", 2) && !cmd_is(c, 0, "remove", 2) && !cmd_is(c, 0, "debug", 2) &&
        !cmd_is(c, 0, "refused", 2) && !cmd_is(c, 0, "secret", 2))
        return cmd_usage(c);
    if ((cmd_is(c, 0, "add", 2)
             ? cmd_make_store(c, &store, &err)
             : store_open(settings_text(c->settings, "data"), false, &store, &err)) != ERR_OK ||
        settings_db_open(&store, &db, &err) != ERR_OK)
        return cmd_fail(&err);
    if (slice_is(cmd_word(c, 0), "add"))
        status = add(c, &store, db, &err);
    else if (slice_is(cmd_word(c, 0), "set"))
        status = set(c, &store, db, &err);
    else if (slice_is(cmd_word(c, 0), "show"))
        status = show(c, &store, db, &err);
    else if (slice_is(cmd_word(c, 0), "list"))
        status = list(c, &store, db, &err);
    else if (slice_is(cmd_word(c, 0), "debug"))
        status = debug(c, db, &err);
    else if (slice_is(cmd_word(c, 0), "refused"))
        status = refused(c, db, &err);
    else if (slice_is(cmd_word(c, 0), "secret"))
        status = renew_secret(c, db, &err);
    else
        status = site_remove(db, cmd_word(c, 1), &err) == ERR_OK ? CMD_DONE : cmd_fail(&err);
    settings_db_close(&db);
    return status;
}
