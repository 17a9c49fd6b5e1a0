/* The catalog: rows and commits. What is not here: files, alarms, what a segment's bytes mean. */
#include "aggregator/catalog_int.h"

#include <assert.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/hash.h"

#define APPLICATION_ID 0x436f7263 /* "Corc" */

static const char schema_1[] =
    "CREATE TABLE segments(name TEXT PRIMARY KEY, site INTEGER NOT NULL, month INTEGER NOT NULL,"
    " n_rows INTEGER NOT NULL, min_time_ms INTEGER NOT NULL, max_time_ms INTEGER NOT NULL,"
    " n_bytes INTEGER NOT NULL, created_ms INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " check64 INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE positions(stream TEXT PRIMARY KEY, epoch TEXT NOT NULL, ms INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, entries INTEGER NOT NULL, check64 INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE summary(one INTEGER PRIMARY KEY CHECK(one = 1), generation INTEGER NOT NULL,"
    " n INTEGER NOT NULL, check64 INTEGER NOT NULL);"
    "INSERT INTO summary VALUES(1, 0, 0, 0);"
    "CREATE TABLE replaced(name TEXT PRIMARY KEY, replaced_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE alarms(code TEXT PRIMARY KEY, message TEXT NOT NULL, first_ms INTEGER NOT NULL,"
    " last_ms INTEGER NOT NULL, n INTEGER NOT NULL) WITHOUT ROWID;";

/* seq rises with every row that is written, so that a reader can ask for what came since. */
static const char schema_2[] =
    "CREATE TABLE links(seq INTEGER PRIMARY KEY AUTOINCREMENT, site INTEGER NOT NULL,"
    " is_handover INTEGER NOT NULL, visitor TEXT NOT NULL, known TEXT NOT NULL,"
    " time_ms INTEGER NOT NULL, id BLOB NOT NULL, check64 INTEGER NOT NULL,"
    " UNIQUE(site, visitor, known, is_handover));"
    "CREATE TABLE link_sums(site INTEGER PRIMARY KEY, n INTEGER NOT NULL,"
    " check64 INTEGER NOT NULL);";

/* Who was erased is known by two hashes, so that no tombstone holds the id. */
static const char schema_3[] =
    "CREATE TABLE tombstones(site INTEGER NOT NULL, hash INTEGER NOT NULL, other INTEGER NOT NULL,"
    " until_ms INTEGER NOT NULL, created_ms INTEGER NOT NULL, check64 INTEGER NOT NULL,"
    " PRIMARY KEY(site, hash, other)) WITHOUT ROWID;"
    "CREATE TABLE tombstone_sum(one INTEGER PRIMARY KEY CHECK(one = 1), n INTEGER NOT NULL,"
    " check64 INTEGER NOT NULL);"
    "INSERT INTO tombstone_sum VALUES(1, 0, 0);";

static const char *const schema[] = {schema_1, schema_2, schema_3};
#define SCHEMA_VERSION ((int)(sizeof schema / sizeof *schema))

struct summary {
    uint64_t generation;
    uint64_t n;
    uint64_t check;
};

/* ---- Opening ---- */

static bool
has_segments(const struct store *s)
{
    struct dirent *entry;
    DIR *dir = opendir(s->segments);
    bool is_found = false;

    while (dir && !is_found && (entry = readdir(dir)) != NULL)
        is_found = slice_ends_with(slice_from(entry->d_name), SLICE(".seg"));
    if (dir)
        closedir(dir);
    return is_found;
}

static enum err_code
catalog_is_lost(const char *path, struct err *err)
{
    return err_set(err, ERR_CORRUPT, NULL,
                   "%s is missing or empty, but there are segments, which only it can name: put "
                   "it back, or run `corong check --repair`; nothing was changed",
                   path);
}

static enum err_code
check_schema(sqlite3 *db, const char *path, struct err *err)
{
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc =
        sql_first(db, &s, &has_row, err, "SELECT 1 FROM sqlite_schema WHERE name = 'summary'", "");

    sqlite3_finalize(s);
    return rc == ERR_OK && !has_row ? catalog_is_lost(path, err) : rc;
}

static enum err_code
open_file(const struct store *s, const char *name, bool create, bool must_exist,
          struct catalog **out, struct err *err)
{
    char path[FILE_PATH_MAX];
    struct sql_database database = {path, APPLICATION_ID, SCHEMA_VERSION, 0640, create};
    sqlite3 *db = NULL;
    enum err_code rc;

    store_path(s, name, path);
    if (must_exist && !file_exists(path))
        return catalog_is_lost(path, err);
    rc = sql_open(&database, &db, err);
    if (rc == ERR_OK && must_exist)
        rc = check_schema(db, path, err);
    if (rc == ERR_OK)
        rc = sql_migrate(db, schema, SCHEMA_VERSION, err);
    if (rc != ERR_OK) {
        sql_close(&db);
        return rc;
    }
    *out = mem_zalloc(sizeof **out);
    (*out)->db = db;
    (*out)->owner = store_owner(s);
    memcpy((*out)->dir, s->dir, sizeof(*out)->dir);
    catalog__mark_path(s, *out);
    store_path(s, "erased", (*out)->erased_path);
    return ERR_OK;
}

/* A catalog is made before the first segment. Where there are segments and none to name them, a new
 * one would count nothing, and the next clean-up would unlink them all. */
enum err_code
catalog_open(const struct store *s, bool create, struct catalog **out, struct err *err)
{
    bool must_exist = has_segments(s); /* asked first: another process may be making both */
    enum err_code rc = open_file(s, "catalog.db", create, must_exist, out, err);

    if (rc == ERR_OK)
        rc = catalog__mark_check(*out, err);
    if (rc != ERR_OK)
        catalog_close(out);
    return rc;
}

enum err_code
catalog_create_again(const struct store *s, struct catalog **out, struct err *err)
{
    return open_file(s, "catalog.db", true, false, out, err);
}

enum err_code
catalog_open_copy(const struct store *s, struct catalog **out, struct err *err)
{
    return open_file(s, CATALOG_COPY, false, false, out, err);
}

void
catalog_close(struct catalog **c)
{
    if (!*c)
        return;
    sql_close(&(*c)->db);
    free(*c);
    *c = NULL;
}

/* ---- Rows and their checks ---- */

struct catalog_segment
catalog_segment_of(const struct segment_file *file, enum catalog_kind kind)
{
    const struct segment_info *info = &file->info;
    struct catalog_segment row = {
        .site = info->n_sites == 1 ? file->sites[0].site : 0,
        .month = info->month,
        .n_rows = info->n_rows,
        .min_time_ms = info->time_min_ms,
        .max_time_ms = info->time_max_ms,
        .n_bytes = info->n_bytes,
        .created_ms = info->created_ms,
        .kind = kind,
    };

    memcpy(row.name, file->name, sizeof row.name);
    return row;
}

static uint64_t
row_check(const struct catalog_segment *s)
{
    unsigned char bytes[CATALOG_NAME_MAX + 8 * 8] = {0};
    unsigned char *p = bytes + CATALOG_NAME_MAX;
    uint64_t fields[8] = {s->site,
                          s->month,
                          s->n_rows,
                          (uint64_t)s->min_time_ms,
                          (uint64_t)s->max_time_ms,
                          s->n_bytes,
                          (uint64_t)s->created_ms,
                          s->kind};

    memcpy(bytes, s->name, strnlen(s->name, CATALOG_NAME_MAX));
    for (int i = 0; i < 8; i++)
        store_u64(p + 8 * i, fields[i]);
    return checksum64(bytes, sizeof bytes);
}

static uint64_t
position_check(struct slice stream, const struct catalog_position *p)
{
    char text[256];
    int n = snprintf(text, sizeof text, "%.*s %s %" PRIu64 "-%" PRIu64 " %" PRIu64,
                     SLICE_ARG(stream), p->epoch, p->id.ms, p->id.seq, p->n_entries);

    assert(n > 0 && n < (int)sizeof text);
    return checksum64(text, (size_t)n);
}

#define SEGMENT_COLUMNS                                                                            \
    "name, site, month, n_rows, min_time_ms, max_time_ms, n_bytes, created_ms, kind, check64"

/* False where the row is damaged. */
static bool
read_segment(sqlite3_stmt *s, struct catalog_segment *out, uint64_t *out_check)
{
    *out = (struct catalog_segment){.name = ""};
    if (!slice_to_cstr(sql_text(s, 0), out->name, sizeof out->name))
        return false;
    out->site = (uint32_t)sqlite3_column_int64(s, 1);
    out->month = (uint32_t)sqlite3_column_int64(s, 2);
    out->n_rows = (uint64_t)sqlite3_column_int64(s, 3);
    out->min_time_ms = sqlite3_column_int64(s, 4);
    out->max_time_ms = sqlite3_column_int64(s, 5);
    out->n_bytes = (uint64_t)sqlite3_column_int64(s, 6);
    out->created_ms = sqlite3_column_int64(s, 7);
    out->kind = (enum catalog_kind)sqlite3_column_int64(s, 8);
    *out_check = (uint64_t)sqlite3_column_int64(s, 9);
    return *out_check == row_check(out) && strchr(out->name, '/') == NULL;
}

static enum err_code
read_summary(sqlite3 *db, struct summary *out, struct err *err)
{
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc = sql_first(db, &s, &has_row, err,
                                 "SELECT generation, n, check64 FROM summary WHERE one = 1", "");

    if (rc == ERR_OK && !has_row)
        rc = err_set(err, ERR_CORRUPT, NULL, "catalog.db has no summary: run `corong check`");
    if (rc == ERR_OK)
        *out = (struct summary){(uint64_t)sqlite3_column_int64(s, 0),
                                (uint64_t)sqlite3_column_int64(s, 1),
                                (uint64_t)sqlite3_column_int64(s, 2)};
    sqlite3_finalize(s);
    return rc;
}

/* ---- Positions ---- */

static enum err_code
read_position(sqlite3 *db, struct slice stream, struct catalog_position *out, struct err *err)
{
    struct catalog_position p = {.epoch = ""};
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    uint64_t check;
    enum err_code rc = sql_first(
        db, &s, &has_row, err,
        "SELECT epoch, ms, seq, entries, check64 FROM positions WHERE stream = ?", "t", stream);

    if (rc != ERR_OK || !has_row)
        goto done;
    slice_to_cstr(sql_text(s, 0), p.epoch, sizeof p.epoch);
    p.id.ms = (uint64_t)sqlite3_column_int64(s, 1);
    p.id.seq = (uint64_t)sqlite3_column_int64(s, 2);
    p.n_entries = (uint64_t)sqlite3_column_int64(s, 3);
    check = (uint64_t)sqlite3_column_int64(s, 4);
    if (check != position_check(stream, &p))
        rc = err_set(err, ERR_CORRUPT, NULL,
                     "catalog.db: the position of %.*s is damaged: run `corong check`",
                     SLICE_ARG(stream));
    else
        *out = p;
done:
    sqlite3_finalize(s);
    return rc == ERR_OK && !has_row
               ? err_set(err, ERR_NOT_FOUND, NULL, "%.*s was never read", SLICE_ARG(stream))
               : rc;
}

enum err_code
catalog_position_get(struct catalog *c, const char *stream, struct catalog_position *out,
                     struct err *err)
{
    return read_position(c->db, slice_from(stream), out, err);
}

static bool
position_is(const struct catalog_position *p, const char *epoch, struct stream_id id)
{
    return strcmp(p->epoch, epoch) == 0 && stream_id_compare(p->id, id) == 0;
}

/* Within a transaction: the row becomes `after` if it still is `before`. */
static enum err_code
update_position(sqlite3 *db, struct slice stream, const struct catalog_position *before,
                const struct catalog_position *after, struct err *err)
{
    int n_changed = 0;
    enum err_code rc;

    rc =
        sql_do(db, &n_changed, err,
               "UPDATE positions SET epoch = ?, ms = ?, seq = ?, entries = ?, check64 = ?"
               " WHERE stream = ? AND epoch = ? AND ms = ? AND seq = ?",
               "tiiiittii", slice_from(after->epoch), (int64_t)after->id.ms, (int64_t)after->id.seq,
               (int64_t)after->n_entries, (int64_t)position_check(stream, after), stream,
               slice_from(before->epoch), (int64_t)before->id.ms, (int64_t)before->id.seq);
    if (rc == ERR_OK && n_changed != 1)
        rc = err_set(err, ERR_CONFLICT, NULL,
                     "another aggregator has committed the position of %.*s", SLICE_ARG(stream));
    return rc;
}

static enum err_code
advance_position(sqlite3 *db, const struct catalog_advance *advance, struct err *err)
{
    struct slice stream = slice_from(advance->stream);
    struct catalog_position now = {.epoch = ""};
    struct catalog_position before = {.epoch = "", .id = advance->from};
    struct catalog_position after;
    enum err_code rc;

    rc = read_position(db, stream, &now, err);
    if (rc != ERR_OK)
        return rc == ERR_NOT_FOUND
                   ? err_set(err, ERR_CONFLICT, NULL, "%s has no position", advance->stream)
                   : rc;
    slice_to_cstr(slice_from(advance->epoch), before.epoch, sizeof before.epoch);
    after = before;
    after.id = advance->to;
    after.n_entries = now.n_entries + advance->n_entries;
    return update_position(db, stream, &before, &after, err);
}

enum err_code
catalog_position_reset(struct catalog *c, const char *stream, const struct catalog_position *before,
                       const char *epoch, struct err *err)
{
    struct catalog_position after = {.epoch = ""};
    struct slice name = slice_from(stream);
    enum err_code rc;

    if (!slice_to_cstr(slice_from(epoch), after.epoch, sizeof after.epoch))
        return err_set(err, ERR_INVALID, NULL, "the stream's epoch is too long");
    rc = sql_begin(c->db, err);
    if (rc != ERR_OK)
        return rc;
    if (before)
        rc = update_position(c->db, name, before, &after, err);
    else
        rc = sql_do(c->db, NULL, err, "INSERT INTO positions VALUES(?, ?, 0, 0, 0, ?)", "tti", name,
                    slice_from(after.epoch), (int64_t)position_check(name, &after));
    if (rc == ERR_EXISTS)
        rc = err_set(err, ERR_CONFLICT, NULL, "another aggregator reads %s", stream);
    if (rc == ERR_OK)
        rc = sql_commit(c->db, err);
    sql_rollback(c->db);
    return rc;
}

enum err_code
catalog_position_forget(struct catalog *c, const char *stream, struct err *err)
{
    return sql_do(c->db, NULL, err, "DELETE FROM positions WHERE stream = ?", "t",
                  slice_from(stream));
}

enum err_code
catalog_position_count(struct catalog *c, const char *stream, const char *epoch, uint64_t n_entries,
                       struct err *err)
{
    struct catalog_position before, after;
    enum err_code rc;

    rc = sql_begin(c->db, err);
    if (rc != ERR_OK)
        return rc;
    rc = read_position(c->db, slice_from(stream), &before, err);
    if (rc == ERR_OK && !position_is(&before, epoch, before.id))
        rc = err_set(err, ERR_CONFLICT, NULL, "%s has another epoch by now", stream);
    if (rc == ERR_OK) {
        after = before;
        after.n_entries += n_entries;
        rc = update_position(c->db, slice_from(stream), &before, &after, err);
    }
    if (rc == ERR_OK)
        rc = sql_commit(c->db, err);
    sql_rollback(c->db);
    return rc;
}

/* ---- Committing segments ---- */

static enum err_code
remove_segment(sqlite3 *db, const char *name, struct summary *sum, struct err *err)
{
    struct catalog_segment row;
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    uint64_t check = 0;
    enum err_code rc =
        sql_first(db, &s, &has_row, err, "SELECT " SEGMENT_COLUMNS " FROM segments WHERE name = ?",
                  "t", slice_from(name));

    if (rc == ERR_OK && !has_row)
        rc = err_set(err, ERR_CONFLICT, NULL, "segment %s is no longer live", name);
    if (rc == ERR_OK && !read_segment(s, &row, &check))
        rc = err_set(err, ERR_CORRUPT, NULL, "catalog.db: the row of %s is damaged", name);
    sqlite3_finalize(s);
    if (rc == ERR_OK)
        rc = sql_do(db, NULL, err, "DELETE FROM segments WHERE name = ?", "t", slice_from(name));
    if (rc == ERR_OK)
        rc = sql_do(db, NULL, err, "INSERT OR REPLACE INTO replaced VALUES(?, ?)", "ti",
                    slice_from(name), clock_wall_ms());
    sum->n--;
    sum->check ^= check;
    return rc;
}

static enum err_code
add_segment(sqlite3 *db, const struct catalog_segment *row, struct summary *sum, struct err *err)
{
    uint64_t check = row_check(row);

    sum->n++;
    sum->check ^= check;
    return sql_do(db, NULL, err,
                  "INSERT INTO segments(" SEGMENT_COLUMNS ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  "tiiiiiiiii", slice_from(row->name), (int64_t)row->site, (int64_t)row->month,
                  (int64_t)row->n_rows, row->min_time_ms, row->max_time_ms, (int64_t)row->n_bytes,
                  row->created_ms, (int64_t)row->kind, (int64_t)check);
}

static enum err_code
apply_change(struct catalog *c, const struct catalog_change *change, uint64_t *out_generation,
             struct err *err)
{
    sqlite3 *db = c->db;
    struct summary sum = {0};
    enum err_code rc;

    rc = change->advance ? advance_position(db, change->advance, err) : ERR_OK;
    if (rc == ERR_OK)
        rc = read_summary(db, &sum, err);
    for (size_t i = 0; rc == ERR_OK && i < change->n_remove; i++)
        rc = remove_segment(db, change->remove[i], &sum, err);
    for (size_t i = 0; rc == ERR_OK && i < change->n_add; i++)
        rc = add_segment(db, &change->add[i], &sum, err);
    if (rc == ERR_OK)
        rc = catalog__add_links(c, change->links, change->n_links, err);
    if (rc != ERR_OK)
        return rc;
    *out_generation = sum.generation + (change->n_add + change->n_remove != 0);
    return sql_do(db, NULL, err,
                  "UPDATE summary SET generation = ?, n = ?, check64 = ? WHERE one = 1", "iii",
                  (int64_t)*out_generation, (int64_t)sum.n, (int64_t)sum.check);
}

enum err_code
catalog_commit(struct catalog *c, const struct catalog_change *change, struct err *err)
{
    struct catalog_written written = {0, 0};
    uint64_t generation = 0;
    enum err_code rc;

    for (size_t i = 0; i < change->n_add; i++)
        *(change->n_remove == 0 ? &written.n_new_bytes : &written.n_merged_bytes) +=
            change->add[i].n_bytes;
    rc = sql_begin(c->db, err);
    if (rc != ERR_OK)
        return rc;
    rc = apply_change(c, change, &generation, err);
    if (rc == ERR_OK)
        rc = sql_commit(c->db, err);
    if (rc == ERR_OK && change->n_add + change->n_remove != 0)
        catalog__mark_committed(c, generation, &written);
    sql_rollback(c->db);
    return rc;
}

/* ---- Reading ---- */

static enum err_code
read_segments(sqlite3 *db, struct arena *a, struct catalog_list *list, struct err *err)
{
    sqlite3_stmt *s = NULL;
    size_t n_max = 64;
    uint64_t sum = 0;
    enum err_code rc;
    bool has_row = false;

    list->segments = ARENA_ARRAY(a, struct catalog_segment, n_max);
    rc = sql_first(db, &s, &has_row, err, "SELECT " SEGMENT_COLUMNS " FROM segments ORDER BY name",
                   "");
    for (; rc == ERR_OK && has_row; rc = sql_step(s, &has_row, err)) {
        uint64_t check = 0;

        if (list->n == n_max) {
            struct catalog_segment *more = ARENA_ARRAY(a, struct catalog_segment, 2 * n_max);

            memcpy(more, list->segments, n_max * sizeof *more);
            list->segments = more;
            n_max *= 2;
        }
        if (read_segment(s, &list->segments[list->n], &check)) {
            list->n++;
            sum ^= check;
        } else {
            list->n_bad++;
        }
    }
    sqlite3_finalize(s);
    list->is_whole = list->n_bad == 0 && sum == list->check;
    return rc;
}

enum err_code
catalog_reading_begin(struct catalog *c, struct err *err)
{
    return sql_run(c->db, "BEGIN", err);
}

void
catalog_reading_end(struct catalog *c)
{
    sql_rollback(c->db);
}

enum err_code
catalog_read(struct catalog *c, struct arena *a, struct catalog_list *out, struct err *err)
{
    bool is_ours = sqlite3_get_autocommit(c->db) != 0;
    struct catalog_list list = {0};
    struct summary sum = {0};
    enum err_code rc = ERR_OK;

    if (is_ours) /* one moment for the summary and the rows */
        rc = catalog_reading_begin(c, err);
    if (rc != ERR_OK)
        return rc;
    rc = read_summary(c->db, &sum, err);
    list.generation = sum.generation;
    list.check = sum.check;
    if (rc == ERR_OK)
        rc = read_segments(c->db, a, &list, err);
    if (is_ours)
        catalog_reading_end(c);
    if (rc != ERR_OK)
        return rc;
    list.is_whole = list.is_whole && list.n == sum.n;
    *out = list;
    return ERR_OK;
}

bool
catalog_segment_fits(const struct catalog_segment *s, uint32_t site, int64_t from_ms, int64_t to_ms)
{
    return (site == 0 || s->site == 0 || s->site == site) && s->max_time_ms >= from_ms &&
           s->min_time_ms < to_ms;
}

enum err_code
catalog_version(struct catalog *c, int64_t *out, struct err *err)
{
    return sql_data_version(c->db, out, err);
}

enum err_code
catalog_copy(struct catalog *c, const char *path, struct err *err)
{
    return sql_copy(c->db, path, err);
}

enum err_code
catalog_check(struct catalog *c, struct arena *a, struct slice *out, struct err *err)
{
    return sql_check(c->db, a, out, err);
}
