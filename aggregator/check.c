/* Verifying without changing. What is not here: repairing. */
#include "aggregator/check.h"

#include <dirent.h>
#include <stdlib.h>

#include "aggregator/catalog.h"
#include "aggregator/settings_db.h"

struct check {
    const struct store *store;
    struct catalog *catalog;
    check_callback callback;
    void *context;
    struct check_result result;
    struct arena arena;
};

static void
tell(struct check *k, bool is_problem, struct slice where, struct slice what)
{
    struct check_finding finding = {is_problem, where, what};

    k->result.n_problems += is_problem;
    k->callback(&finding, k->context);
}

static void
tell_segment(struct check *k, const char *name, const char *what)
{
    tell(k, true, arena_printf(&k->arena, "segments/%s", name), slice_from(what));
}

/* ---- Segments ---- */

static int
compare_names(const void *key, const void *row)
{
    return strcmp(key, ((const struct catalog_segment *)row)->name);
}

static const char *
compare_row(const struct catalog_segment *row, const struct segment *segment)
{
    const struct segment_info *info = segment_info(segment);
    uint32_t site = info->n_sites == 1 ? segment_sites(segment)[0].site : 0;

    if (row->n_rows != info->n_rows || row->n_bytes != info->n_bytes)
        return "rows or bytes are not those of the catalog";
    if (row->month != info->month || row->site != site)
        return "month or site is not that of the catalog";
    if (row->min_time_ms != info->time_min_ms || row->max_time_ms != info->time_max_ms)
        return "its times are not those of the catalog";
    return NULL;
}

/* A long check meets files that were merged away since it began. */
static bool
is_still_live(struct check *k, const char *name)
{
    struct catalog_list list;
    bool is_live = true;
    struct arena a;

    arena_init(&a, 16 << 10);
    if (catalog_read(k->catalog, &a, &list, NULL) == ERR_OK)
        is_live =
            bsearch(name, list.segments, list.n, sizeof *list.segments, compare_names) != NULL;
    arena_fini(&a);
    return is_live;
}

static void
check_segment(struct check *k, const struct catalog_segment *row)
{
    struct segment_owner owner = store_owner(k->store);
    struct segment *segment = NULL;
    char path[FILE_PATH_MAX];
    struct err err = ERR_NONE;
    const char *difference;
    enum err_code rc;

    store_segment_path(k->store, row->name, path);
    k->result.n_segments++;
    k->result.n_rows += row->n_rows;
    k->result.n_bytes += row->n_bytes;
    rc = segment_open(path, &owner, &segment, &err);
    if (rc == ERR_NOT_FOUND && !is_still_live(k, row->name))
        return;
    if (rc != ERR_OK) {
        tell_segment(k, row->name, err.message);
        return;
    }
    if (segment_check(segment, &err) != ERR_OK)
        tell_segment(k, row->name, err.message);
    difference = compare_row(row, segment);
    if (difference)
        tell_segment(k, row->name, difference);
    segment_close(&segment);
}

/* ---- Files that nobody names ---- */

static bool
is_named(struct check *k, const struct catalog_list *list, const char *name)
{
    bool is_replaced = false;

    if (bsearch(name, list->segments, list->n, sizeof *list->segments, compare_names))
        return true;
    return k->catalog && catalog_is_replaced(k->catalog, name, &is_replaced, NULL) == ERR_OK &&
           is_replaced;
}

static enum err_code
check_unlisted(struct check *k, const struct catalog_list *list, struct err *err)
{
    struct dirent *entry;
    DIR *dir = opendir(k->store->segments);

    if (!dir)
        return err_errno(err, "open %s", k->store->segments);
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (is_named(k, list, entry->d_name))
            continue;
        tell(k, false, arena_printf(&k->arena, "segments/%s", entry->d_name),
             SLICE("not in the catalog: being written, or left by a crash; the next clean-up "
                   "decides"));
    }
    closedir(dir);
    return ERR_OK;
}

/* ---- Databases ---- */

static void
tell_database(struct check *k, const char *name, enum err_code rc, struct slice words,
              const struct err *err)
{
    if (rc != ERR_OK)
        tell(k, true, slice_from(name), slice_from(err->message));
    else if (!slice_is(words, "ok"))
        tell(k, true, slice_from(name), words);
}

static void
check_settings(struct check *k)
{
    struct settings_db *settings = NULL;
    struct slice words = SLICE_EMPTY;
    struct err err = ERR_NONE;
    char path[FILE_PATH_MAX];
    enum err_code rc;

    store_path(k->store, "settings.db", path);
    if (!file_exists(path))
        return;
    rc = settings_db_open(k->store, &settings, &err);
    if (rc == ERR_OK)
        rc = settings_db_check(settings, &k->arena, &words, &err);
    tell_database(k, "settings.db", rc, words, &err);
    settings_db_close(&settings);
}

static void
check_rows(struct check *k, const struct catalog_list *list)
{
    if (list->n_bad != 0)
        tell(k, true, SLICE("catalog.db"),
             arena_printf(&k->arena, "%zu rows of segments fail their check", list->n_bad));
    if (!list->is_whole)
        tell(k, true, SLICE("catalog.db"),
             SLICE("count and sum of the segments' checks do not agree with the rows"));
}

