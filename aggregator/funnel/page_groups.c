#include "aggregator/funnel/page_groups.h"

#include "aggregator/funnel/glob.h"
#include "aggregator/funnel/json_int.h"

static enum err_code
read_glob(const json_t *value, struct arena *a, struct slice *out, struct err *err)
{
    if (!json_is_string(value))
        return err_set(err, ERR_INVALID, NULL, "must be text");
    *out = arena_copy(a, json__text(value));
    if (out->n == 0 || out->n > PAGE_GROUP_GLOB_MAX)
        return err_set(err, ERR_INVALID, NULL, "must have 1 to %d bytes", PAGE_GROUP_GLOB_MAX);
    if (out->p[0] != '/' && out->p[0] != '*')
        return err_set(err, ERR_INVALID, NULL, "must begin as paths do, with / (or with *)");
    for (size_t i = 0; i < out->n; i++)
        if ((unsigned char)out->p[i] < ' ' || out->p[i] == 0x7f)
            return err_set(err, ERR_INVALID, NULL, "must not have control characters");
    return ERR_OK;
}

static enum err_code
read_globs(json_t *group, struct arena *a, struct page_group *out, struct err *err)
{
    const json_t *list = json_object_get(group, "globs");
    size_t n = json_array_size(list);
    enum err_code rc = ERR_OK;

    if (!json_is_array(list) || n == 0 || n > PAGE_GROUP_GLOBS_MAX)
        return err_set(err, ERR_INVALID, "globs", "must be a list of 1 to %d globs",
                       PAGE_GROUP_GLOBS_MAX);
    out->globs = ARENA_ARRAY(a, struct slice, n);
    for (size_t i = 0; i < n && rc == ERR_OK; i++)
        rc = json__at(read_glob(json_array_get(list, i), a, &out->globs[i], err), err, "globs", i);
    out->n_globs = n;
    return rc;
}

static enum err_code
read_group(json_t *group, struct arena *a, struct page_group *out, struct err *err)
{
    static const char *const known[] = {"name", "globs", NULL};
    enum err_code rc = json__check_keys(group, known, err);

    if (rc == ERR_OK)
        rc = json__name(group, "name", PAGE_GROUP_NAME_MAX, a, &out->name, err);
    if (rc == ERR_OK && out->name.n == 0)
        rc = err_set(err, ERR_INVALID, "name", "is missing");
    return rc == ERR_OK ? read_globs(group, a, out, err) : rc;
}

enum err_code
page_groups_read(const json_t *list, struct arena *a, struct page_groups *out, struct err *err)
{
    struct page_groups groups = {json_array_size(list), NULL};
    enum err_code rc = ERR_OK;

    if (!json_is_array(list) || groups.n > PAGE_GROUPS_MAX)
        return err_set(err, ERR_INVALID, NULL, "must be a list of at most %d groups",
                       PAGE_GROUPS_MAX);
    groups.list = ARENA_ARRAY(a, struct page_group, groups.n + 1);
    for (size_t i = 0; i < groups.n && rc == ERR_OK; i++) {
        rc = read_group(json_array_get(list, i), a, &groups.list[i], err);
        for (size_t k = 0; k < i && rc == ERR_OK; k++)
            if (slice_equal(groups.list[k].name, groups.list[i].name))
                rc = err_set(err, ERR_INVALID, "name", "is that of another group");
        rc = json__at(rc, err, "", i);
    }
    if (rc == ERR_OK)
        *out = groups;
    return rc;
}

enum err_code
page_groups_parse(struct slice json, struct arena *a, struct page_groups *out, struct err *err)
{
    json_error_t where;
    json_t *list;
    enum err_code rc;

    *out = (struct page_groups){0, NULL};
    if (json.n == 0)
        return ERR_OK;
    list = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, &where);
    rc = list ? page_groups_read(list, a, out, err)
              : err_set(err, ERR_INVALID, NULL, "is not JSON (line %d)", where.line);
    json_decref(list);
    return rc;
}

void
page_groups_add_json(struct buffer *out, const struct page_groups *groups)
{
    buffer_add_char(out, '[');
    for (size_t i = 0; i < groups->n; i++) {
        const struct page_group *g = &groups->list[i];

        buffer_add_text(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        buffer_add_json(out, g->name);
        for (size_t k = 0; k < g->n_globs; k++) {
            buffer_add_text(out, k > 0 ? "," : ",\"globs\":[");
            buffer_add_json(out, g->globs[k]);
        }
        buffer_add_text(out, "]}");
    }
    buffer_add_char(out, ']');
}

struct slice
page_groups_of(const struct page_groups *groups, struct slice path)
{
    if (!groups || path.n == 0)
        return SLICE_EMPTY;
    for (size_t i = 0; i < groups->n; i++)
        for (size_t k = 0; k < groups->list[i].n_globs; k++)
            if (glob_match(groups->list[i].globs[k], path))
                return groups->list[i].name;
    return SLICE_EMPTY;
}
