/* Look-ups in a MaxMind database, and its replacement under them.
 *
 * There is room for two databases, of which one is current. A reader counts itself into the current
 * one, sees that it still is, and counts itself out; so it never waits. The writer fills the other
 * room, makes it current, and frees the old one when nobody is left in it.
 *
 * libmaxminddb is given AF_INET or AF_INET6 and nothing else: it trusts the family of a socket
 * address.
 */
#include "collector/place.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/place_int.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/ticker.h"

#define LOOK_EVERY_MS 1000
#define COPY_BYTES    (64u << 10)

/* Which file it was: another one, or other contents, differs in one of these. */
struct file_id {
    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec changed; /* not "modified", which a copy may set back; a chmod changes it too */
};

struct place_database {
    char *path;
    atomic_uint current; /* 0 or 1 */
    atomic_uint n_readers[2];
    MMDB_s *rooms[2];    /* NULL: no place is known */
    struct file_id seen; /* the one in use */
    struct file_id last; /* the one of the last look */
    struct ticker *ticker;
};

/* ---- The file ---- */

static struct file_id
id_of(const struct stat *s)
{
    return (struct file_id){s->st_dev, s->st_ino, s->st_size, s->st_ctim};
}

static bool
is_same_file(const struct file_id *a, const struct file_id *b)
{
    return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static enum err_code
copy_bytes(int from, int to, struct err *err)
{
    char *room = mem_alloc(COPY_BYTES);
    enum err_code rc = ERR_OK;
    size_t total = 0;

    for (;;) {
        ssize_t n = read(from, room, COPY_BYTES);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = err_errno(err, "it cannot be read");
        if (n > 0 && (total += (size_t)n) > PLACE_FILE_MAX)
            rc = err_set(err, ERR_LIMIT, NULL, "it has more than %u MB", PLACE_FILE_MAX >> 20);
        if (n > 0 && rc == ERR_OK)
            rc = file_write(to, room, (size_t)n, err);
        if (n <= 0 || rc != ERR_OK)
            break;
    }
    free(room);
    return rc;
}

static enum err_code
check_file(int fd, struct err *err)
{
    struct stat s;
    enum err_code rc;
    void *map;

    if (fstat(fd, &s) != 0)
        return err_errno(err, "its copy cannot be read");
    if (s.st_size == 0)
        return err_set(err, ERR_CORRUPT, NULL, "it is empty");
    map = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return err_errno(err, "its copy cannot be mapped");
    rc = place__check(map, (size_t)s.st_size, err);
    munmap(map, (size_t)s.st_size);
    return rc;
}

static enum err_code
open_copy(int fd, MMDB_s **out, struct err *err)
{
    MMDB_s *mmdb = mem_zalloc(sizeof *mmdb);
    char path[64];
    int status;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    status = MMDB_open(path, MMDB_MODE_MMAP, mmdb);
    if (status == MMDB_SUCCESS) {
        *out = mmdb;
        return ERR_OK;
    }
    free(mmdb);
    return err_set(err, ERR_CORRUPT, NULL, "%s", MMDB_strerror(status));
}

/* Open the file and say which one it is, also where it is bad. */
static enum err_code
open_file(const char *path, int *out_fd, struct file_id *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat s;

    if (fd < 0)
        return errno == ENOENT ? err_set(err, ERR_NOT_FOUND, NULL, "there is none")
                               : err_errno(err, "it cannot be opened");
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) {
        close(fd);
        return err_set(err, ERR_CORRUPT, NULL, "it is no file");
    }
    *out = id_of(&s);
    *out_fd = fd;
    return ERR_OK;
}

static enum err_code
load(const char *path, MMDB_s **out, struct file_id *out_id, struct err *err)
{
    int fd = -1, copy = -1;
    struct file_id after;
    struct stat s;
    enum err_code rc = open_file(path, &fd, out_id, err);

    if (rc != ERR_OK)
        goto done;
    copy = file_create_nameless("corong-places");
    if (copy < 0) {
        rc = err_errno(err, "there is no room for a copy");
        goto done;
    }
    rc = copy_bytes(fd, copy, err);
    if (rc == ERR_OK && fstat(fd, &s) == 0) {
        after = id_of(&s);
        if (!is_same_file(out_id, &after))
            rc = err_set(err, ERR_CONFLICT, NULL, "it is being written");
    }
    if (rc == ERR_OK)
        rc = check_file(copy, err);
    if (rc == ERR_OK)
        rc = open_copy(copy, out, err);
done:
    if (copy >= 0)
        close(copy);
    if (fd >= 0)
        close(fd);
    return rc;
}

static void
close_room(MMDB_s **room)
{
    if (!*room)
        return;
    MMDB_close(*room);
    free(*room);
    *room = NULL;
}

/* ---- Replacement ---- */

static unsigned
enter(struct place_database *database)
{
    for (;;) {
        unsigned i = atomic_load(&database->current);

        atomic_fetch_add(&database->n_readers[i], 1);
        if (atomic_load(&database->current) == i)
            return i;
        atomic_fetch_sub(&database->n_readers[i], 1);
    }
}

static void
leave(struct place_database *database, unsigned i)
{
    atomic_fetch_sub(&database->n_readers[i], 1);
}

