/* Where an import's rows come from: NDJSON lines or CSV records (RFC 4180), read in large blocks of
 * whole records, so that several threads may take the blocks apart.
 *
 * Memory is bounded by SOURCE_ROW_MAX and two blocks. A CSV record may run over several lines; one
 * that is longer than allowed, or whose quote is never closed, is given back as bad with its first
 * line's number, and reading goes on at the next line, so that one stray quote costs one line.
 *
 *     struct source_block b = {0};
 *     while (source_read(s, &b))
 *         for each of b.records
 *             record.why == NULL ? use(record.line, record.text) : reject(record.line, record.why);
 *     source_block_fini(&b);
 */
#ifndef CMD_IMPORT_SOURCE_H
#define CMD_IMPORT_SOURCE_H

#include "core/buffer.h"
#include "core/err.h"

#define SOURCE_ROW_MAX     (1024 * 1024)
#define SOURCE_FIELDS_MAX  1000
#define SOURCE_BLOCK_BYTES (512 * 1024) /* about */

enum source_format { SOURCE_GUESS, SOURCE_NDJSON, SOURCE_CSV };

struct source_record {
    int64_t line;    /* of its first line, from 1 */
    size_t at;       /* in the block's bytes */
    size_t n;        /* without the line's end */
    const char *why; /* it is refused: a static sentence; else NULL */
};

/* Whole records, none of them blank. */
struct source_block {
    struct buffer bytes;
    struct source_record *records;
    size_t n_records;
    size_t n_records_max;
};

void source_block_fini(struct source_block *b);

struct source;

/* name: a file's path, or "-" for standard input. ERR_NOT_FOUND, ERR_IO. With SOURCE_GUESS the
 * format comes from the name (.csv, .ndjson, .jsonl, .json), else from the first byte. */
enum err_code source_open(const char *name, enum source_format format, struct source **out,
                          struct err *err);
void source_close(struct source **s);

enum source_format source_format(const struct source *s);

/* The next records, in place of what the block held: as many as there are without waiting for a
 * pipe that has some. False at the end; ERR_IO of the reading itself is one too: look at
 * source_failed then. */
bool source_read(struct source *s, struct source_block *b);
bool source_failed(const struct source *s, struct err *err);

/* The text of a record, which belongs to the block. */
static inline struct slice
source_text(const struct source_block *b, const struct source_record *r)
{
    return slice_of(b->bytes.p + r->at, r->n);
}

/* Take a CSV record apart, undoing quotes in its own bytes. fields has room for SOURCE_FIELDS_MAX.
 * NULL, or why it is refused. */
const char *source_split(struct slice record, struct slice *fields, size_t *out_n);

/* Bytes taken so far, and in all (0: not known, a pipe). */
int64_t source_bytes(const struct source *s);
int64_t source_bytes_total(const struct source *s);

#endif
