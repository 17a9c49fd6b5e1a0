/* Which rows have a value, from what happened there: only sales have orders, only pages have
 * titles. And the codes of texts that were written before, which this and guesses are made of. */
#include <stdlib.h>

#include "aggregator/segment/encode_int.h"

#define CHUNK SEGMENT__CHUNK

/* ---- texts that were written before ---- */

bool
segment__known_open(struct segment__out *o, uint32_t text, struct segment__known *out)
{
    *out = (struct segment__known){.codes = &o->kept[text]};
    if (out->codes->p != NULL) {
        out->n_codes = out->codes->n_codes;
        return true;
    }
    out->codes = NULL;
    out->column = segment__out_column(o, text);
    if (out->column == NULL)
        return false;
    out->n_codes = out->column->n_codes;
    return true;
}

void
segment__known_read(const struct segment__known *k, uint32_t n_rows, uint32_t row,
                    bool of_rows_before, uint32_t *codes)
{
    uint32_t n = n_rows - row < CHUNK ? n_rows - row : CHUNK;

    if (k->codes != NULL) {
        segment__codes_read(k->codes, row, of_rows_before, codes);
    } else if (!of_rows_before) {
        segment_codes(k->column, row, n, codes);
    } else if (row == 0) {
        codes[0] = 0;
        segment_codes(k->column, 0, n - 1, codes + 1);
    } else {
        segment_codes(k->column, row - 1, n, codes);
    }
}

/* ---- the gate ---- */

/* By how many each event's rows that are set are more than its others. */
static int64_t *
count_votes(const struct segment__known *event, const struct segment__survey *v)
{
    int64_t *votes = mem_zalloc(event->n_codes * sizeof *votes);
    uint32_t events[CHUNK];

    for (uint32_t row = 0; row < v->n_rows; row += CHUNK) {
        uint32_t n = v->n_rows - row < CHUNK ? v->n_rows - row : CHUNK;

        segment__known_read(event, v->n_rows, row, false, events);
        for (uint32_t i = 0; i < n; i++)
            votes[events[i]] += (int64_t)(v->bitmap[(row + i) / 64] >> i % 64 & 1) * 2 - 1;
    }
    return votes;
}

static void
mark_rows(struct segment__gate *g, const struct segment__known *event, uint32_t n_rows)
{
    uint32_t events[CHUNK];

    g->rows = mem_zalloc(((size_t)n_rows + 63) / 64 * 8);
    for (uint32_t row = 0; row < n_rows; row += CHUNK) {
        uint32_t n = n_rows - row < CHUNK ? n_rows - row : CHUNK;

        segment__known_read(event, n_rows, row, false, events);
        for (uint32_t i = 0; i < n; i++)
            g->rows[(row + i) / 64] |= (g->words[events[i] / 64] >> events[i] % 64 & 1) << i % 64;
    }
}

bool
segment__gate_learn(struct segment__gate *g, struct segment__out *o,
                    const struct segment__survey *v)
{
    struct segment__known event;
    uint32_t n_open = 0;
    int64_t *votes;

    if (g->is_learnt)
        return g->n != 0;
    g->is_learnt = true;
    if (!segment__known_open(o, TEXT_EVENT, &event))
        return false;
    votes = count_votes(&event, v);
    g->words = mem_zalloc(((size_t)event.n_codes + 63) / 64 * sizeof *g->words);
    for (uint32_t code = 0; code < event.n_codes; code++)
        if (votes[code] > 0) {
            g->words[code / 64] |= UINT64_C(1) << code % 64;
            n_open++;
        }
    free(votes);
    if (n_open == 0 || n_open == event.n_codes)
        return false;
    g->n = event.n_codes;
    mark_rows(g, &event, v->n_rows);
    return true;
}

void
segment__gate_fini(struct segment__gate *g)
{
    free(g->words);
    free(g->rows);
}

/* ---- a gate instead of a bitmap ---- */

/* The rows that it has wrong; the caller frees their bitmap. */
static struct segment__survey
find_wrong(const struct segment__gate *g, const struct segment__survey *v)
{
    size_t n_words = ((size_t)v->n_rows + 63) / 64;
    struct segment__survey wrong = {.n_rows = v->n_rows, .bitmap = mem_alloc(n_words * 8)};

    for (size_t i = 0; i < n_words; i++) {
        wrong.bitmap[i] = v->bitmap[i] ^ g->rows[i];
        wrong.n_set += (uint32_t)__builtin_popcountll(wrong.bitmap[i]);
    }
    return wrong;
}

static void
write_gated(struct segment__out *o, struct segment__entry *e, const struct segment__source *source,
            const struct segment__gate *gate, const struct segment__survey *wrong,
            const struct segment__survey *v)
{
    unsigned char header[FORMAT_GATE] = {0};

    store_u32(header + GATE_CODES, gate->n);
    store_u32(header + GATE_ROWS, wrong->n_set);
    e->encoding = ENCODING_GATED;
    segment__out_begin(o);
    segment__out_add(o, header, sizeof header);
    segment__out_add(o, gate->words, (gate->n + (size_t)63) / 64 * sizeof *gate->words);
    segment__add_ranks(o, v);
    segment__add_rows(o, ENCODING_LIST, wrong);
    segment__add_values(o, source, e, 0);
    segment__out_end(o, e);
}

bool
segment__encode_gated(struct segment__out *o, struct segment__entry *e,
                      const struct segment__source *source, const struct segment__survey *v,
                      struct segment__gate *gate, uint64_t bytes)
{
    struct segment__survey wrong;
    bool is_worth_it;

    if (!segment__gate_learn(gate, o, v))
        return false;
    wrong = find_wrong(gate, v);
    is_worth_it =
        FORMAT_GATE + gate->n / 8 + v->n_rows / FORMAT_RANK_ROWS * 4 + (uint64_t)wrong.n_set * 4 <
        bytes - bytes / 4;
    if (is_worth_it)
        write_gated(o, e, source, gate, &wrong, v);
    free(wrong.bitmap);
    return is_worth_it;
}
