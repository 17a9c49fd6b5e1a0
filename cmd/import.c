/* corong import: events of another system into segments, in bounded memory.
 *
 * Rows go through the same door as beacons (collector/beacon.h, enrich.h); what is good is written
 * and committed at the end, in one commit, also beside a running aggregator; what is not is listed
 * with its line and reason. Nothing is stored where the import itself fails.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aggregator/segment/writer.h"
#include "aggregator/site.h"
#include "aggregator/writer.h"
#include "cmd/cmd.h"
#include "cmd/import_json.h"
#include "cmd/import_map.h"
#include "cmd/import_source.h"
#include "collector/enrich.h"
#include "core/clock.h"

#define FLUSH_BYTES (128u << 20)
#define FLUSH_ROWS  1000000
#define PROGRESS_MS 100
#define ROW_ARENA   (256 * 1024)
#define BAR_WIDTH   30

struct import {
    struct cmd *c;
    struct source *source;
    struct import_map *map; /* NULL: columns are named as an event's fields */
    struct enrich *enrich;
    struct enrich_site site;
    struct segment_builder *builder;
    struct writer *writer;
    struct arena row;      /* of one row */
    struct slice *columns; /* CSV's header */
    size_t n_columns;
    int64_t n_rows;
    int64_t n_stored; /* rows handed to the builder; repeats among them are found by the writer */
    int64_t n_rejected;
    int64_t next_progress_ms;
    bool shows_progress;
};

/* ---- what people see meanwhile ---- */

static void
clear_progress(struct import *m)
{
    if (m->shows_progress)
        fputs("\r\033[K", stderr);
}

static void
show_progress(struct import *m)
{
    int64_t now = clock_steady_ms();
    int64_t total = source_bytes_total(m->source);
    int done;

    if (!m->shows_progress || now < m->next_progress_ms)
        return;
    m->next_progress_ms = now + PROGRESS_MS;
    if (total > 0) {
        done = (int)(source_bytes(m->source) * BAR_WIDTH / total);
        fprintf(stderr, "\r\033[K[%.*s%*s] %3d%%  ", done, "##############################",
                BAR_WIDTH - done, "", (int)(source_bytes(m->source) * 100 / total));
    } else {
        fputs("\r\033[K", stderr);
    }
    fprintf(stderr, "%lld rows, %lld rejected", (long long)m->n_rows, (long long)m->n_rejected);
}

static void
reject(struct import *m, int64_t line, const char *field, const char *why)
{
    m->n_rejected++;
    clear_progress(m);
    fprintf(stderr, "line %lld: %s%s%s\n", (long long)line, field, field[0] ? ": " : "", why);
}

/* ---- one row ---- */

/* CSV without a map: every column is a field by its own name. */
static enum err_code
set_columns(struct import *m, const struct source_row *row, struct given *g, struct err *err)
{
    given_init(g, ORIGIN_IMPORT);
    for (size_t i = 0; i < m->n_columns; i++) {
        enum err_code rc = given_set(g, m->columns[i], row->fields[i], &m->row, err);

        if (rc != ERR_OK)
            return rc;
    }
    return ERR_OK;
}

static enum err_code
read_csv(struct import *m, const struct source_row *row, struct given *g, struct err *err)
{
    struct import_row mapped = {row->n_fields, m->columns, row->fields};

    if (row->n_fields != m->n_columns)
        return err_set(err, ERR_INVALID, NULL, "has %zu fields where the header has %zu",
                       row->n_fields, m->n_columns);
    if (m->map == NULL)
        return set_columns(m, row, g, err);
    given_init(g, ORIGIN_IMPORT);
    return import_map_apply(m->map, &mapped, g, &m->row, err);
}

static enum err_code
read_line(struct import *m, struct slice line, struct given *g, struct err *err)
{
    struct import_row mapped;
    struct slice *names;
    struct slice *values;
    enum err_code rc;

    if (m->map == NULL)
        return beacon_parse_line(line, &m->row, g, err);
    rc = import_json_row(line, &m->row, &names, &values, &mapped.n, err);
    if (rc != ERR_OK)
        return rc;
    mapped.names = names;
    mapped.values = values;
    given_init(g, ORIGIN_IMPORT);
    return import_map_apply(m->map, &mapped, g, &m->row, err);
}

