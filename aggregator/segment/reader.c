/* Opening a segment: the header, the directory, sites and runs. What is checked here may be
 * trusted by everything else in this folder: entries lie within the file and are as long as their
 * counts say, and runs are rows from 0 to n_rows in order. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "aggregator/segment/segment_int.h"
#include "core/bytes.h"
#include "core/hash.h"
#include "core/timestamp.h"

#define DAY_MS 86400000

uint64_t
segment_visitor_hash(const struct segment_owner *owner, struct slice visitor)
{
    return hash64(visitor, owner->hash_seed);
}

uint32_t
segment_month(int64_t time_ms)
{
    int64_t days = time_ms / DAY_MS - (time_ms % DAY_MS < 0);
    struct date d = date_from_days(days);

    return (uint32_t)d.year * 100 + (uint32_t)d.month;
}

/* ---- saying what is wrong ---- */

static const char *const block_names[] = {
    [BLOCK_SITES] = "sites",
    [BLOCK_RUN_HASH] = "hashes of runs",
    [BLOCK_RUN_ROW] = "rows of runs",
    [BLOCK_RUN_VISITOR] = "visitors",
    [BLOCK_ID] = "ids",
    [BLOCK_TIME] = "time",
    [BLOCK_FLAGS] = "flags",
    [BLOCK_ORIGIN] = "origin",
    [BLOCK_KEYS] = "property keys",
    [BLOCK_TEXT] = "codes of ",
    [BLOCK_TEXT_VALUES] = "texts of ",
    [BLOCK_PROPERTY] = "codes of property ",
    [BLOCK_PROPERTY_VALUES] = "texts of property ",
    [BLOCK_NUMBER] = "number ",
    [BLOCK_PRESENCE] = "presence",
    [BLOCK_PLAIN] = "plain",
    [BLOCK_ID_GIVEN] = "given ids",
};

static void
block_name(const struct segment *s, const struct segment__entry *e, char *out, size_t size)
{
    struct slice key = SLICE_EMPTY;
    const char *attribute = "";

    if ((e->type == BLOCK_TEXT || e->type == BLOCK_TEXT_VALUES) && e->id < TEXT_COUNT)
        attribute = event_text_name((enum event_text)e->id);
    if (e->type == BLOCK_NUMBER && e->id < NUMBER_COUNT)
        attribute = event_number_name((enum event_number)e->id);
    if ((e->type == BLOCK_PROPERTY || e->type == BLOCK_PROPERTY_VALUES) && e->id < s->keys.n)
        key = segment_property_key(s, e->id);
    snprintf(out, size, "%s%s%.*s",
             e->type < sizeof block_names / sizeof *block_names && block_names[e->type] != NULL
                 ? block_names[e->type]
                 : "block",
             attribute, (int)(key.n < 64 ? key.n : 64), key.p);
}

enum err_code
segment__corrupt(const struct segment *s, const struct segment__entry *e, struct err *err,
                 const char *what)
{
    char block[96] = "header";

    if (e != NULL)
        block_name(s, e, block, sizeof block);
    return err_set(err, ERR_CORRUPT, block, "%s: %s: %s", s->name, block, what);
}

/* ---- checksums ---- */

static uint64_t
align8(uint64_t n)
{
    return (n + 7) & ~UINT64_C(7);
}

static uint64_t
page_count(uint64_t length)
{
    return length <= FORMAT_PAGE ? 0 : (length + FORMAT_PAGE - 1) / FORMAT_PAGE;
}