static void
replace(struct place_database *database, MMDB_s *mmdb)
{
    unsigned old = atomic_load(&database->current);

    database->rooms[!old] = mmdb;
    atomic_store(&database->current, !old);
    while (atomic_load(&database->n_readers[old]) > 0)
        clock_sleep_ms(1);
    close_room(&database->rooms[old]);
}

enum err_code
place_refresh(struct place_database *database, struct err *err)
{
    struct err why = ERR_NONE;
    struct file_id id = {.bytes = 0};
    struct stat s;
    MMDB_s *mmdb = NULL;
    enum err_code rc;

    if (stat(database->path, &s) == 0) {
        id = id_of(&s);
        if (is_same_file(&id, &database->seen))
            return ERR_OK;
    }
    rc = load(database->path, &mmdb, &id, &why);
    if (rc != ERR_NOT_FOUND && rc != ERR_CONFLICT && rc != ERR_FULL)
        database->seen = id;
    if (rc != ERR_OK)
        return err_set(err, rc, NULL, "place database %s: %s", database->path, why.message);
    replace(database, mmdb);
    return ERR_OK;
}

/* ---- The thread that looks ---- */

/* A file that changed between two looks is still being written. */
static int64_t
look(void *context)
{
    struct place_database *database = context;
    struct err err = ERR_NONE;
    struct file_id now;
    struct stat s;
    bool is_still;

    if (stat(database->path, &s) != 0)
        return LOOK_EVERY_MS;
    now = id_of(&s);
    is_still = is_same_file(&now, &database->last);
    database->last = now;
    if (!is_still || is_same_file(&now, &database->seen))
        return LOOK_EVERY_MS;
    if (place_refresh(database, &err) == ERR_OK)
        log_info("place database %s: replaced", database->path);
    else
        log_error("%s; what was known before stays", err.message);
    return LOOK_EVERY_MS;
}

enum err_code
place_watch(struct place_database *database, struct err *err)
{
    database->last = database->seen;
    return ticker_start(look, database, LOOK_EVERY_MS, &database->ticker, err);
}

/* ---- Open and close ---- */

struct place_database *
place_create(const char *path)
{
    struct place_database *database = mem_zalloc(sizeof *database);

    database->path = mem_cstr(slice_from(path));
    return database;
}

enum err_code
place_open(const char *path, struct place_database **out, struct err *err)
{
    struct place_database *database = place_create(path);
    enum err_code rc = place_refresh(database, err);

    if (rc == ERR_OK)
        *out = database;
    else
        place_close(&database);
    return rc;
}

void
place_close(struct place_database **database)
{
    struct place_database *d = *database;

    if (!d)
        return;
    ticker_stop(&d->ticker);
    close_room(&d->rooms[0]);
    close_room(&d->rooms[1]);
    free(d->path);
    free(d);
    *database = NULL;
}

/* ---- Look-ups ---- */

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
read_place(MMDB_entry_s *entry, struct arena *a, struct place *out)
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
    struct slice part = text_at(entry, region);

    out->continent = arena_copy(a, text_at_either(entry, continent, continent_flat));
    out->country = arena_copy(a, text_at_either(entry, country, country_flat));
    out->city = arena_copy(a, text_at_either(entry, city, city_flat));
    if (part.n == 0)
        part = text_at_either(entry, region_name, region_flat);
    if (part.n > 0 && out->country.n > 0)
        out->region = arena_printf(a, "%.*s-%.*s", SLICE_ARG(out->country), SLICE_ARG(part));
}

bool
place_find(struct place_database *database, struct slice ip, struct arena *a, struct place *out)
{
    MMDB_lookup_result_s result = {.found_entry = false};
    union address address;
    int status = MMDB_SUCCESS;
    unsigned room;

    out->continent = out->country = out->region = out->city = SLICE_EMPTY;
    if (!read_address(ip, &address))
        return false;
    room = enter(database);
    if (database->rooms[room])
        result = MMDB_lookup_sockaddr(database->rooms[room], &address.any, &status);
    if (status != MMDB_SUCCESS)
        result.found_entry = false;
    if (result.found_entry)
        read_place(&result.entry, a, out);
    leave(database, room);
    return result.found_entry;
}

/* ---- What it is ---- */

static const char *
description_of(const MMDB_metadata_s *m)
{
    const char *first = m->description.count > 0 ? m->description.descriptions[0]->description : "";

    for (size_t i = 0; i < m->description.count; i++)
        if (strcmp(m->description.descriptions[i]->language, "en") == 0)
            return m->description.descriptions[i]->description;
    return first;
}

static void
copy_words(const char *words, char *out, size_t size)
{
    struct slice s = slice_from(words);

    if (!slice_is_utf8(s))
        s = SLICE_EMPTY;
    slice_to_cstr(slice_sub(s, 0, slice_utf8_cut(s, size - 1)), out, size);
}

bool
place_describe(const struct place_database *database, struct place_about *out)
{
    struct place_database *d =
        (struct place_database *)(uintptr_t)database; /* readers are counted */
    unsigned room = enter(d);
    const MMDB_s *mmdb = d->rooms[room];

    if (mmdb) {
        copy_words(mmdb->metadata.database_type, out->type, sizeof out->type);
        copy_words(description_of(&mmdb->metadata), out->notice, sizeof out->notice);
        out->built_ms = (int64_t)(mmdb->metadata.build_epoch % (UINT64_C(1) << 40)) * 1000;
    }
    leave(d, room);
    return mmdb != NULL;
}
