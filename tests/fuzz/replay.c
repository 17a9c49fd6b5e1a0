/* Run a target over the files of a folder, each ending at a guard page: the corpus as a test. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/guard.h"

#define INPUT_BYTES_MAX (1024 * 1024)

static void
replay_file(const struct guard *guard, const char *path)
{
    struct buffer bytes = BUFFER_EMPTY;
    struct err err = ERR_NONE;
    struct slice input;

    if (file_read(path, INPUT_BYTES_MAX, &bytes, &err) != ERR_OK) {
        fprintf(stderr, "%s: %s\n", path, err.message);
        exit(1);
    }
    input = guard_copy(guard, buffer_slice(&bytes));
    LLVMFuzzerTestOneInput((const uint8_t *)input.p, input.n);
    buffer_fini(&bytes);
}

int
main(int argc, char **argv)
{
    struct guard guard = guard_create(INPUT_BYTES_MAX);
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    char path[FILE_PATH_MAX];
    struct dirent *entry;
    int n = 0;

    if (!dir) {
        fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        file_path(path, argv[1], entry->d_name);
        replay_file(&guard, path);
        n++;
    }
    closedir(dir);
    guard_destroy(&guard);
    printf("%d inputs\n", n);
    return n > 0 ? 0 : 1; /* a corpus that is not there tests nothing */
}
