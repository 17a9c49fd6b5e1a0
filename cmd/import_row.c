#include "cmd/import_row.h"

#include "cmd/import_json.h"

/* CSV without a map: every column is a field by its own name. */
static enum err_code
set_columns(const struct import_shape *shape, struct slice record, const struct slice *fields,
            struct given *g, struct arena *a, struct err *err)
{
    given_init(g, ORIGIN_IMPORT);
    if (slice_is_plain(record))
        g->plain = record;
    for (size_t i = 0; i < shape->n_columns; i++) {
        struct given_value value = {GIVEN_TEXT, fields[i]};
        enum err_code rc = given_set_named(g, &shape->names[i], &value, a, err);

        if (rc != ERR_OK)
            return rc;
    }
    return ERR_OK;
}

static enum err_code
read_csv(const struct import_shape *shape, struct slice record, struct slice *fields,
         struct given *g, struct arena *a, struct err *err)
{
    struct import_row mapped = {.names = shape->columns, .values = fields};
    const char *why = source_split(record, fields, &mapped.n);

    if (why != NULL)
        return err_set(err, ERR_INVALID, NULL, "%s", why);
    if (mapped.n != shape->n_columns)
        return err_set(err, ERR_INVALID, NULL, "has %zu fields where the header has %zu", mapped.n,
                       shape->n_columns);
    if (shape->map == NULL)
        return set_columns(shape, record, fields, g, a, err);
    given_init(g, ORIGIN_IMPORT);
    return import_map_apply(shape->map, &mapped, g, a, err);
}

static enum err_code
read_line(const struct import_shape *shape, struct slice line, struct given *g, struct arena *a,
          struct err *err)
{
    struct import_row mapped;
    struct slice *names;
    struct slice *values;
    enum err_code rc;

    if (shape->map == NULL)
        return beacon_parse_line(line, a, g, err);
    rc = import_json_row(line, a, &names, &values, &mapped.n, err);
    if (rc != ERR_OK)
        return rc;
    mapped.names = names;
    mapped.values = values;
    given_init(g, ORIGIN_IMPORT);
    return import_map_apply(shape->map, &mapped, g, a, err);
}

enum err_code
import_row_read(const struct import_shape *shape, struct slice record, struct slice *fields,
                struct arena *a, struct given *out, struct err *why)
{
    enum err_code rc = shape->format == SOURCE_CSV ? read_csv(shape, record, fields, out, a, why)
                                                   : read_line(shape, record, out, a, why);

    if (rc == ERR_OK && out->event.visitor.n == 0) /* what most foreign logs lack, said first */
        rc = err_set(why, ERR_INVALID, "visitor", "missing or empty");
    if (rc == ERR_OK && !out->has_time)
        rc = err_set(why, ERR_INVALID, "time", "missing or empty");
    return rc == ERR_OK ? enrich_event(shape->enrich, &shape->site, out, a, why) : rc;
}

enum err_code
import_row_header(struct import_shape *shape, struct slice record, struct arena *a, struct err *err)
{
    struct slice *columns = ARENA_ARRAY(a, struct slice, SOURCE_FIELDS_MAX);
    struct given_name *names;
    const char *why = source_split(record, columns, &shape->n_columns);
    struct given probe;

    if (why != NULL)
        return err_set(err, ERR_INVALID, NULL, "line 1: %s", why);
    for (size_t i = 0; i < shape->n_columns; i++)
        columns[i] = arena_copy(a, slice_trim(columns[i]));
    shape->columns = columns;
    if (shape->map != NULL)
        return import_map_check(shape->map, shape->columns, shape->n_columns, err);
    names = ARENA_ARRAY(a, struct given_name, shape->n_columns);
    shape->names = names;
    given_init(&probe, ORIGIN_IMPORT);
    for (size_t i = 0; i < shape->n_columns; i++) {
        struct err words;

        names[i] = given_find_name(columns[i]);

        /* an empty value is a field not given: only the name is looked at */
        if (given_set(&probe, columns[i], SLICE_EMPTY, a, &words) != ERR_OK)
            return err_set(err, ERR_INVALID, NULL,
                           "line 1: column \"%.*s\": %s; say what the columns are with --map (see "
                           "corong help import)",
                           SLICE_ARG(slice_sub(columns[i], 0, 90)), words.message);
    }
    return ERR_OK;
}
