/* Making a backup. What is not here: reading one (restore.c). */
#include "aggregator/backup.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aggregator/backup_int.h"
#include "aggregator/backup_manifest.h"
#include "aggregator/settings_db.h"
#include "core/clock.h"
#include "core/log.h"

#define FOLDER_MODE    0700
#define FILE_MODE      0600
#define LAST_FILE      "backup.last" /* in the data folder: when, as digits */
#define LAST_BYTES_MAX 64
#define TRIES          10 /* where merges take files away faster than they are copied */

struct backup {
    const struct backup_source *source;
    const char *dir;
    char state[FILE_PATH_MAX]; /* this backup's own folder */
    struct backup_manifest former;
    struct backup_manifest manifest;
    struct backup_result result;
    struct arena arena;
};

/* ---- Whole folders ---- */

/* Copy the plain files of `from`, if there is such a folder, into the state folder's `name`. What
 * goes away meanwhile has moved on. */
static enum err_code
copy_folder(struct backup *k, const char *from, const char *name, struct err *err)
{
    char to[FILE_PATH_MAX], source[FILE_PATH_MAX], target[FILE_PATH_MAX];
    enum err_code rc;
    struct dirent *entry;
    struct stat st;
    DIR *dir = opendir(from);

    if (!dir)
        return errno == ENOENT ? ERR_OK : err_errno(err, "cannot open %s", from);
    file_path(to, k->state, name);
    rc = file_make_folder(to, FOLDER_MODE, err);
    while (rc == ERR_OK && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.' || strchr(entry->d_name, '\n'))
            continue;
        file_path(source, from, entry->d_name);
        file_path(target, to, entry->d_name);
        if (stat(source, &st) != 0 || !S_ISREG(st.st_mode))
            continue;
        rc = file_copy(source, target, FILE_MODE, err);
        if (rc == ERR_NOT_FOUND) {
            rc = ERR_OK;
            continue;
        }
        if (rc == ERR_OK)
            rc = backup_manifest_add(
                &k->manifest, k->dir,
                arena_printf(&k->arena, "%s/%s/%s", k->manifest.state, name, entry->d_name),
                &k->arena, err);
    }
    closedir(dir);
    return rc;
}

static enum err_code
add_state_file(struct backup *k, const char *name, struct err *err)
{
    return backup_manifest_add(&k->manifest, k->dir,
                               arena_printf(&k->arena, "%s/%s", k->manifest.state, name), &k->arena,
                               err);
}

/* ---- Segments ---- */

/* A hard link, where that is possible: segments never change. */
static enum err_code
link_or_copy(const char *from, const char *to, struct err *err)
{
    if (link(from, to) == 0)
        return ERR_OK;
    if (errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, NULL, "no such file: %s", from);
    return file_copy(from, to, FILE_MODE, err);
}

/* The former backup's copy, where it is there in its full size. */
static bool
keep_former(struct backup *k, struct slice path, const char *full)
{
    const struct backup_file *file = backup_manifest_find(&k->former, path);
    struct stat st;

    if (!file || stat(full, &st) != 0 || (uint64_t)st.st_size != file->n_bytes)
        return false;
    backup_manifest_keep(&k->manifest, file, &k->arena);
    return true;
}

static enum err_code
add_segment(struct backup *k, const struct catalog_segment *row, struct err *err)
{
    struct slice path = arena_printf(&k->arena, "segments/%s", row->name);
    char from[FILE_PATH_MAX], to[FILE_PATH_MAX];
    enum err_code rc;

    store_segment_path(k->source->store, row->name, from);
    file_path(to, k->dir, path.p);
    k->result.n_segments++;
    if (keep_former(k, path, to))
        return ERR_OK;
    rc = file_remove(to, err); /* of a backup that did not end, or cut */
    if (rc == ERR_OK)
        rc = link_or_copy(from, to, err);
    if (rc == ERR_OK)
        rc = backup_manifest_add(&k->manifest, k->dir, path, &k->arena, err);
    if (rc != ERR_OK)
        return rc;
    k->result.n_new++;
    k->result.n_bytes += row->n_bytes;
    return ERR_OK;
}

/* The catalog and all that it names, as of one moment. ERR_NOT_FOUND: a file went meanwhile. */
static enum err_code
copy_moment(struct backup *k, struct catalog *c, struct err *err)
{
    size_t n_before = k->manifest.n;
    struct backup_result before = k->result;
    struct catalog_list list = {.n = 0};
    char path[FILE_PATH_MAX];
    enum err_code rc;

    file_path(path, k->state, "catalog.db");
    rc = file_remove(path, err);
    if (rc == ERR_OK)
        rc = catalog_reading_begin(c, err);
    if (rc != ERR_OK)
        return rc;
    rc = catalog_read(c, &k->arena, &list, err);
    if (rc == ERR_OK && !list.is_whole)
        rc = err_set(err, ERR_CORRUPT, NULL,
                     "catalog.db is damaged: run `corong check`; the former backup stays");
    if (rc == ERR_OK)
        rc = catalog_copy(c, path, err);
    catalog_reading_end(c);
    for (size_t i = 0; rc == ERR_OK && i < list.n; i++)
        rc = add_segment(k, &list.segments[i], err);
    if (rc == ERR_OK)
        rc = add_state_file(k, "catalog.db", err);
    if (rc == ERR_NOT_FOUND) {
        k->manifest.n = n_before;
        k->result = before;
    }
    return rc;
}

