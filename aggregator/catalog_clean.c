/* Files that are no longer live, or never were. */
#include "aggregator/catalog_int.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"

static enum err_code
forget_replaced(struct catalog *c, struct slice name, struct err *err)
{
    return sql_do(c->db, NULL, err, "DELETE FROM replaced WHERE name = ?", "t", name);
}

/* Those of `replaced` that are so since before_ms; the arena's. */
static enum err_code
list_replaced(struct catalog *c, int64_t before_ms, struct arena *a, struct slice **out,
              size_t *out_n, struct err *err)
{
    sqlite3_stmt *q = NULL;
    bool has_row = false;
    size_t n_max = 0;
    enum err_code rc;

    *out_n = 0;
    rc = sql_first(
        c->db, &q, &has_row, err,
        "SELECT name, count(*) OVER () FROM replaced WHERE replaced_ms <= ? ORDER BY name", "i",
        before_ms);
    for (; rc == ERR_OK && has_row; rc = sql_step(q, &has_row, err)) {
        if (n_max == 0) {
            n_max = (size_t)sqlite3_column_int64(q, 1);
            *out = ARENA_ARRAY(a, struct slice, n_max);
        }
        if (*out_n < n_max)
            (*out)[(*out_n)++] = arena_copy(a, sql_text(q, 0));
    }
    sqlite3_finalize(q);
    return rc;
}

static enum err_code
unlink_one(struct catalog *c, const struct store *s, struct slice name, struct err *err)
{
    char path[FILE_PATH_MAX];
    char text[CATALOG_NAME_MAX];
    enum err_code rc = ERR_OK;

    if (!slice_to_cstr(name, text, sizeof text))
        return err_set(err, ERR_CORRUPT, NULL, "catalog.db: a replaced file's name is damaged");
    if (!strchr(text, '/')) {
        store_segment_path(s, text, path);
        rc = file_remove(path, err);
    }
    return rc == ERR_OK ? forget_replaced(c, name, err) : rc;
}

/* Unlink those of `replaced` that are so since before_ms. A copy of the catalog that does not name
 * them comes first. */
static enum err_code
unlink_replaced(struct catalog *c, const struct store *s, int64_t before_ms, int *n,
                struct err *err)
{
    struct slice *names = NULL;
    size_t n_names = 0;
    struct arena a;
    enum err_code rc;

    arena_init(&a, 4096);
    rc = list_replaced(c, before_ms, &a, &names, &n_names, err);
    if (rc == ERR_OK && n_names > 0)
        rc = catalog_keep_copy(c, err);
    for (size_t i = 0; rc == ERR_OK && i < n_names; i++) {
        rc = unlink_one(c, s, names[i], err);
        *n += rc == ERR_OK;
    }
    arena_fini(&a);
    return rc;
}

static int
compare_names(const void *key, const void *row)
{
    return strcmp(key, ((const struct catalog_segment *)row)->name);
}

/* A file that no commit names: the leavings of a crash, or, where catalog.db itself has lost a
 * commit (SQLite drops what stands behind a damaged page of its log without a word), all that is
 * left of it. So a whole file is put aside for a while, not unlinked. */
static enum err_code
put_aside(const struct store *s, const char *name, struct err *err)
{
    char folder[FILE_PATH_MAX];
    char from[FILE_PATH_MAX];
    char to[FILE_PATH_MAX];
    enum err_code rc;

    store_segment_path(s, name, from);
    if (name[0] == '.') /* a temporary file: never whole */
        return file_remove(from, err);
    store_path(s, "unlisted", folder);
    rc = file_make_folder(folder, 0700, err);
    if (rc != ERR_OK)
        return rc;
    file_path(to, folder, name);
    return rename(from, to) == 0 ? ERR_OK : err_errno(err, "cannot put %s aside", name);
}

