/* JSON as an import meets it: one member of a column's JSON, and a line's object as a row. */
#ifndef CMD_IMPORT_JSON_H
#define CMD_IMPORT_JSON_H

#include "core/arena.h"
#include "core/err.h"

/* The scalar at path ("items.0.id": members and, in arrays, indexes from 0) inside a JSON text, as
 * text; "" where there is none, or where it is null, an object or an array. */
struct slice import_json_dig(struct slice json, struct slice path, struct arena *a);

/* The members of the object that is the whole line, in the arena: strings decoded, numbers as
 * written, null as "", objects and arrays as their JSON. ERR_INVALID says what is wrong. */
enum err_code import_json_row(struct slice line, struct arena *a, struct slice **out_names,
                              struct slice **out_values, size_t *out_n, struct err *err);

#endif
