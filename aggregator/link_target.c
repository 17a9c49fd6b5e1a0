/* Campaign redirects in settings.db. What is not here: what a click on one does (collector/). */
#include "aggregator/link_target.h"

#include "aggregator/sql.h"
#include "core/clock.h"
#include "core/ticket.h"
#include "core/url.h"

/* What stands in a Location header is written as given: nothing may be there that browsers would
 * read in another way than we do. */
static bool
is_plain(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("\"<>\\^`{|}", s.p[i]))
            return false;
    return s.n <= LINK_TARGET_MAX;
}

static enum err_code
check(struct slice slug, struct slice target, struct err *err)
{
    struct url url;

    if (slug.n > LINK_SLUG_MAX || !ticket_is_word(slug))
        return err_set(err, ERR_INVALID, "slug", "a slug has 1 to %d letters, digits, - and _",
                       LINK_SLUG_MAX);
    if (!is_plain(target))
        return err_set(err, ERR_INVALID, "target",
                       "a target has at most %d characters, those of ASCII; others are written as "
                       "%%XX (and a host's as xn--..)",
                       LINK_TARGET_MAX);
    if (!url_split(target, &url) || url.host.n == 0 ||
        (!slice_equal_nocase(url.scheme, SLICE("https")) &&
         !slice_equal_nocase(url.scheme, SLICE("http"))))
        return err_set(
            err, ERR_INVALID, "target",
            "a target is a whole URL, as in https://shop.example/sale?utm_campaign=june");
    return ERR_OK;
}

static enum err_code
check_room(sqlite3 *sql, struct err *err)
{
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc =
        sql_first(sql, &s, &has_row, err, "SELECT 1 FROM link_targets LIMIT 1 OFFSET ?", "i",
                  (int64_t)LINK_TARGETS_MAX - 1);

    if (rc == ERR_OK && has_row)
        rc = err_set(err, ERR_LIMIT, NULL, "at most %d links are kept", LINK_TARGETS_MAX);
    sqlite3_finalize(s);
    return rc;
}

enum err_code
link_target_add(struct settings_db *db, uint32_t site, struct slice slug, struct slice target,
                struct err *err)
{
    int n_changed = 0;
    enum err_code rc = check(slug, target, err);
    sqlite3 *sql;

    if (rc != ERR_OK)
        return rc;
    sql = settings_db_lock(db);
    rc = check_room(sql, err);
    if (rc == ERR_OK)
        rc = sql_do(sql, &n_changed, err,
                    "INSERT INTO link_targets(slug, site, target, created_ms)"
                    " SELECT ?, id, ?, ? FROM sites WHERE id = ?",
                    "ttii", slug, target, clock_wall_ms(), (int64_t)site);
    settings_db_unlock(db);
    if (rc == ERR_EXISTS)
        rc = err_set(err, ERR_EXISTS, "slug", "there is a link %.*s already", SLICE_ARG(slug));
    if (rc == ERR_OK && n_changed == 0)
        rc = err_set(err, ERR_NOT_FOUND, "site", "there is no such site");
    return rc;
}

static void
read_row(sqlite3_stmt *s, struct arena *a, struct link_target *out)
{
    *out = (struct link_target){.site = (uint32_t)sqlite3_column_int64(s, 0),
                                .slug = arena_copy(a, sql_text(s, 1)),
                                .target = arena_copy(a, sql_text(s, 2)),
                                .created_ms = sqlite3_column_int64(s, 3)};
}

enum err_code
link_target_list(struct settings_db *db, uint32_t site, struct arena *a, struct link_target **out,
                 size_t *out_n, struct err *err)
{
    struct link_target *links = NULL;
    size_t n = 0, n_max = 0;
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc =
        sql_first(settings_db_lock(db), &s, &has_row, err,
                  "SELECT site, slug, target, created_ms, count(*) OVER () FROM link_targets"
                  " WHERE ?1 IN (0, site) ORDER BY slug",
                  "i", (int64_t)site);

    for (; rc == ERR_OK && has_row; rc = sql_step(s, &has_row, err)) {
        if (links == NULL) {
            n_max = (size_t)sqlite3_column_int64(s, 4);
            links = ARENA_ARRAY(a, struct link_target, n_max);
        }
        if (n == n_max)
            break;
        read_row(s, a, &links[n++]);
    }
    sqlite3_finalize(s);
    settings_db_unlock(db);
    if (rc != ERR_OK)
        return rc;
    *out = links;
    *out_n = n;
    return ERR_OK;
}

enum err_code
link_target_remove(struct settings_db *db, uint32_t site, struct slice slug, struct err *err)
{
    int n_changed = 0;
    enum err_code rc;

    rc = sql_do(settings_db_lock(db), &n_changed, err,
                "DELETE FROM link_targets WHERE site = ? AND slug = ?", "it", (int64_t)site, slug);
    settings_db_unlock(db);
    if (rc == ERR_OK && n_changed == 0)
        rc = err_set(err, ERR_NOT_FOUND, "slug", "the site has no link %.*s",
                     SLICE_ARG(slice_sub(slug, 0, LINK_SLUG_MAX)));
    return rc;
}
