/* Any bytes as a file to import, with and without a map: what a row becomes is an event that can be
 * stored, or a reason in words; every line is met once, and reading ends.
 *
 * An input is a map, a line "%%", and the file; without such a line it is the file, read with a map
 * of the usual names and without one. IMPORT_FORMAT is the target's. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "aggregator/segment/writer.h"
#include "cmd/import_row.h"
#include "core/file.h"
#include "tests/fuzz/fuzz.h"

#ifndef IMPORT_FORMAT
#error "say which format: SOURCE_CSV or SOURCE_NDJSON"
#endif

#define MAP                                                                                        \
    "{\"visitor\":[\"visitor\",\"client_id\"],\"time\":{\"from\":[\"time\",\"ts\"],"               \
    "\"timezone\":\"Asia/Jakarta\"},\"event\":{\"from\":[\"event\",\"name\"],"                     \
    "\"values\":{\"purchase\":\"sale\"}},\"order\":\"data.transaction_id\","                       \
    "\"product\":\"data.items.0.item_id\",\"value\":\"data.value\",\"currency\":{\"const\":"       \
    "\"USD\"},\"properties.note\":\"note\"}"

/* A file that is only in memory, as a path. */
static int
memory_file(const char *bytes, size_t n, char path[64])
{
    int fd = memfd_create("import", MFD_CLOEXEC);

    assert(fd >= 0);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    if (file_write(fd, bytes, n, NULL) != ERR_OK)
        abort();
    return fd;
}

struct import {
    struct import_shape shape;
    struct segment_builder *builder;
    struct slice *fields; /* SOURCE_FIELDS_MAX of them */
    bool has_header;      /* was read, or there is none */
    int64_t line;         /* of the record before */
    struct arena arena;   /* of the file */
    struct arena row;
};

/* What is fit to be stored stays what it is when it is made fit to be stored. */
static void
check_prepared(const struct event *e, struct arena *a)
{
    struct event again = *e;

    if (!event_id_is_given(e->id))
        again.id = SLICE_EMPTY;
    assert(event_prepare(&again, a, NULL) == ERR_OK);
    assert(slice_equal(again.visitor, e->visitor) && slice_equal(again.id, e->id));
    for (int k = 0; k < TEXT_COUNT; k++)
        assert(slice_equal(again.text[k], e->text[k]));
    assert(again.n_properties == e->n_properties);
    for (uint32_t i = 0; i < e->n_properties; i++)
        assert(slice_equal(again.properties[i].value, e->properties[i].value));
}

static void
take_row(struct import *m, struct slice record)
{
    struct err err = ERR_NONE;
    struct given g;
    enum err_code rc;

    arena_reset(&m->row);
    rc = import_row_read(&m->shape, record, m->fields, &m->row, &g, &err);
    if (rc == ERR_OK)
        check_prepared(&g.event, &m->row);
    if (rc == ERR_OK)
        rc = segment_builder_add(m->builder, &g.event, &err);
    assert(rc == ERR_OK || err.message[0] != '\0');
}

/* False where the file cannot be read with this header. */
static bool
take_record(struct import *m, const struct source_block *b, const struct source_record *r)
{
    struct err err = ERR_NONE;

    assert(r->line > m->line && r->at <= b->bytes.n && r->n <= b->bytes.n - r->at);
    m->line = r->line;
    if (r->why != NULL) {
        assert(r->why[0] != '\0');
        return m->has_header;
    }
    if (m->has_header) {
        take_row(m, source_text(b, r));
        return true;
    }
    m->has_header = true;
    if (import_row_header(&m->shape, source_text(b, r), &m->arena, &err) == ERR_OK)
        return true;
    assert(err.message[0] != '\0');
    return false;
}

static void
read_records(struct import *m, struct source *s, size_t n_bytes)
{
    struct source_block b = {.n_records = 0};
    bool goes_on = true;

    while (goes_on && source_read(s, &b))
        for (size_t i = 0; goes_on && i < b.n_records; i++)
            goes_on = take_record(m, &b, &b.records[i]);
    assert(!source_failed(s, NULL));
    assert(!goes_on || (size_t)source_bytes(s) == n_bytes);
    source_block_fini(&b);
}

static void
import_file(struct import *m, const char *bytes, size_t n)
{
    struct segment_owner owner = {.hash_seed = 1};
    struct source *s = NULL;
    char path[64];
    int fd = memory_file(bytes, n, path);

    if (source_open(path, IMPORT_FORMAT, &s, NULL) != ERR_OK)
        abort();
    m->has_header = IMPORT_FORMAT != SOURCE_CSV;
    m->line = 0;
    m->builder = segment_builder_create(&owner);
    m->fields = mem_alloc(SOURCE_FIELDS_MAX * sizeof *m->fields);
    arena_init(&m->row, 16 * 1024);
    read_records(m, s, n);
    arena_fini(&m->row);
    free(m->fields);
    segment_builder_destroy(&m->builder);
    source_close(&s);
    close(fd);
}

/* With a map that is read as --map reads it. */
static void
import_mapped(struct import *m, struct slice map, struct slice file)
{
    struct import_map *read = NULL;
    struct err err = ERR_NONE;
    char path[64];
    int fd = memory_file(map.p, map.n, path);

    arena_init(&m->arena, 16 * 1024);
    if (import_map_read(path, &m->arena, &read, &err) == ERR_OK) {
        m->shape.map = read;
        import_file(m, file.p, file.n);
    } else {
        assert(err.message[0] != '\0');
    }
    m->shape.map = NULL;
    import_map_close(&read);
    arena_fini(&m->arena);
    close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct enrich *enrich;
    struct slice all = slice_of((const char *)bytes, n);
    const char *cut = n > 0 ? memmem(bytes, n, "\n%%\n", 4) : NULL;
    struct import m = {
        .shape = {.format = IMPORT_FORMAT,
                  .site = {.id = 1, .domain = SLICE("shop.example"), .currency = SLICE("USD")}}};

    if (!enrich && enrich_open(NULL, &enrich, NULL) != ERR_OK)
        abort();
    m.shape.enrich = enrich;
    if (cut != NULL) {
        size_t n_map = (size_t)(cut - all.p);

        import_mapped(&m, slice_sub(all, 0, n_map), slice_sub(all, n_map + 4, SIZE_MAX));
        return 0;
    }
    import_mapped(&m, SLICE(MAP), all);
    arena_init(&m.arena, 16 * 1024);
    import_file(&m, all.p, all.n);
    arena_fini(&m.arena);
    return 0;
}
