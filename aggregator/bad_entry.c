/* Keeping what could not be read, and reading it again. */
#include "aggregator/bad_entry.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "aggregator/batch.h"
#include "aggregator/writer.h"

#define FILE_MODE   0640
#define FOLDER_MODE 0750
#define SUFFIX      ".entry"
#define ENTRY_MAX   (16u << 20) /* bytes; Redis takes no more from us than a batch */

/* ---- Keeping ---- */

static int
count_files(const char *dir)
{
    struct dirent *entry;
    int n = 0;
    DIR *d = opendir(dir);

    while (d && (entry = readdir(d)) != NULL)
        n += entry->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

static void
path_of(const struct store *s, struct stream_id id, char *path)
{
    char dir[FILE_PATH_MAX];
    char text[STREAM_ID_TEXT_MAX];
    char name[STREAM_ID_TEXT_MAX + sizeof SUFFIX];

    stream_id_format(id, text);
    snprintf(name, sizeof name, "%s" SUFFIX, text);
    store_path(s, "bad", dir);
    file_path(path, dir, name);
}

enum err_code
bad_entry_keep(const struct store *s, const struct stream_entry *entry, struct err *err)
{
    char dir[FILE_PATH_MAX];
    char path[FILE_PATH_MAX];
    enum err_code rc;

    store_path(s, "bad", dir);
    path_of(s, entry->id, path);
    rc = file_make_folder(dir, FOLDER_MODE, err);
    if (rc != ERR_OK)
        return rc;
    if (!file_exists(path) && count_files(dir) >= BAD_ENTRIES_MAX)
        return err_set(err, ERR_LIMIT, NULL, "%s holds %d entries already", dir, BAD_ENTRIES_MAX);
    return file_replace(path, entry->batch, FILE_MODE, err);
}

size_t
bad_entry_count(const struct store *s)
{
    char dir[FILE_PATH_MAX];

    store_path(s, "bad", dir);
    return (size_t)count_files(dir);
}

/* ---- Reading again ---- */

static int
compare_ids(const void *x, const void *y)
{
    return stream_id_compare(((const struct bad_entry *)x)->id, ((const struct bad_entry *)y)->id);
}

/* Their ids, from the names of the files. */
static enum err_code
find_entries(const struct store *s, struct arena *a, struct bad_entry **out, size_t *out_n,
             struct err *err)
{
    struct bad_entry *list = ARENA_ARRAY(a, struct bad_entry, BAD_ENTRIES_MAX);
    struct dirent *entry;
    char dir[FILE_PATH_MAX];
    size_t n = 0;
    DIR *d;

    store_path(s, "bad", dir);
    d = opendir(dir);
    if (!d && errno != ENOENT)
        return err_errno(err, "cannot open %s", dir);
    while (d && n < BAD_ENTRIES_MAX && (entry = readdir(d)) != NULL) {
        struct slice name = slice_from(entry->d_name);

        if (slice_ends_with(name, SLICE(SUFFIX)) &&
            stream_id_parse(slice_sub(name, 0, name.n - (sizeof SUFFIX - 1)), &list[n].id))
            n++;
    }
    if (d)
        closedir(d);
    qsort(list, n, sizeof *list, compare_ids);
    *out = list;
    *out_n = n;
    return ERR_OK;
}

/* Read the entry into the builder and say of it what bad_entry.h says. */
static enum err_code
read_entry(const struct store *s, struct bad_entry *entry, struct segment_builder *b,
           struct arena *a, struct err *err)
{
    struct buffer bytes = BUFFER_EMPTY;
    struct batch_count count = {0};
    struct err why = ERR_NONE;
    char path[FILE_PATH_MAX];
    struct arena event;
    enum err_code rc;

    path_of(s, entry->id, path);
    rc = file_read(path, ENTRY_MAX, &bytes, err);
    if (rc != ERR_OK)
        return rc;
    arena_init(&event, 128 << 10);
    if (batch_read(buffer_slice(&bytes), b, &event, &count, &why) != ERR_OK)
        count.n_bad = 1; /* of a newer version, as a whole */
    arena_fini(&event);
    entry->n_bytes = bytes.n;
    entry->n_events = count.n_events;
    entry->n_bad = count.n_bad;
    entry->reason = count.n_bad != 0 ? arena_copy(a, slice_from(why.message)) : SLICE_EMPTY;
    buffer_fini(&bytes);
    return ERR_OK;
}

enum err_code
bad_entry_list(const struct store *s, struct arena *a, struct bad_entry **out, size_t *out_n,
               struct err *err)
{
    struct segment_owner owner = store_owner(s);
    struct segment_builder *b = segment_builder_create(&owner);
    enum err_code rc = find_entries(s, a, out, out_n, err);

    for (size_t i = 0; rc == ERR_OK && i < *out_n; i++) {
        rc = read_entry(s, &(*out)[i], b, a, err);
        segment_builder_reset(b);
    }
    segment_builder_destroy(&b);
    return rc;
}

/* ---- Replay ---- */

/* Segments of what can be read; files go only after the commit. */
static enum err_code
commit_entries(const struct store *s, struct catalog *c, struct bad_entry *list, size_t n,
               struct arena *a, struct err *err)
{
    struct segment_owner owner = store_owner(s);
    struct segment_builder *b = segment_builder_create(&owner);
    struct writer *w = NULL;
    enum err_code rc = writer_open(s, c, CATALOG_FLUSH, &w, err);

    for (size_t i = 0; rc == ERR_OK && i < n; i++) {
        rc = read_entry(s, &list[i], b, a, err);
        if (rc == ERR_OK && segment_builder_rows(b) >= 65536)
            rc = writer_add(w, b, err);
    }
    if (rc == ERR_OK)
        rc = writer_add(w, b, err);
    if (rc == ERR_OK)
        rc = writer_commit(w, NULL, err);
    writer_close(&w);
    segment_builder_destroy(&b);
    return rc;
}

static enum err_code
remove_read(const struct store *s, const struct bad_entry *list, size_t n,
            struct bad_entry_replay *out, struct err *err)
{
    char path[FILE_PATH_MAX];
    enum err_code rc = ERR_OK;

    for (size_t i = 0; rc == ERR_OK && i < n; i++) {
        out->n_events += list[i].n_events;
        out->n_left += list[i].n_bad != 0;
        if (list[i].n_bad != 0)
            continue;
        out->n_entries++;
        path_of(s, list[i].id, path);
        rc = file_remove(path, err);
    }
    return rc;
}

static enum err_code
replay(const struct store *s, struct catalog *c, struct arena *a, struct bad_entry_replay *out,
       struct err *err)
{
    struct bad_entry *list = NULL;
    size_t n = 0;
    enum err_code rc = find_entries(s, a, &list, &n, err);

    if (rc == ERR_OK && n != 0)
        rc = commit_entries(s, c, list, n, a, err);
    if (rc == ERR_OK)
        rc = remove_read(s, list, n, out, err);
    if (rc == ERR_OK && n != 0 && out->n_left == 0)
        rc = catalog_alarm_clear(c, "bad_records", err);
    return rc;
}

enum err_code
bad_entry_replay(const struct store *s, struct bad_entry_replay *out, struct err *err)
{
    struct bad_entry_replay result = {0};
    struct catalog *c = NULL;
    struct arena a;
    enum err_code rc = catalog_open(s, true, &c, err);

    if (rc != ERR_OK)
        return rc;
    arena_init(&a, 64 << 10);
    rc = replay(s, c, &a, &result, err);
    arena_fini(&a);
    catalog_close(&c);
    if (rc == ERR_OK)
        *out = result;
    return rc;
}