static enum err_code
copy_catalog(struct backup *k, struct err *err)
{
    char segments[FILE_PATH_MAX];
    struct catalog *c = NULL;
    enum err_code rc;

    file_path(segments, k->dir, "segments");
    rc = file_make_folder(segments, FOLDER_MODE, err);
    if (rc == ERR_OK)
        rc = catalog_open(k->source->store, true, &c, err);
    if (rc != ERR_OK)
        return rc;
    rc = catalog_erased_keep(c, err);
    if (rc == ERR_OK)
        rc = copy_moment(k, c, err);
    for (int i = 1; rc == ERR_NOT_FOUND && i < TRIES; i++)
        rc = copy_moment(k, c, err);
    catalog_close(&c);
    return rc == ERR_OK ? file_sync_folder(segments, err) : rc;
}

/* ---- The rest ---- */

static enum err_code
copy_settings(struct backup *k, struct err *err)
{
    struct settings_db *db = NULL;
    char path[FILE_PATH_MAX];
    enum err_code rc = settings_db_open(k->source->store, &db, err);

    if (rc != ERR_OK)
        return rc;
    file_path(path, k->state, "settings.db");
    rc = settings_db_copy(db, path, err);
    settings_db_close(&db);
    return rc == ERR_OK ? add_state_file(k, "settings.db", err) : rc;
}

static enum err_code
note_folder(struct backup *k, struct err *err)
{
    struct settings_db *db = NULL;
    enum err_code rc = settings_db_open(k->source->store, &db, err);

    if (rc == ERR_OK)
        rc = backup__note_folder(k->source->store, db, k->dir, err);
    settings_db_close(&db);
    return rc;
}

static enum err_code
copy_format(struct backup *k, struct err *err)
{
    char from[FILE_PATH_MAX], to[FILE_PATH_MAX];
    enum err_code rc;

    store_path(k->source->store, "FORMAT", from);
    file_path(to, k->state, "FORMAT");
    rc = file_copy(from, to, FILE_MODE, err);
    return rc == ERR_OK ? add_state_file(k, "FORMAT", err) : rc;
}

static enum err_code
copy_stream(struct backup *k, struct err *err)
{
    char path[FILE_PATH_MAX];
    enum err_code rc;

    if (!k->source->redis)
        return ERR_OK;
    file_path(path, k->state, BACKUP_STREAM);
    rc = backup__write_stream(k->source->store, k->source->redis, path, &k->result.n_entries, err);
    return rc == ERR_OK ? add_state_file(k, BACKUP_STREAM, err) : rc;
}

/* In the order in which an event moves on. */
static enum err_code
copy_all(struct backup *k, struct err *err)
{
    char bad[FILE_PATH_MAX];
    enum err_code rc;

    store_path(k->source->store, "bad", bad);
    rc = copy_folder(k, k->source->spool, "spool", err);
    if (rc == ERR_OK)
        rc = copy_stream(k, err);
    if (rc == ERR_OK)
        rc = copy_folder(k, bad, "bad", err);
    if (rc == ERR_OK)
        rc = copy_catalog(k, err);
    if (rc == ERR_OK)
        rc = copy_settings(k, err);
    if (rc == ERR_OK)
        rc = copy_format(k, err);
    return rc == ERR_OK ? file_sync_folder(k->state, err) : rc;
}

/* ---- The folder ---- */

static bool
is_ours(const char *name)
{
    static const char *const names[] = {".",        "..",       "lost+found", "lock",
                                        "manifest", "segments", BACKUP_ERASED};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strncmp(name, "state-", 6) == 0 || strncmp(name, ".new-", 5) == 0;
}

/* Later things in it are removed: let them be ours. */
static enum err_code
check_folder(const char *dir, struct err *err)
{
    enum err_code rc = ERR_OK;
    struct dirent *entry;
    DIR *d = opendir(dir);

    if (!d)
        return err_errno(err, "cannot open %s", dir);
    while (rc == ERR_OK && (entry = readdir(d)) != NULL)
        if (!is_ours(entry->d_name))
            rc = err_set(err, ERR_CONFLICT, NULL,
                         "%s holds %s, which is of no backup: give an empty folder, or that of an "
                         "earlier backup",
                         dir, entry->d_name);
    closedir(d);
    return rc;
}

static enum err_code
read_former(struct backup *k, struct err *err)
{
    enum err_code rc = backup_manifest_read(k->dir, &k->arena, &k->former, err);

    if (rc == ERR_NOT_FOUND)
        return ERR_OK;
    if (rc == ERR_OK && strcmp(k->former.install_id, k->source->store->install_id) != 0)
        return err_set(err, ERR_CONFLICT, NULL, "%s is the backup of another data folder", k->dir);
    return rc;
}

