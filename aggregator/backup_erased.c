/* The tombstones in a backup's folder, so that a backup that is older than an erase is restored
 * without whom it erased. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "aggregator/backup.h"
#include "aggregator/backup_int.h"
#include "aggregator/backup_manifest.h"

#define FOLDER_PROPERTY "backup_folder" /* where the latest backup was made */

static enum err_code
copy_erased(const struct store *s, const char *dir, struct err *err)
{
    char from[FILE_PATH_MAX], to[FILE_PATH_MAX];
    enum err_code rc;

    store_path(s, "erased", from);
    file_path(to, dir, BACKUP_ERASED);
    rc = file_copy(from, to, 0600, err);
    return rc == ERR_NOT_FOUND ? ERR_OK : rc; /* nobody was ever erased */
}

enum err_code
backup__note_folder(const struct store *s, struct settings_db *settings, const char *dir,
                    struct err *err)
{
    char whole[PATH_MAX];
    enum err_code rc = copy_erased(s, dir, err);

    if (rc == ERR_OK && !realpath(dir, whole))
        rc = err_errno(err, "cannot use %s", dir);
    return rc == ERR_OK
               ? settings_db_property_put(settings, FOLDER_PROPERTY, slice_from(whole), err)
               : rc;
}

/* Is it still our backup that is there? */
static enum err_code
check_backup(const struct store *s, const char *dir, struct arena *a, struct err *err)
{
    struct backup_manifest m;
    enum err_code rc = backup_manifest_read(dir, a, &m, err);

    if (rc == ERR_OK && strcmp(m.install_id, s->install_id) != 0)
        rc = err_set(err, ERR_CONFLICT, NULL, "%s is the backup of another data folder", dir);
    return rc;
}

enum err_code
backup_add_erased(const struct store *s, struct settings_db *settings, struct arena *a,
                  struct slice *out_dir, struct err *err)
{
    struct slice dir = SLICE_EMPTY;
    enum err_code rc = settings_db_property_get(settings, FOLDER_PROPERTY, a, &dir, err);

    *out_dir = SLICE_EMPTY;
    if (rc == ERR_NOT_FOUND)
        return ERR_OK;
    if (rc == ERR_OK && dir.n > FILE_PATH_MAX / 2)
        rc = err_set(err, ERR_INVALID, NULL, "the folder's name is too long");
    if (rc != ERR_OK)
        return rc;
    *out_dir = dir;
    rc = check_backup(s, arena_cstr(a, dir), a, err);
    return rc == ERR_OK ? copy_erased(s, arena_cstr(a, dir), err) : rc;
}
