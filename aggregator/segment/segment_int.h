/* What the files of this folder share and nobody else sees. */
#ifndef AGGREGATOR_SEGMENT_SEGMENT_INT_H
#define AGGREGATOR_SEGMENT_SEGMENT_INT_H

#include <stdatomic.h>

#include "aggregator/segment/format.h"
#include "aggregator/segment/segment.h"
#include "aggregator/segment/writer.h"
#include "core/buffer.h"
#include "core/bytes.h"
#include "core/file.h"

/* ---- packed.c: integers in as few bits as they need ---- */

unsigned segment__width(uint64_t largest); /* 0..56 or 64 */
uint64_t segment__packed_bytes(uint64_t n, unsigned width);

/* Values [first, first + n) of what is packed at p. */
void segment__unpack32(const unsigned char *p, unsigned width, uint32_t first, uint32_t n,
                       uint32_t base, uint32_t *out); /* width at most 32 */
void segment__unpack64(const unsigned char *p, unsigned width, uint32_t first, uint32_t n,
                       int64_t base, int64_t *out);

static inline uint64_t
segment__packed_get(const unsigned char *p, unsigned width, uint64_t i)
{
    uint64_t bit = i * width;

    if (width == 64)
        return load_u64(p + i * 8);
    if (width == 0)
        return 0; /* takes no bytes */
    return load_u64(p + (bit >> 3)) >> (bit & 7) & ((UINT64_C(1) << width) - 1);
}

/* ---- reader.c ---- */

/* One directory entry, decoded and checked against the file's bounds. */
struct segment__entry {
    uint32_t type;
    uint32_t id;
    uint32_t count;
    uint32_t flags;
    unsigned char encoding;
    unsigned char width;
    uint64_t offset;
    uint64_t length;
    uint64_t sum;
    int64_t base;
};

/* A dictionary ready to be read: offsets of the ends, then the bytes. */
struct segment__dictionary {
    uint32_t n;
    const unsigned char *values;
};

/* What is known of a block by now; each is set once, by whichever thread comes first. */
struct segment__state {
    atomic_uchar is_verified;
    _Atomic(unsigned char *) unpressed;      /* of a zstd dictionary; owned */
    _Atomic(struct segment_column *) column; /* of a text that others are guessed from; owned */
    _Atomic(atomic_uchar *) parts;           /* of a cold block: is each verified? Owned */
};

struct segment {
    struct file_map map;
    char *name;
    struct segment_owner owner;
    struct segment_info info;
    struct segment_site *sites;
    const uint64_t *run_hashes;
    const uint32_t *run_rows;
    struct segment__dictionary keys;
    struct segment__entry *entries; /* sorted by (type, id) */
    uint32_t n_entries;
    struct segment__state *states; /* one an entry */
};

void segment__decode_entry(const unsigned char *p, struct segment__entry *out);

/* The entry of a block; NULL where the file does not have it. */
const struct segment__entry *segment__find(const struct segment *s, uint32_t type, uint32_t id);

/* ERR_CORRUPT with file, block and `what`. e may be NULL. */
enum err_code segment__corrupt(const struct segment *s, const struct segment__entry *e,
                               struct err *err, const char *what);

/* Compare the block's bytes with its checksums. */
enum err_code segment__checksum(const struct segment *s, const struct segment__entry *e,
                                struct err *err);

/* ---- runs.c ---- */

/* The run that holds the row, of n_runs whose first rows are run_rows (which has the end behind
 * them). */
uint32_t segment__seek_row(const uint32_t *run_rows, uint32_t n_runs, uint32_t row);

/* ---- layout.c: where the parts of a packed column lie ---- */

struct segment__block {
    const unsigned char *p;
    const struct segment__entry *entry;
    uint32_t n_rows; /* of the file */
    uint32_t n_runs;
    const uint32_t *run_rows;
};

/* False where the block is not as long as what it says takes. Dictionary, source and event are the
 * caller's to fill in. */
bool segment__lay_out(const struct segment__block *b, struct segment_column *out);
uint64_t segment__rows_bytes(unsigned encoding, uint64_t n_rows, uint64_t n_values, unsigned width);

/* ---- steps.c: times as steps ---- */

bool segment__lay_out_steps(const struct segment__block *b, struct segment_column *out);
bool segment__are_steps_right(const struct segment_column *c);
void segment__read_steps(const struct segment_column *c, uint32_t row, uint32_t n, int64_t *times);

/* ---- decode.c ---- */

/* Which of the first n rows of a frame have a value, by the gate; zeros behind them in the last
 * word. */
void segment__gate_bits(const struct segment_column *c, uint32_t frame, uint32_t n, uint64_t *bits);

/* The packed values of rows [row, row + n), or of the first *out_n of these: at[] counted from row.
 * Returns how many there are, at most FORMAT_RANK_ROWS. */
