/* One file of the spool: batches in the order in which they came, each with its own checksums.
 *
 *   OFFSET  SIZE  MEANING
 *   0       32    the head:
 *             8     "CORSPOOL"
 *             4     version (SPOOL_FILE_VERSION); a newer one: ERR_VERSION, left untouched
 *             4     0
 *             8     salt: random, of this file
 *             8     XXH3-64 of the 24 bytes before
 *   32      32    the same head again: a flipped bit does not cost the salt
 *   64      16    the mark, written in place and never synced:
 *             8     offset up to which records are known to be in Redis
 *             8     XXH3-64 of these 8 bytes, seeded with the salt; does not fit: no mark
 *   80      ..    records until the end, each:
 *             4     n, 1 to SPOOL_BATCH_MAX
 *             4     low half of the XXH3-64 of (offset of this record, n), seeded with the salt
 *             8     XXH3-64 of the body, seeded with the salt
 *             n     the body: one batch, as a stream entry holds it (core/codec.h)
 *
 * A record is valid where both sums fit. Behind bytes that are none the reader looks, byte by byte,
 * for the next place where one is: damage costs what it hit and nothing else. The salt and the
 * offset in the sums keep an event's own text from passing for a record. Where no valid record
 * follows it was a torn tail, whose sender was never answered. Of a body that fails its sum the
 * events that pass their own (codec.h) are kept.
 */
#ifndef COLLECTOR_SPOOL_FILE_H
#define COLLECTOR_SPOOL_FILE_H

#include "core/buffer.h"
#include "core/codec.h"
#include "core/err.h"

#define SPOOL_FILE_VERSION  1
#define SPOOL_FILE_HEAD     80
#define SPOOL_RECORD_HEADER 16
#define SPOOL_BATCH_MAX     CODEC_BATCH_BYTES

/* ---- Writing: bytes only, files are spool.c's ---- */

/* The head of a new file, without a mark. */
void spool_file_begin(struct buffer *out, uint64_t salt);

/* Append a record that will stand at offset `at`. */
void spool_file_add(struct buffer *out, uint64_t salt, uint64_t at, struct slice batch);

/* Note in the file that all before `at` is elsewhere. Best effort: a lost mark brings repeats. */
void spool_file_mark(int fd, uint64_t salt, uint64_t at);

/* ---- Reading ---- */

struct spool_reader {
    int fd; /* borrowed */
    uint64_t salt;
    uint64_t at;          /* of the next record */
    uint64_t end;         /* read no further; the owner may raise it */
    struct buffer window; /* what stands at window_at */
    uint64_t window_at;
    struct buffer repaired;
    uint32_t n_damaged;     /* records and stretches between records that failed their sums */
    uint64_t damaged_bytes; /* all of them together */
    uint64_t damaged_at;    /* the first */
    uint64_t torn_bytes;    /* at the end */
};

/* Read head and mark. ERR_VERSION; ERR_CORRUPT: neither copy of the head is whole; ERR_IO. */
enum err_code spool_reader_open(struct spool_reader *r, int fd, uint64_t end, struct err *err);
void spool_reader_close(struct spool_reader *r);

/* The next batch, good until the next call. ERR_NOT_FOUND: no more until `end`; ERR_IO. */
enum err_code spool_reader_next(struct spool_reader *r, struct slice *batch, struct err *err);

#endif
