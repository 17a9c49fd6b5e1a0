/* corong visitor erase: a person is gone from every answer at once, and from every file within a
 * day, or now. */
#include "cmd/visitor_erase.h"
#include "aggregator/backup.h"
#include "aggregator/erase.h"
#include "aggregator/merge.h"
#include "aggregator/site.h"
#include "core/clock.h"

#define ON_ITS_WAY_MS                                                                              \
    3000                  /* what Redis had taken is in files by then (a flush is due after 1 s)   \
                           */
#define MERGING_MS 600000 /* how long we wait for somebody else's merge */
#define POLL_MS    100

/* ---- The files ---- */

static enum err_code
rewrite_files(struct catalog *c, const struct merge_options *options, struct err *err)
{
    int64_t until_ms = clock_steady_ms() + MERGING_MS;
    enum err_code rc = ERR_OK;
    size_t n = 1;

    while (rc == ERR_OK && n > 0) {
        rc = merge_step(c, options, &n, err);
        if (rc != ERR_CONFLICT || clock_steady_ms() >= until_ms)
            continue;
        clock_sleep_ms(POLL_MS); /* the aggregator merges */
        rc = ERR_OK;
    }
    return rc;
}

/* ---- Redis ---- */

/* False where none answers. */
static bool
find_redis(struct cmd *c, struct stream_address *address)
{
    struct stream *s;
    bool is_there;

    if (cmd_redis(c, address, NULL) != ERR_OK)
        return false;
    s = stream_create(address);
    is_there = stream_ping(s, NULL) == ERR_OK;
    stream_destroy(&s);
    return is_there;
}

/* ---- Now ---- */

static enum err_code
erase_now(struct cmd *c, const struct store *store, struct settings_db *db, struct catalog *catalog,
          struct err *err)
{
    struct merge_memory memory = {.n_bad = 0};
    struct merge_options options = {
        .store = store, .settings = db, .only_erases = true, .memory = &memory};
    struct stream_address address;
    bool has_redis = find_redis(c, &address);
    struct erase_traces traces = {catalog, db, has_redis ? &address : NULL, &cmd_stop};
    enum err_code rc;

    if (has_redis)
        clock_sleep_ms(ON_ITS_WAY_MS);
    rc = rewrite_files(catalog, &options, err);
    if (rc == ERR_OK)
        rc = catalog_unlink_replaced(catalog, store, err);
    return rc == ERR_OK ? erase_traces(&traces, err) : rc;
}

/* A backup made before would bring him back. */
static void
tell_backup(struct cmd *c, const struct store *store, struct settings_db *db)
{
    struct slice dir = SLICE_EMPTY;
    struct err err = ERR_NONE;

    if (backup_add_erased(store, db, &c->arena, &dir, &err) != ERR_OK)
        fprintf(stderr,
                "corong: the backup in %.*s does not know of it (%s): make a new one, or restore "
                "it with --erased %s/erased\n",
                SLICE_ARG(dir), err.message, store->dir);
}

enum err_code
visitor_erase(struct cmd *c, const struct store *store, struct settings_db *db,
              struct snapshot_pool *pool, struct err *err)
{
    bool is_now = cmd_flag(c, "--now");
    struct catalog *catalog = NULL;
    struct site site;
    size_t n_ids = 0;
    enum err_code rc = site_find(db, cmd_word(c, 1), &c->arena, &site, err);

    if (rc == ERR_OK)
        rc = catalog_open(store, false, &catalog, err);
    if (rc == ERR_OK) {
        /* with --now maybe once more: he is gone from every answer, and not from every file */
        struct erase_wish wish = {store, pool, site.id, cmd_word(c, 2), is_now};

        rc = erase_person(&wish, catalog, &n_ids, err);
    }
    if (rc == ERR_OK)
        tell_backup(c, store, db);
    if (rc == ERR_OK && is_now)
        rc = erase_now(c, store, db, catalog, err);
    catalog_close(&catalog);
    if (rc == ERR_OK)
        printf("Erased: %zu id%s, up to now.%s\n", n_ids, n_ids == 1 ? "" : "s",
               is_now ? "" : " Files are written anew within a day (--now: at once).");
    return rc;
}
