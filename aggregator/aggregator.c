/* The aggregator process: what it opens, and its second thread. */
#include "aggregator/aggregator.h"

#include <pthread.h>

#include "aggregator/ingest.h"
#include "aggregator/merge.h"
#include "aggregator/repair.h"
#include "core/log.h"

static int
or_default(int value, int initial)
{
    return value > 0 ? value : initial;
}

static void *
run_merge(void *options)
{
    merge_run(options);
    return NULL;
}

/* What a crash left in segments/ goes before anything is written. */
static enum err_code
clean(const struct store *store, struct err *err)
{
    struct catalog *catalog = NULL;
    enum err_code rc;
    int n = 0;

    rc = catalog_open(store, true, &catalog, err);
    if (rc == ERR_OK)
        rc = catalog_erased_keep(catalog, err); /* a file that was damaged is whole again */
    if (rc == ERR_OK)
        rc = catalog_clean(catalog, store, &n, err);
    if (rc == ERR_OK && n != 0)
        log_info("%d files that were never committed or are replaced are gone", n);
    catalog_close(&catalog);
    return rc;
}

static enum err_code
run(const struct aggregator_config *config, const struct store *store, struct settings_db *settings,
    const atomic_bool *stop, struct err *err)
{
    struct ingest_config ingest = {
        .store = store,
        .settings = settings,
        .redis = &config->redis,
        .flush_ms = or_default(config->flush_ms, AGGREGATOR_FLUSH_MS),
        .flush_rows = (uint32_t)or_default(config->flush_rows, AGGREGATOR_FLUSH_ROWS),
        .flush_bytes = (size_t)or_default(config->flush_bytes, AGGREGATOR_FLUSH_BYTES),
    };
    atomic_bool stop_merging = false;
    struct merge_options merge = {
        .store = store, .settings = settings, .stop = &stop_merging, .redis = &config->redis};
    pthread_t merger;
    enum err_code rc;

    if (!config->no_merge && pthread_create(&merger, NULL, run_merge, &merge))
        return err_set(err, ERR_IO, NULL, "no thread for merging");
    rc = ingest_run(&ingest, stop, NULL, err);
    atomic_store(&stop_merging, true);
    if (!config->no_merge)
        pthread_join(merger, NULL);
    return rc;
}

static void
on_finding(const struct check_finding *f, void *context)
{
    (void)context;
    log_warn("%.*s: %.*s", SLICE_ARG(f->where), SLICE_ARG(f->what));
}

enum err_code
aggregator_run(const struct aggregator_config *config, const atomic_bool *stop, struct err *err)
{
    struct settings_db *settings = NULL;
    struct store store;
    enum err_code rc;

    rc = store_open(config->data_dir, true, &store, err);
    if (rc == ERR_OK)
        rc = repair_at_start(&store, on_finding, NULL, err);
    if (rc == ERR_OK)
        rc = settings_db_open(&store, &settings, err);
    if (rc == ERR_OK)
        rc = clean(&store, err);
    if (rc == ERR_OK)
        rc = run(config, &store, settings, stop, err);
    settings_db_close(&settings);
    return rc;
}
