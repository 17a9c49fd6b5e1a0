/* Segments: immutable files of events, sorted by (site, visitor hash, visitor, time, id). Reading.
 *
 * A segment is a map of its file and a table of what was verified. It never changes, so any number
 * of threads may read one (a cursor is for one thread). The bytes are laid out in
 * aggregator/segment/format.h; writing is in writer.h, merging in merge.h.
 *
 * Checksums: segment_open verifies header, directory, sites and runs; a column is verified whole
 * when it is opened for the first time; ids and visitors part by part as they are read. So every
 * byte that an answer is made of was verified before, and functions that give values cannot fail.
 * What fails is ERR_CORRUPT, with the file and the block in err->message, the block in err->field.
 *
 * Caveat: a file that somebody shortens while it is mapped raises SIGBUS. Corong never does that:
 * files appear by rename, whole, and end by unlink.
 */
#ifndef AGGREGATOR_SEGMENT_SEGMENT_H
#define AGGREGATOR_SEGMENT_SEGMENT_H

#include "core/arena.h"
#include "core/err.h"
#include "core/event.h"
#include "core/slice.h"

#define SEGMENT_NAME_MAX 64          /* "202606-flush-0123456789abcdef.seg" with its NUL */
#define SEGMENT_ROWS_MAX 0x7fffffffu /* rows of one file */

/* Whose files these are, from data/FORMAT; in every header. */
struct segment_owner {
    unsigned char install_id[16];
    uint64_t hash_seed;
};

/* The hash that orders visitors: hash64(visitor, seed). */
uint64_t segment_visitor_hash(const struct segment_owner *owner, struct slice visitor);

/* UTC month of a time, as 202606. */
uint32_t segment_month(int64_t time_ms);

enum segment_kind {
    SEGMENT_FLUSH = 1, /* one month, all sites that had events */
    SEGMENT_MERGED = 2 /* one month, one site, one range of visitor hashes */
};

/* One site's share of a file. */
struct segment_site {
    uint32_t site;
    uint32_t run_begin; /* its runs are [run_begin, run_end) */
    uint32_t run_end;
    uint32_t n_rows;
    int64_t time_min_ms;
    int64_t time_max_ms;
};

/* What the header says: enough to write the file's row in the catalog again. */
struct segment_info {
    enum segment_kind kind;
    uint32_t version;
    uint32_t month; /* 202606 */
    uint32_t site;  /* 0 in a flush */
    uint32_t n_rows;
    uint32_t n_runs;
    uint32_t n_sites;
    int64_t created_ms;
    int64_t time_min_ms;
    int64_t time_max_ms;
    uint64_t hash_min; /* smallest and largest visitor hash */
    uint64_t hash_max;
    uint64_t n_bytes; /* of the file */
};

/* ---- Files ---- */

struct segment;

/* Map path. ERR_NOT_FOUND, ERR_IO; ERR_CORRUPT; ERR_VERSION (a newer format); ERR_CONFLICT (of
 * another install id or hash seed). *out is owned by the caller: segment_close. */
enum err_code segment_open(const char *path, const struct segment_owner *owner,
                           struct segment **out, struct err *err);
void segment_close(struct segment **s);

const char *segment_name(const struct segment *s); /* the file's name, without folders */
const struct segment_info *segment_info(const struct segment *s);

/* Verify everything there is, order and references included: what `corong check` does. */
enum err_code segment_check(const struct segment *s, struct err *err);

/* ---- Sites, runs ----
 *
 * A run is all events of one visitor of one site in this file, in order of (time, id), without
 * repeats. Within a site runs are sorted by (hash, visitor as bytes); two visitors may share a
 * hash, so whoever joins runs of several segments compares the visitors too.
 *
 *     const struct segment_site *site = segment_find_site(s, site_id);     // NULL: none
 *     const uint64_t *hashes = segment_run_hashes(s);
 *     const uint32_t *rows = segment_run_rows(s);
 *     for (uint32_t run = site->run_begin; run < site->run_end; run++)
 *         ... visitor hash hashes[run], rows [rows[run], rows[run + 1])
 *
 * All arrays are borrowed until segment_close.
 */
const struct segment_site *segment_sites(const struct segment *s); /* info->n_sites, ascending */
const struct segment_site *segment_find_site(const struct segment *s, uint32_t site);
const uint64_t *segment_run_hashes(const struct segment *s); /* info->n_runs */
const uint32_t *segment_run_rows(const struct segment *s); /* info->n_runs + 1, from 0 to n_rows */

