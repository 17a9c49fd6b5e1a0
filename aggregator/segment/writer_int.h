/* The builder's rows, shared by writer.c (in), writer_sort.c (in which order) and flush.c (out, one
 * file).
 *
 * Texts are interned as they come, so an event takes about 150 bytes however long its texts are.
 * Every text attribute is a slot: the built-in ones by their code, then the properties by the
 * order in which their keys first came.
 */
#ifndef AGGREGATOR_SEGMENT_WRITER_INT_H
#define AGGREGATOR_SEGMENT_WRITER_INT_H

#include "aggregator/segment/segment_int.h"

/* ---- texts.c: interned texts, codes from 0 in order of arrival ---- */

struct segment__place {
    uint32_t hash;
    uint32_t next; /* code + 1; 0 = free */
};

struct segment__texts {
    struct slice *values; /* by code; in the arena */
    uint32_t n;
    uint32_t n_max;
    uint32_t last;                /* the code asked for last: a visitor's events come together */
    struct slice last_value;      /* its text; in the arena */
    struct segment__place *table; /* at most half full */
    uint32_t n_places;            /* a power of two */
};

void segment__texts_fini(struct segment__texts *t);
uint32_t segment__texts_code(struct segment__texts *t, struct arena *a, struct slice value);

/* The same in two steps, for several dictionaries at once: the first brings near what the second
 * will look at. *code is the text's, or its hash where that is not known yet (false). */
bool segment__texts_seek(const struct segment__texts *t, struct slice value, uint32_t *code);
bool segment__texts_seek_hashed(const struct segment__texts *t, struct slice value, uint32_t hash,
                                uint32_t *code);
uint32_t segment__texts_find(struct segment__texts *t, struct arena *a, struct slice value,
                             uint32_t hash);

/* ---- writer.c ---- */

/* What an event has beside its row lies in one piece of the arena:
 *
 *     numbers  those that are set, in order of their codes
 *     codes    of the texts that are set, in order of their attributes; then slot and code of each
 *              property
 *     id       its bytes
 */
struct segment__row {
    uint64_t hash;
    int64_t time_ms;
    uint32_t site;
    uint32_t visitor; /* code of builder.visitors */
    uint32_t flags;
    uint32_t origin;
    uint32_t numbers_set; /* bit 1 << enum event_number */
    uint32_t texts_set;   /* bit 1 << enum event_text */
    uint32_t n_properties;
    uint16_t id_bytes;
    bool is_content_id; /* which needs not be stored */
    const int64_t *numbers;
};
_Static_assert(TEXT_COUNT <= 32, "texts_set has 32 bits");

static inline const uint32_t *
segment__row_codes(const struct segment__row *r)
{
    return (const uint32_t *)(r->numbers + __builtin_popcount(r->numbers_set));
}

static inline const uint32_t *
segment__row_properties(const struct segment__row *r) /* slot, code, slot, code, .. */
{
    return segment__row_codes(r) + __builtin_popcount(r->texts_set);
}

static inline struct slice
segment__row_id(const struct segment__row *r)
{
    const uint32_t *end = segment__row_properties(r) + 2 * (size_t)r->n_properties;

    return slice_of((const char *)end, r->id_bytes);
}

struct segment_builder {
    struct segment_owner owner;
    struct arena arena;
    struct segment__row *rows;
    uint32_t n_rows;
    uint32_t n_rows_max;
    struct segment__texts visitors;
    struct segment__texts keys;   /* of properties */
    struct segment__texts *slots; /* TEXT_COUNT + keys.n are in use */
    uint32_t n_slots_max;
    const struct segment_erased_site *erased; /* borrowed */
    size_t n_erased;
    uint32_t n_left_out;
};

/* Visitors of two rows as bytes. */
int segment__row_compare_visitors(const struct segment_builder *b, const struct segment__row *x,
                                  const struct segment__row *y);

/* The row as the event it was; properties: room for those that it has. */
void segment__row_event(const struct segment_builder *b, const struct segment__row *row,
                        struct event_property *properties, struct event *out);

/* ---- flush.c ---- */

/* Write one file of the rows order[0..n): sorted, without repeats, all of one month. */
enum err_code segment__flush(struct segment_builder *b, const uint32_t *order, uint32_t n,
                             const char *dir, struct arena *a, struct segment_file *file,
                             struct err *err);

#endif
