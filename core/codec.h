/* Event <-> msgpack, and the batch that one stream entry holds. The only includer of msgpack.
 *
 * A stream entry has one field "b" whose value is a batch:
 *
 *   OFFSET  SIZE  MEANING
 *   0       1     'C'
 *   1       1     version (CODEC_VERSION); a newer one: ERR_VERSION, the reader stops with an alarm
 *   2       ..    records until the end, each:
 *             4     length n of the payload, little-endian, at most EVENT_ENCODED_MAX
 *             8     XXH3-64 of the payload
 *             n     the payload
 *
 * A payload of version 1 is a msgpack array:
 *   [site, time_ms, visitor: str, id: bin, flags, origin,
 *    {text code: str}, {number code: int}, {property key: str}]
 * with codes and keys rising. Equal events have equal bytes.
 * Readers ignore codes they do not know only within a version they know.
 */
#ifndef CORE_CODEC_H
#define CORE_CODEC_H

#include "core/arena.h"
#include "core/buffer.h"
#include "core/event.h"

#define CODEC_VERSION       1
#define CODEC_BATCH_BYTES   (256 * 1024) /* a batch is at most this */
#define CODEC_RECORD_HEADER 12

/* Start a batch: out is cleared and gets the two header bytes. */
void codec_batch_begin(struct buffer *out);

/* Append e as one record. ERR_LIMIT where it is larger than EVENT_ENCODED_MAX. Thread-safe. */
enum err_code codec_batch_add(struct buffer *out, const struct event *e, struct err *err);

/* Walk a batch:
 *
 *     struct codec_reader r;
 *     rc = codec_reader_init(&r, bytes, err);          // ERR_VERSION, ERR_CORRUPT
 *     while (codec_reader_next(&r, &payload)) { ... }  // false at the end or at a bad record
 *     r.n_bad                                          // records (or a torn tail) left out
 *
 * A record whose checksum fails is counted and skipped by its length; a length that runs over the
 * end ends the walk and counts once.
 */
struct codec_reader {
    struct slice bytes;
    size_t at;
    uint32_t n_bad;
};
enum err_code codec_reader_init(struct codec_reader *r, struct slice bytes, struct err *err);
bool codec_reader_next(struct codec_reader *r, struct slice *payload);

/* Decode one payload; slices borrow from payload, arrays are in the arena. ERR_CORRUPT. Never
 * allocates by a count it has not checked against the bytes that are there. */
enum err_code codec_decode(struct slice payload, struct arena *a, struct event *out,
                           struct err *err);

/* Encode without the record's header (for files of our own and for tests). */
enum err_code codec_encode(struct buffer *out, const struct event *e, struct err *err);

#endif
