/* Repairing the catalog. What is not here: finding what is wrong with segments (check.h). */
#include "aggregator/repair.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "aggregator/catalog.h"
#include "aggregator/link_set.h"
#include "core/clock.h"

#define FOLDER_MODE 0700
#define CHUNK       1024

struct repair {
    const struct store *store;
    struct catalog *catalog;
    check_callback callback;
    void *context;
    struct repair_result result;
    struct catalog_position position; /* of the damaged catalog */
    bool has_position;
    struct catalog_list copied; /* of the catalog's copy, where the catalog is made anew */
    struct arena arena;
};

static void
tell(struct repair *k, bool is_problem, const char *where, const char *what)
{
    struct check_finding finding = {is_problem, slice_from(where), slice_from(what)};

    k->callback(&finding, k->context);
}

/* ---- Is anything open? ---- */

/* Every connection of SQLite's holds a shared lock on these bytes (sqlite3's os.h: SHARED_FIRST,
 * SHARED_SIZE) while it is open in WAL mode. Asked before this process has one of its own. */
static enum err_code
check_closed(const struct store *s, struct err *err)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000002, .l_len = 510};
    char path[FILE_PATH_MAX];
    int fd;

    store_path(s, "catalog.db", path);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ERR_OK : err_errno(err, "cannot open %s", path);
    if (fcntl(fd, F_GETLK, &lock) != 0)
        lock.l_type = F_UNLCK;
    close(fd);
    if (lock.l_type == F_UNLCK)
        return ERR_OK;
    return err_set(err, ERR_CONFLICT, NULL,
                   "process %d has catalog.db open: stop Corong before repairing", (int)lock.l_pid);
}

/* ---- The catalog ---- */

static void
pass_link(const struct catalog_link *link, void *context)
{
    (void)link;
    (void)context;
}

static bool
are_links_whole(struct repair *k)
{
    bool is_whole = true;
    uint32_t *sites = NULL;
    size_t n = 0;

    if (catalog_links_sites(k->catalog, &k->arena, &sites, &n, NULL) != ERR_OK)
        return false;
    for (size_t i = 0; is_whole && i < n; i++) {
        struct catalog_links links = {0};

        is_whole =
            catalog_links_read(k->catalog, sites[i], &links, pass_link, NULL, NULL) == ERR_OK &&
            links.is_whole;
    }
    return is_whole;
}

static bool
are_tombstones_whole(struct repair *k)
{
    struct catalog_erased erased;

    return catalog_erased_read(k->catalog, 0, &k->arena, &erased, NULL) == ERR_OK &&
           erased.is_whole;
}

/* Open it; ERR_CORRUPT, ERR_NOT_FOUND: it is not there, or not what was written. */
static enum err_code
check_catalog(struct repair *k, struct err *why)
{
    struct slice words = SLICE_EMPTY;
    struct catalog_list list;
    enum err_code rc = catalog_open(k->store, false, &k->catalog, why);

    if (rc == ERR_OK)
        rc = catalog_position_get(k->catalog, STREAM_EVENTS, &k->position, why);
    k->has_position = rc == ERR_OK;
    if (rc == ERR_NOT_FOUND && k->catalog) /* the stream was never read */
        rc = ERR_OK;
    if (rc == ERR_OK)
        rc = catalog_check(k->catalog, &k->arena, &words, why);
    if (rc == ERR_OK && !slice_is(words, "ok"))
        rc = err_set(why, ERR_CORRUPT, NULL, "%.*s", SLICE_ARG(words));
    if (rc == ERR_OK)
        rc = catalog_read(k->catalog, &k->arena, &list, why);
    if (rc == ERR_OK && (!list.is_whole || !are_links_whole(k) || !are_tombstones_whole(k)))
        rc = err_set(why, ERR_CORRUPT, NULL, "rows do not agree with their checks");
    return rc;
}

