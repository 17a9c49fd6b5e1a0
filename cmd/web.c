/* corong web: the dashboard and its API. */
#include "cmd/cmd.h"
#include "core/log.h"
#include "web/api/server.h"

int
cmd_web(struct cmd *c)
{
    const struct settings *s = c->settings;
    struct web_config config = {
        .data_dir = settings_text(s, "data"),
        .address = settings_text(s, "web-address"),
        .port = (int)settings_integer(s, "web-port"),
        .n_threads = (int)settings_integer(s, "web-threads"),
        .snippet_path = settings_text(s, "snippet-path"),
        .beacon_path = settings_text(s, "beacon-path"),
        .collector_url = settings_text(s, "collector-url"),
        .public_url = settings_text(s, "public-url"),
        .trusted_proxies = settings_text(s, "trusted-proxies"),
        .query_time_ms = settings_integer(s, "query-time"),
        .query_bytes = (size_t)settings_integer(s, "query-memory") << 20,
        .insecure_http = settings_flag(s, "insecure-http"),
        .demo = settings_flag(s, "demo"),
    };
    struct stream_address redis;
    struct web *web = NULL;
    struct err err = ERR_NONE;

    if (c->n_words != 0)
        return cmd_usage(c);
    if (config.collector_url[0] == '\0')
        config.collector_url = "http://localhost:8001";
    log_set_part("web");
    cmd_hold_signals();
    if (cmd_redis(c, &redis, &err) != ERR_OK)
        return cmd_fail(&err);
    config.redis = &redis;
    if (web_start(&config, &web, &err) != ERR_OK)
        return cmd_fail(&err);
    log_info("listening on %s port %d", config.address, web_port(web));
    cmd_wait_for_stop();
    web_stop(&web);
    return CMD_DONE;
}
