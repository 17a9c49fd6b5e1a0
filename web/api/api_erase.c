/* POST /api/v1/sites/{site}/erase: a person is gone from every answer at once, and from every file
 * as soon as the aggregator's merges come to it (docs/privacy.md). */
#include "aggregator/backup.h"
#include "aggregator/erase.h"
#include "core/log.h"
#include "web/api/web_int.h"

/* A backup made before would bring him back: its folder gets the tombstones, too. False where that
 * is not to be done from here. */
static bool
tell_backup(struct call *c)
{
    struct slice dir = SLICE_EMPTY;
    struct err err = ERR_NONE;

    if (backup_add_erased(&c->web->store, c->web->settings, c->request->arena, &dir, &err) ==
        ERR_OK)
        return true;
    log_error("the backup in %.*s does not know who was erased: %s", SLICE_ARG(dir), err.message);
    return false;
}

static enum err_code
erase(struct call *c, struct slice visitor, size_t *out_n_ids, struct err *err)
{
    struct erase_wish wish = {&c->web->store, c->web->pool, c->site.id, visitor, false};
    struct catalog *catalog = NULL;
    enum err_code rc = catalog_open(&c->web->store, false, &catalog, err);

    if (rc == ERR_OK)
        rc = erase_person(&wish, catalog, out_n_ids, err);
    catalog_close(&catalog);
    return rc;
}

void
web__post_erase(struct call *c)
{
    static const char *const keys[] = {"visitor", NULL};
    struct err err = ERR_NONE;
    struct slice visitor;
    json_t *body = NULL;
    size_t n_ids = 0;
    enum err_code rc = web__body_members(c, keys, &body, &err);

    if (rc == ERR_OK)
        rc = web__body_text(body, "visitor", true, &visitor, &err);
    if (rc == ERR_OK)
        rc = erase(c, visitor, &n_ids, &err);
    if (rc == ERR_OK)
        web__reply_json(
            c, 200,
            json_pack("{s:I, s:b}", "ids", (json_int_t)n_ids, "backup_knows", tell_backup(c)));
    else
        web__reply_err(c, &err);
    json_decref(body);
}
