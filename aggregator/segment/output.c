/* A segment file that is being written: blocks one behind the other into a temporary file, then
 * directory and footer, then the header over its empty page, then fsync and rename. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "aggregator/segment/segment_int.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/hash.h"

static const unsigned char zeros[FORMAT_HEADER];

/* ---- bytes ---- */

static void
put(struct segment__out *o, const void *bytes, size_t n)
{
    if (o->rc != ERR_OK)
        return;
    o->rc = file_write(o->fd, bytes, n, &o->err);
    o->offset += n;
}

static void
put_zeros(struct segment__out *o, uint64_t to)
{
    while (o->rc == ERR_OK && o->offset < to) {
        uint64_t n = to - o->offset;

        put(o, zeros, n < sizeof zeros ? (size_t)n : sizeof zeros);
    }
}

static uint64_t
align_to(uint64_t n, uint64_t multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

enum err_code
segment__out_open(struct segment__out *o, const char *dir, int level, struct err *err)
{
    *o = (struct segment__out){.rc = ERR_OK, .fd = -1, .level = level};
    o->rc = file_create_temporary(dir, &o->fd, o->temporary, err);
    if (o->rc == ERR_OK)
        put_zeros(o, FORMAT_HEADER);
    return o->rc;
}

/* ---- reading again what was written ---- */

static const unsigned char *
find_entry(const struct segment__out *o, uint32_t type, uint32_t id)
{
    for (size_t at = 0; at < o->entries.n; at += FORMAT_ENTRY) {
        const unsigned char *p = (const unsigned char *)o->entries.p + at;

        if (load_u16(p + ENTRY_TYPE) == type && load_u32(p + ENTRY_ID) == id)
            return p;
    }
    return NULL;
}

/* The columns of texts, in the order in which they were written: each finds its sources. */
static void
lay_out_written(struct segment__out *o)
{
    struct segment__entry e;
    struct segment__block block = {
        .entry = &e, .n_rows = o->n_rows, .n_runs = o->n_runs, .run_rows = o->run_rows};

    for (size_t at = 0; at < o->entries.n; at += FORMAT_ENTRY) {
        const unsigned char *texts;
        struct segment_column *c;

        segment__decode_entry((const unsigned char *)o->entries.p + at, &e);
        texts = find_entry(o, BLOCK_TEXT_VALUES, e.id);
        if (e.type != BLOCK_TEXT || texts == NULL)
            continue;
        c = &o->columns[e.id];
        block.p = o->written.p + e.offset;
        if (!segment__lay_out(&block, c))
            continue;
        c->n_codes = load_u32(texts + ENTRY_COUNT) + 1;
        c->event = &o->columns[TEXT_EVENT];
        c->guess.column = &o->columns[c->guess.source];
    }
}

/* All that is written by now: what was given before this stays valid until more is written. */
static bool
map_written(struct segment__out *o)
{
    void *p;

    if (o->written.n >= o->offset)
        return true;
    file_map_close(&o->written);
    p = mmap(NULL, o->offset, PROT_READ, MAP_SHARED, o->fd, 0);
    if (p == MAP_FAILED)
        return false;
    o->written = (struct file_map){.p = p, .n = o->offset};
    lay_out_written(o);
    return true;
}

const struct segment_column *
segment__out_column(struct segment__out *o, uint32_t text)
{
    if (o->rc != ERR_OK || !map_written(o))
        return NULL;
    return o->columns[text].n_codes == 0 ? NULL : &o->columns[text];
}

void
segment__out_keep(struct segment__out *o, uint32_t text, struct segment__codes *codes)
{
    size_t n = segment__codes_size(codes);

    if (o->kept_bytes + n > o->kept_max) {
        segment__codes_fini(codes);
        return;
    }
    o->kept_bytes += n;
    o->kept[text] = *codes;
    *codes = (struct segment__codes){.p = NULL};
}

static void
release(struct segment__out *o)
{
    for (uint32_t i = 0; i < TEXT_COUNT; i++)
        segment__codes_fini(&o->kept[i]);
    file_map_close(&o->written);
    buffer_fini(&o->page);
    buffer_fini(&o->sums);
    buffer_fini(&o->entries);
    o->fd = -1;
}

void
segment__out_abort(struct segment__out *o)
{
    if (o->fd >= 0) {
        close(o->fd);
        unlink(o->temporary);
    }
    release(o);
}

/* ---- blocks ---- */

void
segment__out_begin(struct segment__out *o)
{
    put_zeros(o, align_to(o->offset, FORMAT_ALIGN));
    o->block = o->offset;
    buffer_clear(&o->page);
    buffer_clear(&o->sums);
    o->is_cold = false;
}

uint64_t
segment__out_length(const struct segment__out *o)
{
    return o->offset - o->block + o->page.n;
}

static void
put_page(struct segment__out *o)
{
    buffer_add_u64(&o->sums, checksum64(o->page.p, o->page.n));
    put(o, o->page.p, o->page.n);
    buffer_clear(&o->page);
}

void
segment__out_add(struct segment__out *o, const void *bytes, size_t n)
{
    const char *p = bytes;

    while (n > 0) {
        size_t room = FORMAT_PAGE - o->page.n;
        size_t some = n < room ? n : room;

        buffer_add(&o->page, p, some);
        if (o->page.n == FORMAT_PAGE)
            put_page(o);
        p += some;
        n -= some;
    }
}

void
segment__out_pad(struct segment__out *o, unsigned multiple)
{
    uint64_t length = segment__out_length(o);

    segment__out_add(o, zeros, (size_t)(align_to(length, multiple) - length));
}

static void
list_entry(struct segment__out *o, const struct segment__entry *e)
{
    unsigned char p[FORMAT_ENTRY] = {0};

    store_u16(p + ENTRY_TYPE, (uint16_t)e->type);
    p[ENTRY_ENCODING] = e->encoding;
    p[ENTRY_WIDTH] = e->width;
    store_u32(p + ENTRY_FLAGS, e->flags);
    store_u32(p + ENTRY_ID, e->id);
    store_u32(p + ENTRY_COUNT, e->count);
    store_u64(p + ENTRY_OFFSET, e->offset);
    store_u64(p + ENTRY_LENGTH, e->length);
    store_u64(p + ENTRY_SUM, e->sum);
    store_u64(p + ENTRY_BASE, (uint64_t)e->base);
    buffer_add(&o->entries, p, sizeof p);
}

void
segment__out_end(struct segment__out *o, struct segment__entry *e)
{
    e->length = segment__out_length(o);
    e->offset = e->length == 0 ? 0 : o->block;
    if (o->page.n > 0)
        put_page(o);
    if (!o->is_cold && o->sums.n == 8) {
        e->sum = load_u64(o->sums.p);
    } else if (!o->is_cold && o->sums.n > 8) {
        e->sum = checksum64(o->sums.p, o->sums.n);
        put_zeros(o, align_to(o->offset, 8));
        put(o, o->sums.p, o->sums.n);
    }
    list_entry(o, e);
}

/* ---- the end of the file ---- */

static int
compare_entries(const void *a, const void *b)
{
    const unsigned char *x = a;
    const unsigned char *y = b;
    uint32_t type_x = load_u16(x + ENTRY_TYPE);
    uint32_t type_y = load_u16(y + ENTRY_TYPE);
    uint32_t id_x = load_u32(x + ENTRY_ID);
    uint32_t id_y = load_u32(y + ENTRY_ID);

    if (type_x != type_y)
        return type_x < type_y ? -1 : 1;
    return (id_x > id_y) - (id_x < id_y);
}

static void
fill_header(const struct segment__out *o, const struct segment_owner *owner,
            const struct segment_info *info, uint64_t directory, unsigned char *h)
{
    memset(h, 0, FORMAT_HEADER);
    memcpy(h + HEADER_MAGIC, FORMAT_MAGIC, 8);
    store_u32(h + HEADER_VERSION, info->version);
    store_u32(h + HEADER_KIND, info->kind);
    memcpy(h + HEADER_INSTALL, owner->install_id, sizeof owner->install_id);
    store_u64(h + HEADER_SEED, owner->hash_seed);
    store_u64(h + HEADER_CREATED, (uint64_t)info->created_ms);
    store_u32(h + HEADER_MONTH, info->month);
    store_u32(h + HEADER_SITE, info->site);
    store_u64(h + HEADER_HASH_MIN, info->hash_min);
    store_u64(h + HEADER_HASH_MAX, info->hash_max);
    store_u64(h + HEADER_TIME_MIN, (uint64_t)info->time_min_ms);
    store_u64(h + HEADER_TIME_MAX, (uint64_t)info->time_max_ms);
    store_u32(h + HEADER_ROWS, info->n_rows);
    store_u32(h + HEADER_RUNS, info->n_runs);
    store_u32(h + HEADER_SITES, info->n_sites);
    store_u32(h + HEADER_ENTRIES, (uint32_t)(o->entries.n / FORMAT_ENTRY));
    store_u64(h + HEADER_DIRECTORY, directory);
    store_u64(h + HEADER_DIRECTORY_SUM, checksum64(o->entries.p, o->entries.n));
    store_u64(h + HEADER_LENGTH, info->n_bytes);
    store_u64(h + HEADER_SUM, checksum64(h, HEADER_SUM));
}

static void
put_frame(struct segment__out *o, const struct segment_owner *owner, struct segment_info *info)
{
    unsigned char header[FORMAT_HEADER];
    unsigned char footer[FORMAT_FOOTER] = {0};
    uint64_t directory;

    qsort(o->entries.p, o->entries.n / FORMAT_ENTRY, FORMAT_ENTRY, compare_entries);
    put_zeros(o, align_to(o->offset, FORMAT_ALIGN));
    directory = o->offset;
    put(o, o->entries.p, o->entries.n);
    info->version = FORMAT_VERSION;
    info->created_ms = clock_wall_ms();
    info->n_bytes = o->offset + FORMAT_FOOTER;
    fill_header(o, owner, info, directory, header);
    memcpy(footer + FOOTER_MAGIC, FORMAT_MAGIC_FOOTER, 8);
    store_u64(footer + FOOTER_LENGTH, info->n_bytes);
    store_u64(footer + FOOTER_HEADER_SUM, load_u64(header + HEADER_SUM));
    store_u64(footer + FOOTER_SUM, checksum64(footer, FOOTER_SUM));
    put(o, footer, sizeof footer);
    if (o->rc == ERR_OK && lseek(o->fd, 0, SEEK_SET) != 0)
        o->rc = err_errno(&o->err, "cannot seek in %s", o->temporary);
    put(o, header, sizeof header);
}

static enum err_code
make_name(struct segment_file *file, struct err *err)
{
    const struct segment_info *info = &file->info;
    char owner[24] = "flush";
    uint64_t random;

    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return err_errno(err, "cannot draw a random number");
    if (info->kind == SEGMENT_MERGED)
        snprintf(owner, sizeof owner, "site%u", info->site);
    snprintf(file->name, sizeof file->name, "%06u-%s-%016llx.seg", info->month, owner,
             (unsigned long long)random);
    return ERR_OK;
}

enum err_code
segment__out_finish(struct segment__out *o, const char *dir, const struct segment_owner *owner,
                    struct segment_file *file, struct err *err)
{
    char path[FILE_PATH_MAX];
    enum err_code rc;

    put_frame(o, owner, &file->info);
    if (o->rc == ERR_OK)
        o->rc = make_name(file, &o->err);
    if (o->rc == ERR_OK) {
        file_path(path, dir, file->name);
        o->rc = file_commit(o->fd, o->temporary, path, &o->err);
        o->fd = -1; /* closed, and the temporary file gone, in any case */
        if (o->rc != ERR_OK)
            unlink(path); /* where only the folder's fsync failed */
    }
    rc = o->rc;
    if (rc != ERR_OK && err != NULL)
        *err = o->err;
    segment__out_abort(o);
    return rc;
}

void
segment__unlink(const char *dir, const struct segment_file *files, size_t n)
{
    char path[FILE_PATH_MAX];

    for (size_t i = 0; i < n; i++) {
        file_path(path, dir, files[i].name);
        unlink(path);
    }
}
