/* The format of a segment file, version 2. Numbers are little-endian; offsets are from the start
 * of the file unless said otherwise; bytes that are not named are zero.
 *
 *   FILE
 *   OFFSET        SIZE  MEANING
 *   0             256   header
 *   256           ..    blocks, each at a multiple of 64, zeros in between
 *   D             64*n  directory: one entry a block, ascending by (type, id), no two alike
 *   D + 64*n      64    footer
 *
 *   HEADER, the same 256 bytes in every version
 *   OFFSET  SIZE  MEANING
 *   0       8     "CorongSg"
 *   8       4     version; a reader refuses a newer one
 *   12      4     kind: 1 flush (one month, all sites), 2 merged (one month, one site, one range
 *                 of visitor hashes)
 *   16      16    install id of the data folder
 *   32      8     hash seed of the data folder
 *   40      8     when it was written, ms since the epoch
 *   48      4     UTC month of all its events, as 202606
 *   52      4     site of a merged file; 0 in a flush
 *   56      8     smallest visitor hash
 *   64      8     largest visitor hash
 *   72      8     smallest time, ms
 *   80      8     largest time, ms
 *   88      4     rows, 1 .. 2^31-1
 *   92      4     runs, 1 .. rows
 *   96      4     sites, 1 .. runs; exactly 1 in a merged file
 *   100     4     entries of the directory
 *   104     8     D, a multiple of 64
 *   112     8     checksum of the directory
 *   120     8     length of the file = D + 64*n + 64
 *   248     8     checksum of bytes 0..247
 *
 *   FOOTER: finds a cut file at once
 *   OFFSET  SIZE  MEANING
 *   0       8     "CorongEn"
 *   8       8     length of the file
 *   16      8     bytes 248..255 of the header
 *   56      8     checksum of bytes 0..55
 *
 *   DIRECTORY ENTRY
 *   OFFSET  SIZE  MEANING
 *   0       2     type of the block
 *   2       1     encoding
 *   3       1     width in bits (packed), else 0
 *   4       4     flags: bit 0 = optional, a reader that does not know the type skips it; an
 *                 unknown type without it, and any other bit, is a newer format (refused)
 *   8       4     id: code of the attribute, or index of the property's key; else 0
 *   12      4     number of values
 *   16      8     offset, a multiple of 64, at least 256; 0 where the length is 0
 *   24      8     length in bytes; the block ends before D
 *   32      8     checksum
 *   40      8     base (packed); bytes before compression (zstd); else 0
 *
 * A CHECKSUM is XXH3-64 (seed 0) of the bytes. A block over 64 KiB is cut into pages of 64 KiB:
 * behind its bytes, at the next multiple of 8, stand the checksums of its pages (8 bytes each), and
 * the directory has the checksum of that list. So a damaged page is known by its place, and a
 * reader may verify only the pages it needs. In cold blocks (below) the directory has the checksum
 * of the list of parts only, and each part has its own.
 *
 *   TYPE  ID         BLOCK                       ENCODING          VALUES
 *   1     0          sites                       plain             sites
 *   2     0          visitor hash of each run    plain, u64        runs; ascending in a site
 *   3     0          first row of each run       plain, u32        runs + 1; from 0 strictly
 *                                                                  ascending to the number of rows
 *   4     0          visitor of each run         cold              runs
 *   5     0          event ids that are given    cold              rows; in version 2 as many as
 *                                                                  17 says, not there without it
 *   6     0          time of each row            dense, steps      rows
 *   7     0          flags (enum event_flag)     dense             rows
 *   8     0          origin (enum event_origin)  dense             rows
 *   9     0          keys of the properties      dictionary        keys, 1 or more
 *   10    attribute  codes of a text             packed            rows (dense), rows that are set
 *                                                                  (bitmap, list, gated; 1 or
 *                                                                  more), exceptions (guessed)
 *   11    attribute  texts of the codes          dictionary        distinct texts, 1 or more
 *   12    key        codes of a property         packed            as 10
 *   13    key        texts of the codes          dictionary        as 11
 *   14    attribute  a number                    packed            as 10; dense only where every
 *                                                                  row is set; never guessed
 *   15    0          (was presence words without their order; skipped)
 *   16    0          bitmap of the plain runs    (reserved; optional)
 *   17    0          rows whose id is in 5       packed, width 0   as 14; the id of each other row
 *                                                                  is event_content_id of the event
 *   18    0          presence words of the runs  words, optional  runs; merged files of version 2
 *
 * 1 to 8 must be there (but 5). A column that no row sets is not there. 10 and 11, 12 and 13 come
 * in pairs with one id; each key of 9 has a pair. Rows are sorted by (site, visitor hash, visitor
 * as bytes, time, id as bytes); a run is all rows of one (site, visitor), and no two of its rows
 * have the same id. Codes are 1 .. number of texts, in the order of the texts; not set is 0 where a
 * packed column is dense, else the row is left out.
 *
 *   SITE (type 1), 32 bytes, ascending by site; together they are all runs in order
 *   OFFSET  SIZE  MEANING
 *   0       4     site
 *   4       4     its first run
 *   8       4     number of its runs, 1 or more
 *   16      8     smallest time, ms
 *   24      8     largest time, ms
 *
 *   PACKED: value i = base + (width bits at bit i*width, lowest bits first), width 0..56 or 64
 *   ENCODING    BYTES
 *   2 dense     packed values, one a row
 *   3 bitmap    u32 r[ceil(rows/512)]: set rows before row 512*i; zeros to a multiple of 8;
 *               u64 m[ceil(rows/64)]: bit row%64 of m[row/64]; packed values of the set rows
 *   4 list      u32 row[values], strictly ascending; zeros to a multiple of 8; packed values
 *   7 guessed   (version 2) what GUESS below says, but for the rows that are exceptions
 *   8 gated     (version 2) what GATED below says
 *   Packed values of width 0 take no bytes, others ceil(values*width/8) and 8 zeros, so that a
 *   reader may load 8 bytes anywhere. A dense column of width 0 is a length of 0: a column that
 *   says the same in every row costs its directory entry.
 *
 *   GUESSED: a text's code in each row, from something else that the file knows of the row. Kinds:
 *   1 hold: the code of the row before (of row 0: 0)
 *   2 run: value r of the guess, where r is the run that the row is in
 *   3 map: value c of the guess, where c is the row's code of another text (the source); with bit 0
 *     of the flags its code in the row before (of row 0: 0)
 *   With bit 1 of the flags the guess holds only where the gate has bit e%64 of word e/64 set, e
 *   being the row's code of `event`; elsewhere the guess is 0.
 *   OFFSET  SIZE  MEANING
 *   0       1     kind
 *   1       1     flags
 *   2       1     width of the values of the guess, at most 32
 *   3       1     how the exceptions' rows are said: 3 bitmap or 4 list
 *   4       4     source: attribute of a text (map), else 0
 *   8       4     values of the guess: runs (run), texts of the source + 1 (map), 0 (hold)
 *   12      4     bits of the gate: texts of `event` + 1; 0 without
 *   32      ..    the gate, u64 words; the values of the guess, packed; zeros to a multiple of 8;
 * the exceptions as in a bitmap or list: their rows, their codes packed (0 = not set) A source's
 * block stands before what is guessed from it; `event`, where it is a gate or a source, is dense,
 * bitmap or list.
 *
 *   GATED: as a bitmap, but the rows that are set are those whose `event` has its bit in the gate,
 *   and the others for the rows in the list.
 *   OFFSET  SIZE  MEANING
 *   0       4     bits of the gate: texts of `event` + 1
 *   4       4     rows in the list
 *   16      ..    the gate, u64 words; u32 r[ceil(rows/512)], as in a bitmap; zeros to a multiple
 * of 8; u32 row[..], strictly ascending; zeros to a multiple of 8; packed values
 *
 *   STEPS (9, version 2): times ascend in a run, so a run's first row has its time and each further
 *   row the step from the row before. Run r's first row is value r of the starts; the steps of all
 *   rows that are not first of a run stand in frames of 512, row i of run r being step i - r - 1.
 *   Bytes: the starts packed with width and base of the directory entry, zeros to a multiple of 8;
 *   a list of frames, u64 each: bits 0..39 where the frame is, counted from the start of the block,
 *   bits 40..47 width w of its steps, at most 32, bits 48..63 number of its exceptions; times
 *   (i64) before the first step of each frame; the frames, each at a multiple of 8:
 *   low w bits of 512 steps packed (fewer in the last frame) with 8 zeros behind them unless w is
 * 0; for each exception u16 its place in the frame, ascending; zeros to a multiple of 4; for each
 *   exception u32 what stands above the low w bits
 *
 *   PRESENCE (18): what the rows of a run hold, all of them together, and in which order, so that a
 *   query knows of most runs what they match without reading a row. Encoding 10, words: as many
 *   pairs as the base of the directory entry says (at most 65,536), distinct and ascending: the
 *   first u64 of each, then the second of each; then, packed with its width, of each run which pair
 *   is its own. Bits of the first: 1 to 59: some row's code of `event` is that; 0: some row has no
 *   `event`, or one of a higher code; 60: some row is a bot's; 61: some row is without cookies; 62:
 *   some row has a value; 63: some row's id is in 5. The second is 0, or says in which order the
 *   codes of `event` first come up in the run, at most 8 of them, 7 bits each from the lowest on:
 *   bits 0..5 the code, 0 behind the last, bit 6: at the moment of the one before; bits 56..58: its
 *   last row is at most 30 minutes (0), 1 hour, 6 hours, 1, 7, 14, 30, 31 days (7) behind its first
 *
 *   DICTIONARY: distinct byte strings of 1 byte or more, ascending as bytes
 *   ENCODING    BYTES
 *   1 plain     u32 end[values]: where each string ends behind this list; the strings
 *   5 zstd      one zstd frame of the above; before compression at most 512 MiB and at most 128
 *               times the length
 *
 *   COLD (6): strings of 1..65535 bytes in zstd frames ("parts")
 *   OFFSET  SIZE  MEANING
 *   0       ..    parts, one behind the other; zeros to a multiple of 8
 *   -32*p   32*p  list of parts, at the end of the block; p is the base of the directory entry
 *
 *   PART OF A COLD BLOCK, 32 bytes
 *   OFFSET  SIZE  MEANING
 *   0       4     its first value; ascending from 0
 *   4       4     number of values, 1 or more
 *   8       8     offset in the block
 *   16      4     length
 *   20      4     bytes before compression, at most 1 MiB: u16 length of each string; the strings.
 *                 With bit 31 (version 2) the part is no zstd frame, but numbers: its strings are
 *                 decimal, without zeros in front, and the lower bits are how many bytes each
 * number takes, at most 16, so that any is found and compared where it lies 24      8     checksum
 */