enum err_code
segment__checksum(const struct segment *s, const struct segment__entry *e, struct err *err)
{
    const unsigned char *p = s->map.p + e->offset;
    const unsigned char *sums = p + align8(e->length);
    uint64_t n_pages = page_count(e->length);

    if (e->length == 0)
        return ERR_OK;
    if (n_pages == 0) {
        if (checksum64(p, e->length) != e->sum)
            return segment__corrupt(s, e, err, "its checksum differs");
        return ERR_OK;
    }
    if (checksum64(sums, n_pages * 8) != e->sum)
        return segment__corrupt(s, e, err, "the checksum of its pages' checksums differs");
    for (uint64_t i = 0; i < n_pages; i++) {
        uint64_t at = i * FORMAT_PAGE;
        uint64_t n = e->length - at < FORMAT_PAGE ? e->length - at : FORMAT_PAGE;

        if (checksum64(p + at, n) != load_u64(sums + i * 8)) {
            char what[80];

            snprintf(what, sizeof what, "the checksum of page %llu of %llu differs",
                     (unsigned long long)i + 1, (unsigned long long)n_pages);
            return segment__corrupt(s, e, err, what);
        }
    }
    return ERR_OK;
}

/* ---- header and footer ---- */

static enum err_code
check_frame(const struct segment *s, struct err *err)
{
    const unsigned char *header = s->map.p;
    const unsigned char *footer;
    uint64_t n = s->map.n;

    if (n < FORMAT_HEADER || memcmp(header, FORMAT_MAGIC, 8) != 0)
        return segment__corrupt(s, NULL, err, "this is no segment");
    if (checksum64(header, HEADER_SUM) != load_u64(header + HEADER_SUM))
        return segment__corrupt(s, NULL, err, "its checksum differs");
    if (load_u32(header + HEADER_VERSION) > FORMAT_VERSION)
        return err_set(err, ERR_VERSION, "header", "%s: format %u is newer than this program's %u",
                       s->name, load_u32(header + HEADER_VERSION), FORMAT_VERSION);
    if (load_u32(header + HEADER_VERSION) == 0)
        return segment__corrupt(s, NULL, err, "unknown format");
    if (n < FORMAT_HEADER + FORMAT_FOOTER || load_u64(header + HEADER_LENGTH) != n)
        return segment__corrupt(s, NULL, err, "the file has not the length it should have");
    footer = s->map.p + n - FORMAT_FOOTER;
    if (memcmp(footer, FORMAT_MAGIC_FOOTER, 8) != 0 || load_u64(footer + FOOTER_LENGTH) != n ||
        load_u64(footer + FOOTER_HEADER_SUM) != load_u64(header + HEADER_SUM) ||
        checksum64(footer, FOOTER_SUM) != load_u64(footer + FOOTER_SUM))
        return segment__corrupt(s, NULL, err, "its footer differs");
    return ERR_OK;
}

static enum err_code
check_owner(const struct segment *s, const struct segment_owner *owner, struct err *err)
{
    if (memcmp(s->map.p + HEADER_INSTALL, owner->install_id, sizeof owner->install_id) != 0)
        return err_set(err, ERR_CONFLICT, "header", "%s: was written for another data folder",
                       s->name);
    if (load_u64(s->map.p + HEADER_SEED) != owner->hash_seed)
        return err_set(err, ERR_CONFLICT, "header", "%s: was written with another hash seed",
                       s->name);
    return ERR_OK;
}

static enum err_code
read_info(struct segment *s, struct err *err)
{
    const unsigned char *h = s->map.p;
    struct segment_info *info = &s->info;

    *info = (struct segment_info){
        .kind = (enum segment_kind)load_u32(h + HEADER_KIND),
        .version = load_u32(h + HEADER_VERSION),
        .month = load_u32(h + HEADER_MONTH),
        .site = load_u32(h + HEADER_SITE),
        .n_rows = load_u32(h + HEADER_ROWS),
        .n_runs = load_u32(h + HEADER_RUNS),
        .n_sites = load_u32(h + HEADER_SITES),
        .created_ms = load_i64(h + HEADER_CREATED),
        .time_min_ms = load_i64(h + HEADER_TIME_MIN),
        .time_max_ms = load_i64(h + HEADER_TIME_MAX),
        .hash_min = load_u64(h + HEADER_HASH_MIN),
        .hash_max = load_u64(h + HEADER_HASH_MAX),
        .n_bytes = s->map.n,
    };
    if (info->kind != SEGMENT_FLUSH && info->kind != SEGMENT_MERGED)
        return segment__corrupt(s, NULL, err, "unknown kind");
    if (info->n_rows == 0 || info->n_rows > SEGMENT_ROWS_MAX || info->n_runs == 0 ||
        info->n_runs > info->n_rows || info->n_sites == 0 || info->n_sites > info->n_runs ||
        (info->kind == SEGMENT_MERGED && info->n_sites != 1))
        return segment__corrupt(s, NULL, err, "its counts do not fit");
    return ERR_OK;
}

