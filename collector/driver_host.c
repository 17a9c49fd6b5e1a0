/* Finding a referrer's host and a campaign's source in the tables.
 *
 * A host is tried whole, then without its first label, and so on, each with its public suffix and
 * with "*" in its place: a handful of binary searches. The suffix is one of ICANN's:
 * google.github.io is not Google.
 */
#include "collector/driver_int.h"

#include <libpsl.h>

#define HOST_MAX 255

/* ---- The public suffix ---- */

/* Where the public suffix of host starts; host.n where it has none that is known. */
static size_t
find_suffix(struct slice host, struct arena *a)
{
    const psl_ctx_t *list = psl_builtin();
    const char *text = arena_cstr(a, host);

    for (size_t i = slice_find(host, '.', 0); list && i < host.n; i = slice_find(host, '.', i + 1))
        if (psl_is_public_suffix2(list, text + i + 1, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE))
            return i + 1;
    return host.n;
}

/* ---- Hosts ---- */

/* The first row whose host is not before this one. */
static size_t
lower_bound(struct slice host)
{
    size_t low = 0, high = driver__n_hosts;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (slice_compare(slice_from(driver__hosts[middle].host), host) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
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
    for (size_t i = lower_bound(host); i < driver__n_hosts && slice_is(host, driver__hosts[i].host);
         i++) {
        const struct driver_host *row = &driver__hosts[i];

        if (is_path_below(path, slice_from(row->path)) && !(is_below && row->is_exact))
            return row;
    }
    return NULL;
}

/* "google.*" of "google.co.uk", whose suffix starts at `suffix`, into room for HOST_MAX bytes. */
static struct slice
with_any_suffix(struct slice host, size_t suffix, char *room)
{
    memcpy(room, host.p, suffix);
    room[suffix] = '*';
    return slice_of(room, suffix + 1);
}

/* The labels before the part that is looked up which every host may have. */
static bool
is_plain_prefix(struct slice prefix)
{
    return prefix.n == 0 || slice_is(prefix, "www.") || slice_is(prefix, "m.");
}

const struct driver_host *
driver_find_host(struct slice host, struct slice path, struct arena *a)
{
    size_t suffix;
    char room[HOST_MAX];

    if (host.n == 0 || host.n > HOST_MAX - 1)
        return NULL;
    suffix = find_suffix(host, a);
    for (size_t from = 0; from < host.n; from = slice_find(host, '.', from) + 1) {
        struct slice part = slice_sub(host, from, host.n);
        bool is_below = !is_plain_prefix(slice_sub(host, 0, from));
        const struct driver_host *row = find_row(part, path, is_below);

        if (!row && suffix < host.n && suffix > from)
            row = find_row(with_any_suffix(part, suffix - from, room), path, is_below);
        if (row)
            return row;
    }
    return NULL;
}

/* ---- Sources ---- */

static enum driver_kind
kind_of_name(struct slice name)
{
    size_t low = 0, high = driver__n_names;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = slice_compare(slice_from(driver__names[middle].source), name);

        if (order == 0)
            return driver__names[middle].kind;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return DRIVER_UNKNOWN;
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
