/* Links: which ids are one person's, as events said it. What is not here: who is one person, then
 * (person.h). */
#include "aggregator/catalog_int.h"

#include "core/buffer.h"
#include "core/hash.h"

/* ---- Rows and their checks ---- */

bool
catalog_link_of(const struct event *e, struct catalog_link *out)
{
    bool is_handover = slice_equal(e->text[TEXT_EVENT], EVENT_HANDOVER);

    if (e->text[TEXT_KNOWN].n == 0 || slice_equal(e->text[TEXT_KNOWN], e->visitor) ||
        (!is_handover && !slice_equal(e->text[TEXT_EVENT], EVENT_IDENTIFY)))
        return false;
    *out = (struct catalog_link){e->site,    is_handover, e->visitor, e->text[TEXT_KNOWN],
                                 e->time_ms, e->id};
    return true;
}

static void
add_field(struct buffer *b, struct slice s)
{
    buffer_add_u32(b, (uint32_t)s.n);
    buffer_add_slice(b, s);
}

static uint64_t
link_check(const struct catalog_link *l)
{
    struct buffer b = BUFFER_EMPTY;
    uint64_t check;

    buffer_add_u32(&b, l->site);
    buffer_add_u32(&b, l->is_handover);
    buffer_add_u64(&b, (uint64_t)l->time_ms);
    add_field(&b, l->visitor);
    add_field(&b, l->known);
    add_field(&b, l->id);
    check = checksum64(b.p, b.n);
    buffer_fini(&b);
    return check;
}

static struct slice
blob(sqlite3_stmt *s, int column)
{
    const char *p = sqlite3_column_blob(s, column);

    return p ? slice_of(p, (size_t)sqlite3_column_bytes(s, column)) : SLICE_EMPTY;
}

/* ---- Sums ---- */

struct sum {
    uint64_t n;
    uint64_t check;
};

static enum err_code
read_sum(sqlite3 *db, uint32_t site, struct sum *out, struct err *err)
{
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc;

    *out = (struct sum){0, 0};
    rc = sql_first(db, &s, &has_row, err, "SELECT n, check64 FROM link_sums WHERE site = ?", "i",
                   (int64_t)site);
    if (rc == ERR_OK && has_row)
        *out = (struct sum){(uint64_t)sqlite3_column_int64(s, 0),
                            (uint64_t)sqlite3_column_int64(s, 1)};
    sqlite3_finalize(s);
    return rc;
}

static enum err_code
write_sum(sqlite3 *db, uint32_t site, const struct sum *sum, struct err *err)
{
    return sql_do(db, NULL, err, "INSERT OR REPLACE INTO link_sums VALUES(?, ?, ?)", "iii",
                  (int64_t)site, (int64_t)sum->n, (int64_t)sum->check);
}

/* ---- Adding ---- */

struct old_link {
    int64_t seq; /* 0: there is none */
    uint64_t check;
    bool is_earlier; /* than the new one, or the same */
};

static enum err_code
find_old(sqlite3_stmt *find, const struct catalog_link *l, struct old_link *out, struct err *err)
{
    bool has_row = false;
    enum err_code rc;

    *out = (struct old_link){0};
    sqlite3_reset(find);
    rc = sql_bind(find, err, "itti", (int64_t)l->site, l->visitor, l->known,
                  (int64_t)l->is_handover);
    if (rc == ERR_OK)
        rc = sql_step(find, &has_row, err);
    if (rc == ERR_OK && has_row) {
        int64_t time_ms = sqlite3_column_int64(find, 1);

        out->seq = sqlite3_column_int64(find, 0);
        out->is_earlier = time_ms < l->time_ms ||
                          (time_ms == l->time_ms && slice_compare(blob(find, 2), l->id) <= 0);
        out->check = (uint64_t)sqlite3_column_int64(find, 3);
    }
    return rc;
}

static enum err_code
add_link(sqlite3 *db, sqlite3_stmt *find, const struct catalog_link *l, struct sum *sum,
         struct err *err)
{
    uint64_t check = link_check(l);
    struct old_link old;
    enum err_code rc = find_old(find, l, &old, err);

    if (rc != ERR_OK || old.is_earlier)
        return rc;
    sqlite3_reset(find);
    if (old.seq != 0) {
        sum->n--;
        sum->check ^= old.check;
        rc = sql_do(db, NULL, err, "DELETE FROM links WHERE seq = ?", "i", old.seq);
    }
    if (rc != ERR_OK)
        return rc;
    sum->n++;
    sum->check ^= check;
    return sql_do(db, NULL, err,
                  "INSERT INTO links(site, is_handover, visitor, known, time_ms, id, check64)"
                  " VALUES(?, ?, ?, ?, ?, ?, ?)",
                  "iittibi", (int64_t)l->site, (int64_t)l->is_handover, l->visitor, l->known,
                  l->time_ms, l->id, (int64_t)check);
}

enum err_code
catalog__add_links(struct catalog *c, const struct catalog_link *links, size_t n, struct err *err)
{
    sqlite3 *db = c->db;
    sqlite3_stmt *find = NULL;
    enum err_code rc = ERR_OK;

    if (n == 0)
        return ERR_OK;
    rc = sql_prepare(db,
                     "SELECT seq, time_ms, id, check64 FROM links"
                     " WHERE site = ? AND visitor = ? AND known = ? AND is_handover = ?",
                     &find, err);
    for (size_t i = 0, end; rc == ERR_OK && i < n; i = end) {
        struct sum sum;

        rc = read_sum(db, links[i].site, &sum, err);
        for (end = i; rc == ERR_OK && end < n && links[end].site == links[i].site; end++) {
            bool is_erased = false;

            rc = catalog__erase_late(c, &links[end], &is_erased, err);
            if (rc == ERR_OK && !is_erased)
                rc = add_link(db, find, &links[end], &sum, err);
        }
        if (rc == ERR_OK)
            rc = write_sum(db, links[i].site, &sum, err);
    }
    sqlite3_finalize(find);
    return rc;
}

