/* A folder for one test, and what lies in it. For tests only; fails the test by itself. */
#ifndef TESTS_UNIT_WEB_FOLDER_H
#define TESTS_UNIT_WEB_FOLDER_H

#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MAX 64

static inline void
folder_make(char dir[FOLDER_MAX])
{
    snprintf(dir, FOLDER_MAX, "/tmp/corong-test-XXXXXX");
    if (mkdtemp(dir) == NULL) {
        perror(dir);
        abort();
    }
}

static inline int
folder__remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    (void)st;
    (void)flag;
    (void)at;
    return remove(path);
}

static inline void
folder_remove(const char *dir)
{
    nftw(dir, folder__remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

struct folder__search {
    const void *bytes;
    size_t n;
    bool is_found;
};
static struct folder__search folder__search;

static inline int
folder__search_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    int fd;
    void *map;

    (void)at;
    if (flag != FTW_F || st->st_size == 0)
        return 0;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    map = fd < 0 ? MAP_FAILED : mmap(NULL, (size_t)st->st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map != MAP_FAILED) {
        if (memmem(map, (size_t)st->st_size, folder__search.bytes, folder__search.n) != NULL)
            folder__search.is_found = true;
        munmap(map, (size_t)st->st_size);
    }
    if (fd >= 0)
        close(fd);
    return 0;
}

/* Do these bytes stand in any file of the folder? */
static inline bool
folder_contains(const char *dir, const void *bytes, size_t n)
{
    folder__search = (struct folder__search){bytes, n, false};
    nftw(dir, folder__search_one, 16, FTW_PHYS);
    return folder__search.is_found;
}

#endif
