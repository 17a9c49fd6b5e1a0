/* corong collector: takes events over HTTP into Redis. */
#include "collector/collect.h"

#include "aggregator/site.h"
#include "cmd/cmd.h"
#include "cmd/demo.h"
#include "core/log.h"

/* The demonstration shop carries the key of its site, looked up once, before anything listens. */
static enum err_code
find_demo_key(struct cmd *c, const char **out, struct err *err)
{
    struct settings_db *db = NULL;
    struct store store;
    struct site site;
    enum err_code rc = store_open(settings_text(c->settings, "data"), false, &store, err);

    if (rc == ERR_OK)
        rc = settings_db_open(&store, &db, err);
    if (rc == ERR_OK)
        rc = site_find(db, SLICE(DEMO_SITE), &c->arena, &site, err);
    if (rc == ERR_OK)
        *out = arena_cstr(&c->arena, site.public_key);
    settings_db_close(&db);
    return rc;
}

int
cmd_collector(struct cmd *c)
{
    const struct settings *s = c->settings;
    struct collect_config config = {
        .address = settings_text(s, "collector-address"),
        .port = (int)settings_integer(s, "collector-port"),
        .n_threads = (int)settings_integer(s, "collector-threads"),
        .queue = (int)settings_integer(s, "collector-queue"),
        .keep_alive_ms = (int)settings_integer(s, "collector-keep-alive"),
        .snippet_path = settings_text(s, "snippet-path"),
        .beacon_path = settings_text(s, "beacon-path"),
        .trusted_proxies = settings_text(s, "trusted-proxies"),
        .place_db = settings_text(s, "place-db"),
        .beacon_bytes_max = (size_t)settings_integer(s, "max-beacon"),
        .publish_wait_ms = settings_integer(s, "publish-wait"),
        .address_speed = {settings_integer(s, "address-rate"),
                          settings_integer(s, "address-burst")},
        .site_speed = {settings_integer(s, "site-rate"), settings_integer(s, "site-burst")},
    };
    const char *spool = settings_text(s, "spool");
    int64_t spool_mb = settings_integer(s, "spool-size");
    struct collect *collect = NULL;
    struct err err = ERR_NONE;
    enum err_code rc;

    if (c->n_words != 0)
        return cmd_usage(c);
    log_set_part("collector");
    cmd_hold_signals();
    if (spool_mb > 0)
        config.spool_dir = spool[0] ? spool
                                    : arena_cstr(&c->arena, arena_printf(&c->arena, "%s/spool",
                                                                         settings_text(s, "data")));
    config.spool_bytes_max = (uint64_t)spool_mb << 20;
    rc = cmd_redis(c, &config.redis, &err);
    if (rc == ERR_OK && settings_flag(s, "demo"))
        rc = find_demo_key(c, &config.demo_site_key, &err);
    if (rc == ERR_OK)
        rc = collect_start(&config, &collect, &err);
    if (rc != ERR_OK)
        return cmd_fail(&err);
    cmd_wait_for_stop();
    collect_stop(&collect);
    return CMD_DONE;
}