#ifndef AGGREGATOR_SEGMENT_FORMAT_H
#define AGGREGATOR_SEGMENT_FORMAT_H

#define FORMAT_MAGIC        "CorongSg"
#define FORMAT_MAGIC_FOOTER "CorongEn"
#define FORMAT_VERSION      2
#define FORMAT_ALIGN        64
#define FORMAT_PAGE         65536

enum { /* sizes */
       FORMAT_HEADER = 256,
       FORMAT_FOOTER = 64,
       FORMAT_ENTRY = 64,
       FORMAT_SITE = 32,
       FORMAT_PART = 32,
       FORMAT_GUESS = 32,
       FORMAT_GATE = 16
};

enum { /* header */
       HEADER_MAGIC = 0,
       HEADER_VERSION = 8,
       HEADER_KIND = 12,
       HEADER_INSTALL = 16,
       HEADER_SEED = 32,
       HEADER_CREATED = 40,
       HEADER_MONTH = 48,
       HEADER_SITE = 52,
       HEADER_HASH_MIN = 56,
       HEADER_HASH_MAX = 64,
       HEADER_TIME_MIN = 72,
       HEADER_TIME_MAX = 80,
       HEADER_ROWS = 88,
       HEADER_RUNS = 92,
       HEADER_SITES = 96,
       HEADER_ENTRIES = 100,
       HEADER_DIRECTORY = 104,
       HEADER_DIRECTORY_SUM = 112,
       HEADER_LENGTH = 120,
       HEADER_SUM = 248
};

