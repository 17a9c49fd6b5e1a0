/* Every error of a definition or a request names its member; these few readers see to it. */
#include "aggregator/funnel/json_int.h"

#include <stdio.h>

#define QUOTED_BYTES_MAX 60

struct slice
json__text(const json_t *string)
{
    return slice_of(json_string_value(string), json_string_length(string));
}

static bool
has_control(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

static bool
is_known(const char *key, const char *const *known)
{
    for (; *known != NULL; known++)
        if (strcmp(*known, key) == 0)
            return true;
    return false;
}

/* A key that somebody sent, cut and cleaned, fit to be part of err->field. */
static enum err_code
refuse_key(struct err *err, const char *key)
{
    char field[QUOTED_BYTES_MAX + 1];
    struct slice s = slice_from(key);

    s.n = slice_utf8_cut(s, QUOTED_BYTES_MAX);
    if (s.n == 0 || has_control(s))
        return err_set(err, ERR_INVALID, NULL, "has an unknown member");
    slice_to_cstr(s, field, sizeof field);
    return err_set(err, ERR_INVALID, field, "is not known");
}

enum err_code
json__check_keys(json_t *object, const char *const *known, struct err *err)
{
    const char *key;
    json_t *value;

    if (!json_is_object(object))
        return err_set(err, ERR_INVALID, NULL, "must be an object");
    json_object_foreach(object, key, value)
    {
        if (!is_known(key, known))
            return refuse_key(err, key);
    }
    return ERR_OK;
}

enum err_code
json__name(const json_t *object, const char *key, size_t max_bytes, struct arena *a,
           struct slice *out, struct err *err)
{
    const json_t *value = json_object_get(object, key);
    struct slice text;

    if (value == NULL) {
        *out = SLICE_EMPTY;
        return ERR_OK;
    }
    if (!json_is_string(value))
        return err_set(err, ERR_INVALID, key, "must be text");
    text = json__text(value);
    if (text.n == 0)
        return err_set(err, ERR_INVALID, key, "must not be empty");
    if (text.n > max_bytes)
        return err_set(err, ERR_LIMIT, key, "is longer than %zu bytes", max_bytes);
    if (has_control(text))
        return err_set(err, ERR_INVALID, key, "must not have control characters");
    *out = arena_copy(a, text);
    return ERR_OK;
}

enum err_code
json__word(const json_t *object, const char *key, const char *const *words, int n, int *out,
           struct err *err)
{
    const json_t *value = json_object_get(object, key);
    char list[200] = "";
    size_t used = 0;

    if (value == NULL)
        return ERR_OK;
    for (int i = 0; i < n; i++) {
        if (json_is_string(value) && slice_is(json__text(value), words[i])) {
            *out = i;
            return ERR_OK;
        }
        used += (size_t)snprintf(list + used, sizeof list - used, "%s\"%s\"",
                                 i == 0       ? ""
                                 : i == n - 1 ? " or "
                                              : ", ",
                                 words[i]);
    }
    return err_set(err, ERR_INVALID, key, "must be %s", list);
}

enum err_code
json__at(enum err_code rc, struct err *err, const char *key, size_t i)
{
    char place[64];

    if (rc == ERR_OK)
        return rc;
    snprintf(place, sizeof place, "%s[%zu]", key, i);
    err_prefix(err, place);
    return rc;
}

enum err_code
json__in(enum err_code rc, struct err *err, const char *key)
{
    if (rc != ERR_OK)
        err_prefix(err, key);
    return rc;
}