static enum err_code
flush(struct import *m, struct err *err)
{
    if (segment_builder_rows(m->builder) == 0)
        return ERR_OK;
    return writer_add(m->writer, m->builder, err);
}

/* A row that is wrong is rejected and ERR_OK; an error is one of ours. */
static enum err_code
import_row(struct import *m, const struct source_row *row, struct err *err)
{
    struct err why = ERR_NONE;
    struct given g;
    enum err_code rc;

    arena_reset(&m->row);
    rc = source_format(m->source) == SOURCE_CSV ? read_csv(m, row, &g, &why)
                                                : read_line(m, row->fields[0], &g, &why);
    if (rc == ERR_OK && g.event.visitor.n == 0) /* what most foreign logs lack, said first */
        rc = err_set(&why, ERR_INVALID, "visitor", "missing or empty");
    if (rc == ERR_OK && !g.has_time)
        rc = err_set(&why, ERR_INVALID, "time", "missing or empty");
    if (rc == ERR_OK)
        rc = enrich_event(m->enrich, &m->site, &g, &m->row, &why);
    if (rc == ERR_OK)
        rc = segment_builder_add(m->builder, &g.event, &why);
    if (rc != ERR_OK) {
        reject(m, row->line, why.field, why.message);
        return ERR_OK;
    }
    m->n_stored++;
    if (segment_builder_rows(m->builder) >= FLUSH_ROWS ||
        segment_builder_bytes(m->builder) >= FLUSH_BYTES)
        return flush(m, err);
    return ERR_OK;
}

/* ---- the whole file ---- */

/* CSV begins with its header: without a map, every column must be a field's name. */
static enum err_code
read_header(struct import *m, struct err *err)
{
    struct source_row row;
    struct given probe;

    switch (source_next(m->source, &row)) {
    case SOURCE_ROW:
        break;
    case SOURCE_BAD:
        return err_set(err, ERR_INVALID, NULL, "line %lld: %s", (long long)row.line, row.why);
    default:
        return source_failed(m->source, err)
                   ? err->code
                   : err_set(err, ERR_INVALID, NULL, "no header line: the file is empty");
    }
    m->columns = ARENA_ARRAY(&m->c->arena, struct slice, row.n_fields);
    m->n_columns = row.n_fields;
    for (size_t i = 0; i < row.n_fields; i++)
        m->columns[i] = arena_copy(&m->c->arena, slice_trim(row.fields[i]));
    if (m->map != NULL)
        return import_map_check(m->map, m->columns, m->n_columns, err);
    given_init(&probe, ORIGIN_IMPORT);
    for (size_t i = 0; i < m->n_columns; i++) {
        struct err why;

        /* an empty value is a field not given: only the name is looked at */
        if (given_set(&probe, m->columns[i], SLICE_EMPTY, &m->row, &why) != ERR_OK)
            return err_set(err, ERR_INVALID, NULL,
                           "line 1: column \"%.*s\": %s; say what the columns are with --map (see "
                           "corong help import)",
                           SLICE_ARG(slice_sub(m->columns[i], 0, 90)), why.message);
    }
    return ERR_OK;
}

static enum err_code
import_rows(struct import *m, struct err *err)
{
    enum err_code rc = ERR_OK;
    struct source_row row;
    enum source_got got;

    if (source_format(m->source) == SOURCE_CSV)
        rc = read_header(m, err);
    while (rc == ERR_OK && (got = source_next(m->source, &row)) != SOURCE_END) {
        m->n_rows++;
        if (got == SOURCE_BAD)
            reject(m, row.line, "", row.why);
        else
            rc = import_row(m, &row, err);
        show_progress(m);
        if (atomic_load_explicit(&cmd_stop, memory_order_relaxed))
            rc = err_set(err, ERR_CONFLICT, NULL, "interrupted; nothing was stored");
    }
    if (rc == ERR_OK && source_failed(m->source, err))
        rc = err->code;
    if (rc == ERR_OK)
        rc = flush(m, err);
    if (rc == ERR_OK)
        rc = writer_commit(m->writer, NULL, err);
    clear_progress(m);
    return rc;
}

