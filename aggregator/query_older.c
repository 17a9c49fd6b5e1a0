/* What another retention would remove. */
#include <stdlib.h>

#include "aggregator/query_int.h"

static enum err_code
count_piece(const struct query_part *piece, int64_t before_ms, uint64_t *n, struct err *err)
{
    struct segment_column time;
    int64_t times[QUERY_CHUNK];
    enum err_code rc = segment_time_open(piece->segment, &time, err);

    for (uint32_t row = piece->begin, n_rows; rc == ERR_OK && row < piece->end; row += n_rows) {
        n_rows = piece->end - row < QUERY_CHUNK ? piece->end - row : QUERY_CHUNK;
        segment_values(&time, row, n_rows, times, NULL);
        for (uint32_t i = 0; i < n_rows; i++)
            *n += times[i] < before_ms && times[i] >= piece->from_ms;
    }
    return rc;
}

static enum err_code
count_part(const struct snapshot *snapshot, const struct query_part *part, int64_t before_ms,
           struct query_older *out, struct err *err)
{
    struct query_part *pieces = NULL;
    struct arena a;
    size_t n = 0;
    enum err_code rc;

    arena_init(&a, 1 << 10);
    rc = query__pieces(snapshot, part, &a, &pieces, &n, err);
    for (size_t i = 0; rc == ERR_OK && i < n; i++)
        rc = count_piece(&pieces[i], before_ms, &out->n_events, err);
    arena_fini(&a);
    return rc;
}

enum err_code
query_older(struct snapshot_pool *p, uint32_t site, int64_t before_ms, struct query_older *out,
            struct err *err)
{
    const struct snapshot *snapshot = NULL;
    struct query_older older = {0};
    enum err_code rc = snapshot_take(p, SNAPSHOT_WHOLE(site), &snapshot, err);

    if (rc != ERR_OK)
        return rc;
    for (size_t i = 0; rc == ERR_OK && i < snapshot->n; i++) {
        const struct catalog_segment *row = snapshot->segments[i].row;
        struct err why = ERR_NONE;
        struct query_part part;

        if (!query__part(snapshot, i, site, &part) || part.site->time_min_ms >= before_ms)
            continue;
        if (row->site == site && row->max_time_ms < before_ms) {
            older.n_files++;
            older.n_bytes += row->n_bytes;
        }
        rc = query__leave_out(count_part(snapshot, &part, before_ms, &older, &why), &why, err);
    }
    snapshot_release(p, &snapshot);
    if (rc == ERR_OK)
        *out = older;
    return rc;
}