static enum err_code
begin_state(struct backup *k, struct err *err)
{
    struct backup_manifest *m = &k->manifest;

    memcpy(m->install_id, k->source->store->install_id, sizeof m->install_id);
    m->begun_ms = clock_wall_ms();
    snprintf(m->state, sizeof m->state, "state-%lld-%d", (long long)m->begun_ms, (int)getpid());
    file_path(k->state, k->dir, m->state);
    return file_make_folder(k->state, FOLDER_MODE, err);
}

/* ---- What the manifest does not name any more ---- */

static void
remove_folder(const char *dir)
{
    char path[FILE_PATH_MAX];
    struct dirent *entry;
    DIR *d = opendir(dir);

    while (d && (entry = readdir(d)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        file_path(path, dir, entry->d_name);
        if (unlink(path) != 0 && errno == EISDIR)
            remove_folder(path);
    }
    if (d)
        closedir(d);
    rmdir(dir);
}

static void
remove_unnamed_segments(struct backup *k, const struct backup_manifest *m)
{
    char dir[FILE_PATH_MAX], path[FILE_PATH_MAX];
    struct dirent *entry;
    DIR *d;

    file_path(dir, k->dir, "segments");
    d = opendir(dir);
    while (d && (entry = readdir(d)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            backup_manifest_find(m, arena_printf(&k->arena, "segments/%s", entry->d_name)))
            continue;
        file_path(path, dir, entry->d_name);
        unlink(path);
    }
    if (d)
        closedir(d);
}

/* Best effort: what stays is taken by the next backup. */
static void
remove_unnamed(struct backup *k)
{
    struct backup_manifest m;
    char path[FILE_PATH_MAX];
    struct dirent *entry;
    DIR *d;

    if (backup_manifest_read(k->dir, &k->arena, &m, NULL) != ERR_OK)
        return;
    remove_unnamed_segments(k, &m);
    d = opendir(k->dir);
    while (d && (entry = readdir(d)) != NULL) {
        file_path(path, k->dir, entry->d_name);
        if (strncmp(entry->d_name, "state-", 6) == 0 && strcmp(entry->d_name, m.state) != 0)
            remove_folder(path);
        else if (strncmp(entry->d_name, ".new-", 5) == 0)
            unlink(path);
    }
    if (d)
        closedir(d);
}

/* ---- All of it ---- */

static enum err_code
run(struct backup *k, struct err *err)
{
    enum err_code rc = read_former(k, err);

    if (rc == ERR_OK)
        rc = begin_state(k, err);
    if (rc != ERR_OK)
        return rc;
    rc = copy_all(k, err);
    if (rc == ERR_OK)
        rc = note_folder(k, err);
    if (rc == ERR_OK)
        rc = file_sync_folder(k->dir, err);
    if (rc == ERR_OK)
        rc = backup_manifest_write(k->dir, &k->manifest, err);
    if (rc == ERR_OK)
        remove_unnamed(k);
    else
        remove_folder(k->state);
    return rc;
}

/* That there is one now, for who looks after the folder. The backup is good without. */
static void
note_moment(const struct store *s)
{
    char path[FILE_PATH_MAX], text[32];
    struct err err = ERR_NONE;

    store_path(s, LAST_FILE, path);
    snprintf(text, sizeof text, "%lld\n", (long long)clock_wall_ms());
    if (file_replace(path, slice_from(text), 0640, &err) != ERR_OK)
        log_warn("when the backup was made is not noted: %s", err.message);
}

enum err_code
backup_run(const struct backup_source *source, const char *dir, struct backup_result *out,
           struct err *err)
{
    struct backup k = {.source = source, .dir = dir};
    char lock_path[FILE_PATH_MAX];
    enum err_code rc;
    int lock = -1;

    if (strlen(dir) > FILE_PATH_MAX / 2)
        return err_set(err, ERR_INVALID, NULL, "the folder's name is too long");
    rc = file_make_folder(dir, FOLDER_MODE, err);
    if (rc == ERR_OK)
        rc = check_folder(dir, err);
    if (rc != ERR_OK)
        return rc;
    file_path(lock_path, dir, "lock");
    rc = file_lock(lock_path, true, false, &lock, err);
    if (rc != ERR_OK)
        return rc;
    if (chmod(dir, FOLDER_MODE) != 0)
        rc = err_errno(err, "cannot chmod %s", dir);
    arena_init(&k.arena, 256 << 10);
    if (rc == ERR_OK)
        rc = run(&k, err);
    arena_fini(&k.arena);
    file_unlock(&lock);
    if (rc == ERR_OK) {
        note_moment(source->store);
        *out = k.result;
    }
    return rc;
}

int64_t
backup_last_ms(const struct store *s)
{
    struct buffer text = BUFFER_EMPTY;
    char path[FILE_PATH_MAX];
    int64_t ms = 0;

    store_path(s, LAST_FILE, path);
    if (!file_exists(path) || file_read(path, LAST_BYTES_MAX, &text, NULL) != ERR_OK ||
        !slice_to_int64(slice_trim(buffer_slice(&text)), &ms) || ms < 0)
        ms = 0;
    buffer_fini(&text);
    return ms;
}