/* The first run of the site whose hash is at least `hash`; site->run_end where there is none. */
uint32_t segment_seek_run(const struct segment *s, const struct segment_site *site, uint64_t hash);

/* The run that row is in. */
uint32_t segment_run_of_row(const struct segment *s, uint32_t row);

/* ---- Columns ----
 *
 * A column gives one value for each row of the file. It lives in the caller's storage, needs no
 * fini and borrows from the segment until segment_close. A column that the file does not have (no
 * row sets it) opens like any other and is not set in every row.
 *
 * Text, built in or property: a code for each row, 0 = not set, 1..n_codes-1 in the order of the
 * values' bytes, which are unique and never empty. A rule is evaluated once per code:
 *
 *     struct segment_column column;
 *     rc = segment_text_open(s, TEXT_EVENT, &column, err);
 *     for (uint32_t code = 1; code < column.n_codes; code++)
 *         mask[code] = evaluate(segment_text_value(&column, code));    // mask[0]: not set
 *     for (uint32_t row = begin; row < end; row += n) {
 *         n = end - row < CHUNK ? end - row : CHUNK;
 *         segment_codes(&column, row, n, codes);                       // each < column.n_codes
 *         ...
 *     }
 *
 * Read in chunks of 1,000 rows or so, over the ends of runs: a call has a cost of its own. In a
 * flush the values are those of all its sites: what one site has sent is what its rows use.
 */
struct segment_column {
    uint32_t n_rows;
    uint32_t n_codes; /* text: number of values + 1; else 0 */
    /* the rest is for the functions below */
    unsigned char encoding;
    unsigned char rows_by; /* encoding that says which rows have a packed value */
    unsigned char width;
    int64_t base;
    uint32_t n_set;        /* rows that may be set */
    uint32_t n_packed;     /* packed values */
    const uint32_t *ranks; /* with a bitmap or gate: such rows before each 512th row */
    const uint64_t *bitmap;
    const uint32_t *rows; /* of a list; of a gate, those that it gets wrong */
    uint32_t n_rows_listed;
    const unsigned char *packed;
    struct segment_guess {
        unsigned char kind; /* 0: none */
        unsigned char width;
        bool is_previous;
        uint32_t source;
        uint32_t n;
        const unsigned char *packed;
        const struct segment_column *column; /* of the source */
    } guess;
    uint32_t n_gate; /* 0: none */
    const uint64_t *gate;
    const struct segment_column *event; /* with a gate */
    const uint64_t *frames;             /* of steps */
    const unsigned char *block;
    const uint32_t *run_rows; /* of the file */
    uint32_t n_runs;
    const unsigned char *values; /* of the dictionary: offsets, then bytes */
};

enum err_code segment_text_open(const struct segment *s, enum event_text code,
                                struct segment_column *out, struct err *err);
enum err_code segment_property_open(const struct segment *s, struct slice key,
                                    struct segment_column *out, struct err *err);
enum err_code segment_number_open(const struct segment *s, enum event_number code,
                                  struct segment_column *out, struct err *err);
enum err_code segment_time_open(const struct segment *s, struct segment_column *out,
                                struct err *err); /* time_ms; set in every row */
enum err_code segment_flags_open(const struct segment *s, struct segment_column *out,
                                 struct err *err); /* enum event_flag; set in every row */
enum err_code segment_origin_open(const struct segment *s, struct segment_column *out,
                                  struct err *err); /* enum event_origin; set in every row */

/* Text: codes of rows [row, row + n); row + n <= n_rows. */
void segment_codes(const struct segment_column *c, uint32_t row, uint32_t n, uint32_t *codes);

/* Anything else: values of rows [row, row + n), 0 where not set; is_set (may be NULL) says which
 * are. */
void segment_values(const struct segment_column *c, uint32_t row, uint32_t n, int64_t *values,
                    bool *is_set);

/* A column that is read row by row, each mostly near the one before: the frame of rows around it is
 * decoded once. For one thread. Begin with {.column = the column, which is borrowed}. */
