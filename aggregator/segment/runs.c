/* Finding one's way in an open segment: its sites, its runs. */
#include <assert.h>

#include "aggregator/segment/segment_int.h"

const struct segment_site *
segment_sites(const struct segment *s)
{
    return s->sites;
}

const struct segment_site *
segment_find_site(const struct segment *s, uint32_t site)
{
    uint32_t low = 0;
    uint32_t high = s->info.n_sites;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (s->sites[middle].site == site)
            return &s->sites[middle];
        if (s->sites[middle].site < site)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const uint64_t *
segment_run_hashes(const struct segment *s)
{
    return s->run_hashes;
}

const uint32_t *
segment_run_rows(const struct segment *s)
{
    return s->run_rows;
}

uint32_t
segment_seek_run(const struct segment *s, const struct segment_site *site, uint64_t hash)
{
    uint32_t low = site->run_begin;
    uint32_t high = site->run_end;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (s->run_hashes[middle] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t
segment__seek_row(const uint32_t *run_rows, uint32_t n_runs, uint32_t row)
{
    uint32_t low = 0;
    uint32_t high = n_runs;

    while (high - low > 1) { /* run_rows[low] <= row < run_rows[high] */
        uint32_t middle = low + (high - low) / 2;

        if (run_rows[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

uint32_t
segment_run_of_row(const struct segment *s, uint32_t row)
{
    assert(row < s->info.n_rows);
    return segment__seek_row(s->run_rows, s->info.n_runs, row);
}
