/* segment_check: every byte that any answer could be made of, and the order of the rows. */
#include <stdlib.h>

#include "aggregator/segment/segment_int.h"

#define CHUNK 1024

/* Opening a column verifies it. */
static enum err_code
check_columns(const struct segment *s, struct err *err)
{
    struct segment_column column;
    enum err_code rc = ERR_OK;

    for (uint32_t i = 0; rc == ERR_OK && i < s->n_entries; i++) {
        const struct segment__entry *e = &s->entries[i];

        switch (e->type) {
        case BLOCK_TEXT:
        case BLOCK_PROPERTY:
            rc = segment__text_open(s, e->type, e->id, &column, err);
            break;
        case BLOCK_NUMBER:
            rc = segment_number_open(s, (enum event_number)e->id, &column, err);
            break;
        case BLOCK_FLAGS:
            rc = segment_flags_open(s, &column, err);
            break;
        case BLOCK_ORIGIN:
            rc = segment_origin_open(s, &column, err);
            break;
        case BLOCK_ID_GIVEN:
            rc = segment__given_open(s, &column, err);
            break;
        case BLOCK_PRESENCE:
            rc = segment__check_presence(s, err);
            break;
        case BLOCK_PLAIN:
            rc = segment__checksum(s, e, err);
            break;
        default: /* at segment_open, or below */
            break;
        }
    }
    return rc;
}

/* Runs ascend by (hash, visitor) in each site, and each hash is its visitor's. */
static enum err_code
check_site(struct segment_cursor *c, const struct segment *s, const struct segment_site *site,
           struct buffer *last, struct err *err)
{
    const struct segment__entry *e = segment__find(s, BLOCK_RUN_HASH, 0);

    for (uint32_t run = site->run_begin; run < site->run_end; run++) {
        uint64_t hash = s->run_hashes[run];
        struct slice visitor;
        enum err_code rc = segment_cursor_visitor(c, run, &visitor, err);

        if (rc != ERR_OK)
            return rc;
        if (hash != segment_visitor_hash(&s->owner, visitor) || hash < s->info.hash_min ||
            hash > s->info.hash_max)
            return segment__corrupt(s, e, err, "a hash is not its visitor's");
        if (run > site->run_begin &&
            (hash < s->run_hashes[run - 1] ||
             (hash == s->run_hashes[run - 1] && slice_compare(visitor, buffer_slice(last)) <= 0)))
            return segment__corrupt(s, e, err, "visitors are not in order");
        buffer_clear(last);
        buffer_add_slice(last, visitor);
    }
    return ERR_OK;
}

/* The row and the one before are of one millisecond: are their ids in order? */
static enum err_code
check_tie(struct segment_cursor *c, const struct segment *s, uint32_t row, struct buffer *last,
          struct err *err)
{
    struct slice id;
    enum err_code rc = segment_cursor_id(c, row - 1, &id, err);

    if (rc != ERR_OK)
        return rc;
    buffer_clear(last);
    buffer_add_slice(last, id);
    rc = segment_cursor_id(c, row, &id, err);
    if (rc == ERR_OK && slice_compare(id, buffer_slice(last)) <= 0)
        rc = segment__corrupt(s, segment__find(s, BLOCK_TIME, 0), err, "rows are not in order");
    return rc;
}

/* Rows ascend by (time, id) in each run, and their times are of the month and the site. */
static enum err_code
check_rows(struct segment_cursor *c, const struct segment *s, const struct segment_site *site,
           struct buffer *last, struct err *err)
{
    const struct segment__entry *e = segment__find(s, BLOCK_TIME, 0);
    uint32_t end = s->run_rows[site->run_end];
    uint32_t run = site->run_begin;
    int64_t times[CHUNK];
    int64_t last_time = 0;
    struct segment_column time;
    enum err_code rc = segment_time_open(s, &time, err);

    for (uint32_t row = s->run_rows[run], at = CHUNK; rc == ERR_OK && row < end; row++, at++) {
        if (at == CHUNK) {
            segment_values(&time, row, end - row < CHUNK ? end - row : CHUNK, times, NULL);
            at = 0;
        }
        if (times[at] < site->time_min_ms || times[at] > site->time_max_ms)
            return segment__corrupt(s, e, err, "a time is outside of its site's");
        if (row == s->run_rows[run])
            run++; /* the first of its run */
        else if (times[at] < last_time)
            return segment__corrupt(s, e, err, "rows are not in order");
        else if (times[at] == last_time)
            rc = check_tie(c, s, row, last, err);
        last_time = times[at];
    }
    return rc;
}

/* Every part of the ids can be read. */
static enum err_code
check_ids(const struct segment *s, struct err *err)
{
    const struct segment__entry *e = segment__find(s, BLOCK_ID, 0);
    struct segment__cold ids;
    enum err_code rc = ERR_OK;
    struct slice id;

    if (e == NULL)
        return ERR_OK;
    segment__cold_init(&ids, s, BLOCK_ID);
    for (uint32_t i = 0; rc == ERR_OK && i < e->count; i++)
        rc = segment__cold_read(&ids, i, &id, err);
    segment__cold_fini(&ids);
    return rc;
}

static enum err_code
check_times(const struct segment *s, struct err *err)
{
    const struct segment__entry *e = segment__find(s, BLOCK_SITES, 0);
    const struct segment_info *info = &s->info;

    if (segment_month(info->time_min_ms) != info->month ||
        segment_month(info->time_max_ms) != info->month)
        return segment__corrupt(s, NULL, err, "its times are of another month");
    for (uint32_t i = 0; i < info->n_sites; i++)
        if (s->sites[i].time_min_ms < info->time_min_ms ||
            s->sites[i].time_max_ms > info->time_max_ms)
            return segment__corrupt(s, e, err, "times of a site are outside of the file's");
    return ERR_OK;
}

enum err_code
segment_check(const struct segment *s, struct err *err)
{
    struct segment_cursor *c = segment_cursor_create(s);
    struct buffer last = BUFFER_EMPTY;
    enum err_code rc = check_times(s, err);

    if (rc == ERR_OK)
        rc = check_columns(s, err);
    if (rc == ERR_OK)
        rc = check_ids(s, err);
    for (uint32_t i = 0; rc == ERR_OK && i < s->info.n_sites; i++) {
        rc = check_site(c, s, &s->sites[i], &last, err);
        if (rc == ERR_OK)
            rc = check_rows(c, s, &s->sites[i], &last, err);
    }
    buffer_fini(&last);
    segment_cursor_destroy(&c);
    return rc;
}
