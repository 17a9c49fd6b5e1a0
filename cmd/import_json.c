#include "cmd/import_json.h"

#include "core/json.h"

#define MEMBERS_MAX 1000

/* The container t was just opened: stand before the value of its member or element `step`. */
static bool
enter(struct json *j, enum json_token t, struct slice step)
{
    uint64_t index = 0;

    if (t == JSON_ARRAY) {
        if (!slice_to_uint64(step, &index))
            return false;
        while (index-- > 0) {
            enum json_token skipped = json_skip(j);

            if (skipped == JSON_ERROR || skipped == JSON_ARRAY_END)
                return false;
        }
        return true;
    }
    while (t == JSON_OBJECT && json_next(j) == JSON_KEY) {
        if (slice_equal(j->text, step))
            return true;
        if (json_skip(j) == JSON_ERROR)
            return false;
    }
    return false;
}

struct slice
import_json_dig(struct slice json, struct slice path, struct arena *a)
{
    struct json j;
    enum json_token t;
    struct slice step;

    json_init(&j, json, a);
    t = json_next(&j);
    while (path.n > 0) {
        slice_cut(path, '.', &step, &path);
        if (!enter(&j, t, step))
            return SLICE_EMPTY;
        t = json_next(&j);
    }
    if (t == JSON_STRING || t == JSON_NUMBER)
        return j.text;
    if (t == JSON_TRUE || t == JSON_FALSE)
        return t == JSON_TRUE ? SLICE("true") : SLICE("false");
    return SLICE_EMPTY;
}

/* The next value: a scalar as text, a container as its own bytes. False on an error. */
static bool
read_value(struct json *j, struct slice *out)
{
    struct slice raw;

    switch (json_skip_raw(j, &raw)) {
    case JSON_ERROR:
        return false;
    case JSON_NULL:
        *out = SLICE_EMPTY;
        return true;
    case JSON_STRING:
        *out = import_json_dig(raw, SLICE_EMPTY, j->arena);
        return true;
    default:
        *out = raw;
        return true;
    }
}

enum err_code
import_json_row(struct slice line, struct arena *a, struct slice **out_names,
                struct slice **out_values, size_t *out_n, struct err *err)
{
    struct slice *names = ARENA_ARRAY(a, struct slice, MEMBERS_MAX);
    struct slice *values = ARENA_ARRAY(a, struct slice, MEMBERS_MAX);
    struct json j;
    enum json_token t;
    size_t n = 0;

    json_init(&j, line, a);
    if (json_next(&j) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, NULL, "not a JSON object");
    for (t = json_next(&j); t == JSON_KEY; t = json_next(&j)) {
        if (n == MEMBERS_MAX)
            return err_set(err, ERR_INVALID, NULL, "more than %d members", MEMBERS_MAX);
        names[n] = j.text;
        if (!read_value(&j, &values[n++]))
            break;
    }
    if (j.error != NULL || json_next(&j) != JSON_END)
        return err_set(err, ERR_INVALID, NULL, "not JSON: %s (byte %zu)",
                       j.error ? j.error : "text behind its end", j.at + 1);
    *out_names = names;
    *out_values = values;
    *out_n = n;
    return ERR_OK;
}