#define SEGMENT_WINDOW_ROWS 512
struct segment_window {
    const struct segment_column *column;
    uint32_t begin; /* rows [begin, begin + n) are decoded */
    uint32_t n;
    union {
        uint32_t codes[SEGMENT_WINDOW_ROWS];
        struct {
            int64_t values[SEGMENT_WINDOW_ROWS];
            bool is_set[SEGMENT_WINDOW_ROWS];
        };
    };
};
uint32_t segment_window_code(struct segment_window *w, uint32_t row);
int64_t segment_window_value(struct segment_window *w, uint32_t row, bool *is_set);

/* A number that is set in the row. */
int64_t segment_value_at(const struct segment_column *c, uint32_t row);

/* Times of all rows of a run. c: of segment_time_open, as of the next. */
void segment_run_times(const struct segment_column *c, uint32_t run, int64_t *times);
int64_t segment_run_start(const struct segment_column *c, uint32_t run); /* of its first row */

/* Numbers that are set in every row: can one of the rows [row, row + n), n at least 1, have one of
 * the bits? False only where none has. Much cheaper than their values. */
bool segment_may_have_bits(const struct segment_column *c, uint32_t row, uint32_t n, uint64_t bits);

/* Numbers: which of the rows [row, row + n) are set, counted from row, ascending. Returns how many.
 * Cheap where few are. */
uint32_t segment_set_rows(const struct segment_column *c, uint32_t row, uint32_t n, uint32_t *at);

/* The text of a code (code < n_codes); "" for 0. Borrowed from the segment. */
struct slice segment_text_value(const struct segment_column *c, uint32_t code);

/* The code of a text; 0 where no row has it. */
uint32_t segment_text_find(const struct segment_column *c, struct slice value);

/* Keys of the properties that some row sets, sorted as bytes. */
uint32_t segment_property_count(const struct segment *s);
struct slice segment_property_key(const struct segment *s, uint32_t i);

/* ---- What runs hold ----
 *
 * A word of bits for each run: what its rows hold, all of them together; and an order: that in
 * which the names of its events first come up. There are few different pairs, so that a question is
 * asked of each once:
 *
 *     rc = segment_presence_open(s, &presence, err);
 *     for (uint32_t i = 0; i < presence.n_words; i++)
 *         verdict[i] = judge(presence.words[i], presence.orders[i]);
 *     segment_presence_read(&presence, run, n, which);     // verdict[which[i]] is that of run + i
 */
#define PRESENCE_EVENTS     60                  /* bit c below: some row's code of `event` is c */
#define PRESENCE_ANY_EVENT  UINT64_C(1)         /* some row has none, or a code beyond these */
#define PRESENCE_BOT        (UINT64_C(1) << 60) /* some row has EVENT_BOT */
#define PRESENCE_COOKIELESS (UINT64_C(1) << 61) /* or EVENT_COOKIELESS */
#define PRESENCE_VALUE      (UINT64_C(1) << 62) /* or a value */
#define PRESENCE_GIVEN      (UINT64_C(1) << 63) /* or an id that is not made of its content */

#define ORDER_EVENTS_MAX 8

/* The code of `event` that comes up as number i, from 0; 0: there are not so many. Of an order that
 * is not 0. */
static inline uint32_t
segment_order_event(uint64_t order, int i)
{
    return i < ORDER_EVENTS_MAX ? (uint32_t)(order >> 7 * i) & 63 : 0;
}

/* Does number i come up at the very moment of the one before? */
static inline bool
segment_order_is_tied(uint64_t order, int i)
{
    return (order >> (7 * i + 6) & 1) != 0;
}

/* The last row of the run is at most so much later than its first. Of an order that is not 0. */
int64_t segment_order_span_ms(uint64_t order);

struct segment_presence {
    uint32_t n_words; /* 0: the file does not say */
    const uint64_t *words;
    const uint64_t *orders; /* 0: not said */
    unsigned char width;
    const unsigned char *packed;
};

enum err_code segment_presence_open(const struct segment *s, struct segment_presence *out,
                                    struct err *err);
void segment_presence_read(const struct segment_presence *p, uint32_t run, uint32_t n,
                           uint32_t *which);

/* Text: the code that all rows of a run have, of runs [run, run + n); CODES_DIFFER where they have
 * several, or where finding out would take reading them. */
#define CODES_DIFFER UINT32_MAX
void segment_run_codes(const struct segment_column *c, uint32_t run, uint32_t n, uint32_t *codes);

/* Text: what the codes of a run's rows say by bits[code], of runs [run, run + n): `any` is OR-ed
 * with what some row's may say, `all` AND-ed with it. Where both are the same, every row says that;
 * else `any` may have bits that none has, and `all` lack bits that all have. */
