/* Look-ups in a MaxMind database. libmaxminddb is given AF_INET or AF_INET6 and nothing else: it
 * trusts the family of a socket address. */
#include "collector/place.h"

#include <arpa/inet.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"

struct place_database {
    MMDB_s mmdb;
};

enum err_code
place_open(const char *path, struct place_database **out, struct err *err)
{
    struct place_database *database = mem_zalloc(sizeof *database);
    int status = MMDB_open(path, MMDB_MODE_MMAP, &database->mmdb);

    if (status == MMDB_SUCCESS) {
        *out = database;
        return ERR_OK;
    }
    free(database);
    return err_set(err, status == MMDB_FILE_OPEN_ERROR ? ERR_NOT_FOUND : ERR_CORRUPT, NULL,
                   "no place database at %s: %s", path, MMDB_strerror(status));
}

void
place_close(struct place_database **database)
{
    if (!*database)
        return;
    MMDB_close(&(*database)->mmdb);
    free(*database);
    *database = NULL;
}

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool
read_address(struct slice ip, union address *out)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr v6;

    memset(out, 0, sizeof *out);
    if (!slice_to_cstr(ip, text, sizeof text))
        return false;
    if (inet_pton(AF_INET, text, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        return true;
    }
    if (inet_pton(AF_INET6, text, &v6) != 1)
        return false;
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
        out->v4.sin_family = AF_INET;
        memcpy(&out->v4.sin_addr, v6.s6_addr + 12, 4);
    } else {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_addr = v6;
    }
    return true;
}

/* The text at a path of keys (ended by NULL), "" where there is none. */
static struct slice
text_at(MMDB_entry_s *entry, const char *const *path)
{
    MMDB_entry_data_s data;

    if (MMDB_aget_value(entry, &data, path) != MMDB_SUCCESS || !data.has_data ||
        data.type != MMDB_DATA_TYPE_UTF8_STRING)
        return SLICE_EMPTY;
    return slice_of(data.utf8_string, data.data_size);
}

/* The first of two paths that has a text: MaxMind's, then the flat schema's. */
static struct slice
text_at_either(MMDB_entry_s *entry, const char *const *maxmind, const char *const *flat)
{
    struct slice s = text_at(entry, maxmind);

    return s.n > 0 ? s : text_at(entry, flat);
}

static void
read_place(MMDB_entry_s *entry, struct place *out)
{
    static const char *const continent[] = {"continent", "code", NULL};
    static const char *const continent_flat[] = {"continent_code", NULL};
    static const char *const country[] = {"country", "iso_code", NULL};
    static const char *const country_flat[] = {"country_code", NULL};
    static const char *const region[] = {"subdivisions", "0", "iso_code", NULL};
    static const char *const region_name[] = {"subdivisions", "0", "names", "en", NULL};
    static const char *const region_flat[] = {"state1", NULL};
    static const char *const city[] = {"city", "names", "en", NULL};
    static const char *const city_flat[] = {"city", NULL};
    struct slice part;
    int n;

    out->continent = text_at_either(entry, continent, continent_flat);
    out->country = text_at_either(entry, country, country_flat);
    out->city = text_at_either(entry, city, city_flat);
    part = text_at(entry, region);
    if (part.n == 0)
        part = text_at_either(entry, region_name, region_flat);
    if (part.n == 0 || out->country.n == 0)
        return;
    n = snprintf(out->region_text, sizeof out->region_text, "%.*s-%.*s", SLICE_ARG(out->country),
                 SLICE_ARG(part));
    if (n > 0 && (size_t)n < sizeof out->region_text)
        out->region = slice_of(out->region_text, (size_t)n);
}

bool
place_find(const struct place_database *database, struct slice ip, struct place *out)
{
    MMDB_lookup_result_s result;
    union address address;
    int status;

    out->continent = out->country = out->region = out->city = SLICE_EMPTY;
    if (!read_address(ip, &address))
        return false;
    result = MMDB_lookup_sockaddr(&database->mmdb, &address.any, &status);
    if (status != MMDB_SUCCESS || !result.found_entry)
        return false;
    read_place(&result.entry, out);
    return true;
}
