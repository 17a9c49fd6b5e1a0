/* corong export: a site's events as NDJSON, which imports to the same figures. */
#include <stdio.h>

#include "aggregator/query.h"
#include "aggregator/site.h"
#include "cmd/cmd.h"
#include "core/clock.h"
#include "core/event_json.h"

#define CHUNK_BYTES (256 * 1024)

static enum err_code
write_out(struct buffer *b, struct err *err)
{
    if ((b->n > 0 && fwrite(b->p, 1, b->n, stdout) != b->n) || fflush(stdout) != 0)
        return err_errno(err, "cannot write");
    buffer_clear(b);
    return ERR_OK;
}

static enum err_code
add_event(const struct event *e, void *context, struct err *err)
{
    struct buffer *b = context;

    event_add_json(b, e);
    buffer_add_char(b, '\n');
    return b->n >= CHUNK_BYTES ? write_out(b, err) : ERR_OK;
}

static enum err_code
read_range(const struct cmd *c, struct slice site_zone, struct path_range *out, struct err *err)
{
    const char *from = cmd_value(c, "--from");
    const char *to = cmd_value(c, "--to");
    struct request r;
    enum err_code rc = ERR_OK;

    request_init(&r);
    if (from != NULL)
        rc = request_set(&r, "from", slice_from(from), err);
    if (rc == ERR_OK && to != NULL)
        rc = request_set(&r, "to", slice_from(to), err);
    if (rc == ERR_OK)
        rc = request_finish(&r, site_zone, clock_wall_ms(), err);
    if (rc == ERR_OK)
        *out = r.range;
    request_fini(&r);
    return rc;
}

static enum err_code
export_site(struct cmd *c, struct snapshot_pool *pool, struct settings_db *db, struct err *err)
{
    struct buffer out = BUFFER_EMPTY;
    struct path_range range;
    struct site site;
    enum err_code rc = site_find(db, cmd_word(c, 0), &c->arena, &site, err);

    if (rc == ERR_OK)
        rc = read_range(c, site.timezone, &range, err);
    if (rc != ERR_OK)
        return rc;
    rc = query_export(pool, site.id, range, add_event, &out, err);
    if (rc == ERR_OK || rc == ERR_CORRUPT) {
        enum err_code written = write_out(&out, rc == ERR_OK ? err : NULL);

        rc = rc == ERR_OK ? written : rc;
    }
    buffer_fini(&out);
    return rc;
}

int
cmd_export(struct cmd *c)
{
    struct snapshot_pool *pool = NULL;
    struct settings_db *db = NULL;
    struct store store;
    struct err err = ERR_NONE;
    enum err_code rc;
    int status;

    if (c->n_words != 1)
        return cmd_usage(c);
    rc = store_open(settings_text(c->settings, "data"), false, &store, &err);
    if (rc == ERR_OK)
        rc = settings_db_open(&store, &db, &err);
    if (rc == ERR_OK)
        rc = snapshot_pool_open(&store, &pool, &err);
    if (rc == ERR_OK)
        rc = export_site(c, pool, db, &err);
    status = rc == ERR_OK ? CMD_DONE : cmd_fail(&err);
    snapshot_pool_close(&pool);
    settings_db_close(&db);
    return status;
}