/* ---- Reading ---- */

/* False where the row is damaged. */
static bool
read_link(sqlite3_stmt *s, uint32_t site, struct catalog_link *out, uint64_t *out_check)
{
    *out = (struct catalog_link){
        .site = site,
        .is_handover = sqlite3_column_int64(s, 1) != 0,
        .visitor = sql_text(s, 2),
        .known = sql_text(s, 3),
        .time_ms = sqlite3_column_int64(s, 4),
        .id = blob(s, 5),
    };
    *out_check = (uint64_t)sqlite3_column_int64(s, 6);
    return *out_check == link_check(out);
}

enum err_code
catalog_links_read(struct catalog *c, uint32_t site, struct catalog_links *at,
                   catalog_link_callback callback, void *context, struct err *err)
{
    struct catalog_links links = *at;
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    struct sum sum;
    enum err_code rc;

    rc = read_sum(c->db, site, &sum, err);
    if (rc == ERR_OK) /* + : by seq, which is what came since, not by the index of all */
        rc = sql_first(c->db, &s, &has_row, err,
                       "SELECT seq, is_handover, visitor, known, time_ms, id, check64 FROM links"
                       " WHERE seq > ? AND +site = ? ORDER BY seq",
                       "ii", links.seq, (int64_t)site);
    for (; rc == ERR_OK && has_row; rc = sql_step(s, &has_row, err)) {
        struct catalog_link link;
        uint64_t check;

        links.seq = sqlite3_column_int64(s, 0);
        if (read_link(s, site, &link, &check)) {
            links.n++;
            links.check ^= check;
            callback(&link, context);
        } else {
            links.n_bad++;
        }
    }
    sqlite3_finalize(s);
    links.is_whole = links.n_bad == 0 && links.n == sum.n && links.check == sum.check;
    if (rc == ERR_OK)
        *at = links;
    return rc;
}

enum err_code
catalog_links_sites(struct catalog *c, struct arena *a, uint32_t **out, size_t *out_n,
                    struct err *err)
{
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    uint32_t *sites = NULL;
    size_t n = 0;
    enum err_code rc = sql_first(c->db, &s, &has_row, err,
                                 "SELECT site, count(*) OVER () FROM (SELECT site FROM link_sums"
                                 " UNION SELECT DISTINCT site FROM links) ORDER BY site",
                                 "");

    for (; rc == ERR_OK && has_row; rc = sql_step(s, &has_row, err)) {
        if (!sites)
            sites = ARENA_ARRAY(a, uint32_t, (size_t)sqlite3_column_int64(s, 1));
        sites[n++] = (uint32_t)sqlite3_column_int64(s, 0);
    }
    sqlite3_finalize(s);
    if (rc != ERR_OK)
        return rc;
    *out = sites;
    *out_n = n;
    return ERR_OK;
}

/* ---- Removing ---- */

/* The statement gives seq and check of one link, or no row. */
static enum err_code
next_of(sqlite3 *db, const char *statement, uint32_t site, struct slice id, struct old_link *out,
        struct err *err)
{
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    enum err_code rc = sql_first(db, &s, &has_row, err, statement, "itt", (int64_t)site, id, id);

    *out = (struct old_link){0};
    if (rc == ERR_OK && has_row) {
        out->seq = sqlite3_column_int64(s, 0);
        out->check = (uint64_t)sqlite3_column_int64(s, 1);
    }
    sqlite3_finalize(s);
    return rc;
}

enum err_code
catalog__remove_links_of(sqlite3 *db, uint32_t site, struct slice id, struct err *err)
{
    struct old_link old = {.seq = 1};
    struct sum sum;
    enum err_code rc = read_sum(db, site, &sum, err);

    while (rc == ERR_OK) {
        rc = next_of(db,
                     "SELECT seq, check64 FROM links WHERE site = ?"
                     " AND (visitor = ? OR known = ?) LIMIT 1",
                     site, id, &old, err);
        if (rc != ERR_OK || old.seq == 0)
            break;
        sum.n--;
        sum.check ^= old.check;
        rc = sql_do(db, NULL, err, "DELETE FROM links WHERE seq = ?", "i", old.seq);
    }
    return rc == ERR_OK ? write_sum(db, site, &sum, err) : rc;
}

enum err_code
catalog_links_remove(struct catalog *c, uint32_t site, struct err *err)
{
    struct sum sum;
    enum err_code rc;

    rc = read_sum(c->db, site, &sum, err);
    if (rc != ERR_OK || sum.n == 0)
        return rc;
    rc = sql_begin(c->db, err);
    if (rc != ERR_OK)
        return rc;
    rc = sql_do(c->db, NULL, err, "DELETE FROM links WHERE site = ?", "i", (int64_t)site);
    if (rc == ERR_OK)
        rc = sql_do(c->db, NULL, err, "DELETE FROM link_sums WHERE site = ?", "i", (int64_t)site);
    if (rc == ERR_OK)
        rc = sql_commit(c->db, err);
    sql_rollback(c->db);
    return rc;
}
