/* Where the parts of a packed column's block lie. Nothing of the block is trusted: what its own
 * header says must fill its length exactly. */
#include "aggregator/segment/segment_int.h"
#include "core/bytes.h"

static uint64_t
align8(uint64_t n)
{
    return (n + 7) & ~UINT64_C(7);
}

static uint64_t
rank_bytes(uint64_t n_rows)
{
    return align8((n_rows + FORMAT_RANK_ROWS - 1) / FORMAT_RANK_ROWS * 4);
}

static uint64_t
gate_bytes(uint64_t n_codes)
{
    return (n_codes + 63) / 64 * 8;
}

/* Bytes of rows and values: bitmap or list, or dense. */
uint64_t
segment__rows_bytes(unsigned encoding, uint64_t n_rows, uint64_t n_values, unsigned width)
{
    uint64_t packed = segment__packed_bytes(n_values, width);

    if (encoding == ENCODING_BITMAP)
        return rank_bytes(n_rows) + (n_rows + 63) / 64 * 8 + packed;
    if (encoding == ENCODING_LIST)
        return align8(n_values * 4) + packed;
    return packed;
}

static void
lay_out_rows(const unsigned char *p, struct segment_column *c)
{
    if (c->rows_by == ENCODING_BITMAP) {
        c->ranks = (const uint32_t *)(const void *)p;
        c->bitmap = (const uint64_t *)(const void *)(p + rank_bytes(c->n_rows));
        p += rank_bytes(c->n_rows) + ((uint64_t)c->n_rows + 63) / 64 * 8;
    } else if (c->rows_by == ENCODING_LIST) {
        c->rows = (const uint32_t *)(const void *)p;
        c->n_rows_listed = c->n_packed;
        p += align8((uint64_t)c->n_packed * 4);
    }
    c->packed = p;
}

static bool
lay_out_gated(const struct segment__block *b, struct segment_column *c)
{
    const unsigned char *p = b->p;
    uint64_t head;

    c->n_gate = load_u32(p + GATE_CODES);
    c->n_rows_listed = load_u32(p + GATE_ROWS);
    head = FORMAT_GATE + gate_bytes(c->n_gate) + rank_bytes(c->n_rows) +
           align8((uint64_t)c->n_rows_listed * 4);
    if (c->n_gate == 0 || c->n_rows_listed > c->n_rows ||
        head + segment__packed_bytes(c->n_packed, c->width) != b->entry->length)
        return false;
    p += FORMAT_GATE;
    c->gate = (const uint64_t *)(const void *)p;
    p += gate_bytes(c->n_gate);
    c->ranks = (const uint32_t *)(const void *)p;
    p += rank_bytes(c->n_rows);
    c->rows = (const uint32_t *)(const void *)p;
    c->packed = p + align8((uint64_t)c->n_rows_listed * 4);
    return true;
}

static bool
is_guess_known(const struct segment_column *c, const unsigned char *p)
{
    unsigned flags = p[GUESS_FLAGS];

    switch (c->guess.kind) {
    case GUESS_HOLD:
        return c->guess.n == 0 && flags == 0;
    case GUESS_RUN:
        return c->guess.n == c->n_runs && flags == 0;
    case GUESS_MAP:
        return c->guess.n > 0 && c->guess.source < TEXT_COUNT &&
               (flags & ~(GUESS_PREVIOUS | GUESS_GATED)) == 0;
    default:
        return false;
    }
}

static bool
lay_out_guessed(const struct segment__block *b, struct segment_column *c)
{
    const unsigned char *p = b->p;
    uint64_t head;

    c->rows_by = p[GUESS_ROWS];
    c->n_gate = load_u32(p + GUESS_GATE);
    c->guess = (struct segment_guess){
        .kind = p[GUESS_KIND],
        .width = p[GUESS_WIDTH],
        .is_previous = (p[GUESS_FLAGS] & GUESS_PREVIOUS) != 0,
        .source = load_u32(p + GUESS_SOURCE),
        .n = load_u32(p + GUESS_VALUES),
    };
    head = FORMAT_GUESS + gate_bytes(c->n_gate) +
           align8(segment__packed_bytes(c->guess.n, c->guess.width));
    if ((c->rows_by != ENCODING_BITMAP && c->rows_by != ENCODING_LIST) || c->guess.width > 32 ||
        !is_guess_known(c, p) || (c->n_gate != 0) != ((p[GUESS_FLAGS] & GUESS_GATED) != 0) ||
        head + segment__rows_bytes(c->rows_by, c->n_rows, c->n_packed, c->width) !=
            b->entry->length)
        return false;
    c->gate = (const uint64_t *)(const void *)(p + FORMAT_GUESS);
    c->guess.packed = p + FORMAT_GUESS + gate_bytes(c->n_gate);
    lay_out_rows(p + head, c);
    return true;
}

bool
segment__lay_out(const struct segment__block *b, struct segment_column *out)
{
    const struct segment__entry *e = b->entry;

    *out = (struct segment_column){
        .n_rows = b->n_rows,
        .n_set = e->count,
        .encoding = e->encoding,
        .rows_by = e->encoding,
        .width = e->width,
        .base = e->base,
        .n_packed = e->count,
        .run_rows = b->run_rows,
        .n_runs = b->n_runs,
    };
    if (e->encoding == ENCODING_GATED)
        return lay_out_gated(b, out);
    if (e->encoding == ENCODING_GUESSED) {
        out->n_set = b->n_rows;
        return lay_out_guessed(b, out);
    }
    if (e->encoding == ENCODING_STEPS)
        return segment__lay_out_steps(b, out);
    lay_out_rows(b->p, out);
    return true;
}
