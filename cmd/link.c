/* corong link add|list|remove */
#include "aggregator/link_target.h"
#include "aggregator/site.h"
#include "cmd/cmd.h"

static int
list(struct cmd *c, struct settings_db *db, uint32_t site, struct err *err)
{
    struct buffer b = BUFFER_EMPTY;
    struct link_target *links;
    bool is_json = cmd_flag(c, "--json");
    size_t n;
    int status;

    if (link_target_list(db, site, &c->arena, &links, &n, err) != ERR_OK)
        return cmd_fail(err);
    buffer_add_text(&b, is_json ? "[" : "");
    for (size_t i = 0; i < n; i++) {
        if (!is_json) {
            buffer_printf(&b, "/r/%-24.*s %.*s\n", SLICE_ARG(links[i].slug),
                          SLICE_ARG(links[i].target));
            continue;
        }
        buffer_add_text(&b, i > 0 ? ",{\"slug\":" : "{\"slug\":");
        buffer_add_json(&b, links[i].slug);
        buffer_add_text(&b, ",\"target\":");
        buffer_add_json(&b, links[i].target);
        buffer_printf(&b, ",\"created\":%lld}", (long long)links[i].created_ms);
    }
    buffer_add_text(&b, is_json ? "]\n" : "");
    status = cmd_print(buffer_slice(&b));
    buffer_fini(&b);
    return status;
}

static int
run(struct cmd *c, struct settings_db *db, struct err *err)
{
    struct site site;
    enum err_code rc = site_find(db, cmd_word(c, 1), &c->arena, &site, err);

    if (rc == ERR_OK && slice_is(cmd_word(c, 0), "list"))
        return list(c, db, site.id, err);
    if (rc == ERR_OK && slice_is(cmd_word(c, 0), "add"))
        rc = link_target_add(db, site.id, cmd_word(c, 2), cmd_word(c, 3), err);
    else if (rc == ERR_OK)
        rc = link_target_remove(db, site.id, cmd_word(c, 2), err);
    return rc == ERR_OK ? CMD_DONE : cmd_fail(err);
}

int
cmd_link(struct cmd *c)
{
    struct settings_db *db = NULL;
    struct store store;
    struct err err = ERR_NONE;
    int status;

    if (!cmd_is(c, 0, "add", 4) && !cmd_is(c, 0, "list", 2) && !cmd_is(c, 0, "remove", 3))
        return cmd_usage(c);
    if (store_open(settings_text(c->settings, "data"), false, &store, &err) != ERR_OK ||
        settings_db_open(&store, &db, &err) != ERR_OK)
        return cmd_fail(&err);
    status = run(c, db, &err);
    settings_db_close(&db);
    return status;
}
