#include "cmd/import_map.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/import_json.h"
#include "core/decimal.h"
#include "core/file.h"
#include "core/timestamp.h"
#include "core/zone.h"

#define MAP_BYTES_MAX   (256 * 1024)
#define MAP_FIELDS_MAX  100
#define MAP_SOURCES_MAX 16

struct pair {
    struct slice from;
    struct slice to;
};

struct field {
    struct slice name;
    struct slice sources[MAP_SOURCES_MAX];
    size_t n_sources;
    struct slice constant; /* where there are no sources, or all are empty */
    struct pair *values;
    size_t n_values;
    struct zone *zone; /* of times without an offset; owned */
    bool is_seconds;
};

struct import_map {
    size_t n;
    struct field fields[MAP_FIELDS_MAX];
};

/* ---- reading the map ---- */

static struct slice
text_of(struct arena *a, const json_t *j)
{
    return arena_copy(a, slice_of(json_string_value(j), json_string_length(j)));
}

static enum err_code
wrong(struct err *err, struct slice name, const char *words)
{
    char field[96];

    snprintf(field, sizeof field, "%.*s", SLICE_ARG(name));
    return err_set(err, ERR_INVALID, field, "--map: %s: %s", field, words);
}

static enum err_code
read_sources(struct field *f, const json_t *j, struct arena *a, struct err *err)
{
    size_t i;
    const json_t *each;

    if (json_is_string(j)) {
        f->sources[f->n_sources++] = text_of(a, j);
        return ERR_OK;
    }
    if (!json_is_array(j) || json_array_size(j) == 0 || json_array_size(j) > MAP_SOURCES_MAX)
        return wrong(err, f->name, "give a column's name or a list of 1 to 16");
    json_array_foreach(j, i, each)
    {
        if (!json_is_string(each))
            return wrong(err, f->name, "a column's name is text");
        f->sources[f->n_sources++] = text_of(a, each);
    }
    return ERR_OK;
}

static enum err_code
read_values(struct field *f, json_t *j, struct arena *a, struct err *err)
{
    const char *key;
    json_t *value;

    if (!json_is_object(j))
        return wrong(err, f->name, "\"values\" is an object: old text to new text");
    f->values = ARENA_ARRAY(a, struct pair, json_object_size(j) + 1);
    json_object_foreach(j, key, value)
    {
        if (!json_is_string(value))
            return wrong(err, f->name, "\"values\" is an object: old text to new text");
        f->values[f->n_values++] = (struct pair){arena_copy(a, slice_from(key)), text_of(a, value)};
    }
    return ERR_OK;
}

static enum err_code
read_option(struct field *f, const char *key, json_t *j, struct arena *a, struct err *err)
{
    bool is_time = slice_is(f->name, "time");

    if (strcmp(key, "from") == 0)
        return read_sources(f, j, a, err);
    if (strcmp(key, "values") == 0)
        return read_values(f, j, a, err);
    if (strcmp(key, "const") == 0 && json_is_string(j)) {
        f->constant = text_of(a, j);
        return ERR_OK;
    }
    if (strcmp(key, "timezone") == 0 && is_time && json_is_string(j))
        return zone_open(slice_from(json_string_value(j)), &f->zone, err);
    if (strcmp(key, "unit") == 0 && is_time && json_is_string(j)) {
        f->is_seconds = strcmp(json_string_value(j), "s") == 0;
        if (f->is_seconds || strcmp(json_string_value(j), "ms") == 0)
            return ERR_OK;
        return wrong(err, f->name, "\"unit\" is s or ms");
    }
    return wrong(err, f->name,
                 "knows \"from\", \"values\", \"const\" (text); time also "
                 "\"timezone\" and \"unit\"");
}

static enum err_code
read_field(struct field *f, json_t *j, struct arena *a, struct err *err)
{
    struct given probe;
    const char *key;
    json_t *value;

    /* a name that given_set does not know is refused here, once, not on every row */
    given_init(&probe, ORIGIN_IMPORT);
    if (given_set(&probe, f->name, SLICE_EMPTY, a, err) != ERR_OK)
        return wrong(err, f->name, "no field of an event has this name");
    if (!json_is_object(j))
        return read_sources(f, j, a, err);
    json_object_foreach(j, key, value)
    {
        if (read_option(f, key, value, a, err) != ERR_OK)
            return ERR_INVALID;
    }
    return f->n_sources > 0 || f->constant.n > 0 ? ERR_OK
                                                 : wrong(err, f->name, "\"from\" is missing");
}

static enum err_code
read_fields(struct import_map *m, json_t *root, struct arena *a, struct err *err)
{
    const char *key;
    json_t *value;

    if (!json_is_object(root))
        return err_set(err, ERR_INVALID, NULL, "--map: not a JSON object");
    json_object_foreach(root, key, value)
    {
        struct field *f = &m->fields[m->n];

        if (m->n == MAP_FIELDS_MAX)
            return err_set(err, ERR_INVALID, NULL, "--map: more than %d fields", MAP_FIELDS_MAX);
        f->name = arena_copy(a, slice_from(key));
        m->n++;
        if (read_field(f, value, a, err) != ERR_OK)
            return ERR_INVALID;
    }
    return ERR_OK;
}