static void
pass_link(const struct catalog_link *link, void *context)
{
    (void)link;
    (void)context;
}

static void
check_links(struct check *k)
{
    uint32_t *sites = NULL;
    struct err why = ERR_NONE;
    enum err_code rc;
    size_t n = 0;

    rc = catalog_reading_begin(k->catalog, &why);
    if (rc == ERR_OK)
        rc = catalog_links_sites(k->catalog, &k->arena, &sites, &n, &why);
    for (size_t i = 0; rc == ERR_OK && i < n; i++) {
        struct catalog_links links = {0};

        rc = catalog_links_read(k->catalog, sites[i], &links, pass_link, NULL, &why);
        if (rc == ERR_OK && !links.is_whole)
            tell(k, true, SLICE("catalog.db"),
                 arena_printf(&k->arena,
                              "site %u: its links of ids do not agree with their checks (%zu rows "
                              "are damaged)",
                              sites[i], links.n_bad));
    }
    catalog_reading_end(k->catalog);
    if (rc != ERR_OK)
        tell(k, true, SLICE("catalog.db"), slice_from(why.message));
}

static void
check_tombstones(struct check *k)
{
    struct catalog_erased erased;
    struct err why = ERR_NONE;
    enum err_code rc = catalog_reading_begin(k->catalog, &why);
    size_t n_bad = 0;

    if (rc == ERR_OK)
        rc = catalog_erased_read(k->catalog, 0, &k->arena, &erased, &why);
    catalog_reading_end(k->catalog);
    if (rc == ERR_OK && !erased.is_whole)
        tell(k, true, SLICE("catalog.db"), SLICE("tombstones do not agree with their checks"));
    if (rc == ERR_OK)
        rc = catalog_erased_damage(k->catalog, &n_bad, &why);
    if (rc != ERR_OK)
        tell(k, true, SLICE("catalog.db"), slice_from(why.message));
    if (n_bad != 0)
        tell(k, false, SLICE("erased"),
             arena_printf(&k->arena,
                          "%zu records are damaged: what of them is in the catalog is written "
                          "again when the aggregator starts",
                          n_bad));
}

/* Has it lost commits without a word of SQLite's? */
static void
check_mark(struct check *k)
{
    struct err why = ERR_NONE;
    uint64_t n_lost = 0;

    if (catalog_lost_commits(k->catalog, &n_lost, &why) != ERR_OK)
        tell(k, true, SLICE("catalog.db"), slice_from(why.message));
    if (n_lost != 0)
        tell(k, true, SLICE("catalog.db"),
             arena_printf(&k->arena, "its last %llu commits are lost", (unsigned long long)n_lost));
    if (catalog_mark_is_damaged(k->catalog))
        tell(k, false, SLICE("catalog.mark"), SLICE("damaged: the next commit writes it anew"));
}

/* The catalog can be read: everything that it says. */
static enum err_code
check_listing(struct check *k, struct err *err)
{
    struct catalog_position position;
    struct catalog_list list;
    struct err why = ERR_NONE;
    enum err_code rc;

    rc = catalog_position_get(k->catalog, STREAM_EVENTS, &position, &why);
    if (rc != ERR_OK && rc != ERR_NOT_FOUND)
        tell(k, true, SLICE("catalog.db"), slice_from(why.message));
    rc = catalog_read(k->catalog, &k->arena, &list, &why);
    if (rc != ERR_OK) {
        tell(k, true, SLICE("catalog.db"), slice_from(why.message));
        return ERR_OK;
    }
    check_mark(k);
    check_rows(k, &list);
    check_links(k);
    check_tombstones(k);
    for (size_t i = 0; i < list.n; i++)
        check_segment(k, &list.segments[i]);
    return check_unlisted(k, &list, err);
}

static enum err_code
check_catalog(struct check *k, struct err *err)
{
    struct slice words = SLICE_EMPTY;
    struct catalog_list nothing = {.n = 0};
    struct err why = ERR_NONE;
    enum err_code rc;

    rc = catalog_open(k->store, false, &k->catalog, &why);
    if (rc == ERR_NOT_FOUND) /* nothing was ever stored: then there are no files either */
        return check_unlisted(k, &nothing, err);
    if (rc == ERR_OK)
        rc = catalog_check(k->catalog, &k->arena, &words, &why);
    tell_database(k, "catalog.db", rc, words, &why);
    rc = rc == ERR_OK ? check_listing(k, err) : ERR_OK;
    catalog_close(&k->catalog);
    return rc;
}

enum err_code
check_run(const struct store *s, check_callback callback, void *context, struct check_result *out,
          struct err *err)
{
    struct check k = {.store = s, .callback = callback, .context = context};
    enum err_code rc;

    arena_init(&k.arena, 64 << 10);
    rc = check_catalog(&k, err);
    check_settings(&k);
    arena_fini(&k.arena);
    if (rc == ERR_OK)
        *out = k.result;
    return rc;
}
