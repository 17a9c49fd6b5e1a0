/* Any bytes as a database of places: refused, or harmless to look up in. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collector/place.h"
#include "core/file.h"
#include "tests/fuzz/fuzz.h"

static void
find_some(struct place_database *database)
{
    static const char *const ips[] = {
        "81.2.69.142", "10.0.0.1", "0.0.0.0",     "255.255.255.255",
        "2001:db8::7", "::",       "2001:218::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
    struct arena a;

    arena_init(&a, 4096);
    for (size_t i = 0; i < sizeof ips / sizeof *ips; i++) {
        struct place place;
        bool found = place_find(database, slice_from(ips[i]), &a, &place);

        assert(found || (place.country.n == 0 && place.region.n == 0));
        assert(place.region.n == 0 || place.country.n > 0);
    }
    arena_fini(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct place_database *database = NULL;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    char path[64];

    if (fd < 0 || file_write(fd, bytes, n, NULL) != ERR_OK)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (place_open(path, &database, NULL) == ERR_OK)
        find_some(database);
    place_close(&database);
    close(fd);
    return 0;
}
