/* --map: which column of a foreign file is which field of an event.
 *
 *     {"visitor": ["client_id", "clientId"],            several spellings of one header
 *      "time":    {"from": "at", "timezone": "Asia/Jakarta"},   times without an offset
 *      "time":    {"from": "ts", "unit": "s"},           seconds since the epoch
 *      "event":   {"from": "name", "values": {"purchase": "sale"}},   renamed values
 *      "order":   "data.transaction_id",                 a member of the JSON in column data
 *      "product": "data.items.0.item_id",
 *      "currency": {"const": "USD"}}
 *
 * A source names a column; where no column is named so, what stands before the first dot does, and
 * the rest is the way into its JSON.
 */
#ifndef CMD_IMPORT_MAP_H
#define CMD_IMPORT_MAP_H

#include "collector/beacon.h"
#include "core/arena.h"
#include "core/err.h"

struct import_map;

struct import_row {
    size_t n;
    const struct slice *names;
    const struct slice *values; /* text; a member that was an object or array as its JSON */
};

/* Read the file at path. *out lives in the arena. ERR_INVALID names the member. */
enum err_code import_map_read(const char *path, struct arena *a, struct import_map **out,
                              struct err *err);
void import_map_close(struct import_map **m); /* its zones; NULL is fine */

/* Do the columns give visitor, time and event? ERR_INVALID says which one is missing. */
enum err_code import_map_check(const struct import_map *m, const struct slice *names, size_t n,
                               struct err *err);

/* Set g's fields from a row. ERR_INVALID names the field. */
enum err_code import_map_apply(const struct import_map *m, const struct import_row *row,
                               struct given *g, struct arena *a, struct err *err);

#endif