enum { FOOTER_MAGIC = 0, FOOTER_LENGTH = 8, FOOTER_HEADER_SUM = 16, FOOTER_SUM = 56 };

enum { /* directory entry */
       ENTRY_TYPE = 0,
       ENTRY_ENCODING = 2,
       ENTRY_WIDTH = 3,
       ENTRY_FLAGS = 4,
       ENTRY_ID = 8,
       ENTRY_COUNT = 12,
       ENTRY_OFFSET = 16,
       ENTRY_LENGTH = 24,
       ENTRY_SUM = 32,
       ENTRY_BASE = 40
};
#define ENTRY_OPTIONAL 1u

enum { SITE_ID = 0, SITE_RUN = 4, SITE_RUNS = 8, SITE_TIME_MIN = 16, SITE_TIME_MAX = 24 };

enum {
    PART_FIRST = 0,
    PART_COUNT = 4,
    PART_OFFSET = 8,
    PART_LENGTH = 16,
    PART_RAW = 20,
    PART_SUM = 24
};

enum { /* of a guessed column */
       GUESS_KIND = 0,
       GUESS_FLAGS = 1,
       GUESS_WIDTH = 2,
       GUESS_ROWS = 3,
       GUESS_SOURCE = 4,
       GUESS_VALUES = 8,
       GUESS_GATE = 12
};
#define GUESS_PREVIOUS 1u
#define GUESS_GATED    2u