static enum err_code
put_aside(struct repair *k, const char *from, const char *name, struct err *err)
{
    char folder[FILE_PATH_MAX], to[FILE_PATH_MAX];
    enum err_code rc;

    store_path(k->store, "damaged", folder);
    rc = file_make_folder(folder, FOLDER_MODE, err);
    file_path(to, folder, name);
    if (rc == ERR_OK && rename(from, to) != 0 && errno != ENOENT)
        rc = err_errno(err, "cannot put %s aside", from);
    return rc;
}

static enum err_code
put_catalog_aside(struct repair *k, struct err *err)
{
    static const char *const names[] = {"catalog.db-wal", "catalog.db-shm", "catalog.db"};
    enum err_code rc = ERR_OK;
    char from[FILE_PATH_MAX];

    for (size_t i = 0; rc == ERR_OK && i < sizeof names / sizeof names[0]; i++) {
        struct slice name =
            arena_printf(&k->arena, "%lld-%s", (long long)clock_wall_ms(), names[i]);

        store_path(k->store, names[i], from);
        rc = put_aside(k, from, name.p, err);
    }
    return rc;
}

/* Where the stream was read up to is as good as before: what is read again changes nothing. */
static enum err_code
keep_position(struct repair *k, struct err *err)
{
    struct catalog_advance advance = {.stream = STREAM_EVENTS,
                                      .epoch = k->position.epoch,
                                      .to = k->position.id,
                                      .n_entries = k->position.n_entries};
    struct catalog_change change = {.advance = &advance};
    enum err_code rc;

    if (!k->has_position)
        return ERR_OK;
    rc = catalog_position_reset(k->catalog, STREAM_EVENTS, NULL, k->position.epoch, err);
    return rc == ERR_OK ? catalog_commit(k->catalog, &change, err) : rc;
}

/* The position, where it could not be read, and the files that were live. What came since the copy
 * was made is read from the segments, or once more from the stream. */
static void
read_copy(struct repair *k)
{
    struct catalog *copy = NULL;
    struct err why = ERR_NONE;
    enum err_code rc = catalog_open_copy(k->store, &copy, &why);

    if (rc == ERR_OK && !k->has_position)
        k->has_position = catalog_position_get(copy, STREAM_EVENTS, &k->position, NULL) == ERR_OK;
    if (rc == ERR_OK)
        rc = catalog_read(copy, &k->arena, &k->copied, &why);
    if (rc != ERR_OK && rc != ERR_NOT_FOUND)
        tell(k, false, CATALOG_COPY, why.message);
    catalog_close(&copy);
}

/* An empty catalog in the place of the damaged one. */
static enum err_code
make_catalog(struct repair *k, const struct err *why, struct err *err)
{
    enum err_code rc;

    if (k->catalog) /* whom it still knows; what cannot be read is in `erased`, it is to be hoped */
        (void)catalog_erased_keep(k->catalog, NULL);
    catalog_close(&k->catalog);
    read_copy(k);
    rc = put_catalog_aside(k, err);
    if (rc == ERR_OK)
        rc = catalog_create_again(k->store, &k->catalog, err);
    if (rc == ERR_OK) /* before any event is named again */
        rc = catalog_erased_restore(k->catalog, NULL, err);
    if (rc == ERR_OK)
        rc = keep_position(k, err);
    if (rc != ERR_OK)
        return rc;
    k->result.is_new = true;
    tell(k, false, "catalog.db",
         arena_printf(&k->arena, "made anew (the former one is in damaged/): %s", why->message).p);
    if (!k->has_position)
        tell(k, false, "catalog.db",
             "how far the stream was read is not known any more: it is read from its start, and "
             "an alarm stream_lost may count entries that were stored");
    return ERR_OK;
}

/* ---- Segments ---- */

