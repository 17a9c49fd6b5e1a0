/* The test data that is not in the repository: CORONG_TEST_DATA, else ../shared/data. */
#ifndef TESTS_UNIT_COLLECTOR_TEST_DATA_H
#define TESTS_UNIT_COLLECTOR_TEST_DATA_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Path of a file of it; false, and a line that says so, where it is absent. */
static inline bool
test_data_path(const char *name, char *path, size_t size)
{
    const char *dir = getenv("CORONG_TEST_DATA");

    snprintf(path, size, "%s/%s", dir && *dir ? dir : CORONG_SOURCE_DIR "/../shared/data", name);
    if (access(path, R_OK) == 0)
        return true;
    fprintf(stderr, "skipped: no test data at %s (set CORONG_TEST_DATA)\n", path);
    return false;
}

#endif