/* ---- directory ---- */

/* The encodings that a type may have, as a set of bits. */
static unsigned
encodings_of(uint32_t type)
{
    switch (type) {
    case BLOCK_SITES:
    case BLOCK_RUN_HASH:
    case BLOCK_RUN_ROW:
        return 1u << ENCODING_PLAIN;
    case BLOCK_RUN_VISITOR:
    case BLOCK_ID:
        return 1u << ENCODING_COLD;
    case BLOCK_TIME:
        return 1u << ENCODING_DENSE | 1u << ENCODING_STEPS;
    case BLOCK_FLAGS:
    case BLOCK_ORIGIN:
        return 1u << ENCODING_DENSE;
    case BLOCK_KEYS:
    case BLOCK_TEXT_VALUES:
    case BLOCK_PROPERTY_VALUES:
        return 1u << ENCODING_PLAIN | 1u << ENCODING_ZSTD;
    case BLOCK_TEXT:
    case BLOCK_PROPERTY:
        return 1u << ENCODING_DENSE | 1u << ENCODING_BITMAP | 1u << ENCODING_LIST |
               1u << ENCODING_GUESSED | 1u << ENCODING_GATED;
    case BLOCK_PRESENCE:
        return 1u << ENCODING_WORDS;
    case BLOCK_NUMBER:
    case BLOCK_ID_GIVEN:
        return 1u << ENCODING_DENSE | 1u << ENCODING_BITMAP | 1u << ENCODING_LIST |
               1u << ENCODING_GATED;
    default:
        return 0;
    }
}

static bool
is_packed_length_right(const struct segment *s, const struct segment__entry *e)
{
    uint64_t n_rows = s->info.n_rows;

    if (e->width > 56 && e->width != 64)
        return false;
    if (e->encoding == ENCODING_STEPS) /* the rest when it is opened */
        return e->count == n_rows;
    if (e->encoding == ENCODING_GUESSED)
        return e->count <= n_rows && e->length >= FORMAT_GUESS;
    if (e->encoding == ENCODING_DENSE ? e->count != n_rows : e->count == 0 || e->count > n_rows)
        return false;
    if (e->encoding == ENCODING_GATED)
        return e->length >= FORMAT_GATE;
    return e->length == segment__rows_bytes(e->encoding, n_rows, e->count, e->width);
}

/* Is the block as long as its count says? */
static bool
is_length_right(const struct segment *s, const struct segment__entry *e)
{
    uint64_t raw = (uint64_t)e->base;

    switch (e->type) {
    case BLOCK_SITES:
        return e->count == s->info.n_sites && e->length == (uint64_t)e->count * FORMAT_SITE;
    case BLOCK_RUN_HASH:
        return e->count == s->info.n_runs && e->length == (uint64_t)e->count * 8;
    case BLOCK_RUN_ROW:
        return e->count == s->info.n_runs + 1 && e->length == (uint64_t)e->count * 4;
    case BLOCK_RUN_VISITOR:
    case BLOCK_ID:
        return (e->type == BLOCK_ID ? e->count >= 1 : e->count == s->info.n_runs) && e->base >= 1 &&
               e->base <= e->count && raw * FORMAT_PART <= e->length;
    case BLOCK_PRESENCE:
        return segment__is_presence_length_right(s, e);
    case BLOCK_KEYS:
    case BLOCK_TEXT_VALUES:
    case BLOCK_PROPERTY_VALUES:
        if (e->encoding == ENCODING_PLAIN)
            raw = e->length;
        return e->count >= 1 && raw >= (uint64_t)e->count * 5 && raw <= FORMAT_DICTIONARY_MAX &&
               raw / FORMAT_DICTIONARY_RATIO <= e->length;
    default:
        return is_packed_length_right(s, e);
    }
}

