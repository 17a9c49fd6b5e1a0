/* See query_int.h. */
#include "aggregator/query_int.h"

#include <stdlib.h>

#include "core/log.h"

bool
query__part(const struct snapshot *snapshot, size_t i, uint32_t site, struct query_part *out)
{
    const struct segment *segment = snapshot->segments[i].segment;
    const uint32_t *rows = segment_run_rows(segment);

    out->segment = segment;
    out->site = segment_find_site(segment, site);
    if (!out->site)
        return false;
    out->begin = rows[out->site->run_begin];
    out->end = rows[out->site->run_end];
    out->from_ms = INT64_MIN;
    return true;
}

static int
compare_begins(const void *x, const void *y)
{
    const struct query_part *a = x;
    const struct query_part *b = y;

    return a->begin < b->begin ? -1 : a->begin > b->begin;
}

/* How far the run's rows were erased: to its begin where nothing was. */
static enum err_code
erased_end(const struct snapshot *snapshot, struct segment_cursor *cursor,
           const struct segment_column *time, const struct query_part *run, uint64_t hash,
           uint32_t number, uint32_t *out, struct err *err)
{
    struct slice visitor;
    int64_t from_ms, time_ms;
    enum err_code rc = segment_cursor_visitor(cursor, number, &visitor, err);

    if (rc != ERR_OK)
        return rc;
    from_ms = segment_erased_from(&snapshot->erased, hash, visitor);
    for (*out = run->begin; *out < run->end; ++*out) {
        segment_values(time, *out, 1, &time_ms, NULL);
        if (time_ms >= from_ms)
            break;
    }
    return ERR_OK;
}

/* All stretches that were erased, in no order; each run once, as no two tombstones of a site are
 * the same visitor's. */
static enum err_code
find_erased(const struct snapshot *snapshot, const struct query_part *part,
            struct segment_cursor *cursor, struct query_part *out, size_t *out_n, struct err *err)
{
    const struct segment_erased_list *l = &snapshot->erased;
    const uint64_t *hashes = segment_run_hashes(part->segment);
    const uint32_t *rows = segment_run_rows(part->segment);
    struct segment_column time;
    enum err_code rc = segment_time_open(part->segment, &time, err);

    for (size_t i = 0; rc == ERR_OK && i < l->n; i++) {
        uint64_t hash = l->list[i].hash;
        uint32_t run = segment_seek_run(part->segment, part->site, hash);

        if (i > 0 && l->list[i - 1].hash == hash)
            continue;
        for (; rc == ERR_OK && run < part->site->run_end && hashes[run] == hash; run++) {
            struct query_part hole = {
                .segment = part->segment, .begin = rows[run], .end = rows[run + 1]};

            rc = erased_end(snapshot, cursor, &time, &hole, hash, run, &hole.end, err);
            if (rc == ERR_OK && hole.end > hole.begin)
                out[(*out_n)++] = hole;
        }
    }
    return rc;
}

enum err_code
query__pieces(const struct snapshot *snapshot, const struct query_part *part, struct arena *a,
              struct query_part **out, size_t *out_n, struct err *err)
{
    /* a hash may be two visitors', of whom each was erased: a tombstone each */
    size_t n_max = snapshot->erased.n + 1, n_holes = 0, n = 0;
    struct query_part *holes = ARENA_ARRAY(a, struct query_part, n_max);
    struct query_part *pieces = ARENA_ARRAY(a, struct query_part, n_max);
    struct segment_cursor *cursor = NULL;
    struct query_part whole = *part;
    uint32_t begin = part->begin;
    enum err_code rc = ERR_OK;

    if (segment_erased_cuts(&snapshot->erased, part->site->time_min_ms)) {
        whole.from_ms = snapshot->erased.kept_from_ms;
        rc = segment_time_open(part->segment, &whole.time, err);
    }
    if (rc == ERR_OK && snapshot->erased.n > 0) {
        cursor = segment_cursor_create(part->segment);
        rc = find_erased(snapshot, part, cursor, holes, &n_holes, err);
        segment_cursor_destroy(&cursor);
        qsort(holes, n_holes, sizeof *holes, compare_begins);
    }
    for (size_t i = 0; i <= n_holes; i++) {
        uint32_t end = i < n_holes ? holes[i].begin : part->end;

        if (end > begin) {
            pieces[n] = whole;
            pieces[n].begin = begin;
            pieces[n++].end = end;
        }
        begin = i < n_holes ? holes[i].end : end;
    }
    if (rc == ERR_OK) {
        *out = pieces;
        *out_n = n;
    }
    return rc;
}

enum err_code
query__leave_out(enum err_code rc, const struct err *why, struct err *err)
{
    if (rc == ERR_CORRUPT) {
        log_error("segment left out: %s", why->message);
        return ERR_OK;
    }
    if (rc != ERR_OK && err)
        *err = *why;
    return rc;
}

uint32_t
query__rows(const struct query_part *part, uint32_t row, bool counts[QUERY_CHUNK])
{
    uint32_t n = part->end - row < QUERY_CHUNK ? part->end - row : QUERY_CHUNK;
    int64_t times[QUERY_CHUNK];

    if (part->from_ms == INT64_MIN) {
        memset(counts, true, n * sizeof *counts);
        return n;
    }
    segment_values(&part->time, row, n, times, NULL);
    for (uint32_t i = 0; i < n; i++)
        counts[i] = times[i] >= part->from_ms;
    return n;
}

void
query__count_codes(const struct query_part *part, const struct segment_column *c,
                   const struct segment_column *flags, uint64_t *counts)
{
    uint32_t codes[QUERY_CHUNK];
    int64_t bits[QUERY_CHUNK];
    bool is_counted[QUERY_CHUNK];

    for (uint32_t row = part->begin, n; row < part->end; row += n) {
        n = query__rows(part, row, is_counted);
        segment_codes(c, row, n, codes);
        if (flags)
            segment_values(flags, row, n, bits, NULL);
        for (uint32_t i = 0; i < n; i++)
            counts[codes[i]] += is_counted[i] && (!flags || (bits[i] & EVENT_DRIVER) != 0);
    }
}