enum err_code
import_map_read(const char *path, struct arena *a, struct import_map **out, struct err *err)
{
    struct import_map *m = ARENA_NEW(a, struct import_map);
    struct buffer bytes;
    json_error_t where;
    json_t *root;
    enum err_code rc = file_read(path, MAP_BYTES_MAX, &bytes, err);

    if (rc != ERR_OK)
        return rc;
    root = json_loadb(buffer_slice(&bytes).p, bytes.n, JSON_REJECT_DUPLICATES, &where);
    buffer_fini(&bytes);
    if (root == NULL)
        return err_set(err, ERR_INVALID, NULL, "--map: %s line %d: %s", path, where.line,
                       where.text);
    rc = read_fields(m, root, a, err);
    json_decref(root);
    if (rc != ERR_OK)
        import_map_close(&m);
    else
        *out = m;
    return rc;
}

void
import_map_close(struct import_map **m)
{
    if (*m == NULL)
        return;
    for (size_t i = 0; i < (*m)->n; i++)
        zone_close(&(*m)->fields[i].zone);
    *m = NULL;
}

/* ---- applying it ---- */

static bool
find_column(const struct slice *names, size_t n, struct slice name, size_t *out)
{
    for (size_t i = 0; i < n; i++) {
        if (slice_equal(names[i], name)) {
            *out = i;
            return true;
        }
    }
    return false;
}

static struct slice
value_of(const struct field *f, const struct import_row *row, struct arena *a)
{
    for (size_t i = 0; i < f->n_sources; i++) {
        struct slice value = SLICE_EMPTY;
        struct slice column;
        struct slice path;
        size_t at;

        if (find_column(row->names, row->n, f->sources[i], &at))
            value = row->values[at];
        else if (slice_cut(f->sources[i], '.', &column, &path) &&
                 find_column(row->names, row->n, column, &at))
            value = import_json_dig(row->values[at], path, a);
        if (value.n > 0)
            return value;
    }
    return f->constant;
}

/* A time without an offset, or in seconds, as ms since the epoch; other texts as they are. */
static struct slice
settle_time(const struct field *f, struct slice text, struct arena *a)
{
    struct slice with_offset;
    int64_t guess;
    int64_t ms;

    if (f->is_seconds && decimal_parse(text, 3, &ms, NULL) == ERR_OK)
        return arena_printf(a, "%lld", (long long)ms);
    if (f->zone == NULL || timestamp_parse(text, &ms, NULL) == ERR_OK)
        return text;
    with_offset = arena_printf(a, "%.*sZ", SLICE_ARG(text));
    if (timestamp_parse(with_offset, &ms, NULL) != ERR_OK)
        return text;
    /* the offset in force at a local time is that of the moment it stands for */
    guess = ms - zone_offset_s(f->zone, ms) * INT64_C(1000);
    return arena_printf(a, "%lld", (long long)(ms - zone_offset_s(f->zone, guess) * INT64_C(1000)));
}

enum err_code
import_map_check(const struct import_map *m, const struct slice *names, size_t n, struct err *err)
{
    static const char *const needed[] = {"visitor", "time", "event"};

    for (size_t k = 0; k < sizeof needed / sizeof needed[0]; k++) {
        bool is_there = false;
        struct slice column;
        struct slice path;
        size_t at;

        for (size_t i = 0; i < m->n; i++) {
            const struct field *f = &m->fields[i];

            if (!slice_is(f->name, needed[k]))
                continue;
            is_there = f->constant.n > 0;
            for (size_t s = 0; s < f->n_sources && !is_there; s++) {
                slice_cut(f->sources[s], '.', &column, &path);
                is_there =
                    find_column(names, n, f->sources[s], &at) || find_column(names, n, column, &at);
            }
        }
        if (!is_there)
            return err_set(err, ERR_INVALID, needed[k], "no column of the file is mapped to \"%s\"",
                           needed[k]);
    }
    return ERR_OK;
}

enum err_code
import_map_apply(const struct import_map *m, const struct import_row *row, struct given *g,
                 struct arena *a, struct err *err)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct field *f = &m->fields[i];
        struct slice value = value_of(f, row, a);
        enum err_code rc;

        for (size_t v = 0; v < f->n_values; v++) {
            if (slice_equal(f->values[v].from, value)) {
                value = f->values[v].to;
                break;
            }
        }
        if (slice_is(f->name, "time"))
            value = settle_time(f, value, a);
        rc = given_set(g, f->name, value, a, err);
        if (rc != ERR_OK)
            return rc;
    }
    return ERR_OK;
}