/* Which ids of its events are one person's. */
static enum err_code
find_links(const struct segment *segment, struct link_set *links, struct arena *a, struct err *err)
{
    uint32_t n_rows = segment_info(segment)->n_rows;
    struct segment_cursor *cursor = NULL;
    struct segment_column known;
    uint32_t codes[CHUNK];
    struct catalog_link link;
    struct event e;
    enum err_code rc = segment_text_open(segment, TEXT_KNOWN, &known, err);

    if (rc != ERR_OK || known.n_codes <= 1)
        return rc;
    cursor = segment_cursor_create(segment);
    for (uint32_t row = 0; rc == ERR_OK && row < n_rows; row++) {
        if (row % CHUNK == 0)
            segment_codes(&known, row, n_rows - row < CHUNK ? n_rows - row : CHUNK, codes);
        if (codes[row % CHUNK] == 0)
            continue;
        rc = segment_cursor_event(cursor, row, a, &e, err);
        if (rc == ERR_OK && catalog_link_of(&e, &link))
            link_set_add(links, &link);
        arena_reset(a);
    }
    segment_cursor_destroy(&cursor);
    return rc;
}

static enum err_code
commit_segment(struct repair *k, const struct segment *segment, const char *name, struct err *err)
{
    struct segment_file file = {.info = *segment_info(segment), .sites = segment_sites(segment)};
    struct catalog_change change = {.n_add = 1};
    struct catalog_segment row;
    struct link_set links;
    struct err why = ERR_NONE;
    enum err_code rc;
    struct arena a;

    snprintf(file.name, sizeof file.name, "%s", name);
    row =
        catalog_segment_of(&file, file.info.kind == SEGMENT_MERGED ? CATALOG_MERGE : CATALOG_FLUSH);
    change.add = &row;
    arena_init(&a, 128 << 10);
    link_set_init(&links);
    if (segment_check(segment, &why) != ERR_OK) /* reports leave the damaged part out, and say so */
        tell(k, true, name, why.message);
    else if (find_links(segment, &links, &a, &why) != ERR_OK)
        tell(k, true, name, why.message);
    change.links = link_set_list(&links, &change.n_links);
    rc = catalog_commit(k->catalog, &change, err);
    link_set_fini(&links);
    arena_fini(&a);
    return rc;
}

/* A file that the catalog does not name: it does from now on. */
static enum err_code
take_file(struct repair *k, const char *folder, const char *name, struct err *err)
{
    struct segment_owner owner = store_owner(k->store);
    char from[FILE_PATH_MAX], to[FILE_PATH_MAX];
    struct segment *segment = NULL;
    struct err why = ERR_NONE;
    enum err_code rc;

    file_path(from, folder, name);
    store_segment_path(k->store, name, to);
    if (segment_open(from, &owner, &segment, &why) != ERR_OK) {
        k->result.n_lost++;
        tell(k, true, name,
             arena_printf(&k->arena, "cannot be read, put into damaged/: %s", why.message).p);
        return put_aside(k, from, name, err);
    }
    rc = rename(from, to) == 0 ? file_sync_folder(k->store->segments, err)
                               : err_errno(err, "cannot move %s", from);
    if (rc == ERR_OK)
        rc = commit_segment(k, segment, name, err);
    segment_close(&segment);
    if (rc != ERR_OK)
        return rc;
    k->result.n_segments++;
    if (!k->result.is_new)
        tell(k, false, name, "no commit named it: it is back");
    return ERR_OK;
}

static bool
is_named(const struct catalog_list *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->segments[i].name, name) == 0)
            return true;
    return false;
}

/* The names first: taking a file moves it. */
static enum err_code
list_files(struct repair *k, const char *folder, struct slice **out, size_t *out_n, struct err *err)
{
    struct slice *names = NULL;
    struct dirent *entry;
    size_t n = 0, n_max = 0;
    DIR *d = opendir(folder);

    if (!d)
        return errno == ENOENT ? ERR_OK : err_errno(err, "cannot open %s", folder);
    while ((entry = readdir(d)) != NULL) {
        struct slice name = slice_from(entry->d_name);

        if (entry->d_name[0] == '.' || name.n >= CATALOG_NAME_MAX ||
            !slice_ends_with(name, SLICE(".seg")))
            continue;
        if (n == n_max) {
            n_max = 2 * n_max + 64;
            struct slice *more = ARENA_ARRAY(&k->arena, struct slice, n_max);

            if (n != 0)
                memcpy(more, names, n * sizeof *more);
            names = more;
        }
        names[n++] = arena_copy(&k->arena, name);
    }
    closedir(d);
    *out = names;
    *out_n = n;
    return ERR_OK;
}

