/* Finding a referrer's host and a campaign's source in the tables.
 *
 * A host is tried whole, then without its first label, and so on, each also with "*" in place of
 * what may be its public suffix: a few dozen binary searches. The list of suffixes, which takes
 * longer than all of them, is only asked where there is such a row. The suffix is one of ICANN's:
 * google.github.io is not Google.
 */
#include "collector/driver_int.h"

#include <libpsl.h>

#include "core/hash.h"

#define LABELS_MAX      8 /* no row has more */
#define MEMORY_HOSTS    64
#define MEMORY_TEXT_MAX 104 /* of host and path that are remembered */

/* ---- Hosts ---- */

struct slice
driver__last_labels(struct slice host, int n)
{
    size_t i = host.n;

    for (int dots = 0; i > 0 && (host.p[i - 1] != '.' || ++dots < n); i--)
        ;
    return slice_sub(host, i, host.n);
}

/* Is path this one, or below it? */
static bool
is_path_below(struct slice path, struct slice top)
{
    return slice_starts_with(path, top) &&
           (path.n == top.n || top.n == 0 || top.p[top.n - 1] == '/' || path.p[top.n] == '/');
}

/* The row of exactly this host, or pattern, with this path. `is_below`: it is an upper part of the
 * host that is looked for. */
static const struct driver_host *
find_row(struct slice host, struct slice path, bool is_below)
{
    size_t i = slice_lower_bound(driver__hosts, driver__n_hosts, sizeof *driver__hosts, host);

    for (; i < driver__n_hosts && slice_is(host, driver__hosts[i].host); i++) {
        const struct driver_host *row = &driver__hosts[i];

        if (is_path_below(path, slice_from(row->path)) && !(is_below && row->is_exact))
            return row;
    }
    return NULL;
}

static bool
is_public_suffix(struct slice host, struct arena *a)
{
    const psl_ctx_t *list = psl_builtin();

    return list &&
           psl_is_public_suffix2(list, arena_cstr(a, host), PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE);
}

/* The row "google.*" of "google.co.uk". */
static const struct driver_host *
find_row_of_any_suffix(struct slice host, struct slice path, bool is_below, struct arena *a)
{
    char room[DRIVER_HOST_BYTES_MAX];

    for (size_t i = 0; i < host.n; i++) {
        const struct driver_host *row;

        room[i] = host.p[i];
        if (host.p[i] != '.' || i + 1 == host.n)
            continue;
        room[i + 1] = '*';
        row = find_row(slice_of(room, i + 2), path, is_below);
        if (row && is_public_suffix(slice_sub(host, i + 1, host.n), a))
            return row;
    }
    return NULL;
}

/* The labels before the part that is looked up which every host may have. */
static bool
is_plain_prefix(struct slice prefix)
{
    return prefix.n == 0 || slice_is(prefix, "www.") || slice_is(prefix, "m.");
}

/* host is not too long */
static const struct driver_host *
find_host(struct slice host, struct slice path, struct arena *a)
{
    for (size_t from = host.n - driver__last_labels(host, LABELS_MAX).n; from < host.n;
         from = slice_find(host, '.', from) + 1) {
        struct slice part = slice_sub(host, from, host.n);
        bool is_below = !is_plain_prefix(slice_sub(host, 0, from));
        const struct driver_host *row = find_row(part, path, is_below);

        if (!row)
            row = find_row_of_any_suffix(part, path, is_below, a);
        if (row)
            return row;
    }
    return NULL;
}

/* What was found of late: most visits come from a few dozen pages of others. */
struct host_memory {
    const struct driver_host *row; /* or NULL: none is known */
    bool is_filled;
    size_t host_bytes;
    size_t path_bytes;
    char text[MEMORY_TEXT_MAX]; /* host, then path */
};

static bool
is_remembered(const struct host_memory *m, struct slice host, struct slice path)
{
    return m->is_filled && slice_equal(slice_of(m->text, m->host_bytes), host) &&
           slice_equal(slice_of(m->text + m->host_bytes, m->path_bytes), path);
}

const struct driver_host *
driver_find_host(struct slice host, struct slice path, struct arena *a)
{
    static _Thread_local struct host_memory memory[MEMORY_HOSTS];
    struct host_memory *m = &memory[hash64(host, hash64(path, 0)) % MEMORY_HOSTS];

    if (host.n > DRIVER_HOST_BYTES_MAX)
        return NULL;
    if (host.n + path.n > MEMORY_TEXT_MAX)
        return find_host(host, path, a);
    if (!is_remembered(m, host, path)) {
        m->row = find_host(host, path, a);
        m->is_filled = true;
        m->host_bytes = host.n;
        m->path_bytes = path.n;
        if (host.n > 0)
            memcpy(m->text, host.p, host.n);
        if (path.n > 0)
            memcpy(m->text + host.n, path.p, path.n);
    }
    return m->row;
}

/* ---- Sources ---- */

static enum driver_kind
kind_of_name(struct slice name)
{
    size_t i = slice_lower_bound(driver__names, driver__n_names, sizeof *driver__names, name);

    return i < driver__n_names && slice_is(name, driver__names[i].source) ? driver__names[i].kind
                                                                          : DRIVER_UNKNOWN;
}

enum driver_kind
driver_kind_of_source(struct slice source, struct arena *a)
{
    struct slice name = url_host(a, driver__source_of_alias(source)); /* in lower case */
    enum driver_kind kind = kind_of_name(name);
    const struct driver_host *row;

    if (kind != DRIVER_UNKNOWN || slice_find(name, '.', 0) == name.n)
        return kind;
    row = driver_find_host(name, SLICE("/"), a);
    return row && !row->is_for_keyword ? row->kind : DRIVER_UNKNOWN;
}
