/* Where an import's rows come from: NDJSON lines or CSV records (RFC 4180), read as a stream.
 *
 * Memory is bounded by SOURCE_ROW_MAX and one read. A CSV record may run over several lines; one
 * that is longer than allowed, or whose quote is never closed, is given back as bad with its first
 * line's number, and reading goes on at the next line, so that one stray quote costs one line.
 *
 *     while ((got = source_next(s, &row)) != SOURCE_END)
 *         got == SOURCE_ROW ? use(row.line, row.fields, row.n_fields) : reject(row.line, row.why);
 */
#ifndef CMD_IMPORT_SOURCE_H
#define CMD_IMPORT_SOURCE_H

#include "core/arena.h"
#include "core/err.h"

#define SOURCE_ROW_MAX    (1024 * 1024)
#define SOURCE_FIELDS_MAX 1000

enum source_format { SOURCE_GUESS, SOURCE_NDJSON, SOURCE_CSV };
enum source_got { SOURCE_ROW, SOURCE_BAD, SOURCE_END };

struct source_row {
    int64_t line;         /* of its first line, from 1 */
    size_t n_fields;      /* NDJSON: 1, the line */
    struct slice *fields; /* until the next source_next */
    const char *why;      /* of SOURCE_BAD: a static sentence */
};

struct source;

/* name: a file's path, or "-" for standard input. ERR_NOT_FOUND, ERR_IO. With SOURCE_GUESS the
 * format comes from the name (.csv, .ndjson, .jsonl, .json), else from the first byte. */
enum err_code source_open(const char *name, enum source_format format, struct source **out,
                          struct err *err);
void source_close(struct source **s);

enum source_format source_format(const struct source *s);

/* ERR_IO of the reading itself ends the rows: look at source_failed after SOURCE_END. */
enum source_got source_next(struct source *s, struct source_row *row);
bool source_failed(const struct source *s, struct err *err);

/* Bytes taken so far, and in all (0: not known, a pipe). */
int64_t source_bytes(const struct source *s);
int64_t source_bytes_total(const struct source *s);

#endif