static enum err_code
take_folder(struct repair *k, const char *folder, struct err *err)
{
    struct catalog_list list;
    struct slice *names = NULL;
    size_t n = 0;
    enum err_code rc = catalog_read(k->catalog, &k->arena, &list, err);

    if (rc == ERR_OK)
        rc = list_files(k, folder, &names, &n, err);
    for (size_t i = 0; rc == ERR_OK && i < n; i++) {
        bool is_kept = is_named(&list, names[i].p);

        if (!is_kept)
            rc = catalog_is_replaced(k->catalog, names[i].p, &is_kept, err);
        if (rc == ERR_OK && !is_kept)
            rc = take_file(k, folder, names[i].p, err);
    }
    return rc;
}

/* Files of the copy that are nowhere: nothing but a loss takes such a file away. */
static enum err_code
name_lost(struct repair *k, struct err *err)
{
    char live[FILE_PATH_MAX], damaged[FILE_PATH_MAX], folder[FILE_PATH_MAX];
    uint64_t n_rows = 0, n = 0;

    store_path(k->store, "damaged", folder);
    for (size_t i = 0; i < k->copied.n; i++) {
        const struct catalog_segment *row = &k->copied.segments[i];

        store_segment_path(k->store, row->name, live);
        file_path(damaged, folder, row->name);
        if (file_exists(live) || file_exists(damaged))
            continue;
        n++;
        n_rows += row->n_rows;
        tell(k, true, row->name,
             arena_printf(&k->arena, "is gone, and its %llu events with it",
                          (unsigned long long)row->n_rows)
                 .p);
    }
    if (n == 0)
        return ERR_OK;
    return catalog_alarm_raise(
        k->catalog, "segments_gone", n,
        arena_printf(&k->arena,
                     "%llu files with %llu events are gone: put them back from segments/ of a "
                     "backup, and run `corong check --repair` once more",
                     (unsigned long long)n, (unsigned long long)n_rows)
            .p,
        err);
}

/* ---- Lost commits ---- */

/* A merge that was lost left rows of files that are gone by now: what they held is in the merge's
 * own files, which have just come back. */
static enum err_code
drop_missing(struct repair *k, struct err *err)
{
    char path[FILE_PATH_MAX];
    struct catalog_list list;
    enum err_code rc = catalog_read(k->catalog, &k->arena, &list, err);

    for (size_t i = 0; rc == ERR_OK && i < list.n; i++) {
        const struct catalog_segment *row = &list.segments[i];
        struct catalog_change change = {.remove = &row->name, .n_remove = 1};

        store_segment_path(k->store, row->name, path);
        if (file_exists(path))
            continue;
        tell(k, false, row->name,
             arena_printf(&k->arena,
                          "its file is gone (%llu events): it was merged into others after what "
                          "the catalog remembers",
                          (unsigned long long)row->n_rows)
                 .p);
        rc = catalog_commit(k->catalog, &change, err);
    }
    return rc;
}

/* ---- All of it ---- */

/* What the catalog is found to be. One of a newer Corong, or one that is busy, is none to be made
 * anew; one that cannot be read is, where somebody asked for it. */
static enum err_code
judge(struct repair *k, bool is_start, bool *out_is_whole, uint64_t *out_n_lost, struct err *why,
      struct err *err)
{
    enum err_code rc = check_catalog(k, why);

