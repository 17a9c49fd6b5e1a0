#include "aggregator/health.h"

#include "aggregator/backup.h"
#include "aggregator/bad_entry.h"
#include "aggregator/query_int.h"

/* ---- The folder ---- */

static enum err_code
read_catalog(const struct store *s, struct arena *a, struct health *out, struct err *err)
{
    struct catalog_list list = {.n = 0};
    struct catalog_alarm *alarms = NULL;
    struct catalog *catalog = NULL;
    enum err_code rc = catalog_open(s, false, &catalog, err);
    size_t n = 0;

    if (rc == ERR_NOT_FOUND)
        return ERR_OK;
    if (rc == ERR_OK)
        rc = catalog_read(catalog, a, &list, err);
    if (rc == ERR_OK)
        rc = catalog_alarms(catalog, a, &alarms, &n, err);
    catalog_close(&catalog);
    if (rc != ERR_OK)
        return rc;
    out->n_segments = list.n;
    for (size_t i = 0; i < list.n; i++)
        out->n_bytes += list.segments[i].n_bytes;
    out->alarms = alarms;
    out->n_alarms = n;
    return ERR_OK;
}

/* ---- The site ---- */

static void
add_part(const struct snapshot *snapshot, size_t i, uint32_t site, struct health *out)
{
    const struct catalog_segment *row = snapshot->segments[i].row;
    struct query_part part;

    if (!query__part(snapshot, i, site, &part) ||
        segment_erased_cuts(&snapshot->erased, part.site->time_max_ms))
        return;
    if (out->n_events == 0 || part.site->time_min_ms < out->first_ms)
        out->first_ms = part.site->time_min_ms;
    if (out->n_events == 0 || part.site->time_max_ms > out->newest_ms)
        out->newest_ms = part.site->time_max_ms;
    if (row->kind != CATALOG_MERGE && row->created_ms > out->stored_ms)
        out->stored_ms = row->created_ms;
    out->n_events += part.site->n_rows;
}

static void
copy_warnings(const struct snapshot *snapshot, struct arena *a, struct health *out)
{
    struct snapshot_warning *list =
        ARENA_ARRAY(a, struct snapshot_warning, snapshot->n_warnings + 1);

    for (size_t i = 0; i < snapshot->n_warnings; i++)
        list[i] = (struct snapshot_warning){arena_copy(a, snapshot->warnings[i].code),
                                            arena_copy(a, snapshot->warnings[i].message)};
    out->warnings = list;
    out->n_warnings = snapshot->n_warnings;
}

static enum err_code
read_site(struct snapshot_pool *p, uint32_t site, struct arena *a, struct health *out,
          struct err *err)
{
    const struct snapshot *snapshot = NULL;
    enum err_code rc = snapshot_take(p, SNAPSHOT_WHOLE(site), &snapshot, err);

    if (rc != ERR_OK)
        return rc;
    for (size_t i = 0; i < snapshot->n; i++)
        add_part(snapshot, i, site, out);
    copy_warnings(snapshot, a, out);
    snapshot_release(p, &snapshot);
    return ERR_OK;
}

enum err_code
health_read(const struct store *s, struct snapshot_pool *p, uint32_t site, struct arena *a,
            struct health *out, struct err *err)
{
    struct health h = {.backup_ms = backup_last_ms(s), .n_bad = bad_entry_count(s)};
    enum err_code rc = store_free_bytes(s, &h.free_bytes, err);

    if (rc == ERR_OK)
        rc = read_catalog(s, a, &h, err);
    if (rc == ERR_OK)
        rc = read_site(p, site, a, &h, err);
    if (rc == ERR_OK)
        *out = h;
    return rc;
}
