/* catalog.copy: the catalog as it was before files were last unlinked.
 *
 * It is made anew before any file that was replaced is unlinked, and nothing else takes files away:
 * so every file that it names is still there, unless it was lost. A catalog that is made anew from
 * the segments cannot know of one that is missing; the copy can. Where it cannot be made there is
 * none: an old one would name what is gone by right, and may hold who was erased.
 */
#include "aggregator/catalog_int.h"

#include <stdio.h>
#include <unistd.h>

#include "core/log.h"

static enum err_code
copy_to(struct catalog *c, const char *path, struct err *err)
{
    char new_path[FILE_PATH_MAX];
    enum err_code rc;

    /* of this process: two may be at it at once */
    if (snprintf(new_path, sizeof new_path, "%s.%d", path, (int)getpid()) >= (int)sizeof new_path)
        return err_set(err, ERR_LIMIT, NULL, "the path of the data folder is too long");
    rc = file_remove(new_path, err);
    if (rc == ERR_OK)
        rc = sql_copy(c->db, new_path, err);
    if (rc == ERR_OK && rename(new_path, path) != 0)
        rc = err_errno(err, "cannot rename %s", new_path);
    if (rc == ERR_OK)
        rc = file_sync_folder(c->dir, err);
    else
        (void)file_remove(new_path, NULL);
    return rc;
}

enum err_code
catalog_keep_copy(struct catalog *c, struct err *err)
{
    char path[FILE_PATH_MAX];
    struct err why = ERR_NONE;

    file_path(path, c->dir, CATALOG_COPY);
    if (copy_to(c, path, &why) == ERR_OK)
        return ERR_OK;
    log_error("no copy of the catalog is kept: %s", why.message);
    return file_remove(path, err);
}

bool
catalog_has_copy(const struct catalog *c)
{
    char path[FILE_PATH_MAX];

    file_path(path, c->dir, CATALOG_COPY);
    return file_exists(path);
}