/* Unlink what was put aside long ago. */
static enum err_code
unlink_aside(const struct store *s, struct err *err)
{
    int64_t before_s = clock_wall_ms() / 1000 - CATALOG_ASIDE_S;
    char folder[FILE_PATH_MAX];
    char path[FILE_PATH_MAX];
    enum err_code rc = ERR_OK;
    struct dirent *entry;
    struct stat st;
    DIR *dir;

    store_path(s, "unlisted", folder);
    dir = opendir(folder);
    if (!dir)
        return errno == ENOENT ? ERR_OK : err_errno(err, "open %s", folder);
    while (rc == ERR_OK && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        file_path(path, folder, entry->d_name);
        /* a rename sets the time of change */
        if (stat(path, &st) == 0 && st.st_ctime < before_s)
            rc = file_remove(path, err);
    }
    closedir(dir);
    return rc;
}

/* Somebody should know that events may be in them which count nowhere. */
static enum err_code
tell_aside(struct catalog *c, int n, struct err *err)
{
    char message[300];

    if (n == 0)
        return ERR_OK;
    snprintf(message, sizeof message,
             "%d files that no commit names are in unlisted/ for a week: what an import or the "
             "aggregator had written when it was killed. The aggregator reads it again, an import "
             "is to be run again; `corong check --repair` brings it back",
             n);
    return catalog_alarm_raise(c, "files_put_aside", (uint64_t)n, message, err);
}

/* With `writing` held exclusively: nobody can be between a file and its commit. */
static enum err_code
clear_unlisted(struct catalog *c, const struct store *s, struct arena *a, int *n, struct err *err)
{
    struct catalog_list list;
    struct dirent *entry;
    enum err_code rc;
    int n_whole = 0;
    DIR *dir;

    rc = catalog_read(c, a, &list, err);
    if (rc != ERR_OK)
        return rc;
    if (!list.is_whole) /* a damaged row may be what names the file */
        return err_set(err, ERR_CORRUPT, NULL, "catalog.db is damaged: run `corong check`");
    dir = opendir(s->segments);
    if (!dir)
        return err_errno(err, "open %s", s->segments);
    while (rc == ERR_OK && (entry = readdir(dir)) != NULL) {
        bool is_kept = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                       bsearch(entry->d_name, list.segments, list.n, sizeof *list.segments,
                               compare_names) != NULL;

        if (!is_kept)
            rc = catalog_is_replaced(c, entry->d_name, &is_kept, err);
        if (rc != ERR_OK || is_kept)
            continue;
        rc = put_aside(s, entry->d_name, err);
        *n += rc == ERR_OK;
        n_whole += rc == ERR_OK && entry->d_name[0] != '.';
    }
    closedir(dir);
    if (rc == ERR_OK)
        rc = tell_aside(c, n_whole, err);
    return rc == ERR_OK ? unlink_aside(s, err) : rc;
}

enum err_code
catalog_clean(struct catalog *c, const struct store *s, int *out_n, struct err *err)
{
    uint64_t n_lost = 0;
    struct arena a;
    enum err_code rc;
    int lock = -1;
    int n = 0;

    rc = unlink_replaced(c, s, clock_wall_ms() - CATALOG_REPLACED_MS, &n, err);
    if (rc == ERR_OK)
        rc = catalog_lost_commits(c, &n_lost, err);
    if (rc != ERR_OK)
        return rc;
    if (n_lost == 0) /* else what nobody names is what a repair brings back */
        rc = store_lock_writing(s, true, false, &lock, err);
    if (rc == ERR_OK && n_lost == 0) {
        arena_init(&a, 64 << 10);
        rc = clear_unlisted(c, s, &a, &n, err);
        arena_fini(&a);
        file_unlock(&lock);
    } else if (rc == ERR_CONFLICT) {
        rc = ERR_OK; /* somebody writes: another time */
    }
    if (rc == ERR_OK && out_n)
        *out_n = n;
    return rc;
}

enum err_code
catalog_unlink_replaced(struct catalog *c, const struct store *s, struct err *err)
{
    int n = 0;

    return unlink_replaced(c, s, INT64_MAX, &n, err);
}

enum err_code
catalog_is_replaced(struct catalog *c, const char *name, bool *out, struct err *err)
{
    sqlite3_stmt *q = NULL;
    enum err_code rc = sql_first(c->db, &q, out, err, "SELECT 1 FROM replaced WHERE name = ?", "t",
                                 slice_from(name));

    sqlite3_finalize(q);
    return rc;
}
