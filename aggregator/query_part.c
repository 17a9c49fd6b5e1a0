/* See query_int.h. */
#include "aggregator/query_int.h"

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
    return true;
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

bool
query__is_later(const struct attribute *attribute)
{
    return attribute->source == SOURCE_DERIVED && attribute->code == DERIVED_PAGE_GROUP;
}

void
query__count_codes(const struct query_part *part, const struct segment_column *c,
                   const struct segment_column *flags, uint64_t *counts)
{
    uint32_t codes[QUERY_CHUNK];
    int64_t bits[QUERY_CHUNK];

    for (uint32_t row = part->begin, n; row < part->end; row += n) {
        n = part->end - row < QUERY_CHUNK ? part->end - row : QUERY_CHUNK;
        segment_codes(c, row, n, codes);
        if (flags)
            segment_values(flags, row, n, bits, NULL);
        for (uint32_t i = 0; i < n; i++)
            counts[codes[i]] += !flags || (bits[i] & EVENT_DRIVER) != 0;
    }
}