uint32_t segment__exceptions(const struct segment_column *c, uint32_t row, uint32_t n,
                             uint32_t *out_n, uint32_t *at, uint32_t *values);

/* Which of a sparse column's values is the row's; false where it is not set. */
bool segment__value_index(const struct segment_column *c, uint32_t row, uint32_t *out);

/* ---- presence.c ---- */

bool segment__is_presence_length_right(const struct segment *s, const struct segment__entry *e);

/* Does the block say what the rows hold? */
enum err_code segment__check_presence(const struct segment *s, struct err *err);

/* ---- column.c ---- */

/* The rows whose id is stored are those that are set. */
enum err_code segment__given_open(const struct segment *s, struct segment_column *out,
                                  struct err *err);
void segment__all_given(const struct segment *s, struct segment_column *out);

enum err_code segment__dictionary_open(const struct segment *s, const struct segment__entry *e,
                                       struct segment__dictionary *out, struct err *err);
struct slice segment__dictionary_value(const unsigned char *values, uint32_t n, uint32_t i);

bool segment__is_verified(const struct segment *s, const struct segment__entry *e);
void segment__set_verified(const struct segment *s, const struct segment__entry *e);

/* Are the packed values, base added, in [smallest, n_codes)? */
bool segment__are_in_range(const unsigned char *packed, unsigned width, uint32_t n, int64_t base,
                           int64_t smallest, uint32_t n_codes);

/* A pair of codes and texts, or a column that is not there (codes == NULL). */
enum err_code segment__text_open(const struct segment *s, uint32_t type, uint32_t id,
                                 struct segment_column *out, struct err *err);

/* ---- cold.c: strings in zstd parts ---- */

struct segment__cold {
    const struct segment *segment;
    const struct segment__entry *entry;
    struct buffer raw; /* the part it stands in, decompressed */
    uint32_t first;    /* its first value */
    uint32_t n;        /* number of its values; 0 = in none */
    uint32_t *ends;    /* where each ends in raw */
    uint32_t ends_max;
    uint32_t width;               /* of the part's numbers; 0: it is of other strings */
    const unsigned char *numbers; /* where they lie */
    char digits[FORMAT_NUMBER_DIGITS + 1];
};

/* For a file that has such strings. */
void segment__cold_init(struct segment__cold *c, const struct segment *s, uint32_t type);
void segment__cold_fini(struct segment__cold *c);
/* Borrowed until the next call. */
enum err_code segment__cold_read(struct segment__cold *c, uint32_t i, struct slice *out,
                                 struct err *err);
/* Value i of a and k of b: are they equal? */
enum err_code segment__cold_compare(struct segment__cold *a, uint32_t i, struct segment__cold *b,
                                    uint32_t k, bool *out_equal, struct err *err);
/* The list of parts: its checksum and its order. */
enum err_code segment__cold_verify(const struct segment *s, const struct segment__entry *e,
                                   struct err *err);

/* ---- codes.c: a text's codes of all rows, in memory ---- */

#define SEGMENT__CHUNK FORMAT_RANK_ROWS

struct segment__codes {
    unsigned char *p; /* a zero, the codes, zeros for a chunk; owned; NULL: none are here */
    uint32_t n_rows;
    uint32_t n_codes; /* all are below it */
    unsigned bytes;   /* of each: 1, 2 or 4 */
};

/* The codes are to be filled in, all of them. */
void segment__codes_init(struct segment__codes *c, uint32_t n_rows, uint32_t n_codes);
void segment__codes_fini(struct segment__codes *c);
size_t segment__codes_size(const struct segment__codes *c); /* bytes */

/* Rows [row, row + n) become map[codes[..]], or 0. */
void segment__codes_put(struct segment__codes *c, uint32_t row, uint32_t n, const uint32_t *codes,
                        const uint32_t *map);
void segment__codes_clear(struct segment__codes *c, uint32_t row, uint32_t n);

/* A chunk of codes from row on, or those of the row before each; zeros behind the last row. */
void segment__codes_read(const struct segment__codes *c, uint32_t row, bool of_rows_before,
                         uint32_t *restrict codes);
uint32_t segment__codes_get(const struct segment__codes *c, uint32_t row);

/* Which rows are not 0: a bitmap of them. Returns how many. */
uint32_t segment__codes_mark(const struct segment__codes *c, uint64_t *bitmap);

/* ---- output.c: a file that is being written ----
 *
 * Errors stick: after the first one every call does nothing, and finish returns it.
 */
