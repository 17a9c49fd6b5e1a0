/* corong import: events of another system into segments, in bounded memory.
 *
 * Rows go through the same door as beacons (cmd/import_row.h), on all cores (cmd/import_work.h);
 * what is good is written, merged as if it had been there for long, and committed at the end, in
 * one commit, also beside a running aggregator; what is not is listed with its line and reason.
 * Nothing is stored where the import itself fails.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aggregator/site.h"
#include "aggregator/writer.h"
#include "cmd/cmd.h"
#include "cmd/import_work.h"
#include "core/clock.h"

#define KEPT_MAX    (256 << 20) /* bytes that are free */
#define PROGRESS_MS 100
#define BAR_WIDTH   30

struct import {
    struct cmd *c;
    struct source *source;
    struct import_map *map;
    struct import_shape shape;
    struct segment_owner owner;
    struct writer *writer;
    struct import_work *work;
    int n_threads;
    int64_t n_rows;
    int64_t n_stored; /* rows handed to the writer; repeats among them are found by it */
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

/* ---- merging what was written ---- */

struct merging {
    struct import *import;
    pthread_mutex_t lock;
    size_t n_months;
    size_t next;
    enum err_code rc; /* the first error */
    struct err err;
};

/* The next month to be merged; false where none is left or one has failed. */
static bool
take_month(struct merging *g, size_t *out)
{
    bool is_one;

    pthread_mutex_lock(&g->lock);
    is_one = g->rc == ERR_OK && g->next < g->n_months;
    *out = g->next;
    g->next += is_one;
    pthread_mutex_unlock(&g->lock);
    return is_one;
}

static void *
run_merging(void *context)
{
    struct merging *g = context;
    struct import *m = g->import;
    size_t month;

    while (take_month(g, &month)) {
        struct err err = ERR_NONE;
        enum err_code rc = writer_merge_month(m->writer, month, m->shape.site.id, &cmd_stop, &err);

        pthread_mutex_lock(&g->lock);
        if (rc != ERR_OK && g->rc == ERR_OK) {
            g->rc = rc;
            g->err = err;
        }
        pthread_mutex_unlock(&g->lock);
    }
    return NULL;
}

/* Put merged files in the place of those that the workers wrote, month by month. */
static enum err_code
merge_all(struct import *m, struct err *err)
{
    struct merging g = {.import = m, .n_months = writer_months(m->writer), .rc = ERR_OK};
    size_t n_threads = (size_t)m->n_threads < g.n_months ? (size_t)m->n_threads : g.n_months;
    pthread_t *threads = mem_alloc(n_threads * sizeof *threads);
    size_t n = 0;

    pthread_mutex_init(&g.lock, NULL);
    while (n + 1 < n_threads && pthread_create(&threads[n], NULL, run_merging, &g) == 0)
        n++;
    run_merging(&g);
    for (size_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&g.lock);
    free(threads);
    if (g.rc != ERR_OK)
        *err = g.err;
    return g.rc;
}

/* ---- the whole file ---- */

/* A block came back: count it and say what was refused in it. */
static enum err_code
report(struct import *m, const struct import_block *b, struct err *err)
{
    m->n_rows += (int64_t)b->text.n_records;
    m->n_stored += b->n_stored;
    m->n_rejected += b->n_rejected;
    if (b->refusals.n > 0) {
        clear_progress(m);
        fwrite(b->refusals.p, 1, b->refusals.n, stderr);
    }
    show_progress(m);
    if (b->rc != ERR_OK)
        *err = b->err;
    return b->rc;
}

/* CSV begins with its header, which is no row of the block that it came in. */
static enum err_code
take_header(struct import *m, struct source_block *text, struct err *err)
{
    struct source_record *first = text->records;
    enum err_code rc;

    if (first->why != NULL)
        return err_set(err, ERR_INVALID, NULL, "line %lld: %s", (long long)first->line, first->why);
    rc = import_row_header(&m->shape, source_text(text, first), &m->c->arena, err);
    memmove(first, first + 1, --text->n_records * sizeof *first);
    return rc;
}

/* Give the workers one more block; *at_end is set where there is none. */
static enum err_code
give_block(struct import *m, bool *at_end, struct err *err)
{
    struct import_block *b = import_work_room(m->work);
    enum err_code rc = ERR_OK;

    *at_end = !source_read(m->source, &b->text);
    if (*at_end && source_failed(m->source, err))
        return err->code;
    if (m->shape.format == SOURCE_CSV && m->shape.columns == NULL)
        rc = *at_end ? err_set(err, ERR_INVALID, NULL, "no header line: the file is empty")
                     : take_header(m, &b->text, err);
    if (rc == ERR_OK && !*at_end)
        import_work_give(m->work);
    return rc;
}

static enum err_code
read_rows(struct import *m, struct err *err)
{
    enum err_code rc = ERR_OK;
    bool at_end = false;

    while (rc == ERR_OK) {
        struct import_block *b;

        if (atomic_load_explicit(&cmd_stop, memory_order_relaxed))
            rc = err_set(err, ERR_CONFLICT, NULL, "interrupted; nothing was stored");
        else if (!at_end && import_work_has_room(m->work))
            rc = give_block(m, &at_end, err);
        else if ((b = import_work_collect(m->work)) != NULL)
            rc = report(m, b, err);
        else
            break;
    }
    return rc == ERR_OK ? import_work_finish(m->work, err) : rc;
}

static enum err_code
import_rows(struct import *m, struct err *err)
{
    struct import_work_config config = {
        .shape = &m->shape, .writer = m->writer, .owner = m->owner, .n_threads = m->n_threads};
    enum err_code rc;

    m->work = import_work_start(&config);
    rc = read_rows(m, err);
    import_work_stop(&m->work);
    if (rc == ERR_OK)
        rc = merge_all(m, err);
    if (rc == ERR_OK)
        rc = writer_commit(m->writer, NULL, err);
    clear_progress(m);
    return rc;
}

static int
say_result(struct import *m)
{
    long long written = (long long)writer_rows(m->writer);
    long long erased = (long long)writer_erased(m->writer);
    long long repeats = (long long)m->n_stored - written - erased;

    if (cmd_flag(m->c, "--json"))
        printf("{\"rows\":%lld,\"events\":%lld,\"repeats\":%lld,\"rejected\":%lld,"
               "\"erased\":%lld}\n",
               (long long)m->n_rows, written, repeats, (long long)m->n_rejected, erased);
    else
        printf("%lld rows: %lld events, %lld repeats of others in the file, %lld rejected\n",
               (long long)m->n_rows, written, repeats, (long long)m->n_rejected);
    if (erased != 0 && !cmd_flag(m->c, "--json"))
        printf("%lld events are of visitors who were erased: they are not stored\n", erased);
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
    uint32_t n = 0;
    enum err_code rc = settings_db_open(store, &db, err);

    if (rc == ERR_OK)
        rc = site_find(db, cmd_word(m->c, 0), &m->c->arena, &site, err);
    if (rc == ERR_OK) {
        m->shape.site =
            (struct enrich_site){.id = site.id, .domain = site.domain, .currency = site.currency};
        m->shape.site.ignored_referrers = site_quiet_hosts(&site, &m->c->arena, &n);
        m->shape.site.n_ignored_referrers = n;
    }
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
        rc = enrich_open(places[0] ? places : NULL, &m->shape.enrich, err);
    if (rc == ERR_OK)
        rc = source_open(m->c->words[1], format, &m->source, err);
    if (rc == ERR_OK)
        m->shape.format = source_format(m->source);
    m->shape.map = m->map;
    return rc;
}

static int
count_cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > 1024 ? 1024 : (int)n;
}

/* Columns of megabytes are made and freed one after the other: what is given back to the kernel
 * would be asked of it again, page by page. */
static void
keep_freed_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, KEPT_MAX / 8); /* no more is allowed */
    mallopt(M_TRIM_THRESHOLD, KEPT_MAX);
}

int
cmd_import(struct cmd *c)
{
    struct import m = {.c = c, .n_threads = count_cores(), .shows_progress = isatty(STDERR_FILENO)};
    struct catalog *catalog = NULL;
    struct store store;
    struct err err = ERR_NONE;
    enum err_code rc;
    int status;

    if (c->n_words != 2)
        return cmd_usage(c);
    cmd_catch_signals();
    keep_freed_memory();
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
        m.owner = store_owner(&store);
        rc = import_rows(&m, &err);
    }
    status = rc == ERR_OK ? say_result(&m) : cmd_fail(&err);
    writer_close(&m.writer);
    catalog_close(&catalog);
    source_close(&m.source);
    enrich_close(&m.shape.enrich);
    import_map_close(&m.map);
    return status;
}