static enum err_code
check_entry(const struct segment *s, const struct segment__entry *e, uint64_t end, struct err *err)
{
    uint64_t tail = e->encoding == ENCODING_COLD ? 0 : page_count(e->length) * 8;

    if (e->flags & ~ENTRY_OPTIONAL)
        return err_set(err, ERR_VERSION, "directory", "%s: has flags of a newer format", s->name);
    if (e->length == 0 ? e->offset != 0
                       : e->offset % FORMAT_ALIGN != 0 || e->offset < FORMAT_HEADER ||
                             e->offset > end || e->length > end - e->offset)
        return segment__corrupt(s, e, err, "lies outside of the file");
    if (e->length != 0 && align8(e->length) + tail > end - e->offset)
        return segment__corrupt(s, e, err, "its checksums lie outside of the file");
    if (encodings_of(e->type) == 0) {
        if (e->flags & ENTRY_OPTIONAL)
            return ERR_OK;
        return err_set(err, ERR_VERSION, "directory", "%s: has blocks of a newer format", s->name);
    }
    if (e->encoding > ENCODING_WORDS || (encodings_of(e->type) >> e->encoding & 1) == 0)
        return err_set(err, ERR_VERSION, "directory", "%s: has encodings of a newer format",
                       s->name);
    if (!is_length_right(s, e))
        return segment__corrupt(s, e, err, "its length does not fit its count");
    return ERR_OK;
}

static int
compare_place(uint32_t type_a, uint32_t id_a, uint32_t type_b, uint32_t id_b)
{
    if (type_a != type_b)
        return type_a < type_b ? -1 : 1;
    return (id_a > id_b) - (id_a < id_b);
}

void
segment__decode_entry(const unsigned char *p, struct segment__entry *e)
{
    *e = (struct segment__entry){
        .type = load_u16(p + ENTRY_TYPE),
        .id = load_u32(p + ENTRY_ID),
        .count = load_u32(p + ENTRY_COUNT),
        .flags = load_u32(p + ENTRY_FLAGS),
        .encoding = p[ENTRY_ENCODING],
        .width = p[ENTRY_WIDTH],
        .offset = load_u64(p + ENTRY_OFFSET),
        .length = load_u64(p + ENTRY_LENGTH),
        .sum = load_u64(p + ENTRY_SUM),
        .base = load_i64(p + ENTRY_BASE),
    };
}

static enum err_code
read_directory(struct segment *s, struct err *err)
{
    uint64_t n = load_u32(s->map.p + HEADER_ENTRIES);
    uint64_t at = load_u64(s->map.p + HEADER_DIRECTORY);
    const unsigned char *p;

    if (at % FORMAT_ALIGN != 0 || at < FORMAT_HEADER || at > s->map.n ||
        n * FORMAT_ENTRY + FORMAT_FOOTER != s->map.n - at)
        return segment__corrupt(s, NULL, err, "its directory lies outside of the file");
    p = s->map.p + at;
    if (checksum64(p, n * FORMAT_ENTRY) != load_u64(s->map.p + HEADER_DIRECTORY_SUM))
        return err_set(err, ERR_CORRUPT, "directory", "%s: directory: its checksum differs",
                       s->name);
    s->entries = mem_alloc((n + 1) * sizeof *s->entries);
    s->n_entries = (uint32_t)n;
    for (uint32_t i = 0; i < n; i++) {
        struct segment__entry *e = &s->entries[i];
        enum err_code rc;

        segment__decode_entry(p + (uint64_t)i * FORMAT_ENTRY, e);
        rc = check_entry(s, e, at, err);
        if (rc != ERR_OK)
            return rc;
        if (i > 0 && compare_place(e[-1].type, e[-1].id, e->type, e->id) >= 0)
            return segment__corrupt(s, e, err, "is not in its place in the directory");
    }
    s->states = mem_zalloc((n + 1) * sizeof *s->states);
    return ERR_OK;
}