enum { GATE_CODES = 0, GATE_ROWS = 4 };

enum format_guess { GUESS_HOLD = 1, GUESS_RUN = 2, GUESS_MAP = 3 };

enum format_type {
    BLOCK_SITES = 1,
    BLOCK_RUN_HASH = 2,
    BLOCK_RUN_ROW = 3,
    BLOCK_RUN_VISITOR = 4,
    BLOCK_ID = 5,
    BLOCK_TIME = 6,
    BLOCK_FLAGS = 7,
    BLOCK_ORIGIN = 8,
    BLOCK_KEYS = 9,
    BLOCK_TEXT = 10,
    BLOCK_TEXT_VALUES = 11,
    BLOCK_PROPERTY = 12,
    BLOCK_PROPERTY_VALUES = 13,
    BLOCK_NUMBER = 14,
    BLOCK_PLAIN = 16,
    BLOCK_ID_GIVEN = 17,
    BLOCK_PRESENCE = 18
};

enum format_encoding {
    ENCODING_PLAIN = 1,
    ENCODING_DENSE = 2,
    ENCODING_BITMAP = 3,
    ENCODING_LIST = 4,
    ENCODING_ZSTD = 5,
    ENCODING_COLD = 6,
    ENCODING_GUESSED = 7,
    ENCODING_GATED = 8,
    ENCODING_STEPS = 9,
    ENCODING_WORDS = 10
};

#define FORMAT_DICTIONARY_MAX   (512u << 20) /* bytes before compression */
#define FORMAT_DICTIONARY_RATIO 128
#define FORMAT_PART_MAX         (1u << 20)
#define FORMAT_PART_NUMBERS     (1u << 31)
#define FORMAT_NUMBER_MAX       16 /* bytes */
#define FORMAT_NUMBER_DIGITS    38 /* that any number of so many bytes has room for */
#define FORMAT_COLD_STRING_MAX  65535
#define FORMAT_RANK_ROWS        512
#define FORMAT_PACKED_SLACK     8
#define FORMAT_STEP_FRAME       512
#define FORMAT_WORDS_MAX        65536

#endif