    *out_n_lost = 0;
    *out_is_whole = rc == ERR_OK;
    if (rc == ERR_OK)
        return catalog_lost_commits(k->catalog, out_n_lost, err);
    if (rc == ERR_CORRUPT || rc == ERR_NOT_FOUND || (rc == ERR_IO && !is_start))
        return ERR_OK;
    *err = *why;
    return rc;
}

static enum err_code
mend(struct repair *k, bool is_whole, uint64_t n_lost, const struct err *why, struct err *err)
{
    char unlisted[FILE_PATH_MAX];
    enum err_code rc = is_whole ? ERR_OK : make_catalog(k, why, err);

    store_path(k->store, "unlisted", unlisted);
    if (rc == ERR_OK)
        rc = take_folder(k, k->store->segments, err);
    if (rc == ERR_OK)
        rc = take_folder(k, unlisted, err);
    if (rc == ERR_OK)
        rc = name_lost(k, err);
    if (rc == ERR_OK && n_lost != 0)
        rc = drop_missing(k, err);
    if (rc == ERR_OK && (n_lost != 0 || !is_whole))
        rc = catalog_is_repaired(k->catalog, err);
    return rc;
}

static enum err_code
tell_alarm(struct repair *k, struct err *err)
{
    const char *message =
        arena_printf(&k->arena,
                     "catalog.db was damaged or had lost commits and was mended at a start: %llu "
                     "segments are named again, %llu files could not be (they are in damaged/)",
                     (unsigned long long)k->result.n_segments, (unsigned long long)k->result.n_lost)
            .p;

    return catalog_alarm_raise(k->catalog, "catalog_repaired", 1, message, err);
}

static enum err_code
run(struct repair *k, bool is_start, struct err *err)
{
    struct err why = ERR_NONE;
    bool is_whole = false;
    uint64_t n_lost = 0;
    enum err_code rc = judge(k, is_start, &is_whole, &n_lost, &why, err);

    if (rc == ERR_OK && !(is_start && is_whole && n_lost == 0)) {
        rc = mend(k, is_whole, n_lost, &why, err);
        if (rc == ERR_OK && is_start)
            rc = tell_alarm(k, err);
    }
    catalog_close(&k->catalog);
    return rc;
}

static enum err_code
run_alone(struct repair *k, bool is_start, struct err *err)
{
    int merging = -1, writing = -1;
    enum err_code rc = store_lock_merging(k->store, false, &merging, err);

    if (rc == ERR_OK)
        rc = store_lock_writing(k->store, true, false, &writing, err);
    if (rc == ERR_OK)
        rc = check_closed(k->store, err);
    if (rc == ERR_OK) {
        arena_init(&k->arena, 256 << 10);
        rc = run(k, is_start, err);
        arena_fini(&k->arena);
    }
    file_unlock(&writing);
    file_unlock(&merging);
    return rc;
}

enum err_code
repair_run(const struct store *s, check_callback callback, void *context, struct repair_result *out,
           struct err *err)
{
    struct repair k = {.store = s, .callback = callback, .context = context};
    enum err_code rc = run_alone(&k, false, err);

    if (rc == ERR_OK)
        *out = k.result;
    return rc;
}

static bool
has_catalog(const struct store *s)
{
    char path[FILE_PATH_MAX];

    store_path(s, "catalog.db", path);
    return file_exists(path);
}

enum err_code
repair_at_start(const struct store *s, check_callback callback, void *context, struct err *err)
{
    struct repair k = {.store = s, .callback = callback, .context = context};
    struct slice *names = NULL;
    size_t n_segments = 0;
    enum err_code rc;

    arena_init(&k.arena, 16 << 10);
    rc = list_files(&k, s->segments, &names, &n_segments, err);
    arena_fini(&k.arena);
    if (rc != ERR_OK || (!has_catalog(s) && n_segments == 0)) /* a new folder */
        return rc;
    rc = run_alone(&k, true, err);
    return rc == ERR_CONFLICT ? ERR_OK : rc; /* whoever has it open would know */
}
