/* Rows of settings.db as the API shows them: a statement in, a list of JSON objects out. */
#ifndef WEB_API_ROWS_H
#define WEB_API_ROWS_H

#include <jansson.h>

#include "aggregator/settings_db.h"

#define ROWS_NUMBERS_MAX 4

struct rows_query {
    const char *statement;
    const char *letters; /* of what is bound: i the next number, t the text */
    int64_t numbers[ROWS_NUMBERS_MAX];
    struct slice text;
    /* One a column, with commas: a letter and the member's name. t text, i integer, b boolean,
     * m moment in ms, M the same with 0 as null, w words as a list, j JSON. */
    const char *columns;
};

/* *out is the caller's. */
enum err_code rows_json(struct settings_db *db, const struct rows_query *q, json_t **out,
                        struct err *err);

/* Rows of a site: all (id 0), or that one. The statement takes (site, id, id). */
enum err_code rows_of_site(struct settings_db *db, const char *statement, const char *columns,
                           uint32_t site, int64_t id, json_t **out, struct err *err);

/* A statement that removes one row by (site, id). ERR_NOT_FOUND with that field. */
enum err_code rows_remove(struct settings_db *db, const char *statement, uint32_t site, int64_t id,
                          const char *field, struct err *err);

#endif
