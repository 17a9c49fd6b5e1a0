/* Keeping what could not be read. What is not here: reading it again. */
#include "aggregator/bad_entry.h"

#include <dirent.h>
#include <stdio.h>

#define FILE_MODE   0640
#define FOLDER_MODE 0750

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

enum err_code
bad_entry_keep(const struct store *s, const struct stream_entry *entry, struct err *err)
{
    char dir[FILE_PATH_MAX];
    char path[FILE_PATH_MAX];
    char id[STREAM_ID_TEXT_MAX];
    char name[STREAM_ID_TEXT_MAX + sizeof ".entry"];
    enum err_code rc;

    stream_id_format(entry->id, id);
    snprintf(name, sizeof name, "%s.entry", id);
    store_path(s, "bad", dir);
    file_path(path, dir, name);
    rc = file_make_folder(dir, FOLDER_MODE, err);
    if (rc != ERR_OK)
        return rc;
    if (!file_exists(path) && count_files(dir) >= BAD_ENTRIES_MAX)
        return err_set(err, ERR_LIMIT, NULL, "%s holds %d entries already", dir, BAD_ENTRIES_MAX);
    return file_replace(path, entry->batch, FILE_MODE, err);
}
