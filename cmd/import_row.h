/* One record of an import -> one event that is fit to be stored: through the same door as beacons
 * (collector/beacon.h, enrich.h). What all rows share is read only, so that any number of threads
 * may read rows at once. */
#ifndef CMD_IMPORT_ROW_H
#define CMD_IMPORT_ROW_H

#include "cmd/import_map.h"
#include "cmd/import_source.h"
#include "collector/enrich.h"

struct import_shape {
    enum source_format format;
    const struct import_map *map; /* NULL: columns are named as an event's fields */
    struct enrich *enrich;
    struct enrich_site site;
    const struct slice *columns;    /* CSV's header */
    const struct given_name *names; /* theirs, where there is no map */
    size_t n_columns;
};

/* fields: room for SOURCE_FIELDS_MAX. The record's bytes are changed where it is CSV; the event
 * borrows from them and from the arena. ERR_INVALID, ERR_LIMIT: the row is refused, why says what
 * is wrong with it. */
enum err_code import_row_read(const struct import_shape *shape, struct slice record,
                              struct slice *fields, struct arena *a, struct given *out,
                              struct err *why);

/* CSV begins with its header: where there is no map, every column must be a field's name; else the
 * map must find what it needs. Fills columns, in the arena. ERR_INVALID. */
enum err_code import_row_header(struct import_shape *shape, struct slice record, struct arena *a,
                                struct err *err);

#endif
