#include "cmd/state.h"

#include "core/file.h"

#define STATE_BYTES_MAX 65536

json_t *
state_read(const struct store *store)
{
    struct buffer bytes = BUFFER_EMPTY;
    char path[FILE_PATH_MAX];
    json_t *state = NULL;

    store_path(store, STATE_FILE, path);
    if (file_read(path, STATE_BYTES_MAX, &bytes, NULL) == ERR_OK)
        state = json_loadb(bytes.p, bytes.n, 0, NULL);
    buffer_fini(&bytes);
    return state;
}
