/* Every error of a definition or a request names its member; these few readers see to it. */
#include "aggregator/funnel/json_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/decimal.h"

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

/* A JSON number's text. jansson has read it as a double: up to 15 digits that loses nothing, and
 * what has more can be given as text. */
static enum err_code
number_text(const json_t *value, char *dst, size_t size, struct err *err)
{
    double real = json_real_value(value);

    if (json_is_integer(value)) {
        snprintf(dst, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return ERR_OK;
    }
    snprintf(dst, size, "%.*g", JSON__REAL_DIGITS, real);
    if (!isfinite(real) || strtod(dst, NULL) != real)
        return err_set(err, ERR_INVALID, NULL,
                       "has more than %d digits: write it as text, in quotes", JSON__REAL_DIGITS);
    return ERR_OK;
}

enum err_code
json__number(const json_t *value, struct arena *a, struct slice *out, struct err *err)
{
    char digits[64];
    struct buffer canonical = BUFFER_EMPTY;
    struct slice text;
    enum err_code rc = ERR_OK;

    if (json_is_string(value)) {
        text = json__text(value);
    } else if (json_is_number(value)) {
        rc = number_text(value, digits, sizeof digits, err);
        if (rc != ERR_OK)
            return rc;
        text = slice_from(digits);
    } else {
        return err_set(err, ERR_INVALID, NULL, "must be a number");
    }
    if (!decimal_is_number(text))
        rc = err_set(err, ERR_INVALID, NULL, "must be a number");
    else if (!decimal_canonical(text, &canonical))
        rc = err_set(err, ERR_LIMIT, NULL, "has too many digits");
    else
        *out = arena_copy(a, buffer_slice(&canonical));
    buffer_fini(&canonical);
    return rc;
}

enum err_code
json__attribute(const json_t *object, const char *key, struct arena *a, struct attribute *out,
                struct err *err)
{
    const json_t *value = json_object_get(object, key);
    struct slice name;

    if (value == NULL)
        return err_set(err, ERR_INVALID, key, "is missing");
    if (!json_is_string(value))
        return err_set(err, ERR_INVALID, key, "must be text");
    name = arena_copy(a, json__text(value)); /* a property's key borrows from it */
    if (!attribute_find(name, out))
        return err_set(err, ERR_INVALID, key,
                       "is not known (attributes of your own are written properties.<key>)");
    return ERR_OK;
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