static int
say_result(struct import *m)
{
    long long written = (long long)writer_rows(m->writer);
    long long repeats = (long long)m->n_stored - written;

    if (cmd_flag(m->c, "--json"))
        printf("{\"rows\":%lld,\"events\":%lld,\"repeats\":%lld,\"rejected\":%lld}\n",
               (long long)m->n_rows, written, repeats, (long long)m->n_rejected);
    else
        printf("%lld rows: %lld events, %lld repeats of others in the file, %lld rejected\n",
               (long long)m->n_rows, written, repeats, (long long)m->n_rejected);
    return m->n_rejected > 0 ? CMD_FAILED : CMD_DONE;
}

/* ---- wiring ---- */

static enum err_code
read_format(struct cmd *c, enum source_format *out, struct err *err)
{
    const char *text = cmd_value(c, "--format");

    *out = SOURCE_GUESS;
    if (text == NULL)
        return ERR_OK;
    *out = strcmp(text, "csv") == 0 ? SOURCE_CSV : SOURCE_NDJSON;
    if (strcmp(text, "csv") == 0 || strcmp(text, "ndjson") == 0)
        return ERR_OK;
    return err_set(err, ERR_USAGE, "--format", "--format: give ndjson or csv");
}

static enum err_code
find_site(struct import *m, const struct store *store, struct err *err)
{
    struct settings_db *db = NULL;
    struct site site;
    enum err_code rc = settings_db_open(store, &db, err);

    if (rc == ERR_OK)
        rc = site_find(db, cmd_word(m->c, 0), &m->c->arena, &site, err);
    if (rc == ERR_OK)
        m->site = (struct enrich_site){.id = site.id,
                                       .domain = site.domain,
                                       .currency = site.currency,
                                       .ignored_referrers = site.ignored_referrers,
                                       .n_ignored_referrers = site.n_ignored_referrers};
    settings_db_close(&db);
    return rc;
}

static enum err_code
open_inputs(struct import *m, struct err *err)
{
    const char *map = cmd_value(m->c, "--map");
    const char *places = settings_text(m->c->settings, "place-db");
    enum source_format format;
    enum err_code rc = read_format(m->c, &format, err);

    if (rc == ERR_OK && map != NULL)
        rc = import_map_read(map, &m->c->arena, &m->map, err);
    if (rc == ERR_OK)
        rc = enrich_open(places[0] ? places : NULL, &m->enrich, err);
    if (rc == ERR_OK)
        rc = source_open(m->c->words[1], format, &m->source, err);
    return rc;
}

int
cmd_import(struct cmd *c)
{
    struct import m = {.c = c, .shows_progress = isatty(STDERR_FILENO)};
    struct catalog *catalog = NULL;
    struct segment_owner owner;
    struct store store;
    struct err err = ERR_NONE;
    enum err_code rc;
    int status;

    if (c->n_words != 2)
        return cmd_usage(c);
    cmd_catch_signals();
    arena_init(&m.row, ROW_ARENA);
    rc = store_open(settings_text(c->settings, "data"), false, &store, &err);
    if (rc == ERR_OK)
        rc = find_site(&m, &store, &err);
    if (rc == ERR_OK)
        rc = open_inputs(&m, &err);
    if (rc == ERR_OK)
        rc = catalog_open(&store, true, &catalog, &err);
    if (rc == ERR_OK)
        rc = writer_open(&store, catalog, CATALOG_IMPORT, &m.writer, &err);
    if (rc == ERR_OK) {
        owner = store_owner(&store);
        m.builder = segment_builder_create(&owner);
        rc = import_rows(&m, &err);
    }
    status = rc == ERR_OK ? say_result(&m) : cmd_fail(&err);
    segment_builder_destroy(&m.builder);
    writer_close(&m.writer);
    catalog_close(&catalog);
    source_close(&m.source);
    enrich_close(&m.enrich);
    import_map_close(&m.map);
    arena_fini(&m.row);
    return status;
}
