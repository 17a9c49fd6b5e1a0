/* Making a data folder of a backup. FORMAT, which every process reads first, is the last file to
 * get its name, so that an unfinished folder is none. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "aggregator/backup.h"
#include "aggregator/backup_int.h"
#include "aggregator/backup_manifest.h"
#include "aggregator/bad_entry.h"
#include "aggregator/batch.h"
#include "aggregator/writer.h"

#define FOLDER_MODE 0700
#define SECRET_MODE 0600
#define ROWS_MAX    65536 /* of one file of the stream's events */
#define BYTES_MAX   (16u << 20)
#define UNFINISHED  "FORMAT.restoring"

struct restore {
    const char *dir;
    const char *data;
    const char *erased; /* a file of tombstones; NULL: none */
    struct backup_manifest manifest;
    struct restore_result result;
    struct arena arena;
};

/* ---- Before anything is written ---- */

static enum err_code
check_empty(const char *data, struct err *err)
{
    enum err_code rc = ERR_OK;
    struct dirent *entry;
    DIR *d = opendir(data);

    if (!d)
        return errno == ENOENT ? ERR_OK : err_errno(err, "cannot open %s", data);
    while (rc == ERR_OK && (entry = readdir(d)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            strcmp(entry->d_name, "lost+found") != 0)
            rc = err_set(err, ERR_EXISTS, "data",
                         "%s is not empty: a backup is restored into an empty folder", data);
    closedir(d);
    return rc;
}

static bool
has_file(struct restore *k, const char *name)
{
    return backup_manifest_find(&k->manifest,
                                arena_printf(&k->arena, "%s/%s", k->manifest.state, name)) != NULL;
}

static enum err_code
verify(struct restore *k, restore_callback callback, void *context, struct err *err)
{
    struct err problem = ERR_NONE;

    if (!has_file(k, "FORMAT") || !has_file(k, "catalog.db") || !has_file(k, "settings.db"))
        return err_set(err, ERR_CORRUPT, NULL, "%s/manifest names no catalog, settings or FORMAT",
                       k->dir);
    for (size_t i = 0; i < k->manifest.n; i++) {
        if (backup_file_verify(k->dir, &k->manifest.files[i], &problem) == ERR_OK)
            continue;
        k->result.n_problems++;
        callback(problem.message, context);
    }
    if (k->result.n_problems == 0)
        return ERR_OK;
    return err_set(err, ERR_CORRUPT, NULL,
                   "%llu of the %zu files of %s are missing or damaged: nothing was restored",
                   (unsigned long long)k->result.n_problems, k->manifest.n, k->dir);
}

/* ---- Files ---- */

/* Where a file of the backup goes: what is in the state folder goes to the top. False: nowhere. */
static bool
target_of(const struct restore *k, const char *path, char *to)
{
    size_t n_state = strlen(k->manifest.state);
    const char *name = path;

    if (strncmp(path, k->manifest.state, n_state) == 0 && path[n_state] == '/')
        name = path + n_state + 1;
    if (strcmp(name, BACKUP_STREAM) == 0)
        return false;
    file_path(to, k->data, strcmp(name, "FORMAT") == 0 ? UNFINISHED : name);
    return true;
}

static enum err_code
copy_files(struct restore *k, struct err *err)
{
    static const char *const folders[] = {"segments", "bad", "spool"};
    char from[FILE_PATH_MAX], to[FILE_PATH_MAX];
    enum err_code rc = file_make_folder(k->data, FOLDER_MODE, err);

    for (size_t i = 0; rc == ERR_OK && i < sizeof folders / sizeof folders[0]; i++) {
        file_path(to, k->data, folders[i]);
        rc = file_make_folder(to, FOLDER_MODE, err);
    }
    for (size_t i = 0; rc == ERR_OK && i < k->manifest.n; i++) {
        const char *path = k->manifest.files[i].path.p;

        file_path(from, k->dir, path);
        if (target_of(k, path, to))
            rc = file_copy(from, to, SECRET_MODE, err);
        k->result.n_segments += strncmp(path, "segments/", 9) == 0;
    }
    return rc;
}

/* ---- The stream's entries ---- */

struct replay {
    struct restore *restore;
    const struct store *store;
    struct catalog *catalog;
    struct segment_builder *builder;
    struct writer *writer;
    struct arena event;
};

/* What cannot be read is kept as ingest keeps it. */
static enum err_code
replay_entry(struct replay *r, const struct stream_entry *entry, struct err *err)
{
    struct batch_count count = {0};
    struct err why = ERR_NONE;
    enum err_code rc = batch_read(entry->batch, r->builder, &r->event, &count, &why);

    r->restore->result.n_events += count.n_events;
    if (rc == ERR_VERSION || count.n_bad != 0) {
        r->restore->result.n_bad++;
        rc = bad_entry_keep(r->store, entry, err);
    }
    if (rc == ERR_OK && (segment_builder_rows(r->builder) >= ROWS_MAX ||
                         segment_builder_bytes(r->builder) >= BYTES_MAX))
        rc = writer_add(r->writer, r->builder, err);
    return rc;
}

static enum err_code
replay_entries(struct replay *r, struct backup__stream *stream, struct err *err)
{
    struct catalog_position position = {.epoch = ""};
    struct stream_entry entry;
    enum err_code rc = catalog_position_get(r->catalog, STREAM_EVENTS, &position, err);
    bool has_position = rc == ERR_OK && strcmp(position.epoch, stream->epoch) == 0;

    if (rc == ERR_NOT_FOUND)
        rc = ERR_OK;
    while (rc == ERR_OK && backup__stream_next(stream, &entry))
        if (!has_position || stream_id_compare(entry.id, position.id) > 0)
            rc = replay_entry(r, &entry, err);
    if (rc == ERR_OK)
        rc = writer_add(r->writer, r->builder, err);
    return rc == ERR_OK ? writer_commit(r->writer, NULL, err) : rc;
}

static enum err_code
replay_stream(struct replay *r, struct err *err)
{
    struct segment_owner owner = store_owner(r->store);
    struct backup__stream stream;
    char path[FILE_PATH_MAX];
    enum err_code rc;

    snprintf(path, sizeof path, "%s/%s/" BACKUP_STREAM, r->restore->dir,
             r->restore->manifest.state);
    rc = backup__stream_open(&stream, path, err);
    if (rc != ERR_OK)
        return rc;
    r->builder = segment_builder_create(&owner);
    arena_init(&r->event, 128 << 10);
    rc = writer_open(r->store, r->catalog, CATALOG_FLUSH, &r->writer, err);
    if (rc == ERR_OK)
        rc = replay_entries(r, &stream, err);
    writer_close(&r->writer);
    arena_fini(&r->event);
    segment_builder_destroy(&r->builder);
    backup__stream_close(&stream);
    return rc;
}

/* Before any event of the stream is stored. */
static enum err_code
restore_erased(struct restore *k, struct catalog *c, struct err *err)
{
    char path[FILE_PATH_MAX];
    enum err_code rc = catalog_erased_keep(c, err); /* of the backup's own moment */

    file_path(path, k->dir, BACKUP_ERASED);
    if (rc == ERR_OK)
        rc = catalog_erased_restore(c, path, err);
    if (rc == ERR_OK && k->erased && !file_exists(k->erased))
        rc = err_set(err, ERR_NOT_FOUND, "--erased", "there is no %s", k->erased);
    return rc == ERR_OK && k->erased ? catalog_erased_restore(c, k->erased, err) : rc;
}

/* What was in the stream becomes segments. The restored folder's Redis is a new one: it is read
 * from its start. */
static enum err_code
finish_catalog(struct restore *k, const struct store *store, struct err *err)
{
    struct replay r = {.restore = k, .store = store};
    enum err_code rc = catalog_open(store, false, &r.catalog, err);

    if (rc == ERR_OK)
        rc = restore_erased(k, r.catalog, err);
    if (rc == ERR_OK && has_file(k, BACKUP_STREAM))
        rc = replay_stream(&r, err);
    if (rc == ERR_OK)
        rc = catalog_position_forget(r.catalog, STREAM_EVENTS, err);
    catalog_close(&r.catalog);
    return rc;
}

/* ---- All of it ---- */

static enum err_code
rename_in(const char *dir, const char *from, const char *to, struct err *err)
{
    char old[FILE_PATH_MAX], new[FILE_PATH_MAX];

    file_path(old, dir, from);
    file_path(new, dir, to);
    return rename(old, new) == 0 ? file_sync_folder(dir, err)
                                 : err_errno(err, "cannot rename %s", old);
}

static enum err_code
run(struct restore *k, restore_callback callback, void *context, struct err *err)
{
    struct store store;
    enum err_code rc = verify(k, callback, context, err);

    if (rc == ERR_OK)
        rc = copy_files(k, err);
    if (rc == ERR_OK)
        rc = rename_in(k->data, UNFINISHED, "FORMAT", err);
    if (rc != ERR_OK)
        return rc;
    rc = store_open(k->data, false, &store, err);
    if (rc == ERR_OK)
        rc = rename_in(k->data, "FORMAT", UNFINISHED, err);
    if (rc == ERR_OK)
        rc = finish_catalog(k, &store, err);
    return rc == ERR_OK ? rename_in(k->data, UNFINISHED, "FORMAT", err) : rc;
}

enum err_code
restore_run(const struct restore_from *from, const char *data, restore_callback callback,
            void *context, struct restore_result *out, struct err *err)
{
    const char *dir = from->dir;
    struct restore k = {.dir = dir, .data = data, .erased = from->erased};
    enum err_code rc;

    *out = (struct restore_result){0};
    if (strlen(dir) > FILE_PATH_MAX / 2 || strlen(data) > FILE_PATH_MAX / 2)
        return err_set(err, ERR_INVALID, NULL, "the folder's name is too long");
    rc = check_empty(data, err);
    if (rc != ERR_OK)
        return rc;
    arena_init(&k.arena, 256 << 10);
    rc = backup_manifest_read(dir, &k.arena, &k.manifest, err);
    if (rc == ERR_NOT_FOUND)
        rc = err_set(err, rc, NULL, "%s is no backup: it has no manifest", dir);
    if (rc == ERR_OK)
        rc = run(&k, callback, context, err);
    *out = k.result;
    arena_fini(&k.arena);
    return rc;
}
