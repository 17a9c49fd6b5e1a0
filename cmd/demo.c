#include "cmd/demo.h"

#include "aggregator/query.h"
#include "aggregator/saved_funnel.h"
#include "aggregator/segment/writer.h"
#include "aggregator/writer.h"
#include "bench/demo.h"
#include "core/clock.h"
#include "core/log.h"

#define FLUSH_ROWS 200000

struct filling {
    struct segment_builder *builder;
    struct writer *writer;
};

static enum err_code
take(void *context, const struct event *e, struct err *err)
{
    struct filling *f = context;
    enum err_code rc = segment_builder_add(f->builder, e, err);

    if (rc == ERR_OK && segment_builder_rows(f->builder) >= FLUSH_ROWS)
        rc = writer_add(f->writer, f->builder, err);
    return rc;
}

static enum err_code
generate(struct filling *f, uint32_t site, struct err *err)
{
    struct bench_shop_config traffic = bench_demo_traffic(site, clock_wall_ms());
    struct bench_shop_totals totals;
    enum err_code rc = bench_shop_generate(&traffic, take, f, &totals, err);

    if (rc == ERR_OK && segment_builder_rows(f->builder) > 0)
        rc = writer_add(f->writer, f->builder, err);
    if (rc == ERR_OK)
        rc = writer_commit(f->writer, NULL, err);
    if (rc == ERR_OK)
        log_info("generated %llu events of %llu visitors for the demonstration site",
                 (unsigned long long)totals.events, (unsigned long long)totals.visitors);
    return rc;
}

static enum err_code
fill(const struct store *store, uint32_t site, struct err *err)
{
    struct segment_owner owner = store_owner(store);
    struct filling f = {.builder = segment_builder_create(&owner)};
    struct catalog *catalog = NULL;
    enum err_code rc = catalog_open(store, true, &catalog, err);

    if (rc == ERR_OK)
        rc = writer_open(store, catalog, CATALOG_IMPORT, &f.writer, err);
    if (rc == ERR_OK)
        rc = generate(&f, site, err);
    writer_close(&f.writer);
    catalog_close(&catalog);
    segment_builder_destroy(&f.builder);
    return rc;
}

static enum err_code
add_site(struct settings_db *db, struct arena *a, struct site *out, struct err *err)
{
    static const struct slice ignored[] = {
        {BENCH_DEMO_IGNORED_REFERRER, sizeof(BENCH_DEMO_IGNORED_REFERRER) - 1}};
    const struct site_wish wish = {.name = SLICE(DEMO_SITE),
                                   .domain = SLICE(BENCH_DEMO_DOMAIN),
                                   .timezone = SLICE(BENCH_DEMO_TIMEZONE),
                                   .currency = SLICE(BENCH_DEMO_CURRENCY),
                                   .ignored_referrers = ignored,
                                   .n_ignored_referrers = 1,
                                   .is_demo = true};
    char secret[SITE_KEY_MAX];

    return site_add(db, &wish, a, out, secret, err);
}

static enum err_code
add_funnels(struct settings_db *db, uint32_t site, struct err *err)
{
    size_t n;
    const struct bench_demo_funnel *funnels = bench_demo_funnels(&n);
    enum err_code rc = ERR_OK;

    for (size_t i = 0; rc == ERR_OK && i < n; i++)
        rc = saved_funnel_put(db, site, slice_from(funnels[i].name),
                              slice_from(funnels[i].definition), err);
    return rc;
}

/* A start that was cut off leaves a site without events: it is filled at the next one. */
static enum err_code
has_events(const struct store *store, uint32_t site, bool *out, struct err *err)
{
    struct snapshot_pool *pool = NULL;
    struct query_summary summary = {0};
    enum err_code rc = snapshot_pool_open(store, &pool, err);

    if (rc == ERR_NOT_FOUND) { /* no catalog yet */
        *out = false;
        return ERR_OK;
    }
    if (rc == ERR_OK)
        rc = query_site_summary(pool, site, &summary, err);
    snapshot_pool_close(&pool);
    *out = summary.n_events > 0;
    return rc;
}

enum err_code
demo_prepare(const struct store *store, struct settings_db *db, struct arena *a, struct site *out,
             struct err *err)
{
    bool is_filled = false;
    enum err_code rc = site_find(db, SLICE(DEMO_SITE), a, out, err);

    if (rc == ERR_NOT_FOUND)
        rc = add_site(db, a, out, err);
    if (rc == ERR_OK && !out->is_demo)
        rc = err_set(err, ERR_EXISTS, NULL,
                     "there is a site named " DEMO_SITE " that is no demonstration");
    if (rc == ERR_OK)
        rc = has_events(store, out->id, &is_filled, err);
    if (rc == ERR_OK && !is_filled) {
        rc = add_funnels(db, out->id, err);
        if (rc == ERR_OK)
            rc = fill(store, out->id, err);
    }
    return rc;
}
