/* Page groups: a site's own names for groups of paths, and so the attribute `page_group`.
 *
 *     [{"name":"Products","globs":["/shop/p-*"]}, ...]
 *
 * The first group of which a glob covers the whole path is the path's; without one the attribute is
 * not set. It is derived when it is asked for, once for each path of a dictionary: a change of the
 * groups changes all answers from then on, also about the past.
 */
#ifndef AGGREGATOR_FUNNEL_PAGE_GROUPS_H
#define AGGREGATOR_FUNNEL_PAGE_GROUPS_H

#include <jansson.h>

#include "core/arena.h"
#include "core/buffer.h"
#include "core/err.h"

#define PAGE_GROUPS_MAX      100
#define PAGE_GROUP_GLOBS_MAX 20
#define PAGE_GROUP_NAME_MAX  120
#define PAGE_GROUP_GLOB_MAX  500

struct page_group {
    struct slice name;
    size_t n_globs;
    struct slice *globs;
};

struct page_groups {
    size_t n;
    struct page_group *list;
};

/* Check and read the list, into the arena. ERR_INVALID, ERR_LIMIT; the field is the member within
 * it ("[2].globs[0]"). */
enum err_code page_groups_read(const json_t *list, struct arena *a, struct page_groups *out,
                               struct err *err);

/* From text; "" has no groups. */
enum err_code page_groups_parse(struct slice json, struct arena *a, struct page_groups *out,
                                struct err *err);

void page_groups_add_json(struct buffer *out, const struct page_groups *groups);

/* The name of a path's group; "" where it has none. groups may be NULL: there are none. */
struct slice page_groups_of(const struct page_groups *groups, struct slice path);

#endif