struct segment_run_bits {
    uint64_t any;
    uint64_t all;
};
void segment_run_bits(const struct segment_column *c, const uint64_t *bits, uint32_t run,
                      uint32_t n, struct segment_run_bits *out);

/* ---- Ids, visitors, whole events ----
 *
 * A cursor holds the decompressed part it stands in and the columns it has opened, so reading rows
 * in ascending order is cheap. For one thread; the segment must outlive it.
 *
 *     struct segment_cursor *cursor = segment_cursor_create(s);
 *     for (uint32_t row = rows[run]; rc == ERR_OK && row < rows[run + 1]; row++)
 *         rc = segment_cursor_event(cursor, row, arena, &event, err);
 *     segment_cursor_destroy(&cursor);
 */
struct segment_cursor;
struct segment_cursor *segment_cursor_create(const struct segment *s);
void segment_cursor_destroy(struct segment_cursor **c);

/* *out is borrowed until the next call of the same function. */
enum err_code segment_cursor_visitor(struct segment_cursor *c, uint32_t run, struct slice *out,
                                     struct err *err);

/* Are two runs, of different files maybe, one visitor's? Cheaper than reading both. */
enum err_code segment_cursor_is_same(struct segment_cursor *a, uint32_t run_a,
                                     struct segment_cursor *b, uint32_t run_b, bool *out,
                                     struct err *err);
enum err_code segment_cursor_id(struct segment_cursor *c, uint32_t row, struct slice *out,
                                struct err *err);

/* Which of the rows [row, row + n) were given an id, counted from row, ascending. */
enum err_code segment_cursor_given(struct segment_cursor *c, uint32_t row, uint32_t n, uint32_t *at,
                                   uint32_t *out_n, struct err *err);

/* Was the event given no id, so that it has the one of its content? Such events are the same only
 * where their times are. Cheaper than the id, which then has to be made of the whole event. */
enum err_code segment_cursor_id_is_content(struct segment_cursor *c, uint32_t row, bool *out,
                                           struct err *err);

/* The event of a row as it was added. Visitor, id and the array of properties are in the arena;
 * other texts are borrowed from the segment until segment_close. */
enum err_code segment_cursor_event(struct segment_cursor *c, uint32_t row, struct arena *a,
                                   struct event *out, struct err *err);

/* The run of a visitor. ERR_NOT_FOUND where this file has none. */
enum err_code segment_find_visitor(struct segment_cursor *c, uint32_t site, struct slice visitor,
                                   uint32_t *out_run, struct err *err);

/* ---- Erased visitors ----
 *
 * Known by two hashes of the id only, so that the list of whom to leave out names nobody.
 */
struct segment_erased {
    uint64_t hash;    /* segment_visitor_hash */
    uint64_t other;   /* segment_erased_hash */
    int64_t until_ms; /* events of this time or earlier do not count */
};

/* Of one site, by hash. And what does not count of anybody, as its retention has ended. */
struct segment_erased_list {
    struct segment_owner owner;
    size_t n;
    const struct segment_erased *list;
    int64_t kept_from_ms; /* nothing before counts; 0: all of it */
};

/* Are there rows that do not count, among some whose first is of that time, for their age alone? */
static inline bool
segment_erased_cuts(const struct segment_erased_list *l, int64_t time_min_ms)
{
    return l->kept_from_ms > 0 && time_min_ms < l->kept_from_ms;
}

struct segment_erased_site {
    uint32_t site;
    struct segment_erased_list list;
};

uint64_t segment_erased_hash(const struct segment_owner *owner, struct slice visitor);

/* May a visitor of this hash be in the list? Never for most. */
bool segment_erased_may_have(const struct segment_erased_list *l, uint64_t hash);

/* From when on the visitor's events count: INT64_MIN for who was not erased, where nothing is too
 * old. Ask where segment_erased_may_have or segment_erased_cuts. */
int64_t segment_erased_from(const struct segment_erased_list *l, uint64_t hash,
                            struct slice visitor);

/* ---- Repeats ----
 *
 * Two events of one visitor with the same id are one event. Below 0: a stays; above 0: b stays; 0:
 * they are equal in every byte. Whoever drops repeats anywhere asks this. */
int segment_repeat_compare(const struct event *a, const struct event *b);

#endif
