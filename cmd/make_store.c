/* The data folder of commands that begin with one. */
#include <stdlib.h>

#include "aggregator/store.h"
#include "cmd/cmd.h"

enum err_code
cmd_make_store(const struct cmd *c, struct store *out, struct err *err)
{
    const char *dir = settings_text(c->settings, "data");
    enum err_code rc = store_open(dir, false, out, err);
    char *whole;

    if (rc != ERR_NOT_FOUND)
        return rc;
    rc = store_open(dir, true, out, err);
    if (rc != ERR_OK)
        return rc;
    whole = realpath(dir, NULL);
    fprintf(stderr,
            "corong: there was no data folder at %s; it is new and empty (--data names another"
            " one)\n",
            whole ? whole : dir);
    free(whole);
    return ERR_OK;
}