struct segment__out {
    enum err_code rc;
    struct err err;
    int fd;
    int level; /* of zstd */
    char temporary[FILE_PATH_MAX];
    uint64_t offset;       /* of the next byte of the file */
    uint64_t block;        /* where the open block begins */
    struct buffer page;    /* the open block's last page, not yet written */
    struct buffer sums;    /* checksums of its pages */
    struct buffer entries; /* directory entries so far */
    bool is_cold;          /* the open block has checksums of its own: no pages */
    /* Where these are given, columns are guessed from others (guess.c): a merge, not a flush. */
    const uint32_t *run_rows; /* n_runs + 1; borrowed */
    uint32_t n_runs;
    uint32_t n_rows;
    /* What columns are guessed from: kept in memory up to kept_max bytes, else read again. */
    struct segment__codes kept[TEXT_COUNT];
    size_t kept_bytes;
    size_t kept_max;
    struct file_map written;
    struct segment_column columns[TEXT_COUNT];
};

enum err_code segment__out_open(struct segment__out *o, const char *dir, int level,
                                struct err *err);
void segment__out_begin(struct segment__out *o);
void segment__out_add(struct segment__out *o, const void *bytes, size_t n);
void segment__out_pad(struct segment__out *o, unsigned multiple); /* zeros, within the block */
/* Ends the block; fills offset, length and (but for cold blocks) checksum of e and lists it. */
void segment__out_end(struct segment__out *o, struct segment__entry *e);
uint64_t segment__out_length(const struct segment__out *o); /* of the open block so far */

/* Is anything guessed from this text (guess.c)? */
bool segment__is_guessed_from(uint32_t text);

/* Takes the codes of a text that was written, others being guessed from it. */
void segment__out_keep(struct segment__out *o, uint32_t text, struct segment__codes *codes);

/* Where those were not kept: the column of a text that was written before, with its dictionary;
 * NULL where there is none. It borrows from o until another block was written and this is called
 * again. */
const struct segment_column *segment__out_column(struct segment__out *o, uint32_t text);

/* Write directory, footer and header, and commit the file in dir under a new name. info->n_bytes
 * is filled. Ends o in any case. */
enum err_code segment__out_finish(struct segment__out *o, const char *dir,
                                  const struct segment_owner *owner, struct segment_file *file,
                                  struct err *err);
void segment__out_abort(struct segment__out *o); /* nothing is left */

/* Unlink files that were finished (an error came later). */
void segment__unlink(const char *dir, const struct segment_file *files, size_t n);

/* ---- encode.c: columns, dictionaries and cold strings as blocks ---- */

#define SEGMENT__BATCH 1024

struct segment__batch {
    uint32_t n;
    uint32_t row[SEGMENT__BATCH];
    int64_t value[SEGMENT__BATCH];
};

/* The rows of a column that are set, ascending: next fills a batch, n = 0 at the end; after that,
 * and at first, it starts anew. */
struct segment__source {
    void (*next)(void *context, struct segment__batch *batch);
    void *context;
};

enum segment__column_kind { COLUMN_TEXT, COLUMN_NUMBER };

struct segment__summary {
    uint32_t n_set;
    int64_t min; /* of the values, where n_set > 0 */
    int64_t max;
};

/* Write a column in the smallest encoding; nothing at all where no row is set. Reads the source
 * twice. */
struct segment__summary segment__encode_column(struct segment__out *o, uint32_t type, uint32_t id,
                                               enum segment__column_kind kind, uint32_t n_rows,
                                               const struct segment__source *source);

/* The same of a text's codes, of which at least one is not 0; guessed from others where that is
 * worth it. They stay the caller's. */
void segment__encode_codes(struct segment__out *o, uint32_t type, uint32_t id,
                           const struct segment__codes *codes);

/* A source of them: context is a walk with its codes. */
struct segment__codes_walk {
    const struct segment__codes *codes;
    uint32_t row;
    uint32_t chunk[SEGMENT__CHUNK];
};
void segment__codes_next(void *context, struct segment__batch *batch);

/* values: ascending, distinct, n at least 1. */
void segment__encode_dictionary(struct segment__out *o, uint32_t type, uint32_t id,
                                const struct slice *values, uint32_t n);

void segment__encode_plain(struct segment__out *o, uint32_t type, const void *bytes, size_t n_bytes,
                           uint32_t count);
void segment__encode_sites(struct segment__out *o, const struct segment_site *sites, uint32_t n);

/* Cold strings, one after the other:
 *     segment__cold_begin(&w, o, BLOCK_ID); segment__cold_add(&w, id) ..; segment__cold_end(&w); */
struct segment__cold_writer {
    struct segment__out *out;
    uint32_t type;
    uint32_t count;      /* strings so far */
    uint32_t part_first; /* of the open part */
    bool are_numbers;    /* all its strings so far */
    struct buffer lengths;
    struct buffer bytes;
    struct buffer pressed;
    struct buffer parts;
    void *zstd;
};
void segment__cold_begin(struct segment__cold_writer *w, struct segment__out *o, uint32_t type);
void segment__cold_add(struct segment__cold_writer *w, struct slice string);
void segment__cold_end(struct segment__cold_writer *w);

#endif