const struct segment__entry *
segment__find(const struct segment *s, uint32_t type, uint32_t id)
{
    uint32_t low = 0;
    uint32_t high = s->n_entries;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct segment__entry *e = &s->entries[middle];
        int c = compare_place(e->type, e->id, type, id);

        if (c == 0)
            return e;
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* The ids are those of the rows that have one of their own: all, before version 2. */
static enum err_code
check_ids(const struct segment *s, struct err *err)
{
    const struct segment__entry *ids = segment__find(s, BLOCK_ID, 0);
    const struct segment__entry *given = segment__find(s, BLOCK_ID_GIVEN, 0);
    uint32_t n = given != NULL ? given->count : s->info.version == 1 ? s->info.n_rows : 0;

    if ((ids == NULL ? 0 : ids->count) != n)
        return segment__corrupt(s, ids, err, "are not as many as the rows that have one");
    return ERR_OK;
}

/* Types 1 to 8 are there; texts and codes come in pairs, and each key has one. */
static enum err_code
check_blocks(const struct segment *s, struct err *err)
{
    const struct segment__entry *keys = segment__find(s, BLOCK_KEYS, 0);
    uint32_t n_properties = 0;

    for (uint32_t type = BLOCK_SITES; type <= BLOCK_ORIGIN; type++)
        if (segment__find(s, type, 0) == NULL && type != BLOCK_ID)
            return err_set(err, ERR_CORRUPT, "directory", "%s: directory: without %s", s->name,
                           block_names[type]);
    for (uint32_t i = 0; i < s->n_entries; i++) {
        const struct segment__entry *e = &s->entries[i];
        bool is_codes = e->type == BLOCK_TEXT || e->type == BLOCK_PROPERTY;
        bool is_texts = e->type == BLOCK_TEXT_VALUES || e->type == BLOCK_PROPERTY_VALUES;

        if ((e->type <= BLOCK_KEYS || e->type == BLOCK_ID_GIVEN) && e->id != 0)
            return segment__corrupt(s, e, err, "is there twice");
        if ((is_codes && segment__find(s, e->type + 1, e->id) == NULL) ||
            (is_texts && segment__find(s, e->type - 1, e->id) == NULL))
            return segment__corrupt(s, e, err, "misses its other half");
        if (e->type == BLOCK_PROPERTY) {
            n_properties++;
            if (keys == NULL || e->id >= keys->count)
                return segment__corrupt(s, e, err, "is of a property without a key");
        }
    }
    if (n_properties != (keys == NULL ? 0 : keys->count))
        return err_set(err, ERR_CORRUPT, "directory", "%s: directory: a property misses its column",
                       s->name);
    return check_ids(s, err);
}

/* ---- sites and runs ---- */

static enum err_code
read_runs(struct segment *s, struct err *err)
{
    const struct segment__entry *hashes = segment__find(s, BLOCK_RUN_HASH, 0);
    const struct segment__entry *rows = segment__find(s, BLOCK_RUN_ROW, 0);
    enum err_code rc = segment__checksum(s, hashes, err);
    bool is_ascending = true;

    if (rc == ERR_OK)
        rc = segment__checksum(s, rows, err);
    if (rc != ERR_OK)
        return rc;
    s->run_hashes = (const uint64_t *)(const void *)(s->map.p + hashes->offset);
    s->run_rows = (const uint32_t *)(const void *)(s->map.p + rows->offset);
    for (uint32_t i = 0; i < s->info.n_runs; i++)
        is_ascending &= s->run_rows[i] < s->run_rows[i + 1];
    if (!is_ascending || s->run_rows[0] != 0 || s->run_rows[s->info.n_runs] != s->info.n_rows)
        return segment__corrupt(s, rows, err, "rows do not ascend to the number of rows");
    return ERR_OK;
}

static enum err_code
read_sites(struct segment *s, struct err *err)
{
    const struct segment__entry *e = segment__find(s, BLOCK_SITES, 0);
    enum err_code rc = segment__checksum(s, e, err);
    uint64_t run = 0;

    if (rc != ERR_OK)
        return rc;
    s->sites = mem_alloc(e->count * sizeof *s->sites);
    for (uint32_t i = 0; i < e->count; i++) {
        const unsigned char *p = s->map.p + e->offset + (uint64_t)i * FORMAT_SITE;
        uint32_t n_runs = load_u32(p + SITE_RUNS);

        if (load_u32(p + SITE_RUN) != run || n_runs == 0 || n_runs > s->info.n_runs - run ||
            (i > 0 && load_u32(p + SITE_ID) <= s->sites[i - 1].site))
            return segment__corrupt(s, e, err, "sites do not ascend over the runs");
        s->sites[i] = (struct segment_site){
            .site = load_u32(p + SITE_ID),
            .run_begin = (uint32_t)run,
            .run_end = (uint32_t)run + n_runs,
            .n_rows = s->run_rows[run + n_runs] - s->run_rows[run],
            .time_min_ms = load_i64(p + SITE_TIME_MIN),
            .time_max_ms = load_i64(p + SITE_TIME_MAX),
        };
        run += n_runs;
    }
    if (run != s->info.n_runs ||
        (s->info.kind == SEGMENT_MERGED && s->sites[0].site != s->info.site))
        return segment__corrupt(s, e, err, "sites are not all runs");
    return ERR_OK;
}

static enum err_code
read_keys(struct segment *s, struct err *err)
{
    const struct segment__entry *e = segment__find(s, BLOCK_KEYS, 0);

    return e == NULL ? ERR_OK : segment__dictionary_open(s, e, &s->keys, err);
}

/* ---- public ---- */

enum err_code
segment_open(const char *path, const struct segment_owner *owner, struct segment **out,
             struct err *err)
{
    struct segment *s = mem_zalloc(sizeof *s);
    const char *slash = strrchr(path, '/');
    enum err_code rc;

    s->owner = *owner;
    s->name = mem_cstr(slice_from(slash == NULL ? path : slash + 1));
    rc = file_map_open(path, &s->map, err);
    if (rc == ERR_OK)
        rc = check_frame(s, err);
    if (rc == ERR_OK)
        rc = check_owner(s, owner, err);
    if (rc == ERR_OK)
        rc = read_info(s, err);
    if (rc == ERR_OK)
        rc = read_directory(s, err);
    if (rc == ERR_OK)
        rc = check_blocks(s, err);
    if (rc == ERR_OK)
        rc = read_runs(s, err);
    if (rc == ERR_OK)
        rc = read_sites(s, err);
    if (rc == ERR_OK)
        rc = read_keys(s, err);
    if (rc != ERR_OK) {
        segment_close(&s);
        return rc;
    }
    *out = s;
    return ERR_OK;
}

void
segment_close(struct segment **segment)
{
    struct segment *s = *segment;

    if (s == NULL)
        return;
    for (uint32_t i = 0; s->states != NULL && i < s->n_entries; i++) {
        free(s->states[i].unpressed);
        free(s->states[i].column);
        free((void *)(uintptr_t)s->states[i].parts);
    }
    file_map_close(&s->map);
    free(s->states);
    free(s->entries);
    free(s->sites);
    free(s->name);
    free(s);
    *segment = NULL;
}

const char *
segment_name(const struct segment *s)
{
    return s->name;
}

const struct segment_info *
segment_info(const struct segment *s)
{
    return &s->info;
}

uint32_t
segment_property_count(const struct segment *s)
{
    return s->keys.n;
}

struct slice
segment_property_key(const struct segment *s, uint32_t i)
{
    assert(i < s->keys.n);
    return segment__dictionary_value(s->keys.values, s->keys.n, i);
}
